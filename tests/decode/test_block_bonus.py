"""Blocks of a profile found on the DNA, and what they add to scores.

python -m pytest tests/decode/test_block_bonus.py
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import pytest

from augustus_dl.decode.block_bonus import HIT, REACH, _chained, block_hits, block_stage
from augustus_dl.decode.config import GRID
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import genetic_code, translate
from augustus_dl.labels import MIRROR, NUM_LABELS, to_labels
from augustus_dl.protein_profile import (
    Distance,
    ProfileOptions,
    ProteinProfile,
    make_block,
    residues,
)

CODE = genetic_code(1)
CODONS = {"M": "ATG", "W": "TGG", "H": "CAT", "C": "TGC", "F": "TTT", "Y": "TAC", "P": "CCC"}


class Stretch(NamedTuple):
    scores: np.ndarray
    codes: np.ndarray
    start: int


def profile_of(*consensus: str, share: float = 0.81) -> ProteinProfile:
    blocks = []
    for number, letters in enumerate(consensus):
        frequencies = np.full((len(letters), 20), (1 - share) / 19)
        frequencies[np.arange(len(letters)), residues(letters)] = share
        blocks.append(make_block(f"b{number}", frequencies, ProfileOptions()))
    return ProteinProfile("f", tuple(blocks), (Distance(0, None),) * (len(blocks) + 1))


def coding(protein: str) -> str:
    return "".join(CODONS[letter] for letter in protein)


A, B, C = "MWHCFYPC", "YHMPWCFH", "CPFWYMHF"
LETTERS = "A" * 31 + coding(A) + "A" * 40 + coding(B) + "A" * 50 + coding(C) + "A" * 60
CODES = base_codes(LETTERS.encode())
STARTS = [31, 31 + 24 + 40, 31 + 24 + 40 + 24 + 50]


def test_hits_are_found_in_every_frame() -> None:
    for shift in range(3):
        hits = block_hits(CODES[shift:], profile_of(A, B, C), CODE)
        assert hits["start"].tolist() == [start - shift for start in STARTS]
        assert hits["end"].tolist() == [start - shift + 24 for start in STARTS]
        assert hits["block"].tolist() == [0, 1, 2]


def test_hits_are_those_of_every_place_tried() -> None:
    rng = np.random.default_rng(1)
    lenient = ProfileOptions(block_spec=1, block_sens=3)
    blocks = tuple(make_block("b", rng.random((width, 20)) ** 3, lenient) for width in (6, 9))
    profile = ProteinProfile("f", blocks, (Distance(0, None),) * 3)
    codes = rng.integers(0, 5, size=900, dtype=np.uint8)
    expected = []
    for start in range(len(codes)):
        for number, block in enumerate(blocks):
            numbers = residues(translate(codes[start : start + 3 * block.width], CODE))
            score = block.scores[np.arange(len(numbers)), numbers].sum()
            if len(numbers) == block.width and score > block.thresholds[0, -1]:
                expected.append((start, start + 3 * block.width, number, score))
    hits = block_hits(codes, profile, CODE)
    assert len(expected) > 5
    assert [hit[:3] for hit in hits.tolist()] == [hit[:3] for hit in expected]
    assert hits["score"] == pytest.approx([hit[3] for hit in expected])


def test_sequences_shorter_than_a_block() -> None:
    assert len(block_hits(CODES[31:54], profile_of(A), CODE)) == 0
    assert block_stage(CODES[:0], profile_of(A), CODE) is None


def tried_chains(hits: np.ndarray, places: int) -> np.ndarray:
    """Which hits are in a chain that is better than chance; all chains are tried."""
    good = np.zeros(len(hits), dtype=bool)
    for size in range(1, len(hits) + 1):
        for chain in combinations(range(len(hits)), size):
            chosen = hits[list(chain)]
            gaps = chosen["start"][1:] - chosen["end"][:-1]
            if (np.diff(chosen["block"]) > 0).all() and ((gaps >= 0) & (gaps <= REACH)).all():
                total = chosen["score"].sum() - (size - 1) * np.log(REACH)
                good[list(chain)] |= total > np.log(places)
    return good


def test_chance_hits_do_not_count() -> None:
    rng = np.random.default_rng(2)
    kept = 0
    for _ in range(60):
        hits = np.zeros(8, dtype=HIT)
        hits["start"] = np.sort(rng.integers(0, 3 * REACH, size=8))
        hits["end"] = hits["start"] + rng.integers(1, 12000, size=8)
        hits["block"] = rng.integers(0, 4, size=8)
        hits["score"] = rng.random(8) * 30
        expected = hits[tried_chains(hits, 2_000_000)]
        assert _chained(hits, 2_000_000).tolist() == expected.tolist()
        kept += len(expected)
    assert 60 < kept < 420


def worth(stage, gene: Transcript, length: int, cuts: tuple[int, ...] = ()):
    """Nats that a stage adds to a gene structure, when the scores come in pieces."""
    edges = [0, *cuts, length]
    pieces = [
        Stretch(np.zeros((b - a, NUM_LABELS), np.int16), np.zeros(b - a, np.uint8), a)
        for a, b in pairwise(edges)
    ]
    scores = np.concatenate([piece.scores for piece in stage(iter(pieces))])
    labels = to_labels((gene,), length)
    return float(scores[np.arange(length), labels].sum() / GRID), scores


GENE = Transcript("+", ((31, 55), (95, 119), (169, 193)), complete5=False, complete3=False)
"""Its exons are the blocks."""


@pytest.mark.parametrize("cuts", [(), (40, 100, 101)])
def test_a_gene_with_the_blocks_gains_their_scores(cuts: tuple[int, ...]) -> None:
    profile = profile_of(A, B, C)
    expected = block_hits(CODES, profile, CODE)["score"].sum()
    stage = block_stage(CODES, profile, CODE)
    gained, scores = worth(stage, GENE, len(CODES), cuts)
    assert gained == pytest.approx(expected, abs=0.01)
    shifted = Transcript("+", ((32, 56), (96, 120), (170, 194)), complete5=False, complete3=False)
    assert worth(stage, shifted, len(CODES), cuts)[0] == pytest.approx(0, abs=0.01)
    turned = block_stage(reverse_complement(CODES), profile, CODE)
    gained, other = worth(turned, GENE.mirrored(len(CODES)), len(CODES), cuts)
    assert gained == pytest.approx(expected, abs=0.01)
    assert np.abs(other[::-1][:, MIRROR] - scores).max() <= 1  # rounding


def test_weak_blocks_count_together_and_in_their_order_only() -> None:
    weak = profile_of("MWHCFY", "CYPWMH", share=0.3)
    first, second = (coding(letters) for letters in ("MWHCFY", "CYPWMH"))
    found = {}
    for name, text in {
        "one": first,
        "turned": second + "A" * 40 + first,
        "far": first + "A" * (REACH + 1) + second,
        "both": first + "A" * 40 + second,
    }.items():
        codes = base_codes((text + "A" * 3_000_000).encode())
        assert len(block_hits(codes, weak, CODE)) >= 2 - (name == "one")
        found[name] = block_stage(codes, weak, CODE) is not None
    assert found == {"one": False, "turned": False, "far": False, "both": True}


def test_overlapping_hits_count_once() -> None:
    profile = profile_of("WWWWWWWW")
    codes = base_codes(("C" + "TGG" * 9).encode())
    hits = block_hits(codes, profile, CODE)
    assert hits["start"].tolist() == [1, 4]
    gene = Transcript("+", ((1, 28),), complete5=False, complete3=False)
    gained, _ = worth(block_stage(codes, profile, CODE), gene, len(codes))
    assert gained == pytest.approx(hits["score"][0], abs=0.01)
