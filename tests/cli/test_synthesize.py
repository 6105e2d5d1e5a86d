"""`augustus-dl synthesize`, run in this process.

python -m pytest tests/cli/test_synthesize.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from augustus_dl.cli import main
from augustus_dl.labels import from_labels
from augustus_dl.train.pack import read_pack
from tests.augustus_config import write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "config")


def words(output: Path, *more: str) -> list[str]:
    return ["synthesize", "--species", "toy", "--clade", "yeasts", "--output", str(output), *more]


def test_a_pack_is_written_and_can_be_the_background_of_another(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(config))
    first, second = tmp_path / "new" / "first.pack", tmp_path / "second.pack"
    assert main(words(first, "--megabases", "0.3")) == 0
    assert main(words(second, "--megabases", "0.02", "--background", str(first))) == 0
    assert capfd.readouterr().out == ""
    for path, least in ((first, 300_000), (second, 20_000)):
        pieces = read_pack(path).pieces
        assert sum(len(piece.codes) for piece in pieces) >= least
        assert {piece.set for piece in pieces} == {"synthetic_toy"}
        assert all(from_labels(piece.labels) for piece in pieces)


def test_several_species_share_the_length_and_carry_their_weight(
    config: Path, tmp_path: Path
) -> None:
    (config / "species" / "twin").symlink_to(config / "species" / "toy")
    for path in (config / "species" / "toy").iterdir():
        path.with_name(path.name.replace("toy", "twin")).symlink_to(path)
    output = tmp_path / "both"
    more = ["--species", "twin", "--megabases", "0.04", "--weight", "0.25"]
    assert main(words(output, "--AUGUSTUS_CONFIG_PATH", str(config), *more)) == 0
    pieces = read_pack(output).pieces
    assert [piece.set for piece in pieces] == ["synthetic_toy", "synthetic_twin"]
    assert all(20_000 <= len(piece.codes) < 40_000 for piece in pieces)
    assert {piece.weight for piece in pieces} == {0.25}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--clade", "birds"], "--clade 'birds' is none of "),
        (["--species", "nosuch"], "has no species 'nosuch' of AUGUSTUS"),
        (["--background", "nosuch"], "nosuch is no pack file"),
    ],
)
def test_errors_are_one_line(
    more: list[str],
    message: str,
    config: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "x"
    assert main(words(output, "--AUGUSTUS_CONFIG_PATH", str(config), *more)) == 1
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert err.startswith("augustus-dl synthesize: ") and message in err
    assert not output.exists()


def test_the_config_folder_has_to_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)
    assert main(words(tmp_path / "x")) == 1
    assert "--AUGUSTUS_CONFIG_PATH" in capfd.readouterr().err
