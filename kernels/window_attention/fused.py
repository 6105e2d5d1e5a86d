"""Sliding-window attention on a GPU in Triton, after FlashAttention (Dao et al. 2022).

A program takes a block of queries of one head through the blocks of keys in reach, with a running
softmax in float32. Scores never reach memory: the backward pass computes them anew from the saved
logarithms of the softmax's sums. Gradients of queries and of keys have a kernel each, so that
nothing is added up atomically: two runs agree bit for bit.

Shapes: B batch, H heads, T tokens, D head width. Inputs may have any strides but for D; what is
returned lies in memory as [B, T, H, D], as the layers around attention want it.
"""

import math

import torch
import triton
import triton.language as tl

__all__ = ["backward", "forward"]

_LOG2E = tl.constexpr(math.log2(math.e))


@triton.jit
def _load(base, stride, row, end, D: tl.constexpr, WIDTH: tl.constexpr):
    """Rows of a [T, D] matrix, zero from row `end` and from column D on; [BLOCK, WIDTH]."""
    column = tl.arange(0, WIDTH)
    at = base + row[:, None].to(tl.int64) * stride + column[None, :]
    return tl.load(at, mask=(row[:, None] < end) & (column[None, :] < D), other=0.0)


@triton.jit
def _store(base, stride, row, end, value, D: tl.constexpr, WIDTH: tl.constexpr):
    """Inverse of `_load`; elements beyond the matrix are dropped."""
    column = tl.arange(0, WIDTH)
    at = base + row[:, None].to(tl.int64) * stride + column[None, :]
    inside = (row[:, None] < end) & (column[None, :] < D)
    tl.store(at, value.to(base.dtype.element_ty), mask=inside)


@triton.jit
def _scores(left, right, row, column, slope, window, exists, D: tl.constexpr):
    """Scores between queries and keys, either of them left, in units of log 2; [left, right].

    They stand at positions `row` and `column`, which are exact in float32 up to 2^24; -inf out of
    reach and where not `exists`. `slope` is in units of log 2, too.
    """
    distance = tl.abs(row.to(tl.float32)[:, None] - column.to(tl.float32)[None, :])
    product = tl.dot(left, tl.trans(right), input_precision="ieee")
    score = product * (D**-0.5 * _LOG2E) - slope * distance
    return tl.where((distance <= window) & exists, score, float("-inf"))


@triton.jit
def _length(lengths, b, T):
    """Keys of sequence b."""
    if lengths is None:
        return T
    else:
        return tl.minimum(tl.load(lengths + b), T)


