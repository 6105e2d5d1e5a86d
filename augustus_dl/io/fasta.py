"""Contigs from FASTA and back: plain, gzip and bgzip, found by content.

Owns the rules for names (text up to the first white space) and letters (case and N kept; digits,
blanks, `-` and `*` dropped, so that coordinates count letters only, as in AUGUSTUS).
"""

from __future__ import annotations

import codecs
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pysam

from augustus_dl.errors import InputError
from augustus_dl.io.files import head, readable

__all__ = ["Contig", "contigs", "write_fasta"]

_WHAT = "sequence file"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NOT_LETTERS = bytes(set(range(256)) - set(_LETTERS))
_AMINO_ACID_ONLY = b"EFIJLOPQZefijlopqz"
_NUCLEOTIDE = bytes(set(range(256)) - set(_AMINO_ACID_ONLY))
_BGZF_HEADER = bytes.fromhex("1f8b0804")
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contig:
    """One sequence: its name and its letters, case and N kept."""

    name: str
    sequence: bytes


def contigs(path: str | os.PathLike) -> Iterator[Contig]:
    """Contigs of a FASTA file in the order of the file, one in memory at a time.

    A record without sequence is left out with a warning; one without name is `unnamed-<number>`.

    Raises:
        InputError: missing or unreadable file, truncated gzip, no FASTA, proteins, no sequence.
    """
    path = readable(path, _WHAT)
    if path.is_file():
        _check_start(path)
        _check_bgzip_end(path)
    number, found = 0, False
    for number, record in enumerate(_records(path), 1):
        name = record.name or f"unnamed-{number}"
        if record.quality is not None:
            raise InputError(f"{_WHAT} {path} is FASTQ at record {name}; FASTA is needed")
        sequence = record.sequence.encode("ascii", "replace").translate(None, _NOT_LETTERS)
        if not sequence:
            _LOG.warning("%s: record %s has no sequence and is left out", path, name)
            continue
        _check_nucleotides(path, name, sequence)
        found = True
        yield Contig(name, sequence)
    if not found:
        raise InputError(f"{_WHAT} {path} holds no sequence" + (" after its names" * bool(number)))


def write_fasta(path: str | os.PathLike, sequences: Iterable[Contig], width: int = 60) -> None:
    """Write contigs as plain FASTA, `width` letters a line; the inverse of `contigs`."""
    with open(Path(path).expanduser(), "wb") as stream:
        for contig in sequences:
            stream.write(b">%s\n" % contig.name.encode())
            for start in range(0, len(contig.sequence), width):
                stream.write(contig.sequence[start : start + width] + b"\n")


def _records(path: Path) -> Iterator[pysam.FastxRecord]:
    """pysam's records, its own messages silenced and its faults turned into InputError."""
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.FastxFile(str(path)) as records:
            yield from records
    except UnicodeDecodeError as error:
        raise InputError(f"{_WHAT} {path} is not text") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{_WHAT} {path} is damaged or a truncated gzip; make it again") from error
    finally:
        pysam.set_verbosity(verbosity)


def _check_start(path: Path) -> None:
    start = head(path, _WHAT).removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise InputError(f"{_WHAT} {path} holds only blanks")
    if not start.startswith(b">"):
        shown = start.split(b"\n")[0][:30].decode("ascii", "replace").strip()
        raise InputError(f"{_WHAT} {path} is not FASTA: it begins with {shown!r}, not with '>'")


def _check_bgzip_end(path: Path) -> None:
    """A bgzip file cut at a block reads without complaint; only its end block tells."""
    with open(path, "rb") as stream:
        start = stream.read(14)
        if not start.startswith(_BGZF_HEADER) or start[12:14] != b"BC":
            return
        stream.seek(-min(len(_BGZF_END), path.stat().st_size), os.SEEK_END)
        if stream.read() != _BGZF_END:
            raise InputError(f"{_WHAT} {path} is a truncated bgzip file; make it again")


def _check_nucleotides(path: Path, name: str, sequence: bytes) -> None:
    """Refuse proteins: more than a tenth of the first letters mean amino acids and nothing else."""
    first = sequence[:10000]
    if 10 * len(first.translate(None, _NUCLEOTIDE)) > len(first):
        raise InputError(f"{_WHAT} {path} holds a protein ({name}); a genome is needed")
