"""Sets of bases: sorted, disjoint, non-touching half-open intervals, int64 [n, 2].

Size and time follow the number of intervals, never the length of a sequence.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["difference", "intersection", "size", "touched", "union"]


def union(intervals: Iterable[tuple[int, int]]) -> np.ndarray:
    """The set covered by any non-empty intervals, in any order; int64 [n, 2]."""
    rows = np.array(sorted(intervals), dtype=np.int64).reshape(-1, 2)
    if not len(rows):
        return rows
    ends = np.maximum.accumulate(rows[:, 1])
    first = np.concatenate(([True], rows[1:, 0] > ends[:-1]))
    last = np.concatenate((first[1:], [True]))
    return np.stack([rows[first, 0], ends[last]], axis=1)


def intersection(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Bases in both sets."""
    return _combined(left, right, both=True)


def difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Bases of the left set that are not in the right one."""
    return _combined(left, right, both=False)


def size(bases: np.ndarray) -> int:
    """Number of bases in a set."""
    return int((bases[:, 1] - bases[:, 0]).sum())


def touched(intervals: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Which of these intervals (int64 [n, 2], in any order) share a base with the set; bool [n]."""
    begun = np.searchsorted(bases[:, 0], intervals[:, 1], side="left")
    over = np.searchsorted(bases[:, 1], intervals[:, 0], side="right")
    return begun > over


def _combined(left: np.ndarray, right: np.ndarray, both: bool) -> np.ndarray:
    """Walk over the elementary stretches between all bounds; runs of kept ones are the result."""
    bounds = np.unique(np.concatenate([left.ravel(), right.ravel()]))
    in_left = np.searchsorted(left.ravel(), bounds, side="right") % 2 == 1
    in_right = np.searchsorted(right.ravel(), bounds, side="right") % 2 == 1
    kept = (in_left & (in_right == both)).astype(np.int8)
    change = np.diff(kept, prepend=0)
    return np.stack([bounds[change == 1], bounds[change == -1]], axis=1)
