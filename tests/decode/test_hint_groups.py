"""Which hints can be obeyed, how they are grouped, joined, outvoted and scaled."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.hint_groups import GroupingOptions, group_hints, splice_pairs
from augustus_dl.encode import base_codes
from augustus_dl.errors import OptionError
from augustus_dl.hints import (
    HINT,
    Extrinsic,
    HintGroups,
    Hints,
    HintType,
    ScoreClasses,
    TypeFactors,
)

MASKED = TypeFactors(1, 1, classes={"RM": ScoreClasses((1.15,))})
TYPES = {type_: TypeFactors(1, 1) for type_ in HintType} | {HintType.nonexonpart: MASKED}
EXTRINSIC = Extrinsic(("E", "L", "RM"), TYPES, individual_liability=frozenset("L"))
SEQUENCE = "C" * 200
DEFAULT = GroupingOptions()


def hints(*specs: tuple) -> Hints:
    """Hints (type, start, end, then strand, group, and other fields by name)."""
    rows = np.zeros(len(specs), dtype=HINT)
    rows["frame"], rows["priority"], rows["mult"], rows["bonus"] = -1, -1, 1, 4
    names: dict[str, int] = {}
    for row, (type_, start, end, *rest) in zip(rows, specs, strict=True):
        strand, group, more = (*rest, *(1, "", {})[len(rest) :])
        row["type"] = row["spelling"] = HintType[type_]
        row["start"], row["end"], row["strand"] = start, end, strand
        row["group"] = names.setdefault(group, len(names)) if group else -1
        for name, value in more.items():
            row[name] = value
    return Hints(rows, EXTRINSIC.sources, [*names], ("test",))


def groups(
    *specs: tuple, sequence: str = SEQUENCE, masked=None, extrinsic=EXTRINSIC, **options
) -> HintGroups:
    codes = base_codes(sequence.encode())
    return group_hints(hints(*specs), codes, masked, extrinsic, GroupingOptions(**options))


def placed(*parts: tuple[int, str], length: int = 200) -> str:
    """A sequence of C with other letters at some places."""
    letters = ["C"] * length
    for at, text in parts:
        letters[at : at + len(text)] = text
    return "".join(letters)


def turned(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


@pytest.mark.parametrize(
    ("type_", "sequence", "start", "end"),
    [
        ("intron", placed((10, "GT"), (98, "AG")), 10, 100),
        ("intron", placed((10, "GC"), (98, "AG")), 10, 100),
        ("dss", placed((10, "GT")), 10, 11),
        ("dss", placed((10, "GT")), 5, 15),
        ("ass", placed((98, "AG")), 99, 100),
        ("ass", placed((98, "AG")), 90, 120),
        ("CDS", placed((8, "AG"), (100, "GT")), 10, 100),
        ("CDS", placed((10, "ATG"), (100, "GT")), 10, 100),
        ("CDS", placed((10, "ATG"), (97, "TAA")), 10, 100),
        ("CDS", placed((8, "AG"), (97, "TGA")), 10, 100),
    ],
)
def test_the_sequence_decides_the_strand(type_, sequence, start, end):
    """What can be obeyed on a strand can't be on the other, nor where the sequence lacks it."""
    length = len(sequence)
    found = groups((type_, start, end, 0), sequence=sequence)
    assert found.hints.rows["strand"].tolist() == [1] and found.oriented == 1
    there = groups((type_, length - end, length - start, 0), sequence=turned(sequence))
    assert there.hints.rows["strand"].tolist() == [-1]
    assert len(groups((type_, start, end, -1), sequence=sequence).deleted) == 1
    assert len(groups((type_, start, end, 0)).deleted) == 1
    assert groups((type_, start, end, 1), sequence=sequence).oriented == 0


def test_pairs_of_splice_sites_may_be_added():
    sequence = placed((10, "AT"), (98, "AC"))
    spec = ("intron", 10, 100)
    assert len(groups(spec, sequence=sequence).deleted) == 1
    pairs = splice_pairs("gcag,atac")
    assert not groups(spec, sequence=sequence, splice_pairs=pairs).deleted
    mixed = placed((10, "AT"), (98, "AG"))
    assert groups(spec, sequence=mixed, splice_pairs=pairs).deleted
    assert not groups(("dss", 10, 11), sequence=mixed, splice_pairs=pairs).deleted
    assert pairs == ("GTAG", "GCAG", "ATAC") and splice_pairs() == ("GTAG", "GCAG")
    for bad in ("atac,", "ata", "atacgg", "atnc"):
        with pytest.raises(OptionError, match="Splice site pattern has bad format"):
            splice_pairs(bad)


