"""Label path to transcripts, piece by piece, without holding a whole sequence's path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import intervals_of
from augustus_dl.gene import Transcript
from augustus_dl.labels import INTERGENIC, from_labels, label, mirror

__all__ = ["batches", "parse"]

_OUTSIDE_NEXT = (INTERGENIC, label("+", "STOP"), label("-", "START"))
"""Labels after which no gene is under way; where genes overlap only the first is."""
_START, _STOP, _C0, _C1 = (label("+", kind) for kind in ("START", "STOP", "C0", "C1"))


def parse(pieces: Iterable[np.ndarray], config: DecoderConfig) -> Iterator[Transcript]:
    """Transcripts of one sequence, in rising order.

    Args:
        pieces: its labels from left to right, cut anywhere; uint8 [m] each.
        config: the track they were decoded with; `min_coding_length` drops short complete genes.

    Yields:
        Transcripts in coordinates of the sequence. A stretch inside one intron that covers the
        whole sequence has no coding base and gives none.
    """
    for _, batch in batches(pieces, config):
        yield from batch


def batches(
    pieces: Iterable[np.ndarray], config: DecoderConfig
) -> Iterator[tuple[int, list[Transcript]]]:
    """The same in step with the pieces.

    Yields:
        For each piece and at the end: a base up to which all transcripts are known, and those left
        of it that no batch had before.
    """
    outside = (INTERGENIC,) if config.max_overlap else _OUTSIDE_NEXT
    read = _overlapping if config.max_overlap else from_labels
    for start, labels in _whole_genes(pieces, outside):
        yield (
            start + len(labels),
            [
                transcript
                for transcript in read(labels, start)
                if not (transcript.complete5 and transcript.complete3)
                or transcript.coding_length >= config.min_coding_length
            ],
        )


def _whole_genes(
    pieces: Iterable[np.ndarray], outside: tuple[int, ...]
) -> Iterator[tuple[int, np.ndarray]]:
    """The same labels cut between genes only, each with its first coordinate.

    There is one for each piece, empty where no cut is possible yet, and one at the end.
    """
    start, held = 0, []
    ends = np.zeros(256, dtype=bool)
    ends[list(outside)] = True
    for piece in pieces:
        last = int(ends[piece[::-1]].argmax()) if len(piece) else 0
        cut = len(piece) - last if len(piece) and ends[piece[-1 - last]] else 0
        labels = _joined([*held, piece[:cut]] if cut else [])
        held = [piece[cut:]] if cut else [*held, piece]
        yield start, labels
        start += len(labels)
    yield start, _joined(held)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.uint8), *parts])


def _overlapping(labels: np.ndarray, offset: int) -> list[Transcript]:
    """Transcripts of one strand that may overlap; see `grammar` for what their labels are.

    Args:
        offset: coordinate of the first label.
    """
    found = []
    for start, end in intervals_of(labels != INTERGENIC).tolist():
        path = labels[start:end]
        if path[0] >= label("-", "C0"):
            genes = [gene.mirrored(len(path)) for gene in _overlapping_plus(mirror(path))[::-1]]
        else:
            genes = _overlapping_plus(path)
        found += [gene.shifted(offset + start) for gene in genes]
    return found


def _overlapping_plus(path: np.ndarray) -> list[Transcript]:
    """Plus-strand genes that fill `path`, in rising order."""
    genes, under_way = [], []  # of each gene under way: first base, phase, complete5
    if path[0] != _START:
        position = 2 if path[0] == _STOP else int(path[0]) - _C0
        under_way.append((0, -position % 3, False))
    for at in np.flatnonzero((path == _START) | (path == _STOP)).tolist():
        if path[at] == _START:
            under_way.append((at, 0, True))
            ends = len(under_way) == 2 and _ends_where_next_starts(path, at, under_way[0])
        else:
            ends = True
        if ends:
            start, phase, complete5 = under_way.pop(0)
            genes.append(Transcript("+", ((start, at + 1),), phase, complete5))
    for start, phase, complete5 in under_way:
        genes.append(Transcript("+", ((start, len(path)),), phase, complete5, complete3=False))
    return genes


def _ends_where_next_starts(path: np.ndarray, at: int, gene: tuple[int, int, bool]) -> bool:
    """Is the next gene's START at `at` also the last base of this one?

    Then C1 follows, or another START, while this gene would go on with C0.
    """
    start, phase, _ = gene
    if (at - start - phase) % 3 != 2:
        return False
    return at + 1 == len(path) or path[at + 1] in (_C1, _START)
