"""Top-k routing and SwiGLU experts in plain torch.

Shapes: M tokens, C width, E experts, F expert width. No token is ever dropped.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

__all__ = ["Routing", "expert_mlp", "route"]

_ROUND = 256
"""Gathered tokens are filled up to a multiple of this with token 0 at gate 0. On a CPU every new
matrix shape leaves buffers behind: 20 MB a window without this."""


class Routing(NamedTuple):
    """Where tokens go.

    gates_ME: float32, zero for experts that were not chosen, else their softmax weights among the
        chosen. loss: load balance (Fedus et al. 2021) plus 0.1 times the z-loss (Zoph et al. 2022).
    """

    gates_ME: torch.Tensor
    loss: torch.Tensor


def route(logits_ME: torch.Tensor, top_k: int) -> Routing:
    """Choose `top_k` experts a token; float32 throughout. Ties go to the lower expert number."""
    logits_ME = logits_ME.float()
    ordered = logits_ME.sort(dim=-1, descending=True, stable=True)  # topk breaks ties anyhow
    weights = ordered.values[:, :top_k].softmax(dim=-1)
    gates_ME = torch.zeros_like(logits_ME).scatter(-1, ordered.indices[:, :top_k], weights)
    experts = logits_ME.shape[-1]
    load_E = (gates_ME > 0).float().mean(0) / top_k
    balance = experts * (load_E * logits_ME.softmax(-1).mean(0)).sum()
    z_loss = logits_ME.logsumexp(-1).square().mean()
    return Routing(gates_ME, balance + 0.1 * z_loss)


def expert_mlp(
    x_MC: torch.Tensor, gates_ME: torch.Tensor, w_in_ECF2: torch.Tensor, w_out_EFC: torch.Tensor
) -> torch.Tensor:
    """Sum over experts of gate * (silu(x a) * (x b)) w_out, where w_in is [a, b]; [M, C].

    On a GPU every expert runs on every token: small experts, one large matrix product, no host
    synchronisation. On a CPU tokens are gathered per expert, so cost follows the gates.
    """
    if x_MC.is_cuda:
        return _all_experts(x_MC, gates_ME, w_in_ECF2, w_out_EFC)
    return _gathered(x_MC, gates_ME, w_in_ECF2, w_out_EFC)


def _all_experts(x_MC, gates_ME, w_in_ECF2, w_out_EFC):
    E, C, F2 = w_in_ECF2.shape
    both = x_MC @ w_in_ECF2.permute(1, 0, 2).reshape(C, E * F2)
    a, b = both.view(-1, E, 2, F2 // 2).unbind(2)
    hidden = F.silu(a) * b * gates_ME.to(x_MC.dtype).unsqueeze(-1)
    return hidden.reshape(-1, E * F2 // 2) @ w_out_EFC.reshape(E * F2 // 2, C)


def _gathered(x_MC, gates_ME, w_in_ECF2, w_out_EFC):
    out = torch.zeros_like(x_MC)
    for expert in range(gates_ME.shape[1]):
        token = gates_ME[:, expert].nonzero().squeeze(1)
        spare = -len(token) % _ROUND
        gate = F.pad(gates_ME[token, expert], (0, spare)).to(x_MC.dtype)
        token = F.pad(token, (0, spare))
        a, b = (x_MC[token] @ w_in_ECF2[expert]).chunk(2, dim=-1)
        hidden = F.silu(a) * b * gate.unsqueeze(1)
        out = out.index_add(0, token, hidden @ w_out_EFC[expert])
    return out
