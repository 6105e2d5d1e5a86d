"""The training loop: linear code, one process, one device.

A run folder holds train.json (its TrainConfig), log.jsonl, curves.png, state.pt (to resume
exactly), and the profile made of the best averaged weights so far, by decoded gene F1 on
validation genes.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from augustus_dl.errors import TrainingError
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Genomes
from augustus_dl.train.loss import annotation_loss, focal_loss
from augustus_dl.train.pack import Pack
from augustus_dl.train.run_folder import RunFolder
from augustus_dl.train.validation import Validation

__all__ = ["train"]

log = logging.getLogger(__name__)


def train(
    config: TrainConfig,
    packs: list[Pack],
    folder: Path,
    device: torch.device,
    minutes: float = math.inf,
    progress: Callable[[str], None] = log.info,
) -> float:
    """Train until `config.steps` or for `minutes`, resuming from `folder`; best gene F1 so far.

    Raises:
        TrainingError: no training pieces; one of a clade that the network of `config.init` was not
            made for; or the folder belongs to a run with other settings.
    """
    pieces = [piece for pack in packs for piece in pack.pieces]
    training = [piece for piece in pieces if not piece.validation]
    if not training:
        raise TrainingError("no piece to train on: every one is marked validation")
    validation = Validation([piece for piece in pieces if piece.validation], config.clade)
    torch.manual_seed(config.seed)
    torch.set_float32_matmul_precision("high")
    model = _start_model(config).to(device).train()
    unknown = {piece.clade for piece in pieces} - set(model.config.known_clades)
    if unknown:
        raise TrainingError(f"--init {config.init}: the network knows no {sorted(unknown)[0]}")
    run = RunFolder(folder, config)
    average = AnnotationModel(model.config).to(device).eval().requires_grad_(False)
    average.load_state_dict(model.state_dict())
    optimizer = _optimizer(model, config, device)
    state = run.load_state(device)
    step, best = 0, -1.0
    if state:
        step, best = state["step"], state["best"]
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    genomes = Genomes(training, device, config.genic)
    compute_loss = _loss_function(model, config, device)
    progress(f"training on {device}: {len(genomes.bases) / 1e6:.1f} Mb, from step {step}")

    def save() -> None:
        run.save_state(
            step=step,
            best=best,
            model=model.state_dict(),
            average=average.state_dict(),
            optimizer=optimizer.state_dict(),
        )

    began = saved = evaluated = time.monotonic()
    losses: list[torch.Tensor] = []
    while True:
        now = time.monotonic()
        done = step >= config.steps
        over = done or now - began > 60 * minutes
        if losses and (over or len(losses) == 50):
            rate, mean = _learning_rate(config, step - 1), torch.stack(losses).mean().item()
            run.log(step=step, loss=mean, learning_rate=rate, seconds=now - began)
            losses.clear()
        evaluates = over or now - evaluated > 60 * config.evaluate_minutes
        if evaluates or now - saved > 60 * config.save_minutes:
            save()
            saved = now
        if evaluates:
            accuracy = validation.run(average, device)
            by_clade = {clade: 100 * levels["gene"]["f1"] for clade, levels in accuracy.items()}
            f1 = sum(by_clade.values()) / len(by_clade)
            if f1 > best:
                best = f1
                run.keep(average, by_clade)
                save()
            run.log(step=step, validation=accuracy)
            run.plot()
            detail = ", ".join(f"{clade} {value:.1f}" for clade, value in by_clade.items())
            progress(f"step {step}: validation gene F1 {detail}; best mean {best:.2f}")
            evaluated = saved = time.monotonic()
        if over:
            return best

        batch = genomes.batch(config.windows, config.length, config.seed, step, config.mutation)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(config, step)
        loss = compute_loss(batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip, foreach=True)
        if not torch.isfinite(norm):
            run.log(step=step, skipped="gradient is not finite")
        else:
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        _update_average(average, model, config.ema, step)
        losses.append(loss.detach())
        step += 1


def _start_model(config: TrainConfig) -> AnnotationModel:
    if config.init:
        model = load_model(Path(config.init))
        model.config.clade = config.clade
        return model
    return AnnotationModel(NetworkConfig(size=config.size, clade=config.clade, moe=config.moe))


def _optimizer(
    model: AnnotationModel, config: TrainConfig, device: torch.device
) -> torch.optim.Optimizer:
    """AdamW; only matrices and convolutions decay."""
    decayed = [p for p in model.parameters() if p.ndim >= 2 and p.shape[-1] > 1]
    names = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in names]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    fused = device.type == "cuda"
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=fused)


def _loss_function(model: AnnotationModel, config: TrainConfig, device: torch.device) -> Callable:
    """Batch to scalar loss, in bf16 where the device has it; compiled on CUDA."""
    has_utr = model.config.utr

    def loss_of(codes, masked, labels, utr, clade):
        scores = model(codes, masked, clade, utr=has_utr)
        loss = annotation_loss(
            scores.logits_BKL, labels, config.gamma, config.dice_weight, config.boundary_weight
        )
        if has_utr:
            loss = loss + config.utr_weight * focal_loss(scores.utr_BKL, utr, config.gamma)
        return loss + config.router_weight * scores.router_loss

    compiled = torch.compile(loss_of) if device.type == "cuda" else loss_of
    low = device.type != "mps"

    def in_low_precision(batch):
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            return compiled(*batch)

    return in_low_precision


def _learning_rate(config: TrainConfig, step: int) -> float:
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * (0.05 + 0.475 * (1 + math.cos(math.pi * min(1.0, share))))


@torch.no_grad()
def _update_average(
    average: AnnotationModel, model: AnnotationModel, decay: float, step: int
) -> None:
    """Exponential moving average, faster at the start so that random weights are forgotten."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), weight)
