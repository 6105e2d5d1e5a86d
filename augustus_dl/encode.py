"""Sequences as arrays: base codes, reverse complement, soft-masking, two-bit packing.

A base code is uint8: A 0, C 1, G 2, T 3, anything else 4 (N). Soft-masking (lower case) is kept
in a bool array of its own.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "MASKED",
    "N",
    "base_codes",
    "intervals_of",
    "letters",
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


def base_codes(sequence: bytes) -> np.ndarray:
    """Base codes of a sequence in either case; uint8 [L]."""
    return _translated(sequence, _CODE)


def letters(codes: np.ndarray) -> bytes:
    """The sequence of base codes, uint8 [L], in upper case: `base_codes` inverted."""
    return _LETTER[codes].tobytes()


def soft_mask(sequence: bytes) -> np.ndarray:
    """True where a letter is lower case; bool [L]."""
    return _translated(sequence, _LOWER)


def track(sequence: bytes, softmasking: bool = True) -> np.ndarray:
    """Base codes, with MASKED added where a letter is lower case if that is wanted; uint8 [L]."""
    return _translated(sequence, _TRACK if softmasking else _CODE)


def _translated(sequence: bytes, table: np.ndarray) -> np.ndarray:
    """Entries of a table for 256 letters; block by block, since an index takes up 8 bytes each."""
    given = np.frombuffer(sequence, dtype=np.uint8)
    found = np.empty(len(given), dtype=table.dtype)
    for start in range(0, len(given), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = table[given[block]]
    return found


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Base codes of the other strand, read in its direction; uint8 [L] -> uint8 [L]."""
    return _COMPLEMENT[codes[::-1]]


def intervals_of(flags: np.ndarray) -> np.ndarray:
    """Half-open runs of True in bool [L]; int64 [n, 2]."""
    inside = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    first, last = [0][: flags[:1].sum()], [len(flags)][: flags[-1:].sum()]
    return np.concatenate((first, inside, last)).astype(np.int64).reshape(-1, 2)


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