@triton.jit
def _forward(
    q,
    k,
    v,
    slopes,
    lengths,
    out,
    sums,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_t,
    v_b,
    v_h,
    v_t,
    H,
    T,
    window,
    D: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Attention, and log2 of the sums that weights were divided by (0 where there is no key)."""
    first = tl.program_id(0) * BLOCK
    b = (tl.program_id(1) // H).to(tl.int64)
    h = (tl.program_id(1) % H).to(tl.int64)
    i = first + tl.arange(0, BLOCK)
    length = _length(lengths, b, T)
    slope = tl.load(slopes + h) * _LOG2E
    queries = _load(q + b * q_b + h * q_h, q_t, i, T, D, WIDTH)
    highest = tl.full([BLOCK], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    mean = tl.zeros([BLOCK, WIDTH], tl.float32)
    low = tl.maximum(first - window, 0) // BLOCK * BLOCK
    for start in range(low, tl.minimum(first + BLOCK + window, length), BLOCK):
        j = start + tl.arange(0, BLOCK)
        keys = _load(k + b * k_b + h * k_h, k_t, j, length, D, WIDTH)
        values = _load(v + b * v_b + h * v_h, v_t, j, length, D, WIDTH)
        score = _scores(queries, keys, i, j, slope, window, j[None, :] < length, D)
        higher = tl.maximum(highest, tl.max(score, 1))
        finite = tl.where(higher == float("-inf"), 0.0, higher)
        weight = tl.exp2(score - finite[:, None])
        shrink = tl.exp2(highest - finite)
        total = total * shrink + tl.sum(weight, 1)
        added = tl.dot(weight.to(values.dtype), values, input_precision="ieee")
        mean = mean * shrink[:, None] + added
        highest = higher
    some = total > 0
    total = tl.where(some, total, 1.0)
    row = out + (b * T * H + h) * D
    _store(row, H * D, i, T, mean / total[:, None], D, WIDTH)
    log_sum = tl.where(some, highest, 0.0) + tl.log2(total)
    tl.store(sums + (b * H + h) * T + i, log_sum, mask=i < T)


@triton.jit
def _backward_q(
    q,
    k,
    v,
    slopes,
    lengths,
    out,
    sums,
    slope_out,
    shifts,
    slope_q,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_t,
    v_b,
    v_h,
    v_t,
    o_b,
    o_h,
    o_t,
    H,
    T,
    window,
    D: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Gradient of the queries; and `shifts`, a query's sum of output times gradient of output."""
    first = tl.program_id(0) * BLOCK
    b = (tl.program_id(1) // H).to(tl.int64)
    h = (tl.program_id(1) % H).to(tl.int64)
    i = first + tl.arange(0, BLOCK)
    length = _length(lengths, b, T)
    slope = tl.load(slopes + h) * _LOG2E
    queries = _load(q + b * q_b + h * q_h, q_t, i, T, D, WIDTH)
    given = _load(slope_out + b * o_b + h * o_h, o_t, i, T, D, WIDTH)
    means = _load(out + (b * T * H + h) * D, H * D, i, T, D, WIDTH)
    shift = tl.sum(given.to(tl.float32) * means.to(tl.float32), 1)
    log_sum = tl.load(sums + (b * H + h) * T + i, mask=i < T, other=0.0)
    slope_queries = tl.zeros([BLOCK, WIDTH], tl.float32)
    low = tl.maximum(first - window, 0) // BLOCK * BLOCK
    for start in range(low, tl.minimum(first + BLOCK + window, length), BLOCK):
        j = start + tl.arange(0, BLOCK)
        keys = _load(k + b * k_b + h * k_h, k_t, j, length, D, WIDTH)
        values = _load(v + b * v_b + h * v_h, v_t, j, length, D, WIDTH)
        score = _scores(queries, keys, i, j, slope, window, j[None, :] < length, D)
        weight = tl.exp2(score - log_sum[:, None])
        slope_weight = tl.dot(given, tl.trans(values), input_precision="ieee")
        slope_score = weight * (slope_weight - shift[:, None])
        slope_queries += tl.dot(slope_score.to(keys.dtype), keys, input_precision="ieee")
    row = slope_q + (b * T * H + h) * D
    _store(row, H * D, i, T, slope_queries * (D**-0.5), D, WIDTH)
    tl.store(shifts + (b * H + h) * T + i, shift, mask=i < T)


@triton.jit
def _backward_kv(
    q,
    k,
    v,
    slopes,
    lengths,
    sums,
    slope_out,
    shifts,
    slope_k,
    slope_v,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_t,
    v_b,
    v_h,
    v_t,
    o_b,
    o_h,
    o_t,
    H,
    T,
    window,
    D: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Gradients of a block of keys and values, from the blocks of queries in reach."""
    first = tl.program_id(0) * BLOCK
    b = (tl.program_id(1) // H).to(tl.int64)
    h = (tl.program_id(1) % H).to(tl.int64)
    j = first + tl.arange(0, BLOCK)
    length = _length(lengths, b, T)
    slope = tl.load(slopes + h) * _LOG2E
    keys = _load(k + b * k_b + h * k_h, k_t, j, length, D, WIDTH)
    values = _load(v + b * v_b + h * v_h, v_t, j, length, D, WIDTH)
    slope_keys = tl.zeros([BLOCK, WIDTH], tl.float32)
    slope_values = tl.zeros([BLOCK, WIDTH], tl.float32)
    low = tl.maximum(first - window, 0) // BLOCK * BLOCK
    for start in range(low, tl.minimum(first + BLOCK + window, T), BLOCK):
        i = start + tl.arange(0, BLOCK)
        queries = _load(q + b * q_b + h * q_h, q_t, i, T, D, WIDTH)
        given = _load(slope_out + b * o_b + h * o_h, o_t, i, T, D, WIDTH)
        log_sum = tl.load(sums + (b * H + h) * T + i, mask=i < T, other=0.0)
        shift = tl.load(shifts + (b * H + h) * T + i, mask=i < T, other=0.0)
        score = _scores(keys, queries, j, i, slope, window, j[:, None] < length, D)
        weight = tl.exp2(score - log_sum[None, :])
        slope_weight = tl.dot(values, tl.trans(given), input_precision="ieee")
        slope_score = weight * (slope_weight - shift[None, :])
        slope_values += tl.dot(weight.to(given.dtype), given, input_precision="ieee")
        slope_keys += tl.dot(slope_score.to(queries.dtype), queries, input_precision="ieee")
    row = (b * T * H + h) * D
    _store(slope_k + row, H * D, j, T, slope_keys * (D**-0.5), D, WIDTH)
    _store(slope_v + row, H * D, j, T, slope_values, D, WIDTH)


def forward(
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
    lengths_B: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention, [B, H, T, D] in the inputs' dtype, and what `backward` wants, float32 [B, H, T].

    Args:
        q_BHTD, k_BHTD, v_BHTD: all float32, bfloat16 or float16; T at least 1.
        slopes_H: float32.
        lengths_B: int32, or None for T everywhere.
    """
    q, k, v = (_with_dense_rows(x) for x in (q_BHTD, k_BHTD, v_BHTD))
    out_BHTD = empty_rows(q)
    sums_BHT = torch.empty(q.shape[:3], device=q.device)
    grid, sizes = _grid(q), _sizes(q, window)
    where = (*q.stride()[:3], *k.stride()[:3], *v.stride()[:3])
    _forward[grid](q, k, v, slopes_H, lengths_B, out_BHTD, sums_BHT, *where, *sizes, num_stages=2)
    return out_BHTD, sums_BHT


def backward(
    slope_BHTD: torch.Tensor,
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
    lengths_B: torch.Tensor | None,
    out_BHTD: torch.Tensor,
    sums_BHT: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of q, k and v; [B, H, T, D] in their dtype.

    Args:
        slope_BHTD: gradient of the output. The others are arguments and results of `forward`.
    """
    q, k, v, given = (_with_dense_rows(x) for x in (q_BHTD, k_BHTD, v_BHTD, slope_BHTD))
    out = out_BHTD.transpose(1, 2).contiguous()
    slope_q, slope_k, slope_v = (empty_rows(q) for _ in range(3))
    shifts_BHT = torch.empty_like(sums_BHT)
    grid, sizes = _grid(q), _sizes(q, window)
    sizes = [stride for x in (q, k, v, given) for stride in x.stride()[:3]] + list(sizes)
    both = q, k, v, slopes_H, lengths_B
    _backward_q[grid](*both, out, sums_BHT, given, shifts_BHT, slope_q, *sizes, num_stages=2)
    _backward_kv[grid](*both, sums_BHT, given, shifts_BHT, slope_k, slope_v, *sizes, num_stages=2)
    return slope_q, slope_k, slope_v


def empty_rows(x_BHTD: torch.Tensor) -> torch.Tensor:
    """Uninitialised [B, H, T, D] that lies in memory as [B, T, H, D]."""
    B, H, T, D = x_BHTD.shape
    return x_BHTD.new_empty(B, T, H, D).transpose(1, 2)


def _with_dense_rows(x_BHTD: torch.Tensor) -> torch.Tensor:
    return x_BHTD if x_BHTD.stride(3) == 1 else x_BHTD.contiguous()


def _grid(q_BHTD: torch.Tensor) -> tuple[int, int]:
    B, H, T, _ = q_BHTD.shape
    return triton.cdiv(T, _block(q_BHTD)), B * H


def _sizes(q_BHTD: torch.Tensor, window: int) -> tuple[int, ...]:
    """What all kernels take behind the strides; matrix units want at least 16 columns."""
    _, H, T, D = q_BHTD.shape
    return H, T, window, D, max(16, triton.next_power_of_2(D)), _block(q_BHTD)


def _block(q_BHTD: torch.Tensor) -> int:
    """Queries, and keys, that a program takes at a time: what fits into registers."""
    return 128 // q_BHTD.element_size()
