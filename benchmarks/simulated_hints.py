"""Evidence as RNA-seq and protein alignments would bring it, simulated from an annotation.

Spliced reads: `INTRONS_FOUND` of the introns between coding exons, each with the number of reads
that a gene of its expression has, and among the hints `INTRONS_FALSE` wrong ones. Half of these
share one end with a true intron, as inaccurate alignments do, half lie anywhere; all have GT and AG
at their ends and nearly the length of some intron of the training genes.

Proteins: for `GENES_FOUND` of the genes the coding exons, shorter than in truth at both ends, most
so where the gene begins and ends, in the right frame, one group for each gene; among the hints
`PARTS_FALSE` wrong ones, open reading frames as long as some coding exon of the training genes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io.fasta import Contig

__all__ = ["Statistics", "hint_lines", "intron_hints", "protein_hints"]

INTRONS_FOUND, INTRONS_FALSE = 0.8, 0.05
GENES_FOUND, PARTS_FALSE = 0.6, 0.03
_MEDIAN_READS, _SPREAD = 12.0, 1.5
"""Reads over an intron: log-normal between genes, Poisson inside one."""
_FALSE_READS = 0.6
"""Chance that no further read shows a false intron."""
_CUT, _CUT_OUTSIDE = 5.0, 20.0
"""Mean number of codons that an alignment lacks at an end of an exon, and at an end of the gene."""
_SHORTEST_PART = 15
_TRIES = 1000
_GT, _AG = (2, 3), (0, 2)


@dataclass(frozen=True)
class Hint:
    """One hint; 0-based and half-open. frame: GFF phase or "."."""

    type: str
    start: int
    end: int
    strand: str
    frame: str
    attributes: str
    false: bool


@dataclass(frozen=True)
class Statistics:
    """What training genes are like: int64, lengths of their introns and of their coding exons."""

    introns: np.ndarray
    exons: np.ndarray

    @classmethod
    def of(cls, genes: Iterable[Gene]) -> Statistics:
        transcripts = [main_transcript(gene) for gene in genes]
        introns = [end - start for t in transcripts for start, end in t.introns]
        exons = [end - start for t in transcripts for start, end in t.cds]
        return cls(np.array(introns, dtype=np.int64), np.array(exons, dtype=np.int64))


def main_transcript(gene: Gene) -> Transcript:
    """The transcript with the longest coding sequence."""
    return max(gene.transcripts, key=lambda t: t.coding_length)


def intron_hints(
    genes: Sequence[Gene], contig: Contig, statistics: Statistics, rng: np.random.Generator
) -> list[Hint]:
    """Hints of spliced reads for the genes of one sequence, sorted."""
    found: dict[tuple[int, int, str], int] = {}
    true = {
        (*intron, gene.strand) for gene in genes for t in gene.transcripts for intron in t.introns
    }
    for gene in genes:
        expression = _MEDIAN_READS * np.exp(rng.normal(0, _SPREAD))
        for intron in sorted({intron for t in gene.transcripts for intron in t.introns}):
            if rng.random() < INTRONS_FOUND:
                found[*intron, gene.strand] = 1 + int(rng.poisson(expression))
    hints = [_intron(*key, reads, false=False) for key, reads in found.items()]
    wrong = round(len(found) * INTRONS_FALSE / (1 - INTRONS_FALSE))
    for key in _false_introns(sorted(true), contig, statistics, wrong, rng):
        hints.append(_intron(*key, int(rng.geometric(_FALSE_READS)), false=True))
    return sorted(hints, key=lambda hint: (hint.start, hint.end, hint.strand))


def protein_hints(
    genes: Sequence[Gene],
    contig: Contig,
    statistics: Statistics,
    code: GeneticCode,
    rng: np.random.Generator,
) -> list[Hint]:
    """Hints of protein alignments for the genes of one sequence, sorted."""
    hints = []
    for number, gene in enumerate(genes):
        if rng.random() < GENES_FOUND:
            hints += _parts(main_transcript(gene), f"prot{number}", rng)
    wrong = round(len(hints) * PARTS_FALSE / (1 - PARTS_FALSE))
    coding = [(t.strand, *part) for gene in genes for t in gene.transcripts for part in t.cds]
    for number, (start, end, strand) in enumerate(
        _false_parts(coding, contig, statistics, code, wrong, rng)
    ):
        hints.append(_part(start, end, strand, 0, f"false{number}", false=True))
    return sorted(hints, key=lambda hint: (hint.start, hint.end, hint.strand))


def hint_lines(hints: Mapping[str, Sequence[Hint]], false: bool = True) -> Iterator[str]:
    """Lines of a hints file from hints by sequence name. false: the wrong ones, too."""
    for name, of_sequence in hints.items():
        for hint in of_sequence:
            if false or not hint.false:
                where = f"{hint.start + 1}\t{hint.end}\t0\t{hint.strand}\t{hint.frame}"
                yield f"{name}\tsimulated\t{hint.type}\t{where}\t{hint.attributes}\n"


def _intron(start: int, end: int, strand: str, reads: int, false: bool) -> Hint:
    return Hint("intron", start, end, strand, ".", f"mult={reads};pri=4;src=E", false)


def _false_introns(
    true: Sequence[tuple[int, int, str]],
    contig: Contig,
    statistics: Statistics,
    count: int,
    rng: np.random.Generator,
) -> list[tuple[int, int, str]]:
    """Introns that no gene has, on sites that splicing could use."""
    codes = base_codes(contig.sequence)
    turned = reverse_complement(codes)
    sites = {"+": (_places(codes, _GT), _places(codes, _AG) + 2)}
    sites["-"] = (_places(turned, _GT), _places(turned, _AG) + 2)
    wrong: set[tuple[int, int, str]] = set()
    for _ in range(_TRIES * count):
        if len(wrong) == count or not len(true) or not len(statistics.introns):
            break
        strand = "+-"[rng.integers(2)]
        donors, acceptors = sites[strand]
        length = rng.choice(statistics.introns)
        anchored = rng.random() < 0.5
        if anchored:
            left, right, strand = true[rng.integers(len(true))]
            donors, acceptors = sites[strand]
            if strand == "-":
                left, right = len(codes) - right, len(codes) - left
            if rng.random() < 0.5:
                right = _nearest(acceptors, left + length)
            else:
                left = _nearest(donors, right - length)
        else:
            left = donors[rng.integers(len(donors))]
            right = _nearest(acceptors, left + length)
        if abs(right - left - length) > length // 5 or right - left < statistics.introns.min():
            continue
        place = (left, right) if strand == "+" else (len(codes) - right, len(codes) - left)
        intron = (int(place[0]), int(place[1]), strand)
        if intron not in true:
            wrong.add(intron)
    return sorted(wrong)


def _places(codes: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Where a pair of bases begins; int64, rising."""
    return np.flatnonzero((codes[:-1] == pair[0]) & (codes[1:] == pair[1]))


