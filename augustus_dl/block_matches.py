"""Blocks of a protein profile found in the proteins of transcripts.

A transcript matches when its protein has all blocks of the profile in their order and at the
distances that the profile allows, each with a score above its threshold. Of several ways to place
the blocks the one with the highest sum of scores is taken. Where an intron interrupts a block each
part must pass a threshold of its own, and the codon that is split counts for neither. This is
how AUGUSTUS-PPX scores proteins; scores given out are its, too: the geometric mean of the odds.

Which genes are found is decided before: a profile can move scores towards its blocks
(`decode.block_bonus`), but unlike AUGUSTUS's decoder ours does not know whether all of them will be
in a gene. Time is linear in the length of the protein times the columns of the profile, whatever
matches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import BlockMatch, Interval, Transcript
from augustus_dl.genetic_code import GeneticCode, translate
from augustus_dl.letters import Letters
from augustus_dl.protein_profile import Block, Distance, ProteinProfile, residues

__all__ = ["block_matches", "with_matches"]


def with_matches(
    transcript: Transcript, sequence: Letters, profile: ProteinProfile, code: GeneticCode
) -> Transcript:
    """The transcript with its `block_matches`."""
    return replace(transcript, matches=block_matches(transcript, sequence, profile, code))


def block_matches(
    transcript: Transcript, sequence: Letters, profile: ProteinProfile, code: GeneticCode
) -> tuple[BlockMatch, ...]:
    """Where the blocks of a profile are in a transcript: one match for each exon that has bases of
    a block, in rising genomic order; nothing unless all blocks are there.

    A transcript without start or stop codon has no matches, except where the profile allows
    truncated genes: then blocks, and columns of a block, may be missing where it is cut.

    Args:
        sequence: letters of the whole contig.
    """
    truncated = not (transcript.complete5 and transcript.complete3)
    if truncated and not profile.allow_truncated:
        return ()
    protein = _Protein.of(transcript, sequence, code)
    parts = [part for placed in _best_chain(profile, protein) for part in protein.parts(*placed)]
    return tuple(sorted(parts, key=lambda match: match.start))


class _Placed(NamedTuple):
    """A block, and the amino acid under its first column; negative where the protein is cut."""

    block: Block
    start: int


@dataclass(frozen=True, eq=False)
class _Protein:
    """The protein of a transcript, and which of it comes from which exon.

    Attributes:
        residues: uint8 [n], without the final stop.
        exons: of each coding interval, 5' first, the amino acids whose codons lie in it.
        edges: coding bases before each coding interval, and behind the last.
        transcript: where it is from.
    """

    residues: np.ndarray
    exons: tuple[Interval, ...]
    edges: tuple[int, ...]
    transcript: Transcript

    @classmethod
    def of(cls, transcript: Transcript, sequence: Letters, code: GeneticCode) -> _Protein:
        coding = base_codes(b"".join(sequence[start:end] for start, end in transcript.cds))
        coding = coding if transcript.strand == "+" else reverse_complement(coding)
        letters = translate(coding[transcript.phase :], code)
        if transcript.complete3:
            letters = letters[:-1]
        edges = np.cumsum([0, *(end - start for start, end in _five_prime_first(transcript))])
        codons = (edges - transcript.phase) / 3
        starts = np.ceil(codons[:-1]).astype(int).clip(min=0)
        ends = np.floor(codons[1:]).astype(int).clip(max=len(letters))
        exons = tuple(zip(starts.tolist(), ends.tolist(), strict=True))
        return cls(residues(letters), exons, tuple(edges.tolist()), transcript)

    def parts(self, block: Block, start: int) -> list[BlockMatch]:
        """Matches of a block that begins at an amino acid: one for each exon."""
        first = self.transcript.phase + 3 * start
        found = []
        for index, (exon_start, exon_end) in enumerate(_five_prime_first(self.transcript)):
            begin = max(self.edges[index], first)
            end = min(self.edges[index + 1], first + 3 * block.width)
            if begin >= end:
                continue
            skipped, offset = begin - self.edges[index], begin - first
            forward = self.transcript.strand == "+"
            left = exon_start + skipped if forward else exon_end - skipped - (end - begin)
            found.append(
                BlockMatch(
                    block=block.name,
                    start=left,
                    end=left + end - begin,
                    score=self._score(block, start, self.exons[index]),
                    phase=-offset % 3,
                    block_start=offset // 3,
                    block_end=(offset + end - begin - 1) // 3 + 1,
                    protein_start=start,
                )
            )
        return found

    def _score(self, block: Block, start: int, exon: Interval) -> float:
        """Geometric mean of the odds of what lies in an exon; 1 when no whole codon does."""
        first, end = max(exon[0], start), min(exon[1], start + block.width)
        if first >= end:
            return 1.0
        columns = np.arange(first - start, end - start)
        return float(np.exp(block.scores[columns, self.residues[first:end]].mean()))


def _five_prime_first(transcript: Transcript) -> Sequence[Interval]:
    return transcript.cds if transcript.strand == "+" else transcript.cds[::-1]


class _Reached(NamedTuple):
    """Best chains that end with a certain block.

    Attributes:
        starts: where the block begins, rising; int64 [m].
        scores: sums over the chains; float64 [m].
        previous: which chain of the block before is continued, -1 for none; int64 [m].
    """

    starts: np.ndarray
    scores: np.ndarray
    previous: np.ndarray


def _best_chain(profile: ProteinProfile, protein: _Protein) -> list[_Placed]:
    """The blocks at their best places, [] when they do not all have one."""
    length = len(protein.residues)
    open_start = not protein.transcript.complete5
    open_end = not protein.transcript.complete3
    reached: list[_Reached] = []
    best, best_score = (-1, -1), 0.0
    for number, block in enumerate(profile.blocks):
        reached.append(_reached(profile, protein, number, reached, open_start))
        if not (len(reached[-1].starts) or open_start):
            break
        behind = length - block.width - reached[-1].starts
        after = profile.distances[number + 1]
        if number + 1 == len(profile.blocks) or open_end:
            scores = np.where(_allowed(behind, after, open_end), reached[-1].scores, -np.inf)
            if len(scores) and scores.max() > best_score:
                best, best_score = (number, int(scores.argmax())), float(scores.max())
    return _traced(profile, reached, *best)


def _reached(
    profile: ProteinProfile,
    protein: _Protein,
    number: int,
    before: Sequence[_Reached],
    open_start: bool,
) -> _Reached:
    """Chains that end with the block of this number, continued from those of the one before."""
    distance = profile.distances[number]
    starts, scores = _placements(profile.blocks[number], protein)
    first = number == 0 or open_start
    total = np.where(_allowed(starts, distance, open_start) & first, scores, -np.inf)
    previous = np.full(len(starts), -1)
    if number:
        ends = before[-1].starts + profile.blocks[number - 1].width
        linked = _predecessors(ends, before[-1].scores, starts, distance)
        continued = np.where(linked < 0, -np.inf, scores + np.append(before[-1].scores, 0)[linked])
        previous = np.where(continued > total, linked, previous)
        total = np.maximum(total, continued)
    kept = total > -np.inf
    return _Reached(starts[kept], total[kept], previous[kept])


def _allowed(gaps: np.ndarray, distance: Distance, is_cut: bool) -> np.ndarray:
    """Which distances to an end of the protein fit, the shortest too where it is cut; bool [m]."""
    most = np.inf if distance.most is None else distance.most
    return (gaps <= most) & (is_cut | (gaps >= distance.least))


def _placements(block: Block, protein: _Protein) -> tuple[np.ndarray, np.ndarray]:
    """Where a block passes all its thresholds, int64 [m] rising, and its scores, float64 [m]."""
    length, width = len(protein.residues), block.width
    first = 0 if protein.transcript.complete5 else 1 - width
    end = length - width + 1 if protein.transcript.complete3 else length
    if end <= first:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    starts = np.arange(first, end)
    summed = _column_sums(block, protein.residues, first, end)
    scores, passed = np.zeros(len(starts)), np.ones(len(starts), dtype=bool)
    for exon_start, exon_end in protein.exons:
        here = slice(max(exon_start - width + 1 - first, 0), max(exon_end - first, 0))
        rows = np.arange(len(starts))[here]
        if exon_start >= exon_end or not len(rows):
            continue
        left = np.maximum(exon_start - starts[here], 0)
        right = np.minimum(exon_end - starts[here], width)
        part = summed[rows, right] - summed[rows, left]
        passed[here] &= part > block.thresholds[left, right]
        scores[here] += part
    return starts[passed], scores[passed]


def _column_sums(block: Block, numbers: np.ndarray, first: int, end: int) -> np.ndarray:
    """Scores of the first 0 to all columns at each place; float64 [end - first, width + 1].

    Columns beyond an end of the protein have some score that must not be used.
    """
    width = block.width
    padded = np.pad(numbers, width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[first + width : end + width]
    scores = block.scores[np.arange(width), windows]
    return np.cumsum(np.pad(scores, ((0, 0), (1, 0))), axis=1)


def _predecessors(
    ends: np.ndarray, scores: np.ndarray, starts: np.ndarray, distance: Distance
) -> np.ndarray:
    """For each start the index of the best end at an allowed distance, -1 for none; int64 [m].

    Both rise, so the ends within reach are a window that only moves on; the queue holds those that
    may still become the best.
    """
    found = np.full(len(starts), -1)
    queue: deque[int] = deque()
    coming = 0
    for number, start in enumerate(starts):
        while coming < len(ends) and ends[coming] <= start - distance.least:
            while queue and scores[queue[-1]] <= scores[coming]:
                queue.pop()
            queue.append(coming)
            coming += 1
        while queue and distance.most is not None and ends[queue[0]] < start - distance.most:
            queue.popleft()
        if queue:
            found[number] = queue[0]
    return found


def _traced(
    profile: ProteinProfile, reached: Sequence[_Reached], number: int, index: int
) -> list[_Placed]:
    """The chain that ends with the block of this number; empty for number -1."""
    chain = []
    while index >= 0:
        chain.append(_Placed(profile.blocks[number], int(reached[number].starts[index])))
        index = int(reached[number].previous[index])
        number -= 1
    return chain[::-1]
