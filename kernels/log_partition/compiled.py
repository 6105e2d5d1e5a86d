"""Forward-backward on a CPU, in float64, one sequence after the other.

Probabilities are scaled to a sum of one at every position, so nothing underflows however long the
sequence is.
"""

import numpy as np
import torch
from numba import njit

__all__ = ["forward_backward"]


def forward_backward(
    scores_BLK: torch.Tensor, transition_KK: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-partition, float32 [B], and the labels' marginal probabilities, float32 [B, L, K]."""
    legal = transition_KK > float("-inf")
    source, target = (index.numpy() for index in legal.nonzero(as_tuple=True))
    weight = transition_KK[legal].double().exp().numpy()
    scores = scores_BLK.float().contiguous().numpy()
    total = np.empty(len(scores), dtype=np.float64)
    marginals = np.empty_like(scores)
    for b in range(len(scores)):
        total[b] = _one(scores[b], source, target, weight, marginals[b])
    return torch.from_numpy(total).float(), torch.from_numpy(marginals)


@njit(cache=True, nogil=True)
def _one(scores, source, target, weight, marginals):
    """Fill one sequence's marginals; return its log-partition."""
    length, labels = scores.shape
    alpha = np.zeros((length, labels))
    emission = np.zeros((length, labels))
    total = 0.0
    for t in range(length):
        highest = scores[t].max()
        if t == 0:
            alpha[0] = 1.0
        else:
            for e in range(len(source)):
                alpha[t, target[e]] += alpha[t - 1, source[e]] * weight[e]
        scale = 0.0
        for k in range(labels):
            emission[t, k] = np.exp(scores[t, k] - highest)
            alpha[t, k] *= emission[t, k]
            scale += alpha[t, k]
        if scale == 0.0:
            marginals[:] = 0.0
            return -np.inf
        alpha[t] /= scale
        total += highest + np.log(scale)
    beta = np.ones(labels)
    for t in range(length - 1, -1, -1):
        both = alpha[t] * beta
        marginals[t] = both / max(both.sum(), 1e-300)
        arrived = emission[t] * beta
        beta = np.zeros(labels)
        for e in range(len(source)):
            beta[source[e]] += weight[e] * arrived[target[e]]
        beta /= max(beta.sum(), 1e-300)
    return total
