"""Training on toy genomes, some seconds of CPU time in all.

python -m pytest tests/train/test_loop.py
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from augustus_dl.errors import TrainingError
from augustus_dl.io.fasta import Contig
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile
from augustus_dl.tokenizer import nucleotide_tokenizer
from augustus_dl.train import loop
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Genomes
from augustus_dl.train.pack import Pack, Piece
from augustus_dl.train.validation import Validation

CPU = torch.device("cpu")
TOY = TrainConfig(
    species="toy",
    clade="yeasts",
    size="tiny",
    steps=12,
    windows=2,
    length=4096,
    warmup=3,
    learning_rate=3e-3,
)
FILES = {
    "train.json",
    "log.jsonl",
    "curves.png",
    "state.pt",
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "toy_dl.json",
    "toy_parameters.cfg",
}


@pytest.fixture(scope="module")
def packs(toy_piece: Callable[..., Piece]) -> list[Pack]:
    training = [toy_piece(f"chr{seed}", seed, genes=15) for seed in range(3)]
    return [Pack([*training, toy_piece("chrV", 9, genes=6, validation=True)])]


@pytest.fixture(autouse=True, scope="module")
def _precision() -> Iterator[None]:
    """Training lowers the precision of matrix products for the whole process."""
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


class Stopped(Exception):
    """The machine went away."""


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The annotation loss of every step, in order."""
    seen: list[float] = []
    compute = loop.annotation_loss

    def recorded(*args: object) -> torch.Tensor:
        loss = compute(*args)
        seen.append(loss.item())
        return loss

    monkeypatch.setattr(loop, "annotation_loss", recorded)
    return seen


def run(config: TrainConfig, packs: list[Pack], folder: Path, **options: float) -> list[str]:
    said: list[str] = []
    loop.train(config, packs, folder, CPU, progress=said.append, **options)
    return said


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state = torch.load(folder / "state.pt", weights_only=True)
    assert state["step"] == TOY.steps
    parts = {f"{part}.{k}": v for part in ("model", "average") for k, v in state[part].items()}
    moments = {
        f"{number}.{name}": value
        for number, values in state["optimizer"]["state"].items()
        for name, value in values.items()
    }
    return parts | moments


@pytest.fixture(scope="module")
def finished(packs: list[Pack], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of twelve steps at once; do not write into it."""
    folder = tmp_path_factory.mktemp("runs") / "at_once"
    said = run(TOY, packs, folder)
    assert "from step 0" in said[0] and "step 12" in said[-1]
    return folder


def test_the_run_folder_holds_exactly_what_is_documented(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == FILES
    assert json.loads((finished / "train.json").read_text()) == TOY.to_dict()
    assert (finished / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (finished / "tokenizer.json").read_text() == nucleotide_tokenizer().to_str(pretty=True)


def test_the_log(finished: Path) -> None:
    validation, loss = sorted(records(finished), key=lambda record: "loss" in record)
    assert loss["step"] == validation["step"] == 12
    assert math.isfinite(loss["loss"]) and loss["learning_rate"] > 0 and loss["seconds"] > 0
    assert 0 <= validation["validation"]["yeasts"]["gene"]["f1"] <= 1


def test_the_path_loss_is_learned(packs: list[Pack], tmp_path: Path) -> None:
    config = dataclasses.replace(TOY, path_weight=1.0, steps=150)
    run(config, packs, tmp_path / "run")
    found = [record["path_loss"] for record in records(tmp_path / "run") if "loss" in record]
    assert len(found) == 3 and found[-1] < 0.8 * found[0]


def test_the_run_folder_is_a_profile(finished: Path, packs: list[Pack]) -> None:
    profile = find_profile(str(finished))
    assert (profile.name, profile.clade, profile.model) == ("toy", "yeasts", finished)
    assert list(profile.scores) == ["validation_gene_f1_yeasts"]
    text = np.frombuffer(b"ACGTN", dtype=np.uint8)[packs[0].pieces[0].codes].tobytes()
    ((contig, genes),) = predict([Contig("c", text)], profile, PredictOptions(device="cpu"))
    assert contig.name == "c"
    assert all(gene.contig == "c" for gene in genes)


def test_the_averaged_weights_are_kept_in_half_precision(finished: Path) -> None:
    state = torch.load(finished / "state.pt", weights_only=True)
    kept = load_file(finished / "model.safetensors")
    assert kept.keys() == state["average"].keys()
    for name, tensor in kept.items():
        assert torch.equal(tensor, state["average"][name].half()), name
    assert not torch.equal(state["average"]["head.1.weight"], state["model"]["head.1.weight"])


def test_an_interrupted_run_resumes_exactly(
    finished: Path,
    packs: list[Pack],
    tmp_path: Path,
    losses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in step 8, after the state of step 8 was saved; only how often it is saved differs."""
    often = dataclasses.replace(TOY, save_minutes=0)
    run(often, packs, tmp_path / "whole")
    whole = losses.copy()
    losses.clear()
    batch = Genomes.batch

    def stop(self: Genomes, windows: int, length: int, seed: int, step: int, *rates: float):
        if step == 8:
            raise Stopped
        return batch(self, windows, length, seed, step, *rates)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Genomes, "batch", stop)
        run(often, packs, tmp_path / "parts")
    assert len(losses) == 8
    said = run(often, packs, tmp_path / "parts")
    assert "from step 8" in said[0]
    assert losses == whole and len(whole) == 12
    at_once, resumed = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    reference = weights(finished)
    assert at_once.keys() == resumed.keys() == reference.keys()
    for name, tensor in at_once.items():
        assert torch.equal(tensor, resumed[name]), name
        assert torch.equal(tensor, reference[name]), name
    assert not list(tmp_path.rglob("*.partial*"))


