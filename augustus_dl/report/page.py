"""The page: one HTML file that needs nothing else. The template escapes what comes from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from statistics import mean, median

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from augustus_dl import __version__
from augustus_dl.differences import KINDS
from augustus_dl.encode import N
from augustus_dl.engine import Engine
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io.locus import locus_text
from augustus_dl.report import charts
from augustus_dl.report.browser import plot
from augustus_dl.report.statistics import ACCEPTOR, CODONS, DONOR, GeneStatistics
from augustus_dl.report.survey import Survey, Tracks, View
from augustus_dl.report.svg import inline

__all__ = ["page"]

_SEQUENCES_DRAWN = 20
_NOTHING = "-"
_MEANINGS = {
    "exact": "all coding exons right",
    "start": "only the start, or exons before the first common one",
    "stop": "only the stop, or exons behind the last common one",
    "missed exon": "an inner exon is missing",
    "extra exon": "an inner exon too many",
    "splice site": "a splice site lies elsewhere",
    "missed intron": "two exons are predicted as one",
    "extra intron": "one exon is predicted as two",
    "several": "several of these faults",
    "split": "predicted as several genes",
    "fused": "predicted as one with another gene",
    "strand": "only predicted on the other strand",
    "missed": "nothing predicted",
    "false": "predicted where the reference has no gene",
}


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of a table: what it is called, then a cell for each column."""

    columns: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A figure and what stands below it."""

    svg: Markup
    caption: str


def page(survey: Survey, tracks: Tracks, code: GeneticCode, engine: Engine | None = None) -> str:
    """The whole page.

    Args:
        engine: reads the loci; None leaves probabilities out.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(
        files("augustus_dl.report").joinpath("page.html").read_text(encoding="utf-8")
    )
    title = next(iter(tracks.predictions))
    return template.render(
        title=title,
        version=__version__,
        genome=_genome(survey),
        genes=_genes(survey.statistics),
        lengths=[*_lengths(survey.statistics)],
        logos=[*_logos(survey.statistics)],
        sites=_counted(survey.statistics, lambda found: found.sites),
        starts=_counted(survey.statistics, lambda found: found.starts),
        stops=_counted(survey.statistics, lambda found: found.stops),
        codons=_codons(survey.statistics, code),
        density=_density(survey, tracks),
        accuracy=[(name, found.levels) for name, found in survey.accuracy.items()],
        not_judged=_not_judged(survey),
        kinds=_kinds(survey),
        shifts=_shifts(survey),
        loci=[_locus(view, engine) for view in survey.views],
        has_probabilities=engine is not None,
    )


def _genome(survey: Survey) -> list[tuple[str, str]]:
    genome = survey.genome
    lengths = sorted(genome.lengths.values(), reverse=True)
    middle = int(np.searchsorted(np.cumsum(lengths), genome.size / 2))
    return [
        ("sequences", f"{len(lengths):,}"),
        ("bases", f"{genome.size:,}"),
        ("longest sequence", f"{lengths[0]:,}"),
        ("N50", f"{lengths[middle]:,}"),
        ("GC", _share(*_gc(genome.bases))),
        ("unknown bases (N)", _share(genome.bases[N], genome.size)),
        ("soft-masked", _share(genome.soft_masked, genome.size)),
    ]


def _genes(statistics: Mapping[str, GeneStatistics]) -> _Table:
    measures: dict[str, Callable[[GeneStatistics], str]] = {
        "genes": lambda s: f"{s.genes:,}",
        "transcripts": lambda s: f"{s.transcripts:,}",
        "single-exon genes": lambda s: _counted_share(s.single_exon, len(s.spans)),
        "partial genes": lambda s: _counted_share(s.partial, len(s.spans)),
        "genes behind the end of their sequence": lambda s: f"{s.outside:,}",
        "coding exons per gene, mean": lambda s: _mean(list(s.exons.elements())),
        "coding length, median": lambda s: _median(s.coding_lengths),
        "coding span, median": lambda s: _median(s.spans),
        "coding exon length, median": lambda s: _median(s.exon_lengths),
        "introns": lambda s: f"{len(s.intron_lengths):,}",
        "intron length, median": lambda s: _median(s.intron_lengths),
        "longest intron": lambda s: f"{max(s.intron_lengths, default=0):,}",
        "coding bases": lambda s: f"{sum(s.coding_lengths):,}",
        "GC of coding sequence": lambda s: _share(*_gc(s.coding_bases)),
        "GC of third codon positions": lambda s: _share(*_gc(s.third_bases)),
    }
    rows = [
        (name, [measure(found) for found in statistics.values()])
        for name, measure in measures.items()
    ]
    return _Table([*statistics], rows)


