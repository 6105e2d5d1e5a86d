"""Hints: what they are, what an extrinsic configuration says they are worth, and how they are held.

Hints come by the million, so they are rows of a numpy array (dtype HINT) and not objects. Files are
read in `io.hints` and `io.extrinsic`; grouping them is `hint_groups`' part, what they say about a
transcript `evidence`'s. Coordinates are 0-based and half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property

import numpy as np

__all__ = [
    "HINT",
    "MASK_PROGRAM",
    "SPELLINGS",
    "DeletedGroup",
    "Extrinsic",
    "HintCollection",
    "HintGroups",
    "HintType",
    "Hints",
    "ScoreClasses",
    "TypeFactors",
    "bonuses",
    "listing_order",
]

HintType = IntEnum(
    "HintType",
    "start stop ass dss tss tts exonpart exon intronpart intron irpart CDS CDSpart UTR UTRpart "
    "nonexonpart genicpart",
    start=0,
)
"""The 17 types in the order in which AUGUSTUS lists and prints hints."""

_ALIASES = {
    "ep": "exonpart",
    "ip": "intronpart",
    "cp": "CDSpart",
    "up": "UTRpart",
    "nep": "nonexonpart",
    "nonirpart": "genicpart",
}
SPELLINGS: dict[str, HintType] = {
    **HintType.__members__,
    **{alias: HintType[name] for alias, name in _ALIASES.items()},
}
"""Every name that a type has in a file, in a fixed order: `spelling` of a hint is its place."""

HINT = np.dtype(
    [
        ("sequence", np.int32),
        ("type", np.uint8),
        ("spelling", np.uint8),
        ("start", np.int64),
        ("end", np.int64),
        ("score", np.float64),
        ("strand", np.int8),
        ("frame", np.int8),
        ("source", np.uint8),
        ("priority", np.int32),
        ("mult", np.int32),
        ("group", np.int32),
        ("program", np.int32),
        ("bonus", np.float64),
    ]
)
"""One hint.

