"""The engine that repeats: the same scores as the engine it heard, under any weights.

python -m pytest tests/engine/test_recorded.py
"""

from __future__ import annotations

import numpy as np
import pytest

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.engine.recorded import RecordedEngine
from augustus_dl.errors import ModelError
from augustus_dl.labels import NUM_LABELS
from augustus_dl.windows import cut, stitch

LENGTH = 3000
RNG = np.random.default_rng(3)
CODES = RNG.integers(0, 4, LENGTH, dtype=np.uint8)
MASKED = np.zeros(LENGTH, dtype=bool)
LOGS = np.log(RNG.dirichlet(np.full(NUM_LABELS, 0.2), LENGTH) + 1e-12).astype(np.float32)


class Spoken:
    """Says LOGS."""

    flank, core, device, has_utr = 64, 512, "cpu", False

    def scores(self, windows, weights, utr=False):
        for window in windows:
            grid = np.round(LOGS[window.start : window.end] * weights * GRID)
            yield window, np.maximum(grid, -32767).astype(np.int16)


def heard(engine, config, length=LENGTH):
    windows = cut(CODES[:length], MASKED[:length], engine.core, engine.flank)
    return np.concatenate(list(stitch(engine.scores(windows, config.label_weights()))))


@pytest.mark.parametrize("config", [DecoderConfig(), DecoderConfig(0.0125, 0.04, 0.06)])
def test_scores_are_those_of_the_engine_to_a_unit(config):
    recorded = RecordedEngine.record(Spoken(), CODES, MASKED)
    said, again = heard(Spoken(), config).astype(int), heard(recorded, config)
    assert again.dtype == np.int16 and again.shape == said.shape
    assert np.abs(again - said).max() <= 1
    assert (again != said).mean() < 0.02
    boundaries = config.label_weights() == 1
    np.testing.assert_array_equal(again[:, boundaries], said[:, boundaries])


def test_a_part():
    recorded = RecordedEngine.record(Spoken(), CODES, MASKED)
    whole = heard(recorded, DecoderConfig())
    part = heard(recorded.part(700, 1900), DecoderConfig(), 1200)
    np.testing.assert_array_equal(part, whole[700:1900])


def test_untranslated_regions_are_not_recorded():
    recorded = RecordedEngine.record(Spoken(), CODES, MASKED)
    with pytest.raises(ModelError, match="not recorded"):
        next(recorded.scores([], DecoderConfig().label_weights(), utr=True))
