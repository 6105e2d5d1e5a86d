"""Genes with probabilities and their alternatives: filters by hand-made cases, regions, drawing.

python -m pytest tests/test_alternatives.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl import alternatives
from augustus_dl.alternatives import AlternativeOptions, Alternatives, gene_of
from augustus_dl.decode import regions
from augustus_dl.decode.config import GRID
from augustus_dl.decode.grammar import build_graph
from augustus_dl.decode.lattice import Lattice
from augustus_dl.decode.parse import parse
from augustus_dl.decode.posterior import with_posteriors
from augustus_dl.decode.track import symbols
from augustus_dl.decode.viterbi import Decoder, viterbi
from augustus_dl.encode import base_codes
from augustus_dl.errors import OptionError
from augustus_dl.gene import Transcript
from augustus_dl.labels import from_labels
from tests.decode import test_overlap
from tests.decode.enumeration import all_paths, probabilities
from tests.decode.test_posterior import GENES
from tests.decode.test_viterbi import TOY, random_scores, score_of, toy

SCORED = AlternativeOptions(sample=100, keep_best=True)
DRAWN = replace(SCORED, alternatives=True)


def transcript(*cds, strand="+", chance=0.5, parts=None, phase=0):
    """With the probability `parts` for each coding interval and intron."""
    bare = Transcript(strand, cds, phase=phase, complete5=not phase)
    return replace(
        bare,
        posterior=chance,
        cds_posterior=(parts or chance,) * len(cds),
        intron_posterior=(parts or chance,) * len(bare.introns),
    )


def bare(one):
    """Without probabilities."""
    return replace(one, posterior=None, cds_posterior=(), intron_posterior=())


def found(scores, codes, config, options, size=500):
    """All loci, from chunks of this size."""
    chunks = [(scores[i : i + size], codes[i : i + size]) for i in range(0, len(codes), size)]
    batches = Alternatives(config, options).batches(chunks)
    return [locus for _, batch in batches for locus in batch]


@pytest.fixture
def genome():
    """Scores and codes with some 80 genes, most of them uncertain."""
    rng = np.random.default_rng(5)
    codes = base_codes(toy(rng, 6000, n_rate=0.002).encode())
    return random_scores(rng, 6000, outside=0.5, boundaries=1, spread=1.2), codes


# What is reported


def test_likely_transcripts_pass():
    sure = transcript((0, 9), (30, 39), chance=0.6, parts=0.9)
    middling = replace(sure, cds=((0, 9), (33, 39)), cds_posterior=(0.9, 0.2))
    options = AlternativeOptions(sample=100)
    pair = [sure, middling]
    for limits, expected in (
        ({}, pair),
        ({"min_exon_intron": 0.2}, pair),
        ({"min_exon_intron": 0.21}, [sure]),
        ({"min_mean_exon_intron": 0.54}, pair),  # cube root of 0.9 * 0.2 * 0.9 is 0.545
        ({"min_mean_exon_intron": 0.55}, [sure]),
        ({"min_exon_intron": 0.95}, []),
    ):
        assert alternatives._selected(pair, set(), replace(options, **limits)) == expected
    strict = replace(options, min_exon_intron=0.95, min_mean_exon_intron=0.95)
    assert alternatives._selected(pair, {middling}, strict) == [middling]


def test_tracks_go_to_the_best_parse_then_to_the_likeliest():
    best = transcript((10, 19), chance=0.1)
    likely = transcript((0, 12), chance=0.9)
    other_strand = transcript((15, 30), strand="-", chance=0.8)
    beside = transcript((19, 28), chance=0.2)
    everything = [beside, other_strand, likely, best]
    options = AlternativeOptions(sample=100)
    for tracks, exempt, expected in (
        (-1, {best}, [best, likely, other_strand, beside]),
        (2, {best}, [best, likely, other_strand, beside]),
        (1, {best}, [best, beside]),
        (1, set(), [likely, other_strand]),
        (0, {best}, []),
    ):
        limited = replace(options, max_tracks=tracks)
        assert alternatives._selected(everything, exempt, limited) == expected


@given(
    spans=st.lists(
        st.tuples(st.integers(0, 60), st.integers(3, 30), st.floats(0.01, 1)), max_size=12
    ),
    tracks=st.integers(1, 3),
)
def test_no_base_has_too_many_transcripts(spans, tracks):
    everything = [transcript((a, a + n), chance=chance) for a, n, chance in spans]
    options = AlternativeOptions(sample=100, max_tracks=tracks)
    kept = alternatives._selected(everything, set(), options)
    depth = Counter(base for one in kept for base in range(one.start, one.end))
    assert max(depth.values(), default=0) <= tracks
    for one in everything:  # and none is left out without need
        others = [*kept, one] if one not in kept else kept
        depth = Counter(base for other in others for base in range(other.start, other.end))
        assert one in kept or max(depth[base] for base in range(one.start, one.end)) > tracks


@given(
    chances=st.lists(st.floats(0.01, 1), min_size=1, max_size=8),
    low=st.floats(0, 1),
    high=st.floats(0, 1),
)
def test_higher_thresholds_report_no_more(chances, low, high):
    everything = [transcript((i, i + 9), (i + 50, i + 59), chance=c) for i, c in enumerate(chances)]
    low, high = sorted((low, high))
    for name in ("min_exon_intron", "min_mean_exon_intron"):
        few, many = (
            alternatives._selected(everything, set(), AlternativeOptions(100, **{name: value}))
            for value in (high, low)
        )
        assert set(few) <= set(many)


def test_one_transcript_of_each_cds():
    inner = transcript((5, 14), chance=0.3, phase=2)
    cut = replace(inner, start=0, intron_posterior=(0.9,), cds_posterior=(0.4,))
    other = transcript((5, 14), strand="-", chance=0.1)
    options = AlternativeOptions(sample=100, unique_cds=True)
    assert set(alternatives._selected([inner, cut, other], set(), options)) == {cut, other}


# Loci


def test_transcripts_that_share_codons_are_one_locus():
    first = transcript((0, 9), (20, 29))
    linked = transcript((20, 29), (40, 52), chance=0.9)
    last = transcript((43, 58), chance=0.4)
    assert alternatives._loci([first, last]) == [[first], [last]]
    assert alternatives._loci([last, linked, first]) == [[linked, first, last]]


@pytest.mark.parametrize(
    "other",
    [
        transcript((1, 10)),  # another frame
        transcript((0, 9), strand="-"),
        transcript((9, 18)),  # beside it
        transcript((10, 19), (60, 69)),  # in its intron, and around its second exon
    ],
)
def test_transcripts_without_common_codons_are_two_loci(other):
    one = transcript((0, 9), (21, 33))
    assert sorted(map(len, alternatives._loci([one, other]))) == [1, 1]


def test_frames_count_phases_on_both_strands():
    forward = [transcript((0, 10), phase=1), transcript((4, 10)), transcript((3, 9))]
    assert list(map(len, alternatives._loci(forward))) == [2, 1]
    backward = [replace(one.mirrored(20), phase=one.phase) for one in forward]
    assert sorted(map(len, alternatives._loci(backward))) == [1, 2]


def test_genes_are_as_likely_as_their_transcripts_together():
    locus = [transcript((0, 9), chance=0.5), transcript((0, 12), chance=0.25)]
    gene = gene_of("c", locus)
    assert (gene.contig, gene.strand, gene.posterior) == ("c", "+", 0.75)
    assert gene.transcripts == tuple(locus)
    assert gene_of("c", [*locus, transcript((0, 15), chance=0.7)]).posterior == 1
    assert gene_of("c", [bare(one) for one in locus]).posterior is None


# The whole way


@pytest.mark.parametrize("region", [200_000, 700, 60])
@pytest.mark.parametrize("options", [SCORED, replace(SCORED, keep_best=False)])
def test_the_best_parse_is_the_decoders(genome, options, region, monkeypatch):
    monkeypatch.setattr(regions, "REGION", region)
    scores, codes = genome
    plain = list(parse(Decoder(TOY).decode([genome]), TOY))
    assert len(plain) > 20
    loci = found(scores, codes, TOY, options)
    assert [bare(one) for (one,) in loci] == plain
    for (one,) in loci:
        parts = one.cds_posterior + one.intron_posterior
        assert 0 < one.posterior <= min(parts) * (1 + 1e-9)
        assert max(parts) <= 1


@pytest.mark.parametrize("options", [SCORED, replace(DRAWN, min_exon_intron=0.02)])
def test_chunks_change_nothing(genome, options, monkeypatch):
    monkeypatch.setattr(regions, "REGION", 700)
    loci = found(*genome, TOY, options)
    assert found(*genome, TOY, options, size=6000) == loci
    assert found(*genome, TOY, options, size=37) == loci


def test_batches_keep_step_with_chunks(genome, monkeypatch):
    """Genes come while the sequence goes on, and one list for each chunk, as `parse` has it."""
    monkeypatch.setattr(regions, "REGION", 400)
    scores, codes = genome
    given_out = 0

    def chunks():
        nonlocal given_out
        for i in range(0, 6000, 500):
            given_out += 500
            yield scores[i : i + 500], codes[i : i + 500]
            yield scores[:0], codes[:0]

    batches = last = 0
    for known, batch in Alternatives(TOY, SCORED).batches(chunks()):
        batches += 1
        assert last <= known <= given_out
        for transcript in chain.from_iterable(batch):
            assert last <= transcript.start and transcript.end <= known
            assert given_out == 6000 or transcript.end > given_out - 2500
        last = known
    assert batches == 12 + 1 and last == 6000
    assert list(Alternatives(TOY, SCORED).batches([])) == [(0, [])]


def test_regions_are_cut_between_genes(genome, monkeypatch):
    monkeypatch.setattr(regions, "REGION", 300)
    path = viterbi(*genome, TOY)
    cut = [r for ready in regions.regions(Decoder(TOY), [genome]) for r in ready]
    assert len(cut) > 10
    assert np.array_equal(np.concatenate([r.labels for r in cut]), path)
    assert np.array_equal(np.concatenate([r.scores for r in cut]), genome[0])
    assert np.array_equal(np.concatenate([r.codes for r in cut]), genome[1])
    assert [r.last for r in cut] == [False] * (len(cut) - 1) + [True]
    for left, right in pairwise(cut):
        assert left.start + len(left.labels) == right.start
        assert left.labels[-1] == 0


def test_a_region_knows_what_parses_score(genome):
    scores, codes = genome
    config = replace(TOY, gc_donor=0.0)
    path = viterbi(scores, codes, config)
    region = regions.Region(0, True, path, scores, codes)
    everywhere = np.ones(len(path), dtype=bool)
    expected = score_of(path[None], scores, codes, config)[0] / GRID
    assert region.value(path, everywhere, config) == pytest.approx(expected)
    without = everywhere.copy()
    without[100:200] = False
    left_out = scores[np.arange(100, 200), path[100:200]].sum(dtype=int) / GRID
    assert region.value(path, without, config) == pytest.approx(expected - left_out)


def test_regions_grow_where_there_is_no_place_to_cut(monkeypatch):
    monkeypatch.setattr(regions, "REGION", 10)
    codes = base_codes(b"A" * 99 + b"TAA" + b"A" * 98)
    scores = np.zeros((200, 29), dtype=np.int16)
    scores[:100, 0] = -9999
    ((first, *_), _) = regions.regions(Decoder(TOY), [(scores, codes)])
    assert first.labels[:102].all()
    assert len(first.labels) == (102 + 160) // 2


def test_regions_are_independent_where_intergenic_is_certain(genome, monkeypatch):
    scores, codes = genome
    wall = np.arange(6000) % 500 >= 470
    scores = np.where(wall[:, None], -32000, scores).astype(np.int16)
    scores[wall, 0] = 32000
    together = found(scores, codes, TOY, SCORED)
    monkeypatch.setattr(regions, "REGION", 1000)
    monkeypatch.setattr(regions, "_cut", lambda labels: 500)
    apart = found(scores, codes, TOY, SCORED)
    assert len(apart) == len(together) > 10
    for (one,), (other,) in zip(apart, together, strict=True):
        assert bare(one) == bare(other)
        assert one.posterior == pytest.approx(other.posterior, abs=1e-6)
        assert one.cds_posterior == pytest.approx(other.cds_posterior, abs=1e-6)


def test_alternatives_are_likely_paths(genome):
    scores, codes = genome
    plain = found(scores, codes, TOY, SCORED)
    options = replace(DRAWN, min_exon_intron=0.05)
    loci = found(scores, codes, TOY, options)
    everything = [one for locus in loci for one in locus]
    assert {one for (one,) in plain} <= set(everything)
    assert max(map(len, loci)) > 1 and len(everything) > len(plain)
    lattice = Lattice(build_graph(TOY), scores, codes)
    again = with_posteriors(lattice, [bare(one) for one in everything], TOY)
    assert again == everything
    for locus in loci:
        means = [alternatives._mean(one) for one in locus]
        assert means == sorted(means, reverse=True)
        gene = gene_of("c", locus)
        assert max(one.posterior for one in locus) <= gene.posterior <= 1
        assert len({one.strand for one in locus}) == 1
    firsts = [min(one.cds[0] for one in locus) for locus in loci]
    assert firsts == sorted(firsts)


def test_only_the_best_parse_is_spared(genome):
    limits = {"min_exon_intron": 0.6}
    spared = found(*genome, TOY, replace(DRAWN, **limits))
    others = found(*genome, TOY, replace(DRAWN, keep_best=False, **limits))
    best = {one for (one,) in found(*genome, TOY, SCORED)}
    unlikely = {one for one in best if min(one.cds_posterior + one.intron_posterior) < 0.6}
    spared, others = ({one for locus in loci for one in locus} for loci in (spared, others))
    assert unlikely and others and spared == others | unlikely


def test_temperature_evens_probabilities_out(genome):
    def spread(temperature):
        options = replace(SCORED, temperature=temperature)
        chances = [one.posterior for (one,) in found(*genome, TOY, options)]
        return np.mean(chances)

    means = [spread(temperature) for temperature in (0, 3, 7)]
    assert means == sorted(means, reverse=True) and means[2] < 0.7 * means[0]


@pytest.mark.parametrize(
    ("scale", "temperature", "heat"), [(0.625, 0, 3), (1.0, 3, 3), (0.5, 4, 6)]
)
def test_the_scale_of_a_profile_multiplies_that_of_the_temperature(
    genome, scale, temperature, heat
):
    scaled, options = replace(TOY, posterior_scale=scale), replace(SCORED, temperature=temperature)
    expected = found(*genome, TOY, replace(SCORED, temperature=heat))
    assert found(*genome, scaled, options) == expected


def test_the_scale_does_not_change_the_best_parse(genome):
    scores, codes = genome
    best = viterbi(scores, codes, TOY)
    for scale in (0.1, 3.0):
        config = replace(TOY, posterior_scale=scale)
        np.testing.assert_array_equal(viterbi(scores, codes, config), best)
        assert {bare(one) for (one,) in found(*genome, config, SCORED)} == set(parse([best], TOY))


def test_most_accurate_parse():
    """It has the largest expected number of right labels; often it isn't the likeliest one."""
    rng = np.random.default_rng(4)
    options = AlternativeOptions(mea=True)
    differs = 0
    for case in range(12):
        text = GENES if case % 2 else toy(rng, 40)
        scores = random_scores(rng, len(text), spread=0.4)
        codes = base_codes(text.encode())
        paths = all_paths(text, TOY)
        chances, _ = probabilities(paths, text, scores, TOY)
        expected = (paths[:, None] == paths[None]).sum(axis=2) @ chances
        loci = found(scores, codes, TOY, options)
        best = max(expected)
        good = [i for i, value in enumerate(expected) if value > best - 0.01]
        assert [one for (one,) in loci] in [from_labels(paths[i]) for i in good]
        assert all(one.posterior is None for (one,) in loci)
        differs += chances.argmax() not in good
    assert differs > 2


