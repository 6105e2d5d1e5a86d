"""Block profiles of protein families: their scores and how high these must be to count.

A block is an ungapped piece of an alignment. The score of amino acids under it is the sum of their
log-odds against a background, in nats. How such sums are distributed, in proteins of the family
and in others, is known from means and variances of the columns, and thresholds are set between the
two as AUGUSTUS-PPX (Keller et al. 2011, Bioinformatics 27: 757-763) does it. Files are read in
`io.protein_profile`, blocks found in `block_matches`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Block", "Distance", "ProfileOptions", "ProteinProfile", "make_block", "residues"]

_AMINO_ACIDS = "GDERKNQSTAVLIFYWHMCP"
"""In the order of the columns of a profile's file."""
_RESIDUES = _AMINO_ACIDS + "X*"
_ALL_PROTEINS = np.array(
    [
        *(0.07088, 0.05268, 0.06270, 0.05256, 0.05807, 0.04439, 0.04037, 0.07068, 0.05837, 0.07689),
        *(0.06538, 0.09200, 0.05527, 0.03995, 0.03224, 0.01312, 0.02253, 0.02353, 0.01793, 0.05046),
    ]
)
"""AUGUSTUS's frequencies of the amino acids in all proteins."""
_LEAST_SHARE = 1e-4
"""Of each amino acid, so that none is impossible."""
_STOP = -1000 * np.log(2)
_ANY_BUT_STOP = -500 * np.log(2)
"""Threshold that everything without a stop codon passes."""

_MIN_WIDTH = 6
_MIN_PART = 3
"""Columns of a part of a block that can be judged."""
_ANCHOR = 4.0
"""Standard deviations by which the threshold of at least one block must exceed the background."""

_TOLERANCE = 0.05
_FAR = 32767
"""Distances from here on are not limited."""


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """How matches are judged; AUGUSTUS's options of the group /ProteinModel/.

    Attributes:
        block_spec, block_sens: standard deviations by which the score of a whole block should be
            above that of other proteins at least, and may be below that of the family at most
            (block_threshold_spec, block_threshold_sens).
        part_spec, part_sens: the same for a block that an intron interrupts
            (blockpart_threshold_spec, blockpart_threshold_sens).
        weight: factor of all log-odds.
        unknown: odds of an amino acid that is not known (invalid_score).
        allow_truncated: genes cut by an end of the sequence need only the blocks that are there.
    """

    block_spec: float = 4.0
    block_sens: float = 0.4
    part_spec: float = 4.5
    part_sens: float = 2.0
    weight: float = 1.0
    unknown: float = 1.0
    allow_truncated: bool = False


class Distance(NamedTuple):
    """How many amino acids lie between two blocks, or between one and an end of the protein."""

    least: int = 0
    most: int | None = 0

    def plus(self, other: Distance) -> Distance:
        """The distance over both."""
        unlimited = self.most is None or other.most is None
        return Distance(self.least + other.least, None if unlimited else self.most + other.most)

    def relaxed(self) -> Distance:
        """With AUGUSTUS's tolerance."""
        least = int(self.least * (1 - _TOLERANCE) + 0.5)
        most = None if self.most is None else int(self.most * (1 + _TOLERANCE) + 0.5)
        return Distance(least, None if most is None or most >= _FAR else most)


@dataclass(frozen=True, eq=False)
class Block:
    """One block.

    Attributes:
        name: as in the file.
        scores: log-odds, float64 [width, 22]; columns as `residues` numbers amino acids.
        thresholds: float64 [width + 1, width + 1]; what the columns from the first to before the
            second index must exceed when they lie in an exon that has no more of the block.
        significant: members of the family can be told from other proteins.
        anchor: so clearly that it alone makes a profile usable.
    """

    name: str
    scores: np.ndarray
    thresholds: np.ndarray
    significant: bool
    anchor: bool

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.scores)


