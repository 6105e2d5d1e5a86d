"""`augustus-dl --species=human genome.fa`: AUGUSTUS's own command line around `predict`.

Standard output carries annotation only. Nothing is printed there before the sequence file is open
and the checkpoint is loaded, so that a run that cannot start leaves it empty; the command line at
its end says that a run is complete. Everything else goes to standard error.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from augustus_dl import __version__
from augustus_dl.cli.arguments import (
    CommandLine,
    Settings,
    check_names,
    parse,
    without_effect,
)
from augustus_dl.cli.usage import (
    CLOSED_PIPE,
    HELP,
    INTERRUPTED,
    USAGE,
    VERSION,
    parameter_list,
    species_list,
)
from augustus_dl.errors import AugustusError, InputError, OptionError
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.io.writers import (
    NO_GENES,
    OutputOptions,
    gene_block,
    preamble,
    sequence_header,
    trailer,
)
from augustus_dl.profile import Profile, find_profile, organism, species_names

if TYPE_CHECKING:
    from augustus_dl.io.fasta import Contig
    from augustus_dl.predict import PredictOptions

__all__ = ["main"]

_LOG = logging.getLogger(__name__)
_GENE_MODELS = ("partial", "complete", "intronless")
_OTHER_GENE_MODELS = ("atleastone", "exactlyone", "bacterium")
_STRANDS = ("both", "forward", "backward")
_GZIP = b"\x1f\x8b"
_STOP_IN_GFF3 = (
    "Warning: The gff3 standard requires that the stop codon is included in the CDS. Unless this "
    "is your intention, set stopCodonExcludedFromCDS to false in your species' configuration file "
    "or on the command line."
)

Predictions = Iterable[tuple["Contig", list[Gene]]]


@dataclass(frozen=True)
class _Run:
    """Everything a run needs, checked, before a sequence is read."""

    query: str
    profile: Profile
    output: OutputOptions
    options: PredictOptions
    code: GeneticCode


def main(
    arguments: Sequence[str],
    stdout: TextIO,
    stderr: TextIO,
    predict: Callable[..., Predictions] | None = None,
    program: str = "augustus-dl",
) -> int:
    """Run AUGUSTUS's command line and return the exit status.

    Args:
        arguments: the words behind the program's name.
        predict: stands in for `augustus_dl.predict.predict`.
        program: name in error frames and in the command line that ends the output.
    """
    with _Reported(program, stderr) as checking:
        if not arguments:
            stdout.write(USAGE)
            return 0
        command = parse(arguments)
        answer = _answer(command)
        if answer is not None:
            stderr.write(answer)
            return 0
        run = _checked(command)
        outfile, errfile = command.values.get("outfile", ""), command.values.get("errfile", "")
        quiet = stdout.isatty() and not outfile
        progress = Settings(command.values, {}).switch(
            "progress", stderr.isatty() and not (errfile or quiet)
        )
    if checking.status:
        return checking.status
    with (
        _error_stream(errfile, stderr) as errors,
        _Reported(program, errors) as predicting,
        _output_stream(outfile, stdout, errors) as output,
    ):
        results = _started(run, predict)
        for line in _notes(run, command, named=not errfile):
            errors.write(f"{line}\n")
        if progress:
            results = _with_progress(results, errors)
        _print(run, results, [program, *arguments], output)
    return predicting.status


class _Reported:
    """Turns exceptions into a message on `stderr` and an exit `status`.

    Warnings that the package logs go to the same stream meanwhile.
    """

    def __init__(self, program: str, stderr: TextIO) -> None:
        self.status = 0
        self._program = program
        self._stderr = stderr
        self._handler = logging.StreamHandler(stderr)
        self._handler.setFormatter(logging.Formatter("# augustus-dl: %(message)s"))

    def __enter__(self) -> _Reported:
        logging.getLogger("augustus_dl").addHandler(self._handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        logging.getLogger("augustus_dl").removeHandler(self._handler)
        match error:
            case AugustusError():
                self._fail(str(error), error.exit_code)
            case BrokenPipeError():
                self.status = CLOSED_PIPE
            case OSError():
                self._fail(str(error), 1)
            case KeyboardInterrupt():
                self._stderr.write(f"{self._program}: interrupted\n")
                self.status = INTERRUPTED
            case _:
                return False
        return True

    def _fail(self, message: str, status: int) -> None:
        self._stderr.write(f"\n{self._program}: ERROR\n\t{message}\n\n")
        self.status = status


def _answer(command: CommandLine) -> str | None:
    """What is printed instead of a prediction, if that was asked for."""
    if "--version" in command.requests:
        return VERSION
    if "--help" in command.requests:
        return HELP
    if "--paramlist" in command.requests:
        return parameter_list()
    if command.values.get("species") == "help":
        names = species_names(command.values.get("AUGUSTUS_CONFIG_PATH"))
        return species_list((name, organism(name)) for name in names)
    return None


def _checked(command: CommandLine) -> _Run:
    """All options with their values; only the species' files are read.

    Raises:
        OptionError, SpeciesError, ModelError, InputError: in AUGUSTUS's words where it has some.
    """
    values = command.values
    if "species" not in values:
        raise OptionError(
            'No species specified. Type "augustus --species=help" to see available species.'
        )
    profile = find_profile(values["species"], values.get("AUGUSTUS_CONFIG_PATH"))
    check_names(values)
    settings = Settings(values, profile.parameters)
    options = _predict_options(settings, profile)
    output = _output_options(settings, options)
    if command.query is None:
        raise OptionError('No query file specified. Type "augustus" for help.')
    query = "/dev/stdin" if command.query == "-" else os.path.expanduser(command.query)
    if not os.access(query, os.R_OK):
        raise InputError(f'Could not open input file "{command.query}"!')
    return _Run(query, profile, output, options, genetic_code(options.translation_table))


def _predict_options(settings: Settings, profile: Profile) -> PredictOptions:
    from augustus_dl.predict import PredictOptions

    genemodel = settings.text("genemodel", "partial")
    if genemodel in _OTHER_GENE_MODELS:
        raise OptionError(
            f"genemodel {genemodel} is not available yet; use {', '.join(_GENE_MODELS)}"
        )
    if genemodel not in _GENE_MODELS:
        raise OptionError(f"Unknown value for parameter genemodel: {genemodel}")
    strand = settings.text("strand", "both")
    if strand not in _STRANDS:
        _LOG.warning("--strand=%s is none of %s; using both", strand, ", ".join(_STRANDS))
        strand = "both"
    table = settings.integer("translation_table", None)
    return PredictOptions(
        device=settings.text("device", "auto"),
        softmasking=settings.switch("softmasking", True),
        strand=strand,
        genemodel=genemodel,
        translation_table=profile.genetic_code if table is None else table,
        min_coding_length=settings.integer("/Constant/min_coding_len", None),
        min_intron=settings.integer("min_intron_len", None),
        accurate=settings.switch("accurate", False),
    )


def _output_options(settings: Settings, options: PredictOptions) -> OutputOptions:
    usual = OutputOptions()
    return OutputOptions(
        gff3=settings.switch("gff3", usual.gff3),
        protein=settings.switch("protein", usual.protein),
        codingseq=settings.switch("codingseq", usual.codingseq),
        introns=settings.switch("introns", usual.introns),
        cds=settings.switch("cds", usual.cds),
        start=settings.switch("start", usual.start),
        stop=settings.switch("stop", usual.stop),
        exonnames=settings.switch("exonnames", usual.exonnames),
        stop_excluded=settings.switch("stopCodonExcludedFromCDS", usual.stop_excluded),
        unique_gene_id=settings.switch("uniqueGeneId", usual.unique_gene_id),
        softmasking=options.softmasking,
        evidence=settings.switch("printEvidence", usual.evidence) and options.softmasking,
        strand=options.strand,
        verbosity=settings.integer("/augustus/verbosity", usual.verbosity),
    )


def _started(run: _Run, predict: Callable[..., Predictions] | None) -> Predictions:
    """The predictions to come, once the first sequence is read and the checkpoint is loaded."""
    from augustus_dl.io.fasta import contigs

    if predict is None:
        from augustus_dl.predict import predict
    sequences = contigs(run.query)
    first = next(sequences)
    return predict(chain([first], sequences), run.profile, run.options)


def _notes(run: _Run, command: CommandLine, named: bool) -> Iterator[str]:
    """Lines on standard error before the first gene.

    Args:
        named: say what runs where, too.
    """
    profile, scores = run.profile, run.profile.scores
    if named:
        yield (
            f"# augustus-dl {__version__}: species {profile.name} ({profile.status}), "
            f"checkpoint {profile.model}, device {run.options.device}"
        )
    if not profile.beats_augustus:
        note = f"# augustus-dl: this checkpoint ({profile.name}) does not yet beat AUGUSTUS"
        ours, theirs = scores.get("gene_f1"), scores.get("augustus_gene_f1")
        if isinstance(ours, int | float) and isinstance(theirs, int | float):
            note += f": gene F1 {ours:.1f} against {theirs:.1f} on its test sequences"
        yield note
    for option in without_effect(command.values):
        yield f"# augustus-dl: {option} has no effect yet"
    if run.output.gff3 and run.output.stop_excluded:
        yield _STOP_IN_GFF3


def _print(run: _Run, results: Predictions, command: Sequence[str], stream: TextIO) -> None:
    """Print a whole run, flushed gene by gene."""
    output = run.output
    _write(
        stream,
        preamble(
            output,
            species=run.profile.name,
            config_folder=str(run.profile.config_folder),
            query=run.query,
            code=run.code,
            gzipped=_is_gzip(run.query),
        ),
    )
    written = 0
    for number, (contig, genes) in enumerate(results, 1):
        _write(stream, sequence_header(number, contig.name, len(contig.sequence), output))
        for gene in genes:
            written += 1
            _write(stream, gene_block(gene, written, contig.sequence, output, run.code))
        if not genes:
            _write(stream, [NO_GENES])
    _write(stream, trailer(command))


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()


def _with_progress(results: Predictions, stderr: TextIO) -> Predictions:
    """Pass predictions on; after each sequence say how far and how fast: one line on a terminal,
    a line each elsewhere."""
    begin, end = ("\r\033[K", "") if stderr.isatty() else ("", "\n")
    started, bases = time.monotonic(), 0
    for contig, genes in results:
        yield contig, genes
        bases += len(contig.sequence)
        speed = bases / 1000 / max(time.monotonic() - started, 1e-3)
        stderr.write(
            f"{begin}# {contig.name}: {len(contig.sequence)} bp, {len(genes)} genes; "
            f"{bases / 1e6:.1f} Mb done, {speed:.0f} kb/s{end}"
        )
        stderr.flush()
    if not end:
        stderr.write("\n")


def _is_gzip(path: str) -> bool:
    if not os.path.isfile(path):  # reading from a pipe would take its first bytes away
        return False
    with open(path, "rb") as stream:
        return stream.read(len(_GZIP)) == _GZIP


def _open(path: Path) -> TextIO:
    return open(path, "w", encoding="utf-8", errors="surrogateescape", newline="\n")


@contextmanager
def _error_stream(path: str, stderr: TextIO) -> Iterator[TextIO]:
    """The file for messages, else `stderr`."""
    if not path:
        yield stderr
        return
    try:
        stream = _open(Path(path).expanduser())
    except OSError:
        stderr.write(f"Could not open error file {path}. Will use stderr instead.\n")
        yield stderr
        return
    with stream:
        yield stream


@contextmanager
def _output_stream(path: str, stdout: TextIO, stderr: TextIO) -> Iterator[TextIO]:
    """The output file, else `stdout`. The file appears when everything is written, or not at all.

    A pipe or device is written to directly; a path that cannot be written gets AUGUSTUS's answer.
    """
    if not path:
        yield stdout
        return
    target = Path(path).expanduser().resolve()
    whole = target.is_file() or not target.exists()
    part = target.with_name(f".{target.name}.{os.getpid()}.part") if whole else target
    try:
        stream = _open(part)
    except OSError:
        stderr.write(f"Could not open output file {path}. Will use stdout instead.\n")
        yield stdout
        return
    try:
        with stream:
            yield stream
        if whole:
            os.replace(part, target)
    except BaseException:
        if whole:
            part.unlink(missing_ok=True)
        raise
