"""Validation pieces made ready for decoding many times: scored once, cut into parts.

Parts keep all cores busy, and are what halves of a validation set are made of. Cuts are in the
middle of long intergenic stretches of the reference; the network has seen what lies beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from augustus_dl.alternatives import BEST_ONLY, AlternativeOptions, Locus, gene_of
from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import intervals_of, letters
from augustus_dl.engine import Engine
from augustus_dl.engine.recorded import RecordedEngine
from augustus_dl.engine.torch import TorchEngine
from augustus_dl.errors import TrainingError
from augustus_dl.evaluate import Accuracy, evaluate
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation
from augustus_dl.io.fasta import Contig
from augustus_dl.labels import INTERGENIC
from augustus_dl.predict import loci_of
from augustus_dl.train.pack import Piece, genes_within, masks_within
from augustus_dl.train.parallel import over_threads

__all__ = ["Part", "contig_of", "over_pieces", "parts_of", "reference_of"]

LENGTH, PARTS = 100_000, 20
"""Bases of a part, more or less; fewer where that would give fewer parts than this."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Part:
    """A stretch of a validation piece with its recorded scores."""

    piece: Piece
    engine: RecordedEngine

    @cached_property
    def contig(self) -> Contig:
        return contig_of(self.piece)

    @property
    def reference(self) -> Annotation:
        return reference_of([self.piece])

    def loci(
        self, config: DecoderConfig, alternatives: AlternativeOptions = BEST_ONLY
    ) -> list[Locus]:
        """What the decoder finds under these constants, with the piece's genetic code."""
        config = replace(config, genetic_code=self.piece.genetic_code)
        piece = self.piece
        found = loci_of(piece.codes, piece.soft, self.engine, config, alternatives=alternatives)
        return list(found)

    def accuracy(self, config: DecoderConfig) -> Accuracy:
        """Counts of what is found under these constants."""
        name, code = self.piece.name, genetic_code(self.piece.genetic_code)
        genes = [gene_of(name, locus) for locus in self.loci(config)]
        return evaluate(self.reference, {name: genes}, [self.contig], code)


def contig_of(piece: Piece) -> Contig:
    """A piece as a sequence."""
    return Contig(piece.name, letters(piece.codes))


def reference_of(pieces: Sequence[Piece]) -> Annotation:
    """What predictions on pieces are judged by."""
    return Annotation(
        genes={piece.name: list(piece.genes) for piece in pieces},
        masks={piece.name: list(piece.masks) for piece in pieces},
    )


def parts_of(pieces: Sequence[Piece], engine: Engine) -> list[Part]:
    """Run the network once over validation pieces and cut them into parts.

    Raises:
        TrainingError: there is no piece, or one is not marked validation; or all genes are so close
            together that there is only one part.
    """
    if not pieces:
        raise TrainingError("no validation piece to fit constants on")
    for piece in pieces:
        if not piece.validation:
            raise TrainingError(
                f"{piece.name} of {piece.set} is not marked validation: "
                "constants fitted on training genes would be over-fitted"
            )
    length = min(LENGTH, sum(len(piece.codes) for piece in pieces) // PARTS)
    parts = []

    def recording(piece: Piece, suited: Engine) -> RecordedEngine:
        return RecordedEngine.record(suited, piece.codes, piece.soft)

    for piece, recorded in zip(pieces, over_pieces(recording, pieces, engine), strict=True):
        for start, end in _stretches(piece.labels, length):
            parts.append(Part(_within(piece, start, end), recorded.part(start, end)))
    if len(parts) < 2:
        raise TrainingError(f"{pieces[0].name} cannot be cut: two parts are needed to cross over")
    return parts


def over_pieces(
    function: Callable[[Piece, Engine], _Result], pieces: Sequence[Piece], engine: Engine
) -> Iterable[_Result]:
    """Results of a function of a piece and the engine suited to it, in order; torch's in threads of
    ours, others have threads inside."""
    each = over_threads if isinstance(engine, TorchEngine) else map
    return each(lambda piece: function(piece, _suited_engine(engine, len(piece.codes))), pieces)


def _suited_engine(engine: Engine, length: int) -> Engine:
    """The engine for a sequence of `length` bases: torch's without flanks where one window holds it
    all, since they would show nothing."""
    if length > engine.core or not isinstance(engine, TorchEngine):
        return engine
    bare = copy(engine)
    bare.flank = 0
    return bare


def _stretches(labels: np.ndarray, length: int) -> Iterator[tuple[int, int]]:
    """Stretches of some `length` bases that tile a piece with these labels, uint8 [L]."""
    start, reach = 0, length // 2
    while len(labels) - start > length + reach:
        window = labels[start + length - length // 2 : start + length + reach]
        free = intervals_of(window == INTERGENIC)
        if not len(free):
            reach += length
            continue
        first, last = free[np.argmax(free[:, 1] - free[:, 0])]
        end = start + length - length // 2 + int(first + last) // 2
        yield start, end
        start, reach = end, length // 2
    yield start, len(labels)


def _within(piece: Piece, start: int, end: int) -> Piece:
    """The stretch of a piece as a piece of its own."""
    name = f"{piece.name}:{start}-{end}"
    return replace(
        piece,
        name=name,
        codes=piece.codes[start:end],
        soft=piece.soft[start:end],
        labels=piece.labels[start:end],
        utr=piece.utr[start:end],
        genes=tuple(genes_within(piece.genes, name, start, end)),
        masks=tuple(masks_within(piece.masks, start, end)),
    )
