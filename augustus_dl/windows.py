"""Windows of a sequence, and back.

A window is a core plus `flank` bases to either side; only the core's scores are used, so with a
flank as wide as the network's reach the result does not depend on the window size. Cores tile the
sequence; all but the last have `core` bases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from augustus_dl.encode import BasesOnDemand, N

__all__ = ["Window", "cut", "stitch"]


class Window(NamedTuple):
    """codes uint8 and masked bool [flank + core + padding + flank]; N beyond the sequence.

    start, end: the core on the sequence, 0-based half-open. offset: where the core begins inside,
    so `codes[offset : offset + end - start]` are the core's bases.
    """

    start: int
    end: int
    offset: int
    codes: np.ndarray
    masked: np.ndarray


def cut(
    codes: np.ndarray | BasesOnDemand,
    masked: np.ndarray | BasesOnDemand,
    core: int,
    flank: int,
    multiple: int = 32,
    span: tuple[int, int] | None = None,
) -> Iterator[Window]:
    """Windows of one sequence in order; their length is a multiple of `multiple`.

    `core` and `flank` must be multiples of it too, so that the same bases share a token whatever
    the core size. Cores tile `span` (0-based, half-open; default: the sequence), flanks show what
    lies beside it.
    """
    if core % multiple or flank % multiple:
        raise ValueError(f"core {core} and flank {flank} must be multiples of {multiple}")
    first, last = span or (0, len(codes))
    for left in range(first // multiple * multiple, last, core):
        start, end = max(left, first), min(left + core, last)
        right = left + -(-(end - left) // multiple) * multiple + flank
        yield Window(
            start,
            end,
            flank + start - left,
            _padded(codes, left - flank, right, N),
            _padded(masked, left - flank, right, False),
        )


def _padded(
    track: np.ndarray | BasesOnDemand, start: int, end: int, fill: int | bool
) -> np.ndarray:
    inside = np.asarray(track[max(start, 0) : min(end, len(track))])
    return np.pad(inside, (max(-start, 0), max(end - len(track), 0)), constant_values=fill)


def stitch(pairs: Iterable[tuple[Window, np.ndarray]], start: int = 0) -> Iterator[np.ndarray]:
    """Tracks of cores, in order, to stretches that tile the sequence; inverse of `cut`.

    Args:
        start: where the first core begins.

    Raises:
        ValueError: a core is missing, out of order, or its track has another length.
    """
    cursor = start
    for window, track in pairs:
        if window.start != cursor or len(track) != window.end - window.start:
            raise ValueError(f"core {window.start}-{window.end} does not continue at {cursor}")
        cursor = window.end
        yield track
