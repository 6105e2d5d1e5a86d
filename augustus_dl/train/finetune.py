"""Fine-tuning: a checkpoint, adapted to the genes of one species, if that makes it better.

Part of the genes is held out. On them the best weights are chosen, the decoder's constants and the
scale of its probabilities are fitted, and the parent is compared with its child; a child that is
worse is refused.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.errors import TrainingError
from augustus_dl.predict import PredictOptions, decoder_config
from augustus_dl.profile import Profile, clade_profile, clades
from augustus_dl.train.average import average_models
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.constants import Trials, f1s, gain_noise
from augustus_dl.train.fit import Report, fit
from augustus_dl.train.held_out import Part, parts_of
from augustus_dl.train.loop import seconds_a_step, train
from augustus_dl.train.pack import Pack, Piece
from augustus_dl.train.parallel import Workers
from augustus_dl.train.run_folder import write_model
from augustus_dl.train.split import hold_out
from augustus_dl.train.training_genes import TrainingGenes
from augustus_dl.train.validation import accuracy

__all__ = ["FEWEST_GENES", "Outcome", "Recipe", "finetune", "nearest_checkpoint"]

FEWEST_GENES = 80
"""With fewer valid genes there are too few to learn from and too few to judge by."""
_SAMPLE = 20
"""Genes that tell which checkpoint is nearest."""
_BASES_A_MINUTE = 100_000
"""Held-out bases for each minute of the budget."""
_FITTING = 0.35
"""Share of the time that is kept for choosing weights and fitting constants."""
_JUDGINGS = 8
"""Decodings of the held-out genes that are needed after training, at least; what they take is kept,
too. A decoding with probabilities counts as two."""
_DECODINGS = 3
"""Those of them that come after fitting, or beside it."""
_EVALUATIONS = 8
_EXON_SHARE = 0.5
"""Of exon F1 beside gene F1, where weights are chosen on some dozens of genes."""
_PASSES = 20
"""Times that training bases are read at most."""
_LENGTHS = (4_096, 8_192, 16_384)
_BASES_A_STEP = 262_144
"""On a GPU. A CPU reads a window a thread and step: many small steps learn more from few bases."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune.

    Attributes:
        minutes: budget of time for everything.
        learning_rate, path_weight, mutation: see TrainConfig.
        seed: of the split and the windows.
    """

    minutes: float = 15.0
    learning_rate: float = 3e-4
    path_weight: float = 1.0
    mutation: float = 0.05
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """A fine-tuned network beside its parent, on held-out genes; F1 in percent.

    Attributes:
        model: folder with the weights. plot: learning curves, PNG.
        trained, held_out: numbers of genes.
        parent, child: gene and exon F1; those of the child under the parent's constants.
        fitted: of the child under fitted constants, each half of the genes under what was fitted on
            the other half; equal to `child` where fitting gained nothing.
        noise: standard error of the gain in gene F1 from `parent` to `fitted`.
        report: of the fit.
    """

    model: Path
    plot: Path
    trained: int
    held_out: int
    parent: dict[str, float]
    child: dict[str, float]
    fitted: dict[str, float]
    noise: float
    report: Report

    @property
    def is_worse(self) -> bool:
        """Whether the child finds fewer genes than its parent, or as many and fewer exons."""
        return (self.fitted["gene"], self.fitted["exon"]) < (
            self.parent["gene"],
            self.parent["exon"],
        )

    def table(self) -> str:
        """For a person to read."""
        rows = (
            ("parent", self.parent),
            ("fine-tuned, the parent's constants", self.child),
            ("fine-tuned, fitted constants", self.fitted),
        )
        gain = self.fitted["gene"] - self.parent["gene"]
        return "\n".join(
            [
                f"{self.trained} genes trained on, {self.held_out} held out",
                f"{'on held-out genes':<36} {'gene F1':>8} {'exon F1':>8}",
                *(f"{name:<36} {f1['gene']:>8.2f} {f1['exon']:>8.2f}" for name, f1 in rows),
                f"gain in gene F1: {gain:+.2f} +- {self.noise:.2f}",
            ]
        )


def nearest_checkpoint(
    genes: TrainingGenes, device: torch.device, progress: Progress = lambda line: None
) -> Profile:
    """The shipped checkpoint that finds most of a sample of the genes."""
    sample, number = [], 0
    for piece in sorted(genes.pieces, key=lambda piece: len(piece.codes) / len(piece.genes)):
        if number < _SAMPLE:
            sample.append(replace(piece, validation=True))
            number += len(piece.genes)
    found: dict[tuple, tuple[float, Profile]] = {}
    for clade in clades():
        profile = clade_profile(clade)
        key = (profile.model, profile.clade)
        if key not in found:
            engine = TorchEngine.open(profile.model, profile.clade, str(device), None, False)
            levels = accuracy(sample, engine, _constants(profile, sample))
            found[key] = (levels["gene"]["f1"] + levels["exon"]["f1"], profile)
            progress(f"checkpoint {profile.name}: exon F1 {100 * levels['exon']['f1']:.1f}")
    return max(found.values(), key=lambda pair: pair[0])[1]


def finetune(
    genes: TrainingGenes,
    parent: Profile,
    species: str,
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    progress: Progress = lambda line: None,
    began: float | None = None,
    deepspeed: str = "",
) -> Outcome | None:
    """Fine-tune a checkpoint and compare it with its parent.

    Where several processes train as one (see parallel.Workers), number 0 alone judges and compares;
    for the others the outcome is None.

    Args:
        folder: an empty one, for the run and the weights.
        began: when the budget began (time.monotonic), by default now.
        deepspeed: see loop.train.

    Raises:
        TrainingError: there are too few genes.
        OptionError: `deepspeed` cannot be used.
    """
    began = time.monotonic() if began is None else began

    def minutes_left() -> float:
        return recipe.minutes - (time.monotonic() - began) / 60

    if genes.kept < FEWEST_GENES:
        raise TrainingError(
            f"{genes.kept} usable genes are too few to fine-tune with and to judge the result by; "
            f"at least {FEWEST_GENES} are needed, and 200 are a good number"
        )
    pieces = [replace(piece, clade=parent.clade) for piece in genes.pieces]
    pieces, trained = hold_out(pieces, round(recipe.minutes * _BASES_A_MINUTE), recipe.seed)
    held = [piece for piece in pieces if piece.validation]
    training = [piece for piece in pieces if not piece.validation]
    number = sum(len(piece.genes) for piece in held)
    if trained < FEWEST_GENES // 2:
        raise TrainingError(
            f"only {trained} genes are left to train on when {number} are held out with what is "
            "near them or like them; genes from more places are needed"
        )
    progress(f"{trained} genes to train on, {number} held out")
    start = _constants(parent, held)

    def judged(model: Path) -> tuple[list[Part], Trials]:
        engine = TorchEngine.open(model, parent.clade, str(device), None, parent.accurate)
        parts = parts_of(held, engine)
        return parts, Trials(parts)

    workers = Workers(device, grouped=bool(deepspeed))
    device, main = workers.device, workers.rank == 0
    length = _length(genes.pieces)
    threads = max(2, torch.get_num_threads())
    windows = threads if device.type == "cpu" else _BASES_A_STEP // length
    config = _config(recipe, parent, species, length, windows)
    judging = evaluate = training_minutes = steps = 0.0
    if main:
        start_of_judging = time.monotonic()
        parts, trials = judged(parent.model)
        before = trials.counts(start, range(len(parts)))
        judging = (time.monotonic() - start_of_judging) / 60
        progress(f"parent: gene F1 {f1s(before)['gene']:.2f}")
        seconds = seconds_a_step(config, training, device, start)
        reserve = max(_FITTING * recipe.minutes, _JUDGINGS * judging)
        training_minutes = max(0.0, minutes_left() - reserve)
        evaluate = max(training_minutes / _EVALUATIONS, 2 * judging)
        steps = _steps(config, training, 60 * training_minutes / seconds)
    steps, evaluate, training_minutes = workers.from_main(steps, evaluate, training_minutes)
    config = replace(config, steps=int(steps), evaluate_minutes=evaluate)
    run = folder / "run"
    packs = [Pack(pieces)]
    train(config, packs, run, device, training_minutes, progress, start, deepspeed, workers)
    if not main:
        return None
    candidates = [run, _with_parent(run, parent, folder / "average")]
    best, chosen = -1.0, None
    for model in candidates:
        parts, trials = judged(model)
        f1 = f1s(trials.counts(start, range(len(parts))))
        progress(f"{model.name}: gene F1 {f1['gene']:.2f}, exon F1 {f1['exon']:.2f}")
        reached = f1["gene"] + _EXON_SHARE * f1["exon"]
        if reached > best:
            best, chosen = reached, (model, parts, trials)
    model, parts, trials = chosen
    report = fit(parts, start, progress, 60 * (minutes_left() - _DECODINGS * judging))
    after = trials.counts(start, range(len(parts)))
    gained = report.fit.config != start
    return Outcome(
        model=model,
        plot=run / "curves.png",
        trained=trained,
        held_out=number,
        parent=f1s(before),
        child=report.fit.before,
        fitted=report.fit.crossed if gained else report.fit.before,
        noise=gain_noise(before, after),
        report=report,
    )


def _constants(profile: Profile, pieces: Sequence[Piece]) -> DecoderConfig:
    """The profile's constants of the decoder, with the genetic code of the pieces."""
    table = pieces[0].genetic_code
    return decoder_config(profile, PredictOptions(translation_table=table))


