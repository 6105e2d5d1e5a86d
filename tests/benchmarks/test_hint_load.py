"""The benchmark of many hints, on few.

python -m pytest tests/benchmarks/test_hint_load.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from augustus_dl.io.fasta import Contig
from benchmarks.hint_load import apply, write_hints


def test_hints_are_written_and_applied(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 4, 20_000)
    contig = Contig("long", np.frombuffer(b"ACGT", dtype=np.uint8)[codes].tobytes())
    path = tmp_path / "hints.gff"
    write_hints(path, contig, 300)
    types = [line.split("\t")[2] for line in path.read_text().splitlines()]
    assert len(types) == 300 and 100 < types.count("intron") <= 150
    seconds = apply(path, contig)
    assert seconds["hints"] == 300
    assert seconds.keys() == {"hints", "reading_s", "grouping_s", "adding_s"}
