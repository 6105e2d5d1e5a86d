"""A bonus of x multiplies the odds by x: what hints add to the score of whole gene structures."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augustus_dl.decode.bonus import FULL, USUAL_MASK_BONUS, Strength, hint_stage
from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.decode.viterbi import viterbi
from augustus_dl.encode import base_codes
from augustus_dl.gene import Transcript
from augustus_dl.hints import HINT, Extrinsic, Hints, HintType, ScoreClasses, TypeFactors
from augustus_dl.labels import MIRROR, NUM_LABELS, from_labels, label, to_labels
from tests.decode.enumeration import all_paths, probabilities
from tests.decode.test_viterbi import random_scores, toy

LENGTH = 160
GENE = Transcript("+", ((10, 30), (50, 71), (100, 131)))
"""Phases 0, 1, 1; the last exon ends with a stop codon."""
NOTHING: tuple[Transcript, ...] = ()


class Stretch(NamedTuple):
    scores: np.ndarray
    codes: np.ndarray
    start: int


def sequence_of(gene: Transcript) -> np.ndarray:
    letters = ["A"] * LENGTH
    for start, end in gene.introns:
        letters[start : start + 2], letters[end - 2 : end] = "GT", "AG"
    letters[10:13], letters[128:131] = "ATG", "TAA"
    return base_codes("".join(letters).encode())


CODES = sequence_of(GENE)


def rows(*specs: tuple) -> np.ndarray:
    """Hints (type, start, end, nats, then strand and frame)."""
    hints = np.zeros(len(specs), dtype=HINT)
    hints["group"] = hints["priority"] = -1
    hints["mult"] = 1
    for hint, (type_, start, end, nats, *rest) in zip(hints, specs, strict=True):
        hint["type"], hint["start"], hint["end"] = HintType[type_], start, end
        hint["bonus"] = math.exp(nats)
        hint["strand"], hint["frame"] = (*rest, *(1, -1)[len(rest) :])
    return hints


def extrinsic(mask_bonus: float = USUAL_MASK_BONUS, **malus: float) -> Extrinsic:
    types = {type_: TypeFactors(1, malus.get(type_.name, 1.0)) for type_ in HintType}
    classes = {"RM": ScoreClasses((mask_bonus,))}
    types[HintType.nonexonpart] = TypeFactors(1, malus.get("nonexonpart", 1.0), 1, classes)
    return Extrinsic(("M", "RM"), types)


def stage_of(hints, codes=CODES, masked=None, factors=None, pairs=(), **options):
    factors = factors or extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    groups = group_hints(Hints(hints, factors.sources), codes, masked, factors, grouping)
    return hint_stage(groups, factors, codes, hinted_pairs=pairs, **options)


def with_hints(scores: np.ndarray, stage) -> np.ndarray:
    """Scores with what a stage adds."""
    if stage is None:
        return scores
    codes = np.zeros(len(scores), dtype=np.uint8)
    return next(stage(iter([Stretch(scores, codes, 0)]))).scores


def worth(*specs: tuple, genes=(GENE,), mirrored=False, masked=None, **options) -> float:
    """Nats that hints add to a gene structure."""
    hints, codes, labels = rows(*specs), CODES, to_labels(genes, LENGTH)
    scores = np.zeros((LENGTH, NUM_LABELS), dtype=np.int16)
    if mirrored:
        hints["start"], hints["end"] = LENGTH - hints["end"], LENGTH - hints["start"]
        hints["strand"] *= -1
        codes, labels = (3 - codes)[::-1].copy(), MIRROR[labels[::-1]]
        masked = None if masked is None else masked[::-1]
    scores = with_hints(scores, stage_of(hints, codes, masked, **options))
    return float(scores[np.arange(LENGTH), labels].sum() / GRID)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("hint", "nats"),
    [
        (("start", 10, 13, 2), 2),
        (("start", 10, 13, 2, 0), 2),
        (("start", 5, 18, 2), 2),  # in the middle
        (("start", 7, 15, 2), 2 * (1 - 2 * 0.5 / 8)),  # half a base from it
        (("start", 10, 23, 2), 2 * (1 - 2 * 5 / 13)),  # at the left end
        (("start", 11, 23, 2), 0),  # not all of the codon is in it
        (("stop", 128, 131, 2), 2),
        (("stop", 128, 141, 2), 2 * (1 - 2 * 5 / 13)),
        (("dss", 30, 31, 2), 2),
        (("dss", 26, 31, 2), 2 * (1 - 2 * 2 / 5)),
        (("ass", 49, 50, 2), 2),
        (("ass", 30, 31, 2), 0),
        (("intron", 30, 50, 4), 4),
        (("intron", 30, 51, 4), 0),  # dropped: no splice site there
        (("exon", 50, 71, 4), 4),
        (("exon", 2, 30, 4), 2),  # one end
        (("CDS", 50, 71, 4), 4),
        (("CDS", 50, 71, 4, 1, 1), 4),
        (("CDS", 50, 71, 4, 1, 0), 0),  # the wrong frame
        (("CDS", 10, 30, 4, 1, 0), 4),
        (("CDS", 100, 131, 4, 1, 1), 4),
        (("CDS", 100, 131, 4, 1, 2), 0),
        (("CDSpart", 52, 70, 4), 4),
        (("CDSpart", 52, 70, 4, 1, 2), 4),
        (("CDSpart", 52, 70, 4, 1, 0), 0),
        (("CDSpart", 10, 13, 4, 1, 0), 4),
        (("CDSpart", 128, 131, 4, 1, 0), 4),
        (("exonpart", 20, 40, 4), 2),  # half of it is intron
        (("intronpart", 32, 42, 0.1), 1),
        (("intronpart", 20, 42, 0.1), 1.2),
        (("irpart", 0, 15, 0.1), 1),
        (("nonexonpart", 0, 40, 0.1), 2),
        (("nonexonpart", 0, 40, 0.1, 0), 2),
        (("genicpart", 0, 40, 0.1), 3),
        (("CDSpart", 52, 70, -4), -4),  # bonuses below 1 count against
        (("tss", 0, 20, 4), 0),
        (("UTR", 0, 10, 4), 0),
    ],
)
def test_what_a_hint_adds_to_a_gene_that_obeys_it(hint, nats, mirrored):
    assert worth(hint, mirrored=mirrored) == pytest.approx(nats, abs=2 / GRID)
    other_strand = (*hint[:4], -1, *hint[5:])
    elsewhere = worth(other_strand, mirrored=mirrored)
    unstranded = hint[0] == "irpart" or (hint[0] == "nonexonpart" and elsewhere == 1)
    assert elsewhere == 0 or unstranded or hint[0] == "nonexonpart"


@pytest.mark.parametrize("type_", ["intron", "CDSpart", "genicpart", "start", "exon"])
def test_hints_of_genes_add_nothing_where_there_is_none(type_):
    assert worth((type_, 10, 50, 4), genes=NOTHING) == 0


def test_hints_add_up_but_for_shared_ends():
    intron, exon = ("intron", 30, 50, 4), ("exon", 50, 71, 2)
    assert worth(intron, exon, ("dss", 30, 31, 1)) == pytest.approx(7, abs=0.01)
    assert worth(intron, ("intron", 30, 50, 2, 0)) == pytest.approx(6, abs=0.01)
    rival = np.array(list(CODES))
    rival[38:40] = base_codes(b"AG")
    hints = rows(intron, ("intron", 30, 40, 1))
    scores = with_hints(np.zeros((LENGTH, NUM_LABELS), np.int16), stage_of(hints, rival))
    path = to_labels([GENE], LENGTH)
    total = scores[np.arange(LENGTH), path].sum() / GRID
    assert total == pytest.approx(4, abs=0.01)  # the weaker rival gives nothing on their donor


def test_manual_anchors_outweigh_everything_and_stay_finite():
    assert worth(("intron", 30, 50, 230)) == pytest.approx(230, abs=0.01)
    assert worth(("intron", 30, 50, 700), ("dss", 30, 31, 700)) == pytest.approx(1400, abs=0.01)
    anchor = rows(("start", 10, 13, 0))
    anchor["bonus"] = [np.inf]
    scores = with_hints(np.zeros((LENGTH, NUM_LABELS), np.int16), stage_of(anchor))
    assert scores.max() == 1000 * GRID
    anchor["bonus"] = [0.0]
    assert (
        with_hints(np.zeros((LENGTH, NUM_LABELS), np.int16), stage_of(anchor)).min() == -1000 * GRID
    )


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("malus", "hint", "unsupported"),
    [
        ("start", ("start", 10, 13, 0.0), 1),
        ("stop", ("stop", 120, 131, 0.0), 1),
        ("dss", ("dss", 30, 31, 0.0), 2),
        ("ass", ("ass", 49, 50, 0.0), 2),
        ("intron", ("intron", 30, 50, 0.0), 2),
        ("exon", ("exon", 50, 71, 0.0), 3),
        ("CDS", ("CDS", 50, 71, 0.0), 3),
    ],
)
def test_malus_counts_once_for_each_feature_without_hint(malus, hint, unsupported, mirrored):
    factors = extrinsic(**{malus: math.exp(-1)})
    none = worth(factors=factors, mirrored=mirrored)
    assert none == pytest.approx(-unsupported, abs=0.01)
    one = worth(hint, factors=factors, mirrored=mirrored)
    assert one == pytest.approx(1 - unsupported, abs=0.01)
    assert worth(factors=factors, malus=False) == 0
    assert worth(factors=factors, genes=NOTHING) == 0


@pytest.mark.parametrize(
    ("type_", "bases", "nothing"), [("exonpart", 72, 0), ("intronpart", 49, 0), ("irpart", 39, 160)]
)
def test_malus_of_parts_counts_for_each_base_without_hint(type_, bases, nothing):
    factors = extrinsic(**{type_: math.exp(-0.01)})
    assert worth(factors=factors) == pytest.approx(-0.01 * bases, abs=0.01)
    assert worth(factors=factors, genes=NOTHING) == pytest.approx(-0.01 * nothing, abs=0.01)
    covered = {"exonpart": (12, 22), "intronpart": (32, 42), "irpart": (135, 145)}[type_]
    hints = (type_, *covered, 0.0), (type_, covered[0] + 2, covered[1], 0.0)
    assert worth(*hints, factors=factors) == pytest.approx(-0.01 * (bases - 10), abs=0.01)


def test_strength_raises_bonus_and_malus():
    factors = extrinsic(intron=math.exp(-1))
    hints = ("CDSpart", 52, 70, 4), ("dss", 30, 31, 2), ("intron", 30, 50, 0.0)
    once = worth(*hints, factors=factors)
    assert once == pytest.approx(4 + 2 - 1, abs=0.01)
    for strength, expected in ((Strength(3, 3), 3 * once), (Strength(3, 1), 3 * 6 - 1)):
        found = worth(*hints, factors=factors, strength=strength)
        assert found == pytest.approx(expected, abs=0.01)


def test_usual_soft_masking_is_left_to_the_network():
    masked = np.zeros(LENGTH, dtype=bool)
    masked[5:45] = True
    assert stage_of(rows(), masked=masked) is None
    strong = extrinsic(mask_bonus=10 * USUAL_MASK_BONUS)
    expected = 20 * math.log(10) * 0.03  # 5 intergenic bases and 15 of an intron
    assert worth(masked=masked, factors=strong) == pytest.approx(expected, abs=0.01)


def test_no_hints_no_stage():
    assert stage_of(rows()) is None
    assert stage_of(rows(), factors=extrinsic(intron=0.5), malus=False) is None


def test_donors_that_only_hints_may_bring():
    codes = CODES.copy()
    codes[[30, 31, 48, 49]] = base_codes(b"ATAC")
    codes[71:73] = base_codes(b"AT")
    grouping = GroupingOptions(splice_pairs=("GTAG", "ATAC"), rescale=False, min_intron=4)
    groups = group_hints(
        Hints(rows(("intron", 30, 50, 4)), ("M", "RM")), codes, None, extrinsic(), grouping
    )
    stage = hint_stage(groups, extrinsic(), codes, hinted_pairs=["ATAC", "GTGG"])
    scores = with_hints(np.zeros((LENGTH, NUM_LABELS), np.int16), stage)
    path = to_labels([GENE], LENGTH)
    assert scores[30, path[30]] == 2 * GRID  # hinted
    assert scores[71, path[71]] == -1000 * GRID  # not hinted
    codes[71:73] = base_codes(b"GT")
    stage = hint_stage(groups, extrinsic(), codes, hinted_pairs=["ATAC", "GTGG"])
    assert with_hints(np.zeros((LENGTH, NUM_LABELS), np.int16), stage)[71, path[71]] == 0


TOY = DecoderConfig(gene_start=0.5, intron=-0.25, gc_donor=-1.0, min_intron=4, min_coding_length=0)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_odds_are_multiplied_by_the_bonus(seed):
    """Exact for hints of one label: against the probabilities of all parses."""
    rng = np.random.default_rng(seed)
    text = toy(rng, 11)
    codes = base_codes(text.encode())
    paths = all_paths(text, TOY)
    scores = random_scores(rng, len(text), boundaries=1.0)
    before, _ = probabilities(paths, text, scores, TOY)
    for type_, bases in (("start", 3), ("stop", 3), ("dss", 1), ("ass", 1), ("irpart", 1)):
        for at in range(len(text) - bases + 1):
            changed = with_hints(scores, stage_of(rows((type_, at, at + bases, 1.5, 0)), codes))
            gain = (changed - scores)[np.arange(len(text)), paths].sum(axis=1)
            assert set(gain) <= {0, 1.5 * GRID}
            after, _ = probabilities(paths, text, changed.astype(np.int64), TOY)
            odds, doubt = before[gain > 0].sum(), before[gain == 0].sum()
            expected = math.exp(1.5) * odds / (math.exp(1.5) * odds + doubt)
            assert after[gain > 0].sum() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("type_", "start", "end"),
    [
        ("CDS", 150, 213),
        ("CDSpart", 160, 190),
        ("start", 150, 153),
        ("stop", 210, 213),
        ("intronpart", 170, 175),
        ("irpart", 150, 160),
    ],
)
def test_the_larger_the_bonus_the_more_often_it_is_followed(type_, start, end):
    """And that of a manual anchor always; but an intron inside a CDS leaves both its ends right."""
    rng = np.random.default_rng(1)
    followed = np.zeros(5, dtype=int)
    for _ in range(40):
        letters = toy(rng, 400)
        codes = base_codes(f"{letters[:150]}{'ATGGCC' * 10}TAA{letters[213:]}".encode())
        scores = random_scores(rng, 400, outside=1.0) * TOY.label_weights()
        scores = np.rint(scores).astype(np.int16)
        for i, nats in enumerate((0, 2, 5, 10, 230)):
            hinted = with_hints(scores, stage_of(rows((type_, start, end, nats)), codes))
            followed[i] += obeys(type_, (start, end), viterbi(hinted, codes, TOY))
    assert (np.diff(followed) >= 0).all() and followed[-1] > followed[0]
    assert followed[-1] == 40 or (type_ == "CDS" and followed[-1] > 35)


def obeys(type_: str, where: tuple[int, int], labels: np.ndarray) -> bool:
    start, end = where
    if type_ == "irpart":
        return not labels[start:end].any()
    for gene in from_labels(labels):
        if gene.strand != "+" or gene.end < start or gene.start > end:
            continue
        ends = {
            "CDS": where in gene.cds,
            "CDSpart": any(a <= start and b >= end for a, b in gene.cds),
            "start": gene.complete5 and gene.cds[0][0] == start,
            "stop": gene.complete3 and gene.cds[-1][1] == end,
            "intronpart": any(a <= start and b >= end for a, b in gene.introns),
        }
        if ends[type_]:
            return True
    return False


@pytest.mark.parametrize(
    ("strength", "scale", "power"), [(FULL, 1, 1), (Strength.calibrated(0.4), 0.4, 0.5)]
)
def test_odds_are_those_of_scaled_probabilities(strength, scale, power):
    """A bonus of x is one of x; of x ** 0.5 where x ** 2 stands for a hint that all agree with."""
    rng = np.random.default_rng(3)
    text = "CATGGCCTAACATGCTTAGC"
    codes, paths = base_codes(text.encode()), all_paths(text, TOY)
    scores = random_scores(rng, len(text))
    hints = rows(("start", 1, 4, 2.0))
    changed = with_hints(scores, stage_of(hints, codes, strength=strength)).astype(np.int64)
    before, _ = probabilities(paths, text, scores, TOY, heat=scale)
    after, _ = probabilities(paths, text, changed, TOY, heat=scale)
    obeying = paths[:, 1] == label("+", "START")
    odds = before[obeying].sum() / before[~obeying].sum()
    assert after[obeying].sum() / after[~obeying].sum() == pytest.approx(
        math.exp(2 * power) * odds, 1e-2
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_malus_divides_the_odds_of_every_unsupported_feature(seed):
    """Against the probabilities of all parses: each start codon without hint costs once."""
    rng = np.random.default_rng(seed)
    text = toy(rng, 12)
    codes, paths = base_codes(text.encode()), all_paths(text, TOY)
    scores = random_scores(rng, len(text))
    hinted = (4, 7)
    hints = rows(("start", *hinted, 0.0))
    hints["strand"] = 1
    changed = with_hints(scores, stage_of(hints, codes, factors=extrinsic(start=0.25)))
    before, _ = probabilities(paths, text, scores, TOY)
    after, _ = probabilities(paths, text, changed.astype(np.int64), TOY)
    is_start = np.isin(paths, [label("+", "START"), label("-", "START")])
    supported = paths[:, hinted[0]] == label("+", "START")
    expected = before * 0.25 ** (is_start.sum(axis=1) - supported)
    np.testing.assert_allclose(after, expected / expected.sum(), rtol=5e-3, atol=1e-12)


def test_groups_multiply_the_odds_by_all_their_bonuses():
    """A path that obeys all hints of a group gains all bonuses; dropped groups add nothing."""
    text = "CATGGCCTAACATGCTTAGC"
    codes, paths = base_codes(text.encode()), all_paths(text, TOY)
    scores = random_scores(np.random.default_rng(4), len(text))
    specs = ("start", 1, 4, 1.0), ("stop", 7, 10, 2.0)
    factors = extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4)
    for extra, changes in ((), True), ((("dss", 3, 4, 1.0),), False):  # no donor there
        hints = rows(*specs, *extra)
        hints["group"] = 0
        named = Hints(hints, factors.sources, groups=("pair",))
        groups = group_hints(named, codes, None, factors, grouping)
        stage = hint_stage(groups, factors, codes)
        assert bool(stage) == changes
        gain = (with_hints(scores, stage) - scores)[np.arange(len(text)), paths].sum(axis=1)
        both = (paths[:, 1] == label("+", "START")) & (paths[:, 9] == label("+", "STOP"))
        assert both.any()
        assert set(gain[both]) == {3 * GRID if changes else 0}


def test_anchors_leave_no_other_parse():
    """With a manual anchor all parses that obey it have probability one together."""
    rng = np.random.default_rng(5)
    text = "CATGGCCTAACATGCTTAGC"
    codes, paths = base_codes(text.encode()), all_paths(text, TOY)
    scores = random_scores(rng, len(text))
    for at in (1, 11):
        anchor = rows(("start", at, at + 3, math.log(1e100)))
        changed = with_hints(scores, stage_of(anchor, codes)).astype(np.int64)
        after, _ = probabilities(paths, text, changed, TOY)
        assert after[paths[:, at] == label("+", "START")].sum() == pytest.approx(1, abs=1e-12)
