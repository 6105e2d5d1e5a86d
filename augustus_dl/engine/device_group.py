"""Several devices of one machine as one engine: each window goes to the next one that is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np

from augustus_dl.engine import Engine
from augustus_dl.engine.cores import usable_cores
from augustus_dl.side_by_side import under_way
from augustus_dl.windows import Window

__all__ = ["DeviceGroup"]


class DeviceGroup:
    """The same checkpoint on several devices of one kind, in one process. Thread-safe.

    Args:
        engines: one for each device; each works on one window at a time.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        first = engines[0]
        self.flank, self.core, self.has_utr = first.flank, first.core, first.has_utr
        self.device = ", ".join(engine.device for engine in engines)
        self.workers = max(len(engines), usable_cores())  # decoding needs cores
        self._number = len(engines)
        self._free: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            self._free.put(engine)
        self._pool = ThreadPoolExecutor(len(engines), "device")

    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        """Scores of each window, in order; see `Engine.scores`. Work begins at once."""

        def begun() -> Iterator[tuple[Window, list[Future[np.ndarray]]]]:
            for window in windows:
                yield window, [self._pool.submit(self._scored, window, weights, utr)]

        return under_way(begun(), self._number)

    def _scored(self, window: Window, weights: np.ndarray, utr: bool) -> np.ndarray:
        engine = self._free.get()
        try:
            ((_, scores),) = engine.scores([window], weights, utr)
            return scores
        finally:
            self._free.put(engine)
