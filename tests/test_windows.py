"""Windows and back.

python -m pytest tests/test_windows.py
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.encode import N
from augustus_dl.windows import Window, cut, stitch


def core_of(window: Window, track: np.ndarray) -> np.ndarray:
    return track[window.offset : window.offset + window.end - window.start]


def sequence(length: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(length)
    return rng.integers(0, 5, length, dtype=np.uint8), rng.random(length) < 0.5


@given(
    st.integers(0, 700),
    st.integers(1, 6).map(lambda n: 32 * n),
    st.integers(0, 6).map(lambda n: 32 * n),
)
def test_stitch_is_the_inverse_of_cut(length: int, core: int, flank: int) -> None:
    codes, masked = sequence(length)
    windows = list(cut(codes, masked, core, flank))
    cores = stitch((w, core_of(w, w.codes)) for w in windows)
    assert np.array_equal(np.concatenate([np.empty(0, np.uint8), *cores]), codes)
    soft = stitch((w, core_of(w, w.masked)) for w in windows)
    assert np.array_equal(np.concatenate([np.empty(0, bool), *soft]), masked)


@given(
    st.integers(1, 700),
    st.integers(1, 6).map(lambda n: 32 * n),
    st.integers(0, 6).map(lambda n: 32 * n),
    st.data(),
)
def test_a_span_is_read_as_the_same_tokens(length: int, core: int, flank: int, data) -> None:
    codes, masked = sequence(length)
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    windows = list(cut(codes, masked, core, flank, span=(start, end)))
    cores = stitch(((w, core_of(w, w.codes)) for w in windows), start)
    assert np.array_equal(np.concatenate(list(cores)), codes[start:end])
    margin = flank + 32
    padded = np.pad(codes, margin, constant_values=N)
    for window in windows:
        left = window.start - window.offset
        assert (left + flank) % 32 == 0 and window.offset >= flank
        assert window.end + flank <= left + len(window.codes)
        seen = padded[left + margin : left + margin + len(window.codes)]
        assert np.array_equal(window.codes, seen)


@given(
    st.integers(1, 700),
    st.integers(1, 6).map(lambda n: 32 * n),
    st.integers(0, 6).map(lambda n: 32 * n),
)
def test_a_window_is_the_padded_sequence_around_its_core(
    length: int, core: int, flank: int
) -> None:
    codes, masked = sequence(length)
    margin = flank + core + 32
    padded = np.pad(codes, margin, constant_values=N)
    padded_mask = np.pad(masked, margin)
    windows = list(cut(codes, masked, core, flank))
    assert [w.start for w in windows] == list(range(0, length, core))
    assert [w.end for w in windows] == [min(w.start + core, length) for w in windows]
    for window in windows:
        size = len(window.codes)
        assert size % 32 == 0 and window.offset == flank
        assert flank + window.end - window.start + flank <= size < core + 2 * flank + 32
        at = window.start - flank + margin
        assert np.array_equal(window.codes, padded[at : at + size])
        assert np.array_equal(window.masked, padded_mask[at : at + size])
        assert window.codes.dtype == np.uint8 and window.masked.dtype == bool


def test_beyond_the_ends_is_n_without_soft_mask() -> None:
    codes, masked = np.zeros(40, dtype=np.uint8), np.ones(40, dtype=bool)
    (window,) = cut(codes, masked, core=64, flank=32)
    assert window.codes.tolist() == [N] * 32 + [0] * 40 + [N] * (24 + 32)
    assert window.masked.tolist() == [False] * 32 + [True] * 40 + [False] * (24 + 32)


def test_an_empty_sequence_has_no_window() -> None:
    assert list(cut(np.empty(0, np.uint8), np.empty(0, bool), 64, 32)) == []
    assert list(stitch([])) == []


@pytest.mark.parametrize(("core", "flank"), [(63, 32), (64, 31), (1, 0)])
def test_grids_that_do_not_fit_tokens_are_refused(core: int, flank: int) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        list(cut(np.zeros(10, np.uint8), np.zeros(10, bool), core, flank))


def test_cores_out_of_order_are_refused() -> None:
    windows = list(cut(*sequence(300), core=96, flank=32))
    pairs = [(w, core_of(w, w.codes)) for w in windows]
    for wrong in (pairs[1:], pairs[::-1], [pairs[0], pairs[2]], [(windows[0], windows[0].codes)]):
        with pytest.raises(ValueError, match="core"):
            list(stitch(wrong))
