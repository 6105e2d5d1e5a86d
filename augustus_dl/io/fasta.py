"""Contigs from FASTA and back.

Owns the rules for names (text up to the first white space) and letters (case and N kept; digits,
blanks, `-` and `*` dropped, so that coordinates count letters only, as in AUGUSTUS).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from augustus_dl.errors import InputError
from augustus_dl.io.files import InputFile, decoded
from augustus_dl.letters import Letters, LettersWriter

__all__ = [
    "NOT_LETTERS",
    "Contig",
    "contigs",
    "fasta_is_lower_case",
    "fasta_names",
    "looks_like_protein",
    "read_fasta",
    "write_fasta",
]

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NOT_LETTERS = bytes(set(range(256)) - set(_LETTERS))
_AMINO_ACID_ONLY = b"EFIJLOPQZefijlopqz"
_NUCLEOTIDE = bytes(set(range(256)) - set(_AMINO_ACID_ONLY))
_HEADER = re.compile(rb"\s*>(\S*)")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contig:
    """One sequence: its name and its letters, case and N kept."""

    name: str
    sequence: Letters


def contigs(path: str | os.PathLike) -> Iterator[Contig]:
    """Contigs of a genome in the order of the file, one in memory at a time.

    Stricter than `read_fasta`, for files that must fit an annotation.

    Raises:
        InputError: as `InputFile` and `read_fasta`; the file does not begin with `>`, or a record
            is a protein.
    """
    file = InputFile(path, "sequence file")
    start = file.head().lstrip()
    if start and not file.not_text() and not start.startswith(b">"):
        shown = decoded(start.split(b"\n")[0][:30]).strip()
        raise InputError(f"{file} is not FASTA: it begins with {shown!r}, not with '>'")
    for contig in read_fasta(file):
        if looks_like_protein(contig.sequence):
            raise InputError(f"{file} holds a protein ({contig.name}); a genome is needed")
        yield contig


def read_fasta(file: InputFile) -> Iterator[Contig]:
    """Contigs of a file in its order, one in memory at a time.

    A record without sequence is left out with a warning; one without name is `unnamed-<number>`,
    and so is what stands before the first name.

    Raises:
        InputError: as `InputFile.lines`; the file has no sequence.
    """
    found = False
    for name, sequence in _records(file):
        if sequence:
            found = True
            yield Contig(name, sequence)
        else:
            _LOG.warning("%s: record %s has no sequence and is left out", file, name)
    if not found:
        raise InputError(f"No sequences found. {file} has none")


def fasta_names(file: InputFile) -> Iterator[str]:
    """Names of the contigs that `read_fasta` gives, without its warnings."""
    return (name for name, sequence in _records(file) if sequence)


def fasta_is_lower_case(file: InputFile) -> bool:
    """Whether no sequence has an upper-case letter; looks no further than the first such letter."""
    return all(line == line.lower() for line in file.lines() if not _HEADER.match(line))


def looks_like_protein(sequence: Letters) -> bool:
    """Whether more than a tenth of the first letters mean amino acids and no bases."""
    first = sequence[:10000]
    return 10 * len(first.translate(None, _NUCLEOTIDE)) > len(first)


def write_fasta(path: str | os.PathLike, sequences: Iterable[Contig], width: int = 60) -> None:
    """Write contigs as plain FASTA, `width` letters a line; the inverse of `contigs`."""
    with open(Path(path).expanduser(), "wb") as stream:
        for contig in sequences:
            stream.write(b">%s\n" % contig.name.encode())
            for start in range(0, len(contig.sequence), width):
                stream.write(contig.sequence[start : start + width] + b"\n")


def _records(file: InputFile) -> Iterator[tuple[str, Letters]]:
    """Name and letters of every record, also of those without letters."""
    number, name, letters = 1, None, LettersWriter()
    line_ended, in_header = True, False
    for block in file.blocks():
        start = (block.find(b"\n") + 1 or len(block)) if in_header else 0
        for first, end, title in _headers(block, line_ended):
            letters.write(block[start:first].translate(None, NOT_LETTERS))
            if name is not None or letters:
                done, letters = letters, LettersWriter()
                yield name or f"unnamed-{number}", done.letters()
                del done
                number += 1
            name, start = decoded(title), end
        letters.write(block[start:].translate(None, NOT_LETTERS))
        line_ended = block.endswith(b"\n")
        in_header = start == len(block) and not line_ended
    if name is not None or letters:
        yield name or f"unnamed-{number}", letters.letters()


def _headers(block: bytes, line_ended: bool) -> Iterator[tuple[int, int, bytes]]:
    """Header lines in a block: where each begins and ends, and the name in it.

    Args:
        line_ended: the block begins with the beginning of a line.
    """
    mark = block.find(b">")
    while mark >= 0:
        first = block.rfind(b"\n", 0, mark) + 1
        end = block.find(b"\n", mark) + 1 or len(block)
        if (first or line_ended) and (header := _HEADER.match(block[first:end])):
            yield first, end, header[1]
        mark = block.find(b">", end)
