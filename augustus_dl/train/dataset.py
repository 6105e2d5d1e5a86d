"""Windows cut on the device from genomes that live there as bytes.

No loader processes: a genome is three bytes a base (base code with the soft-mask in bit 3, label,
UTR label), and a batch is one gather. What is drawn depends on (seed, step) alone, so a resumed
run sees the same windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from augustus_dl.encode import N
from augustus_dl.errors import TrainingError
from augustus_dl.labels import INTERGENIC, MASKED, MIRROR, UTR_MIRROR, label
from augustus_dl.network.config import CLADES
from augustus_dl.train.pack import Piece

__all__ = ["Batch", "Genomes", "mutated", "substituted"]

_SOFT = 8


class Batch(NamedTuple):
    """codes_BL uint8 and masked_BL bool; labels_BL and utr_BL uint8, MASKED outside the piece;
    clade_B int64."""

    codes_BL: torch.Tensor
    masked_BL: torch.Tensor
    labels_BL: torch.Tensor
    utr_BL: torch.Tensor
    clade_B: torch.Tensor


class Genomes:
    """Training pieces on one device, and how windows are drawn from them.

    A window is chosen in three steps: a set, by weight times the square root of its size; then
    with probability `genic` a base with a gene label, else any base; then that base's place in the
    window. Half of the windows are reverse-complemented, a share of `mask_dropout` loses its
    soft-mask, and one in ten does not tell its clade.
    """

    def __init__(
        self,
        pieces: list[Piece],
        device: torch.device,
        genic: float = 0.8,
        mask_dropout: float = 0.5,
    ):
        self.device, self.genic, self.mask_dropout = device, genic, mask_dropout
        bytes_ = [np.where(p.soft, p.codes | _SOFT, p.codes).astype(np.uint8) for p in pieces]
        labels = np.concatenate([p.labels for p in pieces])
        lengths = torch.tensor([len(p.codes) for p in pieces])
        self.bases = torch.from_numpy(np.concatenate(bytes_)).to(device)
        self.labels = torch.from_numpy(labels).to(device)
        self.utr = torch.from_numpy(np.concatenate([p.utr for p in pieces])).to(device)
        ends = lengths.cumsum(0)
        self.starts, self.ends = (ends - lengths).to(device), ends.to(device)
        self.clades = torch.tensor([CLADES.index(p.clade) for p in pieces], device=device)
        self._set_tables(pieces, lengths, labels)
        self._mirror, self._utr_mirror = (_table(m, device) for m in (MIRROR, UTR_MIRROR))
        self._complement = torch.tensor([3, 2, 1, 0, N], dtype=torch.uint8, device=device)

    def _set_tables(self, pieces: list[Piece], lengths: torch.Tensor, labels: np.ndarray) -> None:
        """Weights of sets; per set its span and the positions of its gene labels' runs."""
        names = [(p.clade, p.set) for p in pieces]
        sets = list(dict.fromkeys(names))
        if names != sorted(names, key=sets.index):
            raise ValueError("pieces of one set must stand together")
        sizes = torch.zeros(len(sets), dtype=torch.float64)
        weights = torch.zeros(len(sets), dtype=torch.float64)
        for name, piece, length in zip(names, pieces, lengths, strict=True):
            sizes[sets.index(name)] += length
            weights[sets.index(name)] = piece.weight
        self.set_weights = (weights * sizes.sqrt()).to(torch.float32).to(self.device)
        bounds = torch.cat([torch.zeros(1), sizes.cumsum(0)]).long()
        self.set_starts, self.set_sizes = bounds[:-1].to(self.device), sizes.long().to(self.device)
        genic = np.flatnonzero((labels[::16] != INTERGENIC) & (labels[::16] != MASKED)) * 16
        first = np.searchsorted(genic, bounds.numpy())
        if not len(genic):
            raise TrainingError("no training piece has a gene; is the annotation the genome's own?")
        self.genic_positions = torch.from_numpy(genic).to(self.device)
        self.genic_starts = torch.from_numpy(first[:-1]).to(self.device)
        self.genic_counts = torch.from_numpy(np.diff(first)).to(self.device)

    def batch(
        self,
        windows: int,
        length: int,
        seed: int,
        step: int,
        mutation: float = 0.0,
        substitution: float = 0.0,
    ) -> Batch:
        """Draw `windows` windows of `length` bases.

        Args:
            mutation, substitution: each window draws rates from 0 to these; see `mutated` and
                `substituted`.
        """
        generator = torch.Generator(self.device).manual_seed(seed * 1_000_003 + step)

        def uniform(*shape: int) -> torch.Tensor:
            return torch.rand(*shape, device=self.device, generator=generator)

        chosen = torch.multinomial(self.set_weights, windows, True, generator=generator)
        anywhere = self.set_starts[chosen] + _scaled(uniform(windows), self.set_sizes[chosen])
        pick = self.genic_starts[chosen] + _scaled(uniform(windows), self.genic_counts[chosen])
        genic = self.genic_positions[pick.clamp(max=len(self.genic_positions) - 1)]
        wanted = (uniform(windows) < self.genic) & (self.genic_counts[chosen] > 0)
        position = torch.where(wanted, genic, anywhere)
        start = position - (uniform(windows) * length).long()
        batch = self._cut(start, position, length)
        if mutation:
            rate = mutation * uniform(windows, 1)
            drawn = uniform(windows, length), uniform(windows, length)
            batch = batch._replace(codes_BL=mutated(batch, rate, *drawn))
        if substitution:
            rate = substitution * uniform(windows, 1)
            drawn = uniform(windows, length), uniform(windows, length)
            batch = batch._replace(codes_BL=substituted(batch, rate, *drawn))
        batch = self._reverse(batch, uniform(windows) < 0.5)
        masked = batch.masked_BL & (uniform(windows, 1) >= self.mask_dropout)
        clade = torch.where(uniform(windows) < 0.1, 0, batch.clade_B)
        return batch._replace(masked_BL=masked, clade_B=clade)

    def _cut(self, start: torch.Tensor, inside: torch.Tensor, length: int) -> Batch:
        """Windows from `start`, limited to the piece that holds `inside`."""
        piece = torch.searchsorted(self.ends, inside, right=True)
        index = start.unsqueeze(1) + torch.arange(length, device=self.device)
        within = (index >= self.starts[piece, None]) & (index < self.ends[piece, None])
        index = index.clamp(0, len(self.bases) - 1)
        bases = self.bases[index].masked_fill(~within, N)
        labels = self.labels[index].masked_fill(~within, MASKED)
        utr = self.utr[index].masked_fill(~within, MASKED)
        return Batch(bases & (_SOFT - 1), bases >= _SOFT, labels, utr, self.clades[piece])

    def _reverse(self, batch: Batch, which: torch.Tensor) -> Batch:
        """Reverse-complement the windows of a batch that `which` (bool [B]) names."""
        which = which.unsqueeze(1)
        codes = self._complement[batch.codes_BL.flip(1).long()]
        labels = self._mirror[batch.labels_BL.flip(1).long()]
        utr = self._utr_mirror[batch.utr_BL.flip(1).long()]
        return batch._replace(
            codes_BL=torch.where(which, codes, batch.codes_BL),
            masked_BL=torch.where(which, batch.masked_BL.flip(1), batch.masked_BL),
            labels_BL=torch.where(which, labels, batch.labels_BL),
            utr_BL=torch.where(which, utr, batch.utr_BL),
        )


