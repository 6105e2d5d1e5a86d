"""Untranslated regions of decoded genes, from the UTR track of the network.

From each complete end of a CDS a path runs outward, base by base, through exons and introns. Its
score is the sum of what its bases and splice sites are worth; the best one is the untranslated
region, and where even the best is worth nothing there is none. It may be as long as `REACH` and
never meets a neighbouring gene or its untranslated regions: the space between two genes is divided
so that both together score best.

Everything here is in *outward* coordinates where it says so: base 0 touches the CDS. Scores are
integers on the decoder's grid, so nothing depends on how the sequence was cut into windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.decode.grammar import IMPOSSIBLE
from augustus_dl.decode.native import native
from augustus_dl.encode import BasesOnDemand
from augustus_dl.gene import Interval, Transcript
from augustus_dl.labels import NUM_LABELS, NUM_UTR_LABELS, labels_of, utr_label

__all__ = ["REACH", "UtrTrack", "with_utrs"]

REACH = 20_000
"""Bases from the CDS that an untranslated region may reach, introns included."""
MIN_INTRON = 30

# In nats; measured in docs/experiments.md.
PRIOR = 0.6
"""Added to the log-odds of each base: where a CDS ends for sure, untranslated bases are likelier
than the network says, which does not know that it does."""
INTRON_WEIGHT = 0.2
"""Of the bases of an intron: the network says nearly the same of each."""
SITE_WEIGHT = 5.0
"""Of the log-probabilities of an intron's donor and acceptor."""
SITES = 16.0
"""Added to the sum of the two: in untranslated regions the network takes splice sites for unlikely,
though for likelier than what lies around them."""

_A, _C, _G, _T = range(4)
_DEAD = IMPOSSIBLE // 2
_SITE_COLUMNS = [labels_of(strand, kind) for strand in "+-" for kind in "DA"]


_Locus = list[Transcript]
"""Transcripts of one gene."""


class _Worth(NamedTuple):
    """What an untranslated region is worth, part by part, in outward coordinates; int64 all.

    Attributes:
        exon, intron: [n], of each base as part of an exon and of an intron.
        enter: [n], of an intron whose first base this is; IMPOSSIBLE where no splice site is.
        leave: [n + 1], of an intron whose last base is the one before this.
    """

    exon: np.ndarray
    intron: np.ndarray
    enter: np.ndarray
    leave: np.ndarray


