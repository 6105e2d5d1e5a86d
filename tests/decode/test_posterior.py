"""Posterior probabilities against the enumeration of all paths.

python -m pytest tests/decode/test_posterior.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from augustus_dl.decode import lattice as lattice_module
from augustus_dl.decode.config import GRID
from augustus_dl.decode.grammar import build_graph
from augustus_dl.decode.lattice import Lattice, between
from augustus_dl.decode.posterior import label_posteriors, with_posteriors
from augustus_dl.decode.track import symbols
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.labels import INTERGENIC, MIRROR, from_labels
from tests.decode import test_overlap
from tests.decode.enumeration import all_paths, probabilities
from tests.decode.test_viterbi import COMPLEMENT, COUNTED, TOY, VARIANTS, random_scores, toy

CONFIGS = {
    **{name: config for name, config in VARIANTS.items() if "opal" not in name},
    "atac": replace(TOY, atac=True, partial=False),
    **COUNTED,
}
"""A sequence inside one intron has two paths in the graph where there are AT-AC introns, since
nothing tells its kind; so those are tried with complete genes only."""

GENES = "GCTTAAGCTGCACTCATGAGCTCAGTGCTTAGATTATAGCCATGTCTC"
"""Rich in genes of one, two and three exons on both strands."""

OVERLAPPING = ("CCATGCCCTAATGCCCTAACC", "CCATGCCATGACCTAACC", "CCATGCATGCCTGACTAACC")
"""Genes that share 1, 4 and 8 bases."""


def parts(transcript, path):
    """What is told apart: coding intervals with strand, phase and kinds of ends; introns."""
    for (a, b), phase in zip(transcript.cds, transcript.phases, strict=True):
        cut = (a > transcript.start, b < transcript.end)
        yield "cds", transcript.strand, a, b, phase, *cut, int(path[a]), int(path[b - 1])
    for a, b in transcript.introns:
        yield "intron", transcript.strand, a, b


def enumerated(paths, chances):
    """Probability of each transcript and each part, and a path that has the transcript."""
    whole, part, example = Counter(), Counter(), {}
    for path, chance in zip(paths, chances, strict=True):
        for transcript in from_labels(path):
            whole[transcript] += chance
            example[transcript] = path
            for key in parts(transcript, path):
                part[key] += chance
    return whole, part, example


def compared(text, scores, config, heat=1.0, graph=None, paths=None):
    """Number of transcripts whose probabilities are as in the enumeration."""
    paths = all_paths(text, config) if paths is None else paths
    chances, total = probabilities(paths, text, scores, config, heat)
    lattice = Lattice(graph or build_graph(config), scores, base_codes(text.encode()), heat)
    assert lattice.log_total == pytest.approx(total, abs=1e-9)
    whole, part, example = enumerated(paths, chances)
    scored = with_posteriors(lattice, list(whole), config)
    for bare, transcript in zip(whole, scored, strict=True):
        found = [*transcript.cds_posterior, *transcript.intron_posterior]
        expected = [part[key] for key in parts(bare, example[bare])]
        assert transcript.posterior == pytest.approx(whole[bare], rel=1e-7)
        assert found == pytest.approx(expected, rel=1e-7)
    posteriors = label_posteriors(lattice)
    expected = np.zeros_like(posteriors)
    for path, chance in zip(paths, chances, strict=True):
        expected[np.arange(len(text)), path] += chance
    np.testing.assert_allclose(posteriors, expected, atol=1e-6)
    return len(whole)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_transcript_exon_and_intron(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(len(name))
    seen = 0
    for case in range(12):
        text = toy(rng, int(rng.integers(1, 40)), n_rate=0.05 * (case % 3 == 0))
        if config.gene_count == "any" or len(all_paths(text, config)):
            seen += compared(text, random_scores(rng, len(text), outside=case % 2), config)
    seen += compared(GENES, random_scores(rng, len(GENES), spread=0.5), config)
    assert seen >= 4


def test_genes_of_several_exons_are_among_them():
    config = replace(TOY, partial=False)
    transcripts = {t for path in all_paths(GENES, config) for t in from_labels(path)}
    kinds = {(strand, exons) for strand in "+-" for exons in (1, 2, 3)}
    assert {(t.strand, len(t.cds)) for t in transcripts} == kinds


@pytest.mark.parametrize("heat", [0.125, 0.5])
def test_heat_multiplies_scores(heat):
    rng = np.random.default_rng(1)
    compared(GENES, random_scores(rng, len(GENES)), TOY, heat)


@pytest.mark.parametrize(("left", "right"), [(True, False), (False, True), (True, True)])
def test_a_region_between_intergenic_bases(left, right):
    """Probabilities inside a sequence given that the bases at the cuts are intergenic."""
    rng = np.random.default_rng(2)
    for text in (GENES, GENES[::-1].translate(COMPLEMENT)):
        a, b = 7 * left, len(text) - 6 * right
        scores = random_scores(rng, len(text), spread=0.5)
        paths = all_paths(text, TOY)
        outside = np.ones(len(paths), dtype=bool)
        if left:
            outside &= paths[:, a - 1] == INTERGENIC
        if right:
            outside &= paths[:, b - 1] == INTERGENIC
        paths = paths[outside]
        chances, _ = probabilities(paths, text, scores, TOY)
        graph = between(build_graph(TOY), left, right)
        lattice = Lattice(graph, scores[a:b], base_codes(text.encode())[a:b])
        expected = np.zeros((b - a, 29))
        for path, chance in zip(paths, chances, strict=True):
            expected[np.arange(b - a), path[a:b]] += chance
        assert (expected > 0).sum() > b - a + 10
        np.testing.assert_allclose(label_posteriors(lattice), expected, atol=1e-6)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 16])
def test_blocks_change_nothing(block, monkeypatch):
    rng = np.random.default_rng(block)
    config = replace(TOY, min_intron=5)
    monkeypatch.setattr(lattice_module, "BLOCK", block)
    compared(GENES, random_scores(rng, len(GENES), spread=0.5), config)


@pytest.mark.parametrize("strand", ["forward", "backward"])
@pytest.mark.parametrize("variant", [{}, {"max_overlap": 4}, {"partial": False}])
def test_genes_that_overlap(strand, variant):
    config = test_overlap.config(strand, **variant)
    rng = np.random.default_rng(len(variant))
    overlaps = Counter()
    texts = [test_overlap.toy(rng, 1 + 2 * case, n_rate=0.03) for case in range(20)]
    for text in (*OVERLAPPING, *texts):
        scores = random_scores(rng, len(text), outside=-1, spread=0.5)
        sets = list(test_overlap.gene_sets(text, config))
        paths = [test_overlap.path_of(genes, len(text)) for genes in sets]
        nats = [
            test_overlap.score_of(path, genes, scores, config) / GRID
            for path, genes in zip(paths, sets, strict=True)
        ]
        total = np.logaddexp.reduce(nats)
        expected = Counter()
        for genes, each in zip(sets, nats, strict=True):
            for gene in genes:
                mine = gene if strand == "forward" else gene.mirrored(len(text))
                expected[mine] += np.exp(each - total)
            overlaps.update(a.end - b.start for a, b in pairwise(genes))
        codes = base_codes(text.encode())
        if strand == "backward":
            codes, scores = reverse_complement(codes), scores[::-1, MIRROR]
        lattice = Lattice(build_graph(config), scores, symbols(codes, config))
        assert lattice.log_total == pytest.approx(total, abs=1e-9)
        scored = with_posteriors(lattice, list(expected), config)
        assert [t.posterior for t in scored] == pytest.approx(list(expected.values()), rel=1e-7)
        assert all(t.cds_posterior == (t.posterior,) for t in scored)
    assert {1, 4} <= overlaps.keys() and (config.max_overlap == 4 or 8 in overlaps)


def test_both_strands_are_treated_alike():
    rng = np.random.default_rng(3)
    scores, codes = random_scores(rng, len(GENES)), base_codes(GENES.encode())
    graph = build_graph(TOY)
    here = label_posteriors(Lattice(graph, scores, codes))
    turned = Lattice(graph, scores[::-1, MIRROR], reverse_complement(codes))
    np.testing.assert_allclose(label_posteriors(turned), here[::-1, MIRROR], atol=1e-6)


@pytest.mark.parametrize("value", [-32768, 32767])
def test_extreme_scores_do_not_overflow(value):
    codes = np.tile(base_codes(b"ACGTGTAGATG"), 1000)
    scores = np.full((len(codes), 29), value, dtype=np.int16)
    posteriors = label_posteriors(Lattice(build_graph(TOY), scores, codes))
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, atol=1e-4)


def test_what_is_no_legal_gene_has_no_probability():
    text = "CCATGGTCCAGCCCTAACC"
    lattice = Lattice(build_graph(TOY), np.zeros((19, 29), np.int16), base_codes(text.encode()))
    possible = Transcript("+", ((2, 5), (11, 17)))
    for wrong in (
        replace(possible, cds=((2, 5), (10, 17))),  # no splice site
        replace(possible, cds=((2, 14),)),  # no stop codon
        replace(possible, cds=((1, 5), (11, 17)), start=1),  # no start codon
    ):
        first, second = with_posteriors(lattice, [possible, wrong], TOY)
        assert first.posterior > 0 and second.posterior == 0
    short = replace(TOY, min_intron=7)
    lattice = Lattice(build_graph(short), np.zeros((19, 29), np.int16), base_codes(text.encode()))
    assert with_posteriors(lattice, [possible], short)[0].posterior == 0
