"""DeepSpeed as the engine of training; the only file that imports it.

DeepSpeed shares out optimiser states (ZeRO 1), gradients (2) and weights (3) among processes. What
is saved to resume is not DeepSpeed's own checkpoint, which is a set of pickles that only unpickling
without restraint can read: it is tensors and numbers, gathered in process 0 and written with the
rest of the run's state into one file, which is read with `weights_only=True`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from augustus_dl.errors import OptionError, TrainingError
from augustus_dl.network.model import AnnotationModel
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Batch
from augustus_dl.train.parallel import Workers, parts_of_batch
from augustus_dl.train.stepper import LossesOf, adamw

__all__ = ["DeepSpeedStepper", "read_settings"]

_OURS = {
    "train_batch_size": "--windows",
    "train_micro_batch_size_per_gpu": "--windows and --accumulation",
    "gradient_accumulation_steps": "--accumulation",
    "gradient_clipping": "the program",
    "optimizer": "the program (AdamW), --learning-rate and --weight-decay",
    "scheduler": "--learning-rate, --warmup and --steps",
    "activation_checkpointing": "--recompute",
}
"""Settings that the program makes itself, and by which option."""
_FLAT = ("fp32_partitioned_groups_flat", "single_partition_of_fp32_groups")
"""Where the optimisers of stage 3, and of 1 and 2, keep their share of the weights in float32."""


def read_settings(name: str) -> dict[str, Any]:
    """DeepSpeed's settings from a JSON file, or one of zero0, zero1, zero2 and zero3.

    Raises:
        OptionError: there is no such file, it is not JSON, or it says what is not its to say.
    """
    shipped = files("augustus_dl.train") / "deepspeed" / f"{name}.json"
    path = shipped if shipped.is_file() else Path(name).expanduser()
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(
            f"--deepspeed {name}: {error.strerror}; name a JSON file or zero0, zero1, zero2, zero3"
        ) from error
    except ValueError as error:
        raise OptionError(f"--deepspeed {name} is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise OptionError(f"--deepspeed {name} holds no JSON object")
    for key, owner in _OURS.items():
        if settings.get(key, "auto") != "auto":
            raise OptionError(f"--deepspeed {name}: leave out {key}; it is set by {owner}")
        settings.pop(key, None)
    if _is_on(settings, "fp16"):
        raise OptionError(f"--deepspeed {name}: fp16 overflows here; use bf16")
    zero = settings.get("zero_optimization", {})
    if _is_on(settings, "bf16") and not zero.get("stage", 0):
        raise OptionError(
            f"--deepspeed {name}: bf16 weights need ZeRO stage 1, 2 or 3; leave bf16 out, and "
            "stage 0 computes in bf16 with float32 weights where the device can"
        )
    if any("nvme" in str(part) for part in zero.values()):
        raise OptionError(f"--deepspeed {name}: offloading to NVMe cannot be resumed; use cpu")
    return settings


class DeepSpeedStepper:
    """A `stepper.Stepper` by DeepSpeed.

    Args:
        settings: of `read_settings`.

    Raises:
        OptionError: DeepSpeed is not installed, or does not accept the settings.
    """

    compiles = False

    def __init__(
        self,
        model: AnnotationModel,
        config: TrainConfig,
        workers: Workers,
        settings: dict[str, Any],
        low_precision: bool,
    ):
        self._config, self._workers, self._model = config, workers, model
        self._stage = settings.get("zero_optimization", {}).get("stage", 0)
        self._deepspeed = _import_deepspeed(workers.device)
        self._adam = adamw(model, config, workers.device)
        self.autocast = False
        arithmetic = {
            "enabled": low_precision and not _is_on(settings, "bf16"),
            "dtype": "bfloat16",
            "lower_precision_safe_modules": [],
        }
        whole = {
            "torch_autocast": arithmetic,
            "zero_force_ds_cpu_optimizer": False,
            **settings,
            "train_micro_batch_size_per_gpu": config.windows // config.accumulation,
            "gradient_accumulation_steps": config.accumulation,
            "gradient_clipping": config.clip if self._stage else 0.0,
        }
        try:
            with redirect_stdout(sys.stderr):  # annotation alone belongs on standard output
                self._engine, *_ = self._deepspeed.initialize(
                    model=model, optimizer=self._adam, config=whole
                )
        except (ValueError, AssertionError) as error:  # of its own checks of the settings
            reason = " ".join(str(error).split())[:300]
            raise OptionError(f"--deepspeed: DeepSpeed refuses the settings: {reason}") from error
        self.forward: Callable = self._engine

    def step(self, losses_of: LossesOf, batch: Batch, rate: float) -> tuple[torch.Tensor, bool]:
        """See `Stepper.step`."""
        for group in self._adam.param_groups:
            group["lr"] = rate
        found, finite = [], True
        parts = parts_of_batch(batch, self._config.accumulation)
        for number, part in enumerate(parts, 1):
            loss, path_loss = losses_of(part)
            self._engine.backward(loss + self._config.path_weight * path_loss)
            if number == len(parts) and not self._stage:
                finite = self._clip()
            self._engine.step()
            found.append(torch.stack([loss.detach().float(), path_loss.detach().float()]))
        finite &= not getattr(self._engine.optimizer, "overflow", False)
        return torch.stack(found).mean(0), finite

    @contextmanager
    def weights(self) -> Iterator[Iterator[torch.nn.Parameter]]:
        """See `Stepper.weights`."""
        parameters = list(self._model.parameters())
        gathered = self._deepspeed.zero.GatheredParameters(parameters, enabled=self._stage == 3)
        with gathered:
            yield iter(parameters)

    def state(self) -> dict[str, Any]:
        """See `Stepper.state`; complete in process 0."""
        if not self._stage:
            return self._adam.state_dict()
        partitions = [
            {"weights": self._gathered(flat.detach())}
            | {name: self._gathered(value) for name, value in self._adam.state[flat].items()}
            for flat in self._partitions()
        ]
        return {"stage": self._stage, "processes": self._workers.size, "partitions": partitions}

    def load(self, state: dict[str, Any]) -> None:
        """See `Stepper.load`."""
        saved = (state["stage"], state["processes"]) if "partitions" in state else (0, None)
        if saved != (self._stage, self._workers.size if self._stage else None):
            others = f" with {saved[1]} processes" if saved[0] else ""
            raise TrainingError(
                f"this run was saved by ZeRO stage {saved[0]}{others}; go on with the same, "
                "or begin a new run with --init"
            )
        if not self._stage:
            self._adam.load_state_dict(state)
            return
        for flat, tensors in zip(self._partitions(), state["partitions"], strict=True):
            own = {name: shares[self._workers.rank] for name, shares in tensors.items()}
            flat.data.copy_(own.pop("weights"))
            self._adam.state[flat] = {name: value.to(flat.device) for name, value in own.items()}

    def _clip(self) -> bool:
        """Clip gradients; those that are not finite are forgotten, so that nothing is learnt.

        ZeRO does so itself from stage 1 on.
        """
        parameters = list(self._model.parameters())
        norm = torch.nn.utils.clip_grad_norm_(parameters, self._config.clip, foreach=True)
        finite = bool(torch.isfinite(norm))
        if not finite:
            self._adam.zero_grad(set_to_none=True)
        return finite

    def _partitions(self) -> Sequence[torch.Tensor]:
        """This process's shares of the weights; AdamW's states have them as keys."""
        optimizer = self._engine.optimizer
        return next(getattr(optimizer, name) for name in _FLAT if hasattr(optimizer, name))

    def _gathered(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensors of all processes, on the CPU; [processes, ...]."""
        tensor = tensor.to(self._workers.device)
        found = [torch.empty_like(tensor) for _ in range(self._workers.size)]
        dist.all_gather(found, tensor)
        return torch.stack(found).cpu()


def _is_on(settings: dict[str, Any], part: str) -> bool:
    return bool(settings.get(part, {}).get("enabled"))


def _import_deepspeed(device: torch.device) -> Any:
    """The library, made ready for a device and quiet.

    Raises:
        OptionError: it is not installed, or does not work on this kind of device.
    """
    if device.type not in ("cpu", "cuda"):
        raise OptionError(f"--deepspeed works on CPU and CUDA, not on {device.type}; leave it out")
    os.environ.setdefault("DS_ACCELERATOR", device.type)
    os.environ.setdefault("LOCAL_RANK", "0")  # asked for even where there is no launcher
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
    try:
        with redirect_stdout(sys.stderr):
            import deepspeed
            from deepspeed.ops import __compatible_ops__ as compatible
    except ImportError as error:
        raise OptionError(
            f"--deepspeed: DeepSpeed cannot be imported ({error}); "
            "pip install 'augustus-dl[deepspeed]'"
        ) from error
    deepspeed.utils.logger.setLevel(logging.WARNING)
    compatible["deepspeed_shm_comm"] = False  # would be compiled at the start; gloo does the same
    return deepspeed
