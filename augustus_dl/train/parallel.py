"""One process a GPU: the same weights everywhere, gradients averaged after every step.

Started by torch's launcher (`torchrun --nproc-per-node 4 -m augustus_dl train ...`), which sets
the environment that is read here. Without it there is one process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist

__all__ = ["Workers"]


class Workers:
    """The processes of one training run, seen from one of them.

    Attributes:
        rank, size: this one's number and how many there are. Number 0 writes the run folder.
        device: where this one trains.
    """

    def __init__(self, device: torch.device):
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = device
        if self.size == 1:
            return
        if device.type == "cuda":
            self.device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(self.device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def average(self, parameters: Iterable[torch.nn.Parameter], stop: bool) -> bool:
        """Replace gradients by their mean over all processes; does any of them want to stop?"""
        if self.size == 1:
            return stop
        gradients = [p.grad for p in parameters if p.grad is not None]
        flag = gradients[0].new_tensor([float(stop)])
        flat = torch.cat([g.reshape(-1) for g in (*gradients, flag)])
        dist.all_reduce(flat)
        flat /= self.size
        parts = flat[:-1].split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        return bool(flat[-1] > 0)

    def leave(self) -> None:
        """Part from the others; call it once all work is done."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()
