"""The CPU engine: a network run by OpenVINO on all cores, without torch.

A window goes through the graphs of `openvino_graph`: piece by piece down to tokens, all tokens
through the trunk, piece by piece back up. Windows, and both directions of one, are worked on at
the same time, a core each. Pieces of nothing but N beside the core all have the same tokens.

Compiled graphs are kept in the user's cache folder, so that the next start is quick.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openvino

from augustus_dl.decode.config import GRID
from augustus_dl.encode import N, reverse_complement
from augustus_dl.engine.cores import usable_cores
from augustus_dl.engine.openvino_cache import GraphCache
from augustus_dl.engine.openvino_graph import EDGE, HALO, KMER, NetworkGraphs
from augustus_dl.errors import ModelError
from augustus_dl.labels import NUM_LABELS, NUM_UTR_LABELS
from augustus_dl.network.checkpoint import Checkpoint, read_shape
from augustus_dl.network.shape import NetworkShape
from augustus_dl.side_by_side import under_way
from augustus_dl.windows import Window

__all__ = ["OpenVinoEngine"]

_BASES = NetworkShape.stride
_CORE, _SMALL_CORE, _MANY = 131_072, 65_536, 4
"""Bases of a window's core, and where more than so many are worked on at once: memory grows with
both, some 300 MB for each large one."""
_PIECE = 256
"""Tokens of a piece at most: what a processor's cache holds."""
_STEP = 32
"""Pieces have a multiple of so many tokens: each new length costs time once."""


class _Half(NamedTuple):
    """One direction of a window on its way.

    tokens: float32 [1, core tokens + 2 EDGE, C]. skips: of each piece of the core, see
    `NetworkGraphs.down`.
    """

    tokens: np.ndarray
    skips: list[list[np.ndarray]]


