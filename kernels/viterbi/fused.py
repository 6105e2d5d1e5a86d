"""Viterbi search in Triton: one warp for each chunk of a sequence, all chunks at once.

A chunk needs the front of the chunk left of it. Each one first starts from the front of a
sequence's beginning, a guess; then from the front that its neighbour ended with, until no chunk
would start from another front than it did. As the first chunk of a sequence starts from the right
one, all did so then, and the result is that of one search from left to right, bit for bit. The
way back is found alike: each chunk first begins at the best node of its right end, then where the
way of its right neighbour leads. Two or three rounds do; where nothing is known (long runs of N)
there are more, of few chunks each.

Memory is bounded for sequences that come in parts, too: of a sequence that goes on only those
labels are given that all paths still alive agree on, and the rest is searched again with the
next part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import triton
import triton.language as tl

from .tables import AGE, DEAD, IMPOSSIBLE, OPEN, RIGHT, WIDTH, YOUNG, FewStates, N, Tables

__all__ = ["Search"]

_LANES = 32
_DEAD, _IMPOSSIBLE = tl.constexpr(DEAD), tl.constexpr(IMPOSSIBLE)
_N, _OPEN, _RIGHT, _YOUNG, _AGE = (tl.constexpr(x) for x in (N, OPEN, RIGHT, YOUNG, AGE))


@triton.jit
def _alive(score):
    """Scores of what is impossible made all the same, so that they never drift."""
    return tl.where(score > _DEAD, score, _IMPOSSIBLE)


@triton.jit
def _advance(
    scores,
    codes,
    chunks,
    stale,
    start,
    end,
    back,
    labels,
    step_source,
    step_score,
    open_score,
    close_score,
    closer,
    K: tl.constexpr,
    P: tl.constexpr,
    FAN: tl.constexpr,
    CLOSERS: tl.constexpr,
    W: tl.constexpr,
):
    """Search one chunk from its start front, writing `back` and its end front.

    `chunks` int64 [C, 4]: first row, number of rows, whether the sequence begins and ends with it.
    `back` uint8 [n, W]: of each exon state its node one base before (RIGHT as OPEN), and bit 7 of
    lane j where a waiting intron becomes the best open j.
    """
    c = tl.program_id(0).to(tl.int64)
    if tl.load(stale + c) != 0:
        lane = tl.arange(0, W)
        first = tl.load(chunks + 4 * c)
        n = tl.load(chunks + 4 * c + 1).to(tl.int32)
        begins = tl.load(chunks + 4 * c + 2)
        ends = tl.load(chunks + 4 * c + 3)
        front = start + c * (4 + P) * W + lane
        out = end + c * (4 + P) * W + lane
        value = tl.load(front)
        resumed = tl.load(front + W)
        origin = tl.load(front + 2 * W).to(tl.int32)
        worth = tl.load(front + 3 * W)
        for i in range(P):
            tl.store(out + (4 + i) * W, tl.load(front + (4 + i) * W))
        state_label = tl.load(labels + lane)
        opener = tl.load(labels + W + lane)
        left_label = tl.load(labels + 2 * W + lane)
        inside_label = tl.load(labels + 3 * W + lane)
        right_label = tl.load(labels + 4 * W + lane)
        total = tl.zeros([W], dtype=tl.int64)
        left = tl.load(codes + first - 1).to(tl.int32)
        left = tl.where(begins != 0, _N, left)
        here = tl.load(codes + first).to(tl.int32)
        for p in range(n):
            t = first + p
            right = tl.load(codes + t + 1).to(tl.int32)
            right = tl.where((ends != 0) & (p + 1 == n), _N, right)
            row = scores + t * K
            inside = tl.load(row + inside_label).to(tl.int64)
            total += inside
            waiting = tl.gather(value, opener, 0) + tl.load(row + left_label).to(tl.int64) - total
            waiting += tl.load(open_score + (5 * here + right) * W + lane)
            tl.store(out + (4 + p % P) * W, _alive(waiting))
            best = tl.full([W], 2 * _IMPOSSIBLE, dtype=tl.int64)
            came = tl.zeros([W], dtype=tl.int32)
            for e in tl.static_range(FAN):
                step = (here * FAN + e) * W + lane
                source = tl.load(step_source + step)
                way = tl.gather(resumed, source, 0) + tl.load(step_score + step)
                came = tl.where(way > best, tl.gather(origin, source, 0), came)
                best = tl.maximum(way, best)
            value = _alive(best + tl.load(row + state_label).to(tl.int64))
            closing = worth + total - inside + tl.load(row + right_label).to(tl.int64)
            closing = _alive(closing + tl.load(close_score + (5 * left + here) * W + lane))
            resumed = value
            origin = lane
            for f in tl.static_range(CLOSERS):
                intron = tl.load(closer + f * W + lane)
                way = tl.gather(closing, tl.maximum(intron, 0), 0)
                better = (intron >= 0) & (way > resumed)
                resumed = tl.where(better, way, resumed)
                origin = tl.where(better, _OPEN + intron, origin)
            young = tl.load(out + (4 + (p + 2) % P) * W)
            entered = young > worth
            worth = tl.maximum(young, worth)
            tl.store(back + t * W + lane, (came | (entered.to(tl.int32) << 7)).to(tl.uint8))
            left = here
            here = right
        base = tl.sum(tl.where(lane == 0, resumed, 0), axis=0)
        tl.store(out, _alive(value - base))
        tl.store(out + W, _alive(resumed - base))
        tl.store(out + 2 * W, tl.where(resumed > _DEAD, origin, 0).to(tl.int64))
        tl.store(out + 3 * W, _alive(worth + total - base))
        for i in range(P):
            young = tl.load(out + (4 + i) * W)
            old = (i == n % P) | (i == (n + 1) % P)
            young = tl.where(old, _IMPOSSIBLE, _alive(young + total - base))
            tl.store(out + (4 + i) * W, young)


@triton.jit(do_not_specialize=["count", "steps"])
def _trace(
    back,
    labels,
    ways,
    entry,
    stale,
    exit_,
    path,
    count,
    steps,
    P: tl.constexpr,
    WRITE: tl.constexpr,
    W: tl.constexpr,
    LANES: tl.constexpr,
):
    """Follow paths to the left, one in each lane, from a node at the last of some rows.

    `ways` int64 [count, 2]: first and last row. `exit_` gets the node left of the first row, `path`
    the labels. `steps`: the largest number of rows of a way.
    """
    k = tl.program_id(0) * LANES + tl.arange(0, LANES)
    wanted = tl.load(stale + k, mask=k < count, other=0) != 0
    first = tl.load(ways + 2 * k, mask=wanted, other=0)
    t = tl.load(ways + 2 * k + 1, mask=wanted, other=-1)
    node = tl.load(entry + k, mask=wanted, other=0)
    for _ in range(steps):
        go = t >= first
        kind = node & (_AGE - W)
        i = node & (W - 1)
        age = node // _AGE
        came = tl.load(back + t * W + i, mask=go, other=0).to(tl.int32)
        if WRITE:
            column = tl.where(kind == _OPEN, 3, tl.where(kind == _RIGHT, 4, 0))
            column = tl.where(kind == _YOUNG, tl.where(age == 1, 2, 3), column)
            label = tl.load(labels + column * W + i, mask=go, other=0)
            tl.store(path + t, label.to(tl.uint8), mask=go)
        source = came & 127
        source = tl.where(source < W, source, source - _OPEN + _RIGHT)
        opened = tl.where(came >= 128, _YOUNG + i + (P - 2) * _AGE, node)
        older = tl.where(age == 1, tl.load(labels + W + i, mask=go, other=0), node - _AGE)
        left = tl.where(kind == _OPEN, opened, tl.where(kind == _RIGHT, _OPEN + i, source))
        left = tl.where(kind == _YOUNG, older, left)
        node = tl.where(go, left, node)
        t = tl.where(go, t - 1, t)
    tl.store(exit_ + k, node, mask=wanted)


class _Part(NamedTuple):
    """The end of a sequence that goes on, which is searched again with what follows.

    Attributes:
        scores: int16 [n, K] of its rows. codes: uint8 [1 + n], from one base further left on.
        front: int64 [4 + P, W], left of its first row.
    """

    scores: torch.Tensor
    codes: torch.Tensor
    front: torch.Tensor


class Search:
    """See `reference.Search`.

    Args:
        rows: of a chunk, about.
    """

    def __init__(self, graph: FewStates, device: torch.device, rows: int = 8192) -> None:
        self._tables = Tables.of(graph, device)
        self._rows = max(rows // self._tables.period, 1) * self._tables.period
        self._nothing = _Part(
            torch.empty((0, 0), dtype=torch.int16, device=device),
            torch.full((1,), N, dtype=torch.uint8, device=device),
            self._tables.begin,
        )
        self._held = self._nothing

    def add(
        self, scores: torch.Tensor, codes: torch.Tensor, lengths: list[int], goes_on: bool
    ) -> torch.Tensor:
        """See `reference.Search.add`."""
        held, self._held = self._held, self._nothing
        sizes = np.array(lengths, dtype=np.int64)
        sizes[0] += len(held.scores)
        if len(held.scores):
            scores = torch.cat([held.scores, scores])
        codes = torch.cat([held.codes, codes, self._nothing.codes])
        if goes_on:
            sizes[-1] -= 1  # what begins at the last base shows only with the one after it
        sizes = sizes[sizes > 0]
        labels, row, front = codes[:0], 0, held.front
        if len(sizes):
            going_on = goes_on and int(sizes.sum()) > sum(lengths[:-1]) + len(held.scores)
            batch = _Batch(self._tables, scores, codes, held.front, sizes, going_on, self._rows)
            labels, front = batch.labels(), batch.front
            row = len(labels)
        if goes_on:
            codes = codes[row:-1].clone()
            if front is self._tables.begin:
                codes[0] = N  # what lies left of it is another sequence
            self._held = _Part(scores[row:].clone(), codes, front)
        return labels


class _Batch:
    """Sequences behind each other, searched from left to right.

    Shapes: C chunks; V nodes that a path may have at the end of a chunk.

    Attributes:
        front: int64 [4 + P, W], left of the first row that `labels` leaves out; the tables' `begin`
            itself where a sequence begins there.

    Args:
        scores: int16 [n or more, K]. codes: uint8 [1 + n or more], from the base left of the first
            row on to at least one base behind the last row.
        front: left of the first row.
        lengths: int64 [Q], rows of each sequence.
        goes_on: the last sequence does not end here.
        rows: of a chunk.
    """

    def __init__(
        self,
        tables: Tables,
        scores: torch.Tensor,
        codes: torch.Tensor,
        front: torch.Tensor,
        lengths: np.ndarray,
        goes_on: bool,
        rows: int,
    ) -> None:
        self._tables, self._device = tables, scores.device
        chunks = _chunks(lengths, rows)
        self._last = chunks[:, 3] != 0
        self._of_last = -(-int(lengths[-1]) // rows)
        chunks[0, 2], chunks[-1, 3] = 0, not goes_on
        self._chunks, self._ways = chunks, chunks[:, :1] + np.arange(2) * (chunks[:, 1:2] - 1)
        size = int(chunks[-1, :2].sum()), WIDTH
        self._back = torch.empty(size, dtype=torch.uint8, device=self._device)
        self._start, self._end = self._fronts(scores, codes, front)
        self._entry = self._best(ending=False)
        self._entry = torch.where(self._on(self._last), self._best(ending=True), self._entry)
        self._settled, self.front = len(chunks), tables.begin
        if goes_on:
            self._settled = self._chunks_settled()
            if self._settled == 0 or not self._last[self._settled - 1]:
                self.front = self._start[self._settled].clone()

    def labels(self) -> torch.Tensor:
        """Labels of all rows that nothing further right can change; uint8 [their number]."""
        count = self._settled
        if not count:
            return torch.empty(0, dtype=torch.uint8, device=self._device)
        last = self._last[:count].copy()
        last[-1] = True
        last, entry = self._on(last), self._entry[:count]
        ways = self._ways[:count]
        path = torch.empty(int(ways[-1, 1]) + 1, dtype=torch.uint8, device=self._device)
        stale, left = torch.ones_like(last), torch.empty_like(entry)
        while True:
            self._trace(ways, entry, stale, left, path)
            wanted = torch.where(last, entry, left.roll(-1))
            stale = wanted != entry
            if not stale.any():
                return path
            entry = wanted

    def _chunks_settled(self) -> int:
        """How many chunks have labels that nothing further right can change, where the last
        sequence goes on; the node at the end of the last one is noted."""
        count = len(self._chunks)
        nodes = self._survivors()
        held, end = 0, int(self._ways[-1, 1])
        while held < self._of_last:
            held = min(max(2 * held, 2), self._of_last)
            ways = np.array([[self._ways[count - held, 0], end]]).repeat(len(nodes), 0)
            left = torch.empty_like(nodes)
            self._trace(ways, nodes, torch.ones_like(nodes, dtype=torch.bool), left, None)
            nodes, end = left.unique(), int(self._ways[count - held, 0]) - 1
            if len(nodes) == 1 and held < self._of_last:
                self._entry[count - held - 1] = nodes[0]
                break
        return count - held

    def _fronts(
        self, scores: torch.Tensor, codes: torch.Tensor, front: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The fronts that chunks start from and end with; int64 [C, 4 + P, W]."""
        tables, chunks = self._tables, self._on(self._chunks)
        start = tables.begin.repeat(len(chunks), 1, 1)
        start[0] = front
        end = torch.empty_like(start)
        first = self._on(np.append(True, self._last[:-1])).view(-1, 1, 1)
        stale = torch.ones(len(chunks), dtype=torch.bool, device=self._device)
        while True:
            _advance[(len(chunks),)](
                scores,
                codes[1:],
                chunks,
                stale,
                start,
                end,
                self._back,
                *tables[:6],
                K=scores.shape[1],
                P=tables.period,
                FAN=tables.step_source.shape[1],
                CLOSERS=len(tables.closer),
                W=WIDTH,
                num_warps=1,
            )
            wanted = torch.where(first, start, end.roll(1, 0))
            stale = (wanted != start).flatten(1).any(1)
            if not stale.any():
                return start, end
            start = wanted

    def _trace(
        self,
        ways: np.ndarray,
        entry: torch.Tensor,
        stale: torch.Tensor,
        left: torch.Tensor,
        path: torch.Tensor | None,
    ) -> None:
        """Run `_trace` on ways int64 [n, 2] from nodes int32 [n]."""
        _trace[(triton.cdiv(len(ways), _LANES),)](
            self._back,
            self._tables.labels,
            self._on(ways),
            entry,
            stale,
            left,
            self._back if path is None else path,
            len(ways),
            int((ways[:, 1] - ways[:, 0]).max()) + 1,
            P=self._tables.period,
            WRITE=path is not None,
            W=WIDTH,
            LANES=_LANES,
            num_warps=1,
        )

    def _candidates(self) -> torch.Tensor:
        """Scores of `_nodes` at the end of chunks; int64 [C, V]."""
        ages = torch.arange(1, self._tables.period - 1, device=self._device)
        slots = 4 + (self._on(self._chunks[:, 1:2]) - ages) % self._tables.period
        young = self._end.gather(1, slots.unsqueeze(2).expand(-1, -1, WIDTH))
        return torch.cat([self._end[:, 0], self._end[:, 3], young.flatten(1)], 1)

    def _nodes(self) -> torch.Tensor:
        """In the order in which they are preferred at the end of a sequence; int32 [V]."""
        lanes = torch.arange(WIDTH, dtype=torch.int32, device=self._device)
        ages = torch.arange(1, self._tables.period - 1, dtype=torch.int32, device=self._device)
        young = YOUNG + lanes + AGE * ages.unsqueeze(1)
        return torch.cat([lanes, OPEN + lanes, young.flatten()])

    def _best(self, ending: bool) -> torch.Tensor:
        """The best node at the end of each chunk, be it one to end a sequence in; int32 [C]."""
        scores, nodes = self._candidates(), self._nodes()
        if ending:
            allowed = self._tables.may_end
            young = allowed[1].repeat(self._tables.period - 2)
            scores = scores.masked_fill(~torch.cat([*allowed, young]), IMPOSSIBLE)
        best = scores == scores.amax(1, keepdim=True)
        order = torch.arange(len(nodes), device=self._device)
        return nodes[torch.where(best, order, len(nodes)).amin(1)]

    def _survivors(self) -> torch.Tensor:
        """Nodes of all paths that are alive at the last row; int32 [n]."""
        alive = self._candidates()[-1] > DEAD
        _, resumed, origin = self._end[-1, :3]
        closed = origin[(resumed > DEAD) & (origin >= OPEN)].int() - OPEN + RIGHT
        return torch.cat([self._nodes()[alive], closed])

    def _on(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def _chunks(lengths: np.ndarray, size: int) -> np.ndarray:
    """Sequences in chunks of `size` rows, the last of each smaller: as `_advance` has them."""
    counts = -(-lengths // size)
    sequence = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(sequence)) - (np.cumsum(counts) - counts)[sequence]
    last = number == counts[sequence] - 1
    first_row = (np.cumsum(lengths) - lengths)[sequence] + number * size
    rows = np.where(last, lengths[sequence] - number * size, size)
    return np.stack([first_row, rows, number == 0, last], axis=1).astype(np.int64)
