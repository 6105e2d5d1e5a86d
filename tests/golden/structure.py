"""The rules of AUGUSTUS's text: `violations` finds what breaks them, `skeleton` what is comparable.

Rules hold for any genes. They are checked against the sequences and the options of the run, with
Biopython's genetic codes, and nothing of augustus_dl. Owns the frame of a run and the genes in it;
what a transcript must look like is in transcripts.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.golden.reading import CREDITS, PREAMBLE_ORDER, GeneBlock, Output, SequencePart, read
from tests.golden.run import Run
from tests.golden.transcripts import POSTERIOR, transcript_violations

__all__ = ["skeleton", "violations"]

_STRANDS = {"forward": "forward strand", "backward": "reverse strand"}
_SUM = re.compile(r"\d(\.\d{1,2})?")


def skeleton(text: str) -> list[str]:
    """Kinds of the lines outside genes, in order; what depends on the genes is left out."""
    output = read(text)
    kinds = [kind for kind, _ in output.preamble]
    kinds = [kind for i, kind in enumerate(kinds) if kind != CREDITS or kinds[i - 1] != CREDITS]
    for part in output.sequences:
        title = "" if part.title is None else "evaluated" if part.evaluated else "predicted"
        kinds.append(f"sequence {part.number}: {title} {part.title}, {part.strand}")
        kinds += sorted({feature.kind for feature in part.annotation})
        kinds += ["overlaps"] * part.overlaps
    kinds += [_masked(line) for line in _report_without_utrs(output.report)]
    return [*kinds, "command"] if output.command else kinds


def violations(text: str, run: Run) -> list[str]:
    """What breaks a rule in the standard output of a run; empty when nothing does."""
    output = read(text)
    return [*output.problems, *_found(output, run)]


def _found(output: Output, run: Run) -> Iterator[str]:
    yield from _preamble(output, run)
    yield from _sequences(output, run)
    yield from _numbering(output, run)
    for index, part in enumerate(output.sequences):
        if index >= len(run.sequences):
            break
        yield from _within(f"sequence {part.number}", _part(part, run, index))
        for gene in part.genes:
            yield from _within(gene.id, _gene(gene, run))
            for number in range(len(gene.transcripts)):
                yield from transcript_violations(gene, number, run, index)
    yield from _command(output, run)


def _within(place: str, messages: Iterator[str]) -> Iterator[str]:
    for message in messages:
        yield f"{place}: {message}"


# The frame of a run


def _preamble(output: Output, run: Run) -> Iterator[str]:
    kinds = [kind for kind, _ in output.preamble]
    ordered = [kind for kind in kinds if kind != CREDITS]
    if ordered != sorted(ordered, key=PREAMBLE_ORDER.index):
        yield f"the order of the preamble is {ordered}"
    softmasking = run.on("softmasking", True)
    expected = {
        "gzip": run.text("query").endswith(".gz"),
        "nonstandard code": run.number("translation_table", 1) != 1 and not run.bacterium,
        "gff-version": run.gff3,
        "generated": True,
        CREDITS: True,
        "no hints given": not run.hints and run.verbosity >= 1,
        "sources": run.hints or softmasking,
        "hints read": run.hints and run.verbosity >= 1,
        "hints held": run.hints and run.verbosity >= 1,
        "initializing": run.verbosity >= 2,
        "profile": "proteinprofile" in run.settings,
        "profile blocks": "proteinprofile" in run.settings,
        "species": True,
        "mea": run.on("mea"),
        "fasta": run.verbosity >= 3 and not run.genbank,
        "genbank": run.verbosity >= 3 and run.genbank,
        "hint counts": run.verbosity >= 1 and not run.genbank,
    }
    for kind, there in expected.items():
        if there != (kind in kinds):
            yield f"the preamble has {'no' if there else 'a'} line of kind {kind!r}"
    for kind in set(kinds) - {CREDITS, "nonstandard code", "source flag", "local malus"}:
        if kinds.count(kind) > 1:
            yield f"the preamble has {kinds.count(kind)} lines of kind {kind!r}"
    species = dict(output.preamble).get("species", "")
    if not species.startswith(f"# {run.text('species')} version."):
        yield f"{species!r} does not name the species"


def _sequences(output: Output, run: Run) -> Iterator[str]:
    if len(output.sequences) != len(run.sequences):
        yield f"{len(output.sequences)} sequences instead of {len(run.sequences)}"
    for index, (part, (name, _)) in enumerate(zip(output.sequences, run.sequences, strict=False)):
        start, end = run.range(index)
        if part.number != index + 1:
            yield f"sequence {index + 1} is announced as {part.number}"
        if (part.title is not None) != (run.verbosity >= 1):
            yield f"sequence {index + 1}: banner {part.title} at verbosity {run.verbosity}"
        if part.title is not None and part.title != (index + 1, end - start, name):
            yield f"sequence {index + 1}: banner {part.title}, name {name}, length {end - start}"


def _numbering(output: Output, run: Run) -> Iterator[str]:
    genes = [(gene, part) for part in output.sequences for gene in part.genes]
    for number, (gene, part) in enumerate(genes, 1):
        name = run.sequences[min(part.number, len(run.sequences)) - 1][0]
        expected = f"{name[:30]}.g{number}" if run.on("uniqueGeneId") else f"g{number}"
        if gene.id != expected:
            yield f"gene {gene.id} instead of {expected}"


def _part(part: SequencePart, run: Run, index: int) -> Iterator[str]:
    if part.none == bool(part.genes):
        yield f"{len(part.genes)} genes, {'and' if part.none else 'but no'} '# (none)'"
    if part.strand != _STRANDS.get(run.text("strand"), "both strands"):
        yield f"genes on {part.strand}"
    if part.overlaps != run.on("singlestrand"):
        yield "overlapping genes are announced without reason or not at all"
    starts = [min(t.line.start for t in gene.transcripts) for gene in part.genes if _whole(gene)]
    if starts != sorted(starts):
        yield f"genes are not sorted by their start: {starts}"
    if run.text("genemodel") == "exactlyone" and len(part.genes) > 1:
        yield f"{len(part.genes)} genes with genemodel exactlyone"
    if not run.bacterium and not run.on("singlestrand"):
        spans = [(g.line.start, g.line.end) for g in part.genes if g.line]
        for (_, end), (start, _) in pairwise(spans):
            if start < end:
                yield f"genes overlap at {start + 1}"


def _command(output: Output, run: Run) -> Iterator[str]:
    if output.report and not run.genbank:
        yield f"{output.report[0]!r} does not belong before the command line"
    if not output.command.endswith(run.text("query")):
        yield f"the command {output.command!r} does not name the query file"


# Genes


def _whole(gene: GeneBlock) -> bool:
    return gene.line is not None and bool(gene.transcripts)


def _gene(gene: GeneBlock, run: Run) -> Iterator[str]:
    if not _whole(gene):
        yield "no gene line or no transcript"
        return
    line = gene.line
    if line.kind != "gene":
        yield f"the first line is {line.kind}"
    if (line.start, line.end) != (
        min(t.line.start for t in gene.transcripts),
        max(t.line.end for t in gene.transcripts),
    ):
        yield f"{line.start + 1}-{line.end} is not the extent of its transcripts"
    if line.attributes != (f"ID={gene.id}" if run.gff3 else gene.id):
        yield f"attributes {line.attributes!r}"
    yield from _gene_score(gene, run)
    if run.text("strand", "both") != "both" and line.strand != (
        "+" if run.text("strand") == "forward" else "-"
    ):
        yield f"strand {line.strand}"


def _gene_score(gene: GeneBlock, run: Run) -> Iterator[str]:
    score, singles = gene.line.score, run.on("singlestrand")
    if run.sampled:
        several = len(gene.transcripts) > 1  # of different hints: their scores are summed
        if not (POSTERIOR.fullmatch(score) or (several and _SUM.fullmatch(score))):
            yield f"score {score!r} is no posterior"
            return
        best = max((_posterior(t.line.score) for t in gene.transcripts), default=0)
        if best > float(score) + 0.006:
            yield f"a transcript with a higher score than {score}"
    elif score != ("." if singles and gene.line.strand == "-" else "0" if run.on("mea") else "1"):
        yield f"score {score!r} without sampling"


def _posterior(score: str) -> float:
    return float(score) if POSTERIOR.fullmatch(score) else 0.0


# The report


def _masked(line: str) -> str:
    """A line of the accuracy report without its numbers."""
    return re.sub(r"\s+", " ", re.sub(r"-?nan|-?\d+(\.\d+)?(e-?\d+)?", "N", line)).strip()


def _report_without_utrs(report: list[str]) -> Iterator[str]:
    """The table of UTRs is there only when some are predicted."""
    inside = False
    for line in report:
        inside = inside or (line.rstrip().endswith("--\\") and len(line) == 73)
        if not inside and line and not line.startswith("nucUTP"):
            yield line
        inside = inside and not line.endswith("--/")
