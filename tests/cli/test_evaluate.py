"""`augustus-dl evaluate`, run in this process.

python -m pytest tests/cli/test_evaluate.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augustus_dl.cli import main
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Genome, reference with two genes and a prediction of the first; codes 1 and 4 allow them."""
    write_fasta(tmp_path / "g.fa", [Contig("c", b"CCATGAAATAACCATGTGATAACC")])
    genes = [Gene("c", "+", (Transcript("+", (cds,)),)) for cds in ((2, 11), (13, 22))]
    write_gff3(tmp_path / "r.gff3", genes)
    write_gff3(tmp_path / "p.gff3", genes[:1])
    return [str(tmp_path / name) for name in ("g.fa", "r.gff3", "p.gff3")]


def test_table_and_json(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    target = Path(files[0]).with_name("scores.json")
    assert main(["evaluate", *files, "--json", str(target), "--genetic-code", "4"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "gene            0.5000    1.0000 0.6667          2          1" in out
    scores = json.loads(target.read_text())
    assert scores["gene"]["sensitivity"] == 0.5
    assert {path.name for path in target.parent.iterdir()} == {
        "g.fa",
        "r.gff3",
        "p.gff3",
        "scores.json",
    }


def test_the_genetic_code_matters(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *files]) == 0
    assert "1 doubtful reference genes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: [files[0], files[1], files[0]], "is FASTA"),
        (lambda files: [files[1], files[1], files[2]], "not FASTA"),
        (lambda files: [*files, "--genetic-code", "99"], "genetic code"),
        (lambda files: [*files, "--json", "/nowhere/x.json"], "--json /nowhere/x.json"),
        (lambda files: [files[0], files[1], files[2] + "x"], "does not exist"),
    ],
)
def test_errors_are_one_line(
    files: list[str], change, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *change(files)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1
