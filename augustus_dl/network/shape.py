"""What a network looks like: one size dial, the rest derived. Loads no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["CLADES", "MIXERS", "SIZES", "NetworkShape", "Sizes"]

SIZES: dict[str, dict] = {
    "tiny": {"widths": (16, 48, 96, 128), "layers": 4, "heads": 4, "hidden": 192, "expert": 128},
    "small": {"widths": (16, 64, 128, 192), "layers": 4, "heads": 8, "hidden": 288, "expert": 192},
    "base": {"widths": (32, 96, 192, 256), "layers": 6, "heads": 8, "hidden": 384, "expert": 256},
}
"""Widths are those at 1, 4, 16 and 32 bases a position."""

CLADES = (
    "none",
    "nematodes",
    "arthropods",
    "vertebrates",
    "plants",
    "yeasts",
    "fungi",
    "protists",
    "prokaryotes",
)
"""What the clade embedding knows; "none" serves genomes of any origin. New ones go to the end."""

MIXERS = ("attention", "convolution")
"""How trunk blocks look around: local attention, or a gated depthwise convolution."""

BEFORE_UTR = {"clades": 8, "utr": False}
"""Of a `config.json` that does not name them: the time before prokaryotes and UTRs."""


class Sizes:
    """Sizes that follow from a few settings, which those that inherit have as attributes."""

    size: str
    clade: str
    moe: bool
    window: int
    mixer: str
    clades: int

    stride = 32  # bases a token of the trunk stands for
    experts = 8
    experts_per_token = 2

    def check(self) -> None:
        """Raises ValueError: a setting that no network has."""
        if self.size not in SIZES:
            raise ValueError(f"size {self.size!r} is none of {', '.join(SIZES)}")
        if not isinstance(self.clades, int) or not 1 <= self.clades <= len(CLADES):
            raise ValueError(f"clades {self.clades!r} is no number from 1 to {len(CLADES)}")
        if self.clade not in self.known_clades:
            raise ValueError(f"clade {self.clade!r} is none of {', '.join(self.known_clades)}")
        if not isinstance(self.window, int) or self.window < 1:
            raise ValueError(f"window {self.window!r} is no positive number of tokens")
        if self.mixer not in MIXERS:
            raise ValueError(f"mixer {self.mixer!r} is none of {', '.join(MIXERS)}")

    @property
    def known_clades(self) -> tuple[str, ...]:
        """The clades the network was made for."""
        return CLADES[: self.clades]

    @property
    def shape(self) -> dict:
        """The row of SIZES in force."""
        return SIZES[self.size]

    @property
    def expert_layers(self) -> tuple[int, ...]:
        """Trunk layers whose feed-forward is a mixture of experts."""
        layers = self.shape["layers"]
        return (layers // 3, 2 * layers // 3) if self.moe else ()

    @property
    def reach(self) -> int:
        """Tokens to either side that a trunk block looks at."""
        return self.window if self.mixer == "attention" else self.window // 4

    @property
    def flank(self) -> int:
        """Bases to either side of a position that can change its scores, rounded up to a token.

        Attention reaches `window` tokens a layer; the convolutions of stem and head together
        reach less than 16 tokens more (measured by `tests/network/test_model.py`).
        """
        return (self.window * self.shape["layers"] + 16) * self.stride


@dataclass(frozen=True)
class NetworkShape(Sizes):
    """The settings of `network.config.NetworkConfig`, without transformers.

    Raises:
        ValueError: a setting that no network has.
    """

    size: str = "base"
    clade: str = "none"
    moe: bool = True
    window: int = 64
    mixer: str = "attention"
    skips: bool = True
    clades: int = len(CLADES)
    utr: bool = True

    def __post_init__(self) -> None:
        self.check()

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> NetworkShape:
        """The shape that a `config.json` describes; other keys are left out."""
        given = {**BEFORE_UTR, **settings}
        return cls(**{f.name: given[f.name] for f in fields(cls) if f.name in given})
