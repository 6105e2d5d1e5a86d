"""The loss against a loop over windows and bases.

python -m pytest tests/train/test_loss.py
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from augustus_dl.labels import INTERGENIC, LABELS, MASKED, NUM_LABELS, NUM_UTR_LABELS, label
from augustus_dl.train.loss import BOUNDARY, annotation_loss, focal_loss


def by_loop(
    logits: np.ndarray,
    labels: np.ndarray,
    gamma: float,
    dice_weight: float,
    boundary_weight: float,
) -> float:
    focal, known = 0.0, 0
    shares = {k: [0.0, 0.0] for k in BOUNDARY}  # overlap, total
    for window in range(len(labels)):
        for base in range(labels.shape[1]):
            truth = int(labels[window, base])
            if truth == MASKED:
                continue
            scores = logits[window, :, base]
            p = np.exp(scores - scores.max())
            p /= p.sum()
            factor = boundary_weight if truth in BOUNDARY else 1.0
            focal -= factor * (1 - p[truth]) ** gamma * math.log(p[truth])
            known += 1
            for k in BOUNDARY:
                shares[k][0] += p[k] * (truth == k)
                shares[k][1] += p[k] + (truth == k)
    dice = np.mean([1 - (2 * both + 1) / (total + 1) for both, total in shares.values()])
    return focal / max(known, 1) + dice_weight * float(dice)


def example(length: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, NUM_LABELS, length, generator=generator)
    labels = torch.randint(0, NUM_LABELS, (3, length), generator=generator, dtype=torch.uint8)
    labels[0, 5:17] = MASKED
    labels[2, -4:] = MASKED
    return logits, labels


def test_boundary_labels_are_the_ends_of_exons() -> None:
    assert len(BOUNDARY) == 16
    assert {LABELS[k][1:].rstrip("012") for k in BOUNDARY} == {"D", "A", "START", "STOP"}


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("dice_weight", [0.0, 0.5])
@pytest.mark.parametrize("boundary_weight", [1.0, 5.0])
def test_the_loss_is_that_of_the_loop(
    gamma: float, dice_weight: float, boundary_weight: float
) -> None:
    logits, labels = example()
    loss = annotation_loss(logits, labels, gamma, dice_weight, boundary_weight)
    expected = by_loop(logits.double().numpy(), labels.numpy(), gamma, dice_weight, boundary_weight)
    assert loss.dtype == torch.float32 and loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_plain_cross_entropy_is_a_special_case() -> None:
    logits, labels = example()
    target = labels.long().masked_fill(labels == MASKED, -100)
    expected = torch.nn.functional.cross_entropy(logits, target)
    torch.testing.assert_close(annotation_loss(logits, labels, 0.0, 0.0), expected)


def test_masked_bases_have_no_influence() -> None:
    logits, labels = example()
    logits.requires_grad_()
    loss = annotation_loss(logits, labels)
    (grad,) = torch.autograd.grad(loss, logits)
    masked = (labels == MASKED).unsqueeze(1).expand_as(grad)
    assert not grad[masked].any()
    assert grad[~masked].any()
    other = torch.where(masked, 50 * torch.randn_like(logits), logits)
    assert torch.equal(annotation_loss(other, labels), loss)


def test_a_batch_of_masked_bases_is_finite() -> None:
    logits = torch.randn(2, NUM_LABELS, 8, requires_grad=True)
    loss = annotation_loss(logits, torch.full((2, 8), MASKED, dtype=torch.uint8))
    (grad,) = torch.autograd.grad(loss, logits)
    assert loss.isfinite() and not grad.any()


def test_better_scores_have_lower_loss_down_to_zero() -> None:
    labels = torch.tensor([[INTERGENIC, label("+", "START"), label("+", "C1")]], dtype=torch.uint8)
    perfect = torch.nn.functional.one_hot(labels.long(), NUM_LABELS).transpose(1, 2).float()
    losses = [annotation_loss(scale * perfect, labels).item() for scale in (0, 1, 5, 100)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0, abs=1e-6)


def test_half_precision_scores_are_summed_in_float32() -> None:
    logits, labels = example()
    low = logits.bfloat16()
    assert torch.equal(annotation_loss(low, labels), annotation_loss(low.float(), labels))


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_the_focal_loss_of_any_labels(gamma: float) -> None:
    """Those of the UTR track too: it has no boundary labels."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, NUM_UTR_LABELS, 30, generator=generator)
    labels = torch.randint(0, NUM_UTR_LABELS, (2, 30), generator=generator, dtype=torch.uint8)
    labels[0, 3:9] = MASKED
    total, known = 0.0, 0
    for scores, truth in zip(logits.transpose(1, 2).reshape(60, -1), labels.flatten(), strict=True):
        if truth != MASKED:
            p = scores.double().softmax(0)[int(truth)].item()
            total -= (1 - p) ** gamma * math.log(p)
            known += 1
    assert known == 54
    assert focal_loss(logits, labels, gamma).item() == pytest.approx(total / known, rel=1e-5)


def test_where_no_utr_is_known_nothing_is_learnt() -> None:
    logits = torch.randn(2, NUM_UTR_LABELS, 8, requires_grad=True)
    labels = torch.full((2, 8), MASKED, dtype=torch.uint8)
    loss = focal_loss(logits, labels)
    (grad,) = torch.autograd.grad(loss, logits)
    assert loss.item() == 0 and not grad.any()
    labels[1, 5] = 3
    (grad,) = torch.autograd.grad(focal_loss(logits, labels), logits)
    assert grad[1, :, 5].any()
    grad[1, :, 5] = 0
    assert not grad.any()
