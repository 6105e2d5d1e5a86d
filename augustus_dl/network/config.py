"""NetworkConfig: the shape of a network as transformers keeps it."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig

from augustus_dl.labels import NUM_LABELS
from augustus_dl.network.shape import BEFORE_UTR, CLADES, MIXERS, SIZES, Sizes

__all__ = ["CLADES", "MIXERS", "SIZES", "NetworkConfig"]


class NetworkConfig(Sizes, PretrainedConfig):
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
        self.size, self.clade, self.moe, self.window = size, clade, moe, window
        self.mixer, self.skips = mixer, skips
        self.clades, self.utr = clades, utr
        self.check()
        super().__init__(num_labels=kwargs.pop("num_labels", NUM_LABELS), **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> NetworkConfig:
        """A configuration as `config.json` has it.

        One that names neither `clades` nor `utr` is of the time before prokaryotes and UTRs.
        """
        return super().from_dict({**BEFORE_UTR, **config_dict}, **kwargs)