class UtrTrack:
    """What the network says about untranslated regions, for the part of a sequence in use.

    Args:
        codes: base codes of all that is decoded, uint8 [L].
    """

    def __init__(self, codes: np.ndarray | BasesOnDemand) -> None:
        self._codes = codes
        self._start = 0
        self._columns = np.empty((0, NUM_UTR_LABELS + len(_SITE_COLUMNS)), dtype=np.int16)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def held(self) -> int:
        """Bases that take up memory, 26 bytes each."""
        return len(self._columns)

    def taken(self, scores: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Keep the UTR track of scores, and pass the scores of the labels on.

        Args:
            scores: of all of the sequence, in order; int16 [m, 38] each, see `Engine.scores`.

        Yields:
            int16 [m, 29].
        """
        for part in scores:
            sites = [part[:, columns].max(axis=1) for columns in _SITE_COLUMNS]
            columns = np.column_stack([part[:, NUM_LABELS:], *sites])
            self._columns = np.concatenate([self._columns, columns])
            yield np.ascontiguousarray(part[:, :NUM_LABELS])

    def forget(self, before: int) -> None:
        """Give up the memory of all bases left of this one."""
        if before > self._start:
            self._columns = self._columns[before - self._start :].copy()
            self._start = before

    def probability(self, start: int, end: int, label_: int) -> float:
        """Mean probability of a UTR label over these bases."""
        logs = self._columns[start - self._start : end - self._start, label_] / GRID
        return float(np.exp(logs).mean())

    def worth(self, start: int, end: int, strand: str, left: bool) -> _Worth:
        """What the bases from `start` to `end` are worth to a gene on their other side.

        Args:
            strand: of the gene.
            left: the gene lies right of them.
        """
        direction = -1 if left else 1
        columns = self._columns[start - self._start : end - self._start][::direction].astype(
            np.int64
        )
        codes = np.asarray(self._codes[start:end])[::direction]
        prime = "5" if left == (strand == "+") else "3"
        none = columns[:, 0] - round(PRIOR * GRID)
        intron = INTRON_WEIGHT * (columns[:, utr_label(strand, prime, "intron")] - none)
        first = NUM_UTR_LABELS + 2 * "+-".index(strand)
        enter, leave = _splice_sites(
            codes if strand == "+" else 3 - codes, columns[:, first], columns[:, first + 1], prime
        )
        return _Worth(
            columns[:, utr_label(strand, prime, "exon")] - none,
            np.rint(intron).astype(np.int64),
            enter,
            leave,
        )


def with_utrs(batches: Iterable[tuple[int, Iterable[_Locus]]], track: UtrTrack) -> Iterator[_Locus]:
    """The same genes with their untranslated regions, in the order of their first base.

    A gene waits until its right neighbour is known, or that there is none near. What it waits for
    depends on the genes only, not on how the batches are cut.

    Args:
        batches: a base up to which everything is decoded, rising, and the genes that lie left of
            it and in no batch before; at the end the length of the sequence.
        track: reads the scores that the genes are decoded from, and has read them up to that base.
    """
    near: list[_Locus] = []  # genes over one another; their right neighbour is not known yet
    left = 0  # where their untranslated regions may begin
    for decoded, loci in batches:
        for locus in sorted(loci, key=_start):
            if near and _start(locus) >= _end(near):
                border = _border(near, locus, track)
                yield from _finished(near, left, border, track)
                near, left = [], border
            near.append(locus)
        if near and decoded >= _end(near) + 2 * REACH:
            border = _end(near) + REACH
            yield from _finished(near, left, border, track)
            near, left = [], border
        track.forget(min([decoded, *map(_start, near)]) - REACH)
    yield from _finished(near, left, len(track), track)


def _start(locus: _Locus) -> int:
    return min(transcript.start for transcript in locus)


def _end(loci: Iterable[_Locus]) -> int:
    return max(transcript.end for locus in loci for transcript in locus)


def _border(near: Sequence[_Locus], right: _Locus, track: UtrTrack) -> int:
    """Where to divide the space between some genes and their right neighbour."""
    start, end = _end(near), _start(right)
    if end - start >= 2 * REACH:
        return start + REACH
    before = next(t for locus in near for t in locus if t.end == start)
    behind = next(t for t in right if t.start == end)
    from_left = _best_within(before, start, end, track, left=False)
    from_right = _best_within(behind, start, end, track, left=True)
    together = from_left + from_right[::-1]
    best = np.flatnonzero(together == together.max())
    return start + int(best[len(best) // 2])


def _best_within(
    transcript: Transcript, start: int, end: int, track: UtrTrack, left: bool
) -> np.ndarray:
    """What the best untranslated region of a transcript is worth that takes at most so many bases.

    Returns:
        int64 [end - start + 1], rising from 0.
    """
    best = np.zeros(end - start + 1, dtype=np.int64)
    if _is_complete(transcript, left):
        size = min(end - start, REACH)
        start, end = (end - size, end) if left else (start, start + size)
        value, _ = _regions(track.worth(start, end, transcript.strand, left), MIN_INTRON)
        best[: size + 1] = np.maximum.accumulate(value)
        best[size + 1 :] = best[size]
    return best


def _finished(loci: Sequence[_Locus], left: int, right: int, track: UtrTrack) -> Iterator[_Locus]:
    """Genes with untranslated regions that lie between two bases."""
    for locus in loci:
        yield [_with_utrs(transcript, left, right, track) for transcript in locus]


def _with_utrs(transcript: Transcript, left: int, right: int, track: UtrTrack) -> Transcript:
    start, end, strand = transcript.start, transcript.end, transcript.strand
    utr_left: tuple[Interval, ...] = ()
    utr_right: tuple[Interval, ...] = ()
    if _is_complete(transcript, left=True):
        first = min(max(left, start - REACH), start)
        parts = _best_region(track.worth(first, start, strand, left=True))
        utr_left = tuple((start - b, start - a) for a, b in parts[::-1])
    if _is_complete(transcript, left=False):
        last = max(min(right, end + REACH), end)
        parts = _best_region(track.worth(end, last, strand, left=False))
        utr_right = tuple((end + a, end + b) for a, b in parts)
    known_left = bool(utr_left) and utr_left[0][0] > 0
    known_right = bool(utr_right) and utr_right[-1][1] < len(track)
    sides = [(utr_left, known_left), (utr_right, known_right)]
    (utr5, tss), (utr3, tts) = sides if strand == "+" else sides[::-1]
    sampled = transcript.posterior is not None
    return replace(
        transcript,
        utr5=utr5,
        utr3=utr3,
        utr5_posterior=_probabilities(utr5, strand, "5", track) if sampled else (),
        utr3_posterior=_probabilities(utr3, strand, "3", track) if sampled else (),
        tss=tss,
        tts=tts,
        start=-1 if utr_left else start,
        end=-1 if utr_right else end,
    )


def _probabilities(
    parts: Iterable[Interval], strand: str, prime: str, track: UtrTrack
) -> tuple[float, ...]:
    """Of each part to be a UTR exon, base by base; its ends are not judged."""
    label_ = utr_label(strand, prime, "exon")
    return tuple(track.probability(start, end, label_) for start, end in parts)


def _is_complete(transcript: Transcript, left: bool) -> bool:
    first = left == (transcript.strand == "+")
    return transcript.complete5 if first else transcript.complete3


def _splice_sites(
    codes: np.ndarray, donor: np.ndarray, acceptor: np.ndarray, prime: str
) -> tuple[np.ndarray, np.ndarray]:
    """`enter` and `leave` of `_Worth`: introns begin with GT or GC and end with AG.

    Args:
        codes: bases of the gene's strand, outward.
        donor, acceptor: log-probabilities on the grid that they stand on a base.
        prime: "5" where outward is against the direction of the gene, "3" where it is along.
    """
    enter = np.full(len(codes), IMPOSSIBLE, dtype=np.int64)
    leave = np.full(len(codes) + 1, IMPOSSIBLE, dtype=np.int64)
    near, far = codes[:-1], codes[1:]
    bonus = round(SITES * GRID)
    if prime == "3":
        inner, outer = donor, acceptor
        enters, leaves = (near == _G) & ((far == _T) | (far == _C)), (near == _A) & (far == _G)
    else:
        inner, outer = acceptor, donor
        enters, leaves = (near == _G) & (far == _A), ((near == _T) | (near == _C)) & (far == _G)
    at = np.flatnonzero(enters)
    enter[at] = np.rint(SITE_WEIGHT * (inner[at] + bonus))
    at = np.flatnonzero(leaves) + 1
    leave[at + 1] = np.rint(SITE_WEIGHT * outer[at])
    return enter, leave


def _best_region(worth: _Worth) -> list[Interval]:
    """Exons of the best untranslated region in outward coordinates; none when it is worth nothing.

    Of equally good ones it is the shortest.
    """
    value, origin = _regions(worth, MIN_INTRON)
    end = int(value.argmax())
    return _exons(origin, end)


def _exons(origin: np.ndarray, end: int) -> list[Interval]:
    """Exons of the best region that ends before base `end`; see `_regions`."""
    exons = []
    start = end
    while start > 0:
        start -= 1
        if origin[start] >= 0:
            exons.append((start, end))
            start = end = int(origin[start])
    if end:
        exons.append((0, end))
    return exons[::-1]


def _regions(worth: _Worth, min_intron: int) -> tuple[np.ndarray, np.ndarray]:
    """Best regions by their ends.

    Args:
        worth: of n bases.

    Returns:
        value: int64 [n + 1], worth of the best region whose last exon ends before base i; none, at
            base 0, is worth 0.
        origin: int64 [n], where the intron begins that ends before base i, if the best region with
            an exon at base i has one there; else -1.
    """
    n = len(worth.exon)
    value = np.zeros(n + 1, dtype=np.int64)
    origin = np.full(n, -1, dtype=np.int64)
    inside = np.append(0, np.cumsum(worth.intron))
    _outward(worth, inside, min_intron, value, origin)
    return value, origin


@native
def _outward(worth, inside, min_intron, value, origin) -> None:
    """Fill `value` and `origin` of `_regions`, 0 and -1 so far.

    Args:
        inside: int64 [n + 1], worth of all bases before i as intron.
    """
    best, opened = IMPOSSIBLE, -1  # the best open intron that may end, and where it begins
    for i in range(len(origin)):
        young = i - min_intron
        if young >= 0 and worth.enter[young] > _DEAD:
            score = value[young] + worth.enter[young] - inside[young]
            if score > best:
                best, opened = score, young
        score = value[i]
        if best > _DEAD and worth.leave[i] > _DEAD and best + inside[i] + worth.leave[i] > score:
            score = best + inside[i] + worth.leave[i]
            origin[i] = opened
        value[i + 1] = score + worth.exon[i]
