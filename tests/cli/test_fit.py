"""`augustus-dl fit` on an untrained network: streams, files, errors.

python -m pytest tests/cli/test_fit.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augustus_dl.cli import main
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel
from augustus_dl.profile_files import write_profile
from augustus_dl.train.pack import Pack, write_pack
from augustus_dl.train.run_folder import write_model
from tests.train.conftest import make_piece


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder and a pack."""
    root = tmp_path_factory.mktemp("fit")
    (root / "run").mkdir()
    write_model(AnnotationModel(NetworkConfig(size="tiny", clade="yeasts")), root / "run")
    facts = {"clade": "yeasts", "status": "clade", "beats_augustus": None, "scores": {}}
    write_profile(root / "run", "toy", decoder={"atac": False}, **facts)
    pieces = [make_piece("a"), make_piece("b", 1, validation=True)]
    write_pack(Pack(pieces), root / "toy.pack")
    return root


def words(folder: Path, *more: str) -> list[str]:
    fixed = [str(folder / "run"), str(folder / "toy.pack"), "--clade=yeasts", "--device=cpu"]
    return ["fit", *fixed, *more]


def test_constants_on_stdout_the_report_on_stderr(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile = folder / "run/toy_dl.json"
    more = [f"--output={tmp_path / 'found'}", f"--profile={profile}", "--accurate"]
    assert main(words(folder, *more)) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert {"coding_weight", "intron", "posterior_scale"} < found.keys()
    assert "12 validation genes" in err
    assert json.loads(profile.read_text())["decoder"] == {"atac": False, **found}
    assert json.loads((tmp_path / "found/constants.json").read_text())["decoder"] == found


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--clade=plants"], "no validation piece of clade 'plants'"),
        (["--genemodel=plasmid"], "--genemodel plasmid is none of"),
        (["--device=abacus"], "unknown device 'abacus'"),
        (["--profile=nosuch_dl.json"], "nosuch_dl.json cannot be read"),
    ],
)
def test_errors_are_one_line(
    more: list[str], message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, *more)) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("augustus-dl fit: ") and message in err
    assert len(err.splitlines()) == 1
