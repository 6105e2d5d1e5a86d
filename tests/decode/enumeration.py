"""All legal label paths of a short sequence, one by one; what sums over paths are compared with."""

from __future__ import annotations

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.encode import base_codes
from augustus_dl.labels import LEGAL
from tests.decode.test_viterbi import (
    BEGINS,
    COUNTS,
    ENDS,
    PARTIAL,
    allowed_labels,
    before,
    gene_counts,
    grow,
    score_of,
)


def all_paths(text, config):
    """uint8 [k, L]; a path is grown base by base, as its transcripts' sequence allows."""
    labels = allowed_labels(config)
    paths = []
    for i in labels:
        if i in BEGINS or (config.partial and i in PARTIAL):
            paths.append(([i], grow(before(i, config), i, 0, text, config)))
    for t in range(1, len(text)):
        longer = [
            ([*path, i], grow(state, i, t, text, config))
            for path, state in paths
            if state
            for i in labels
            if LEGAL[path[-1], i]
        ]
        paths = longer
    ended = [
        path
        for path, state in paths
        if state and (path[-1] in ENDS or (config.partial and path[-1] in PARTIAL and not state[2]))
    ]
    found = np.array(ended, dtype=np.uint8).reshape(-1, len(text))
    fewest, most = COUNTS[config.gene_count]
    return found[(gene_counts(found) >= fewest) & (gene_counts(found) <= most)]


def probabilities(paths, text, scores, config, heat=1.0):
    """Probability of each path, and the logarithm of the sum of all weights."""
    nats = score_of(paths, scores, base_codes(text.encode()), config) * heat / GRID
    total = np.logaddexp.reduce(nats)
    return np.exp(nats - total), total
