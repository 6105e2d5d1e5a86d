"""AUGUSTUS's rules for words, names and values; the error texts were measured on AUGUSTUS 3.5.0.

python -m pytest tests/cli/test_arguments.py
"""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augustus_dl.cli.arguments import (
    Settings,
    check_names,
    option_classes,
    optional_parameters,
    options,
    parse,
    without_effect,
)
from augustus_dl.errors import AugustusError, OptionError

WORDS = [
    (["one", "two"], "Error: 2 query files given: two and one.\nparameter names must start with"),
    (["a", "b", "c"], "Error: 2 query files given: c and b.\nparameter names must start with '--'"),
    (["-v", "f"], "Error: 2 query files given: f and -v.\nparameter names must start with '--'"),
    (["--species", "human", "f"], "Error: 2 query files given: f and human.\nparameter names"),
    (["", "f"], "Error: 2 query files given: f and .\nparameter names must start with '--'"),
    (["--version", "a", "b"], "Error: 2 query files given: b and a.\nparameter names must start"),
    (["--gff3"], "'=' missing for parameter: gff3"),
    (["--foo=1", "--bar"], "'=' missing for parameter: bar"),
    (["--"], "'=' missing for parameter: "),
    (["--species="], "Wrong argument format for species. Use: --argument=value"),
    (["--species"], "Wrong argument format for species. Use: --argument=value"),
    (["--genemodel"], "Wrong argument format for genemodel. Use: --argument=value"),
    (["--singlestrand="], "Wrong argument format for singlestrand. Use: --argument=value"),
    (["--optCfgFile="], "Wrong argument format for optCfgFile. Use: --argument=value"),
    (["--nc"], "Wrong argument format for nc. Use: --argument=value"),
    (["--AUGUSTUS_CONFIG_PATH="], "Wrong argument format for AUGUSTUS_CONFIG_PATH. Use:"),
    (["--foo=1"], 'Unknown parameter: "foo". Type "augustus" for help.'),
    (["--=x"], 'Unknown parameter: "". Type "augustus" for help.'),
    (["--GFF3=on"], 'Unknown parameter: "GFF3". Type "augustus" for help.'),
    (["--queryfile=f"], 'Unknown parameter: "queryfile". Type "augustus" for help.'),
    (["--jobs=2"], 'Unknown parameter: "jobs". Type "augustus" for help.'),
    (["--chunksize=2"], 'Unknown parameter: "chunksize". Type "augustus" for help.'),
]
VALUES = [
    ("gff3", "maybe", 'cannot convert value "maybe" of key "gff3" into Boolean.'),
    ("gff3", "", 'cannot convert value "" of key "gff3" into Boolean.'),
    ("protein", "on ", 'cannot convert value "on " of key "protein" into Boolean.'),
    ("softmasking", "2", 'cannot convert value "2" of key "softmasking" into Boolean.'),
    ("UTR", "maybe", "Unknown option for parameter UTR. Use --UTR=on or --UTR=off."),
    ("temperature", "abc", 'cannot convert value "abc" of key "temperature" into Integer.'),
    ("translation_table", "", 'cannot convert value "" of key "translation_table" into Integer.'),
    ("/Constant/amberprob", "x", 'cannot convert value "x" of key "/Constant/amberprob" into doub'),
]


def read(name: str, value: str) -> object:
    """The value as the command line's type; any default shows that it was passed over."""
    given = Settings({name: value}, {})
    if name in ("temperature", "translation_table", "sample", "maxtracks", "predictionStart"):
        return given.integer(name, 77)
    if name in ("/Constant/amberprob", "minexonintronprob"):
        return given.number(name, 77.0)
    return given.switch(name, False)


def refused(words: list[str]) -> str:
    """The message that words get."""
    with pytest.raises(OptionError) as caught:
        check_names(parse(words).values)
    return str(caught.value)


def test_the_query_file_may_stand_anywhere() -> None:
    for words in (["f", "--a=1", "--b=2"], ["--a=1", "f", "--b=2"], ["--a=1", "--b=2", "f"]):
        command = parse(words)
        assert command.query == "f"
        assert command.values == {"a": "1", "b": "2"}


def test_the_leftmost_of_equal_options_wins() -> None:
    assert parse(["--strand=forward", "f", "--strand=both"]).values == {"strand": "forward"}
    assert parse(["--species=a", "--species=b"]).values == {"species": "a"}


