"""The torch engine: devices, and scores on the decoder's grid.

python -m pytest tests/engine/test_torch.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.encode import reverse_complement
from augustus_dl.engine import torch as engine_module
from augustus_dl.engine.torch import TorchEngine, choose_device
from augustus_dl.errors import ModelError, OptionError
from augustus_dl.labels import MIRROR, NUM_LABELS, NUM_UTR_LABELS, UTR_MIRROR
from augustus_dl.network.config import CLADES, NetworkConfig
from augustus_dl.network.model import AnnotationModel, load_model
from augustus_dl.windows import Window, cut

ONES = np.ones(NUM_LABELS, dtype=np.float32)


def open_engine(
    model: Path, clade: str, device: str, core: int | None = None, accurate: bool = False
) -> TorchEngine:
    """The torch engine also where `engine.open_engine` chooses another one."""
    return TorchEngine.open(model, clade, device, core, accurate)


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same arithmetic on every machine."""
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")


def windows(length: int = 5000, core: int = 2048, flank: int = 1536) -> list[Window]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    return list(cut(codes, rng.random(length) < 0.3, core, flank))


def test_devices_that_exist() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "xpu", "cuda:-1"])
def test_unknown_devices(name: str) -> None:
    with pytest.raises(OptionError, match=r"unknown device.*use auto, cpu, cuda, cuda:N or mps"):
        choose_device(name)


def test_absent_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("cuda:0") == torch.device("cuda:0")
    for name in ("cuda:1", "mps"):
        with pytest.raises(OptionError, match=f"{name}.*not available here; use --device=cpu"):
            choose_device(name)


def test_auto_takes_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def test_open_engine(toy_folder: Path) -> None:
    engine = open_engine(toy_folder, "yeasts", "cpu")
    assert (engine.flank, engine.device) == (1536, "cpu")
    assert engine.core % 32 == 0 and engine.core > 0
    assert open_engine(toy_folder, "yeasts", "cpu", 64).core == 64


def test_an_engine_needs_a_checkpoint_and_a_clade_it_knows(
    toy_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        open_engine(tmp_path, "yeasts", "cpu")
    with pytest.raises(ModelError, match="clade 'dragons' is none of none, nematodes"):
        open_engine(toy_folder, "dragons", "cpu")


def test_scores_are_weighted_log_probabilities_on_the_grid(toy_folder: Path, float32: None) -> None:
    weights = DecoderConfig().label_weights()
    engine = open_engine(toy_folder, "yeasts", "cpu")
    given = windows()
    answered = list(engine.scores(given, weights))
    assert [window.start for window, _ in answered] == [0, 2048, 4096]
    model = load_model(toy_folder)
    for window, scores in answered:
        assert scores.shape == (window.end - window.start, NUM_LABELS)
        assert scores.dtype == np.int16
        with torch.inference_mode():
            out = model(
                torch.from_numpy(window.codes)[None],
                torch.from_numpy(window.masked)[None],
                torch.tensor([CLADES.index("yeasts")]),
            )
        core = slice(window.offset, window.offset + window.end - window.start)
        nats = out.logits_BKL[0].log_softmax(0).T.numpy()[core] * weights
        np.testing.assert_allclose(scores / GRID, nats, rtol=0, atol=0.5 / GRID + 1e-4)


def test_scores_of_the_utr_track_stand_behind_the_others(toy_folder: Path, float32: None) -> None:
    weights = DecoderConfig().label_weights()
    engine = open_engine(toy_folder, "yeasts", "cpu")
    assert engine.has_utr
    given, model = windows(), load_model(toy_folder)
    plain, both = engine.scores(given, weights), engine.scores(given, weights, utr=True)
    for (_, structure), (window, scores) in zip(plain, both, strict=True):
        assert scores.shape == (window.end - window.start, NUM_LABELS + NUM_UTR_LABELS)
        assert scores.dtype == np.int16 and scores.flags.c_contiguous
        assert np.array_equal(scores[:, :NUM_LABELS], structure)
        with torch.inference_mode():
            out = model(
                torch.from_numpy(window.codes)[None],
                torch.from_numpy(window.masked)[None],
                torch.tensor([CLADES.index("yeasts")]),
                utr=True,
            )
        core = slice(window.offset, window.offset + window.end - window.start)
        nats = out.utr_BKL[0].log_softmax(0).T.numpy()[core]
        error = np.abs(scores[:, NUM_LABELS:] / GRID - nats)
        assert error.max() < 0.5 / GRID + 1e-4


def test_a_checkpoint_without_utr_head_says_so(float32: None) -> None:
    network = AnnotationModel(NetworkConfig(size="tiny", utr=False))
    engine = TorchEngine(network, "yeasts", torch.device("cpu"))
    assert not engine.has_utr
    with pytest.raises(ModelError, match="does not know untranslated regions"):
        next(engine.scores(windows(), ONES, utr=True))
    assert len(list(engine.scores(windows(), ONES))) == 3


def test_scores_do_not_overflow(toy_folder: Path, float32: None) -> None:
    model = load_model(toy_folder)
    with torch.no_grad():
        model.head[1].weight *= 1e4
    engine = TorchEngine(model, "yeasts", torch.device("cpu"))
    for _, scores in engine.scores(windows(500), ONES):
        assert scores.min() == -32767 and scores.max() == 0


def test_windows_are_taken_one_at_a_time(toy_folder: Path, float32: None) -> None:
    """Memory is bounded by a window: nothing is read ahead."""
    taken = []
    source = (taken.append(w.start) or w for w in windows())
    answers = open_engine(toy_folder, "yeasts", "cpu").scores(source, ONES)
    next(answers)
    assert taken == [0]


def test_bfloat16_is_near_float32(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for dtype in (torch.float32, torch.bfloat16):
        monkeypatch.setattr(engine_module, "_best_dtype", lambda device, dtype=dtype: dtype)
        engine = open_engine(toy_folder, "yeasts", "cpu")
        ((_, scores),) = engine.scores(windows(1000), ONES)
        answers.append(scores / GRID)
    error = np.abs(answers[0] - answers[1])
    assert error.max() > 0 and error.mean() < 0.1


def test_accurate_scores_do_not_depend_on_the_strand(toy_folder: Path, float32: None) -> None:
    (window,) = windows(length=2048)
    turned = window._replace(
        codes=reverse_complement(window.codes), masked=window.masked[::-1].copy()
    )
    for accurate in (True, False):
        engine = open_engine(toy_folder, "none", "cpu", accurate=accurate)
        (_, scores), (_, other) = engine.scores([window, turned], ONES, utr=True)
        other = other[::-1]
        for columns, mirror in (
            (slice(NUM_LABELS), MIRROR),
            (slice(NUM_LABELS, None), UTR_MIRROR),
        ):
            change = np.abs(scores[:, columns] - other[:, columns][:, mirror])
            assert (change.max() <= 1) == accurate
