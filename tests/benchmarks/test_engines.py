"""What the comparison of engines is made of.

python -m pytest tests/benchmarks/test_engines.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

from augustus_dl.gene import Gene, Transcript
from benchmarks.annotate import SETS
from benchmarks.engines import same, sequences


def gene(*starts: int) -> Gene:
    return Gene("c", "+", tuple(Transcript("+", ((start, start + 9),), 0) for start in starts))


def test_genes_agree_that_share_a_transcript() -> None:
    assert same({"c": [gene(0), gene(20, 30), gene(50)]}, {"c": [gene(30), gene(0, 9)]}) == "2 of 3"
    assert same({"c": [gene(0)]}, {"d": [gene(0)]}) == "0 of 1"
    assert same({}, {}) == "0 of 0"


def test_sequences_are_the_first_test_rows(tmp_path: Path) -> None:
    chosen = SETS[0]
    rows = [("a", 0, 50, "train"), ("a", 50, 90, "test"), ("b", 0, 70, "test"), ("c", 0, 9, "test")]
    lines = ["folder\tset\tsequence\tstart\tend\tsplit"]
    lines += [f"x\t{chosen.name}\t{name}\t{a}\t{b}\t{split}" for name, a, b, split in rows]
    (tmp_path / "splits.tsv").write_text("\n".join(lines) + "\n")
    folder = tmp_path / chosen.folder
    folder.mkdir(parents=True)
    with gzip.open(folder / "genome.fa.gz", "wt") as stream:
        stream.write("".join(f">{name}\n{'ACGT' * 25}\n" for name in "abc"))
    found = [(contig.name, len(contig.sequence)) for contig in sequences(chosen, tmp_path, 60)]
    assert found == [("a_50", 40), ("b_0", 20)]
