"""What one search reads: scores of its strand, and symbols instead of bases where genes overlap.

A configuration whose strands are searched apart has a track for each (`DecoderConfig.tracks`).
"""

from __future__ import annotations

import numpy as np

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.encode import BasesOnDemand, reverse_complement
from augustus_dl.labels import INTERGENIC, LABELS

__all__ = ["one_strand", "symbols"]

_SIGN = {"forward": "+", "backward": "-"}
_LOWEST = np.iinfo(np.int16).min + 1
_NOWHERE = np.iinfo(np.int64).max


def one_strand(scores: np.ndarray, config: DecoderConfig) -> np.ndarray:
    """Scores in which intergenic means that there is no gene on the strand of `config`.

    The network gives each base one label on either strand. Inside a gene of the other strand it
    finds intergenic as unlikely as any label of this one; what counts there is the probability of
    everything but this strand's labels. Labels without weight are left out of it.

    Args:
        scores: int16 [n, 29], weighted log-probabilities on the grid, with no hints in them yet.
        config: a track; with both strands the scores stay as they are.
    """
    if config.strand == "both":
        return scores
    weights = config.label_weights() * GRID
    elsewhere = [
        i for i, name in enumerate(LABELS) if name[0] != _SIGN[config.strand] and weights[i]
    ]
    logs_NK = scores[:, elsewhere] / weights[elsewhere]
    highest_N = logs_NK.max(axis=1, initial=-np.inf)
    total_N = highest_N + np.log(np.exp(logs_NK - highest_N[:, None]).sum(axis=1))
    folded = scores.copy()
    folded[:, INTERGENIC] = np.maximum(np.round(total_N * weights[INTERGENIC]), _LOWEST)
    return folded


def symbols(
    codes: np.ndarray | BasesOnDemand,
    config: DecoderConfig,
    start: int = 0,
    end: int | None = None,
) -> np.ndarray:
    """What the graph of a track reads: base codes, plus 5 and 10 where a stop codon is near.

    On the forward strand the two frames are those of a gene that has read one or two bases of a
    codon before this base, and a stop codon is near when the gene would end with the next one in
    frame at most `max_overlap` bases from here, this base included. Nothing is near on the first
    base. On the backward strand the same holds for the reverse complement, the frames being
    those of one and two bases read after this base is.

    Args:
        codes: base codes of a whole sequence, uint8 [L].
        start, end: the part, 0-based and half-open; by default all of it.

    Returns:
        uint8 [end - start], the codes themselves when genes don't overlap.
    """
    end = len(codes) if end is None else end
    if not config.max_overlap:
        return np.asarray(codes[start:end])
    reach = config.max_overlap + 3  # bases further away have no say
    first = max(start - reach, 0)
    around = np.asarray(codes[first : end + reach])
    if config.strand == "backward":
        near = _stop_is_near(reverse_complement(around), config)[::-1, ::-1]
    else:
        near = _stop_is_near(around, config)
    found = around + (np.array([5, 10]) @ near).astype(np.uint8)
    return found[start - first : end - first]


def _stop_is_near(codes: np.ndarray, config: DecoderConfig) -> np.ndarray:
    """bool [2, L], for 1 and 2 bases read before each base; see `symbols`."""
    length = len(codes)
    if length < 3:
        return np.zeros((2, length), dtype=bool)
    words = np.array([["ACGT".index(base) for base in stop] for stop in config.code().stops])
    triplets = np.lib.stride_tricks.sliding_window_view(codes, 3)
    nearest = np.full(length + 2, _NOWHERE)  # by first base of a codon + 2: the next stop's first
    for word in words:
        at = np.flatnonzero((triplets == word).all(axis=1))
        nearest[at + 2] = at
    for frame in range(3):
        nearest[frame::3] = np.minimum.accumulate(nearest[frame::3][::-1])[::-1]
    furthest = np.arange(length) + config.max_overlap - 3
    furthest[0] = -1  # a gene cut by the left end could not be told from one that begins there
    return np.stack([nearest[2 - read :][:length] <= furthest for read in (1, 2)])