def test_one_hint_drops_its_group():
    sequence = placed((10, "GT"), (98, "AG"))
    good, bad = ("intron", 10, 100, 1, "g"), ("intron", 10, 101, 1, "g", {"mult": 3, "priority": 2})
    found = groups(good, bad, ("CDSpart", 120, 130), sequence=sequence)
    assert [found.name(i) for i in range(len(found.begin))] == [""]
    (deleted,) = found.deleted
    assert (deleted.name, deleted.begin, deleted.end, deleted.size) == ("g", 10, 101, 2)
    assert (deleted.mult, deleted.priority) == (3, 2)
    lenient = tuple((*spec[:5], {"source": 1}) for spec in (good, bad))
    assert len(groups(*lenient, sequence=sequence).hints.rows) == 2


def test_groups_that_contradict_their_strand_are_dropped():
    specs = ("CDSpart", 10, 20, 1, "g"), ("CDSpart", 30, 40, -1, "g")
    assert len(groups(*specs).deleted) == 1
    assert groups(specs[0], (*specs[1][:3], 0, "g")).hints.rows["strand"].tolist() == [1, 1]


def test_short_introns_are_dropped_whatever_their_source():
    sequence = placed((10, "GT"), (46, "AG"))
    spec = ("intron", 10, 48, 1, "", {"source": 1})
    (deleted,) = groups(spec, sequence=sequence).deleted
    assert len(deleted.short_introns) == 1
    assert not groups(spec, sequence=sequence, min_intron=38).deleted


def test_hints_over_an_end_of_the_sequence():
    found = groups(("intron", -5, 80), ("CDSpart", 190, 201), ("CDSpart", -5, 10))
    assert found.hints.rows["start"].tolist() == [-5, -5]
    assert not found.deleted  # its splice site cannot be seen


def test_soft_masked_stretches_are_hints():
    masked = np.zeros(200, dtype=bool)
    masked[20:30] = masked[50] = True
    found = groups(("CDSpart", 22, 28), masked=masked, rescale=False)
    assert found.hints.rows[["start", "end"]].tolist() == [(20, 30), (22, 28), (50, 51)]
    assert found.source(0) == "RM" and found.hints.programs[found.hints.rows["program"][0]]
    assert found.hints.rows["bonus"].tolist() == [1.15, 4, 1.15]
    without = Extrinsic(("E", "L", "RM"), {**TYPES, HintType.nonexonpart: TypeFactors(1, 1)})
    assert len(groups(masked=masked, extrinsic=without).begin) == 0
    assert len(groups(masked=np.zeros(200, dtype=bool)).begin) == 0


def test_order_and_spans_of_groups():
    found = groups(
        ("CDSpart", 50, 60, 1, "b"),
        ("exonpart", 5, 90, 1, "b", {"priority": 7}),
        ("exonpart", 5, 40),
        ("CDSpart", 20, 30, 1, "a", {"mult": 3}),
    )
    assert [found.name(i) for i in range(3)] == ["", "b", "a"]
    assert found.first.tolist() == [0, 1, 3, 4]
    assert found.begin.tolist() == [5, 5, 20] and found.end.tolist() == [40, 90, 30]
    assert found.priority.tolist() == [-1, 7, -1] and found.mult.tolist() == [1, 1, 3]
    assert found.hints.rows["end"].tolist() == [40, 60, 90, 30]  # inside a group by end


def test_equal_groups_are_joined():
    pair = [("exonpart", 10, 20, 1), ("exonpart", 30, 40, 1)]
    grouped = [(*spec, name) for name in "abc" for spec in pair]
    found = groups(*grouped, rescale=False)
    assert found.hints.rows["start"].tolist() == [10, 30]
    assert found.supporting.tolist() == [2, 2]
    other = [(*grouped[-1][:5], {"bonus": 3}) if spec is grouped[-1] else spec for spec in grouped]
    assert len(groups(*other).begin) == 2


