"""Mixture of experts: both ways of computing it against a loop over tokens, and the router.

python -m pytest tests/kernels/test_expert_mlp.py
"""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from augustus_dl.kernels.expert_mlp import expert_mlp, reference, route

PATHS = {"gathered": reference._gathered, "all experts": reference._all_experts}


def loop(
    x_MC: torch.Tensor, gates_ME: torch.Tensor, w_in_ECF2: torch.Tensor, w_out_EFC: torch.Tensor
) -> torch.Tensor:
    """One token and one expert at a time."""
    rows = []
    for token, gates_E in zip(x_MC, gates_ME, strict=True):
        row = torch.zeros_like(token)
        for expert in range(len(gates_E)):
            if gates_E[expert] == 0:
                continue
            both = token @ w_in_ECF2[expert]
            a, b = both[: len(both) // 2], both[len(both) // 2 :]
            row = row + gates_E[expert] * ((F.silu(a) * b) @ w_out_EFC[expert])
        rows.append(row)
    return torch.stack(rows)


def tensors(
    tokens: int, width: int, hidden: int, top_k: int, used: int = 8, experts: int = 8
) -> list[torch.Tensor]:
    """x, gates, w_in, w_out in float64; tokens go to the first `used` experts only."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    logits = normal(tokens, experts)
    logits[:, used:] = -1e9
    gates = route(logits, top_k).gates_ME.double()
    weights = normal(experts, width, 2 * hidden) / width**0.5, normal(experts, hidden, width)
    return [t.requires_grad_() for t in (normal(tokens, width), gates, *weights)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("top_k", [1, 2, 8])
@pytest.mark.parametrize(("tokens", "width", "hidden"), [(1, 4, 8), (17, 7, 5), (40, 16, 3)])
def test_outputs_and_gradients_are_those_of_the_loop(
    path: str, top_k: int, tokens: int, width: int, hidden: int
) -> None:
    given = tensors(tokens, width, hidden, top_k)
    out, expected = PATHS[path](*given), loop(*given)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-10)
    upstream = torch.randn(out.shape, dtype=torch.float64)
    grads = list(torch.autograd.grad(out, given, upstream))
    wanted = list(torch.autograd.grad(expected, given, upstream))
    chosen = given[1] != 0  # a gate of zero has a slope in one formula and none in the others
    grads[1], wanted[1] = grads[1][chosen], wanted[1][chosen]
    torch.testing.assert_close(grads, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_experts_without_a_token(path: str) -> None:
    given = tensors(9, 6, 4, top_k=2, used=3)
    assert (given[1] > 0).any(0).tolist() == [True] * 3 + [False] * 5
    out = PATHS[path](*given)
    torch.testing.assert_close(out, loop(*given), rtol=1e-10, atol=1e-10)
    grad_in, grad_out = torch.autograd.grad(out.sum(), given[2:])
    assert not grad_in[3:].any() and not grad_out[3:].any()
    assert grad_in[:3].any() and grad_out[:3].any()


@pytest.mark.parametrize("path", PATHS)
def test_a_token_without_an_expert_gives_zero(path: str) -> None:
    x, gates, w_in, w_out = (t.detach() for t in tensors(4, 6, 4, top_k=2))
    gates[2] = 0
    out = PATHS[path](x, gates, w_in, w_out)
    assert not out[2].any() and out[0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_front_door_keeps_the_dtype(dtype: torch.dtype) -> None:
    x, gates, w_in, w_out = (t.detach() for t in tensors(12, 8, 6, top_k=2))
    out = expert_mlp(x.to(dtype), gates.float(), w_in.to(dtype), w_out.to(dtype))
    tolerance = 1e-5 if dtype == torch.float32 else 0.1
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), loop(x, gates, w_in, w_out), rtol=0.05, atol=tolerance)


@pytest.mark.parametrize("top_k", [1, 2, 8])
def test_gates_sum_to_one_over_the_best_experts(top_k: int) -> None:
    logits = torch.randn(50, 8)
    gates = route(logits, top_k).gates_ME
    assert gates.dtype == torch.float32
    assert ((gates > 0).sum(1) == top_k).all()
    torch.testing.assert_close(gates.sum(1), torch.ones(50))
    for row, chosen in zip(logits, gates > 0, strict=True):
        best = sorted(range(8), key=lambda expert: -row[expert])[:top_k]
        assert set(chosen.nonzero().squeeze(1).tolist()) == set(best)


@pytest.mark.parametrize("experts", [3, 8, 64])
@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_ties_go_to_the_lower_expert(experts: int, top_k: int) -> None:
    gates = route(torch.zeros(5, experts), top_k).gates_ME
    expected = torch.zeros(5, experts)
    expected[:, :top_k] = 1 / top_k
    torch.testing.assert_close(gates, expected)
    first = route(torch.tensor([[1.0, 0, 1, 0, 1, 0, 1, 0]]), 2).gates_ME
    assert first.nonzero()[:, 1].tolist() == [0, 2]


def test_routing_is_in_float32() -> None:
    logits = torch.randn(6, 8).bfloat16()
    assert torch.equal(route(logits, 2).gates_ME, route(logits.float(), 2).gates_ME)


def test_the_loss_of_an_even_and_of_a_lopsided_router() -> None:
    """Balance is 1 when tokens spread evenly and E when all go to one; z is logsumexp squared."""
    even = route(torch.eye(4) * 30, 1).loss
    lopsided = route(torch.tensor([[30.0, 0, 0, 0]] * 4), 1).loss
    assert even.item() == pytest.approx(1 + 0.1 * 900, rel=1e-5)
    assert lopsided.item() == pytest.approx(4 + 0.1 * 900, rel=1e-5)
    flat = route(torch.zeros(4, 4), 1).loss
    assert flat.item() == pytest.approx(1 + 0.1 * math.log(4) ** 2, rel=1e-5)


def test_the_loss_pulls_towards_balance() -> None:
    logits = torch.tensor([[2.0, 0, 0, 0]] * 8, requires_grad=True)
    (grad,) = torch.autograd.grad(route(logits, 1).loss, logits)
    assert (grad[:, 0] > 0).all() and (grad[:, 0] > grad[:, 1]).all()
