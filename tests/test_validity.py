"""One fault at a time on hand-made genes of both strands."""

import numpy as np
import pytest

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.validity import faults

CODE = genetic_code(1)


def gene(exon1: str, intron: str, exon2: str) -> tuple[np.ndarray, Transcript]:
    """A contig with one two-exon gene between four C on either side."""
    text = "CCCC" + exon1 + intron + exon2 + "CCCC"
    first = 4 + len(exon1)
    second = first + len(intron)
    cds = ((4, first), (second, second + len(exon2)))
    return base_codes(text.encode()), Transcript("+", cds)


def both(codes: np.ndarray, transcript: Transcript, code=CODE) -> list[str]:
    """Faults, the same on both strands but for the positions of introns."""
    plus = faults(transcript, codes, code)
    minus = faults(transcript.mirrored(len(codes)), reverse_complement(codes), code)
    assert [f.split(" at ")[0] for f in plus] == [f.split(" at ")[0] for f in minus]
    return plus


GOOD = ("ATGAAAT", "GTAAGTTTTTAG", "GGAAATAA")


@pytest.mark.parametrize("intron", ["GTAAGTTTTTAG", "GCAAGTTTTTAG", "ATAAGTTTTTAC", "GTAG"])
def test_valid(intron):
    assert both(*gene(GOOD[0], intron, GOOD[2])) == []


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (("CTGAAAT", *GOOD[1:]), "no start codon: CTG"),
        (("ANGAAAT", *GOOD[1:]), "no start codon: ANG"),
        ((*GOOD[:2], "GGAAATCA"), "no stop codon: TCA"),
        ((*GOOD[:2], "GGAAAATAA"), "length out of frame"),
        ((*GOOD[:2], "GATAGTAA"), "stop codon in frame"),
        ((*GOOD[:2], "AAAAATAA"), "stop codon in frame"),
        ((GOOD[0], "GTT", GOOD[2]), "intron of 3 bases at 11"),
        ((GOOD[0], "GTAAGTTTTTAC", GOOD[2]), "splice sites GTAC at 11"),
        ((GOOD[0], "GNAAGTTTTTAG", GOOD[2]), "N in a splice site of the intron at 11"),
    ],
)
def test_each_fault(parts, fault):
    """`AAAAATAA` makes a stop codon across the splice site: ATG AAA T|AA."""
    assert both(*gene(*parts)) == [fault]


def test_the_genetic_code_decides():
    codes, transcript = gene("ATGTGAT", GOOD[1], GOOD[2])
    assert both(codes, transcript) == ["stop codon in frame"]
    assert both(codes, transcript, genetic_code(4)) == []
    assert both(*gene("CTGAAAT", *GOOD[1:]), genetic_code(11)) == []


def test_incomplete_ends_only_where_the_sequence_ends():
    codes = base_codes(b"AAAACCTAACCCC")
    cut = Transcript("+", ((0, 9),), phase=1, complete5=False)
    assert both(codes, cut) == ["length out of frame"]
    cut = Transcript("+", ((0, 9),), phase=0, complete5=False)
    assert both(codes, cut) == []
    inside = Transcript("+", ((3, 9),), phase=0, complete5=False)
    assert both(codes, inside) == ["incomplete inside the sequence"]
    in_intron = Transcript("+", ((3, 9),), phase=0, complete5=False, start=0)
    assert both(codes, in_intron) == []


def test_phase_sets_the_frame():
    codes = base_codes(b"TAACCCTAACC")
    for phase, expected in ((0, ["stop codon in frame"]), (1, []), (2, [])):
        cut = Transcript("+", ((0, 11),), phase=phase, complete5=False, complete3=False)
        assert both(codes, cut) == expected


def test_a_transcript_beyond_the_sequence():
    assert faults(Transcript("+", ((0, 9),)), base_codes(b"ATGTAA"), CODE) == [
        "ends at 9, the sequence at 6"
    ]