def _nearest(places: np.ndarray, wanted: int) -> int:
    at = min(int(np.searchsorted(places, wanted)), len(places) - 1)
    return min(places[max(at - 1, 0) : at + 1].tolist(), key=lambda place: abs(place - wanted))


def _parts(transcript: Transcript, group: str, rng: np.random.Generator) -> Iterator[Hint]:
    """What an alignment shows of each coding exon."""
    last = len(transcript.cds) - 1
    for i, ((start, end), phase) in enumerate(zip(transcript.cds, transcript.phases, strict=True)):
        left = 3 * int(rng.exponential(_CUT_OUTSIDE if i == 0 else _CUT))
        right = 3 * int(rng.exponential(_CUT_OUTSIDE if i == last else _CUT))
        if transcript.strand == "+":
            begin, stop = start + phase + left, end - right
        else:
            begin, stop = start + left, end - phase - right
        if stop - begin >= _SHORTEST_PART:
            yield _part(begin, stop, transcript.strand, 0, group, false=False)


def _part(start: int, end: int, strand: str, phase: int, group: str, false: bool) -> Hint:
    return Hint("CDSpart", start, end, strand, str(phase), f"grp={group};pri=4;src=P", false)


def _false_parts(
    coding: Iterable[tuple[str, int, int]],
    contig: Contig,
    statistics: Statistics,
    code: GeneticCode,
    count: int,
    rng: np.random.Generator,
) -> list[tuple[int, int, str]]:
    """Open reading frames beside the coding exons of their strand."""
    codes = base_codes(contig.sequence)
    exons: dict[str, np.ndarray] = {}
    for strand in "+-":
        exons[strand] = np.zeros(len(codes) + 1, dtype=np.int64)
        for own, start, end in coding:
            if own == strand:
                exons[strand][start + 1 : end + 1] = 1
        exons[strand] = exons[strand].cumsum()
    wrong: list[tuple[int, int, str]] = []
    for _ in range(_TRIES * count):
        if len(wrong) == count:
            break
        length = int(rng.choice(statistics.exons)) // 3 * 3
        start, strand = int(rng.integers(len(codes))), "+-"[rng.integers(2)]
        end = start + length
        if length < _SHORTEST_PART or end > len(codes):
            continue
        if exons[strand][end] == exons[strand][start] and _open(codes[start:end], strand, code):
            wrong.append((start, end, strand))
    return wrong


def _open(codes: np.ndarray, strand: str, code: GeneticCode) -> bool:
    """Is there no stop codon, and no unknown base, in frame?"""
    if strand == "-":
        codes = reverse_complement(codes)
    text = np.frombuffer(b"ACGTN", dtype=np.uint8)[codes].tobytes().decode()
    codons: Sequence[str] = [text[i : i + 3] for i in range(0, len(text), 3)]
    return "N" not in text and not set(codons) & set(code.stops)
