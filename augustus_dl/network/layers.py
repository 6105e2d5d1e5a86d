"""Building blocks of the network.

Shapes: B batch, C channels, L positions at some resolution, T trunk tokens. Convolutions work on
[B, C, L], trunk blocks on [B, T, C].
"""

import torch
import torch.nn.functional as F
from torch import nn

from augustus_dl.encode import N
from augustus_dl.kernels.expert_mlp import expert_mlp, route
from augustus_dl.kernels.window_attention import alibi_slopes, window_attention

__all__ = [
    "Attention",
    "Block",
    "ChannelNorm",
    "Experts",
    "GatedConv",
    "ResidualConv",
    "Stem",
    "SwiGLU",
    "Up",
]

KMER = 6


class Stem(nn.Module):
    """Base codes and soft-mask to features at base resolution: convolution plus 6-mer table."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv1d(6, width, 9, padding=4)
        self.kmer = nn.Embedding(4**KMER + 1, width)
        nn.init.normal_(self.kmer.weight, std=0.5)
        self.refine = nn.Conv1d(width, width, 9, padding=4)

    def forward(self, codes_BL: torch.Tensor, masked_BL: torch.Tensor) -> torch.Tensor:
        onehot = codes_BL.unsqueeze(1) == torch.arange(5, device=codes_BL.device).view(1, 5, 1)
        channels = torch.cat([onehot, masked_BL.bool().unsqueeze(1)], dim=1)
        x = self.conv(channels.to(self.conv.weight.dtype))
        x = F.gelu(x + self.kmer(kmer_index(codes_BL)).transpose(1, 2).to(x.dtype))
        return x + F.gelu(self.refine(x))


def kmer_index(codes_BL: torch.Tensor) -> torch.Tensor:
    """Number of the 6-mer around each base (2 left to 3 right of it), or 4096 where it has an N.

    int64 [B, L]; bases beyond the ends count as N.
    """
    padded = F.pad(codes_BL.long(), (2, KMER - 3), value=N)
    length = codes_BL.shape[1]
    parts = [padded[:, i : i + length] for i in range(KMER)]
    index = sum(part << 2 * (KMER - 1 - i) for i, part in enumerate(parts))
    unknown = torch.stack([part == N for part in parts]).any(0)
    return index.masked_fill(unknown, 4**KMER)


class ChannelNorm(nn.Module):
    """RMS norm over channels at every position of [B, C, L]."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1))

    def forward(self, x_BCL: torch.Tensor) -> torch.Tensor:
        scale = x_BCL.float().square().mean(1, keepdim=True).add(1e-6).rsqrt()
        return x_BCL * scale.to(x_BCL.dtype) * self.weight.to(x_BCL.dtype)


