"""Base codes, reverse complement, soft-masking and two-bit packing.

python -m pytest tests/test_encode.py
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.encode import (
    N,
    base_codes,
    codes_on_demand,
    intervals_of,
    letters,
    mask_on_demand,
    pack_bases,
    reverse_complement,
    soft_mask,
    unpack_bases,
)

codes_lists = st.lists(st.integers(0, N), max_size=200)


@given(codes_lists)
def test_packing_inverts(numbers: list[int]) -> None:
    codes = np.array(numbers, dtype=np.uint8)
    packed, runs = pack_bases(codes)
    assert packed.dtype == np.uint8 and len(packed) == -(-len(codes) // 4)
    np.testing.assert_array_equal(unpack_bases(packed, runs, len(codes)), codes)


@given(codes_lists)
def test_letters_invert_base_codes(numbers: list[int]) -> None:
    codes = np.array(numbers, dtype=np.uint8)
    np.testing.assert_array_equal(base_codes(letters(codes)), codes)


@given(codes_lists)
def test_reverse_complement_twice_is_nothing(numbers: list[int]) -> None:
    codes = np.array(numbers, dtype=np.uint8)
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes)), codes)


@given(st.lists(st.booleans(), max_size=200))
def test_intervals_are_the_maximal_runs(flags: list[bool]) -> None:
    intervals = intervals_of(np.array(flags, dtype=bool))
    rebuilt = np.zeros(len(flags), dtype=bool)
    for start, end in intervals:
        assert start < end
        rebuilt[start:end] = True
    assert rebuilt.tolist() == flags
    assert all(a[1] < b[0] for a, b in itertools.pairwise(intervals))


def test_codes_written_out() -> None:
    assert base_codes(b"ACGTUacgtuNnRy-").tolist() == [0, 1, 2, 3, 3] * 2 + [N] * 5


def test_reverse_complement_written_out() -> None:
    codes = reverse_complement(base_codes(b"AACGTN"))
    np.testing.assert_array_equal(codes, base_codes(b"NACGTT"))


def test_soft_mask_is_the_case() -> None:
    assert soft_mask(b"AaNn").tolist() == [False, True, False, True]


def test_empty_sequence() -> None:
    assert len(base_codes(b"")) == len(soft_mask(b"")) == 0
    packed, runs = pack_bases(base_codes(b""))
    assert len(packed) == len(runs) == 0


def test_bases_on_demand_are_those_of_the_whole() -> None:
    text = b"ACgtNNacGT" * 7
    for lazy, whole in (
        (codes_on_demand(text), base_codes(text)),
        (mask_on_demand(text), soft_mask(text)),
        (mask_on_demand(text, softmasking=False), np.zeros(len(text), dtype=bool)),
    ):
        assert len(lazy) == len(whole) and np.asarray(lazy).dtype == whole.dtype
        np.testing.assert_array_equal(lazy, whole)
        np.testing.assert_array_equal(lazy[3:41][2:-5], whole[3:41][2:-5])
        places = np.array([5, 0, 69])
        np.testing.assert_array_equal(lazy[places], whole[places])
        assert len(lazy[70:]) == len(np.asarray(lazy[70:])) == 0


def test_intervals_go_on_from_block_to_block(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"aaACCacgtTTTgggg"
    expected = intervals_of(soft_mask(text)).tolist()
    assert expected == [[0, 2], [5, 9], [12, 16]]
    for size in (1, 2, 3, 5, 16):
        monkeypatch.setattr("augustus_dl.encode._BLOCK", size)
        assert intervals_of(mask_on_demand(text)).tolist() == expected