class OpenVinoEngine:
    """One checkpoint on the CPU; `accurate` reads each window in both directions. Thread-safe.

    Args:
        workers: how many cores to use; None for all this process may use.

    Raises:
        ModelError: the checkpoint is missing, corrupt or does not know the clade.
    """

    device = "cpu"

    def __init__(
        self,
        model: Path,
        clade: str,
        core: int | None = None,
        accurate: bool = False,
        workers: int | None = None,
    ) -> None:
        folder = Path(model)
        self._shape = shape = read_shape(folder)
        if clade not in shape.known_clades:
            known = ", ".join(shape.known_clades)
            raise ModelError(f"clade {clade!r} is none of {known}; mend the profile")
        self.flank, self.has_utr = shape.flank, shape.utr
        self.workers = workers or usable_cores()
        self.core = core or (_CORE if self.workers <= _MANY else _SMALL_CORE)
        self._accurate = accurate
        self._folder, self._clade = folder, clade
        self._cache = GraphCache(folder, clade, self.workers)
        self._graphs: dict[str, Future[openvino.CompiledModel]] = {}
        self._lock = threading.Lock()
        self._own = threading.local()  # requests of a worker
        self._pool = ThreadPoolExecutor(self.workers, "network")
        self._blank: np.ndarray | None = None
        self._prepare("down", "trunk")

    def scores(
        self, windows: Iterable[Window], weights: np.ndarray, utr: bool = False
    ) -> Iterator[tuple[Window, np.ndarray]]:
        """Scores of each window, in order; see `Engine.scores`.

        Work begins at once, and goes on ahead as far as it takes to keep all workers busy.
        """
        if utr and not self.has_utr:
            raise ModelError("this checkpoint does not know untranslated regions")
        self._prepare(self._up(utr))
        scale = np.full(NUM_LABELS + NUM_UTR_LABELS * utr, GRID, dtype=np.float32)
        scale[:NUM_LABELS] *= weights
        begun = ((window, self._begin(window, scale, utr)) for window in windows)
        return under_way(begun, -(-self.workers // (1 + self._accurate)))

    def _begin(self, window: Window, scale: np.ndarray, utr: bool) -> list[Future]:
        """Have a window worked on, a direction by each worker; the last future has the scores.

        The direction that is done last goes on to the scores, so that no worker waits for another.
        """
        plan = _Plan.of(window, self._shape)
        given = [(plan.codes, plan.masked)]
        if self._accurate:
            given.append((reverse_complement(plan.codes), plan.masked[::-1]))
        halves: list[_Half | None] = [None] * len(given)
        scores: Future[np.ndarray] = Future()
        lock = threading.Lock()

        def direction(number: int) -> None:
            try:
                half = self._half(plan, *given[number])
                with lock:
                    halves[number] = half
                    last = all(halves)
                if last and scores.set_running_or_notify_cancel():
                    scores.set_result(self._finish(plan, window, halves, scale, utr))
            except BaseException as error:
                if not scores.done():
                    scores.set_exception(error)

        return [*(self._pool.submit(direction, number) for number in range(len(given))), scores]

    def _half(self, plan: _Plan, codes: np.ndarray, masked: np.ndarray) -> _Half:
        """One direction of a window through the graphs `down` and `trunk`."""
        codes = _resized(codes, plan.outer, N)
        masked = _resized(masked, plan.outer, False).view(np.uint8)
        kmers = _kmers(codes)
        tokens, skips = [], []
        for piece in range(plan.before + plan.pieces + plan.after):
            part = slice(piece * plan.bases, (piece + 1) * plan.bases + 2 * HALO * _BASES)
            in_core = plan.before <= piece < plan.before + plan.pieces
            if in_core or (codes[part] != N).any() or masked[part].any():
                given = [codes[None, part], masked[None, part], kmers[None, part]]
                found, *beside = self._run("down", given)
                tokens.append(found[0])
                if in_core:
                    skips.append(beside)
            else:
                tokens.append(np.broadcast_to(self._blank_token(), (plan.tokens, plan.width)))
        row = np.concatenate(tokens)[plan.first : plan.last]
        return _Half(self._run("trunk", [row[None]])[0], skips)

    def _finish(
        self, plan: _Plan, window: Window, directions: list[_Half], scale: np.ndarray, utr: bool
    ) -> np.ndarray:
        """Scores of a window's core from its directions."""
        parts = []
        for piece in range(plan.pieces):
            given = []
            for number, half in enumerate(directions):
                at = plan.pieces - 1 - piece if number else piece
                part = slice(at * plan.tokens, (at + 1) * plan.tokens + 2 * EDGE)
                given += [half.tokens[:, part], *half.skips[at]]
            parts.append(self._run(self._up(utr), [*given, scale])[0][0])
        start = window.offset - self.flank
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return scores[start : start + window.end - window.start]

    def _blank_token(self) -> np.ndarray:
        """The token of 32 bases N among N; float32 [C]."""
        if self._blank is None:
            bases = (1 + 2 * HALO) * _BASES
            nothing = np.full((1, bases), N, dtype=np.uint8)
            given = [nothing, np.zeros_like(nothing), _kmers(nothing[0])[None]]
            self._blank = self._run("down", given)[0][0, 0]
        return self._blank

    def _run(self, name: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Outputs of a graph, on the core of the calling thread."""
        requests = self._own.__dict__
        if name not in requests:
            requests[name] = self._graphs[name].result().create_infer_request()
        given = [np.ascontiguousarray(array) for array in inputs]
        found = requests[name].infer(given, share_inputs=True)
        return list(found.values())

    def _up(self, utr: bool) -> str:
        return f"up{'-both' * self._accurate}{'-utr' * utr}"

    def _prepare(self, *names: str) -> None:
        """Have graphs loaded from the cache, beside what comes next, or compiled, now."""
        with self._lock:
            wanted = [name for name in names if name not in self._graphs]
            kept = all(self._cache.has(name) for name in wanted)
            made = {} if kept else self._made()
            for name in wanted:
                self._graphs[name] = self._pool.submit(self._graph, name, made)
            if not kept:
                for name in wanted:
                    self._graphs[name].result()

    def _graph(self, name: str, made: dict[str, openvino.Model]) -> openvino.CompiledModel:
        found = self._cache.find(name)
        return found or self._cache.compile(name, (made or self._made())[name])

    def _made(self) -> dict[str, openvino.Model]:
        """All graphs of the checkpoint.

        Raises:
            ModelError: it is corrupt or does not fit its configuration.
        """
        tensors = Checkpoint(self._folder)
        graphs = NetworkGraphs(self._shape, tensors, self._clade)
        made = {"down": graphs.down(), "trunk": graphs.trunk()}
        for utr in {False, self.has_utr}:
            made[self._up(utr)] = graphs.up(self._accurate, utr)
        tensors.check_used()
        return made


@dataclass(frozen=True)
class _Plan:
    """How a window is cut into pieces: those of the core and, beside it, as many as it depends on.

    Attributes:
        codes, masked: flanks and core, the core filled up with N behind it to whole pieces; so
            pieces of the core in one direction are pieces in the other, too.
        pieces, before, after: of the core, and beside it.
        tokens, width: of a piece, and numbers in one.
        outer: bases to add at either end, or if negative to leave out, so that there are those of
            the pieces and their halo.
        first, last: the tokens, of those of all pieces, that the trunk is given.
    """

    codes: np.ndarray
    masked: np.ndarray
    pieces: int
    before: int
    after: int
    tokens: int
    width: int
    outer: tuple[int, int]
    first: int
    last: int

    @property
    def bases(self) -> int:
        """Of a piece."""
        return self.tokens * _BASES

    @classmethod
    def of(cls, window: Window, shape: NetworkShape) -> _Plan:
        core = len(window.codes) // _BASES - 2 * shape.flank // _BASES
        pieces = -(-core // _PIECE)
        tokens = -(-core // (pieces * _STEP)) * _STEP
        unit = shape.window if shape.mixer == "attention" else 1
        reach = shape.reach * shape.shape["layers"]
        left = reach + EDGE
        wide = -(-(pieces * tokens + 2 * EDGE) // unit) * unit + 2 * reach
        right = wide - left - pieces * tokens
        before, after = -(-left // tokens), -(-right // tokens)
        extra = (pieces * tokens - core) * _BASES
        flank = shape.flank // _BASES
        outer = (
            (before * tokens + HALO - flank) * _BASES,
            (after * tokens + HALO - flank) * _BASES,
        )
        first = before * tokens - left
        return cls(
            codes=np.pad(window.codes, (0, extra), constant_values=N),
            masked=np.pad(window.masked, (0, extra)),
            pieces=pieces,
            before=before,
            after=after,
            tokens=tokens,
            width=shape.shape["widths"][-1],
            outer=outer,
            first=first,
            last=first + wide,
        )


def _resized(track: np.ndarray, change: tuple[int, int], fill: int) -> np.ndarray:
    """A track with bases added at its ends, or left out where the change is negative."""
    left, right = change
    track = track[max(-left, 0) : len(track) + min(right, 0)]
    return np.pad(track, (max(left, 0), max(right, 0)), constant_values=fill)


def _kmers(codes: np.ndarray) -> np.ndarray:
    """Number of the 6-mer around each base, as `network.layers.kmer_index` has it; int32 [L]."""
    length = len(codes)
    padded = np.pad(codes, (2, KMER - 3), constant_values=N)
    index, unknown = np.zeros(length, dtype=np.int32), np.zeros(length, dtype=bool)
    for i in range(KMER):
        part = padded[i : i + length]
        index = (index << 2) + part
        unknown |= part == N
    index[unknown] = 4**KMER
    return index
