"""What makes a gene model impossible on its sequence. One list of faults for training and scoring.

The decoder makes only models without faults; annotation files hold others, which are masked.
"""

from __future__ import annotations

import numpy as np

from augustus_dl.encode import N, letters, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import GeneticCode, coding_bases, translate

__all__ = ["MIN_INTRON", "SPLICE_SITES", "faults"]

MIN_INTRON = 4
"""Shortest gap between coding intervals that can be an intron and not a sequencing error."""

SPLICE_SITES = frozenset({"GTAG", "GCAG", "ATAC"})
"""First two and last two bases of an intron in the direction of the transcript."""


def faults(transcript: Transcript, codes: np.ndarray, code: GeneticCode) -> list[str]:
    """Everything that is impossible about a transcript; empty when it is valid.

    Checked: it lies on the sequence; start codon, stop codon and length in frame where the ends
    are said to be complete; an incomplete end lies at an end of the sequence; no stop codon in
    frame; introns not too short, with admissible splice sites and no N in them.

    Args:
        codes: base codes of the whole contig, uint8 [L].
    """
    if transcript.end > len(codes):
        return [f"ends at {transcript.end}, the sequence at {len(codes)}"]
    found = _end_faults(transcript, len(codes))
    spliced = coding_bases(transcript, codes)
    if transcript.complete5 and _text(spliced[:3]) not in code.starts:
        found.append(f"no start codon: {_text(spliced[:3])}")
    framed = spliced[transcript.phase :]
    if transcript.complete3:
        if len(framed) % 3:
            found.append("length out of frame")
        if _text(spliced[-3:]) not in code.stops:
            found.append(f"no stop codon: {_text(spliced[-3:])}")
    inner = framed[: len(framed) - 3] if transcript.complete3 else framed
    if "*" in translate(inner, code):
        found.append("stop codon in frame")
    for start, end in transcript.introns:
        found += _intron_faults(start, end, transcript, codes)
    return found


def _end_faults(transcript: Transcript, length: int) -> list[str]:
    """An end may be missing only where the sequence ends: within the codon that is cut there."""
    ends = (transcript.complete5, transcript.complete3)
    left, right = ends if transcript.strand == "+" else ends[::-1]
    if (not left and transcript.start > 2) or (not right and transcript.end < length - 2):
        return ["incomplete inside the sequence"]
    return []


def _intron_faults(start: int, end: int, transcript: Transcript, codes: np.ndarray) -> list[str]:
    """Faults of one intron; of one cut by the sequence's end only what is there is judged."""
    if start < transcript.cds[0][0] or end > transcript.cds[-1][1]:
        return []
    if end - start < MIN_INTRON:
        return [f"intron of {end - start} bases at {start}"]
    sites = np.concatenate([codes[start : start + 2], codes[end - 2 : end]])
    if transcript.strand == "-":
        sites = reverse_complement(sites)
    if (sites == N).any():
        return [f"N in a splice site of the intron at {start}"]
    if _text(sites) not in SPLICE_SITES:
        return [f"splice sites {_text(sites)} at {start}"]
    return []


def _text(codes: np.ndarray) -> str:
    return letters(codes).decode("ascii")
