"""Paths found where the network runs are those of the decoder on the engine's scores.

python -m pytest tests/engine/test_paths.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.engine import PathEngine, paths
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/fly_chr2R_500kb.fa.gz"


def random_contigs(lengths: list[int]) -> Iterator[Contig]:
    rng = np.random.default_rng(3)
    letters = np.frombuffer(b"acgtACGTACGTN", dtype=np.uint8)
    for number, length in enumerate(lengths):
        yield Contig(f"c{number}", rng.choice(letters, length).tobytes())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short rows, and the same arithmetic on every machine."""
    monkeypatch.setattr(paths, "LARGE", paths.Shape(core=2048, group=2, groups=2))
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")


@pytest.mark.parametrize("accurate", [False, True])
def test_genes_are_those_of_the_decoder(
    toy_folder: Path, small: None, monkeypatch: pytest.MonkeyPatch, accurate: bool
) -> None:
    profile = find_profile(str(toy_folder))
    options = PredictOptions(device="cpu")
    engine = TorchEngine.open(toy_folder, "yeasts", "cpu", None, accurate)
    given = list(random_contigs([2500, 40, 5000, 0, 300]))
    wanted = list(predict(given, profile, options, engine))
    monkeypatch.setattr(TorchEngine, "decodes", lambda self, config: True)
    found = list(predict(given, profile, options, engine))
    assert found == wanted
    assert sum(len(genes) for _, genes in found) > 5


def test_which_configurations_are_decoded(toy_folder: Path) -> None:
    pytest.importorskip("triton")
    engine = TorchEngine.open(toy_folder, "yeasts", "cpu", None, False)
    assert isinstance(engine, PathEngine)
    assert not engine.decodes(DecoderConfig())
    engine._device = torch.device("cuda")
    assert engine.decodes(DecoderConfig())
    others = [{"strand": "forward"}, {"singlestrand": True}, {"gene_count": "exactlyone"}]
    assert not any(engine.decodes(DecoderConfig(**other)) for other in others)


@pytest.mark.gpu
def test_genes_of_the_example_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding in bf16 moves a splice site now and then; the search itself moves nothing."""
    profile = find_profile("fly", None)
    (example,) = contigs(EXAMPLE)
    given = [example, Contig("part", example.sequence[1000:90_000])]

    def structures(engine: TorchEngine) -> list[set]:
        genes = predict(given, profile, PredictOptions(), engine)
        return [{(t.strand, t.cds) for g in found for t in g.transcripts} for _, found in genes]

    def opened(device: str) -> TorchEngine:
        return TorchEngine.open(profile.model, profile.clade, device, None, profile.accurate)

    found = structures(opened("cuda"))
    monkeypatch.setattr(TorchEngine, "decodes", lambda self, config: False)
    decoded_here = structures(opened("cuda"))
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")
    reference = structures(opened("cpu"))
    shares = [
        (len(ours & same) / len(ours | same), len(ours & theirs) / len(ours | theirs))
        for ours, same, theirs in zip(found, decoded_here, reference, strict=True)
    ]
    assert all(same >= 0.95 and theirs >= 0.9 for same, theirs in shares), shares
