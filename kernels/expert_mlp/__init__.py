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
    """Choose `top_k` experts a token; float32 throughout. Ties go to the lower expert number.

    Triton on a GPU, the reference elsewhere. Gates and loss are differentiable in the logits; two
    runs on a GPU agree bit for bit.
    """
    logits_ME = logits_ME.float()
    if logits_ME.is_cuda:
        return Routing(*torch.ops.augustus_dl.route(logits_ME, top_k)[:3])
    return reference.route(logits_ME, top_k)


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


_ROUTE = "augustus_dl::route"
_ROUTE_BACKWARD = "augustus_dl::route_backward"
_OPERATOR = "augustus_dl::expert_mlp"
_BACKWARD = "augustus_dl::expert_mlp_backward"

torch.library.define(_ROUTE, "(Tensor logits, int top_k) -> (Tensor, Tensor, Tensor, Tensor)")
torch.library.define(
    _ROUTE_BACKWARD,
    "(Tensor? slope_gates, Tensor? slope_loss, Tensor logits, Tensor experts, Tensor gates,"
    " Tensor counts) -> Tensor",
)
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


@torch.library.impl(_ROUTE, "default")
def _(logits, top_k):
    from .fused_route import forward

    return forward(logits, top_k)


@torch.library.impl(_ROUTE_BACKWARD, "default")
def _(slope_gates, slope_loss, logits, experts, gates, counts):
    from .fused_route import backward

    return backward(slope_gates, slope_loss, logits, experts, gates, counts)


@torch.library.impl(_OPERATOR, "default")
def _(x, experts, gates, w_in, w_out):
    from .fused import forward

    return forward(x, experts, gates, w_in, w_out)


@torch.library.impl(_BACKWARD, "default")
def _(slope, x, gates, w_in, w_out, order, bounds):
    from .fused import backward

    return backward(slope, x, gates, w_in, w_out, order, bounds)


@torch.library.register_fake(_ROUTE)
def _(logits, top_k):
    M, E = logits.shape
    experts = logits.new_empty(M, top_k, dtype=torch.int64)
    counts = logits.new_empty(E, dtype=torch.int32)
    return experts, logits.new_empty(M, top_k), logits.new_empty(()), counts


@torch.library.register_fake(_ROUTE_BACKWARD)
def _(slope_gates, slope_loss, logits, experts, gates, counts):
    return logits.new_empty(logits.shape)


@torch.library.register_fake(_OPERATOR)
def _(x, experts, gates, w_in, w_out):
    order = x.new_empty(experts.numel(), dtype=torch.int32)
    return x.new_empty(x.shape), order, x.new_empty(w_in.shape[0] + 1, dtype=torch.int32)


@torch.library.register_fake(_BACKWARD)
def _(slope, x, gates, w_in, w_out, order, bounds):
    return tuple(t.new_empty(t.shape) for t in (x, gates, w_in, w_out))


def _remember_route(ctx, inputs, output) -> None:
    experts, gates, _, counts = output
    ctx.save_for_backward(inputs[0], experts, gates, counts)
    ctx.set_materialize_grads(False)


def _route_gradient(ctx, _, slope_gates, slope_loss, __):
    slopes = slope_gates, slope_loss
    return torch.ops.augustus_dl.route_backward(*slopes, *ctx.saved_tensors), None


def _remember(ctx, inputs, output) -> None:
    x, _, gates, w_in, w_out = inputs
    ctx.save_for_backward(x, gates, w_in, w_out, *output[1:])


def _gradients(ctx, slope, _, __):
    found = torch.ops.augustus_dl.expert_mlp_backward(slope, *ctx.saved_tensors)
    slope_x, slope_gates, slope_in, slope_out = found
    return slope_x, None, slope_gates, slope_in, slope_out


torch.library.register_autograd(_ROUTE, _route_gradient, setup_context=_remember_route)
torch.library.register_autograd(_OPERATOR, _gradients, setup_context=_remember)
