"""Averaging of model folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from augustus_dl.errors import ModelError
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel
from augustus_dl.train.average import average_models


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two tiny networks and a dense one."""
    found = []
    for seed, moe in enumerate((True, True, False)):
        torch.manual_seed(seed)
        folder = tmp_path / str(seed)
        AnnotationModel(NetworkConfig(size="tiny", moe=moe)).save_pretrained(folder)
        found.append(folder)
    return found


def test_the_mean_of_all_weights(folders: list[Path]) -> None:
    mean = average_models(folders[:2], "yeasts")
    one, other = (AnnotationModel.from_pretrained(folder) for folder in folders[:2])
    assert mean.config.clade == "yeasts"
    for name, value in mean.state_dict().items():
        torch.testing.assert_close(value, (one.state_dict()[name] + other.state_dict()[name]) / 2)


def test_one_folder_is_itself(folders: list[Path]) -> None:
    (only,) = (average_models(folders[:1], "none"),)
    for name, value in AnnotationModel.from_pretrained(folders[0]).state_dict().items():
        assert torch.equal(value, only.state_dict()[name])


@pytest.mark.parametrize("change", [{"clades": 8}, {"utr": False}])
def test_other_heads_and_clades_are_refused(
    change: dict, folders: list[Path], tmp_path: Path
) -> None:
    AnnotationModel(NetworkConfig(size="tiny", **change)).save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match=r"other has another shape than the one in .*0"):
        average_models([folders[0], tmp_path / "other"], "none")


def test_other_shapes_are_refused(folders: list[Path]) -> None:
    with pytest.raises(ModelError, match="another shape"):
        average_models(folders, "none")
