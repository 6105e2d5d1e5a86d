"""Drawing training genes, and the report.

python -m pytest tests/benchmarks/test_finetune.py
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation, write_gff3
from augustus_dl.io.fasta import contigs, write_fasta
from benchmarks.annotate import GenomeSet
from benchmarks.finetune import BLOCK, drawn, markdown, run, train_rows, valid, write_training
from tests.train.conftest import make_contig

SET = GenomeSet("fungi/toy", "toy", "toy")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set of two sequences to train with and one to test with."""
    records = [make_contig(f"c{seed}", seed, 30) for seed in range(3)]
    folder = tmp_path / "data/fungi/toy"
    folder.mkdir(parents=True)
    write_fasta(folder / "genome.fa", [contig for contig, _ in records])
    write_gff3(folder / "annotation.gff3", [g for _, genes in records for g in genes])
    for name in ("genome.fa", "annotation.gff3"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    rows = ["clade\tset\tsequence\tstart\tend\tsplit"]
    for (contig, _), split in zip(records, ("train", "train", "test"), strict=True):
        rows.append(f"fungi\ttoy\t{contig.name}\t0\t{len(contig.sequence)}\t{split}")
    (tmp_path / "data/splits.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data"


def test_genes_are_drawn_from_train_rows_alone(data: Path, tmp_path: Path) -> None:
    assert set(train_rows(data / "splits.tsv", "toy")) == {"c0", "c1"}
    with pytest.raises(InputError, match="no train row of the set other"):
        train_rows(data / "splits.tsv", "other")
    assert write_training(SET, data, tmp_path, 45, 1) == 45
    found = read_annotation(tmp_path / "genes.gff3").genes
    assert sum(map(len, found.values())) == 45 and set(found) <= {"c0", "c1"}
    assert [c.name for c in contigs(tmp_path / "genome.fa")] == sorted(found)


def test_genes_are_drawn_in_blocks() -> None:
    _, genes = make_contig("c", 1, 3 * BLOCK)
    one, other = drawn(genes, 25, 1), drawn(genes, 25, 2)
    assert one != other and one == drawn(genes, 25, 1)
    places = [genes.index(gene) for gene in one]
    assert places[:BLOCK] == list(range(places[0], places[0] + BLOCK))


def test_only_valid_genes_are_drawn() -> None:
    contig, genes = make_contig("c", 1, 3)
    genes[0] = replace(genes[0], transcripts=(replace(genes[0].transcripts[0], complete3=False),))
    assert [gene.id for gene in valid(genes, contig, genetic_code(1))] == ["c.g1", "c.g2"]


def test_a_refusal_is_no_failure(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo 'worse: no profile' >&2; exit 1"]
    assert run("x", command, tmp_path, excused="no profile").status == 1
    with pytest.raises(InputError, match="x ended with 1: worse: no profile"):
        run("x", command, tmp_path)


def test_the_report() -> None:
    level = {"sensitivity": 0.5, "precision": 0.6, "f1": 0.545}
    program = {"accuracy": dict.fromkeys(("gene", "exon", "nucleotide"), level), "invalid": 0}
    report = {
        "genes": 400,
        "set": "toy",
        "bases": 1_000_000,
        "parent": "generic",
        "provenance": {
            "commit": "abc",
            "date": "today",
            "machine": {"cpu": "x", "cores": 2},
            "device": "cpu",
        },
        "programs": {"parent": program, "fine-tuned": program, "AUGUSTUS": program},
        "training": {"fine-tuned": {"wall_s": 600.0, "peak_mib": 1000.0}},
        "held_out": "gain in gene F1: +1.00 +- 1.00\n",
    }
    text = markdown(report)
    assert "# 400 genes of toy\n" in text
    assert "| fine-tuned | 50.0 / 60.0 / 54.5 |" in text and "| 0 | 600 | 1000 |" in text
    assert text.endswith("gain in gene F1: +1.00 +- 1.00\n```\n")
