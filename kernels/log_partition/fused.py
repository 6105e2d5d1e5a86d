"""Forward-backward on a GPU in Triton: one program of one warp a sequence.

The state is a vector of K <= 32 label probabilities, scaled to a sum of one at every position; a
step is a product with the 32 x 32 matrix of transitions, held in registers. Scores of the next
position are loaded before they are needed. No atomics: two runs agree bit for bit.
"""

import torch
import triton
import triton.language as tl

__all__ = ["forward_backward"]

_WIDTH = 32


@triton.jit
def _forward(
    scores, transition, alpha, total, L: tl.constexpr, K: tl.constexpr, WIDTH: tl.constexpr
):
    """Scaled forward probabilities of every position, and the log-partition."""
    b = tl.program_id(0).to(tl.int64)
    k = tl.arange(0, WIDTH)
    inside = k < K
    matrix = tl.load(transition + k[:, None] * WIDTH + k[None, :])
    row = scores + b * L * K
    out = alpha + b * L * K
    now = tl.load(row + k, mask=inside, other=float("-inf"))
    highest = tl.max(now, axis=0)
    p = tl.exp(now - highest)
    scale = tl.sum(p, axis=0)
    p = p / tl.maximum(scale, 1e-37)
    tl.store(out + k, p, mask=inside)
    log_total = highest + tl.log(scale)
    now = tl.load(row + K + k, mask=inside & (L > 1), other=float("-inf"))
    for t in range(1, L):
        ahead = tl.load(row + (t + 1) * K + k, mask=inside & (t + 1 < L), other=float("-inf"))
        highest = tl.max(now, axis=0)
        # through a matrix of one column, so that the sum comes out along the other axis
        q = tl.sum(tl.expand_dims(p, 1) * matrix, axis=0) * tl.exp(now - highest)
        scale = tl.sum(q, axis=0)
        q = q / tl.maximum(scale, 1e-37)
        tl.store(out + t * K + k, q, mask=inside)
        log_total += highest + tl.log(scale)
        p = q
        now = ahead
    tl.store(total + b, log_total)


@triton.jit
def _backward(scores, transition, alpha, L: tl.constexpr, K: tl.constexpr, WIDTH: tl.constexpr):
    """Overwrites the forward probabilities by marginals.

    `transition` is transposed: row is the right label.
    """
    b = tl.program_id(0).to(tl.int64)
    k = tl.arange(0, WIDTH)
    inside = k < K
    matrix = tl.load(transition + k[:, None] * WIDTH + k[None, :])
    row = scores + b * L * K
    out = alpha + b * L * K
    beta = tl.where(inside, 1.0, 0.0)
    now = tl.load(row + (L - 1) * K + k, mask=inside, other=float("-inf"))
    a = tl.load(out + (L - 1) * K + k, mask=inside, other=0.0)
    for i in range(0, L):
        t = L - 1 - i
        behind = tl.load(row + (t - 1) * K + k, mask=inside & (t > 0), other=float("-inf"))
        a_behind = tl.load(out + (t - 1) * K + k, mask=inside & (t > 0), other=0.0)
        both = a * beta
        tl.store(out + t * K + k, both / tl.maximum(tl.sum(both, axis=0), 1e-37), mask=inside)
        arrived = beta * tl.exp(now - tl.max(now, axis=0))
        beta = tl.sum(tl.expand_dims(arrived, 1) * matrix, axis=0)
        beta = beta / tl.maximum(tl.sum(beta, axis=0), 1e-37)
        now = behind
        a = a_behind


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
    scores_BLK = scores_BLK.float().contiguous()
    matrix = torch.zeros(_WIDTH, _WIDTH, device=scores_BLK.device)
    matrix[:K, :K] = transition_KK.to(scores_BLK.device).float().exp()
    marginals_BLK = torch.empty_like(scores_BLK)
    total_B = torch.empty(B, device=scores_BLK.device)
    _forward[(B,)](scores_BLK, matrix, marginals_BLK, total_B, L, K, _WIDTH, num_warps=1)
    transposed = matrix.T.contiguous()
    _backward[(B,)](scores_BLK, transposed, marginals_BLK, L, K, _WIDTH, num_warps=1)
    return total_B, marginals_BLK
