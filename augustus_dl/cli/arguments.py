"""AUGUSTUS's command-line rules: words to option values, and values to types.

Owns how words are read, which names exist (options.tsv) and the texts of the errors; what an
option does is decided in compat.py. Columns of options.tsv: `name`; `class`, which is honoured,
ignored (accepted, without effect) or refused (comparative prediction); `idle`, the values of an
ignored option that ask for nothing else than what happens anyway, `*` for all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from augustus_dl.errors import OptionError

__all__ = ["CommandLine", "Settings", "check_names", "option_classes", "parse", "without_effect"]

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

_SWITCHES = {word: True for word in ("true", "1", "t", "on", "yes", "y")} | {
    word: False for word in ("false", "0", "f", "off", "no", "n")
}


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


def parse(words: Sequence[str]) -> CommandLine:
    """Read words from right to left, as AUGUSTUS does, so that the leftmost option wins.

    Names are looked up later, by `check_names`.

    Raises:
        OptionError: two query files, or an option without value.
    """
    query, values = None, {}
    requests = frozenset(words) & {"--version", "--help", "--paramlist"}
    if requests:
        return CommandLine(None, {}, requests)
    for word in reversed(words):
        if not word.startswith("--"):
            if query is not None:
                raise OptionError(
                    f"Error: 2 query files given: {query} and {word}. "
                    "parameter names must start with '--'"
                )
            query = word
            continue
        name, equals, value = word[2:].partition("=")
        if name in _EARLY and not value:
            raise OptionError(f"Wrong argument format for {name}. Use: --argument=value")
        if not equals:
            raise OptionError(f"'=' missing for parameter: {name}")
        values[name] = value
    return CommandLine(query, values, requests)


def check_names(values: Mapping[str, str]) -> None:
    """Refuse names that AUGUSTUS does not know, and comparative prediction.

    Raises:
        OptionError: names the option.
    """
    classes = option_classes()
    for name in values:
        if name not in classes:
            raise OptionError(f'Unknown parameter: "{name}". Type "augustus" for help.')
        if classes[name] == "refused":
            raise OptionError(
                f"--{name} belongs to comparative prediction, which augustus-dl does not do; "
                "predict each genome by itself"
            )


def without_effect(values: Mapping[str, str]) -> Iterator[str]:
    """The options, as written, that ask for something augustus-dl does not do yet."""
    for name, (kind, idle) in _table().items():
        if kind == "ignored" and name in values and not _is_idle(values[name], idle):
            yield f"--{name}={values[name]}"


def option_classes() -> dict[str, str]:
    """Each option's class: honoured, ignored or refused."""
    return {name: kind for name, (kind, _) in _table().items()}


@dataclass(frozen=True)
class Settings:
    """Typed values: from the command line, else from the species' cfg, else the default given."""

    values: Mapping[str, str]
    parameters: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, self.parameters.get(name, default))

    def switch(self, name: str, default: bool) -> bool:
        """A boolean in any of AUGUSTUS's spellings.

        Raises:
            OptionError: another word.
        """
        value = self.text(name, "true" if default else "false")
        if value.lower() not in _SWITCHES:
            raise OptionError(
                f'Properties::getProperty(): cannot convert value "{value}" of key "{name}" '
                "into Boolean."
            )
        return _SWITCHES[value.lower()]

    def integer(self, name: str, default: int | None) -> int | None:
        """The digits a value begins with; a value without digits is left out with a warning."""
        value = self.text(name, "")
        digits = re.match(r"\s*[+-]?\d+", value)
        if digits:
            return int(digits.group())
        if value or name in self.values:
            _LOG.warning("--%s=%s is no number and is ignored", name, value)
        return default


@cache
def _table() -> dict[str, tuple[str, str]]:
    text = files("augustus_dl.cli").joinpath("options.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {name: (kind, idle) for name, kind, idle in rows}


def _is_idle(value: str, idle: str) -> bool:
    switch = {True: "on", False: "off"}.get(_SWITCHES.get(value.lower()))
    return idle == "*" or bool({value, switch} & set(idle.split()))