def _config(
    recipe: Recipe, parent: Profile, species: str, length: int, windows: int
) -> TrainConfig:
    return TrainConfig(
        species=species,
        clade=parent.clade,
        init=str(parent.model),
        learning_rate=recipe.learning_rate,
        warmup=20,
        path_weight=recipe.path_weight,
        mutation=recipe.mutation,
        genic=0.9,
        length=length,
        windows=windows,
        save_minutes=math.inf,
        exon_share=_EXON_SHARE,
        patience=4,
        seed=recipe.seed,
    )


def _length(pieces: Sequence[Piece]) -> int:
    """The shortest window that holds most genes twice, within what a CPU can do."""
    lengths = sorted(gene.end - gene.start for piece in pieces for gene in piece.genes)
    usual = 2 * lengths[len(lengths) * 3 // 4]
    return next((length for length in _LENGTHS if length >= usual), _LENGTHS[-1])


def _steps(config: TrainConfig, training: list[Piece], possible: float) -> int:
    """Steps that the time suffices for, or that read the training bases often enough."""
    bases = sum(len(piece.codes) for piece in training)
    enough = math.ceil(_PASSES * bases / (config.windows * config.length))
    return max(1, min(enough, int(possible)))


def _with_parent(run: Path, parent: Profile, folder: Path) -> Path:
    """A model folder with the mean of the run's weights and the parent's."""
    folder.mkdir()
    write_model(average_models([run, parent.model], parent.clade), folder)
    return folder
