"""The training loop: linear code, one device a process.

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

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import TrainingError
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Batch, Genomes
from augustus_dl.train.loss import annotation_loss, focal_loss
from augustus_dl.train.pack import Pack, Piece
from augustus_dl.train.parallel import Workers, backward
from augustus_dl.train.path_loss import PathLoss
from augustus_dl.train.run_folder import RunFolder
from augustus_dl.train.validation import Validation

__all__ = ["seconds_a_step", "train"]

log = logging.getLogger(__name__)


def train(
    config: TrainConfig,
    packs: list[Pack],
    folder: Path,
    device: torch.device,
    minutes: float = math.inf,
    progress: Callable[[str], None] = log.info,
    decoder: DecoderConfig | None = None,
) -> float:
    """Train until `config.steps` or for `minutes`, resuming from `folder`; best gene F1 so far.

    `decoder` has the constants that validation genes are decoded with and paths are scored by.

    With several processes (see parallel.Workers) each draws windows of its own, and number 0 alone
    evaluates, saves and reports.

    Raises:
        TrainingError: no training pieces; one of a clade that the network of `config.init` was not
            made for; or the folder belongs to a run with other settings.
    """
    pieces = [piece for pack in packs for piece in pack.pieces]
    training = [piece for piece in pieces if not piece.validation]
    if not training:
        raise TrainingError("no piece to train on: every one is marked validation")
    workers = Workers(device)
    device = workers.device
    main = workers.rank == 0
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
    step, best, waited = 0, -1.0, 0
    if state:
        step, best, waited = state["step"], state["best"], state["waited"]
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    genomes = Genomes(training, device, config.genic, config.mask_dropout)
    decoder = decoder or DecoderConfig()
    compute_loss = _loss_function(model, config, device, decoder)
    parameters = list(model.parameters())
    if main:
        where = f"{workers.size} x {device}" if workers.size > 1 else str(device)
        progress(f"training on {where}: {len(genomes.bases) / 1e6:.1f} Mb, from step {step}")

    def save() -> None:
        run.save_state(
            step=step,
            best=best,
            waited=waited,
            model=model.state_dict(),
            average=average.state_dict(),
            optimizer=optimizer.state_dict(),
        )

    began = saved = evaluated = time.monotonic()
    losses: list[torch.Tensor] = []
    late = minutes <= 0
    while True:
        now = time.monotonic()
        over = late or step >= config.steps
        if losses and (over or len(losses) == 50):
            rate, means = _learning_rate(config, step - 1), torch.stack(losses).mean(0).tolist()
            record = dict(zip(("loss", "path_loss"), means, strict=True))
            if main:
                run.log(step=step, learning_rate=rate, seconds=now - began, **record)
            losses.clear()
        evaluates = main and (over or now - evaluated > 60 * config.evaluate_minutes)
        if evaluates or (main and now - saved > 60 * config.save_minutes):
            save()
            saved = now
        if evaluates:
            accuracy = validation.run(average, device, decoder)
            by_clade = {clade: 100 * levels["gene"]["f1"] for clade, levels in accuracy.items()}
            exons = [100 * levels["exon"]["f1"] for levels in accuracy.values()]
            f1 = (sum(by_clade.values()) + config.exon_share * sum(exons)) / len(by_clade)
            waited += 1
            if f1 > best:
                best, waited = f1, 0
                run.keep(average, by_clade)
                save()
            run.log(step=step, validation=accuracy)
            run.plot()
            detail = ", ".join(f"{clade} {value:.1f}" for clade, value in by_clade.items())
            detail += f" (exon {exons[0]:.1f})" if config.exon_share else ""
            progress(f"step {step}: validation gene F1 {detail}; best mean {best:.2f}")
            evaluated = saved = time.monotonic()
        if over:
            workers.leave()
            return best

        draw = step * workers.size + workers.rank
        batch = _batch(genomes, config, draw)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(config, step)
        both = backward(compute_loss, batch, parameters, config.path_weight)
        over_time = time.monotonic() - began > 60 * minutes
        late = workers.average(parameters, over_time or 0 < config.patience <= waited)
        norm = torch.nn.utils.clip_grad_norm_(parameters, config.clip, foreach=True)
        if not torch.isfinite(norm):
            run.log(step=step, skipped="gradient is not finite")
        else:
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        _update_average(average, model, config.ema, step)
        losses.append(both)
        step += 1


def seconds_a_step(
    config: TrainConfig, pieces: list[Piece], device: torch.device, decoder: DecoderConfig
) -> float:
    """How long a step of training takes here, measured on the second and third one."""
    model = _start_model(config).to(device).train()
    genomes = Genomes(pieces, device, config.genic, config.mask_dropout)
    losses_of = _loss_function(model, config, device, decoder)
    parameters = list(model.parameters())
    for step in range(3):
        if step == 1:
            began = time.monotonic()
        batch = _batch(genomes, config, step)
        backward(losses_of, batch, parameters, config.path_weight).tolist()  # waits for the device
    return (time.monotonic() - began) / 2


def _batch(genomes: Genomes, config: TrainConfig, draw: int) -> Batch:
    rates = config.mutation, config.substitution
    return genomes.batch(config.windows, config.length, config.seed, draw, *rates)


def _start_model(config: TrainConfig) -> AnnotationModel:
    if config.init:
        model = load_model(Path(config.init))
        model.config.clade = config.clade
    else:
        shape = {name: getattr(config, name) for name in ("size", "clade", "moe", "mixer", "skips")}
        model = AnnotationModel(NetworkConfig(**shape))
    model.set_dropout(config.dropout)
    return model


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
    fused = device.type != "mps"
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=fused)


def _loss_function(
    model: AnnotationModel, config: TrainConfig, device: torch.device, decoder: DecoderConfig
) -> Callable:
    """Batch to the loss of single bases and the path loss, scalars.

    In bf16 where the device has it; compiled on CUDA, but for the path loss.
    """
    has_utr = model.config.utr
    path_loss = PathLoss(decoder, device) if config.path_weight else None

    def loss_of(codes, masked, labels, utr, clade):
        scores = model(codes, masked, clade, utr=has_utr)
        loss = annotation_loss(
            scores.logits_BKL, labels, config.gamma, config.dice_weight, config.boundary_weight
        )
        if has_utr:
            loss = loss + config.utr_weight * focal_loss(scores.utr_BKL, utr, config.gamma)
        return loss + config.router_weight * scores.router_loss, scores.logits_BKL

    compiled = torch.compile(loss_of) if device.type == "cuda" else loss_of
    low = device.type == "cuda" or (
        device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()  # emulated it is slow
    )

    def losses_of(batch):
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            loss, logits_BKL = compiled(*batch)
        if path_loss is None:
            return loss, loss.new_zeros(())
        return loss, path_loss(logits_BKL, batch.labels_BL, batch.codes_BL)

    return losses_of


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
