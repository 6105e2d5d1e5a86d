"""Fine-tuning keeps to its budget of time.

python -m pytest tests/train/test_finetune.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import find_profile
from augustus_dl.train import finetune as module
from augustus_dl.train.finetune import Recipe, finetune
from augustus_dl.train.training_genes import collect_records


class Ended(Exception):
    """Nothing more is of interest."""


@pytest.mark.parametrize("judging", [1, 60])
def test_time_is_kept_for_what_comes_after_training(
    judging: int,
    toy_contig: Callable[..., tuple[Contig, list[Gene]]],
    toy_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock that goes on only where genes are judged and while the network is trained."""
    now, given = [0.0], {}

    def parts(*_: object) -> list[object]:
        now[0] += judging
        return [SimpleNamespace()]

    trials = SimpleNamespace(counts=lambda *_: [])

    def train(config, packs, run, device, minutes, *_: object) -> None:
        now[0] += 60 * minutes + judging  # the last evaluation
        given.update(minutes=minutes, evaluate=config.evaluate_minutes)

    def fit(parts, start, progress, seconds: float) -> None:
        given["fit"] = seconds
        raise Ended

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "parts_of", parts)
    monkeypatch.setattr(module, "Trials", lambda parts: trials)
    monkeypatch.setattr(module, "f1s", lambda counts: {"gene": 50.0, "exon": 50.0})
    monkeypatch.setattr(module, "seconds_a_step", lambda *_: 1.0)
    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "_with_parent", lambda run, *_: run)
    monkeypatch.setattr(module.TorchEngine, "open", lambda *_: None)
    monkeypatch.setattr(module, "fit", fit)
    records = [toy_contig(f"c{seed}", seed, 3) for seed in range(30)]
    genes = collect_records(records, genetic_code(1), "bug")
    parent = find_profile(os.path.join(toy_folder, ""))
    with pytest.raises(Ended):
        finetune(genes, parent, "bug", Recipe(minutes=10), tmp_path, torch.device("cpu"), began=-30)
    budget = 600 - 30
    assert 0 < 60 * given["minutes"] < 0.65 * 600
    assert given["evaluate"] >= 2 * judging / 60
    left = budget - now[0]
    assert 0 <= given["fit"] <= left - 2 * judging
