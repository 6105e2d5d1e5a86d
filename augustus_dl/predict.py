"""The main path: contigs in, genes out. One arrow is one generator:

    contigs -> windows.cut -> engine.scores -> windows.stitch -> decoder -> transcripts -> genes

Memory is bounded by a window and an undecided stretch of the decoder, never by a chromosome's
scores. Genes come in input order, sorted by start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import base_codes, soft_mask
from augustus_dl.engine import Engine, open_engine
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import Profile
from augustus_dl.windows import cut, stitch

__all__ = ["PredictOptions", "decoder_config", "predict", "transcripts_of"]


@dataclass(frozen=True)
class PredictOptions:
    """What a user may set for one run.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        softmasking: tell the network which bases are lower case.
        strand: both, forward or backward.
        genemodel: partial, complete or intronless.
        translation_table, min_coding_length, min_intron: None leaves the profile's value.
        window: core bases a window; None leaves the engine's choice.
        accurate: read every window in both directions and average; twice the network's time.
    """

    device: str = "auto"
    softmasking: bool = True
    strand: str = "both"
    genemodel: str = "partial"
    translation_table: int | None = None
    min_coding_length: int | None = None
    min_intron: int | None = None
    window: int | None = None
    accurate: bool = False


def predict(
    contigs: Iterable[Contig], profile: Profile, options: PredictOptions
) -> Iterator[tuple[Contig, list[Gene]]]:
    """Genes of each contig, in order. The checkpoint is opened at once, before the first contig.

    Raises:
        ModelError: missing or corrupt checkpoint.
        OptionError: an option that does not fit, or a device that is not here.
    """
    config = decoder_config(profile, options)
    engine = open_engine(
        profile.model, profile.clade, options.device, options.window, options.accurate
    )
    return ((contig, _genes(contig, engine, config, options.softmasking)) for contig in contigs)


def decoder_config(profile: Profile, options: PredictOptions) -> DecoderConfig:
    """The profile's decoder constants with what the user set for this run."""
    asked = {
        "genetic_code": options.translation_table,
        "min_coding_length": options.min_coding_length,
        "min_intron": options.min_intron,
    }
    return DecoderConfig.from_dict(
        {
            "genetic_code": profile.genetic_code,
            **profile.decoder,
            "strand": options.strand,
            "partial": options.genemodel != "complete",
            "intronless": options.genemodel == "intronless",
            **{key: value for key, value in asked.items() if value is not None},
        }
    )


def _genes(contig: Contig, engine: Engine, config: DecoderConfig, softmasking: bool) -> list[Gene]:
    codes = base_codes(contig.sequence)
    masked = soft_mask(contig.sequence) if softmasking else np.zeros(len(codes), dtype=bool)
    found = sorted(transcripts_of(codes, masked, engine, config), key=lambda t: t.start)
    return [Gene(contig.name, transcript.strand, (transcript,)) for transcript in found]


def transcripts_of(
    codes: np.ndarray, masked: np.ndarray, engine: Engine, config: DecoderConfig
) -> Iterator[Transcript]:
    """Transcripts of one sequence, in rising order.

    Args:
        codes: uint8 [L] base codes; masked: bool [L] soft-mask.
    """
    from augustus_dl.decode.parse import parse
    from augustus_dl.decode.viterbi import Decoder

    windows = cut(codes, masked, engine.core, engine.flank)
    scores = stitch(engine.scores(windows, config.label_weights()))
    labels = Decoder(config).decode(_with_codes(scores, codes))
    yield from parse(labels, config)


def _with_codes(
    scores: Iterable[np.ndarray], codes: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pair each stretch of scores with its bases."""
    cursor = 0
    for part in scores:
        yield part, codes[cursor : cursor + len(part)]
        cursor += len(part)
