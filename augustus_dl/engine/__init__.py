"""Ways to run a network: one file each, one small interface.

An engine turns windows into scores on the decoder's grid: weighted log-probabilities of the labels,
rounded, so that last-bit noise seldom moves a splice site. `open_engine` chooses by device;
importing this package imports none of them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from augustus_dl.windows import Window

if TYPE_CHECKING:
    from augustus_dl.decode.config import DecoderConfig

__all__ = ["Engine", "PathEngine", "open_engine"]

_LOG = logging.getLogger(__name__)
_WSL = Path("/dev/dxg")
"""The GPUs of Windows, as Linux under Windows sees them."""


class Engine(Protocol):
    """Runs one checkpoint on one device.

    Attributes:
        flank, core: bases of a window's flanks and core (see windows).
        device: name of the device in use.
        workers: how many windows it works on at the same time.
        has_utr: the checkpoint knows untranslated regions.
    """

    flank: int
    core: int
    device: str
    workers: int
    has_utr: bool

    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        """Scores of each window, in order.

        Args:
            weights: float32 [29], what each label's log-probability is multiplied by.
            utr: score the UTR track, too.

        Yields:
            The window and the scores of its core, int16 [end - start, 29], in units of
            1 / decode.config.GRID nat. With `utr` there are 38 columns: behind those of the labels
            the log-probabilities of the 9 labels of the UTR track, without weights.

        Raises:
            ModelError: `utr` is asked of a checkpoint that does not know it.
        """
        ...


@runtime_checkable
class PathEngine(Protocol):
    """An engine that can search the best path, too, where the network runs."""

    def decodes(self, config: DecoderConfig) -> bool:
        """Is `paths` to be used under this configuration, where nothing but the path is needed?"""
        ...

    def paths(self, tracks: Iterable[np.ndarray], config: DecoderConfig) -> Iterator[np.ndarray]:
        """What `decode.viterbi.Decoder` makes of the scores, the same bit for bit.

        Args:
            tracks: `encode.track` of each sequence, uint8 [L]; read ahead in another
                thread.

        Yields:
            uint8 [m], the next labels, of all sequences one behind the other.
        """
        ...


def open_engine(
    model: Path,
    clade: str,
    device: str = "auto",
    core: int | None = None,
    accurate: bool = False,
    cores: int | None = None,
) -> Engine:
    """Open a model folder on a device: auto, cpu, cuda, cuda:N or mps.

    cuda, and auto where there are GPUs, stands for all GPUs that the process sees.
    OpenVINO runs networks on the CPU. The environment variable AUGUSTUS_DL_ENGINE=torch has torch
    do so, the reference to compare with. So it does, with a warning, where OpenVINO is missing.

    Args:
        accurate: average the logits with those of the reverse complement, at twice the cost.
        cores: of the CPU that OpenVINO uses; None for all this process may use.

    Raises:
        ModelError: the checkpoint is missing or corrupt.
        OptionError: the device is unknown or absent.
    """
    if _is_cpu(device) and os.environ.get("AUGUSTUS_DL_ENGINE") != "torch":
        # OpenVINO does without its converter, which takes as long to load as the rest of it.
        sys.modules.setdefault("openvino.tools.ovc", None)
        try:
            from augustus_dl.engine.openvino import OpenVinoEngine

            return OpenVinoEngine(model, clade, core, accurate, cores)
        except (ImportError, RuntimeError) as error:
            reason = str(error).strip().split("\n")[0]
            _LOG.warning("OpenVINO cannot be used (%s); using PyTorch, which is slower", reason)
    from augustus_dl.engine.torch import TorchEngine, device_names

    engines = [
        TorchEngine.open(model, clade, name, core, accurate) for name in device_names(device)
    ]
    if len(engines) == 1:
        return engines[0]
    from augustus_dl.engine.device_group import DeviceGroup

    return DeviceGroup(engines)


def _is_cpu(device: str) -> bool:
    """Does the name stand for the CPU? torch is asked only where there may be something else."""
    if device != "auto":
        return device == "cpu"
    if not (sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or _WSL.exists()):
        return True
    from augustus_dl.engine.torch import choose_device

    return choose_device(device).type == "cpu"
