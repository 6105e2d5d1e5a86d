"""The dtype that a kernel computes in."""

import torch

__all__ = ["compute_dtype"]


def compute_dtype(x: torch.Tensor) -> torch.dtype:
    """That of autocast where it is on for the tensor's device, else the tensor's own."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
