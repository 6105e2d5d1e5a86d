"""What each part of the network and of training is worth: gene F1 of runs that differ in one thing.

    python -m benchmarks.ablations PACKS --output FOLDER [--only NAME ...] [--seeds 1 2] [--gpus 4]
                                   [--jobs-per-gpu 1] [--steps 2000]

PACKS is a folder of pack files named by recipe. Every run reads the same number of bases; runs that
start from another one's weights wait for it. A run that is finished is not run again. The result,
FOLDER/ablations.md, has one row a variant: mean and range over seeds of gene F1, exon F1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

COMPACT = ("nematodes", "arthropods", "yeasts")
STEP_BASES = 8 * 65_536
"""Windows of one step together."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind of run.

    Attributes:
        name, options: what it is called and the words it adds to `augustus-dl train`.
        packs: recipes it trains on.
        share: its steps as a share of a full run's.
        start: the variant whose weights it starts from.
        clade: whose validation genes are scored; "none" takes all of the packs'.
    """

    name: str
    options: tuple[str, ...] = ()
    packs: tuple[str, ...] = COMPACT
    share: float = 1.0
    start: str = ""
    clade: str = "none"


def _windows(length: int) -> tuple[str, ...]:
    return ("--length", str(length), "--windows", str(STEP_BASES // length))


_START = ("--path-weight", "1")
_TUNING = (*_START, "--learning-rate", "5e-4", "--warmup", "50")
_FLY = ("arthropods",)
_VERTEBRATES = ("vertebrates",)

VARIANTS = (
    Variant("base", _START),
    Variant("no path loss"),
    Variant("no path loss, then base", _TUNING, share=0.3, start="no path loss"),
    Variant("base, then trained on", _TUNING, share=0.3, start="base"),
    Variant("dense feed-forward, same FLOPs", (*_START, "--no-moe")),
    Variant("no skips", (*_START, "--no-skips")),
    Variant("depthwise convolution for attention", (*_START, "--mixer", "convolution")),
    Variant("windows of 32 kb", (*_START, *_windows(32_768))),
    Variant("windows of 16 kb", (*_START, *_windows(16_384))),
    Variant("cross-entropy", (*_START, "--gamma", "0", "--dice-weight", "0")),
    Variant("no soft-mask dropout", (*_START, "--mask-dropout", "0")),
    Variant("no averaged weights", (*_START, "--ema", "0")),
    Variant("mutated windows", (*_START, "--mutation", "0.1")),
    Variant("substituted amino acids", (*_START, "--substitution", "0.05")),
    Variant("dropout", (*_START, "--dropout", "0.1")),
    Variant("fly alone", _START, _FLY, share=1.3, clade="arthropods"),
    Variant("base, then fly alone", _TUNING, _FLY, share=0.3, start="base", clade="arthropods"),
    Variant("vertebrates alone", _START, _VERTEBRATES, share=1.3, clade="vertebrates"),
    Variant("synthetic vertebrates", _START, ("synthetic_vertebrates",)),
    Variant(
        "synthetic, then real vertebrates",
        _TUNING,
        _VERTEBRATES,
        share=0.3,
        start="synthetic vertebrates",
        clade="vertebrates",
    ),
)


def run_folder(output: Path, variant: Variant | str, seed: int) -> Path:
    name = variant if isinstance(variant, str) else variant.name
    return output / f"{name.replace(',', '').replace(' ', '_')}.{seed}"


def command(variant: Variant, seed: int, options: argparse.Namespace) -> list[str]:
    """The words of a run. Packs without validation genes are scored on those of vertebrates."""
    packs = [*variant.packs]
    if variant.packs == ("synthetic_vertebrates",):
        packs.append("vertebrates_validation")
    words = [sys.executable, "-m", "augustus_dl", "train"]
    words += [str(options.packs / f"{name}.safetensors") for name in packs]
    words += ["--run", str(run_folder(options.output, variant, seed)), "--seed", str(seed)]
    words += ["--species", "ablation", "--clade", variant.clade, "--size", options.size]
    words += ["--steps", str(round(options.steps * variant.share)), "--evaluate-minutes", "1000"]
    words += ["--save-minutes", "1000", *_windows(65_536), *variant.options]
    if variant.start:
        words += ["--init", str(run_folder(options.output, variant.start, seed))]
    return words


def scores(folder: Path) -> dict | None:
    """The last validation of a finished run, with the seconds that training took."""
    log = folder / "log.jsonl"
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    found = [record for record in records if "validation" in record]
    if not found:
        return None
    seconds = max((r["seconds"] for r in records if "seconds" in r), default=0.0)
    return {"seconds": round(seconds, 1), "validation": found[-1]["validation"]}


def run_all(variants: list[Variant], options: argparse.Namespace) -> None:
    """All runs, each on a free place of a GPU, those that others start from first."""
    places: SimpleQueue[int] = SimpleQueue()
    for _ in range(options.jobs_per_gpu):
        for gpu in range(options.gpus):
            places.put(gpu)
    futures: dict[tuple[str, int], Future] = {}

    def work(variant: Variant, seed: int) -> None:
        if variant.start and (variant.start, seed) in futures:
            futures[variant.start, seed].result()
        folder = run_folder(options.output, variant, seed)
        if scores(folder):
            return
        gpu = places.get()
        try:
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": str(gpu), "OMP_NUM_THREADS": "4"}
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "errors.txt").open("w") as errors:
                words = command(variant, seed, options)
                status = subprocess.run(words, stderr=errors, env=environment).returncode
        finally:
            places.put(gpu)
        found = scores(folder)
        print(variant.name, seed, status, found and _f1(found, "gene"), file=sys.stderr)

    jobs = len(variants) * len(options.seeds)
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for variant in sorted(variants, key=lambda v: bool(v.start)):
            for seed in options.seeds:
                futures[variant.name, seed] = pool.submit(work, variant, seed)


def _f1(found: dict, level: str) -> dict[str, float]:
    return {
        clade: round(100 * accuracy[level]["f1"], 1)
        for clade, accuracy in found["validation"].items()
    }


def table(variants: list[Variant], options: argparse.Namespace) -> str:
    """One row a variant: gene F1 of each seed and exon F1, by clade."""
    lines = [
        "| variant | seeds | gene F1 by clade | mean | exon F1 mean | s |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for variant in variants:
        runs = [scores(run_folder(options.output, variant, seed)) for seed in options.seeds]
        runs = [run for run in runs if run]
        if not runs:
            continue
        genes = [_f1(run, "gene") for run in runs]
        exons = [_f1(run, "exon") for run in runs]
        cells = "; ".join(
            f"{clade} {' / '.join(f'{g[clade]:.1f}' for g in genes)}" for clade in genes[0]
        )
        mean, exon = (
            sum(sum(run.values()) / len(run) for run in found) / len(found)
            for found in (genes, exons)
        )
        seconds = sum(run["seconds"] for run in runs) / len(runs)
        row = (variant.name, len(runs), cells, f"{mean:.1f}", f"{exon:.1f}", f"{seconds:.0f}")
        lines.append("| " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    names = [variant.name for variant in VARIANTS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("packs", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--jobs-per-gpu", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--size", default="base")
    options = parser.parse_args()
    chosen = [variant for variant in VARIANTS if variant.name in options.only]
    run_all(chosen, options)
    text = table(chosen, options)
    (options.output / "ablations.md").write_text(text, encoding="utf-8")
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
