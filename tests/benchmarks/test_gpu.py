"""The benchmark of the GPU, at toy size and without one.

python -m pytest tests/benchmarks/test_gpu.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from augustus_dl.engine import paths
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.io.fasta import Contig, write_fasta
from benchmarks import gpu


def test_long_genome(tmp_path: Path) -> None:
    write_fasta(tmp_path / "a.fa", [Contig("a", b"ACG"), Contig("b", b"t")])
    given = [c.sequence for c in gpu.long_genome(tmp_path / "a.fa", 11, 6)]
    assert given == [b"ACGtAC", b"GtACG"]


def test_measurements(
    toy_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(paths, "LARGE", paths.Shape(core=1024, group=1, groups=2))
    monkeypatch.setattr(gpu, "_WARM", 1000)
    monkeypatch.setattr(TorchEngine, "decodes", lambda self, config: True)
    write_fasta(tmp_path / "a.fa", [Contig("a", b"ACGGTAtgaccaGTAAG" * 50)])
    output = tmp_path / "out.json"
    words = [str(tmp_path / "a.fa"), "--species", str(toy_folder), "--output", str(output)]
    words += ["--megabases", "0.003", "--contig-megabases", "0.002", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["gpu", *words])
    gpu.main()
    found = json.loads(output.read_text())
    assert found["bases"] == 3000 and found["together"]["seconds"] > 0
    stages = ["read", "encode", "pack", "copy", "network and grid", "decode", "genes", "write"]
    assert set(found["stages"]) == set(stages)
    assert "| network alone |" in capsys.readouterr().out
