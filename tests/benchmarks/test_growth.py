"""How growth is measured, without measuring.

python -m pytest tests/benchmarks/test_growth.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.io.fasta import Contig, contigs, write_fasta
from benchmarks import growth
from benchmarks.measure import Usage

ROOT = Path(__file__).resolve().parents[2]


def test_genomes_have_the_length_and_number_asked_for(tmp_path: Path) -> None:
    genome = bytes(b"ACGT"[i % 4] for i in range(70_001))
    path = tmp_path / "one.fa"
    growth.write_genome(path, genome, 1, 150_000)
    (one,) = contigs(path)
    assert one.sequence == (genome * 3)[:150_000]
    growth.write_genome(path, genome, 100, 1_000)
    many = list(contigs(path))
    assert len({contig.name for contig in many}) == 100
    assert {len(contig.sequence) for contig in many} == {1_000}
    assert many[69].sequence == genome[69_000:70_000] and many[70].sequence == genome[:1_000]


def test_points_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fasta, output = tmp_path / "genome.fa", tmp_path / "growth.json"
    write_fasta(fasta, [Contig("c", b"ACGT" * 1_000)])
    runs = []

    def measure(command: list[str], output: Path, errors: Path) -> Usage:
        errors.write_text("out of memory")
        given = list(contigs(command[-1]))
        runs.append((len(given), len(given[0].sequence)))
        bases = sum(len(contig.sequence) for contig in given)
        cost = 2 + 10 * bases / 1e6 + 50 * len(given) / 1e3
        return Usage(
            cost / 2, cost, 500 + 4 * len(given[0].sequence) / 1e6, 0 if len(given) < 50 else 1
        )

    monkeypatch.setattr(growth, "measure", measure)
    options = argparse.Namespace(
        fasta=fasta,
        output=output,
        species="fly",
        device="cpu",
        sample=None,
        megabases=[0.03, 0.01],
        contigs=[5],
    )
    growth.run(options)
    assert runs == [(5, 1_000), (1, 10_000), (1, 30_000)]
    options.contigs = [5, 20, 60]
    with pytest.raises(InputError, match="augustus-dl failed: out of memory"):
        growth.run(options)
    assert runs[3:] == [(20, 1_000), (60, 1_000)]
    report = json.loads(output.read_text())
    assert [(p["contigs"], p["length"]) for p in report["points"]] == [*runs[:3], (20, 1_000)]
    assert 0.1 < report["megaflop_per_base"] < 1

    assert growth.fitted(report["points"], "cpu_s") == pytest.approx((2, 10, 50))
    assert growth.fitted(report["points"], "peak_mib") == pytest.approx((500, 4, 0), abs=1e-6)
    text = growth.table(report)
    assert "| 20 | 1,000 | 0.02 |" in text
    assert "2.0 CPU-s to start, 10.0 for each Mb and 50.0 more for each thousand contigs" in text
    assert "core-years of a yeast of 12 Mb each" in text
    page, image = tmp_path / "page.md", tmp_path / "growth.png"
    page.write_text(f"before\n{growth.BEGIN}\nold\n{growth.END}\nafter\n")
    growth.plot(str(output), str(image), str(page))
    growth.plot(str(output), str(image), str(page))
    assert page.read_text().startswith(f"before\n{growth.BEGIN}\n\n![time and memory](growth.png)")
    assert page.read_text().endswith(f"{growth.END}\nafter\n") and "old" not in page.read_text()
    assert image.stat().st_size > 1_000

    options.device = "cuda"
    with pytest.raises(InputError, match="is of fly on cpu, sample None; name another file"):
        growth.run(options)


def test_the_page_has_the_place(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_bytes((ROOT / "docs/performance.md").read_bytes())
    growth.insert(page, "the table")
    assert "the table" in page.read_text()
    page.write_text("nothing")
    with pytest.raises(InputError, match="lacks the lines"):
        growth.insert(page, "the table")
