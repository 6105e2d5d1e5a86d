"""Block profiles of protein families, as AUGUSTUS's `msa2prfl.pl` writes them (`.prfl`).

    [name]    name of the family; may be missing
    [dist]    least and most amino acids before the next block, or behind the last; * is no limit
    [block]   per column its number from 0 and 20 frequencies; a line name= before

A part of the protein without [dist] may have any length. `#` begins a comment. A section
[intron profile], which AUGUSTUS uses to place introns, is passed over.
"""

from __future__ import annotations

import logging
import math
import os
from collections import deque
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from augustus_dl.errors import InputError
from augustus_dl.io.files import InputFile, decoded
from augustus_dl.protein_profile import Block, Distance, ProfileOptions, ProteinProfile, make_block

__all__ = ["find_protein_profile", "read_protein_profile"]

_WHAT = "protein profile"
_AMINO_ACIDS = 20
_USUAL = ProfileOptions()
_LOG = logging.getLogger(__name__)


class _Section(NamedTuple):
    """Lines with their numbers; comments and blank lines left out."""

    heading: str
    line: int
    content: list[tuple[int, str]]


def find_protein_profile(
    name: str | os.PathLike, config_folder: str | os.PathLike | None = None
) -> Path:
    """The profile with this path, else with this path below the user's config folder.

    Raises:
        InputError: there is none.
    """
    own = Path(name).expanduser()
    below = [Path(config_folder) / name] if config_folder else []
    for path in (own, *below):
        if path.exists():
            return path
    raise InputError(f'PP::Profile: Could not open file "{name}".')


def read_protein_profile(
    path: str | os.PathLike, options: ProfileOptions = _USUAL
) -> ProteinProfile | None:
    """The profile of a file, without the blocks that are not significant: each is logged.

    Returns:
        None when no block is usable. That is logged, too, and no error: AUGUSTUS goes on.

    Raises:
        InputError: no such file, or one that is not as the module describes it.
    """
    found = find_protein_profile(path)
    reader = _Reader(found, options)
    if not reader.blocks:
        _not_used(f'No usable blocks found in file "{path}"')
    elif not any(block.anchor for block in reader.blocks):
        _not_used(
            f'At least 1 highly significant block is required in profile, not found in "{path}"'
        )
    else:
        return ProteinProfile(
            name=reader.name or found.stem,
            blocks=tuple(reader.blocks),
            distances=tuple(distance.relaxed() for distance in reader.distances),
            allow_truncated=options.allow_truncated,
        )
    return None


class _Reader:
    """Reads the sections one by one.

    Attributes:
        name: "" when the file gives none.
        blocks: the significant ones.
        distances: before each of them and behind the last, without tolerance.
    """

    def __init__(self, path: Path, options: ProfileOptions) -> None:
        self._path = path
        self._options = options
        self._sections = deque(_sections(path))
        self.name = ""
        self.blocks: list[Block] = []
        self.distances: list[Distance] = []
        self._read()

    def _read(self) -> None:
        before = self._sections.popleft()
        if before.content:
            self._fail(before.content[0][0], "no section has begun")
        if name := self._next("[name]"):
            self.name = " ".join(text for _, text in name.content)
        distance = self._distance(Distance())
        number = 0
        while section := self._next("[block]"):
            block = self._block(section, number)
            number += 1
            self._next("[intron profile]")
            if block.significant:
                self.blocks.append(block)
                self.distances.append(distance)
                distance = self._distance(Distance())
            else:
                _LOG.warning(
                    "Warning: Block no.%s is not significant enough, removed from profile.",
                    block.name,
                )
                distance = self._distance(distance.plus(Distance(block.width, block.width)))
        self.distances.append(distance)
        if self._sections:
            strange = self._sections[0]
            self._fail(strange.line, f"{strange.heading} is not expected here")

    def _next(self, heading: str) -> _Section | None:
        """The next section, if it is of this kind."""
        if self._sections and self._sections[0].heading == heading:
            return self._sections.popleft()
        return None

    def _distance(self, before: Distance) -> Distance:
        """The distance of the next section on top of another; unlimited if it gives none."""
        section = self._next("[dist]")
        if section is None:
            return Distance(before.least, None)
        line = section.content[0][0] if section.content else section.line
        words = " ".join(text for _, text in section.content).split()
        try:
            least, most = words
            distance = Distance(int(least), None if most == "*" else int(most))
        except ValueError:
            self._fail(line, "a distance is two whole numbers, or one and *")
        if distance.least < 0 or (distance.most is not None and distance.most < distance.least):
            self._fail(line, "a distance is negative, or its least is above its most")
        return before.plus(distance)

    def _block(self, section: _Section, number: int) -> Block:
        name, columns = f"block_{_letters(number)}", []
        for line, text in section.content:
            if text.startswith("name="):
                name = text.removeprefix("name=")
            else:
                columns.append(self._column(line, text, len(columns)))
        frequencies = np.array(columns, dtype=np.float64).reshape(-1, _AMINO_ACIDS)
        return make_block(name, frequencies, self._options)

    def _column(self, line: int, text: str, number: int) -> list[float]:
        try:
            first, *rest = text.split()
            frequencies = [float(word) for word in rest[:_AMINO_ACIDS]]
            right = int(first) == number and len(frequencies) == _AMINO_ACIDS
        except ValueError:
            right = False
        if not right:
            self._fail(line, f"a column is its number, here {number}, and {_AMINO_ACIDS} numbers")
        if min(frequencies) < 0 or not 0 < math.fsum(frequencies) < math.inf:
            self._fail(line, "frequencies must not be negative, and some must be above 0")
        return frequencies

    def _fail(self, line: int, reason: str) -> NoReturn:
        raise InputError(
            f'PP::Profile: Error parsing pattern file"{self._path}", line {line}. ({reason})'
        )


def _sections(path: Path) -> list[_Section]:
    """What stands before the first section, under the heading "", and all sections."""
    sections = [_Section("", 0, [])]
    for number, line in enumerate(InputFile(path, _WHAT).lines(), 1):
        text = decoded(line).partition("#")[0].strip()
        if text.startswith("["):
            sections.append(_Section(text, number, []))
        elif text:
            sections[-1].content.append((number, text))
    return sections


def _letters(number: int) -> str:
    """A to Z, AA to AZ, and so on: names for blocks that have none."""
    tens, units = divmod(number, 26)
    return (_letters(tens - 1) if tens else "") + chr(ord("A") + units)


def _not_used(reason: str) -> None:
    _LOG.warning("PP::Profile: %s. Not using protein profile.", reason)
    _LOG.warning("Choose different block thresholds to enforce using this profile.")
