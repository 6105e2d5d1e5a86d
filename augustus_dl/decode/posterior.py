"""Posterior probabilities of gene features, from the sums of `lattice`.

A path's probability is its weight over that of all legal paths of the region; that of a feature is
the sum over the paths that have it. A feature is a fixed stretch of labels between two junctions,
so only the sums at its ends are needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.grammar import IMPOSSIBLE
from augustus_dl.decode.lattice import NEVER, Lattice, log_add, site_score
from augustus_dl.decode.native import native
from augustus_dl.encode import N, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.labels import NUM_LABELS, label, mirror, to_labels

__all__ = ["label_posteriors", "with_posteriors"]

_NEXT_PHASE = np.arange(NUM_LABELS, dtype=np.uint8)
"""uint8 [29]: the same part of an intron in another phase."""
for _strand in "+-":
    for _kind in "DIA":
        for _phase in range(3):
            _next = label(_strand, f"{_kind}{(_phase + 1) % 3}")
            _NEXT_PHASE[label(_strand, f"{_kind}{_phase}")] = _next


def with_posteriors(
    lattice: Lattice, transcripts: Sequence[Transcript], config: DecoderConfig
) -> list[Transcript]:
    """The same transcripts with their probabilities and those of their parts.

    A transcript's is that of a gene with just its labels, from its first base to its last. That of
    a coding interval is the probability that one with these ends lies on this strand in this
    phase, with the same kinds of ends: start or stop codon, splice site, or end of the region.
    That of an intron counts introns with these ends on this strand in any phase.

    Args:
        transcripts: in coordinates of the region, without untranslated regions.
        config: the track that the graph of the lattice is of.
    """
    if not transcripts:
        return []
    features = _Features(lattice, transcripts)
    if config.max_overlap:
        return [features.added_to_overlapping(t, config) for t in transcripts]
    return [features.added_to(t) for t in transcripts]


def label_posteriors(lattice: Lattice) -> np.ndarray:
    """Probability of each label at each base of a region; float32 [n, 29]."""
    graph, n, log_total = lattice.graph, len(lattice), lattice.log_total
    openers = {int(s): j for j, s in enumerate(graph.opener)}
    posteriors = np.zeros((n + 1, NUM_LABELS), dtype=np.float32)
    for forward, backward in zip(lattice.forward_again(), lattice.backward(), strict=True):
        here = posteriors[forward.start : forward.stop]
        right = posteriors[forward.start + 1 : forward.stop + 1]
        onward, opening = backward.onward.T, backward.opening.T
        exon, closing = forward.exon.T - log_total, forward.closing.T - log_total
        for s, own in enumerate(graph.state_label):
            here[:, own] += np.exp(exon[s] + np.logaddexp(onward[s], opening[s]))
            if s in openers:
                here[:, graph.right_label[openers[s]]] += np.exp(closing[s] + onward[s])
                right[:, graph.left_label[openers[s]]] += np.exp(exon[s] + opening[s])
    posteriors = posteriors[:n]
    _add_inside(lattice, posteriors)
    return np.clip(posteriors, 0, 1)


def _add_inside(lattice: Lattice, posteriors: np.ndarray) -> None:
    """The labels between introns' ends: from right to left, what is inside changes only there."""
    graph = lattice.graph
    states, introns = len(graph.state_label), len(graph.opener)
    ends = np.exp(lattice.ends[states:] - lattice.log_total)
    ends = ends.reshape(1 + graph.min_intron, introns).sum(axis=0)
    for inside in graph.intron_labels:
        mine = np.flatnonzero(graph.inside_label == inside)
        opened = posteriors[:-1, graph.left_label[mine[0]]].astype(np.float64)
        closed = posteriors[1:, graph.right_label[mine[0]]]
        change = np.append(closed - opened, ends[mine].sum())
        posteriors[:, inside] = np.cumsum(change[::-1])[::-1]


class _Junction(NamedTuple):
    """The sums at one base; float64 [S] each."""

    exon: np.ndarray
    closing: np.ndarray
    onward: np.ndarray
    opening: np.ndarray


