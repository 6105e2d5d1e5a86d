"""AUGUSTUS's text as blocks: preamble, sequences, genes, transcripts, report, command line.

Reading keeps going behind a line that stands where it must not and notes it as a problem; whether
the blocks are right is decided in structure.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = [
    "CREDITS",
    "PREAMBLE_ORDER",
    "Comment",
    "Feature",
    "GeneBlock",
    "Output",
    "SequencePart",
    "TranscriptBlock",
    "read",
]

CREDITS = "credits"

_PREAMBLE = (
    ("nonstandard code", r"# Warning: Using nonstandard genetic code: [ACGT]{3} coding for .+\."),
    ("gzip", r"# Looks like .+ is in gzip format\. Deflating\.\.\."),
    ("gff-version", r"##gff-version 3"),
    ("generated", r"# This output was generated with AUGUSTUS \(version 3\.5\.0\)\."),
    ("no hints given", r"# No extrinsic information on sequences given\."),
    ("sources", r"# Sources of extrinsic information: (\w+ )+"),
    ("source flag", r"# Setting (1group1gene|individual_liability) for \w+\."),
    ("local malus", r"# Setting \w+ local malus: \S+"),
    ("hints read", r"# reading in the file .+ \.\.\."),
    (
        "hints held",
        r"# Have extrinsic information about \d+ sequences \(in the specified range\)\. ",
    ),
    ("initializing", r"# Initializing the parameters using config directory .+/ \.\.\."),
    ("profile", r"# Using protein profile \S+"),
    ("profile blocks", r"# --\[\d+\.\.\d+\]-->( \S+ \(\d+\) <--(\[\d+\.\.\d+\])?-->?)+"),
    (
        "species",
        r"# \S+ version\. Using (default transition matrix\.|species specific .+ matrix: .+)",
    ),
    ("overlap lengths", r"# Using (default|species specific) overlap length .+"),
    ("temperature", r"# setting temperature to \d \(for sampling\)"),
    ("start codons", r"# admissible start codons and their probabilities: .+"),
    ("mea", r"# Using MEA approach \(Maximizing expected accuracy\)\."),
    ("fasta", r"# Looks like .+ is in fasta format\."),
    ("genbank", r"# Looks like .+ is in genbank format\. Augustus uses the annotation .+\."),
    ("records", r"# Read in \d+ genbank sequences\."),
    ("hints elsewhere", r"# WARNING: extrinsic information given but not on any of the .+!"),
    ("other names", r"# Maybe different sequence names\?"),
    (
        "hint counts",
        r"# We have hints for (1 sequence|\d+ sequences) and for \d+ of the sequences .+ set\.",
    ),
)
"""Kinds of lines before the first sequence, in their order, with their whole text."""

PREAMBLE_ORDER = [kind for kind, _ in _PREAMBLE]

_NOTES = (
    ("group deleted", r"# Delete group HintGroup .+"),
    ("groups deleted", r"# Deleted \d+ groups because some hint was not satisfiable\."),
    ("strands forced", r"# Forced unstranded hint group to the only possible strand for \d+ .+"),
    ("hints listed", r"# Constraints/Hints:"),
    ("hint", r"[^#\t]\S*(\t[^\t]*){8}"),
)
"""Lines about hints before the genes of a sequence."""

_TITLE = re.compile(
    r"# ----- (prediction on )?sequence number (\d+) \(length = (\d+), name = (\S+)\) -----"
)
_ANNOTATED = re.compile(r"# Sequence (\S+) length=(\d+)")
_GENES_OF = re.compile(
    r"# Predicted genes for sequence number (\d+) on (both strands|forward strand|reverse strand)"
)
_OVERLAPS = re.compile(r"# Overlapping genes on opposite strand (are|were) allowed\.")
_NONE = "# (none)"
_START = re.compile(r"# start gene (\S+)")
_END = re.compile(r"# end gene (\S+)")
_SEQUENCE = re.compile(r"# (coding|protein) sequence = \[")
_MATCHED = re.compile(r"# sequence of block (\S+)\s+(\d+) \[([A-Z*]*)\] (\d+)")
_EVIDENCE = "# Evidence for and against this transcript:"
_COMMAND = "# command line:"
_COLUMNS = 9


@dataclass(frozen=True)
class Feature:
    """A line of nine columns; coordinates 0-based and half-open.

    Attributes:
        number: of the line in the text, from 1.
        score, phase: as written.
    """

    number: int
    contig: str
    source: str
    kind: str
    start: int
    end: int
    score: str
    strand: str
    phase: str
    attributes: str


@dataclass(frozen=True)
class Comment:
    """A comment block: number of its first line, and its lines."""

    number: int
    lines: tuple[str, ...]

    @property
    def letters(self) -> str:
        """What stands between the brackets."""
        first, *others = self.lines
        return "".join([first.partition("[")[2], *(o[2:] for o in others)]).partition("]")[0]


@dataclass
class TranscriptBlock:
    """A transcript's own line, the lines of its parts, and its comment blocks."""

    line: Feature
    parts: list[Feature] = field(default_factory=list)
    coding: Comment | None = None
    protein: Comment | None = None
    matched: Comment | None = None
    evidence: Comment | None = None


