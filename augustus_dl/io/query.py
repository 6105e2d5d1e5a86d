"""The query file of a prediction: FASTA or GenBank, told apart by content.

Owns AUGUSTUS's rules for what a query file may be and the words it has for those it refuses; the
formats are read in `augustus_dl.io.fasta` and `augustus_dl.io.genbank`.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene
from augustus_dl.io.fasta import (
    Contig,
    fasta_is_lower_case,
    fasta_names,
    looks_like_protein,
    read_fasta,
)
from augustus_dl.io.files import InputFile

__all__ = ["ALL_LOWER_CASE", "Query", "open_query"]

ALL_LOWER_CASE = """\
#########################################################################
# WARNING: --softmasking=1 and all sequences are completely in lower case.
# They will be treated as repeatmasked everywhere and genes could be severely underpredicted.
# If this is not intended, rerun with --softmasking=0
#########################################################################
"""
"""What AUGUSTUS writes to stderr, whatever its verbosity and the range of prediction, when
soft-masking is on and `Query.is_lower_case` holds."""

_LOCUS = re.compile(rb"^[^\S\n]*LOCUS\s", re.MULTILINE)
_BAD_CHARACTER = re.compile(rb"[^\s!-~]|[^\S\n][A-Za-z]*[^\sA-Za-z]")
"""Ends with a byte that plain letters cannot have: not ASCII, or no letter behind a blank in its
line. Digits and signs before a blank count as layout, as for AUGUSTUS."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """A query file that can be read.

    Attributes:
        path: as the user named it; `-` is standard input.
        format: "fasta", which includes plain letters without header, or "genbank".
        gzipped: the content is gzip or bgzip.
    """

    path: str
    format: Literal["fasta", "genbank"]
    gzipped: bool
    _file: InputFile

    def records(
        self, stop_excluded: bool = False, utrs: bool = False
    ) -> Iterator[tuple[Contig, tuple[Gene, ...] | None]]:
        """Sequences in the order of the file with their annotated genes, None for FASTA.

        One record is in memory at a time. The first sequence that looks like protein is warned of.

        Args:
            stop_excluded, utrs: how GenBank is read, see `read_genbank`.

        Raises:
            InputError: damaged gzip, no sequence at all, a truncated GenBank record.
        """
        protein = False
        for contig, genes in self._read(stop_excluded, utrs):
            if not protein and looks_like_protein(contig.sequence):
                protein = True
                _LOG.warning(
                    "%s: record %s looks like protein; what is no base counts as unknown base",
                    self._file,
                    contig.name,
                )
            yield contig, genes

    def names(self) -> Iterator[str]:
        """Names of the records in the order of the file; reads it once, without warnings."""
        if self.format == "fasta":
            return fasta_names(self._file)
        from augustus_dl.io.genbank import genbank_names  # takes long to import: Biopython

        return genbank_names(self._file)

    def is_lower_case(self) -> bool:
        """Whether no sequence has an upper-case letter, N included.

        Reads up to the first upper-case letter, so that it costs time only where the answer is yes.
        """
        if self.format == "fasta":
            return fasta_is_lower_case(self._file)
        from augustus_dl.io.genbank import genbank_is_lower_case

        return genbank_is_lower_case(self._file)

    def _read(
        self, stop_excluded: bool, utrs: bool
    ) -> Iterator[tuple[Contig, tuple[Gene, ...] | None]]:
        if self.format == "genbank":
            from augustus_dl.io.genbank import read_genbank

            yield from read_genbank(self._file, stop_excluded, utrs)
        else:
            for contig in read_fasta(self._file):
                yield contig, None


def open_query(path: str | os.PathLike) -> Query:
    """The query file of that name: plain, gzip or bgzip, a pipe, or `-` for standard input.

    That there is no sequence in it is told when it is read.

    Raises:
        InputError: missing, unreadable, a folder, binary, compressed otherwise, damaged gzip,
            FASTQ, or text that is no sequence; in AUGUSTUS's words where it has some.
    """
    named = os.fspath(path)
    place = Path("/dev/stdin" if named == "-" else named).expanduser()
    if place.is_dir():
        raise InputError(f'Could not open input file "{named}"! It is a folder')
    if not os.access(place, os.R_OK):
        raise InputError(f'Could not open input file "{named}"!')
    file = InputFile(place, "sequence file")
    return Query(named, _format(file), file.gzipped, file)


def _format(file: InputFile) -> Literal["fasta", "genbank"]:
    """What the beginning of the file tells."""
    start = file.head().lstrip()
    if reason := file.not_text():
        raise _refused(file, start, reason)
    if not start or start.startswith(b">"):
        return "fasta"
    if _LOCUS.search(start):
        return "genbank"
    if start.startswith(b"@"):
        raise _refused(file, b"@", "looks like FASTQ; FASTA is needed")
    letters = start.split(b"\n>")[0]
    if _BAD_CHARACTER.search(letters):
        raise _refused(file, letters, "is neither FASTA nor GenBank")
    return "fasta"


def _refused(file: InputFile, start: bytes, reason: str) -> InputError:
    found = _BAD_CHARACTER.search(start)
    character = ascii((found[0][-1:] if found else start[:1]).decode("latin-1"))
    return InputError(
        "GBProcessor::determineFileType(): Couldn't determine input file type. "
        f"Found bad character {character}. {file} {reason}"
    )
