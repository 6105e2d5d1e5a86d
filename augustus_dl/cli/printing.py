"""The output of a run in AUGUSTUS's order: preamble, sequences with their genes, what ends it."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TextIO

from augustus_dl.cli.run import Run
from augustus_dl.evidence import Evidence, evidence
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io import strict_gff3, writers
from augustus_dl.io.fasta import Contig
from augustus_dl.io.writers import NO_GENES, HintsOfRun

__all__ = ["Located", "located", "print_run"]

_LOG = logging.getLogger(__name__)
_RANGE_OF_FIRST = (
    "Warning: predictionStart or predictionEnd set but input consists of more than one sequence.\n"
    "Prediction will be made only on first sequence."
)

_FIRST_DIGITS, _LATER_DIGITS = 6, 3
"""Of numbers in lines of hints; AUGUSTUS has fewer of them once it has printed evidence."""


@dataclass(frozen=True)
class Located:
    """What was found on one sequence.

    Attributes:
        genes: predicted, in coordinates of the sequence.
        annotated: genes of a GenBank record, none of a FASTA file.
        start, end: the part that was searched, 0-based and half-open.
    """

    contig: Contig
    genes: Sequence[Gene]
    annotated: Sequence[Gene]
    start: int
    end: int


def located(run: Run, predict: Callable[..., Iterable] | None = None) -> Iterator[Located]:
    """Predictions to come, once the first sequence is read and the checkpoint is loaded.

    With a range that is not all of the first sequence, only that one is predicted, with a warning
    when there are others.

    Args:
        predict: stands in for `augustus_dl.predict.predict`.

    Raises:
        InputError, ModelError, OptionError: nothing can be predicted.
    """
    records = run.query.records(run.output.stop_excluded, run.output.utr)
    first = next(records)
    records = chain([first], records)
    if run.annotated:
        return (
            Located(contig, (), genes or (), 0, len(contig.sequence)) for contig, genes in records
        )
    from augustus_dl.predict import prediction_span

    if predict is None:
        predict = _predictor(run)
    options = run.options
    if options.range == (0, len(first[0].sequence)):
        options = replace(options, range=None)
    if options.range and len(list(islice(run.query.names(), 2))) > 1:
        _LOG.warning(_RANGE_OF_FIRST)
    annotated: deque[Sequence[Gene]] = deque()

    def contigs() -> Iterator[Contig]:
        for contig, genes in records:
            annotated.append(genes or ())
            yield contig

    def found(contig: Contig, genes: Sequence[Gene]) -> Located:
        length = len(contig.sequence)
        span = prediction_span(length, options.range or (0, None))
        return Located(contig, _matched(run, genes, contig), annotated.popleft(), *span)

    return (found(contig, genes) for contig, genes in predict(contigs(), run.profile, options))


def _predictor(run: Run) -> Callable[..., Iterable]:
    """What finds the genes: this machine, or a cluster."""
    if run.cluster:
        from augustus_dl.cluster import predict_on_cluster

        return partial(predict_on_cluster, address=run.cluster)
    from augustus_dl.predict import predict

    return predict


def _matched(run: Run, genes: Sequence[Gene], contig: Contig) -> Sequence[Gene]:
    """Genes with the blocks of the protein profile that their proteins have."""
    if run.options.protein_profile is None:
        return genes
    from augustus_dl.block_matches import with_matches

    def matched(transcript: Transcript) -> Transcript:
        return with_matches(transcript, contig.sequence, run.options.protein_profile, run.code)

    return [replace(gene, transcripts=tuple(map(matched, gene.transcripts))) for gene in genes]


def print_run(run: Run, results: Iterable[Located], command: Sequence[str], stream: TextIO) -> None:
    """Print a whole run, flushed gene by gene."""
    _write(stream, _preamble(run))
    if run.genbank and not run.annotated:
        _print_evaluated(run, results, stream)
    else:
        _print_sequences(run, results, stream)
    _write(stream, writers.trailer(command))


def _print_evaluated(run: Run, results: Iterable[Located], stream: TextIO) -> None:
    """Print sequences, then how well the genes found fit those annotated."""
    from augustus_dl.augustus_accuracy import AugustusAccuracy  # takes long to import: gffutils
    from augustus_dl.io.accuracy_report import report_lines

    started = time.monotonic()
    accuracy = AugustusAccuracy({"both": "+-", "forward": "+", "backward": "-"}[run.output.strand])

    def counted() -> Iterator[Located]:
        for found in results:
            yield found
            accuracy.add(found.annotated, found.genes)

    _print_sequences(run, counted(), stream)
    _write(stream, report_lines(accuracy, time.monotonic() - started))


def _print_sequences(run: Run, results: Iterable[Located], stream: TextIO) -> None:
    written = 0
    for number, found in enumerate(results, 1):
        _write(stream, _header(run, number, found, after_evidence=written > 0))
        if run.annotated:
            for gene in found.annotated:
                _write(stream, _annotated(run, gene, found.contig))
        for gene in found.genes:
            written += 1
            _write(stream, _gene(run, gene, written, found))
        if not (found.genes or (run.annotated and found.annotated)):
            _write(stream, [NO_GENES])


def _preamble(run: Run) -> Iterator[str]:
    of_run = HintsOfRun()
    from_file = run.hints is not None and run.hints.path is not None
    names = list(run.query.names()) if from_file or run.genbank else []
    if from_file:
        bounds = run.hints.collection.bounds
        of_run = HintsOfRun(
            sources=run.hints.extrinsic.sources,
            settings=run.hints.extrinsic.settings,
            path=os.fspath(run.hints.path),
            sequences=len(bounds),
            matching=sum(name in bounds for name in names),
        )
    profile = run.options.protein_profile
    return (strict_gff3 if run.strict else writers).preamble(
        run.output,
        species=run.profile.name,
        config_folder=str(run.profile.config_folder),
        query=os.path.expanduser(run.query.path),
        code=run.code,
        gzipped=run.query.gzipped,
        genbank=len(names) if run.genbank else None,
        hints=of_run,
        profile=(profile.name, profile.notation) if profile else None,
        temperature=run.options.alternatives.temperature,
    )


def _header(run: Run, number: int, found: Located, after_evidence: bool) -> Iterator[str]:
    name, length = found.contig.name, found.end - found.start
    hints = list(_hint_lines(run, found, _LATER_DIGITS if after_evidence else _FIRST_DIGITS))
    if run.genbank:
        return writers.locus_header(number, name, length, found.annotated, run.output, hints)
    if run.strict:
        start = found.start + run.shift
        return strict_gff3.sequence_header(number, name, length, run.output, hints, start=start)
    return writers.sequence_header(number, name, length, run.output, hints)


def _hint_lines(run: Run, found: Located, digits: int) -> Iterator[str]:
    if run.hints is None or (run.hints.path is None and not run.listing):
        return iter(())
    from augustus_dl.io.hints import hint_lines

    return hint_lines(
        run.hints.groups(found.contig, found.end),
        run.hints.extrinsic,
        found.contig.name,
        listing=run.listing and not run.output.gff3,
        verbosity=run.output.verbosity,
        offset=found.start + run.shift,
        digits=digits,
    )


def _gene(run: Run, gene: Gene, number: int, found: Located) -> Iterator[str]:
    return (strict_gff3 if run.strict else writers).gene_block(
        gene,
        number,
        found.contig.sequence,
        run.output,
        run.code,
        evidence=_evidence(run, gene, found),
        shift=run.shift,
    )


def _annotated(run: Run, gene: Gene, contig: Contig) -> Iterator[str]:
    return writers.annotated_gene_block(gene, contig.sequence, run.output, run.code)


def _evidence(run: Run, gene: Gene, found: Located) -> list[Evidence] | None:
    if run.hints is None or not run.output.evidence:
        return None
    groups = run.hints.groups(found.contig, found.end)
    return [evidence(transcript.shifted(-found.start), groups) for transcript in gene.transcripts]


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()
