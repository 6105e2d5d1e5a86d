"""Viterbi search over a decoder's state graph in plain Python, one base after the other.

The rules are those of `augustus_dl.decode.viterbi`: scores are integers, among predecessors of
equal score the one listed first wins, continuing an exon wins over coming out of an intron, an
intron opened first over one opened later; at the right end exon states win over introns, low
numbers over high ones, introns long open over young ones.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch

from .tables import DEAD, FewStates, N

__all__ = ["Search"]

_NEVER = float("-inf")


class Search:
    """Searches sequences in the order in which they come, cut anywhere.

    Args:
        graph: at most 32 states and 32 introns, whose symbols are the base codes.
        device: of what is given and returned.
    """

    def __init__(self, graph: FewStates, device: torch.device) -> None:
        self._graph, self._device = graph, device
        self._held: list[tuple[np.ndarray, np.ndarray]] = []

    def add(
        self, scores: torch.Tensor, codes: torch.Tensor, lengths: list[int], goes_on: bool
    ) -> torch.Tensor:
        """Labels that are certain now.

        Args:
            scores: int16 [n, 29], of sequences one behind the other, on the decoder's grid.
            codes: uint8 [n], their base codes.
            lengths: rows of each sequence here, none 0. The first sequence is the one that went on
                the last time, if one did.
            goes_on: the last sequence does not end here.

        Returns:
            uint8 [m], the next labels of all that was given so far: up to the last base where no
            sequence goes on, else anything that is certain of that sequence.
        """
        parts = zip(
            torch.split(scores.cpu(), lengths), torch.split(codes.cpu(), lengths), strict=True
        )
        found = [np.empty(0, dtype=np.uint8)]
        for number, (own, bases) in enumerate(parts, 1):
            self._held.append((own.numpy(), bases.numpy()))
            if number < len(lengths) or not goes_on:
                whole = map(np.concatenate, zip(*self._held, strict=True))
                found.append(_best_path(self._graph, *whole))
                self._held = []
        return torch.from_numpy(np.concatenate(found)).to(self._device)


def _best_path(graph: FewStates, scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Labels uint8 [L] of the best path of a whole sequence.

    A path is kept as nested pairs (what came before, its last label).
    """
    label = [array.tolist() for array in (graph.left_label, graph.inside_label, graph.right_label)]
    states, openers = graph.state_label.tolist(), graph.opener.tolist()
    exon = [(_NEVER, None)] * len(states)
    resumed = [_alive(score) for score in graph.begin.tolist()]
    inside = [_alive(score) for score in graph.begin_intron.tolist()]
    young: deque[dict] = deque([{}] * (graph.min_intron - 2))  # the oldest first
    pair = 5 * N + N
    for t, (row, code) in enumerate(zip(scores.tolist(), codes.tolist(), strict=True)):
        left, pair = pair, 5 * code + (int(codes[t + 1]) if t + 1 < len(codes) else N)
        opened = {}
        for j, score in _rows(graph, "open", pair):
            opened[j] = _longer(exon[openers[j]], score + row[label[0][j]], label[0][j])
        exon = _exons(graph, resumed, row, code)
        resumed = list(exon)
        for j, score in _rows(graph, "close", left):
            closed = _longer(inside[j], score + row[label[2][j]], label[2][j])
            if closed[0] > resumed[openers[j]][0]:
                resumed[openers[j]] = closed
        inside = [_longer(one, row[k], k) for one, k in zip(inside, label[1], strict=True)]
        young = deque(
            {j: _longer(one, row[label[1][j]], label[1][j]) for j, one in group.items()}
            for group in young
        )
        young.append(opened)
        for j, one in young.popleft().items():
            if one[0] > inside[j][0]:
                inside[j] = one
    return _labels(_ending(graph, exon, inside, young), len(codes))


def _alive(score: int) -> tuple:
    return (score if score > DEAD else _NEVER), None


def _longer(path: tuple, score: int, label: int) -> tuple:
    """A path, which is its score and nested pairs of labels, with one more base."""
    return path[0] + score, (path[1], label)


def _rows(graph: FewStates, kind: str, pair: int) -> list[tuple[int, int]]:
    """Introns that begin ("open") or end ("close") with a pair of bases, and what it adds."""
    first = getattr(graph, f"{kind}_first")
    rows = slice(first[pair], first[pair + 1])
    introns, scores = getattr(graph, f"{kind}_intron"), getattr(graph, f"{kind}_score")
    return list(zip(introns[rows].tolist(), scores[rows].tolist(), strict=True))


def _exons(graph: FewStates, resumed: list[tuple], row: list[int], code: int) -> list[tuple]:
    """The best path into each exon state at a base."""
    found: list[tuple] = [(_NEVER, None)] * len(graph.state_label)
    for k in range(graph.base_first[code], graph.base_first[code + 1]):
        rows = slice(graph.target_first[k], graph.target_first[k + 1])
        ways = [
            (resumed[source][0] + score, resumed[source][1])
            for source, score in zip(
                graph.source[rows], graph.step_score[rows].tolist(), strict=True
            )
        ]
        label = int(graph.state_label[graph.target[k]])
        found[graph.target[k]] = _longer(max(ways, key=lambda way: way[0]), row[label], label)
    return found


def _ending(graph: FewStates, exon: list[tuple], inside: list[tuple], young: deque) -> tuple:
    """The best path that a sequence may end with."""
    ways = [path for path, allowed in zip(exon, graph.may_end, strict=True) if allowed]
    ways += [path for j, path in enumerate(inside) if graph.may_end[graph.opener[j]]]
    for group in reversed(young):
        ways += [path for j, path in group.items() if graph.may_end[graph.opener[j]]]
    return max(ways, key=lambda way: way[0])


def _labels(path: tuple, length: int) -> np.ndarray:
    labels = np.empty(length, dtype=np.uint8)
    pairs = path[1]
    for t in reversed(range(length)):
        pairs, labels[t] = pairs
    return labels
