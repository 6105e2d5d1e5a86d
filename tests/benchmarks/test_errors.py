"""The error analysis: properties, tables, and a whole run on a made-up pack.

python -m pytest tests/benchmarks/test_errors.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.differences import Difference, Fault
from augustus_dl.encode import base_codes, soft_mask
from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.train.pack import Pack, Piece, write_pack
from benchmarks import errors as module
from benchmarks.error_tables import PROPERTIES, Errors, markdown, properties

SEQUENCE = b"cccc" + b"atgGGGAAA" + b"GTAAGTTTTTTCAG" + b"GGGTAA" + b"CCCC"
SPLICED = Transcript("+", ((4, 13), (27, 33)))


def test_properties() -> None:
    found = properties(SPLICED, base_codes(SEQUENCE), soft_mask(SEQUENCE))
    assert found == pytest.approx((0.029, 2, 100 * 7 / 15, 14, 6, 100 * 3 / 15))
    assert len(found) == len(PROPERTIES)


def counted(*differences: Difference) -> str:
    errors = Errors()
    for difference in differences:
        errors.add(difference, (0.5, 2, 45, 100, 30, 0))
    return markdown(errors)


def test_tables() -> None:
    faults = (Fault("splice site", 3), Fault("splice site", -20))
    text = counted(
        Difference("exact", SPLICED, (SPLICED,)),
        Difference("splice site", SPLICED, (SPLICED,), faults),
        Difference("start", SPLICED, (SPLICED,), (Fault("start", -9),)),
        Difference("false", None, (SPLICED,)),
    )
    assert "3 reference genes, 1 false ones." in text
    assert "| exact | 1 | 33.3 |" in text and "| splice site | 1 |" in text
    assert "2 splice sites lie elsewhere: 1 by 1 to 3, 0 by 4 to 12, 1 by 13 to 50" in text
    assert "1 of them by a multiple of three" in text
    assert "start that lies elsewhere: 1 further 5' in its exon." in text
    assert "| below 1 | 3 | 33.3 | 1 | 1 | 1 |" in text
    assert "| 2 to below 3 | 3 | 33.3 |" in text and "| 45 to below 50 |" in text
    for table in text.split("\n\n"):
        assert len({line.count("|") for line in table.split("\n") if line.startswith("|")}) <= 1


def test_without_genes() -> None:
    assert "0 reference genes, 0 false ones." in counted() and "No splice site" in counted()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A validation piece and one for training."""
    letters = np.random.default_rng(1)
    codes = letters.integers(0, 4, 6000, dtype=np.uint8)
    nothing = np.zeros(6000, dtype=np.uint8)
    codes[1000:1033] = base_codes(SEQUENCE[4:] + b"CC" * 2)[:33]
    known = (Gene("p", "+", (SPLICED.shifted(996),), "g"),)
    facts = {"set": "s", "clade": "yeasts", "weight": 1.0, "genetic_code": 1}
    arrays = {"codes": codes, "soft": nothing == 1, "labels": nothing, "utr": nothing}
    pieces = [
        Piece("p", **facts, validation=True, **arrays, genes=known),
        Piece("q", **facts, validation=False, **arrays),
    ]
    write_pack(Pack(pieces), tmp_path / "pack.safetensors")
    return tmp_path / "pack.safetensors"


def test_a_whole_run(
    pack: Path, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "errors"
    words = ["--packs", str(pack), "--output", str(output), "--species", str(toy_folder)]
    monkeypatch.setattr(sys, "argv", ["errors", *words, "--device", "cpu", "--pictures", "2"])
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    module.main()
    text = (output / "errors.md").read_text(encoding="utf-8")
    assert "## yeasts" in text and "1 reference genes" in text
    pictures = sorted(path.name for path in output.glob("*.png"))
    assert len(pictures) == 2 and all(f"]({name})" in text for name in pictures)
    assert (output / pictures[0]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--packs", "none.safetensors"], "is no pack file"),
        (["--data", ".", "--recipes", "nosuch"], "recipe 'nosuch'"),
    ],
)
def test_mistakes(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["errors", *words, "--output", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=said):
        module.main()
    assert not (tmp_path / "out").exists()


@pytest.fixture
def augustus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that predicts one gene for the species fly and fails for others."""
    program = tmp_path / "programs" / "augustus"
    program.parent.mkdir()
    row = 'part\\tAUGUSTUS\\tCDS\\t5\\t13\\t.\\t+\\t0\\ttranscript_id "g1.t1"; gene_id "g1";\\n'
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "if '--species=fly' not in sys.argv: sys.exit('no such species')\n"
        "(path,) = (word[10:] for word in sys.argv if word.startswith('--outfile='))\n"
        f"open(path, 'w').write('# made up\\n{row}')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_augustus_is_asked(augustus: None) -> None:
    (found,) = module.run_augustus("fly", SEQUENCE)
    assert (found.strand, found.cds) == ("+", ((4, 13),))
    with pytest.raises(InputError, match="augustus ended with 1: no such species"):
        module.run_augustus("worm", SEQUENCE)
