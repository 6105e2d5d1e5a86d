"""How near a fast version must be to its reference; tests and benchmarks share it."""

import math

import torch

__all__ = ["TOLERANCE", "relative_error"]

TOLERANCE = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1e-2}
"""Highest `relative_error` of outputs and gradients, by the dtype a kernel computes in."""


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Norm of the difference over the norm of what is expected, in float64.

    Zero where elements differ by less than 1e-6 on average (there may be nothing to be relative
    to), infinite where anything found is not finite.
    """
    if found.shape != expected.shape:
        raise ValueError(f"shape {tuple(found.shape)} for {tuple(expected.shape)}")
    if not found.isfinite().all():
        return math.inf
    expected = expected.double()
    difference = (found.double() - expected).norm().item()
    if difference <= 1e-6 * math.sqrt(found.numel()):
        return 0.0
    return difference / max(expected.norm().item(), 1e-300)
