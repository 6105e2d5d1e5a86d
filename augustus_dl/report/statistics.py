"""What the genes of an annotation look like, counted sequence by sequence.

Each gene is counted with its longest coding transcript. Only coding sequence counts: lengths are
those of coding parts, introns lie between them. Memory follows the number of genes and introns,
never the length of a sequence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np

from augustus_dl.encode import N, letters, reverse_complement, soft_mask
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.genetic_code import coding_bases
from augustus_dl.letters import Letters
from augustus_dl.validity import MIN_INTRON

__all__ = [
    "ACCEPTOR",
    "CODONS",
    "DONOR",
    "GeneStatistics",
    "GenomeStatistics",
    "information",
    "main_transcript",
]

CODONS = tuple("".join(codon) for codon in product("ACGT", repeat=3))
DONOR, ACCEPTOR = (-3, 8), (-15, 3)
"""Bases of the logos, counted from the splice site: the intron's first base is 0 at a donor, the
exon's first base is 0 at an acceptor."""


@dataclass(slots=True)
class GenomeStatistics:
    """Attributes:
    lengths: of each sequence, by name.
    bases: int64 [5], how often A, C, G, T and N occur.
    soft_masked: bases in lower case.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    bases: np.ndarray = field(default_factory=lambda: np.zeros(5, dtype=np.int64))
    soft_masked: int = 0

    def add(self, name: str, sequence: Letters, codes: np.ndarray) -> None:
        """Count one sequence. codes: uint8 [L] base codes of it."""
        self.lengths[name] = len(sequence)
        self.bases += np.bincount(codes, minlength=5)
        self.soft_masked += int(np.count_nonzero(soft_mask(sequence)))

    @property
    def size(self) -> int:
        return int(self.bases.sum())


@dataclass(slots=True)
class GeneStatistics:
    """Counts over the genes of one annotation.

    Attributes:
        genes, transcripts: all of them; what follows is counted once a gene.
        single_exon, partial: genes with one coding exon; genes that lack a start or a stop codon.
        outside: genes that end behind the end of their sequence; counted in `genes` only.
        spans: from the first to the last coding base.
        coding_lengths, exon_lengths, intron_lengths: bases.
        exons: number of genes by number of coding exons.
        starts, stops: codons at complete ends.
        sites: first two and last two bases of introns, as `GT-AG`.
        codons: int64 [64], in the order of CODONS, without stop codons at the end.
        coding_bases, third_bases: int64 [5], A, C, G, T and N, in coding sequence and in third
            positions of codons.
        donors, acceptors: int64 [width, 5], bases around splice sites; see DONOR and ACCEPTOR.
    """

    genes: int = 0
    transcripts: int = 0
    single_exon: int = 0
    partial: int = 0
    outside: int = 0
    spans: list[int] = field(default_factory=list)
    coding_lengths: list[int] = field(default_factory=list)
    exon_lengths: list[int] = field(default_factory=list)
    intron_lengths: list[int] = field(default_factory=list)
    exons: Counter[int] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)
    codons: np.ndarray = field(default_factory=lambda: np.zeros(64, dtype=np.int64))
    coding_bases: np.ndarray = field(default_factory=lambda: np.zeros(5, dtype=np.int64))
    third_bases: np.ndarray = field(default_factory=lambda: np.zeros(5, dtype=np.int64))
    donors: np.ndarray = field(default_factory=lambda: _empty_sites(DONOR))
    acceptors: np.ndarray = field(default_factory=lambda: _empty_sites(ACCEPTOR))

    def add(self, genes: Iterable[Gene], codes: np.ndarray) -> None:
        """Count the genes of one sequence. codes: uint8 [L] base codes of it."""
        for gene in genes:
            self.genes += 1
            self.transcripts += len(gene.transcripts)
            transcript = main_transcript(gene)
            if transcript.end > len(codes):
                self.outside += 1
                continue
            self._add_structure(transcript)
            self._add_codons(transcript, codes)
            self._add_introns(transcript, codes)

    def _add_structure(self, transcript: Transcript) -> None:
        cds = transcript.cds
        self.single_exon += len(cds) == 1
        self.partial += not (transcript.complete5 and transcript.complete3)
        self.spans.append(cds[-1][1] - cds[0][0])
        self.coding_lengths.append(transcript.coding_length)
        self.exon_lengths += [end - start for start, end in cds]
        self.exons[len(cds)] += 1

    def _add_codons(self, transcript: Transcript, codes: np.ndarray) -> None:
        spliced = coding_bases(transcript, codes)
        self.coding_bases += np.bincount(spliced, minlength=5)
        if transcript.complete5:
            self.starts[_text(spliced[:3])] += 1
        framed = spliced[transcript.phase :]
        if transcript.complete3:
            self.stops[_text(spliced[-3:])] += 1
            framed = framed[:-3]
        codons = framed[: len(framed) // 3 * 3].reshape(-1, 3).astype(np.int64)
        self.third_bases += np.bincount(codons[:, 2], minlength=5)
        known = codons[(codons < N).all(axis=1)]
        self.codons += np.bincount(known @ (16, 4, 1), minlength=64)

    def _add_introns(self, transcript: Transcript, codes: np.ndarray) -> None:
        for (_, start), (end, _) in pairwise(transcript.cds):
            if end - start < MIN_INTRON:
                continue
            self.intron_lengths.append(end - start)
            around = _around(codes, (start, end), transcript.strand)
            first, last = around
            self.sites[f"{_text(first[3:5])}-{_text(last[13:15])}"] += 1
            self.donors[np.arange(len(first)), first] += 1
            self.acceptors[np.arange(len(last)), last] += 1


def main_transcript(gene: Gene) -> Transcript:
    """The transcript with the longest coding sequence."""
    return max(gene.transcripts, key=lambda transcript: transcript.coding_length)


def information(counts: np.ndarray) -> np.ndarray:
    """Heights of the letters of a sequence logo, in bits; int64 [width, 5] -> float64 [width, 4].

    2 bits less the entropy, with the correction for small samples, shared by frequency.
    """
    known = counts[:, :N].astype(float)
    total = np.maximum(known.sum(axis=1, keepdims=True), 1)
    share = known / total
    entropy = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1, keepdims=True)
    correction = 3 / (2 * np.log(2) * total)
    return share * np.maximum(2 - entropy - correction, 0)


def _empty_sites(span: tuple[int, int]) -> np.ndarray:
    return np.zeros((span[1] - span[0], 5), dtype=np.int64)


def _around(codes: np.ndarray, intron: Interval, strand: str) -> tuple[np.ndarray, np.ndarray]:
    """Base codes around the donor and the acceptor of an intron, in transcript direction."""
    start, end = intron
    if strand == "-":
        donor = _stretch(codes, end - DONOR[1], end - DONOR[0])
        acceptor = _stretch(codes, start - ACCEPTOR[1], start - ACCEPTOR[0])
        return reverse_complement(donor), reverse_complement(acceptor)
    return (
        _stretch(codes, start + DONOR[0], start + DONOR[1]),
        _stretch(codes, end + ACCEPTOR[0], end + ACCEPTOR[1]),
    )


def _stretch(codes: np.ndarray, start: int, end: int) -> np.ndarray:
    """Codes from `start` to `end`, N beyond the sequence."""
    inside = codes[max(start, 0) : end]
    return np.pad(inside, (max(-start, 0), max(end - len(codes), 0)), constant_values=N)


def _text(codes: np.ndarray) -> str:
    return letters(codes).decode("ascii")
