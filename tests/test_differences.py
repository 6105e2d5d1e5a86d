"""Kinds of differences between predicted and reference genes, and faults between transcripts.

python -m pytest tests/test_differences.py
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.differences import KINDS, Fault, differences, faults_between
from augustus_dl.gene import Gene, Transcript
from augustus_dl.intervals import union

THREE = ((100, 200), (300, 400), (500, 600))
NOWHERE = union([])


def kinds(reference, predicted, doubtful=NOWHERE) -> list[str]:
    """Kinds of one-transcript genes given as (strand, exons)."""
    known = [[Transcript(strand, cds)] for strand, cds in reference]
    genes = [Gene("c", strand, (Transcript(strand, cds),)) for strand, cds in predicted]
    return [found.kind for found in differences(known, genes, doubtful)]


@pytest.mark.parametrize(
    ("predicted", "faults"),
    [
        (THREE, []),
        (((130, 200), *THREE[1:]), [("start", 30)]),
        (THREE[1:], [("start", 0)]),
        (((10, 40), *THREE), [("start", 0)]),
        ((*THREE[:2], (500, 570)), [("stop", -30)]),
        (THREE[:2], [("stop", 0)]),
        ((THREE[0], THREE[2]), [("missed exon", 0)]),
        ((THREE[0], (230, 260), *THREE[1:]), [("extra exon", 0)]),
        ((THREE[0], (303, 400), THREE[2]), [("splice site", 3)]),
        ((THREE[0], (300, 394), THREE[2]), [("splice site", -6)]),
        (((100, 400), THREE[2]), [("missed intron", 0)]),
        ((THREE[0], (300, 330), (360, 400), THREE[2]), [("extra intron", 0)]),
        (((130, 200), (300, 394), THREE[2]), [("start", 30), ("splice site", -6)]),
        (((300, 330), (360, 400)), [("extra intron", 0), ("start", 0), ("stop", 0)]),
    ],
)
def test_faults(predicted, faults) -> None:
    found = faults_between(Transcript("+", THREE), Transcript("+", predicted))
    assert sorted((f.kind, f.shift) for f in found) == sorted(faults)
    mirrored = faults_between(
        Transcript("+", THREE).mirrored(1000), Transcript("+", predicted).mirrored(1000)
    )
    assert sorted(mirrored, key=str) == sorted(found, key=str)


@st.composite
def chains(draw) -> tuple[tuple[int, int], ...]:
    bounds = sorted(draw(st.sets(st.integers(0, 12), min_size=2, max_size=8)))
    return tuple(pairwise(bounds))[::2]


@given(chains(), chains())
def test_only_equal_chains_have_no_fault(left, right) -> None:
    if not any(a < d and c < b for a, b in left for c, d in right):
        return
    one, other = Transcript("+", left), Transcript("+", right)
    assert (faults_between(one, other) == ()) == (left == right)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([("+", THREE)], ["exact"]),
        ([("+", THREE[1:])], ["start"]),
        ([("+", (THREE[0], (300, 410), (490, 600)))], ["splice site"]),
        ([("+", ((130, 200), (300, 394), THREE[2]))], ["several"]),
        ([("+", THREE[:1]), ("+", THREE[1:])], ["split"]),
        ([("-", THREE)], ["strand"]),
        ([], ["missed"]),
        ([("+", ((220, 280),))], ["missed", "false"]),
        ([("+", THREE), ("+", ((700, 800),)), ("-", ((900, 990),))], ["exact", "false", "false"]),
        ([("+", THREE), ("-", ((150, 180),))], ["exact"]),
    ],
)
def test_kinds_for_one_gene(predicted, expected) -> None:
    assert kinds([("+", THREE)], predicted) == expected
    assert set(expected) <= set(KINDS)


def test_fused_genes() -> None:
    reference = [("+", ((100, 200),)), ("+", ((300, 400),))]
    assert kinds(reference, [("+", ((100, 200), (300, 400)))]) == ["fused", "fused"]
    assert kinds(reference, [("+", ((100, 200),)), ("+", ((300, 400),))]) == ["exact", "exact"]


def test_doubtful_bases_make_no_false_gene() -> None:
    assert kinds([], [("+", ((100, 200),))], union([(190, 300)])) == []


def test_the_nearest_transcripts_are_compared() -> None:
    isoforms = [Transcript("+", THREE, id="long"), Transcript("+", THREE[:2], id="short")]
    gene = Gene("c", "+", (Transcript("+", ((103, 200), (300, 400))), Transcript("+", THREE[:1])))
    (found,) = differences([isoforms], [gene], NOWHERE)
    assert found.kind == "start" and found.faults == (Fault("start", 3),)
    assert found.reference.id == "short" and found.span == (100, 400)


def test_spans_reach_over_all_that_is_compared() -> None:
    genes = [
        Gene("c", "+", (Transcript("+", ((50, 120),)),)),
        Gene("c", "-", (Transcript("-", ((590, 700),)),)),
    ]
    (found,) = differences([[Transcript("+", THREE)]], genes, np.zeros((0, 2), dtype=np.int64))
    assert found.span == (50, 700)
