"""The benchmark of hints: its report, from stand-ins for both programs.

python -m pytest tests/benchmarks/test_hints.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import Annotation
from augustus_dl.io.fasta import Contig
from benchmarks import hints
from benchmarks.annotate import GenomeSet, Task

GENES = [Gene("chr", "+", (Transcript("+", ((100, 200), (300, 401))),), "g1")]
SEQUENCE = (b"C" * 100 + b"ATG" + b"C" * 97 + b"GT" + b"C" * 96 + b"AG" + b"C" * 98 + b"TAA").ljust(
    1000, b"C"
)
SET = GenomeSet("clade/toy", "fly", "fly")


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(SET, tmp_path, [Contig("chr", SEQUENCE)], Annotation({"chr": GENES}, {}))


def test_files_of_each_kind(task: Task) -> None:
    made = hints.simulated(task, hints.Statistics.of(GENES))
    assert made.keys() == {"introns", "proteins", "both"}
    again = hints.simulated(task, hints.Statistics.of(GENES))
    assert made == again  # the same hints in every run
    files = hints.write_hints(task, made)
    assert files.keys() == {*hints.KINDS} - {"none"}
    assert files["empty"].read_text() == ""
    lines = {kind: len(path.read_text().splitlines()) for kind, path in files.items()}
    assert lines["both"] == lines["introns"] + lines["proteins"]
    words = hints.words("fly", task, files["both"])
    assert f"--hintsfile={files['both']}" in words and words[-1] == str(task.fasta)
    without = hints.words("fly", task, None)
    assert [word for word in words if word not in without] == [f"--hintsfile={files['both']}"]


def test_the_report(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clade/toy").mkdir(parents=True)
    (tmp_path / "clade/toy/annotation.gff3.gz").write_text("##gff-version 3\n")
    right, wrong = {"chr": GENES}, {"chr": []}

    def ours(task, files, device):
        results = {
            kind: {**hints.accuracy(task, wrong if kind == "none" else right), "decoding_s": 0.5}
            for kind in hints.KINDS
        }
        results["empty"]["same_as_none"] = False
        return results

    monkeypatch.setattr(hints, "SETS", (SET,))
    monkeypatch.setattr(hints, "TRAINING", {"toy": "clade/toy"})
    monkeypatch.setattr(hints, "prepare", lambda *_: task)
    monkeypatch.setattr(hints, "augustus_version", lambda: "AUGUSTUS (3.5.0)")
    monkeypatch.setattr(hints, "ours", ours)
    monkeypatch.setattr(
        hints, "augustus", lambda task, kind, _: {**hints.accuracy(task, right), "cpu_s": 1.0}
    )
    options = argparse.Namespace(
        sets=["toy"],
        data=tmp_path,
        megabases=None,
        device="cpu",
        jobs=1,
        augustus=["introns", "proteins"],
    )
    text = hints.table(hints.benchmark(options))
    rows = [line for line in text.splitlines() if line.startswith("| toy")]
    assert len(rows) == len(hints.KINDS) + len({"none", "introns", "proteins"})
    assert "| none | augustus-dl | 0.0 / 0.0 / 0.0 | +0.0 |" in rows[0]
    assert "| 100.0 / 100.0 / 100.0 | +100.0 | 100.0 | 1.00 | 2 |" in rows[2]
    assert "An empty hints file gives OTHER genes as none." in text
