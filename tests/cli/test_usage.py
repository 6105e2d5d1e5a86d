"""Answers to --help, --version, --paramlist and --species=help, in AUGUSTUS's layout."""

from __future__ import annotations

import re

import pytest

from augustus_dl import __version__
from augustus_dl.cli.arguments import options
from augustus_dl.cli.usage import (
    COMMANDS,
    ETRAINING_USAGE,
    VERSION,
    help_text,
    parameter_list,
    species_list,
    usage,
)


def test_clients_read_augustus_version() -> None:
    first, second = VERSION.splitlines()
    assert first == "AUGUSTUS (3.5.0) is a gene prediction tool."
    assert "augustus-dl" in second and __version__ in second
    assert re.findall(r"\d+\.\d+\.\d+", VERSION)[0] == "3.5.0"


def test_usage_is_the_greeting_and_the_help() -> None:
    assert f"{VERSION}\n{help_text()}\n" == usage()
    assert ETRAINING_USAGE.startswith(f"{VERSION}\nusage:\netraining --species=SPECIES trainfile")


@pytest.mark.parametrize("program", ["augustus-dl", "augustus"])
def test_the_usage_names_the_program_as_it_was_called(program: str) -> None:
    begin = f"usage:\n{program} [parameters] --species=SPECIES queryfilename\n"
    assert help_text(program).startswith(begin)
    assert f'type "{program} --paramlist"' in help_text(program)
    assert f"\n\n{begin}" in usage(program)
    assert species_list([], program).startswith(begin)


def test_every_command_is_in_the_help_with_a_line() -> None:
    for name, summary in COMMANDS.items():
        assert re.search(
            rf"^  augustus-dl {name} +{re.escape(summary)}$", help_text("augustus"), re.MULTILINE
        )


def test_options_in_the_help_have_an_effect() -> None:
    named = set(re.findall(r"--([\w/-]+)(?==)", help_text() + ETRAINING_USAGE))
    assert len(named) > 40
    assert {name for name in named if options()[name].kind != "honoured"} == {"noInFrameStop"}
    assert options()["noInFrameStop"].idle == "*"  # what it asks for is so anyway


def test_the_help_fits_a_page() -> None:
    assert max(map(len, (help_text() + ETRAINING_USAGE).splitlines())) <= 100


def test_the_parameter_list_has_augustus_layout() -> None:
    text = parameter_list()
    assert text.startswith("Possible parameter names are:\n/augustus/verbosity\n  Type: int\n")
    assert text.endswith("\n\n")
    assert (
        "\n\nstrand\n"
        "  Type: string\n"
        '  Default value: "both"\n'
        '  Possible value(s): ["both","forward","backward"]\n'
        "  Usage: --strand=both/forward/backward\n"
        f"  Description: {options()['strand'].note}\n\n"
    ) in text
    names = re.findall(r"^(\S+)\n  ", text, re.MULTILINE)
    assert names == [name for name, row in options().items() if row.kind == "honoured"]


@pytest.mark.parametrize(
    ("kind", "heading"), [("ignored", "Accepted without effect:"), ("refused", "Refused, since ")]
)
def test_the_parameter_list_names_what_has_no_effect(kind: str, heading: str) -> None:
    (part,) = (text for text in parameter_list().split("\n\n") if text.startswith(heading))
    assert part.rstrip("\n").splitlines()[1:] == [
        name
        for name, row in options().items()
        if row.kind == kind and "augustus" not in row.excluded
    ]


def test_usages_are_written_as_options() -> None:
    usages = {name: row.usage for name, row in options().items()}
    assert usages["sample"] == "--sample=n"
    assert usages["minexonintronprob"] == "--minexonintronprob=p"
    assert usages["gff3"] == "--gff3=true/false"
    assert usages["introns"] == "--introns=on/off"
    assert usages["hintsfile"] == "--hintsfile=value"
    assert usages["allow_hinted_splicesites"] == "--allow_hinted_splicesites=a,b,..."


def test_the_species_list_is_a_table() -> None:
    lines = species_list([("fly", "Drosophila melanogaster"), ("mine", "")]).splitlines()
    assert lines[-4].split("|") == ["-" * 41, "-" * 22]
    assert lines[-3].startswith(f"{'auto':<41}| not known: ")
    assert lines[-2:] == [f"{'fly':<41}| Drosophila melanogaster", f"{'mine':<41}|"]
