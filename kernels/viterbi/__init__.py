"""Best label paths of many sequences at once, on the device that holds their scores: front door."""

from __future__ import annotations

import torch

from . import reference
from .tables import FewStates, fits

__all__ = ["FewStates", "fits", "open_search"]


def open_search(graph: FewStates, device: torch.device) -> reference.Search:
    """A search for the best paths under a state graph that `fits`.

    Triton on a GPU, plain Python elsewhere, with the same result bit for bit.
    """
    if device.type == "cuda":
        from .fused import Search

        return Search(graph, device)
    return reference.Search(graph, device)
