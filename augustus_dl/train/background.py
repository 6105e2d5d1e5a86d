"""What lies between and inside synthetic genes: real sequence of a pack, or Markov chains.

Both kinds answer the same calls with bases as uint8: the code in bits 0 and 1, the soft-mask in bit
3. Sequence of introns and beside genes is given in the direction of the transcript.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from augustus_dl.encode import intervals_of, reverse_complement
from augustus_dl.errors import TrainingError
from augustus_dl.io.species_parameters import Content
from augustus_dl.labels import INTERGENIC, label, labels_of, mirror
from augustus_dl.train.chains import draw_chain
from augustus_dl.train.pack import Piece

__all__ = ["FLANK", "SOFT", "MarkovBackground", "RealBackground"]

SOFT = 8
FLANK = 800
"""Bases before the start codon and behind the stop codon that are taken from beside real genes."""

_MARGIN = 1000
"""Bases between intergenic background and the next gene or doubtful base."""
_DONOR_SIDE, _ACCEPTOR_SIDE = 5, 37
"""Bases at the ends of a real intron that are not background, beside its first and last one."""
_WINDOW = 5000
"""Bases whose G+C content says which class they belong to."""
_LEAST = 200_000
"""With fewer bases of a class, those of all classes serve."""
_CLEAR, _TRIALS = 100, 20
"""A gene's neighbour has so many bases without soft-mask at the gene, if so many trials find it."""
_DONORS, _INTRON, _ACCEPTORS = (labels_of("+", kind) for kind in "DIA")


