"""Sequences as arrays: base codes, reverse complement, soft-masking, two-bit packing.

A base code is uint8: A 0, C 1, G 2, T 3, anything else 4 (N). Soft-masking (lower case) is kept
in a bool array of its own. Of a long sequence both are made part by part from its letters, where
they are looked at (`BasesOnDemand`).
"""

from __future__ import annotations

import numpy as np

from augustus_dl.letters import Letters, letters_at

__all__ = [
    "MASKED",
    "BasesOnDemand",
    "N",
    "base_codes",
    "codes_on_demand",
    "intervals_of",
    "letters",
    "mask_on_demand",
    "pack_bases",
    "reverse_complement",
    "soft_mask",
    "track",
    "unpack_bases",
]

N = 4

_CODE = np.full(256, N, dtype=np.uint8)
for _i, _letters in enumerate((b"Aa", b"Cc", b"Gg", b"TtUu")):
    _CODE[list(_letters)] = _i
_LOWER = np.zeros(256, dtype=bool)
_LOWER[ord("a") : ord("z") + 1] = True
MASKED = 8
"""Added to the code of a soft-masked base in a track."""
_TRACK = _CODE + MASKED * _LOWER.astype(np.uint8)
_BLOCK = 1 << 20
_LETTER = np.frombuffer(b"ACGTN", dtype=np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, N], dtype=np.uint8)


def base_codes(sequence: Letters) -> np.ndarray:
    """Base codes of a sequence in either case; uint8 [L]."""
    return _translated(sequence, _CODE)


def letters(codes: np.ndarray) -> bytes:
    """The sequence of base codes, uint8 [L], in upper case: `base_codes` inverted."""
    return _LETTER[codes].tobytes()


def soft_mask(sequence: Letters) -> np.ndarray:
    """True where a letter is lower case; bool [L]."""
    return _translated(sequence, _LOWER)


def track(sequence: Letters, softmasking: bool = True) -> np.ndarray:
    """Base codes, with MASKED added where a letter is lower case if that is wanted; uint8 [L]."""
    return _translated(sequence, _TRACK if softmasking else _CODE)


class BasesOnDemand:
    """An array of one number for each letter of a sequence, that takes up no memory.

    A slice is again one, `np.asarray` makes the array; what is at an array of places is made at
    once.

    Args:
        table: the number of each letter, [256].
        start, end: the part of the sequence.
    """

    def __init__(self, sequence: Letters, table: np.ndarray, start: int, end: int) -> None:
        self._sequence, self._table = sequence, table
        self._start, self._end = start, end

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice | np.ndarray) -> BasesOnDemand | np.ndarray:
        if isinstance(part, np.ndarray):
            return self._table[letters_at(self._sequence, part + self._start)]
        start, end, step = part.indices(len(self))
        if step != 1:
            raise ValueError(f"bases come one after the other, not with a step of {step}")
        start += self._start
        return BasesOnDemand(self._sequence, self._table, start, max(start, end + self._start))

    def __array__(self, dtype: type | None = None, copy: bool | None = None) -> np.ndarray:
        found = _translated(self._sequence, self._table, self._start, self._end)
        return np.asarray(found, dtype=dtype)


def codes_on_demand(sequence: Letters) -> BasesOnDemand:
    """`base_codes` of a sequence, part by part."""
    return BasesOnDemand(sequence, _CODE, 0, len(sequence))


def mask_on_demand(sequence: Letters, softmasking: bool = True) -> BasesOnDemand:
    """`soft_mask` of a sequence, part by part; False everywhere where it is not wanted."""
    table = _LOWER if softmasking else np.zeros_like(_LOWER)
    return BasesOnDemand(sequence, table, 0, len(sequence))


def _translated(
    sequence: Letters, table: np.ndarray, start: int = 0, end: int | None = None
) -> np.ndarray:
    """Entries of a table for 256 letters; block by block, since an index takes up 8 bytes each."""
    end = len(sequence) if end is None else end
    found = np.empty(end - start, dtype=table.dtype)
    for first in range(start, end, _BLOCK):
        last = min(first + _BLOCK, end)
        block = np.frombuffer(sequence[first:last], dtype=np.uint8)
        found[first - start : last - start] = table[block]
    return found


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Base codes of the other strand, read in its direction; uint8 [L] -> uint8 [L]."""
    return _COMPLEMENT[codes[::-1]]


def intervals_of(flags: np.ndarray | BasesOnDemand) -> np.ndarray:
    """Half-open runs of True in bool [L]; int64 [n, 2]."""
    bounds: list[np.ndarray] = []
    before = False
    for start in range(0, len(flags), _BLOCK):
        part = np.asarray(flags[start : start + _BLOCK])
        bounds.append(np.flatnonzero(np.diff(part, prepend=before)) + start)
        before = part[-1]
    end = np.full(int(before), len(flags))
    return np.concatenate((*bounds, end)).astype(np.int64).reshape(-1, 2)


def pack_bases(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two bits a base. uint8 [L] -> uint8 [ceil(L / 4)], and the runs of N as int64 [n, 2]."""
    padded = np.zeros(-(-len(codes) // 4) * 4, dtype=np.uint8)
    padded[: len(codes)] = codes & 3
    quads = padded.reshape(-1, 4)
    packed = quads[:, 0] | quads[:, 1] << 2 | quads[:, 2] << 4 | quads[:, 3] << 6
    return packed, intervals_of(codes == N)


def unpack_bases(packed: np.ndarray, n_runs: np.ndarray, length: int) -> np.ndarray:
    """Inverse of `pack_bases`; uint8 [length]."""
    codes = (packed[:, None] >> np.array([0, 2, 4, 6], dtype=np.uint8) & 3).reshape(-1)[:length]
    for start, end in n_runs:
        codes[start:end] = N
    return codes
