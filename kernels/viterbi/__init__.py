"""Best label paths of many sequences at once, on the device that holds their scores: front door."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from . import reference
from .tables import FewStates, fits

__all__ = ["FewStates", "fits", "is_fast_on", "open_search"]


def is_fast_on(device: torch.device) -> bool:
    """Is there a search for this device that is meant for more than tests?"""
    return device.type == "cuda" and find_spec("triton") is not None


def open_search(graph: FewStates, device: torch.device) -> reference.Search:
    """A search for the best paths under a state graph that `fits`.

    Triton on a GPU, plain Python elsewhere, with the same result bit for bit.
    """
    if device.type == "cuda":
        from .fused import Search

        return Search(graph, device)
    return reference.Search(graph, device)
