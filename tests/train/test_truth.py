"""Annotation to training labels of both tracks.

python -m pytest tests/train/test_truth.py
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.labels import LEGAL, MASKED, UTR_MIRROR, from_labels, to_labels, utr_label
from augustus_dl.train.truth import label_contig, label_utrs

CODE = genetic_code(1)
MakeContig = Callable[..., tuple[Contig, list[Gene]]]

EXON_A, INTRON, EXON_B = "ATGGCCAAG", "GTAAGTTTTTTTCAG", "GCCAAGTAA"
GENE = EXON_A + INTRON + EXON_B  # 33 bases
TEXT = ("C" * 20 + GENE + "C" * 20 + GENE + "C" * 20).encode()
CODES = base_codes(TEXT)


def transcript(start: int, strand: str = "+", **changes: object) -> Transcript:
    plus = Transcript("+", ((start, start + 9), (start + 24, start + 33)))
    return dataclasses.replace(plus, strand=strand, **changes)


def gene(*transcripts: Transcript) -> Gene:
    return Gene("c", transcripts[0].strand, transcripts)


def masked(labels: np.ndarray) -> list[int]:
    return np.flatnonzero(labels == MASKED).tolist()


def test_valid_genes_are_labelled_and_the_rest_is_intergenic() -> None:
    genes = [gene(transcript(20)), gene(transcript(73))]
    labels = label_contig(genes, [], CODES, CODE)
    assert np.array_equal(labels, to_labels([transcript(20), transcript(73)], len(CODES)))
    assert labels.dtype == np.uint8 and not masked(labels)
    assert label_contig([], [], CODES, CODE).max() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        transcript(21),  # no start codon
        transcript(20, complete5=False),
        transcript(20, complete3=False),
        transcript(20, strand="-"),
        Transcript("+", ((20, 29), (44, 50))),  # no stop codon
        Transcript("+", ((20, 29), (45, 53))),  # out of frame
    ],
)
def test_a_gene_without_a_valid_transcript_is_masked(wrong: Transcript) -> None:
    labels = label_contig([gene(wrong), gene(transcript(73))], [], CODES, CODE)
    assert masked(labels) == list(range(wrong.start, wrong.end))
    assert from_labels(labels) == [transcript(73)]


def test_given_masks_and_n_are_masked() -> None:
    codes = CODES.copy()
    codes[33:36] = 4  # inside the intron, off its splice sites
    codes[60] = 4
    labels = label_contig([gene(transcript(20))], [(0, 4, "pseudogene")], codes, CODE)
    assert masked(labels) == [0, 1, 2, 3, 33, 34, 35, 60]
    expected = to_labels([transcript(20)], len(codes))
    assert np.array_equal(labels[labels != MASKED], expected[labels != MASKED])


@pytest.mark.parametrize("strand", "+-")
def test_overlapping_genes_are_masked_where_they_overlap(strand: str) -> None:
    """The second gene has a single exon and is valid on its strand, inside the first one."""
    text = ("C" * 5 + "ATGGCC" + "ATGTTACATGCCTAA" + "C" * 5).encode()
    codes = base_codes(text)
    outer = Transcript("+", ((5, 26),))
    other = {
        "+": Transcript("+", ((11, 26),)),
        "-": Transcript("-", ((14, 20),)),  # TTACAT
    }[strand]
    labels = label_contig([gene(outer), gene(other)], [], codes, CODE)
    assert masked(labels) == list(range(other.start, other.end))
    alone = label_contig([gene(outer)], [], codes, CODE)
    assert np.array_equal(labels[labels != MASKED], alone[labels != MASKED])


def test_valid_isoforms_are_masked_where_they_disagree() -> None:
    """The longest counts, here the one that reads through the other's intron."""
    text = ("CC" + "ATG" + "GCC" + "GTAAAG" + "AAG" + "TAA" + "CC").encode()
    codes = base_codes(text)
    through = Transcript("+", ((2, 20),))
    spliced = Transcript("+", ((2, 8), (14, 20)))
    labels = label_contig([gene(spliced, through)], [], codes, CODE)
    assert masked(labels) == list(range(8, 14))
    kept = labels != MASKED
    assert np.array_equal(labels[kept], to_labels([through], len(codes))[kept])


def test_coding_bases_of_faulty_isoforms_are_masked() -> None:
    faulty = Transcript("+", ((15, 29), (44, 53)))  # begins five bases early: no start codon
    labels = label_contig([gene(transcript(20), faulty)], [], CODES, CODE)
    assert masked(labels) == list(range(15, 20))
    assert from_labels(labels) == [transcript(20)]


def test_a_gene_beyond_the_sequence_is_masked() -> None:
    wrong = Transcript("+", ((100, 140),))
    assert masked(label_contig([gene(wrong)], [], CODES, CODE)) == list(range(100, len(CODES)))


def test_the_genetic_code_decides() -> None:
    text = b"CCATGTGAGCCTAACC"  # TGA is a stop in code 1 and tryptophan in code 4
    one = gene(Transcript("+", ((2, 14),)))
    assert masked(label_contig([one], [], base_codes(text), CODE)) == list(range(2, 14))
    assert not masked(label_contig([one], [], base_codes(text), genetic_code(4)))


def test_labels_of_toy_genomes_are_legal(toy_contig: MakeContig) -> None:
    contig, genes = toy_contig("c", seed=5, genes=30)
    labels = label_contig(genes, [], base_codes(contig.sequence), CODE)
    assert not masked(labels)
    assert LEGAL[labels[:-1], labels[1:]].all()
    assert from_labels(labels) == [g.transcripts[0] for g in genes]


