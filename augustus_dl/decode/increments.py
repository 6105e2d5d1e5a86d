"""Values that are added to scores on their way to the decoder, stretch by stretch.

Values of single bases may be far below the grid of the scores. They are summed up from the first
base on and the sums rounded, so that no stretch is wrong by more than the grid, and nothing depends
on where scores are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.decode.native import native

__all__ = ["LIMIT", "LIMIT_ON_GRID", "UNIT", "Channel", "Forbidden", "Points", "Stage"]

LIMIT = 1000.0
"""Nats that nothing else outweighs, for bonuses such as those of manual anchors."""
_SHIFT = 20
UNIT = GRID << _SHIFT
"""Parts of a nat in which values of single bases are summed up."""

_HALF = 1 << _SHIFT - 1
LIMIT_ON_GRID = int(LIMIT) * GRID
_CODON_POSITION = (0, 1, 2, 0, 2)
"""Of the labels C0, C1, C2, START and STOP."""

Adding = Callable[[np.ndarray, int], None]
"""Adds to scores int32 [n, 29] of the stretch that begins at a base; is called from left to right.
"""


class Stage:
    """A stage of prediction that adds layers to scores; holds no state of a run."""

    def __init__(self, layers: Sequence[Points | Channel | Forbidden]) -> None:
        self._layers = layers

    def __call__(self, stretches: Iterator[Any], config: Any = None) -> Iterator[Any]:
        """The stretches (see `predict.Stretch`), from left to right without gaps, as int32."""
        runs = [layer.run() for layer in self._layers]
        for stretch in stretches:
            scores = stretch.scores.astype(np.int32)
            for add in runs:
                add(scores, stretch.start)
            yield stretch._replace(scores=scores)


@dataclass(frozen=True)
class Points:
    """Values on single labels.

    Attributes:
        at: int64 [k] rising; labels: uint8 [k]; values: int32 [k] on the grid.
        everywhere: int64 [29], what each base gets besides.
    """

    at: np.ndarray
    labels: np.ndarray
    values: np.ndarray
    everywhere: np.ndarray

    def run(self) -> Adding:
        return self._add

    def _add(self, scores: np.ndarray, start: int) -> None:
        low, high = np.searchsorted(self.at, (start, start + len(scores)))
        _add_points(scores, self.at[low:high] - start, self.labels[low:high], self.values[low:high])
        there = np.flatnonzero(self.everywhere)
        _add_everywhere(scores, there, self.everywhere[there])


@dataclass(frozen=True)
class Channel:
    """A value for each base that some labels get.

    Attributes:
        at: int64 [k] rising, where the value changes; change: int64 [k], by how many units.
        first: value before the first change.
        labels: which labels; those of a codon position only, where `frame` is given.
        frame: base of a first codon position modulo 3.
        step: 1 where codon positions rise with the bases, -1 where they fall.
    """

    at: np.ndarray
    change: np.ndarray
    first: int
    labels: tuple[int, ...]
    frame: int = -1
    step: int = 1

    def run(self) -> Adding:
        labels = np.array(self.labels)
        state = np.array([0, self.first, 0])

        def add(scores: np.ndarray, start: int) -> None:
            _add_channel(scores, start, self.at, self.change, labels, self.frame, self.step, state)

        return add


@dataclass(frozen=True)
class Forbidden:
    """Labels that certain pairs of bases may not have, but for some exceptions.

    Attributes:
        codes: uint8 [L].
        pair: base codes of the base with the label and of the one beside it.
        step: 1 or -1, on which side that is.
        labels: which labels.
        allowed: int64 [k] rising, the exceptions.
    """

    codes: np.ndarray
    pair: tuple[int, int]
    step: int
    labels: tuple[int, ...]
    allowed: np.ndarray

    def run(self) -> Adding:
        return self._add

    def _add(self, scores: np.ndarray, start: int) -> None:
        first, second = self.pair
        labels = np.array(self.labels)
        _forbid(scores, start, self.codes, first, second, self.step, labels, self.allowed)


@native
def _add_points(scores, at, labels, values) -> None:
    for k in range(len(at)):
        scores[at[k], labels[k]] += values[k]


@native
def _add_everywhere(scores, labels, values) -> None:
    for i in range(len(scores)):
        for k in range(len(labels)):
            scores[i, labels[k]] += values[k]


@native
def _add_channel(scores, start, at, change, labels, frame, step, state) -> None:
    """Add the rounded sums of a channel; see `Channel`.

    Args:
        state: int64 [3], changed in place: changes that are behind, value, and sum of all values.
    """
    cursor, value, total = state
    i = 0
    while i < len(scores):
        while cursor < len(at) and at[cursor] <= start + i:
            value += change[cursor]
            cursor += 1
        stop = min(len(scores), at[cursor] - start) if cursor < len(at) else len(scores)
        if value:
            for j in range(i, stop):
                before = (total + _HALF) >> _SHIFT
                total += value
                step_up = ((total + _HALF) >> _SHIFT) - before
                if step_up:
                    position = (start + j - frame) * step % 3
                    for k in range(len(labels)):
                        if frame < 0 or _CODON_POSITION[k] == position:
                            scores[j, labels[k]] += step_up
        i = stop
    state[0], state[1], state[2] = cursor, value, total


@native
def _forbid(scores, start, codes, first, second, step, labels, allowed) -> None:
    """Forbid labels on bases `first` that have `second` beside them; see `Forbidden`."""
    cursor = 0
    for i in range(len(scores)):
        at = start + i
        if not 0 <= at + step < len(codes) or codes[at] != first or codes[at + step] != second:
            continue
        while cursor < len(allowed) and allowed[cursor] < at:
            cursor += 1
        if cursor == len(allowed) or allowed[cursor] != at:
            for k in range(len(labels)):
                scores[i, labels[k]] -= LIMIT_ON_GRID
