"""The rules of a transcript: its lines, their columns and order, and its comment blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from Bio.Seq import Seq

from tests.golden.reading import Comment, Feature, GeneBlock, TranscriptBlock
from tests.golden.run import Interval, Run

__all__ = ["POSTERIOR", "transcript_violations"]

_LETTERS = {
    "tss": "T",
    "transcription_start_site": "T",
    "tts": "E",
    "transcription_end_site": "E",
    "5'-UTR": "5",
    "five_prime_utr": "5",
    "3'-UTR": "3",
    "three_prime_utr": "3",
    "exon": "x",
    "start_codon": "S",
    "stop_codon": "P",
    "initial": "n",
    "internal": "n",
    "terminal": "n",
    "single": "n",
    "intron": "i",
    "CDS": "C",
    "protein_match": "m",
    "interblock_region": "b",
}
"""A letter for each class of lines; a transcript's lines spell a word."""

_WORDS = {
    "+": re.compile(r"T?[x5]*S?n*i*(Cx?)*P?[x3]*E?[mb]*"),
    "-": re.compile(r"E?[x3]*P?n*i*(Cx?)*S?[x5]*T?[mb]*"),
}
"""The words that the order of lines may spell on each strand."""

_GTF_ONLY = {"tss", "tts", "5'-UTR", "3'-UTR", "initial", "internal", "terminal", "single"}
_GFF3_ONLY = {name for name in _LETTERS if "_site" in name or "prime" in name}
_GFF3_ONLY.add("interblock_region")
POSTERIOR = re.compile(r"0|1|0\.0*[1-9]\d{0,2}|[1-9](\.\d{1,2})?e-\d\d")
_BLOCK_SCORE = re.compile(r"-?\d+(\.\d+)?(e[+-]\d\d)?")
_WIDTH = 100
_EVIDENCE_LINES = (
    r"# % of transcript supported by hints \(any source\): (\S+)",
    r"# CDS exons: (\d+)/(\d+)",
    r"# CDS introns: (\d+)/(\d+)",
    r"# 5'UTR exons and introns: (\d+)/(\d+)",
    r"# 3'UTR exons and introns: (\d+)/(\d+)",
    r"# hint groups fully obeyed: (\d+)",
    r"# incompatible hint groups: (\d+)",
)
_SOURCE = re.compile(r"# ([ \w]{6}):([ \d]{4}) (\(\S+\))?")


@dataclass(frozen=True)
class _Context:
    """A transcript with what its rules look at."""

    block: TranscriptBlock
    gene: GeneBlock
    name: str
    run: Run
    index: int

    @property
    def strand(self) -> str:
        return self.block.line.strand

    def of(self, *kinds: str) -> list[Feature]:
        return [part for part in self.block.parts if part.kind in kinds]

    def intervals(self, *kinds: str) -> list[Interval]:
        return [(part.start, part.end) for part in self.of(*kinds)]

    @property
    def codons(self) -> tuple[Feature | None, Feature | None]:
        """The lines of start and stop codon."""
        return tuple(next(iter(self.of(kind)), None) for kind in ("start_codon", "stop_codon"))

    @property
    def cds(self) -> list[Interval]:
        """Coding intervals with the stop codon, also where the lines leave it out."""
        found = self.intervals("CDS")
        stop = self.codons[1]
        if not (self.run.on("stopCodonExcludedFromCDS") and stop):
            return found
        inner = self.intervals("initial", "internal", "terminal", "single")
        if inner:
            return inner
        return _with_stop(found, (stop.start, stop.end), self.strand)

    @property
    def utrs(self) -> tuple[list[Interval], list[Interval]]:
        """5' and 3' UTR parts, from the lines of UTRs or of exons."""
        if self.run.on("print_utr"):
            return (
                self.intervals("5'-UTR", "five_prime_utr"),
                self.intervals("3'-UTR", "three_prime_utr"),
            )
        first, last = self.cds[0][0], self.cds[-1][1]
        exons = self.intervals("exon")
        left = [(start, min(end, first)) for start, end in exons if start < first]
        right = [(max(start, last), end) for start, end in exons if end > last]
        return (left, right) if self.strand == "+" else (right, left)

    @property
    def introns(self) -> list[Interval]:
        """Introns between coding intervals, and those that run over an end of the transcript."""
        line, cds, (five, three) = self.block.line, self.cds, self.utrs
        left, right = (five, three) if self.strand == "+" else (three, five)
        inner = [(a[1], b[0]) for a, b in pairwise(cds)]
        if line.start < cds[0][0] and not left:
            inner.insert(0, (line.start, cds[0][0]))
        if line.end > cds[-1][1] and not right:
            inner.append((cds[-1][1], line.end))
        return inner


