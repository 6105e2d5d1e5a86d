"""What a run was asked for: its options, its species' settings and its sequences."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from Bio.Data import CodonTable

from tests.golden.cases import INPUTS, SPECIES, Case

__all__ = ["Interval", "Run", "asked"]

Interval = tuple[int, int]

_RECORD = re.compile(r"^>(\S+).*\n([^>]*)", flags=re.MULTILINE)
_LOCUS = re.compile(r"^LOCUS +(\S+)(?s:.*?)^ORIGIN((?s:.*?))^//", flags=re.MULTILINE)
_TRUE = ("true", "1", "t", "on", "yes", "y")


@dataclass(frozen=True)
class Run:
    """What a run was asked for, and on which sequences.

    Attributes:
        sequences: names and letters in the order of the input.
        settings: options, else the species' parameters.
    """

    sequences: Sequence[tuple[str, str]]
    settings: Mapping[str, str]

    @classmethod
    def of(cls, options: Mapping[str, str], query: Path, parameters: Path) -> Run:
        """The run of a command line with these options on a sequence file.

        Args:
            parameters: the species' cfg.
        """
        words = (line.split() for line in parameters.read_text(encoding="utf-8").splitlines())
        settings = {key: value for key, value, *_ in words if not key.startswith("#")}
        return cls(_sequences_of(query), {**settings, **options, "query": query.name})

    def on(self, name: str, default: bool = False) -> bool:
        return self.settings.get(name, "on" if default else "off").lower() in _TRUE

    def number(self, name: str, default: int) -> int:
        return int(self.settings.get(name, default))

    def text(self, name: str, default: str = "") -> str:
        return self.settings.get(name, default)

    @property
    def gff3(self) -> bool:
        return self.on("gff3")

    @property
    def utr(self) -> bool:
        return self.on("UTR")

    @property
    def hints(self) -> bool:
        return "hintsfile" in self.settings

    @property
    def genbank(self) -> bool:
        return ".gb" in self.text("query")

    @property
    def bacterium(self) -> bool:
        return self.text("genemodel") == "bacterium"

    @property
    def verbosity(self) -> int:
        return self.number("/augustus/verbosity", 1)

    @property
    def sampled(self) -> bool:
        """Whether scores are posteriors."""
        return self.number("sample", 100) >= 10 and not self.on("mea")

    @property
    def evidence(self) -> bool:
        """Whether the evidence for each transcript is printed."""
        return self.hints or (self.on("softmasking", True) and not self.genbank)

    @property
    def code(self) -> CodonTable.CodonTable:
        return CodonTable.unambiguous_dna_by_id[self.number("translation_table", 1)]

    def range(self, index: int) -> Interval:
        """0-based and half-open part of a sequence in which genes are looked for."""
        length = len(self.sequences[index][1])
        start = self.number("predictionStart", 1) - 1
        return start, min(length, self.number("predictionEnd", length))


def asked(case: Case) -> Run:
    """The run that a case asks for."""
    species = case.options["species"]
    parameters = SPECIES / species / f"{species}_parameters.cfg"
    return Run.of(case.options, INPUTS / case.input, parameters)


def _sequences_of(query: Path) -> list[tuple[str, str]]:
    """Names and letters of the records that have any, in their order."""
    opened = gzip.open if query.suffix == ".gz" else open
    with opened(query, "rt", encoding="ascii") as stream:
        text = stream.read()
    records = (_LOCUS if text.startswith("LOCUS") else _RECORD).findall(text)
    letters = [(name, re.sub("[^A-Za-z]", "", body)) for name, body in records]
    return [(name, bases) for name, bases in letters if bases]