def test_most_accurate_parse_with_probabilities(genome, monkeypatch):
    monkeypatch.setattr(regions, "REGION", 700)
    options = replace(SCORED, temperature=4)
    likeliest = {one for (one,) in found(*genome, TOY, options)}
    accurate = {one for (one,) in found(*genome, TOY, replace(options, mea=True))}
    assert likeliest & accurate and likeliest ^ accurate
    assert all(one.posterior > 0 for one in accurate)


@pytest.mark.parametrize("strand", ["forward", "backward"])
def test_overlapping_genes_stay_apart(strand):
    config = test_overlap.config(strand)
    rng = np.random.default_rng(6)
    text = test_overlap.toy(rng, 1500)
    scores = test_overlap.random_scores(rng, 1500)
    codes = symbols(base_codes(text.encode()), config)
    plain = list(parse([viterbi(scores, codes, config)], config))
    assert any(a.end > b.start for a, b in pairwise(plain))
    loci = found(scores, codes, config, SCORED)
    assert sorted((bare(one) for (one,) in loci), key=lambda t: t.start) == plain
    assert all(0 < one.posterior <= 1 for (one,) in loci)
    drawn = found(scores, codes, config, replace(DRAWN, min_exon_intron=0.05))
    assert {bare(one) for locus in drawn for one in locus} >= set(plain)


