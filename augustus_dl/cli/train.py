"""`augustus-dl train`: pack files to a species profile."""

import math
from pathlib import Path
from typing import Annotated

import typer


def train(
    packs: Annotated[list[Path], typer.Argument(help="Pack files made by `augustus-dl prepare`.")],
    run: Annotated[Path, typer.Option(help="Run folder; an interrupted run resumes here.")],
    species: Annotated[str, typer.Option(help="Name of the profile the run folder becomes.")],
    clade: Annotated[str, typer.Option(help="Clade whose validation genes choose checkpoints.")],
    size: Annotated[str, typer.Option(help="tiny, small or base.")] = "base",
    moe: Annotated[bool, typer.Option(help="Mixture-of-experts layers.")] = True,
    mixer: Annotated[str, typer.Option(help="attention or convolution.")] = "attention",
    skips: Annotated[bool, typer.Option(help="Skips of the U-shape.")] = True,
    init: Annotated[str, typer.Option(help="Model folder to start from.")] = "",
    steps: Annotated[int, typer.Option(help="Optimiser steps in all.")] = 10_000,
    windows: Annotated[int, typer.Option(help="Windows a step.")] = 16,
    length: Annotated[int, typer.Option(help="Bases a window.")] = 65_536,
    accumulation: Annotated[
        int,
        typer.Option(
            help="Parts that a step is read in; 0 lets half a megabase be read at once on a CPU, "
            "and all elsewhere."
        ),
    ] = 0,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute twice instead of remembering: less memory.")
    ] = False,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1.5e-3,
    gamma: Annotated[float, typer.Option(help="Focal exponent.")] = 1.0,
    dice_weight: Annotated[float, typer.Option(help="Weight of the boundary Dice loss.")] = 0.5,
    boundary_weight: Annotated[float, typer.Option(help="Boundary bases' cross-entropy.")] = 1.0,
    path_weight: Annotated[float, typer.Option(help="Weight of the whole path's loss.")] = 0.0,
    utr_weight: Annotated[float, typer.Option(help="Weight of untranslated regions.")] = 0.3,
    weight_decay: Annotated[float, typer.Option(help="AdamW's weight decay.")] = 0.05,
    genic: Annotated[float, typer.Option(help="Share of windows drawn around genes.")] = 0.8,
    mask_dropout: Annotated[float, typer.Option(help="Share of windows without mask.")] = 0.5,
    mutation: Annotated[float, typer.Option(help="Highest mutation rate of a window.")] = 0.0,
    substitution: Annotated[float, typer.Option(help="Highest rate of other coding bases.")] = 0.0,
    dropout: Annotated[float, typer.Option(help="Share of trunk features left out.")] = 0.0,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights.")] = 0.999,
    warmup: Annotated[int, typer.Option(help="Steps until the peak learning rate.")] = 300,
    evaluate_minutes: Annotated[float, typer.Option(help="Minutes between evaluations.")] = 3.0,
    save_minutes: Annotated[float, typer.Option(help="Minutes between saved states.")] = 2.0,
    minutes: Annotated[float, typer.Option(help="Stop (to resume later) after this.")] = math.inf,
    seed: Annotated[int, typer.Option(help="Seed of weights and windows.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    deepspeed: Annotated[
        str,
        typer.Option(
            metavar="CONFIG",
            help="DeepSpeed's settings: a JSON file, or zero0, zero1, zero2, zero3.",
        ),
    ] = "",
) -> None:
    """Train a network; keep the weights that decode validation genes best.

    The run folder is a species profile: `augustus-dl --species=RUN genome.fa` uses it.
    """
    from augustus_dl.engine.torch import choose_device
    from augustus_dl.train.config import TrainConfig, usual_accumulation
    from augustus_dl.train.loop import train as run_training
    from augustus_dl.train.pack import read_pack
    from augustus_dl.train.parallel import is_main

    chosen = choose_device(device)
    config = TrainConfig(
        species=species,
        clade=clade,
        size=size,
        moe=moe,
        init=init,
        steps=steps,
        windows=windows,
        length=length,
        accumulation=accumulation or usual_accumulation(windows, length, chosen.type),
        recompute=recompute,
        learning_rate=learning_rate,
        gamma=gamma,
        dice_weight=dice_weight,
        boundary_weight=boundary_weight,
        utr_weight=utr_weight,
        weight_decay=weight_decay,
        genic=genic,
        mutation=mutation,
        substitution=substitution,
        dropout=dropout,
        evaluate_minutes=evaluate_minutes,
        save_minutes=save_minutes,
        mixer=mixer,
        skips=skips,
        path_weight=path_weight,
        mask_dropout=mask_dropout,
        ema=ema,
        warmup=warmup,
        seed=seed,
    )
    best = run_training(
        config,
        [read_pack(path) for path in packs],
        run,
        chosen,
        minutes,
        progress=lambda line: typer.echo(line, err=True),
        deepspeed=deepspeed,
    )
    if is_main():
        typer.echo(f"best validation gene F1 {best:.2f}; profile in {run}", err=True)
