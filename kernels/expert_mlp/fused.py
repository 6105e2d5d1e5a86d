"""SwiGLU experts on a GPU in Triton, after ScatterMoE (Tan et al. 2024).

A token with K experts fills K slots. A counting sort, which is stable, orders slots by expert; a
row is a slot in that order. Every program of a matrix product finds its expert and its rows from
the experts' bounds, on the device. Products gather tokens while they load and put their rows back
into the order of slots while they store; the K slots of a token are summed in a step of their own.
Nothing is added up atomically: two runs agree bit for bit.

Shapes: M tokens, C width, E experts, F expert width, K experts a token, S = M * K slots.
"""

import torch
import triton
import triton.language as tl

__all__ = ["backward", "forward"]

_ROWS = 128
_COLUMNS = 64
_CELLS = 4096
"""Slots times experts that a program of the sort takes at a time."""
_SHARES = 4
"""Parts that the rows of an expert are cut into where gradients of weights are summed over them."""


@triton.jit
def _count(experts, counts, S, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Slots of each expert in each block of slots; int32 [blocks, WIDTH]."""
    block = tl.program_id(0)
    s = block * BLOCK + tl.arange(0, BLOCK)
    e = tl.arange(0, WIDTH)
    expert = tl.load(experts + s, mask=s < S, other=WIDTH).to(tl.int32)
    chosen = (expert[:, None] == e[None, :]).to(tl.int32)
    tl.store(counts + block * WIDTH + e, tl.sum(chosen, 0))


@triton.jit
def _place(
    experts,
    counts,
    order,
    bounds,
    S,
    blocks,
    E: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """Slots in the order of their experts, and the first row of each expert, S behind the last."""
    block = tl.program_id(0)
    e = tl.arange(0, WIDTH)
    total = tl.zeros([WIDTH], tl.int32)
    before = tl.zeros([WIDTH], tl.int32)
    for start in range(0, blocks, CHUNK):
        other = start + tl.arange(0, CHUNK)
        at = counts + other[:, None] * WIDTH + e[None, :]
        count = tl.load(at, mask=other[:, None] < blocks, other=0)
        total += tl.sum(count, 0)
        before += tl.sum(tl.where(other[:, None] < block, count, 0), 0)
    end = tl.cumsum(total, 0)
    if block == 0:
        tl.store(bounds + 1 + e, end, mask=e < E)
        tl.store(bounds + e, e * 0, mask=e == 0)
    s = block * BLOCK + tl.arange(0, BLOCK)
    expert = tl.load(experts + s, mask=s < S, other=WIDTH).to(tl.int32)
    chosen = (expert[:, None] == e[None, :]).to(tl.int32)
    place = (end - total + before)[None, :] + tl.cumsum(chosen, 0) - 1
    tl.store(order + tl.sum(place * chosen, 1), s, mask=s < S)


@triton.jit
def _tile(bounds, number, E: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr):
    """Expert, first row and end of the rows of a tile; the expert is E or more past the last tile.

    Each expert has as many tiles of ROWS rows as it needs, those of the first expert come first.
    """
    e = tl.arange(0, WIDTH)
    begin = tl.load(bounds + e, mask=e < E, other=0)
    end = tl.load(bounds + 1 + e, mask=e < E, other=0)
    tiles = (end - begin + ROWS - 1) // ROWS
    last = tl.cumsum(tiles, 0)
    expert = tl.sum((last <= number).to(tl.int32), 0)
    mine = e == expert
    first = tl.sum(tl.where(mine, begin + (number - last + tiles) * ROWS, 0), 0)
    return expert, first, tl.sum(tl.where(mine, end, 0), 0)


@triton.jit
def _swiglu(
    x,
    w_in,
    gates,
    order,
    bounds,
    hidden,
    C: tl.constexpr,
    F: tl.constexpr,
    K: tl.constexpr,
    E: tl.constexpr,
    WIDTH: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
):
    """gate * silu(x a) * (x b); [S, F] by row."""
    blocks: tl.constexpr = (F + COLUMNS - 1) // COLUMNS
    expert, first, end = _tile(bounds, tl.program_id(0) // blocks, E, WIDTH, ROWS)
    if expert >= E:
        return
    row = first + tl.arange(0, ROWS)
    slot = tl.load(order + row, mask=row < end, other=0)
    token = (slot // K).to(tl.int64)
    f = tl.program_id(0) % blocks * COLUMNS + tl.arange(0, COLUMNS)
    w_in += expert.to(tl.int64) * C * 2 * F
    a = tl.zeros([ROWS, COLUMNS], tl.float32)
    b = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, C, DEPTH):
        c = start + tl.arange(0, DEPTH)
        x_tile = tl.load(
            x + token[:, None] * C + c[None, :],
            mask=(row[:, None] < end) & (c[None, :] < C),
            other=0.0,
        )
        inside = (c[:, None] < C) & (f[None, :] < F)
        a_tile = tl.load(w_in + c[:, None] * (2 * F) + f[None, :], mask=inside, other=0.0)
        b_tile = tl.load(w_in + c[:, None] * (2 * F) + F + f[None, :], mask=inside, other=0.0)
        a = tl.dot(x_tile, a_tile, a, input_precision="ieee")
        b = tl.dot(x_tile, b_tile, b, input_precision="ieee")
    gate = tl.load(gates + slot, mask=row < end, other=0.0)
    value = a * tl.sigmoid(a) * b * gate[:, None]
    at = hidden + row[:, None].to(tl.int64) * F + f[None, :]
    inside = (row[:, None] < end) & (f[None, :] < F)
    tl.store(at, value.to(hidden.dtype.element_ty), mask=inside)


@triton.jit
def _swiglu_backward(
    slope,
    x,
    w_in,
    w_out,
    gates,
    order,
    bounds,
    hidden,
    slope_both,
    slope_gates,
    S,
    C: tl.constexpr,
    F: tl.constexpr,
    K: tl.constexpr,
    E: tl.constexpr,
    WIDTH: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
):
    """`_swiglu` anew, and the gradients of what it was made of.

    slope_both is that of [x a, x b], [S, 2 F] by row; slope_gates that of the gates, float32
    [blocks of columns, S] by slot, to be summed over the blocks.
    """
    blocks: tl.constexpr = (F + COLUMNS - 1) // COLUMNS
    expert, first, end = _tile(bounds, tl.program_id(0) // blocks, E, WIDTH, ROWS)
    if expert >= E:
        return
    row = first + tl.arange(0, ROWS)
    slot = tl.load(order + row, mask=row < end, other=0)
    token = (slot // K).to(tl.int64)
    block = tl.program_id(0) % blocks
    f = block * COLUMNS + tl.arange(0, COLUMNS)
    w_in += expert.to(tl.int64) * C * 2 * F
    w_out += expert.to(tl.int64) * F * C
    a = tl.zeros([ROWS, COLUMNS], tl.float32)
    b = tl.zeros([ROWS, COLUMNS], tl.float32)
    slope_hidden = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, C, DEPTH):
        c = start + tl.arange(0, DEPTH)
        inside = (row[:, None] < end) & (c[None, :] < C)
        x_tile = tl.load(x + token[:, None] * C + c[None, :], mask=inside, other=0.0)
        slope_tile = tl.load(slope + token[:, None] * C + c[None, :], mask=inside, other=0.0)
        inside = (c[:, None] < C) & (f[None, :] < F)
        a_tile = tl.load(w_in + c[:, None] * (2 * F) + f[None, :], mask=inside, other=0.0)
        b_tile = tl.load(w_in + c[:, None] * (2 * F) + F + f[None, :], mask=inside, other=0.0)
        out_tile = tl.load(
            w_out + f[:, None] * C + c[None, :],
            mask=(f[:, None] < F) & (c[None, :] < C),
            other=0.0,
        )
        a = tl.dot(x_tile, a_tile, a, input_precision="ieee")
        b = tl.dot(x_tile, b_tile, b, input_precision="ieee")
        slope_hidden = tl.dot(slope_tile, tl.trans(out_tile), slope_hidden, input_precision="ieee")
    gate = tl.load(gates + slot, mask=row < end, other=0.0)
    sigmoid = tl.sigmoid(a)
    silu = a * sigmoid
    slope_gate = tl.sum(silu * b * slope_hidden, 1)
    tl.store(slope_gates + block.to(tl.int64) * S + slot, slope_gate, mask=row < end)
    slope_hidden *= gate[:, None]
    slope_a = slope_hidden * b * (sigmoid + silu * (1 - sigmoid))
    slope_b = slope_hidden * silu
    inside = (row[:, None] < end) & (f[None, :] < F)
    long = row[:, None].to(tl.int64)
    value = (silu * b * gate[:, None]).to(hidden.dtype.element_ty)
    tl.store(hidden + long * F + f[None, :], value, mask=inside)
    at = slope_both + long * (2 * F) + f[None, :]
    tl.store(at, slope_a.to(hidden.dtype.element_ty), mask=inside)
    tl.store(at + F, slope_b.to(hidden.dtype.element_ty), mask=inside)


@triton.jit
def _project(
    rows,
    weights,
    order,
    bounds,
    out,
    w_e,
    w_k,
    w_n,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    E: tl.constexpr,
    WIDTH: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
):
    """Rows times the matrix of their expert; [S, OUT] by slot. Strides of weights are given."""
    blocks: tl.constexpr = (OUT + COLUMNS - 1) // COLUMNS
    expert, first, end = _tile(bounds, tl.program_id(0) // blocks, E, WIDTH, ROWS)
    if expert >= E:
        return
    row = first + tl.arange(0, ROWS)
    slot = tl.load(order + row, mask=row < end, other=0)
    n = tl.program_id(0) % blocks * COLUMNS + tl.arange(0, COLUMNS)
    weights += expert.to(tl.int64) * w_e
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, IN, DEPTH):
        k = start + tl.arange(0, DEPTH)
        row_tile = tl.load(
            rows + row[:, None].to(tl.int64) * IN + k[None, :],
            mask=(row[:, None] < end) & (k[None, :] < IN),
            other=0.0,
        )
        weight_tile = tl.load(
            weights + k[:, None] * w_k + n[None, :] * w_n,
            mask=(k[:, None] < IN) & (n[None, :] < OUT),
            other=0.0,
        )
        total = tl.dot(row_tile, weight_tile, total, input_precision="ieee")
    at = out + slot[:, None].to(tl.int64) * OUT + n[None, :]
    inside = (row[:, None] < end) & (n[None, :] < OUT)
    tl.store(at, total.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _outer(
    left,
    right,
    order,
    bounds,
    out,
    LEFT: tl.constexpr,
    RIGHT: tl.constexpr,
    K: tl.constexpr,
    E: tl.constexpr,
    TOKENS_LEFT: tl.constexpr,
    SHARES: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    DEPTH: tl.constexpr,
):
    """Left transposed times right, over a share of an expert's rows; [SHARES, E, LEFT, RIGHT].

    One of the two is by token, the other by row.
    """
    blocks: tl.constexpr = (RIGHT + COLUMNS - 1) // COLUMNS
    m = tl.program_id(0) // blocks * ROWS + tl.arange(0, ROWS)
    n = tl.program_id(0) % blocks * COLUMNS + tl.arange(0, COLUMNS)
    expert = tl.program_id(1)
    begin = tl.load(bounds + expert)
    end = tl.load(bounds + expert + 1)
    share = (end - begin + SHARES - 1) // SHARES
    begin += share * tl.program_id(2)
    end = tl.minimum(begin + share, end)
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(begin, end, DEPTH):
        row = start + tl.arange(0, DEPTH)
        slot = tl.load(order + row, mask=row < end, other=0)
        token = slot // K
        left_row = (token if TOKENS_LEFT else row).to(tl.int64)
        right_row = (row if TOKENS_LEFT else token).to(tl.int64)
        left_tile = tl.load(
            left + left_row[:, None] * LEFT + m[None, :],
            mask=(row[:, None] < end) & (m[None, :] < LEFT),
            other=0.0,
        )
        right_tile = tl.load(
            right + right_row[:, None] * RIGHT + n[None, :],
            mask=(row[:, None] < end) & (n[None, :] < RIGHT),
            other=0.0,
        )
        total = tl.dot(tl.trans(left_tile), right_tile, total, input_precision="ieee")
    out += (tl.program_id(2) * E + expert).to(tl.int64) * LEFT * RIGHT
    inside = (m[:, None] < LEFT) & (n[None, :] < RIGHT)
    tl.store(out + m[:, None] * RIGHT + n[None, :], total, mask=inside)


def forward(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The mixture's output, [M, C], and the slots in order and the experts' bounds for `backward`.

    Args:
        x_MC, w_in_ECF2, w_out_EFC: all float32, bfloat16 or float16; M at least 1.
        experts_MK: int64, each from 0 to E - 1 and different within a row.
        gates_MK: float32.
    """
    M, C = x_MC.shape
    E, F, _ = w_out_EFC.shape
    K = experts_MK.shape[1]
    x, gates, w_in, w_out = (t.contiguous() for t in (x_MC, gates_MK, w_in_ECF2, w_out_EFC))
    order_S, bounds = _sort(experts_MK.contiguous(), E)
    hidden_SF = x.new_empty(M * K, F)
    _swiglu[_grid(M * K, E, F)](
        x, w_in, gates, order_S, bounds, hidden_SF, C, F, K, E, *_blocks(x, E), num_warps=8
    )
    out_SC = _by_slot(hidden_SF, w_out, order_S, bounds)
    return out_SC.view(M, K, C).sum(1), order_S, bounds


def backward(
    slope_MC: torch.Tensor,
    x_MC: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
    order_S: torch.Tensor,
    bounds: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of x, gates, w_in and w_out in their shapes and dtypes.

    Args:
        slope_MC: gradient of the output. The others are arguments and results of `forward`.
    """
    M, C = x_MC.shape
    E, F, _ = w_out_EFC.shape
    K = gates_MK.shape[1]
    slope, x, gates, w_in, w_out = (
        t.contiguous() for t in (slope_MC, x_MC, gates_MK, w_in_ECF2, w_out_EFC)
    )
    hidden_SF, slope_both = x.new_empty(M * K, F), x.new_empty(M * K, 2 * F)
    slope_gates = gates.new_empty(triton.cdiv(F, _COLUMNS), M * K)
    _swiglu_backward[_grid(M * K, E, F)](
        slope,
        x,
        w_in,
        w_out,
        gates,
        order_S,
        bounds,
        hidden_SF,
        slope_both,
        slope_gates,
        M * K,
        C,
        F,
        K,
        E,
        *_blocks(x, E),
        num_warps=8,
        num_stages=2,
    )
    slope_x = _by_slot(slope_both, w_in.transpose(1, 2), order_S, bounds).view(M, K, C).sum(1)
    slope_in = _summed_outer(x, slope_both, order_S, bounds, K, tokens_left=True)
    slope_out = _summed_outer(hidden_SF, slope, order_S, bounds, K, tokens_left=False)
    return slope_x, slope_gates.sum(0).view(M, K), slope_in, slope_out


def _sort(experts_MK: torch.Tensor, experts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Slots in the order of their experts, and the experts' bounds; int32 [S] and [E + 1]."""
    S, device = experts_MK.numel(), experts_MK.device
    width = _width(experts)
    block = _CELLS // width
    blocks = triton.cdiv(S, block)
    counts = torch.empty(blocks, width, dtype=torch.int32, device=device)
    order_S = torch.empty(S, dtype=torch.int32, device=device)
    bounds = torch.empty(experts + 1, dtype=torch.int32, device=device)
    _count[(blocks,)](experts_MK, counts, S, width, block)
    _place[(blocks,)](
        experts_MK, counts, order_S, bounds, S, blocks, experts, width, block, CHUNK=block // 4
    )
    return order_S, bounds


def _by_slot(
    rows: torch.Tensor, weights: torch.Tensor, order_S: torch.Tensor, bounds: torch.Tensor
) -> torch.Tensor:
    """Rows [S, IN] times their expert's matrix [E, IN, OUT]; [S, OUT] in the order of slots."""
    E, inner, outer = weights.shape
    out = rows.new_empty(len(rows), outer)
    _project[_grid(len(rows), E, outer)](
        rows,
        weights,
        order_S,
        bounds,
        out,
        *weights.stride(),
        inner,
        outer,
        E,
        *_blocks(rows, E),
        num_warps=8,
    )
    return out


def _summed_outer(
    left: torch.Tensor,
    right: torch.Tensor,
    order_S: torch.Tensor,
    bounds: torch.Tensor,
    slots: int,
    tokens_left: bool,
) -> torch.Tensor:
    """Gradient of a weight, [E, LEFT, RIGHT]; `slots` is how many a token has."""
    E, left_width, right_width = len(bounds) - 1, left.shape[1], right.shape[1]
    shares = left.new_empty(_SHARES, E, left_width, right_width, dtype=torch.float32)
    tiles = triton.cdiv(left_width, _ROWS) * triton.cdiv(right_width, _COLUMNS)
    _outer[tiles, E, _SHARES](
        left,
        right,
        order_S,
        bounds,
        shares,
        left_width,
        right_width,
        slots,
        E,
        tokens_left,
        _SHARES,
        *_blocks(left, E)[1:],
        num_warps=8,
    )
    return shares.sum(0).to(left.dtype)


def _width(experts: int) -> int:
    return max(2, triton.next_power_of_2(experts))


def _grid(slots: int, experts: int, columns: int) -> tuple[int]:
    """As many tiles as there can be however slots fall to experts, times blocks of columns."""
    return ((triton.cdiv(slots, _ROWS) + experts) * triton.cdiv(columns, _COLUMNS),)


def _blocks(x: torch.Tensor, experts: int) -> tuple[int, int, int, int]:
    """WIDTH, ROWS, COLUMNS and DEPTH: a tile is 128 bytes deep."""
    return _width(experts), _ROWS, _COLUMNS, 128 // x.element_size()