def test_a_run_stopped_by_the_clock_resumes_exactly(
    finished: Path, packs: list[Pack], tmp_path: Path, losses: list[float]
) -> None:
    folder = tmp_path / "run"
    run(TOY, packs, folder, minutes=0)
    assert losses == []
    assert {path.name for path in folder.iterdir()} == FILES  # usable at once
    run(TOY, packs, folder)
    assert len(losses) == 12
    resumed = weights(folder)
    for name, tensor in weights(finished).items():
        assert torch.equal(tensor, resumed[name]), name


def test_a_failing_evaluation_loses_nothing(
    finished: Path,
    packs: list[Pack],
    tmp_path: Path,
    losses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first evaluation finds 30 %, the second, at the end, fails; the last one finds 20 %."""
    folder = tmp_path / "run"
    answers = [0.3, Stopped, 0.2]

    def evaluate(self: Validation, model: AnnotationModel, *_: object) -> dict:
        answer = answers.pop(0)
        if answer is Stopped:
            raise Stopped
        return {"yeasts": {level: {"f1": answer} for level in ("gene", "exon")}}

    monkeypatch.setattr(Validation, "run", evaluate)
    run(TOY, packs, folder, minutes=0)
    kept = (folder / "model.safetensors").read_bytes()
    with pytest.raises(Stopped):
        run(TOY, packs, folder)
    assert len(losses) == 12
    resumed = weights(folder)
    for name, tensor in weights(finished).items():
        assert torch.equal(tensor, resumed[name]), name
    said = run(TOY, packs, folder)
    assert len(losses) == 12 and answers == []
    assert "from step 12" in said[0] and "yeasts 20.0; best mean 30.00" in said[-1]
    assert (folder / "model.safetensors").read_bytes() == kept


def test_training_ends_when_nothing_gets_better(
    packs: list[Pack], tmp_path: Path, losses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two evaluations in a row without a better one; exons count half as much as genes."""
    answers = [(0.3, 0.2), (0.3, 0.4), (0.35, 0.3), (0.34, 0.3), (0.1, 0.1)]

    def evaluate(*_: object) -> dict:
        gene, exon = answers.pop(0)
        return {"yeasts": {"gene": {"f1": gene}, "exon": {"f1": exon}}}

    monkeypatch.setattr(Validation, "run", evaluate)
    config = dataclasses.replace(TOY, evaluate_minutes=0, patience=2, exon_share=0.5)
    said = run(config, packs, tmp_path / "run")
    assert answers == [] and len(losses) < 12
    assert "gene F1 yeasts 35.0 (exon 30.0); best mean 50.00" in said[3]


def test_a_finished_run_trains_no_further(
    finished: Path, packs: list[Pack], tmp_path: Path, losses: list[float]
) -> None:
    run(dataclasses.replace(TOY, steps=1), packs, tmp_path / "run")
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    losses.clear()
    run(dataclasses.replace(TOY, steps=1), packs, tmp_path / "run")
    assert losses == []
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 13}, {"species": "other"}])
def test_a_run_with_other_settings_is_refused(
    change: dict, finished: Path, packs: list[Pack]
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        run(dataclasses.replace(TOY, **change), packs, finished)
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before


def test_runs_need_both_kinds_of_pieces(packs: list[Pack], tmp_path: Path) -> None:
    only_validation = [Pack([p for p in packs[0].pieces if p.validation])]
    with pytest.raises(TrainingError, match="no piece to train on"):
        run(TOY, only_validation, tmp_path / "a")
    only_training = [Pack([p for p in packs[0].pieces if not p.validation])]
    with pytest.raises(TrainingError, match="no validation piece of clade 'yeasts'"):
        run(TOY, only_training, tmp_path / "b")
    assert not list(tmp_path.iterdir()), "a run that cannot start must not claim its folder"


def test_an_old_network_knows_no_new_clade(
    toy_piece: Callable[..., Piece], packs: list[Pack], tmp_path: Path
) -> None:
    old = AnnotationModel(NetworkConfig(size="tiny", clade="yeasts", clades=8, utr=False))
    old.save_pretrained(tmp_path / "old")
    config = dataclasses.replace(TOY, init=str(tmp_path / "old"), steps=1)
    bacteria = Pack([toy_piece("chr1", clade="prokaryotes")])
    with pytest.raises(TrainingError, match=r"--init .*old: the network knows no prokaryotes"):
        run(config, [*packs, bacteria], tmp_path / "run")
    assert not (tmp_path / "run").exists()
    run(config, packs, tmp_path / "run")
    assert not hasattr(load_model(tmp_path / "run"), "utr_head")


def test_the_utr_track_is_learnt_with_its_weight(
    packs: list[Pack], tmp_path: Path, finished: Path, losses: list[float]
) -> None:
    """Its head moves only with a weight; the structure labels' loss is another then, too."""
    start = load_file(finished / "model.safetensors")["utr_head.1.weight"].float()
    heads, seen = [], []
    for weight in (0.0, 5.0):
        config = dataclasses.replace(TOY, init=str(finished), utr_weight=weight, weight_decay=0.0)
        run(config, packs, tmp_path / str(weight))
        state = torch.load(tmp_path / str(weight) / "state.pt", weights_only=True)
        heads.append(state["model"]["utr_head.1.weight"])
        seen.append(losses.copy())
        losses.clear()
    assert torch.equal(heads[0], start) and not torch.equal(heads[1], start)
    assert seen[0][0] == seen[1][0] and seen[0][-1] != seen[1][-1]


@pytest.mark.parametrize("change", ["mutation", "substitution", "dropout"])
def test_changed_windows_and_dropout_change_what_is_learnt(
    change: str, finished: Path, packs: list[Pack], tmp_path: Path, losses: list[float]
) -> None:
    run(dataclasses.replace(TOY, steps=2), packs, tmp_path / "a")
    run(dataclasses.replace(TOY, steps=2, **{change: 0.5}), packs, tmp_path / "b")
    assert losses[0] != losses[2]


def test_the_loss_falls(packs: list[Pack], tmp_path: Path, losses: list[float]) -> None:
    run(dataclasses.replace(TOY, steps=30, dice_weight=0.0), packs, tmp_path / "run")
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:3])


