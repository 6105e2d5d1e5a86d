"""Hints files: every column and attribute, faulty lines, ranges; and the lines that are printed."""

from __future__ import annotations

import gzip
import logging
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.errors import InputError
from augustus_dl.hints import SPELLINGS, Extrinsic, HintType, ScoreClasses, TypeFactors
from augustus_dl.io.hints import hint_lines, read_hints

FACTORS = {"E": ScoreClasses((10.0,)), "XNT": ScoreClasses((1.0,))}
EXTRINSIC = Extrinsic(
    sources=("M", "E", "XNT", "RM"),
    types={type_: TypeFactors(2, 0.5, classes=FACTORS) for type_ in HintType},
)
LINE = "chr1\tb2h\tintron\t101\t200\t5\t+\t.\tsrc=E;grp=g1;pri=4;mult=7\n"


def read(tmp_path, text: str, extrinsic: Extrinsic = EXTRINSIC, **options):
    path = tmp_path / "x.gff"
    path.write_text(text)
    return read_hints(path, extrinsic, **options)


def fields(hint: np.void) -> dict:
    return {name: hint[name].item() for name in hint.dtype.names}


def test_all_columns(tmp_path):
    hints = read(tmp_path, "# comment\n\n" + LINE).of("chr1")
    (hint,) = hints.rows
    assert fields(hint) == {
        "sequence": 0,
        "type": HintType.intron,
        "spelling": HintType.intron,
        "start": 100,
        "end": 200,
        "score": 5,
        "strand": 1,
        "frame": -1,
        "source": 1,
        "priority": 4,
        "mult": 7,
        "group": 0,
        "program": 0,
        "bonus": 140,
    }
    assert (hints.groups, hints.programs, hints.sources) == (["g1"], ["b2h"], EXTRINSIC.sources)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("source=XNT", ("XNT", "", -1, 1)),
        ("mult=2;pri=3;src=E", ("E", "", 3, 2)),
        ("src=XNT;group=a b;priority=12x;mult=", ("XNT", "a", 12, 1)),
        ("gb|AAA35803.1 source=M", ("M", "", -1, 1)),
        ("src=E source=M", ("M", "", -1, 1)),  # the longer name of a key wins
        ("grp=;src=E", ("E", ";src=E", -1, 1)),  # as AUGUSTUS: a group has one letter at least
        ("src=E1;pri=-2", ("E", "", -2, 1)),
        ("src=E;mult=99999999999", ("E", "", -1, 2**31 - 1)),
    ],
)
def test_attributes(tmp_path, attributes, expected):
    line = LINE.replace("src=E;grp=g1;pri=4;mult=7", attributes)
    hints = read(tmp_path, line).of("chr1")
    (hint,) = hints.rows
    group = hints.groups[hint["group"]] if hint["group"] >= 0 else ""
    source = EXTRINSIC.sources[hint["source"]]
    assert (source, group, hint["priority"], hint["mult"]) == expected


@pytest.mark.parametrize("name", SPELLINGS)
def test_names_of_types(tmp_path, name):
    (hint,) = read(tmp_path, LINE.replace("intron", name)).of("chr1").rows
    assert hint["type"] == SPELLINGS[name]
    assert list(SPELLINGS)[hint["spelling"]] == name


@pytest.mark.parametrize(
    ("column", "text", "name", "value"),
    [
        (5, ".", "score", 0),
        (5, "6.3e-239", "score", 6.3e-239),
        (5, "7.5 bits", "score", 7.5),
        (5, "x", "score", 0),
        (6, ".", "strand", 0),
        (6, "-", "strand", -1),
        (7, "2", "frame", 2),
        (7, "3", "frame", -1),
        (3, "10x", "start", 9),
    ],
)
def test_odd_columns(tmp_path, column, text, name, value):
    columns = LINE.split("\t")
    columns[column] = text
    (hint,) = read(tmp_path, "\t".join(columns)).of("chr1").rows
    assert hint[name] == value


