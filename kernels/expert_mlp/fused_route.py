"""The router on a GPU in Triton: experts, gates and loss from one look at the logits.

Every program writes its part of the sums that the loss is made of; one more program adds the parts
up. The backward pass finds the softmax anew. Nothing is added up atomically: two runs agree bit
for bit.

Shapes: M tokens, E experts, K experts a token; WIDTH is E up to a power of two.
"""

import torch
import triton
import triton.language as tl

__all__ = ["backward", "forward"]

_CELLS = 1024
"""Tokens times experts that a program takes at a time."""
_PROGRAMS = 1024
"""Most programs, and rows of parts, of the forward pass; with more blocks, each takes several."""


@triton.jit
def _softmax(logit, highest):
    """Numerators, denominators and logsumexp of rows, from their highest logits."""
    weight = tl.exp(logit - highest[:, None])
    total = tl.sum(weight, 1)
    return weight, total, highest + tl.log(total)


@triton.jit
def _route(
    logits,
    experts,
    gates,
    parts,
    M,
    E: tl.constexpr,
    K: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Experts and gates of every token, and this program's row of parts, [2 * WIDTH + 1].

    Parts are probabilities by expert, choices by expert, and the square of logsumexp.
    """
    e = tl.arange(0, WIDTH)
    probability = tl.zeros([BLOCK, WIDTH], tl.float32)
    count = tl.zeros([BLOCK, WIDTH], tl.float32)
    square = tl.zeros([BLOCK], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, M, tl.num_programs(0) * BLOCK):
        m = (start + tl.arange(0, BLOCK)).to(tl.int64)
        inside = (m[:, None] < M) & (e[None, :] < E)
        logit = tl.load(logits + m[:, None] * E + e[None, :], mask=inside, other=float("-inf"))
        # -inf and NaN come last, each still once, and before what is beyond E: ties go left
        left = tl.where(logit > -3e38, logit, -3e38)
        highest = tl.max(left, 1)
        rank = tl.full([BLOCK, WIDTH], K, tl.int32)
        for k in tl.static_range(K):
            best = e[None, :] == tl.argmax(left, axis=1, tie_break_left=True)[:, None]
            rank = tl.where(best, k, rank)
            left = tl.where(best, float("-inf"), left)
        chosen = inside & (rank < K)
        weight, total, lse = _softmax(logit, highest)
        gate = tl.where(chosen, weight, 0.0)
        gate /= tl.sum(gate, 1)[:, None]
        at = m[:, None] * K + rank
        tl.store(experts + at, e[None, :].to(tl.int64), mask=chosen)
        tl.store(gates + at, gate, mask=chosen)
        probability += tl.where(inside, weight / total[:, None], 0.0)
        count += chosen.to(tl.float32)
        square += tl.where(m < M, lse * lse, 0.0)
    parts += tl.program_id(0) * (2 * WIDTH + 1)
    tl.store(parts + e, tl.sum(probability, 0))
    tl.store(parts + WIDTH + e, tl.sum(count, 0))
    tl.store(parts + 2 * WIDTH, tl.sum(square, 0))


@triton.jit
def _loss(
    parts,
    loss,
    counts,
    M,
    programs,
    E: tl.constexpr,
    K: tl.constexpr,
    WIDTH: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """The loss, and the choices of each expert, from parts [programs, 2 * WIDTH + 1]."""
    e = tl.arange(0, WIDTH)
    probability = tl.zeros([CHUNK, WIDTH], tl.float32)
    count = tl.zeros([CHUNK, WIDTH], tl.int32)
    square = tl.zeros([CHUNK], tl.float32)
    for start in range(0, programs, CHUNK):
        program = start + tl.arange(0, CHUNK)
        row = parts + program * (2 * WIDTH + 1)
        at = row[:, None] + e[None, :]
        inside = program[:, None] < programs
        probability += tl.load(at, mask=inside, other=0.0)
        count += tl.load(at + WIDTH, mask=inside, other=0.0).to(tl.int32)
        square += tl.load(row + 2 * WIDTH, mask=program < programs, other=0.0)
    count_E = tl.sum(count, 0)
    tl.store(counts + e, count_E, mask=e < E)
    load = count_E.to(tl.float32) / (M * K)
    balance = E * tl.sum(load * (tl.sum(probability, 0) / M), 0)
    tl.store(loss, balance + 0.1 * (tl.sum(square, 0) / M))


@triton.jit
def _route_backward(
    slope_gates,
    slope_loss,
    logits,
    experts,
    gates,
    counts,
    slope,
    M,
    E: tl.constexpr,
    K: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Gradient of the logits; that of the gates or that of the loss may be None."""
    m = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)
    e = tl.arange(0, WIDTH)
    at = m[:, None] * E + e[None, :]
    inside = (m[:, None] < M) & (e[None, :] < E)
    found = tl.zeros([BLOCK, WIDTH], tl.float32)
    if slope_gates is not None:
        gate = tl.zeros([BLOCK, WIDTH], tl.float32)
        slope_gate = tl.zeros([BLOCK, WIDTH], tl.float32)
        for k in tl.static_range(K):
            expert = tl.load(experts + m * K + k, mask=m < M, other=0).to(tl.int32)
            here = e[None, :] == expert[:, None]
            value = tl.load(gates + m * K + k, mask=m < M, other=0.0)
            gate = tl.where(here, value[:, None], gate)
            value = tl.load(slope_gates + m * K + k, mask=m < M, other=0.0)
            slope_gate = tl.where(here, value[:, None], slope_gate)
        found += gate * (slope_gate - tl.sum(gate * slope_gate, 1)[:, None])
    if slope_loss is not None:
        logit = tl.load(logits + at, mask=inside, other=float("-inf"))
        weight, total, lse = _softmax(logit, tl.max(logit, 1))
        probability = weight / total[:, None]
        load = tl.load(counts + e, mask=e < E, other=0).to(tl.float32)[None, :] / (M * K)
        pull = E * (load - tl.sum(load * probability, 1)[:, None]) + 0.1 * 2 * lse[:, None]
        found += tl.load(slope_loss) / M * probability * pull
    tl.store(slope + at, found, mask=inside)


