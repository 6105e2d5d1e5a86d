"""The training loop: linear code, one device a process, whatever takes the steps (see stepper).

A run folder holds train.json (its TrainConfig), log.jsonl, curves.png, state.pt (to resume
exactly), and the profile made of the best averaged weights so far, by decoded gene F1 on
validation genes.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import TrainingError
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Batch, Genomes
from augustus_dl.train.engine import DeepSpeedStepper, read_settings
from augustus_dl.train.loss import annotation_loss, focal_loss
from augustus_dl.train.pack import Pack, Piece
from augustus_dl.train.parallel import Workers
from augustus_dl.train.path_loss import PathLoss
from augustus_dl.train.run_folder import RunFolder
from augustus_dl.train.stepper import LossesOf, PlainStepper, Stepper
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
    deepspeed: str = "",
    workers: Workers | None = None,
) -> float:
    """Train until `config.steps` or for `minutes`, resuming from `folder`; best gene F1 so far.

    `decoder` has the constants that validation genes are decoded with and paths are scored by.

    With several processes (see parallel.Workers) each draws windows of its own, and number 0 alone
    evaluates, saves and reports.

    Args:
        deepspeed: settings with which DeepSpeed does the work, see engine.read_settings.
        workers: the processes, where they have found each other before; they part at the end.

    Raises:
        OptionError: `deepspeed` cannot be used.
        TrainingError: no training pieces; one of a clade that the network of `config.init` was not
            made for; or the folder belongs to a run with other settings.
    """
    settings = read_settings(deepspeed) if deepspeed else None
    pieces = [piece for pack in packs for piece in pack.pieces]
    training = [piece for piece in pieces if not piece.validation]
    if not training:
        raise TrainingError("no piece to train on: every one is marked validation")
    workers = workers or Workers(device, grouped=bool(deepspeed))
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
    state = run.load_state(device)
    step, best, waited = 0, -1.0, 0
    if state:
        step, best, waited = state["step"], state["best"], state["waited"]
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
    if settings is None:
        stepper: Stepper = PlainStepper(model, config, workers)
    else:
        stepper = DeepSpeedStepper(model, config, workers, settings, _has_bf16(device))
    if state:
        stepper.load(state["optimizer"])
    genomes = Genomes(training, device, config.genic, config.mask_dropout)
    decoder = decoder or DecoderConfig()
    losses_of = _loss_function(model, stepper, config, device, decoder)
    if main:
        where = f"{workers.size} x {device}" if workers.size > 1 else str(device)
        engine = f" by DeepSpeed ({deepspeed})" if deepspeed else ""
        progress(
            f"training on {where}{engine}: {len(genomes.bases) / 1e6:.1f} Mb, from step {step}"
        )

    def save() -> None:
        optimizer = stepper.state()
        with stepper.weights():
            if main:
                run.save_state(
                    step=step,
                    best=best,
                    waited=waited,
                    model={name: value.float() for name, value in model.state_dict().items()},
                    average=average.state_dict(),
                    optimizer=optimizer,
                )

    began = saved = evaluated = time.monotonic()
    losses: list[torch.Tensor] = []
    while True:
        now = time.monotonic()
        late, evaluates, saves = workers.any(
            now - began >= 60 * minutes or 0 < config.patience <= waited,
            main and now - evaluated > 60 * config.evaluate_minutes,
            main and now - saved > 60 * config.save_minutes,
        )
        over = late or step >= config.steps
        if losses and (over or len(losses) == 50):
            rate, means = _learning_rate(config, step - 1), torch.stack(losses).mean(0).tolist()
            record = dict(zip(("loss", "path_loss"), means, strict=True))
            if main:
                run.log(step=step, learning_rate=rate, seconds=now - began, **record)
            losses.clear()
        if over or evaluates or saves:
            save()
            saved = now
        if over or evaluates:
            better = False
            if main:
                accuracy = validation.run(average, device, decoder)
                f1, detail = _selection(accuracy, config.exon_share)
                waited += 1
                better = f1 > best
                if better:
                    best, waited = f1, 0
                    run.keep(average, detail)
            if workers.any(better)[0]:
                save()
            if main:
                run.log(step=step, validation=accuracy)
                run.plot()
                progress(_told(step, accuracy, config.exon_share, best))
            evaluated = saved = time.monotonic()
        if over:
            workers.leave()
            return best

        draw = step * workers.size + workers.rank
        batch = _batch(genomes, config, draw)
        both, finite = stepper.step(losses_of, batch, _learning_rate(config, step))
        if main and not finite:
            run.log(step=step, skipped="gradient is not finite")
        with stepper.weights() as weights:
            _update_average(average, weights, config.ema, step)
        losses.append(both)
        step += 1


def seconds_a_step(
    config: TrainConfig, pieces: list[Piece], device: torch.device, decoder: DecoderConfig
) -> float:
    """How long a step of training takes here, measured on the second and third one."""
    model = _start_model(config).to(device).train()
    genomes = Genomes(pieces, device, config.genic, config.mask_dropout)
    stepper = PlainStepper(model, config, Workers(device, alone=True))
    losses_of = _loss_function(model, stepper, config, device, decoder)
    for step in range(3):
        if step == 1:
            began = time.monotonic()
        batch = _batch(genomes, config, step)
        stepper.step(losses_of, batch, 0.0)[0].tolist()  # waits for the device
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
    model.set_recomputing(config.recompute)
    return model


def _has_bf16(device: torch.device) -> bool:
    """Whether to compute in bf16; on a CPU that only emulates it, it is slow."""
    return device.type == "cuda" or (device.type == "cpu" and torch.cpu._is_avx512_bf16_supported())


def _loss_function(
    model: AnnotationModel,
    stepper: Stepper,
    config: TrainConfig,
    device: torch.device,
    decoder: DecoderConfig,
) -> LossesOf:
    """Batch to the loss of single bases and the path loss, scalars.

    In bf16 where the device has it; compiled on CUDA, but for the path loss.
    """
    has_utr = model.config.utr
    path_loss = PathLoss(decoder, device) if config.path_weight else None

    def loss_of(codes, masked, labels, utr, clade):
        scores = stepper.forward(codes, masked, clade, utr=has_utr)
        loss = annotation_loss(
            scores.logits_BKL, labels, config.gamma, config.dice_weight, config.boundary_weight
        )
        if has_utr:
            loss = loss + config.utr_weight * focal_loss(scores.utr_BKL, utr, config.gamma)
        return loss + config.router_weight * scores.router_loss, scores.logits_BKL

    compiled = torch.compile(loss_of) if stepper.compiles and device.type == "cuda" else loss_of
    low = stepper.autocast and _has_bf16(device)

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
    average: AnnotationModel, weights: Iterable[torch.Tensor], decay: float, step: int
) -> None:
    """Exponential moving average, faster at the start so that random weights are forgotten."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), [one.float() for one in weights], weight)


def _selection(accuracy: dict[str, dict], exon_share: float) -> tuple[float, dict[str, float]]:
    """What checkpoints are chosen by, and gene F1 by clade, in percent."""
    by_clade = {clade: 100 * levels["gene"]["f1"] for clade, levels in accuracy.items()}
    exons = [100 * levels["exon"]["f1"] for levels in accuracy.values()]
    return (sum(by_clade.values()) + exon_share * sum(exons)) / len(by_clade), by_clade


def _told(step: int, accuracy: dict[str, dict], exon_share: float, best: float) -> str:
    """An evaluation in one line."""
    _, by_clade = _selection(accuracy, exon_share)
    detail = ", ".join(f"{clade} {value:.1f}" for clade, value in by_clade.items())
    if exon_share:
        detail += f" (exon {100 * next(iter(accuracy.values()))['exon']['f1']:.1f})"
    return f"step {step}: validation gene F1 {detail}; best mean {best:.2f}"
