"""The page as text: what it says, and that names from files cannot break out of it.

python -m pytest tests/report/test_page.py
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation, read_annotation
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.io.locus import Locus
from augustus_dl.report.page import page
from augustus_dl.report.survey import Tracks, survey
from tests.report.genome import build

CODE = genetic_code(1)
NAMES = ("c<script>alert(1)</script>", "d\"'&$x_$", "é%{{7*7}}")


class Elements(HTMLParser):
    """Tags and attributes of a page, and the text of each tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)


def made(folder: Path, names: Sequence[str], reference: bool = True, **options) -> str:
    predictions = {name: read_annotation(folder / f"{name}.gff3").genes for name in names}
    truth = read_annotation(folder / "reference.gff3") if reference else None
    tracks = Tracks(predictions, truth)
    return page(survey(folder / "genome.fa", tracks, CODE, **options), tracks, CODE)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two predictions with their reference."""
    return made(build(tmp_path_factory.mktemp("report")), ["prediction", "other"])


def rows(text: str) -> dict[str, list[str]]:
    """Cells of all table rows by their heading."""
    found = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', text)
    return {name: re.findall(r"<td>(.*?)</td>", cells) for name, cells in found}


def test_sections_and_numbers(text: str) -> None:
    headings = [heading for heading in Elements(text).texts["h2"] if heading.strip()]
    assert headings[:4] == ["Genome", "Genes", "Lengths", "Splice sites"]
    assert headings[4:] == ["Codons", "Gene density", "Accuracy", "Loci"]
    cells = rows(text)
    assert cells["bases"] == ["4,000"] and cells["N50"] == ["3,000"]
    assert cells["genes"] == ["3", "3", "3"]
    assert cells["single-exon genes"] == ["1 (33.3 %)", "0 (0.0 %)", "0 (0.0 %)"]
    assert cells["coding length, median"] == ["18", "18", "18"]
    assert cells["GT-AG"][1:] == ["3 (100.0 %)", "3 (100.0 %)"]
    assert cells["exact: all coding exons right"] == ["1 (33.3 %)", "3 (100.0 %)"]
    assert cells["false: predicted where the reference has no gene"] == ["1", "0"]
    assert cells["F TTT"][1:] == ["200.0", "200.0"]
    assert "median 3 bases, 100.0 % multiples of three" in text
    assert text.count("<svg") == 5 + 3 * 2 + 1 + 3


def test_sections_without_a_reference(folder: Path) -> None:
    text = made(folder, ["prediction"], reference=False)
    assert 'id="accuracy"' not in text and 'id="loci"' not in text
    assert "#accuracy" not in text and "#loci" not in text


def test_an_empty_prediction_has_a_page(folder: Path) -> None:
    text = made(folder, ["empty"], reference=False)
    assert rows(text)["genes"] == ["0"] and rows(text)["coding length, median"] == ["-"]
    assert "There are no introns." in text


def test_nothing_is_loaded_from_elsewhere(text: str) -> None:
    for tag, attributes in Elements(text).tags:
        assert tag not in ("script", "iframe", "object", "img", "base", "form")
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:,")), (tag, target)


def test_pictures_follow_the_pages_colours(text: str) -> None:
    assert "currentColor" in text and "#6e7781" not in text
    for tag, attributes in Elements(text).tags:
        if tag == "svg":
            assert attributes["role"] == "img" and attributes["aria-label"]
    identifiers = re.findall(r'<(?:section|h2|g) id="([^"]*)"', text)
    assert len(identifiers) == len(set(identifiers))


def test_the_same_input_gives_the_same_page(folder: Path) -> None:
    assert made(folder, ["empty"]) == made(folder, ["empty"])


@pytest.mark.filterwarnings("error")
def test_names_cannot_break_out(tmp_path: Path) -> None:
    write_fasta(tmp_path / "g.fa", [Contig(name, b"ATGCCCCCCTAA" * 40) for name in NAMES])
    found = {n: [Gene(n, "+", (Transcript("+", ((0, 12),), id=n),), n)] for n in NAMES}
    tracks = Tracks(dict.fromkeys(NAMES, found), Annotation({}, {}), '<b onclick="x">')
    loci = [Locus(name, 0, 100) for name in NAMES]
    text = page(survey(tmp_path / "g.fa", tracks, CODE, loci), tracks, CODE)
    elements = Elements(text)
    assert not {"script", "b"} & {tag for tag, _ in elements.tags}
    assert not any("onclick" in attributes for _, attributes in elements.tags)
    assert {f"{name}:1-100" for name in NAMES} <= set(elements.texts["h3"])
    assert "49" not in "".join(elements.texts["h3"])
