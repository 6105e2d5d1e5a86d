"""`augustus-dl view`, run in this process.

python -m pytest tests/cli/test_view.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from augustus_dl.cli import main


def test_layers_parameters_and_cost(toy_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(toy_folder)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "trunk 1    Experts" in out
    assert "1,562,118 parameters" in out
    assert "MFLOP per base" in out


def test_a_folder_without_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(tmp_path)]) == 1
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert f"model folder {tmp_path} has no config.json" in err
