"""An engine that repeats what another one said, so that the decoder can run many times on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.engine import Engine
from augustus_dl.errors import ModelError
from augustus_dl.windows import Window, cut, stitch

__all__ = ["RecordedEngine"]

_WEIGHTS = DecoderConfig(
    coding_weight=0.25, intron_weight=0.25, intergenic_weight=0.25
).label_weights()
"""What log-probabilities are kept with. Boundary labels are kept as the decoder usually has them;
of content labels, whose weights are small, a quarter is fine enough and reaches to -128 nats."""


class RecordedEngine:
    """Scores of one sequence, or of a part of it, under any weights.

    Rounding twice moves content scores by a unit of the grid now and then.

    Args:
        kept: int16 [L, 29], scores under `_WEIGHTS`.
    """

    flank = 0
    core = 262_144
    device = "memory"
    workers = 1
    has_utr = False

    def __init__(self, kept: np.ndarray) -> None:
        self._kept = kept

    @classmethod
    def record(cls, engine: Engine, codes: np.ndarray, masked: np.ndarray) -> RecordedEngine:
        """Run `engine` on a sequence: base codes uint8 [L] and soft-mask bool [L]."""
        windows = cut(codes, masked, engine.core, engine.flank)
        parts = stitch(engine.scores(windows, _WEIGHTS), 0)
        return cls(np.concatenate(list(parts)))

    def part(self, start: int, end: int) -> RecordedEngine:
        """The recording of bases `start` to `end`."""
        return RecordedEngine(self._kept[start:end])

    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        """Scores of each window, in order; see `Engine.scores`. Windows' bases are not looked at.

        Raises:
            ModelError: `utr` is asked for; it is not recorded.
        """
        if utr:
            raise ModelError("untranslated regions are not recorded")
        factors = weights / _WEIGHTS
        for window in windows:
            scaled = self._kept[window.start : window.end] * factors
            np.rint(scaled, out=scaled)
            yield window, np.maximum(scaled, -32767, out=scaled).astype(np.int16)
