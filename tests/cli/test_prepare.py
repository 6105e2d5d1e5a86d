"""`augustus-dl prepare`, run in this process.

python -m pytest tests/cli/test_prepare.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from augustus_dl.cli import main
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.train.pack import read_pack

RECIPE = 'clade = "yeasts"\n[[set]]\nfolder = "toy"\nvalidation = ["chr2"]\n'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    folder.mkdir()
    names = ("chr1", "chr2", "hidden")
    text = b"CCATGAAATAACC" * 3
    write_fasta(folder / "genome.fa", [Contig(name, text) for name in names])
    genes = [Gene(name, "+", (Transcript("+", ((2, 11),)),)) for name in names]
    write_gff3(folder / "annotation.gff3", genes)
    for name in ("genome.fa", "annotation.gff3"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    rows = "set\tsequence\tend\tsplit\ntoy\tchr1\t39\ttrain\ntoy\tchr2\t39\ttrain\n"
    (tmp_path / "splits.tsv").write_text(rows + "toy\thidden\t39\ttest\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def test_a_pack_is_written_and_its_pieces_are_listed(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = data / "packs" / "toy.pack"
    recipe = str(data / "recipe.toml")
    assert main(["prepare", str(data), "--recipe", recipe, "--output", str(output)]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "toy\tchr1:0-39\ttraining\t-",
        "toy\tchr2:0-39\tvalidation\t1",
    ]
    pieces = read_pack(output).pieces
    assert [piece.validation for piece in pieces] == [False, True]
    assert [path.name for path in output.parent.iterdir()] == ["toy.pack"]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [("nosuch", "recipe 'nosuch' is neither a file"), ("recipe.toml", "no table of splits")],
)
def test_errors_are_one_line(
    recipe: str, message: str, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = str(data / recipe) if "." in recipe else recipe
    words = ["prepare", str(data / "toy"), "--recipe", recipe, "--output", str(data / "x")]
    assert main(words) == 1
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert err.startswith("augustus-dl prepare: ") and message in err
    assert not (data / "x").exists()
