"""Extrinsic files: AUGUSTUS's syntax, every fault of it, and the files of this package."""

from __future__ import annotations

import logging
import re

import pytest

from augustus_dl.errors import InputError
from augustus_dl.hints import HintType, ScoreClasses
from augustus_dl.io.extrinsic import find_extrinsic, read_extrinsic

WHOLE = """\
# a comment
[SOURCES]
M RM E   XNT  # blank separated
[SOURCE-PARAMETERS]
E 1group1gene individual_liability
XNT individual_liability
Q 1group1gene
  [GENERAL]
# type bonus malus
   start  1  0.8       M 1 1e+100  RM 1 1  E 3 0.5 7 1 10 1e3  XNT 1 2
   ass    2  0.9 0.25  M 1 1e+100  RM 1 1
                       E 1 1       XNT 1 1
   ep     1  1   1     XNT 1 1  E 1 1  RM 1 1  M 1 1
[GROUP]
start 1 1
"""
SHIPPED = (
    *("extrinsic.cfg", "extrinsic.M.RM.E.W.P.cfg", "extrinsic.MPE.cfg", "extrinsic.E.XNT.cfg"),
    *("extrinsic.E.cfg", "extrinsic.M.RM.E.W.cfg", "extrinsic.M.RM.PB.cfg", "extrinsic.ME.cfg"),
    *("extrinsic.MEMS.cfg", "extrinsic.MP.cfg", "extrinsic.MT.cfg"),
)


def read(tmp_path, text: str, **options):
    path = tmp_path / "x.cfg"
    path.write_text(text)
    return read_extrinsic(path, **options)


def test_everything_a_file_may_say(tmp_path):
    extrinsic = read(tmp_path, WHOLE)
    assert extrinsic.sources == ("M", "RM", "E", "XNT")
    assert extrinsic.one_group_one_gene == {"E"}
    assert extrinsic.individual_liability == {"E", "XNT"}
    assert extrinsic.settings == (
        "1group1gene for E.",
        "individual_liability for E.",
        "individual_liability for XNT.",
        "acceptor splice site local malus: 0.25",
    )
    assert set(extrinsic.types) == {HintType.start, HintType.ass, HintType.exonpart}
    start, ass = extrinsic.types[HintType.start], extrinsic.types[HintType.ass]
    assert (start.bonus, start.malus, start.local_malus) == (1, 0.8, 1)
    assert start.classes["E"] == ScoreClasses((1, 10, 1e3), (0.5, 7))
    assert start.classes["M"] == ScoreClasses((1e100,))
    assert (ass.bonus, ass.malus, ass.local_malus) == (2, 0.9, 0.25)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[SOURCES]", "[SOURCE]", "lists no sources"),
        ("[GENERAL]", "[GENERALS]", "has no section [GENERAL]"),
        ("M RM E", "M R E", "the source RM must be specified in the extrinsic config file."),
        ("E 1group1gene", "E 1group2gene", "Unknown option: 1group2gene."),
        ("RM 1 1  E 3", "RQ 1 1  E 3", "esource: invalid source key: RQ"),
        ("RM 1 1  E 3", "M 1 1  E 3", "esource: invalid source key: M"),
        ("XNT 1 2", "", "esource: invalid source key: ass"),
        ("E 3 0.5 7", "E 11 0.5 7", "number of classes out of range"),
        ("E 3 0.5 7", "E 0 0.5 7", "number of classes out of range"),
        ("E 3 0.5 7", "E 3 7 0.5", "class bounds not increasing"),
        ("E 3 0.5 7", "E x 0.5 7", "the number of score classes for start of source E"),
        ("0.9 0.25", "0.9 1.25", "Local malus must be in the range 0.0-1.0."),
        ("0.9 0.25", "0.9 -1", "Local malus must be in the range 0.0-1.0."),
        ("start  1", "start one", "the bonus of start should be a number, not one"),
        ("M 1 1\n[GROUP]", "M\n[GROUP]", "it ends before the number of score classes"),
    ],
)
def test_faults_are_one_line(tmp_path, old, new, message):
    assert old in WHOLE
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_soft_masking_needs_its_source_only_when_it_is_on(tmp_path, caplog):
    rows = "".join(f"{name} 1 1 M 1 9 E 1 2 RM 1 1\n" for name in ("start", "stop"))
    with caplog.at_level(logging.WARNING):
        extrinsic = read(tmp_path, f"[SOURCES]\nM E\n[GENERAL]\n{rows}", softmasking=False)
    assert extrinsic.types[HintType.stop].classes["E"] == ScoreClasses((2,))
    assert len(caplog.messages) == 1 and "'RM'" in caplog.messages[0]


def test_unknown_types_and_useless_local_malus_are_told(tmp_path, caplog):
    text = WHOLE.replace("start ", "begin ").replace("   ass ", "   intron ")
    with caplog.at_level(logging.WARNING):
        extrinsic = read(tmp_path, text)
    assert set(extrinsic.types) == {HintType.intron, HintType.exonpart}
    assert [message for message in caplog.messages if "'begin'" in message]
    assert [message for message in caplog.messages if message.endswith("Not for intron")]
    assert len(caplog.messages) == 2


def test_places_to_look_for_a_file(tmp_path):
    own = tmp_path / "config" / "extrinsic"
    own.mkdir(parents=True)
    (own / "extrinsic.MPE.cfg").write_text(WHOLE)
    (tmp_path / "mine.cfg").write_text(WHOLE)
    config = tmp_path / "config"
    assert find_extrinsic(tmp_path / "mine.cfg", config) == tmp_path / "mine.cfg"
    assert find_extrinsic("extrinsic.MPE.cfg", config) == own / "extrinsic.MPE.cfg"
    shipped = find_extrinsic("extrinsic.cfg", config)
    assert shipped.is_file() and not shipped.is_relative_to(tmp_path)
    message = f"Could neither find extrinsic config file no.cfg nor {own}/no.cfg."
    with pytest.raises(InputError, match=re.escape(message)):
        find_extrinsic("no.cfg", config)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_are_whole(name, caplog):
    extrinsic = read_extrinsic(find_extrinsic(name))
    assert not caplog.messages
    assert set(extrinsic.types) == set(HintType)
    for type_, factors in extrinsic.types.items():
        assert factors.bonus == 1 and 0 < factors.malus <= 1 and 0 < factors.local_malus <= 1
        assert set(factors.classes) == set(extrinsic.sources)
        assert factors.classes["M"].factors == (1e100,)
        assert factors.classes["RM"].factors == ((1.15,) if type_.name == "nonexonpart" else (1,))


def test_the_table_of_the_readme_names_the_shipped_files():
    readme = find_extrinsic("extrinsic.cfg").parents[1] / "README.md"
    assert set(re.findall(r"`(extrinsic\.\S*cfg)`", readme.read_text())) == set(SHIPPED)
    assert {path.name for path in (readme.parent / "extrinsic").iterdir()} == set(SHIPPED)
