"""Layers, parameters and floating-point operations of a network, as text."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from augustus_dl.network.model import AnnotationModel

__all__ = ["megaflop_per_base", "summary"]

_BASES = 32_768


def summary(model: AnnotationModel) -> str:
    """A table: one row a top-level part and trunk block, then totals."""
    config = model.config
    rows = [("part", "module", "parameters")]
    for name, part in model.named_children():
        blocks = part.named_children() if name == "trunk" else [("", part)]
        for number, block in blocks:
            label = f"{name} {number}".strip()
            kind = type(block.feed_forward).__name__ if number else type(block).__name__
            rows.append((label, kind, f"{_parameters(block):,}"))
    total = _parameters(model)
    lines = [f"{a:<10} {b:<12} {c:>12}" for a, b, c in rows]
    lines += [
        "",
        f"size {config.size}, clade {config.clade}, {config.num_labels} labels, "
        f"reach {config.flank} bases to either side",
        f"{total:,} parameters ({2 * total / 1e6:.1f} MB in 16 bit)",
        f"{megaflop_per_base(model):.3f} MFLOP per base, both strands",
    ]
    return "\n".join(lines)


def _parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def megaflop_per_base(model: AnnotationModel) -> float:
    """Matrix and convolution work of one forward pass, in MFLOP per base (multiply-add is two)."""
    codes = torch.randint(0, 4, (1, _BASES), dtype=torch.uint8)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(codes, torch.zeros_like(codes), torch.zeros(1, dtype=torch.long))
    return counter.get_total_flops() / _BASES / 1e6
