"""One step of training: gradients of some windows, and what they do to the weights.

`PlainStepper` is torch alone, on one device a process. `engine.DeepSpeedStepper` does the same with
DeepSpeed; the loop does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch

from augustus_dl.errors import TrainingError
from augustus_dl.network.model import AnnotationModel
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Batch
from augustus_dl.train.parallel import Workers, backward, parts_of_batch

__all__ = ["LossesOf", "PlainStepper", "Stepper", "adamw"]

LossesOf = Callable[[Batch], tuple[torch.Tensor, torch.Tensor]]
"""A batch to the loss of single bases and the path loss."""


class Stepper(Protocol):
    """Owns the optimiser, and how work is shared among processes.

    Attributes:
        forward: computes as the network does.
        compiles: whether what calls `forward` may be compiled.
        autocast: whether `forward` may run under torch's autocast.
    """

    forward: Callable
    compiles: bool
    autocast: bool

    def step(self, losses_of: LossesOf, batch: Batch, rate: float) -> tuple[torch.Tensor, bool]:
        """Learn from a batch at a learning rate.

        Returns:
            Both losses, float32 [2], and False where the gradient was not finite and the weights
            stayed as they were.
        """
        ...

    def weights(self) -> AbstractContextManager[Iterator[torch.nn.Parameter]]:
        """The whole network's weights, for reading; all processes must ask."""
        ...

    def state(self) -> dict[str, Any]:
        """What `load` needs to go on; all processes must ask."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state. The network has its weights already.

        Raises:
            TrainingError: the state was saved by another kind of stepper or number of processes.
        """
        ...


class PlainStepper:
    """AdamW with gradients averaged over the processes."""

    compiles = autocast = True

    def __init__(self, model: AnnotationModel, config: TrainConfig, workers: Workers):
        self.forward = model
        self._config, self._workers = config, workers
        self._parameters = list(model.parameters())
        self._optimizer = adamw(model, config, workers.device)

    def step(self, losses_of: LossesOf, batch: Batch, rate: float) -> tuple[torch.Tensor, bool]:
        """See `Stepper.step`."""
        config, parameters = self._config, self._parameters
        parts = parts_of_batch(batch, config.accumulation)
        losses = [backward(losses_of, part, parameters, config.path_weight) for part in parts]
        if len(parts) > 1:
            torch._foreach_div_([p.grad for p in parameters if p.grad is not None], len(parts))
        self._workers.average_gradients(parameters)
        norm = torch.nn.utils.clip_grad_norm_(parameters, config.clip, foreach=True)
        finite = bool(torch.isfinite(norm))
        if finite:
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return torch.stack(losses).mean(0), finite

    def weights(self) -> AbstractContextManager[Iterator[torch.nn.Parameter]]:
        """See `Stepper.weights`."""
        return nullcontext(iter(self._parameters))

    def state(self) -> dict[str, Any]:
        """See `Stepper.state`."""
        return self._optimizer.state_dict()

    def load(self, state: dict[str, Any]) -> None:
        """See `Stepper.load`."""
        if "partitions" in state:
            raise TrainingError("this run was begun with --deepspeed; go on with it, too")
        self._optimizer.load_state_dict(state)


def adamw(model: AnnotationModel, config: TrainConfig, device: torch.device) -> torch.optim.AdamW:
    """AdamW; only matrices and convolutions decay."""
    decayed = [p for p in model.parameters() if p.ndim >= 2 and p.shape[-1] > 1]
    names = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in names]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    fused = device.type != "mps"
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=fused)
