"""How predicted genes differ from the reference: one kind for each gene, and the faults behind it.

Only coding sequence counts. Coordinates are 0-based and half-open; 5' and 3' are those of the
transcript. A fault is one place where two transcripts of one strand disagree:

    start, stop        the end of the coding sequence, with exons beyond what both have
    missed exon        an inner exon of the reference that no predicted exon overlaps
    extra exon         an inner predicted exon that no exon of the reference overlaps
    splice site        a donor or acceptor that lies elsewhere, with its distance in bases
    missed intron      one predicted exon where the reference has several
    extra intron       several predicted exons where the reference has one
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.intervals import intersection, size, touched, union

__all__ = ["FAULTS", "KINDS", "Difference", "Fault", "differences", "faults_between"]

FAULTS = (
    *("start", "stop", "missed exon", "extra exon", "splice site"),
    *("missed intron", "extra intron"),
)
KINDS = ("exact", *FAULTS, "several", "split", "fused", "strand", "missed", "false")
"""Of a difference: exact; one kind of fault; several kinds; split, predicted as several genes;
fused, predicted together with another gene; strand, only predicted on the other one; missed, no
coding base predicted; false, predicted where the reference has no coding base."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement.

    Attributes:
        kind: one of FAULTS.
        shift: bases by which a boundary lies further 3' than in the reference, for `splice site`,
            and for `start` and `stop` within a shared exon; else 0.
    """

    kind: str
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A reference gene and what was predicted for it, or a false gene.

    Attributes:
        kind: one of KINDS.
        reference: the transcript that is nearest to the prediction; None for a false gene.
        predicted: the nearest transcript of each predicted gene that shares coding bases, on
            either strand; empty when missed.
        faults: those of the nearest predicted transcript; empty unless one gene stands against
            one.
    """

    kind: str
    reference: Transcript | None
    predicted: tuple[Transcript, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def span(self) -> Interval:
        """From the first to the last base of all transcripts."""
        known = (self.reference,) if self.reference else ()
        transcripts = (*known, *self.predicted)
        return min(t.start for t in transcripts), max(t.end for t in transcripts)


def differences(
    reference: Sequence[Sequence[Transcript]], predicted: Sequence[Gene], doubtful: np.ndarray
) -> Iterator[Difference]:
    """Compare the genes of one sequence: reference genes in their order, then false ones.

    Args:
        reference: for each gene its transcripts; see `evaluate.Truth`.
        doubtful: int64 [n, 2] bases on which a gene is not called false.
    """
    genes = [[*gene.transcripts] for gene in predicted]
    partners: dict[int, list[int]] = {}
    known: dict[int, list[int]] = {}
    exact: set[int] = set()
    for i, j in _overlapping(reference, genes):
        partners.setdefault(i, []).append(j)
        if reference[i][0].strand == genes[j][0].strand:
            known.setdefault(j, []).append(i)
            exact |= {i} if not _nearest(reference[i], genes[j])[2] else set()
    for i, transcripts in enumerate(reference):
        found = partners.get(i, [])
        own = [j for j in found if i in known.get(j, [])]
        others = {k for j in own for k in known[j]} - exact - {i}
        yield _difference(
            transcripts, [genes[j] for j in found], [genes[j] for j in own], bool(others)
        )
    matched = {j for found in partners.values() for j in found}
    for j, transcripts in enumerate(genes):
        if j not in matched and not touched(_exons(transcripts), doubtful).any():
            yield Difference("false", None, (_longest(transcripts),))


def _difference(
    transcripts: Sequence[Transcript],
    found: list[list[Transcript]],
    own: list[list[Transcript]],
    shared: bool,
) -> Difference:
    """The difference of one reference gene.

    Args:
        found, own: predicted genes with coding bases of it; those on its strand.
        shared: these have coding bases of another gene, which is not exact either.
    """
    if not own:
        kind = "strand" if found else "missed"
        return Difference(kind, _longest(transcripts), tuple(map(_longest, found)))
    choices = [_nearest(transcripts, gene) for gene in own]
    known, best, faults = min(choices, key=lambda choice: _distance(*choice))
    if not faults:
        return Difference("exact", known, (best,))
    predicted = (best, *(_longest(gene) for gene in found if best not in gene))
    if len(own) > 1 or shared:
        return Difference("split" if len(own) > 1 else "fused", known, predicted)
    kinds = {fault.kind for fault in faults}
    return Difference(kinds.pop() if len(kinds) == 1 else "several", known, predicted, faults)


def faults_between(reference: Transcript, predicted: Transcript) -> tuple[Fault, ...]:
    """All faults of a predicted transcript that shares coding bases with the reference's.

    Empty when both have the same coding intervals. Both lie on one strand.
    """
    if reference.strand == "-":
        length = max(reference.end, predicted.end)
        return faults_between(reference.mirrored(length), predicted.mirrored(length))
    known, found = reference.cds, predicted.cds
    shared = [(i, j) for i, a in enumerate(known) for j, b in enumerate(found) if _meet(a, b)]
    first, last = shared[0], shared[-1]
    faults = [*_inner_faults(known, found, shared)]
    faults += _end_fault("start", first == (0, 0), found[0][0] - known[0][0])
    ends = last == (len(known) - 1, len(found) - 1)
    faults += _end_fault("stop", ends, found[-1][1] - known[-1][1])
    for i, j in shared:  # boundaries that are splice sites in both
        alone = [a for a, b in shared if b == j] == [i] and [b for a, b in shared if a == i] == [j]
        if not alone:
            continue
        if i and j and (shift := found[j][0] - known[i][0]):
            faults.append(Fault("splice site", shift))
        last_ones = i == len(known) - 1 or j == len(found) - 1
        if not last_ones and (shift := found[j][1] - known[i][1]):
            faults.append(Fault("splice site", shift))
    return tuple(faults)


def _inner_faults(
    known: Sequence[Interval], found: Sequence[Interval], shared: list[tuple[int, int]]
) -> Iterator[Fault]:
    """Exons and introns between the first and the last shared exon that only one side has."""
    sides = (("missed exon", "extra intron"), ("extra exon", "missed intron"))
    for side, (kind, intron) in enumerate(sides):
        met = [pair[side] for pair in shared]
        yield from (Fault(kind) for i in range(met[0], met[-1]) if i not in met)
        yield from (Fault(intron) for _ in range(len(met) - len(set(met))))


def _end_fault(kind: str, same_exon: bool, shift: int) -> list[Fault]:
    """The fault of one end of the coding sequence, if it is one."""
    return [Fault(kind, shift if same_exon else 0)] if shift or not same_exon else []


def _nearest(
    reference: Sequence[Transcript], predicted: Sequence[Transcript]
) -> tuple[Transcript, Transcript, tuple[Fault, ...]]:
    """The two transcripts with common bases and the fewest faults, and those."""
    choices = [
        (known, found, faults_between(known, found))
        for known in reference
        for found in predicted
        if any(_meet(a, b) for a in known.cds for b in found.cds)
    ]
    return min(choices, key=lambda choice: _distance(*choice))


def _distance(reference: Transcript, predicted: Transcript, faults: Sequence[Fault]) -> tuple:
    """Smaller is nearer: fewer faults, then more common bases."""
    return len(faults), -size(intersection(union(reference.cds), union(predicted.cds)))


def _overlapping(
    reference: Sequence[Sequence[Transcript]], genes: Sequence[Sequence[Transcript]]
) -> list[tuple[int, int]]:
    """(reference gene, predicted gene) with a common coding base, on whatever strands; sorted."""
    coding = [union(map(tuple, _exons(transcripts))) for transcripts in genes]
    starts = np.array([bases[0, 0] for bases in coding], dtype=np.int64)
    ends = np.array([bases[-1, 1] for bases in coding], dtype=np.int64)
    pairs = []
    for number, transcripts in enumerate(reference):
        exons = _exons(transcripts)
        near = np.flatnonzero((starts < exons[:, 1].max()) & (ends > exons[:, 0].min()))
        pairs += [(number, int(j)) for j in near if touched(exons, coding[j]).any()]
    return pairs


def _exons(transcripts: Sequence[Transcript]) -> np.ndarray:
    """Coding intervals of all transcripts; int64 [n, 2]."""
    return np.array([exon for t in transcripts for exon in t.cds], dtype=np.int64)


def _longest(transcripts: Sequence[Transcript]) -> Transcript:
    return max(transcripts, key=lambda transcript: transcript.coding_length)


def _meet(left: Interval, right: Interval) -> bool:
    return left[0] < right[1] and right[0] < left[1]
