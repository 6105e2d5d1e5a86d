"""AUGUSTUS 3.5.0's comment blocks behind the lines of a transcript: its sequences and evidence.

Owns how a transcript is translated for printing, too; lines come without line ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from augustus_dl.encode import base_codes
from augustus_dl.evidence import Evidence, GroupCount, PartCount
from augustus_dl.gene import Interval, Transcript
from augustus_dl.genetic_code import GeneticCode, translate
from augustus_dl.io.transcript_lines import score_text
from augustus_dl.letters import Letters

if TYPE_CHECKING:
    from augustus_dl.io.writers import OutputOptions

__all__ = ["evidence_block", "sequence_blocks"]

_LINE = 100
_COMPLEMENT = bytes.maketrans(b"acgt", b"tgca")
"""Other letters stay as they are on both strands: AUGUSTUS prints them so."""
_GROUP_NAMES = 80
"""Characters after which AUGUSTUS names no further hint group of a source."""


def sequence_blocks(
    transcript: Transcript, sequence: Letters, options: OutputOptions, code: GeneticCode
) -> Iterator[str]:
    """Coding sequence, protein and the parts of it that match blocks of a protein profile.

    Args:
        sequence: letters of the whole contig.
    """
    if not (options.codingseq or options.protein):
        return
    coding = _spliced(transcript.cds, transcript.strand, sequence)
    if options.codingseq:
        yield from _bracketed("coding sequence", coding.decode("ascii"))
    if options.protein:
        yield from _bracketed("protein sequence", _protein(transcript, coding, options, code))
        yield from _matched(transcript, sequence, code)


def evidence_block(evidence: Evidence) -> Iterator[str]:
    """Which parts of a transcript hints support, and which groups of hints it obeys."""
    yield "# Evidence for and against this transcript:"
    yield f"# % of transcript supported by hints (any source): {score_text(evidence.percent)}"
    yield from _part_count("CDS exons", evidence.cds_exons)
    yield from _part_count("CDS introns", evidence.cds_introns)
    yield from _part_count("5'UTR exons and introns", evidence.utr5)
    yield from _part_count("3'UTR exons and introns", evidence.utr3)
    yield from _group_count("hint groups fully obeyed", evidence.obeyed)
    yield from _group_count("incompatible hint groups", evidence.incompatible)


def _spliced(parts: Sequence[Interval], strand: str, sequence: Letters) -> bytes:
    """Lower-case letters of the parts in transcript direction."""
    letters = b"".join(sequence[start:end] for start, end in parts).lower()
    return letters if strand == "+" else letters[::-1].translate(_COMPLEMENT)


def _protein(
    transcript: Transcript, coding: bytes, options: OutputOptions, code: GeneticCode
) -> str:
    """Amino acids from the first complete codon on; a bacterial start codon is always M."""
    letters = _translated(coding[transcript.phase :], code)
    if options.bacterium and transcript.complete5:
        letters = "M" + letters[1:]
    return letters


def _translated(coding: bytes, code: GeneticCode) -> str:
    """A stop codon is not shown where it is the very end, X elsewhere, as is an unknown codon."""
    letters = translate(base_codes(coding), code)
    if len(coding) % 3 == 0:
        letters = letters.removesuffix("*")
    return letters.replace("*", "X")


def _bracketed(title: str, letters: str) -> Iterator[str]:
    """A sequence as comment lines of 100 columns; the closing bracket never opens a line."""
    opening = f"# {title} = ["
    room = _LINE - len(opening)
    lines = [opening + letters[:room]]
    lines += [f"# {letters[i : i + _LINE - 2]}" for i in range(room, len(letters), _LINE - 2)]
    lines[-1] += "]"
    yield from lines


def _matched(transcript: Transcript, sequence: Letters, code: GeneticCode) -> Iterator[str]:
    """Amino acids of each matched block, in genomic order."""
    for block, parts in groupby(transcript.matches, key=lambda match: match.block):
        matches = list(parts)
        first = matches[0 if transcript.strand == "+" else -1]
        coding = _spliced([(m.start, m.end) for m in matches], transcript.strand, sequence)
        letters = _translated(coding[first.phase :], code)
        start = max(first.protein_start, 0)
        yield f"# sequence of block {block:<10}{start:>5} [{letters}] {start + len(letters)}"


def _part_count(title: str, count: PartCount) -> Iterator[str]:
    yield f"# {title}: {count.supported}/{count.total}"
    for source, number in count.sources:
        yield f"# {source:>6}:{number:>4} "


def _group_count(title: str, count: GroupCount) -> Iterator[str]:
    yield f"# {title}: {count.total}"
    for source, names in count.sources:
        yield f"# {source:>6}:{len(names):>4} {_group_names(names)}"


def _group_names(names: Sequence[str]) -> str:
    """The names in brackets, cut where they become too long; groups without one are left out."""
    shown: list[str] = []
    length = 0
    for name in names:
        if length >= _GROUP_NAMES:
            return f"({','.join(shown)},...)"
        if name:
            shown.append(name)
            length += len(name) + 1
    return f"({','.join(shown)})" if shown else ""
