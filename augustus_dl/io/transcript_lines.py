"""The lines of one transcript as AUGUSTUS 3.5.0 prints them: features by class, not by coordinate.

Owns columns, scores, attributes and the order of lines; the comment blocks behind them are
`sequence_blocks`, the frame around them `writers`. Coordinates become 1-based and closed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from augustus_dl.gene import BlockMatch, Interval, Transcript

if TYPE_CHECKING:
    from augustus_dl.io.writers import OutputOptions

__all__ = ["Columns", "score_text", "transcript_lines"]

_GFF3_NAMES = {
    "tss": "transcription_start_site",
    "tts": "transcription_end_site",
    "5'-UTR": "five_prime_utr",
    "3'-UTR": "three_prime_utr",
}


class _Feature(NamedTuple):
    """One line; `kind` by its name in the GTF."""

    kind: str
    start: int
    end: int
    score: str = "."
    phase: str = "."


@dataclass(frozen=True, slots=True)
class Columns:
    """The nine columns of the lines of one gene; coordinates go in 0-based and half-open.

    Attributes:
        source: column 2.
        gff3: attributes as in AUGUSTUS's GFF3, else as in its GTF.
        shift: added to every coordinate.
    """

    contig: str
    source: str
    strand: str
    gene_id: str
    gff3: bool
    shift: int = 0

    def gene(self, start: int, end: int, score: str) -> str:
        attributes = f"ID={self.gene_id}" if self.gff3 else self.gene_id
        return self.line(_Feature("gene", start, end, score), attributes)

    def transcript(self, transcript: Transcript, transcript_id: str) -> str:
        attributes = f"ID={transcript_id};Parent={self.gene_id}" if self.gff3 else transcript_id
        extent, score = (transcript.start, transcript.end), score_text(transcript.posterior)
        return self.line(_Feature("transcript", *extent, score), attributes)

    def part(self, feature: _Feature, transcript_id: str) -> str:
        if not self.gff3:
            return self.line(feature, self.gtf_parent(transcript_id))
        own = f"ID={transcript_id}.cds;" if feature.kind == "CDS" else ""
        kind = _GFF3_NAMES.get(feature.kind, feature.kind)
        return self.line(feature._replace(kind=kind), f"{own}Parent={transcript_id}")

    def gtf_parent(self, transcript_id: str) -> str:
        return f'transcript_id "{transcript_id}"; gene_id "{self.gene_id}";'

    def line(self, feature: _Feature, attributes: str) -> str:
        return (
            f"{self.contig}\t{self.source}\t{feature.kind}\t{feature.start + 1 + self.shift}"
            f"\t{feature.end + self.shift}\t{feature.score}\t{self.strand}\t{feature.phase}"
            f"\t{attributes}"
        )


def score_text(score: float | None) -> str:
    """A score with at most three significant digits, "." when there is none."""
    return "." if score is None else f"{score:.3g}"


def transcript_lines(
    transcript: Transcript, transcript_id: str, columns: Columns, options: OutputOptions
) -> Iterator[str]:
    """All lines of a transcript but its own and the comments."""
    for feature in _features(transcript, options):
        yield columns.part(feature, transcript_id)
    if transcript.matches:
        yield from _match_lines(transcript.matches, transcript_id, columns)
        if options.gff3:
            yield from _interblock_lines(transcript, transcript_id, columns)


def _features(transcript: Transcript, options: OutputOptions) -> Iterator[_Feature]:
    forward = transcript.strand == "+"
    yield from _left_utr(transcript, options)
    yield from _codon(transcript, options, first=forward, left=True)
    if options.exonnames and not options.gff3:
        yield from _named_exons(transcript)
    if options.introns:
        yield from _plain("intron", transcript.introns, transcript.intron_posterior)
    yield from _coding(transcript, options)
    yield from _codon(transcript, options, first=not forward, left=False)
    yield from _right_utr(transcript, options)


def _left_utr(transcript: Transcript, options: OutputOptions) -> Iterator[_Feature]:
    """The untranslated region before the CDS in genomic order, its end first."""
    parts = _left_parts(transcript)
    if not parts:
        return
    yield from _signal(transcript, options, left=True)
    if options.print_utr:
        yield from _utr(transcript, left=True)
    elif options.utr:
        *outer, (start, _) = parts
        yield from _plain("exon", outer)
        yield _Feature("exon", start, _exon_end(transcript, 0))


def _right_utr(transcript: Transcript, options: OutputOptions) -> Iterator[_Feature]:
    """The untranslated region behind the CDS in genomic order, its end last."""
    parts = _right_parts(transcript)
    if not parts:
        return
    if options.print_utr:
        yield from _utr(transcript, left=False)
    elif options.utr:
        yield from _plain("exon", parts[1:])
    yield from _signal(transcript, options, left=False)


def _left_parts(transcript: Transcript) -> tuple[Interval, ...]:
    """The left UTR; AUGUSTUS has an empty part where an intron ends right before the CDS."""
    parts, first = transcript.left_utr, transcript.cds[0][0]
    return (*parts, (first, first)) if parts and parts[-1][1] < first else parts


def _right_parts(transcript: Transcript) -> tuple[Interval, ...]:
    """The right UTR, with an empty part where an intron begins right behind the CDS."""
    parts, last = transcript.right_utr, transcript.cds[-1][1]
    return ((last, last), *parts) if parts and parts[0][0] > last else parts


def _exon_end(transcript: Transcript, index: int) -> int:
    """End of the exon that holds the coding interval with this index."""
    right = _right_parts(transcript)
    return right[0][1] if right and index == len(transcript.cds) - 1 else transcript.cds[index][1]


def _signal(transcript: Transcript, options: OutputOptions, left: bool) -> Iterator[_Feature]:
    """Transcription start or end, if it is known and wanted."""
    site = transcript.start if left else transcript.end - 1
    if left == (transcript.strand == "+"):
        kind, shown = "tss", options.tss and transcript.tss
    else:
        kind, shown = "tts", options.tts and transcript.tts
    if shown:
        yield _Feature(kind, site, site + 1)


def _utr(transcript: Transcript, left: bool) -> Iterator[_Feature]:
    if left == (transcript.strand == "+"):
        yield from _plain("5'-UTR", transcript.utr5, transcript.utr5_posterior)
    else:
        yield from _plain("3'-UTR", transcript.utr3, transcript.utr3_posterior)


def _codon(
    transcript: Transcript, options: OutputOptions, first: bool, left: bool
) -> Iterator[_Feature]:
    """Start (`first`) or stop codon at the left or right end of the CDS: always three bases."""
    if first:
        kind, shown = "start_codon", options.start and transcript.complete5
    else:
        kind, shown = "stop_codon", options.stop and transcript.complete3
    start = transcript.cds[0][0] if left else transcript.cds[-1][1] - 3
    if shown:
        yield _Feature(kind, start, start + 3, phase="0")


def _named_exons(transcript: Transcript) -> Iterator[_Feature]:
    names = _exon_names(transcript)
    scores = _scores(transcript.cds_posterior, len(names))
    parts = zip(names, transcript.cds, scores, transcript.phases, strict=True)
    for name, (start, end), score, phase in parts:
        yield _Feature(name, start, end, score, str(phase))


def _exon_names(transcript: Transcript) -> list[str]:
    """AUGUSTUS's name of each coding interval, in their rising order."""
    if len(transcript.cds) == 1 and transcript.complete5 and transcript.complete3:
        return ["single"]
    names = ["internal"] * len(transcript.cds)
    first, last = (0, -1) if transcript.strand == "+" else (-1, 0)
    if transcript.complete5:
        names[first] = "initial"
    if transcript.complete3:
        names[last] = "terminal"
    return names


