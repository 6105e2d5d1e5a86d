"""Which experts serve which clade: shares of tokens by expert, for every mixture layer.

    python -m benchmarks.routing MODEL PACK... [--windows 8]

A share of 1/8 everywhere is a balanced router that tells clades apart by nothing; rows that differ
between clades are experts that specialise. `entropy` is 1 when all experts are used alike, 0 when
one does all the work.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch

from augustus_dl.kernels.expert_mlp import route
from augustus_dl.network.config import CLADES
from augustus_dl.network.layers import Experts
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.train.dataset import Genomes
from augustus_dl.train.pack import read_pack

_LENGTH = 32_768


def shares(model: AnnotationModel, genomes: Genomes, windows: int, clade: str) -> torch.Tensor:
    """Share of tokens' choices that fall to each expert; float32 [layers, experts]."""
    batch = genomes.batch(windows, _LENGTH, seed=1, step=0)
    counts: list[torch.Tensor] = []

    def count(module: Experts, arguments: tuple[torch.Tensor, torch.Tensor]) -> None:
        x_BTC, clade_B = arguments
        logits = torch.nn.functional.linear(x_BTC.float(), module.router.weight.float())
        logits = logits + module.clade_bias.weight.float()[clade_B].unsqueeze(1)
        chosen = route(logits.flatten(0, 1), module.top_k).experts_MK
        counts.append(chosen.flatten().bincount(minlength=logits.shape[-1]) / chosen.numel())

    hooks = [
        module.register_forward_pre_hook(count)
        for module in model.modules()
        if isinstance(module, Experts)
    ]
    clade_B = torch.full((windows,), CLADES.index(clade))
    with torch.inference_mode():
        model(batch.codes_BL, batch.masked_BL, clade_B)
    for hook in hooks:
        hook.remove()
    return torch.stack(counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("packs", type=Path, nargs="+")
    parser.add_argument("--windows", type=int, default=8)
    options = parser.parse_args()
    model = load_model(options.model)
    print("| layer | clade | share of tokens by expert, % | entropy |\n|--:|---|---|--:|")
    for path in options.packs:
        pieces = [piece for piece in read_pack(path).pieces if not piece.validation]
        clade = pieces[0].clade
        found = shares(model, Genomes(pieces, torch.device("cpu")), options.windows, clade)
        for layer, row in zip(model.config.expert_layers, found, strict=True):
            text = " ".join(f"{100 * share:.0f}" for share in row.tolist())
            entropy = -(row * row.clamp(min=1e-12).log()).sum().item() / math.log(len(row))
            print(f"| {layer} | {clade} | {text} | {entropy:.2f} |", flush=True)


if __name__ == "__main__":
    main()
