"""Blocked sliding-window attention against the dense formula, forward and backward.

python -m pytest tests/kernels/test_window_attention.py
"""

from __future__ import annotations

import pytest
import torch

from augustus_dl.kernels.window_attention import alibi_slopes, window_attention


def dense(
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
) -> torch.Tensor:
    """The whole T x T matrix in float64."""
    q, k, v = (x.double() for x in (q_BHTD, k_BHTD, v_BHTD))
    position = torch.arange(q.shape[2])
    distance = (position[:, None] - position).abs()
    scores = q @ k.transpose(-1, -2) / q.shape[3] ** 0.5
    scores = scores - slopes_H.double()[:, None, None] * distance
    return scores.masked_fill(distance > window, -torch.inf).softmax(-1) @ v


def inputs(*shape: int, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(shape, generator=generator).to(dtype).requires_grad_() for _ in ("q", "k", "v")
    ]


def test_slopes_are_those_of_the_paper() -> None:
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert alibi_slopes(4).tolist() == [2.0**-i for i in (2, 4, 6, 8)]


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("tokens", [1, 5, 63, 64, 65, 200])
@pytest.mark.parametrize("window", [1, 7, 64])
def test_forward_and_gradients_are_the_dense_ones(tokens: int, heads: int, window: int) -> None:
    qkv = inputs(2, heads, tokens, 8)
    slopes = alibi_slopes(heads)
    out, expected = window_attention(*qkv, slopes, window), dense(*qkv, slopes, window)
    assert out.shape == (2, heads, tokens, 8) and out.dtype == torch.float32
    torch.testing.assert_close(out.double(), expected, rtol=0, atol=1e-5)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(2))
    grads = torch.autograd.grad(out, qkv, upstream)
    wanted = torch.autograd.grad(expected, qkv, upstream.double())
    torch.testing.assert_close(grads, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 65, 200])
def test_bfloat16_is_near(tokens: int) -> None:
    qkv = inputs(1, 4, tokens, 16, dtype=torch.bfloat16)
    out = window_attention(*qkv, alibi_slopes(4), 64)
    assert out.dtype == torch.bfloat16
    expected = dense(*qkv, alibi_slopes(4), 64)
    torch.testing.assert_close(out.double(), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("tokens", [1, 63, 65])
def test_what_lies_behind_the_tokens_in_memory_does_not_leak(tokens: int) -> None:
    """The tensors are slices of memory that is NaN elsewhere."""
    clean = inputs(1, 2, tokens, 8)
    poisoned = []
    for tensor in clean:
        memory = torch.full((1, 2, tokens + 200, 8), torch.nan)
        memory[:, :, 100 : 100 + tokens] = tensor.detach()
        poisoned.append(memory[:, :, 100 : 100 + tokens].requires_grad_())
    out = window_attention(*poisoned, alibi_slopes(2), 16)
    assert torch.equal(out, window_attention(*clean, alibi_slopes(2), 16))
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(out.sum(), poisoned))


def test_uninitialised_memory_is_not_read() -> None:
    """torch fills what `empty` gives with NaN while deterministic algorithms are demanded."""
    qkv = inputs(1, 2, 70, 8)
    expected = window_attention(*qkv, alibi_slopes(2), 64)
    torch.use_deterministic_algorithms(True)
    try:
        assert torch.empty(3).isnan().all()
        out = window_attention(*qkv, alibi_slopes(2), 64)
        grads = torch.autograd.grad(out.sum(), qkv)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(out, expected)
    assert all(grad.isfinite().all() for grad in grads)


def test_a_token_out_of_reach_has_no_weight() -> None:
    q, k, v = inputs(1, 1, 40, 8)
    out = window_attention(q, k, v, alibi_slopes(1), 4)
    grad_k, grad_v = torch.autograd.grad(out[:, :, 20].sum(), (k, v))
    touched = (grad_k.abs() + grad_v.abs()).sum((0, 1, 3)).nonzero().squeeze(1)
    assert touched.tolist() == list(range(16, 25))


def test_equal_keys_leave_the_bias_alone() -> None:
    """Weights are then exp(-slope * distance), normalised: known by hand."""
    zero = torch.zeros(1, 1, 3, 3)
    out = window_attention(zero, zero, torch.eye(3).view(1, 1, 3, 3), torch.ones(1), 1)
    e = torch.tensor(-1.0).exp().item()
    rows = torch.tensor([[1, e, 0], [e, 1, e], [0, e, 1]])
    torch.testing.assert_close(out[0, 0], rows / rows.sum(1, keepdim=True))
