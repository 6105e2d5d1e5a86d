"""Label paths drawn at random, each as often as is its probability.

Paths are traced back through the forward sums of `lattice` from the right end to the left, all of
them through one block before the next. Draws come from a seeded generator: same input, same paths.
"""

from __future__ import annotations

import numpy as np

from augustus_dl.decode.lattice import NEVER, Lattice, log_add, site_score
from augustus_dl.decode.native import native

__all__ = ["sample_paths"]

_OVERLAP = 2
"""Where a path comes from is seen up to two bases left of it."""
_DRAWS = 2
"""Random numbers that a path needs for a base, at most."""


def sample_paths(lattice: Lattice, count: int, seed: int = 0) -> np.ndarray:
    """Independent label paths of a region; uint8 [count, n]."""
    random = np.random.default_rng(seed)
    paths = np.empty((count, len(lattice)), dtype=np.uint8)
    base, node = _last_nodes(lattice, random, paths)
    states, introns = len(lattice.graph.state_label), len(lattice.graph.opener)
    room = np.empty((states, 2 * states)), np.empty(states, dtype=np.int64), np.empty(introns)
    uniform = np.empty(0)
    for forward in lattice.forward_again(_OVERLAP):
        first = forward.start + _OVERLAP if forward.start else 0
        most = _DRAWS * count * (forward.stop - first)
        uniform = np.append(uniform, random.random(max(0, most - len(uniform))))
        used = _trace(
            lattice.graph,
            lattice.scale,
            lattice.scores,
            lattice.codes,
            forward,
            uniform,
            first,
            base,
            node,
            paths,
            room,
        )
        uniform = uniform[used:]
    return paths


def _last_nodes(
    lattice: Lattice, random: np.random.Generator, paths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each path is at the right end: base int64 [count] and node, as in `viterbi`.

    A young intron at the end is written at once.
    """
    graph, n = lattice.graph, len(lattice)
    states, introns = len(graph.state_label), len(graph.opener)
    odds = np.exp(lattice.ends - lattice.log_total)
    node = random.choice(len(odds), size=len(paths), p=odds / odds.sum())
    base = np.full(len(paths), n - 1)
    for i in np.flatnonzero(node >= states + introns):
        age, j = divmod(node[i] - states - introns, introns)
        paths[i, n - age] = graph.left_label[j]
        paths[i, n - age + 1 :] = graph.inside_label[j]
        base[i], node[i] = n - age - 1, graph.opener[j]
    return base, node


@native
def _trace(graph, scale, scores, codes, forward, uniform, first, base, node, paths, room) -> int:
    """Follow all paths to the left, to bases below `first`.

    Args:
        forward: sums from `first` - 2 on at least, or from 0 on.
        base, node: int64 [count], where each path is; moved.
        uniform: float64, random numbers from 0 to 1, enough of them.
        paths: uint8 [count, n], written.
        room: to work in; float64 [S, 2 S], int64 [S], float64 [J].

    Returns:
        How many of the random numbers are used up.
    """
    states, used = len(graph.state_label), 0
    chance, chance_of, closed = room
    chance_of[:] = -1  # the base that `chance` is of
    last = first
    for p in range(len(base)):
        last = max(last, base[p])
    for t in range(last, first - 1, -1):
        i = t - forward.start
        for p in range(len(paths)):
            if base[p] != t:
                continue
            at = node[p]
            if at < states:
                paths[p, t] = graph.state_label[at]
                base[p] = t - 1
                if t > 0:
                    if chance_of[at] != t:
                        _chances(graph, scale, forward, i - 1, codes[t], at, chance[at])
                        chance_of[at] = t
                    node[p] = _drawn(chance[at], uniform[used])
                    used += 1
                    if node[p] >= states:
                        opener = node[p] - states
                        _closings(graph, scale, forward, i - 2, codes, t - 1, opener, closed)
                        j = _drawn(closed, uniform[used])
                        used += 1
                        paths[p, t - 1] = graph.right_label[j]
                        base[p] = t - 2
                        node[p] = states + j
            else:
                j = at - states
                paths[p, t] = graph.inside_label[j]
                base[p] = t - 1
                if forward.admitted[i, j] > NEVER:
                    young = np.exp(forward.admitted[i, j] - forward.inside[i, j])
                    used += 1
                    if uniform[used - 1] < young:
                        left = t - graph.min_intron + 2
                        paths[p, left] = graph.left_label[j]
                        for inside in range(left + 1, t):
                            paths[p, inside] = graph.inside_label[j]
                        base[p] = left - 1
                        node[p] = graph.opener[j]
    return used


@native
def _chances(graph, scale, forward, i, code, state, chance):
    """Where paths come from that are in an exon state right of row i.

    Args:
        chance: float64 [2 S], filled with cumulative probabilities of the exon states, then of
            introns that end in row i, by opener.
    """
    states = len(graph.state_label)
    chance[:] = NEVER
    k = graph.base_first[code]
    while graph.target[k] != state:
        k += 1
    for e in range(graph.target_first[k], graph.target_first[k + 1]):
        s = graph.source[e]
        step = scale * graph.step_score[e]
        chance[s] = log_add(chance[s], forward.exon[i, s] + step)
        chance[states + s] = log_add(chance[states + s], forward.closing[i, s] + step)
    _accumulate(chance)


@native
def _closings(graph, scale, forward, i, codes, t, opener, chance):
    """Which intron of this opener has its right end at base t; row i is base t - 1.

    Args:
        chance: float64 [J], filled with cumulative probabilities.
    """
    pair = 5 * codes[t - 1] + codes[t]
    chance[:] = NEVER
    for j in range(len(chance)):
        if graph.opener[j] == opener:
            site = site_score(graph.close_first, graph.close_intron, graph.close_score, pair, j)
            chance[j] = forward.inside[i, j] + scale * site
    _accumulate(chance)


@native
def _accumulate(chance):
    """Logarithms of weights to cumulative probabilities, in place."""
    best, total = NEVER, 0.0
    for k in range(len(chance)):
        best = max(best, chance[k])
    for k in range(len(chance)):
        if chance[k] > NEVER:
            total += np.exp(chance[k] - best)
        chance[k] = total
    for k in range(len(chance)):
        chance[k] /= total


@native
def _drawn(chance, uniform):
    """A place of cumulative probabilities, drawn by a random number from 0 to 1."""
    k = 0
    while k < len(chance) and chance[k] <= uniform:
        k += 1
    return k