def test_training_goes_on_from_a_model_folder(
    finished: Path, packs: list[Pack], tmp_path: Path
) -> None:
    config = dataclasses.replace(TOY, init=str(finished), steps=1, learning_rate=1e-9)
    run(config, packs, tmp_path / "run")
    start, end = load_file(finished / "model.safetensors"), load_model(tmp_path / "run")
    for name, tensor in end.state_dict().items():
        torch.testing.assert_close(tensor, start[name].float(), rtol=2e-3, atol=1e-4)


def test_a_step_with_a_broken_gradient_is_left_out(
    packs: list[Pack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, calls = loop.annotation_loss, []

    def broken(*args: object) -> torch.Tensor:
        calls.append(0)
        return compute(*args) * (math.nan if len(calls) == 2 else 1.0)

    monkeypatch.setattr(loop, "annotation_loss", broken)
    run(dataclasses.replace(TOY, steps=3), packs, tmp_path / "run")
    skipped = [r for r in records(tmp_path / "run") if "skipped" in r]
    assert [r["step"] for r in skipped] == [1]
    assert all(t.isfinite().all() for t in load_model(tmp_path / "run").state_dict().values())


def test_the_learning_rate_rises_then_falls_to_a_twentieth() -> None:
    config = TrainConfig(species="x", clade="none", steps=100, warmup=10, learning_rate=2.0)
    rates = [loop._learning_rate(config, step) for step in range(101)]
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[10] == pytest.approx(2.0) and rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"length": 100},
        {"length": 0},
        {"steps": 0},
        {"windows": 0},
        {"size": "huge"},
        {"clade": "dragons"},
    ],
)
def test_impossible_settings(change: dict) -> None:
    with pytest.raises(TrainingError, match=f"--{next(iter(change))}"):
        dataclasses.replace(TOY, **change)
