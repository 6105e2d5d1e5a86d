"""A protein profile as a score: coding labels gain where its blocks are translated from the DNA.

Both strands are read in three frames each, and a block is a hit where it passes the threshold of
whole blocks; blocks with an intron in them are not seen. Hits of short blocks occur by chance, so a
hit counts only in a chain: blocks in their order on one strand, neighbours at most REACH apart. Of
chance hits that add up to s nats of log-odds there are about exp(-s) at each place, therefore the
sum must exceed the logarithm of the number of places: all of both strands for the first hit, REACH
for each further one. A hit that counts adds its log-odds, spread over its bases, to the coding
labels of its frame, as a hint CDSpart with that bonus would.

Time is linear in the length of the sequence times the columns of the profile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from augustus_dl.decode.increments import UNIT, Channel, Stage
from augustus_dl.encode import reverse_complement
from augustus_dl.genetic_code import GeneticCode, translate
from augustus_dl.labels import label
from augustus_dl.protein_profile import ProteinProfile, residues

__all__ = ["HIT", "REACH", "block_hits", "block_stage"]

REACH = 50_000
"""Bases that may lie between neighbouring blocks of a gene, introns included."""

HIT = np.dtype([("start", np.int64), ("end", np.int64), ("block", np.int64), ("score", np.float64)])
"""A block on one strand; `block` is its number in the profile, `score` in nats."""


def block_stage(codes: np.ndarray, profile: ProteinProfile, code: GeneticCode) -> Stage | None:
    """A stage of prediction that adds the hits of a profile to the scores of a sequence.

    Args:
        codes: uint8 [L], base codes of a sequence, or of the part of it that is predicted.

    Returns:
        None when nothing counts.
    """
    layers = []
    for strand, oriented in (("+", codes), ("-", reverse_complement(codes))):
        hits = _apart(_chained(block_hits(oriented, profile, code), 2 * len(codes)))
        layers += _channels(hits, strand, len(codes))
    return Stage(layers) if layers else None


def block_hits(codes: np.ndarray, profile: ProteinProfile, code: GeneticCode) -> np.ndarray:
    """All hits of whole blocks on the strand given.

    Args:
        codes: uint8 [L], base codes in the direction of the strand.

    Returns:
        HIT [n], by rising start.
    """
    found = [np.zeros(0, dtype=HIT)]
    for frame in range(3):
        numbers = residues(translate(codes[frame:], code))
        for index, block in enumerate(profile.blocks):
            places = len(numbers) - block.width + 1
            if places <= 0:
                continue
            scores = np.zeros(places)
            for column in range(block.width):
                scores += block.scores[column][numbers[column : column + places]]
            at = np.flatnonzero(scores > block.thresholds[0, -1])
            hits = np.zeros(len(at), dtype=HIT)
            hits["start"] = frame + 3 * at
            hits["end"] = hits["start"] + 3 * block.width
            hits["block"], hits["score"] = index, scores[at]
            found.append(hits)
    return np.sort(np.concatenate(found), order=["start", "block"])


def _chained(hits: np.ndarray, places: int) -> np.ndarray:
    """Hits in chains that are better than chance in so many places; HIT [m]."""
    turned = hits[::-1].copy()
    turned["start"], turned["end"] = -hits["end"][::-1], -hits["start"][::-1]
    turned["block"] = -hits["block"][::-1]
    order = np.argsort(turned["start"], kind="stable")
    behind = np.zeros(len(hits))
    behind[order] = _best_before(turned[order])
    through = hits["score"] + _best_before(hits) + behind[::-1]
    return hits[through > np.log(max(places, 1))]


def _best_before(hits: np.ndarray) -> np.ndarray:
    """What the best chain of earlier blocks adds to each hit, less its cost; float64 [n].

    Of every block a queue holds the hits within reach that may still be the best.
    """
    added = np.zeros(len(hits))
    queues: dict[int, deque[int]] = {int(block): deque() for block in np.unique(hits["block"])}
    waiting = deque(np.argsort(hits["end"], kind="stable").tolist())
    cost = np.log(REACH)
    for number, (start, _, block, _) in enumerate(hits.tolist()):
        while waiting and hits["end"][waiting[0]] <= start:
            coming = waiting.popleft()
            queue = queues[int(hits["block"][coming])]
            while queue and _sum(hits, added, queue[-1]) <= _sum(hits, added, coming):
                queue.pop()
            queue.append(coming)
        for earlier, queue in queues.items():
            while queue and hits["end"][queue[0]] < start - REACH:
                queue.popleft()
            if queue and earlier < block:
                added[number] = max(added[number], _sum(hits, added, queue[0]) - cost)
    return added


def _sum(hits: np.ndarray, added: np.ndarray, number: int) -> float:
    return float(hits["score"][number] + added[number])


def _apart(hits: np.ndarray) -> np.ndarray:
    """The best of the hits that overlap each other, so that none counts twice; HIT [m]."""
    kept: list[np.void] = []
    for hit in hits:
        if kept and hit["start"] < kept[-1]["end"]:
            if hit["score"] > kept[-1]["score"]:
                kept[-1] = hit
        else:
            kept.append(hit)
    return np.array(kept, dtype=HIT)


def _channels(hits: np.ndarray, strand: str, length: int) -> Iterator[Channel]:
    """The score of each hit, evenly on its bases.

    Args:
        hits: apart from each other.
        length: of the sequence.
    """
    labels = tuple(label(strand, kind) for kind in ("C0", "C1", "C2", "START", "STOP"))
    forward = strand == "+"
    start, end = hits["start"], hits["end"]
    if not forward:
        start, end = length - end, length - start
    units = np.rint(hits["score"] / (end - start) * UNIT).astype(np.int64)
    first = start if forward else end - 1
    for residue in range(3):
        those = np.flatnonzero((first % 3 == residue) & (units != 0))
        if len(those):
            at = np.concatenate((start[those], end[those]))
            change = np.concatenate((units[those], -units[those]))
            order = np.argsort(at, kind="stable")
            yield Channel(
                at[order], change[order], 0, labels, frame=residue, step=1 if forward else -1
            )
