"""Training and held-out stretches: apart by gene and by distance.

Stretches are drawn as a whole. Genes that resemble a held-out one, and bases near held-out
stretches, are masked from training, so that nothing that is judged was nearly seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from augustus_dl.gene import Gene
from augustus_dl.genetic_code import coding_bases, genetic_code, translate
from augustus_dl.labels import MASKED
from augustus_dl.train.pack import Piece

__all__ = ["hold_out"]

DISTANCE = 5_000
"""Bases beside a held-out stretch that are not trained on."""
SHARE = 0.25
"""Of the genes that are held out."""
_LEAST, _MOST = 20, 250
"""Genes that are held out at least, whatever their bases, and at most."""
_WORD = 5
_ALIKE = 0.3
"""Share of a protein's words of five amino acids that another one has too; what two proteins with
four in five amino acids the same have in common."""


def hold_out(pieces: Sequence[Piece], most_bases: int, seed: int = 1) -> tuple[list[Piece], int]:
    """Mark stretches for validation, and mask what is near to them in the others.

    Args:
        pieces: as `training_genes.collect` gives them.
        most_bases: of held-out stretches, since they are decoded often.

    Returns:
        The pieces in their order, and how many genes are trained on. Training pieces have no
        `genes`, as in packs.
    """
    genes = sum(len(piece.genes) for piece in pieces)
    wanted = min(_MOST, max(_LEAST, round(SHARE * genes)))
    held, bases, chosen = 0, 0, set()
    for number in np.random.default_rng(seed).permutation(len(pieces)).tolist():
        length = len(pieces[number].codes)
        if held >= wanted or (held >= _LEAST and bases + length > most_bases):
            continue
        chosen.add(number)
        held, bases = held + len(pieces[number].genes), bases + length
    words = {word for i in chosen for gene in pieces[i].genes for word in _words(gene, pieces[i])}
    near = _near([pieces[i] for i in sorted(chosen)])
    found, trained = [], 0
    for number, piece in enumerate(pieces):
        if number in chosen:
            found.append(replace(piece, validation=True))
            continue
        labels, own = piece.labels.copy(), 0
        for start, end in near.get(_place(piece)[0], ()):
            offset = _place(piece)[1]
            labels[max(0, start - offset) : max(0, end - offset)] = MASKED
        for gene in piece.genes:
            if _alike(_words(gene, piece), words):
                labels[gene.start : gene.end] = MASKED
            own += bool((labels[gene.start : gene.end] != MASKED).any())
        trained += own
        if own:
            found.append(replace(piece, labels=labels, genes=(), masks=()))
    return found, trained


def _place(piece: Piece) -> tuple[str, int]:
    """Sequence and first base of a piece."""
    contig, _, span = piece.name.rpartition(":")
    return contig, int(span.partition("-")[0])


def _near(pieces: Iterable[Piece]) -> dict[str, list[tuple[int, int]]]:
    """By sequence, held-out stretches with what is near to them."""
    near: dict[str, list[tuple[int, int]]] = {}
    for piece in pieces:
        contig, start = _place(piece)
        end = start + len(piece.codes)
        near.setdefault(contig, []).append((max(0, start - DISTANCE), end + DISTANCE))
    return near


def _words(gene: Gene, piece: Piece) -> set[str]:
    """Words of five amino acids of a gene's first transcript."""
    code = genetic_code(piece.genetic_code)
    protein = translate(coding_bases(gene.transcripts[0], piece.codes), code)
    return {protein[i : i + _WORD] for i in range(len(protein) - _WORD + 1)}


def _alike(words: set[str], others: set[str]) -> bool:
    return len(words & others) > _ALIKE * max(1, len(words))
