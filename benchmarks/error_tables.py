"""What wrong genes have in common: kinds of differences by properties of the gene, as Markdown."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from augustus_dl.differences import FAULTS, KINDS, Difference, Fault
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import coding_bases

__all__ = ["PROPERTIES", "Errors", "Properties", "markdown", "properties"]

Properties = tuple[float, ...]
"""Of a transcript, in the order of PROPERTIES."""

PROPERTIES: dict[str, tuple[float, ...]] = {
    "coding span, kb": (1, 3, 10, 30),
    "coding exons": (2, 3, 6, 11),
    "GC of coding sequence, %": (35, 40, 45, 50, 55),
    "longest intron, bases": (1, 100, 300, 1000, 5000, 20000),
    "shortest coding exon, bases": (15, 30, 60, 100, 200),
    "soft-masked coding bases, %": (0.1, 10, 50),
}
"""What genes are counted by, with the bounds of its classes; a bound belongs to the class above."""
_SHIFTS = (4, 13, 51)


@dataclass(slots=True)
class Errors:
    """Counts of one clade.

    Attributes:
        kinds: number of genes of each kind of difference.
        classes: the same by (property, class).
        faults: number of genes with each fault, among genes that stand one against one.
        shifts: distances of splice sites that lie elsewhere.
        ends: starts and stops that lie elsewhere, by where.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    classes: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    shifts: Counter[int] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, difference: Difference, known: Properties) -> None:
        """Count one difference. known: of the reference's transcript, or the false one."""
        self.kinds[difference.kind] += 1
        self.faults.update({fault.kind for fault in difference.faults})
        self.shifts.update(abs(f.shift) for f in difference.faults if f.kind == "splice site")
        for fault in difference.faults:
            if fault.kind in ("start", "stop"):
                self.ends[fault.kind, _where(fault)] += 1
        for (name, bounds), value in zip(PROPERTIES.items(), known, strict=True):
            key = name, bisect_right(bounds, value)
            self.classes.setdefault(key, Counter())[difference.kind] += 1


def properties(transcript: Transcript, codes: np.ndarray, masked: np.ndarray) -> Properties:
    """Measure a transcript. codes: uint8 [L] base codes, masked: bool [L] soft-mask."""
    spliced = coding_bases(transcript, codes)
    soft = sum(int(np.count_nonzero(masked[start:end])) for start, end in transcript.cds)
    return (
        (transcript.cds[-1][1] - transcript.cds[0][0]) / 1000,
        len(transcript.cds),
        100 * float(((spliced == 1) | (spliced == 2)).mean()),
        max((end - start for start, end in transcript.introns), default=0),
        min(end - start for start, end in transcript.cds),
        100 * soft / len(spliced),
    )


def markdown(errors: Errors) -> str:
    """All tables of one clade."""
    total = errors.kinds.total() - errors.kinds["false"]
    present = [kind for kind in KINDS if errors.kinds[kind]]
    parts = [
        f"{total} reference genes, {errors.kinds['false']} false ones.\n",
        _table(
            ["kind", "genes", "share of reference genes, %"],
            (
                [kind, str(errors.kinds[kind]), _share(errors.kinds[kind], total)]
                for kind in present
            ),
        ),
        "Genes with a fault, where one predicted gene stands against one:\n",
        _table(["fault", "genes"], ([name, str(errors.faults[name])] for name in FAULTS)),
        *(_end_line(errors.ends, end) for end in ("start", "stop")),
        _shift_line(errors.shifts),
    ]
    for name, bounds in PROPERTIES.items():
        parts.append(
            _table(
                [name, "genes", "exact, %", *(kind for kind in present if kind != "exact")],
                _class_rows(errors, name, bounds, present),
            )
        )
    return "\n".join(parts)


def _class_rows(
    errors: Errors, name: str, bounds: Sequence[float], present: Sequence[str]
) -> Iterator[list[str]]:
    for number in range(len(bounds) + 1):
        kinds = errors.classes.get((name, number))
        if not kinds:
            continue
        genes = kinds.total() - kinds["false"]
        others = [str(kinds[kind]) for kind in present if kind != "exact"]
        yield [_class_name(bounds, number), str(genes), _share(kinds["exact"], genes), *others]


def _class_name(bounds: Sequence[float], number: int) -> str:
    if number == 0:
        return f"below {bounds[0]:g}"
    if number == len(bounds):
        return f"{bounds[-1]:g} and more"
    return f"{bounds[number - 1]:g} to below {bounds[number]:g}"


def _where(fault: Fault) -> str:
    """Where a start or stop lies, seen from that of the reference."""
    if not fault.shift:
        return "in another exon"
    return "further 3' in its exon" if fault.shift > 0 else "further 5' in its exon"


def _end_line(ends: Counter[tuple[str, str]], end: str) -> str:
    places = sorted(where for kind, where in ends if kind == end)
    named = ", ".join(f"{ends[end, where]} {where}" for where in places)
    return f"Each {end} that lies elsewhere: {named or 'none'}.\n"


def _shift_line(shifts: Counter[int]) -> str:
    """How far splice sites are off, in words."""
    if not shifts:
        return "No splice site lies elsewhere.\n"
    classes: Counter[int] = Counter()
    for shift, count in shifts.items():
        classes[bisect_right(_SHIFTS, shift)] += count
    framed = sum(count for shift, count in shifts.items() if shift % 3 == 0)
    named = ", ".join(
        f"{classes[number]} by {name}"
        for number, name in enumerate(("1 to 3", "4 to 12", "13 to 50", "more than 50"))
    )
    return (
        f"{shifts.total()} splice sites lie elsewhere: {named} bases; {framed} of them by a "
        "multiple of three.\n"
    )


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"
