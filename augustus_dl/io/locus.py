"""Stretches of a sequence as people write them: NAME:START-END, 1-based and closed."""

from __future__ import annotations

import re
from typing import NamedTuple

from augustus_dl.errors import OptionError

__all__ = ["Locus", "locus_text", "parse_locus"]

_LOCUS = re.compile(r"(.+):([0-9,]+)(?:-|\.\.)([0-9,]+)", re.DOTALL)


class Locus(NamedTuple):
    """Bases `start` to `end` (0-based, half-open) of the sequence `contig`."""

    contig: str
    start: int
    end: int


def parse_locus(text: str) -> Locus:
    """The locus a text stands for; the inverse of `locus_text`. Commas in numbers are skipped.

    Raises:
        OptionError: it is none.
    """
    match = _LOCUS.fullmatch(text)
    start, end = (int(match[i].replace(",", "") or 0) for i in (2, 3)) if match else (0, 0)
    if not match or not 1 <= start <= end:
        raise OptionError(f"{text!r} is no locus; write NAME:START-END, counted from 1")
    return Locus(match[1], start - 1, end)


def locus_text(locus: Locus) -> str:
    """NAME:START-END."""
    return f"{locus.contig}:{locus.start + 1}-{locus.end}"
