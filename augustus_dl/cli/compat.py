"""`augustus-dl --species=human genome.fa`: AUGUSTUS's own command line around `predict`.

Standard output carries annotation only. Nothing is printed there before the first sequence is read
and the checkpoint is loaded, so that a run that cannot start leaves it empty; the command line at
its end says that a run is complete. Everything else goes to standard error.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TextIO

from augustus_dl import __version__
from augustus_dl.cli.arguments import CommandLine, Settings, parse, without_effect
from augustus_dl.cli.printing import Located, located, print_run
from augustus_dl.cli.reporting import Reported
from augustus_dl.cli.run import Run, checked
from augustus_dl.cli.usage import VERSION, help_text, parameter_list, species_list, usage
from augustus_dl.io.query import ALL_LOWER_CASE
from augustus_dl.profile import species_table

__all__ = ["main"]

_STOP_IN_GFF3 = (
    "Warning: The gff3 standard requires that the stop codon is included in the CDS. Unless this "
    "is your intention, set stopCodonExcludedFromCDS to false in your species' configuration file "
    "or on the command line."
)


def main(
    arguments: Sequence[str],
    stdout: TextIO,
    stderr: TextIO,
    predict: Callable[..., Iterable] | None = None,
    program: str = "augustus-dl",
) -> int:
    """Run AUGUSTUS's command line and return the exit status.

    Args:
        arguments: the words behind the program's name.
        predict: stands in for `augustus_dl.predict.predict`.
        program: name in usage, error frames and the command line that ends the output.
    """
    held = io.StringIO()  # an error about options is for `stderr`, a warning for the errfile
    with Reported(program, held) as checking:
        if not arguments:
            stdout.write(usage(program))
            return 0
        command = parse(arguments)
        answer = _answer(command, program)
        if answer is not None:
            stderr.write(answer)
            return 0
        run = checked(command)
        outfile, errfile = command.values.get("outfile", ""), command.values.get("errfile", "")
        quiet = stdout.isatty() and not outfile
        progress = Settings(command.values, {}).switch(
            "progress", stderr.isatty() and not (errfile or quiet)
        )
    if checking.status:
        stderr.write(held.getvalue())
        return checking.status
    with (
        _error_stream(errfile, stderr) as errors,
        Reported(program, errors) as predicting,
        _output_stream(outfile, stdout, errors) as output,
        redirect_stdout(errors) if run.cluster else nullcontext(),  # Ray tells there what it sees
    ):
        errors.write(held.getvalue())
        results = located(run, predict)
        errors.writelines(f"{line}\n" for line in _notes(run, command, named=not errfile))
        if progress:
            results = _with_progress(results, errors)
        print_run(run, results, [program, *arguments], output)
    return predicting.status


def _answer(command: CommandLine, program: str) -> str | None:
    """What is printed instead of a prediction, if that was asked for."""
    if "--version" in command.requests:
        return VERSION
    if "--help" in command.requests:
        return help_text(program)
    if "--paramlist" in command.requests:
        return parameter_list()
    if command.values.get("species") == "help":
        table = species_table(command.values.get("AUGUSTUS_CONFIG_PATH"))
        return species_list(table, program)
    return None


def _notes(run: Run, command: CommandLine, named: bool) -> Iterator[str]:
    """Lines on standard error before the first gene.

    Args:
        named: say what runs where, too.
    """
    profile, scores = run.profile, run.profile.scores
    if run.choice:
        yield f"# augustus-dl: {run.choice}"
    if named:
        yield (
            f"# augustus-dl {__version__}: species {profile.name} ({profile.status}), "
            f"checkpoint {profile.model}, device {run.options.device}"
            + f", cluster {run.cluster}"
            * bool(run.cluster)
        )
    if profile.beats_augustus is None:
        yield f"# augustus-dl: {profile.model}/README.md says what was measured with this network"
    elif not profile.beats_augustus:
        note = f"# augustus-dl: this checkpoint ({profile.name}) does not yet beat AUGUSTUS"
        ours, theirs = scores.get("gene_f1"), scores.get("augustus_gene_f1")
        if isinstance(ours, int | float) and isinstance(theirs, int | float):
            note += f": gene F1 {ours:.1f} against {theirs:.1f} on its test sequences"
        yield note
    for option in without_effect(command.values):
        yield f"# augustus-dl: {option} has no effect"
    if run.output.gff3 and run.output.stop_excluded:
        yield _STOP_IN_GFF3
    if run.options.softmasking and run.query.is_lower_case():
        yield ALL_LOWER_CASE.rstrip("\n")


def _with_progress(results: Iterable[Located], stderr: TextIO) -> Iterator[Located]:
    """Pass predictions on; after each sequence say how far and how fast: one line on a terminal,
    a line each elsewhere."""
    begin, end = ("\r\033[K", "") if stderr.isatty() else ("", "\n")
    started, bases = time.monotonic(), 0
    for found in results:
        yield found
        length = found.end - found.start
        bases += length
        speed = bases / 1000 / max(time.monotonic() - started, 1e-3)
        stderr.write(
            f"{begin}# {found.contig.name}: examined {found.start + 1}..{found.end} ({length} bp), "
            f"{len(found.genes)} genes; {bases / 1e6:.1f} Mb done, {speed:.0f} kb/s{end}"
        )
        stderr.flush()
    if not end:
        stderr.write("\n")


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
