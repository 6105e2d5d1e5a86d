"""AnnotationModel: bases to label scores for both strands in one pass.

A U-shape: base resolution, 4, 16 and 32 bases a position, a trunk of local-attention blocks there,
and back up with skips. Shapes: B batch, L bases (a multiple of 32), K labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from augustus_dl.errors import ModelError
from augustus_dl.labels import NUM_UTR_LABELS
from augustus_dl.network.checkpoint import check_files
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.layers import (
    Attention,
    Block,
    ChannelNorm,
    Experts,
    GatedConv,
    ResidualConv,
    Stem,
    SwiGLU,
    Up,
)

__all__ = ["AnnotationModel", "Scores", "load_model", "quiet_transformers"]


class Scores(NamedTuple):
    """Output of a forward pass.

    Attributes:
        logits_BKL: unnormalised log-scores of the 29 labels.
        router_loss: scalar or 0.
        utr_BKL: unnormalised log-scores of the 9 labels of the UTR track, where asked for.
    """

    logits_BKL: torch.Tensor
    router_loss: torch.Tensor
    utr_BKL: torch.Tensor | None = None


class AnnotationModel(PreTrainedModel):
    """The `nucleotide` backbone with its label head (design: U-shape, skips, local attention)."""

    config_class = NetworkConfig
    base_model_prefix = "augustus_dl"

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        shape = config.shape
        w1, w4, w16, w32 = shape["widths"]
        self.stem = Stem(w1)
        self.down4 = nn.Conv1d(w1, w4, 8, stride=4, padding=2)
        self.conv4 = nn.Sequential(ResidualConv(w4), ResidualConv(w4))
        self.down16 = nn.Conv1d(w4, w16, 8, stride=4, padding=2)
        self.conv16 = nn.Sequential(ResidualConv(w16), ResidualConv(w16))
        self.down32 = nn.Conv1d(w16, w32, 4, stride=2, padding=1)
        self.clade = nn.Embedding(config.clades, w32)
        nn.init.zeros_(self.clade.weight)
        self.trunk = nn.ModuleList(self._block(layer) for layer in range(shape["layers"]))
        self.up16 = Up(w32, w16, 2)
        self.up4 = Up(w16, w4, 4)
        self.up1 = Up(w4, w1, 4, kernel=9)
        self.head = nn.Sequential(ChannelNorm(w1), nn.Conv1d(w1, config.num_labels, 1))
        if config.utr:
            self.utr_head = nn.Sequential(ChannelNorm(w1), nn.Conv1d(w1, NUM_UTR_LABELS, 1))
        self.recomputes = False
        self.post_init()

    def _block(self, layer: int) -> Block:
        config, shape = self.config, self.config.shape
        width = shape["widths"][-1]
        if config.mixer == "attention":
            mixer = Attention(width, shape["heads"], config.window)
        else:
            mixer = GatedConv(width, config.window // 4)
        if layer in config.expert_layers:
            feed_forward = Experts(
                width, shape["expert"], config.experts, config.experts_per_token, config.clades
            )
        else:
            feed_forward = SwiGLU(width, shape["hidden"])
        return Block(width, mixer, feed_forward)

    def set_dropout(self, share: float) -> None:
        """Leave out a share of what each trunk block adds, while training."""
        for block in self.trunk:
            block.dropout.p = share

    def heads_in_float32(self) -> None:
        """Compute the logits in float32 whatever the rest is in: bf16 has no more than 8 bits."""
        self.head.float()
        if self.config.utr:
            self.utr_head.float()

    def set_recomputing(self, on: bool) -> None:
        """Keep only what passes between layers for the gradient, and compute the rest again."""
        self.recomputes = on

    def _run(self, part: nn.Module, *inputs: torch.Tensor | None) -> Any:
        """What a part of the network makes of its inputs."""
        if self.recomputes and torch.is_grad_enabled():
            return checkpoint(part, *inputs, use_reentrant=False)
        return part(*inputs)

    def _init_weights(self, module: nn.Module) -> None:
        """Modules initialise themselves; transformers' own scheme is not wanted."""

    def forward(
        self,
        codes_BL: torch.Tensor,
        masked_BL: torch.Tensor,
        clade_B: torch.Tensor,
        utr: bool = False,
    ) -> Scores:
        """Score every label at every base.

        Args:
            codes_BL: uint8 base codes (0-3, 4 = N); L a multiple of 32.
            masked_BL: bool or uint8, soft-masked bases.
            clade_B: int64 numbers of `CLADES`.
            utr: score the UTR track too; only where the network has a head for it.
        """
        x1 = self._run(self.stem, codes_BL, masked_BL)
        x4 = self._run(self.conv4, self.down4(x1))
        x16 = self._run(self.conv16, self.down16(x4))
        x = self.down32(x16).transpose(1, 2)
        x = x + self.clade(clade_B).to(x.dtype).unsqueeze(1)
        router_loss = x.new_zeros((), dtype=torch.float32)
        for block in self.trunk:
            x, loss = self._run(block, x, clade_B)
            router_loss = router_loss if loss is None else router_loss + loss
        skips = (x16, x4, x1) if self.config.skips else (None, None, None)
        x = self._run(self.up16, x.transpose(1, 2), skips[0])
        x = self._run(self.up4, x, skips[1])
        x = self._run(self.up1, x, skips[2]).to(self.head[1].weight.dtype)
        return Scores(self.head(x), router_loss, self.utr_head(x) if utr else None)


def load_model(folder: Path) -> AnnotationModel:
    """Read a model folder in float32, strictly; nothing in it is executed.

    Raises:
        ModelError: a file is missing, unreadable, or does not fit the configuration.
    """
    folder = Path(folder)
    check_files(folder)
    try:
        with quiet_transformers():
            model, info = AnnotationModel.from_pretrained(
                folder,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # told below, by name
                use_safetensors=True,
                local_files_only=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, json.JSONDecodeError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ModelError(f"checkpoint in {folder} is corrupt: {reason}") from error
    except Exception as error:  # safetensors has an exception type of its own, without a base
        raise ModelError(f"checkpoint in {folder} is corrupt: {error}") from error
    mismatched = {key for key, *_ in info["mismatched_keys"]}
    wrong = sorted({*info["missing_keys"], *info["unexpected_keys"], *mismatched})
    if wrong:
        raise ModelError(f"checkpoint in {folder} does not fit its config.json (e.g. {wrong[0]})")
    return model.eval()


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bar and no load report from transformers: what is wrong is raised."""
    bar = transformers_logging.is_progress_bar_enabled()
    level = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity(transformers_logging.CRITICAL)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
