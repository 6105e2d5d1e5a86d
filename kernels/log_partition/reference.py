"""Log-partition of a linear-chain conditional random field in plain torch.

Shapes: B sequences, L positions, K labels. Source: Lafferty et al. 2001; Rabiner 1989.
"""

import torch

__all__ = ["log_partition"]


def log_partition(scores_BLK: torch.Tensor, transition_KK: torch.Tensor) -> torch.Tensor:
    """Logarithm of the sum over all label paths of exp(path score); [B], differentiable.

    A path's score is the sum of its labels' scores and of the transitions between neighbours. It
    may begin and end with any label.

    Args:
        scores_BLK: -inf where a label must not stand. Where no path is left, the result is -inf.
        transition_KK: from left label (row) to right label; -inf where illegal.
    """
    alpha_BK = scores_BLK[:, 0]
    for t in range(1, scores_BLK.shape[1]):
        ways_BKK = alpha_BK.unsqueeze(2) + transition_KK
        alpha_BK = ways_BKK.logsumexp(1) + scores_BLK[:, t]
    return alpha_BK.logsumexp(1)
