"""The OpenVINO engine: the same scores as torch, whatever the lengths, and no torch loaded.

python -m pytest tests/engine/test_openvino.py
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from safetensors.numpy import load_file, save_file

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import reverse_complement
from augustus_dl.engine import open_engine
from augustus_dl.engine.openvino import OpenVinoEngine, _kmers
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.errors import ModelError
from augustus_dl.io.fasta import contigs
from augustus_dl.labels import MIRROR, NUM_LABELS, NUM_UTR_LABELS
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.layers import kmer_index
from augustus_dl.network.model import AnnotationModel
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile
from augustus_dl.windows import cut, stitch

ROOT = Path(__file__).resolve().parents[2]
ONES = np.ones(NUM_LABELS, dtype=np.float32)
WEIGHTS = DecoderConfig().label_weights()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Compiled graphs go to a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "augustus-dl"


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same arithmetic on every machine."""
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")


def bases(length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Base codes, a stretch of N among them, and soft-mask."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    codes[length // 3 : length // 3 + length // 20] = 4
    return codes, rng.random(length) < 0.3


def scored(engine, codes: np.ndarray, masked: np.ndarray, utr: bool = False) -> np.ndarray:
    windows = cut(codes, masked, engine.core, engine.flank)
    return np.concatenate(list(stitch(engine.scores(windows, WEIGHTS, utr))))


def saved(folder: Path, **settings) -> Path:
    """A model folder of a random network."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        model = AnnotationModel(NetworkConfig(**settings))
        model.clade.weight.normal_()
        for module in model.modules():
            if hasattr(module, "clade_bias"):
                module.clade_bias.weight.normal_()
    model.save_pretrained(folder)
    return folder


SETTINGS = {
    "tiny": {"size": "tiny", "window": 8},
    "small": {"size": "small", "window": 16},
    "base": {"size": "base"},
    "dense": {"size": "tiny", "window": 8, "moe": False},
    "convolution": {"size": "tiny", "window": 24, "mixer": "convolution"},
    "odd window": {"size": "tiny", "window": 5, "mixer": "attention"},
    "without skips": {"size": "tiny", "window": 8, "skips": False},
    "without UTR": {"size": "tiny", "window": 8, "utr": False, "clades": 8},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_scores_are_those_of_torch(name: str, tmp_path: Path, float32: None) -> None:
    folder = saved(tmp_path / "model", **SETTINGS[name])
    utr = SETTINGS[name].get("utr", True)
    codes, masked = bases(20_000)
    for accurate in (False, True):
        ours = OpenVinoEngine(folder, "plants", 16_384, accurate)
        theirs = TorchEngine.open(folder, "plants", "cpu", 16_384, accurate)
        assert (ours.flank, ours.has_utr) == (theirs.flank, theirs.has_utr)
        found, expected = (scored(engine, codes, masked, utr) for engine in (ours, theirs))
        assert found.dtype == np.int16 and found.shape == expected.shape
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= 2 and (difference > 0).mean() < 0.02


def test_scores_do_not_depend_on_windows_and_workers(toy_folder: Path, float32: None) -> None:
    codes, masked = bases(30_001)
    expected = scored(OpenVinoEngine(toy_folder, "yeasts"), codes, masked)
    for core in (64, 8_192, 9_984, 16_384):
        for workers in (1, 3):
            engine = OpenVinoEngine(toy_folder, "yeasts", core, workers=workers)
            assert (engine.core, engine.workers) == (core, workers)
            found = scored(engine, codes, masked)
            assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("length", [1, 31, 32, 33, 1_000, 8_192, 8_193, 8_224, 20_000])
def test_contigs_of_any_length(length: int, toy_folder: Path, float32: None) -> None:
    codes, masked = bases(length)
    ours = OpenVinoEngine(toy_folder, "yeasts", accurate=True)
    theirs = TorchEngine.open(toy_folder, "yeasts", "cpu", None, True)
    found, expected = (scored(engine, codes, masked, utr=True) for engine in (ours, theirs))
    assert found.shape == (length, NUM_LABELS + NUM_UTR_LABELS)
    assert np.abs(found.astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    "settings",
    [{"window": 7}, {"window": 50}, {"window": 64, "mixer": "convolution"}],
    ids=["narrow", "even", "convolution"],
)
def test_short_contigs_with_other_flanks(settings: dict, tmp_path: Path, float32: None) -> None:
    """The pieces beside a short core may end before the flanks do."""
    folder = saved(tmp_path / "model", size="tiny", **settings)
    ours = OpenVinoEngine(folder, "plants", 1_024, True)
    theirs = TorchEngine.open(folder, "plants", "cpu", 1_024, True)
    for length in (20, 900, 3_000):
        found, expected = (scored(engine, *bases(length)) for engine in (ours, theirs))
        assert np.abs(found.astype(int) - expected).max() <= 2


def test_part_of_a_sequence(toy_folder: Path, float32: None) -> None:
    codes, masked = bases(20_000)
    engine = OpenVinoEngine(toy_folder, "yeasts", 4_096)
    whole = scored(engine, codes, masked)
    windows = cut(codes, masked, engine.core, engine.flank, span=(5_003, 15_001))
    part = np.concatenate([scores for _, scores in engine.scores(windows, WEIGHTS)])
    assert np.abs(part.astype(int) - whole[5_003:15_001]).max() <= 1


def test_accurate_scores_do_not_depend_on_the_strand(toy_folder: Path, float32: None) -> None:
    codes, masked = bases(4_096)
    for accurate in (True, False):
        engine = OpenVinoEngine(toy_folder, "none", accurate=accurate)
        forward = scored(engine, codes, masked)
        backward = scored(engine, reverse_complement(codes), masked[::-1].copy())
        change = np.abs(forward.astype(int) - backward[::-1][:, MIRROR])
        assert (change.max() <= 1) == accurate


def test_windows_are_taken_a_few_ahead(toy_folder: Path) -> None:
    """Memory is bounded by a window for each worker."""
    codes, masked = bases(20_000)
    engine = OpenVinoEngine(toy_folder, "yeasts", 1_024, workers=2)
    taken = []
    windows = cut(codes, masked, engine.core, engine.flank)
    answers = engine.scores((taken.append(w.start) or w for w in windows), ONES)
    assert len(taken) == 2
    next(answers)
    assert len(taken) == 3


def test_compiled_graphs_are_kept(toy_folder: Path, tmp_path: Path, own_cache: Path) -> None:
    codes, masked = bases(3_000)
    first = scored(OpenVinoEngine(toy_folder, "yeasts"), codes, masked)
    kept = sorted(own_cache.glob("*.blob"))
    assert [path.name.partition("-")[2] for path in kept] == ["down.blob", "trunk.blob", "up.blob"]
    ages = [path.stat().st_mtime_ns for path in kept]
    assert np.array_equal(scored(OpenVinoEngine(toy_folder, "yeasts"), codes, masked), first)
    assert sorted(own_cache.glob("*")) == kept
    assert all(path.stat().st_mtime_ns > age for path, age in zip(kept, ages, strict=True))
    OpenVinoEngine(toy_folder, "fungi")  # another clade is another network
    assert len(list(own_cache.glob("*.blob"))) == 5
    for path in kept:
        path.write_bytes(b"damaged")
    assert np.array_equal(scored(OpenVinoEngine(toy_folder, "yeasts"), codes, masked), first)


def test_other_weights_are_another_network(toy_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy_folder, tmp_path / "copy"))
    codes, masked = bases(3_000)
    first = scored(OpenVinoEngine(folder, "yeasts"), codes, masked)
    tensors = load_file(folder / "model.safetensors")
    tensors["head.1.bias"][3] += 1
    save_file(tensors, folder / "model.safetensors")
    assert not np.array_equal(scored(OpenVinoEngine(folder, "yeasts"), codes, masked), first)


def test_a_cache_that_cannot_be_written_does_no_harm(
    toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    codes, masked = bases(1_000)
    assert len(scored(OpenVinoEngine(toy_folder, "yeasts"), codes, masked)) == 1_000


def test_a_checkpoint_that_does_not_fit(toy_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        OpenVinoEngine(tmp_path, "yeasts")
    with pytest.raises(ModelError, match="clade 'dragons' is none of none, nematodes"):
        OpenVinoEngine(toy_folder, "dragons")
    folder = Path(shutil.copytree(toy_folder, tmp_path / "copy"))
    tensors = load_file(folder / "model.safetensors")
    for wrong in (
        {**tensors, "extra": tensors["head.1.bias"]},
        {**tensors, "head.1.bias": tensors["head.1.bias"][:5]},
        {name: tensor for name, tensor in tensors.items() if name != "up4.mix.bias"},
    ):
        save_file(wrong, folder / "model.safetensors")
        with pytest.raises(ModelError, match=r"does not fit its config\.json \(e\.g\. "):
            OpenVinoEngine(folder, "yeasts")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="is corrupt"):
        OpenVinoEngine(folder, "yeasts")
    (folder / "config.json").write_text(json.dumps({"size": "giant"}))
    with pytest.raises(ModelError, match="is corrupt: size 'giant' is none of tiny, small, base"):
        OpenVinoEngine(folder, "yeasts")


def test_a_checkpoint_without_utr_head_says_so(tmp_path: Path) -> None:
    engine = OpenVinoEngine(saved(tmp_path / "model", size="tiny", window=8, utr=False), "plants")
    codes, masked = bases(1_000)
    with pytest.raises(ModelError, match="does not know untranslated regions"):
        scored(engine, codes, masked, utr=True)
    assert scored(engine, codes, masked).shape == (1_000, NUM_LABELS)


def test_numbers_of_6_mers() -> None:
    codes, _ = bases(500)
    assert np.array_equal(_kmers(codes), kmer_index(torch.from_numpy(codes)[None])[0].numpy())


def test_open_engine_chooses(toy_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    assert isinstance(open_engine(toy_folder, "yeasts", "cpu"), OpenVinoEngine)
    monkeypatch.setenv("AUGUSTUS_DL_ENGINE", "torch")
    assert isinstance(open_engine(toy_folder, "yeasts", "cpu"), TorchEngine)
    monkeypatch.delenv("AUGUSTUS_DL_ENGINE")
    monkeypatch.setitem(sys.modules, "augustus_dl.engine.openvino", None)
    assert not caplog.records
    assert isinstance(open_engine(toy_folder, "yeasts", "cpu"), TorchEngine)
    (record,) = caplog.records
    assert record.getMessage().startswith("OpenVINO cannot be used (")


def test_predicting_on_the_cpu_loads_no_torch(toy_folder: Path, tmp_path: Path) -> None:
    codes, _ = bases(5_000)
    query = tmp_path / "query.fa"
    query.write_text(">c\n" + "".join("ACGTN"[code] for code in codes) + "\n")
    code = (
        "import sys; from augustus_dl.cli import main;"
        f"assert main(['--species={toy_folder}', '--device=cpu', '--sample=100', {str(query)!r}])"
        " == 0; heavy = {'torch', 'transformers', 'deepspeed', 'triton'};"
        "print(sorted(heavy & sys.modules.keys()), 'openvino' in sys.modules, file=sys.stderr)"
    )
    for _ in ("compiled anew", "from the cache"):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.stderr.strip().split("\n")[-1] == "[] True"
        assert "\tCDS\t" in done.stdout


@pytest.mark.slow
def test_the_same_genes_as_torch_on_a_genome(monkeypatch: pytest.MonkeyPatch) -> None:
    """bf16, where the processor has it, moves a splice site now and then."""
    profile, structures = find_profile("fly"), []
    for engine in ("openvino", "torch"):
        monkeypatch.setenv("AUGUSTUS_DL_ENGINE", engine)
        genome = contigs(ROOT / "examples/fly_chr2R_500kb.fa.gz")
        ((_, genes),) = predict(genome, profile, PredictOptions(device="cpu"))
        structures.append({(t.strand, t.cds) for gene in genes for t in gene.transcripts})
    ours, theirs = structures
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    least = 0.9 if "BF16" in capabilities else 1.0
    assert len(ours & theirs) >= least * len(ours | theirs)
    assert len(ours) > 30