def _with_stop(cds: list[Interval], stop: Interval, strand: str) -> list[Interval]:
    """Coding intervals joined with the last three bases; a split codon joins by its own exon."""
    if strand == "+":
        if cds and cds[-1][1] >= stop[0]:
            return [*cds[:-1], (cds[-1][0], stop[1])]
        return [*cds, stop]
    if cds and cds[0][0] <= stop[1]:
        return [(stop[0], cds[0][1]), *cds[1:]]
    return [stop, *cds]


def transcript_violations(gene: GeneBlock, number: int, run: Run, index: int) -> Iterator[str]:
    """What breaks a rule in one transcript of a gene.

    Args:
        number: of the transcript in its gene, from 0.
        index: of the sequence in the run, from 0.
    """
    if gene.line is None:
        return
    context = _Context(gene.transcripts[number], gene, f"{gene.id}.t{number + 1}", run, index)
    rules = _RULES if context.cds or not run.on("cds", True) else (_transcript_line, _lines, _none)
    for rule in rules:
        for message in rule(context):
            yield f"{context.name}: {message}"


def _none(context: _Context) -> Iterator[str]:
    """Other rules need coding sequence."""
    yield "no CDS line"


def _transcript_line(context: _Context) -> Iterator[str]:
    line, run = context.block.line, context.run
    parent = f";Parent={context.gene.id}"
    if line.attributes != (f"ID={context.name}{parent}" if run.gff3 else context.name):
        yield f"attributes {line.attributes!r}"
    if line.strand != context.gene.line.strand or line.strand not in _WORDS:
        yield f"strand {line.strand!r} on a gene on {context.gene.line.strand!r}"
    start, end = run.range(context.index)
    if not start <= line.start < line.end <= end:
        yield f"{line.start + 1}-{line.end} is not inside {start + 1}-{end}"
    yield from _score(line, run.sampled)


def _score(line: Feature, sampled: bool) -> Iterator[str]:
    if sampled and not POSTERIOR.fullmatch(line.score):
        yield f"score {line.score!r} is no posterior"
    if not sampled and line.score != ".":
        yield f"score {line.score!r} without sampling"


def _lines(context: _Context) -> Iterator[str]:
    for part in context.block.parts:
        for message in _columns(part, context):
            yield f"line {part.number}: {message}"


def _columns(part: Feature, context: _Context) -> Iterator[str]:
    """What one line says by itself."""
    run, line = context.run, context.block.line
    if part.contig != run.sequences[context.index][0]:
        yield f"sequence name {part.contig}"
    if part.kind not in _LETTERS or part.kind in (_GTF_ONLY if run.gff3 else _GFF3_ONLY):
        yield f"no such feature: {part.kind}"
        return
    if part.strand != line.strand:
        yield f"strand {part.strand}"
    if not line.start <= part.start < part.end <= line.end:
        yield f"{part.kind} {part.start + 1}-{part.end} is not inside its transcript"
    if part.kind == "protein_match":
        if not _BLOCK_SCORE.fullmatch(part.score):
            yield f"score {part.score!r}"
    else:
        yield from _score(part, run.sampled and _LETTERS[part.kind] in "niC53")
    phases = "012" if _LETTERS[part.kind] in "nCm" else "0" if _LETTERS[part.kind] in "SP" else "."
    if part.phase not in phases:
        yield f"{part.kind} with phase {part.phase!r}"
    if not _attributes(context, part.kind).fullmatch(part.attributes):
        yield f"{part.kind} with attributes {part.attributes!r}"


def _attributes(context: _Context, kind: str) -> re.Pattern:
    """The grammar of column 9."""
    name, gene = re.escape(context.name), re.escape(context.gene.id)
    gtf = rf'transcript_id "{name}"; gene_id "{gene}";'
    if kind == "protein_match":
        gff3 = rf"ID=pp\.{name}\.(\S+);Target=\1 \d+ \d+;Target_start=\d+;"
        gtf = rf'target "\S+\[\d+\.\.\d+\]"; target_start \d+; {gtf}'
    elif kind == "interblock_region":
        gff3 = rf"ID=pp\.{name}\.iBR\d+"
    else:
        gff3 = rf"ID={name}\.cds;Parent={name}" if kind == "CDS" else f"Parent={name}"
    return re.compile(gff3 if context.run.gff3 else gtf)


