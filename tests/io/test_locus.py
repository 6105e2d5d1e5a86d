"""Loci as people write them.

python -m pytest tests/io/test_locus.py
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.errors import OptionError
from augustus_dl.io.locus import Locus, locus_text, parse_locus


@pytest.mark.parametrize("text", ["chr1:1001-2000", "chr1:1,001-2,000", "chr1:1001..2000"])
def test_a_locus_is_counted_from_one(text: str) -> None:
    assert parse_locus(text) == Locus("chr1", 1000, 2000)


@given(st.text(min_size=1), st.integers(0, 10**10), st.integers(1, 10**10))
def test_text_and_locus_are_inverse(name: str, start: int, length: int) -> None:
    locus = Locus(name, start, start + length)
    assert parse_locus(locus_text(locus)) == locus


@pytest.mark.parametrize(
    "text", ["", "chr1", ":1-2", "chr1:0-5", "chr1:7-5", "chr1:a-b", "chr1:,-,"]
)
def test_what_is_no_locus(text: str) -> None:
    with pytest.raises(OptionError, match="NAME:START-END"):
        parse_locus(text)