LENGTH = 8000
NOTHING = np.zeros(LENGTH, dtype=np.uint8)
EXON5, INTRON5 = utr_label("+", "5", "exon"), utr_label("+", "5", "intron")
EXON3, INTRON3 = utr_label("+", "3", "exon"), utr_label("+", "3", "intron")
WHOLE = Transcript(
    "+",
    ((3000, 3300), (3400, 3600)),
    utr5=((2500, 2520), (2900, 3000)),
    utr3=((3600, 3650), (3700, 3800)),
)


def spans(track: np.ndarray) -> list[tuple[int, int, int]]:
    """Runs of a UTR track that are not 0: label, start, end."""
    breaks = [0, *(np.flatnonzero(np.diff(track)) + 1).tolist(), len(track)]
    return [(int(track[a]), a, b) for a, b in pairwise(breaks) if track[a]]


KNOWN = [
    *[(EXON5, 2500, 2520), (INTRON5, 2520, 2900), (EXON5, 2900, 3000)],
    *[(EXON3, 3600, 3650), (INTRON3, 3650, 3700), (EXON3, 3700, 3800)],
]


def test_the_utr_track_of_a_gene() -> None:
    assert spans(label_utrs([gene(WHOLE)], [], NOTHING)) == KNOWN
    assert not label_utrs([], [], NOTHING).any()


def test_the_utr_track_of_the_other_strand() -> None:
    turned = gene(WHOLE.mirrored(LENGTH))
    track = label_utrs([turned], [], reverse_complement(NOTHING))
    assert np.array_equal(UTR_MIRROR[track[::-1]], label_utrs([gene(WHOLE)], [], NOTHING))


@pytest.mark.parametrize("strand", "+-")
def test_beside_an_end_without_utr_nothing_is_known(strand: str) -> None:
    left, right = (MASKED, 1500, 3000), (MASKED, 3300, 4800)
    bare = Transcript(strand, ((3000, 3300),))
    assert spans(label_utrs([gene(bare)], [], NOTHING)) == [left, right]
    utr3 = (3300, 3310) if strand == "+" else (2990, 3000)
    track = label_utrs([gene(Transcript(strand, bare.cds, utr3=(utr3,)))], [], NOTHING)
    known = (utr_label(strand, "3", "exon"), *utr3)
    assert spans(track) == ([left, known] if strand == "+" else [known, right])


def test_the_neighbourhood_of_a_gene_at_the_end_of_the_sequence() -> None:
    first, last = Transcript("+", ((100, 400),)), Transcript("+", ((7000, 7990),))
    assert spans(label_utrs([gene(first), gene(last)], [], NOTHING)) == [
        (MASKED, 0, 100),
        (MASKED, 400, 1900),
        (MASKED, 5500, 7000),
        (MASKED, 7990, 8000),
    ]


def test_the_isoform_with_the_longest_cds_counts_then_that_with_the_longest_utrs() -> None:
    """Where they disagree nothing is known, and they agree that the rest is no UTR."""
    shorter_cds = dataclasses.replace(WHOLE, cds=((3000, 3300), (3400, 3500)), utr3=())
    shorter_utr = dataclasses.replace(WHOLE, utr5=((2950, 3000),), start=-1)
    for others in ([shorter_cds, WHOLE], [WHOLE, shorter_cds]):
        track = label_utrs([gene(*others)], [], NOTHING)
        assert spans(track) == [*KNOWN[:3], (MASKED, 3600, 3800)]
    for others in ([shorter_utr, WHOLE], [WHOLE, shorter_utr]):
        track = label_utrs([gene(*others)], [], NOTHING)
        assert spans(track) == [(MASKED, 2500, 2950), (EXON5, 2950, 3000), *KNOWN[3:]]


def test_isoforms_that_agree_mask_nothing() -> None:
    other = dataclasses.replace(WHOLE, cds=((3000, 3300), (3420, 3600)))
    assert spans(label_utrs([gene(WHOLE, other)], [], NOTHING)) == KNOWN


def test_given_masks_and_n_of_the_utr_track() -> None:
    codes = NOTHING.copy()
    codes[2950] = 4
    track = label_utrs([gene(WHOLE)], [(10, 20, "pseudogene")], codes)
    assert masked(track) == [*range(10, 20), 2950]


def test_utrs_of_two_genes_over_each_other() -> None:
    """Doubtful where they differ; an intron over the other's coding bases is not."""
    near = Transcript("+", ((3900, 4200),), utr5=((3750, 3900),), utr3=((4200, 4210),))
    track = label_utrs([gene(WHOLE), gene(near)], [], NOTHING)
    assert masked(track) == list(range(3750, 3800))
    again = label_utrs([gene(near), gene(WHOLE)], [], NOTHING)
    assert np.array_equal(track, again)
    spanning = Transcript("+", ((5000, 5300),), utr5=((2000, 2010),), utr3=((5300, 5310),))
    track = label_utrs([gene(spanning), gene(WHOLE)], [], NOTHING)
    assert (track[3000:3600] == INTRON5).all()
    assert masked(track) == [*range(2500, 2520), *range(2900, 3000), *range(3600, 3800)]


def test_a_gene_beyond_the_sequence_masks_the_utr_track() -> None:
    outside = Transcript("+", ((7900, 8010),), utr5=((7800, 7900),), utr3=((8010, 8020),))
    assert spans(label_utrs([gene(outside)], [], NOTHING)) == [(MASKED, 7800, 8000)]
