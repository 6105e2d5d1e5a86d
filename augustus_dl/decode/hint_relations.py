"""How two hints relate: can a gene obey both, and does obeying one mean obeying the other?

The rules are AUGUSTUS's, its oddities included, because bonuses are scaled by what they count.
Coordinates are 0-based and half-open.
"""

from __future__ import annotations

import numpy as np

from augustus_dl.decode.native import native
from augustus_dl.hints import HintType

__all__ = ["compatible", "contradict", "count_relations", "weaker"]

_START, _STOP = int(HintType.start), int(HintType.stop)
_ASS, _DSS = int(HintType.ass), int(HintType.dss)
_TSS, _TTS = int(HintType.tss), int(HintType.tts)
_EXONPART, _EXON = int(HintType.exonpart), int(HintType.exon)
_INTRONPART, _INTRON = int(HintType.intronpart), int(HintType.intron)
_IRPART, _CDS, _CDSPART = int(HintType.irpart), int(HintType.CDS), int(HintType.CDSpart)
_UTR, _UTRPART = int(HintType.UTR), int(HintType.UTRpart)
_NONEXONPART, _GENICPART = int(HintType.nonexonpart), int(HintType.genicpart)

_TTS_DISTANCE = 1000
"""Two ends of transcription that are nearer than this must be the same."""
_TRANSCRIPT_MARGIN = 50
"""How far inside an exon a start or end of transcription may lie that is taken for its end."""
_LONG_INTRON = 2000
"""Exon parts that cover so many bases contradict an intron fully, however long it is."""

_BELOW_1 = 1 - 2.0**-53


def _types(*names: str) -> np.ndarray:
    """bool [17]: is the type one of these?"""
    chosen = np.zeros(len(HintType), dtype=np.bool_)
    chosen[[HintType[name] for name in names]] = True
    return chosen


_SIGNAL = _types("start", "stop", "ass", "dss", "tss", "tts")
_EXACT = _types("exon", "intron", "CDS", "UTR")
_PART_OF_EXON = _types("exonpart", "CDSpart", "UTRpart")
_CODON_FREE = _types("intronpart", "intron", "irpart", "nonexonpart", "UTR", "UTRpart")
_SPLICE_FREE = _types("irpart", "UTR", "UTRpart", "exonpart", "exon", "CDS", "CDSpart")
_UTR_FREE = _types("irpart", "intron", "intronpart", "nonexonpart", "CDS", "CDSpart")
_OUTER_EXON = _types("UTR", "UTRpart", "exon", "exonpart")
_NO_EXON = _types("intronpart", "intron", "irpart", "nonexonpart")
_NO_INTRON = _types("irpart", "CDS", "CDSpart", "UTR", "UTRpart")

_WHOLE = np.full(len(HintType), -1)
"""The type whose exact form a part type belongs to; -1 for the others."""
for _part, _exact in (("exonpart", "exon"), ("intronpart", "intron")):
    _WHOLE[HintType[_part]] = HintType[_exact]
for _part, _exact in (("CDSpart", "CDS"), ("UTRpart", "UTR")):
    _WHOLE[HintType[_part]] = HintType[_exact]
for _part in ("irpart", "nonexonpart"):
    _WHOLE[HintType[_part]] = HintType[_part]


@native
def compatible(a, b) -> bool:
    """Could there be a gene that obeys both hints?

    Args:
        a, b: (type, start, end, strand).
    """
    type_a, start_a, end_a, strand_a = a
    type_b, start_b, end_b, strand_b = b
    if start_a >= end_b or start_b >= end_a:
        near = abs((start_a + end_a) - (start_b + end_b)) // 2 <= _TTS_DISTANCE
        return not (type_a == _TTS and type_b == _TTS and strand_a == strand_b and near)
    if strand_a * strand_b < 0:
        return _on_both_strands(a, b)
    if type_a == type_b:
        return (start_a == start_b and end_a == end_b) or not _EXACT[type_a]
    if type_a > type_b:
        a, b = b, a
    if a[0] <= _DSS:
        return _codon_or_splice_site_fits(a, b, strand_a)
    if a[0] <= _TTS:
        return _transcript_end_fits(a, b, strand_a)
    return _intervals_fit(a, b)


@native
def _on_both_strands(a, b):
    """Overlapping hints of opposite strands: only the ends of neighbouring genes can be both."""
    if _SIGNAL[a[0]] and _SIGNAL[b[0]]:
        return True
    if _SIGNAL[a[0]] and (a[1] < b[1] or a[2] > b[2]):
        return True
    return _SIGNAL[b[0]] and (b[1] < a[1] or b[2] > a[2])


@native
def _at_wrong_end(at_left, a, b, strand, margin):
    """Does a signal that belongs to one end of `b` lie away from that end?

    Args:
        at_left: the signal belongs to the left end on the plus strand.
    """
    if strand == 0:
        return False
    if at_left == (strand > 0):
        return a[1] > b[1] + margin
    return a[2] < b[2] - margin


@native
def _codon_or_splice_site_fits(a, b, strand):
    type_, start, end, _ = a
    inside = start >= b[1] and end <= b[2]
    strictly = start > b[1] and end < b[2]
    if type_ <= _STOP:
        if _CODON_FREE[b[0]]:
            return not inside
        if b[0] not in (_CDS, _CDSPART):
            return True
        too_short = b[0] == _CDS and (end - 1 < b[1] + 2 or start > b[2] - 3)
        return not (strictly or too_short or _at_wrong_end(type_ == _START, a, b, strand, 0))
    if _SPLICE_FREE[b[0]]:
        return not inside
    if b[0] not in (_INTRON, _INTRONPART):
        return True
    return not (strictly or _at_wrong_end(type_ == _DSS, a, b, strand, 0))


