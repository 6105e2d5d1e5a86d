"""What the network says along a stretch of a sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.engine import Engine
from augustus_dl.gene import Interval
from augustus_dl.labels import INTERGENIC, NUM_LABELS, label
from augustus_dl.windows import cut

__all__ = ["CONTENT", "SIGNALS", "Probabilities", "probabilities", "stretch"]

CONTENT = {
    "coding": ("C0", "C1", "C2", "START", "STOP"),
    "intron": ("I0", "I1", "I2", "D0", "D1", "D2", "A0", "A1", "A2"),
}
"""Labels of each kind of base in a gene, on either strand."""
SIGNALS = {
    "start": ("START",),
    "stop": ("STOP",),
    "donor": ("D0", "D1", "D2"),
    "acceptor": ("A0", "A1", "A2"),
}
_MULTIPLE = 32
"""Windows begin at multiples of this, whatever part of the sequence is read."""


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Of the bases from `start` on.

    Attributes:
        intergenic: float32 [n].
        strands: for "+" and "-" the kinds of CONTENT and SIGNALS; float32 [n] each.
    """

    start: int
    intergenic: np.ndarray
    strands: dict[str, dict[str, np.ndarray]]


def stretch(start: int, end: int, flank: int, length: int) -> Interval:
    """The part of a sequence of `length` bases that the network needs to read `start` to `end`."""
    first = start // _MULTIPLE * _MULTIPLE - flank
    last = -(-end // _MULTIPLE) * _MULTIPLE + flank
    return max(first, 0), min(last, length)


def probabilities(
    codes: np.ndarray, masked: np.ndarray, engine: Engine, offset: int, start: int, end: int
) -> Probabilities:
    """Label probabilities of the bases from `start` to `end`.

    Args:
        codes: uint8 [L], masked: bool [L], the part of a sequence that `stretch` says.
        offset: where the part begins on the sequence; `start` and `end` count from the sequence's
            beginning, too.
    """
    span = (start - offset, end - offset)
    windows = cut(codes, masked, engine.core, engine.flank, _MULTIPLE, span)
    weights = np.ones(NUM_LABELS, dtype=np.float32)
    scores_NK = np.concatenate([scores for _, scores in engine.scores(windows, weights)])
    shares_NK = np.exp(scores_NK.astype(np.float32) / GRID)
    return Probabilities(
        start,
        shares_NK[:, INTERGENIC],
        {
            strand: {
                name: shares_NK[:, [label(strand, kind) for kind in kinds]].sum(axis=1)
                for name, kinds in (CONTENT | SIGNALS).items()
            }
            for strand in "+-"
        },
    )
