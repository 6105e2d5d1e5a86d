"""Relations of hints: case by case, their symmetries, and counting against plain loops."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.hint_relations import compatible, contradict, count_relations, weaker
from augustus_dl.hints import HintType


def hint(type_: str, start: int, end: int, strand: int = 1) -> tuple[int, int, int, int]:
    return int(HintType[type_]), start, end, strand


HINTS = st.builds(
    lambda type_, start, length, strand: hint(type_.name, start, start + length, strand),
    st.sampled_from(HintType),
    st.integers(0, 60),
    st.integers(1, 40),
    st.sampled_from((-1, 0, 1)),
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (hint("intron", 10, 60), hint("intron", 10, 60), True),
        (hint("intron", 10, 60), hint("intron", 10, 61), False),
        (hint("intron", 10, 60), hint("intron", 60, 90), True),  # they only touch
        (hint("intronpart", 10, 60), hint("intronpart", 20, 90), True),
        (hint("intron", 10, 60), hint("intronpart", 20, 60), True),
        (hint("intron", 10, 60), hint("intronpart", 20, 61), False),
        (hint("intron", 10, 60), hint("exonpart", 59, 80), False),
        (hint("intron", 10, 60), hint("CDS", 60, 80), True),
        (hint("intron", 10, 60), hint("CDS", 50, 80), False),
        (hint("intron", 10, 60), hint("nonexonpart", 50, 80), True),
        (hint("intron", 10, 60), hint("irpart", 50, 80), False),
        (hint("intron", 10, 60), hint("genicpart", 50, 80), True),
        (hint("irpart", 10, 60), hint("genicpart", 50, 80), False),
        (hint("irpart", 10, 60), hint("nonexonpart", 50, 80), True),
        (hint("CDS", 10, 60), hint("CDSpart", 20, 60), True),
        (hint("CDS", 10, 60), hint("CDSpart", 20, 61), False),
        (hint("CDS", 10, 60), hint("UTR", 50, 80), False),
        (hint("exon", 10, 60), hint("CDS", 20, 60), True),
        (hint("exon", 10, 60), hint("CDS", 20, 61), False),
        (hint("exon", 10, 60), hint("UTR", 10, 30), True),
        (hint("exon", 10, 60), hint("UTR", 20, 30), False),
        (hint("exon", 10, 60), hint("UTRpart", 20, 30), True),
        (hint("exonpart", 10, 60), hint("exon", 10, 70), True),
        (hint("exonpart", 10, 60), hint("exon", 11, 70), False),
        (hint("exonpart", 10, 60), hint("UTR", 20, 30), False),
        (hint("exonpart", 10, 60), hint("UTRpart", 20, 30), True),
        (hint("exonpart", 10, 60), hint("nonexonpart", 59, 80), False),
        (hint("UTR", 10, 60), hint("UTRpart", 20, 30), True),
        (hint("dss", 10, 11), hint("intron", 10, 60), True),
        (hint("dss", 11, 12), hint("intron", 10, 60), False),
        (hint("dss", 59, 60), hint("intron", 10, 60), False),  # the wrong end
        (hint("dss", 59, 60, -1), hint("intron", 10, 60, -1), True),
        (hint("ass", 59, 60), hint("intron", 10, 60), True),
        (hint("ass", 10, 11, -1), hint("intron", 10, 60, -1), True),
        (hint("ass", 30, 31), hint("exonpart", 10, 60), False),
        (hint("ass", 30, 31), hint("genicpart", 10, 60), True),
        (hint("start", 10, 13), hint("CDS", 10, 60), True),
        (hint("start", 11, 14), hint("CDS", 10, 60), False),
        (hint("start", 8, 12), hint("CDS", 10, 60), False),  # less than a codon in common
        (hint("start", 57, 60, -1), hint("CDSpart", 10, 60, -1), True),
        (hint("stop", 57, 60), hint("CDS", 10, 60), True),
        (hint("stop", 10, 13), hint("CDS", 10, 60), False),
        (hint("stop", 20, 23), hint("intronpart", 10, 60), False),
        (hint("stop", 20, 23), hint("genicpart", 10, 60), True),
        (hint("tss", 10, 20), hint("CDS", 5, 60), False),
        (hint("tss", 10, 20), hint("exon", 5, 300), True),  # near its beginning
        (hint("tss", 110, 120), hint("exon", 5, 300), False),
        (hint("tss", 290, 310), hint("UTR", 5, 300, -1), True),
        (hint("tts", 10, 20), hint("tts", 900, 910), False),  # no gene has both,
        (hint("tts", 10, 20), hint("tts", 1900, 1910), True),  # but two genes have
        (hint("tts", 10, 20), hint("tts", 900, 910, -1), True),
        (hint("tss", 10, 20), hint("tss", 30, 40), True),
        (hint("intron", 10, 60), hint("intron", 10, 60, -1), False),
        (hint("intron", 10, 60), hint("intron", 10, 60, 0), True),
        (hint("start", 10, 20), hint("stop", 10, 20, -1), True),
        (hint("start", 10, 20), hint("exon", 15, 60, -1), True),
        (hint("start", 20, 30), hint("exon", 15, 60, -1), False),
    ],
)
def test_compatible(one, other, expected):
    assert compatible(one, other) is expected
    assert compatible(other, one) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (hint("intron", 10, 60), hint("intron", 10, 60), True),
        (hint("intron", 10, 60), hint("intron", 11, 60), False),
        (hint("intronpart", 20, 60), hint("intron", 10, 60), True),
        (hint("intronpart", 20, 60), hint("intronpart", 10, 60), True),
        (hint("intron", 10, 60), hint("intronpart", 10, 60), False),
        (hint("intronpart", 20, 61), hint("intron", 10, 60), False),
        (hint("exonpart", 20, 30), hint("exon", 10, 60), True),
        (hint("exonpart", 20, 30), hint("CDS", 10, 60), False),
        (hint("CDSpart", 20, 30), hint("CDS", 10, 60), True),
        (hint("UTRpart", 20, 30), hint("UTR", 10, 60), True),
        (hint("genicpart", 20, 30), hint("CDS", 10, 60), True),
        (hint("genicpart", 20, 30), hint("irpart", 10, 60), False),
        (hint("irpart", 20, 30), hint("irpart", 10, 60), True),
        (hint("nonexonpart", 20, 30), hint("intron", 10, 60), False),
        (hint("start", 10, 60), hint("start", 20, 23), True),  # the wider says less
        (hint("start", 20, 23), hint("start", 10, 60), False),
    ],
)
def test_weaker(one, other, expected):
    assert weaker(one, other) is expected


@given(HINTS, HINTS)
def test_relations_hold_on_the_other_strand(one, other):
    """Mirrored hints are related alike; both strands stay both."""
    mirrored = [
        (type_, 200 - end, 200 - start, -strand) for type_, start, end, strand in (one, other)
    ]
    exon_and_utr = {one[0], other[0]} == {HintType.exon, HintType.UTR}  # AUGUSTUS tells ends apart
    if not exon_and_utr:
        assert compatible(one, other) is compatible(*mirrored)
    assert weaker(one, other) is weaker(*mirrored)


@given(HINTS)
def test_a_hint_agrees_with_itself(one):
    assert compatible(one, one) and weaker(one, one)


def counted(groups: list[list[tuple]], priority: list[int], mult: list[int]):
    """`count_relations`, by the words of its description."""
    supporting = [[mult[i] - 1] * len(group) for i, group in enumerate(groups)]
    contradicting = [[0.0] * len(group) for group in groups]
    for i, asked in enumerate(groups):
        for j, by in enumerate(groups):
            bounds = [(min(h[1] for h in g), max(h[2] for h in g)) for g in (asked, by)]
            if i == j or bounds[0][0] >= bounds[1][1] or bounds[1][0] >= bounds[0][1]:
                continue
            for k, one in enumerate(asked):
                quiet = priority[j] >= 0 and priority[j] < priority[i]
                against = [] if quiet else [other for other in by if not compatible(one, other)]
                if against:
                    contradicting[i][k] += share(one, against) * mult[j]
                elif any(weaker(one, other) for other in by):
                    supporting[i][k] += mult[j]
    return [*chain(*supporting)], [*chain(*contradicting)]


def share(one: tuple, against: list[tuple]) -> float:
    parts = (HintType.exonpart, HintType.CDSpart, HintType.UTRpart)
    if one[0] != HintType.intron or any(other[0] not in parts for other in against):
        return 1.0
    return min(1.0, (against[-1][2] - against[-1][1]) / min(one[2] - one[1], 2000))


@given(
    st.lists(
        st.tuples(st.lists(HINTS, min_size=1, max_size=3), st.integers(-1, 2), st.integers(1, 4)),
        max_size=6,
    )
)
def test_counting_against_plain_loops(groups):
    groups.sort(key=lambda group: min(one[1] for one in group[0]))
    hints = [one for members, *_ in groups for one in members]
    columns = np.array(hints, dtype=np.int64).reshape(-1, 4).T.copy()
    first = np.cumsum([0, *(len(members) for members, *_ in groups)])
    begin = np.array([min(h[1] for h in members) for members, *_ in groups], dtype=np.int64)
    end = np.array([max(h[2] for h in members) for members, *_ in groups], dtype=np.int64)
    priority, mult = (np.array([g[i] for g in groups], dtype=np.int64) for i in (1, 2))
    supporting, contradicting = count_relations(*columns, first, begin, end, priority, mult)
    expected = counted([members for members, *_ in groups], priority.tolist(), mult.tolist())
    assert supporting.tolist() == expected[0]
    assert contradicting.tolist() == pytest.approx(expected[1])


def test_chance_hits_hardly_contradict_a_long_intron():
    """Of several exon parts the last counts; 2000 bases of them contradict any intron fully."""

    def against(*parts: tuple) -> float:
        hints = np.array([hint("intron", 0, 5000), *parts], dtype=np.int64).T.copy()
        bounds = np.zeros(2, dtype=np.int64), np.full(2, 5000)
        first = np.array([0, 1, len(parts) + 1])
        ones = np.ones(2, dtype=np.int64)
        return count_relations(*hints, first, *bounds, ones, ones)[1][0].item()

    assert against(hint("exonpart", 10, 110)) == pytest.approx(0.05)
    assert against(hint("CDSpart", 10, 3010)) == 1
    assert against(hint("exonpart", 10, 110), hint("CDSpart", 500, 700)) == pytest.approx(0.1)
    assert against(hint("exon", 10, 20), hint("CDSpart", 500, 700)) == 1


def test_groups_contradict_when_any_of_their_hints_do():
    hints = [("intron", 10, 50, 1), ("CDS", 50, 80, 1), ("intron", 10, 60, 1), ("CDS", 90, 99, 1)]
    rows = [
        np.array([HintType[hint[0]] if i == 0 else hint[i] for hint in hints], dtype=np.int64)
        for i in range(4)
    ]
    assert contradict(*rows, 0, 2, 2, 3)  # the introns differ
    assert contradict(*rows, 2, 3, 0, 2)
    assert not contradict(*rows, 0, 2, 3, 4)
    assert not contradict(*rows, 0, 1, 1, 2)
