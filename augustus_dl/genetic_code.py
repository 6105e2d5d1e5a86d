"""Genetic codes: which codons start, stop and mean what. NCBI's tables, read through Biopython.

Codons are written as upper-case DNA strings in transcript direction.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache

import numpy as np

from augustus_dl.encode import N, reverse_complement
from augustus_dl.errors import OptionError
from augustus_dl.gene import Transcript

__all__ = ["GeneticCode", "coding_bases", "genetic_code", "translate", "translation_table"]

_LOG = logging.getLogger(__name__)
_AUGUSTUS = frozenset({*range(1, 7), *range(9, 17), *range(21, 25)})
"""The table ids that AUGUSTUS 3.5.0 knows."""
_NUCLEAR = frozenset({1, 6, 10, 12, 15, 26, 27, 28, 29, 30, 31})
"""Tables of eukaryotic nuclei. Only ATG starts there, as in AUGUSTUS's default start model; the
rare TTG and CTG that NCBI lists would cost more false starts than they find."""


@dataclass(frozen=True, eq=False)
class GeneticCode:
    """One genetic code.

    Attributes:
        table: NCBI id of the table.
        starts: codons a complete CDS may begin with.
        stops: codons that end a CDS and stand nowhere else in frame.
        amino: one-letter amino acid of each of the 64 codons, "*" for a stop, "X" for a stop codon
            that stands for an unknown amino acid.
    """

    table: int
    starts: frozenset[str]
    stops: frozenset[str]
    amino: dict[str, str]


@cache
def genetic_code(table: int = 1, sense_stops: frozenset[str] = frozenset()) -> GeneticCode:
    """The genetic code with an NCBI table id.

    Nuclear codes of eukaryotes start with ATG only, all others (bacteria, organelles) with every
    start codon of their table.

    Args:
        sense_stops: stop codons of the table that do not stop, but stand for an amino acid.

    Raises:
        OptionError: NCBI has no such table, or no stop codon is left.
    """
    from Bio.Data.CodonTable import unambiguous_dna_by_id  # slow to import, needed once

    if table not in unambiguous_dna_by_id:
        known = ", ".join(map(str, sorted(unambiguous_dna_by_id)))
        raise OptionError(f"there is no genetic code {table!r}; use one of NCBI's ids: {known}")
    ncbi = unambiguous_dna_by_id[table]
    stops = frozenset(ncbi.stop_codons) - sense_stops
    if not stops:
        raise OptionError(
            f"genetic code {table} has no stop codon left: {', '.join(sorted(ncbi.stop_codons))} "
            "are all said to code for amino acids"
        )
    return GeneticCode(
        table=table,
        starts=frozenset({"ATG"} if table in _NUCLEAR else ncbi.start_codons),
        stops=stops,
        # Codes with context-dependent stops list an amino acid for them too: a stop wins.
        amino=dict.fromkeys(ncbi.stop_codons, "X")
        | dict(ncbi.forward_table)
        | dict.fromkeys(stops, "*"),
    )


def translation_table(number: int) -> int:
    """The table that AUGUSTUS uses when asked for this one: the standard code for ids that it does
    not know, those above 24 among them. AUGUSTUS does so silently, here it is logged.
    """
    if number in _AUGUSTUS:
        return number
    _LOG.warning("there is no translation_table %s; using the standard genetic code", number)
    return 1


def translate(codes: np.ndarray, code: GeneticCode) -> str:
    """Protein of base codes in transcript direction; uint8 [L] -> L // 3 letters.

    A stop codon is "*", a codon with an unknown base "X"; one or two bases left over at the end
    are not translated.
    """
    letters = _codon_letters(code)
    codons = np.minimum(codes[: len(codes) // 3 * 3], N).reshape(-1, 3)
    return letters[codons[:, 0], codons[:, 1], codons[:, 2]].tobytes().decode("ascii")


@cache
def _codon_letters(code: GeneticCode) -> np.ndarray:
    """ASCII letter of each codon; uint8 [5, 5, 5], "X" wherever a base is N."""
    letters = np.full((5, 5, 5), ord("X"), dtype=np.uint8)
    for codon, letter in code.amino.items():
        letters[tuple("ACGT".index(base) for base in codon)] = ord(letter)
    return letters


def coding_bases(transcript: Transcript, codes: np.ndarray) -> np.ndarray:
    """Spliced coding sequence of a transcript, in its direction.

    Args:
        codes: base codes of the whole contig, uint8 [L].

    Returns:
        uint8 [coding length], the bases before the first complete codon (`phase`) included.
    """
    spliced = np.concatenate([codes[start:end] for start, end in transcript.cds])
    return spliced if transcript.strand == "+" else reverse_complement(spliced)
