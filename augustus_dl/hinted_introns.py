"""Hinted introns as wholes: what an intron with one end of a hinted one must not keep.

Scores of single labels can say what either end of a hinted intron is worth (`decode.bonus`), but
not that both belong together: an intron from another donor to a hinted acceptor gets half of the
bonus. So a parse is looked through for such introns, each pays back at its other end what it got,
and the stretch is parsed again, until there are none. What is then best is so with bonuses that
are paid for whole introns only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.bonus import FULL, Strength, hinted_intron_ends
from augustus_dl.gene import Transcript
from augustus_dl.hints import Extrinsic, HintGroups, HintType
from augustus_dl.labels import labels_of

__all__ = ["HintedIntrons", "Repayment"]


class Repayment(NamedTuple):
    """What an intron with only one hinted end pays back.

    Attributes:
        base: its other end.
        labels: boundary labels there, that lose `value`, on the grid of the scores.
        start, end: what the introns span that were hinted with its hinted end, itself included.
    """

    base: int
    labels: tuple[int, ...]
    value: int
    start: int
    end: int


class HintedIntrons:
    """The hinted introns of one sequence. Arguments as of `decode.bonus.hint_stage`."""

    def __init__(self, groups: HintGroups, extrinsic: Extrinsic, strength: Strength = FULL) -> None:
        self._ends = hinted_intron_ends(groups, extrinsic, strength)
        rows = groups.hints.rows
        rows = rows[rows["type"] == HintType.intron]
        start, last = rows["start"], rows["end"] - 1
        by_start, by_last = np.lexsort((last, start)), np.lexsort((start, last))
        self._other = {
            True: (start[by_start], last[by_start]),
            False: (last[by_last], start[by_last]),
        }

    def __bool__(self) -> bool:
        """Are there any?"""
        return any(len(at) for at, _ in self._ends.values())

    def repayments(self, transcripts: Iterable[Transcript]) -> set[Repayment]:
        """What the introns of some transcripts pay back."""
        return {
            repayment
            for transcript in transcripts
            for intron in transcript.introns
            if (repayment := self._repayment(transcript.strand, *intron))
        }

    def _repayment(self, strand: str, start: int, end: int) -> Repayment | None:
        left, right = self._worth(strand, True, start), self._worth(strand, False, end - 1)
        if bool(left) == bool(right):
            return None
        base = end - 1 if left else start
        kind = "A" if bool(left) == (strand == "+") else "D"
        labels = labels_of(strand, kind)
        hinted, others = self._other[bool(left)]
        mine = start if left else end - 1
        low, high = np.searchsorted(hinted, mine), np.searchsorted(hinted, mine, side="right")
        partners = others[low:high].tolist()
        return Repayment(
            base, labels, left or right, min([start, *partners]), max([end - 1, *partners]) + 1
        )

    def _worth(self, strand: str, at_left: bool, base: int) -> int:
        at, values = self._ends[strand, at_left]
        place = int(np.searchsorted(at, base))
        return int(values[place]) if place < len(at) and at[place] == base else 0