def _lengths(statistics: Mapping[str, GeneStatistics]) -> Iterator[_Picture]:
    kinds: dict[str, Callable[[GeneStatistics], list[int]]] = {
        "coding length": lambda s: s.coding_lengths,
        "coding span": lambda s: s.spans,
        "coding exon length": lambda s: s.exon_lengths,
        "intron length": lambda s: s.intron_lengths,
    }
    for name, measure in kinds.items():
        values = {track: measure(found) for track, found in statistics.items()}
        yield _picture(charts.lengths(values, f"{name} (bases)"), f"Distribution of {name}")
    numbers = {track: found.exons for track, found in statistics.items()}
    yield _picture(charts.exon_numbers(numbers), "Genes by number of coding exons")


def _logos(statistics: Mapping[str, GeneStatistics]) -> Iterator[tuple[str, list[_Picture]]]:
    for name, found in statistics.items():
        introns = f"{len(found.intron_lengths):,} introns"
        yield (
            name,
            [
                _picture(charts.logo(counts, first, site), f"{site} of {introns}")
                for site, counts, (first, _) in (
                    ("Donor", found.donors, DONOR),
                    ("Acceptor", found.acceptors, ACCEPTOR),
                )
            ],
        )


def _counted(
    statistics: Mapping[str, GeneStatistics], measure: Callable[[GeneStatistics], Counter[str]]
) -> _Table:
    """How often things occur, the ten most frequent ones first."""
    counters = [measure(found) for found in statistics.values()]
    total = sum(counters, Counter())
    rows = [
        (name, [_counted_share(counter[name], counter.total()) for counter in counters])
        for name, _ in total.most_common(10)
    ]
    return _Table([*statistics], rows)


def _codons(statistics: Mapping[str, GeneStatistics], code: GeneticCode) -> _Table:
    """Codons per thousand, by amino acid."""
    order = sorted(range(64), key=lambda i: (code.amino[CODONS[i]], CODONS[i]))
    thousands = [1000 * s.codons / max(s.codons.sum(), 1) for s in statistics.values()]
    rows = [
        (f"{code.amino[CODONS[i]]} {CODONS[i]}", [f"{of_one[i]:.1f}" for of_one in thousands])
        for i in order
    ]
    return _Table([*statistics], rows)


def _density(survey: Survey, tracks: Tracks) -> _Picture:
    lengths = sorted(survey.genome.lengths.items(), key=lambda pair: -pair[1])
    shown = dict(lengths[:_SEQUENCES_DRAWN])
    left_out = len(lengths) - len(shown)
    more = f"; {left_out:,} shorter sequences are not shown" if left_out else ""
    first, *others = [name for name, _ in tracks]
    lines = f"; lines: {', '.join(others)}" if others else ""
    caption = f"Genes along the longest sequences. Filled: {first}{lines}{more}"
    return _picture(charts.density(shown, dict(tracks)), caption)


def _not_judged(survey: Survey) -> str:
    if not survey.accuracy:
        return ""
    masked = next(iter(survey.accuracy.values())).masked_genes
    ignored = ", ".join(
        f"{found.ignored_genes:,} of {name}" for name, found in survey.accuracy.items()
    )
    return (
        f"Not judged: {masked:,} doubtful reference genes; predicted on doubtful bases: {ignored}."
    )


def _kinds(survey: Survey) -> _Table:
    rows = []
    for kind in KINDS:
        cells = []
        for kinds in survey.kinds.values():
            reference = kinds.total() - kinds["false"]
            cells.append(
                f"{kinds[kind]:,}" if kind == "false" else _counted_share(kinds[kind], reference)
            )
        rows.append((f"{kind}: {_MEANINGS[kind]}", cells))
    return _Table([*survey.kinds], rows)


def _shifts(survey: Survey) -> str:
    """How far misplaced splice sites are off, in words."""
    parts = []
    for name, shifts in survey.shifts.items():
        if shifts:
            middle = median(shifts.elements())
            framed = sum(count for shift, count in shifts.items() if shift % 3 == 0)
            share = _share(framed, shifts.total())
            parts.append(f"{name}: median {middle:.0f} bases, {share} multiples of three")
    return f"Splice sites that lie elsewhere: {'; '.join(parts)}." if parts else ""


def _locus(view: View, engine: Engine | None) -> tuple[str, _Picture]:
    found = view.probabilities(engine) if engine else None
    text = locus_text(view.locus)
    caption = f"{text}, {view.locus.end - view.locus.start:,} bases"
    if view.kind:
        caption += f". {view.kind}: {_MEANINGS[view.kind]}"
    return text, _picture(plot(view.locus, view.tracks, found), caption)


def _picture(figure: Figure, caption: str) -> _Picture:
    return _Picture(Markup(inline(figure, caption)), caption)


def _gc(bases: np.ndarray) -> tuple[int, int]:
    """G and C, and all known bases, of int64 [5] counts."""
    return int(bases[1] + bases[2]), int(bases[:N].sum())


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else _NOTHING


def _counted_share(part: int, whole: int) -> str:
    return f"{part:,} ({_share(part, whole)})" if whole else f"{part:,}"


def _mean(values: list[int]) -> str:
    return f"{mean(values):.2f}" if values else _NOTHING


def _median(values: list[int]) -> str:
    return f"{median(values):,.0f}" if values else _NOTHING
