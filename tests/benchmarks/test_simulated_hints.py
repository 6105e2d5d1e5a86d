"""Simulated hints: how many are right, where they lie, and that a program can read them.

python -m pytest tests/benchmarks/test_simulated_hints.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.hints import HintType
from augustus_dl.io.extrinsic import read_extrinsic
from augustus_dl.io.fasta import Contig
from augustus_dl.io.hints import read_hints
from benchmarks.hints import FACTORS
from benchmarks.simulated_hints import (
    GENES_FOUND,
    INTRONS_FALSE,
    INTRONS_FOUND,
    PARTS_FALSE,
    Statistics,
    hint_lines,
    intron_hints,
    protein_hints,
)

GENES = 400
CODES = np.random.default_rng(1).integers(0, 4, GENES * 1500).astype(np.uint8)
CONTIG = Contig("chr", np.frombuffer(b"ACGT", dtype=np.uint8)[CODES].tobytes())
CODE = genetic_code(1)


def gene(number: int) -> Gene:
    """Three coding exons of 200 bases; every other gene is on the minus strand."""
    start = 1500 * number + 100
    cds = tuple((start + 300 * k, start + 300 * k + 200) for k in range(3))
    strand = "+-"[number % 2]
    return Gene("chr", strand, (Transcript(strand, cds),), f"g{number}")


REFERENCE = [gene(number) for number in range(GENES)]
TRUE = {(*i, g.strand) for g in REFERENCE for t in g.transcripts for i in t.introns}
STATISTICS = Statistics.of(REFERENCE)


@pytest.fixture
def introns():
    return intron_hints(REFERENCE, CONTIG, STATISTICS, np.random.default_rng(2))


@pytest.fixture
def parts():
    return protein_hints(REFERENCE, CONTIG, STATISTICS, CODE, np.random.default_rng(2))


def test_statistics_are_those_of_the_genes():
    assert set(STATISTICS.introns) == {100} and len(STATISTICS.introns) == 2 * GENES
    assert set(STATISTICS.exons) == {200} and len(STATISTICS.exons) == 3 * GENES


def test_shares_of_introns_are_as_promised(introns):
    right = [hint for hint in introns if not hint.false]
    assert {(h.start, h.end, h.strand) for h in right} <= TRUE
    assert len(right) == pytest.approx(INTRONS_FOUND * len(TRUE), rel=0.05)
    assert len(introns) - len(right) == round(INTRONS_FALSE * len(introns))
    reads = [int(hint.attributes.partition(";")[0].removeprefix("mult=")) for hint in introns]
    of_right = np.median([n for n, hint in zip(reads, introns, strict=True) if not hint.false])
    of_wrong = np.median([n for n, hint in zip(reads, introns, strict=True) if hint.false])
    assert min(reads) == 1 and of_wrong < 3 < of_right


def test_wrong_introns_could_be_introns(introns):
    turned = reverse_complement(CODES)
    wrong = [hint for hint in introns if hint.false]
    shared = 0
    for hint in wrong:
        assert (hint.start, hint.end, hint.strand) not in TRUE
        start, end, codes = hint.start, hint.end, CODES
        if hint.strand == "-":
            start, end, codes = len(CODES) - end, len(CODES) - start, turned
        one_end = {(s, hint.strand) for s, _, t in TRUE if t == hint.strand}
        other_end = {(e, hint.strand) for _, e, t in TRUE if t == hint.strand}
        anchored = (hint.start, hint.strand) in one_end or (hint.end, hint.strand) in other_end
        shared += anchored
        assert 80 <= end - start <= 120
        assert anchored or codes[[start, start + 1, end - 2, end - 1]].tolist() == [2, 3, 0, 2]
    assert 0.2 * len(wrong) < shared < 0.8 * len(wrong)


def test_shares_of_parts_are_as_promised(parts):
    right = [hint for hint in parts if not hint.false]
    groups = {hint.attributes.partition(";")[0] for hint in right}
    assert len(groups) == pytest.approx(GENES_FOUND * GENES, rel=0.1)
    assert len(parts) - len(right) == round(PARTS_FALSE * len(parts))


def test_parts_lie_in_their_exons_in_frame(parts):
    exons = {
        (g.strand, start // 300): (start, end, phase)
        for g in REFERENCE
        for t in g.transcripts
        for (start, end), phase in zip(t.cds, t.phases, strict=True)
    }
    cut = []
    for hint in parts:
        if hint.false:
            continue
        start, end, phase = exons[hint.strand, (hint.start - 100) // 300 * 300 // 300]
        assert start <= hint.start < hint.end <= end and hint.frame == "0"
        gap = hint.start - start if hint.strand == "+" else end - hint.end
        assert gap % 3 == phase
        cut += [hint.start - start, end - hint.end]
    assert 10 < np.mean(cut) < 60


def test_wrong_parts_are_open_and_not_coding(parts):
    for hint in parts:
        if not hint.false:
            continue
        text = CONTIG.sequence[hint.start : hint.end]
        if hint.strand == "-":
            turned = reverse_complement(base_codes(text))
            text = np.frombuffer(b"ACGT", dtype=np.uint8)[turned].tobytes()
        codons = [text[i : i + 3].decode() for i in range(0, len(text), 3)]
        assert not set(codons) & set(CODE.stops)
        overlapping = [
            exon
            for g in REFERENCE
            for t in g.transcripts
            for exon in t.cds
            if g.strand == hint.strand and exon[0] < hint.end and hint.start < exon[1]
        ]
        assert not overlapping


def test_a_hints_file_is_read_again(introns, parts, tmp_path: Path):
    path = tmp_path / "hints.gff"
    path.write_text("".join(hint_lines({"chr": introns + parts})))
    rows = read_hints(path, read_extrinsic(FACTORS), None, 0).rows
    assert len(rows) == len(introns) + len(parts)
    of_introns = rows[rows["type"] == HintType.intron]
    assert of_introns["start"].tolist() == [hint.start for hint in introns]
    assert of_introns["bonus"].min() == pytest.approx(1e6)
    path.write_text("".join(hint_lines({"chr": introns}, false=False)))
    rows = read_hints(path, read_extrinsic(FACTORS), None, 0).rows
    assert len(rows) == sum(not hint.false for hint in introns)


def test_no_genes_no_hints():
    nothing = Statistics.of([])
    rng = np.random.default_rng(1)
    assert intron_hints([], CONTIG, nothing, rng) == []
    assert protein_hints([], CONTIG, nothing, CODE, rng) == []
