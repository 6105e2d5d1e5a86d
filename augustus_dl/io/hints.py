"""Hints files, plain or gzip, and the lines in which hints are printed.

Owns AUGUSTUS's layout: nine tab-separated columns, 1-based closed coordinates, and in the last
column `source=` or `src=`, `group=` or `grp=`, `priority=` or `pri=`, and `mult=`, each found
wherever it stands.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from augustus_dl.errors import InputError
from augustus_dl.hints import (
    HINT,
    SPELLINGS,
    DeletedGroup,
    Extrinsic,
    HintCollection,
    HintGroups,
    Hints,
    HintType,
    bonuses,
    listing_order,
)
from augustus_dl.io.extrinsic import UNKNOWN_TYPE
from augustus_dl.io.files import InputFile, decoded

__all__ = ["hint_lines", "read_hints"]

_WHAT = "hints file"
_COLUMNS = ("source", "second", "feature type", "start", "end", "score", "strand", "frame", "last")
_STRANDS = {"+": 1, "-": -1}
_FRAMES = {"0": 0, "1": 1, "2": 2}
_SPELLING = {name: place for place, name in enumerate(SPELLINGS)}
_TYPE = np.array(list(SPELLINGS.values()), dtype=np.uint8)
_NAMES = tuple(SPELLINGS)
_SOURCE = re.compile("[A-Za-z]+")
_GROUP = re.compile("[^\0][^; ]*")
_INTEGER = re.compile(r"\s*([+-]?\d+)")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_BLOCK = 1 << 16
_FAR = 1 << 60
_INT32 = np.iinfo(np.int32)
_LOG = logging.getLogger(__name__)


def read_hints(
    path: str | os.PathLike,
    extrinsic: Extrinsic,
    window: tuple[int, int] | None = None,
    shift: int = 0,
) -> HintCollection:
    """The hints of a file that can matter: those whose bonus is not 1, and all introns.

    Args:
        extrinsic: what sources there are, and their bonuses.
        window: only hints that overlap these bases, 0-based and half-open, are read.
        shift: bases by which hints are moved to the right after that.

    Raises:
        InputError: missing or unreadable file, a source that is missing or not in `extrinsic`, or
            a first hint that is not tab separated. Later faulty lines are left out with a warning.
    """
    if not Path(path).expanduser().exists():
        raise InputError(f"FeatureCollection::readGFFFile( {path} ) : Could not open the file!!!")
    reader = _Reader(path, extrinsic, window)
    blocks = [np.empty(0, dtype=HINT), *(_kept(block, extrinsic) for block in reader.blocks())]
    rows = np.concatenate(blocks)
    rows["start"] += shift
    rows["end"] += shift
    rows = rows[np.argsort(rows["sequence"], kind="stable")]
    places, firsts = np.unique(rows["sequence"], return_index=True)
    names = list(reader.sequences)
    spans = pairwise([*firsts.tolist(), len(rows)])
    bounds = {names[place]: span for place, span in zip(places, spans, strict=True)}
    return HintCollection(
        rows, bounds, extrinsic.sources, list(reader.groups), list(reader.programs)
    )


def hint_lines(
    groups: HintGroups,
    extrinsic: Extrinsic,
    sequence: str,
    *,
    listing: bool = False,
    verbosity: int = 3,
    offset: int = 0,
    digits: int = 6,
) -> Iterator[str]:
    """What AUGUSTUS says about the hints of a sequence before its genes, without line ends.

    Args:
        listing: print the hints themselves, as they are after grouping.
        offset: of the sequence's first base, where it is part of a longer one.
        digits: of scores and factors. AUGUSTUS shows six until it has printed evidence for a
            transcript, and three from then on.
    """

    def line(row: np.void, supporting: int = 0, contradicting: float = 0.0) -> str:
        malus = extrinsic.types[HintType(row["type"])].malus
        bonus, malus, against = (f"{x:.{digits}g}" for x in (row["bonus"], malus, contradicting))
        text = _columns(groups.hints, row, sequence, offset, digits)
        return f'{text} "{bonus};{malus};{supporting}:{against}"'

    if verbosity > 0:
        for deleted in groups.deleted:
            for row in deleted.short_introns:
                yield "# Error: intron hint is too short."
                yield f"# {line(row)}"
            if verbosity > 2:
                yield _deleted_line(deleted)
        if groups.oriented:
            yield (
                "# Forced unstranded hint group to the only possible strand for "
                f"{groups.oriented} groups."
            )
        if groups.deleted:
            yield (f"# Deleted {len(groups.deleted)} groups because some hint was not satisfiable.")
    if listing:
        yield "# Constraints/Hints:"
        rows = groups.hints.rows
        for i in listing_order(groups.hints):
            yield line(rows[i], groups.supporting[i], groups.contradicting[i])
        if not len(rows):
            yield "# (none)"


def _deleted_line(group: DeletedGroup) -> str:
    """AUGUSTUS prints these bases as it counts them: from 0."""
    return (
        f"# Delete group HintGroup {group.name}, {group.begin}-{group.end - 1}, mult= {group.mult},"
        f" priority= {group.priority} {group.size} features"
    )


def _columns(hints: Hints, row: np.void, sequence: str, offset: int, digits: int) -> str:
    """A hint's columns, the last one up to its source."""
    attributes = f"grp={hints.groups[row['group']]};" if row["group"] >= 0 else ""
    attributes += f"mult={row['mult']};" if row["mult"] > 1 else ""
    attributes += f"pri={row['priority']};" if row["priority"] >= 0 else ""
    return "\t".join(
        (
            sequence,
            hints.programs[row["program"]],
            _NAMES[row["spelling"]],
            str(row["start"] + 1 + offset),
            str(row["end"] + offset),
            f"{row['score']:.{digits}g}",
            ".+-"[row["strand"]],
            str(row["frame"]) if row["frame"] >= 0 else ".",
            f"{attributes}src={hints.sources[row['source']]}",
        )
    )


