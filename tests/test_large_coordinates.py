"""Positions beyond 2**31, where AUGUSTUS crashes: nothing keeps them in 32 bits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.intervals import difference, intersection, size, touched, union
from augustus_dl.io.annotation import read_annotation, write_gff3
from augustus_dl.io.writers import OutputOptions, gene_block

FAR = 2**31 + 5
NEAR = Transcript("-", ((100, 160), (400, 430)), utr5=((430, 450),), utr3=((80, 90),), tts=True)


def test_a_gene_goes_there_and_back():
    there = NEAR.shifted(FAR)
    assert there.cds == ((FAR + 100, FAR + 160), (FAR + 400, FAR + 430))
    assert (there.start, there.end) == (FAR + 80, FAR + 450)
    assert there.introns == ((FAR + 160, FAR + 400),)
    assert there.phases == NEAR.phases
    assert there.mirrored(2**33).mirrored(2**33).shifted(-FAR) == NEAR


def test_sets_of_bases():
    left = union([(FAR, FAR + 10), (5, 9), (FAR + 10, 2 * FAR)])
    assert left.tolist() == [[5, 9], [FAR, 2 * FAR]]
    assert size(left) == FAR + 4
    right = union([(7, FAR + 2)])
    assert intersection(left, right).tolist() == [[7, 9], [FAR, FAR + 2]]
    assert difference(left, right).tolist() == [[5, 7], [FAR + 2, 2 * FAR]]
    assert touched(np.array([[2 * FAR - 1, 2 * FAR], [9, FAR]]), left).tolist() == [True, False]


def test_written_and_read_again(tmp_path: Path):
    coding = replace(NEAR, utr5=(), utr3=(), tts=False, start=-1, end=-1, id="g1.t1")
    gene = Gene("chr1", "-", (coding.shifted(FAR),), "g1")
    write_gff3(tmp_path / "far.gff3", [gene])
    assert read_annotation(tmp_path / "far.gff3").genes == {"chr1": [gene]}


@pytest.mark.parametrize("gff3", [False, True])
def test_positions_of_the_output(gff3: bool):
    options = OutputOptions(gff3=gff3, protein=False, evidence=False)
    gene = Gene("chr1", "-", (NEAR.shifted(FAR),))
    lines = [line.split("\t") for line in gene_block(gene, 1, b"", options, genetic_code(1))]
    positions = {line[2]: (int(line[3]), int(line[4])) for line in lines if len(line) == 9}
    assert positions["gene"] == (FAR + 81, FAR + 450)
    assert positions["start_codon"] == (FAR + 428, FAR + 430)
    assert positions["stop_codon"] == (FAR + 101, FAR + 103)
