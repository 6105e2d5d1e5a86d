"""Sliding-window attention with symmetric ALiBi: front door.

The fused version stands behind two operators of torch's, so that `torch.compile` calls it as it
is, without a break in its graph.
"""

import torch

from ..precision import compute_dtype
from . import reference
from .reference import alibi_slopes

__all__ = ["alibi_slopes", "window_attention"]


def window_attention(
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
    lengths_B: torch.Tensor | None = None,
) -> torch.Tensor:
    """See `reference.window_attention`; [B, H, T, D], differentiable in q, k and v.

    Triton on a GPU (float32, bfloat16, float16), the reference elsewhere. Under autocast both
    compute in its dtype. Two runs on a GPU agree bit for bit.
    """
    dtype = compute_dtype(v_BHTD)
    q, k, v = q_BHTD.to(dtype), k_BHTD.to(dtype), v_BHTD.to(dtype)
    if q.is_cuda:
        lengths = None if lengths_B is None else lengths_B.to(torch.int32)
        fused = torch.ops.augustus_dl.window_attention
        return fused(q, k, v, slopes_H.float(), window, lengths)[0]
    return reference.window_attention(q, k, v, slopes_H, window, lengths_B)


_OPERATOR = "augustus_dl::window_attention"
_BACKWARD = "augustus_dl::window_attention_backward"
_INPUTS = "Tensor q, Tensor k, Tensor v, Tensor slopes, int window, Tensor? lengths"

torch.library.define(_OPERATOR, f"({_INPUTS}) -> (Tensor, Tensor)")
torch.library.define(
    _BACKWARD, f"(Tensor slope, {_INPUTS}, Tensor out, Tensor sums) -> (Tensor, Tensor, Tensor)"
)


@torch.library.impl(_OPERATOR, "default")
def _(q, k, v, slopes, window, lengths):
    from .fused import forward

    return forward(q, k, v, slopes, window, lengths)


@torch.library.impl(_BACKWARD, "default")
def _(slope, q, k, v, slopes, window, lengths, out, sums):
    from .fused import backward

    return backward(slope, q, k, v, slopes, window, lengths, out, sums)


@torch.library.register_fake(_OPERATOR)
def _(q, k, v, slopes, window, lengths):
    from .fused import empty_rows

    return empty_rows(q), q.new_empty(q.shape[:3], dtype=torch.float32)


@torch.library.register_fake(_BACKWARD)
def _(slope, q, k, v, slopes, window, lengths, out, sums):
    from .fused import empty_rows

    return empty_rows(q), empty_rows(k), empty_rows(v)


def _remember(ctx, inputs, output) -> None:
    q, k, v, slopes, ctx.window, lengths = inputs
    ctx.save_for_backward(q, k, v, slopes, lengths, *output)


def _gradients(ctx, slope, _):
    q, k, v, slopes, lengths, out, sums = ctx.saved_tensors
    backward = torch.ops.augustus_dl.window_attention_backward
    found = backward(slope, q, k, v, slopes, ctx.window, lengths, out, sums)
    return *found, None, None, None


torch.library.register_autograd(_OPERATOR, _gradients, setup_context=_remember)
