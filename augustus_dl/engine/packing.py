"""Sequences in rows of one length: what a network reads at once where large inputs pay.

A row holds pieces of sequences, each between flanks as those of a window (see windows), so that
what else is in the row does not matter. Neighbours in a row share the N between them: a base sees
no further than its flank. A sequence that does not fit goes on in the next row, which begins with
the bases left of its piece.

A base of a row is one byte: its code, MASKED where it is soft-masked, and CORE where its scores
are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from augustus_dl.encode import N

__all__ = ["CODE", "CORE", "Batch", "packed"]

CODE, CORE = 7, 16
"""The bits of a base's code; the bit of a base whose scores are wanted."""

_TOKEN = 32
_WORTH = 4
"""A sequence is cut where at least so many flanks are left in a row."""


class Batch(NamedTuple):
    """Rows, and what their core bases are, one sequence behind the other.

    Attributes:
        rows: uint8 [B, R], see above; all N where nothing is left. From `packed`'s `empty`.
        used: rows from the first on that have core bases.
        lengths: core bases of each sequence.
        goes_on: the last sequence goes on in the next batch, as its first one.
    """

    rows: np.ndarray
    used: int
    lengths: list[int]
    goes_on: bool


class _Filling:
    """A batch that is being filled."""

    def __init__(self, rows: np.ndarray, flank: int) -> None:
        rows[:] = N
        self._rows, self._flank = rows, flank
        self._row, self._cursor = 0, 0  # where the right flank of the last piece ends
        self.lengths: list[int] = []

    @property
    def full(self) -> bool:
        return self._row == len(self._rows)

    def batch(self, goes_on: bool) -> Batch:
        used = self._row + (self._cursor > 0)
        return Batch(self._rows, used, self.lengths, goes_on)

    def put(self, track: np.ndarray, done: int) -> int:
        """Put what fits of a track from base `done` on into the row; how much that is.

        Where nothing fits a new row is begun.
        """
        flank, length = self._flank, len(track) - done
        start = max(self._cursor, flank)  # the flank left of it ends there
        room = self._rows.shape[1] - flank - start
        if room < min(length, _WORTH * flank) and self._cursor:
            self._row, self._cursor = self._row + 1, 0
            return 0
        size = min(length, room)
        row = self._rows[self._row]
        seen = track[max(done - flank, 0) : done]
        row[start - len(seen) : start] = seen
        np.bitwise_or(track[done : done + size], CORE, out=row[start : start + size])
        seen = track[done + size : done + size + flank]
        row[start + size : start + size + len(seen)] = seen
        self._cursor = start + -(-size // _TOKEN) * _TOKEN + flank
        if done and self.lengths:
            self.lengths[-1] += size
        else:
            self.lengths.append(size)
        return size


def packed(
    tracks: Iterable[np.ndarray], flank: int, empty: Callable[[], np.ndarray]
) -> Iterator[Batch]:
    """Sequences in batches, in order.

    Args:
        tracks: uint8 [L] each, `encode.track` of a sequence.
        flank: bases to either side of a piece, a multiple of 32.
        empty: gives rows to fill, uint8 [B, R], R a multiple of 32 above twice the flank.
    """
    filling = _Filling(empty(), flank)
    tracks = iter(tracks)
    failure = None
    while True:
        try:
            track = next(tracks)
        except StopIteration:
            break
        except Exception as error:  # its turn comes when all before are done
            failure = error
            break
        done = 0
        while done < len(track):
            if filling.full:
                yield filling.batch(goes_on=done > 0)
                filling = _Filling(empty(), flank)
            done += filling.put(track, done)
    if filling.lengths:
        yield filling.batch(goes_on=False)
    if failure:
        raise failure
