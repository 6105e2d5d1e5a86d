"""A checkpoint as arrays: what a model folder holds, without torch and transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import deserialize

from augustus_dl.errors import ModelError
from augustus_dl.network.shape import NetworkShape

__all__ = ["CONFIG", "WEIGHTS", "Checkpoint", "check_files", "read_shape"]

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def check_files(folder: Path) -> None:
    """Raises ModelError: a model folder lacks a file."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(f"model folder {folder} has no {name}; train or reinstall it")


def read_shape(folder: Path) -> NetworkShape:
    """The shape in a model folder's `config.json`.

    Raises:
        ModelError: a file is missing, or the configuration is unreadable.
    """
    check_files(folder)
    try:
        return NetworkShape.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"checkpoint in {folder} is corrupt: {_first_line(error)}") from error


class Checkpoint:
    """Tensors of a model folder by name; remembers which a network has use for.

    Raises:
        ModelError: the weights are unreadable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._tensors = _read(folder / WEIGHTS)
        except Exception as error:  # safetensors has an exception type of its own, without a base
            raise ModelError(f"checkpoint in {folder} is corrupt: {_first_line(error)}") from error
        self._unused = set(self._tensors)

    def take(self, name: str, *shape: int) -> np.ndarray:
        """The tensor of this name and shape; float32.

        Raises:
            ModelError: there is none.
        """
        tensor = self._tensors.get(name)
        if tensor is None or tensor.shape != shape:
            raise self._misfit(name)
        self._unused.discard(name)
        return tensor

    def check_used(self) -> None:
        """Raises ModelError: there is a tensor that the network does not have."""
        if self._unused:
            raise self._misfit(min(self._unused))

    def _misfit(self, name: str) -> ModelError:
        return ModelError(
            f"checkpoint in {self._folder} does not fit its config.json (e.g. {name})"
        )


def _read(path: Path) -> dict[str, np.ndarray]:
    return {name: _array(**tensor) for name, tensor in deserialize(path.read_bytes())}


def _array(dtype: str, shape: list[int], data: bytes) -> np.ndarray:
    """A tensor of one of safetensors' floating-point types as float32."""
    if dtype == "BF16":  # the upper half of a float32
        high = np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16
        return high.view(np.float32).reshape(shape)
    return np.frombuffer(data, dtype=f"<f{int(dtype[1:]) // 8}").reshape(shape).astype(np.float32)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
