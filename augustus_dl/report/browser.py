"""A picture of one locus: annotations as rows of transcripts, what the network says below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from augustus_dl.gene import Transcript
from augustus_dl.io.locus import Locus
from augustus_dl.report.probabilities import CONTENT, SIGNALS, Probabilities
from augustus_dl.report.svg import COLOURS, INK, new_figure, styled

__all__ = ["plot"]

_WIDTH = 10.0
_COLUMNS = 800
"""Columns that probabilities are drawn in; more bases than that are drawn together."""
_CONTENT_COLOURS = {"coding": "#3b82c4", "intron": "#d9a441"}
_SIGNAL_STYLES = {
    "start": ("#3a9d5d", "^"),
    "stop": ("#d0524b", "s"),
    "donor": ("#9a6bd0", ">"),
    "acceptor": ("#d97a1f", "<"),
}
_LEAST = 0.05
"""Signals less probable than this are not drawn."""
_MOST_LANES = 12


@styled
def plot(
    locus: Locus,
    tracks: Mapping[str, Sequence[Transcript]],
    probabilities: Probabilities | None = None,
) -> Figure:
    """Draw transcripts by annotation, in coordinates of the sequence, and probabilities.

    Args:
        tracks: transcripts that touch the locus, by name of the annotation; drawn in this order.
    """
    lanes = [_lanes(transcripts) for transcripts in tracks.values()]
    heights = [0.3 + 0.26 * max(len(rows), 1) for rows in lanes]
    heights += [0.75, 0.6, 0.75, 0.6] if probabilities else []
    figure = new_figure(_WIDTH, sum(heights) + 0.5)
    rows = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for number, (axes, name) in enumerate(zip(rows, tracks, strict=False)):
        _draw_track(axes, name, lanes[number], COLOURS[number % len(COLOURS)], locus)
    if probabilities:
        _draw_probabilities(rows[len(tracks) :], probabilities)
    rows[-1].set_xlim(locus.start, locus.end)
    places = MaxNLocator(8, integer=True).tick_values(locus.start + 1, locus.end).astype(int)
    ticks = [place for place in places if locus.start < place <= locus.end]
    rows[-1].set_xticks([place - 0.5 for place in ticks], [f"{place:,}" for place in ticks])
    rows[-1].set_xlabel(locus.contig[:80])
    return figure


def _lanes(transcripts: Sequence[Transcript]) -> list[list[Transcript]]:
    """Rows of transcripts that do not overlap; those that find no room in the last one do."""
    lanes: list[list[Transcript]] = []
    for transcript in sorted(transcripts, key=lambda t: (t.start, t.end)):
        free = [lane for lane in lanes if lane[-1].end <= transcript.start]
        if not free and len(lanes) < _MOST_LANES:
            lanes.append([])
        (free or lanes[-1:])[0].append(transcript)
    return lanes


def _draw_track(
    axes: Axes, name: str, lanes: list[list[Transcript]], colour: str, locus: Locus
) -> None:
    axes.set_title(name[:100], color=colour, pad=2)
    axes.set(ylim=(max(len(lanes), 1) - 0.4, -0.6), yticks=[])
    for spine in ("left", "bottom"):
        axes.spines[spine].set_visible(False)
    axes.tick_params(bottom=False)
    for lane, transcripts in enumerate(lanes):
        for transcript in transcripts:
            _draw_transcript(axes, transcript, lane, colour, locus)


def _draw_transcript(
    axes: Axes, transcript: Transcript, lane: int, colour: str, locus: Locus
) -> None:
    """Exons as boxes; introns as a line with arrows in the transcript's direction."""
    least = (locus.end - locus.start) / 1000
    boxes = [(start, max(end - start, least)) for start, end in transcript.cds]
    axes.broken_barh(boxes, (lane - 0.3, 0.6), color=colour, lw=0)
    axes.plot((transcript.start, transcript.end), (lane, lane), color=colour, lw=0.9, zorder=0)
    step = (locus.end - locus.start) / 60
    arrows = [x for a, b in transcript.introns for x in np.arange(a + step / 2, b, step)]
    marker = ">" if transcript.strand == "+" else "<"
    axes.plot(arrows, [lane] * len(arrows), marker, color=colour, ms=3, lw=0)
    tip = transcript.end if transcript.strand == "+" else transcript.start
    axes.plot([tip], [lane], marker, color=INK, ms=5, lw=0, clip_on=True)


def _draw_probabilities(rows: Sequence[Axes], found: Probabilities) -> None:
    """Two rows for each strand: what the bases are, and the signals on them."""
    edges = _edges(len(found.intergenic))
    for number, (strand, shares) in enumerate(found.strands.items()):
        content, signals = rows[2 * number], rows[2 * number + 1]
        for name in CONTENT:
            means = np.add.reduceat(shares[name], edges[:-1]) / np.diff(edges)
            filled = {"fill": True, "alpha": 0.7, "lw": 0}
            content.stairs(
                means, found.start + edges, color=_CONTENT_COLOURS[name], label=name, **filled
            )
        between = np.add.reduceat(found.intergenic, edges[:-1]) / np.diff(edges)
        content.stairs(between, found.start + edges, color=INK, lw=0.8, label="intergenic")
        for name in SIGNALS:
            _draw_signal(signals, name, shares[name], found.start, edges)
        content.set_ylabel(f"{strand} strand")
        signals.set_ylabel(f"{strand} sites")
        for axes in (content, signals):
            axes.set(ylim=(0, 1.05), yticks=[0, 1])
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7)


def _draw_signal(axes: Axes, name: str, shares: np.ndarray, start: int, edges: np.ndarray) -> None:
    """A stem on the most probable base of each column."""
    best = np.array([a + int(shares[a:b].argmax()) for a, b in pairwise(edges)], dtype=np.int64)
    best = best[shares[best] >= _LEAST]
    colour, marker = _SIGNAL_STYLES[name]
    axes.vlines(start + best, 0, shares[best], color=colour, lw=0.9)
    axes.plot(start + best, shares[best], marker, color=colour, ms=3.5, lw=0, label=name)


def _edges(bases: int) -> np.ndarray:
    """Bounds of the columns that `bases` bases are drawn in; int64 [columns + 1]."""
    return np.linspace(0, bases, min(bases, _COLUMNS) + 1).astype(np.int64)
