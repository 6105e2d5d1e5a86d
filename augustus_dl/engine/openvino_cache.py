"""Compiled graphs in the user's cache folder: `$XDG_CACHE_HOME` or `~/.cache`, `augustus-dl`.

A file's name tells everything its content depends on: checkpoint, program, OpenVINO and processor.
Where the folder cannot be written to, every start compiles anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import openvino

from augustus_dl.network.checkpoint import CONFIG, WEIGHTS

__all__ = ["GraphCache", "cache_folder"]

_KEPT = 36
"""Files kept, those used last: some ten checkpoints, 32 MB each of the largest."""
_SOURCES = [Path(__file__).with_name(name) for name in ("openvino_cache.py", "openvino_graph.py")]


class GraphCache:
    """Compiles the graphs of one checkpoint for this processor, or finds them compiled.

    Args:
        model: the model folder.
        workers: how many cores run graphs at the same time, one graph each.
    """

    def __init__(self, model: Path, clade: str, workers: int) -> None:
        self._core = openvino.Core()
        self._in_use: list[np.ndarray] = []  # graphs read their constants there
        self._fast = _precision(self._ask("OPTIMIZATION_CAPABILITIES"))
        self._properties = {
            "NUM_STREAMS": workers,
            "INFERENCE_NUM_THREADS": workers,
            "ENABLE_CPU_PINNING": False,  # decoding and other programs want cores, too
        }
        digest = hashlib.blake2b(digest_size=16)
        for path in (model / CONFIG, model / WEIGHTS, *_SOURCES):
            digest.update(path.read_bytes())
        known = (clade, openvino.__version__, self._ask("FULL_DEVICE_NAME"), self._fast)
        digest.update("\n".join(known).encode())
        self._key = digest.hexdigest()

    def has(self, name: str) -> bool:
        """Whether a run before has compiled the graph of this name."""
        return any(path.is_file() for path in self._path(name))

    def find(self, name: str) -> openvino.CompiledModel | None:
        """The graph of this name if a run before has compiled it."""
        for path in self._path(name):
            with suppress(OSError, RuntimeError, ValueError):
                blob = np.memmap(path, dtype=np.uint8, mode="c")
                found = self._core.import_model(
                    openvino.Tensor(blob, shared_memory=True), "CPU", self._asked(name)
                )
                self._in_use.append(blob)
                os.utime(path)
                return found
        return None

    def compile(self, name: str, graph: openvino.Model) -> openvino.CompiledModel:
        """Compile a graph and keep it."""
        compiled = self._core.compile_model(graph, "CPU", self._asked(name))
        for path in self._path(name):
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f".{path.name}.{os.getpid()}")
                part.write_bytes(compiled.export_model().getbuffer())
                part.replace(path)
                _forget(path.parent)
        return compiled

    def _path(self, name: str) -> Iterator[Path]:
        """Where a graph is kept; nowhere without a cache folder."""
        with suppress(RuntimeError):
            yield cache_folder() / f"{self._key}-{name}.blob"

    def _asked(self, name: str) -> dict:
        # Scores come out of the way up on a grid that 8 bits of mantissa cannot tell apart.
        precision = "f32" if name.startswith("up") else self._fast
        return {**self._properties, "INFERENCE_PRECISION_HINT": precision}

    def _ask(self, what: str) -> str | list[str]:
        return self._core.get_property("CPU", what)


def cache_folder() -> Path:
    """Where files are kept that can be made again.

    Raises:
        RuntimeError: there is no home folder.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "augustus-dl"


def _forget(folder: Path) -> None:
    """Remove all but the files used last."""
    blobs = sorted(folder.glob("*.blob"), key=lambda path: path.stat().st_mtime)
    for path in blobs[:-_KEPT]:
        path.unlink(missing_ok=True)


def _precision(capabilities: list[str]) -> str:
    """bf16 where the processor multiplies it natively, else float32."""
    return "bf16" if "BF16" in capabilities else "f32"