def test_values_are_taken_whole() -> None:
    assert parse(["--a==x=y ", "--/augustus/verbosity=0", "--b="]).values == {
        "a": "=x=y ",
        "/augustus/verbosity": "0",
        "b": "",
    }


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_end_the_reading(word: str) -> None:
    assert parse(["a", "b", "--gff3", "--species=", word, "--foo", "f"]).requests == {word}


def test_of_version_and_help_the_right_one_counts() -> None:
    assert parse(["--help", "--version"]).requests == {"--version"}


def test_the_parameter_list_needs_a_valid_command_line() -> None:
    command = parse(["--paramlist", "--AUGUSTUS_CONFIG_PATH=x"])
    assert (command.requests, command.values["AUGUSTUS_CONFIG_PATH"]) == ({"--paramlist"}, "x")
    assert refused(["--paramlist", "a", "b"]).startswith("Error: 2 query files given: b and a.")


@pytest.mark.parametrize(("words", "message"), WORDS)
def test_wrong_words_get_augustus_messages(words: list[str], message: str) -> None:
    assert refused(words).startswith(message)


@pytest.mark.parametrize(("name", "value", "message"), VALUES)
def test_wrong_values_get_augustus_messages(name: str, value: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(name, value)
    assert str(caught.value).removeprefix("Properties::getProperty(): ").startswith(message)


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("progress", "maybe", False),
        ("mea", "", False),
        ("alternatives-from-sampling", "2", False),
        ("sample", "abc", 77),
        ("maxtracks", "", 77),
        ("predictionStart", "x1", 77),
        ("predictionStart", "9" * 30, 77),
        ("minexonintronprob", "e5", 77.0),
        ("minexonintronprob", "1e999", 77.0),
    ],
)
def test_where_augustus_passes_over_a_value_it_is_ignored_aloud(
    caplog: pytest.LogCaptureFixture, name: str, value: str, default: object
) -> None:
    with caplog.at_level(logging.WARNING, logger="augustus_dl"):
        assert read(name, value) == default
    assert caplog.messages == [f"--{name}={value} cannot be read and is ignored"]


@pytest.mark.parametrize(
    "words", [*(words for words, _ in WORDS), *([f"--{n}={v}"] for n, v, _ in VALUES)]
)
def test_the_messages_are_those_of_the_installed_augustus(
    augustus: Callable[[list[str]], subprocess.CompletedProcess[str]],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)
    given = words if any("species" in word for word in words) else ["--species=human", *words]
    done = augustus(given)
    frame = re.fullmatch(r"\naugustus: ERROR\n\t(.*)\n\n", done.stderr, re.DOTALL)
    assert (done.returncode, done.stdout) == (1, "")
    with pytest.raises(OptionError) as caught:
        values = parse(given).values
        check_names(values)
        for name, value in values.items():
            if name != "species":
                read(name, value)
    assert frame and str(caught.value) == frame[1]


@pytest.mark.parametrize("name", ["alnfile", "treefile", "/CompPred/phylo_model", "dbaccess"])
def test_comparative_names_are_refused_with_their_name(name: str) -> None:
    with pytest.raises(OptionError, match=f"--{name} belongs to comparative prediction"):
        check_names({name: "x"})


def test_every_option_has_a_class_and_a_note() -> None:
    assert {option.kind for option in options().values()} == {"honoured", "ignored", "refused"}
    assert all(option.note and option.group for option in options().values())
    own = [name for name, option in options().items() if option.group == "augustus-dl"]
    assert own == ["accurate", "cluster", "device", "gff3-strict"]
    assert len(options()) == 338 + len(own) + len(["nc"])  # AUGUSTUS's list lacks nc
    assert list(options()) == sorted(options(), key=lambda name: (name.lower(), name))
    check_names({name: "1" for name, kind in option_classes().items() if kind != "refused"})


def test_only_options_of_pygustus_are_excluded_from_augustus() -> None:
    rows = options().values()
    assert {row.name for row in rows if "augustus" in row.excluded} == {
        row.name for row in rows if row.group == "pygustus"
    }