def _kept(block: np.ndarray, extrinsic: Extrinsic) -> np.ndarray:
    """Rows with their bonus, without those that change nothing."""
    block["bonus"] = bonuses(block, extrinsic)
    return block[(block["bonus"] != 1) | (block["type"] == HintType.intron)]


class _Reader:
    """One pass over a hints file; collects the names it meets, in order."""

    def __init__(
        self, path: str | os.PathLike, extrinsic: Extrinsic, window: tuple[int, int] | None
    ) -> None:
        self.path = path
        self.extrinsic = extrinsic
        self.window = window
        self.sources = {name: place for place, name in enumerate(extrinsic.sources)}
        self.sequences: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.programs: dict[str, int] = {}
        self.unused: dict[str, None] = {}

    def blocks(self) -> Iterator[np.ndarray]:
        """HINT arrays in the order of the file, without bonus."""
        columns: list[tuple] = []
        good = 0
        for number, raw in enumerate(InputFile(self.path, _WHAT).lines(), 1):
            line = decoded(raw)
            if line.startswith("#") or not line.strip():
                continue
            try:
                hint = self._hint(line, number)
            except _FaultyLineError as error:
                if not good:
                    raise InputError(f"{_WHAT} {self.path}:{number}: {error}") from None
                _LOG.warning("%s:%d: %s The line is left out.", self.path, number, error)
                continue
            good += 1
            if hint:
                columns.append(hint)
            if len(columns) == _BLOCK:
                yield _rows(columns)
                columns = []
        if columns:
            yield _rows(columns)

    def _hint(self, line: str, number: int) -> tuple | None:
        """Fields of HINT up to `program`; None for a hint that is out of range or of no use."""
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) < 9:
            raise _FaultyLineError(line, _missing(fields))
        name, program, type_, first, last, score, strand, frame, attributes = fields[:9]
        start, end = _integer(first) - 1, _integer(last)
        if not -_FAR < start < end < _FAR:
            raise _FaultyLineError(line, "It does not end behind its start.")
        if self.window and (end <= self.window[0] or start >= self.window[1]):
            return None
        spelling = self._spelling(type_)
        if spelling is None:
            return None
        source, group, priority, mult = _attributes(attributes.replace("\r", " "))
        return (
            self.sequences.setdefault(name, len(self.sequences)),
            spelling,
            start,
            end,
            _score(score),
            _STRANDS.get(strand, 0),
            _FRAMES.get(frame, -1),
            self._source(source, line, number),
            priority,
            mult,
            self.groups.setdefault(group, len(self.groups)) if group else -1,
            self.programs.setdefault(program, len(self.programs)),
        )

    def _spelling(self, name: str) -> int | None:
        """Place of a type's name; None, and one warning, for a type that cannot be used."""
        spelling = _SPELLING.get(name)
        if spelling is not None and SPELLINGS[name] in self.extrinsic.types:
            return spelling
        if name not in self.unused:
            self.unused[name] = None
            if spelling is None:
                _LOG.warning("%s", UNKNOWN_TYPE.format(name))
            else:
                _LOG.warning(
                    "Hint feature '%s' has no row in the extrinsic config file. Ignoring it.", name
                )
        return None

    def _source(self, name: str, line: str, number: int) -> int:
        if not name:
            raise InputError(
                f"Error in hint line: {line.strip()} No source specified (e.g. by source=M in the "
                f"last column) ({self.path}:{number})"
            )
        if name not in self.sources:
            raise InputError(
                f"FeatureCollection::esource: invalid source key: {name} ({self.path}:{number} "
                "names a source that the extrinsic config file does not list)"
            )
        return self.sources[name]