def _order(context: _Context) -> Iterator[str]:
    word = "".join(_LETTERS.get(part.kind, "?") for part in context.block.parts)
    if context.strand in _WORDS and not _WORDS[context.strand].fullmatch(word):
        yield f"the lines come in the order {[part.kind for part in context.block.parts]}"
    for letter in "Cinx53":
        same = [p for p in context.block.parts if _LETTERS.get(p.kind) == letter]
        for before, after in pairwise(same):
            if after.start < before.end:
                yield f"{after.kind} {after.start + 1} comes after {before.start + 1}"


def _switched(context: _Context) -> Iterator[str]:
    """Lines that were switched off, or are missing although they are on."""
    run = context.run
    allowed = {
        "CDS": run.on("cds", True),
        "start_codon": run.on("start", True),
        "stop_codon": run.on("stop", True),
        "intron": run.on("introns"),
        "exon": run.utr and not run.on("print_utr"),
        **dict.fromkeys(("tss", "transcription_start_site"), run.utr),
        **dict.fromkeys(("tts", "transcription_end_site"), run.utr),
        **dict.fromkeys(("5'-UTR", "five_prime_utr"), run.utr and run.on("print_utr")),
        **dict.fromkeys(("3'-UTR", "three_prime_utr"), run.utr and run.on("print_utr")),
        **dict.fromkeys(
            ("initial", "internal", "terminal", "single"), run.on("exonnames") and not run.gff3
        ),
        "protein_match": "proteinprofile" in run.settings,
    }
    kinds = {part.kind for part in context.block.parts}
    for kind in sorted(kinds):
        if not allowed.get(kind, True):
            yield f"{kind} lines are switched off"
    if allowed["CDS"] and allowed["intron"] and context.intervals("intron") != context.introns:
        yield f"introns {context.intervals('intron')} instead of {context.introns}"
    sequences = {"protein": run.on("protein", True), "coding": run.on("codingseq")}
    for name, there in {**sequences, "evidence": run.evidence}.items():
        if there != (getattr(context.block, name) is not None):
            yield f"{name} block {'missing' if there else 'although it is off'}"


def _chain(context: _Context) -> Iterator[str]:
    """Phases continue from exon to exon; a complete CDS is whole codons."""
    parts = context.of("CDS")
    if context.strand == "-":
        parts = parts[::-1]
    for before, after in pairwise(parts):
        expected = (int(before.phase or 0) - (before.end - before.start)) % 3
        if after.phase != str(expected):
            yield f"CDS {after.start + 1} has phase {after.phase} instead of {expected}"
    start, stop = context.codons
    if start and parts and parts[0].phase != "0":
        yield f"a CDS with start codon begins in phase {parts[0].phase}"
    if start and stop and sum(e - s for s, e in context.cds) % 3:
        yield "a complete CDS is not a number of whole codons"


def _codon_lines(context: _Context) -> Iterator[str]:
    """Start and stop codon are three bases at the ends of the CDS; without them it is cut off."""
    run, line = context.run, context.block.line
    start, end = run.range(context.index)
    forward = context.strand == "+"
    for codon, kind, left in zip(
        context.codons, ("start_codon", "stop_codon"), (forward, not forward), strict=True
    ):
        if codon:
            if codon.end - codon.start != 3:
                yield f"{kind} of {codon.end - codon.start} bases"
            if context.cds and (codon.start if left else codon.end) != (
                context.cds[0][0] if left else context.cds[-1][1]
            ):
                yield f"{kind} at {codon.start + 1} is not at the end of the CDS"
        elif run.on(kind.removesuffix("_codon"), True):
            if run.text("genemodel", "partial") in ("complete", "atleastone", "exactlyone"):
                yield f"no {kind} with genemodel {run.text('genemodel')}"
            if (line.start != start) if left else (line.end != end):
                yield f"no {kind}, yet it does not reach the end of the sequence"


