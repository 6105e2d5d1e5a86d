"""Accuracy of predicted genes against a reference: nucleotide, exon, transcript and gene level.

Only coding sequence is judged. Conventions are those of AUGUSTUS, EGASP and Eval: a reference gene
is found when one of its transcripts is predicted with all coding exons exact, a predicted gene is
right when one of its transcripts is. Sensitivity is found / reference, precision right / predicted.

Where the reference is doubtful nothing is judged: masks, and genes none of whose transcripts is
possible on the sequence, count neither for nor against a prediction.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.intervals import difference, intersection, size, touched, union
from augustus_dl.io.annotation import Annotation, read_annotation
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.validity import faults

__all__ = [
    "Accuracy",
    "Exon",
    "Judge",
    "Level",
    "Truth",
    "evaluate",
    "evaluate_files",
    "exon_verdicts",
    "warn_of_absent",
]

_LOG = logging.getLogger(__name__)
_STRANDS = "+-"


@dataclass(slots=True)
class Level:
    """Counts at one level; bases, distinct exons, distinct transcripts, or genes.

    Attributes:
        reference, found: in the reference, and those of them that are predicted.
        predicted, right: predicted, and those of them that are in the reference.
    """

    reference: int = 0
    found: int = 0
    predicted: int = 0
    right: int = 0

    @property
    def sensitivity(self) -> float:
        """0 to 1; 0 when the reference is empty."""
        return self.found / self.reference if self.reference else 0.0

    @property
    def precision(self) -> float:
        """0 to 1; 0 when nothing is predicted."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and precision, 0 to 1."""
        total = self.sensitivity + self.precision
        return 2 * self.sensitivity * self.precision / total if total else 0.0

    def add(self, reference: set, predicted: set, ignored: set) -> None:
        """Count things that are the same when they are equal, leaving out `ignored` ones."""
        both = len(reference & predicted)
        self.reference += len(reference)
        self.found += both
        self.predicted += len(predicted - ignored)
        self.right += both


@dataclass(slots=True)
class Accuracy:
    """All levels over all sequences.

    Attributes:
        masked_genes: doubtful reference genes, which are not judged.
        ignored_genes: predicted genes on doubtful sequence, which are not judged.
    """

    nucleotide: Level = field(default_factory=Level)
    exon: Level = field(default_factory=Level)
    transcript: Level = field(default_factory=Level)
    gene: Level = field(default_factory=Level)
    masked_genes: int = 0
    ignored_genes: int = 0

    @property
    def levels(self) -> dict[str, Level]:
        """Levels by name, from the finest to the coarsest."""
        return {name: getattr(self, name) for name in ("nucleotide", "exon", "transcript", "gene")}

    def to_dict(self) -> dict:
        """Plain numbers for JSON: per level the counts, sensitivity, precision and f1."""
        found: dict = {
            name: {
                "sensitivity": level.sensitivity,
                "precision": level.precision,
                "f1": level.f1,
                **asdict(level),
            }
            for name, level in self.levels.items()
        }
        return found | {"masked_genes": self.masked_genes, "ignored_genes": self.ignored_genes}

    def table(self) -> str:
        """The same as text of fixed width, one line a level."""
        rows = [
            f"{'level':<10} {'sensitivity':>11} {'precision':>9} {'F1':>6} "
            f"{'reference':>10} {'found':>10} {'predicted':>10} {'right':>10}"
        ]
        for name, level in self.levels.items():
            rows.append(
                f"{name:<10} {level.sensitivity:>11.4f} {level.precision:>9.4f} {level.f1:>6.4f} "
                f"{level.reference:>10} {level.found:>10} {level.predicted:>10} {level.right:>10}"
            )
        rows.append(
            f"not judged: {self.masked_genes} doubtful reference genes, "
            f"{self.ignored_genes} predicted genes on doubtful sequence"
        )
        return "\n".join(rows)


def evaluate(
    reference: Annotation,
    predicted: Mapping[str, list[Gene]],
    sequences: Iterable[Contig],
    code: GeneticCode,
) -> Accuracy:
    """Judge predicted genes, by sequence name, on the given sequences.

    Reference genes on other sequences are left out with a warning.

    Raises:
        InputError: genes predicted on a sequence that is not given; a sequence given twice.
    """
    judge = Judge(predicted)
    for contig in sequences:
        judge.add(contig.name, Truth.of(reference, contig, code))
    warn_of_absent(reference, judge.names)
    return judge.accuracy()


class Judge:
    """Judges predicted genes sequence by sequence; memory does not grow with the genome.

    Attributes:
        names: sequences judged so far.
    """

    def __init__(self, predicted: Mapping[str, list[Gene]]) -> None:
        self.names: set[str] = set()
        self._predicted = predicted
        self._accuracy = Accuracy()

    def add(self, name: str, truth: Truth) -> None:
        """Judge the genes on one sequence.

        Raises:
            InputError: the sequence was there before.
        """
        if name in self.names:
            raise InputError(f"two sequences are named {name}; genes cannot be told apart")
        self.names.add(name)
        _judge(self._accuracy, truth, self._predicted.get(name, []))

    def accuracy(self) -> Accuracy:
        """All counts, after the last sequence.

        Raises:
            InputError: genes are predicted on a sequence that never came.
        """
        unknown = sorted({name for name, genes in self._predicted.items() if genes} - self.names)
        if unknown:
            raise InputError(
                f"genes are predicted on {unknown[0]}, which the genome does not have "
                f"({len(unknown)} such names); was another genome used?"
            )
        return self._accuracy


