"""Focal cross-entropy, and soft Dice on the boundary labels.

Shapes: B windows, K labels, L bases; J boundary labels.
"""

import torch

from augustus_dl.labels import LABELS, MASKED

__all__ = ["BOUNDARY", "annotation_loss", "focal_loss"]

BOUNDARY = tuple(
    i for i, name in enumerate(LABELS) if name[1:2] in ("D", "A") or name[1:] in ("START", "STOP")
)
"""Donor, acceptor, start and stop labels of both strands."""


def annotation_loss(
    logits_BKL: torch.Tensor,
    labels_BL: torch.Tensor,
    gamma: float = 1.0,
    dice_weight: float = 0.5,
    boundary_weight: float = 1.0,
) -> torch.Tensor:
    """Focal loss of the structure labels plus weighted Dice loss; float32 scalar.

    Dice (Milletari et al. 2016) is taken over `BOUNDARY` labels pooled over the batch, so it does
    not care that one base in a thousand carries one. MASKED bases count in neither.

    Args:
        labels_BL: uint8 labels, MASKED where unknown.
        boundary_weight: factor of the cross-entropy on bases with a boundary label.
    """
    boundary = torch.tensor(BOUNDARY, device=labels_BL.device)
    on_boundary_BL = (labels_BL.unsqueeze(-1) == boundary).any(-1)
    factor_BL = 1 + (boundary_weight - 1) * on_boundary_BL
    focal = focal_loss(logits_BKL, labels_BL, gamma, factor_BL)
    known_B1L = (labels_BL != MASKED).unsqueeze(1)
    p_BJL = logits_BKL.float().softmax(1)[:, boundary] * known_B1L
    y_BJL = labels_BL.unsqueeze(1) == boundary.view(1, -1, 1)
    overlap_J = (p_BJL * y_BJL).sum((0, 2))
    total_J = p_BJL.sum((0, 2)) + y_BJL.sum((0, 2))
    dice = 1 - ((2 * overlap_J + 1) / (total_J + 1)).mean()
    return focal + dice_weight * dice


def focal_loss(
    logits_BKL: torch.Tensor,
    labels_BL: torch.Tensor,
    gamma: float = 1.0,
    factor_BL: torch.Tensor | float = 1.0,
) -> torch.Tensor:
    """Mean focal cross-entropy over unmasked bases, 0 where there are none; float32 scalar.

    It down-weights bases that are already right (Lin et al. 2017).

    Args:
        labels_BL: uint8 labels, MASKED where unknown.
        factor_BL: of each base's share.
    """
    known_BL = labels_BL != MASKED
    target_BL = labels_BL.long().masked_fill(~known_BL, 0)
    logp_BKL = logits_BKL.float().log_softmax(1)
    logp_BL = logp_BKL.gather(1, target_BL.unsqueeze(1)).squeeze(1)
    weight_BL = (1 - logp_BL.detach().exp()) ** gamma * known_BL * factor_BL
    return -(weight_BL * logp_BL).sum() / known_BL.sum().clamp(min=1)
