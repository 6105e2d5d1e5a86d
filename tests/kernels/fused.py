"""What tests of fused kernels share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

__all__ = ["check_in_the_interpreter", "poisoned"]

_ROOT = Path(__file__).resolve().parents[2]


def check_in_the_interpreter(module: str, function: str) -> None:
    """Call a function of a test file with "cpu" where Triton's kernels run on the CPU.

    Triton looks for the switch as it is imported, hence a process of its own.
    """
    pytest.importorskip("triton")
    code = f"from tests.kernels import {module}; {module}.{function}('cpu')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def poisoned() -> Iterator[None]:
    """What `torch.empty` gives is NaN: torch sees to it while asked for determinism."""
    torch.use_deterministic_algorithms(True)
    try:
        assert torch.empty(3).isnan().all()
        yield
    finally:
        torch.use_deterministic_algorithms(False)
