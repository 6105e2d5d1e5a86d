"""`augustus-dl train`: its options are TrainConfig's fields, and a run of one step.

python -m pytest tests/cli/test_train.py
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.cli import main
from augustus_dl.cli.train import train
from augustus_dl.train.config import TrainConfig, usual_accumulation
from augustus_dl.train.pack import Pack, Piece, write_pack

OPTIONS = inspect.signature(train).parameters


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Two pieces without a soft-mask, one gene each."""
    codes = np.zeros(2048, dtype=np.uint8)
    labels = np.where(np.arange(2048) % 700 < 20, 1, 0).astype(np.uint8)
    pieces = [
        Piece(name, "toy", "yeasts", 1.0, 1, name == "b", codes, codes > 0, labels, 0 * labels)
        for name in ("a", "b")
    ]
    write_pack(Pack(pieces), tmp_path / "toy.pack")
    return tmp_path / "toy.pack"


def words(pack: Path, run: Path, *more: str) -> list[str]:
    fixed = ["--size=tiny", "--steps=1", "--windows=1", "--length=1024", "--device=cpu"]
    who = ["--run", str(run), "--species=toy", "--clade=yeasts"]
    return ["train", str(pack), *who, *fixed, *more]


def test_options_have_the_defaults_of_the_configuration() -> None:
    own = {"accumulation"}  # depends on the device
    shared = [f for f in dataclasses.fields(TrainConfig) if f.name in OPTIONS and f.name not in own]
    assert len(shared) >= 15
    for field in shared:
        assert OPTIONS[field.name].default == (
            inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        ), field.name


def test_options_reach_the_run(pack: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    run = tmp_path / "run"
    chosen = ["--seed=5", "--genic=0.25", "--no-moe", "--gamma=2", "--dice-weight=0.1"]
    chosen += ["--mutation=0.1", "--utr-weight=0.7", "--path-weight=0.5", "--mask-dropout=0.2"]
    chosen += ["--mixer=convolution", "--no-skips", "--ema=0.9", "--warmup=2"]
    chosen += ["--substitution=0.03", "--dropout=0.15"]
    chosen += ["--windows=2", "--accumulation=2", "--recompute"]
    assert main(words(pack, run, *chosen)) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "step 1: validation gene F1 yeasts" in err
    assert f"profile in {run}" in err.splitlines()[-1]
    config = json.loads((run / "train.json").read_text())
    expected = {"seed": 5, "genic": 0.25, "moe": False, "gamma": 2.0, "dice_weight": 0.1}
    expected |= {"mutation": 0.1, "utr_weight": 0.7, "path_weight": 0.5, "mask_dropout": 0.2}
    expected |= {"mixer": "convolution", "skips": False, "ema": 0.9, "warmup": 2}
    expected |= {"substitution": 0.03, "dropout": 0.15}
    expected |= {"windows": 2, "accumulation": 2, "recompute": True}
    assert expected.items() <= config.items()
    assert (config["size"], config["steps"], config["length"]) == ("tiny", 1, 1024)


@pytest.mark.parametrize(
    ("windows", "length", "device", "parts"),
    [
        (16, 65_536, "cpu", 2),
        (16, 65_536, "cuda", 1),
        (32, 32_768, "cpu", 2),
        (15, 65_536, "cpu", 3),
        (2, 1_048_576, "cpu", 2),
        (1, 1024, "cpu", 1),
    ],
)
def test_half_a_megabase_at_once_on_a_cpu(
    windows: int, length: int, device: str, parts: int
) -> None:
    assert usual_accumulation(windows, length, device) == parts


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--windows=0"], "--windows must be at least 1"),
        (["--length=100"], "--length 100 must be a multiple of 32"),
        (["--mixer=spoon"], "--mixer spoon is none of attention, convolution"),
        (["--device=abacus"], "unknown device 'abacus'"),
        (["--accumulation=3"], "--accumulation 3 must divide --windows 1"),
        (["--deepspeed=zero4"], "--deepspeed zero4: No such file or directory; name a JSON file"),
        (["--init=nowhere"], "model folder nowhere has no config.json"),
    ],
)
def test_errors_are_one_line(
    more: list[str], message: str, pack: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(pack, tmp_path / "run", *more)) == 1
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert err.startswith("augustus-dl train: ") and message in err


def test_a_missing_pack_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words(tmp_path / "nosuch.pack", tmp_path / "run")) == 1
    assert "nosuch.pack is no pack file" in capfd.readouterr().err
    assert not (tmp_path / "run").exists()