def _names(context: _Context) -> Iterator[str]:
    """Names of exons say which ends are complete."""
    parts = context.of("initial", "internal", "terminal", "single")
    if not parts:
        return
    if [(p.start, p.end) for p in parts] != context.cds and context.run.on("cds", True):
        yield "exon names and CDS have other coordinates"
    names = [part.kind for part in (parts if context.strand == "+" else parts[::-1])]
    start, stop = context.codons
    expected = ["internal"] * len(names)
    if start and context.run.on("start", True):
        expected[0] = "initial"
    if stop and context.run.on("stop", True):
        expected[-1] = "single" if len(names) == 1 and start else "terminal"
    if names != expected:
        yield f"exon names {names} instead of {expected}"


def _exon_lines(context: _Context) -> Iterator[str]:
    """Each CDS lies in one exon line; together they hold nothing but CDS and UTRs."""
    if not (context.run.utr and not context.run.on("print_utr") and context.run.on("cds", True)):
        return
    exons = context.intervals("exon")
    for start, end in context.cds:
        if sum(s <= start and end <= e for s, e in exons) != 1:
            yield f"CDS {start + 1}-{end} is not in one exon"
    for start, end in exons:
        inside = [c for c in context.cds if start <= c[0] and c[1] <= end]
        first, last = context.cds[0][0], context.cds[-1][1]
        if len(inside) > 1 or (not inside and start < last and end > first):
            yield f"exon {start + 1}-{end} holds {len(inside)} CDS"
        for cds in inside:
            if (cds[0] != start and cds[0] != first) or (cds[1] != end and cds[1] != last):
                yield f"exon {start + 1}-{end} is wider than an inner CDS"


def _ends(context: _Context) -> Iterator[str]:
    """The transcript reaches exactly over its parts; tss and tts are single bases at its ends."""
    line, parts = context.block.line, context.block.parts
    if parts and context.run.on("cds", True) and context.run.on("introns"):
        extent = min(p.start for p in parts), max(p.end for p in parts)
        if extent != (line.start, line.end) and context.of("CDS"):
            yield f"{line.start + 1}-{line.end} is not the extent of its parts"
    for kinds, left in (("tss", context.strand == "+"), ("tts", context.strand == "-")):
        site = "start" if kinds == "tss" else "end"
        for part in context.of(kinds, f"transcription_{site}_site"):
            if part.end - part.start != 1 or part.start != (line.start if left else line.end - 1):
                yield f"{part.kind} at {part.start + 1}-{part.end}"


def _model(context: _Context) -> Iterator[str]:
    model = context.run.text("genemodel")
    if model in ("intronless", "bacterium") and len(context.cds) > 1:
        yield f"an intron with genemodel {model}"


# Comment blocks


def _coding(context: _Context) -> str:
    """Coding bases in reading direction, lower case."""
    letters = context.run.sequences[context.index][1].lower()
    bases = "".join(letters[start:end] for start, end in context.cds)
    return bases if context.strand == "+" else bases[::-1].translate(str.maketrans("acgt", "tgca"))


def _blocks(context: _Context) -> Iterator[str]:
    """Width of the lines of sequences, and what they hold."""
    for comment in (context.block.coding, context.block.protein):
        if comment:
            yield from _widths(comment)
    if not context.run.on("cds", True):
        return
    coding = _coding(context)
    if context.block.coding and context.block.coding.letters != coding:
        yield "the coding sequence is not that of the CDS"
    start, stop = context.codons
    if start and coding[:3].upper() not in {"ATG", *context.run.code.start_codons}:
        yield f"start codon {coding[:3]}"
    if stop and coding[-3:].upper() not in context.run.code.stop_codons:
        yield f"stop codon {coding[-3:]}"
    if context.block.protein:
        expected = _protein(coding, context)
        if context.block.protein.letters != expected:
            yield f"protein {context.block.protein.letters} instead of {expected}"


def _widths(comment: Comment) -> Iterator[str]:
    for line in comment.lines[:-1]:
        if len(line.removesuffix("]")) != _WIDTH:
            yield f"line {comment.number}: a sequence line of {len(line)} columns"
    if comment.lines[-1] == "# ]" or len(comment.lines[-1].removesuffix("]")) > _WIDTH:
        yield f"line {comment.number}: the last line of a sequence is {comment.lines[-1]!r}"


