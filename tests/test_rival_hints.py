"""Alternatives from evidence: hints that contradict each other give transcripts of one gene.

python -m pytest tests/test_rival_hints.py
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from augustus_dl import rival_hints
from augustus_dl.alternatives import AlternativeOptions, Alternatives, ParseHints
from augustus_dl.decode.bonus import hint_stage
from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.errors import OptionError
from augustus_dl.gene import Transcript
from augustus_dl.hinted_introns import HintedIntrons
from augustus_dl.hints import Hints, HintType
from augustus_dl.labels import NUM_LABELS, label
from augustus_dl.rival_hints import RivalHints, RivalOptions, stretches
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


def found(hints, options=NOTHING, scores=None, rivalry=None, text=TEXT):
    """Loci, and the rivals."""
    codes, factors = base_codes(text.encode()), extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    groups = group_hints(Hints(hints, factors.sources), codes, None, factors, grouping)
    stage = partial(hint_stage, extrinsic=factors, codes=codes)
    rivals = RivalHints(groups, stage, rivalry or RivalOptions())
    given = nothing(len(codes)) if scores is None else scores
    (stretch,) = stage(groups)(iter([Stretch(given, codes, 0)]))
    asked = ParseHints(HintedIntrons(groups, factors), rivals or None)
    batches = Alternatives(CONFIG, options, asked).batches([(stretch.scores, codes)])
    return [locus for _, batch in batches for locus in batch], rivals


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


def test_without_rivals_nothing_is_parsed_again():
    _, rivals = found(rows(("intron", *NEAR, 8), ("start", 20, 23, 2)))
    assert not rivals
    loci, rivals = found(rows(("intron", *NEAR, 8), ("exonpart", 20, 30, 1)))
    assert rivals and len(loci[0]) == 1  # exon parts cause no alternatives, the intron is obeyed


def test_a_weak_rival_does_not_win_against_the_network():
    scores = nothing()
    scores[FAR[0], [label("+", f"D{phase}") for phase in range(3)]] -= 20 * 1024
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6))
    assert introns(found(hints, scores=scores)[0]) == [[(NEAR,)]]
    strong = rows(("intron", *NEAR, 8), ("intron", *FAR, 30))
    assert sorted(introns(found(strong, scores=scores)[0])[0]) == [(NEAR,), (FAR,)]


def test_contradicting_a_rival_costs_its_bonus_twice():
    """A parse with the near intron has one half of the far one's bonus and loses two."""
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6))
    donors = [label("+", f"D{phase}") for phase in range(3)]
    for price, expected in ((6 / 2 + 2 * 6 - 1, 2), (6 / 2 + 2 * 6 + 1, 1)):
        scores = nothing()
        scores[20, label("+", "START")] += 40 * GRID
        scores[FAR[0], donors] -= int(price * GRID)
        assert len(introns(found(hints, scores=scores)[0])[0]) == expected


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
    only_exons = RivalOptions(causes=RivalOptions.causing("exon,CDS"))
    loci, rivals = found(hints, rivalry=only_exons)
    assert not rivals and len(loci[0]) == 1
    assert RivalOptions.causing("ip, cp") == {HintType.intronpart, HintType.CDSpart}
    with pytest.raises(OptionError, match="unknown type of hints itron"):
        RivalOptions.causing("intron,itron")


def test_a_group_and_its_rivals_are_found():
    """Two hints of one name stand together; the rival of either is one of the group."""
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 3), ("CDS", 57, 66, 3))
    hints["group"] = -1, 0, 0
    codes, factors = base_codes(TEXT.encode()), extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    named = Hints(hints, factors.sources, groups=("pair",))
    groups = group_hints(named, codes, None, factors, grouping)
    rivals = RivalHints(groups, lambda chosen: None, RivalOptions())
    parses = {groups.name(one.causing[0]): one for one in rivals.parses(0, len(TEXT), [])}
    assert parses.keys() == {"", "pair"}
    assert parses[""].omitted == parses["pair"].causing
    assert parses["pair"].omitted == parses[""].causing
    names = {
        intron: {groups.name(group) for group in rivals.obeyed(transcript)}
        for intron, transcript in TRANSCRIPTS.items()
    }
    assert names == {NEAR: {""}, FAR: {"pair"}}


def test_hints_that_were_seen_often_come_first(monkeypatch):
    hints = rows(("intron", *NEAR, 8), ("intron", *FAR, 6), ("intron", 26, 40, 6))
    hints["mult"] = 2, 9, 3
    text = TEXT[:38] + "AG" + TEXT[40:]
    codes, factors = base_codes(text.encode()), extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    groups = group_hints(Hints(hints, factors.sources), codes, None, factors, grouping)
    rivals = RivalHints(groups, lambda chosen: None, RivalOptions())
    mults = [groups.mult[one.causing[0]] for one in rivals.parses(0, len(text), [])]
    assert mults == [9, 3, 2]
    monkeypatch.setattr(rival_hints, "_FEWEST", 1)
    (only,) = rivals.parses(0, len(text), [])
    assert groups.mult[only.causing[0]] == 9


def test_transcripts_with_much_less_support_are_dropped():
    hints = rows(("intron", *NEAR, 8), ("CDSpart", 20, 26, 1), ("CDSpart", 57, 66, 1))
    codes, factors = base_codes(TEXT.encode()), extrinsic()
    groups = group_hints(
        Hints(hints, factors.sources), codes, None, factors, GroupingOptions(min_intron=4)
    )
    both = [TRANSCRIPTS[NEAR], TRANSCRIPTS[FAR]]  # 3 and 2 of 3 parts are supported
    for least, kept in ((0.6, both), (0.7, both[:1])):
        rivals = RivalHints(groups, lambda chosen: None, RivalOptions(min_support=least))
        assert rivals.supported(both) == kept
        assert rivals.supported(both[::-1]) == kept
        assert rivals.supported(both[1:]) == both[1:]


def test_stretches_cut_no_transcript():
    spans = [(1000, 1100), (5000, 5100)]
    genes = [Transcript("+", ((1050, 1200),)), Transcript("-", ((1300, 1600),))]
    assert stretches(spans, (0, 9000), genes) == [(0, 1299), (3000, 7100)]
    assert stretches([(1250, 1350)], (0, 9000), genes) == [(1201, 3600)]
    assert stretches([(-50, 9100)], (0, 9000), genes) == [(0, 9000)]
