"""Accuracy of a prediction on annotated loci, counted by AUGUSTUS's rules.

`augustus_dl.evaluate` is the scorer of this project. This one exists because pipelines compare the
numbers that AUGUSTUS prints for GenBank input; `augustus_dl.io.accuracy_report` prints them. It
differs: genes are transcripts, a predicted transcript counts as found only when it is complete,
nothing is left out of judgement, and untranslated regions are judged, too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from augustus_dl.evaluate import Level
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.intervals import difference, intersection, size, touched, union

__all__ = ["NEAR", "AugustusAccuracy", "EndDistances", "ExonCounts"]

NEAR = 20
"""Bases by which both ends of a UTR exon may be off."""


@dataclass(slots=True)
class ExonCounts:
    """Exons, distinct ones on each strand of each locus.

    Attributes:
        predicted, annotated: how many there are.
        false, missed: predicted and annotated ones by how they fit the other side at best: "exact",
            "near" (both ends at most NEAR bases off), "partial" (one end exact), "overlapping" or
            "wrong".
    """

    predicted: int = 0
    annotated: int = 0
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def add(self, annotated: set[Interval], predicted: set[Interval]) -> None:
        """Count the exons of one strand."""
        self.predicted += len(predicted)
        self.annotated += len(annotated)
        self.false += _fits(predicted, annotated)
        self.missed += _fits(annotated, predicted)


@dataclass(slots=True)
class EndDistances:
    """How far transcript ends, all 5' ones or all 3' ones, are off.

    Attributes:
        predicted: predicted transcripts with such an end: they reach beyond their coding sequence,
            by an untranslated region with a known end or by an intron that the sequence cuts.
        distances: bases between the predicted and the annotated end to their number, for all pairs
            whose coding sequences end at the same base on this side.
    """

    LIMIT = 5000
    """Larger distances count as this one."""

    predicted: int = 0
    distances: Counter[int] = field(default_factory=Counter)

    @property
    def pairs(self) -> int:
        return self.distances.total()

    @property
    def beyond(self) -> int:
        """Number of distances above the limit."""
        return sum(count for distance, count in self.distances.items() if distance > self.LIMIT)

    @property
    def mean(self) -> float:
        """In bases; -1 when there is no pair."""
        if not self.distances:
            return -1.0
        total = sum(min(distance, self.LIMIT) * n for distance, n in self.distances.items())
        return total / self.pairs

    @property
    def median(self) -> int:
        """The lower one, in bases; -1 when there is no pair or it is above the limit."""
        seen = 0
        for distance, count in sorted(self.distances.items()):
            seen += count
            if 2 * seen >= self.pairs:
                return distance if distance <= self.LIMIT else -1
        return -1

    def add(self, annotated: Iterable[_End], predicted: Iterable[_End]) -> None:
        """Count the transcript ends of one strand."""
        known: dict[int, list[int]] = {}
        for end in annotated:
            if end.known or end.coding != end.transcript:
                known.setdefault(end.coding, []).append(end.transcript)
        for end in predicted:
            if end.known:
                self.predicted += 1
                others = known.get(end.coding, ())
                self.distances.update(abs(end.transcript - other) for other in others)


@dataclass(slots=True)
class AugustusAccuracy:
    """All counts over all loci.

    Attributes:
        strands: "+-", or the only one that is predicted on and judged.
        loci: number of sequences.
        bases, utr_bases: coding and untranslated bases, each strand by itself.
        utr_bases_inside: wrongly predicted untranslated bases between the first and the last base
            of the annotated genes.
        predicted_exons, annotated_exons: coding exons, once for each transcript.
        exons, utr_exons: distinct ones, coding and untranslated.
        transcripts: `reference` counts all annotated ones, `predicted` distinct ones.
        tss, tts: starts and ends of transcription.
    """

    strands: str = "+-"
    loci: int = 0
    bases: Level = field(default_factory=Level)
    predicted_exons: int = 0
    annotated_exons: int = 0
    exons: ExonCounts = field(default_factory=ExonCounts)
    transcripts: Level = field(default_factory=Level)
    tss: EndDistances = field(default_factory=EndDistances)
    tts: EndDistances = field(default_factory=EndDistances)
    utr_exons: ExonCounts = field(default_factory=ExonCounts)
    utr_bases: Level = field(default_factory=Level)
    utr_bases_inside: int = 0

    def add(self, annotated: Iterable[Gene], predicted: Iterable[Gene]) -> None:
        """Judge the genes predicted on one locus."""
        known = [t for gene in annotated for t in gene.transcripts]
        called = [t for gene in predicted for t in gene.transcripts]
        inside = _span(known) if known else union((0, t.end) for t in called)
        self.loci += 1
        for strand in self.strands:
            self._add_strand(
                [t for t in known if t.strand == strand],
                [t for t in called if t.strand == strand],
                inside,
            )

    def _add_strand(
        self, known: list[Transcript], called: list[Transcript], inside: np.ndarray
    ) -> None:
        exons, called_exons = ([exon for t in side for exon in t.cds] for side in (known, called))
        self.annotated_exons += len(exons)
        self.predicted_exons += len(called_exons)
        self.exons.add(set(exons), set(called_exons))
        _add_bases(self.bases, exons, called_exons)
        self._add_transcripts(known, called)

        self.tss.add(map(_five_prime, known), map(_five_prime, called))
        self.tts.add(map(_three_prime, known), map(_three_prime, called))
        utrs, called_utrs = (
            [utr for t in s for utr in (*t.utr5, *t.utr3)] for s in (known, called)
        )
        self.utr_exons.add(set(utrs), set(called_utrs))
        wrong = _add_bases(self.utr_bases, utrs, called_utrs)
        self.utr_bases_inside += size(intersection(wrong, inside))

    def _add_transcripts(self, known: list[Transcript], called: list[Transcript]) -> None:
        whole = {t.cds for t in called if t.complete5 and t.complete3}
        found = sum(t.cds in whole for t in known)
        self.transcripts.reference += len(known)
        self.transcripts.predicted += len({(t.cds, t.introns, t.utr5, t.utr3) for t in called})
        self.transcripts.found += found
        self.transcripts.right += found


class _End(NamedTuple):
    """One side of a transcript: where its coding sequence and where it ends itself.

    `known` is False without an untranslated region, and for one that may go on.
    """

    coding: int
    transcript: int
    known: bool


def _five_prime(transcript: Transcript) -> _End:
    if transcript.strand == "+":
        coding, end = transcript.cds[0][0], transcript.start
    else:
        coding, end = transcript.cds[-1][1], transcript.end
    return _End(coding, end, transcript.tss or (coding != end and not transcript.utr5))


def _three_prime(transcript: Transcript) -> _End:
    if transcript.strand == "+":
        coding, end = transcript.cds[-1][1], transcript.end
    else:
        coding, end = transcript.cds[0][0], transcript.start
    return _End(coding, end, transcript.tts or (coding != end and not transcript.utr3))


def _span(transcripts: list[Transcript]) -> np.ndarray:
    """The bases from the first to the last one of any transcript, as a set."""
    return union([(min(t.start for t in transcripts), max(t.end for t in transcripts))])


def _add_bases(level: Level, annotated: list[Interval], predicted: list[Interval]) -> np.ndarray:
    """Count bases; what is wrongly predicted is returned, as a set."""
    reference, called = union(annotated), union(predicted)
    both = size(intersection(reference, called))
    level.reference += size(reference)
    level.predicted += size(called)
    level.found += both
    level.right += both
    return difference(called, reference)


def _fits(exons: set[Interval], others: set[Interval]) -> Counter[str]:
    """Number of exons by how each fits the best of the others; see `ExonCounts`."""
    ordered, ranked = sorted(exons), sorted(others)
    starts, ends = {start for start, _ in others}, {end for _, end in others}
    overlaps = touched(np.array(ordered, dtype=np.int64).reshape(-1, 2), union(others))
    fits: Counter[str] = Counter()
    for exon, overlapping in zip(ordered, overlaps, strict=True):
        if exon in others:
            fits["exact"] += 1
        elif _is_near(exon, ranked):
            fits["near"] += 1
        elif exon[0] in starts or exon[1] in ends:
            fits["partial"] += 1
        else:
            fits["overlapping" if overlapping else "wrong"] += 1
    return fits


def _is_near(exon: Interval, others: list[Interval]) -> bool:
    """Does one of the others, sorted, differ by at most NEAR bases at each end?"""
    start, end = exon
    first = bisect_left(others, (start - NEAR, 0))
    last = bisect_left(others, (start + NEAR + 1, 0))
    return any(abs(other - end) <= NEAR for _, other in others[first:last])
