"""Rows: every base comes once, in order, between what lies beside it.

python -m pytest tests/engine/test_packing.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.encode import MASKED, N, track
from augustus_dl.engine.packing import CODE, CORE, packed

FLANK, LENGTH, ROWS = 64, 640, 3


def empty() -> np.ndarray:
    return np.full((ROWS, LENGTH), 77, dtype=np.uint8)


def random_tracks(lengths: list[int]) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    letters = np.frombuffer(b"acgtACGT", dtype=np.uint8)
    return [track(rng.choice(letters, length).tobytes()) for length in lengths]


def test_track() -> None:
    assert track(b"ACgtNn").tolist() == [0, 1, 2 + MASKED, 3 + MASKED, N, N + MASKED]
    assert track(b"ACgtNn", softmasking=False).tolist() == [0, 1, 2, 3, N, N]


@pytest.mark.parametrize("lengths", [[5], [], [512], [513], [3000, 1, 40, 700], [30] * 200])
def test_bases_come_in_order(lengths: list[int]) -> None:
    tracks = random_tracks(lengths)
    found, ends, sizes, open_ = [], [], [], False
    for batch in packed(tracks, FLANK, empty):
        cores = batch.rows[(batch.rows & CORE) != 0] & ~np.uint8(CORE)
        assert len(cores) == sum(batch.lengths) and min(batch.lengths) > 0
        assert not (batch.rows[batch.used :] != N).any()
        found.append(cores)
        sizes += batch.lengths
        if open_:
            sizes[-len(batch.lengths) - 1 : -len(batch.lengths) + 1 or None] = [
                sizes[-len(batch.lengths) - 1] + batch.lengths[0]
            ]
        open_ = batch.goes_on
        ends.append(open_)
    assert np.array_equal(np.concatenate([*found, []]), np.concatenate([*tracks, []]))
    assert sizes == lengths and not (ends and ends[-1])


def test_every_base_sees_its_own_sequence() -> None:
    tracks = random_tracks([3000, 1, 40, 700, 8])
    whole = [np.pad(t, FLANK, constant_values=N) for t in tracks]
    number = done = 0
    for batch in packed(tracks, FLANK, empty):
        for row, at in zip(*np.nonzero(batch.rows & CORE), strict=True):
            if done == len(tracks[number]):
                number, done = number + 1, 0
            seen = batch.rows[row, at - FLANK : at + FLANK + 1] & (CODE | MASKED)
            assert np.array_equal(seen, whole[number][done : done + 2 * FLANK + 1])
            done += 1


def test_tokens_are_those_of_the_sequence() -> None:
    """A base keeps its place in a token, whatever lies left of its sequence."""
    for batch in packed(random_tracks([33, 2000, 5]), FLANK, empty):
        core = (batch.rows & CORE) != 0
        first = core & ~np.pad(core, ((0, 0), (1, 0)))[:, :-1]
        assert not (np.nonzero(first)[1] % 32).any()


def test_an_error_comes_in_its_turn() -> None:
    def tracks():
        yield np.zeros(100, dtype=np.uint8)
        raise ValueError("no more")

    batches = packed(tracks(), FLANK, empty)
    assert next(batches).lengths == [100]
    with pytest.raises(ValueError, match="no more"):
        next(batches)
