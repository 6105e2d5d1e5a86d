"""The hints of a sequence made ready: which can be obeyed at all, which stand together.

AUGUSTUS's order of work: soft-masked stretches become hints, hints of one name become groups,
groups that the sequence forbids are dropped, gaps inside groups are bridged, equal groups are
joined, groups that most others contradict are dropped, and bonuses are scaled by how far other
groups agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from augustus_dl.decode.hint_relations import count_relations
from augustus_dl.encode import BasesOnDemand, N, intervals_of
from augustus_dl.errors import OptionError
from augustus_dl.genetic_code import genetic_code
from augustus_dl.hints import (
    HINT,
    MASK_PROGRAM,
    SPELLINGS,
    DeletedGroup,
    Extrinsic,
    HintGroups,
    Hints,
    HintType,
    bonuses,
    listing_order,
)

__all__ = ["GroupingOptions", "group_hints", "splice_pairs"]

_BASES = "ACGT"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_PAIRS = 5 * N + N + 1
"""Number of pairs of base codes; a pair is 5 * left + right."""
_MAX_BRIDGE = 500_000
_MASK_SOURCE = "RM"
_EQUAL_FIELDS = ("type", "start", "end", "strand", "frame", "bonus")


@dataclass(frozen=True)
class GroupingOptions:
    """What decides which hints can be obeyed.

    Attributes:
        splice_pairs: donor and acceptor that an intron may have where it is hinted, e.g. "GTAG".
        min_intron: length of the shortest intron that may be hinted.
        bridge_bonus: bonus of each base between hints of one group, where a source's groups lie
            in one gene; None for no bridges.
        rescale: scale bonuses by how far other groups agree.
        max_contradiction: a hint contradicted so many times as often as supported drops its group.
        alternatives: groups that contradict each other give alternative transcripts.
        genetic_code: NCBI id.
    """

    splice_pairs: tuple[str, ...] = ("GTAG", "GCAG")
    min_intron: int = 39
    bridge_bonus: float | None = None
    rescale: bool = True
    max_contradiction: float = 9.0
    alternatives: bool = True
    genetic_code: int = 1


def splice_pairs(text: str = "") -> tuple[str, ...]:
    """GT-AG, GC-AG and the pairs in a list such as "gcag,atac".

    Raises:
        OptionError: not four bases each.
    """
    pairs = [part.upper() for part in text.split(",")] if text else []
    if any(len(pair) != 4 or set(pair) - set(_BASES) for pair in pairs):
        raise OptionError("Splice site pattern has bad format (example: 'atac,ggag')")
    return tuple(dict.fromkeys(["GTAG", "GCAG", *pairs]))


def group_hints(
    hints: Hints,
    codes: np.ndarray | BasesOnDemand,
    masked: np.ndarray | BasesOnDemand | None,
    extrinsic: Extrinsic,
    options: GroupingOptions,
) -> HintGroups:
    """Groups of the hints that a gene on this sequence can obey.

    Args:
        codes: uint8 [L] base codes.
        masked: bool [L], soft-masked bases; None when they are no hints.
    """
    hints = _with_mask(_within(hints, len(codes)), masked, extrinsic)
    kept, deleted, oriented = _satisfiable(_Grouped.of(hints), codes, extrinsic, options)
    kept = _bridged(kept, extrinsic, options.bridge_bonus)
    left, supporting, contradicting = _outstanding(kept, options)
    del hints, kept  # there may be millions
    order, first = _group_order(left, listing_order(left))
    done = _Grouped(replace(left, rows=left.rows[order]), first)
    return HintGroups(
        hints=done.hints,
        first=done.first,
        begin=done.reduce(np.minimum, "start"),
        end=done.reduce(np.maximum, "end"),
        priority=done.reduce(np.maximum, "priority"),
        mult=done.reduce(np.maximum, "mult"),
        supporting=supporting[order],
        contradicting=contradicting[order].astype(np.float64),
        counted=_counted(done, options),
        deleted=deleted,
        oriented=oriented,
    )


def _within(hints: Hints, length: int) -> Hints:
    """The hints that end inside the sequence."""
    inside = hints.rows["end"] <= length
    return hints if inside.all() else replace(hints, rows=hints.rows[inside])


def _outstanding(
    grouped: _Grouped, options: GroupingOptions
) -> tuple[Hints, np.ndarray, np.ndarray]:
    """Hints of groups that are not outvoted, scaled, and how often each is supported and not."""
    grouped, sound, supporting, contradicting = _sound(grouped, options.max_contradiction)
    there = np.flatnonzero(np.repeat(sound, grouped.sizes))
    rows = grouped.hints.rows[there]
    supporting, contradicting = supporting[there], contradicting[there]
    if options.rescale:
        rows["bonus"] **= 2 * (5 + supporting) / (10 + supporting + contradicting)
    return replace(grouped.hints, rows=rows), supporting, contradicting


@dataclass(frozen=True)
class _Grouped:
    """Hints that lie group by group."""

    hints: Hints
    first: np.ndarray

    @classmethod
    def of(cls, hints: Hints) -> _Grouped:
        """Groups of hints that lie in the order of a file."""
        order, first = _group_order(hints, np.argsort(hints.rows["type"], kind="stable"))
        return cls(replace(hints, rows=hints.rows[order]), first)

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.first)

    def reduce(self, function: np.ufunc, name: str) -> np.ndarray:
        """A field reduced over each group; int64 [g]."""
        values = self.hints.rows[name].astype(np.int64)
        return function.reduceat(values, self.first[:-1]) if len(values) else values

    def any(self, flags: np.ndarray) -> np.ndarray:
        """Groups with a flagged hint; bool [n] -> bool [g]."""
        return np.logical_or.reduceat(flags, self.first[:-1]) if len(flags) else flags

    def select(self, groups: np.ndarray) -> _Grouped:
        """Some of the groups; bool [g]."""
        if groups.all():
            return self
        rows = self.hints.rows[np.repeat(groups, self.sizes)]
        first = np.concatenate(([0], np.cumsum(self.sizes[groups])))
        return _Grouped(replace(self.hints, rows=rows), first)


def _group_order(hints: Hints, listed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of rows group by group, and where each group begins; int64 [n], int64 [g + 1].

    Groups rise by their begin, then by their hints; inside a group hints rise by their end.

    Args:
        listed: int64 [n], the order of rows that settles ties.
    """
    rows = hints.rows
    if not len(rows):
        return np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    names = rows["group"].astype(np.int64)[listed]
    alone = names < 0
    names[alone] = names.max(initial=-1) + 1 + np.arange(alone.sum())
    _, seen, inverse = np.unique(names, return_index=True, return_inverse=True)
    group = np.argsort(np.argsort(seen))[inverse]
    inside = np.lexsort((-np.arange(len(rows)), rows["end"][listed], group))
    order, group = listed[inside], group[inside]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    rank = _group_rank(rows[order], first)
    sizes = np.diff(np.append(first, len(rows)))
    moved = np.argsort(np.repeat(rank, sizes), kind="stable")
    return order[moved], np.concatenate(([0], np.cumsum(sizes[np.argsort(rank)])))


