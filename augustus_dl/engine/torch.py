"""The torch engine: CPU, CUDA and MPS by PyTorch; on CUDA with the fused kernels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.grammar import build_graph
from augustus_dl.encode import reverse_complement
from augustus_dl.engine.paths import PathFinder
from augustus_dl.engine.precision import wants_bf16
from augustus_dl.errors import ModelError, OptionError
from augustus_dl.kernels.viterbi import fits, is_fast_on
from augustus_dl.labels import MIRROR, NUM_LABELS, UTR_MIRROR
from augustus_dl.network.config import CLADES
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.windows import Window

__all__ = ["TorchEngine", "choose_device", "device_names"]

_COLUMN_MIRROR = [*MIRROR.tolist(), *(NUM_LABELS + UTR_MIRROR).tolist()]
_CORE = {"cpu": 131_072, "cuda": 1_048_576, "mps": 262_144}


class TorchEngine:
    """One checkpoint on one torch device; `accurate` reads each window in both directions."""

    workers = 1

    def __init__(
        self,
        model: AnnotationModel,
        clade: str,
        device: torch.device,
        core: int | None = None,
        accurate: bool = False,
    ):
        known = model.config.known_clades
        if clade not in known:
            raise ModelError(f"clade {clade!r} is none of {', '.join(known)}; mend the profile")
        self.device = str(device)
        self.flank = model.config.flank
        self.has_utr = model.config.utr
        self.core = core or _CORE[device.type]
        self._device, self._accurate = device, accurate
        self._dtype = _best_dtype(device)
        self._model = model.to(device=device, dtype=self._dtype).eval()
        self._model.heads_in_float32()
        self._clade = torch.tensor([CLADES.index(clade)], device=device)

    @classmethod
    def open(
        cls, model: Path, clade: str, device: str, core: int | None, accurate: bool
    ) -> TorchEngine:
        """Load a model folder; see `open_engine`."""
        return cls(load_model(model), clade, choose_device(device), core, accurate)

    @torch.inference_mode()
    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        """Scores of each window, in order; see `Engine.scores`."""
        if utr and not self.has_utr:
            raise ModelError("this checkpoint does not know untranslated regions")
        scale_K1 = torch.from_numpy(weights * GRID).to(self._device).unsqueeze(1)
        for window in windows:
            logits_CL = self._logits(window.codes, window.masked, utr)
            if self._accurate:
                codes, masked = reverse_complement(window.codes), window.masked[::-1].copy()
                mirror = _COLUMN_MIRROR[: len(logits_CL)]
                logits_CL = (logits_CL + self._logits(codes, masked, utr).flip(1)[mirror]) / 2
            core_CL = logits_CL[:, window.offset : window.offset + window.end - window.start]
            grid_CL = core_CL[:NUM_LABELS].log_softmax(0) * scale_K1
            if utr:
                grid_CL = torch.cat([grid_CL, core_CL[NUM_LABELS:].log_softmax(0) * GRID])
            grid_CL = grid_CL.round_().clamp_(min=-32767)
            yield window, grid_CL.to(torch.int16).T.contiguous().cpu().numpy()

    def decodes(self, config: DecoderConfig) -> bool:
        """See `PathEngine.decodes`: on a CUDA device, both strands in one search."""
        if config.gene_count != "any" or config.strand != "both" or len(config.tracks()) > 1:
            return False
        return is_fast_on(self._device) and fits(build_graph(config))

    def paths(self, tracks: Iterable[np.ndarray], config: DecoderConfig) -> Iterator[np.ndarray]:
        """See `PathEngine.paths`."""
        return PathFinder(self._model, self._clade, config, self._accurate).paths(tracks)

    def _logits(self, codes: np.ndarray, masked: np.ndarray, utr: bool) -> torch.Tensor:
        """Logits of one window, those of the UTR track behind the others; float32 [29 or 38, L]."""
        codes_BL = torch.from_numpy(codes).to(self._device).unsqueeze(0)
        masked_BL = torch.from_numpy(masked).to(self._device).unsqueeze(0)
        scores = self._model(codes_BL, masked_BL, self._clade, utr)
        logits_BCL = torch.cat([scores.logits_BKL, scores.utr_BKL], 1) if utr else scores.logits_BKL
        return logits_BCL[0].float()


def choose_device(name: str) -> torch.device:
    """The device a name stands for; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        OptionError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in _CORE:
        raise OptionError(f"unknown device {name!r}; use auto, cpu, cuda, cuda:N or mps")
    present = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present[device.type]:
        raise OptionError(f"device {name!r} is not available here; use --device=cpu")
    return device


def device_names(name: str) -> list[str]:
    """The devices that a name stands for: of CUDA without a number all there are.

    Raises:
        OptionError: as `choose_device`.
    """
    device = choose_device(name)
    if device.type == "cuda" and device.index is None and torch.cuda.device_count() > 1:
        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [name]


def _best_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if wants_bf16(native) else torch.float32
