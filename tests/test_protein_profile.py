"""Scores of a profile and their thresholds.

python -m pytest tests/test_protein_profile.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.protein_profile import Distance, ProfileOptions, make_block, residues

LETTERS = "GDERKNQSTAVLIFYWHMCP"


def peaked(consensus: str, share: float = 0.81) -> np.ndarray:
    """Frequencies of columns that prefer one amino acid."""
    rest = (1 - share) / 19
    return np.array([[share if a == letter else rest for a in LETTERS] for letter in consensus])


def test_scores_are_log_odds() -> None:
    block = make_block("b", peaked("WWWWWW"), ProfileOptions())
    assert block.scores.shape == (6, 22) and block.width == 6
    odds = np.exp(block.scores[0, residues("WGX")])
    assert odds == pytest.approx([0.81 / 0.0132, 0.01 / 0.0708, 1], rel=0.02)
    assert block.scores[0, residues("*")] == pytest.approx(-1000 * np.log(2))
    assert len(set(residues(LETTERS).tolist())) == 20
    assert (residues("BJOUZX") == residues("X")).all()


def test_frequencies_need_not_add_up() -> None:
    one, many = peaked("ACDEFG"), 68 * peaked("ACDEFG")
    options = ProfileOptions()
    assert make_block("b", one, options).scores == pytest.approx(
        make_block("b", many, options).scores
    )


def test_amino_acids_that_never_occurred_are_not_impossible() -> None:
    block = make_block("b", np.eye(20)[:6], ProfileOptions())
    assert np.exp(block.scores[0, residues("D")[0]]) == pytest.approx(0.0001 / 0.0527, rel=0.01)


def test_weight_and_unknown_amino_acids() -> None:
    block = make_block("b", peaked("ACDEFG"), ProfileOptions())
    heavy = make_block("b", peaked("ACDEFG"), ProfileOptions(weight=2.0, unknown=0.5))
    assert heavy.scores[:, :20] == pytest.approx(2 * block.scores[:, :20])
    assert heavy.scores[:, 20] == pytest.approx(2 * np.log(0.5))
    assert heavy.significant == block.significant


def expected_threshold(block, first: int, end: int, spec: float, sens: float) -> float:
    """Of columns first to end, from all pairs of amino acids and columns."""
    background = residue_shares(block)
    scores = block.scores[first:end, :20]
    shares = background * np.exp(scores)
    others = [(background, row) for row in scores]
    family = list(zip(shares, scores, strict=True))

    def bound(columns, deviations: float) -> float:
        mean = sum(np.average(row, weights=share) for share, row in columns)
        variance = sum(
            np.average((row - np.average(row, weights=share)) ** 2, weights=share)
            for share, row in columns
        )
        return mean + deviations * variance**0.5

    needed, usual = bound(others, spec), bound(family, -sens)
    return (needed + usual) / 2 if needed <= usual else usual


def residue_shares(block) -> np.ndarray:
    """The background: what has odds of 1 when a column is made of it."""
    flat = make_block("b", np.ones((6, 20)), ProfileOptions()).scores[0, :20]
    background = np.exp(-flat) / np.exp(-flat).sum()
    assert (np.abs(background - 0.05) < 0.045).all() and block.width
    return background


def test_thresholds_lie_between_family_and_background() -> None:
    rng = np.random.default_rng(1)
    options = ProfileOptions()
    block = make_block("b", rng.random((12, 20)) ** 6, options)
    whole = expected_threshold(block, 0, 12, options.block_spec, options.block_sens)
    assert block.significant and block.thresholds[0, 12] == pytest.approx(whole)
    for first, end in [(0, 3), (0, 11), (4, 7), (1, 12), (9, 12)]:
        part = expected_threshold(block, first, end, options.part_spec, options.part_sens)
        assert block.thresholds[first, end] == pytest.approx(part)


def test_very_short_parts_pass_at_the_ends_only() -> None:
    thresholds = make_block("b", peaked("ACDEFGHI"), ProfileOptions()).thresholds
    lowest = -500 * np.log(2)
    assert thresholds[[0, 0, 6, 7], [1, 2, 8, 8]] == pytest.approx(lowest)
    assert np.isinf(thresholds[[1, 3, 5], [2, 5, 7]]).all()


@pytest.mark.parametrize(
    ("consensus", "share", "significant", "anchor"),
    [
        ("WWWWWW", 0.81, True, True),
        ("WWWWW", 0.81, False, True),
        ("AVLIAVLI", 0.06, False, False),
        ("", 0.81, False, False),
    ],
)
def test_which_blocks_can_be_told_from_the_background(
    consensus: str, share: float, significant: bool, anchor: bool
) -> None:
    frequencies = peaked(consensus, share).reshape(-1, 20)
    block = make_block("b", frequencies, ProfileOptions())
    assert (block.significant, block.anchor) == (significant, anchor)


def test_distances() -> None:
    assert Distance(1, 5).plus(Distance(2, 3)) == (3, 8)
    assert Distance(1, None).plus(Distance(2, 3)) == (3, None)
    assert Distance(1, 5).plus(Distance(2, None)) == (3, None)
    assert Distance(9, 9).relaxed() == (9, 9)
    assert Distance(10, 10).relaxed() == (10, 11)
    assert Distance(1000, 31206).relaxed() == (950, 32766)
    assert Distance(1000, 31207).relaxed() == (950, None)