`sequence`, `group` and `program` are places in lists of names, `group` is -1 for a hint without
one. `strand` is 1, -1 or 0 for both, `frame` a GFF phase or -1, `priority` -1 when not given.
`source` is a place in the sources of the extrinsic configuration. `bonus` is the factor by which
obeying the hint multiplies the odds.
"""


MASK_PROGRAM = "softmask"
"""What is named as the maker of hints that are soft-masked bases."""


@dataclass(frozen=True)
class ScoreClasses:
    """How the score of a source's hints changes the bonus of their type.

    Attributes:
        factors: one for each class.
        bounds: rising; a score from `bounds[i]` on is in class i + 1. One fewer than `factors`.
    """

    factors: tuple[float, ...] = (1.0,)
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True)
class TypeFactors:
    """A row of an extrinsic configuration.

    Attributes:
        bonus: factor for obeying a hint; negative where each hint's score is its bonus.
        malus: factor for a feature that no hint supports, or for each base of it (part types).
        local_malus: the same inside exons that other hints cover in part.
        classes: by source.
    """

    bonus: float
    malus: float
    local_malus: float = 1.0
    classes: Mapping[str, ScoreClasses] = field(default_factory=dict)


@dataclass(frozen=True)
class Extrinsic:
    """An extrinsic configuration: how far the sources of hints are to be trusted.

    Attributes:
        sources: in the order of the file.
        individual_liability: sources an unsatisfiable hint of which is dropped alone, not with
            its group.
        one_group_one_gene: sources the groups of which are taken to lie in one gene each.
        types: factors of the types that have a row.
        settings: what AUGUSTUS says about it in the preamble, e.g. "1group1gene for E.".
    """

    sources: tuple[str, ...]
    types: Mapping[HintType, TypeFactors]
    individual_liability: frozenset[str] = frozenset()
    one_group_one_gene: frozenset[str] = frozenset()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hints:
    """The hints of one sequence.

    Attributes:
        rows: HINT [n], in the order of the file.
        sources, groups, programs: the names that rows refer to by place.
    """

    rows: np.ndarray
    sources: Sequence[str] = ()
    groups: Sequence[str] = ()
    programs: Sequence[str] = ()


@dataclass(frozen=True)
class HintCollection:
    """The hints of all sequences of a file.

    Attributes:
        rows: HINT [n], those of one sequence together, in the order of the file.
        bounds: first row and row behind the last of each sequence that has hints.
        sources, groups, programs: the names that rows refer to by place.
    """

    rows: np.ndarray
    bounds: Mapping[str, tuple[int, int]]
    sources: Sequence[str] = ()
    groups: Sequence[str] = ()
    programs: Sequence[str] = ()

    @classmethod
    def empty(cls, sources: Sequence[str]) -> HintCollection:
        """No hints at all."""
        return cls(np.empty(0, dtype=HINT), {}, sources)

    def of(self, sequence: str) -> Hints:
        """The hints of a sequence; none when it has none."""
        first, last = self.bounds.get(sequence, (0, 0))
        return Hints(self.rows[first:last], self.sources, self.groups, self.programs)


@dataclass(frozen=True)
class DeletedGroup:
    """A group of hints that no gene can obey.

    Attributes:
        name: "" for a hint without group.
        begin, end: bases that its hints span.
        mult, priority: the largest of its hints.
        size: number of its hints.
        short_introns: HINT [k], those of its hints that are introns too short to be one.
    """

    name: str
    begin: int
    end: int
    mult: int
    priority: int
    size: int
    short_introns: np.ndarray


@dataclass(frozen=True)
class HintGroups:
    """The hints of one sequence that a gene can obey, in groups that stand or fall together.

    Attributes:
        hints: their rows group by group, inside a group by rising end; bonuses are scaled by how
            far other groups agree.
        first: int64 [g + 1], the first row of each group; groups are sorted by their begin.
        begin, end: int64 [g], bases that the hints of each group span.
        priority, mult: int64 [g], the largest of its hints.
        supporting, contradicting: float64 [n], how often other groups agree and disagree with
            each hint.
        counted: bool [g], groups that the evidence for a transcript counts.
        deleted: groups that were dropped because no gene can obey them, in their order.
        oriented: number of groups whose strand followed from the sequence.
    """

    hints: Hints
    first: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    priority: np.ndarray
    mult: np.ndarray
    supporting: np.ndarray
    contradicting: np.ndarray
    counted: np.ndarray
    deleted: tuple[DeletedGroup, ...] = ()
    oriented: int = 0

    def overlapping(self, start: int, end: int) -> np.ndarray:
        """Groups whose hints span any of these bases, in their order; int64 [k]."""
        low = np.searchsorted(self._reach, start, side="right")
        high = np.searchsorted(self.begin, end)
        return low + np.flatnonzero(self.end[low:high] > start)

    def select(self, chosen: np.ndarray) -> HintGroups:
        """Some of the groups, int64 [k] rising, as if there were no others."""
        sizes = self.first[chosen + 1] - self.first[chosen]
        first = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.arange(first[-1]) + np.repeat(self.first[chosen] - first[:-1], sizes)
        return HintGroups(
            hints=replace(self.hints, rows=self.hints.rows[rows]),
            first=first,
            begin=self.begin[chosen],
            end=self.end[chosen],
            priority=self.priority[chosen],
            mult=self.mult[chosen],
            supporting=self.supporting[rows],
            contradicting=self.contradicting[rows],
            counted=self.counted[chosen],
        )

    @cached_property
    def _reach(self) -> np.ndarray:
        """int64 [g]: the largest end of a group and all before it."""
        return np.maximum.accumulate(self.end)

    def name(self, group: int) -> str:
        """Name of a group, "" for one without."""
        place = self.hints.rows["group"][self.first[group]]
        return self.hints.groups[place] if place >= 0 else ""

    def source(self, group: int) -> str:
        """Source of a group: that of its hint with the smallest end."""
        return self.hints.sources[self.hints.rows["source"][self.first[group]]]


def bonuses(rows: np.ndarray, extrinsic: Extrinsic) -> np.ndarray:
    """What obeying each hint is worth by its type, score class and multiplicity.

    A hint seen m times counts b ** m, but no more than m * b.

    Args:
        rows: HINT [n]; their `bonus` is not looked at.

    Returns:
        float64 [n], factors on the odds; 1 for a type that has no row.
    """
    bonus = np.ones(len(rows))
    for type_, factors in extrinsic.types.items():
        of_type = rows["type"] == type_
        if not of_type.any():
            continue
        for place, source in enumerate(extrinsic.sources):
            those = np.flatnonzero(of_type & (rows["source"] == place))
            scores = rows["score"][those]
            if factors.bonus < 0:
                bonus[those] = np.where(scores > 0, scores, 1.0)
                continue
            classes = factors.classes.get(source, ScoreClasses())
            of_class = np.searchsorted(classes.bounds, scores, side="right")
            bonus[those] = factors.bonus * np.asarray(classes.factors)[of_class]
    mult = np.maximum(rows["mult"], 1)
    with np.errstate(over="ignore"):
        return np.minimum(bonus**mult, bonus * mult)


def listing_order(hints: Hints) -> np.ndarray:
    """Order in which hints are listed: type, end, start, strand, frame, source; int64 [n]."""
    rows = hints.rows
    by_name = np.argsort(np.argsort(np.array([*hints.sources, ""], dtype=object)))
    strand = np.array([-1, 0, 1])[rows["strand"]]  # unknown, then +, then -
    return np.lexsort(
        (by_name[rows["source"]], rows["frame"], strand, rows["start"], rows["end"], rows["type"])
    )