def _protein(coding: str, context: _Context) -> str:
    parts = context.of("CDS") or context.of("initial", "internal", "terminal", "single")
    first = parts[0] if context.strand == "+" else parts[-1]
    start, stop = context.codons
    bases = re.sub("[^acgt]", "n", coding[int(first.phase) :])
    protein = str(Seq(bases[: len(bases) // 3 * 3]).translate(table=context.run.code))
    if stop or not context.run.on("stop", True):
        protein = protein.removesuffix("*")
    if start and context.run.bacterium:
        protein = "M" + protein[1:]
    return protein.replace("*", "X")


def _evidence(context: _Context) -> Iterator[str]:
    """The block counts the transcript's exons and introns, and its sources add up."""
    comment = context.block.evidence
    if not comment:
        return
    _, *lines = comment.lines
    counts: list[tuple[str, ...]] = []
    for pattern in _EVIDENCE_LINES:
        found = re.fullmatch(pattern, lines.pop(0)) if lines else None
        if not found:
            yield f"line {comment.number}: evidence without {pattern!r}"
            return
        counts.append(found.groups())
        sources = []
        while lines and (source := _SOURCE.fullmatch(lines[0])):
            sources.append((source[1].strip(), int(source[2]), source[3]))
            lines.pop(0)
        yield from _sources(sources, found)
    if lines:
        yield f"line {comment.number}: {lines[0]!r} is not evidence"
    yield from _supported(counts, context)


def _sources(sources: list[tuple[str, int, str | None]], found: re.Match) -> Iterator[str]:
    names = [name for name, _, _ in sources]
    if names != sorted(set(names)):
        yield f"sources {names} are not sorted"
    groups = "groups" in found.re.pattern
    if any(listed for _, _, listed in sources) and not groups:
        yield "groups are listed where parts are counted"
    total = sum(count for _, count, _ in sources)
    supported = int(found[1]) if found[1].isdecimal() else 0
    if "%" not in found[0] and (total < supported or (groups and total != supported)):
        yield f"{found[0]!r} has sources with {total} together"


def _supported(counts: list[tuple[str, ...]], context: _Context) -> Iterator[str]:
    (percent,), exons, introns, five, three, _, _ = counts
    parts = [(int(part), int(whole)) for part, whole in (exons, introns, five, three)]
    if any(part > whole for part, whole in parts):
        yield f"more parts supported than there are: {parts}"
    part, whole = (sum(column) for column in zip(*parts, strict=True))
    if percent != f"{100 * part / max(1, whole):.3g}":
        yield f"{percent} % of {part}/{whole}"
    if context.run.on("cds", True):
        expected = [len(context.cds), len(context.introns)]
        expected += [_utr_parts(utr, context) for utr in context.utrs]
        if [whole for _, whole in parts] != expected:
            yield f"evidence counts {[whole for _, whole in parts]} parts instead of {expected}"


def _utr_parts(utr: list[Interval], context: _Context) -> int:
    """Exons of a UTR and introns between them; an intron before the CDS ends in an empty exon."""
    coding = (context.cds[0][0], context.cds[-1][1])
    gaps = [(a, b) for a, b in pairwise(sorted([*utr, coding])) if a[1] < b[0]]
    return len(utr) + len(gaps) + any(coding in gap for gap in gaps)


def _profile(context: _Context) -> Iterator[str]:
    """Each block that matches is listed with its sequence behind the protein."""
    names = {
        re.search(r'(?:target "|Target=)([^\s\[]+)', match.attributes)[1]
        for match in context.of("protein_match")
        if re.search(r'(?:target "|Target=)([^\s\[]+)', match.attributes)
    }
    listed = context.block.matched.lines if context.block.matched else ()
    if names != {line.split()[4] for line in listed}:
        yield f"block sequences of {sorted(names)} are not listed"
    for line in listed:
        name, start, letters, end = re.fullmatch(
            r"# sequence of block (\S+)\s+(\d+) \[(\S*)\] (\d+)", line
        ).groups()
        if line != f"# sequence of block {name:10}{start:>5} [{letters}] {end}":
            yield f"columns of {line!r}"
        if len(letters) != int(end) - int(start):
            yield f"block {name} of {len(letters)} letters at {start}-{end}"
        protein = context.block.protein
        if protein and protein.letters[int(start) : int(end)] != letters:
            yield f"block {name} is not in the protein at {start}"


_RULES: tuple[Callable[[_Context], Iterator[str]], ...] = (
    _transcript_line,
    _lines,
    _order,
    _switched,
    _chain,
    _codon_lines,
    _names,
    _exon_lines,
    _ends,
    _model,
    _blocks,
    _evidence,
    _profile,
)
