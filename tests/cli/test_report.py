"""`augustus-dl report`, run in this process.

python -m pytest tests/cli/test_report.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from augustus_dl.cli import main
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: genome, a prediction and a reference with one gene more."""
    monkeypatch.chdir(tmp_path)
    write_fasta("g.fa", [Contig("c", b"CCATGAAATAACCATGTGATAACC" * 40), Contig("d", b"ACGT" * 9)])
    genes = [Gene("c", "+", (Transcript("+", (cds,)),)) for cds in ((2, 11), (26, 35))]
    write_gff3("r.gff3", genes)
    write_gff3("p.gff3", genes[:1])
    write_gff3("on_x.gff3", [Gene("x", "+", genes[0].transcripts)])
    Path("sub").mkdir()
    write_gff3("sub/p.gff3", genes)
    return tmp_path


def test_a_page_with_all_options(
    files: Path, toy_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "g.fa", "p.gff3", "--compare", "sub/p.gff3", "--reference", "r.gff3"]
    words += ["--loci", "c:1-500", "--loci", "d:5..20", "--device", "cpu"]
    assert main([*words, "--species", str(toy_folder), "--output", "page.html"]) == 0
    assert capsys.readouterr() == ("", "")
    text = Path("page.html").read_text(encoding="utf-8")
    assert "<h1>Genes of p.gff3</h1>" in text
    assert f">sub{os.sep}p.gff3</th>" in text and "reference r.gff3" in text
    assert "c:1-500, 500 bases" in text and "d:5-20, 16 bases" in text
    assert "what the network says" in text and "+ strand" in text


def test_a_page_of_a_prediction_alone(files: Path) -> None:
    assert main(["report", "g.fa", "p.gff3", "--output", "page.html"]) == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "<h1>Genes of p.gff3</h1>" in text and "what the network says" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["g.fa", "p.gff3", "--loci", "c"], "'c' is no locus; write NAME:START-END"),
        (["g.fa", "p.gff3", "--loci", "e:1-5"], "the genome has no sequence e"),
        (["g.fa", "p.gff3", "--compare", "p.gff3"], "p.gff3 is given twice"),
        (["g.fa", "on_x.gff3"], "on_x.gff3 has genes on x, which the genome does not have"),
        (["g.fa", "none.gff3"], "none.gff3 does not exist"),
        (["p.gff3", "p.gff3"], "is not FASTA"),
        (
            ["g.fa", "p.gff3", "--species", "nosuch"],
            "Species-specific configuration",
        ),
        (["g.fa", "p.gff3", "--genetic-code", "99"], "there is no genetic code 99"),
        (["g.fa", "p.gff3", "--output", "sub"], "--output sub cannot be written"),
        (["g.fa", "p.gff3", "--output", "no/page.html"], "--output no/page.html cannot be written"),
    ],
)
def test_errors_are_one_line(
    files: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in files.iterdir()}
    extra = [] if "--output" in words else ["--output", "page.html"]
    assert main(["report", *words, *extra]) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert {path.name for path in files.iterdir()} == before
