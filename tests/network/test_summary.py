"""The table that `augustus-dl view` prints.

python -m pytest tests/network/test_summary.py
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from augustus_dl.network.model import load_model
from augustus_dl.network.summary import megaflop_per_base, summary


def test_rows_and_totals(toy_folder: Path) -> None:
    model = load_model(toy_folder)
    text = summary(model)
    rows = re.findall(r"^(\w+(?: \d)?) +([A-Z]\w+) +([\d,]+)$", text, flags=re.MULTILINE)
    counted = {name: int(number.replace(",", "")) for name, _, number in rows}
    assert [kind for name, kind, _ in rows if name.startswith("trunk")] == [
        "SwiGLU",
        "Experts",
        "Experts",
        "SwiGLU",
    ]
    total = sum(p.numel() for p in model.parameters())
    assert sum(counted.values()) == total
    assert counted["clade"] == model.clade.weight.numel()
    assert f"{total:,} parameters ({2 * total / 1e6:.1f} MB in 16 bit)" in text
    assert "size tiny, clade yeasts, 29 labels, reach 1536 bases to either side" in text
    assert re.search(r"^0\.\d{3} MFLOP per base, both strands$", text, flags=re.MULTILINE)


def test_work_is_counted(toy_folder: Path) -> None:
    """The convolutions of the stem, counted by hand, are a part of the whole."""
    model = load_model(toy_folder)
    width = model.config.shape["widths"][0]
    stem = 2 * (9 * 6 * width + 9 * width * width) / 1e6
    assert stem < megaflop_per_base(model) < 0.2
    assert megaflop_per_base(model) == pytest.approx(0.098, rel=0.1)