@pytest.mark.parametrize(
    ("option", "warned"),
    [
        ("nc=on", True),
        ("nc=off", False),
        ("CRF=False", False),
        ("CRF=1", True),
        ("contentmodels=t", False),
        ("contentmodels=off", True),
        ("/IntronModel/verbosity=0", False),
        ("/ExonModel/k=4", True),
        ("gff3=on", False),
        ("species=human", False),
    ],
)
def test_only_what_would_change_something_is_without_effect(option: str, warned: bool) -> None:
    name, value = option.split("=")
    assert list(without_effect({name: value})) == ([f"--{option}"] if warned else [])


@pytest.mark.parametrize(
    ("words", "value"),
    [("true 1 t on yes y TRUE On True", True), ("false 0 f off no n False OFF", False)],
)
def test_spellings_of_booleans(words: str, value: bool) -> None:
    for word in words.split():
        assert Settings({"gff3": word}, {}).switch("gff3", not value) is value


def test_the_command_line_goes_before_the_cfg_and_that_before_the_default() -> None:
    settings = Settings({"a": "on"}, {"a": "off", "b": "off", "n": "4"})
    assert (settings.switch("a", False), settings.switch("b", True)) == (True, False)
    assert settings.switch("c", True) is True
    assert settings.text("c", "x") == "x"
    assert (settings.integer("n", 7), settings.integer("m", None)) == (4, None)
    assert (settings.number("n", 0.5), settings.number("m", 0.5)) == (4.0, 0.5)


@pytest.mark.parametrize(
    ("word", "number"),
    [("10.7", 10), ("123 ", 123), (" -5", -5), ("250010.5", 250010), ("+100", 100), ("1e3", 1)],
)
def test_integers_are_the_digits_they_begin_with(word: str, number: int) -> None:
    assert Settings({"n": word}, {}).integer("n", 7) == number


@pytest.mark.parametrize(
    ("word", "number"), [("0.5", 0.5), (" .5x", 0.5), ("1e-3 ", 1e-3), ("-2", -2.0), ("3.", 3.0)]
)
def test_numbers_are_what_they_begin_with(word: str, number: float) -> None:
    assert Settings({"n": word}, {}).number("n", 7) == number


def test_home_is_expanded_in_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert Settings({"hintsfile": "~/h.gff"}, {}).path("hintsfile") == "/home/me/h.gff"
    assert Settings({}, {"extrinsicCfgFile": "a~b"}).path("extrinsicCfgFile") == "a~b"
    assert Settings({}, {}).path("hintsfile") == ""


def test_optional_parameters_have_the_syntax_of_species_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "o.cfg").write_text("gff3 on # why\n# cds off\nsample 5\nsample 9\n")
    found = {"gff3": "on", "sample": "9"}
    assert optional_parameters("~/o.cfg", "/nowhere") == found
    assert optional_parameters("/nowhere/o.cfg", tmp_path) == found


def test_a_missing_file_of_optional_parameters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        optional_parameters("/nowhere/x.cfg", tmp_path)
    assert str(caught.value) == "Properties::readFile: Could not open the this file!"
    assert caught.value.__notes__ == [
        "Could not find the config file /nowhere/x.cfg.\n"
        " Looking for x.cfg in the configuration directory instead ... not found."
    ]


texts = st.text(max_size=8)
names = st.one_of(st.sampled_from(sorted(options())), texts)
values = st.one_of(
    st.sampled_from(["on", "off", "maybe", "", " 12", "1e9", "-3.5", "nan", "٣", "~", "9" * 99]),
    texts,
)
words = st.one_of(
    st.builds("--{}={}".format, names, values),
    st.builds("--{}".format, names),
    st.sampled_from(["--version", "--help", "--paramlist", "-", "--", "-h"]),
    texts,
)


@settings(max_examples=500, deadline=None)
@given(st.lists(words, max_size=8), st.booleans())
def test_any_words_are_read_or_refused(line: list[str], flag: bool) -> None:
    try:
        command = parse(line)
        check_names(command.values)
    except AugustusError as error:
        assert 1 <= len(str(error).splitlines()) <= 8 + str(line).count("\\")
        return
    assert command.query is None or command.query in line
    list(without_effect(command.values))
    given = Settings(command.values, {"sample": "100", "gff3": "on"})
    for name in command.values:
        for take, default in ((given.switch, flag), (given.integer, 3), (given.number, 0.5)):
            try:
                assert isinstance(take(name, default), type(default))
            except OptionError as error:
                assert name in str(error)
