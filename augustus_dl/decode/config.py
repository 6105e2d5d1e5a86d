"""The constants of the decoder: a handful of priors and what kind of genes to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from augustus_dl.errors import OptionError
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.labels import INTERGENIC, NUM_LABELS, labels_of

__all__ = ["GRID", "DecoderConfig"]

GRID = 1024
"""Scores are integers in units of 1/1024 nat: int16 holds 32 nats, and content evidence of a few
hundredths of a nat a base is not rounded away."""

_TYPES = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "tuple[str, ...]": (tuple,),
}
_CHOICES = {
    "strand": ("both", "forward", "backward"),
    "gene_count": ("any", "atleastone", "exactlyone"),
}


@dataclass(frozen=True)
class DecoderConfig:
    """What the decoder is told besides the scores. Scores are in nats and are added, so a
    negative number is a penalty.

    A base's score for a label is the network's log-probability times the weight of the label's
    kind. Boundary labels (start, stop, donor, acceptor) have weight one. What the network says of
    neighbouring coding, intron or intergenic bases is nearly the same statement over and over, so
    those have small weights; docs/experiments.md has the measurement.

    Attributes:
        coding_weight, intron_weight, intergenic_weight: of the labels C, I and IR.
        gene_start: added once per gene, cut ones included.
        intron: added once per intron, cut ones included.
        gc_donor: added to each intron that begins with GC instead of GT.
        atac: allow AT-AC introns.
        min_intron: length of the shortest intron, at least 4. An intron that runs over an end of
            the sequence may show less of itself.
        partial: genes may run over the ends of the sequence.
        strand: "both", "forward" or "backward": the strands that genes may lie on.
        singlestrand: search each strand as if the other had no genes, so that genes of different
            strands may overlap. See `tracks`.
        gene_count: "any", "atleastone" or "exactlyone": how many genes a path has, short ones that
            are dropped later included. With "exactlyone" the search remembers all of the sequence,
            some 50 bytes a base; so does "atleastone" until a gene is worth more than none.
        intronless: single-exon genes only.
        max_overlap: bases by which a gene may overlap the next one on its strand, as bacterial
            genes do; needs intronless. The strands are searched apart.
        genetic_code: NCBI id of the genetic code.
        sense_stops: stop codons of the genetic code that stand for an amino acid here.
        min_coding_length: complete genes with fewer coding bases (stop codon included) are
            dropped after decoding.
        posterior_scale: what path scores are multiplied by where probabilities are computed, so
            that they come true as often as they say. The best path does not depend on it.

    Raises:
        OptionError: a value of the wrong kind or out of range.
    """

    coding_weight: float = 0.02
    intron_weight: float = 0.025
    intergenic_weight: float = 0.03
    gene_start: float = 3.0
    intron: float = 2.0
    gc_donor: float = -2.0
    atac: bool = False
    min_intron: int = 30
    partial: bool = True
    strand: str = "both"
    singlestrand: bool = False
    gene_count: str = "any"
    intronless: bool = False
    max_overlap: int = 0
    genetic_code: int = 1
    sense_stops: tuple[str, ...] = ()
    min_coding_length: int = 201
    posterior_scale: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) not in _TYPES[str(field.type)]:
                raise OptionError(f"decoder setting {field.name} is {value!r}, not {field.type}")
        if not all(abs(x) < 1e6 for x in (self.gene_start, self.intron, self.gc_donor)):
            raise OptionError(
                "decoder settings gene_start, intron and gc_donor must be finite nats"
            )
        if not 0 < self.posterior_scale < 1e6:
            raise OptionError(
                f"decoder setting posterior_scale is {self.posterior_scale}; it must be above 0"
            )
        if self.min_intron < 4:
            raise OptionError(f"decoder setting min_intron is {self.min_intron}; it must be >= 4")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise OptionError(
                    f"decoder setting {name} is {getattr(self, name)!r}; use {', '.join(choices)}"
                )
        if self.max_overlap < 0:
            raise OptionError(f"decoder setting max_overlap is {self.max_overlap}; it must be >= 0")
        if self.max_overlap and not (self.intronless and self.gene_count == "any"):
            raise OptionError(
                "decoder setting max_overlap needs genes without introns and any number of them"
            )

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> DecoderConfig:
        """Inverse of `to_dict`; settings left out keep their default.

        Raises:
            OptionError: an unknown setting, or a value that does not fit.
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(settings) - set(known)):
            raise OptionError(
                f"unknown decoder setting {', '.join(unknown)}; known: {', '.join(known)}"
            )
        given = dict(settings)
        if isinstance(given.get("sense_stops"), list):  # as JSON has it
            given["sense_stops"] = tuple(given["sense_stops"])
        return cls(**given)

    def code(self) -> GeneticCode:
        """The genetic code in use.

        Raises:
            OptionError: there is no such code, or it has no stop codon left.
        """
        return genetic_code(self.genetic_code, frozenset(self.sense_stops))

    def tracks(self) -> list[DecoderConfig]:
        """One configuration for each search: one, or two where the strands are searched apart."""
        if self.strand != "both" or not (self.singlestrand or self.max_overlap):
            return [self]
        return [replace(self, strand=strand) for strand in ("forward", "backward")]

    def label_weights(self) -> np.ndarray:
        """Weight of each label; float32 [29]."""
        weights = np.ones(NUM_LABELS, dtype=np.float32)
        weights[INTERGENIC] = self.intergenic_weight
        for strand in "+-":
            weights[[*labels_of(strand, "C")]] = self.coding_weight
            weights[[*labels_of(strand, "I")]] = self.intron_weight
        return weights

    def to_dict(self) -> dict[str, Any]:
        """All settings, ready for JSON."""
        return asdict(self)
