"""The arithmetic of networks.

python -m pytest tests/engine/test_precision.py
"""

from __future__ import annotations

import pytest

from augustus_dl.engine.precision import wants_bf16
from augustus_dl.errors import OptionError


def test_bf16_is_for_hardware_that_has_it_and_users_who_do_not_mind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for asked, expected in ((None, True), ("auto", True), ("float32", False)):
        if asked is None:
            monkeypatch.delenv("AUGUSTUS_DL_PRECISION", raising=False)
        else:
            monkeypatch.setenv("AUGUSTUS_DL_PRECISION", asked)
        assert wants_bf16(native=True) is expected
        assert not wants_bf16(native=False)


def test_another_arithmetic_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "fp8")
    with pytest.raises(OptionError, match="AUGUSTUS_DL_PRECISION=fp8: use auto or float32"):
        wants_bf16(native=True)
