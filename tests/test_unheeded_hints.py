"""Alternatives from evidence: hints that are not obeyed give further transcripts.

python -m pytest tests/test_unheeded_hints.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augustus_dl import unheeded_hints
from augustus_dl.alternatives import AlternativeOptions, Alternatives, ParseHints
from augustus_dl.decode.bonus import hint_stage
from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.grammar import build_graph
from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.decode.parse import parse
from augustus_dl.decode.viterbi import viterbi
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.errors import OptionError
from augustus_dl.gene import Transcript
from augustus_dl.hinted_introns import HintedIntrons
from augustus_dl.hints import Hints, HintType
from augustus_dl.labels import NUM_LABELS, label, labels_of, to_labels
from augustus_dl.unheeded_hints import UnheededHints, UnheededOptions, stretches
from tests.decode.test_bonus import Stretch, extrinsic, rows

TEXT = "CC" * 10 + "ATGGCC" + "GTCGCC" + "GTCCCC" + "CC" * 8 + "CAG" + "GCCGCCTAA" + "CC" * 20
"""A gene with two donors, at 26 and 32, before one acceptor."""
NEAR, FAR = (26, 57), (32, 57)
"""Both introns."""
TRANSCRIPTS = {
    intron: Transcript("+", ((20, intron[0]), (intron[1], 66))) for intron in (NEAR, FAR)
}
CONFIG = DecoderConfig(
    gene_start=-3.0, intron=0.0, min_intron=4, min_coding_length=0, partial=False
)
NOTHING = AlternativeOptions()
SCORED = AlternativeOptions(sample=20, keep_best=True)


def nothing(length: int = len(TEXT)) -> np.ndarray:
    """Scores of a network that sees no difference."""
    return np.zeros((length, NUM_LABELS), dtype=np.int32)


def grouped(hints, text=TEXT, **more):
    codes, factors = base_codes(text.encode()), extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    given = Hints(hints, factors.sources, **more)
    return group_hints(given, codes, None, factors, grouping), codes, factors


def found(hints, options=NOTHING, scores=None, asking=None, text=TEXT, config=CONFIG):
    """Loci, and what asked for further parses."""
    groups, codes, factors = grouped(hints, text)
    unheeded = UnheededHints(groups, asking or UnheededOptions())
    given = nothing(len(codes)) if scores is None else scores
    stage = hint_stage(groups, factors, codes)
    (stretch,) = stage(iter([Stretch(given, codes, 0)]))
    asked = ParseHints(HintedIntrons(groups, factors), unheeded or None)
    batches = Alternatives(config, options, asked).batches([(stretch.scores, codes)])
    return [locus for _, batch in batches for locus in batch], unheeded


def introns(loci):
    return [[transcript.introns for transcript in locus] for locus in loci]


@pytest.mark.parametrize("options", [NOTHING, SCORED])
def test_rivals_are_transcripts_of_one_gene(options):
    loci, _ = found(rows(("intron", *NEAR, 8), ("intron", *FAR, 6)), options)
    assert sorted(introns(loci)[0]) == [(NEAR,), (FAR,)]
    assert len(loci) == 1
    if options.sample:
        assert all(transcript.posterior > 0.5 for transcript in loci[0])


def test_the_other_strand_is_treated_alike():
    hints = rows(("intron", *NEAR, 8, -1), ("intron", *FAR, 6, -1))
    hints["start"], hints["end"] = len(TEXT) - hints["end"], len(TEXT) - hints["start"]
    turned = reverse_complement(base_codes(TEXT.encode()))
    loci, _ = found(hints, text="".join("ACGT"[base] for base in turned))
    expected = sorted(((len(TEXT) - end, len(TEXT) - start),) for start, end in (NEAR, FAR))
    assert sorted(introns(loci)[0]) == expected


def test_what_is_obeyed_is_not_parsed_again():
    loci, asking = found(rows(("intron", *NEAR, 8), ("CDSpart", 21, 25, 2)))
    assert asking and len(loci[0]) == 1
    assert not [*asking.parses(0, len(TEXT), [TRANSCRIPTS[NEAR]])]
    assert len([*asking.parses(0, len(TEXT), [])]) == 2
    loci, asking = found(rows(("exonpart", 20, 30, 1)))
    assert not asking  # exon parts cause no alternatives


def test_a_hint_that_nothing_contradicts_may_ask_as_well():
    """The network sees a gene of one exon behind what is an intron in truth."""
    text = "CC" * 10 + "ATGGCCGTCC" + "CC" * 40 + "CCAG" + "ATGGCCGCCTAA" + "CC" * 20
    intron = (26, text.index("AGATG") + 2)
    scores = nothing(len(text))
    scores[intron[0] : intron[1], 0] += 1 * GRID
    scores[intron[1], label("+", "START")] += 6 * GRID
    loci, _ = found(rows(("intron", *intron, 8)), scores=scores, text=text)
    assert introns(loci) == [[(intron,)]]  # the other transcript has much less support
    scores[20, label("+", "START")] -= 20 * GRID  # there is no other beginning
    loci, _ = found(rows(("intron", *intron, 8)), scores=scores, text=text)
    assert introns(loci) == [[()]]


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize(("seen", "tolerance"), [(1, 2), (3, 4), (100, 7)])
def test_how_much_may_speak_against_a_further_parse(scale, seen, tolerance):
    """The far donor costs so much more than the near one, the bonuses being equal."""
    hints = rows(("intron", *NEAR, 6), ("intron", *FAR, 6))
    hints["mult"] = seen
    donors = labels_of("+", "D")
    for price, expected in ((tolerance / scale - 0.1, 2), (tolerance / scale + 0.1, 1)):
        scores = nothing()
        scores[20, label("+", "START")] += 90 * GRID
        scores[FAR[0], donors] -= int(price * GRID)
        config = replace(CONFIG, posterior_scale=scale)
        assert len(introns(found(hints, scores=scores, config=config)[0])[0]) == expected


def test_hints_that_stand_together_count_together():
    hints = rows(("intron", *NEAR, 6), ("CDSpart", 20, 26, 1), ("CDSpart", 57, 63, 1))
    hints["group"] = 0
    groups, _, _ = grouped(hints, groups=("alignment",))
    (asked,) = UnheededHints(groups, UnheededOptions()).parses(0, len(TEXT), [])
    assert asked.tolerance == 4


def test_what_a_hinted_intron_holds_does_not_speak_against_it():
    scores = nothing()
    scores[FAR[0] + 1 : FAR[1] - 1, labels_of("+", "I")] -= 2 * GRID
    scores[20, label("+", "START")] += 900 * GRID
    loci, _ = found(rows(("intron", *NEAR, 8), ("intron", *FAR, 8)), scores=scores)
    assert sorted(introns(loci)[0]) == [(NEAR,), (FAR,)]


def test_more_bonus_is_followed_at_least_as_often():
    scores = nothing()
    scores[FAR[0], labels_of("+", "D")] -= 20 * GRID
    followed = []
    for nats in (2, 8, 20, 40, 60, 80):
        loci, _ = found(rows(("intron", *NEAR, 8), ("intron", *FAR, nats)), scores=scores)
        followed.append((FAR,) in introns(loci)[0])
    assert followed == sorted(followed) and followed[0] < followed[-1]


def test_a_higher_priority_overrules():
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6))
    hints["priority"] = 4, 3
    assert introns(found(hints)[0]) == [[(NEAR,)]]
    hints["priority"] = 4, 4
    assert len(introns(found(hints)[0])[0]) == 2
    hints["priority"] = 4, -1  # not given
    assert len(introns(found(hints)[0])[0]) == 2


def test_types_that_cause_alternatives():
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6))
    only_exons = UnheededOptions(causes=UnheededOptions.causing("exon,CDS"))
    loci, asking = found(hints, asking=only_exons)
    assert not asking and len(loci[0]) == 1
    assert UnheededOptions.causing("ip, cp") == {HintType.intronpart, HintType.CDSpart}
    with pytest.raises(OptionError, match="unknown type of hints itron"):
        UnheededOptions.causing("intron,itron")


def test_a_group_asks_once_and_is_obeyed_as_a_whole():
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 3), ("CDS", 57, 66, 3))
    hints["group"] = -1, 0, 0
    groups, codes, _ = grouped(hints, groups=("pair",))
    asking = UnheededHints(groups, UnheededOptions())
    parses = {groups.name(one.group): one for one in asking.parses(0, len(TEXT), [])}
    assert parses.keys() == {"", "pair"}
    for name, intron in (("", NEAR), ("pair", FAR)):
        demanded = nothing() + asking.demands(parses[name])
        (transcript,) = parse([viterbi(demanded, codes, CONFIG, build_graph(CONFIG))], CONFIG)
        assert transcript == TRANSCRIPTS[intron]
        assert {groups.name(group) for group in asking.obeyed(transcript)} == {name}
        judged = asking.judged(parses[name])
        assert np.flatnonzero(~judged).tolist() == [*range(intron[0] + 1, intron[1] - 1)]


EXONS = [("exon", 20, 26), ("CDS", 20, 26), ("exon", 57, 66), ("CDS", 57, 66)]
PARTS = [("CDSpart", 21, 25), ("exonpart", 60, 66), ("intronpart", 33, 50)]
SITES = [("dss", 26, 27), ("ass", 56, 57)]


@pytest.mark.parametrize("strand", [1, -1])
@pytest.mark.parametrize("hint", [("intron", *NEAR), *EXONS, *PARTS, *SITES])
def test_what_is_demanded_is_what_a_gene_that_obeys_has(hint, strand):
    """The gene with the near intron meets every demand; genes moved by a base do not."""
    kind, start, end = hint
    text = TEXT
    gene = TRANSCRIPTS[NEAR]
    if strand < 0:
        text = "".join("ACGT"[base] for base in reverse_complement(base_codes(TEXT.encode())))
        start, end, gene = len(TEXT) - end, len(TEXT) - start, gene.mirrored(len(TEXT))
    groups, _, _ = grouped(rows((kind, start, end, 1, strand)), text)
    causes = frozenset(HintType)
    asking = UnheededHints(groups, UnheededOptions(causes=causes))
    (asked,) = asking.parses(0, len(text), [])
    demands = asking.demands(asked)
    assert (demands[np.arange(len(text)), to_labels([gene], len(text))] == 0).all()
    moved = to_labels([gene], len(text))
    exact = kind not in {name for name, *_ in PARTS}
    for step in (1, -1):
        labels = np.roll(moved, step)
        assert not exact or demands[np.arange(len(text)), labels].any()
    nothing_there = np.zeros(len(text), dtype=np.uint8)
    assert demands[np.arange(len(text)), nothing_there].any()


def test_what_leaves_the_base_open_demands_nothing():
    groups, _, _ = grouped(rows(("dss", 24, 30, 2)))
    asking = UnheededHints(groups, UnheededOptions())
    (asked,) = asking.parses(0, len(TEXT), [])
    assert not asking.demands(asked).any()
    codon, _, _ = grouped(rows(("start", 20, 23, 2)))
    assert not UnheededHints(codon, UnheededOptions())  # AUGUSTUS never calls it obeyed


def test_hints_that_were_seen_often_come_first(monkeypatch):
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6), ("intron", 26, 40, 6))
    hints["mult"] = 2, 9, 3
    groups, _, _ = grouped(hints, TEXT[:38] + "AG" + TEXT[40:])
    asking = UnheededHints(groups, UnheededOptions())
    assert [groups.mult[one.group] for one in asking.parses(0, len(TEXT), [])] == [9, 3, 2]
    monkeypatch.setattr(unheeded_hints, "_FEWEST", 1)
    (only,) = asking.parses(0, len(TEXT), [])
    assert groups.mult[only.group] == 9


def test_transcripts_with_much_less_support_are_dropped():
    hints = rows(("intron", *NEAR, 8), ("CDSpart", 20, 26, 1), ("CDSpart", 57, 66, 1))
    codes, factors = base_codes(TEXT.encode()), extrinsic()
    groups = group_hints(
        Hints(hints, factors.sources), codes, None, factors, GroupingOptions(min_intron=4)
    )
    both = [TRANSCRIPTS[NEAR], TRANSCRIPTS[FAR]]  # 3 and 2 of 3 parts are supported
    for least, kept in ((0.6, both), (0.7, both[:1])):
        asking = UnheededHints(groups, UnheededOptions(min_support=least))
        assert asking.supported(both) == kept
        assert asking.supported(both[::-1]) == kept
        assert asking.supported(both[1:]) == both[1:]


def test_stretches_cut_no_transcript():
    spans = [(1000, 1100), (5000, 5100)]
    genes = [Transcript("+", ((1050, 1200),)), Transcript("-", ((1300, 1600),))]
    assert stretches(spans, (0, 9000), genes) == [(0, 1299), (3000, 7100)]
    assert stretches([(1250, 1350)], (0, 9000), genes) == [(1201, 3600)]
    assert stretches([(-50, 9100)], (0, 9000), genes) == [(0, 9000)]
