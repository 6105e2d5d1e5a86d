"""Runs that differ in one thing: their command lines, and the table of what they reached.

python -m pytest tests/benchmarks/test_ablations.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from augustus_dl.cli.train import train as train_command
from benchmarks.ablations import VARIANTS, command, run_all, run_folder, scores, table


def options(folder: Path, **more: object) -> argparse.Namespace:
    known = {"packs": folder / "packs", "output": folder / "runs", "steps": 100, "size": "tiny"}
    return argparse.Namespace(**{**known, "seeds": [1, 2], "gpus": 1, "jobs_per_gpu": 1, **more})


def finish(folder: Path, gene: float, exon: float) -> None:
    """A run's log as training leaves it."""
    folder.mkdir(parents=True)
    levels = {"gene": {"f1": gene}, "exon": {"f1": exon}}
    records = [{"step": 50, "seconds": 4.0, "loss": 1.0}, {"step": 50, "validation": {"c": levels}}]
    (folder / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_word_is_an_option_of_training(variant, tmp_path: Path) -> None:
    words = command(variant, 1, options(tmp_path))
    known = set(train_command.__annotations__)
    named = {word[2:].replace("-", "_") for word in words if word.startswith("--")}
    assert {name.removeprefix("no_") for name in named} <= known
    assert (f"{variant.start}" == "") == ("--init" not in words)


def test_variants_start_from_variants_of_the_same_seed(tmp_path: Path) -> None:
    names = {variant.name for variant in VARIANTS}
    assert {variant.start for variant in VARIANTS} - {""} <= names
    fly = next(v for v in VARIANTS if v.start == "base")
    words = command(fly, 2, options(tmp_path))
    assert words[words.index("--init") + 1] == str(run_folder(tmp_path / "runs", "base", 2))
    assert words[words.index("--steps") + 1] == "30"


def test_table_has_means_over_seeds_and_leaves_out_what_is_missing(tmp_path: Path) -> None:
    given = options(tmp_path)
    finish(run_folder(given.output, "base", 1), 0.40, 0.60)
    finish(run_folder(given.output, "base", 2), 0.50, 0.70)
    head, _, *rows = table(list(VARIANTS), given).splitlines()
    assert head.startswith("| variant | seeds |") and len(rows) == 1
    assert rows[0] == "| base | 2 | c 40.0 / 50.0 | 45.0 | 65.0 | 4 |"


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    given = options(tmp_path, seeds=[1])
    folder = run_folder(given.output, "base", 1)
    finish(folder, 0.4, 0.6)
    run_all([VARIANTS[0]], given)
    assert [path.name for path in folder.iterdir()] == ["log.jsonl"]
    assert scores(folder)["seconds"] == 4.0
    assert scores(tmp_path / "nowhere") is None