def mutated(
    batch: Batch, rate_B1: torch.Tensor, chance_BL: torch.Tensor, choice_BL: torch.Tensor
) -> torch.Tensor:
    """Bases as a related genome might have them, with the same genes; uint8 [B, L].

    A base is hit where `chance` is below `rate`. What is hit between genes or inside an intron
    becomes any other base, except within 6 bases of a codon, a splice site, an end of an
    untranslated region, or a doubtful label. What is hit in the third base of a codon that no
    intron splits undergoes a transition (A-G, C-T) where that spells the same amino acid in nearly
    all genetic codes: not in TGA, TGG, ATA and ATG. N stays.

    Args:
        chance_BL, choice_BL: float in 0..1, drawn by the caller.
    """
    codes_BL = batch.codes_BL
    hit_BL = (chance_BL < rate_B1) & (codes_BL < N)
    other_BL = (codes_BL + 1 + (choice_BL * 3).to(torch.uint8)) & 3
    transition_BL = codes_BL ^ 2
    third_BL = _silent(codes_BL, batch.labels_BL, "+")
    third_BL |= _silent(3 - codes_BL.flip(1), batch.labels_BL.flip(1), "-").flip(1)
    codes_BL = torch.where(hit_BL & _free(batch), other_BL, codes_BL)
    return torch.where(hit_BL & third_BL, transition_BL, codes_BL)


