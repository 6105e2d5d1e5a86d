"""Decoder constants and probabilities of one clade, fitted on its validation genes, and a report.

The network runs once; everything else is the decoder's work, see `constants` and `calibration`.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import OptionError, TrainingError
from augustus_dl.io.files import whole_file
from augustus_dl.predict import GENE_MODELS
from augustus_dl.profile import find_profile
from augustus_dl.train.calibration import (
    Bin,
    Exons,
    calibration_error,
    error_by_chance,
    fitted_scale,
    judged,
    plot,
    reliability,
)
from augustus_dl.train.constants import NAMES, Fit, Trials, fit_constants, other_half
from augustus_dl.train.held_out import Part
from augustus_dl.train.pack import Piece

__all__ = ["Report", "fit", "held_out_pieces", "starting_point"]

_FITTED = (*NAMES, "posterior_scale")
_FOR_CONSTANTS = 0.65
"""Share of the time; the rest is for the scale of probabilities."""


@dataclass(frozen=True)
class Report:
    """What fitting found.

    Attributes:
        constants: the fitted settings of the decoder.
        fit: accuracy of genes and exons.
        curves: reliability of exons' probabilities `before`, `fitted`, and `crossed`: those of each
            half of the parts under constants and scale fitted on the other half.
        error_by_chance: what the calibration error of `fitted` would be if the probabilities were
            exact: that many exons only.
        parts: how many parts the validation pieces were cut into.
    """

    start: DecoderConfig
    constants: DecoderConfig
    fit: Fit
    curves: dict[str, list[Bin]]
    error_by_chance: float
    parts: int

    @property
    def decoder(self) -> dict[str, float]:
        """The fitted constants as a species profile keeps them."""
        return {name: getattr(self.constants, name) for name in _FITTED}

    def to_dict(self) -> dict:
        """Everything, for JSON."""
        return {
            "decoder": self.decoder,
            "decoder_before": {name: getattr(self.start, name) for name in _FITTED},
            "decoder_of_halves": [
                {name: getattr(half, name) for name in NAMES} for half in self.fit.halves
            ],
            "genes": self.fit.genes,
            "parts": self.parts,
            "f1": {
                "before": self.fit.before,
                "fitted": self.fit.after,
                "crossed": self.fit.crossed,
            },
            "noise_of_gene_gain": self.fit.noise,
            "calibration_error": {
                name: calibration_error(bins) for name, bins in self.curves.items()
            },
            "calibration_error_by_chance": self.error_by_chance,
            "reliability": {
                name: [asdict(one) for one in bins] for name, bins in self.curves.items()
            },
        }

    def text(self) -> str:
        """For a person to read."""
        fit = self.fit
        rows = [("before", fit.before), ("fitted", fit.after), ("crossed", fit.crossed)]
        gain = fit.crossed["gene"] - fit.before["gene"]
        lines = [
            f"{fit.genes} validation genes in {self.parts} parts",
            f"{'':<8} {'gene F1':>8} {'exon F1':>8} {'exons':>6} {'calibration error':>18}",
            *(
                f"{name:<8} {f1['gene']:>8.2f} {f1['exon']:>8.2f}"
                f" {sum(one.exons for one in self.curves[name]):>6}"
                f" {calibration_error(self.curves[name]):>18.4f}"
                for name, f1 in rows
            ),
            "crossed: each half of the parts under what was fitted on the other half;"
            f" gene F1 {gain:+.2f} +- {fit.noise:.2f}"
            + (", within noise" if 0 < gain <= fit.noise else ""),
            *(["no gain on the other half: constants of genes stay"] if gain <= 0 else []),
            f"exact probabilities would have a calibration error of {self.error_by_chance:.4f}",
            *(
                f"{name}: {getattr(self.start, name)} -> {value}"
                for name, value in self.decoder.items()
                if value != getattr(self.start, name)
            ),
        ]
        return "\n".join(lines)

    def write(self, folder: Path) -> None:
        """Write constants.json and reliability.png, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / "constants.json") as path:
            path.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
        plot(self.curves, folder / "reliability.png")


def held_out_pieces(pieces: Sequence[Piece], clade: str) -> list[Piece]:
    """Validation pieces of a clade.

    Raises:
        TrainingError: there is none.
    """
    chosen = [piece for piece in pieces if piece.validation and piece.clade == clade]
    if not chosen:
        raise TrainingError(f"no validation piece of clade {clade!r} in these packs")
    return chosen


def starting_point(folder: Path, genemodel: str) -> tuple[Path, DecoderConfig]:
    """The folder with the weights, and the constants to begin with.

    A species folder or run folder says both; a bare model folder has the default constants.

    Raises:
        OptionError: an unknown gene model, or constants that do not fit.
        SpeciesError: the folder's profile is damaged.
    """
    if genemodel not in GENE_MODELS:
        raise OptionError(f"--genemodel {genemodel} is none of {', '.join(GENE_MODELS)}")
    if not any(folder.glob("*_dl.json")):
        return folder, DecoderConfig(**GENE_MODELS[genemodel])
    profile = find_profile(os.path.join(folder, ""))
    return profile.model, DecoderConfig.from_dict({**profile.decoder, **GENE_MODELS[genemodel]})


def fit(
    parts: Sequence[Part],
    start: DecoderConfig,
    progress: Callable[[str], None] = lambda line: None,
    seconds: float = math.inf,
) -> Report:
    """Fit constants, then the scale of probabilities under them, on all parts and on halves.

    Args:
        seconds: for searching; what was not searched stays as it is. A few decodings beside.
    """
    began = time.monotonic()

    def is_time(end: float) -> bool:
        return time.monotonic() - began < end * seconds

    found = fit_constants(
        Trials(parts), start, progress, lambda share: is_time(_FOR_CONSTANTS * share)
    )
    constants = _calibrated(parts, found.config, partial(is_time, 0.8))
    halves = [
        _calibrated(parts[i::2], config, partial(is_time, 0.9 + 0.1 * i))
        for i, config in enumerate(found.halves)
    ]
    crossed = [judged(parts[i::2], halves[other_half(i)]) for i in (0, 1)]
    exons = {
        "before": judged(parts, start),
        "fitted": judged(parts, constants),
        "crossed": Exons(*map(np.concatenate, zip(*crossed, strict=True))),
    }
    curves = {name: reliability(one) for name, one in exons.items()}
    by_chance = error_by_chance(exons["fitted"])
    return Report(start, constants, found, curves, by_chance, len(parts))


def _calibrated(
    parts: Sequence[Part], config: DecoderConfig, is_time: Callable[[], bool]
) -> DecoderConfig:
    return replace(config, posterior_scale=fitted_scale(parts, config, is_time))
