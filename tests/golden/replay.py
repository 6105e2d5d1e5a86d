"""AUGUSTUS's answers as genes: what its text says, read back, so that ours can print it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from augustus_dl.gene import BlockMatch, Gene, Interval, Transcript
from tests.golden.reading import Feature, GeneBlock, SequencePart, TranscriptBlock

__all__ = ["genes_of"]

_TARGETS = (
    re.compile(r'target "(\S+)\[(\d+)\.\.(\d+)\]"; target_start (\d+);.*'),
    re.compile(r"ID=\S+;Target=(\S+) (\d+) (\d+);Target_start=(\d+);"),
)


def genes_of(part: SequencePart) -> list[Gene]:
    """The genes printed for one sequence, without ids; they need lines of CDS and codons."""
    return [_gene(block) for block in part.genes]


def _gene(block: GeneBlock) -> Gene:
    line = block.line
    transcripts = tuple(_transcript(transcript) for transcript in block.transcripts)
    sampled = any(transcript.posterior is not None for transcript in transcripts)
    posterior = float(line.score) if sampled else None
    return Gene(line.contig, line.strand, transcripts, posterior=posterior)


def _transcript(block: TranscriptBlock) -> Transcript:
    line, cds = block.line, _of(block, "CDS")
    start, stop = _of(block, "start_codon"), _of(block, "stop_codon")
    utr5, utr3 = _utrs(block)
    first = cds[0] if line.strand == "+" else cds[-1]
    return Transcript(
        line.strand,
        _coding(block),
        phase=int(first.phase),
        complete5=bool(start),
        complete3=bool(stop),
        start=line.start,
        end=line.end,
        utr5=utr5,
        utr3=utr3,
        tss=bool(_of(block, "tss", "transcription_start_site")),
        tts=bool(_of(block, "tts", "transcription_end_site")),
        posterior=None if line.score == "." else float(line.score),
        cds_posterior=_posteriors(cds),
        intron_posterior=_posteriors(_of(block, "intron")),
        utr5_posterior=_posteriors(_of(block, "5'-UTR", "five_prime_utr")),
        utr3_posterior=_posteriors(_of(block, "3'-UTR", "three_prime_utr")),
        matches=tuple(_match(match) for match in _of(block, "protein_match")),
    )


def _of(block: TranscriptBlock, *kinds: str) -> list[Feature]:
    return [part for part in block.parts if part.kind in kinds]


def _intervals(features: list[Feature]) -> list[Interval]:
    return [(feature.start, feature.end) for feature in features]


def _posteriors(features: list[Feature]) -> tuple[float, ...]:
    return tuple(float(feature.score) for feature in features if feature.score != ".")


def _coding(block: TranscriptBlock) -> tuple[Interval, ...]:
    """CDS with the stop codon, also where its lines leave it out."""
    merged: list[Interval] = []
    for start, end in sorted(_intervals(_of(block, "CDS", "stop_codon"))):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _utrs(block: TranscriptBlock) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """5' and 3' UTR parts, from their own lines or from what exons have beyond the CDS."""
    five = _intervals(_of(block, "5'-UTR", "five_prime_utr"))
    three = _intervals(_of(block, "3'-UTR", "three_prime_utr"))
    cds = _coding(block)
    first, last = cds[0][0], cds[-1][1]
    exons = _intervals(_of(block, "exon"))
    left = [(start, min(end, first)) for start, end in exons if start < first]
    right = [(max(start, last), end) for start, end in exons if end > last]
    forward = block.line.strand == "+"
    five += left if forward else right
    three += right if forward else left
    return tuple(five), tuple(three)


def _match(feature: Feature) -> BlockMatch:
    found: Iterator[re.Match | None] = (t.fullmatch(feature.attributes) for t in _TARGETS)
    block, start, end, protein_start = next(match for match in found if match).groups()
    return BlockMatch(
        block=block,
        start=feature.start,
        end=feature.end,
        score=float(feature.score),
        phase=int(feature.phase),
        block_start=int(start) - 1,
        block_end=int(end),
        protein_start=int(protein_start),
    )
