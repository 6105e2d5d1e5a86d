"""The hints of a run, made ready sequence by sequence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from augustus_dl.alternatives import ParseHints
from augustus_dl.decode.bonus import FULL, Strength, hint_stage
from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.decode.increments import Stage
from augustus_dl.encode import codes_on_demand, mask_on_demand
from augustus_dl.hinted_introns import HintedIntrons
from augustus_dl.hints import Extrinsic, HintCollection, HintGroups
from augustus_dl.io.fasta import Contig
from augustus_dl.unheeded_hints import UnheededHints, UnheededOptions

__all__ = ["RunHints"]

_USUAL_PAIRS = ("GTAG", "GCAG")
_ROOM = 4_000_000
"""Bases of sequences whose groups are kept: prediction may be some sequences ahead of printing."""


@dataclass(frozen=True)
class RunHints:
    """Hints with what they are worth.

    Attributes:
        path: of the hints file, as the user named it; None where soft-masking is all there is.
        collection: its hints, in coordinates of the part of a sequence that is predicted.
        grouping: what decides which of them can be obeyed.
        softmasking: soft-masked bases are hints, too.
        offset: first base of that part.
        unheeded: what decides about alternatives from evidence; None for none.
    """

    path: str | os.PathLike | None
    extrinsic: Extrinsic
    collection: HintCollection
    grouping: GroupingOptions
    softmasking: bool
    offset: int = 0
    unheeded: UnheededOptions | None = None
    _kept: _Kept = field(default_factory=lambda: _Kept(), repr=False)

    @property
    def change_scores(self) -> bool:
        """Not so where soft-masked bases are all, and worth what the network makes of them."""
        return self.path is not None or bool(self.stages(Contig("", b"a" * (self.offset + 4))))

    def stages(
        self, contig: Contig, end: int | None = None, strength: Strength = FULL
    ) -> tuple[Stage, ...]:
        """What adds the hints of a sequence to its scores; see `groups`. Its stretches begin where
        the predicted part does.

        Args:
            strength: see `decode.bonus`.
        """
        stage = hint_stage(
            self.groups(contig, end),
            self.extrinsic,
            codes_on_demand(contig.sequence)[self.offset : end],
            malus=len(self.collection.rows) > 0,  # a file without hints changes nothing
            strength=strength,
            hinted_pairs=[pair for pair in self.grouping.splice_pairs if pair not in _USUAL_PAIRS],
        )
        return (stage,) if stage else ()

    def of_parses(
        self, contig: Contig, end: int | None = None, strength: Strength = FULL
    ) -> ParseHints | None:
        """What the hints of a sequence ask of whole parses; None where that is nothing. Arguments
        as of `stages`.
        """
        groups = self.groups(contig, end)
        introns = HintedIntrons(groups, self.extrinsic, strength)
        unheeded = UnheededHints(groups, self.unheeded) if self.unheeded else None
        return ParseHints(introns, unheeded or None) if introns or unheeded else None

    def groups(self, contig: Contig, end: int | None = None) -> HintGroups:
        """The hints of a sequence, in groups; those asked for last are kept.

        Args:
            end: of the part that is predicted; None for the end of the sequence.
        """
        kept = self._kept.find(contig, end)
        if kept is not None:
            return kept
        part = slice(self.offset, end)
        codes = codes_on_demand(contig.sequence)[part]
        masked = mask_on_demand(contig.sequence)[part] if self.softmasking else None
        hints = self.collection.of(contig.name)
        found = group_hints(hints, codes, masked, self.extrinsic, self.grouping)
        self._kept.add(contig, end, found)
        return found


class _Kept:
    """The groups of sequences asked for last."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int | None], tuple[Contig, HintGroups]] = {}
        self._bases = 0

    def find(self, contig: Contig, end: int | None) -> HintGroups | None:
        _, found = self._found.get((id(contig), end), (None, None))
        return found

    def add(self, contig: Contig, end: int | None, groups: HintGroups) -> None:
        """Keep groups; the contig is kept alive, so that no other one has its identity."""
        self._found[id(contig), end] = contig, groups
        self._bases += len(contig.sequence)
        while self._bases > _ROOM and len(self._found) > 1:
            oldest, _ = self._found.pop(next(iter(self._found)))
            self._bases -= len(oldest.sequence)
