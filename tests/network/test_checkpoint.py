"""Model folders read without torch.

python -m pytest tests/network/test_checkpoint.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from augustus_dl.errors import ModelError
from augustus_dl.network.checkpoint import Checkpoint, read_shape
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.shape import NetworkShape


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_all_types(dtype: torch.dtype, tmp_path: Path) -> None:
    expected = torch.randn(3, 5).to(dtype)
    save_file({"weight": expected}, tmp_path / "model.safetensors")
    found = Checkpoint(tmp_path).take("weight", 3, 5)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected.float().numpy())


def test_every_tensor_has_a_use(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2), "b": torch.ones(3)}, tmp_path / "model.safetensors")
    tensors = Checkpoint(tmp_path)
    tensors.take("a", 2)
    tensors.take("a", 2)
    with pytest.raises(ModelError, match=r"does not fit its config\.json \(e\.g\. b\)"):
        tensors.check_used()
    for name, size in (("b", 2), ("c", 3)):
        with pytest.raises(ModelError, match=rf"\(e\.g\. {name}\)"):
            tensors.take(name, size)
    tensors.take("b", 3)
    tensors.check_used()


def test_shapes_are_those_of_transformers(toy_folder: Path) -> None:
    shape, config = read_shape(toy_folder), NetworkConfig.from_pretrained(toy_folder)
    names = ("size", "clade", "moe", "window", "mixer", "skips", "clades", "utr")
    assert all(getattr(shape, name) == getattr(config, name) for name in names)
    assert shape.flank == config.flank and shape.expert_layers == config.expert_layers


def test_a_config_of_the_time_before_utrs() -> None:
    shape = NetworkShape.from_dict({"size": "small", "dtype": "float16"})
    assert (shape.clades, shape.utr, shape.known_clades[-1]) == (8, False, "protists")


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"window": 0})])
def test_a_damaged_config(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        read_shape(tmp_path)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ModelError, match="is corrupt"):
        read_shape(tmp_path)
