"""The report of a fit, and where it begins.

python -m pytest tests/train/test_fit.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import OptionError, SpeciesError, TrainingError
from augustus_dl.profile_files import write_profile
from augustus_dl.train.fit import fit, held_out_pieces, starting_point
from augustus_dl.train.held_out import parts_of
from augustus_dl.train.pack import Piece
from tests.train.test_held_out import Knowing


def test_a_report(toy_piece: Callable[..., Piece], tmp_path: Path) -> None:
    pieces = [toy_piece(f"c{i}", i, genes=15, validation=True) for i in range(2)]
    report = fit(parts_of(pieces, Knowing(pieces, nats=4.0, noise=1.0)), DecoderConfig())
    shortest = report.decoder["min_coding_length"]
    assert shortest < 201 and DecoderConfig.from_dict(report.decoder) == report.constants
    text = report.text()
    assert text.startswith("30 validation genes in ")
    assert f"min_coding_length: 201 -> {shortest}" in text and "gene_start" not in text
    report.write(tmp_path / "new")
    written = json.loads((tmp_path / "new/constants.json").read_text())
    assert written["decoder"] == report.decoder and written["genes"] == 30
    assert written["f1"].keys() == written["calibration_error"].keys()
    assert len(written["decoder_of_halves"]) == 2
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "constants.json",
        "reliability.png",
    ]


def test_pieces_of_a_clade_are_chosen(toy_piece: Callable[..., Piece]) -> None:
    pieces = [
        toy_piece("a", validation=True),
        toy_piece("b", validation=False),
        toy_piece("c", clade="fungi", validation=True),
    ]
    assert held_out_pieces(pieces, "yeasts") == pieces[:1]
    with pytest.raises(TrainingError, match="no validation piece of clade 'plants'"):
        held_out_pieces(pieces, "plants")


def test_where_a_fit_begins(tmp_path: Path) -> None:
    assert starting_point(tmp_path, "partial") == (tmp_path, DecoderConfig())
    bacterium = DecoderConfig(intronless=True, singlestrand=True)
    assert starting_point(tmp_path, "bacterium") == (tmp_path, bacterium)
    with pytest.raises(OptionError, match="--genemodel plasmid is none of partial, "):
        starting_point(tmp_path, "plasmid")


def test_a_profile_is_where_a_fit_begins(tmp_path: Path) -> None:
    folder = tmp_path / "bug"
    facts = {"clade": "yeasts", "status": "clade", "beats_augustus": None, "scores": {}}
    write_profile(folder, "bug", decoder={"intron": 5.0}, **facts)
    for name in ("config.json", "model.safetensors"):
        (folder / name).touch()
    assert starting_point(folder, "complete")[1] == DecoderConfig(intron=5.0, partial=False)
    (folder / "bug_dl.json").write_text("{}")
    with pytest.raises(SpeciesError, match="'model' is missing"):
        starting_point(folder, "partial")


def test_without_time_everything_stays(toy_piece: Callable[..., Piece]) -> None:
    """What is decoded are the constants before, once for F1 and once for the probabilities."""
    pieces = [toy_piece(f"c{i}", i, genes=15, validation=True) for i in range(2)]
    parts = parts_of(pieces, Knowing(pieces, nats=4.0, noise=1.0))
    report = fit(parts, DecoderConfig(), seconds=-1.0)
    assert report.constants == DecoderConfig()
    assert report.fit.before == report.fit.crossed == report.fit.after