@dataclass
class GeneBlock:
    """All between `# start gene` and `###`."""

    number: int
    id: str
    line: Feature | None = None
    transcripts: list[TranscriptBlock] = field(default_factory=list)


@dataclass
class SequencePart:
    """What is printed for one sequence.

    Attributes:
        title: number, length and name from the banner; None without one.
        evaluated: the banner is that of GenBank input.
        annotation: features read from a GenBank file.
        notes: kinds of the lines about hints.
        number, strand: from the line that announces the genes.
        overlaps: overlapping genes are announced.
        none: `# (none)` stands there.
    """

    title: tuple[int, int, str] | None = None
    evaluated: bool = False
    annotation: list[Feature] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    number: int = 0
    strand: str = ""
    overlaps: bool = False
    none: bool = False
    genes: list[GeneBlock] = field(default_factory=list)


@dataclass
class Output:
    """A whole run.

    Attributes:
        preamble: kind and text of each line before the first sequence.
        report: lines between the last sequence and the command line.
        command: the command, "" when the run did not end.
        problems: lines that stand where they must not.
    """

    preamble: list[tuple[str, str]] = field(default_factory=list)
    sequences: list[SequencePart] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    command: str = ""
    problems: list[str] = field(default_factory=list)


def read(text: str) -> Output:
    """The blocks of a run's standard output."""
    return _Reader(text).output


