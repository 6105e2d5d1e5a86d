"""Work shared out: one process a GPU, or one thread a CPU core.

Processes have the same weights, and gradients are averaged after every step. They are started by
torch's launcher (`torchrun --nproc-per-node 4 -m augustus_dl train ...`), which sets the
environment that is read here. Without it there is one process.

On a CPU, windows are shared out among threads, each of which computes alone. Torch's own way, all
threads at each small operation, makes them wait for each other: on two cores that are busy
otherwise it was seven times slower than one thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TypeVar

import torch
import torch.distributed as dist

from augustus_dl.train.dataset import Batch

__all__ = ["Workers", "backward", "over_threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def over_threads(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Results for each item, in order, from as many threads as torch would use."""
    alone = partial(torch.set_num_threads, 1)
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(before, initializer=alone) as pool:
            return list(pool.map(function, items))
    finally:
        torch.set_num_threads(before)


def backward(
    losses_of: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    batch: Batch,
    parameters: Sequence[torch.nn.Parameter],
    path_weight: float,
) -> torch.Tensor:
    """Gradients of a batch, into the parameters' `grad`; both losses, float32 [2].

    On a CPU the batch is cut into one part a thread; a loss is the mean over the parts.

    Args:
        losses_of: a batch to the loss of single bases and the path loss.
    """

    def gradients(part: Batch) -> tuple[torch.Tensor, tuple]:
        loss, path_loss = losses_of(part)
        total = loss + path_weight * path_loss
        found = torch.autograd.grad(total, parameters, allow_unused=True)
        return torch.stack([loss.detach(), path_loss.detach()]), found

    windows = len(batch[0])
    number = min(windows, torch.get_num_threads()) if batch[0].device.type == "cpu" else 1
    if number == 1:
        loss, path_loss = losses_of(batch)
        (loss + path_weight * path_loss).backward()
        return torch.stack([loss.detach(), path_loss.detach()])
    bounds = [windows * i // number for i in range(number + 1)]
    parts = [batch._make(tensor[start:end] for tensor in batch) for start, end in pairwise(bounds)]
    done = over_threads(gradients, parts)
    for parameter, *found in zip(parameters, *(grads for _, grads in done), strict=True):
        known = [gradient for gradient in found if gradient is not None]
        parameter.grad = sum(known) / number if known else None
    return torch.stack([losses for losses, _ in done]).mean(0)


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
