"""Letters at half a byte each are the letters that were written.

python -m pytest tests/test_letters.py
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl import letters
from augustus_dl.encode import base_codes, codes_on_demand, soft_mask, track
from augustus_dl.letters import LettersWriter, PackedLetters, letters_at

PARTS = st.lists(st.text("ACGTNacgtnUuRykE", max_size=9).map(str.encode), max_size=9)


def written(parts: list[bytes], block: int) -> letters.Letters:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "_BLOCK", block)
        writer = LettersWriter()
        for number, part in enumerate(parts):
            writer.write(part)
            assert len(writer) == sum(map(len, parts[: number + 1]))
        return writer.letters()


@given(PARTS, st.sampled_from([2, 4, 10]), st.data())
def test_packed_letters_are_those_written(
    parts: list[bytes], block: int, data: st.DataObject
) -> None:
    text, packed = b"".join(parts), written(parts, block)
    assert isinstance(packed, PackedLetters) == (len(text) > block)
    assert len(packed) == len(text) and bytes(packed) == text
    places = st.integers(-len(text) - 2, len(text) + 2) | st.none()
    part = slice(data.draw(places), data.draw(places))
    assert packed[part] == text[part]
    if text:
        there = np.array(data.draw(st.lists(st.integers(0, len(text) - 1))), dtype=np.int64)
        assert letters_at(packed, there).tobytes() == bytes(text[place] for place in there)
        lazy, whole = codes_on_demand(packed)[part], base_codes(text)[part]
        np.testing.assert_array_equal(lazy, whole)
        np.testing.assert_array_equal(codes_on_demand(packed)[there], base_codes(text)[there])
    for made in (base_codes, soft_mask, track):
        np.testing.assert_array_equal(made(packed), made(text))


def test_a_step_is_refused() -> None:
    packed = written([b"ACGTACGT"], 2)
    with pytest.raises(ValueError, match="step of 2"):
        packed[::2]
    with pytest.raises(ValueError, match="step of -1"):
        codes_on_demand(packed)[::-1]


def test_packed_letters_go_to_other_processes() -> None:
    packed = written([b"ACGTRNN" * 9], 10)
    assert bytes(pickle.loads(pickle.dumps(packed))) == bytes(packed)


def test_half_a_byte_a_letter() -> None:
    packed = written([b"ACGTnacg" * 1000], 1000)
    assert packed._nibbles.nbytes == 4000 and not len(packed._others)
