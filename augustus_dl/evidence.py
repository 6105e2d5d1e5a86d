"""Evidence for and against a transcript: what AUGUSTUS prints behind it when there are hints.

Owns what is counted; `io.writers` owns the text.
"""

from __future__ import annotations

from dataclasses import dataclass

from augustus_dl.gene import Transcript

__all__ = ["Evidence", "GroupCount", "PartCount", "no_evidence"]


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


def no_evidence(transcript: Transcript) -> Evidence:
    """Evidence of a transcript without hints: its parts are counted, none is supported."""
    return Evidence(
        cds_exons=PartCount(total=len(transcript.cds)),
        cds_introns=PartCount(total=len(transcript.introns)),
        utr5=PartCount(total=len(transcript.utr5) + len(transcript.utr5_introns)),
        utr3=PartCount(total=len(transcript.utr3) + len(transcript.utr3_introns)),
    )
