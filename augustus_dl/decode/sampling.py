"""Label paths drawn at random, each as often as is its probability.

Paths are traced back through the forward sums of `lattice` from the right end to the left, all of
them through one block before the next. Draws come from a seeded generator: same input, same paths.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from augustus_dl.decode.lattice import NEVER, Lattice, log_add, site_score

__all__ = ["sample_paths"]

_OVERLAP = 2
"""Where a path comes from is seen up to two bases left of it."""


def sample_paths(lattice: Lattice, count: int, seed: int = 0) -> np.ndarray:
    """Independent label paths of a region; uint8 [count, n]."""
    random = np.random.default_rng(seed)
    paths = np.empty((count, len(lattice)), dtype=np.uint8)
    base, node = _last_nodes(lattice, random, paths)
    for forward in lattice.forward_again(_OVERLAP):
        first = forward.start + _OVERLAP if forward.start else 0
        _trace(
            lattice.graph,
            lattice.scale,
            lattice.scores,
            lattice.codes,
            forward,
            random,
            first,
            base,
            node,
            paths,
        )
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


@njit(cache=True, nogil=True)
def _trace(graph, scale, scores, codes, forward, random, first, base, node, paths):
    """Follow all paths to the left, to bases below `first`.

    Args:
        forward: sums from `first` - 2 on at least, or from 0 on.
        base, node: int64 [count], where each path is; moved.
        paths: uint8 [count, n], written.
    """
    states = len(graph.state_label)
    chance = np.empty((states, 2 * states))
    chance_of = np.full(states, -1)  # the base that `chance` is of
    for t in range(base.max(), first - 1, -1):
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
                    node[p] = _drawn(chance[at], random)
                    if node[p] >= states:
                        j = _closed(
                            graph, scale, forward, i - 2, codes, t - 1, node[p] - states, random
                        )
                        paths[p, t - 1] = graph.right_label[j]
                        base[p] = t - 2
                        node[p] = states + j
            else:
                j = at - states
                paths[p, t] = graph.inside_label[j]
                base[p] = t - 1
                if forward.admitted[i, j] > NEVER:
                    young = np.exp(forward.admitted[i, j] - forward.inside[i, j])
                    if random.random() < young:
                        left = t - graph.min_intron + 2
                        paths[p, left] = graph.left_label[j]
                        paths[p, left + 1 : t] = graph.inside_label[j]
                        base[p] = left - 1
                        node[p] = graph.opener[j]


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _closed(graph, scale, forward, i, codes, t, opener, random):
    """Draw which intron of this opener has its right end at base t; row i is base t - 1."""
    pair = 5 * codes[t - 1] + codes[t]
    chance = np.full(len(graph.opener), NEVER)
    for j in range(len(chance)):
        if graph.opener[j] == opener:
            site = site_score(graph.close_first, graph.close_intron, graph.close_score, pair, j)
            chance[j] = forward.inside[i, j] + scale * site
    _accumulate(chance)
    return _drawn(chance, random)


@njit(cache=True, nogil=True)
def _accumulate(chance):
    """Logarithms of weights to cumulative probabilities, in place."""
    best, total = chance.max(), 0.0
    for k in range(len(chance)):
        if chance[k] > NEVER:
            total += np.exp(chance[k] - best)
        chance[k] = total
    chance /= total


@njit(cache=True, nogil=True)
def _drawn(chance, random):
    """A place of cumulative probabilities, drawn at random."""
    return np.searchsorted(chance, random.random(), side="right")
