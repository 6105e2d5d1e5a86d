"""The accuracy report that AUGUSTUS 3.5.0 prints behind its predictions on GenBank input.

Owns the text, not the counting. optimize_augustus.pl, BRAKER, GALBA and funannotate cut the values
out of these lines at their bars, so every blank counts. AUGUSTUS prints `nan` for 0/0, here it is
0, because the readers calculate with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from augustus_dl.augustus_accuracy import AugustusAccuracy, EndDistances
    from augustus_dl.evaluate import Level

__all__ = ["report_lines"]


def report_lines(accuracy: AugustusAccuracy, seconds: float) -> Iterator[str]:
    """The whole report, from the line behind the last gene to `# total time`; no line ends.

    The table of untranslated regions comes only when some predicted transcript has one.

    Args:
        seconds: time spent on predicting.
    """
    yield from _distances("TSS", accuracy.tss)
    yield from _distances("TTS", accuracy.tts)
    yield from _quotients(accuracy.loci)
    yield from ("", "*******      Evaluation of gene prediction     *******", "")
    yield from _nucleotide_table(accuracy.bases)
    yield ""
    yield from _exon_table(accuracy)
    yield ""
    yield from _transcript_table(accuracy.transcripts)
    if accuracy.tss.predicted or accuracy.tts.predicted:
        yield ""
        yield from _utr_table(accuracy)
    yield f"# total time: {_number(seconds)}"


def _number(value: float) -> str:
    """As a C++ stream prints it with three significant digits."""
    return f"{value:.3g}"


def _ratio(part: int, other: int) -> str:
    """part / (part + other), 0 when both are 0."""
    return _number(part / (part + other) if part else 0.0)


def _distances(name: str, ends: EndDistances) -> Iterator[str]:
    if not ends.distances:
        return
    yield f"{name} distances "
    for distance, count in sorted(ends.distances.items()):
        if distance <= ends.LIMIT:
            yield f"{distance}\ttimes:{count}"
    if ends.beyond:
        yield f"Warning: {ends.beyond} {name} are off by more than {ends.LIMIT}"


def _quotients(loci: int) -> Iterator[str]:
    """AUGUSTUS could compare its path with the true one; it does not, and reports no difference."""
    yield "a-posteriori probability of viterbi path"
    yield "-" * 40
    yield "a-posteriori probability of correct path"
    yield ""
    yield f"{loci} times were the paths equally likely (identical)."
    yield "sorted quotients of the rest:"
    yield ""
    yield "0 quotients were between 1 and 10"
    yield ""


def _nucleotide_table(bases: Level) -> Iterator[str]:
    widths = (16, 11, 11)
    yield _rule(45, "\\")
    yield _row(widths, "", "sensitivity", "specificity")
    yield _rule(45, "|")
    yield _row(widths, "nucleotide level", _number(bases.sensitivity), _number(bases.precision))
    yield _rule(45, "/")


def _exon_table(accuracy: AugustusAccuracy) -> Iterator[str]:
    exons = accuracy.exons
    right = exons.false["exact"]
    false, missed = exons.predicted - right, exons.annotated - right
    wide, narrow = (10, 6, 6, 4, 18, 18, 11, 11), (10, 6, 6, *[4] * 7, 11, 11)
    classes = ("part", "ovlp", "wrng")
    predicted, annotated = accuracy.predicted_exons, accuracy.annotated_exons
    dashes, values = "-" * 18, (_ratio(right, missed), _ratio(right, false))
    yield _rule(106, "\\")
    yield _row(wide, "", "#pred", "#anno", "", "FP = false pos.", "FN = false neg.", "", "")
    yield (
        f"{_row(wide[:4], '', 'total/', 'total/', 'TP')}{'-' * 20}|{'-' * 20}"
        f"| {_row(wide[6:], 'sensitivity', 'specificity')}"
    )
    yield _row(narrow, "", "unique", "unique", "", *classes, *classes, "", "")
    yield _rule(106, "|")
    yield _row(wide, "", "", "", "", false, missed, "", "")
    yield _row(wide, "exon level", predicted, annotated, right, dashes, dashes, *values)
    counts = (*_classes(exons.false), *_classes(exons.missed))
    yield _row(narrow, "", exons.predicted, exons.annotated, "", *counts, "", "")
    yield _rule(106, "/")


def _classes(fits: Counter[str]) -> tuple[int, int, int]:
    """Partly right, overlapping and wrong exons; "near" is worth something in UTRs only."""
    return fits["partial"] + fits["near"], fits["overlapping"], fits["wrong"]


def _transcript_table(transcripts: Level) -> Iterator[str]:
    widths = (10, 5, 5, 4, 4, 4, 11, 11)
    predicted, annotated, right = transcripts.predicted, transcripts.reference, transcripts.right
    false, missed = predicted - right, annotated - right
    counts = (predicted, annotated, right, false, missed)
    header = ("#pred", "#anno", "TP", "FP", "FN", "sensitivity", "specificity")
    yield _rule(76, "\\")
    yield _row(widths, "transcript", *header)
    yield _rule(76, "|")
    yield _row(widths, "gene level", *counts, _ratio(right, missed), _ratio(right, false))
    yield _rule(76, "/")


def _utr_table(accuracy: AugustusAccuracy) -> Iterator[str]:
    widths = (15, 10, 14, 10, 10)
    exons, bases, inside = accuracy.utr_exons, accuracy.utr_bases, accuracy.utr_bases_inside
    false, missed = bases.predicted - bases.right, bases.reference - bases.found
    right = exons.false["exact"] + exons.false["near"]
    exons_missed = exons.annotated - exons.missed["exact"] - exons.missed["near"]
    exon_values = _ratio(right, exons_missed), _ratio(right, exons.predicted - right)
    base_values = _number(bases.sensitivity), _number(bases.precision)
    yield _rule(72, "\\")
    yield _row(widths, "UTR", "total pred", "CDS bnd. corr.", "meanDiff", "medianDiff")
    yield _rule(72, "|")
    for name, ends in (("TSS", accuracy.tss), ("TTS", accuracy.tts)):
        yield _row(widths, name, ends.predicted, ends.pairs, _number(ends.mean), ends.median)
    yield _rule(72, "|")
    yield _row(widths, "UTR", "uniq. pred", "unique anno", "sens.", "spec.")
    yield _rule(72, "|")
    yield _row((15, 45), "", " true positive = 1 bound. exact, 1 bound. <= 20bp off")
    yield _row(widths, "UTR exon level", exons.predicted, exons.annotated, *exon_values)
    yield _rule(72, "|")
    yield _row(widths, "UTR base level", bases.predicted, bases.reference, *base_values)
    yield _rule(72, "/")
    yield f"nucUTP= {bases.right} nucUFP={false} nucUFPinside= {inside} nucUFN={missed}"


def _row(widths: Sequence[int], *cells: object) -> str:
    """Cells flush right; one that is too wide pushes the rest to the right, as in C++."""
    return " | ".join(f"{cell!s:>{w}}" for w, cell in zip(widths, cells, strict=True)) + " |"


def _rule(length: int, end: str) -> str:
    return "-" * length + end