@native
def _transcript_end_fits(a, b, strand):
    type_, start, end, _ = a
    if _UTR_FREE[b[0]]:
        return not (start >= b[1] and end <= b[2])
    if not _OUTER_EXON[b[0]]:
        return True
    margin = _TRANSCRIPT_MARGIN
    strictly = start > b[1] + margin and end < b[2] - margin
    return not (strictly or _at_wrong_end(type_ == _TSS, a, b, strand, margin))


@native
def _intervals_fit(a, b):
    """Overlapping hints of different types that both span something; `a` has the lower type."""
    type_, start, end, _ = a
    other, other_start, other_end, _ = b
    holds = start <= other_start and end >= other_end
    if type_ == _EXONPART:
        if other == _EXON:
            return other_start <= start and other_end >= end
        if other == _UTR:
            return not (start < other_start and end > other_end)
        return not _NO_EXON[other]
    if type_ == _EXON:
        if other in (_CDS, _CDSPART, _UTRPART):
            return holds
        if other == _UTR:
            return (start == other_start and holds) or (end == other_end and start < other_end)
        return not _NO_EXON[other]
    if type_ == _INTRONPART and other == _INTRON:
        return other_start <= start and other_end >= end
    if type_ in (_INTRONPART, _INTRON):
        return not _NO_INTRON[other]
    if type_ == _IRPART:
        return other == _NONEXONPART
    if type_ == _CDS:
        return other == _CDSPART and holds
    return type_ == _UTR and other == _UTRPART and holds


@native
def weaker(a, b) -> bool:
    """Does every gene that obeys `b` obey `a` too? Arguments as of `compatible`."""
    type_, start, end, _ = a
    other, other_start, other_end, _ = b
    if other_end <= start or other_start >= end:
        return False
    if type_ == other and start == other_start and end == other_end:
        return True
    if _SIGNAL[type_]:
        return type_ == other and start <= other_start and end >= other_end
    if start < other_start or end > other_end:
        return False
    if type_ == _GENICPART:
        return other != _IRPART
    return _WHOLE[type_] >= 0 and other in (type_, _WHOLE[type_])


@native
def contradict(type_, start, end, strand, low, high, other_low, other_high) -> bool:
    """Is there no gene that obeys all hints of two groups?

    Args:
        type_, start, end, strand: int64 [n], of hints that lie group by group.
        low, high, other_low, other_high: the rows of both groups.
    """
    for i in range(low, high):
        for j in range(other_low, other_high):
            one = (type_[i], start[i], end[i], strand[i])
            if not compatible(one, (type_[j], start[j], end[j], strand[j])):
                return True
    return False


def count_relations(
    type_: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    strand: np.ndarray,
    first: np.ndarray,
    *groups: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How often other groups support and contradict each hint.

    A group supports a hint that one of its hints implies and none contradicts. It counts as often
    as it was seen. A group of lower priority does not contradict.

    Args:
        type_, start, end, strand: int64 [n], of hints that lie group by group.
        first: int64 [g + 1], the first hint of each group.
        groups: begin, stop, priority and multiplicity, int64 [g], sorted by the first of them.

    Returns:
        int64 [n] and float32 [n].
    """
    supporting = np.zeros(len(type_), dtype=np.int64)
    contradicting = np.zeros(len(type_), dtype=np.float32)
    _count((type_, start, end, strand), first, *groups, supporting, contradicting)
    return supporting, contradicting


@native
def _count(rows, first, begin, stop, priority, mult, supporting, contradicting) -> None:
    """Fill what `count_relations` returns, 0 so far."""
    for one in range(len(begin)):
        for i in range(first[one], first[one + 1]):
            supporting[i] += mult[one] - 1
        other = one + 1
        while other < len(begin) and begin[other] < stop[one]:
            for asked, by in ((one, other), (other, one)):
                quiet = 0 <= priority[by] < priority[asked]
                for i in range(first[asked], first[asked + 1]):
                    implied, share = _verdict(rows, i, first[by], first[by + 1], quiet)
                    if share > 0:
                        contradicting[i] += np.float32(share) * mult[by]
                    elif implied:
                        supporting[i] += mult[by]
            other += 1


@native
def _verdict(rows, i, low, high, quiet):
    """What the hints from row `low` to `high` say of hint i: is it implied, how far contradicted.

    Args:
        quiet: they do not contradict.
    """
    type_, start, end, strand = rows
    hint = (type_[i], start[i], end[i], strand[i])
    implied, share = False, 0.0
    for j in range(low, high):
        rival = (type_[j], start[j], end[j], strand[j])
        if not quiet and not compatible(hint, rival):
            share = _share(hint, rival, share)
        implied = implied or weaker(hint, rival)
    return implied, share


@native
def _share(hint, rival, before):
    """How much of a contradiction it is, given what earlier hints of the group were.

    The longer an intron, the more chance hits of exon parts lie in it: one of them contradicts it
    only as far as it covers it. Of several, the last counts.
    """
    if hint[0] != _INTRON or not _PART_OF_EXON[rival[0]] or before == 1.0:
        return 1.0
    length = min(hint[2] - hint[1], _LONG_INTRON)
    # A share of 1 must stay apart from a full contradiction, which nothing later changes.
    return min((rival[2] - rival[1]) / length, _BELOW_1)