def substituted(
    batch: Batch, rate_B1: torch.Tensor, chance_BL: torch.Tensor, choice_BL: torch.Tensor
) -> torch.Tensor:
    """Bases with other amino acids in the same genes; uint8 [B, L].

    A coding base is hit where `chance` is below `rate`, and becomes any other base, except within 6
    bases of anything that is not coding. Codons that would become TAA, TAG or TGA stay as they are.

    Args:
        chance_BL, choice_BL: float in 0..1, drawn by the caller.
    """
    codes_BL, labels_BL = batch.codes_BL, batch.labels_BL
    hit_BL = (chance_BL < rate_B1) & (codes_BL < N)
    other_BL = (codes_BL + 1 + (choice_BL * 3).to(torch.uint8)) & 3
    for strand in "+-":
        coding = [label(strand, f"C{position}") for position in range(3)]
        inner_BL = _far_from(~_among(labels_BL, coding))
        wanted_BL = torch.where(hit_BL & inner_BL, other_BL, codes_BL)
        if strand == "+":
            stops_BL = _stops(wanted_BL, labels_BL == coding[2])
        else:
            stops_BL = _stops(3 - wanted_BL.flip(1), labels_BL.flip(1) == coding[2]).flip(1)
        codes_BL = torch.where(stops_BL, codes_BL, wanted_BL)
    return codes_BL


_FREE = (INTERGENIC, *(label(strand, f"I{k}") for strand in "+-" for k in range(3)))
_MARGIN = 6
_A, _G, _T = 0, 2, 3


def _free(batch: Batch) -> torch.Tensor:
    """bool [B, L]: between genes or inside an intron, and nothing else is near."""
    taken_BL = ~_among(batch.labels_BL, _FREE)
    border_BL = batch.utr_BL[:, 1:] != batch.utr_BL[:, :-1]
    taken_BL[:, 1:] |= border_BL
    taken_BL[:, :-1] |= border_BL
    return _far_from(taken_BL)


def _among(labels_BL: torch.Tensor, chosen: Sequence[int]) -> torch.Tensor:
    """bool [B, L]: the label is one of those chosen."""
    wanted = torch.tensor(chosen, dtype=torch.uint8, device=labels_BL.device)
    return torch.isin(labels_BL, wanted)


def _far_from(taken_BL: torch.Tensor) -> torch.Tensor:
    """bool [B, L]: nothing is taken within 6 bases."""
    near_BL = torch.nn.functional.max_pool1d(taken_BL.float(), 2 * _MARGIN + 1, 1, _MARGIN)
    return near_BL == 0


def _silent(codes_BL: torch.Tensor, labels_BL: torch.Tensor, strand: str) -> torch.Tensor:
    """bool [B, L]: third bases of whole codons that may undergo a transition.

    Args:
        codes_BL, labels_BL: in reading order of `strand`; codes of its bases, uint8.
    """
    c0, c1, c2 = (label(strand, f"C{k}") for k in range(3))
    first, second, third = codes_BL[:, :-2], codes_BL[:, 1:-1], codes_BL[:, 2:]
    whole = (labels_BL[:, :-2] == c0) & (labels_BL[:, 1:-1] == c1) & (labels_BL[:, 2:] == c2)
    told_apart = ((first == _T) & (second == _G)) | ((first == _A) & (second == _T))
    told_apart &= (third == _A) | (third == _G)
    return torch.nn.functional.pad(whole & ~told_apart, (2, 0))


def _stops(codes_BL: torch.Tensor, third_BL: torch.Tensor) -> torch.Tensor:
    """bool [B, L]: bases of TAA, TAG and TGA that end in a third base of a codon.

    Args:
        codes_BL, third_BL: in reading order of a strand; codes of its bases, uint8.
    """
    first, second, third = codes_BL[:, :-2], codes_BL[:, 1:-1], codes_BL[:, 2:]
    ends = ((second == _A) & ((third == _A) | (third == _G))) | ((second == _G) & (third == _A))
    ends &= (first == _T) & third_BL[:, 2:]
    pad = torch.nn.functional.pad
    return pad(ends, (0, 2)) | pad(ends, (1, 1)) | pad(ends, (2, 0))


def _table(mirror: np.ndarray, device: torch.device) -> torch.Tensor:
    """A mirror of labels that leaves MASKED as it is; uint8 [256]."""
    table = torch.full((256,), MASKED, dtype=torch.uint8, device=device)
    table[: len(mirror)] = torch.from_numpy(mirror).to(device)
    return table


def _scaled(uniform: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Whole numbers below `size`; float64, since sets exceed float32's 2**24."""
    return (uniform.double() * size).long().clamp(max=(size - 1).clamp(min=0))