@dataclass(frozen=True, eq=False)
class ProteinProfile:
    """Blocks in the order of the protein.

    Attributes:
        name: of the family.
        blocks: the significant ones.
        distances: before each block and behind the last, tolerance included.
        allow_truncated: see `ProfileOptions`.
    """

    name: str
    blocks: tuple[Block, ...]
    distances: tuple[Distance, ...]
    allow_truncated: bool = False

    @property
    def notation(self) -> str:
        """Blocks and distances as AUGUSTUS prints them on one line."""
        gaps = [f"--{_range(distance)}--" for distance in self.distances]
        blocks = [
            f"> {block.name} ({block.width}) <{gap}"
            for block, gap in zip(self.blocks, gaps[1:], strict=True)
        ]
        return gaps[0] + "".join(blocks)


def make_block(name: str, frequencies: np.ndarray, options: ProfileOptions) -> Block:
    """A block from the frequencies of amino acids in its columns.

    Args:
        frequencies: float64 [width, 20], not negative, some above 0 in each column.
    """
    shares, background = _shares(frequencies), _shares(_ALL_PROTEINS)
    scores = options.weight * np.log(shares / background)
    others, family = _Distribution(scores, background), _Distribution(scores, shares)
    needed = others.bounds(options.block_spec)[0, -1]
    usual = family.bounds(-options.block_sens)[0, -1]
    thresholds = _part_thresholds(
        others.bounds(options.part_spec), family.bounds(-options.part_sens)
    )
    thresholds[0, -1] = (needed + usual) / 2
    rest = np.broadcast_to([options.weight * np.log(options.unknown), _STOP], (len(scores), 2))
    return Block(
        name=name,
        scores=np.concatenate([scores, rest], axis=1),
        thresholds=thresholds,
        significant=bool(len(scores) >= _MIN_WIDTH and needed <= usual),
        anchor=bool(thresholds[0, -1] > others.bounds(_ANCHOR)[0, -1]),
    )


def residues(protein: str) -> np.ndarray:
    """Numbers of amino acids, of unknown ones (X) and of stop codons (*); uint8 [L]."""
    return _NUMBER[np.frombuffer(protein.encode("ascii"), dtype=np.uint8)]


_NUMBER = np.full(128, _RESIDUES.index("X"), dtype=np.uint8)
_NUMBER[[ord(letter) for letter in _RESIDUES]] = range(len(_RESIDUES))


def _shares(frequencies: np.ndarray) -> np.ndarray:
    """Frequencies that add up to 1, none of them too small."""
    shares = frequencies / frequencies.sum(axis=-1, keepdims=True)
    return shares * (1 - len(_AMINO_ACIDS) * _LEAST_SHARE) + _LEAST_SHARE


class _Distribution:
    """Mean and variance of the scores of every part of a block, when columns are independent.

    Args:
        scores: float64 [width, 20].
        shares: frequencies of the amino acids; float64 [20] or [width, 20].
    """

    def __init__(self, scores: np.ndarray, shares: np.ndarray) -> None:
        mean = (shares * scores).sum(axis=1)
        variance = (shares * scores**2).sum(axis=1) - mean**2
        self._mean = np.concatenate([[0], np.cumsum(mean)])
        self._variance = np.concatenate([[0], np.cumsum(variance)])

    def bounds(self, deviations: float) -> np.ndarray:
        """So many standard deviations above the mean; float64 [width + 1, width + 1]."""
        mean = self._mean - self._mean[:, None]
        return mean + deviations * np.sqrt(np.abs(self._variance - self._variance[:, None]))


def _part_thresholds(needed: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Between what is needed and what is usual, or what is usual where that is less.

    Ends of the block that are too short to be judged pass, other parts that short do not.
    """
    thresholds = np.where(needed <= usual, (needed + usual) / 2, usual)
    first, end = np.indices(thresholds.shape)
    short = end - first < _MIN_PART
    at_an_end = (first == 0) | (end == len(thresholds) - 1)
    return np.where(short, np.where(at_an_end, _ANY_BUT_STOP, np.inf), thresholds)


def _range(distance: Distance) -> str:
    if distance.most is not None:
        return f"[{distance.least}..{distance.most}]"
    return f"[{distance.least},...]" if distance.least else ""
