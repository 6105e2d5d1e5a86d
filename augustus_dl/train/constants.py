"""Decoder constants fitted on validation genes, by coordinate ascent with the exact decoder.

A constant moves in steps along a ladder that begins at its present value. What is maximised is
gene F1, with a fifth of exon F1 since validation sets are small, less a price for every step: a
constant stays where it is unless moving it makes more genes right than chance easily would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache, partial

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import OptionError
from augustus_dl.evaluate import Accuracy, Level
from augustus_dl.train.held_out import Part
from augustus_dl.train.parallel import over_threads

__all__ = ["NAMES", "Fit", "Trials", "ascend", "f1s", "fit_constants", "gain_noise", "other_half"]

EXON_SHARE = 0.2
"""Weight of exon F1 beside gene F1."""

PRICE = 1.0
"""What a step costs, in right genes."""

_FACTORS = dict.fromkeys(("coding_weight", "intron_weight", "intergenic_weight"), 2**0.5)
_SUMMANDS = {
    "gene_start": 1.0,
    "intron": 1.0,
    "gc_donor": 1.0,
    "min_intron": 5,
    "min_coding_length": 30,
}
NAMES = (*_FACTORS, *_SUMMANDS)
"""The constants that are fitted."""

Steps = tuple[int, ...]

_CONTENT = tuple(int(name in _FACTORS) for name in NAMES)
_ALONE = [tuple(int(name == own) for name in NAMES) for own in NAMES]
_STRIDES = (1, -1, 2, -2)
_RESAMPLINGS = 1000


@dataclass(frozen=True)
class Fit:
    """Fitted constants and what they gain; F1 in percent.

    Attributes:
        config: fitted on all parts; the constants before where `crossed` is not better than they.
        halves: fitted on the parts with even numbers, and on those with odd ones.
        genes: judged reference genes of all parts.
        before, after: gene and exon F1 on all parts with the constants before, and with `config`.
        crossed: the same of each half with the constants fitted on the other one, taken together:
            what to expect on genes that nothing was fitted on.
        noise: standard error of the gain in gene F1 from `before` to `crossed`.
    """

    config: DecoderConfig
    halves: tuple[DecoderConfig, DecoderConfig]
    genes: int
    before: dict[str, float]
    after: dict[str, float]
    crossed: dict[str, float]
    noise: float


class Trials:
    """Accuracy on parts under any constants; what was decoded once is remembered."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._known: dict[tuple[DecoderConfig, int], Accuracy] = {}

    def counts(self, config: DecoderConfig, chosen: Sequence[int]) -> list[Accuracy]:
        """Accuracy on each of the parts with these numbers."""
        new = [i for i in chosen if (config, i) not in self._known]
        found = over_threads(lambda part: part.accuracy(config), [self.parts[i] for i in new])
        self._known |= {(config, i): one for i, one in zip(new, found, strict=True)}
        return [self._known[config, i] for i in chosen]


def fit_constants(
    trials: Trials,
    start: DecoderConfig,
    progress: Callable[[str], None] = lambda line: None,
    is_time: Callable[[float], bool] = lambda share: True,
) -> Fit:
    """Fit constants on all parts, and on each half for a figure that is not flattered.

    Args:
        is_time: whether less than this share of the time is used. A third each is for the halves
            and the whole; a search that is cut short keeps the best it found.
    """
    everything = range(len(trials.parts))
    halves = tuple(
        _fitted(trials, start, everything[half::2], progress, partial(is_time, (half + 1) / 3))
        for half in (0, 1)
    )
    before = trials.counts(start, everything)
    crossed = [trials.counts(halves[other_half(i)], [i])[0] for i in everything]
    gains = f1s(crossed)["gene"] > f1s(before)["gene"]
    config = _fitted(trials, start, everything, progress, partial(is_time, 1.0)) if gains else start
    after = trials.counts(config, everything)
    return Fit(
        config=config,
        halves=halves,
        genes=sum(one.gene.reference for one in before),
        before=f1s(before),
        after=f1s(after),
        crossed=f1s(crossed),
        noise=gain_noise(before, crossed),
    )


