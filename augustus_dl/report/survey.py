"""One pass over a genome: everything the page says, in memory that does not grow with the genome.

A sequence is let go before the next one is read; of the loci on it only their own stretch is kept,
until the network has read it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from augustus_dl.differences import Difference, differences
from augustus_dl.encode import base_codes, soft_mask
from augustus_dl.engine import Engine
from augustus_dl.errors import InputError, OptionError
from augustus_dl.evaluate import Accuracy, Judge, Truth, warn_of_absent
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io.annotation import Annotation
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.io.locus import Locus, locus_text
from augustus_dl.report.examples import Examples
from augustus_dl.report.probabilities import Probabilities, probabilities, stretch
from augustus_dl.report.statistics import GeneStatistics, GenomeStatistics

__all__ = ["LONGEST_LOCUS", "Survey", "Tracks", "View", "around", "survey"]

LONGEST_LOCUS = 1_000_000
_EXAMPLES, _LONGEST_EXAMPLE = 10, 200_000


@dataclass(frozen=True, slots=True)
class Tracks:
    """The annotations of a genome.

    Attributes:
        predictions: genes by sequence, by the name of the annotation; the first one is the page's.
        reference: what is true, and its name; None where that is not known.
    """

    predictions: Mapping[str, Mapping[str, Sequence[Gene]]]
    reference: Annotation | None = None
    reference_name: str = "reference"

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, Sequence[Gene]]]]:
        yield from self.predictions.items()
        if self.reference is not None:
            yield self.reference_name, self.reference.genes


@dataclass(frozen=True, slots=True)
class View:
    """A locus to be drawn.

    Attributes:
        kind: how prediction and reference differ there, see `differences.KINDS`; "" when the user
            chose it.
        tracks: the transcripts that touch it, by annotation.
        codes, masked: uint8 and bool, the stretch that the network reads, from base `offset` on;
            empty without network.
    """

    locus: Locus
    kind: str
    tracks: dict[str, list[Transcript]]
    codes: np.ndarray
    masked: np.ndarray
    offset: int

    def probabilities(self, engine: Engine) -> Probabilities:
        """What the network says along the locus."""
        return probabilities(
            self.codes, self.masked, engine, self.offset, self.locus.start, self.locus.end
        )


@dataclass(slots=True)
class Survey:
    """What was found.

    Attributes:
        statistics: by annotation, in the order of the tracks.
        accuracy, kinds, shifts: by prediction, where there is a reference: its accuracy, the number
            of genes of each kind of difference, and distances of splice sites that lie elsewhere.
        views: the user's loci in their order, or examples of differences.
    """

    genome: GenomeStatistics = field(default_factory=GenomeStatistics)
    statistics: dict[str, GeneStatistics] = field(default_factory=dict)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    shifts: dict[str, Counter[int]] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)


def survey(
    genome: str | os.PathLike,
    tracks: Tracks,
    code: GeneticCode,
    loci: Sequence[Locus] = (),
    flank: int | None = None,
) -> Survey:
    """Read the genome once and count.

    Args:
        loci: to be drawn; none means up to ten where the first prediction and the reference differ.
        flank: bases that a network reads beside a locus; None where there is no network.

    Raises:
        InputError: the genome cannot be used, or lacks a sequence that a prediction or locus names.
        OptionError: a locus that is too long, or begins behind the end of its sequence.
    """
    for locus in loci:
        if locus.end - locus.start > LONGEST_LOCUS:
            raise OptionError(
                f"locus {locus_text(locus)} is longer than {LONGEST_LOCUS:,} bases; show a part"
            )
    found = Survey(statistics={name: GeneStatistics() for name, _ in tracks})
    judges = {name: Judge(genes) for name, genes in tracks.predictions.items()}
    chosen: dict[Locus, View] = {}
    examples: Examples[View] = Examples(_EXAMPLES)
    for contig in contigs(genome):
        if contig.name in found.genome.lengths:
            raise InputError(f"two sequences are named {contig.name}; genes cannot be told apart")
        codes = base_codes(contig.sequence)
        found.genome.add(contig.name, contig.sequence, codes)
        for name, genes in tracks:
            found.statistics[name].add(genes.get(contig.name, ()), codes)
        if tracks.reference is not None:
            truth = Truth.of(tracks.reference, contig, code)
            _compare(found, tracks, judges, truth, contig, None if loci else examples, flank)
        for locus in loci:
            if locus.contig == contig.name:
                chosen[locus] = _view(locus, "", tracks, contig, flank)
    _check_names(tracks, found.genome.lengths)
    if tracks.reference is not None:
        warn_of_absent(tracks.reference, found.genome.lengths)
        found.accuracy = {name: judge.accuracy() for name, judge in judges.items()}
    if absent := [locus for locus in loci if locus not in chosen]:
        raise InputError(
            f"locus {locus_text(absent[0])}: the genome has no sequence {absent[0].contig}"
        )
    found.views = [chosen[locus] for locus in loci] if loci else examples.chosen()
    return found


def around(span: Interval, length: int) -> Interval:
    """A span with a tenth of it, at least 300 bases, to either side, within the sequence."""
    beside = max((span[1] - span[0]) // 10, 300)
    return max(span[0] - beside, 0), min(span[1] + beside, length)


def _compare(
    found: Survey,
    tracks: Tracks,
    judges: Mapping[str, Judge],
    truth: Truth,
    contig: Contig,
    examples: Examples[View] | None,
    flank: int | None,
) -> None:
    """Judge the predictions on one sequence; offer differences of the first one as examples."""
    for number, (name, genes) in enumerate(tracks.predictions.items()):
        judges[name].add(contig.name, truth)
        kinds = found.kinds.setdefault(name, Counter())
        shifts = found.shifts.setdefault(name, Counter())
        for difference in differences(truth.genes, genes.get(contig.name, ()), truth.doubtful):
            kinds[difference.kind] += 1
            shifts.update(
                abs(fault.shift) for fault in difference.faults if fault.kind == "splice site"
            )
            if number == 0 and examples is not None:
                _offer(examples, difference, tracks, contig, flank)


def _offer(
    examples: Examples[View],
    difference: Difference,
    tracks: Tracks,
    contig: Contig,
    flank: int | None,
) -> None:
    """Let a difference be an example, unless it is too long for a picture."""
    start, end = around(difference.span, len(contig.sequence))
    if difference.kind == "exact" or end - start > _LONGEST_EXAMPLE:
        return
    locus = Locus(contig.name, start, end)
    examples.offer(difference.kind, lambda: _view(locus, difference.kind, tracks, contig, flank))


def _view(locus: Locus, kind: str, tracks: Tracks, contig: Contig, flank: int | None) -> View:
    """Cut what is drawn of a locus out of its sequence."""
    length = len(contig.sequence)
    if locus.start >= length:
        raise OptionError(
            f"locus {locus_text(locus)} begins behind the end of {contig.name}, {length:,} bases"
        )
    locus = locus._replace(end=min(locus.end, length))
    offset, last = (0, 0) if flank is None else stretch(locus.start, locus.end, flank, length)
    part = contig.sequence[offset:last]
    shown = {
        name: [
            transcript
            for gene in genes.get(contig.name, ())
            for transcript in gene.transcripts
            if transcript.start < locus.end and transcript.end > locus.start
        ]
        for name, genes in tracks
    }
    return View(locus, kind, shown, base_codes(part), soft_mask(part), offset)


def _check_names(tracks: Tracks, known: Mapping[str, int]) -> None:
    """Refuse predictions for another genome."""
    for name, genes in tracks.predictions.items():
        if unknown := sorted({contig for contig in genes if genes[contig]} - known.keys()):
            raise InputError(
                f"{name} has genes on {unknown[0]}, which the genome does not have "
                f"({len(unknown)} such names); was another genome used?"
            )
