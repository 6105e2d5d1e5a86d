"""Ways to run a network: one file each, one small interface.

An engine has `flank` (bases), `core` (bases a window) and `scores(windows) -> int16 [L, 29]` per
window, on the decoder's grid: coarse enough that last-bit noise seldom moves a splice site.
`open_engine` chooses by device; importing this package imports none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from augustus_dl.windows import Window

__all__ = ["Engine", "open_engine"]


class Engine(Protocol):
    """Runs one checkpoint on one device."""

    flank: int
    core: int
    device: str

    def scores(self, windows: Iterable[Window]) -> Iterator[tuple[Window, np.ndarray]]:
        """Label scores of each window, in order; int16 [L, 29]."""
        ...


def open_engine(model: Path, clade: str, device: str = "auto", core: int | None = None) -> Engine:
    """Open a model folder on a device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        ModelError: the checkpoint is missing or corrupt.
        OptionError: the device is unknown or absent.
    """
    from augustus_dl.engine.torch import TorchEngine

    return TorchEngine.open(model, clade, device, core)
