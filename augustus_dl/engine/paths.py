"""Bases to label paths on one device: scores never leave it.

Rows are filled in pinned memory while the device works on those before; the copies themselves, a
byte a base each way, take less than a hundredth of its time. Reading, the device and whoever takes
the paths work in threads of their own.
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

    Attributes:
        device, shape: what it runs on, and what that is given at a time.
        flank: bases to either side of a piece of a sequence.
        search: the search for paths; see `kernels.viterbi.reference.Search`.

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
        self.device, self._accurate, self.shape = clade_B.device, accurate, shape or LARGE
        self._model, self.flank = model, model.config.flank
        self._clade_B = clade_B.expand(self.shape.group)
        weights = torch.from_numpy(config.label_weights() * GRID)
        self._scale_K1 = weights.to(self.device).unsqueeze(1)
        self._complement = torch.tensor([3, 2, 1, 0, N, N, N, N], device=self.device).byte()
        self.search = open_search(build_graph(config), self.device)
        self._free: SimpleQueue[np.ndarray] = SimpleQueue()

    def paths(self, tracks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Labels of all sequences one behind the other, uint8 [m] at a time.

        Args:
            tracks: `encode.track` of each sequence.
        """
        batches = packed(tracks, self.flank, self.empty)
        return ahead(map(self.found, ahead(batches, 1)), 2)

    @torch.inference_mode()
    def found(self, batch: Batch) -> np.ndarray:
        """What is known after one more batch; uint8 [m]."""
        with torch.cuda.device(self.device.index if self.device.type == "cuda" else -1):
            scores_NK, codes_N = self.scores(self.copied(batch))
            self._free.put(batch.rows)  # `scores` waited for the copy
            labels_N = self.search.add(scores_NK, codes_N, batch.lengths, batch.goes_on)
            return labels_N.cpu().numpy()

    def empty(self) -> np.ndarray:
        """Rows for a batch, not in use; uint8 [B, R], pinned where there is a GPU."""
        try:
            return self._free.get_nowait()
        except Empty:
            rows, length = self.shape.group * self.shape.groups, self.shape.core + 2 * self.flank
            pinned = self.device.type == "cuda"
            return torch.empty(rows, length, dtype=torch.uint8, pin_memory=pinned).numpy()

    def copied(self, batch: Batch) -> torch.Tensor:
        """The rows in use, on their way to the device; a multiple of a group."""
        used = -(-batch.used // self.shape.group) * self.shape.group
        return torch.from_numpy(batch.rows[:used]).to(self.device, non_blocking=True)

    def scores(self, rows_BL: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores int16 [n, 29] on the decoder's grid and codes uint8 [n] of all core bases."""
        scores, codes = zip(*map(self._group, rows_BL.split(self.shape.group)), strict=True)
        return torch.cat(scores), torch.cat(codes)

    def _group(self, rows_BL: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        core_N = (rows_BL & CORE).flatten().nonzero().squeeze(1)
        codes_BL, masked_BL = rows_BL & CODE, (rows_BL & MASKED) != 0
        logits_BKL = self.logits(codes_BL, masked_BL)
        if self._accurate:
            other = self.logits(self._complement[codes_BL.flip(1).int()], masked_BL.flip(1))
            logits_BKL = (logits_BKL + other.flip(2)[:, MIRROR.tolist()]) / 2
        grid_BKL = logits_BKL.log_softmax(1).mul_(self._scale_K1).round_().clamp_(min=-32767)
        grid_BLK = grid_BKL.to(torch.int16).transpose(1, 2).reshape(-1, NUM_LABELS)
        return grid_BLK[core_N], codes_BL.flatten()[core_N]

    def logits(self, codes_BL: torch.Tensor, masked_BL: torch.Tensor) -> torch.Tensor:
        """Float32 [B, 29, L]."""
        return self._model(codes_BL, masked_BL, self._clade_B).logits_BKL.float()
