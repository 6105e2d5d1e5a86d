"""A decoder's state graph as dense tables, and what travels between pieces of a sequence.

Shapes: W = 32 lanes, one for each exon state and one for each intron; A = 5 base codes; P, the
length of the shortest intron.

A *front* is all that a search must know of the bases left of a base, int64 [4 + P, W]:

    row 0      best score of a path whose last base is in this exon state
    row 1      the same, or that of an intron with this opener whose right end is the last base
    row 2      what row 1 came from: an exon state, or OPEN + an intron
    row 3      best score of an intron that is open and may end with the next base but one
    row 4 + i  of introns that opened at base i - P, counted from the next base on; such an intron
               may not end yet. Rows 4 and 5 are always empty

Scores are relative to row 1 of state 0, and IMPOSSIBLE where there is no path, so that two fronts
after which everything goes on alike are equal.

A *node* says what a path has at a base: an exon state s, s; the inside of open intron j, OPEN + j;
its right end, RIGHT + j; one of r bases that are left of an intron too young to end, r of them
with this one, YOUNG + j + r * AGE.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch

__all__ = [
    "AGE",
    "DEAD",
    "IMPOSSIBLE",
    "OPEN",
    "RIGHT",
    "WIDTH",
    "YOUNG",
    "FewStates",
    "N",
    "Tables",
    "fits",
]

WIDTH = 32
OPEN, RIGHT, YOUNG, AGE = 32, 64, 96, 128
N = 4
"""Code of an unknown base, and of what lies beyond the ends of a sequence."""
IMPOSSIBLE = -(1 << 60)
DEAD = IMPOSSIBLE // 2
_PAIRS = 25


class FewStates(Protocol):
    """A decoder's state graph; `augustus_dl.decode.grammar.Graph` says what its arrays hold."""

    state_label: np.ndarray
    base_first: np.ndarray
    target: np.ndarray
    target_first: np.ndarray
    source: np.ndarray
    step_score: np.ndarray
    opener: np.ndarray
    left_label: np.ndarray
    inside_label: np.ndarray
    right_label: np.ndarray
    open_first: np.ndarray
    open_intron: np.ndarray
    open_score: np.ndarray
    close_first: np.ndarray
    close_intron: np.ndarray
    close_score: np.ndarray
    begin: np.ndarray
    begin_intron: np.ndarray
    may_end: np.ndarray
    min_intron: int


class Tables(NamedTuple):
    """The graph on a device.

    Attributes:
        labels: int32 [5, W]: label of each exon state; opener, left, inside and right label of
            each intron.
        step_source, step_score: int32 and int64 [A, E, W]: by base and state its predecessors, best
            first among equals, and what the step adds.
        open_score, close_score: int64 [25, W]: by pair of bases (5 * left + right), what an intron
            that begins or ends with it adds.
        closer: int32 [F, W], introns of each opener, -1 where there are fewer.
        begin: int64 [4 + P, W], the front left of a sequence.
        may_end: bool [2, W], exon states and introns that a sequence may end in.
        period: P.
    """

    labels: torch.Tensor
    step_source: torch.Tensor
    step_score: torch.Tensor
    open_score: torch.Tensor
    close_score: torch.Tensor
    closer: torch.Tensor
    begin: torch.Tensor
    may_end: torch.Tensor
    period: int

    @classmethod
    def of(cls, graph: FewStates, device: torch.device) -> Tables:
        """Raises ValueError: the graph does not fit."""
        if not fits(graph):
            raise ValueError("the state graph has too many states, introns or symbols")
        names = ("state_label", "opener", "left_label", "inside_label", "right_label")
        arrays = (
            np.stack([_lanes(getattr(graph, name), 0) for name in names]).astype(np.int32),
            *_steps(graph),
            _sites(graph.open_first, graph.open_intron, graph.open_score),
            _sites(graph.close_first, graph.close_intron, graph.close_score),
            _closers(graph),
            _begin(graph),
            np.stack([_lanes(graph.may_end, False), _lanes(graph.may_end[graph.opener], False)]),
        )
        return cls(*(torch.from_numpy(array).to(device) for array in arrays), graph.min_intron)


def fits(graph: FewStates) -> bool:
    """At most 32 states, which a path in state 0 need not leave, 32 introns, and a symbol for each
    base code."""
    few = max(len(graph.state_label), len(graph.opener)) <= WIDTH
    return few and len(graph.base_first) == N + 2


def _lanes(values: np.ndarray, fill: int | bool) -> np.ndarray:
    return np.pad(values, (0, WIDTH - len(values)), constant_values=fill)


def _steps(graph: FewStates) -> tuple[np.ndarray, np.ndarray]:
    fan = int(np.diff(graph.target_first).max())
    source = np.zeros((N + 1, fan, WIDTH), dtype=np.int32)
    score = np.full((N + 1, fan, WIDTH), 2 * IMPOSSIBLE, dtype=np.int64)
    for base in range(N + 1):
        for k in range(graph.base_first[base], graph.base_first[base + 1]):
            rows = slice(graph.target_first[k], graph.target_first[k + 1])
            count = rows.stop - rows.start
            source[base, :count, graph.target[k]] = graph.source[rows]
            score[base, :count, graph.target[k]] = graph.step_score[rows]
    return source, score


def _sites(first: np.ndarray, intron: np.ndarray, score: np.ndarray) -> np.ndarray:
    table = np.full((_PAIRS, WIDTH), IMPOSSIBLE, dtype=np.int64)
    for pair in range(_PAIRS):
        rows = slice(first[pair], first[pair + 1])
        table[pair, intron[rows]] = score[rows]
    return table


def _closers(graph: FewStates) -> np.ndarray:
    most = int(np.bincount(graph.opener).max()) if len(graph.opener) else 0
    table = np.full((most, WIDTH), -1, dtype=np.int32)
    for state in np.unique(graph.opener):
        introns = np.flatnonzero(graph.opener == state)
        table[: len(introns), state] = introns
    return table


def _begin(graph: FewStates) -> np.ndarray:
    front = np.full((4 + graph.min_intron, WIDTH), IMPOSSIBLE, dtype=np.int64)
    front[1] = _lanes(graph.begin, IMPOSSIBLE)
    front[2] = np.where(front[1] > DEAD, np.arange(WIDTH), 0)
    front[3] = _lanes(graph.begin_intron, IMPOSSIBLE)
    return front
