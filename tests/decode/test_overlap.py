"""Overlapping genes of one strand: the decoder against all sets of genes, and labels to genes.

Nothing here reads the state graph. `gene_sets` lists every set of plus-strand genes that a short
sequence allows; minus strands are searched as the reverse complement.

python -m pytest tests/decode/test_overlap.py
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.parse import parse
from augustus_dl.decode.track import symbols
from augustus_dl.decode.viterbi import Decoder, viterbi
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.labels import LABELS, MIRROR, label, mirror
from augustus_dl.validity import faults

MOTIFS = ("ATG", "GTG", "TAA", "TGA", "ATGA", "ATAA", "TAATG", "TGATG", "A", "C", "G", "T")


def config(strand="forward", **settings):
    usual = {"gene_start": 0.5, "intronless": True, "genetic_code": 11, "min_coding_length": 0}
    return DecoderConfig(**usual | {"max_overlap": 60, "strand": strand} | settings)


def toy(rng, length, n_rate=0.0):
    text = ""
    while len(text) < length:
        text += "N" if rng.random() < n_rate else MOTIFS[rng.integers(len(MOTIFS))]
    return text[:length]


def random_scores(rng, length, outside=-2.0, boundaries=3.0):
    """Normal scores, in which genes beat nothing and boundaries are frequent."""
    scores = rng.normal(0, 2, (length, len(LABELS)))
    scores[:, 0] += outside
    scores[:, [i for i, name in enumerate(LABELS) if "ST" in name]] += boundaries
    return np.round(scores * GRID).astype(np.int16)


def all_genes(text, settings):
    """Every gene of one exon on the plus strand of a text."""
    code = settings.code()
    found = []
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            starts = [(0, True)] if text[start:end][:3] in code.starts else []
            if start == 0 and settings.partial:
                starts += [(phase, False) for phase in range(3)]
            for phase, complete5 in starts:
                framed = text[start + phase : end]
                codons = [framed[i : i + 3] for i in range(0, len(framed) - 2, 3)]
                stops = [codon in code.stops for codon in codons]
                complete3 = bool(stops) and stops[-1] and len(framed) % 3 == 0
                if any(stops[: len(stops) - complete3]):
                    continue
                if complete3 or (settings.partial and end == len(text)):
                    found.append(Transcript("+", ((start, end),), phase, complete5, complete3))
    return found


def may_follow(left, right, settings):
    """May two genes be neighbours?"""
    overlap = left.end - right.start
    if overlap <= 0:
        return True
    ordered = left.start < right.start and left.complete3
    ordered &= left.end < right.end or not right.complete3
    same_frame = (left.start + left.phase - right.start) % 3 == 0
    return overlap <= settings.max_overlap and ordered and not same_frame


def gene_sets(text, settings):
    genes = sorted(all_genes(text, settings), key=lambda gene: gene.start)

    def continued(chosen):
        yield chosen
        for gene in genes:
            if chosen and not may_follow(chosen[-1], gene, settings):
                continue
            if chosen and gene.start <= chosen[-1].start:
                continue
            if len(chosen) > 1 and gene.start < chosen[-2].end:
                continue  # no more than two at a base
            yield from continued([*chosen, gene])

    return continued([])


def path_of(genes, length):
    """Labels of plus-strand genes: the upstream gene's where two meet, but for a START."""
    path = np.zeros(length, dtype=np.uint8)
    for gene in reversed(genes):
        position = np.arange(gene.end - gene.start) - gene.phase
        path[gene.start : gene.end] = label("+", "C0") + position % 3
        if gene.complete3:
            path[gene.end - 1] = label("+", "STOP")
    for gene in genes:
        if gene.complete5:
            path[gene.start] = label("+", "START")
    return path


def score_of(path, genes, scores, settings):
    total = int(scores[np.arange(len(path)), path].sum(dtype=np.int64))
    return total + len(genes) * round(settings.gene_start * GRID)


def decoded(text, scores, settings):
    """Labels and transcripts, as if the strand of `settings` were the plus strand."""
    codes = base_codes(text.encode())
    if settings.strand == "backward":
        codes, scores = reverse_complement(codes), scores[::-1, MIRROR]
    path = viterbi(scores, symbols(codes, settings), settings)
    genes = list(parse([path], settings))
    if settings.strand == "backward":
        path, genes = mirror(path), [gene.mirrored(len(text)) for gene in reversed(genes)]
    return path, genes


@pytest.mark.parametrize("strand", ["forward", "backward"])
@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"partial": False},
        {"max_overlap": 1},
        {"max_overlap": 4, "partial": False},
        {"max_overlap": 5},
        {"genetic_code": 1},
        {"genetic_code": 4},
        {"genetic_code": 2, "partial": False},
        {"sense_stops": ("TGA",)},
    ],
    ids=lambda variant: ",".join(f"{key} {value}" for key, value in variant.items()) or "usual",
)
def test_best_of_all_sets_of_genes(strand, variant):
    settings = config(strand, **variant)
    rng = np.random.default_rng(len(str(variant)))
    overlaps = set()
    for case in range(60):
        text = toy(rng, int(rng.integers(1, 26)), n_rate=0.05 * (case % 4 == 0))
        scores = random_scores(rng, len(text), outside=(-2, -6)[case % 2])
        best, ties = None, []
        for genes in gene_sets(text, settings):
            path = path_of(genes, len(text))
            score = score_of(path, genes, scores, settings)
            if best is None or score > best:
                best, ties = score, []
            if score == best:
                ties.append((path.tolist(), genes))
        path, genes = decoded(text, scores, settings)
        assert score_of(path, genes, scores, settings) == best
        assert (path.tolist(), genes) in ties
        overlaps |= {a.end - b.start for a, b in pairwise(genes)}
    assert overlaps & {1, 4}
    assert max(overlaps) <= settings.max_overlap


