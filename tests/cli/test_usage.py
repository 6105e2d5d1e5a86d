"""Answers to --help, --version, --paramlist and --species=help, in AUGUSTUS's layout."""

from __future__ import annotations

import re

from augustus_dl import __version__
from augustus_dl.cli.arguments import options
from augustus_dl.cli.usage import (
    COMMANDS,
    ETRAINING_USAGE,
    HELP,
    USAGE,
    VERSION,
    parameter_list,
    species_list,
)


def test_clients_read_augustus_version() -> None:
    first, second = VERSION.splitlines()
    assert first == "AUGUSTUS (3.5.0) is a gene prediction tool."
    assert "augustus-dl" in second and __version__ in second
    assert re.findall(r"\d+\.\d+\.\d+", VERSION)[0] == "3.5.0"


def test_usage_is_the_greeting_and_the_help() -> None:
    assert f"{VERSION}\n{HELP}\n" == USAGE
    assert HELP.startswith("usage:\naugustus-dl [parameters] --species=SPECIES queryfilename\n")
    assert ETRAINING_USAGE.startswith(f"{VERSION}\nusage:\netraining --species=SPECIES trainfile")


def test_every_command_is_in_the_help_with_a_line() -> None:
    for name, summary in COMMANDS.items():
        assert re.search(rf"^  augustus-dl {name} +{re.escape(summary)}$", HELP, re.MULTILINE)


def test_options_in_the_help_have_an_effect() -> None:
    named = set(re.findall(r"--([\w/-]+)(?==)", HELP + ETRAINING_USAGE))
    assert len(named) > 40
    assert {options()[name].kind for name in named} == {"honoured"}


def test_the_help_fits_a_page() -> None:
    assert max(map(len, (HELP + ETRAINING_USAGE).splitlines())) <= 100


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
    assert lines[-3].split("|") == ["-" * 41, "-" * 22]
    assert lines[-2:] == [f"{'fly':<41}| Drosophila melanogaster", f"{'mine':<41}|"]
