"""Scores of one strand. (Symbols are tested with the overlaps they are for.)"""

import numpy as np
import pytest

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.track import one_strand
from augustus_dl.labels import LABELS


def random_scores(config, n=200):
    """Scores as an engine makes them, and the probabilities they come from."""
    rng = np.random.default_rng(3)
    probability = rng.dirichlet(np.full(len(LABELS), 0.3), n) + 1e-9
    scores = np.log(probability) * config.label_weights() * GRID
    return np.round(scores).astype(np.int16), probability


@pytest.mark.parametrize(("strand", "sign"), [("forward", "+"), ("backward", "-")])
def test_intergenic_takes_in_the_other_strand(strand, sign):
    config = DecoderConfig(strand=strand)
    scores, probability = random_scores(config)
    own = [name[0] == sign for name in LABELS]
    folded = one_strand(scores, config)
    assert folded.dtype == np.int16
    assert (folded[:, own] == scores[:, own]).all()
    outside = np.exp(folded[:, 0] / (config.intergenic_weight * GRID))
    assert outside == pytest.approx(1 - probability[:, own].sum(axis=1), rel=0.06)


def test_both_strands_stay_as_they_are():
    config = DecoderConfig()
    scores, _ = random_scores(config)
    assert one_strand(scores, config) is scores


def test_labels_without_weight_and_hopeless_scores():
    config = DecoderConfig(strand="forward", coding_weight=0.0)
    scores, probability = random_scores(config)
    coding = [name[1:] in ("C0", "C1", "C2") for name in LABELS]
    minus = [name[0] == "-" for name in LABELS]
    counted = np.array(minus) & ~np.array(coding)
    counted[0] = True
    outside = np.exp(one_strand(scores, config)[:, 0] / (config.intergenic_weight * GRID))
    assert outside == pytest.approx(probability[:, counted].sum(axis=1), rel=0.06)
    heavy = DecoderConfig(strand="forward", intergenic_weight=90.0)
    lowest = np.full((2, len(LABELS)), -32767, dtype=np.int16)
    assert (one_strand(lowest, heavy)[:, 0] == -32767).all()
    assert one_strand(lowest[:0], config).shape == (0, len(LABELS))
