"""Values added to scores: exact in sum, wherever the scores are cut."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.config import GRID
from augustus_dl.decode.increments import LIMIT, UNIT, Channel, Forbidden, Points, Stage
from augustus_dl.encode import base_codes
from augustus_dl.labels import NUM_LABELS, label

LENGTH = 40
C0, C1, C2, START, STOP = (label("+", kind) for kind in ("C0", "C1", "C2", "START", "STOP"))


class Stretch(NamedTuple):
    scores: np.ndarray
    codes: np.ndarray
    start: int


def added(*layers, cuts=(), start=0) -> np.ndarray:
    """What a stage adds to scores of one; int64 [LENGTH - start, 29] on the grid."""
    bounds = [start, *sorted(cut for cut in cuts if cut > start), LENGTH]
    ones = np.ones((LENGTH, NUM_LABELS), dtype=np.int16)
    stretches = (
        Stretch(ones[a:b], np.zeros(b - a, dtype=np.uint8), a) for a, b in pairwise(bounds)
    )
    parts = [part.scores for part in Stage(layers)(stretches)]
    assert all(part.dtype == np.int32 for part in parts) and (ones == 1).all()
    return np.concatenate(parts).astype(np.int64) - 1


def channel(*changes: tuple[int, float], first: float = 0.0, **options) -> Channel:
    """A channel whose value changes by so many nats at some bases."""
    at = np.array([base for base, _ in changes], dtype=np.int64)
    change = np.array([round(nats * UNIT) for _, nats in changes], dtype=np.int64)
    return Channel(at, change, round(first * UNIT), **options)


CUTS = st.lists(st.integers(1, LENGTH - 1), max_size=5)
CHANGES = st.lists(st.tuples(st.integers(-3, LENGTH + 3), st.floats(-0.01, 0.01)), max_size=6)


@given(CHANGES.map(sorted), st.floats(-0.002, 0.002), CUTS, st.integers(0, 20))
def test_sums_of_a_channel_are_exact(changes, first, cuts, start):
    """Of values far below the grid the sum over any stretch is right to one step of the grid."""
    layer = channel(*changes, first=first, labels=(C0, 0))
    found = added(layer, cuts=cuts, start=start)
    value = np.array([first + sum(v for at, v in changes if at <= x) for x in range(LENGTH)])
    total = np.cumsum(value[start:] * GRID)
    assert np.abs(np.cumsum(found[:, C0]) - total).max() <= 0.51
    assert (found[:, 0] == found[:, C0]).all() and not found[:, C1].any()
    assert (found == added(layer, start=start)).all()


@given(st.integers(0, 2), st.sampled_from((1, -1)), CUTS)
def test_a_frame_picks_the_coding_label(frame, step, cuts):
    layer = channel((5, 1.0), (20, -1.0), labels=(C0, C1, C2, START, STOP), frame=frame, step=step)
    found = added(layer, cuts=cuts) / GRID
    for x in range(LENGTH):
        position = (x - frame) * step % 3
        inside = float(5 <= x < 20)
        expected = dict.fromkeys(range(NUM_LABELS), 0.0)
        expected[(C0, C1, C2)[position]] = inside
        expected[START] = inside * (position == 0)
        expected[STOP] = inside * (position == 2)
        assert dict(enumerate(found[x].tolist())) == expected


@given(CUTS)
def test_points(cuts):
    everywhere = np.zeros(NUM_LABELS, dtype=np.int64)
    everywhere[7] = -5
    at, labels = np.array([-1, 3, 3, 3, 39, 40]), np.array([0, 1, 1, 2, 0, 0], dtype=np.uint8)
    layer = Points(at, labels, np.array([9, 10, 20, 5, 1, 9], dtype=np.int32), everywhere)
    expected = np.zeros((LENGTH, NUM_LABELS), dtype=np.int64)
    expected[:, 7] = -5
    expected[3, 1], expected[3, 2], expected[39, 0] = 30, 5, 1
    assert (added(layer, cuts=cuts) == expected).all()


@given(CUTS)
def test_forbidden_pairs(cuts):
    codes = base_codes(b"ATATCCAT" * 5)
    forward = Forbidden(codes, (0, 3), 1, (4, 5), np.array([2, 8]))
    backward = Forbidden(codes, (3, 0), -1, (6,), np.array([1]))
    expected = np.zeros((LENGTH, NUM_LABELS), dtype=np.int64)
    for x in range(LENGTH - 1):
        if codes[x] == 0 and codes[x + 1] == 3:
            expected[x, 4:6] = 0 if x in (2, 8) else -LIMIT * GRID
            expected[x + 1, 6] = 0 if x == 0 else -LIMIT * GRID
    assert expected.any() and (added(forward, backward, cuts=cuts) == expected).all()


def test_a_stage_can_run_again():
    stage = Stage([channel((0, 0.3), labels=(0,))])
    stretch = Stretch(np.zeros((9, NUM_LABELS), dtype=np.int16), np.zeros(9, dtype=np.uint8), 0)
    (first,), (second,) = list(stage(iter([stretch]))), list(stage(iter([stretch])))
    assert (first.scores == second.scores).all() and first.scores[:, 0].sum() == round(2.7 * GRID)