def warn_of_absent(reference: Annotation, names: Collection[str]) -> None:
    """Warn when the reference has genes on sequences other than these."""
    absent = sorted(reference.genes.keys() - set(names))
    if absent:
        _LOG.warning(
            "the reference has genes on %s, which the genome does not have (%d such names); "
            "they are left out",
            absent[0],
            len(absent),
        )


def evaluate_files(
    genome: str | os.PathLike,
    reference: str | os.PathLike,
    prediction: str | os.PathLike,
    table: int = 1,
) -> Accuracy:
    """Judge a GTF or GFF3 file against another one.

    Args:
        genome: FASTA file both speak of.
        table: NCBI id of the genetic code, by which impossible reference genes are told.

    Raises:
        InputError: a file cannot be used, or the prediction is for another genome.
    """
    truth, found = read_annotation(reference), read_annotation(prediction)
    return evaluate(truth, found.genes, contigs(genome), genetic_code(table))


Exon = tuple[str, int, int]
"""Strand, first base and end of a coding exon: what makes two of them the same."""


def exon_verdicts(
    reference: Annotation, contig: Contig, code: GeneticCode, exons: Sequence[Exon]
) -> list[bool | None]:
    """Whether each predicted exon is one of the reference; None where the reference is doubtful."""
    truth = Truth.of(reference, contig, code)
    known = {
        (t.strand, *exon) for transcripts in truth.genes for t in transcripts for exon in t.cds
    }
    spans = np.array([exon[1:] for exon in exons], dtype=np.int64).reshape(-1, 2)
    doubtful = touched(spans, truth.doubtful)
    return [
        True if exon in known else None if unsure else False
        for exon, unsure in zip(exons, doubtful, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the reference says about one sequence.

    Attributes:
        genes: for each gene that is judged, its possible transcripts.
        doubtful: bases on which nothing is judged; none of them is coding in `genes`.
        masked: number of genes that are not judged.
    """

    genes: list[list[Transcript]]
    doubtful: np.ndarray
    masked: int

    @classmethod
    def of(cls, reference: Annotation, contig: Contig, code: GeneticCode) -> Truth:
        codes = base_codes(contig.sequence)
        masks = [(start, end) for start, end, _ in reference.masks.get(contig.name, [])]
        masked_bases = union(masks)
        genes, doubtful, masked = [], list(masks), 0
        for gene in reference.genes.get(contig.name, []):
            sound = [t for t in gene.transcripts if not faults(t, codes, code)]
            if not sound or _on(masked_bases, sound):
                masked += 1
                doubtful.append((gene.start, gene.end))
                continue
            genes.append(sound)
            for transcript in gene.transcripts:
                if transcript not in sound:
                    doubtful.extend(transcript.cds)
        coding = union(_exons(t for transcripts in genes for t in transcripts))
        return cls(genes, difference(union(doubtful), coding), masked)


def _judge(accuracy: Accuracy, truth: Truth, predicted: list[Gene]) -> None:
    """Add one sequence's counts."""
    known = {_chain(t) for transcripts in truth.genes for t in transcripts}
    ignored_transcripts, called = set(), set()
    for gene in predicted:
        chains = {_chain(t) for t in gene.transcripts}
        called |= chains
        ignored_transcripts |= {
            _chain(t) for t in gene.transcripts if _on(truth.doubtful, [t])
        } - known
        if chains & known:
            accuracy.gene.right += 1
        elif _on(truth.doubtful, gene.transcripts):
            accuracy.ignored_genes += 1
            continue
        accuracy.gene.predicted += 1
    accuracy.masked_genes += truth.masked
    accuracy.gene.reference += len(truth.genes)
    accuracy.gene.found += sum(
        any(_chain(t) in called for t in transcripts) for transcripts in truth.genes
    )
    accuracy.transcript.add(known, called, ignored_transcripts)
    _judge_exons(accuracy.exon, known, called, truth.doubtful)
    _judge_nucleotides(accuracy.nucleotide, known, called, truth.doubtful)


Chain = tuple[str, tuple[Interval, ...]]
"""Strand and coding intervals: what makes two transcripts the same."""


def _chain(transcript: Transcript) -> Chain:
    return transcript.strand, transcript.cds


def _judge_exons(level: Level, known: set[Chain], called: set[Chain], doubtful: np.ndarray) -> None:
    reference = {(strand, *exon) for strand, exons in known for exon in exons}
    predicted = {(strand, *exon) for strand, exons in called for exon in exons}
    extra = list(predicted - reference)
    spans = np.array([exon[1:] for exon in extra], dtype=np.int64).reshape(-1, 2)
    hit = touched(spans, doubtful)
    level.add(reference, predicted, {exon for exon, on in zip(extra, hit, strict=True) if on})


def _judge_nucleotides(
    level: Level, known: set[Chain], called: set[Chain], doubtful: np.ndarray
) -> None:
    for own in _STRANDS:
        reference = union(exon for strand, exons in known if strand == own for exon in exons)
        predicted = union(exon for strand, exons in called if strand == own for exon in exons)
        both = size(intersection(reference, predicted))
        level.reference += size(reference)
        level.found += both
        level.right += both
        level.predicted += both + size(difference(difference(predicted, reference), doubtful))


def _exons(transcripts: Iterable[Transcript]) -> Iterator[Interval]:
    return (exon for transcript in transcripts for exon in transcript.cds)


def _on(bases: np.ndarray, transcripts: Iterable[Transcript]) -> bool:
    """Does a coding base of these transcripts lie in the set?"""
    return bool(touched(np.array([*_exons(transcripts)], dtype=np.int64), bases).any())
