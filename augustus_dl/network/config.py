"""NetworkConfig: one size dial, the rest derived."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig

from augustus_dl.labels import NUM_LABELS

__all__ = ["CLADES", "MIXERS", "SIZES", "NetworkConfig"]

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


class NetworkConfig(PretrainedConfig):
    """Shape of an `AnnotationModel`.

    Args:
        size: tiny, small or base; sets all widths.
        clade: the clade a checkpoint predicts for unless told otherwise.
        moe: False replaces the experts by a dense feed-forward of the same cost.
        window: tokens (of 32 bases) that attention reaches to either side in each block.
        mixer: one of MIXERS; a convolution reaches a quarter of `window`.
        skips: the way up adds what the way down saw at each resolution.
        clades: how many of `CLADES`, from the first on, the network was made for.
        utr: it has a head for the UTR track.
    """

    model_type = "augustus_dl"

    def __init__(
        self,
        size: str = "base",
        clade: str = "none",
        moe: bool = True,
        window: int = 64,
        mixer: str = "attention",
        skips: bool = True,
        clades: int = len(CLADES),
        utr: bool = True,
        **kwargs,
    ):
        if size not in SIZES:
            raise ValueError(f"size {size!r} is none of {', '.join(SIZES)}")
        if not isinstance(clades, int) or not 1 <= clades <= len(CLADES):
            raise ValueError(f"clades {clades!r} is no number from 1 to {len(CLADES)}")
        if clade not in CLADES[:clades]:
            raise ValueError(f"clade {clade!r} is none of {', '.join(CLADES[:clades])}")
        if not isinstance(window, int) or window < 1:
            raise ValueError(f"window {window!r} is no positive number of tokens")
        if mixer not in MIXERS:
            raise ValueError(f"mixer {mixer!r} is none of {', '.join(MIXERS)}")
        self.size, self.clade, self.moe, self.window = size, clade, moe, window
        self.mixer, self.skips = mixer, skips
        self.clades, self.utr = clades, utr
        super().__init__(num_labels=kwargs.pop("num_labels", NUM_LABELS), **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> NetworkConfig:
        """A configuration as `config.json` has it.

        One that names neither `clades` nor `utr` is of the time before prokaryotes and UTRs.
        """
        return super().from_dict({"clades": 8, "utr": False, **config_dict}, **kwargs)

    @property
    def known_clades(self) -> tuple[str, ...]:
        """The clades the network was made for."""
        return CLADES[: self.clades]

    stride = 32  # bases a token of the trunk stands for
    experts = 8
    experts_per_token = 2

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
    def flank(self) -> int:
        """Bases to either side of a position that can change its scores, rounded up to a token.

        Attention reaches `window` tokens a layer; the convolutions of stem and head together
        reach less than 16 tokens more (measured by `tests/network/test_model.py`).
        """
        return (self.window * self.shape["layers"] + 16) * self.stride
