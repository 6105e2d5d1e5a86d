"""The letters of a sequence: plain bytes where it is short, half a byte a letter where it is long.

Both have a length, slices that are bytes, and `bytes(...)` of all of it.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Letters", "LettersWriter", "PackedLetters", "letters_at"]

_LETTERS = b"ACGTUNacgtun"
_OTHER = 15
"""Nibble of a letter that is not among those; it is kept beside them with its place."""
_NIBBLE = bytes(_LETTERS.find(letter) if letter in _LETTERS else _OTHER for letter in range(256))
_LETTER = np.frombuffer(_LETTERS.ljust(16, b"?"), dtype=np.uint8)
_PAIR = np.stack([np.tile(_LETTER, 16), np.repeat(_LETTER, 16)], axis=1).view(np.uint16)[:, 0]
"""The two letters of a byte, the low nibble first; uint16 [256]."""
_BLOCK = 1 << 20
"""Letters packed at a time, an even number; a sequence of fewer stays as it is."""


class PackedLetters:
    """Letters of a long sequence; `LettersWriter` makes them.

    Args:
        nibbles: uint8 [ceil(length / 2)].
        places, others: int64 and uint8 [n], letters that have no nibble, in rising order.
    """

    __slots__ = ("_length", "_nibbles", "_others", "_places")

    def __init__(
        self, nibbles: np.ndarray, length: int, places: np.ndarray, others: np.ndarray
    ) -> None:
        self._nibbles, self._length = nibbles, length
        self._places, self._others = places, others

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> bytes:
        start, end, step = part.indices(self._length)
        if step != 1:
            raise ValueError(f"letters come one after the other, not with a step of {step}")
        if end <= start:
            return b""
        first = start & ~1
        found = _PAIR.take(self._nibbles[first >> 1 : (end + 1) >> 1]).view(np.uint8)
        here = slice(*np.searchsorted(self._places, (start, end)))
        found[self._places[here] - first] = self._others[here]
        return found[start - first : end - first].tobytes()

    def __bytes__(self) -> bytes:
        return self[:]

    def at(self, places: np.ndarray) -> np.ndarray:
        """The letter at each place, int [n] -> uint8 [n]."""
        nibbles = self._nibbles[places >> 1] >> (places & 1) * 4 & 15
        found = _LETTER[nibbles]
        other = np.flatnonzero(nibbles == _OTHER)
        found[other] = self._others[np.searchsorted(self._places, places[other])]
        return found


Letters = bytes | PackedLetters


class LettersWriter:
    """Takes the letters of a sequence part by part, without ever holding them whole."""

    def __init__(self) -> None:
        self._rest, self._nibbles = bytearray(), bytearray()
        self._places: list[np.ndarray] = []
        self._others: list[np.ndarray] = []

    def __len__(self) -> int:
        return 2 * len(self._nibbles) + len(self._rest)

    def write(self, letters: bytes) -> None:
        self._rest += letters
        while len(self._rest) > _BLOCK:
            self._pack(self._rest[:_BLOCK])
            del self._rest[:_BLOCK]

    def letters(self) -> Letters:
        """All that was written; nothing can be written after it."""
        if not self._nibbles:
            return bytes(self._rest)
        length = len(self)
        self._pack(self._rest)
        return PackedLetters(
            np.frombuffer(self._nibbles, dtype=np.uint8),
            length,
            np.concatenate(self._places),
            np.concatenate(self._others),
        )

    def _pack(self, letters: bytearray) -> None:
        """Add letters, an even number unless they are the last."""
        nibbles = np.frombuffer(letters.translate(_NIBBLE), dtype=np.uint8)
        other = np.flatnonzero(nibbles == _OTHER)
        self._places.append(other + 2 * len(self._nibbles))
        self._others.append(np.frombuffer(letters, dtype=np.uint8)[other])
        if len(nibbles) % 2:
            nibbles = np.append(nibbles, np.uint8(0))
        self._nibbles += (nibbles[::2] | nibbles[1::2] << 4).tobytes()


def letters_at(letters: Letters, places: np.ndarray) -> np.ndarray:
    """The letter at each place of a sequence, int [n] -> uint8 [n]."""
    if isinstance(letters, PackedLetters):
        return letters.at(places)
    return np.frombuffer(letters, dtype=np.uint8)[places]
