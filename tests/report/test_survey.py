"""One pass over a made-up genome.

python -m pytest tests/report/test_survey.py
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.errors import InputError, OptionError
from augustus_dl.evaluate import evaluate_files
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.locus import Locus
from augustus_dl.labels import NUM_LABELS, label
from augustus_dl.report import survey as module
from augustus_dl.report.browser import plot
from augustus_dl.report.survey import Survey, Tracks, around, survey
from augustus_dl.windows import Window

CODE = genetic_code(1)


def tracks(folder: Path, *names: str, reference: bool = True) -> Tracks:
    predictions = {name: read_annotation(folder / f"{name}.gff3").genes for name in names}
    return Tracks(predictions, read_annotation(folder / "reference.gff3") if reference else None)


def surveyed(folder: Path, *names: str, **options) -> Survey:
    return survey(folder / "genome.fa.gz", tracks(folder, *names), CODE, **options)


def test_numbers_are_those_of_evaluate(folder: Path) -> None:
    found = surveyed(folder, "prediction", "other")
    files = [folder / name for name in ("genome.fa", "reference.gff3", "prediction.gff3")]
    assert found.accuracy["prediction"] == evaluate_files(*files)
    assert found.accuracy["other"].gene.f1 == 1
    assert found.kinds["prediction"] == {"exact": 1, "splice site": 1, "missed": 1, "false": 1}
    assert found.shifts == {"prediction": {3: 1}, "other": {}}
    assert {name: one.genes for name, one in found.statistics.items()} == {
        "prediction": 3,
        "other": 3,
        "reference": 3,
    }
    assert found.genome.lengths == {"c": 3000, "d": 1000}


def test_examples_are_where_the_first_prediction_differs(folder: Path) -> None:
    found = surveyed(folder, "prediction", "other")
    assert {(view.kind, view.locus) for view in found.views} == {
        ("splice site", Locus("c", 1100, 1746)),
        ("missed", Locus("c", 2100, 2746)),
        ("false", Locus("d", 0, 690)),
    }
    (shifted,) = (view for view in found.views if view.kind == "splice site")
    assert {name: len(shown) for name, shown in shifted.tracks.items()} == {
        "prediction": 1,
        "other": 1,
        "reference": 1,
    }
    assert len(shifted.codes) == 0


def test_loci_of_the_user_come_in_their_order(folder: Path) -> None:
    loci = [Locus("d", 900, 5000), Locus("c", 0, 500)]
    found = surveyed(folder, "prediction", loci=loci)
    assert [view.locus for view in found.views] == [Locus("d", 900, 1000), Locus("c", 0, 500)]
    assert all(view.kind == "" for view in found.views)
    assert [len(view.tracks["prediction"]) for view in found.views] == [0, 1]


def test_without_a_reference(folder: Path) -> None:
    found = survey(folder / "genome.fa", tracks(folder, "prediction", reference=False), CODE)
    assert not found.accuracy and not found.kinds and not found.views


def test_an_empty_prediction(folder: Path) -> None:
    found = surveyed(folder, "empty")
    assert found.kinds["empty"] == {"missed": 3} and found.statistics["empty"].genes == 0


@pytest.mark.parametrize(
    ("locus", "error", "words"),
    [
        (Locus("x", 0, 5), InputError, "locus x:1-5: the genome has no sequence x"),
        (Locus("c", 3000, 3005), OptionError, "behind the end of c, 3,000 bases"),
        (Locus("c", 0, 2_000_000), OptionError, "longer than 1,000,000 bases"),
    ],
)
def test_impossible_loci(folder: Path, locus: Locus, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        surveyed(folder, "prediction", loci=[locus])


def test_names_that_the_genome_lacks(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (folder / "genome.fa").read_text()
    (folder / "genome.fa").write_text(text.replace(">d", ">e"))
    with pytest.raises(InputError, match="prediction has genes on d, which the genome does not"):
        survey(folder / "genome.fa", tracks(folder, "prediction"), CODE)
    (folder / "genome.fa").write_text(text.replace(">c", ">e"))
    with caplog.at_level(logging.WARNING):
        found = survey(folder / "genome.fa", tracks(folder, "empty"), CODE)
    assert found.accuracy["empty"].gene.reference == 0 and "reference has genes on c" in caplog.text


def test_sequences_of_one_name(folder: Path) -> None:
    text = (folder / "genome.fa").read_text()
    (folder / "genome.fa").write_text(text.replace(">d", ">c"))
    with pytest.raises(InputError, match="two sequences are named c"):
        survey(folder / "genome.fa", tracks(folder, "empty"), CODE)


def test_one_sequence_is_in_memory_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a sequence of 3 Mb is small."""
    import tracemalloc

    sizes = []

    def many(path: Path) -> Iterator:
        for number in range(4):
            yield module.Contig(f"s{number}", b"ACGT" * 750_000)
            sizes.append(tracemalloc.get_traced_memory()[0])

    monkeypatch.setattr(module, "contigs", many)
    monkeypatch.setattr(module, "_check_names", lambda *_: None)
    tracemalloc.start()
    survey("any", tracks(folder, "empty"), CODE, flank=64)
    tracemalloc.stop()
    assert max(sizes) - sizes[0] < 100_000


def test_around_stays_on_the_sequence() -> None:
    assert around((100, 200), 1000) == (0, 500)
    assert around((10_000, 20_000), 20_100) == (9_000, 20_100)


class Parrot:
    """An engine that says what base each position has: A coding, C intron, others intergenic."""

    flank, core, device, has_utr = 64, 128, "none", False

    def scores(self, windows, weights, utr=False) -> Iterator[tuple[Window, np.ndarray]]:
        for window in windows:
            assert len(window.codes) % 32 == 0 and (weights == 1).all()
            core = window.codes[window.offset : window.offset + window.end - window.start]
            scores = np.full((len(core), NUM_LABELS), -32767, dtype=np.int16)
            chosen = np.where(core == 0, label("+", "C1"), np.where(core == 1, label("-", "I0"), 0))
            scores[np.arange(len(core)), chosen] = 0
            yield window, scores


def test_probabilities_stand_on_their_bases(folder: Path) -> None:
    (view,) = surveyed(folder, "prediction", loci=[Locus("c", 395, 455)], flank=64).views
    assert view.offset == 384 - 64 and len(view.codes) == 480 + 64 - view.offset
    found = view.probabilities(Parrot())
    assert found.start == 395 and len(found.intergenic) == 60
    assert found.strands["+"]["coding"][5:14].round().tolist() == [1, 0, 0, 1, 1, 1, 0, 0, 0]
    assert found.strands["-"]["intron"][5:14].round().tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert found.strands["+"]["start"].max() < 0.01
    figure = plot(view.locus, view.tracks, found)
    assert len(figure.axes) == 2 + 4
