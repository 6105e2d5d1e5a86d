"""The path loss: what it rewards, what it ignores, and what the sequence forbids.

python -m pytest tests/train/test_path_loss.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.labels import MASKED, MIRROR, NUM_LABELS, label, mirror, to_labels
from augustus_dl.train.path_loss import PathLoss

SEQUENCE = b"CCATGAAAGTAAGTCCCCCCCCTTTCAGAATGGTTAACCCC"
GENE = Transcript(
    strand="+", cds=((2, 8), (28, 37)), phase=0, complete5=True, complete3=True, start=2, end=37
)


@pytest.fixture
def loss() -> PathLoss:
    return PathLoss(DecoderConfig(), torch.device("cpu"))


def batch(sequence: bytes = SEQUENCE) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels and codes of the gene, uint8 [1, L]."""
    labels = torch.from_numpy(to_labels([GENE], len(sequence))).unsqueeze(0)
    return labels, torch.from_numpy(base_codes(sequence)).unsqueeze(0)


def logits(labels: torch.Tensor, strength: float) -> torch.Tensor:
    """Scores that favour these labels; [1, 29, L]."""
    known = labels.long().clamp(max=NUM_LABELS - 1)
    return strength * torch.nn.functional.one_hot(known, NUM_LABELS).float().transpose(1, 2)


def test_falls_to_nothing_as_the_truth_is_told_apart(loss: PathLoss) -> None:
    labels, codes = batch()
    values = [loss(logits(labels, s), labels, codes).item() for s in (0.0, 4.0, 8.0, 200.0)]
    assert values == sorted(values, reverse=True) and values[0] > 0.5
    assert values[-1] == pytest.approx(0.0, abs=1e-3)


def test_gradient_points_to_the_truth(loss: PathLoss) -> None:
    labels, codes = batch()
    scores = torch.zeros(1, NUM_LABELS, labels.shape[1], requires_grad=True)
    for _ in range(200):
        value = loss(scores, labels, codes)
        (gradient,) = torch.autograd.grad(value, scores)
        scores = (scores - 20 * gradient).detach().requires_grad_()
    assert loss(scores, labels, codes) < 0.1 * loss(0 * scores, labels, codes)


def test_masked_bases_may_be_anything(loss: PathLoss) -> None:
    labels, codes = batch()
    scores = logits(labels, 4.0)
    hidden = torch.full_like(labels, MASKED)
    assert loss(scores, hidden, codes).item() == pytest.approx(0.0, abs=1e-4)
    half = labels.clone()
    half[:, 10:30] = MASKED
    assert 0 < loss(scores, half, codes) < loss(scores, labels, codes) * 3


def test_labels_that_fit_no_path_count_nothing(loss: PathLoss) -> None:
    labels, codes = batch()
    labels[:, 15] = label("-", "I0")
    scores = logits(labels, 1.0).requires_grad_()
    value = loss(scores, labels, codes)
    value.backward()
    assert value == 0 and not scores.grad.any()


def test_both_strands_are_alike(loss: PathLoss) -> None:
    labels, codes = batch()
    scores = torch.randn(1, NUM_LABELS, labels.shape[1], generator=torch.Generator().manual_seed(1))
    turned = torch.from_numpy(mirror(labels[0].numpy())).unsqueeze(0)
    back = torch.from_numpy(reverse_complement(codes[0].numpy())).unsqueeze(0)
    value = loss(scores.flip(2)[:, MIRROR.astype(np.int64)], turned, back)
    assert value.item() == pytest.approx(loss(scores, labels, codes).item(), rel=1e-4)


def test_sequence_forbids_splice_sites_and_stop_codons(loss: PathLoss) -> None:
    labels, codes = batch()
    penalties = loss._penalties(codes)[0]
    donor, acceptor = label("+", "D0"), label("+", "A0")
    assert penalties[8, donor] == 0 and penalties[9, donor] < -10
    assert penalties[27, acceptor] == 0 and penalties[26, acceptor] < -10
    stop = SEQUENCE.index(b"TAA", 30) + 2
    assert penalties[stop, label("+", "C2")] < -10
    assert (penalties[torch.arange(len(SEQUENCE)), labels[0].long()] == 0).all()


def test_the_genetic_code_says_what_stops() -> None:
    """TAA and TAG are glutamine for ciliates, TGA stops."""
    loss = PathLoss(DecoderConfig(genetic_code=6), torch.device("cpu"))
    codes = torch.from_numpy(base_codes(b"CTAACTAGCTGAC")).unsqueeze(0)
    penalties = loss._penalties(codes)[0]
    assert penalties[:, label("+", "C2")].nonzero().flatten().tolist() == [11]
    mirrored = loss._penalties(torch.from_numpy(reverse_complement(codes[0].numpy()))[None])[0]
    assert mirrored[:, label("-", "C2")].nonzero().flatten().tolist() == [1]
