"""Calibration: errors of known exons, and a scale that is found again.

python -m pytest tests/train/test_calibration.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.train import calibration
from augustus_dl.train.calibration import (
    Exons,
    calibration_error,
    error_by_chance,
    fitted_scale,
    judged,
    plot,
    reliability,
)
from augustus_dl.train.held_out import Part, parts_of
from augustus_dl.train.pack import Piece
from tests.train.test_held_out import CONFIG, Knowing


@pytest.fixture(scope="module")
def parts(toy_piece: Callable[..., Piece]) -> list[Part]:
    pieces = [toy_piece(f"c{i}", i, genes=30, validation=True) for i in range(3)]
    return parts_of(pieces, Knowing(pieces, nats=2.0, noise=1.5))


def test_reliability_by_hand() -> None:
    exons = Exons(np.array([0.95, 0.91, 1.0, 0.41, 0.49]), np.array([True, True, False, False, 0]))
    low, high = reliability(exons)
    assert (low.exons, low.right, high.exons) == (2, 0, 3)
    assert low.probability == pytest.approx(0.45)
    assert high.right == pytest.approx(2 / 3)
    error = (2 * 0.45 + 3 * abs(0.95333333 - 2 / 3)) / 5
    assert calibration_error([low, high]) == pytest.approx(error)
    assert calibration_error(reliability(Exons(np.empty(0), np.empty(0, dtype=bool)))) == 0


def test_exact_probabilities_have_the_error_of_chance() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(400)
    exons = Exons(probability, rng.random(400) < probability)
    assert calibration_error(reliability(exons)) == pytest.approx(error_by_chance(exons), rel=0.5)
    many = Exons(np.repeat(probability, 100), np.repeat(exons.right, 100))
    assert error_by_chance(many) < error_by_chance(exons) / 5


def test_exons_are_judged(parts: list[Part]) -> None:
    exons = judged(parts, CONFIG)
    assert len(exons.right) == len(exons.probability) > 50
    assert 0.2 < exons.right.mean() < 1
    assert ((exons.probability > 0) & (exons.probability <= 1)).all()


def test_the_scale_makes_probabilities_come_true(parts: list[Part]) -> None:
    scales = [fitted_scale(parts, replace(CONFIG, posterior_scale=s)) for s in (1.0, 0.2, 4.0)]
    assert scales == pytest.approx([scales[0]] * 3, rel=0.1)

    def squared_error(scale: float) -> float:
        exons = judged(parts, replace(CONFIG, posterior_scale=scale))
        return np.square(exons.probability - exons.right).mean()

    assert squared_error(scales[0]) <= min(map(squared_error, (1.0, 0.2, 4.0)))


def test_the_scale_has_limits(parts: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    sure = Exons(np.array([0.5]), np.array([True]))
    monkeypatch.setattr(
        calibration,
        "judged",
        lambda parts, config: sure._replace(probability=np.array([config.posterior_scale / 99])),
    )
    assert 7 < fitted_scale(parts, CONFIG) <= 8
    nothing = Exons(np.empty(0), np.empty(0, dtype=bool))
    monkeypatch.setattr(calibration, "judged", lambda parts, config: nothing)
    assert fitted_scale(parts, CONFIG) == 1


def test_a_plot(tmp_path: Path) -> None:
    exons = Exons(np.array([0.2, 0.9]), np.array([False, True]))
    plot({"before": reliability(exons)}, tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").read_bytes()[:4] == b"\x89PNG"
