"""Log-partition: reference against enumeration, compiled and fused versions against the reference.

python -m pytest tests/kernels/test_log_partition.py
"""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys

import pytest
import torch

from augustus_dl.kernels.log_partition import compiled, log_partition, reference

NEVER = float("-inf")


def random_chain(
    sequences: int, length: int, labels: int, seed: int = 1, banned: float = 0.3
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and transitions, some of which are impossible; every label may follow itself."""
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(sequences, length, labels, generator=generator)
    transition = torch.randn(labels, labels, generator=generator)
    transition[torch.rand(labels, labels, generator=generator) < banned] = NEVER
    return scores, transition.fill_diagonal_(0.0)


def by_enumeration(scores_LK: torch.Tensor, transition_KK: torch.Tensor) -> float:
    length, labels = scores_LK.shape
    totals = []
    for path in itertools.product(range(labels), repeat=length):
        score = sum(float(scores_LK[t, k]) for t, k in enumerate(path))
        totals.append(score + sum(float(transition_KK[a, b]) for a, b in itertools.pairwise(path)))
    return float(torch.tensor(totals, dtype=torch.float64).logsumexp(0))


@pytest.mark.parametrize(("length", "labels"), [(1, 4), (2, 3), (5, 4)])
def test_reference_sums_over_all_paths(length: int, labels: int) -> None:
    scores, transition = random_chain(2, length, labels)
    found = reference.log_partition(scores.double(), transition.double())
    for row, value in zip(scores, found, strict=True):
        assert math.isclose(by_enumeration(row, transition), float(value), rel_tol=1e-6)


@pytest.mark.parametrize(("length", "labels"), [(1, 29), (2, 5), (63, 29), (500, 7), (40, 32)])
def test_front_door_agrees_with_reference(length: int, labels: int) -> None:
    scores, transition = random_chain(3, length, labels)
    ours, theirs = scores.clone().requires_grad_(), scores.double().requires_grad_()
    weight = torch.tensor([1.0, -2.0, 0.5])
    (log_partition(ours, transition) * weight).sum().backward()
    total = reference.log_partition(theirs, transition.double())
    (total * weight).sum().backward()
    torch.testing.assert_close(log_partition(scores, transition).double(), total.detach())
    torch.testing.assert_close(ours.grad.double(), theirs.grad, atol=1e-6, rtol=1e-4)


def test_known_labels_take_all_probability() -> None:
    scores, transition = random_chain(1, 30, 5, banned=0.0)
    path = torch.randint(5, (1, 30), generator=torch.Generator().manual_seed(2))
    only = torch.full_like(scores, NEVER).scatter(2, path.unsqueeze(2), 0.0)
    total, marginals = compiled.forward_backward(scores + only, transition)
    score = scores.gather(2, path.unsqueeze(2)).sum()
    score = score + transition[path[0, :-1], path[0, 1:]].sum()
    torch.testing.assert_close(total[0], score)
    torch.testing.assert_close(marginals, only.exp())


def test_no_path_is_minus_infinity_and_has_no_gradient() -> None:
    scores, transition = random_chain(2, 6, 3, banned=0.0)
    transition[0, 1] = NEVER
    scores[0, 2, 1:] = NEVER
    scores[0, 3, [0, 2]] = NEVER
    scores.requires_grad_()
    total = log_partition(scores, transition)
    assert total[0] == NEVER and torch.isfinite(total[1])
    torch.where(torch.isfinite(total), total, 0.0).sum().backward()
    assert not scores.grad[0].any() and torch.isfinite(scores.grad).all()


def test_long_sequences_do_not_underflow() -> None:
    scores, transition = random_chain(1, 20_000, 4)
    total, marginals = compiled.forward_backward(scores - 50, transition)
    assert torch.isfinite(total).all()
    torch.testing.assert_close(marginals.sum(-1), torch.ones(1, 20_000))


def compare_fused(device: str) -> None:
    """The Triton version against the compiled one; two runs agree bit for bit."""
    from augustus_dl.kernels.log_partition import fused

    for sequences, length, labels in ((2, 1, 29), (1, 2, 5), (3, 33, 29), (2, 40, 32)):
        scores, transition = random_chain(sequences, length, labels)
        if length > 2:
            scores[0, 1, 1:] = NEVER
        there = scores.to(device), transition.to(device)
        total, marginals = fused.forward_backward(*there)
        again = fused.forward_backward(*there)
        assert torch.equal(total, again[0]) and torch.equal(marginals, again[1])
        expected = compiled.forward_backward(scores, transition)
        torch.testing.assert_close(total.cpu(), expected[0], rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(marginals.cpu(), expected[1], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="33 labels"):
        fused.forward_backward(torch.zeros(1, 2, 33), torch.zeros(33, 33))


def test_fused_agrees_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); "
    code += "import test_log_partition as t; t.compare_fused('cpu')"
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
def test_fused_agrees_on_the_gpu() -> None:
    compare_fused("cuda")