def test_sequences_keep_the_order_of_the_file(tmp_path):
    lines = [
        LINE.replace("chr1", name).replace("101", str(start))
        for name, start in (("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5))
    ]
    collection = read(tmp_path, "".join(lines))
    assert list(collection.bounds) == ["b", "a", "c"]
    starts = {name: collection.of(name).rows["start"].tolist() for name in "abc"}
    assert starts == {"a": [1, 4], "b": [0, 2], "c": [3]}


def test_line_ends_compression_and_block_size(tmp_path, monkeypatch):
    text = "".join(LINE.replace("101", str(i)) for i in range(1, 100))
    plain = read(tmp_path, text)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(text.replace("\n", "\r\n").encode()))
    monkeypatch.setattr("augustus_dl.io.hints._BLOCK", 10)
    packed = read_hints(path, EXTRINSIC)
    assert (packed.rows == plain.rows).all() and packed.bounds == plain.bounds


@pytest.mark.parametrize("text", ["", "\n \n", "# only a comment\n"])
def test_no_hints_are_fine(tmp_path, text):
    collection = read(tmp_path, text)
    assert len(collection.rows) == 0 and not collection.bounds


def test_hints_that_change_nothing_are_left_out_but_introns_stay(tmp_path):
    types = {type_: TypeFactors(1, 1, classes=FACTORS) for type_ in HintType}
    extrinsic = Extrinsic(EXTRINSIC.sources, types)
    text = LINE.replace("src=E", "src=XNT")
    collection = read(tmp_path, text + text.replace("intron", "exon") + LINE, extrinsic)
    assert collection.rows["bonus"].tolist() == [1, 70]


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20)), min_size=1, max_size=20),
    st.integers(0, 50),
    st.integers(1, 30),
)
def test_range_and_shift(tmp_path_factory, spans, start, length):
    text = "".join(LINE.replace("101\t200", f"{first}\t{first + more}") for first, more in spans)
    tmp_path = tmp_path_factory.mktemp("range")
    inside = [s for s in spans if s[0] <= start + length and s[0] + s[1] >= start + 1]
    hints = read(tmp_path, text, window=(start, start + length), shift=-start).of("chr1")
    assert hints.rows["start"].tolist() == [first - 1 - start for first, _ in inside]
    assert hints.rows["end"].tolist() == [first + more - start for first, more in inside]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE.replace("\t", " "), "Line not tab separated. Maybe you used spaces instead of tab"),
        (LINE.replace("src=E", "src=P"), "FeatureCollection::esource: invalid source key: P"),
        (LINE.replace("src=E", "sort=E"), "No source specified (e.g. by source=M in the last"),
        (LINE.replace("src=E", "src=5"), "No source specified (e.g. by source=M in the last"),
        (LINE * 2 + LINE.replace("src=E", "src=e"), "invalid source key: e"),
        ("chr1\tb2h\tintron\t1\t2\n", "Could not read score column."),
        (LINE.replace("101", "201"), "It does not end behind its start."),
        (LINE.replace("200", "9" * 30), "It does not end behind its start."),
    ],
)
def test_faults_are_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value) and "x.gff:" in str(caught.value)


def test_missing_file(tmp_path):
    message = f"FeatureCollection::readGFFFile( {tmp_path}/no ) : Could not open the file!!!"
    with pytest.raises(InputError, match=re.escape(message)):
        read_hints(tmp_path / "no", EXTRINSIC)


def test_later_faulty_lines_and_useless_types_are_told_and_left_out(tmp_path, caplog):
    extrinsic = Extrinsic(EXTRINSIC.sources, dict(EXTRINSIC.types))
    del extrinsic.types[HintType.CDS]
    foo, cds = (LINE.replace("intron", name) for name in ("foo", "CDS"))
    with caplog.at_level(logging.WARNING):
        collection = read(tmp_path, LINE + "a b c\n" + foo * 3 + cds * 2 + LINE, extrinsic)
    assert len(collection.rows) == 2
    bad, unknown, rowless = caplog.messages
    assert "x.gff:2: Error in hint line: a b c Line not tab separated." in bad
    assert unknown.startswith("Unknown hint feature 'foo'. Ignoring it.")
    assert rowless.startswith("Hint feature 'CDS' has no row")


def test_sources_of_hints_out_of_range_do_not_matter(tmp_path):
    text = LINE + LINE.replace("101\t200", "801\t900").replace("src=E", "src=P")
    assert len(read(tmp_path, text, window=(0, 500)).rows) == 1


def listed(tmp_path, text: str, **options) -> list[str]:
    codes = np.tile(np.array([2, 3, 0, 2], dtype=np.uint8), 100)  # GTAG
    hints = read(tmp_path, text).of("chr1")
    groups = group_hints(hints, codes, None, EXTRINSIC, GroupingOptions())
    return list(hint_lines(groups, EXTRINSIC, "chr1", **options))


def test_hints_are_listed_by_type_and_end(tmp_path):
    text = (
        LINE
        + "chr1\tp\tep\t5\t9\t.\t.\t2\tsource=E\n"
        + "chr1\tp\texonpart\t1\t8\t1e-7\t-\t.\tsource=E\n"
    )
    assert listed(tmp_path, text, listing=True) == [
        "# Constraints/Hints:",
        'chr1\tp\texonpart\t1\t8\t1e-07\t-\t.\tsrc=E "20;0.5;0:0"',
        'chr1\tp\tep\t5\t9\t0\t.\t2\tsrc=E "20;0.5;0:0"',
        'chr1\tb2h\tintron\t101\t200\t5\t+\t.\tgrp=g1;mult=7;pri=4;src=E "893.153;0.5;6:0"',
    ]
    last = listed(tmp_path, text, listing=True, offset=1000, digits=3)[-1]
    assert last.split("\t")[3:5] == ["1101", "1200"] and last.endswith('"893;0.5;6:0"')


def test_what_is_said_of_groups(tmp_path):
    short, turned = LINE.replace("\t200", "\t110"), LINE.replace("+", "-").replace("grp=g1;", "")
    text = short + turned + LINE.replace("+", ".").replace("g1", "g3")
    expected = [
        "# Error: intron hint is too short.",
        '# chr1\tb2h\tintron\t101\t110\t5\t+\t.\tgrp=g1;mult=7;pri=4;src=E "140;0.5;0:0"',
        "# Delete group HintGroup g1, 100-109, mult= 7, priority= 4 1 features",
        "# Delete group HintGroup , 100-199, mult= 7, priority= 4 1 features",
        "# Forced unstranded hint group to the only possible strand for 1 groups.",
        "# Deleted 2 groups because some hint was not satisfiable.",
    ]
    assert listed(tmp_path, text) == expected
    assert listed(tmp_path, text, verbosity=2) == expected[:2] + expected[4:]
    assert listed(tmp_path, text, verbosity=0) == []


def test_nothing_to_list(tmp_path):
    assert listed(tmp_path, "", listing=True) == ["# Constraints/Hints:", "# (none)"]
    assert listed(tmp_path, LINE) == []
