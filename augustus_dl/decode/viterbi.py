"""Exact streaming Viterbi search over the state graph of `grammar`.

All arithmetic is in int64 on the score grid, so the result does not depend on how the sequence is
cut into chunks, and no score overflows on any chromosome.

At each base the search holds the best score of every exon state. Introns cost next to nothing: an
open intron is worth `worth + total[its inside label]`, where `total` sums the scores of that label
from the sequence's left end on, so that it changes only where an intron opens or closes. An intron
opened at base d waits until base d + min_intron - 2, the earliest that can be the last before its
right end, and only then competes with the introns of its kind that are already open.

Ties: among predecessors of equal score the one listed first in the graph wins; continuing an exon
wins over coming out of an intron, the intron opened first over one opened later; at the right end
exon states win over introns, low numbers over high ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.grammar import IMPOSSIBLE, Graph, build_graph
from augustus_dl.decode.native import inlined, native
from augustus_dl.encode import N
from augustus_dl.labels import NUM_LABELS

__all__ = ["Decoder", "viterbi"]

Chunk = tuple[np.ndarray, np.ndarray]

_DEAD = IMPOSSIBLE // 2
_FORCED = -1  # no node: a base inside an intron that is too young to close, or its right end


class _Front(NamedTuple):
    """The search front after some base t; changed in place from base to base.

    A *node* is an exon state (below S) or, as S + j, the open intron j.

    Attributes:
        value: int64 [S], best score of a path whose base t is in this exon state.
        resumed: int64 [S], the same, or that of an intron with this opener whose right end is t.
        origin: uint8 [S], the node that `resumed` came from.
        worth: int64 [J], see above.
        total: int64 [29], per intron label the sum of all scores so far.
        waiting: int64 [min_intron, J], worth of the young introns opened at base d, in row d modulo
            min_intron.
        waiting_pair: uint8 [min_intron], the pair of bases at d, which tells what opened there.
        base: int64 [1], t + 1.
    """

    value: np.ndarray
    resumed: np.ndarray
    origin: np.ndarray
    worth: np.ndarray
    total: np.ndarray
    waiting: np.ndarray
    waiting_pair: np.ndarray
    base: np.ndarray


def _start(graph: Graph) -> _Front:
    states, introns = len(graph.state_label), len(graph.opener)
    return _Front(
        value=np.full(states, IMPOSSIBLE, dtype=np.int64),
        resumed=graph.begin.copy(),
        origin=np.arange(states, dtype=np.uint8),
        worth=graph.begin_intron.copy(),
        total=np.zeros(NUM_LABELS, dtype=np.int64),
        waiting=np.full((graph.min_intron, introns), IMPOSSIBLE, dtype=np.int64),
        waiting_pair=np.full(graph.min_intron, 5 * N + N, dtype=np.uint8),
        base=np.zeros(1, dtype=np.int64),
    )


@native
def _advance(graph, front, scores, codes, next_code, back, entered) -> None:
    """Move the front over a chunk.

    Args:
        scores: int16 or int32 [n, 29].
        codes: uint8 [n], symbols of the graph.
        next_code: the symbol right of the chunk, N at the end of the sequence.
        back: uint8 [n, S], filled with the node that each exon state came from.
        entered: uint64 [n], filled with bit j where a waiting intron becomes the best open j.
    """
    period = graph.min_intron
    slot = front.base[0] % period
    pair_left = front.waiting_pair[slot - 1]
    for t in range(len(codes)):
        row = scores[t]
        pair = 5 * codes[t] + (codes[t + 1] if t + 1 < len(codes) else next_code)
        for i in graph.intron_labels:
            front.total[i] += row[i]
        _open_introns(graph, front, row, slot, pair)
        _step_exons(graph, front, row, codes[t], back[t])
        _close_introns(graph, front, row, pair_left)
        entered[t] = _admit_introns(graph, front, (slot + 2) % period)
        slot = (slot + 1) % period
        pair_left = pair
    front.base[0] += len(codes)


# The four steps of `_advance` are inlined: as calls they would cost a third of the speed.
@inlined
def _open_introns(graph, front, row, slot, pair):
    """Introns whose first base is t, right of an exon base: `value` is still that of t - 1."""
    front.waiting_pair[slot] = pair
    for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
        j = graph.open_intron[e]
        score = front.value[graph.opener[j]] + graph.open_score[e] + row[graph.left_label[j]]
        front.waiting[slot, j] = score - front.total[graph.inside_label[j]]


@inlined
def _step_exons(graph, front, row, code, back):
    """Exon states and intergenic: the best predecessor of each state that this base allows."""
    front.value[:] = IMPOSSIBLE
    for k in range(graph.base_first[code], graph.base_first[code + 1]):
        best, best_source = 2 * IMPOSSIBLE, 0
        for e in range(graph.target_first[k], graph.target_first[k + 1]):
            score = front.resumed[graph.source[e]] + graph.step_score[e]
            if score > best:
                best, best_source = score, graph.source[e]
        target = graph.target[k]
        front.value[target] = best + row[graph.state_label[target]]
        back[target] = front.origin[best_source]
    for s in range(len(front.value)):
        front.resumed[s] = front.value[s]
        front.origin[s] = s


@inlined
def _close_introns(graph, front, row, pair):
    """Introns whose last two bases are `pair`, at t - 1 and t: they were open at t - 1."""
    for e in range(graph.close_first[pair], graph.close_first[pair + 1]):
        j = graph.close_intron[e]
        open_before = (
            front.worth[j] + front.total[graph.inside_label[j]] - row[graph.inside_label[j]]
        )
        score = open_before + graph.close_score[e] + row[graph.right_label[j]]
        if score > front.resumed[graph.opener[j]]:
            front.resumed[graph.opener[j]] = score
            front.origin[graph.opener[j]] = len(front.value) + j


@inlined
def _admit_introns(graph, front, slot):
    """Introns that have waited long enough: t may be the last base before their right end.

    Returns:
        uint64, bit j set where the intron from this slot is the best open j from here on.
    """
    entered = np.uint64(0)
    pair = front.waiting_pair[slot]
    for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
        j = graph.open_intron[e]
        if front.waiting[slot, j] > front.worth[j]:
            front.worth[j] = front.waiting[slot, j]
            entered |= np.uint64(1) << np.uint64(j)
    return entered


@native
def _trace(graph, back, entered, t, node, nodes, labels):
    """Follow the path of `node` at base t to the left, writing its nodes and labels.

    Args:
        back, entered: see `_advance`; their first base is base 0 here.
        nodes: int16 [n], labels: uint8 [n], of which 0..t are written.
    """
    states = back.shape[1]
    while t >= 0:
        nodes[t] = node
        if node < states:
            labels[t] = graph.state_label[node]
            node = back[t, node]
            t -= 1
            if node >= states:
                nodes[t], labels[t] = _FORCED, graph.right_label[node - states]
                t -= 1
        else:
            j = node - states
            labels[t] = graph.inside_label[j]
            t -= 1
            if entered[t + 1] >> np.uint64(j) & np.uint64(1):
                left = t - graph.min_intron + 3
                t = _write_young(graph, left, t + 1, j, nodes, labels)
                node = graph.opener[j]


@native
def _write_young(graph, left, end, j, nodes, labels):
    """Write an intron's bases from its left end to `end`; return the base left of it."""
    nodes[left:end] = _FORCED
    labels[left] = graph.left_label[j]
    labels[left + 1 : end] = graph.inside_label[j]
    return left - 1