class _Features:
    """Probabilities of transcripts and their parts; each part is computed once."""

    def __init__(self, lattice: Lattice, transcripts: Sequence[Transcript]) -> None:
        self._lattice = lattice
        self._known: dict[tuple, float] = {}
        bases = [x - 1 for t in transcripts for ends in (*t.cds, (t.start, t.end)) for x in ends]
        self._junctions = _junctions(lattice, np.unique(np.array(bases, dtype=np.int64)))
        self._log_total = lattice.log_total

    def added_to(self, transcript: Transcript) -> Transcript:
        start, end = transcript.start, transcript.end
        path = to_labels([transcript.shifted(-start)], end - start)
        return replace(
            transcript,
            posterior=self._probability(start, path, "exon", "onward"),
            cds_posterior=tuple(
                self._coding(a, path[a - start : b - start], a > start, b < end)
                for a, b in transcript.cds
            ),
            intron_posterior=tuple(
                self._intron(a, path[a - start : b - start]) for a, b in transcript.introns
            ),
        )

    def added_to_overlapping(self, transcript: Transcript, config: DecoderConfig) -> Transcript:
        paths = _spellings(transcript, self._lattice.codes, config)
        each = [self._probability(transcript.start, path, "exon", "onward") for path in paths]
        total = min(1.0, sum(each))
        return replace(transcript, posterior=total, cds_posterior=(total,))

    def _coding(self, start: int, labels: np.ndarray, intron_left: bool, intron_right: bool):
        key = (start, len(labels), int(labels[0]), int(labels[-1]), intron_left, intron_right)
        if key not in self._known:
            self._known[key] = self._probability(
                start,
                labels,
                "closing" if intron_left else "exon",
                "opening" if intron_right else "onward",
            )
        return self._known[key]

    def _intron(self, start: int, labels: np.ndarray) -> float:
        key = (start, len(labels), int(labels[0]), int(labels[-1]))
        if key not in self._known:
            phases = [labels, _NEXT_PHASE[labels], _NEXT_PHASE[_NEXT_PHASE[labels]]]
            each = [self._probability(start, path, "exon", "onward") for path in phases]
            self._known[key] = min(1.0, sum(each))
        return self._known[key]

    def _probability(self, start: int, labels: np.ndarray, enter: str, leave: str) -> float:
        """Of the paths with these labels that come and go on as these fields of `_Junction` say."""
        before = getattr(self._junctions[start - 1], enter)
        after = getattr(self._junctions[start + len(labels) - 1], leave)
        lattice = self._lattice
        weight = _log_weight(
            lattice.graph,
            lattice.scale,
            lattice.scores,
            lattice.codes,
            start,
            labels,
            before.copy(),
            np.empty_like(before),
            after,
        )
        return min(1.0, math.exp(weight - self._log_total))


def _junctions(lattice: Lattice, bases: np.ndarray) -> dict[int, _Junction]:
    """The sums at these bases, int64 [m] rising; -1 is left of the region."""
    found = np.full((len(bases), len(_Junction._fields), len(lattice.begin)), NEVER)
    for forward in lattice.forward():
        first, last = np.searchsorted(bases, (forward.start, forward.stop))
        rows = bases[first:last] - forward.start
        found[first:last, 0], found[first:last, 1] = forward.exon[rows], forward.closing[rows]
    for backward in lattice.backward():
        first, last = np.searchsorted(bases, (backward.start, backward.stop))
        rows = bases[first:last] - backward.start
        found[first:last, 2], found[first:last, 3] = backward.onward[rows], backward.opening[rows]
    junctions = {int(base): _Junction(*sums) for base, sums in zip(bases, found, strict=True)}
    left, right = junctions.get(-1), junctions.get(len(lattice) - 1)
    if left:
        left.exon[:] = lattice.begin
    if right:
        right.onward[:], right.opening[:] = right.opening, NEVER
    return junctions


