"""Windows drawn for training.

python -m pytest tests/train/test_dataset.py
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from augustus_dl.encode import N
from augustus_dl.labels import INTERGENIC, LEGAL, MASKED, label
from augustus_dl.network.config import CLADES
from augustus_dl.train.dataset import Batch, Genomes
from augustus_dl.train.pack import Piece

CPU = torch.device("cpu")
MakePiece = Callable[..., Piece]


@pytest.fixture
def genomes(toy_piece: MakePiece) -> Genomes:
    pieces = [toy_piece("a", 0), toy_piece("b", 1), toy_piece("c", 2, folder="other")]
    return Genomes(pieces, CPU)


def flat(batch: Batch) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Codes, soft-mask and labels of each window."""
    return [
        (codes.numpy(), soft.numpy(), labels.numpy())
        for codes, soft, labels in zip(*batch[:3], strict=True)
    ]


def test_shapes_and_types(genomes: Genomes) -> None:
    batch = genomes.batch(5, 320, seed=1, step=0)
    assert all(t.shape == (5, 320) for t in batch[:3]) and batch.clade_B.shape == (5,)
    assert [t.dtype for t in batch] == [torch.uint8, torch.bool, torch.uint8, torch.int64]
    assert int(batch.codes_BL.max()) <= N


def test_what_is_drawn_depends_on_seed_and_step_alone(
    genomes: Genomes, toy_piece: MakePiece
) -> None:
    first = genomes.batch(8, 256, seed=3, step=7)
    for step in range(3):
        genomes.batch(8, 256, seed=3, step=step)
    torch.manual_seed(99)
    again = genomes.batch(8, 256, seed=3, step=7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for seed, step in ((3, 8), (4, 7)):
        other = genomes.batch(8, 256, seed=seed, step=step)
        assert not torch.equal(first.codes_BL, other.codes_BL)


def test_windows_are_cut_from_one_piece_on_either_strand(
    genomes: Genomes, toy_piece: MakePiece
) -> None:
    """Every window is found again, as it stands or reverse-complemented, in exactly one piece."""
    texts = [toy_piece("a", 0), toy_piece("b", 1), toy_piece("c", 2, folder="other")]
    forward = [bytes(piece.codes) for piece in texts]
    backward = [bytes(3 - piece.codes[::-1]) for piece in texts]
    turned = []
    for codes, _, _ in flat(genomes.batch(60, 256, seed=1, step=0)):
        inside = np.flatnonzero(codes != N)
        assert (np.diff(inside) == 1).all()  # the toy genomes hold no N
        text = bytes(codes[inside])
        homes = [sum(text in piece for piece in side) for side in (forward, backward)]
        assert sorted(homes) == [0, 1]
        turned.append(homes[1])
    assert 15 < sum(turned) < 45


def test_labels_are_legal_and_spell_their_codons(genomes: Genomes) -> None:
    spelt = {"ATG": 0, "TAA": 0}
    for codes, _, labels in flat(genomes.batch(60, 512, seed=1, step=0)):
        known = labels != MASKED
        pairs = known[:-1] & known[1:]
        assert LEGAL[labels[:-1][pairs], labels[1:][pairs]].all()
        for strand, kind, codon, shift in (
            ("+", "START", "ATG", 0),
            ("+", "STOP", "TAA", -2),
            ("-", "START", "CAT", -2),
            ("-", "STOP", "TTA", 0),
        ):
            for at in np.flatnonzero(labels == label(strand, kind)):
                first = at + shift
                if first < 0 or first + 3 > len(codes) or (codes[first : first + 3] == N).any():
                    continue
                assert "".join("ACGT"[c] for c in codes[first : first + 3]) == codon
                spelt["ATG" if kind == "START" else "TAA"] += 1
        for strand, bases in (("+", (2, 3)), ("-", (1, 0))):  # GT, and AC read backwards
            for k in range(3):
                for at in np.flatnonzero(labels[1:-1] == label(strand, f"D{k}")) + 1:
                    other = at + (1 if strand == "+" else -1)
                    assert (codes[at], codes[other]) in (bases, (bases[0], N))
    assert min(spelt.values()) > 20


def test_outside_the_piece_is_n_and_masked(genomes: Genomes) -> None:
    """Pieces lie behind one another in memory; a neighbour must not show."""
    seen = 0
    for codes, soft, labels in flat(genomes.batch(60, 2048, seed=1, step=0)):
        outside = codes == N
        assert (labels[outside] == MASKED).all() and not soft[outside].any()
        seen += int(outside.sum())
    assert seen > 0


def test_a_piece_shorter_than_a_window(toy_piece: MakePiece) -> None:
    piece = toy_piece(genes=1)
    batch = Genomes([piece], CPU).batch(6, 4096, seed=1, step=0)
    counts = (batch.codes_BL != N).sum(1)
    assert (counts > 0).all() and (counts <= len(piece.codes)).all()


def test_soft_mask_is_dropped_in_half(genomes: Genomes, toy_piece: MakePiece) -> None:
    whole = dataclasses.replace(toy_piece(), soft=np.ones(len(toy_piece().codes), dtype=bool))
    batch = Genomes([whole], CPU).batch(200, 64, seed=1, step=0)
    share = (batch.masked_BL & (batch.codes_BL != N)).any(1).float().mean().item()
    assert 0.4 < share < 0.6
    kept = batch.masked_BL.any(1)
    inside = (batch.codes_BL != N)[kept]
    assert torch.equal(batch.masked_BL[kept], inside)


def test_the_clade_is_hidden_in_a_tenth(genomes: Genomes) -> None:
    clades = genomes.batch(400, 32, seed=1, step=0).clade_B.tolist()
    assert set(clades) == {0, CLADES.index("yeasts")}
    assert 0.05 < clades.count(0) / 400 < 0.16


def test_genic_windows(toy_piece: MakePiece) -> None:
    """With `genic` 1 every window touches a gene; with 0 few of short ones do."""
    piece = toy_piece(genes=4)
    desert = np.full(40_000, INTERGENIC, dtype=np.uint8)
    wide = dataclasses.replace(
        piece,
        codes=np.concatenate([piece.codes, desert]),
        soft=np.concatenate([piece.soft, desert != 0]),
        labels=np.concatenate([piece.labels, desert]),
    )
    shares = []
    for genic in (0.0, 1.0):
        labels = Genomes([wide], CPU, genic).batch(100, 64, seed=1, step=0).labels_BL
        shares.append(((labels != INTERGENIC) & (labels != MASKED)).any(1).float().mean().item())
    assert shares[0] < 0.3
    assert shares[1] == 1.0


def test_sets_are_drawn_by_weight_and_root_of_size(toy_piece: MakePiece) -> None:
    small = toy_piece("a", 0, genes=4)
    pieces = [small, *(dataclasses.replace(small, set="other", clade="fungi") for _ in range(4))]
    clades = Genomes(pieces, CPU).batch(2000, 32, seed=1, step=0).clade_B
    fungi = (clades == CLADES.index("fungi")).sum().item()
    yeasts = (clades == CLADES.index("yeasts")).sum().item()
    assert fungi / yeasts == pytest.approx(2, rel=0.2)
    heavy = [dataclasses.replace(small, weight=6.0), *pieces[1:]]
    clades = Genomes(heavy, CPU).batch(2000, 32, seed=1, step=0).clade_B
    fungi = (clades == CLADES.index("fungi")).sum().item()
    yeasts = (clades == CLADES.index("yeasts")).sum().item()
    assert yeasts / fungi == pytest.approx(3, rel=0.2)


def test_pieces_of_a_set_must_stand_together(toy_piece: MakePiece) -> None:
    pieces = [toy_piece(), toy_piece(folder="other"), toy_piece()]
    with pytest.raises(ValueError, match="stand together"):
        Genomes(pieces, CPU)
