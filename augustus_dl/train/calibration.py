"""Do exons that are given a probability of 0.8 come true four times in five?

One factor on path scores, `DecoderConfig.posterior_scale`, is fitted so that they do. Judged are
the coding exons of the best parse; those on doubtful reference are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from augustus_dl.alternatives import AlternativeOptions
from augustus_dl.decode.config import DecoderConfig
from augustus_dl.evaluate import exon_verdicts
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.files import whole_file
from augustus_dl.train.constants import ascend
from augustus_dl.train.held_out import Part
from augustus_dl.train.parallel import over_threads

__all__ = [
    "Bin",
    "Exons",
    "calibration_error",
    "error_by_chance",
    "fitted_scale",
    "judged",
    "plot",
    "reliability",
]

BINS = 10
_FACTOR = 2**0.125
_LOWEST, _HIGHEST = 1 / 64, 8.0
_DRAWS = 200
_WITH_PROBABILITIES = AlternativeOptions(sample=1)


class Exons(NamedTuple):
    """Exons of best parses: float64 [n] probabilities, and bool [n], are they right?"""

    probability: np.ndarray
    right: np.ndarray


@dataclass(frozen=True, slots=True)
class Bin:
    """Exons of like probability: how many, their mean probability, and the share of right ones."""

    exons: int
    probability: float
    right: float


def judged(parts: Sequence[Part], config: DecoderConfig) -> Exons:
    """Exons that these constants find on parts."""
    each = over_threads(lambda part: _judged(part, config), parts)
    return Exons(*(np.concatenate(column) for column in zip(*each, strict=True)))


def _judged(part: Part, config: DecoderConfig) -> Exons:
    probabilities = {
        (transcript.strand, *exon): chance
        for locus in part.loci(config, _WITH_PROBABILITIES)
        for transcript in locus
        for exon, chance in zip(transcript.cds, transcript.cds_posterior, strict=True)
    }
    code = genetic_code(part.piece.genetic_code)
    verdicts = exon_verdicts(part.reference, part.contig, code, list(probabilities))
    pairs = [
        (chance, verdict)
        for chance, verdict in zip(probabilities.values(), verdicts, strict=True)
        if verdict is not None
    ]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Exons(table[:, 0], table[:, 1] > 0)


def fitted_scale(
    parts: Sequence[Part], config: DecoderConfig, is_time: Callable[[], bool] = lambda: True
) -> float:
    """The scale under which the mean squared error of exons' probabilities is least.

    Args:
        is_time: asked before each trial; the best so far is the answer where it is False.

    Returns:
        One from 1/64 to 8, where there are no exons the one there is.
    """

    def scale(steps: int) -> float:
        return float(f"{config.posterior_scale * _FACTOR**steps:.3g}")

    @cache
    def objective(point: tuple[int]) -> float:
        if not _LOWEST <= scale(*point) <= _HIGHEST:
            return -np.inf
        exons = judged(parts, replace(config, posterior_scale=scale(*point)))
        return -float(np.square(exons.probability - exons.right).sum())

    return scale(*ascend(objective, [(4,), (1,)], (0,), is_time))


def reliability(exons: Exons) -> list[Bin]:
    """Exons in bins of equal width by probability, the empty ones left out."""
    number = np.minimum((exons.probability * BINS).astype(int), BINS - 1)
    return [
        Bin(
            int(mine.sum()),
            float(exons.probability[mine].mean()),
            float(exons.right[mine].mean()),
        )
        for mine in (number == i for i in np.unique(number))
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean distance of probability and share of right, by exons."""
    total = sum(one.exons for one in bins)
    return sum(one.exons * abs(one.probability - one.right) for one in bins) / max(1, total)


def error_by_chance(exons: Exons) -> float:
    """The calibration error to expect of so many exons if their probabilities were exact."""
    rng = np.random.default_rng(1)
    drawn = (rng.random(len(exons.right)) < exons.probability for _ in range(_DRAWS))
    return float(np.mean([calibration_error(reliability(exons._replace(right=d))) for d in drawn]))


def plot(curves: dict[str, list[Bin]], path: Path) -> None:
    """Share of right exons against their probability, one curve for each entry, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", lw=1, ls=":")
    for name, bins in curves.items():
        label = f"{name}, error {calibration_error(bins):.3f}"
        points = [(one.probability, one.right) for one in bins]
        axes.plot(*zip(*points, strict=True), "o-", ms=3, label=label)
    axes.set(
        xlabel="probability of an exon", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend(fontsize="small", loc="lower right")
    with whole_file(path) as part:
        figure.savefig(part, dpi=100, format="png")
