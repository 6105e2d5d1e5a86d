"""What hints are worth, and finding those of a stretch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.hints import (
    HINT,
    SPELLINGS,
    Extrinsic,
    HintCollection,
    HintGroups,
    Hints,
    HintType,
    ScoreClasses,
    TypeFactors,
    bonuses,
)

EXTRINSIC = Extrinsic(
    sources=("M", "P", "S"),
    types={
        HintType.start: TypeFactors(
            2, 1, classes={"M": ScoreClasses((1e100,)), "P": ScoreClasses((1, 10, 100), (0.5, 7))}
        ),
        HintType.exonpart: TypeFactors(0.5, 1),
        HintType.stop: TypeFactors(-1, 1),
    },
)


def row(type_: str, source: str = "P", score: float = 0, mult: int = 1) -> np.ndarray:
    hint = np.zeros(1, dtype=HINT)
    hint["type"], hint["source"] = HintType[type_], EXTRINSIC.sources.index(source)
    hint["score"], hint["mult"] = score, mult
    return hint


@pytest.mark.parametrize(
    ("hint", "bonus"),
    [
        (row("start"), 2),
        (row("start", score=0.5), 20),  # a bound belongs to the class above it
        (row("start", score=6.9), 20),
        (row("start", score=7), 200),
        (row("start", "S"), 2),
        (row("start", "M", mult=3), 6e100),
        (row("start", mult=3), 6),  # less than 2 ** 3
        (row("start", mult=2), 4),
        (row("start", mult=0), 2),
        (row("exonpart", mult=3), 0.125),
        (row("stop", score=30), 30),
        (row("stop", score=-1), 1),
        (row("intron"), 1),
    ],
)
def test_bonus_of_a_hint(hint, bonus):
    assert bonuses(hint, EXTRINSIC) == pytest.approx([bonus])


@given(st.floats(0.01, 1e6), st.integers(1, 50), st.integers(1, 50))
def test_a_hint_seen_more_often_is_worth_no_less(factor, mult, more):
    extrinsic = Extrinsic(
        ("P",), {HintType.intron: TypeFactors(1, 1, 1, {"P": ScoreClasses((factor,))})}
    )
    hints = np.concatenate([row("intron"), row("intron")])
    hints["source"], hints["mult"] = 0, [mult, mult + more]
    once, often = np.log(bonuses(hints, extrinsic))
    assert often >= once if factor >= 1 else often <= once


def test_names_of_types():
    assert [type_.name for type_ in HintType][-2:] == ["nonexonpart", "genicpart"]
    assert len(HintType) == 17
    assert SPELLINGS["ep"] is HintType.exonpart and SPELLINGS["nonirpart"] is HintType.genicpart


def test_hints_of_a_sequence():
    rows = np.zeros(5, dtype=HINT)
    rows["start"] = range(5)
    collection = HintCollection(rows, {"b": (0, 2), "a": (2, 5)}, ("M",))
    assert collection.of("a").rows["start"].tolist() == [2, 3, 4]
    assert len(collection.of("c").rows) == 0
    assert len(HintCollection.empty(("M",)).of("a").rows) == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=12), st.integers(0, 50))
def test_groups_of_a_stretch(spans, start):
    spans = sorted((begin, begin + length) for begin, length in spans)
    begin, end = (np.array([span[i] for span in spans], dtype=np.int64) for i in range(2))
    nothing = np.zeros(len(spans))
    groups = HintGroups(Hints(np.zeros(0, HINT)), begin, begin, end, *[nothing] * 5)
    expected = [i for i, (b, e) in enumerate(spans) if b < start + 7 and e > start]
    assert groups.overlapping(start, start + 7).tolist() == expected


def test_some_groups_as_if_there_were_no_others():
    rows = np.zeros(6, dtype=HINT)
    rows["start"], rows["group"] = range(6), [0, 0, 1, 2, 2, 2]
    groups = HintGroups(
        Hints(rows, ("M",), groups=("a", "b", "c")),
        first=np.array([0, 2, 3, 6]),
        begin=np.array([0, 2, 3]),
        end=np.array([5, 6, 7]),
        priority=np.array([1, 2, 3]),
        mult=np.array([4, 5, 6]),
        supporting=np.arange(6.0),
        contradicting=np.arange(6.0) * 2,
        counted=np.array([True, False, True]),
    )
    some = groups.select(np.array([0, 2]))
    assert some.hints.rows["start"].tolist() == [0, 1, 3, 4, 5]
    assert some.first.tolist() == [0, 2, 5]
    assert [some.name(group) for group in range(2)] == ["a", "c"]
    assert (some.priority.tolist(), some.counted.tolist()) == ([1, 3], [True, True])
    assert some.supporting.tolist() == [0, 1, 3, 4, 5]
    nothing = groups.select(np.array([], dtype=np.int64))
    assert len(nothing.hints.rows) == 0 and nothing.first.tolist() == [0]
