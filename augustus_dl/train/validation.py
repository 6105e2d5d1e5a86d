"""Decoded gene F1 on validation pieces: what checkpoints are chosen by."""

from __future__ import annotations

from dataclasses import replace

import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.engine import Engine
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.errors import TrainingError
from augustus_dl.evaluate import evaluate
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.network.model import AnnotationModel
from augustus_dl.predict import transcripts_of
from augustus_dl.train.held_out import contig_of, over_pieces, reference_of
from augustus_dl.train.pack import Piece

__all__ = ["Validation", "accuracy"]


class Validation:
    """Validation pieces of one clade, scored as `augustus-dl evaluate` scores files; "none" takes
    those of every clade, each predicted with its own clade's embedding.

    Raises:
        TrainingError: the clade has no validation pieces.
    """

    def __init__(self, pieces: list[Piece], clade: str):
        self.clades: dict[str, list[Piece]] = {}
        for piece in pieces:
            if clade in ("none", piece.clade):
                self.clades.setdefault(piece.clade, []).append(piece)
        if not self.clades:
            raise TrainingError(f"no validation piece of clade {clade!r} in these packs")

    def run(
        self,
        model: AnnotationModel,
        device: torch.device,
        config: DecoderConfig | None = None,
    ) -> dict[str, dict]:
        """Accuracy of a copy of the model: clade to evaluate's `to_dict`."""
        own = AnnotationModel(model.config)
        own.load_state_dict(model.state_dict())
        config = config or DecoderConfig()
        return {
            clade: accuracy(pieces, TorchEngine(own, clade, device), config)
            for clade, pieces in self.clades.items()
        }


def accuracy(pieces: list[Piece], engine: Engine, config: DecoderConfig) -> dict:
    """Accuracy of an engine on validation pieces of one clade, as evaluate's `to_dict`.

    They are decoded with their own genetic code.
    """
    config = replace(config, genetic_code=pieces[0].genetic_code)

    def genes(piece: Piece, suited: Engine) -> list[Gene]:
        found = transcripts_of(piece.codes, piece.soft, suited, config)
        return [Gene(piece.name, t.strand, (t,)) for t in found]

    found = over_pieces(genes, pieces, engine)
    predicted = {piece.name: own for piece, own in zip(pieces, found, strict=True)}
    contigs = [contig_of(piece) for piece in pieces]
    code = genetic_code(pieces[0].genetic_code)
    return evaluate(reference_of(pieces), predicted, contigs, code).to_dict()
