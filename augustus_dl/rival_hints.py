"""Alternatives from evidence: which further parses hints that contradict each other ask for.

A gene can obey only one of two rivals. After the first parse, which sees all hints, each group of
hints that was not obeyed and has rivals gets a parse of its own without them, of the stretch around
it. What comes of these parses are further transcripts. The rules are AUGUSTUS's; parsing and
joining is the business of `alternatives`.

In such a parse the hints for the sake of which it is made count as wholes, and for more.
`decode.bonus` gives half of the bonus to a parse that has one end of a hinted intron or exon right;
here more than that is taken away from parses with another end inside, or that go on over the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.bonus import FULL, Strength
from augustus_dl.decode.config import GRID
from augustus_dl.decode.hint_relations import contradict
from augustus_dl.decode.increments import LIMIT, Stage
from augustus_dl.errors import OptionError
from augustus_dl.evidence import evidence, obeyed
from augustus_dl.gene import Transcript
from augustus_dl.hints import MASK_PROGRAM, SPELLINGS, HintGroups, HintType
from augustus_dl.intervals import union
from augustus_dl.labels import LABELS, NUM_LABELS

__all__ = ["FurtherParse", "RivalHints", "RivalOptions", "stretches"]

_PADDING = 2000
"""Bases that a further parse may look at beside what is already known to be a gene."""
_FEWEST, _BASES_FOR_ONE = 10, 2000
"""Further parses of a region, and for how many bases one more; millions of hints must not take
longer than the network."""
_BESIDE = 3
"""Bases beside a hint that its labels may stand on, and one more."""
_CONTRADICTION = 2.0
"""How many bonuses of a hint are lost where a parse that is made for its sake contradicts it. Half
of one would make up for what a right end gets; docs/experiments.md has the measurement."""
_BOUNDED = {
    HintType.intron: ("D A", "I"),
    HintType.exon: ("D A START STOP", "C"),
    HintType.CDS: ("D A START STOP", "C"),
}
"""Labels that contradict an exact hint: those inside it, and those at its ends."""


@dataclass(frozen=True)
class RivalOptions:
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
    """A stretch to parse again without some hints.

    Attributes:
        start, end: the stretch.
        causing: groups for the sake of which it is parsed.
        omitted: their rivals.
    """

    start: int
    end: int
    causing: tuple[int, ...]
    omitted: tuple[int, ...]


class RivalHints:
    """The rivals among the hints of one sequence.

    Args:
        groups: all its hints.
        stage: what adds groups of hints to scores; None where they change nothing.
        strength: what it raises bonuses and maluses to.
    """

    def __init__(
        self,
        groups: HintGroups,
        stage: Callable[[HintGroups], Stage | None],
        options: RivalOptions,
        strength: Strength = FULL,
    ) -> None:
        self._groups, self._stage, self._options = groups, stage, options
        self._strength = strength
        rows, first = groups.hints.rows, groups.first
        self._rows = [rows[name].astype(np.int64) for name in ("type", "start", "end", "strand")]
        if not len(rows):
            self._contested = np.zeros(0, dtype=bool)
            return
        own = np.ones(len(rows), dtype=bool)
        if MASK_PROGRAM in groups.hints.programs:
            own = rows["program"] != groups.hints.programs.index(MASK_PROGRAM)
        causing = own & np.isin(rows["type"], [*options.causes])
        any_of = [
            np.logical_or.reduceat(flags, first[:-1])
            for flags in (own, causing, groups.contradicting > 0)
        ]
        self._given = any_of[0]
        self._contested = any_of[1] & any_of[2]

    def __bool__(self) -> bool:
        """May there be further parses?"""
        return bool(self._contested.any())

    def obeyed(self, transcript: Transcript) -> set[int]:
        """Groups that a transcript obeys."""
        return set(obeyed(transcript, self._groups).tolist())

    def parses(
        self, start: int, end: int, transcripts: Sequence[Transcript]
    ) -> Iterator[FurtherParse]:
        """Further parses of a region, one for each set of rivals, those of hints seen most often
        first; a bounded number of them.

        Args:
            start, end: the region; it cuts no gene.
            transcripts: what is known in it.
        """
        groups = self._groups
        near = groups.overlapping(start, end)
        inside = (groups.begin[near] >= start) & (groups.end[near] <= end)
        causing: dict[tuple[int, ...], list[int]] = {}
        for group in near[inside & self._contested[near]].tolist():
            rivals = self._rivals(group)
            if rivals:
                causing.setdefault(rivals, []).append(group)
        often = sorted(causing.items(), key=lambda item: -groups.mult[item[1]].max())
        for omitted, those in often[: _FEWEST + (end - start) // _BASES_FOR_ONE]:
            span = int(groups.begin[those].min()), int(groups.end[those].max())
            around = _around(span, (start, end), transcripts)
            yield FurtherParse(*around, tuple(those), omitted)

    def _rivals(self, group: int) -> tuple[int, ...]:
        """Groups that contradict a group; none where one of them has a higher priority."""
        groups = self._groups
        rivals = [
            other
            for other in groups.overlapping(groups.begin[group], groups.end[group]).tolist()
            if other != group and self._given[other] and self._contradict(group, other)
        ]
        own = groups.priority[group]
        overruled = own >= 0 and any(groups.priority[other] > own for other in rivals)
        return () if overruled else tuple(rivals)

    def _contradict(self, one: int, other: int) -> bool:
        first = self._groups.first
        return contradict(*self._rows, first[one], first[one + 1], first[other], first[other + 1])

    def change(self, parse: FurtherParse) -> np.ndarray:
        """What the scores of a stretch change by in its further parse; int32 [n, 29]."""
        groups, change = self._groups, np.zeros((parse.end - parse.start, NUM_LABELS), np.int32)
        omitted = np.array(parse.omitted)
        low = max(groups.begin[omitted].min() - _BESIDE, parse.start)
        high = min(groups.end[omitted].max() + _BESIDE, parse.end)
        near = groups.overlapping(low, high)
        left = near[~np.isin(near, omitted)]
        change[low - parse.start : high - parse.start] = self._added(left, low, high)
        change[low - parse.start : high - parse.start] -= self._added(near, low, high)
        rows = groups.select(np.array(parse.causing)).hints.rows
        losses = np.log(rows["bonus"]) * self._strength.bonus * _CONTRADICTION * GRID
        for hint, loss in zip(rows, np.rint(np.minimum(losses, LIMIT * GRID)), strict=True):
            for strand in "+-":
                if hint["type"] in _BOUNDED and hint["strand"] in (0, 1 if strand == "+" else -1):
                    _count_as_whole(change, hint, strand, parse.start, int(loss))
        return change

    def _added(self, chosen: np.ndarray, start: int, end: int) -> np.ndarray:
        """What some groups add to the scores of some bases; int32 [n, 29]."""
        nothing = np.zeros((end - start, NUM_LABELS), dtype=np.int32)
        stage = self._stage(self._groups.select(chosen))
        if stage is None:
            return nothing
        (stretch,) = stage(iter([_Stretch(nothing, start)]))
        return stretch.scores

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


class _Stretch(NamedTuple):
    """What a stage reads; see `predict.Stretch`."""

    scores: np.ndarray
    start: int


def _count_as_whole(change: np.ndarray, hint: np.void, strand: str, offset: int, loss: int) -> None:
    """Take `loss` from parses that have an end inside a hint or go on over one of its ends.

    Args:
        change: int32 [n, 29], of a stretch from base `offset` on; written.
    """
    inside, across = _BOUNDED[HintType(hint["type"])]
    start, end = int(hint["start"]) - offset, int(hint["end"]) - offset
    change[max(start + 1, 0) : max(end - 1, 0), _numbers(strand, inside)] -= loss
    outside = hint["type"] != HintType.intron
    for base in (start - outside, end - 1 + outside):
        if 0 <= base < len(change):
            change[base, _numbers(strand, across)] -= loss


def _numbers(strand: str, kinds: str) -> list[int]:
    """Numbers of the labels of some kinds, all phases."""
    return [
        number
        for number, name in enumerate(LABELS)
        if name[0] == strand and name[1:].rstrip("012") in kinds.split()
    ]


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
