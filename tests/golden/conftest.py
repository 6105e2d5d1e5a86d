"""Runs augustus-dl on golden cases, in this process and in a copy of their inputs."""

from __future__ import annotations

import io
import shutil
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
def checkpoints() -> Iterator[None]:
    """The engine opens each checkpoint once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augustus_dl.predict, "open_engine", cache(augustus_dl.predict.open_engine))
        yield
