"""Bases to label paths on one device: scores never leave it.

Batches of rows go to the device in pinned memory while it works on the one before, and one byte a
base comes back. Reading, the device and whoever takes the paths work in threads of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numpy as np
import torch

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.grammar import build_graph
from augustus_dl.encode import MASKED, N
from augustus_dl.engine.packing import CODE, CORE, Batch, packed
from augustus_dl.kernels.viterbi import open_search
from augustus_dl.labels import MIRROR, NUM_LABELS
from augustus_dl.network.model import AnnotationModel
from augustus_dl.side_by_side import ahead

__all__ = ["LARGE", "PathFinder", "Shape"]


class Shape(NamedTuple):
    """How much a device is given.

    Attributes:
        core: bases of a row between its outer flanks, a multiple of 32.
        group: rows that the network reads at once.
        groups: of a batch, which is decoded at once.
    """

    core: int = 524_288
    group: int = 4
    groups: int = 8


LARGE = Shape()


class PathFinder:
    """A network and a search, ready for sequences.

    Args:
        model: on its device.
        clade_B: int64 [1] there.
        config: of one track whose graph `kernels.viterbi.fits`.
        accurate: read each row in both directions.
    """

    def __init__(
        self,
        model: AnnotationModel,
        clade_B: torch.Tensor,
        config: DecoderConfig,
        accurate: bool,
        shape: Shape | None = None,
    ) -> None:
        self._device, self._accurate, self._shape = clade_B.device, accurate, shape or LARGE
        self._model, self._flank = model, model.config.flank
        self._clade_B = clade_B.expand(self._shape.group)
        weights = torch.from_numpy(config.label_weights() * GRID)
        self._scale_K1 = weights.to(self._device).unsqueeze(1)
        self._complement = torch.tensor([3, 2, 1, 0, N, N, N, N], device=self._device).byte()
        self._search = open_search(build_graph(config), self._device)
        self._free: SimpleQueue[np.ndarray] = SimpleQueue()
    def paths(self, tracks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Labels of all sequences one behind the other, uint8 [m] at a time.

        Args:
            tracks: `encode.track` of each sequence, none empty.
        """
        batches = packed(tracks, self._flank, self._empty)
        return ahead(map(self.found, ahead(batches, 1)), 2)

    @torch.inference_mode()
    def found(self, batch: Batch) -> np.ndarray:
        """What is known after one more batch; uint8 [m]."""
        with torch.cuda.device(self._device.index if self._device.type == "cuda" else -1):
            scores_NK, codes_N = self.scores(batch)
            labels_N = self._search.add(scores_NK, codes_N, batch.lengths, batch.goes_on)
            return labels_N.cpu().numpy()

    def scores(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores int16 [n, 29] on the decoder's grid and codes uint8 [n] of all core bases."""
        used = -(-batch.used // self._shape.group) * self._shape.group
        rows_BL = torch.from_numpy(batch.rows[:used]).to(self._device, non_blocking=True)
        scores, codes = zip(*map(self._group, rows_BL.split(self._shape.group)), strict=True)
        self._free.put(batch.rows)  # `_group` waited for the copy
        return torch.cat(scores), torch.cat(codes)

    def _empty(self) -> np.ndarray:
        """Rows that nobody uses; there are as many as there are batches under way."""
        try:
            return self._free.get_nowait()
        except Empty:
            rows, length = self._shape.group * self._shape.groups, self._shape.core
            pinned = self._device.type == "cuda"
            size = rows, length + 2 * self._flank
            return torch.empty(size, dtype=torch.uint8, pin_memory=pinned).numpy()

    def _group(self, rows_BL: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        core_N = (rows_BL & CORE).flatten().nonzero().squeeze(1)
        codes_BL, masked_BL = rows_BL & CODE, (rows_BL & MASKED) != 0
        logits_BKL = self._logits(codes_BL, masked_BL)
        if self._accurate:
            other = self._logits(self._complement[codes_BL.flip(1).int()], masked_BL.flip(1))
            logits_BKL = (logits_BKL + other.flip(2)[:, MIRROR.tolist()]) / 2
        grid_BKL = logits_BKL.log_softmax(1).mul_(self._scale_K1).round_().clamp_(min=-32767)
        grid_BLK = grid_BKL.to(torch.int16).transpose(1, 2).reshape(-1, NUM_LABELS)
        return grid_BLK[core_N], codes_BL.flatten()[core_N]

    def _logits(self, codes_BL: torch.Tensor, masked_BL: torch.Tensor) -> torch.Tensor:
        """Float32 [B, 29, L]."""
        return self._model(codes_BL, masked_BL, self._clade_B).logits_BKL.float()