def _spellings(
    transcript: Transcript, codes: np.ndarray, config: DecoderConfig
) -> list[np.ndarray]:
    """All labels that a gene without introns can have when it overlaps others; uint8 [k] each.

    On what it shares with the gene upstream, up to that one's next stop codon, stand the labels of
    that gene. Where the gene downstream starts stands its START.

    Args:
        codes: symbols of the region.
    """
    start, end = transcript.start, transcript.end
    path = to_labels([transcript.shifted(-start)], end - start)
    around = np.pad(codes % (N + 1), 2, constant_values=N)[start : end + 4]
    if transcript.strand == "-":
        path, around = mirror(path), reverse_complement(around)
    text = "".join("ACGTN"[base] for base in around)  # begins two bases before the gene
    paths = [path]
    for read in (1, 2) if transcript.complete5 else ():
        last = min(config.max_overlap, len(path) - transcript.complete3)
        ends = range(3 - read, last + 1, 3)
        stop = next((e for e in ends if text[e - 1 : e + 2] in config.code().stops), 0)
        if stop > 1:
            shared = path.copy()
            shared[1:stop] = label("+", "C0") + np.arange(read + 1, read + stop) % 3
            shared[stop - 1] = label("+", "STOP")
            paths.append(shared)
    alone = list(paths)
    for begin in range(max(1, len(path) - config.max_overlap), len(path)):
        other_frame = (begin - transcript.phase) % 3 > 0
        starts = text[begin + 2 : begin + 5] in config.code().starts
        if transcript.complete3 and other_frame and starts:
            for one in alone:
                shared = one.copy()
                shared[begin] = label("+", "START")
                paths.append(shared)
    return paths if transcript.strand == "+" else [mirror(path) for path in paths]


@native
def _log_weight(graph, scale, scores, codes, start, labels, before, after, leave) -> float:
    """Logarithm of the weight of all paths with these labels from base `start` on.

    Args:
        labels: uint8 [k]. Introns in it are whole, unless they run over an end of the region.
        before: float64 [S], sums over the ways to the base before `start`; changed in place.
        after: float64 [S], room to work in.
        leave: float64 [S], sums over the ways on from the last base.
    """
    k = 0
    while k < len(labels):
        after[:] = NEVER
        end = _intron_end(graph, labels, k)
        if end > k:
            _cross_intron(graph, scale, scores, codes, start + k, labels[k:end], before, after)
        else:
            end = k + 1
            _cross_base(graph, scale, scores[start + k], codes[start + k], labels[k], before, after)
        for s in range(len(before)):
            before[s] = after[s]
        k = end
    total = NEVER
    for s in range(len(leave)):
        total = log_add(total, before[s] + leave[s])
    return total


@native
def _intron_end(graph, labels, k):
    """Where the intron ends that begins at label k; k where none does."""
    for j in range(len(graph.opener)):
        inside = graph.inside_label[j]
        if labels[k] == graph.left_label[j] or labels[k] == inside:
            end = k + 1
            while end < len(labels) and labels[end] == inside:
                end += 1
            return min(end + 1, len(labels))
    return k


@native
def _cross_base(graph, scale, row, code, label, before, after):
    """Sums over the paths that give the next base, outside introns, this label."""
    for k in range(graph.base_first[code], graph.base_first[code + 1]):
        target = graph.target[k]
        if graph.state_label[target] == label:
            for e in range(graph.target_first[k], graph.target_first[k + 1]):
                way = before[graph.source[e]] + scale * (graph.step_score[e] + row[label])
                after[target] = log_add(after[target], way)


@native
def _cross_intron(graph, scale, scores, codes, start, labels, before, after):
    """Sums over the paths with one intron here, by opener; the region may cut it."""
    end = start + len(labels)
    total = 0
    for k in range(len(labels)):
        total += scores[start + k, labels[k]]
    for j in range(len(graph.opener)):
        s, cut_left = graph.opener[j], labels[0] == graph.inside_label[j]
        way = NEVER
        if cut_left and graph.begin_intron[j] > IMPOSSIBLE // 2:
            way = scale * graph.begin_intron[j]
        elif labels[0] == graph.left_label[j] and len(labels) > 1:
            pair = 5 * codes[start] + codes[start + 1]
            way = before[s] + scale * site_score(
                graph.open_first, graph.open_intron, graph.open_score, pair, j
            )
        if labels[-1] == graph.right_label[j] and (cut_left or len(labels) >= graph.min_intron):
            pair = 5 * codes[end - 2] + codes[end - 1]
            way += scale * site_score(
                graph.close_first, graph.close_intron, graph.close_score, pair, j
            )
        elif end < len(codes) or labels[-1] != graph.inside_label[j]:
            way = NEVER
        after[s] = log_add(after[s], way + scale * total)
