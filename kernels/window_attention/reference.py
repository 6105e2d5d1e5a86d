"""Sliding-window attention in plain torch.

Shapes: B batch, H heads, T tokens, D head width, W window, N blocks of W queries.
"""

import torch
import torch.nn.functional as F

__all__ = ["alibi_slopes", "window_attention"]

_NEVER = -1e4
"""Score of a pair out of reach. Finite, so that a padded query's softmax is no 0/0."""


def alibi_slopes(heads: int, device: torch.device | None = None) -> torch.Tensor:
    """Slopes of Press et al. 2022 (ALiBi) for a power-of-two number of heads; float32 [H]."""
    return torch.exp2(-8.0 * torch.arange(1, heads + 1, device=device) / heads)


def window_attention(
    q_BHTD: torch.Tensor,
    k_BHTD: torch.Tensor,
    v_BHTD: torch.Tensor,
    slopes_H: torch.Tensor,
    window: int,
    lengths_B: torch.Tensor | None = None,
) -> torch.Tensor:
    """Each token attends to the tokens at most `window` positions away; [B, H, T, D].

    The bias of a pair is -slope * distance, computed from indices. Tokens before the first and
    after the last do not exist (they get no weight), nor do keys at or beyond `lengths_B`; a query
    without a key gives zero. Queries are taken in blocks of `window`, each against its own and the
    two neighbouring blocks of keys, so cost is linear in T.
    """
    B, H, T, D = q_BHTD.shape
    blocks = -(-T // window)
    pad = blocks * window - T
    if lengths_B is not None:
        k_BHTD, v_BHTD = (_cut(x, lengths_B) for x in (k_BHTD, v_BHTD))
    q = F.pad(q_BHTD, (0, 0, 0, pad)).reshape(B, H * blocks, window, D) * D**-0.5
    k = _neighbours(F.pad(k_BHTD, (0, 0, window, pad + window)), window)
    v = _neighbours(F.pad(v_BHTD, (0, 0, window, pad + window)), window)
    scores = q @ k.transpose(-1, -2) + _bias(slopes_H, T, window, lengths_B).to(q.dtype)
    weights = scores.softmax(-1, dtype=torch.float32).to(v.dtype)
    out = (weights @ v).view(B, H, blocks * window, D)[:, :, :T]
    return out if lengths_B is None else _cut(out, lengths_B + window)


def _cut(x_BHTD: torch.Tensor, lengths_B: torch.Tensor) -> torch.Tensor:
    """Zero at and beyond each sequence's length."""
    beyond = torch.arange(x_BHTD.shape[2], device=x_BHTD.device) >= lengths_B.view(-1, 1, 1)
    return x_BHTD.masked_fill(beyond.unsqueeze(-1), 0)


def _neighbours(padded_BHPD: torch.Tensor, window: int) -> torch.Tensor:
    """Three neighbouring blocks of keys for every block of queries; [B, H * N, 3 * W, D]."""
    B, H, P, D = padded_BHPD.shape
    blocks = P // window - 2
    parts = padded_BHPD.reshape(B, H, P // window, window, D)
    triple = torch.cat([parts[:, :, i : i + blocks] for i in range(3)], dim=3)
    return triple.reshape(B, H * blocks, 3 * window, D)


def _bias(
    slopes_H: torch.Tensor, tokens: int, window: int, lengths_B: torch.Tensor | None
) -> torch.Tensor:
    """ALiBi bias, _NEVER outside the window and the sequence; float32 [1 or B, H * N, W, 3 * W]."""
    blocks = -(-tokens // window)
    device = slopes_H.device
    query = torch.arange(blocks * window, device=device).view(blocks, window, 1)
    first_key = torch.arange(blocks, device=device).view(blocks, 1, 1) * window - window
    key = first_key + torch.arange(3 * window, device=device)
    distance = (query - key).abs()
    end = tokens if lengths_B is None else lengths_B.view(-1, 1, 1, 1, 1)
    outside = (distance > window) | (key < 0) | (key >= end)
    bias = -slopes_H.view(-1, 1, 1, 1) * distance
    bias = bias.masked_fill(outside, _NEVER)
    return bias.view(-1, bias.shape[-4] * blocks, window, 3 * window)
