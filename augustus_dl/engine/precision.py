"""Which arithmetic networks run in."""

from __future__ import annotations

import os

from augustus_dl.errors import OptionError

__all__ = ["wants_bf16"]

VARIABLE = "AUGUSTUS_DL_PRECISION"


def wants_bf16(native: bool) -> bool:
    """bf16 where the hardware multiplies it natively, else float32.

    The environment variable AUGUSTUS_DL_PRECISION=float32 has float32 everywhere, so that machines
    of different kinds agree; auto is the same as none.

    Raises:
        OptionError: another value.
    """
    asked = os.environ.get(VARIABLE, "auto")
    if asked not in ("auto", "float32"):
        raise OptionError(f"environment variable {VARIABLE}={asked}: use auto or float32")
    return native and asked == "auto"
