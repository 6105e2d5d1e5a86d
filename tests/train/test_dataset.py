"""Windows drawn for training.

python -m pytest tests/train/test_dataset.py
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.encode import N, base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import coding_bases, genetic_code, translate
from augustus_dl.labels import (
    INTERGENIC,
    LEGAL,
    MASKED,
    UTR_MIRROR,
    label,
    mirror,
    to_labels,
    utr_label,
)
from augustus_dl.network.config import CLADES
from augustus_dl.train import dataset
from augustus_dl.train.dataset import Batch, Genomes, mutated, substituted
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
    assert all(t.shape == (5, 320) for t in batch[:4]) and batch.clade_B.shape == (5,)
    uint8 = torch.uint8
    assert [t.dtype for t in batch] == [uint8, torch.bool, uint8, uint8, torch.int64]
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


def test_utrs_lie_beside_their_codons(genomes: Genomes) -> None:
    seen = 0
    batch = genomes.batch(60, 512, seed=1, step=0)
    for labels, utr in zip(batch.labels_BL.numpy(), batch.utr_BL.numpy(), strict=True):
        for strand, kind, end, step in (
            ("+", "START", "5", -1),
            ("+", "STOP", "3", 1),
            ("-", "START", "5", 1),
            ("-", "STOP", "3", -1),
        ):
            for at in np.flatnonzero(labels == label(strand, kind)):
                if 0 <= at + step < len(utr):
                    assert utr[at] == 0
                    assert utr[at + step] == utr_label(strand, end, "exon")
                    seen += 1
    assert seen > 60


def test_outside_the_piece_is_n_and_masked(genomes: Genomes) -> None:
    """Pieces lie behind one another in memory; a neighbour must not show."""
    batch = genomes.batch(60, 2048, seed=1, step=0)
    outside = batch.codes_BL == N
    assert outside.any() and not batch.masked_BL[outside].any()
    assert (batch.labels_BL[outside] == MASKED).all() and (batch.utr_BL[outside] == MASKED).all()


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
    for share_given, expected in ((0.0, 1.0), (1.0, 0.0)):
        other = Genomes([whole], CPU, mask_dropout=share_given).batch(50, 64, seed=1, step=0)
        inner = other.codes_BL != N
        assert other.masked_BL[inner].float().mean() == expected
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
        utr=np.concatenate([piece.utr, desert]),
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


CODE = genetic_code(1)
SENSE = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in CODE.stops]
STRETCH = 900
"""Bases of a random gene with what lies beside it."""


def random_gene(rng: np.random.Generator) -> tuple[str, Transcript]:
    """All sense codons may come up, introns cut codons anywhere; filled up with random bases."""

    def noise(length: int) -> str:
        return "".join(rng.choice(list("ACGTN"), length, p=[0.24, 0.24, 0.24, 0.24, 0.04]))

    coding = "ATG" + "".join(rng.choice(SENSE, 60)) + rng.choice(sorted(CODE.stops))
    text, cds = noise(50), []
    cuts = sorted(rng.choice(np.arange(1, len(coding)), 3, replace=False).tolist())
    for start, end in zip([0, *cuts], [*cuts, len(coding)], strict=True):
        text += f"GT{noise(40)}AG" if start else ""
        cds.append((len(text), len(text) + end - start))
        text += coding[start:end]
    return text + noise(STRETCH - len(text)), Transcript("+", tuple(cds))


def random_batch(rng: np.random.Generator) -> tuple[Batch, list[Transcript]]:
    """One window with a gene on each strand, their UTRs, and a doubtful stretch."""
    (left, plus), (right, minus) = random_gene(rng), random_gene(rng)
    minus = minus.mirrored(STRETCH).shifted(STRETCH)
    codes = np.concatenate(
        [base_codes(left.encode()), reverse_complement(base_codes(right.encode()))]
    )
    labels = to_labels([plus, minus], len(codes))
    utr = np.zeros_like(labels)
    utr[plus.start - 30 : plus.start] = utr_label("+", "5", "exon")
    utr[minus.start - 40 : minus.start] = utr_label("-", "3", "intron")
    labels[800:820] = MASKED
    tracks = (codes, codes > N, labels, utr)
    batch = Batch(*(torch.from_numpy(track)[None] for track in tracks), torch.zeros(1).long())
    return batch, [plus, minus]


@given(seed=st.integers(0, 2**32 - 1), left=st.integers(0, 900), right=st.integers(901, 1800))
def test_mutation_leaves_genes_as_they_are(seed: int, left: int, right: int) -> None:
    """Every base is hit, in a window cut anywhere, also within codons."""
    rng = np.random.default_rng(seed)
    whole, genes = random_batch(rng)
    window = Batch(*(track[:, left:right] for track in whole[:4]), whole.clade_B)
    choice = torch.from_numpy(rng.random((1, right - left)))
    before, labels, utr = (whole[k][0].numpy() for k in (0, 2, 3))
    after = before.copy()
    after[left:right] = mutated(window, torch.ones(1, 1), 0 * choice, choice)[0].numpy()
    for gene in genes:
        protein, same = (translate(coding_bases(gene, codes), CODE) for codes in (before, after))
        assert protein == same
    changed = after != before
    third = np.isin(labels, [label(strand, "C2") for strand in "+-"])
    free = np.isin(labels, [INTERGENIC, *(label(s, f"I{k}") for s in "+-" for k in range(3))])
    assert not changed[~free & ~third].any()  # start and stop codons, and doubtful bases
    assert not changed[before == N].any()
    border = ~free
    border[1:] |= utr[1:] != utr[:-1]
    border[:-1] |= utr[1:] != utr[:-1]
    near = np.convolve(border, np.ones(13), "same") > 0
    seen = slice(left + 6, right - 6)  # splice sites that the window does not show may change
    assert not changed[seen][near[seen] & ~third[seen]].any()
    assert changed[seen][~near[seen] & (before[seen] < N)].all()


def test_mutation_hits_introns_and_third_bases_at_its_rate() -> None:
    rng = np.random.default_rng(0)
    batch, _ = random_batch(rng)
    labels, utr = batch.labels_BL[0].numpy(), batch.utr_BL[0].numpy()
    places = {"UTR": utr > 0}
    for strand in "+-":
        places[f"{strand} third bases"] = labels == label(strand, "C2")
        introns = [label(strand, f"I{phase}") for phase in range(3)]
        places[f"{strand} introns"] = np.isin(labels, introns)
    counts = {}
    for rate in (0.0, 0.2, 1.0):
        changed = np.zeros(labels.shape)
        for _ in range(40):
            drawn = (torch.from_numpy(rng.random((1, len(labels)))) for _ in range(2))
            codes = mutated(batch, torch.full((1, 1), rate), *drawn)
            changed += (codes != batch.codes_BL)[0].numpy()
        counts[rate] = {name: changed[place].sum() / 40 for name, place in places.items()}
    for name, most in counts[1.0].items():
        assert most > 20
        assert counts[0.2][name] == pytest.approx(0.2 * most, rel=0.2)
        assert counts[0.0][name] == 0


@given(seed=st.integers(0, 2**32 - 1))
def test_substitution_leaves_genes_valid(seed: int) -> None:
    """Every base is hit: proteins differ, but nothing within 6 bases of an end or splice site."""
    rng = np.random.default_rng(seed)
    batch, genes = random_batch(rng)
    choice = torch.from_numpy(rng.random(batch.codes_BL.shape))
    before, labels = batch.codes_BL[0].numpy(), batch.labels_BL[0].numpy()
    after = substituted(batch, torch.ones(1, 1), 0 * choice, choice)[0].numpy()
    coding = [label(strand, f"C{position}") for strand in "+-" for position in range(3)]
    inner = np.convolve(~np.isin(labels, coding), np.ones(13), "same") == 0
    assert not (after != before)[~inner].any()
    assert (after != before)[inner].mean() > 0.8
    for gene in genes:
        protein = translate(coding_bases(gene, after), CODE)
        assert protein[0] == "M" and protein.index("*") == len(protein) - 1
        assert protein != translate(coding_bases(gene, before), CODE)
    none = substituted(batch, torch.zeros(1, 1), choice, choice)
    assert torch.equal(none, batch.codes_BL)


def test_mutation_is_the_same_on_both_strands() -> None:
    rng = np.random.default_rng(3)
    batch, _ = random_batch(rng)
    codes, _, labels, utr = (track[0].numpy() for track in batch[:4])
    turned = batch._replace(
        codes_BL=torch.from_numpy(reverse_complement(codes))[None],
        labels_BL=torch.from_numpy(mirror(labels))[None],
        utr_BL=torch.from_numpy(UTR_MIRROR[utr[::-1]])[None],
    )
    chance = torch.from_numpy(rng.random(batch.codes_BL.shape))
    half = torch.full((1, 1), 0.5)
    for change in (mutated, substituted):
        plain = change(batch, half, chance, 0 * chance)[0].numpy() != codes
        other = change(turned, half, chance.flip(1), 0 * chance)[0].flip(0).numpy()
        assert plain.any()
        unlike = plain != (reverse_complement(other.copy())[::-1] != codes)
        assert change is substituted or not unlike.any()
        assert unlike.mean() < 0.05  # a stop codon may come about on one strand alone


def test_each_window_draws_its_own_rate(genomes: Genomes, monkeypatch: pytest.MonkeyPatch) -> None:
    given_rates = []

    def recorded(batch: Batch, rate_B1: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        given_rates.append(rate_B1.flatten())
        return mutated(batch, rate_B1, *drawn)

    monkeypatch.setattr(dataset, "mutated", recorded)
    genomes.batch(300, 32, seed=1, step=0)
    assert given_rates == []
    genomes.batch(300, 32, seed=1, step=0, mutation=0.6)
    (rates,) = given_rates
    assert len(rates.unique()) > 290 and rates.min() >= 0 and rates.max() < 0.6
    assert rates.mean().item() == pytest.approx(0.3, abs=0.03)
