"""Hinted introns count as wholes: against the enumeration of all parses.

python -m pytest tests/test_hinted_introns.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.alternatives import AlternativeOptions, Alternatives, ParseHints
from augustus_dl.decode.bonus import hint_stage
from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.encode import base_codes
from augustus_dl.gene import Transcript
from augustus_dl.hinted_introns import HintedIntrons
from augustus_dl.hints import Hints
from augustus_dl.labels import from_labels, label
from tests.decode.enumeration import all_paths
from tests.decode.test_bonus import Stretch, extrinsic, rows
from tests.decode.test_viterbi import random_scores, score_of

TEXT = "CCATGGCCGTGTCCCCAGAGCCAGCCTAACC"
"""Two donors and three acceptors."""
INTRONS = [(8, 18), (8, 20), (8, 24), (10, 18), (10, 20), (10, 24)]
CASES = 100
CONFIG = DecoderConfig(
    gene_start=0.5, intron=-0.25, min_intron=4, min_coding_length=0, partial=False
)


def hints_of(*specs):
    """Groups with their factors."""
    codes, factors = base_codes(TEXT.encode()), extrinsic()
    grouping = GroupingOptions(rescale=False, min_intron=4, max_contradiction=1e9)
    return group_hints(Hints(rows(*specs), factors.sources), codes, None, factors, grouping)


def best(scores, groups, wholes=True):
    """What is found with hinted introns as wholes, or without."""
    codes = base_codes(TEXT.encode())
    (stretch,) = hint_stage(groups, extrinsic(), codes)(iter([Stretch(scores, codes, 0)]))
    asked = ParseHints(HintedIntrons(groups, extrinsic()), None)
    batches = Alternatives(CONFIG, AlternativeOptions(), asked if wholes else None).batches(
        [(stretch.scores, codes)]
    )
    return {transcript for _, batch in batches for (transcript,) in batch}


@pytest.mark.parametrize("number", [1, 2])
def test_the_best_parse_is_that_of_the_enumeration(number):
    """Nearly always: what one intron pays back at its other end, another one may miss there."""
    rng = np.random.default_rng(number)
    paths = all_paths(TEXT, CONFIG)
    genes = [frozenset(from_labels(path)) for path in paths]
    right = np.zeros(2, dtype=int)  # as wholes, and without
    for _ in range(CASES):
        scores = random_scores(rng, len(TEXT), spread=2.0)
        plain = score_of(paths, scores, base_codes(TEXT.encode()), CONFIG)
        chosen = [INTRONS[i] for i in rng.choice(len(INTRONS), number, replace=False)]
        worth = {intron: float(rng.integers(1, 12)) for intron in chosen}
        gains = [
            sum(worth.get(i, 0) for t in of_path if t.strand == "+" for i in t.introns)
            for of_path in genes
        ]
        total = plain + GRID * np.array(gains)
        hints = hints_of(*(("intron", *i, nats) for i, nats in worth.items()))
        for k, wholes in enumerate((True, False)):
            found = best(scores, hints, wholes)
            reached = max(total[p] for p, of_path in enumerate(genes) if of_path == found)
            right[k] += reached >= total.max() - GRID / 8
    assert right[0] >= 0.9 * CASES and right[0] > right[1], right


def test_an_intron_with_one_hinted_end_pays_back_at_the_other():
    hinted = HintedIntrons(hints_of(("intron", 8, 18, 4), ("intron", 8, 24, 6)), extrinsic())
    assert hinted
    assert hinted.repayments([Transcript("+", ((2, 8), (18, 29)))]) == set()
    assert hinted.repayments([Transcript("+", ((2, 8), (24, 29)))]) == set()
    (owed,) = hinted.repayments([Transcript("+", ((2, 8), (20, 29)))])
    assert (owed.base, owed.value) == (19, 3 * GRID)  # half of the stronger
    assert owed.labels == tuple(label("+", f"A{phase}") for phase in range(3))
    assert (owed.start, owed.end) == (8, 24)
    (owed,) = hinted.repayments([Transcript("+", ((2, 10), (18, 29)))])
    assert (owed.base, owed.value, owed.labels[0]) == (10, 2 * GRID, label("+", "D0"))
    assert hinted.repayments([Transcript("-", ((2, 10), (18, 29)))]) == set()
    assert not HintedIntrons(hints_of(("start", 2, 5, 4)), extrinsic())


def test_ends_are_mirrored_on_the_other_strand():
    minus = rows(("intron", 10, 20, 4, -1))
    groups = hints_of(("intron", 8, 18, 1))
    groups.hints.rows[:] = minus
    hinted = HintedIntrons(groups, extrinsic())
    (owed,) = hinted.repayments([Transcript("-", ((2, 10), (24, 29)))])
    assert (owed.base, owed.labels[0]) == (23, label("-", "D0"))
    (owed,) = hinted.repayments([Transcript("-", ((2, 8), (20, 29)))])
    assert (owed.base, owed.labels[0]) == (8, label("-", "A0"))