@pytest.mark.parametrize("count", ["atleastone", "exactlyone"])
@pytest.mark.parametrize("options", [DRAWN, replace(DRAWN, mea=True)])
def test_prescribed_numbers_of_genes(genome, count, options, monkeypatch):
    config = replace(TOY, gene_count=count, partial=False)
    nothing = np.zeros(30, dtype=np.uint8)
    assert found(np.zeros((30, 29), np.int16), nothing, config, options) == []
    scores = random_scores(np.random.default_rng(1), len(GENES), outside=6)
    loci = found(scores, base_codes(GENES.encode()), config, replace(options, sample=400))
    total = sum(one.posterior for locus in loci for one in locus)
    assert total > 0.97  # there is a gene, and hardly any likely one was not drawn
    monkeypatch.setattr(regions, "REGION", 700)
    assert found(*genome, config, options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 8}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"sample": -1}, "sample"),
    ],
)
def test_unfit_options_are_refused(values, message):
    with pytest.raises(OptionError, match=message):
        AlternativeOptions(**values)


def test_heat_is_augustus_exponent():
    heats = [AlternativeOptions(temperature=t).heat for t in (0, 3, 7)]
    assert heats == [1, 5 / 8, 1 / 8]
    needed = [AlternativeOptions(), AlternativeOptions(sample=1), AlternativeOptions(mea=True)]
    assert [options.needed for options in needed] == [False, True, True]
