"""Shares of tokens by expert.

python -m pytest tests/benchmarks/test_routing.py
"""

from __future__ import annotations

import numpy as np
import torch

from augustus_dl.network.config import CLADES, NetworkConfig
from augustus_dl.network.model import AnnotationModel
from augustus_dl.train.dataset import Genomes
from augustus_dl.train.pack import Piece
from benchmarks.routing import shares


def test_shares_add_up_and_follow_the_bias_of_the_clade() -> None:
    codes = np.random.default_rng(1).integers(0, 4, 40_000).astype(np.uint8)
    labels = np.zeros(len(codes), dtype=np.uint8)
    labels[1000:1100] = 1
    piece = Piece("c", "s", "plants", 1.0, 1, False, codes, codes > 4, labels, labels * 0, (), ())
    torch.manual_seed(1)
    model = AnnotationModel(NetworkConfig(size="tiny")).eval()
    for block in model.trunk:
        if hasattr(block.feed_forward, "clade_bias"):
            block.feed_forward.clade_bias.weight.data[CLADES.index("plants"), 5] = 20.0
    genomes = Genomes([piece], torch.device("cpu"))
    found = shares(model, genomes, 2, "plants")
    assert found.shape == (len(model.config.expert_layers), model.config.experts)
    torch.testing.assert_close(found.sum(1), torch.ones(2))
    assert (found[:, 5] == 0.5).all()
    assert (shares(model, genomes, 2, "none")[:, 5] < 0.5).any()