def forward(
    logits_ME: torch.Tensor, top_k: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """See `reference.route`: experts, gates, loss; and how often each expert was chosen, int32 [E].

    Args:
        logits_ME: float32. NaN goes last.
        top_k: at most E.
    """
    M, E = logits_ME.shape
    width, block = _sizes(E)
    programs = min(triton.cdiv(M, block), _PROGRAMS)
    logits = logits_ME.contiguous()
    experts_MK = logits.new_empty(M, top_k, dtype=torch.int64)
    gates_MK, loss = logits.new_empty(M, top_k), logits.new_empty(())
    counts_E = logits.new_empty(E, dtype=torch.int32)
    parts = logits.new_empty(programs, 2 * width + 1)
    _route[(programs,)](logits, experts_MK, gates_MK, parts, M, E, top_k, width, block)
    _loss[(1,)](parts, loss, counts_E, M, programs, E, top_k, width, CHUNK=4 * block, num_warps=16)
    return experts_MK, gates_MK, loss, counts_E


def backward(
    slope_gates: torch.Tensor | None,
    slope_loss: torch.Tensor | None,
    logits_ME: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    counts_E: torch.Tensor,
) -> torch.Tensor:
    """Gradient of the logits, [M, E].

    Args:
        slope_gates, slope_loss: gradients of gates, [M, K], and loss, [], where there are any. The
            others are arguments and results of `forward`.
    """
    M, E = logits_ME.shape
    width, block = _sizes(E)
    slope_ME = torch.empty_like(logits_ME, memory_format=torch.contiguous_format)
    _route_backward[(triton.cdiv(M, block),)](
        None if slope_gates is None else slope_gates.contiguous(),
        slope_loss,
        logits_ME.contiguous(),
        experts_MK,
        gates_MK,
        counts_E,
        slope_ME,
        M,
        E,
        gates_MK.shape[1],
        width,
        block,
    )
    return slope_ME


def _sizes(experts: int) -> tuple[int, int]:
    """WIDTH and BLOCK."""
    width = triton.next_power_of_2(experts)
    return width, max(1, _CELLS // width)
