"""Weights averaged over training runs: one network, no extra cost, often better than either.

Source: Wortsman et al. 2022, "Model soups". It works for runs that share their starting weights.
"""

from __future__ import annotations

from pathlib import Path

import torch

from augustus_dl.errors import ModelError
from augustus_dl.network.model import AnnotationModel, load_model

__all__ = ["average_models"]


def average_models(folders: list[Path], clade: str) -> AnnotationModel:
    """The network whose weights are the mean of those in model folders of one shape.

    Raises:
        ModelError: a folder is unreadable, or its network has another shape or other heads.
    """
    models = [load_model(folder) for folder in folders]
    first = models[0]
    for folder, model in zip(folders, models, strict=True):
        if _shape(model) != _shape(first):
            raise ModelError(f"network in {folder} has another shape than the one in {folders[0]}")
    with torch.no_grad():
        for parameters in zip(*(model.parameters() for model in models), strict=True):
            parameters[0].copy_(torch.stack(parameters).mean(0))
    first.config.clade = clade
    return first


def _shape(model: AnnotationModel) -> tuple:
    """Equal for networks whose parameters have the same names and sizes."""
    config = model.config
    return config.size, config.moe, config.mixer, config.skips, config.clades, config.utr
