"""TrainConfig: everything a training run depends on besides its data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from augustus_dl.errors import TrainingError
from augustus_dl.network.config import CLADES, MIXERS, SIZES

__all__ = ["TrainConfig", "usual_accumulation"]

_AT_ONCE = 8 * 65_536
"""Bases that are read at once on a CPU: the shipped size then stays below 8 GB."""


def usual_accumulation(windows: int, length: int, device: str) -> int:
    """In how many parts a step is read if nobody says: all at once, on a CPU half a megabase."""
    if device != "cpu":
        return 1
    parts = (n for n in range(1, windows + 1) if windows % n == 0)
    return next((n for n in parts if windows // n * length <= _AT_ONCE), max(1, windows))


@dataclass(frozen=True)
class TrainConfig:
    """Written to `train.json` of the run folder; a resumed run must have the same.

    Attributes:
        species: name of the profile that the run folder is.
        clade: what the checkpoint predicts for (network.config.CLADES).
        size, moe, mixer, skips: shape of a new network (network.config); ignored with `init`.
        init: model folder to start from, or "" for random weights.
        steps, windows, length: optimiser steps, windows a step and bases a window.
        accumulation: parts that the windows of a step are read in, one after the other; saves
            memory. It divides `windows`.
        recompute: forget what layers computed until the gradient needs it, and compute it again: a
            third more time, a fraction of the memory.
        learning_rate, warmup, weight_decay, clip: AdamW with linear warm-up (steps), cosine decay
            to a twentieth, and gradient clipping. A step with a non-finite gradient is left out.
        gamma, dice_weight, boundary_weight, router_weight: see loss.annotation_loss.
        path_weight: of the whole path's loss, see path_loss; 0 leaves it out.
        utr_weight: of the UTR track's focal loss; only with a network that has a head for it.
        genic: share of windows drawn around gene bases.
        mask_dropout: share of windows that lose their soft-mask.
        mutation, substitution: highest rates at which bases that keep the proteins, and coding
            bases, are changed; see dataset.mutated and dataset.substituted.
        dropout: share of what a trunk block adds that training leaves out.
        ema: decay of the averaged weights, which are what is evaluated and kept.
        evaluate_minutes, save_minutes: how often validation genes are decoded and the state
            is saved.
        exon_share: of exon F1 beside gene F1 where checkpoints are chosen: few genes say little.
        patience: evaluations in a row without a better one after which training ends; 0 goes on.
        seed: of initial weights and windows.
    """

    species: str
    clade: str
    size: str = "base"
    moe: bool = True
    mixer: str = "attention"
    skips: bool = True
    init: str = ""
    steps: int = 10_000
    windows: int = 16
    length: int = 65_536
    accumulation: int = 1
    recompute: bool = False
    learning_rate: float = 1.5e-3
    warmup: int = 300
    weight_decay: float = 0.05
    clip: float = 1.0
    gamma: float = 1.0
    dice_weight: float = 0.5
    boundary_weight: float = 1.0
    router_weight: float = 0.01
    path_weight: float = 0.0
    utr_weight: float = 0.3
    genic: float = 0.8
    mask_dropout: float = 0.5
    mutation: float = 0.0
    substitution: float = 0.0
    dropout: float = 0.0
    ema: float = 0.999
    evaluate_minutes: float = 3.0
    save_minutes: float = 2.0
    exon_share: float = 0.0
    patience: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.length % 32:
            raise TrainingError(f"--length {self.length} must be a multiple of 32")
        if self.size not in SIZES:
            raise TrainingError(f"--size {self.size} is none of {', '.join(SIZES)}")
        if self.mixer not in MIXERS:
            raise TrainingError(f"--mixer {self.mixer} is none of {', '.join(MIXERS)}")
        if self.clade not in CLADES:
            raise TrainingError(f"--clade {self.clade} is none of {', '.join(CLADES)}")
        for name in ("steps", "windows", "length", "accumulation"):
            if getattr(self, name) < 1:
                raise TrainingError(f"--{name} must be at least 1")
        if self.windows % self.accumulation:
            raise TrainingError(
                f"--accumulation {self.accumulation} must divide --windows {self.windows}"
            )

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)