class _FaultyLineError(Exception):
    """A line that is no hint; says so in AUGUSTUS's words."""

    def __init__(self, line: str, reason: str) -> None:
        super().__init__(f"Error in hint line: {line.strip()} {reason}")


def _missing(fields: Sequence[str]) -> str:
    if len(fields) == 1:
        return "Line not tab separated. Maybe you used spaces instead of tabulators?"
    return (
        f"Could not read {_COLUMNS[len(fields)]} column. "
        "Maybe you used spaces instead of tabulators?"
    )


def _rows(columns: Sequence[tuple]) -> np.ndarray:
    rows = np.empty(len(columns), dtype=HINT)
    names = [name for name in HINT.names if name not in ("type", "bonus")]
    for name, values in zip(names, zip(*columns, strict=True), strict=True):
        rows[name] = values
    rows["type"] = _TYPE[rows["spelling"]]
    return rows


@lru_cache(maxsize=4096)
def _attributes(text: str) -> tuple[str, str, int, int]:
    """Source, group, priority and multiplicity; "", "", -1 and 1 where they are missing."""
    source = _SOURCE.match(_value(text, "source=", "src="))
    group = _GROUP.match(_value(text, "group=", "grp="))
    priority = _value(text, "priority=", "pri=")
    mult = _value(text, "mult=")
    return (
        source[0] if source else "",
        group[0] if group else "",
        _int32(_integer(priority)) if priority else -1,
        _int32(_integer(mult)) if mult else 1,
    )


def _value(text: str, *keys: str) -> str:
    """What follows the first of these keys that is there; "" when none is."""
    for key in keys:
        _, found, value = text.partition(key)
        if found:
            return value
    return ""


def _int32(value: int) -> int:
    return min(max(value, _INT32.min), _INT32.max)


def _integer(text: str) -> int:
    """The number that a text begins with, 0 when it begins with none."""
    try:
        return int(text)
    except ValueError:
        found = _INTEGER.match(text)
        return int(found[1]) if found else 0


def _score(text: str) -> float:
    """The number that a text begins with, 0 when it begins with none."""
    if text == ".":
        return 0.0
    try:
        return float(text)
    except ValueError:
        found = _NUMBER.match(text)
        return float(found[1]) if found else 0.0
