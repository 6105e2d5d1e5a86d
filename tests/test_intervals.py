"""Interval sets against plain Python sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.intervals import difference, intersection, size, touched, union

spans = st.tuples(st.integers(0, 30), st.integers(1, 6)).map(lambda x: (x[0], x[0] + x[1]))
lists = st.lists(spans, max_size=8)


def bases(intervals) -> set[int]:
    return {base for start, end in intervals for base in range(start, end)}


def is_canonical(rows: np.ndarray) -> bool:
    return bool((rows[:, 0] < rows[:, 1]).all() and (rows[1:, 0] > rows[:-1, 1]).all())


@given(lists, lists)
def test_as_sets(left, right):
    a, b = union(left), union(right)
    for rows, expected in (
        (a, bases(left)),
        (intersection(a, b), bases(left) & bases(right)),
        (difference(a, b), bases(left) - bases(right)),
    ):
        assert bases(rows) == expected
        assert size(rows) == len(expected)
        assert is_canonical(rows)
    hit = touched(np.array(left, dtype=np.int64).reshape(-1, 2), b)
    assert hit.tolist() == [bool(bases([span]) & bases(right)) for span in left]
