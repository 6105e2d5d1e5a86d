"""GFF3 by the letter of its specification, for programs that do not read AUGUSTUS's own dialect.

Owns the lines of `--gff3-strict`: gene, mRNA, five_prime_UTR, exon, CDS and three_prime_UTR, each
with an ID of its own. The functions stand in for those of the same name in `io.writers`, whose
comment lines they keep; the trailer is the same. Nothing is asked of the options but what concerns
comments and ids: all features are there, and a CDS always holds its stop codon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import quote

from augustus_dl.evidence import Evidence, no_evidence
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io import writers
from augustus_dl.io.comment_blocks import evidence_block, sequence_blocks
from augustus_dl.io.transcript_lines import score_text
from augustus_dl.io.writers import OutputOptions
from augustus_dl.letters import Letters

__all__ = ["gene_block", "preamble", "sequence_header"]

_SEQUENCE_LETTERS = ".:^*$@!+_?|-"
"""What a sequence name may hold unescaped besides letters and digits."""
_RESERVED = str.maketrans({c: f"%{ord(c):02X}" for c in [*map(chr, range(32)), *"%;=&,\x7f"]})
"""What an attribute may not hold."""


def preamble(options: OutputOptions, **of_run: Any) -> Iterator[str]:
    """As `writers.preamble`; the version of the format is the very first line."""
    yield "##gff-version 3"
    yield from writers.preamble(replace(options, gff3=False), **of_run)


def sequence_header(
    number: int,
    name: str,
    length: int,
    options: OutputOptions,
    hints: Iterable[str] = (),
    *,
    start: int = 0,
) -> Iterator[str]:
    """As `writers.sequence_header`, with the extent of the sequence.

    Args:
        start: coordinate of the first base that is searched, as genes have it when printed.
    """
    yield from writers.sequence_header(number, name, length, options, hints)
    yield f"##sequence-region {_escaped_name(name)} {start + 1} {start + length}"


def gene_block(
    gene: Gene,
    number: int,
    sequence: Letters,
    options: OutputOptions,
    code: GeneticCode,
    *,
    evidence: Sequence[Evidence] | None = None,
    shift: int = 0,
) -> Iterator[str]:
    """All lines of one gene; those of a transcript by rising coordinate. See `writers.gene_block`.

    Parts are numbered in transcript direction. A transcript that misses an end says so as NCBI's
    files do: `partial=true` and `start_range` or `end_range`.
    """
    gene_id = writers.gene_id(gene, number, options)
    columns = _Columns(_escaped_name(gene.contig), gene.strand, shift)
    if evidence is None:
        evidence = [no_evidence(transcript) for transcript in gene.transcripts]
    own = gene_id.translate(_RESERVED)
    yield f"# start gene {gene_id}"
    score = score_text(gene.posterior)
    yield columns.line(_Row(gene.start, gene.end, "gene", score), f"ID={own}")
    for index, (transcript, its) in enumerate(zip(gene.transcripts, evidence, strict=True), 1):
        yield from _transcript_lines(transcript, f"{own}.t{index}", own, columns)
        yield from sequence_blocks(transcript, sequence, options, code)
        if options.evidence:
            yield from evidence_block(its)
    yield f"# end gene {gene_id}"
    yield "###"


class _Row(NamedTuple):
    start: int
    end: int
    kind: str
    score: str = "."
    phase: str = "."
    number: int = 0


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the lines of one gene share; coordinates go in 0-based and half-open."""

    contig: str
    strand: str
    shift: int

    def line(self, row: _Row, attributes: str) -> str:
        return (
            f"{self.contig}\tAUGUSTUS\t{row.kind}\t{row.start + 1 + self.shift}"
            f"\t{row.end + self.shift}\t{row.score}\t{self.strand}\t{row.phase}\t{attributes}"
        )


def _transcript_lines(
    transcript: Transcript, name: str, gene: str, columns: _Columns
) -> Iterator[str]:
    row = _Row(transcript.start, transcript.end, "mRNA", score_text(transcript.posterior))
    yield columns.line(row, f"ID={name};Parent={gene}{_partial(transcript, columns.shift)}")
    parts = [
        *_rows("five_prime_UTR", transcript.utr5, transcript, transcript.utr5_posterior),
        *_rows("exon", transcript.exons, transcript),
        *_rows("CDS", transcript.cds, transcript, transcript.cds_posterior, transcript.phases),
        *_rows("three_prime_UTR", transcript.utr3, transcript, transcript.utr3_posterior),
    ]
    for row in sorted(parts, key=lambda row: (row.start, row.kind != "exon")):
        yield columns.line(row, f"ID={name}.{row.kind}{row.number};Parent={name}")


def _rows(
    kind: str,
    parts: Sequence[Interval],
    transcript: Transcript,
    posterior: Sequence[float] = (),
    phases: Sequence[int] = (),
) -> Iterator[_Row]:
    """Parts of one kind, numbered in transcript direction."""
    for index, (start, end) in enumerate(parts):
        score = score_text(posterior[index] if posterior else None)
        phase = str(phases[index]) if phases else "."
        number = index + 1 if transcript.strand == "+" else len(parts) - index
        yield _Row(start, end, kind, score, phase, number)


def _partial(transcript: Transcript, shift: int) -> str:
    """Attributes that say which ends are missing, in the coordinates of the sequence."""
    ends = (transcript.complete5, transcript.complete3)
    left, right = ends if transcript.strand == "+" else ends[::-1]
    first, last = transcript.start + 1 + shift, transcript.end + shift
    missing = "" if left else f";start_range=.,{first}"
    missing += "" if right else f";end_range={last},."
    return f";partial=true{missing}" if missing else ""


def _escaped_name(name: str) -> str:
    return quote(name, safe=_SEQUENCE_LETTERS).replace("~", "%7E")
