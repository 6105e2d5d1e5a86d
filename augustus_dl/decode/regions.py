"""Parts of a sequence that are parsed again, each with its scores and its part of the best parse.

They are cut in the middle of long stretches that the best parse calls intergenic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.grammar import Graph, build_graph
from augustus_dl.decode.lattice import Lattice, between
from augustus_dl.decode.viterbi import Chunk, Decoder, viterbi
from augustus_dl.encode import intervals_of
from augustus_dl.labels import INTERGENIC, labels_of

__all__ = ["REGION", "Region", "regions"]

REGION = 200_000
"""Bases after which a region may end."""
_FIRST = labels_of("+", "START") + labels_of("-", "STOP")
_OPENING, _INSIDE = (
    labels_of("+", kinds) + labels_of("-", others) for kinds, others in (("D", "A"), ("I", "I"))
)
"""Labels of a gene's left end, of an intron's, and inside an intron."""


class Region(NamedTuple):
    """A part of a sequence that is treated at once.

    Attributes:
        start: its first base.
        last: no other one follows.
        labels: uint8 [n], of the best parse; scores, codes: as for `Decoder.decode`.
    """

    start: int
    last: bool
    labels: np.ndarray
    scores: np.ndarray
    codes: np.ndarray

    @property
    def end(self) -> int:
        """The base behind it."""
        return self.start + len(self.labels)

    @property
    def whole(self) -> bool:
        """Is it the sequence?"""
        return self.start == 0 and self.last

    def part(self, start: int, end: int) -> Region:
        """Its bases from `start` to `end`, counted from its own first one."""
        span = slice(start, end)
        last = self.last and end == len(self.labels)
        return Region(
            self.start + start, last, self.labels[span], self.scores[span], self.codes[span]
        )

    def value(self, labels: np.ndarray, judged: np.ndarray, config: DecoderConfig) -> float:
        """Nats that a parse scores, with the prices of genes and introns, but for GC donors.

        Args:
            labels: uint8 [n]. judged: bool [n], bases whose scores count.
        """
        cut_gene = labels[0] not in (INTERGENIC, *_FIRST)
        genes = np.isin(labels, _FIRST).sum() + cut_gene
        introns = np.isin(labels, _OPENING).sum() + (labels[0] in _INSIDE)
        scores = self.scores[np.arange(len(labels)), labels][judged]
        prices = genes * config.gene_start + introns * config.intron
        return float(scores.sum(dtype=np.int64) / GRID + prices)

    def best(self, config: DecoderConfig) -> np.ndarray:
        """Labels of its best parse; uint8 [n]."""
        return viterbi(self.scores, self.codes, config, self.graph(config))

    def graph(self, config: DecoderConfig) -> Graph:
        """What is legal in it. How many genes it has is prescribed to a whole sequence only."""
        if not self.whole:
            config = replace(config, gene_count="any")
        return between(build_graph(config), left=self.start > 0, right=not self.last)

    def lattice(self, config: DecoderConfig, heat: float) -> Lattice:
        return Lattice(self.graph(config), self.scores, self.codes, heat)


def regions(decoder: Decoder, chunks: Iterable[Chunk]) -> Iterator[list[Region]]:
    """Cut a sequence. Where depends on the best parse only, not on the chunks.

    Yields:
        Those that are complete, often none, for each chunk that is not empty and at the end.
    """
    held: list[Chunk] = []
    start, limit, labels = 0, REGION, np.empty(0, dtype=np.uint8)
    for piece in decoder.decode(_remembered(chunks, held)):
        labels = np.concatenate((labels, piece))
        ready = []
        while len(labels) >= limit:
            cut = _cut(labels[:limit])
            if not cut:
                limit *= 2
                continue
            ready.append(Region(start, False, labels[:cut], *_taken(held, cut)))
            start, limit, labels = start + cut, REGION, labels[cut:]
        yield ready
    yield [Region(start, True, labels, *_taken(held, len(labels)))] if len(labels) else []


def _remembered(chunks: Iterable[Chunk], held: list[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        held.append(chunk)
        yield chunk


def _taken(held: list[Chunk], length: int) -> Chunk:
    """Take the first `length` bases out of `held`."""
    taken = []
    while length:
        scores, codes = held.pop(0)
        if len(codes) > length:
            held.insert(0, (scores[length:], codes[length:]))
        taken.append((scores[:length], codes[:length]))
        length -= len(taken[-1][1])
    scores, codes = zip(*taken, strict=True)
    return np.concatenate(scores), np.concatenate(codes)


def _cut(labels: np.ndarray) -> int:
    """Where to cut: in the middle of the longest intergenic stretch of the second half.

    Returns:
        The base right of the cut, with an intergenic one left of it; 0 when there is none.
    """
    half = len(labels) // 2
    stretches = intervals_of(labels[half:] == INTERGENIC)
    if not len(stretches):
        return 0
    first, last = stretches[np.argmax(stretches[:, 1] - stretches[:, 0])]
    return half + int(first + last + 1) // 2
