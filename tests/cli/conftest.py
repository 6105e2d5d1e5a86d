"""What tests of the command line share: species without weights, and AUGUSTUS where it is here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from augustus_dl.profile_files import write_profile
from tests.cli.stand_in import DATA

FACTS = {
    "clade": "vertebrates",
    "decoder": {},
    "status": "trained on this species",
    "scores": {"gene_f1": 41.04, "augustus_gene_f1": 50.1},
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config folder in use: species human, and fly that does not beat AUGUSTUS.

    The working folder is that of the test data.
    """
    folder = tmp_path / "config"
    for name, beats in (("human", True), ("fly", False)):
        species = folder / "species" / name
        write_profile(species, name, **FACTS, beats_augustus=beats, parameters={"introns": "off"})
        for file in ("model.safetensors", "tokenizer.json"):
            (species / file).touch()
        (species / "config.json").write_text("{}")
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(folder))
    monkeypatch.chdir(DATA)
    return folder


@pytest.fixture(scope="session")
def augustus() -> Callable[[list[str]], subprocess.CompletedProcess[str]]:
    """Runs the installed AUGUSTUS 3.5.0."""

    def run(words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["augustus", *words], capture_output=True, text=True, check=False)

    if shutil.which("augustus") is None:
        pytest.skip("AUGUSTUS is not installed")
    version = run(["--version"]).stderr
    if not version.startswith("AUGUSTUS (3.5.0)") or "augustus-dl" in version:
        pytest.skip("the program `augustus` is not AUGUSTUS 3.5.0")
    return run
