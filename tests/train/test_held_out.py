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
from augustus_dl.train import held_out
from augustus_dl.train.held_out import parts_of
from augustus_dl.train.pack import Piece
from augustus_dl.train.parallel import over_threads

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
    parts = parts_of(pieces, Knowing(pieces))
    assert 10 < len(parts) < 40
    for piece in pieces:
        own = [p.piece for p in parts if p.piece.name.startswith(f"{piece.name}:")]
        np.testing.assert_array_equal(np.concatenate([p.codes for p in own]), piece.codes)
        assert sum(len(p.genes) for p in own) == len(piece.genes)
        assert sum(b - a for p in own for a, b, _ in p.masks) == 6
        for one in own[1:]:
            assert one.labels[0] == INTERGENIC


def test_parts_are_not_longer_than_need_be(
    pieces: list[Piece], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = len(parts_of(pieces, Knowing(pieces)))
    monkeypatch.setattr(held_out, "PARTS", 5)
    fewer = len(parts_of(pieces, Knowing(pieces)))
    monkeypatch.setattr(held_out, "LENGTH", 500)
    assert 3 <= fewer < usual < len(parts_of(pieces, Knowing(pieces)))


def test_a_piece_without_a_place_to_cut(pieces: list[Piece]) -> None:
    full = replace(pieces[0], labels=np.full_like(pieces[0].labels, 1), genes=())
    assert len(parts_of([full, pieces[1]], Knowing([full, pieces[1]]))) > 5
    with pytest.raises(TrainingError, match="c0 cannot be cut"):
        parts_of([full], Knowing([full]))


def test_all_genes_of_parts_are_found(pieces: list[Piece]) -> None:
    parts = parts_of(pieces, Knowing(pieces))
    found = over_threads(lambda part: part.accuracy(CONFIG), parts)
    assert sum(one.gene.reference for one in found) == sum(len(p.genes) for p in pieces)
    assert all(one.gene.found == one.gene.predicted == one.gene.reference for one in found)


def test_the_genetic_code_is_the_pieces(pieces: list[Piece]) -> None:
    other = [replace(piece, genetic_code=6) for piece in pieces]  # TAA is no stop codon
    parts = parts_of(other, Knowing(other))
    assert sum(part.accuracy(CONFIG).gene.reference for part in parts) == 0  # all impossible
    stops = [
        text[t.end - 3 : t.end]
        for part in parts
        for text in [part.contig.sequence]
        for locus in part.loci(CONFIG)
        for t in locus
        if t.strand == "+" and t.complete3
    ]
    assert set(stops) <= {b"TGA"}


def test_training_pieces_are_refused(pieces: list[Piece]) -> None:
    pieces[1] = replace(pieces[1], validation=False)
    with pytest.raises(TrainingError, match="c1 of toy is not marked validation"):
        parts_of(pieces, Knowing(pieces))
    with pytest.raises(TrainingError, match="no validation piece"):
        parts_of([], Knowing(pieces))
