"""Extrinsic configuration files: which sources of hints there are and how far each is trusted.

Owns AUGUSTUS's syntax. Words count, line ends do not, `#` begins a comment:

    [SOURCES]            names of all sources, on one line
    [SOURCE-PARAMETERS]  per line a source and its flags; may be missing
    [GENERAL]            per type: name, bonus, malus, maybe a local malus, and for every source its
                         name, k, k - 1 bounds of the score and k factors
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from augustus_dl.errors import InputError
from augustus_dl.hints import SPELLINGS, Extrinsic, HintType, ScoreClasses, TypeFactors
from augustus_dl.io.files import lines

__all__ = ["UNKNOWN_TYPE", "find_extrinsic", "read_extrinsic"]

UNKNOWN_TYPE = (
    "Unknown hint feature '{}'. Ignoring it. For a list of the 17 allowed features see the first "
    "column of the table in config/extrinsic/extrinsic.cfg."
)
_SOFTMASKING_SOURCE = "RM"

_WHAT = "extrinsic config file"
_FLAGS = ("individual_liability", "1group1gene")
_MAX_CLASSES = 10
_LOCAL_MALUS = {
    HintType.UTRpart: "UTRpart",
    HintType.CDSpart: "CDSpart",
    HintType.dss: "donor splice site",
    HintType.ass: "acceptor splice site",
    HintType.exonpart: "exon",
}
"""Types that may have a local malus, and what AUGUSTUS calls them there."""
_LOG = logging.getLogger(__name__)


def find_extrinsic(name: str | os.PathLike, config_folder: str | os.PathLike | None = None) -> Path:
    """The extrinsic file with this path, else of this name below `config/extrinsic`.

    Args:
        config_folder: the user's config folder, looked into before the files of this package.

    Raises:
        InputError: there is none.
    """
    shipped = Path(str(files("augustus_dl.config").joinpath("extrinsic")))
    folders = [Path(config_folder) / "extrinsic"] if config_folder else []
    own = Path(name).expanduser()
    below = [folder / name for folder in (*folders, shipped)]
    for path in (own, *below):
        if path.is_file():
            return path
    raise InputError(f"Could neither find extrinsic config file {name} nor {below[0]}.")


def read_extrinsic(path: str | os.PathLike, softmasking: bool = True) -> Extrinsic:
    """Sources, flags and factors of an extrinsic file.

    Args:
        softmasking: lower case is used as hints, so that their source must be there.

    Raises:
        InputError: no such file, or one that is not as the module describes it.
    """
    sections = _sections(path)
    sources = tuple(re.findall("[A-Za-z]+", (sections.get("SOURCES") or [""])[0]))
    if not sources:
        raise InputError(f"{_WHAT} {path} lists no sources below [SOURCES]")
    if softmasking and _SOFTMASKING_SOURCE not in sources:
        raise InputError(
            "When the softmasking option is turned on, the source RM must be specified in the "
            f"extrinsic config file. ({path})"
        )
    flags, settings = _flags(path, sources, sections.get("SOURCE-PARAMETERS", []))
    if "GENERAL" not in sections:
        raise InputError(f"{_WHAT} {path} has no section [GENERAL]")
    table = _Table(path, sources, " ".join(sections["GENERAL"]).split())
    return Extrinsic(
        sources=sources,
        types=table.read(),
        individual_liability=flags["individual_liability"],
        one_group_one_gene=flags["1group1gene"],
        settings=(*settings, *table.settings),
    )


def _sections(path: str | os.PathLike) -> dict[str, list[str]]:
    """Lines of each section without comments and blank lines; the first of a name counts."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for _, line in lines(path, _WHAT):
        text = line.partition("#")[0].strip()
        if heading := re.fullmatch(r"\[(.+)\]", text):
            current = []
            sections.setdefault(heading[1], current)
        elif text:
            current.append(text)
    return sections