def _plain(
    kind: str, parts: Sequence[Interval], posterior: Sequence[float] = ()
) -> Iterator[_Feature]:
    """Features without a phase."""
    for (start, end), score in zip(parts, _scores(posterior, len(parts)), strict=True):
        yield _Feature(kind, start, end, score)


def _scores(posterior: Sequence[float], number: int) -> list[str]:
    return [score_text(value) for value in posterior] or ["."] * number


def _coding(transcript: Transcript, options: OutputOptions) -> Iterator[_Feature]:
    """CDS lines, each followed by its exon in UTR mode unless the left UTR gave that already."""
    kept = _kept(transcript, options.stop_excluded)
    scores = _scores(transcript.cds_posterior, len(kept))
    for index, (start, end) in enumerate(kept):
        if options.cds and start < end:
            yield _Feature("CDS", start, end, scores[index], str(transcript.phases[index]))
        if options.utr and not options.print_utr and (index > 0 or not transcript.left_utr):
            yield _Feature("exon", transcript.cds[index][0], _exon_end(transcript, index))


def _kept(transcript: Transcript, stop_excluded: bool) -> list[Interval]:
    """What of each coding interval stays, maybe nothing, when the stop codon is to be excluded."""
    kept = list(transcript.cds)
    missing = 3 if stop_excluded and transcript.complete3 else 0
    forward = transcript.strand == "+"
    for index in range(len(kept))[:: -1 if forward else 1]:
        start, end = kept[index]
        cut = min(missing, end - start)
        kept[index] = (start, end - cut) if forward else (start + cut, end)
        missing -= cut
    return kept


def _match_lines(
    matches: Sequence[BlockMatch], transcript_id: str, columns: Columns
) -> Iterator[str]:
    for match in matches:
        first, last = match.block_start + 1, match.block_end
        if columns.gff3:
            attributes = (
                f"ID=pp.{transcript_id}.{match.block};Target={match.block} {first} {last};"
                f"Target_start={match.protein_start};"
            )
        else:
            attributes = (
                f'target "{match.block}[{first}..{last}]"; target_start {match.protein_start}; '
                f"{columns.gtf_parent(transcript_id)}"
            )
        score, phase = score_text(match.score), str(match.phase)
        yield columns.line(
            _Feature("protein_match", match.start, match.end, score, phase), attributes
        )


def _interblock_lines(
    transcript: Transcript, transcript_id: str, columns: Columns
) -> Iterator[str]:
    """Coding bases between the matches, numbered by the block that follows in the protein."""
    forward = transcript.strand == "+"
    blocks = [name for name, _ in groupby(match.block for match in transcript.matches)]
    number = 0 if forward else len(blocks)
    left, block = list(transcript.matches), ""
    for (start, end), phase in zip(transcript.cds, transcript.phases, strict=True):
        at = start
        while left and left[0].start < end:
            match = left.pop(0)
            if at < match.start:
                lead = phase if forward and at == start else 0
                yield _interblock(at, match.start, lead, number, transcript_id, columns)
            if match.block != block:
                number, block = number + (1 if forward else -1), match.block
            at = match.end
        if at < end:
            lead = phase if at == start or not forward else 0
            yield _interblock(at, end, lead, number, transcript_id, columns)


def _interblock(
    start: int, end: int, phase: int, number: int, transcript_id: str, columns: Columns
) -> str:
    feature = _Feature("interblock_region", start, end, phase=str(phase))
    return columns.line(feature, f"ID=pp.{transcript_id}.iBR{number}")
