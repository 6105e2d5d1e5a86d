"""Counts of what genes look like.

python -m pytest tests/test_gene_statistics.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.encode import base_codes, letters, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.gene_statistics import TABLES, WIDTH, count, log_ratios, shares

INTRON = b"GTAAGT" + 40 * b"A" + b"CTAAC" + b"TTTTTTTTTTTTTTTTACAG"
SEQUENCE = b"CCCCCCACCATGGCT" + INTRON + b"GCTGCTGC" + INTRON + b"TTAACCCC"
FIRST, SECOND = 15, 23 + len(INTRON)
GENE = Transcript(
    "+",
    ((9, FIRST), (FIRST + len(INTRON), SECOND), (SECOND + len(INTRON), SECOND + len(INTRON) + 4)),
)


def table(counts: np.ndarray, name: str) -> np.ndarray:
    """One table of a vector."""
    start = 0
    for other, size in TABLES.items():
        end = start + size.rows * size.columns
        if other == name:
            return counts[start:end].reshape(size.rows, size.columns)
        start = end
    raise KeyError(name)


@pytest.fixture
def counts() -> np.ndarray:
    return count(SEQUENCE, [GENE])


def test_what_is_counted_of_a_gene(counts: np.ndarray) -> None:
    assert counts.shape == (WIDTH,)
    codons = table(counts, "codons")[0]
    assert codons.sum() == 6
    assert (codons[0b001110], codons[0b100111], codons[0b110000]) == (1, 4, 1)  # ATG, GCT, TAA
    assert table(counts, "single_exon").tolist() == [[0, 1]]
    assert table(counts, "introns_per_kb").tolist() == [[2, 18 / 1000]]
    assert table(counts, "stops").tolist() == [[1, 0, 0]]
    lengths = table(counts, "intron_lengths")[0]
    assert lengths.sum() == 2 and lengths[6] == 2  # 71 bases: from 65 to 71
    assert table(counts, "exon_lengths")[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_bases_around_signals(counts: np.ndarray) -> None:
    def spelled(name: str) -> bytes:
        rows = table(counts, name)
        return letters(rows.argmax(1).astype(np.uint8))

    assert spelled("before_start") == b"CCCACC"[:6]
    assert spelled("behind_start") == b"GCT"
    assert spelled("behind_donor") == b"AAGT"
    assert spelled("before_acceptor") == b"TTTAC"
    assert table(counts, "tract")[0].tolist() == [0, 2, 0, 26]
    assert table(counts, "branch_words").tolist() == [[2, 0], [0, 2], [0, 2], [0, 2]]


def test_both_strands_count_alike(counts: np.ndarray) -> None:
    other = letters(reverse_complement(base_codes(SEQUENCE)))
    assert np.array_equal(count(other, [GENE.mirrored(len(SEQUENCE))]), counts)


def test_what_is_cut_by_the_end_counts_as_far_as_it_is_there() -> None:
    cut = Transcript("+", ((0, 7),), phase=1, complete5=False, complete3=False)
    counts = count(b"GATGNCT", [cut])
    assert table(counts, "codons").sum() == 1  # ATG; NCT is no codon
    assert not table(counts, "single_exon").any()
    assert not table(counts, "before_start").any()
    assert count(b"", []).tolist() == WIDTH * [0]


def test_ratios_are_those_to_usual_shares(counts: np.ndarray) -> None:
    usual = shares(np.arange(WIDTH, dtype=float))
    assert log_ratios(np.zeros(WIDTH), usual) == pytest.approx(0)
    few, many = log_ratios(counts, usual), log_ratios(1e6 * counts, usual)
    assert np.abs(few).max() < 2
    stops = table(usual, "stops")[0]
    assert table(many, "stops")[0, 0] == pytest.approx(-np.log(stops[0]), abs=1e-3)


def test_shares_of_a_row_add_up_to_one(counts: np.ndarray) -> None:
    for name in TABLES:
        assert table(shares(counts), name).sum(1) == pytest.approx(1)
    assert shares(counts).min() > 0
