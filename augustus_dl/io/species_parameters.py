"""Parameter files of an AUGUSTUS species: the gene structure model that AUGUSTUS trained.

Owns the syntax. `#` begins a comment, words stand between blanks. In a `.pbl` file `[NAME]` begins
a section, and `[1]`, `[2]`, ... a class of G+C content whose sections follow. What is read:

    NAME_parameters.cfg     names of the other files, lengths of signals
    NAME_exon_probs.pbl     LENGTH of exons; per class P_ls (codons), INITEMISSION (codons behind
                            the start), TRANSINIT (bases before the start)
    NAME_intron_probs.pbl   DSS and ASS (splice sites), LENGTH; per class EMISSION, TRANSITION
                            (lengths again), ASSMOTIF (bases before the acceptor)
    NAME_igenic_probs.pbl   per class P_ls
    trans_shadow_partial.pbl    Transition: which exon follows which; the species' own, else that
                            of the folder `model`

A Markov chain of order k is float64 [..., 4**k, 4]: per context, read as a number to base 4, the
probabilities of A, C, G and T behind it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augustus_dl.errors import InputError, SpeciesError
from augustus_dl.io.files import lines

__all__ = ["Content", "Site", "SpeciesParameters", "read_species_parameters"]

_WHAT = "AUGUSTUS parameter file"
_INTERGENIC, _SINGLE, _TERMINAL = 0, 1, 8
_INITIAL, _INTERNAL, _ACCEPTOR = (2, 3, 4), (5, 6, 7), (13, 18, 23)
"""Numbers of states in trans_shadow_partial.pbl; three are for phases 0, 1, 2 of an intron."""
_STOPS = {"TAG": ("amber", 0.33), "TAA": ("ochre", 0.33), "TGA": ("opal", 0.34)}
"""Stop codons, what AUGUSTUS calls them, and how frequent it takes them for if nothing is said."""


@dataclass(frozen=True)
class Content:
    """How bases follow each other in one class of G+C content; all float64.

    Attributes:
        gc: the class's share of G and C.
        coding, coding_start: [3, 4**k, 4], by codon position of the base drawn; `coding_start`
            holds for the first bases behind the start codon.
        intron, intergenic: [1, 4**k, 4].
        start_motif, acceptor_motif: [width, 4**k, 4], the bases before the start codon, and those
            before the acceptor site, from left to right.
    """

    gc: float
    coding: np.ndarray
    coding_start: np.ndarray
    intron: np.ndarray
    intergenic: np.ndarray
    start_motif: np.ndarray
    acceptor_motif: np.ndarray


@dataclass(frozen=True)
class Site:
    """Patterns around the GT or AG of a splice site, which are left out of them.

    Attributes:
        before, after: bases of a pattern on either side.
        probability: float64 [4**(before + after)], of the pattern read as a number to base 4.
    """

    before: int
    after: int
    probability: np.ndarray


@dataclass(frozen=True)
class SpeciesParameters:
    """Gene structure model of one species.

    Attributes:
        first_exon: float64 [4]: single exon, initial exon before an intron of phase 0, 1, 2.
        next_exon: float64 [3, 4]: behind an intron of each phase, internal exon before an intron
            of phase 0, 1, 2, or the terminal exon.
        exon_length: float64 [4, n]: of lengths from 0; single, initial, internal, terminal exon.
        intron_length: float64 [d + 1]: of lengths from 0, among introns of at most d bases.
        short_introns: share of introns of at most d bases.
        longer: mean number of bases beyond d of the others.
        donor, acceptor: splice sites.
        stops: probability of each stop codon.
        min_coding: fewest bases of a coding sequence.
        coding_start: number of bases behind the start codon that are drawn with
            `Content.coding_start`.
        contents: by class of G+C content.
    """

    first_exon: np.ndarray
    next_exon: np.ndarray
    exon_length: np.ndarray
    intron_length: np.ndarray
    short_introns: float
    longer: float
    donor: Site
    acceptor: Site
    stops: dict[str, float]
    min_coding: int
    coding_start: int
    contents: tuple[Content, ...]


def read_species_parameters(species: str, config_folder: str | os.PathLike) -> SpeciesParameters:
    """The model of a species of an installed AUGUSTUS.

    Args:
        config_folder: AUGUSTUS's folder `config`.

    Raises:
        SpeciesError: no such species there, or one with another genetic code than the standard.
        InputError: a file is missing, or not as the module describes it.
    """
    folder = Path(config_folder).expanduser() / "species" / species
    if not folder.is_dir():
        raise SpeciesError(
            f"{config_folder} has no species {species!r} of AUGUSTUS; name the folder `config` of "
            "an installed AUGUSTUS with --AUGUSTUS_CONFIG_PATH"
        )
    config = _Config(folder / f"{species}_parameters.cfg")
    if config.number("translation_table", 1) != 1:
        raise SpeciesError(f"{species} of AUGUSTUS has a genetic code other than the standard one")
    own = folder / f"{species}_trans_shadow_partial.pbl"
    exons = _Parameters(folder / config.text("/ExonModel/infile"))
    introns = _Parameters(folder / config.text("/IntronModel/infile"))
    intergenic = _Parameters(folder / config.text("/IGenicModel/infile"))
    shared = folder.parent.parent / "model" / "trans_shadow_partial.pbl"
    first, following = _transitions(_Parameters(own if own.exists() else shared))
    short, longer = introns.values("TRANSITION", 1, count=2)
    return SpeciesParameters(
        first_exon=first,
        next_exon=following,
        exon_length=exons.table("LENGTH", columns=5)[:, 1:].T,
        intron_length=_shares(introns.values("LENGTH")[1:]),
        short_introns=short,
        longer=longer,
        donor=introns.site("DSS", config.size("dss_start"), config.size("dss_end")),
        acceptor=introns.site("ASS", config.size("ass_start"), config.size("ass_end")),
        stops=_stops(config),
        min_coding=config.size("min_coding_len"),
        coding_start=config.size("init_coding_len"),
        contents=tuple(_content(exons, introns, intergenic, n) for n in sorted(exons.gc)),
    )


def _content(exons: _Parameters, introns: _Parameters, intergenic: _Parameters, n: int) -> Content:
    return Content(
        gc=exons.gc[n],
        coding=exons.chain("P_ls", n, columns=3),
        coding_start=exons.chain("INITEMISSION", n, columns=3),
        intron=introns.chain("EMISSION", n),
        intergenic=intergenic.chain("P_ls", n),
        start_motif=exons.motif("TRANSINIT", n),
        acceptor_motif=introns.motif("ASSMOTIF", n),
    )


def _transitions(file: _Parameters) -> tuple[np.ndarray, np.ndarray]:
    """`first_exon` and `next_exon`."""
    chance = {(int(a), int(b)): p for a, b, p in file.table("Transition", columns=3)}
    first = [chance.get((_INTERGENIC, state), 0.0) for state in (_SINGLE, *_INITIAL)]
    following = [
        [chance.get((state, other), 0.0) for other in (*_INTERNAL, _TERMINAL)]
        for state in _ACCEPTOR
    ]
    return _shares(np.array(first)), _shares(np.array(following))


def _stops(config: _Config) -> dict[str, float]:
    given = {
        codon: config.number(f"/Constant/{name}prob", usual)
        for codon, (name, usual) in _STOPS.items()
    }
    total = sum(given.values())
    return {codon: share / total for codon, share in given.items()}


def _shares(counts: np.ndarray) -> np.ndarray:
    """Counts or probabilities scaled to sum 1 along the last axis; equal where all are 0."""
    total = counts.sum(axis=-1, keepdims=True)
    even = np.full(counts.shape, 1 / counts.shape[-1])
    return np.divide(counts, total, out=even, where=total > 0)


class _Config:
    """Names and values of NAME_parameters.cfg."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = {words[0]: words[1] for words in _words(path) if len(words) > 1}

    def text(self, name: str) -> str:
        if name not in self._values:
            raise InputError(f"{_WHAT} {self._path} does not say {name}")
        return self._values[name]

    def number(self, name: str, usual: float | None = None) -> float:
        if usual is not None and name not in self._values:
            return usual
        try:
            return float(self.text(name))
        except ValueError as error:
            raise InputError(f"{_WHAT} {self._path}: {name} is no number") from error

    def size(self, constant: str) -> int:
        return int(self.number(f"/Constant/{constant}"))