class MarkovBackground:
    """Drawn from the intergenic and intron chains of a species; nothing is soft-masked."""

    def __init__(self, contents: Sequence[Content]) -> None:
        self._contents = contents

    def intergenic(self, length: int, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases far from genes; uint8 [length]."""
        return _drawn(length, self._contents[gc_class].intergenic, rng)

    def intron(self, length: int, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases inside an intron; uint8 [length]."""
        return _drawn(length, self._contents[gc_class].intron, rng)

    def before_start(self, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases that end where a start codon begins; uint8 [FLANK]."""
        return self.intergenic(FLANK, gc_class, rng)

    def behind_stop(self, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases that begin where a stop codon ends; uint8 [FLANK]."""
        return self.intergenic(FLANK, gc_class, rng)


def _drawn(length: int, chain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    bases = np.empty(length, dtype=np.uint8)
    draw_chain(bases, 0, chain, rng.random(length))
    return bases


class RealBackground:
    """Cut from the training pieces of a pack: what its labels call intergenic or intron.

    Never used are masked bases, validation pieces, splice sites, and intergenic bases near genes or
    near doubtful ones. Everything but flanks is sorted by its G+C content. Ends of introns lie at
    their own end again, and three of four genes get the flank of a real gene, with untranslated
    region and promoter: repeats that end where a gene or an exon begins would give it away.
    """

    def __init__(self, pieces: Sequence[Piece], contents: Sequence[Content]) -> None:
        pieces = [piece for piece in pieces if not piece.validation]
        centres = np.array([content.gc for content in contents])
        intergenic, introns, beside = [], [], []
        for piece in pieces:
            intergenic.extend(_intergenic(piece))
            for bases, labels in _strands(piece):
                introns.extend(_introns(bases, labels))
                beside.append(_beside_genes(bases, labels))
        if not intergenic or not introns:
            raise TrainingError("the background pack has no intergenic or no intron sequence")
        self._intergenic = [np.concatenate(parts) for parts in _by_class(intergenic, centres)]
        self._introns = _by_class(introns, centres)
        self._inside = [np.concatenate(parts) for parts in self._introns]
        self._before = np.concatenate([before for before, _ in beside])
        self._behind = np.concatenate([behind for _, behind in beside])

    def intergenic(self, length: int, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases far from genes; uint8 [length]."""
        return _cut(self._intergenic[gc_class], length, rng)

    def intron(self, length: int, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases inside an intron; uint8 [length]."""
        introns, half = self._introns[gc_class], length // 2
        bases = _cut(self._inside[gc_class], length, rng)
        left = introns[rng.integers(len(introns))][:half]
        right = introns[rng.integers(len(introns))][half - length :]
        bases[: len(left)] = left
        bases[length - len(right) :] = right
        return bases

    def before_start(self, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases that end where a start codon begins; uint8 [FLANK]."""
        return self._flank(self._before, slice(-_CLEAR, None), gc_class, rng)

    def behind_stop(self, gc_class: int, rng: np.random.Generator) -> np.ndarray:
        """Bases that begin where a stop codon ends; uint8 [FLANK]."""
        return self._flank(self._behind, slice(_CLEAR), gc_class, rng)

    def _flank(
        self, real: np.ndarray, at_gene: slice, gc_class: int, rng: np.random.Generator
    ) -> np.ndarray:
        if len(real) and rng.random() < 0.75:
            return real[rng.integers(len(real))]
        for _ in range(_TRIALS):
            bases = self.intergenic(FLANK, gc_class, rng)
            if (bases[at_gene] < SOFT).all():
                break
        return bases


def _strands(piece: Piece) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Bases and labels of a piece, then of its reverse complement."""
    yield _bases(piece.codes, piece.soft), piece.labels
    yield _bases(reverse_complement(piece.codes), piece.soft[::-1]), mirror(piece.labels)


def _bases(codes: np.ndarray, soft: np.ndarray) -> np.ndarray:
    return codes | (soft * np.uint8(SOFT))


def _intergenic(piece: Piece) -> Iterator[np.ndarray]:
    """Windows of what lies far from genes and from doubtful bases."""
    bases = _bases(piece.codes, piece.soft)
    for start, end in intervals_of(piece.labels == INTERGENIC):
        for first in range(start + _MARGIN, end - _MARGIN, _WINDOW):
            yield bases[first : min(first + _WINDOW, end - _MARGIN)].copy()


def _introns(bases: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
    """The inside of each intron of the plus strand."""
    for start, end in intervals_of(np.isin(labels, _INTRON)):
        whole = labels[start - 1] in _DONORS and end < len(labels) and labels[end] in _ACCEPTORS
        inside = bases[start + _DONOR_SIDE : max(0, end - _ACCEPTOR_SIDE)]
        if whole and len(inside):
            yield inside.copy()


def _by_class(parts: Sequence[np.ndarray], centres: np.ndarray) -> list[list[np.ndarray]]:
    """Per class of G+C content the parts whose content is closest to it."""
    gc = np.array([np.mean((part ^ part >> 1) & 1) for part in parts])  # C is 01, G is 10
    nearest = np.abs(gc[:, None] - centres).argmin(axis=1)
    pools = []
    for number in range(len(centres)):
        own = [part for part, n in zip(parts, nearest, strict=True) if n == number]
        pools.append(own if sum(map(len, own)) >= _LEAST else list(parts))
    return pools


def _beside_genes(bases: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """FLANK bases before start codons and behind stop codons of the plus strand where all of them
    are intergenic; uint8 [n, FLANK] each."""
    taken = np.concatenate(([0], np.cumsum(labels != INTERGENIC)))
    starts = np.flatnonzero(labels == label("+", "START")) - FLANK
    stops = np.flatnonzero(labels == label("+", "STOP")) + 1
    flanks = []
    for begins in (starts, stops):
        begins = begins[(begins >= 0) & (begins + FLANK <= len(labels))]
        begins = begins[taken[begins] == taken[begins + FLANK]]
        flanks.append(bases[begins[:, None] + np.arange(FLANK)])
    return flanks[0], flanks[1]


def _cut(pool: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A stretch from anywhere in a pool; a pool that is too short is repeated."""
    start = rng.integers(max(1, len(pool) - length))
    return np.resize(pool[start : start + length], length)
