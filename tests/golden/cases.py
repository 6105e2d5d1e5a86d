"""The golden cases: command lines of AUGUSTUS and what AUGUSTUS 3.5.0 answered.

`cases.tsv` lists them, `inputs/` holds their files, `recorded/` the answers (see record.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["HERE", "INPUTS", "SPECIES", "Answer", "Case", "all_cases", "case_named", "recorded"]

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs"
SPECIES = HERE / "species"
RECORDED = HERE / "recorded"
STATUS = RECORDED / "status.tsv"

_CONFIG = "@CONFIG"


@dataclass(frozen=True)
class Case:
    """One command line.

    Attributes:
        name: number and catchword.
        input: query file in `inputs/`, "" for none.
        arguments: options, written as for AUGUSTUS; @CONFIG stands for the config folder.
        shows: what the case is there for.
    """

    name: str
    input: str
    arguments: str
    shows: str

    def words(self, config: str) -> list[str]:
        """The words behind the program's name; files are named relative to `inputs/`."""
        words = self.arguments.replace(_CONFIG, config).split()
        return [*words, self.input] if self.input else words

    @property
    def options(self) -> dict[str, str]:
        """Option names with their values."""
        pairs = (word.removeprefix("--").partition("=") for word in self.words(""))
        return {name: value for name, equals, value in pairs if equals}


@dataclass(frozen=True)
class Answer:
    """What a run left behind: exit status, both streams, and files it wrote by name."""

    status: int
    stdout: str
    stderr: str
    files: dict[str, str] = field(default_factory=dict)

    @property
    def annotation(self) -> str:
        """What stands on standard output or in the file in its place."""
        return self.stdout or self.files.get("o.gff", "")


def all_cases() -> Sequence[Case]:
    with open(HERE / "cases.tsv", encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Case(row["case"], row["input"].removeprefix("-"), row["arguments"] or "", row["shows"])
            for row in rows
        ]


def case_named(name: str) -> Case:
    return next(case for case in all_cases() if case.name == name)


def recorded(case: Case) -> Answer:
    """AUGUSTUS's answer to a case."""
    with open(STATUS, encoding="ascii", newline="") as stream:
        status = dict(csv.reader(stream, delimiter="\t"))
    texts = {
        path.name.removeprefix(f"{case.name}."): path.read_text(encoding="utf-8")
        for path in RECORDED.glob(f"{case.name}.*")
    }
    streams = [texts.pop(stream, "") for stream in ("stdout", "stderr")]
    return Answer(int(status[case.name]), *streams, texts)
