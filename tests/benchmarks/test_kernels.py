"""What the benchmark of kernels times, refuses to time, and prints.

python -m pytest tests/benchmarks/test_kernels.py
"""

from __future__ import annotations

import time

import pytest
import torch

from benchmarks import kernels
from benchmarks.kernels import Case, Way, markdown, timings


def broken() -> Way:
    raise ValueError("no such thing\nhere")


def case() -> Case:
    return Case(
        kernel="square",
        shape="N 1000",
        inputs=(torch.arange(1.0, 1001).requires_grad_(),),
        reference=torch.square,
        ways={
            "fused": lambda: torch.square,
            "reference": lambda: torch.square,
            "rough": lambda: lambda x: 1.001 * x * x,
            "broken": broken,
        },
        tolerance=1e-4,
        operations=1e6,
        unit="float32",
    )


def test_only_what_is_right_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0, 4.0, 3.0, 8.0])
    monkeypatch.setattr(kernels, "median_ms", lambda call: next(times))
    peaks = {"bytes": 80e6, "float32": 1e9}
    fused, reference, rough, wrong = timings(case(), peaks, time.monotonic() + 100)
    assert (fused.forward_ms, fused.both_ms, fused.note) == (1.0, 4.0, "")
    assert fused.forward_share == pytest.approx(1.0)  # 1e6 operations at 1e9 a second
    assert reference.both_share == pytest.approx(3 / 8)
    assert (
        rough.forward_ms is None
        and rough.note == "ArithmeticError: error 1.0e-03 is more than 5.0e-04"
    )
    assert wrong.error is None and wrong.note == "ValueError: no such thing"
    head = {"commit": "c", "date": "d", "device": "gpu", "versions": {"torch": "2"}}
    rows = [vars(row) for row in (fused, reference, rough, wrong)]
    lines = markdown({"provenance": head, "rows": rows}).split("\n")
    assert lines[2] == (
        "| square | N 1000 | fused | 0e+00 | 1.000 | 3.0 | 100% | 4.000 | 2.0 | 75% |"
    )
    assert lines[4].startswith("| square | N 1000 | rough | 1e-03 | ArithmeticError")
    assert len({line.count("|") for line in lines[:6]}) == 1


def test_extras_do_not_begin_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "median_ms", lambda call: 1.0)
    notes = [row.note for row in timings(case(), None, time.monotonic() - 1)]
    assert notes == ["", "", *["TimeoutError: no time was left"] * 2]