def test_bonuses_are_scaled_by_agreement():
    seen = ("CDSpart", 10, 20, 1, "", {"mult": 6})
    wider = ("CDSpart", 10, 40)
    against = ("intronpart", 12, 18)
    found = groups(seen, wider, against)
    assert found.supporting[0] == 6
    exponent = 2 * (5 + found.supporting) / (10 + found.supporting + found.contradicting)
    assert found.hints.rows["bonus"] == pytest.approx(4**exponent)
    assert found.contradicting.min() >= 1
    assert groups(seen, wider, against, rescale=False).hints.rows["bonus"].tolist() == [4, 4, 4]
    alone = groups(("CDSpart", 10, 20))
    assert alone.hints.rows["bonus"].tolist() == [4]


def test_outvoted_groups_are_dropped():
    many = [("CDSpart", 10, 40 + i) for i in range(9)]
    few = ("intronpart", 15, 20)
    assert len(groups(*many[:8], few).begin) == 9
    assert HintType.intronpart not in groups(*many, few).hints.rows["type"]
    assert HintType.intronpart in groups(*many, few, max_contradiction=10).hints.rows["type"]
    strong = (*few, 1, "", {"priority": 3})
    weak = [(*spec, 1, "", {"priority": 2}) for spec in many]
    assert HintType.intronpart in groups(*weak, strong).hints.rows["type"]


def test_groups_may_be_outvoted_when_alternatives_are_looked_for():
    """Then equal groups are no longer counted as often as they were seen."""
    many = [("CDSpart", 10, 40 + i) for i in range(9)]
    few = [("intronpart", 15, 20), ("intronpart", 15, 20)]
    found = groups(*many, *few)
    kinds = found.hints.rows["type"][found.first[:-1]]
    assert (found.counted == (kinds != HintType.intronpart)).all() and len(found.begin) == 10
    assert groups(*many, *few, alternatives=False).counted.all()


def test_gaps_in_groups_are_bridged_on_request():
    one_gene = Extrinsic(EXTRINSIC.sources, TYPES, one_group_one_gene=frozenset("E"))
    specs = [("exonpart", a, b, 1, "g") for a, b in ((10, 20), (15, 18), (20, 30), (50, 60))]
    specs.append(("exonpart", 100, 110, 1, "h", {"source": 1}))
    specs.append(("exonpart", 120, 130, 1, "h", {"source": 1}))
    found = groups(*specs, extrinsic=one_gene, bridge_bonus=2.0, rescale=False)
    bridges = found.hints.rows[found.hints.rows["type"] == HintType.genicpart]
    assert bridges[["start", "end", "strand", "bonus"]].tolist() == [(30, 50, 0, 2)]
    assert found.name(0) == "g" and found.first.tolist()[:2] == [0, 5]
    assert len(groups(*specs, extrinsic=one_gene).hints.rows) == 6


@given(
    st.lists(
        st.tuples(
            st.sampled_from(HintType),
            st.integers(0, 150),
            st.integers(1, 50),
            st.sampled_from((-1, 0, 1)),
            st.sampled_from(("", "", "a", "b", "c")),
        ),
        max_size=12,
    ),
    st.randoms(),
)
def test_groups_are_whole(specs, random):
    letters = "".join(random.choice(["GT", "AG", "A", "C"]) for _ in range(200))[:200]
    found = groups(*[(t.name, s, s + n, *rest) for t, s, n, *rest in specs], sequence=letters)
    rows, first = found.hints.rows, found.first
    assert (np.diff(first) > 0).all() and first[-1] == len(rows)
    assert (np.diff(found.begin) >= 0).all()
    for i, (low, high) in enumerate(pairwise(first)):
        part = rows[low:high]
        assert (found.begin[i], found.end[i]) == (part["start"].min(), part["end"].max())
        assert len(set(part["group"])) == 1 and (high - low == 1 or part["group"][0] >= 0)
    names = [found.name(i) for i in range(len(found.begin)) if found.name(i)]
    assert len(names) == len(set(names))
    assert not set(names) & {deleted.name for deleted in found.deleted}
    kept = len(rows) + sum(deleted.size for deleted in found.deleted)
    assert kept <= len(specs)
