"""Label path to transcripts, piece by piece, without holding a whole sequence's path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.gene import Transcript
from augustus_dl.labels import INTERGENIC, from_labels, label

__all__ = ["parse"]

_OUTSIDE_NEXT = (INTERGENIC, label("+", "STOP"), label("-", "START"))
"""Labels after which no gene is under way."""


def parse(pieces: Iterable[np.ndarray], config: DecoderConfig) -> Iterator[Transcript]:
    """Transcripts of one sequence, in rising order.

    Args:
        pieces: its labels from left to right, cut anywhere; uint8 [m] each.
        config: `min_coding_length` drops short complete genes.

    Yields:
        Transcripts in coordinates of the sequence. A stretch inside one intron that covers the
        whole sequence has no coding base and gives none.
    """
    for start, labels in _whole_genes(pieces):
        for transcript in from_labels(labels):
            complete = transcript.complete5 and transcript.complete3
            if not complete or transcript.coding_length >= config.min_coding_length:
                yield transcript.shifted(start)


def _whole_genes(pieces: Iterable[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """The same labels cut between genes only, each with its first coordinate."""
    start, held = 0, []
    for piece in pieces:
        cuts = np.flatnonzero(np.isin(piece, _OUTSIDE_NEXT))
        held.append(piece)
        if len(cuts):
            cut = int(cuts[-1]) + 1
            held[-1] = piece[:cut]
            labels = np.concatenate(held)
            yield start, labels
            start, held = start + len(labels), [piece[cut:]]
    yield start, np.concatenate([np.empty(0, dtype=np.uint8), *held])
