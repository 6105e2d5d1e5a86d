"""AUGUSTUS's rules for words, names and values; the error texts were measured on AUGUSTUS 3.5.0."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.cli.arguments import Settings, check_names, option_classes, parse, without_effect
from augustus_dl.errors import OptionError


def test_the_query_file_may_stand_anywhere() -> None:
    for words in (["f", "--a=1", "--b=2"], ["--a=1", "f", "--b=2"], ["--a=1", "--b=2", "f"]):
        command = parse(words)
        assert command.query == "f"
        assert command.values == {"a": "1", "b": "2"}


def test_the_leftmost_of_equal_options_wins() -> None:
    assert parse(["--strand=forward", "f", "--strand=both"]).values == {"strand": "forward"}


def test_values_are_taken_whole() -> None:
    assert parse(["--a==x=y ", "--/augustus/verbosity=0"]).values == {
        "a": "=x=y ",
        "/augustus/verbosity": "0",
    }


@pytest.mark.parametrize("word", ["--version", "--help", "--paramlist"])
def test_requests_win_wherever_they_stand(word: str) -> None:
    assert parse(["a", "b", "--gff3", word]).requests == {word}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["one", "two"], "Error: 2 query files given: two and one. parameter names must start "),
        (["-v", "f"], "Error: 2 query files given: f and -v. parameter names must start with '--'"),
        (["--species", "human", "f"], "Error: 2 query files given: f and human."),
        (["", "f"], "Error: 2 query files given: f and ."),
        (["--gff3"], "'=' missing for parameter: gff3"),
        (["--foo=1", "--bar"], "'=' missing for parameter: bar"),
        (["--"], "'=' missing for parameter: "),
        (["--species="], "Wrong argument format for species. Use: --argument=value"),
        (["--genemodel"], "Wrong argument format for genemodel. Use: --argument=value"),
        (["--AUGUSTUS_CONFIG_PATH="], "Wrong argument format for AUGUSTUS_CONFIG_PATH. Use:"),
    ],
)
def test_errors_have_augustus_words(words: list[str], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(words)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_unknown_names_are_refused() -> None:
    for name in ("foo", "", "GFF3", "jobs", "chunksize", "queryfile"):
        with pytest.raises(OptionError) as caught:
            check_names({"gff3": "on", name: "1"})
        assert str(caught.value) == f'Unknown parameter: "{name}". Type "augustus" for help.'


@pytest.mark.parametrize("name", ["alnfile", "treefile", "/CompPred/phylo_model", "dbaccess"])
def test_comparative_names_are_refused_with_their_name(name: str) -> None:
    with pytest.raises(OptionError, match=f"--{name} belongs to comparative prediction"):
        check_names({name: "x"})


def test_every_option_has_a_class() -> None:
    classes = option_classes()
    assert set(classes.values()) == {"honoured", "ignored", "refused"}
    assert len(classes) > 300
    known = {name: "1" for name, kind in classes.items() if kind != "refused"}
    check_names(known)


@pytest.mark.parametrize(
    ("option", "warned"),
    [
        ("UTR=on", True),
        ("UTR=off", False),
        ("UTR=False", False),
        ("sample=100", True),
        ("sample=0", False),
        ("hintsfile=h.gff", True),
        ("maxDNAPieceSize=200000", False),
        ("contentmodels=t", False),
        ("/ExonModel/k=4", True),
        ("gff3=on", False),
    ],
)
def test_only_what_would_change_something_is_without_effect(option: str, warned: bool) -> None:
    name, value = option.split("=")
    assert list(without_effect({name: value})) == ([f"--{option}"] if warned else [])


@pytest.mark.parametrize(
    ("words", "value"),
    [("true 1 t on yes y TRUE On", True), ("false 0 f off no n False OFF", False)],
)
def test_spellings_of_booleans(words: str, value: bool) -> None:
    for word in words.split():
        assert Settings({"gff3": word}, {}).switch("gff3", not value) is value


@pytest.mark.parametrize("word", ["maybe", "", "2", "on "])
def test_other_words_are_no_booleans(word: str) -> None:
    with pytest.raises(OptionError) as caught:
        Settings({"gff3": word}, {}).switch("gff3", True)
    assert str(caught.value) == (
        f'Properties::getProperty(): cannot convert value "{word}" of key "gff3" into Boolean.'
    )


def test_the_command_line_goes_before_the_cfg_and_that_before_the_default() -> None:
    settings = Settings({"a": "on"}, {"a": "off", "b": "off"})
    assert (settings.switch("a", False), settings.switch("b", True)) == (True, False)
    assert settings.switch("c", True) is True
    assert settings.text("c", "x") == "x"


@pytest.mark.parametrize(
    ("word", "number"), [("10.7", 10), ("123 ", 123), (" -5", -5), ("250010.5", 250010)]
)
def test_numbers_are_the_digits_they_begin_with(word: str, number: int) -> None:
    assert Settings({"n": word}, {}).integer("n", 7) == number


def test_a_word_is_no_number_and_is_ignored_aloud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="augustus_dl"):
        assert Settings({"n": "abc"}, {}).integer("n", 7) == 7
    assert "--n=abc is no number" in caplog.text
    assert Settings({}, {}).integer("n", None) is None


@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        command = parse(words)
    except OptionError as error:
        assert str(error)
    else:
        assert command.query is None or command.query in words
