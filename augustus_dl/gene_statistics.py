"""What the genes of a genome look like, as counts that can be added up over sequences.

Each table of TABLES is a set of rows; a row counts how often each of some alternatives was seen:
codons, lengths of introns and inner exons, bases around starts and splice sites, stop codons, words
before acceptor sites, introns for each kilobase of coding sequence. `log_ratios` compares the
shares in a row with usual ones, which few counts hardly leave. A vector of counts is float64
[WIDTH], all tables behind each other, in the order of TABLES.

Owns what is counted; what follows from it is in `augustus_dl.species_choice`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.letters import Letters

__all__ = ["TABLES", "WIDTH", "count", "log_ratios", "shares"]


class Table(NamedTuple):
    """Rows and alternatives of a table, and the counts that usual shares stand for in a row."""

    rows: int
    columns: int
    pseudo: float


_INTRON = np.array([30, 45, 50, 55, 60, 65, 72, 80, 90, 105, 130, 170, 250, 400, 700, 1500, 4000])
_EXON = np.array([60, 90, 120, 160, 220, 320, 500, 1000])
"""Lengths at which the next class begins."""
_WORDS = tuple(base_codes(word) for word in (b"CTAAC", b"CTGAC", b"CTAAT", b"TTAAC"))
"""Of branch points, looked for in the _BRANCH[1] bases that begin _BRANCH[0] before an exon."""
_BRANCH = (-55, 50)
_TRACT = (-21, 14)
_STOPS = [48, 50, 56]
"""TAA, TAG and TGA as numbers to base 4."""

TABLES = {
    "codons": Table(1, 64, 200),
    "intron_lengths": Table(1, len(_INTRON) + 1, 10),
    "exon_lengths": Table(1, len(_EXON) + 1, 10),
    "before_donor": Table(3, 4, 20),
    "behind_donor": Table(4, 4, 20),
    "before_acceptor": Table(5, 4, 20),
    "tract": Table(1, 4, 20),
    "before_start": Table(6, 4, 20),
    "behind_start": Table(3, 4, 20),
    "stops": Table(1, 3, 20),
    "branch_words": Table(len(_WORDS), 2, 20),
    "single_exon": Table(1, 2, 10),
    "introns_per_kb": Table(1, 2, 10),
}
WIDTH = sum(table.rows * table.columns for table in TABLES.values())


def count(sequence: Letters, transcripts: Iterable[Transcript]) -> np.ndarray:
    """Counts of the genes of one sequence; float64 [WIDTH]."""
    forward = base_codes(sequence)
    strands = {"+": forward, "-": reverse_complement(forward)}
    length = len(forward)
    found = {name: np.zeros((table.rows, table.columns)) for name, table in TABLES.items()}
    for strand, codes in strands.items():
        own = [transcript for transcript in transcripts if transcript.strand == strand]
        if strand == "-":
            own = [transcript.mirrored(length) for transcript in own]
        _count_strand(found, codes, own)
    return np.concatenate([found[name].ravel() for name in TABLES])


def shares(counts: np.ndarray) -> np.ndarray:
    """Shares of the alternatives in each row, none of them 0; float64 [WIDTH]."""
    return np.concatenate(
        [((rows + 0.5) / (rows + 0.5).sum(1, keepdims=True)).ravel() for _, rows in _split(counts)]
    )


def log_ratios(counts: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Logarithms of shares over the usual ones; 0 where nothing was counted; float64 [WIDTH].

    Args:
        usual: shares, float64 [WIDTH].
    """
    found = []
    for (table, rows), (_, expected) in zip(_split(counts), _split(usual), strict=True):
        mixed = rows + table.pseudo * expected
        found.append(np.log(mixed / mixed.sum(1, keepdims=True) / expected).ravel())
    return np.concatenate(found)


def _split(vector: np.ndarray) -> list[tuple[Table, np.ndarray]]:
    """Each table with its part of a vector, [rows, columns]."""
    parts, start = [], 0
    for table in TABLES.values():
        end = start + table.rows * table.columns
        parts.append((table, vector[start:end].reshape(table.rows, table.columns)))
        start = end
    return parts


def _count_strand(
    found: dict[str, np.ndarray], codes: np.ndarray, transcripts: list[Transcript]
) -> None:
    """Add what transcripts of the forward strand show."""
    starts, donors, acceptors, introns, exons, stops = [], [], [], [], [], []
    coding = 0
    for transcript in transcripts:
        cds = transcript.cds
        if transcript.complete5:
            starts.append(cds[0][0])
        if transcript.complete3:
            stops.append(cds[-1][1] - 3)
        if transcript.complete5 and transcript.complete3:
            found["single_exon"][0, int(len(cds) > 1)] += 1
        donors += [end for _, end in cds[:-1]]
        acceptors += [start for start, _ in cds[1:]]
        introns += [right[0] - left[1] for left, right in pairwise(cds)]
        exons += [end - start for start, end in cds[1:-1]]
        coding += transcript.coding_length
        found["codons"][0] += _codons(codes, transcript)
    found["introns_per_kb"][0] += len(introns), coding / 1000
    for name, borders, lengths in (
        ("intron_lengths", _INTRON, introns),
        ("exon_lengths", _EXON, exons),
    ):
        classes = np.searchsorted(borders, np.array(lengths, dtype=np.int64), side="right")
        found[name][0] += np.bincount(classes, minlength=len(borders) + 1)
    for name, places, offset in (
        ("before_donor", donors, -3),
        ("behind_donor", donors, 2),
        ("before_acceptor", acceptors, -7),
        ("before_start", starts, -6),
        ("behind_start", starts, 3),
    ):
        found[name] += _profile(_around(codes, places, offset, TABLES[name].rows))
    found["tract"][0] += _profile(_around(codes, acceptors, *_TRACT)).sum(0)
    codons = _around(codes, stops, 0, 3)
    found["stops"][0] += np.bincount(_numbers(codons), minlength=64)[_STOPS]
    before = _around(codes, acceptors, *_BRANCH)
    for row, word in enumerate(_WORDS):
        places = range(_BRANCH[1] - len(word) + 1)
        hits = [(before[:, place : place + len(word)] == word).all(1) for place in places]
        number = int(np.any(hits, axis=0).sum())
        found["branch_words"][row] += number, len(before) - number


def _codons(codes: np.ndarray, transcript: Transcript) -> np.ndarray:
    """How often each codon occurs in a transcript of the forward strand; int64 [64]."""
    coding = np.concatenate([codes[start:end] for start, end in transcript.cds])[transcript.phase :]
    return np.bincount(_numbers(coding[: len(coding) // 3 * 3].reshape(-1, 3)), minlength=64)


def _numbers(codons: np.ndarray) -> np.ndarray:
    """Codons without unknown bases, read as numbers to base 4."""
    return codons[(codons < 4).all(1)].astype(np.int64) @ [16, 4, 1]


def _around(codes: np.ndarray, places: list[int], offset: int, width: int) -> np.ndarray:
    """`width` bases from `offset` on at each place where they are within the sequence."""
    begins = np.array(places, dtype=np.int64) + offset
    begins = begins[(begins >= 0) & (begins + width <= len(codes))]
    return codes[begins[:, None] + np.arange(width)]


def _profile(windows: np.ndarray) -> np.ndarray:
    """How often each base stands at each place; [n, width] -> int64 [width, 4]."""
    return np.stack([(windows == base).sum(0) for base in range(4)], axis=1)
