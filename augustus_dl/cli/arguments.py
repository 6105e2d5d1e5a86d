"""AUGUSTUS's command-line rules: words to option values, and values to types.

Owns how words are read, which names exist (options.tsv) and the texts of the errors; what an
option does is decided in compat.py and etraining.py. Columns of options.tsv:

- name, type, values, default: as AUGUSTUS's own list of parameters has them;
- class: honoured, ignored (accepted, without effect) or refused;
- excluded: programs that do not have the option, as pygustus reads it;
- idle: values of an ignored option that ask for what happens anyway, `*` for all;
- group, note: for docs/compatibility.md.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from augustus_dl.errors import OptionError
from augustus_dl.profile_files import read_parameters

__all__ = [
    "CommandLine",
    "Option",
    "Settings",
    "check_names",
    "option_classes",
    "optional_parameters",
    "options",
    "parse",
    "without_effect",
]

_LOG = logging.getLogger(__name__)

_EARLY = frozenset(
    (
        "AUGUSTUS_CONFIG_PATH",
        "alnfile",
        "codonAlignmentFile",
        "dbaccess",
        "genemodel",
        "nc",
        "optCfgFile",
        "referenceFile",
        "singlestrand",
        "species",
        "speciesfilenames",
        "treefile",
    )
)
"""Names that AUGUSTUS reads first, with a message of their own for a missing value."""

_FORGIVING = frozenset(
    (
        "/Constant/min_coding_len",
        "alternatives-from-sampling",
        "maxDNAPieceSize",
        "maxtracks",
        "mea",
        "minexonintronprob",
        "minmeanexonintronprob",
        "noprediction",
        "predictionEnd",
        "predictionStart",
        "progress",
        "rescaleBoni",
        "sample",
        "uniqueCDS",
    )
)
"""Names whose value AUGUSTUS passes over when it cannot be read; for others that is an error."""

_SWITCHES = {word: True for word in ("true", "1", "t", "on", "yes", "y")} | {
    word: False for word in ("false", "0", "f", "off", "no", "n")
}
_INTEGER = re.compile(r"[ \t\n\r\f\v]*([+-]?[0-9]{1,18})(?![0-9])")
_NUMBER = re.compile(r"[ \t\n\r\f\v]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


@dataclass(frozen=True)
class CommandLine:
    """The words of a command line.

    Attributes:
        query: the sequence file, None when there is none.
        values: option names and values as written; of two equal names the leftmost.
        requests: which of --version, --help and --paramlist stand there.
    """

    query: str | None
    values: Mapping[str, str]
    requests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Option:
    """One row of options.tsv; `kind` is its class."""

    name: str
    kind: str
    type: str
    values: tuple[str, ...]
    default: str
    excluded: tuple[str, ...]
    idle: str
    group: str
    note: str

    @property
    def usage(self) -> str:
        """How the option is written: --name=true/false, --name=n ..."""
        usual = {"bool": "true/false", "int": "n", "float": "p", "list<string>": "a,b,..."}
        return f"--{self.name}={'/'.join(self.values) or usual.get(self.type, 'value')}"


def parse(words: Sequence[str]) -> CommandLine:
    """Read words from right to left, as AUGUSTUS does, so that the leftmost option wins.

    --version and --help end the reading: what stands left of them does not count. Names are looked
    up later, by `check_names`.

    Raises:
        OptionError: two query files, or an option without value.
    """
    query: str | None = None
    values: dict[str, str] = {}
    requests: frozenset[str] = frozenset()
    for word in reversed(words):
        name, _, value = word[2:].partition("=")
        if word in ("--version", "--help"):
            return CommandLine(None, {}, frozenset({word}))
        if word == "--paramlist":
            requests = frozenset({word})
        elif not word.startswith("--"):
            if query is not None:
                raise OptionError(
                    f"Error: 2 query files given: {query} and {word}.\n"
                    "parameter names must start with '--'"
                )
            query = word
        elif name not in _EARLY or value:
            values[name] = value
        else:
            raise OptionError(f"Wrong argument format for {name}. Use: --argument=value")
    for word in reversed(words):
        if word.startswith("--") and "=" not in word and word not in requests:
            raise OptionError(f"'=' missing for parameter: {word[2:]}")
    return CommandLine(query, values, requests)


def check_names(values: Mapping[str, str]) -> None:
    """Refuse names that AUGUSTUS does not know, and comparative prediction.

    Raises:
        OptionError: names the option.
    """
    known = options()
    for name in values:
        if name not in known or "augustus" in known[name].excluded:
            raise OptionError(f'Unknown parameter: "{name}". Type "augustus" for help.')
        if known[name].kind == "refused":
            raise OptionError(
                f"--{name} belongs to comparative prediction, which augustus-dl does not do; "
                "predict each genome by itself"
            )


def without_effect(values: Mapping[str, str]) -> Iterator[str]:
    """The options, as written, that ask for something augustus-dl does not do."""
    for name, option in options().items():
        if option.kind == "ignored" and name in values and not _is_idle(values[name], option.idle):
            yield f"--{name}={values[name]}"


def option_classes() -> dict[str, str]:
    """Each option's class: honoured, ignored or refused."""
    return {name: option.kind for name, option in options().items()}


