"""Evidence for and against a transcript: what AUGUSTUS prints behind it when there are hints.

Owns what is counted; `io.comment_blocks` owns the text. Two questions are asked, and AUGUSTUS asks
them differently: which parts of the transcript does some group of hints support, and which groups
agree with the transcript in every hint that can be checked? Frames matter for the second alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from augustus_dl.gene import Interval, Transcript
from augustus_dl.hints import HintGroups, HintType

__all__ = ["Evidence", "GroupCount", "PartCount", "evidence", "no_evidence", "obeyed"]


@dataclass(frozen=True, slots=True)
class PartCount:
    """How many parts of one kind are supported.

    Attributes:
        supported: parts that some source supports.
        total: parts of this kind in the transcript.
        sources: (source, parts it supports), sorted by source; a part that two sources support
            counts for both.
    """

    supported: int = 0
    total: int = 0
    sources: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Hint groups of one verdict.

    Attributes:
        sources: (source, name of each of its groups in order of their begin, "" for one that has
            none), sorted by source.
    """

    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def total(self) -> int:
        """Number of groups, those without a name included."""
        return sum(len(names) for _, names in self.sources)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the hints say about one transcript.

    Attributes:
        cds_exons, cds_introns: coding intervals and the introns beside them.
        utr5, utr3: untranslated parts of exons together with the introns between them.
        obeyed: groups every checkable hint of which agrees with the transcript.
        incompatible: all other groups that overlap the gene.
    """

    cds_exons: PartCount
    cds_introns: PartCount
    utr5: PartCount = PartCount()
    utr3: PartCount = PartCount()
    obeyed: GroupCount = GroupCount()
    incompatible: GroupCount = GroupCount()

    @property
    def percent(self) -> float:
        """Share of supported parts among all parts, times 100; 0 for a transcript without any."""
        parts = (self.cds_exons, self.cds_introns, self.utr5, self.utr3)
        total = sum(part.total for part in parts)
        return 100 * sum(part.supported for part in parts) / total if total else 0.0


def evidence(transcript: Transcript, groups: HintGroups) -> Evidence:
    """What the hints of its sequence say about a transcript."""
    near = groups.overlapping(transcript.start, transcript.end)
    near = near[groups.counted[near]]
    if not len(near):
        return no_evidence(transcript)
    view = _View.of(groups, near)
    forward = transcript.strand == "+"
    agreeing = _obeyed(view, transcript)
    if (view.rows["type"] == HintType.nonexonpart).all():  # they support nothing
        return replace(
            no_evidence(transcript),
            obeyed=view.group_count(agreeing),
            incompatible=view.group_count(~agreeing),
        )
    return Evidence(
        cds_exons=view.part_count(_supported_cds(view, transcript.cds)),
        cds_introns=view.part_count(_supported_introns(view, transcript.introns)),
        utr5=view.part_count(
            _supported_utr(view, transcript.utr5, inner_is_last=forward),
            _supported_introns(view, transcript.utr5_introns),
        ),
        utr3=view.part_count(
            _supported_utr(view, transcript.utr3, inner_is_last=not forward),
            _supported_introns(view, transcript.utr3_introns),
        ),
        obeyed=view.group_count(agreeing),
        incompatible=view.group_count(~agreeing),
    )


def obeyed(transcript: Transcript, groups: HintGroups) -> np.ndarray:
    """Groups every checkable hint of which agrees with a transcript; int64 [k] rising."""
    near = groups.overlapping(transcript.start, transcript.end)
    return near[_obeyed(_View.of(groups, near), transcript)] if len(near) else near


def no_evidence(transcript: Transcript) -> Evidence:
    """Evidence of a transcript without hints: its parts are counted, none is supported."""
    return Evidence(
        cds_exons=PartCount(total=len(transcript.cds)),
        cds_introns=PartCount(total=len(transcript.introns)),
        utr5=PartCount(total=len(transcript.utr5) + len(transcript.utr5_introns)),
        utr3=PartCount(total=len(transcript.utr3) + len(transcript.utr3_introns)),
    )


@dataclass(frozen=True)
class _View:
    """The hints of some groups, group by group.

    Attributes:
        rows: HINT [n].
        first: int64 [g], the first hint of each group.
        sources, names: of each group.
    """

    rows: np.ndarray
    first: np.ndarray
    sources: Sequence[str]
    names: Sequence[str]

    @classmethod
    def of(cls, groups: HintGroups, chosen: np.ndarray) -> _View:
        sizes = groups.first[chosen + 1] - groups.first[chosen]
        first = np.cumsum(sizes) - sizes
        at = np.arange(sizes.sum()) + np.repeat(groups.first[chosen] - first, sizes)
        sources = [groups.source(group) for group in chosen]
        return cls(groups.hints.rows[at], first, sources, [groups.name(group) for group in chosen])

    def are(self, *types: HintType) -> np.ndarray:
        """Hints of these types; bool [n, 1]."""
        chosen = np.zeros(len(HintType), dtype=bool)
        chosen[list(types)] = True
        return chosen[self.rows["type"]][:, None]

    def ends(self, parts: Iterable[Interval]) -> tuple[np.ndarray, ...]:
        """Start and end of the hints, int64 [n, 1], and of the parts, int64 [1, k]."""
        bounds = np.array([*parts], dtype=np.int64).reshape(-1, 2)
        return (
            self.rows["start"][:, None],
            self.rows["end"][:, None],
            bounds[None, :, 0],
            bounds[None, :, 1],
        )

    def exactly(self, parts: Iterable[Interval]) -> np.ndarray:
        """Hints that have the bounds of each part; bool [n, k]."""
        start, end, first, last = self.ends(parts)
        return (start == first) & (end == last)

    def within(self, parts: Iterable[Interval]) -> np.ndarray:
        """Hints that lie in each part; bool [n, k]."""
        start, end, first, last = self.ends(parts)
        return (start >= first) & (end <= last)

    def touching(self, parts: Iterable[Interval]) -> np.ndarray:
        """Hints that share a base with each part; bool [n, k]."""
        start, end, first, last = self.ends(parts)
        return (start < last) & (end > first)

    def in_groups(self, flags: np.ndarray) -> np.ndarray:
        """Groups with a flagged hint; bool [n, k] -> bool [g, k]."""
        return np.logical_or.reduceat(flags, self.first, axis=0)

    def part_count(self, *supported: np.ndarray) -> PartCount:
        """Summary of the groups that support each part; bool [g, k] each."""
        parts = np.concatenate(supported, axis=1)
        by_source = {
            source: int(parts[[name == source for name in self.sources]].any(axis=0).sum())
            for source in sorted(set(self.sources))
        }
        return PartCount(
            supported=int(parts.any(axis=0).sum()),
            total=parts.shape[1],
            sources=tuple((source, count) for source, count in by_source.items() if count),
        )

    def group_count(self, chosen: np.ndarray) -> GroupCount:
        """Summary of some of the groups; bool [g]."""
        names: dict[str, list[str]] = {}
        for group in np.flatnonzero(chosen):
            names.setdefault(self.sources[group], []).append(self.names[group])
        return GroupCount(tuple((source, tuple(names[source])) for source in sorted(names)))


def _supported_cds(view: _View, cds: Sequence[Interval]) -> np.ndarray:
    """Groups that support each coding part and do not contradict it; bool [g, k].

    The outermost parts are shorter than their exons: hints of exons may reach beyond them.
    """
    exon, exonpart = view.are(HintType.exon), view.are(HintType.exonpart)
    start, end, first, last = view.ends(cds)
    supports = view.are(HintType.exon, HintType.CDS) & view.exactly(cds)
    supports |= view.are(HintType.exonpart, HintType.CDSpart) & view.within(cds)
    to_right_end = exon & (end == last) & (start < first) | exonpart & (end > first) & (end <= last)
    to_left_end = exon & (start == first) & (end >= last) | exonpart & (start >= first) & (
        start < last
    )
    supports[:, 0] |= to_right_end[:, 0]
    supports[:, -1] |= to_left_end[:, -1]
    if len(cds) == 1:
        supports |= (exon | exonpart) & (start <= first) & (end >= last)
    denies = view.are(HintType.intron, HintType.intronpart, HintType.UTR, HintType.UTRpart)
    return view.in_groups(supports) & ~view.in_groups(denies & view.touching(cds))


def _supported_introns(view: _View, introns: Sequence[Interval]) -> np.ndarray:
    """Groups that support each intron and do not contradict it; bool [g, k]."""
    supports = view.are(HintType.intron) & view.exactly(introns)
    supports |= view.are(HintType.intronpart) & view.within(introns)
    denies = view.are(HintType.exon, HintType.exonpart, HintType.UTR, HintType.UTRpart)
    return view.in_groups(supports) & ~view.in_groups(denies & view.touching(introns))


def _supported_utr(view: _View, utr: Sequence[Interval], inner_is_last: bool) -> np.ndarray:
    """Groups that support each untranslated part and do not contradict it; bool [g, k].

    The part next to the CDS is shorter than its exon: hints of exons may reach beyond it.
    """
    exon, exonpart = view.are(HintType.exon), view.are(HintType.exonpart)
    start, end, first, last = view.ends(utr)
    supports = view.are(HintType.exon, HintType.UTR) & view.exactly(utr)
    supports |= view.are(HintType.exonpart, HintType.UTRpart) & view.within(utr)
    if inner_is_last:
        inner = exon & (start == first) & (end >= last) | exonpart & (start >= first) & (
            start < last
        )
        supports[:, -1:] |= inner[:, -1:]
    else:
        inner = exon & (end == last) & (start <= first) | exonpart & (end > first) & (end <= last)
        supports[:, :1] |= inner[:, :1]
    denies = view.are(HintType.intron, HintType.intronpart, HintType.CDS, HintType.CDSpart)
    return view.in_groups(supports) & ~view.in_groups(denies & view.touching(utr))


def _obeyed(view: _View, transcript: Transcript) -> np.ndarray:
    """Groups with a hint that can be checked and none that the transcript disobeys; bool [g]."""
    unchecked = (HintType.start, HintType.stop, HintType.tss, HintType.tts, HintType.irpart)
    checked = ~view.are(*unchecked)
    disobeyed = checked & ~_agreeing(view, transcript)
    return (view.in_groups(checked) & ~view.in_groups(disobeyed))[:, 0]


def _agreeing(view: _View, transcript: Transcript) -> np.ndarray:
    """Hints that the transcript obeys; bool [n, 1]."""
    introns = (*transcript.introns, *transcript.utr5_introns, *transcript.utr3_introns)
    utr, cds = (*transcript.utr5, *transcript.utr3), transcript.cds

    def at_splice_site() -> np.ndarray:
        start, end, first, last = view.ends(introns)
        return (start <= first) & (end > first) | (start < last) & (end >= last)

    rules: tuple[tuple[tuple[str, ...], Callable[[], np.ndarray]], ...] = (
        (("genicpart",), lambda: view.within([(transcript.start, transcript.end)])),
        (("exon", "CDS"), lambda: view.exactly(cds)),
        (("exon", "UTR"), lambda: view.exactly(utr)),
        (("exon",), lambda: view.exactly(transcript.exons)),
        (("exonpart", "CDSpart"), lambda: view.within(cds) & _in_frame(view, transcript)),
        (("exonpart", "UTRpart"), lambda: view.within(utr)),
        (("exonpart",), lambda: view.within([e for e in transcript.exons if e not in cds])),
        (("intron",), lambda: view.exactly(introns)),
        (("intronpart", "nonexonpart"), lambda: view.within(introns)),
        (("ass", "dss"), at_splice_site),
    )
    agreeing = np.zeros((len(view.rows), 1), dtype=bool)
    there = set(view.rows["type"].tolist())
    for names, holds in rules:
        types = [HintType[name] for name in names]
        if not there.isdisjoint(types):
            agreeing |= view.are(*types) & holds().any(axis=1)[:, None]
    return agreeing


def _in_frame(view: _View, transcript: Transcript) -> np.ndarray:
    """Hints that fit the strand and, where they have one, the frame of each part; bool [n, k]."""
    start, end, first, last = view.ends(transcript.cds)
    phase, frame = np.array([transcript.phases]), view.rows["frame"][:, None].astype(np.int64)
    if transcript.strand == "+":
        agrees = (start + frame - first - phase) % 3 == 0
    else:
        agrees = (last - phase - end + frame) % 3 == 0
    strand = view.rows["strand"][:, None]
    own = 1 if transcript.strand == "+" else -1
    return ((strand == 0) | (strand == own)) & ((frame < 0) | agrees)
