"""Statistics as figures: histograms, sequence logos, genes along sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter, NullFormatter
from matplotlib.transforms import Affine2D

from augustus_dl.gene import Gene
from augustus_dl.report.statistics import information
from augustus_dl.report.svg import COLOURS, INK, new_figure, styled

__all__ = ["density", "exon_numbers", "lengths", "logo"]

_BASES = {"A": "#3a9d5d", "C": "#3b82c4", "G": "#c9921a", "T": "#d0524b"}
_BINS = 100
_MOST_EXONS = 20


@styled
def lengths(values: Mapping[str, Sequence[int]], label: str) -> Figure:
    """Distribution of lengths in bases, on a logarithmic scale, one line for each annotation."""
    figure, axes = _axes(label, "share (%)")
    known = [length for of_one in values.values() for length in of_one]
    low, high = (min(known), max(known)) if known else (1, 10)
    edges = np.geomspace(low * 0.9, high * 1.1, 41)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for colour, (name, of_one) in zip(_colours(values), values.items(), strict=True):
        counts, _ = np.histogram(of_one, edges)
        _stairs(axes, counts, edges, colour, name)
    _legend(axes, values)
    return figure


@styled
def exon_numbers(values: Mapping[str, Counter[int]]) -> Figure:
    """Share of genes by number of coding exons."""
    figure, axes = _axes("coding exons", "genes (%)")
    edges = np.arange(_MOST_EXONS + 1) + 0.5
    for colour, (name, numbers) in zip(_colours(values), values.items(), strict=True):
        counts = np.zeros(_MOST_EXONS, dtype=np.int64)
        for number, genes in numbers.items():
            counts[min(number, _MOST_EXONS) - 1] += genes
        _stairs(axes, counts, edges, colour, name)
    ticks = [1, *range(5, _MOST_EXONS + 1, 5)]
    axes.set_xticks(ticks, [*map(str, ticks[:-1]), f"{_MOST_EXONS}+"])
    _legend(axes, values)
    return figure


@styled
def logo(counts: np.ndarray, first: int, site: str) -> Figure:
    """Sequence logo of int64 [width, 5] base counts; `first` counts from the site, see DONOR."""
    figure = new_figure(0.6 + 0.26 * len(counts), 1.7)
    axes = figure.subplots()
    for column, heights in enumerate(information(counts)):
        bottom = 0.0
        for index in np.argsort(heights):
            _letter(axes, "ACGT"[index], column, bottom, heights[index])
            bottom += heights[index]
    positions = [first + i + (first + i >= 0) for i in range(len(counts))]  # there is no 0
    axes.set_xticks(np.arange(len(counts)) + 0.5, [f"{p:+d}" for p in positions], fontsize=7)
    axes.axvline(-first, color=INK, lw=0.8, ls=":")
    axes.set(xlim=(0, len(counts)), ylim=(0, 2), ylabel="bits", title=site)
    return figure


@styled
def density(
    sequences: Mapping[str, int], tracks: Mapping[str, Mapping[str, Sequence[Gene]]]
) -> Figure:
    """Genes per bin along sequences, as many bins for the longest as there is room for.

    Args:
        sequences: lengths by name, the longest first.
        tracks: annotations; of each the genes by sequence.
    """
    longest = max(sequences.values())
    width = max(-(-longest // _BINS), 1)
    figure = new_figure(8, 0.7 + 0.42 * len(sequences))
    rows = figure.subplots(len(sequences), sharex=True, squeeze=False)[:, 0]
    top = 1
    for axes, (name, length) in zip(rows, sequences.items(), strict=True):
        edges = np.minimum(np.arange(-(-length // width) + 1) * width, length)
        for number, genes in enumerate(tracks.values()):
            middles = [(gene.start + gene.end) // 2 for gene in genes.get(name, ())]
            counts, _ = np.histogram(middles, edges)
            top = max(top, counts.max())
            filled = {"fill": True, "alpha": 0.45} if not number else {"lw": 0.9}
            axes.stairs(counts, edges / 1e6, color=_colours(tracks)[number], **filled)
        axes.set_ylabel(_short(name), rotation=0, ha="right", va="center", fontsize=8)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    for axes in rows:
        axes.set(ylim=(0, top), xlim=(0, longest / 1e6))
    rows[-1].set_xlabel(f"Mb; bins of {width:,} bases, highest {top} genes")
    return figure


def _axes(xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure = new_figure(4.6, 2.5)
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def _stairs(axes: Axes, counts: np.ndarray, edges: np.ndarray, colour: str, name: str) -> None:
    share = 100 * counts / max(counts.sum(), 1)
    axes.stairs(share, edges, color=colour, lw=1.4, label=_short(name, 36))


def _legend(axes: Axes, names: Mapping[str, object]) -> None:
    if len(names) > 1:
        axes.legend(fontsize=7)


def _letter(axes: Axes, letter: str, left: float, bottom: float, height: float) -> None:
    """A letter that fills a column of width 1 from `bottom` up."""
    if height < 0.005:
        return
    path = TextPath((0, 0), letter, size=1)
    box = path.get_extents()
    fit = Affine2D().translate(-box.x0, -box.y0).scale(0.94 / box.width, height / box.height)
    placed = fit.translate(left + 0.03, bottom).transform_path(path)
    axes.add_patch(PathPatch(placed, color=_BASES[letter], lw=0))


def _colours(names: Mapping[str, object]) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(len(names))]


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
