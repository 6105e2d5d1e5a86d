"""Forward-backward on a GPU in Triton: two programs of one warp a sequence, one for either end.

Forward and backward probabilities do not need each other, so both directions run at once; their
products are normalised afterwards. The state is a vector of K <= 32 probabilities and a step is a
product with the 32 x 32 matrix of transitions, held in registers. A step divides by the sum of the
step before, which is known in time, and four positions are loaded while four are worked on: one
warp waits for nothing but its own products. No atomics: two runs agree bit for bit.
"""

import torch
import triton
import triton.language as tl

__all__ = ["forward_backward"]

_WIDTH = 32
LEAST = tl.constexpr(1e-37)
"""The least that sums divide by: where no path is left, all is zero."""


@triton.jit
def _load(emission, offset, step, i, k, L: tl.constexpr, K: tl.constexpr):
    """Emissions of the i-th position that is met; zeros behind the end."""
    return tl.load(emission + offset + i * step + k, mask=(k < K) & (i < L), other=0.0)


@triton.jit
def _step(p, total, matrix, e, out, reverse, i, k, L: tl.constexpr, K: tl.constexpr):
    """One position on: the state with its emission, and the logarithm of what was divided by.

    Stored are forward probabilities with the position's emission and backward ones without.
    """
    scale = tl.sum(p, axis=0)
    # through a matrix of one column, so that the sum comes out along the other axis
    arrived = tl.sum(tl.expand_dims(p, 1) * matrix, axis=0) * (1.0 / tl.maximum(scale, LEAST))
    q = arrived * e
    tl.store(out, tl.where(reverse == 1, arrived, q), mask=(k < K) & (i < L))
    return tl.where(i < L, q, p), total + tl.where(i < L, tl.log(scale), 0.0)


@triton.jit
def _scan(
    emission, transition, out, total, B, L: tl.constexpr, K: tl.constexpr, WIDTH: tl.constexpr
):
    b = tl.program_id(0).to(tl.int64)
    reverse = tl.program_id(1)
    k = tl.arange(0, WIDTH)
    square = reverse * WIDTH * WIDTH + k[:, None] * WIDTH + k[None, :]
    matrix = tl.load(transition + square)
    step = K * (1 - 2 * reverse)
    offset = b * L * K + reverse * (L - 1) * K
    out += reverse * B * L * K + offset + k
    p = _load(emission, offset, step, 0, k, L, K)
    tl.store(out, tl.where(reverse == 1, 1.0, p), mask=k < K)
    log_total = 0.0
    e1 = _load(emission, offset, step, 1, k, L, K)
    e2 = _load(emission, offset, step, 2, k, L, K)
    e3 = _load(emission, offset, step, 3, k, L, K)
    e4 = _load(emission, offset, step, 4, k, L, K)
    for i in range(1, L, 4):
        n1 = _load(emission, offset, step, i + 4, k, L, K)
        n2 = _load(emission, offset, step, i + 5, k, L, K)
        n3 = _load(emission, offset, step, i + 6, k, L, K)
        n4 = _load(emission, offset, step, i + 7, k, L, K)
        here = out + i * step
        p, log_total = _step(p, log_total, matrix, e1, here, reverse, i, k, L, K)
        p, log_total = _step(p, log_total, matrix, e2, here + step, reverse, i + 1, k, L, K)
        p, log_total = _step(p, log_total, matrix, e3, here + 2 * step, reverse, i + 2, k, L, K)
        p, log_total = _step(p, log_total, matrix, e4, here + 3 * step, reverse, i + 3, k, L, K)
        e1, e2, e3, e4 = n1, n2, n3, n4
    tl.store(total + reverse * B + b, log_total + tl.log(tl.sum(p, axis=0)))


def forward_backward(
    scores_BLK: torch.Tensor, transition_KK: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-partition, float32 [B], and the labels' marginal probabilities, float32 [B, L, K].

    Raises:
        ValueError: more than 32 labels.
    """
    B, L, K = scores_BLK.shape
    if K > _WIDTH:
        raise ValueError(f"{K} labels; at most {_WIDTH} fit")
    scores_BLK = scores_BLK.float()
    highest_BL1 = scores_BLK.amax(-1, keepdim=True)
    highest_BL1.masked_fill_(highest_BL1 == float("-inf"), 0.0)
    emission_BLK = (scores_BLK - highest_BL1).exp_().contiguous()
    matrix = torch.zeros(2, _WIDTH, _WIDTH, device=scores_BLK.device)
    matrix[0, :K, :K] = transition_KK.to(scores_BLK.device).float().exp()
    matrix[1] = matrix[0].T
    both_2BLK = torch.empty(2, B, L, K, device=scores_BLK.device)
    total_2B = torch.empty(2, B, device=scores_BLK.device)
    _scan[(B, 2)](emission_BLK, matrix, both_2BLK, total_2B, B, L, K, _WIDTH, num_warps=1)
    marginals_BLK = both_2BLK[0].mul_(both_2BLK[1])
    marginals_BLK /= marginals_BLK.sum(-1, keepdim=True).clamp_(min=LEAST.value)
    return total_2B[0] + highest_BL1.sum((1, 2)), marginals_BLK
