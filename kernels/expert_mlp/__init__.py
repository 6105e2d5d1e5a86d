"""Mixture-of-experts feed-forward: front door.

The fused versions stand behind operators of torch's, so that `torch.compile` calls them as they
are, without a break in its graph.
"""

import torch

from ..precision import compute_dtype
from . import reference
from .reference import Routing

__all__ = ["Routing", "expert_mlp", "route"]


def route(logits_ME: torch.Tensor, top_k: int) -> Routing:
    """Choose `top_k` experts a token; float32 throughout. Ties go to the lower expert number."""
    logits_ME = logits_ME.float()
    on_gpu = logits_ME.is_cuda
    choose = torch.ops.augustus_dl.best_experts if on_gpu else reference.best_experts
    return reference.weigh(logits_ME, choose(logits_ME.detach(), top_k))


def expert_mlp(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> torch.Tensor:
    """See `reference.expert_mlp`; [M, C], differentiable in x, gates and weights.

    Triton on a GPU (float32, bfloat16, float16), torch elsewhere. Computes in the dtype of
    autocast where that is on, else in that of x. The host never waits for the GPU, and two runs
    on one agree bit for bit.
    """
    dtype = compute_dtype(x_MC)
    x_MC, w_in_ECF2, w_out_EFC = (t.to(dtype) for t in (x_MC, w_in_ECF2, w_out_EFC))
    if x_MC.is_cuda:
        fused = torch.ops.augustus_dl.expert_mlp
        return fused(x_MC, experts_MK, gates_MK.float(), w_in_ECF2, w_out_EFC)[0]
    return reference.gathered(x_MC, experts_MK, gates_MK, w_in_ECF2, w_out_EFC)


_ROUTER = "augustus_dl::best_experts"
_OPERATOR = "augustus_dl::expert_mlp"
_BACKWARD = "augustus_dl::expert_mlp_backward"

torch.library.define(_ROUTER, "(Tensor logits, int top_k) -> Tensor")
torch.library.define(
    _OPERATOR,
    "(Tensor x, Tensor experts, Tensor gates, Tensor w_in, Tensor w_out)"
    " -> (Tensor, Tensor, Tensor)",
)
torch.library.define(
    _BACKWARD,
    "(Tensor slope, Tensor x, Tensor gates, Tensor w_in, Tensor w_out, Tensor order, Tensor bounds)"
    " -> (Tensor, Tensor, Tensor, Tensor)",
)


@torch.library.impl(_ROUTER, "default")
def _(logits, top_k):
    from .fused import best_experts

    return best_experts(logits, top_k)


@torch.library.impl(_OPERATOR, "default")
def _(x, experts, gates, w_in, w_out):
    from .fused import forward

    return forward(x, experts, gates, w_in, w_out)


@torch.library.impl(_BACKWARD, "default")
def _(slope, x, gates, w_in, w_out, order, bounds):
    from .fused import backward

    return backward(slope, x, gates, w_in, w_out, order, bounds)


@torch.library.register_fake(_ROUTER)
def _(logits, top_k):
    return logits.new_empty(logits.shape[0], top_k, dtype=torch.int64)


@torch.library.register_fake(_OPERATOR)
def _(x, experts, gates, w_in, w_out):
    order = x.new_empty(experts.numel(), dtype=torch.int32)
    return x.new_empty(x.shape), order, x.new_empty(w_in.shape[0] + 1, dtype=torch.int32)


@torch.library.register_fake(_BACKWARD)
def _(slope, x, gates, w_in, w_out, order, bounds):
    return tuple(t.new_empty(t.shape) for t in (x, gates, w_in, w_out))


def _remember(ctx, inputs, output) -> None:
    x, _, gates, w_in, w_out = inputs
    ctx.save_for_backward(x, gates, w_in, w_out, *output[1:])


def _gradients(ctx, slope, _, __):
    found = torch.ops.augustus_dl.expert_mlp_backward(slope, *ctx.saved_tensors)
    slope_x, slope_gates, slope_in, slope_out = found
    return slope_x, None, slope_gates, slope_in, slope_out


torch.library.register_autograd(_OPERATOR, _gradients, setup_context=_remember)
