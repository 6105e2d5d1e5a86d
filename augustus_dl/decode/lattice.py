"""Forward and backward sums over all legal paths of a region.

A path's weight is exp(heat * score), score being what `viterbi` maximises, in nats. Nothing is left
out: introns keep their minimum length, codons their memory. Sums are logarithms in float64.

A region is a whole sequence or a part of one. Where it ends inside its sequence, `between` gives
the graph that allows intergenic there only.

The forward sums mirror `viterbi`: an open intron is worth `worth + total[its inside label]`, and
one opened at base d joins the open ones of its kind at base d + min_intron - 2. The backward sums
do the same from the right. Sums of all bases are never held at once but come in blocks, and forward
sums are computed anew from checkpoints where a block is needed again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.decode.grammar import IMPOSSIBLE, Graph
from augustus_dl.decode.native import inlined, native
from augustus_dl.encode import N
from augustus_dl.labels import INTERGENIC, NUM_LABELS

__all__ = ["BLOCK", "NEVER", "Backward", "Forward", "Lattice", "between", "log_add", "site_score"]

BLOCK = 4096
"""Bases of which all sums are held at once."""

NEVER = -np.inf
"""Logarithm of the weight of what cannot be."""
_DEAD = IMPOSSIBLE // 2
_NEGLIGIBLE = 40.0  # exp(-40) is less than the last bit of 1


class Forward(NamedTuple):
    """Forward sums of consecutive bases, over all ways from the left end of the region.

    Attributes:
        start, stop: the first of these bases, and the one right of the last.
        exon: float64 [n, S], of paths whose base is in this exon state.
        closing: float64 [n, S], of paths whose base is the right end of an intron with this opener.
        inside: float64 [n, J], of paths whose base is inside open intron j, old enough to have its
            right end at the next base; [0, J] where they are not asked for.
        admitted: float64 [n, J], the part of `inside` that was too young one base before; likewise.
    """

    start: int
    stop: int
    exon: np.ndarray
    closing: np.ndarray
    inside: np.ndarray
    admitted: np.ndarray


class Backward(NamedTuple):
    """Backward sums of consecutive bases, over all ways to the right end of the region.

    Attributes:
        start, stop: the first of these bases, and the one right of the last.
        onward: float64 [n, S], of ways from this exon state, or from the right end of an intron
            with this opener, whose next base is in an exon or intergenic.
        opening: float64 [n, S], of ways from this exon state whose next base is the left end of an
            intron, or which end here with the region.
    """

    start: int
    stop: int
    onward: np.ndarray
    opening: np.ndarray


class _Front(NamedTuple):
    """Forward sums after some base; changed in place from base to base.

    `exon` and `closing` are rows of `Forward`; the others are as in `viterbi`: `worth` float64 [J],
    `total` int64 [29] on the grid, `waiting` float64 [min_intron, J], `waiting_pair` uint8
    [min_intron].
    """

    exon: np.ndarray
    closing: np.ndarray
    worth: np.ndarray
    total: np.ndarray
    waiting: np.ndarray
    waiting_pair: np.ndarray

    def copy(self) -> _Front:
        return _Front(*(array.copy() for array in self))


class _Rear(NamedTuple):
    """Backward sums after some base t; changed in place from base to base.

    Attributes:
        onward, opening: rows of `Backward`.
        worth: float64 [J], of ways on from open introns, less `total` of their inside label.
        total: int64 [29], per intron label the sum of all scores right of t, on the grid.
        recent: float64 [min_intron, J], `worth` after base t in row t modulo min_intron.
    """

    onward: np.ndarray
    opening: np.ndarray
    worth: np.ndarray
    total: np.ndarray
    recent: np.ndarray


def between(graph: Graph, left: bool, right: bool) -> Graph:
    """The graph of a region with intergenic bases left and right of it, where so."""
    outside = graph.state_label == INTERGENIC
    if left:
        graph = graph._replace(
            begin=np.where(outside, graph.begin, IMPOSSIBLE),
            begin_intron=np.full_like(graph.begin_intron, IMPOSSIBLE),
        )
    return graph._replace(may_end=graph.may_end & outside) if right else graph


class Lattice:
    """All legal label paths of one region with their weights.

    Args:
        graph: see `between` for a region that is not a whole sequence.
        scores, codes: of the region, as for `Decoder.decode`; at least one base.
        heat: what scores are multiplied by; below 1 it evens probabilities out.

    Attributes:
        begin: float64 [S], sums just left of the region.
    """

    def __init__(
        self, graph: Graph, scores: np.ndarray, codes: np.ndarray, heat: float = 1.0
    ) -> None:
        self.graph = graph
        self.scores = np.require(scores, requirements="CAW")
        self.codes = np.require(codes, requirements="CAW")
        self.scale = heat / GRID
        self.begin = self._nats(graph.begin)
        self._fronts: list[_Front] = []  # left of each block, and at the right end

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def ends(self) -> np.ndarray:
        """Sums of the paths that end in each exon state, in each open intron, and in each young one
        by age, 0 to min_intron - 1, age 1 being the last base; float64 [S + J + min_intron * J].
        """
        if not self._fronts:
            deque(self.forward(), maxlen=0)
        states, introns = len(self.graph.state_label), len(self.graph.opener)
        ends = np.full(states + introns * (1 + self.graph.min_intron), NEVER)
        _fill_ends(self.graph, self.scale, self._fronts[-1], len(self), ends)
        return ends

    @property
    def log_total(self) -> float:
        """Logarithm of the weight of all paths; -inf when none is legal."""
        return float(np.logaddexp.reduce(self.ends))

    def forward(self) -> Iterator[Forward]:
        """Forward sums from left to right, in blocks."""
        fronts = [self._left_end()]
        for start in range(0, len(self), BLOCK):
            fronts.append(fronts[-1].copy())
            yield self._advance(fronts[-1], start, min(start + BLOCK, len(self)))
        self._fronts = fronts

    def forward_again(self, overlap: int = 0) -> Iterator[Forward]:
        """Forward sums from right to left, in blocks, with those of introns.

        Args:
            overlap: bases further right that a block holds, too, where there are so many.
        """
        if not self._fronts:
            deque(self.forward(), maxlen=0)
        for i in reversed(range(len(self._fronts) - 1)):
            stop = min((i + 1) * BLOCK + overlap, len(self))
            yield self._advance(self._fronts[i].copy(), i * BLOCK, stop, introns=True)

    def backward(self) -> Iterator[Backward]:
        """Backward sums from right to left, in the same blocks."""
        rear = self._right_end()
        room = np.empty(len(rear.onward))
        for start in reversed(range(0, len(self), BLOCK)):
            stop = min(start + BLOCK, len(self))
            onward, opening = np.empty((2, min(stop + 1, len(self)) - start, len(rear.onward)))
            onward[-1], opening[-1] = rear.onward, rear.opening
            graph, scores, codes = self.graph, self.scores, self.codes
            _retreat(graph, self.scale, rear, scores, codes, start, onward, opening, room)
            rear.onward[:], rear.opening[:] = onward[0], opening[0]
            yield Backward(start, stop, onward[: stop - start], opening[: stop - start])

    def _advance(self, front: _Front, start: int, stop: int, introns: bool = False) -> Forward:
        """Move the front from before base `start` to before base `stop`."""
        rows = stop - start
        exon, closing = np.empty((2, rows, len(front.exon)))
        inside, admitted = np.full((2, rows * introns, len(front.worth)), NEVER)
        forward = Forward(start, stop, exon, closing, inside, admitted)
        room = np.empty(len(front.exon))
        _advance(self.graph, self.scale, front, self.scores, self.codes, forward, room)
        return forward

    def _left_end(self) -> _Front:
        states, introns = len(self.graph.state_label), len(self.graph.opener)
        return _Front(
            exon=np.full(states, NEVER),  # no intron begins at the first base
            closing=self.begin.copy(),
            worth=self._nats(self.graph.begin_intron),
            total=np.zeros(NUM_LABELS, dtype=np.int64),
            waiting=np.full((self.graph.min_intron, introns), NEVER),
            waiting_pair=np.full(self.graph.min_intron, 5 * N + N, dtype=np.uint8),
        )

    def _nats(self, grid: np.ndarray) -> np.ndarray:
        return np.where(grid > _DEAD, grid * self.scale, NEVER)

    def _right_end(self) -> _Rear:
        may_end = np.where(self.graph.may_end, 0.0, NEVER)
        worth = may_end[self.graph.opener]
        return _Rear(
            onward=np.full(len(may_end), NEVER),  # no intron ends at the last base
            opening=may_end,
            worth=worth,
            total=np.zeros(NUM_LABELS, dtype=np.int64),
            recent=np.tile(worth, (self.graph.min_intron, 1)),
        )


@inlined
def log_add(a, b):
    """Logarithm of the sum of two numbers given as logarithms."""
    high, low = (a, b) if a > b else (b, a)
    if low - high > -_NEGLIGIBLE:  # not so when both are NEVER
        return high + np.log1p(np.exp(low - high))
    return high


@native
def site_score(first, intron, score, pair, j):
    """What intron j with this pair of bases at an end adds to the score; -inf when it may not."""
    for e in range(first[pair], first[pair + 1]):
        if intron[e] == j:
            return float(score[e])
    return NEVER


@native
def _advance(graph, scale, front, scores, codes, forward, resumed) -> None:
    """Move the front over the bases of `forward`, filling it.

    Args:
        resumed: float64 [S], room to work in.
    """
    period = graph.min_intron
    slot = forward.start % period
    pair_left = front.waiting_pair[slot - 1]
    for t in range(forward.start, forward.stop):
        i = t - forward.start
        row = scores[t]
        pair = 5 * codes[t] + (codes[t + 1] if t + 1 < len(codes) else N)
        for label in graph.intron_labels:
            front.total[label] += row[label]
        _open_introns(graph, scale, front, row, slot, pair)
        _step_exons(graph, scale, front, row, codes[t], resumed)
        _close_introns(graph, scale, front, row, pair_left)
        old = (slot + 2) % period
        _admit_introns(graph, front, old)
        for s in range(len(resumed)):
            forward.exon[i, s] = front.exon[s]
            forward.closing[i, s] = front.closing[s]
        if len(forward.inside):
            _note_introns(graph, scale, front, old, forward.inside[i], forward.admitted[i])
        slot = (slot + 1) % period
        pair_left = pair


@inlined
def _open_introns(graph, scale, front, row, slot, pair):
    """Introns whose first base is t, right of an exon base: `exon` is still that of t - 1."""
    front.waiting_pair[slot] = pair
    for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
        j = graph.open_intron[e]
        score = graph.open_score[e] + row[graph.left_label[j]] - front.total[graph.inside_label[j]]
        front.waiting[slot, j] = front.exon[graph.opener[j]] + scale * score


@inlined
def _step_exons(graph, scale, front, row, code, resumed):
    """Exon states and intergenic: all predecessors of each state that this base allows."""
    for s in range(len(resumed)):
        resumed[s] = log_add(front.exon[s], front.closing[s])
        front.exon[s] = NEVER
    for k in range(graph.base_first[code], graph.base_first[code + 1]):
        way = NEVER
        for e in range(graph.target_first[k], graph.target_first[k + 1]):
            way = log_add(way, resumed[graph.source[e]] + scale * graph.step_score[e])
        target = graph.target[k]
        front.exon[target] = way + scale * row[graph.state_label[target]]


@inlined
def _close_introns(graph, scale, front, row, pair):
    """Introns whose last two bases are `pair`, at t - 1 and t: they were open at t - 1."""
    front.closing[:] = NEVER
    for e in range(graph.close_first[pair], graph.close_first[pair + 1]):
        j = graph.close_intron[e]
        inside = graph.inside_label[j]
        score = graph.close_score[e] + row[graph.right_label[j]] + front.total[inside] - row[inside]
        s = graph.opener[j]
        front.closing[s] = log_add(front.closing[s], front.worth[j] + scale * score)


@inlined
def _admit_introns(graph, front, slot):
    """Introns that have waited long enough: t may be the last base before their right end."""
    pair = front.waiting_pair[slot]
    for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
        j = graph.open_intron[e]
        front.worth[j] = log_add(front.worth[j], front.waiting[slot, j])


@native
def _note_introns(graph, scale, front, slot, inside, admitted):
    """Fill a row of `Forward.inside` and of `Forward.admitted`; `slot` is that just admitted."""
    for j in range(len(front.worth)):
        inside[j] = front.worth[j] + scale * front.total[graph.inside_label[j]]
    pair = front.waiting_pair[slot]
    for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
        j = graph.open_intron[e]
        admitted[j] = front.waiting[slot, j] + scale * front.total[graph.inside_label[j]]


@native
def _fill_ends(graph, scale, front, n, ends) -> None:
    """Fill `Lattice.ends`, NEVER so far, with the front after the last of n bases."""
    states, introns = len(front.exon), len(front.worth)
    for s in range(states):
        if graph.may_end[s]:
            ends[s] = front.exon[s]
    for j in range(introns):
        if graph.may_end[graph.opener[j]]:
            total = scale * front.total[graph.inside_label[j]]
            ends[states + j] = front.worth[j] + total
            for age in range(1, graph.min_intron - 1):
                slot = (n - age) % graph.min_intron
                pair = front.waiting_pair[slot]
                if (
                    site_score(graph.open_first, graph.open_intron, graph.open_score, pair, j)
                    > NEVER
                ):
                    ends[states + introns * (1 + age) + j] = front.waiting[slot, j] + total


@native
def _retreat(graph, scale, rear, scores, codes, start, onward, opening, ways) -> None:
    """Move the rear to base `start`; see `Backward`.

    Args:
        onward, opening: float64 [n, S]; their last row, which is there already, is that of the base
            where the rear is, the others are filled.
        ways: float64 [S], room to work in.
    """
    slot = (start + len(onward) - 1) % graph.min_intron  # of base t + 1
    for i in range(len(onward) - 2, -1, -1):
        t = start + i
        row, right = scores[t + 1], codes[t + 1]
        pair = 5 * codes[t] + right
        pair_right = 5 * right + (codes[t + 2] if t + 2 < len(codes) else N)
        for label in graph.intron_labels:
            rear.total[label] += row[label]
        for e in range(graph.close_first[pair], graph.close_first[pair + 1]):
            j = graph.close_intron[e]
            score = graph.close_score[e] + row[graph.right_label[j]]
            score -= rear.total[graph.inside_label[j]]
            way = onward[i + 1, graph.opener[j]] + scale * score
            rear.worth[j] = log_add(rear.worth[j], way)
        for s in range(len(ways)):
            ways[s] = log_add(onward[i + 1, s], opening[i + 1, s])
            onward[i, s] = NEVER
            opening[i, s] = NEVER
        for k in range(graph.base_first[right], graph.base_first[right + 1]):
            target = graph.target[k]
            way = ways[target] + scale * row[graph.state_label[target]]
            for e in range(graph.target_first[k], graph.target_first[k + 1]):
                s = graph.source[e]
                onward[i, s] = log_add(onward[i, s], way + scale * graph.step_score[e])
        slot = (slot if slot else graph.min_intron) - 1
        older = (slot if slot else graph.min_intron) - 1  # of base t + min_intron - 1
        for e in range(graph.open_first[pair_right], graph.open_first[pair_right + 1]):
            j = graph.open_intron[e]
            inside = graph.inside_label[j]
            score = graph.open_score[e] + row[graph.left_label[j]]
            score += rear.total[inside] - row[inside]
            s = graph.opener[j]
            opening[i, s] = log_add(opening[i, s], rear.recent[older, j] + scale * score)
        for j in range(len(rear.worth)):
            rear.recent[slot, j] = rear.worth[j]