def _flags(
    path: str | os.PathLike, sources: Sequence[str], section: Sequence[str]
) -> tuple[dict[str, frozenset[str]], list[str]]:
    """Sources that have each flag, and what AUGUSTUS says about it."""
    having: dict[str, set[str]] = {flag: set() for flag in _FLAGS}
    settings = []
    for line in section:
        source, *options = line.split()
        if source not in sources:
            break  # as AUGUSTUS: its own default file has a line for a source that is not there
        for option in options:
            if option in having:
                having[option].add(source)
                settings.append(f"{option} for {source}.")
            elif not option.startswith("localMalus="):  # accepted and not used by AUGUSTUS either
                raise InputError(f"Unknown option: {option}. (source {source} in {path})")
    return {flag: frozenset(of) for flag, of in having.items()}, settings


class _Table:
    """The section [GENERAL], read word by word."""

    def __init__(
        self, path: str | os.PathLike, sources: Sequence[str], words: Sequence[str]
    ) -> None:
        self.path = path
        self.sources = sources
        self.words = words
        self.next = 0
        self.settings: list[str] = []

    def read(self) -> dict[HintType, TypeFactors]:
        types: dict[HintType, TypeFactors] = {}
        unknown: dict[str, None] = {}
        while self.next < len(self.words):
            name = self._word("a type")
            if name in SPELLINGS:
                types[SPELLINGS[name]] = self._row(name)
            elif _number(name) is None and name not in self.sources:
                unknown[name] = None
        for name in unknown:
            _LOG.warning("%s: %s", self.path, UNKNOWN_TYPE.format(name))
        return types

    def _row(self, name: str) -> TypeFactors:
        bonus = self._number(f"the bonus of {name}")
        malus = self._number(f"the malus of {name}")
        local = 1.0
        if self.next < len(self.words) and _number(self.words[self.next]) is not None:
            local = self._number(f"the local malus of {name}")
            self._note_local_malus(name, local)
        classes = {}
        for _ in self.sources:
            source = self._word(f"a source of {name}")
            if source not in self.sources or source in classes:
                raise InputError(
                    "FeatureCollection::readExtrinsicCFGFile: FeatureCollection::esource: invalid "
                    f"source key: {source} (the row {name} of {self.path} must have the sources "
                    f"{' '.join(self.sources)}, each once)"
                )
            classes[source] = self._classes(name, source)
        return TypeFactors(bonus, malus, local, classes)

    def _note_local_malus(self, name: str, local: float) -> None:
        if not 0 <= local <= 1:
            raise InputError(
                f"Local malus must be in the range 0.0-1.0. ({name} in {self.path} has {local:g})"
            )
        if local == 1:
            return
        called = _LOCAL_MALUS.get(SPELLINGS[name])
        if called:
            self.settings.append(f"{called} local malus: {local:g}")
        else:
            _LOG.warning(
                "local malus only supported for UTRpart, CDSpart, exonpart, ass and dss. "
                "Not for %s",
                name,
            )

    def _classes(self, name: str, source: str) -> ScoreClasses:
        where = f"{name} of source {source}"
        count = self._number(f"the number of score classes for {where}")
        if not 1 <= count <= _MAX_CLASSES or count != int(count):
            raise InputError(
                "FeatureCollection::readExtrinsicCFGFile: Error: number of classes out of range. "
                f"({where} in {self.path} has {count:g})"
            )
        bounds = tuple(self._number(f"a bound for {where}") for _ in range(int(count) - 1))
        if list(bounds) != sorted(bounds):
            raise InputError(
                f"Error reading class bounds ({where} in {self.path}): class bounds not increasing!"
            )
        factors = tuple(self._number(f"a factor for {where}") for _ in range(int(count)))
        return ScoreClasses(factors, bounds)

    def _number(self, what: str) -> float:
        word = self._word(what)
        value = _number(word)
        if value is None:
            raise InputError(f"Syntax Error in {self.path}: {what} should be a number, not {word}")
        return value

    def _word(self, what: str) -> str:
        if self.next >= len(self.words):
            raise InputError(f"Syntax Error in {self.path}: it ends before {what}")
        self.next += 1
        return self.words[self.next - 1]


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
