"""Annotation to training labels, of the structure track and of the UTR track.

Bases whose label is doubtful are MASKED, never called intergenic.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from augustus_dl.encode import N
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io.annotation import Mask
from augustus_dl.labels import MASKED, to_labels, to_utr_labels
from augustus_dl.validity import faults

__all__ = ["label_contig", "label_utrs"]

_UNKNOWN_UTR = 1500
"""Bases beside a coding sequence that may well be UTR where the annotation says nothing."""


def label_contig(
    genes: Iterable[Gene], masks: Iterable[Mask], codes: np.ndarray, code: GeneticCode
) -> np.ndarray:
    """Training labels of one sequence; uint8 [L], MASKED where the truth is doubtful.

    Doubtful are: given masks, N, genes without one valid complete transcript, coding bases of
    faulty isoforms, bases on which valid isoforms disagree with the longest, and everywhere two
    genes overlap.
    """
    labels = np.zeros(len(codes), dtype=np.uint8)
    covered = np.zeros(len(codes), dtype=np.uint8)
    doubtful = codes == N
    for start, end, _ in masks:
        doubtful[start:end] = True
    for gene in genes:
        _label_gene(gene, codes, code, labels, covered, doubtful)
    doubtful |= covered > 1
    labels[doubtful] = MASKED
    return labels


def _label_gene(
    gene: Gene,
    codes: np.ndarray,
    code: GeneticCode,
    labels: np.ndarray,
    covered: np.ndarray,
    doubtful: np.ndarray,
) -> None:
    """Write one gene's labels, count its cover, and mark what is doubtful about it."""
    valid = [t for t in gene.transcripts if _trusted(t, codes, code)]
    start, end = gene.start, min(gene.end, len(codes))
    if not valid:
        doubtful[start:end] = True
        covered[start:end] += 1
        return
    main = max(valid, key=lambda t: t.coding_length)
    own = _path(main, start, end)
    for other in valid:
        doubtful[start:end] |= _path(other, start, end) != own
    for transcript in gene.transcripts:
        if transcript not in valid:
            for a, b in transcript.cds:
                doubtful[a:b] |= own[a - start : b - start] == 0
    labels[main.start : main.end] = own[main.start - start : main.end - start]
    covered[main.start : main.end] += covered[main.start : main.end] < 2


def _trusted(transcript: Transcript, codes: np.ndarray, code: GeneticCode) -> bool:
    complete = transcript.complete5 and transcript.complete3
    return complete and transcript.end <= len(codes) and not faults(transcript, codes, code)


def _path(transcript: Transcript, start: int, end: int) -> np.ndarray:
    return to_labels([transcript.shifted(-start)], end - start)


def label_utrs(genes: Iterable[Gene], masks: Iterable[Mask], codes: np.ndarray) -> np.ndarray:
    """UTR track of one sequence; uint8 [L], MASKED where the truth is doubtful.

    A gene's track is that of its transcript with the longest CDS, then the longest UTRs. Doubtful
    are: given masks, N, where other transcripts of the gene or other genes' UTRs say something
    else, the neighbourhood of a CDS whose UTR on that side is not given, and genes that leave the
    sequence.
    """
    track = np.zeros(len(codes), dtype=np.uint8)
    doubtful = codes == N
    for start, end, _ in masks:
        doubtful[start:end] = True
    for gene in genes:
        if gene.end > len(codes):
            doubtful[gene.start :] = True
        else:
            _label_utrs_of_gene(gene, track, doubtful)
    track[doubtful] = MASKED
    return track


def _label_utrs_of_gene(gene: Gene, track: np.ndarray, doubtful: np.ndarray) -> None:
    """Write one gene's UTRs into the track, and mark what is doubtful about them."""
    start, end = gene.start, gene.end
    paths = {t: to_utr_labels(t.shifted(-start), end - start) for t in gene.transcripts}
    main = max(paths, key=lambda t: (t.coding_length, np.count_nonzero(paths[t])))
    own, others = paths[main], track[start:end]
    for path in paths.values():
        doubtful[start:end] |= path != own
    doubtful[start:end] |= (others != 0) & (own != 0) & (others != own)
    track[start:end] = np.where(own, own, others)
    left, right = main.cds[0][0], main.cds[-1][1]
    if not main.left_utr:
        doubtful[max(0, left - _UNKNOWN_UTR) : left] = True
    if not main.right_utr:
        doubtful[right : right + _UNKNOWN_UTR] = True
