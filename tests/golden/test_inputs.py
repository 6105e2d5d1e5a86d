"""The golden inputs and answers are what their programs make."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden.cases import INPUTS, Case, all_cases, recorded
from tests.golden.inputs import TUTORIAL, files
from tests.golden.record import run


@pytest.mark.skipif(not TUTORIAL.is_dir(), reason="needs Debian's package augustus-doc")
def test_the_inputs_can_be_made_again() -> None:
    made = dict(files())
    assert len(made) > 15
    for name, content in made.items():
        assert _uncompressed(INPUTS / name) == _uncompressed_bytes(content), name


def test_every_input_is_used() -> None:
    words = {word for case in all_cases() for word in case.words("")}
    named = {word.partition("=")[2] or word for word in words}
    assert {path.name for path in INPUTS.iterdir()} <= named


@pytest.mark.slow
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_augustus_answers_the_same_again(case: Case, augustus: str) -> None:
    assert run(case) == recorded(case)


def _uncompressed(path: Path) -> bytes:
    return _uncompressed_bytes(path.read_bytes())


def _uncompressed_bytes(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