@native
def _meet(graph, back, entered, t, node, nodes):
    """Last base that the path of `node` at base t shares with the path in `nodes`, or -1."""
    states = back.shape[1]
    while t >= 0 and nodes[t] != node:
        if node < states:
            node = back[t, node]
            t -= 2 if node >= states else 1
        elif entered[t] >> np.uint64(node - states) & np.uint64(1):
            t -= graph.min_intron - 1
            node = graph.opener[node - states]
        else:
            t -= 1
    return max(t, -1)


@native
def _settle(graph, front, back, entered, labels, nodes) -> int:
    """Write the labels all survivors agree on; return how many bases that are.

    Args:
        nodes: int16 [n], room to work in.
    """
    n, states = back.shape
    # What comes from state 0 cannot get ahead of what comes from its heir any more.
    first = 1 if graph.heir and front.value[graph.heir] >= front.value[0] else 0
    survivor = first
    for s in range(first, states):
        if front.value[s] > front.value[survivor]:
            survivor = s
    _trace(graph, back, entered, n - 1, survivor, nodes, labels)
    last = n - 1
    for s in range(first, states):
        if front.value[s] > _DEAD:
            last = min(last, _meet(graph, back, entered, n - 1, s, nodes))
        if front.origin[s] >= states and front.resumed[s] > _DEAD:
            last = min(last, _meet(graph, back, entered, n - 2, front.origin[s], nodes))
    for j in range(len(graph.opener)):
        if front.worth[j] > _DEAD:
            last = min(last, _meet(graph, back, entered, n - 1, states + j, nodes))
    for age in range(1, graph.min_intron - 1):
        slot = (front.base[0] - age) % graph.min_intron
        pair = front.waiting_pair[slot]
        for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
            j = graph.open_intron[e]
            if front.waiting[slot, j] > _DEAD:
                opener = graph.opener[j]
                last = min(last, _meet(graph, back, entered, n - age - 1, opener, nodes))
    return last + 1


@native
def _finish(graph, front, back, entered, labels, nodes) -> None:
    """Write the labels of the best path that the sequence may end with.

    Where there is none, because a gene is asked for and none is possible, all is intergenic.

    Args:
        nodes: int16 [n], room to work in.
    """
    n, states = back.shape
    best, node, young, age_young = _DEAD, 0, -1, 0
    for s in range(states):
        if graph.may_end[s] and front.value[s] > best:
            best, node = front.value[s], s
    for j in range(len(graph.opener)):
        score = front.worth[j] + front.total[graph.inside_label[j]]
        if graph.may_end[graph.opener[j]] and score > best:
            best, node = score, states + j
    for age in range(1, graph.min_intron - 1):
        slot = (front.base[0] - age) % graph.min_intron
        pair = front.waiting_pair[slot]
        for e in range(graph.open_first[pair], graph.open_first[pair + 1]):
            j = graph.open_intron[e]
            score = front.waiting[slot, j] + front.total[graph.inside_label[j]]
            if graph.may_end[graph.opener[j]] and score > best:
                best, node, young, age_young = score, graph.opener[j], j, age
    if young >= 0:
        _write_young(graph, n - age_young, n, young, nodes, labels)
    _trace(graph, back, entered, n - 1 - age_young, node, nodes, labels)


