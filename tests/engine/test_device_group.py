"""Several devices as one engine; here they are engines of the CPU.

python -m pytest tests/engine/test_device_group.py
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from augustus_dl.engine import open_engine
from augustus_dl.engine.device_group import DeviceGroup
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.io.fasta import Contig
from augustus_dl.labels import NUM_LABELS
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile
from augustus_dl.windows import Window, cut

ONES = np.ones(NUM_LABELS, dtype=np.float32)


@pytest.fixture
def engines(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[TorchEngine]:
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")
    return [TorchEngine.open(toy_folder, "yeasts", "cpu", 4096, False) for _ in range(2)]


def test_genes_are_those_of_one_device(toy_folder: Path, engines: list[TorchEngine]) -> None:
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    contigs = [
        Contig(f"c{length}", letters[rng.integers(0, 4, length)].tobytes())
        for length in (30_000, 500, 0, 9_000, 800)
    ]
    profile, options = find_profile(str(toy_folder)), PredictOptions(device="cpu", utr=True)
    group = DeviceGroup(engines)
    assert group.device == "cpu, cpu" and group.workers >= 2
    alone = list(predict(contigs, profile, options, engines[0]))
    assert list(predict(contigs, profile, options, group)) == alone
    assert sum(len(genes) for _, genes in alone) > 20


class Meeting:
    """An engine that answers once another one is at work, too."""

    flank, core, has_utr, device, workers = 0, 32, False, "meeting", 1
    both = threading.Barrier(2, timeout=60)

    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        for window in windows:
            self.both.wait()
            yield window, np.full((window.end - window.start, NUM_LABELS), window.start)


def test_devices_work_at_the_same_time_and_in_order() -> None:
    codes = np.zeros(32 * 8, dtype=np.uint8)
    group = DeviceGroup([Meeting(), Meeting()])
    found = list(group.scores(cut(codes, codes > 0, 32, 0), ONES))
    assert [int(scores[0, 0]) for _, scores in found] == list(range(0, 256, 32))


def test_a_device_that_fails_is_told_and_free_again(engines: list[TorchEngine]) -> None:
    group = DeviceGroup(engines[:1])
    codes = np.zeros(64, dtype=np.uint8)
    (good,) = cut(codes, codes > 0, 64, group.flank)
    bad = good._replace(codes=codes[:0])
    with pytest.raises(RuntimeError):
        list(group.scores([bad], ONES))
    assert len(list(group.scores([good], ONES))) == 1


def test_cuda_stands_for_all_gpus(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    opened = []

    def opening(model: Path, clade: str, name: str, *_: object) -> TorchEngine:
        opened.append(name)
        return dataclasses.replace(Named(name))

    monkeypatch.setattr(TorchEngine, "open", opening)
    assert open_engine(toy_folder, "yeasts", "cuda").device == "cuda:0, cuda:1"
    assert open_engine(toy_folder, "yeasts", "cuda:1").device == "cuda:1"
    assert opened == ["cuda:0", "cuda:1", "cuda:1"]


@dataclasses.dataclass
class Named:
    device: str
    flank, core, has_utr, workers = 0, 32, False, 1
