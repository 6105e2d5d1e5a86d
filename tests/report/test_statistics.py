"""Statistics counted by hand.

python -m pytest tests/report/test_statistics.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.encode import base_codes
from augustus_dl.gene import Gene, Transcript
from augustus_dl.report.statistics import CODONS, GeneStatistics, GenomeStatistics, information

EXONS = b"ATGAAA", b"CCCTAA"
INTRON = b"GTAAGTCCCCCCCCCCCCTTTTTTTCAG"
SEQUENCE = b"C" * 10 + EXONS[0] + INTRON + EXONS[1] + b"C" * 10 + b"ATGGGGTGA" + b"cccnn"
SPLICED = Transcript("+", ((10, 16), (44, 50)))
SINGLE = Transcript("+", ((60, 69),))
LENGTH = len(SEQUENCE)


def gene(*transcripts: Transcript) -> Gene:
    return Gene("c", transcripts[0].strand, transcripts)


def counted(genes: list[Gene], sequence: bytes = SEQUENCE) -> GeneStatistics:
    found = GeneStatistics()
    found.add(genes, base_codes(sequence))
    return found


def test_genome() -> None:
    found = GenomeStatistics()
    for name in ("a", "b"):
        found.add(name, SEQUENCE, base_codes(SEQUENCE))
    assert found.lengths == {"a": LENGTH, "b": LENGTH} and found.size == 2 * LENGTH
    assert found.soft_masked == 10 and found.bases[4] == 4


def test_counts_and_lengths() -> None:
    shorter = Transcript("+", ((10, 16),), complete3=False)
    found = counted([gene(shorter, SPLICED), gene(SINGLE)])
    assert (found.genes, found.transcripts, found.single_exon, found.partial) == (2, 3, 1, 0)
    assert found.coding_lengths == [12, 9] and found.spans == [40, 9]
    assert found.exon_lengths == [6, 6, 9] and found.intron_lengths == [28]
    assert found.exons == {2: 1, 1: 1}


def test_codons() -> None:
    found = counted([gene(SPLICED), gene(SINGLE)])
    assert found.starts == {"ATG": 2} and found.stops == {"TAA": 1, "TGA": 1}
    used = {CODONS[i]: int(found.codons[i]) for i in np.flatnonzero(found.codons)}
    assert used == {"ATG": 2, "AAA": 1, "CCC": 1, "GGG": 1}
    assert found.third_bases.tolist() == [1, 1, 3, 0, 0]
    assert found.coding_bases.sum() == 21


def test_partial_genes() -> None:
    cut = Transcript("+", ((11, 16),), phase=2, complete5=False, complete3=False)
    found = counted([gene(cut)])
    assert found.partial == 1 and not found.starts and not found.stops
    assert found.codons[CODONS.index("AAA")] == 1 == found.codons.sum()


def test_both_strands_look_the_same() -> None:
    forward = counted([gene(SPLICED)])
    mirror = SEQUENCE.translate(bytes.maketrans(b"ACGT", b"TGCA"))[::-1]
    backward = counted([gene(SPLICED.mirrored(LENGTH))], mirror)
    assert forward.sites == backward.sites == {"GT-AG": 1}
    for name in ("donors", "acceptors", "codons"):
        assert (getattr(forward, name) == getattr(backward, name)).all()


def test_logos_are_read_around_the_splice_sites() -> None:
    found = counted([gene(SPLICED)])
    assert "".join("ACGTN"[i] for i in found.donors.argmax(axis=1)) == "AAAGTAAGTCC"
    assert "".join("ACGTN"[i] for i in found.acceptors.argmax(axis=1)) == "CCCCTTTTTTTCAGCCC"[
        -18:
    ].rjust(18, "C")


def test_bases_beyond_the_sequence_are_unknown() -> None:
    short = Transcript("+", ((0, 1), (29, 30)), complete5=False, complete3=False)
    found = counted([gene(short)], b"A" + INTRON + b"A")
    assert found.donors.argmax(axis=1)[:3].tolist() == [4, 4, 0]
    assert found.acceptors.argmax(axis=1)[-3:].tolist() == [0, 4, 4]


def test_gaps_too_short_for_an_intron_are_none() -> None:
    found = counted([gene(Transcript("+", ((10, 13), (16, 22))))])
    assert found.intron_lengths == [] and not found.sites


def test_genes_behind_the_end_are_left_out() -> None:
    found = counted([gene(Transcript("+", ((LENGTH - 3, LENGTH + 3),)))])
    assert (found.genes, found.outside, found.spans) == (1, 1, [])


def test_unknown_codons_are_not_counted() -> None:
    assert counted([gene(Transcript("+", ((0, 6),)))], b"ATNTAA").codons.sum() == 0


@pytest.mark.parametrize(
    ("counts", "bits"),
    [
        ([10**9, 0, 0, 0, 5], [2, 0, 0, 0]),
        ([10**9, 10**9, 0, 0, 0], [0.5, 0.5, 0, 0]),
        ([10**9] * 4 + [0], [0, 0, 0, 0]),
        ([0, 0, 0, 0, 7], [0, 0, 0, 0]),
        ([1, 0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_information(counts: list[int], bits: list[float]) -> None:
    assert information(np.array([counts]))[0] == pytest.approx(bits, abs=1e-6)
