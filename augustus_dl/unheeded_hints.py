"""Alternatives from evidence: which further parses hints ask for that the best one does not obey.

A gene can obey only one of two hints that contradict each other, and where the network is sure that
there is no gene it may obey none. So after the first parse, which sees all hints, each group that
was not obeyed gets a parse of its own, which must obey it, of the stretch around it. What comes of
these parses are further transcripts, unless too much speaks against them: more may where more hints
stand together and more reads or alignments were seen. Parsing and joining is the business of
`alternatives`.

What speaks against a further parse is how much less it scores than the best one, but for what the
network says of bases inside the introns that are hinted: that a kilobase is intergenic is nearly
the same statement over and over, and spliced reads refute it as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.hint_relations import contradict
from augustus_dl.decode.increments import LIMIT_ON_GRID
from augustus_dl.errors import OptionError
from augustus_dl.evidence import evidence, obeyed
from augustus_dl.gene import Transcript
from augustus_dl.hints import MASK_PROGRAM, SPELLINGS, HintGroups, HintType
from augustus_dl.intervals import union
from augustus_dl.labels import INTERGENIC, NUM_LABELS, label, labels_of

__all__ = ["FurtherParse", "UnheededHints", "UnheededOptions", "stretches"]

_PADDING = 2000
"""Bases that a further parse may look at beside what is already known to be a gene."""
_NEAR = 1000
"""Genes so near to a hint lie in the stretch of its parse: they may go on with it."""
_FEWEST, _BASES_FOR_ONE = 10, 2000
"""Further parses of a region, and for how many bases one more; millions of hints must not take
longer than the network."""
_FOR_DOUBLING, _MOST = 2.0, 7.0
"""Nats that a further parse may lack for each doubling of what speaks for it, and at most;
docs/experiments.md has the measurement."""
_INSIDE = {
    HintType.intron: "I",
    HintType.intronpart: "D I A",
    **dict.fromkeys(
        (HintType.exon, HintType.CDS, HintType.exonpart, HintType.CDSpart), "C START STOP"
    ),
}
"""Labels of the bases of hints; those of whole introns have other ones at their ends."""
_CODING_EXONS = (HintType.exon, HintType.CDS)
_SITES = {HintType.dss: "D", HintType.ass: "A"}
"""Labels of splice sites; they are demanded where a hint has one base only."""


@dataclass(frozen=True)
class UnheededOptions:
    """What a user may set about alternatives from evidence, with AUGUSTUS's defaults.

    Attributes:
        causes: types of hints one of which a group must have to get a parse of its own
            (canCauseAltSplice).
        min_support: share of its parts that a transcript must have supported by hints, as a
            fraction of what the best supported transcript has that it overlaps
            (/Constant/subopt_transcript_threshold).
    """

    causes: frozenset[HintType] = frozenset(HintType) - {
        HintType.exonpart,
        HintType.irpart,
        HintType.nonexonpart,
        HintType.genicpart,
    }
    min_support: float = 0.94

    @classmethod
    def causing(cls, text: str) -> frozenset[HintType]:
        """Types of a list such as "intron,exon".

        Raises:
            OptionError: one that does not exist.
        """
        names = [name.strip() for name in text.split(",") if name.strip()]
        if unknown := [name for name in names if name not in SPELLINGS]:
            raise OptionError(f"canCauseAltSplice: unknown type of hints {unknown[0]}")
        return frozenset(SPELLINGS[name] for name in names)


class FurtherParse(NamedTuple):
    """A stretch to parse again so that a group of hints is obeyed.

    Attributes:
        start, end: the stretch.
        group: the group.
        tolerance: nats, in calibrated odds, that it may score less than the best parse.
    """

    start: int
    end: int
    group: int
    tolerance: float


class UnheededHints:
    """The hints of one sequence that are worth a further parse where the best does not obey them.

    Args:
        groups: all its hints.
    """

    def __init__(self, groups: HintGroups, options: UnheededOptions) -> None:
        self._groups, self._options = groups, options
        rows, first = groups.hints.rows, groups.first
        self._rows = [rows[name].astype(np.int64) for name in ("type", "start", "end", "strand")]
        if not len(rows):
            self._asking = np.zeros(0, dtype=bool)
            return
        own = np.ones(len(rows), dtype=bool)
        if MASK_PROGRAM in groups.hints.programs:
            own = rows["program"] != groups.hints.programs.index(MASK_PROGRAM)
        asking = own & np.isin(rows["type"], [*options.causes & {*_INSIDE, *_SITES}])
        self._given, self._asking = (
            np.logical_or.reduceat(flags, first[:-1]) for flags in (own, asking)
        )

    def __bool__(self) -> bool:
        """May there be further parses?"""
        return bool(self._asking.any())

    def obeyed(self, transcript: Transcript) -> set[int]:
        """Groups that a transcript obeys."""
        return set(obeyed(transcript, self._groups).tolist())

    def parses(
        self, start: int, end: int, transcripts: Sequence[Transcript]
    ) -> Iterator[FurtherParse]:
        """Further parses of a region, those of hints seen most often first; a bounded number.

        Args:
            start, end: the region; it cuts no gene.
            transcripts: what is known in it.
        """
        groups = self._groups
        near = groups.overlapping(start, end)
        near = near[self._asking[near] & (groups.begin[near] >= start) & (groups.end[near] <= end)]
        if not len(near):
            return
        heeded = set[int]().union(*map(self.obeyed, transcripts))
        left = _FEWEST + (end - start) // _BASES_FOR_ONE
        for group in near[np.argsort(-groups.mult[near], kind="stable")].tolist():
            if not left:
                return
            if group not in heeded and not self._overruled(group):
                left -= 1
                span = int(groups.begin[group]) - _NEAR, int(groups.end[group]) + _NEAR
                around = _around(span, (start, end), transcripts)
                yield FurtherParse(*around, group, self._tolerance(group))

    def _tolerance(self, group: int) -> float:
        """The more hints a group has and the more often they were seen, the more."""
        seen = int(self._hints(group)["mult"].sum())
        return min(_MOST, _FOR_DOUBLING * math.log2(1 + seen))

    def _overruled(self, group: int) -> bool:
        """Does a group of higher priority contradict this one?"""
        groups, first = self._groups, self._groups.first
        own = groups.priority[group]
        return own >= 0 and any(
            groups.priority[other] > own
            and self._given[other]
            and contradict(*self._rows, *first[group : group + 2], *first[other : other + 2])
            for other in groups.overlapping(groups.begin[group], groups.end[group]).tolist()
        )

    def demands(self, parse: FurtherParse) -> np.ndarray:
        """What the scores of a stretch change by so that its parse obeys; int32 [n, 29]."""
        allowed = np.ones((parse.end - parse.start, NUM_LABELS), dtype=bool)
        for hint in self._hints(parse.group):
            _demand(allowed, hint, parse.start)
        return np.where(allowed, 0, -LIMIT_ON_GRID).astype(np.int32)

    def judged(self, parse: FurtherParse) -> np.ndarray:
        """Bases of a stretch whose scores count where its parse is compared; bool [n]."""
        found = np.ones(parse.end - parse.start, dtype=bool)
        for hint in self._hints(parse.group):
            if hint["type"] == HintType.intron:
                found[hint["start"] + 1 - parse.start : hint["end"] - 1 - parse.start] = False
        return found

    def _hints(self, group: int) -> np.ndarray:
        return self._groups.hints.rows[slice(*self._groups.first[group : group + 2])]

    def supported(self, transcripts: Sequence[Transcript]) -> list[Transcript]:
        """Those with not much less support by hints than others that they overlap, the best
        supported first; what has equal support stays in order.
        """
        if len(transcripts) < 2:
            return [*transcripts]
        share = [evidence(transcript, self._groups).percent for transcript in transcripts]
        kept = [
            (own, one)
            for one, own in zip(transcripts, share, strict=True)
            if not any(
                own < other * self._options.min_support
                and one.start < rival.end
                and rival.start < one.end
                for rival, other in zip(transcripts, share, strict=True)
            )
        ]
        return [one for _, one in sorted(kept, key=lambda pair: -pair[0])]


def _demand(allowed: np.ndarray, hint: np.void, offset: int) -> None:
    """Forbid labels that disobey a hint; what leaves it open which base it means forbids nothing.

    Args:
        allowed: bool [n, 29], of a stretch from base `offset` on, which holds the hint; written.
    """
    type_, start, end = HintType(hint["type"]), hint["start"] - offset, hint["end"] - offset
    if type_ in _SITES and end - start == 1 and hint["strand"]:
        obeying = np.zeros(NUM_LABELS, dtype=bool)
        obeying[[*labels_of("+" if hint["strand"] > 0 else "-", _SITES[type_])]] = True
        allowed[start] &= obeying
    if type_ not in _INSIDE:
        return
    obeying = np.zeros((end - start + 2, NUM_LABELS), dtype=bool)  # with a base on either side
    for strand in {0: "+-", 1: "+", -1: "-"}[int(hint["strand"])]:
        obeying |= _obeying(type_, strand, len(obeying))
    low, high = max(start - 1, 0), min(end + 1, len(allowed))
    allowed[low:high] &= obeying[low - start + 1 : high - start + 1]


def _obeying(type_: HintType, strand: str, length: int) -> np.ndarray:
    """Labels that obey a hint of so many bases less two, and the bases beside it; bool."""
    found = np.zeros((length, NUM_LABELS), dtype=bool)
    found[1:-1, labels_of(strand, _INSIDE[type_])] = True
    opening, closing = ("D", "A") if strand == "+" else ("A", "D")
    if type_ in _CODING_EXONS:
        found[0, labels_of(strand, closing)] = True
        found[-1, labels_of(strand, opening)] = True
        found[0, [INTERGENIC, label("+", "STOP"), label("-", "START")]] = True
        found[-1, [INTERGENIC, label("+", "START"), label("-", "STOP")]] = True
        return found
    found[[0, -1]] = True
    if type_ == HintType.intron:
        found[[1, -2]] = False
        found[1, labels_of(strand, opening)] = True
        found[-2, labels_of(strand, closing)] = True
    return found


def stretches(
    spans: Iterable[tuple[int, int]], region: tuple[int, int], transcripts: Sequence[Transcript]
) -> list[tuple[int, int]]:
    """Stretches of a region that hold all spans and cut no transcript, apart from each other."""
    joined = union(_around(span, region, transcripts) for span in spans)
    return [(int(start), int(end)) for start, end in joined]


def _around(
    span: tuple[int, int], region: tuple[int, int], transcripts: Sequence[Transcript]
) -> tuple[int, int]:
    """A stretch of a region that holds `span` and cuts no transcript.

    Genes that overlap the span lie in it whole, with what is free beside them.
    """
    start, end = max(span[0], region[0]), min(span[1], region[1])
    spans = sorted((t.start, t.end) for t in transcripts)
    while True:
        touched = [(a, b) for a, b in spans if a < end and b > start]
        wider = min([start, *(a for a, _ in touched)]), max([end, *(b for _, b in touched)])
        if wider == (start, end):
            break
        start, end = wider
    left = max([region[0], start - _PADDING, *(b + 1 for _, b in spans if b <= start)])
    right = min([region[1], end + _PADDING, *(a - 1 for a, _ in spans if a >= end)])
    return min(left, start), max(right, end)
