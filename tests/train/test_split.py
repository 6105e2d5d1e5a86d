"""Held-out stretches: nothing trained on is near them or like them.

python -m pytest tests/train/test_split.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation
from augustus_dl.io.fasta import Contig
from augustus_dl.labels import MASKED
from augustus_dl.train.pack import Piece
from augustus_dl.train.split import DISTANCE, hold_out
from augustus_dl.train.training_genes import collect

Toy = Callable[..., tuple[Contig, list[Gene]]]


def pieces(toy_contig: Toy, contigs: int, genes: int) -> list[Piece]:
    made = [toy_contig(f"c{i}", i, genes) for i in range(contigs)]
    annotation = Annotation({contig.name: found for contig, found in made}, {})
    return collect([c for c, _ in made], annotation, genetic_code(1), "toy", 100).pieces


def test_a_quarter_of_the_genes_is_held_out(toy_contig: Toy) -> None:
    all_pieces = pieces(toy_contig, 40, 5)
    found, trained = hold_out(all_pieces, 10**9)
    held = sum(len(piece.genes) for piece in found if piece.validation)
    assert held == 50 and trained == 150
    assert all(not piece.genes for piece in found if not piece.validation)
    assert [p.name for p in found] == [p.name for p in all_pieces]
    other, _ = hold_out(all_pieces, 10**9, seed=2)
    assert [p.validation for p in found] != [p.validation for p in other]


def test_held_out_bases_are_bounded(toy_contig: Toy) -> None:
    found, _ = hold_out(pieces(toy_contig, 40, 5), 1000)
    assert sum(len(piece.genes) for piece in found if piece.validation) == 20


def test_what_is_near_is_not_trained_on(toy_contig: Toy) -> None:
    found, trained = hold_out(pieces(toy_contig, 1, 200), 10**9)
    held = [piece for piece in found if piece.validation]
    assert 0 < trained < 150
    spans = [tuple(map(int, piece.name.partition(":")[2].split("-"))) for piece in held]
    for piece in found:
        start = int(piece.name.partition(":")[2].split("-")[0])
        known = start + np.flatnonzero(piece.labels != MASKED)
        if not piece.validation:
            for first, last in spans:
                assert not ((known >= first - DISTANCE) & (known < last + DISTANCE)).any()


def test_what_is_alike_is_not_trained_on(toy_contig: Toy) -> None:
    one = pieces(toy_contig, 40, 5)
    copies = [replace(p, name=p.name.replace("c", "d", 1)) for p in one]
    found, _ = hold_out([*one, *copies], 10**9)
    held = {piece.codes.tobytes() for piece in found if piece.validation}
    for piece in found:
        if not piece.validation and piece.codes.tobytes() in held:
            raise AssertionError(f"{piece.name} has a held-out twin")
