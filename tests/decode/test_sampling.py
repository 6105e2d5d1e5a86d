"""Drawn paths against the enumeration of all paths.

python -m pytest tests/decode/test_sampling.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from augustus_dl.decode import lattice as lattice_module
from augustus_dl.decode.grammar import build_graph
from augustus_dl.decode.lattice import Lattice
from augustus_dl.decode.posterior import label_posteriors
from augustus_dl.decode.sampling import sample_paths
from augustus_dl.encode import base_codes
from tests.decode.enumeration import all_paths, probabilities
from tests.decode.test_posterior import GENES
from tests.decode.test_viterbi import TOY, is_valid, random_scores, toy


def lattice_of(text, scores, config, heat=1.0):
    return Lattice(build_graph(config), scores, base_codes(text.encode()), heat)


@pytest.mark.parametrize("block", [4096, 1, 2, 3, 11])
@pytest.mark.parametrize("variant", [{}, {"partial": False, "min_intron": 5}, {"intronless": True}])
def test_paths_are_drawn_as_often_as_likely(variant, block, monkeypatch):
    """Chi-square over the paths that are expected often enough, all others taken together."""
    monkeypatch.setattr(lattice_module, "BLOCK", block)
    config = replace(TOY, **variant)
    rng = np.random.default_rng(7)
    scores = random_scores(rng, len(GENES), spread=0.3)
    paths = all_paths(GENES, config)
    chances, _ = probabilities(paths, GENES, scores, config)
    count = 4000
    drawn = Counter(map(bytes, sample_paths(lattice_of(GENES, scores, config), count, seed=1)))
    expected = {path.tobytes(): count * chance for path, chance in zip(paths, chances, strict=True)}
    assert drawn.keys() <= expected.keys()
    often = [path for path, times in expected.items() if times >= 5]
    cells = [(drawn[path], expected[path]) for path in often]
    cells.append([max(count - sum(column), 1e-9) for column in zip(*cells, strict=True)])
    chi_square = sum((seen - wanted) ** 2 / wanted for seen, wanted in cells)
    freedom = len(cells) - 1
    assert freedom > 5
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)


def test_labels_of_a_long_sequence_are_drawn_as_often_as_likely():
    rng = np.random.default_rng(8)
    text = toy(rng, 5000, n_rate=0.005)
    config = replace(TOY, min_intron=20)
    scores = random_scores(rng, len(text), outside=-0.5, boundaries=1, spread=1)
    lattice = lattice_of(text, scores, config)
    paths = sample_paths(lattice, 400, seed=3)
    assert all(is_valid(path, text, config) for path in paths[:20])
    posteriors = label_posteriors(lattice)
    seen = np.stack([(paths == i).mean(axis=0) for i in range(29)], axis=1)
    bound = 6 * np.sqrt(posteriors * (1 - posteriors) / len(paths)) + 0.02
    assert (abs(seen - posteriors) < bound).all()
    assert ((posteriors > 0.2) & (posteriors < 0.8)).sum() > 1000


def test_the_seed_decides():
    rng = np.random.default_rng(9)
    lattice = lattice_of(GENES, random_scores(rng, len(GENES), spread=0.3), TOY)
    first = sample_paths(lattice, 50, seed=1)
    assert (sample_paths(lattice, 50, seed=1) == first).all()
    assert (sample_paths(lattice, 50, seed=2) != first).any()
    assert len(np.unique(first, axis=0)) > 5


def test_heat_draws_more_kinds_of_paths():
    rng = np.random.default_rng(10)
    scores = random_scores(rng, len(GENES), spread=1)
    kinds = [
        len(np.unique(sample_paths(lattice_of(GENES, scores, TOY, heat), 300), axis=0))
        for heat in (1.0, 0.5, 0.125)
    ]
    assert kinds == sorted(kinds) and kinds[0] < kinds[2]
