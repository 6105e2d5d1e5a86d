"""Figures that become part of a page: one look, and colours that follow the page's light or dark.

Text stays text, ink is the page's own colour, backgrounds are transparent. Names from users' files
are never taken for formulas.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import ParamSpec

import matplotlib
from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "inline", "new_figure", "save", "styled"]

INK = "#6e7781"
"""Stands for the page's text colour; in a picture file it is this grey."""
COLOURS = ("#3b82c4", "#d97a1f", "#3a9d5d", "#9a6bd0", "#c4507e", "#8a7a3a")
"""Of annotations, in their order; told apart on white and on black."""
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "augustus-dl",
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_Parameters = ParamSpec("_Parameters")


def styled(draw: Callable[_Parameters, Figure]) -> Callable[_Parameters, Figure]:
    """Gives what a function draws the look of this module."""

    @wraps(draw)
    def drawn(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> Figure:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches whose parts find their places themselves."""
    return Figure(figsize=(width, height), layout="constrained")


def inline(figure: Figure, title: str) -> str:
    """The figure as an SVG element for a page.

    Args:
        title: what a screen reader says.
    """
    buffer = io.BytesIO()
    save(figure, buffer, "svg")
    text = buffer.getvalue().decode("utf-8").replace(INK, "currentColor")
    text = re.sub(r'(<g) id="[^"]*"', r"\1", text[text.index("<svg") :])
    text = re.sub(r"(\.\d\d)\d+(?= )", r"\1", text)  # a hundredth of a point is seen by nobody
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def save(figure: Figure, target: object, kind: str) -> None:
    """Write a figure as svg or png. target: a path or a binary stream."""
    extra = {"metadata": _NO_METADATA, "transparent": True} if kind == "svg" else {"dpi": 120}
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts may have it
        figure.savefig(target, format=kind, **extra)
