"""Validation pieces cut into parts: what they hold, and that cutting changes no gene.

python -m pytest tests/train/test_held_out.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.errors import TrainingError
from augustus_dl.labels import INTERGENIC, NUM_LABELS
from augustus_dl.train.held_out import over_parts, parts_of
from augustus_dl.train.pack import Piece

CONFIG = DecoderConfig(min_coding_length=0)


class Knowing:
    """Scores of the pieces' labels, the true one at each base likelier by `nats` and noise."""

    flank, core, device, has_utr = 32, 1024, "cpu", False

    def __init__(self, pieces: list[Piece], nats: float = 6.0, noise: float = 0.0) -> None:
        self._known = {}
        for piece in pieces:
            rng = np.random.default_rng(len(piece.codes))
            logits = rng.normal(0, noise, (len(piece.codes), NUM_LABELS))
            logits[np.arange(len(piece.codes)), np.minimum(piece.labels, NUM_LABELS - 1)] += nats
            logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            self._known[piece.codes[:64].tobytes()] = logs.astype(np.float32)
        self._now = np.empty(0)

    def scores(self, windows, weights, utr=False):
        for window in windows:
            if window.start == 0:
                self._now = self._known[window.codes[self.flank :][:64].tobytes()]
            grid = np.round(self._now[window.start : window.end] * weights * GRID)
            yield window, np.maximum(grid, -32767).astype(np.int16)


@pytest.fixture
def pieces(toy_piece: Callable[..., Piece]) -> list[Piece]:
    return [toy_piece(f"c{i}", i, genes=10 + 5 * i, validation=True) for i in range(3)]


def test_parts_tile_pieces_and_lose_no_gene(pieces: list[Piece]) -> None:
    parts = parts_of(pieces, Knowing(pieces), length=1000)
    assert len(parts) > 10
    for piece in pieces:
        own = [p.piece for p in parts if p.piece.name.startswith(f"{piece.name}:")]
        np.testing.assert_array_equal(np.concatenate([p.codes for p in own]), piece.codes)
        assert sum(len(p.genes) for p in own) == len(piece.genes)
        assert sum(b - a for p in own for a, b, _ in p.masks) == 6
        assert all(400 < len(p.codes) < 3000 for p in own)
        for one in own[1:]:
            assert one.labels[0] == INTERGENIC


def test_a_short_piece_is_one_part(pieces: list[Piece]) -> None:
    assert len(parts_of(pieces, Knowing(pieces))) == 3


def test_a_piece_without_a_place_to_cut(pieces: list[Piece]) -> None:
    full = replace(pieces[0], labels=np.full_like(pieces[0].labels, 1), genes=())
    assert len(parts_of([full], Knowing([full]), length=500)) == 1


def test_all_genes_of_parts_are_found(pieces: list[Piece]) -> None:
    parts = parts_of(pieces, Knowing(pieces), length=1000)
    found = over_parts(lambda part: part.accuracy(CONFIG), parts)
    assert sum(one.gene.reference for one in found) == sum(len(p.genes) for p in pieces)
    assert all(one.gene.found == one.gene.predicted == one.gene.reference for one in found)


def test_the_genetic_code_is_the_pieces(pieces: list[Piece]) -> None:
    other = [replace(piece, genetic_code=6) for piece in pieces]  # TAA is no stop codon
    parts = parts_of(other, Knowing(other))
    assert sum(len(part.loci(CONFIG)) for part in parts) < sum(len(p.genes) for p in pieces) / 2


def test_training_pieces_are_refused(pieces: list[Piece]) -> None:
    pieces[1] = replace(pieces[1], validation=False)
    with pytest.raises(TrainingError, match="c1 of toy is not marked validation"):
        parts_of(pieces, Knowing(pieces))
    with pytest.raises(TrainingError, match="no validation piece"):
        parts_of([], Knowing(pieces))
