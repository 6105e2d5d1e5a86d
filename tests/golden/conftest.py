"""Runs augustus-dl on golden cases, in this process and in a copy of their inputs."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import augustus_dl.predict
from augustus_dl.cli.compat import main
from tests.golden.cases import HERE, INPUTS, Answer

RunWords = Callable[..., Answer]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a copy of the inputs; the config folder is this one, with `species/`."""
    folder = tmp_path / "work"
    shutil.copytree(INPUTS, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(HERE))
    return folder


@pytest.fixture
def run(place: Path) -> RunWords:
    """Run the words of a command line as `augustus` and return its answer."""
    before = set(place.iterdir())

    def run(*words: str, predict: Callable | None = None) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        status = main(words, out, err, predict, program="augustus")
        written = sorted(set(place.iterdir()) - before)
        files = {path.name: path.read_text(encoding="utf-8") for path in written}
        return Answer(status, out.getvalue(), err.getvalue(), files)

    return run


@pytest.fixture(scope="session")
def augustus() -> str:
    """The program of version 3.5.0, whose answers are recorded."""
    program = shutil.which("augustus")
    if program is None:
        pytest.skip("needs the program augustus")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    if "(3.5.0)" not in version.stderr:
        pytest.skip(f"needs AUGUSTUS 3.5.0, this is {version.stderr.splitlines()[0]}")
    return program


@pytest.fixture(scope="module")
def checkpoints() -> Iterator[None]:
    """The engine opens each checkpoint once for all tests of a file, and of no other file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augustus_dl.predict, "open_engine", cache(augustus_dl.predict.open_engine))
        yield