@cache
def options() -> dict[str, Option]:
    """All options of options.tsv by name, in its order."""
    text = files("augustus_dl.cli").joinpath("options.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {
        name: Option(name, kind, type_, _list(values), default, _list(excluded), *rest)
        for name, kind, type_, values, default, excluded, *rest in rows
    }


def optional_parameters(path: str, config_folder: str | os.PathLike) -> dict[str, str]:
    """Keys and values of the file that --optCfgFile names, in the syntax of species files.

    A file that does not exist is looked for by its last name in the config folder.

    Raises:
        OptionError: it is not there either. What AUGUSTUS prints before its message is a note on
            the exception.
        SpeciesError: it cannot be read.
    """
    file = Path(path).expanduser()
    for place in (file, Path(config_folder) / file.name):
        if place.exists():
            return read_parameters(place)
    error = OptionError("Properties::readFile: Could not open the this file!")
    error.add_note(
        f"Could not find the config file {file}.\n"
        f" Looking for {file.name} in the configuration directory instead ... not found."
    )
    raise error


@dataclass(frozen=True)
class Settings:
    """Typed values: from the command line, else from cfg files, else the default given.

    Attributes:
        values: options of the command line.
        parameters: keys of the species file, those of --optCfgFile laid over them.
    """

    values: Mapping[str, str]
    parameters: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, self.parameters.get(name, default))

    def path(self, name: str) -> str:
        """A file name with `~` expanded; "" when there is none."""
        return os.path.expanduser(self.text(name, ""))

    def switch(self, name: str, default: bool) -> bool:
        """A boolean in any of AUGUSTUS's spellings.

        Raises:
            OptionError: another word, where AUGUSTUS does not pass over it.
        """
        value = self.text(name, "true" if default else "false")
        if value.lower() in _SWITCHES:
            return _SWITCHES[value.lower()]
        if name in ("UTR", "nc"):
            raise OptionError(
                f"Unknown option for parameter {name}. Use --{name}=on or --{name}=off."
            )
        self._unreadable(name, value, "Boolean")
        return default

    def integer(self, name: str, default: int | None) -> int | None:
        """The digits a value begins with, after blanks.

        Raises:
            OptionError: no digits, where AUGUSTUS does not pass over them.
        """
        value = self._given(name)
        if value is None:
            return default
        if digits := _INTEGER.match(value):
            return int(digits[1])
        self._unreadable(name, value, "Integer")
        return default

    def number(self, name: str, default: float | None) -> float | None:
        """The decimal number a value begins with, after blanks.

        Raises:
            OptionError: no number, where AUGUSTUS does not pass over it.
        """
        value = self._given(name)
        if value is None:
            return default
        digits = _NUMBER.match(value)
        if digits and math.isfinite(float(digits[1])):
            return float(digits[1])
        self._unreadable(name, value, "double")
        return default

    def _given(self, name: str) -> str | None:
        return self.values.get(name, self.parameters.get(name))

    @staticmethod
    def _unreadable(name: str, value: str, kind: str) -> None:
        if name not in _FORGIVING:
            raise OptionError(
                f'Properties::getProperty(): cannot convert value "{value}" of key "{name}" '
                f"into {kind}."
            )
        _LOG.warning("--%s=%s cannot be read and is ignored", name, value)


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _is_idle(value: str, idle: str) -> bool:
    switch = {True: "on", False: "off"}.get(_SWITCHES.get(value.lower()))
    return idle == "*" or bool({value, switch} & set(idle.split()))