class _Reader:
    def __init__(self, text: str) -> None:
        self.output = Output()
        self._lines = text.split("\n")
        self._at = 0
        if self._lines.pop():
            self._problem("the last line has no end")
        self._preamble()
        while self._here() is not None and not self._at_end():
            before = self._at
            self._sequence()
            if self._at == before:
                self._unexpected()
        self._ending()

    def _here(self) -> str | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    def _take(self) -> str:
        self._at += 1
        return self._lines[self._at - 1]

    def _takes(self, line: str) -> bool:
        if self._here() != line:
            return False
        self._at += 1
        return True

    def _match(self, pattern: re.Pattern) -> re.Match | None:
        found = pattern.fullmatch(self._here() or "")
        if found:
            self._at += 1
        return found

    def _problem(self, text: str) -> None:
        self.output.problems.append(f"line {self._at + 1}: {text}")

    def _unexpected(self) -> None:
        self._problem(f"{self._here()!r} does not belong here")
        self._at += 1

    def _preamble(self) -> None:
        while (line := self._here()) is not None and not self._begins_sequence(line):
            if self._at_end():
                return
            kind = _kind(line, _PREAMBLE)
            if kind:
                self.output.preamble.append((kind, line))
                self._at += 1
            else:
                self._unexpected()
            if kind == "generated":
                self._credits()

    def _credits(self) -> None:
        """Comment lines of free text behind the one that names AUGUSTUS."""
        while (line := self._here()) and line.startswith("# ") and not _kind(line, _PREAMBLE):
            if self._begins_sequence(line) or self._at_end():
                return
            self.output.preamble.append((CREDITS, self._take()))

    def _begins_sequence(self, line: str) -> bool:
        return line == "#" or bool(_GENES_OF.fullmatch(line)) or bool(_kind(line, _NOTES))

    def _at_end(self) -> bool:
        """Whether a report or the command line begins here."""
        line = self._here() or ""
        report = bool(self.output.sequences) and not line.startswith("#")
        return report or line == _COMMAND

    def _sequence(self) -> None:
        part = SequencePart()
        self.output.sequences.append(part)
        if self._takes("#"):
            title = self._match(_TITLE)
            if title:
                part.evaluated = not title[1]
                part.title = int(title[2]), int(title[3]), title[4]
            if not title or not self._takes("#"):
                self._unexpected()
        if part.evaluated:
            self._annotation(part)
        while (line := self._here()) and (kind := _kind(line, _NOTES)):
            part.notes.append(kind)
            self._at += 1
        genes = self._match(_GENES_OF)
        if not genes:
            self.output.sequences.remove(part)
            return
        part.number, part.strand = int(genes[1]), genes[2]
        part.overlaps = bool(self._match(_OVERLAPS))
        part.none = self._takes(_NONE)
        while (self._here() or "").startswith("# start gene"):
            self._gene(part)

    def _annotation(self, part: SequencePart) -> None:
        for expected in ("", "# annotation: "):
            if not self._takes(expected):
                self._unexpected()
        if not self._match(_ANNOTATED):
            self._unexpected()
        part.annotation = list(self._features("database"))

    def _gene(self, part: SequencePart) -> None:
        number = self._at + 1
        start = _START.fullmatch(self._take())
        gene = GeneBlock(number, start[1] if start else "")
        part.genes.append(gene)
        lines = self._features("AUGUSTUS")
        gene.line = next(lines, None)
        self._transcripts(gene, lines)
        while (line := self._here()) is not None and not line.startswith("# end gene"):
            if line == "###" or line.startswith("# start gene") or line == _COMMAND:
                self._problem("the gene does not end")
                return
            self._unexpected()
        end = self._match(_END)
        if not end or end[1] != gene.id:
            self._problem(f"gene {gene.id!r} ends as {end[1] if end else None!r}")
        if not self._takes("###"):
            self._problem("### is missing behind a gene")

    def _transcripts(self, gene: GeneBlock, lines: Iterator[Feature]) -> None:
        current: TranscriptBlock | None = None
        while True:
            for feature in lines:
                if feature.kind == "transcript":
                    current = TranscriptBlock(feature)
                    gene.transcripts.append(current)
                elif current is None or current.coding or current.protein or current.evidence:
                    self.output.problems.append(
                        f"line {feature.number}: {feature.kind} without a transcript before it"
                    )
                else:
                    current.parts.append(feature)
            if current is not None:
                self._comments(current)
            if "\t" not in (self._here() or ""):
                return
            lines = self._features("AUGUSTUS")

    def _comments(self, transcript: TranscriptBlock) -> None:
        """Read the comment blocks behind the lines of a transcript."""
        blocks: dict[str, Callable[[], Comment | None]] = {
            "coding": lambda: self._bracketed("coding"),
            "protein": lambda: self._bracketed("protein"),
            "matched": lambda: self._run(lambda line: bool(_MATCHED.fullmatch(line))),
            "evidence": self._evidence,
        }
        for name, block in blocks.items():
            comment = block()
            if comment:
                setattr(transcript, name, comment)

    def _bracketed(self, kind: str) -> Comment | None:
        found = _SEQUENCE.match(self._here() or "")
        if not found or found[1] != kind:
            return None
        number, lines = self._at + 1, [self._take()]
        while "]" not in lines[-1]:
            line = self._here()
            if line is None or not re.fullmatch(r"# [A-Za-z]*\]?", line):
                self._problem(f"the {kind} sequence does not end")
                break
            lines.append(self._take())
        return Comment(number, tuple(lines))

    def _run(self, belongs: Callable[[str], bool]) -> Comment | None:
        number, lines = self._at + 1, []
        while (line := self._here()) is not None and belongs(line):
            lines.append(self._take())
        return Comment(number, tuple(lines)) if lines else None

    def _evidence(self) -> Comment | None:
        if self._here() != _EVIDENCE:
            return None
        return self._run(
            lambda line: line.startswith("# ") and not _END.fullmatch(line) and line != _COMMAND
        )

    def _features(self, source: str) -> Iterator[Feature]:
        while (line := self._here()) is not None and "\t" in line:
            columns = line.split("\t")
            if len(columns) != _COLUMNS or not (columns[3] + columns[4]).isdecimal():
                self._problem(f"{line!r} has not nine columns with whole coordinates")
            elif columns[1] != source:
                self._problem(f"source {columns[1]} instead of {source}")
            else:
                yield Feature(
                    self._at + 1,
                    *columns[:3],
                    int(columns[3]) - 1,
                    int(columns[4]),
                    *columns[5:],
                )
            self._at += 1

    def _ending(self) -> None:
        while (line := self._here()) is not None and line != _COMMAND:
            self.output.report.append(self._take())
        if not self._takes(_COMMAND):
            self._problem("the command line is missing")
            return
        line = self._here() or ""
        if not line.startswith("# "):
            self._problem("the command is missing")
        else:
            self.output.command = self._take()[2:]
        while self._here() is not None:
            self._unexpected()


def _kind(line: str, kinds: tuple[tuple[str, str], ...]) -> str:
    """The kind whose pattern a whole line has, "" for none."""
    return next((kind for kind, pattern in kinds if re.fullmatch(pattern, line)), "")
