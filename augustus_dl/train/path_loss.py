"""Negative log-probability of the true label path under the decoder's own path scores.

The network is trained on what decoding will ask of it: the true genes as a whole against all
others, instead of one base at a time (a linear-chain conditional random field, Lafferty et al.
2001). The graph is simpler than the decoder's: labels that may stand side by side, with penalties
where the sequence forbids what a label says. Shapes: B pieces of windows, L bases, K labels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.kernels.log_partition import log_partition
from augustus_dl.labels import INTERGENIC, LABELS, LEGAL, MASKED, NUM_LABELS, label
from augustus_dl.train.loss import BOUNDARY

__all__ = ["PathLoss"]

_FORBIDDEN = -12.0
"""Score in nats of a splice site that the sequence does not show, and of a stop codon in frame."""

_PIECE = 16_384
"""Windows are cut into pieces of this many bases: a piece is read base after base."""

_A, _C, _G, _T = range(4)


class PathLoss:
    """Scores paths as `DecoderConfig` says; one object serves all batches on a device."""

    def __init__(self, config: DecoderConfig, device: torch.device):
        self.weights_K = torch.from_numpy(config.label_weights()).to(device)
        self.transition_KK = _transitions(config).to(device)
        self._first_K = _first(config).to(device)
        self._boundary = torch.tensor(BOUNDARY, device=device, dtype=torch.uint8)
        self._gc_donor = config.gc_donor
        self._stops = [tuple("ACGT".index(base) for base in stop) for stop in config.code().stops]

    def __call__(
        self, logits_BKL: torch.Tensor, labels_BL: torch.Tensor, codes_BL: torch.Tensor
    ) -> torch.Tensor:
        """Mean over boundary labels, the least the batch can have being one; float32 scalar.

        Bases whose label is MASKED may be anything. A piece whose known labels fit no path (two
        overlapping genes, cut to what is sure of each) counts nothing.

        Args:
            codes_BL: uint8 base codes.
        """
        scores_BLK = F.log_softmax(logits_BKL.float(), 1).transpose(1, 2) * self.weights_K
        scores_BLK = scores_BLK + self._penalties(codes_BL)
        scores_BLK, labels_BL = _pieces(scores_BLK), _pieces(labels_BL)
        scores_BLK[:, 0] += self._first_K
        every_K = torch.arange(NUM_LABELS, device=labels_BL.device)
        unlike_BLK = labels_BL.unsqueeze(-1) != every_K
        wrong_BLK = unlike_BLK & (labels_BL != MASKED).unsqueeze(-1)
        both = torch.cat([scores_BLK, scores_BLK.masked_fill(wrong_BLK, float("-inf"))])
        all_B, true_B = log_partition(both, self.transition_KK).chunk(2)
        fits_B = torch.isfinite(true_B)
        boundaries = torch.isin(labels_BL, self._boundary).sum()
        loss_B = torch.where(fits_B, all_B - true_B, 0.0)
        return loss_B.sum() / boundaries.clamp(min=1)

    def _penalties(self, codes_BL: torch.Tensor) -> torch.Tensor:
        """What the sequence adds to each label's score; float32 [B, L, K]."""
        B, L = codes_BL.shape
        padded = F.pad(codes_BL, (2, 2), value=4)
        before2, before, here, after, after2 = (padded[:, i : i + L] for i in range(5))
        out_BLK = torch.zeros(B, L, NUM_LABELS, device=codes_BL.device)
        sites = {
            "+D": self._donor((here == _G) & (after == _T), (here == _G) & (after == _C)),
            "-D": self._donor((before == _A) & (here == _C), (before == _G) & (here == _C)),
            "+A": _FORBIDDEN * ~((before == _A) & (here == _G)),
            "-A": _FORBIDDEN * ~((here == _C) & (after == _T)),
        }
        for (strand, kind), penalty_BL in sites.items():
            phases = [label(strand, f"{kind}{k}") for k in range(3)]
            out_BLK[..., phases] = penalty_BL.unsqueeze(-1)
        stop = torch.zeros_like(codes_BL, dtype=torch.bool)
        mirrored = stop.clone()
        for a, b, c in self._stops:
            stop |= (before2 == a) & (before == b) & (here == c)
            mirrored |= (here == 3 - c) & (after == 3 - b) & (after2 == 3 - a)
        out_BLK[..., label("+", "C2")] = _FORBIDDEN * stop
        out_BLK[..., label("-", "C2")] = _FORBIDDEN * mirrored
        return out_BLK

    def _donor(self, gt: torch.Tensor, gc: torch.Tensor) -> torch.Tensor:
        return _FORBIDDEN * ~(gt | gc) + self._gc_donor * gc


def _transitions(config: DecoderConfig) -> torch.Tensor:
    """float32 [29, 29]: -inf where illegal; a gene's and an intron's prior on their first base."""
    scores = torch.full((NUM_LABELS, NUM_LABELS), float("-inf"))
    scores[torch.from_numpy(LEGAL)] = 0.0
    for begin in (label("+", "START"), label("-", "STOP")):
        scores[:, begin] += config.gene_start
    for k in range(3):
        scores[:, label("+", f"D{k}")] += config.intron
        scores[:, label("-", f"A{k}")] += config.intron
    return scores


def _first(config: DecoderConfig) -> torch.Tensor:
    """float32 [29]: the same priors where a piece begins inside a gene or an intron."""
    inside_K = torch.tensor([name[0] in "+-" and name[1] in "DIA" for name in LABELS])
    return config.gene_start * (torch.arange(NUM_LABELS) != INTERGENIC) + config.intron * inside_K


def _pieces(x: torch.Tensor) -> torch.Tensor:
    """[B, L, ...] cut along L into equal pieces; all of it where it does not divide."""
    if x.shape[1] % _PIECE:
        return x
    return x.reshape(-1, _PIECE, *x.shape[2:])