def _group_rank(rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Place of each group when they are sorted by begin, then start and end of hint after hint."""
    begin = np.minimum.reduceat(rows["start"], first)
    start, end = rows["start"][first], rows["end"][first]
    order = np.lexsort((end, start, begin))
    last = np.append(first[1:], len(rows))
    tied = np.zeros(len(first), dtype=bool)
    same = np.ones(len(first) - 1, dtype=bool)
    for key in (begin, start, end):
        same &= key[order[1:]] == key[order[:-1]]
    tied[1:] = same
    for low, high in intervals_of(tied):
        run = order[low - 1 : high]
        if (last[run] - first[run] > 1).any():
            keys = {g: rows[["start", "end"]][first[g] : last[g]].tolist() for g in run.tolist()}
            order[low - 1 : high] = sorted(run.tolist(), key=keys.__getitem__)
    rank = np.empty(len(first), dtype=np.int64)
    rank[order] = np.arange(len(first))
    return rank


def _with_mask(
    hints: Hints, masked: np.ndarray | BasesOnDemand | None, extrinsic: Extrinsic
) -> Hints:
    """The hints and one against exons for each soft-masked stretch."""
    if masked is None or _MASK_SOURCE not in extrinsic.sources:
        return hints
    stretches = intervals_of(masked)
    rows = np.zeros(len(stretches), dtype=HINT)
    rows["start"], rows["end"] = stretches.T
    rows["type"] = HintType.nonexonpart
    rows["spelling"] = list(SPELLINGS).index("nep")
    rows["frame"] = rows["priority"] = rows["group"] = -1
    rows["mult"] = 1
    rows["source"] = extrinsic.sources.index(_MASK_SOURCE)
    rows["program"] = len(hints.programs)
    rows["bonus"] = bonuses(rows, extrinsic)
    rows = rows[rows["bonus"] != 1]
    if not len(rows):
        return hints
    rows = np.concatenate((hints.rows, rows))
    return replace(hints, rows=rows, programs=(*hints.programs, MASK_PROGRAM))


def _satisfiable(
    grouped: _Grouped,
    codes: np.ndarray | BasesOnDemand,
    extrinsic: Extrinsic,
    options: GroupingOptions,
) -> tuple[_Grouped, tuple[DeletedGroup, ...], int]:
    """Groups that a gene can obey, put on the strand that the sequence leaves; see HintGroups."""
    rows = grouped.hints.rows
    forward, backward = _possible_strands(rows, codes, options)
    forward, backward = ~grouped.any(~forward), ~grouped.any(~backward)
    inside = (rows["start"] >= 0) & (rows["end"] <= len(codes))
    short = (rows["type"] == HintType.intron) & inside
    short &= rows["end"] - rows["start"] < options.min_intron
    lenient = np.isin(
        rows["source"][grouped.first[:-1]],
        [i for i, name in enumerate(extrinsic.sources) if name in extrinsic.individual_liability],
    )
    bad = grouped.any(short) | ~(forward | backward | lenient)
    only = np.where(forward & ~backward, 1, np.where(backward & ~forward, -1, 0))
    strand = np.repeat(only, grouped.sizes)
    turned = (strand != 0) & (rows["strand"] != strand)
    deleted = tuple(_deleted(grouped, short, group) for group in np.flatnonzero(bad))
    rows["strand"][turned] = strand[turned]
    oriented = int(np.count_nonzero(grouped.any(turned)))
    return grouped.select(~bad), deleted, oriented


def _deleted(grouped: _Grouped, short: np.ndarray, group: int) -> DeletedGroup:
    span = slice(*grouped.first[group : group + 2])
    rows = grouped.hints.rows
    place = rows["group"][span][0]
    return DeletedGroup(
        name=grouped.hints.groups[place] if place >= 0 else "",
        begin=int(rows["start"][span].min()),
        end=int(rows["end"][span].max()),
        mult=int(max(1, rows["mult"][span].max())),
        priority=int(max(-1, rows["priority"][span].max())),
        size=span.stop - span.start,
        short_introns=rows[span][short[span]],
    )


def _possible_strands(
    rows: np.ndarray, codes: np.ndarray | BasesOnDemand, options: GroupingOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Strands on which the sequence allows each hint; bool [n] each."""
    sites = _Sites(codes, options)
    forward, backward = rows["strand"] >= 0, rows["strand"] <= 0
    inside = (rows["start"] >= 0) & (rows["end"] <= len(codes))
    for type_, allowed in (
        (HintType.intron, sites.introns),
        (HintType.ass, sites.acceptors),
        (HintType.dss, sites.donors),
        (HintType.CDS, sites.coding_exons),
    ):
        those = np.flatnonzero(inside & (rows["type"] == type_))
        on_forward, on_backward = allowed(rows["start"][those], rows["end"][those])
        forward[those] &= on_forward
        backward[those] &= on_backward
    return forward, backward


Strands = tuple[np.ndarray, np.ndarray]
"""bool [n] each: on the plus strand, on the minus strand."""


class _Sites:
    """Where the sequence has splice sites and codons.

    All methods take the half-open intervals of hints, int64 [n] each, inside the sequence.
    """

    def __init__(self, codes: np.ndarray | BasesOnDemand, options: GroupingOptions) -> None:
        self.codes = codes
        self.pairs = np.zeros((_PAIRS, _PAIRS), dtype=bool)
        for pair in options.splice_pairs:
            self.pairs[_pair(pair[:2]), _pair(pair[2:])] = True
        self.donor, self.acceptor = self.pairs.any(axis=1), self.pairs.any(axis=0)
        code = genetic_code(options.genetic_code)
        self.start, self.stop = (_codon_table(codons) for codons in (code.starts, code.stops))
        self.turned_start, self.turned_stop = (
            _codon_table(codon.translate(_COMPLEMENT)[::-1] for codon in codons)
            for codons in (code.starts, code.stops)
        )

    def introns(self, start: np.ndarray, end: np.ndarray) -> Strands:
        """Introns with a pair of splice sites that may stand together."""
        left, right = self._pair(start), self._pair(end - 2)
        return self.pairs[left, right], self.pairs[_TURNED[right], _TURNED[left]]

    def donors(self, start: np.ndarray, end: np.ndarray) -> Strands:
        """Intervals with a base that may be the first of an intron."""
        return (
            self._somewhere(start, end, lambda at: self.donor[self._pair(at)]),
            self._somewhere(start, end, lambda at: self.donor[_TURNED[self._pair(at - 1)]]),
        )

    def acceptors(self, start: np.ndarray, end: np.ndarray) -> Strands:
        """Intervals with a base that may be the last of an intron."""
        return (
            self._somewhere(start, end, lambda at: self.acceptor[self._pair(at - 1)]),
            self._somewhere(start, end, lambda at: self.acceptor[_TURNED[self._pair(at)]]),
        )

    def coding_exons(self, start: np.ndarray, end: np.ndarray) -> Strands:
        """Exons between two things that may bound one."""
        left, right = self._pair(start - 2), self._pair(end)
        first, last = self._codon(start), self._codon(end - 3)
        return (
            (self.acceptor[left] | self.start[first]) & (self.donor[right] | self.stop[last]),
            (self.donor[_TURNED[left]] | self.turned_stop[first])
            & (self.acceptor[_TURNED[right]] | self.turned_start[last]),
        )

    def _at(self, place: np.ndarray) -> np.ndarray:
        """Base codes, N outside the sequence."""
        outside = (place < 0) | (place >= len(self.codes))
        return np.where(outside, N, np.asarray(self.codes[np.where(outside, 0, place)]))

    def _pair(self, place: np.ndarray) -> np.ndarray:
        """The pair of bases that begins at each place."""
        return 5 * self._at(place).astype(np.int64) + self._at(place + 1)

    def _codon(self, place: np.ndarray) -> np.ndarray:
        """The three bases that begin at each place, as a place in a codon table."""
        return 5 * self._pair(place) + self._at(place + 2)

    @staticmethod
    def _somewhere(start: np.ndarray, end: np.ndarray, is_site) -> np.ndarray:
        """Does any base of each interval pass the test?"""
        if not len(start):
            return np.zeros(0, dtype=bool)
        length = end - start
        first = np.cumsum(length) - length
        at = np.arange(length.sum()) - np.repeat(first - start, length)
        return np.logical_or.reduceat(is_site(at), first)


def _pair(bases: str) -> int:
    return 5 * _BASES.index(bases[0]) + _BASES.index(bases[1])


def _turned_pairs() -> np.ndarray:
    """int64 [25]: each pair's reverse complement."""
    complement = np.array([3, 2, 1, 0, N])
    left, right = np.divmod(np.arange(_PAIRS), 5)
    return 5 * complement[right] + complement[left]


_TURNED = _turned_pairs()


def _bridged(grouped: _Grouped, extrinsic: Extrinsic, bonus: float | None) -> _Grouped:
    """The groups with hints that the gaps inside them belong to a gene."""
    sources = [
        i for i, name in enumerate(extrinsic.sources) if name in extrinsic.one_group_one_gene
    ]
    if bonus is None or not sources:
        return grouped
    rows = grouped.hints.rows
    bridges = []
    for low, high in zip(grouped.first[:-1], grouped.first[1:], strict=True):
        if high - low == 1 or rows["source"][low] not in sources:
            continue
        group = np.sort(rows[low:high], order="start")
        reach = np.maximum.accumulate(group["end"])[:-1]
        gap = group["start"][1:] - reach
        for i in np.flatnonzero((gap > 0) & (gap <= _MAX_BRIDGE)):
            bridge = group[i + 1].copy()
            bridge["start"], bridge["end"] = reach[i], group["start"][i + 1]
            bridges.append(bridge)
    if not bridges:
        return grouped
    new = np.array(bridges, dtype=HINT)
    new["type"] = HintType.genicpart
    new["spelling"] = HintType.genicpart
    new["strand"], new["frame"], new["score"], new["mult"] = 0, -1, 0, 1
    new["bonus"] = bonus
    return _Grouped.of(replace(grouped.hints, rows=np.concatenate((rows, new))))


def _sound(
    grouped: _Grouped, max_contradiction: float
) -> tuple[_Grouped, np.ndarray, np.ndarray, np.ndarray]:
    """Equal groups joined, and which groups are not outvoted by others; see `count_relations`.

    Returns:
        The groups; bool [g]; for each hint how often it is supported and contradicted.
    """
    fresh, mult = _joined(grouped)
    grouped = grouped.select(fresh)
    supporting, contradicting = _relations(grouped, mult)
    outvoted = grouped.any(contradicting / (supporting + 1) >= max_contradiction)
    return grouped, ~outvoted, supporting, contradicting


def _counted(grouped: _Grouped, options: GroupingOptions) -> np.ndarray:
    """Groups that evidence is counted for; bool [g].

    Looking for alternatives, AUGUSTUS joins and drops groups a second time, now without those that
    the first time dropped, and forgets how many groups were joined.
    """
    counted = np.ones(len(grouped.sizes), dtype=bool)
    if options.alternatives:
        counted, _ = _joined(grouped)
        _, counted[counted], *_ = _sound(grouped, options.max_contradiction)
    return counted


def _joined(grouped: _Grouped) -> tuple[np.ndarray, np.ndarray]:
    """Groups that are not equal to the one before, and how often each of them was seen.

    Returns:
        bool [g] and int64 [number of them].
    """
    rows, first, sizes = grouped.hints.rows, grouped.first, grouped.sizes
    mult = np.maximum(grouped.reduce(np.maximum, "mult"), 1)
    if len(sizes) < 2:
        return np.ones(len(sizes), dtype=bool), mult
    equal = np.concatenate(([False], sizes[1:] == sizes[:-1]))
    there = np.flatnonzero(np.repeat(equal, sizes))
    before = there - np.repeat(sizes, sizes)[there]
    differs = np.zeros(len(rows), dtype=bool)
    for name in _EQUAL_FIELDS:
        differs[there] |= rows[name][there] != rows[name][before]
    equal &= ~np.logical_or.reduceat(differs, first[:-1])
    return ~equal, np.add.reduceat(mult, np.flatnonzero(~equal))


def _relations(grouped: _Grouped, mult: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See `count_relations`."""
    rows = grouped.hints.rows
    return count_relations(
        *(rows[name].astype(np.int64) for name in ("type", "start", "end", "strand")),
        grouped.first,
        grouped.reduce(np.minimum, "start"),
        grouped.reduce(np.maximum, "end"),
        grouped.reduce(np.maximum, "priority"),
        mult,
    )


def _codon_table(codons: Iterable[str]) -> np.ndarray:
    """bool [125]: is 25 * first + 5 * second + third base one of the codons?"""
    table = np.zeros(125, dtype=bool)
    for codon in codons:
        table[int("".join(str(_BASES.index(base)) for base in codon), 5)] = True
    return table
