"""Work shared out: one process a GPU, or one thread a CPU core.

Processes have the same weights, and gradients are averaged after every step. They are started by
torch's launcher (`torchrun --nproc-per-node 4 -m augustus_dl train ...`) or DeepSpeed's, which set
the environment that is read here. Without them there is one process.

On a CPU, windows are shared out among threads, each of which computes alone. Torch's own way, all
threads at each small operation, makes them wait for each other: on two cores that are busy
otherwise it was seven times slower than one thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import TypeVar

import torch
import torch.distributed as dist

from augustus_dl.train.dataset import Batch

__all__ = ["Workers", "backward", "is_alone", "is_main", "over_threads", "parts_of_batch"]

_PATIENCE = timedelta(hours=3)
"""How long processes wait while number 0 decodes validation genes."""

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

    They are added to those that are there. On a CPU the batch is cut into one part a thread; a loss
    is the mean over the parts.

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
    done = over_threads(gradients, parts_of_batch(batch, number))
    for parameter, *found in zip(parameters, *(grads for _, grads in done), strict=True):
        known = [gradient for gradient in found if gradient is not None]
        if known:
            mean = sum(known) / number
            parameter.grad = mean if parameter.grad is None else parameter.grad + mean
    return torch.stack([losses for losses, _ in done]).mean(0)


def parts_of_batch(batch: Batch, number: int) -> list[Batch]:
    """The windows of a batch in so many batches, in order."""
    windows = len(batch[0])
    bounds = [windows * i // number for i in range(number + 1)]
    return [batch._make(tensor[start:end] for tensor in batch) for start, end in pairwise(bounds)]


def is_main() -> bool:
    """Whether this process is number 0, the one that reports."""
    return int(os.environ.get("RANK", "0")) == 0


def is_alone() -> bool:
    """Whether no other process trains with this one."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


class Workers:
    """The processes of one training run, seen from one of them.

    Args:
        device: where to train; of several CUDA devices each process takes its own.
        grouped: join a process group even where there is one process only.
        alone: do not look for other processes.

    Attributes:
        rank, size: this one's number and how many there are. Number 0 writes the run folder.
        device: where this one trains.
    """

    def __init__(self, device: torch.device, grouped: bool = False, alone: bool = False):
        self.size = 1 if alone else int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = 0 if alone else int(os.environ.get("RANK", "0"))
        self.device = device
        self._grouped = grouped or self.size > 1
        if not self._grouped:
            return
        if device.type == "cuda":
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
        backend = "nccl" if device.type == "cuda" else "gloo"
        if self.size > 1:
            dist.init_process_group(backend, timeout=_PATIENCE)
        else:  # needs no address
            dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace gradients by their mean over all processes."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        parts = flat.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, *flags: bool) -> list[bool]:
        """For each flag whether it is set in any of the processes; all of them wait here."""
        if self.size == 1:
            return list(flags)
        found = torch.tensor(flags, dtype=torch.uint8, device=self.device)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return [bool(flag) for flag in found.tolist()]

    def from_main(self, *numbers: float) -> list[float]:
        """The numbers that process 0 gives, whatever the others give."""
        if self.size == 1:
            return list(numbers)
        found = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.broadcast(found, 0)
        return found.tolist()

    def leave(self) -> None:
        """Part from the others; call it once all work is done."""
        if self._grouped:
            dist.barrier()
            dist.destroy_process_group()
