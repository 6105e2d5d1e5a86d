"""Compiled graphs in the user's cache folder, by checkpoint, program, OpenVINO and processor."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import openvino

from augustus_dl.engine.precision import wants_bf16
from augustus_dl.network.checkpoint import CONFIG, WEIGHTS
from augustus_dl.user_cache import keep, kept

__all__ = ["GraphCache"]

_KEPT = 36
"""Files kept, those used last: some ten checkpoints, 32 MB each of the largest."""
_CAPABILITIES = "OPTIMIZATION_CAPABILITIES"
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
        self._fast = "bf16" if wants_bf16("BF16" in self._ask(_CAPABILITIES)) else "f32"
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
        return kept(self._file(name)) is not None

    def find(self, name: str) -> openvino.CompiledModel | None:
        """The graph of this name if a run before has compiled it."""
        path = kept(self._file(name))
        if path is None:
            return None
        with suppress(OSError, RuntimeError, ValueError):
            blob = np.memmap(path, dtype=np.uint8, mode="c")
            found = self._core.import_model(
                openvino.Tensor(blob, shared_memory=True), "CPU", self._asked(name)
            )
            self._in_use.append(blob)
            return found
        return None

    def compile(self, name: str, graph: openvino.Model) -> openvino.CompiledModel:
        """Compile a graph and keep it."""
        compiled = self._core.compile_model(graph, "CPU", self._asked(name))
        keep(self._file(name), compiled.export_model().getbuffer(), _KEPT)
        return compiled

    def _file(self, name: str) -> str:
        return f"{self._key}-{name}.blob"

    def _asked(self, name: str) -> dict:
        # Scores come out of the way up on a grid that 8 bits of mantissa cannot tell apart.
        precision = "f32" if name.startswith("up") else self._fast
        return {**self._properties, "INFERENCE_PRECISION_HINT": precision}

    def _ask(self, what: str) -> str | list[str]:
        return self._core.get_property("CPU", what)
