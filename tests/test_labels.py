"""Genes <-> labels <-> run-length tokens are exact inverses, and every path is a legal one.

python -m pytest tests/test_labels.py
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.gene import Transcript
from augustus_dl.labels import (
    FEATURES,
    INTERGENIC,
    LABELS,
    LEGAL,
    MASKED,
    MIRROR,
    NUM_LABELS,
    NUM_UTR_LABELS,
    TOKENS,
    UTR_LABELS,
    UTR_MIRROR,
    from_labels,
    from_runs,
    from_tokens,
    label,
    mirror,
    to_labels,
    to_runs,
    to_tokens,
    to_utr_labels,
    utr_label,
)

lengths = st.one_of(st.just(1), st.integers(1, 12), st.integers(1, 400))
intron_lengths = st.one_of(st.just(2), st.integers(2, 12), st.integers(2, 400))


@st.composite
def plus_genes(draw, cut5: bool = False, cut3: bool = False) -> Transcript:
    """A plus-strand transcript from 0; `cut5` and `cut3` say which ends the sequence cuts off."""
    exons = draw(st.lists(lengths, min_size=1, max_size=6))
    introns = [draw(intron_lengths) for _ in exons[1:]]
    left = draw(st.integers(0, 30)) if cut5 else 0
    right = draw(st.integers(0, 30)) if cut3 else 0
    phase = draw(st.integers(0, 2)) if cut5 else 0
    if not cut3:  # a stop codon is the last of whole codons
        exons[-1] += (phase - sum(exons)) % 3
        if not cut5 and sum(exons) < 3:
            exons[-1] += 3
    cds, cursor = [], left
    for exon, intron in zip(exons, [*introns, 0], strict=True):
        cds.append((cursor, cursor + exon))
        cursor += exon + intron
    return Transcript(
        strand="+",
        cds=tuple(cds),
        phase=phase,
        complete5=not cut5,
        complete3=not cut3,
        start=0,
        end=cds[-1][1] + right,
    )


@st.composite
def oriented_genes(draw, cut_left: bool = False, cut_right: bool = False) -> Transcript:
    """A transcript of either strand; `cut_left` and `cut_right` are ends of the sequence."""
    if draw(st.booleans()):
        return draw(plus_genes(cut5=cut_left, cut3=cut_right))
    gene = draw(plus_genes(cut5=cut_right, cut3=cut_left))
    return gene.mirrored(gene.end)


@st.composite
def annotated_sequences(draw) -> tuple[list[Transcript], int]:
    """Non-overlapping transcripts in rising order, often touching, and the sequence length."""
    count = draw(st.integers(0, 5))
    cut_left, cut_right = draw(st.booleans()), draw(st.booleans())
    genes, cursor = [], 0
    for index in range(count):
        cut_here = cut_left and index == 0
        gap = 0 if cut_here else draw(st.one_of(st.just(0), st.integers(0, 50)))
        gene = draw(oriented_genes(cut_here, cut_right and index == count - 1))
        genes.append(gene.shifted(cursor + gap))
        cursor = genes[-1].end
    tail = 0 if cut_right and count else draw(st.integers(0, 50))
    return genes, cursor + tail


def names(path: np.ndarray) -> list[str]:
    return [LABELS[number] for number in path]


@given(annotated_sequences())
def test_labels_invert(annotated) -> None:
    genes, length = annotated
    assert from_labels(to_labels(genes, length)) == genes


@given(annotated_sequences())
def test_tokens_invert(annotated) -> None:
    genes, length = annotated
    path = to_labels(genes, length)
    tokens = to_tokens(path)
    assert set(tokens) <= set(TOKENS)
    assert from_labels(from_tokens(tokens)) == genes
    np.testing.assert_array_equal(from_tokens(tokens), path)


@given(st.lists(st.integers(0, NUM_LABELS - 1), max_size=300))
def test_tokens_invert_any_path(numbers: list[int]) -> None:
    path = np.array(numbers, dtype=np.uint8)
    np.testing.assert_array_equal(from_tokens(to_tokens(path)), path)


@given(st.lists(st.sampled_from([*range(NUM_LABELS), MASKED]), max_size=300))
def test_runs_invert_any_path(numbers: list[int]) -> None:
    path = np.array(numbers, dtype=np.uint8)
    first, length = to_runs(path)
    assert (length > 0).all() and length.sum() == len(path)
    np.testing.assert_array_equal(from_runs(first, length), path)


@given(annotated_sequences())
def test_every_path_is_legal(annotated) -> None:
    path = to_labels(*annotated)
    illegal = np.flatnonzero(~LEGAL[path[:-1], path[1:]])
    assert not len(illegal), [names(path[i : i + 2]) for i in illegal]


@given(annotated_sequences())
def test_mirrored_genes_have_the_mirrored_path(annotated) -> None:
    genes, length = annotated
    mirrored = [gene.mirrored(length) for gene in reversed(genes)]
    path = mirror(to_labels(genes, length))
    np.testing.assert_array_equal(path, to_labels(mirrored, length))
    np.testing.assert_array_equal(mirror(path), to_labels(genes, length))
    assert from_labels(path) == mirrored


@given(annotated_sequences())
def test_coding_labels_agree_with_gff_phases(annotated) -> None:
    genes, length = annotated
    path = to_labels(genes, length)
    position = {"C0": 0, "START": 0, "C1": 1, "C2": 2, "STOP": 2}
    for gene in genes:
        for (start, end), phase in zip(gene.cds, gene.phases, strict=True):
            first = path[start] if gene.strand == "+" else path[end - 1]
            assert (3 - position[LABELS[first][1:]]) % 3 == phase


def test_mirror_is_an_involution() -> None:
    assert MIRROR[MIRROR].tolist() == list(range(NUM_LABELS))
    assert mirror(np.array([INTERGENIC, MASKED], dtype=np.uint8)).tolist() == [MASKED, INTERGENIC]
    np.testing.assert_array_equal(LEGAL, LEGAL[np.ix_(MIRROR, MIRROR)].T)


def test_label_table() -> None:
    assert NUM_LABELS == 29 and LABELS[INTERGENIC] == "IR"
    assert LABELS[label("+", "C0")] == "+C0" and LABELS[label("-", "STOP")] == "-STOP"
    assert LABELS[MIRROR[label("+", "D1")]] == "-D1"


def test_tokens_are_unique_and_hold_no_white_space() -> None:
    assert len(set(TOKENS)) == len(TOKENS) == NUM_LABELS + len(UTR_LABELS) + len(FEATURES) + 10
    assert all(token == "".join(token.split()) and token for token in TOKENS)


def test_path_written_out() -> None:
    """A start codon split 1 + 2 by an intron, and a stop codon split 2 + 1."""
    gene = Transcript(strand="+", cds=((1, 2), (5, 9), (11, 12)))
    path = to_labels([gene], 13)
    assert names(path) == [
        *["IR", "+START", "+D1", "+I1", "+A1", "+C1", "+C2", "+C0", "+C1", "+D2", "+A2"],
        *["+STOP", "IR"],
    ]
    assert names(mirror(path)) == [
        *["IR", "-STOP", "-A2", "-D2", "-C1", "-C0", "-C2", "-C1", "-A1", "-I1", "-D1"],
        *["-START", "IR"],
    ]


def test_intron_cut_by_the_sequence_end() -> None:
    gene = Transcript(
        strand="+", cds=((2, 6),), phase=1, complete5=False, complete3=False, start=0, end=9
    )
    path = to_labels([gene], 9)
    assert names(path) == ["+I2", "+A2", "+C2", "+C0", "+C1", "+C2", "+D0", "+I0", "+I0"]
    assert from_labels(path) == [gene]


def test_run_length_tokens_written_out() -> None:
    path = to_labels([Transcript(strand="+", cds=((12, 15), (19, 22)))], 22)
    assert to_tokens(path) == [
        *["[IR]", "[n1]", "[n2]", "[+START]", "[+C1]", "[n2]"],
        *["[+D0]", "[+I0]", "[n2]", "[+A0]", "[+C0]", "[n2]", "[+STOP]"],
    ]


def test_a_sequence_inside_one_intron_holds_no_transcript() -> None:
    assert from_labels(np.full(9, label("-", "I1"), dtype=np.uint8)) == []


def test_masked_bases_are_no_gene() -> None:
    path = to_labels([Transcript(strand="-", cds=((3, 9),))], 12)
    path[:3] = MASKED
    assert from_labels(path) == [Transcript(strand="-", cds=((3, 9),))]


@pytest.mark.parametrize(
    ("transcripts", "length", "message"),
    [
        ([Transcript("+", ((0, 6),)), Transcript("-", ((5, 11),))], 20, "overlap"),
        ([Transcript("+", ((0, 6),))], 5, "ends at 6"),
        ([Transcript("+", ((0, 3), (4, 7)))], 9, "intron of one base"),
    ],
)
def test_impossible_models_are_refused(transcripts, length: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_labels(transcripts, length)


@pytest.mark.parametrize("tokens", [["[n1]"], ["[IR]", "A"], ["[+tRNA]"]])
def test_foreign_tokens_are_refused(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="not a structure token"):
        from_tokens(tokens)


UTRS = Transcript(
    "+", ((9, 12), (14, 17)), utr5=((1, 3), (6, 7)), utr3=((17, 18), (20, 22)), tss=True
)


def test_utr_track_written_out() -> None:
    exon5, intron5, exon3, intron3 = 1, 2, 3, 4
    track = to_utr_labels(UTRS, 23)
    assert track.tolist() == [
        *[0, exon5, exon5, intron5, intron5, intron5, exon5, intron5, intron5],
        *[0] * 8,
        *[exon3, intron3, intron3, exon3, exon3, 0],
    ]
    assert [UTR_LABELS[number - 1] for number in (exon5, intron5, exon3, intron3)] == [
        *["+5UTR_exon", "+5UTR_intron", "+3UTR_exon", "+3UTR_intron"]
    ]
    turned = to_utr_labels(UTRS.mirrored(23), 23)
    assert UTR_MIRROR[track[::-1]].tolist() == turned.tolist()
    assert turned[0] == 0 and turned[1] == utr_label("-", "3", "exon")


def test_utr_labels() -> None:
    assert NUM_UTR_LABELS == 1 + len(UTR_LABELS) == 9
    assert UTR_MIRROR[UTR_MIRROR].tolist() == list(range(NUM_UTR_LABELS))
    for end in "53":
        for part in ("exon", "intron"):
            assert UTR_MIRROR[utr_label("+", end, part)] == utr_label("-", end, part)


def test_a_transcript_without_utrs_has_an_empty_track() -> None:
    cut = Transcript("+", ((5, 9),), complete5=False, start=0)
    assert not to_utr_labels(cut, 12).any()


def test_utrs_beyond_the_sequence_are_refused() -> None:
    with pytest.raises(ValueError, match="ends at 22, sequence at 21"):
        to_utr_labels(UTRS, 21)
