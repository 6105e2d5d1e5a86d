"""Coordinate ascent: on hand-made objectives, and on genes that wrong constants hide.

python -m pytest tests/train/test_constants.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.evaluate import Accuracy, Level
from augustus_dl.train import constants
from augustus_dl.train.constants import NAMES, Trials, ascend, fit_constants, other_half
from augustus_dl.train.held_out import Part, parts_of
from augustus_dl.train.pack import Piece
from tests.train.test_held_out import CONFIG, Knowing

AXES = [(1, 0), (0, 1)]


@pytest.fixture(scope="module")
def parts(toy_piece: Callable[..., Piece]) -> list[Part]:
    pieces = [toy_piece(f"c{i}", i, genes=12, validation=True) for i in range(2)]
    return parts_of(pieces, Knowing(pieces, nats=4.0, noise=1.0))


def test_ascent_reaches_a_maximum() -> None:
    assert ascend(lambda p: -abs(p[0] - 7) - abs(p[1] + 3), AXES, (0, 0)) == (7, -3)


def test_ascent_stays_where_nothing_is_better() -> None:
    assert ascend(lambda p: 0.0, AXES, (2, 5)) == (2, 5)


def test_ascent_steps_over_a_gap_of_one() -> None:
    assert ascend(lambda p: {0: 1.0, 1: 0.0, 2: 2.0}.get(p[0], -1.0), [(1,)], (0,)) == (2,)


def test_wrong_constants_are_mended(parts: list[Part]) -> None:
    fit = fit_constants(Trials(parts), DecoderConfig())
    assert fit.genes == 24
    assert fit.before["gene"] + 10 < fit.after["gene"]
    assert fit.before["gene"] < fit.crossed["gene"]
    assert fit.config.min_coding_length < DecoderConfig().min_coding_length


def test_right_constants_stay(parts: list[Part]) -> None:
    trials = Trials(parts)
    fit = fit_constants(trials, CONFIG)
    assert fit.config == CONFIG
    assert fit.before == fit.after == {"gene": 100.0, "exon": 100.0}


def test_a_step_has_a_price(parts: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "PRICE", 1000.0)
    hidden = DecoderConfig()
    fit = fit_constants(Trials(parts), hidden)
    assert fit.config == hidden and fit.halves == (hidden, hidden)
    assert fit.before == fit.after == fit.crossed and fit.noise == 0


def test_what_gains_nothing_on_the_other_half_is_not_taken(
    parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = replace(CONFIG, gene_start=-40.0)
    monkeypatch.setattr(constants, "_fitted", lambda *rest: worse)
    fit = fit_constants(Trials(parts), CONFIG)
    assert fit.config == CONFIG and fit.halves == (worse, worse)
    assert fit.crossed["gene"] < fit.before["gene"] == fit.after["gene"]


def test_constants_stay_in_range(parts: list[Part]) -> None:
    low = replace(CONFIG, min_intron=4, min_coding_length=0)
    found = fit_constants(Trials(parts), low).config
    assert found.min_intron >= 4 and found.min_coding_length >= 0


def test_what_was_decoded_is_remembered(parts: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    trials = Trials(parts)
    once = trials.counts(CONFIG, [0, 2])
    monkeypatch.setattr(Part, "accuracy", lambda part, config: pytest.fail("decoded again"))
    assert trials.counts(CONFIG, [2, 0]) == once[::-1]


def test_noise_of_a_gain() -> None:
    """One gene a part: a gain of half of ten parts has the error of ten coins."""
    wrong, right = (Accuracy(gene=Level(1, n, 1, n)) for n in (0, 1))
    noise = constants.gain_noise([wrong] * 10, [wrong, right] * 5)
    assert noise == pytest.approx(100 * (0.25 / 10) ** 0.5, rel=0.1)
    assert constants.gain_noise([wrong, right], [wrong, right]) == 0


def test_halves_are_told_apart() -> None:
    assert [other_half(number) for number in range(4)] == [1, 0, 1, 0]


def test_all_names_are_settings() -> None:
    assert set(NAMES) <= DecoderConfig().to_dict().keys()


def test_a_search_ends_when_the_time_is_over() -> None:
    """Each trial takes one of the moments that are left; the best so far is the answer."""
    left = [5]

    def is_time() -> bool:
        left[0] -= 1
        return left[0] >= 0

    assert ascend(lambda p: float(p[0]), [(1,)], (0,), is_time) == (4,)
    assert ascend(lambda p: float(p[0]), [(1,)], (0,), lambda: False) == (0,)
