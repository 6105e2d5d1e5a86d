"""Bases drawn from Markov chains, one after the other, in compiled loops.

Bases are uint8 with the code in bits 0 and 1. `uniform` are numbers from 0 to 1, one for each base
drawn, so that the caller's generator decides everything. Chains are as in io/species_parameters.py.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["UNDRAWN", "draw_chain", "draw_coding", "has_stop"]

UNDRAWN = 255
"""Stands in a coding sequence where a base is still to be drawn."""

_A, _G, _T = 0, 2, 3


@njit(cache=True, nogil=True)
def draw_chain(bases: np.ndarray, start: int, chain: np.ndarray, uniform: np.ndarray) -> None:
    """Fill bases from `start` on, as many as there are `uniform`.

    Args:
        bases: uint8 [L]; what stands before `start` is the context.
        chain: float64 [width, 4**k, 4]; base i is drawn with chain i, the last one is repeated.
    """
    width, contexts = chain.shape[0], chain.shape[1]
    context = _context(bases, start, contexts)
    for i in range(len(uniform)):
        base = _pick(chain[min(i, width - 1), context], uniform[i])
        bases[start + i] = base
        context = (context * 4 + base) % contexts


@njit(cache=True, nogil=True)
def draw_coding(
    coding: np.ndarray, first: np.ndarray, chain: np.ndarray, changes: int, uniform: np.ndarray
) -> None:
    """Draw the bases of a coding sequence that are UNDRAWN, so that no stop codon arises.

    Args:
        coding: uint8 [n], from the start codon on.
        first, chain: float64 [3, 4**k, 4] by codon position, before base `changes` and from it on.
        uniform: float64 [n].
    """
    contexts = chain.shape[1]
    context = 0
    for i in range(len(coding)):
        if coding[i] == UNDRAWN:
            weights = first[i % 3, context].copy() if i < changes else chain[i % 3, context].copy()
            for base in range(4):
                coding[i] = base
                if _stops(coding, i - i % 3):
                    weights[base] = 0
            coding[i] = _pick(weights, uniform[i])
        context = (context * 4 + coding[i]) % contexts


@njit(cache=True, nogil=True)
def has_stop(coding: np.ndarray) -> bool:
    """Is there a stop codon in frame before the last codon? uint8 [n], n a multiple of 3."""
    found = False
    for i in range(0, len(coding) - 3, 3):
        found |= _stops(coding, i)
    return found


@njit(cache=True, nogil=True)
def _context(bases: np.ndarray, start: int, contexts: int) -> int:
    """Number of the context before `start`; before the sequence there are A."""
    context = 0
    for i in range(max(0, start - 16), start):
        context = (context * 4 + (bases[i] & 3)) % contexts
    return context


@njit(cache=True, nogil=True)
def _pick(weights: np.ndarray, uniform: float) -> int:
    """A base with probability proportional to its weight; T when all weights are 0."""
    rest = uniform * weights.sum()
    for base in range(3):
        rest -= weights[base]
        if rest < 0:
            return base
    return _T


@njit(cache=True, nogil=True)
def _stops(coding: np.ndarray, i: int) -> bool:
    """Is the codon at `i` a stop codon, all its bases being known?"""
    second, third = coding[i + 1], coding[i + 2]
    if coding[i] != _T:
        return False
    return (second == _A and third in (_A, _G)) or (second == _G and third == _A)