@pytest.mark.parametrize(
    ("text", "overlap"),
    [
        ("ATGCCCTAATG CCCTAA", 1),
        ("ATGCCATGA CCTAA", 4),
        ("ATGCATGCCTGA CTAA", 8),
        ("ATGCCCATGCCCTGA CCTAA", 0),  # the same frame
        ("ATGCCCATGTGA CTAA", 0),
    ],
)
def test_genes_that_share_their_ends(text, overlap):
    """Two genes are found where their frames differ."""
    text = f"CC{text}CC".replace(" ", "")
    scores = np.zeros((len(text), len(LABELS)), dtype=np.int16)
    scores[:, label("+", "START")] = scores[:, label("+", "STOP")] = 9 * GRID
    scores[:, 0] = -GRID
    for strand in ("forward", "backward"):
        _, genes = decoded(text, scores, config(strand, genetic_code=1, partial=False))
        assert [a.end - b.start for a, b in pairwise(genes)] == [overlap] * bool(overlap)


@hypothesis_settings(max_examples=50)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 60), max_size=9))
def test_genes_come_back_from_their_labels(seed, cuts):
    """On both strands, wherever the path is cut."""
    rng = np.random.default_rng(seed)
    settings = config(partial=bool(seed % 3))
    text = toy(rng, 60)
    scores = random_scores(rng, 60, outside=-8)
    path, genes = decoded(text, scores, settings)
    assert path.tolist() == path_of(genes, 60).tolist()
    borders = [0, *sorted(cuts), 60]
    for labels, expected in (
        (path, genes),
        (mirror(path), [gene.mirrored(60) for gene in reversed(genes)]),
    ):
        assert list(parse([labels[a:b] for a, b in pairwise(borders)], settings)) == expected


@pytest.mark.parametrize("strand", ["forward", "backward"])
def test_cutting_into_chunks_changes_nothing(strand):
    settings = config(strand)
    rng = np.random.default_rng(8)
    for _ in range(50):
        codes = base_codes(toy(rng, 500).encode())
        scores = random_scores(rng, 500)
        read = symbols(codes, settings)
        borders = [0, *sorted(rng.integers(0, 500, 5)), 500]
        chunks = [(scores[a:b], read[a:b]) for a, b in pairwise(borders)]
        pieces = list(Decoder(settings).decode(chunks))
        assert np.concatenate(pieces).tolist() == viterbi(scores, read, settings).tolist()


@pytest.mark.parametrize("table", [1, 4, 11])
@pytest.mark.parametrize("strand", ["forward", "backward"])
def test_never_an_invalid_gene(table, strand):
    settings = config(strand, genetic_code=table)
    rng = np.random.default_rng(table)
    codes = base_codes(toy(rng, 100_000, n_rate=0.01).encode())
    read = symbols(codes, settings)
    found = list(parse([viterbi(random_scores(rng, len(codes)), read, settings)], settings))
    assert [faults(gene, codes, genetic_code(table)) for gene in found] == [[]] * len(found)
    overlaps = [a.end - b.start for a, b in pairwise(found)]
    assert sum(overlap > 0 for overlap in overlaps) > 50
    assert max(overlaps) <= 60


@pytest.mark.parametrize("limit", [1, 4, 7, 60, 1000])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 50])
def test_symbols_tell_where_a_stop_codon_is_near(limit, length):
    settings = config(max_overlap=limit)
    text = toy(np.random.default_rng(length), length, n_rate=0.05)
    codes = base_codes(text.encode())
    expected = codes.copy()
    for base in range(length):
        for read in (1, 2):
            first = next(
                (
                    codon
                    for codon in range(base - read, length, 3)
                    if codon >= 0 and text[codon : codon + 3] in settings.code().stops
                ),
                None,
            )
            if base and first is not None and first + 3 - base <= limit:
                expected[base] += 5 * read
    assert symbols(codes, settings).tolist() == expected.tolist()
    backward = symbols(reverse_complement(codes), config("backward", max_overlap=limit))
    swapped = (expected // 5 % 2 * 2 + expected // 10) * 5
    assert backward.tolist() == (reverse_complement(codes) + swapped[::-1]).tolist()


def test_without_overlaps_symbols_are_bases():
    codes = base_codes(b"ATGATAA")
    assert np.shares_memory(symbols(codes, config(max_overlap=0)), codes)


@pytest.mark.parametrize("strand", ["forward", "backward"])
def test_symbols_of_a_part_are_those_of_the_whole(strand):
    codes = base_codes(toy(np.random.default_rng(8), 600, n_rate=0.01).encode())
    settings = config(strand, max_overlap=20)
    whole = symbols(codes, settings)
    assert (whole > 4).any()
    for start, end in ((0, 1), (0, 600), (1, 90), (300, 302), (577, 600), (599, 600), (600, 600)):
        assert symbols(codes, settings, start, end).tolist() == whole[start:end].tolist()