class TokenNorm(nn.Module):
    """RMS norm over the last dimension, in the input's precision."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x_BTC, self.weight.shape, self.weight.to(x_BTC.dtype), eps=1e-6)


class ResidualConv(nn.Module):
    """Pre-norm residual convolution."""

    def __init__(self, width: int, kernel: int = 5):
        super().__init__()
        self.norm = ChannelNorm(width)
        self.conv = nn.Conv1d(width, width, kernel, padding=kernel // 2)

    def forward(self, x_BCL: torch.Tensor) -> torch.Tensor:
        return x_BCL + F.gelu(self.conv(self.norm(x_BCL)))


class Up(nn.Module):
    """To `factor` times finer positions, added to the skip of that resolution if there is one."""

    def __init__(self, coarse: int, fine: int, factor: int, kernel: int = 3):
        super().__init__()
        self.factor = factor
        self.norm = ChannelNorm(coarse)
        self.expand = nn.Conv1d(coarse, fine * factor, 1)
        self.mix = nn.Conv1d(fine, fine, kernel, padding=kernel // 2)

    def forward(self, coarse_BCL: torch.Tensor, skip_BCL: torch.Tensor | None) -> torch.Tensor:
        x = self.expand(self.norm(coarse_BCL))
        B, _, length = x.shape
        x = x.view(B, self.factor, -1, length).permute(0, 2, 3, 1)
        x = x.reshape(B, -1, length * self.factor)
        x = x if skip_BCL is None else x + skip_BCL
        return x + F.gelu(self.mix(x))


class Attention(nn.Module):
    """Local multi-head attention with symmetric ALiBi; queries and keys are normalised, which
    keeps training stable (Dehghani et al. 2023)."""

    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.q_norm, self.k_norm = TokenNorm(width // heads), TokenNorm(width // heads)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        B, T, C = x_BTC.shape
        q, k, v = self.qkv(x_BTC).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = self.q_norm(q), self.k_norm(k)
        out = window_attention(q, k, v, alibi_slopes(self.heads, x_BTC.device), self.window)
        return self.out(out.transpose(1, 2).reshape(B, T, C))


class GatedConv(nn.Module):
    """Depthwise convolution over `window` tokens to either side, gated by the token itself."""

    def __init__(self, width: int, window: int):
        super().__init__()
        self.value_gate = nn.Linear(width, 2 * width, bias=False)
        self.mix = nn.Conv1d(width, width, 2 * window + 1, padding=window, groups=width)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        value, gate = self.value_gate(x_BTC).chunk(2, dim=-1)
        value = self.mix(value.transpose(1, 2)).transpose(1, 2)
        return self.out(value * F.silu(gate))


class SwiGLU(nn.Module):
    """Dense feed-forward."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.w_in = nn.Linear(width, 2 * hidden, bias=False)
        self.w_out = nn.Linear(hidden, width, bias=False)

    def forward(self, x_BTC: torch.Tensor, clade_B: torch.Tensor) -> tuple[torch.Tensor, None]:
        a, b = self.w_in(x_BTC).chunk(2, dim=-1)
        return self.w_out(F.silu(a) * b), None


class Experts(nn.Module):
    """Mixture of SwiGLU experts; the clade biases the router."""

    def __init__(self, width: int, hidden: int, experts: int, top_k: int, clades: int):
        super().__init__()
        self.top_k = top_k
        self.router = nn.Linear(width, experts, bias=False)
        self.clade_bias = nn.Embedding(clades, experts)
        self.w_in = nn.Parameter(torch.randn(experts, width, 2 * hidden) * width**-0.5)
        self.w_out = nn.Parameter(torch.randn(experts, hidden, width) * hidden**-0.5)
        nn.init.zeros_(self.clade_bias.weight)

    def forward(
        self, x_BTC: torch.Tensor, clade_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        B, T, C = x_BTC.shape
        with torch.autocast(x_BTC.device.type, enabled=False):
            logits = F.linear(x_BTC.float(), self.router.weight.float())
            logits = logits + self.clade_bias.weight.float()[clade_B].unsqueeze(1)
            routing = route(logits.view(B * T, -1), self.top_k)
        x_MC = x_BTC.reshape(B * T, C)
        out = expert_mlp(x_MC, routing.experts_MK, routing.gates_MK, self.w_in, self.w_out)
        return out.view(B, T, C), routing.loss


class Block(nn.Module):
    """Pre-norm transformer block: a mixer of tokens, then a dense or mixture feed-forward."""

    def __init__(self, width: int, mixer: Attention | GatedConv, feed_forward: nn.Module):
        super().__init__()
        self.norm1, self.norm2 = TokenNorm(width), TokenNorm(width)
        self.attention, self.feed_forward = mixer, feed_forward
        self.dropout = nn.Dropout(0.0)

    def forward(
        self, x_BTC: torch.Tensor, clade_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x_BTC = x_BTC + self.dropout(self.attention(self.norm1(x_BTC)))
        out, loss = self.feed_forward(self.norm2(x_BTC), clade_B)
        return x_BTC + self.dropout(out), loss
