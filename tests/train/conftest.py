"""Toy genomes whose genes are known because they were put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from augustus_dl.encode import base_codes, reverse_complement, soft_mask
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.train.pack import Piece
from augustus_dl.train.truth import label_contig, label_utrs

_LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)
_CODONS = ("GCC", "AAG", "GAT", "CTG", "GAA", "ATC", "GGT", "CGC")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Windows of a batch are shared among torch's threads; tests count what one thread does,
    whatever ran before them."""
    torch.set_num_threads(1)


def _coding(rng: np.random.Generator, codons: int) -> str:
    return "".join(rng.choice(_CODONS, codons))


def _random(rng: np.random.Generator, length: int) -> str:
    return "".join(rng.choice(list("ACGT"), length))


def _gene(rng: np.random.Generator) -> tuple[str, Transcript]:
    """A gene of two or three exons as it reads on the plus strand."""
    text, cds, cut = "ATG" + _coding(rng, 20), [], 0
    for _ in range(rng.integers(1, 3)):
        text += _coding(rng, 1)[: rng.integers(0, 3)]
        cds.append((cut, len(text)))
        text += "GTAAGT" + _random(rng, 40) + "TTTTTTTTCAG"
        cut = len(text)
        text += _coding(rng, 1)[: (-sum(b - a for a, b in cds)) % 3] + _coding(rng, 20)
    text += "TAA"
    cds.append((cut, len(text)))
    return text, Transcript("+", tuple(cds))


def make_contig(name: str, seed: int, genes: int) -> tuple[Contig, list[Gene]]:
    """A contig with genes on both strands, lower case in every other gap between them."""
    rng = np.random.default_rng(seed)
    parts, found, cursor = [], [], 0
    for number in range(genes):
        gap = _random(rng, int(rng.integers(150, 400)))
        parts.append(gap.lower() if number % 2 else gap)
        cursor += len(gap)
        text, transcript = _gene(rng)
        if number % 3 == 1:
            codes = reverse_complement(base_codes(text.encode()))
            text, transcript = _LETTERS[codes].tobytes().decode(), transcript.mirrored(len(text))
        parts.append(text)
        transcript = transcript.shifted(cursor)
        found.append(Gene(name, transcript.strand, (transcript,), f"g{number}"))
        cursor += len(text)
    parts.append(_random(rng, 200))
    return Contig(name, "".join(parts).encode()), found


def add_utrs(gene: Gene) -> Gene:
    """30 bases of 5' UTR, and an intron in 3' UTR of 70 bases."""
    (transcript,) = gene.transcripts
    first, last = transcript.cds[0][0], transcript.cds[-1][1]
    if gene.strand == "+":
        utr5, utr3 = ((first - 30, first),), ((last, last + 20), (last + 50, last + 70))
    else:
        utr5, utr3 = ((last, last + 30),), ((first - 70, first - 50), (first - 20, first))
    utrs = replace(transcript, utr5=utr5, utr3=utr3, tss=True, tts=True, start=-1, end=-1)
    return replace(gene, transcripts=(utrs,))


def make_piece(
    name: str = "chr1",
    seed: int = 0,
    genes: int = 12,
    folder: str = "toy",
    clade: str = "yeasts",
    weight: float = 1.0,
    validation: bool = False,
) -> Piece:
    contig, found = make_contig(name, seed, genes)
    codes = base_codes(contig.sequence)
    return Piece(
        name=name,
        set=folder,
        clade=clade,
        weight=weight,
        genetic_code=1,
        validation=validation,
        codes=codes,
        soft=soft_mask(contig.sequence),
        labels=label_contig(found, [], codes, genetic_code(1)),
        utr=label_utrs(map(add_utrs, found), [], codes),
        genes=tuple(found) if validation else (),
        masks=((3, 9, "doubtful"),) if validation else (),
    )


@pytest.fixture(scope="session")
def toy_contig() -> Callable[..., tuple[Contig, list[Gene]]]:
    return make_contig


@pytest.fixture(scope="session")
def with_utrs() -> Callable[[Gene], Gene]:
    return add_utrs


@pytest.fixture(scope="session")
def toy_piece() -> Callable[..., Piece]:
    return make_piece
