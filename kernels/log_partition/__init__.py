"""Log-partition of a linear-chain conditional random field: front door."""

import torch

__all__ = ["log_partition"]


class _LogPartition(torch.autograd.Function):
    """The gradient of a log-partition is the labels' marginal probabilities."""

    @staticmethod
    def forward(ctx, scores_BLK: torch.Tensor, transition_KK: torch.Tensor) -> torch.Tensor:
        if scores_BLK.is_cuda:
            from .fused import forward_backward
        else:
            from .compiled import forward_backward
        total_B, marginals_BLK = forward_backward(scores_BLK.detach(), transition_KK)
        ctx.save_for_backward(marginals_BLK)
        ctx.dtype = scores_BLK.dtype
        return total_B

    @staticmethod
    def backward(ctx, gradient_B: torch.Tensor) -> tuple[torch.Tensor, None]:
        (marginals_BLK,) = ctx.saved_tensors
        return (gradient_B.view(-1, 1, 1) * marginals_BLK).to(ctx.dtype), None


def log_partition(scores_BLK: torch.Tensor, transition_KK: torch.Tensor) -> torch.Tensor:
    """See `reference.log_partition`; float32 [B], differentiable in the scores alone.

    Triton on a GPU, Numba elsewhere. Scores of labels allowed at one position may differ by at
    most 80 nats on a GPU before the smaller one's probability is lost.
    """
    return _LogPartition.apply(scores_BLK, transition_KK)