class _Parameters:
    """Sections of a `.pbl` file.

    Attributes:
        gc: per class its share of G and C.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sections: dict[tuple[str, int], list[list[str]]] = {}
        self.gc: dict[int, float] = {}
        self._read()

    def _read(self) -> None:
        number, section = 0, []
        for _, line in lines(self._path, _WHAT):
            text, _, comment = line.partition("#")
            words = text.split()
            if heading := re.fullmatch(r"\[(\w+)\]", text.strip()):
                if heading[1].isdecimal():
                    number, section = int(heading[1]), []
                else:
                    section = self._sections.setdefault((heading[1], number), [])
            elif words:
                section.append(words)
            elif shares := re.search(r"\(a,c,g,t\)= *\((.*?),(.*?),(.*?),", comment):
                self.gc[number] = float(shares[2]) + float(shares[3])

    def table(self, section: str, number: int = 0, columns: int = 1) -> np.ndarray:
        """Rows of so many numbers; float64 [rows, columns]."""
        rows = [row for row in self._rows(section, number) if len(row) == columns]
        try:
            table = np.array([[float(word) for word in row] for row in rows])
        except ValueError as error:
            raise self._malformed(section, number) from error
        if not table.size:
            raise self._malformed(section, number)
        return table

    def values(self, section: str, number: int = 0, count: int = 0) -> np.ndarray:
        """What stands alone on a line; float64 [n]. `count`: how many there have to be."""
        values = self.table(section, number)[:, 0]
        if count and len(values) != count:
            raise self._malformed(section, number)
        return values

    def chain(self, section: str, number: int, columns: int = 1) -> np.ndarray:
        """Markov chains of patterns with a probability per column; [columns, 4**k, 4]."""
        _, table = self._patterns(section, number, columns)
        return _shares(table.T.reshape(columns, -1, 4))

    def site(self, section: str, before: int, after: int) -> Site:
        length, table = self._patterns(section, 0, 1)
        if length != before + after:
            raise InputError(
                f"{_WHAT} {self._path}: patterns of [{section}] have {length} bases, by the "
                f"species' configuration {before} + {after}"
            )
        return Site(before, after, _shares(table[:, 0]))

    def motif(self, section: str, number: int) -> np.ndarray:
        """A Markov chain per position; [width, 4**k, 4]."""
        width, order = (int(value) for value in self.values(section, number, count=2))
        table = self.table(section, number, columns=1 + 4 ** (order + 1))
        if len(table) != width:
            raise self._malformed(section, number)
        return _shares(table[:, 1:].reshape(width, 4**order, 4))

    def _patterns(self, section: str, number: int, columns: int) -> tuple[int, np.ndarray]:
        """Length of the patterns, and their numbers; float64 [4**length, columns]."""
        rows = [row for row in self._rows(section, number) if row[0].isalpha()]
        length = max((len(row[0]) for row in rows), default=0)
        rows = [row for row in rows if len(row[0]) == length]  # P_ls has shorter ones too
        try:
            places = [int(row[0].lower().translate(_DIGITS), 4) for row in rows]
            table = np.zeros((4**length, columns))
            table[places] = [[float(word) for word in row[1:]] for row in rows]
        except ValueError as error:
            raise self._malformed(section, number) from error
        if not rows:
            raise self._malformed(section, number)
        return length, table

    def _rows(self, section: str, number: int) -> list[list[str]]:
        if (section, number) not in self._sections:
            place = f" of class [{number}]" if number else ""
            raise InputError(f"{_WHAT} {self._path} has no section [{section}]{place}")
        return self._sections[section, number]

    def _malformed(self, section: str, number: int) -> InputError:
        place = f" of class [{number}]" if number else ""
        return InputError(f"{_WHAT} {self._path}: section [{section}]{place} is malformed")


_DIGITS = str.maketrans("acgt", "0123")


def _words(path: Path) -> Iterator[list[str]]:
    """Words of each line, comments left out."""
    for _, line in lines(path, _WHAT):
        yield line.partition("#")[0].split()
