"""DeepSpeed takes the steps that the plain loop takes, on the CPU with gloo.

Each of three groups of processes trains many tiny networks, since DeepSpeed takes long to import.

python -m pytest tests/train/test_engine.py
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from augustus_dl.errors import OptionError, TrainingError
from augustus_dl.network.model import load_model
from augustus_dl.train import loop
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.dataset import Genomes
from augustus_dl.train.engine import read_settings
from augustus_dl.train.pack import Pack
from augustus_dl.train.parallel import Workers
from augustus_dl.train.run_folder import RunFolder
from augustus_dl.train.validation import Validation
from tests.train.conftest import make_piece

pytestmark = pytest.mark.skipif(find_spec("deepspeed") is None, reason="needs DeepSpeed")

TOY = TrainConfig(
    species="toy",
    clade="yeasts",
    size="tiny",
    steps=5,
    windows=2,
    length=1024,
    warmup=2,
    learning_rate=3e-3,
    save_minutes=0,
)
STAGES = ("zero0", "zero1", "zero2", "zero3")
ENDS = (STAGES[0], STAGES[3])
INTERRUPTED = ("zero1", "zero3")
KILLED = 3
"""Step in which a process is killed; the state of this step was saved."""


class Stopped(Exception):
    """The machine went away."""


class Group:
    """One of the processes of a group, which trains again and again.

    What it learns of goes to `losses`: for each run its losses of single bases, in order.
    """

    def __init__(self, folder: Path):
        self.folder, self.losses = folder, {}
        self.workers = Workers(torch.device("cpu"), grouped=True)
        self.workers.leave = lambda: None
        pieces = [make_piece(f"chr{seed}", seed, genes=6) for seed in range(2)]
        self.packs = [Pack([*pieces, make_piece("chrV", 9, genes=2, validation=True)])]
        self._compute, self._batch = loop.annotation_loss, Genomes.batch
        found = {level: {"f1": 0.3} for level in ("gene", "exon")}
        Validation.run = lambda *_: {"yeasts": found}
        RunFolder.plot = lambda *_: None

    def train(
        self, name: str, deepspeed: str = "", config: TrainConfig = TOY, **stop: type[Exception]
    ) -> None:
        """Train to the end in a folder of this name, or until something happens in step KILLED."""
        seen = self.losses.setdefault(name, [])

        def recorded(*inputs: object) -> torch.Tensor:
            loss = self._compute(*inputs)
            seen.append(loss.item())
            return loss

        def batch(genomes: Genomes, *settings: float):
            if settings[3] // self.workers.size == KILLED and stop:
                raise stop["stop"]
            return self._batch(genomes, *settings)

        loop.annotation_loss, Genomes.batch = recorded, batch
        settings = {"deepspeed": deepspeed, "workers": self.workers}
        loop.train(config, self.packs, self.folder / name, torch.device("cpu"), **settings)

    def broken(self, name: str, deepspeed: str) -> None:
        """Train with a gradient that is not finite in the third step."""
        compute, calls = self._compute, []

        def broken(*inputs: object) -> torch.Tensor:
            calls.append(0)
            return compute(*inputs) * (torch.nan if len(calls) == 3 else 1.0)

        self._compute = broken
        self.train(name, deepspeed)
        self._compute = compute

    def end(self) -> None:
        (self.folder / f"{self.workers.rank}.json").write_text(json.dumps(self.losses))
        torch.distributed.destroy_process_group()


def alone(folder: str) -> None:
    """One process: every stage, with and without interruption, and what else can be set."""
    group = Group(Path(folder))
    group.train("plain")
    for stage in STAGES:
        if stage in INTERRUPTED:
            with suppress(Stopped):
                group.train(stage, stage, stop=Stopped)
        group.train(stage, stage)
    for stage in ENDS:
        group.broken(f"broken_{stage}", stage)
    parts = replace(TOY, accumulation=2, recompute=True)
    group.train("parts", config=parts)
    group.train("parts_zero3", "zero3", parts)
    low = Path(folder) / "bf16.json"
    low.write_text('{"bf16": {"enabled": true}, "zero_optimization": {"stage": 2}}')
    group.train("bf16", str(low))
    for name, stage in (("zero2", "zero3"), ("zero1", "")):
        try:
            group.train(name, stage)
        except TrainingError as error:
            group.losses[f"{name} as {stage}"] = str(error)
    group.end()


def killed(folder: str) -> None:
    """Two processes, both of which are killed."""
    group = Group(Path(folder))
    with suppress(Stopped):
        group.train("zero3", "zero3", stop=Stopped)
    os.kill(os.getpid(), signal.SIGKILL)


def together(folder: str) -> None:
    """Two processes; what was killed goes on."""
    group = Group(Path(folder))
    group.train("plain")
    group.train("zero2", "zero2")
    group.train("zero3", "zero3")
    group.end()


def run(what: str, folder: Path, size: int, status: int = 0) -> list[dict]:
    """Losses that each of a group of processes saw."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    folder.mkdir(exist_ok=True)
    shared = {**os.environ, "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
    code = f"from tests.train import test_engine as t; t.{what}({str(folder)!r})"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=shared | {"MASTER_PORT": port, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert process.returncode == status, err[-3000:]
        assert out == ""
    files = sorted(folder.glob("[0-9].json"))
    return [json.loads(file.read_text()) for file in files]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def one(folder: Path) -> dict:
    return run("alone", folder / "one", 1)[0]


@pytest.fixture(scope="module")
def two(folder: Path) -> list[dict]:
    assert run("killed", folder / "two", 2, -signal.SIGKILL) == []
    state = torch.load(folder / "two/zero3/state.pt", weights_only=True)
    assert (state["step"], state["optimizer"]["processes"]) == (KILLED, 2)
    return run("together", folder / "two", 2)


@pytest.mark.parametrize("stage", STAGES)
def test_losses_are_those_of_the_plain_loop(one: dict, stage: str) -> None:
    """Those of INTERRUPTED were interrupted in the middle."""
    assert len(one["plain"]) == TOY.steps
    assert one[stage] == pytest.approx(one["plain"], abs=1e-3)


def test_losses_of_two_processes_are_those_of_the_plain_loop(two: list[dict]) -> None:
    """With ZeRO 3 both were killed in the middle and resumed."""
    assert two[0]["plain"][1:] != pytest.approx(two[1]["plain"][1:], abs=1e-3)
    for own in two:
        assert own["zero2"] == pytest.approx(own["plain"], abs=1e-3)
        assert own["zero3"] == pytest.approx(own["plain"][KILLED:], abs=1e-3)


def test_the_same_network_is_learnt(one: dict, folder: Path) -> None:
    plain = load_model(folder / "one/plain").state_dict()
    for stage in STAGES:
        state = torch.load(folder / "one" / stage / "state.pt", weights_only=True)
        for name, tensor in load_model(folder / "one" / stage).state_dict().items():
            assert (tensor - plain[name]).abs().mean() < 1e-3
            assert state["model"][name].shape == tensor.shape


def test_accumulation_and_recomputing(one: dict) -> None:
    """Two parts a step; the second step has learnt from both."""
    assert len(one["parts"]) == 2 * TOY.steps
    means = [sum(one["parts"][i : i + 2]) / 2 for i in range(0, 2 * TOY.steps, 2)]
    assert means == pytest.approx(one["plain"], abs=0.02)
    assert one["parts_zero3"] == pytest.approx(one["parts"], abs=1e-3)


def test_weights_in_bf16(one: dict) -> None:
    assert one["bf16"] == pytest.approx(one["plain"], abs=0.03)
    assert one["bf16"] != pytest.approx(one["plain"], abs=1e-6)


@pytest.mark.parametrize("stage", ENDS)
def test_a_step_with_a_broken_gradient_is_left_out(one: dict, folder: Path, stage: str) -> None:
    place = folder / "one" / f"broken_{stage}"
    log = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in log if "skipped" in record] == [2]
    assert all(t.isfinite().all() for t in load_model(place).state_dict().values())


def test_a_run_goes_on_as_it_began(one: dict) -> None:
    assert "was saved by ZeRO stage 2 with 1 processes" in one["zero2 as zero3"]
    assert "was begun with --deepspeed" in one["zero1 as "]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no JSON object"),
        ('{"train_batch_size": 8}', "leave out train_batch_size; it is set by --windows"),
        ('{"optimizer": {"type": "Lion"}}', "leave out optimizer"),
        ('{"fp16": {"enabled": true}}', "use bf16"),
        ('{"bf16": {"enabled": true}}', "bf16 weights need ZeRO stage 1, 2 or 3"),
        (
            '{"zero_optimization": {"stage": 3, "offload_param": {"device": "nvme"}}}',
            "offloading to NVMe cannot be resumed",
        ),
    ],
)
def test_settings_that_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(OptionError, match=message):
        read_settings(str(tmp_path / "settings.json"))


def test_settings_have_names(tmp_path: Path) -> None:
    for stage, name in enumerate(STAGES):
        assert read_settings(name)["zero_optimization"]["stage"] == stage
    (tmp_path / "auto.json").write_text('{"gradient_clipping": "auto", "wall_clock_breakdown": 0}')
    assert read_settings(str(tmp_path / "auto.json")) == {"wall_clock_breakdown": 0}
    with pytest.raises(OptionError, match="name a JSON file or zero0, zero1"):
        read_settings("zero4")
