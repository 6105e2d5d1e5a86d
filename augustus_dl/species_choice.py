"""`--species=auto`: which shipped checkpoint suits a genome of which nothing is known.

The checkpoint `generic` finds genes in a sample of the genome; what they look like
(`augustus_dl.gene_statistics`) tells the clade, by a linear model whose weights are in
`species/choice.json` (made by `python -m benchmarks.species_choice`). Its probabilities are
calibrated on species that it was fitted without. Where none is high enough, or where no checkpoint
was trained on the clade, `generic` stays: a wrong clade costs more genes than the right one gains.

The same genome has the same answer: the sample is no matter of chance.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from augustus_dl.encode import base_codes
from augustus_dl.gene import Gene
from augustus_dl.gene_statistics import TABLES, WIDTH, count, log_ratios
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import clade_profile

__all__ = [
    "GENERAL",
    "Choice",
    "CladeModel",
    "choose",
    "clade_model",
    "gene_counts",
    "sample",
]

GENERAL = "generic"
"""The species that answers when nothing else is likely enough."""
_PIECE = 100_000
"""Most bases of a piece of the sample."""
_SAMPLE = 1_000_000
"""Bases that a sample has of a genome that is longer."""
_EUKARYOTES = "eukaryotes"
"""The clade that GENERAL answers for."""
_MOST = 0.99
"""Highest probability that is told: the model is not tested well enough for more."""
_KNOWN = 0.5
"""Share of a piece that must be bases, not N."""


@dataclass(frozen=True)
class Choice:
    """A species, and why.

    Attributes:
        species: name of a shipped checkpoint.
        probabilities: of each clade, the most likely one first.
        genes: found in the sample.
        bases: of the sample.
    """

    species: str
    probabilities: dict[str, float]
    genes: int
    bases: int

    def __str__(self) -> str:
        (first, sure), (second, less) = list(self.probabilities.items())[:2]
        seen = (
            f"{self.genes} genes in {self.bases / 1e6:.2f} Mb look like {first} "
            f"(probability {min(sure, _MOST):.2f}; {second} {less:.2f})"
        )
        if self.species == GENERAL:
            seen += ", not sure enough" if clade_profile(first).name != GENERAL else ""
        return f"--species=auto chose {self.species}: {seen}"


@dataclass(frozen=True)
class CladeModel:
    """Probabilities of clades from counts of `gene_statistics`, by multinomial logistic regression.

    Attributes:
        clades: in the order of the columns of `weights`.
        usual: shares that counts are compared with, float64 [WIDTH].
        weights, bias: float64 [WIDTH, clades] and [clades], of the logarithms of ratios.
        sure: least probability of a clade that is chosen.
        doubt: share of genomes of which the weights say nothing: any clade is as likely then.
    """

    clades: tuple[str, ...]
    usual: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    sure: float
    doubt: float

    def probabilities(self, counts: np.ndarray) -> dict[str, float]:
        """Of each clade, the most likely one first."""
        logits = log_ratios(counts, self.usual) @ self.weights + self.bias
        likely = np.exp(logits - logits.max())
        likely = (1 - self.doubt) * likely / likely.sum() + self.doubt / len(likely)
        return {self.clades[i]: float(likely[i]) for i in np.argsort(-likely, kind="stable")}

    def species(self, probabilities: dict[str, float]) -> str:
        """Name of the checkpoint for these probabilities."""
        clade = max(probabilities, key=probabilities.__getitem__)
        return clade_profile(clade).name if probabilities[clade] >= self.sure else GENERAL

    def to_text(self) -> str:
        """As JSON; `from_text` inverted, but for digits that do not matter."""
        content = {
            "clades": self.clades,
            "sure": self.sure,
            "doubt": self.doubt,
            "tables": {name: [table.rows, table.columns] for name, table in TABLES.items()},
            "bias": _rounded(self.bias),
            "usual": _rounded(self.usual),
            "weights": [_rounded(row) for row in self.weights],
        }
        lines = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_text(cls, text: str) -> CladeModel:
        """Read JSON.

        Raises:
            ValueError: it was fitted to other tables.
        """
        content = json.loads(text)
        usual, weights = np.array(content["usual"]), np.array(content["weights"])
        clades = tuple(content["clades"])
        tables = {name: [table.rows, table.columns] for name, table in TABLES.items()}
        if content["tables"] != tables or weights.shape != (WIDTH, len(clades)):
            raise ValueError("species/choice.json does not fit the tables; fit it again")
        bias = np.array(content["bias"])
        return cls(clades, usual, weights, bias, content["sure"], content["doubt"])


def choose(contigs: Iterable[Contig], options: PredictOptions) -> Choice:
    """The shipped species whose checkpoint suits a genome best.

    Args:
        contigs: the genome; it is read once.
        options: how genes are searched for in the sample.

    Raises:
        ModelError, OptionError: as `augustus_dl.predict.predict`.
    """
    model = clade_model()
    chosen = sample(contigs)
    counts, number = np.zeros(WIDTH), 0
    for contig, genes in predict(chosen, clade_profile(_EUKARYOTES), options):
        counts += gene_counts(contig, genes)
        number += len(genes)
    probabilities = model.probabilities(counts)
    bases = sum(len(piece.sequence) for piece in chosen)
    return Choice(model.species(probabilities), probabilities, number, bases)


def gene_counts(contig: Contig, genes: Iterable[Gene]) -> np.ndarray:
    """Counts of the first transcript of each gene; float64 [WIDTH]."""
    return count(contig.sequence, [gene.transcripts[0] for gene in genes])


def _pieces(contigs: Iterable[Contig]) -> Iterator[Contig]:
    """Consecutive pieces of all sequences, but for those that are N for the most part."""
    for contig in contigs:
        for start in range(0, len(contig.sequence), _PIECE):
            part = contig.sequence[start : start + _PIECE]
            if (base_codes(part) < 4).mean() >= _KNOWN:
                yield Contig(f"{contig.name}:{start}", part)


def sample(contigs: Iterable[Contig], bases: int = _SAMPLE) -> list[Contig]:
    """Pieces from all over a genome, with about so many bases, or all of them.

    Whenever twice the bases are held, every second piece is dropped, and of those to come only
    every second is taken.
    """
    held: list[Contig] = []
    size, step = 0, 1
    for number, piece in enumerate(_pieces(contigs)):
        if number % step:
            continue
        held.append(piece)
        size += len(piece.sequence)
        while size >= 2 * bases and len(held) > 1:
            held, step = held[::2], 2 * step
            size = sum(len(each.sequence) for each in held)
    return _evenly(held, bases)


def _evenly(held: list[Contig], bases: int) -> list[Contig]:
    """Some of the pieces, with about so many bases."""
    ends = np.cumsum([len(piece.sequence) for piece in held])
    if not held or ends[-1] <= bases:
        return held
    number = max(1, round(len(held) * bases / ends[-1]))
    return [held[(2 * i + 1) * len(held) // (2 * number)] for i in range(number)]


@cache
def clade_model() -> CladeModel:
    """The shipped model."""
    path = files("augustus_dl.species").joinpath("choice.json")
    return CladeModel.from_text(path.read_text(encoding="utf-8"))


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