class _History:
    """Where states and introns of the bases not settled yet came from; grows and shrinks in place.

    Attributes:
        back, entered: see `_advance`.
    """

    def __init__(self, states: int) -> None:
        self._back = np.empty((0, states), dtype=np.uint8)
        self._entered = np.empty(0, dtype=np.uint64)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def back(self) -> np.ndarray:
        return self._back[: self._length]

    @property
    def entered(self) -> np.ndarray:
        return self._entered[: self._length]

    def grow(self, bases: int) -> None:
        length = self._length + bases
        if length > len(self._entered):
            room = max(length, 2 * self._length)
            back, entered = self.back, self.entered
            self._back = np.empty((room, back.shape[1]), dtype=np.uint8)
            self._entered = np.empty(room, dtype=np.uint64)
            self._back[: self._length], self._entered[: self._length] = back, entered
        self._length = length

    def forget(self, bases: int) -> None:
        """Forget the first of them."""
        left = self._length - bases
        self._back[:left] = self.back[bases:]
        self._entered[:left] = self.entered[bases:]
        self._length = left


class Decoder:
    """Finds the best label path of a sequence. Holds no state between sequences; thread-safe.

    Args:
        config: one track; see `DecoderConfig.tracks`.
        graph: what is legal; by default what the configuration says.
    """

    def __init__(self, config: DecoderConfig, graph: Graph | None = None) -> None:
        self.config = config
        self._graph = graph or build_graph(config)

    def decode(self, chunks: Iterable[Chunk]) -> Iterator[np.ndarray]:
        """Labels of one sequence, piece by piece.

        Args:
            chunks: the sequence from left to right, cut anywhere: scores int16 or int32 [n, 29] on
                the grid of 1 / GRID nat, in the order of `labels.LABELS`, at most 2**27 in size,
                and uint8 [n], what `track.symbols` makes of the base codes (usually nothing).
                A chunk is read only once the next one has come: do not overwrite it before.

        Yields:
            uint8 [m] for each chunk that is not empty, the next labels of the best path: those that
            nothing further right can change, often none. Together they are as long as the sequence
            and do not depend on the cuts.

        Raises:
            ValueError: a chunk has the wrong shape or type, or symbols that the graph does not
                know.
        """
        graph = self._graph
        front = _start(graph)
        history = _History(len(graph.state_label))
        unsettled = 0
        for scores, codes, next_code, is_last in _with_next(chunks, len(graph.base_first) - 2):
            history.grow(len(codes))
            back, entered = history.back, history.entered
            n = len(codes)
            _advance(graph, front, scores, codes, next_code, back[-n:], entered[-n:])
            labels = np.empty(len(history), dtype=np.uint8)
            nodes = np.empty(len(history), dtype=np.int16)
            if is_last:
                _finish(graph, front, back, entered, labels, nodes)
                yield labels
            elif len(history) < 2 * unsettled:
                yield labels[:0]  # keeps the work of settling linear in the sequence's length
            else:
                settled = _settle(graph, front, back, entered, labels, nodes)
                history.forget(settled)
                unsettled = len(history)
                yield labels[:settled]


def viterbi(
    scores: np.ndarray, codes: np.ndarray, config: DecoderConfig, graph: Graph | None = None
) -> np.ndarray:
    """Best label path of a whole sequence; scores [L, 29] and symbols uint8 [L] -> uint8 [L]."""
    pieces = Decoder(config, graph).decode([(scores, codes)])
    return np.concatenate([np.empty(0, dtype=np.uint8), *pieces])


def _with_next(
    chunks: Iterable[Chunk], highest: int
) -> Iterator[tuple[np.ndarray, np.ndarray, int, bool]]:
    """Non-empty chunks, each with the first symbol of the next one (N at the end); is it the last?

    `highest`: the highest symbol allowed.
    """
    held = None
    for scores, codes in chunks:
        if codes.dtype != np.uint8 or scores.dtype not in (np.int16, np.int32):
            raise ValueError(
                f"need int16 or int32 scores and uint8 codes, not {scores.dtype}, {codes.dtype}"
            )
        if codes.ndim != 1 or scores.shape != (len(codes), NUM_LABELS):
            raise ValueError(f"shapes {scores.shape} and {codes.shape} are not [n, 29] and [n]")
        if not len(codes):
            continue
        if codes.max() > highest:
            raise ValueError(f"base codes must be 0 to {highest}")
        if held:
            yield *held, int(codes[0]), False
        # One memory layout for all callers, so that Numba compiles one version.
        held = np.require(scores, requirements="CAW"), np.require(codes, requirements="CAW")
    if held:
        yield *held, N, True
