"""Top-k routing and SwiGLU experts in plain torch.

Shapes: M tokens, C width, E experts, F expert width, K experts a token. No token is ever dropped.
Sources: Shazeer et al. 2017 (sparsely-gated experts), Shazeer 2020 (SwiGLU).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

__all__ = ["Routing", "expert_mlp", "gathered", "route"]

_ROUND = 256
"""Gathered tokens are filled up to a multiple of this with token 0 at gate 0. On a CPU every new
matrix shape leaves buffers behind: 20 MB a window without this."""


class Routing(NamedTuple):
    """Where tokens go.

    experts_MK: int64, the chosen experts, best first. gates_MK: float32, their softmax weights
        among the chosen. loss: load balance (Fedus et al. 2021) plus 0.1 times the z-loss (Zoph
        et al. 2022).
    """

    experts_MK: torch.Tensor
    gates_MK: torch.Tensor
    loss: torch.Tensor


def route(logits_ME: torch.Tensor, top_k: int) -> Routing:
    """Choose the experts of the highest logits. Ties go to the lower number."""
    order_ME = logits_ME.detach().argsort(dim=-1, descending=True, stable=True)
    experts_MK = order_ME[:, :top_k]  # topk breaks ties anyhow
    gates_MK = logits_ME.gather(1, experts_MK).softmax(-1)
    experts = logits_ME.shape[1]
    every_E = torch.arange(experts, device=logits_ME.device)
    load_E = (experts_MK.unsqueeze(2) == every_E).float().mean((0, 1))
    balance = experts * (load_E * logits_ME.softmax(-1).mean(0)).sum()
    z_loss = logits_ME.logsumexp(-1).square().mean()
    return Routing(experts_MK, gates_MK, balance + 0.1 * z_loss)


def expert_mlp(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> torch.Tensor:
    """Sum over chosen experts of gate * (silu(x a) * (x b)) w_out, where w_in is [a, b]; [M, C].

    Every expert runs on every token, most of them with a gate of zero.
    """
    E, C, F2 = w_in_ECF2.shape
    gates_ME = gates_MK.new_zeros(len(x_MC), E).scatter(1, experts_MK, gates_MK)
    both = x_MC @ w_in_ECF2.permute(1, 0, 2).reshape(C, E * F2)
    a, b = both.view(-1, E, 2, F2 // 2).unbind(2)
    hidden = F.silu(a) * b * gates_ME.to(x_MC.dtype).unsqueeze(-1)
    return hidden.reshape(-1, E * F2 // 2) @ w_out_EFC.reshape(E * F2 // 2, C)


def gathered(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> torch.Tensor:
    """`expert_mlp` with tokens gathered per expert, so that cost follows the gates.

    For CPUs: how many tokens an expert has is asked of the device.
    """
    out = torch.zeros_like(x_MC)
    for expert in range(len(w_in_ECF2)):
        token, slot = (experts_MK == expert).nonzero(as_tuple=True)
        spare = -len(token) % _ROUND
        gate = F.pad(gates_MK[token, slot], (0, spare)).to(x_MC.dtype)
        token = F.pad(token, (0, spare))
        a, b = (x_MC[token] @ w_in_ECF2[expert]).chunk(2, dim=-1)
        hidden = F.silu(a) * b * gate.unsqueeze(1)
        out = out.index_add(0, token, hidden @ w_out_EFC[expert])
    return out
