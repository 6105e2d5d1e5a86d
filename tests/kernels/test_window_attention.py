"""Sliding-window attention: reference against the dense formula, the fused version against both.

python -m pytest tests/kernels/test_window_attention.py
"""

from __future__ import annotations

import math

import pytest
import torch

from augustus_dl.kernels.testing import TOLERANCE, relative_error
from augustus_dl.kernels.window_attention import alibi_slopes, window_attention
from tests.kernels.fused import check_in_the_interpreter, poisoned

FUSED = torch.ops.augustus_dl.window_attention


def dense(
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
    lengths_B: torch.Tensor | None = None,
) -> torch.Tensor:
    """The whole T x T matrix in float64."""
    q, k, v = (x.double() for x in (q_BHTD, k_BHTD, v_BHTD))
    position = torch.arange(q.shape[2], device=q.device)
    distance = (position[:, None] - position).abs()
    outside = distance > window
    if lengths_B is not None:
        beyond = position >= lengths_B.view(-1, 1, 1, 1)
        k, v = (x.masked_fill(beyond.transpose(2, 3), 0) for x in (k, v))
        outside = outside | beyond
    scores = q @ k.transpose(-1, -2) / q.shape[3] ** 0.5
    scores = scores - slopes_H.double()[:, None, None] * distance
    weights = scores.masked_fill(outside, -1e9).softmax(-1)
    return weights.masked_fill(outside, 0) @ v


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
    qkv = inputs(1, 2, 70, 8)
    expected = window_attention(*qkv, alibi_slopes(2), 64)
    with poisoned():
        out = window_attention(*qkv, alibi_slopes(2), 64)
        grads = torch.autograd.grad(out.sum(), qkv)
    assert torch.equal(out, expected)
    assert all(grad.isfinite().all() for grad in grads)


@pytest.mark.parametrize("lengths", [[0, 65], [1, 40], [130, 7]])
@pytest.mark.parametrize("window", [7, 64])
def test_keys_beyond_the_lengths_do_not_exist(lengths: list[int], window: int) -> None:
    qkv = inputs(2, 2, 130, 8)
    given = alibi_slopes(2), window, torch.tensor(lengths)
    out, expected = window_attention(*qkv, *given), dense(*qkv, *given)
    torch.testing.assert_close(out.double(), expected, rtol=0, atol=1e-5)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(2))
    grads = torch.autograd.grad(out, qkv, upstream)
    wanted = torch.autograd.grad(expected, qkv, upstream.double())
    torch.testing.assert_close(grads, wanted, rtol=0, atol=1e-5, check_dtype=False)


def test_autocast_decides_on_the_dtype() -> None:
    q, k, v = inputs(1, 2, 9, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert window_attention(q, k, v.bfloat16(), alibi_slopes(2), 4).dtype == torch.bfloat16


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


def compare_fused(
    device: str,
    dtype: torch.dtype,
    shape: tuple[int, int, int, int],
    window: int,
    lengths: list[int] | None = None,
) -> None:
    """Outputs and gradients, twice, from poisoned memory, of views as the network has them."""
    B, H, T, D = shape
    generator = torch.Generator().manual_seed(1)
    both = torch.randn(B, T, 4, H, D, generator=generator).to(device, dtype)
    q, k, v, upstream = (x.detach() for x in both.permute(2, 0, 3, 1, 4))
    slopes = alibi_slopes(H, torch.device(device))
    lengths_B = None
    if lengths is not None:
        lengths_B = torch.tensor(lengths, dtype=torch.int32, device=device)
        beyond = torch.arange(T, device=device) >= lengths_B.view(-1, 1, 1)
        k, v = (x.masked_fill(beyond.unsqueeze(-1), math.nan) for x in (k, v))
    qkv = [x.requires_grad_() for x in (q, k, v)]
    runs = []
    for _ in range(2):
        with poisoned():
            out = FUSED(*qkv, slopes, window, lengths_B)[0]
            runs.append([out, *torch.autograd.grad(out, qkv, upstream)])
    assert all(torch.equal(*same) for same in zip(*runs, strict=True))
    exact = [x.detach().double().requires_grad_() for x in (q, k, v)]
    out = dense(*exact, slopes, window, lengths_B)
    expected = [out, *torch.autograd.grad(out, exact, upstream.double())]
    for name, found, wanted in zip(("out", "q", "k", "v"), runs[0], expected, strict=True):
        assert found.dtype == dtype
        error = relative_error(found, wanted)
        assert error <= TOLERANCE[dtype], f"{name} of {shape}, {window}, {lengths}: {error}"


def check_small(device: str) -> None:
    """bfloat16 is left out: in the interpreter a product of it is one of its bits as integers."""
    compare_fused(device, torch.float32, (1, 1, 1, 8), 4)
    compare_fused(device, torch.float32, (1, 2, 65, 24), 7)
    compare_fused(device, torch.float32, (3, 1, 70, 32), 16, [0, 33, 70])
    compare_fused(device, torch.float16, (1, 1, 67, 16), 64)
    q, k, v = (torch.randn(1, 2, 5, 8, requires_grad=True) for _ in range(3))
    tests = "test_schema", "test_autograd_registration", "test_faketensor"
    torch.library.opcheck(FUSED.default, (q, k, v, alibi_slopes(2), 4, None), test_utils=tests)


def test_fused_agrees_in_the_interpreter() -> None:
    check_in_the_interpreter("test_window_attention", "check_small")


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("shape", "window", "lengths"),
    [
        ((1, 2, 1, 32), 64, None),
        ((4, 8, 2048, 32), 64, None),
        ((2, 8, 1000, 24), 64, None),
        ((1, 4, 3000, 64), 128, None),
        ((4, 4, 333, 32), 17, [0, 1, 200, 333]),
        ((2, 2, 130, 16), 1, [64, 130]),
    ],
)
def test_fused_agrees_on_the_gpu(
    dtype: torch.dtype, shape: tuple[int, int, int, int], window: int, lengths: list[int] | None
) -> None:
    compare_fused("cuda", dtype, shape, window, lengths)


@pytest.mark.gpu
def test_the_front_door_is_fused_and_compiles_on_the_gpu() -> None:
    q, k, v = (x.detach().cuda().requires_grad_() for x in inputs(2, 4, 200, 16))
    slopes = alibi_slopes(4, q.device)

    def both(q, k, v):
        out = window_attention(q, k, v, slopes, 64)
        return out, *torch.autograd.grad(out.float().square().sum(), (q, k, v))

    with torch.autocast("cuda", torch.bfloat16):
        eager = both(q, k, v)
        compiled = torch.compile(lambda *x: window_attention(*x, slopes, 64), fullgraph=True)
        out = compiled(q, k, v)
    grads = torch.autograd.grad(out.float().square().sum(), (q, k, v))
    assert out.dtype == torch.bfloat16 and grads[0].dtype == torch.float32
    for found, wanted in zip((out, *grads), eager, strict=True):
        assert relative_error(found, wanted) <= TOLERANCE[torch.bfloat16]
    expected = dense(q, k, v, slopes, 64)
    assert relative_error(out, expected) <= TOLERANCE[torch.bfloat16]