def other_half(number: int) -> int:
    """The half that the part with this number is not in."""
    return 1 - number % 2


def ascend(
    objective: Callable[[Steps], float],
    directions: Sequence[Steps],
    start: Steps,
    is_time: Callable[[], bool] = lambda: True,
) -> Steps:
    """Coordinate ascent on a grid: the best point no single move from which is better.

    Args:
        directions: unit moves, tried in this order, one or two of them to either side at once.
        is_time: asked before each trial; the best point so far is the answer where it is False.
    """
    if not is_time():
        return start
    best, value = start, objective(start)
    rising = True
    while rising:
        rising = False
        for direction in directions:
            for stride in _STRIDES:
                point = _moved(best, direction, stride)
                while is_time() and (reached := objective(point)) > value:
                    best, value, rising = point, reached, True
                    point = _moved(best, direction, stride)
    return best


def _moved(point: Steps, direction: Steps, stride: int) -> Steps:
    return tuple(a + stride * b for a, b in zip(point, direction, strict=True))


def _fitted(
    trials: Trials,
    start: DecoderConfig,
    chosen: Sequence[int],
    progress: Callable[[str], None],
    is_time: Callable[[], bool],
) -> DecoderConfig:
    """Constants fitted on the parts with these numbers."""
    genes = sum(one.gene.reference for one in trials.counts(start, chosen))

    @cache
    def objective(steps: Steps) -> float:
        try:
            config = _stepped(start, steps)
        except OptionError:  # out of range
            return -np.inf
        f1 = f1s(trials.counts(config, chosen))
        reached = f1["gene"] + EXON_SHARE * f1["exon"]
        return reached - 100 * PRICE / max(1, genes) * sum(map(abs, steps))

    best = ascend(objective, [_CONTENT, *_ALONE], (0,) * len(NAMES), is_time)
    config = _stepped(start, best)
    progress(f"{genes} genes: gene F1 {f1s(trials.counts(config, chosen))['gene']:.2f}")
    return config


def _stepped(start: DecoderConfig, steps: Steps) -> DecoderConfig:
    """`start` with each constant of NAMES so many steps up its ladder.

    Raises:
        OptionError: a constant would be out of range.
    """
    values = {}
    for name, count in zip(NAMES, steps, strict=True):
        value = getattr(start, name)
        if name in _FACTORS:
            values[name] = float(f"{value * _FACTORS[name] ** count:.3g}") if count else value
        else:
            values[name] = value + count * _SUMMANDS[name]
    if values["min_coding_length"] < 0:
        raise OptionError("decoder setting min_coding_length is below 0")
    return replace(start, **values)


def f1s(counts: Sequence[Accuracy]) -> dict[str, float]:
    """Gene and exon F1 in percent, of counts taken together."""
    return {
        level: 100 * Level(*_table(counts, level).sum(axis=0).tolist()).f1
        for level in ("gene", "exon")
    }


def _table(counts: Sequence[Accuracy], level: str) -> np.ndarray:
    """Counts of one level, fields of `Level` in columns; int64 [parts, 4]."""
    return np.array([astuple(getattr(one, level)) for one in counts], dtype=np.int64)


def gain_noise(before: Sequence[Accuracy], after: Sequence[Accuracy]) -> float:
    """Standard error of the gain in gene F1, in percent, from parts drawn with replacement."""
    rng, parts = np.random.default_rng(1), len(before)
    drawn = rng.multinomial(parts, np.full(parts, 1 / parts), size=_RESAMPLINGS)
    f1_before, f1_after = (
        [100 * Level(*row).f1 for row in (drawn @ _table(counts, "gene")).tolist()]
        for counts in (before, after)
    )
    return float(np.std(np.subtract(f1_after, f1_before)))
