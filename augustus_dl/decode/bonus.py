"""Hints as scores: what the extrinsic configuration promises for obeying them, added to labels.

A bonus of x multiplies the odds of a gene that obeys the hint by x, so log x nats are added to the
labels that such a gene has where the hint lies:

    start, stop, ass, dss     the boundary label, full in the middle of the hint, fading to its ends
    intron, exon, CDS         half on the boundary label of either end. Of several hints that share
                              an end only the strongest counts there
    exonpart, CDSpart         coding labels, in frame if the hint has one, spread over its bases
    intronpart, nonexonpart,  intron labels; intron labels and intergenic; intergenic; all but
    irpart, genicpart         intergenic: in full on each base
    tss, tts, UTR, UTRpart    nothing: there are no such labels

A malus of x puts log x on the same labels wherever no hint of the type supports them; exons and
introns take half of it at either end. Since an exon is not known before it is decoded, local
malus does nothing here, and of a gene that has only one end of a hinted intron right half the
bonus is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID
from augustus_dl.decode.increments import LIMIT, UNIT, Channel, Forbidden, Points, Stage
from augustus_dl.encode import BasesOnDemand, base_codes
from augustus_dl.hints import MASK_PROGRAM, Extrinsic, HintGroups, HintType, bonuses
from augustus_dl.intervals import union
from augustus_dl.labels import INTERGENIC, NUM_LABELS, label, labels_of

__all__ = ["FULL", "USUAL_MASK_BONUS", "Strength", "hint_stage", "hinted_intron_ends"]

USUAL_MASK_BONUS = 1.15
"""Bonus of soft-masked bases outside exons in most extrinsic files. The network sees soft-masking
itself; this value stands for what it makes of it, and only a different one changes scores."""

_MASK_WEIGHT = 0.03
"""Neighbouring masked bases say the same thing over and over, as neighbouring labels do; see
`DecoderConfig.intergenic_weight`."""
_ENDS = {"exon": ("START A", "D STOP"), "CDS": ("START A", "D STOP"), "intron": ("D", "A")}
"""Boundary labels at the 5' and 3' end of what is hinted exactly."""
_SIGNALS = {"start": "START", "stop": "STOP", "ass": "A", "dss": "D"}
_INSIDE = {
    "exonpart": "C START STOP",
    "CDSpart": "C START STOP",
    "intronpart": "I D A",
    "nonexonpart": "I D A IR",
    "irpart": "IR",
    "genicpart": "C START STOP I D A",
}
_USUAL_DONORS = ("GT", "GC")
_SPREAD = ("exonpart", "CDSpart")
"""Part types whose bonus counts once, not for each base."""
_AGREED = 0.5
"""`hint_groups` raises a bonus b to b ** (2c), c being the share of groups that agree, so that one
that everything agrees with would count twice. To half of that power it counts b, and one that was
seen once and is not disputed its root. docs/experiments.md has the measurement."""


@dataclass(frozen=True)
class Strength:
    """What the bonuses of hints, as `hint_groups` leaves them, and maluses are raised to."""

    bonus: float = 1.0
    malus: float = 1.0

    @classmethod
    def calibrated(cls, posterior_scale: float) -> Strength:
        """What it takes to multiply the odds of calibrated probabilities by b ** c, and by the
        malus.

        Args:
            posterior_scale: see `DecoderConfig`. Scores are sharper than the truth by its inverse.
        """
        return cls(_AGREED / posterior_scale, 1 / posterior_scale)


FULL = Strength()
"""Factors count on the odds that scores say."""


def hint_stage(
    groups: HintGroups,
    extrinsic: Extrinsic,
    codes: np.ndarray | BasesOnDemand,
    *,
    malus: bool = True,
    strength: Strength = FULL,
    hinted_pairs: Sequence[str] = (),
) -> Stage | None:
    """A stage of prediction that adds the hints of a sequence to its scores.

    Args:
        groups: see `hint_groups.group_hints`.
        codes: uint8 [L], base codes of what is decoded, where the stretches begin.
        malus: also count what no hint supports; to be left out when there are no hints at all.
        strength: what bonuses and maluses are raised to.
        hinted_pairs: donors and acceptors, e.g. "ATAC", that only a hinted intron may have although
            the decoder's graph allows them everywhere. GT and GC are donors without hints, too.

    Returns:
        None when the hints change nothing.
    """
    worth = _Worth.of(groups, extrinsic, strength, malus)
    layers = [
        *_boundaries(groups, worth),
        *_unhinted_donors(groups, codes, hinted_pairs),
        *_stretches(groups, worth),
    ]
    return Stage(layers) if layers else None


def hinted_intron_ends(
    groups: HintGroups, extrinsic: Extrinsic, strength: Strength = FULL
) -> dict[tuple[str, bool], tuple[np.ndarray, np.ndarray]]:
    """What the ends of hinted introns are worth, by strand and whether it is the left end.

    Args:
        groups, extrinsic, strength: see `hint_stage`.

    Returns:
        int64 [k] rising, the outermost bases of introns, and int64 [k], on the grid of the scores,
        what one with this end gets; those above 0 only.
    """
    rows, there = _of_type(groups, "intron")
    gains = _Worth.of(groups, extrinsic, strength, malus=False).gains[there]
    ends = _end_points("intron", rows, gains)
    found = {}
    for strand in "+-":
        for kind in "DA":
            those = (ends.labels == label(strand, f"{kind}0")) & (ends.values > 0)
            at, values = ends.at[those], _grid(ends.values[those])
            found[strand, (kind == "D") == (strand == "+")] = at.astype(np.int64), values
    return found


def _grid(nats: float | np.ndarray) -> Any:
    """On the grid of the scores, rounded; int64."""
    return np.rint(np.clip(nats, -LIMIT, LIMIT) * GRID).astype(np.int64)


@dataclass(frozen=True)
class _Worth:
    """What obeying hints adds, and what features without hints lose.

    Attributes:
        gains: float64 [n] nats, of each hint.
        losses: nats below zero, of the types that have a malus.
    """

    gains: np.ndarray
    losses: Mapping[str, float]

    @classmethod
    def of(
        cls, groups: HintGroups, extrinsic: Extrinsic, strength: Strength, malus: bool
    ) -> _Worth:
        rows = groups.hints.rows
        gains = _log(rows["bonus"])
        if MASK_PROGRAM in groups.hints.programs:
            masked = rows["program"] == groups.hints.programs.index(MASK_PROGRAM)
            given = _log(bonuses(rows[masked], extrinsic))
            gains[masked] = (given - np.log(USUAL_MASK_BONUS)) * _MASK_WEIGHT
        losses = {
            type_.name: strength.malus * float(_log(np.array(factors.malus)))
            for type_, factors in extrinsic.types.items()
            if malus and factors.malus < 1
        }
        return cls(strength.bonus * gains, losses)


def _log(factors: np.ndarray) -> np.ndarray:
    """Logarithms, none so large that it could not be added up."""
    with np.errstate(divide="ignore"):
        return np.clip(np.log(factors), -LIMIT, LIMIT)


def _boundaries(groups: HintGroups, worth: _Worth) -> list[Points]:
    """What hints add to boundary labels."""
    parts: list[_Values] = []
    everywhere = np.zeros(NUM_LABELS)
    for name in (*_SIGNALS, *_ENDS):
        rows, there = _of_type(groups, name)
        signal = name in _SIGNALS
        if not (len(rows) or name in worth.losses):
            continue
        points = (_signal_points if signal else _end_points)(name, rows, worth.gains[there])
        loss = worth.losses.get(name, 0.0) * (1 if signal else 0.5)
        everywhere[_all_labels(_SIGNALS[name] if signal else " ".join(_ENDS[name]))] += loss
        parts.append(points._replace(values=points.values - np.float32(loss)))
    if not parts:
        return []
    at, labels, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(at, kind="stable")
    values = _grid(values[order]).astype(np.int32)
    return [Points(at[order], labels[order], values, _grid(everywhere))]


def _all_labels(kinds: str) -> list[int]:
    return [*labels_of("+", kinds), *labels_of("-", kinds)]


def _of_type(groups: HintGroups, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Hints of a type, and where they are among all; HINT [k] and int64 [k]."""
    rows = groups.hints.rows
    there = np.flatnonzero(rows["type"] == HintType[name])
    return rows[there], there


class _Values(NamedTuple):
    """Values on labels, in nats: int64 [k] bases, uint8 [k] labels, float32 [k]."""

    at: np.ndarray
    labels: np.ndarray
    values: np.ndarray

    @classmethod
    def joined(cls, parts: Iterable[tuple[np.ndarray, Sequence[int], np.ndarray]]) -> _Values:
        """From bases, labels that each of them has, and values."""
        all_at, all_labels, all_values = [_NO_BASES], [_NO_BASES], [_NO_BASES]
        for at, labels, values in parts:
            all_at += [at] * len(labels)
            all_labels += [np.full(len(at), name, dtype=np.uint8) for name in labels]
            all_values += [values.astype(np.float32)] * len(labels)
        return cls(
            np.concatenate(all_at),
            np.concatenate(all_labels, dtype=np.uint8),
            np.concatenate(all_values, dtype=np.float32),
        )

    def merged(self, combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Values:
        """One value for each label of a base.

        Args:
            combine: of values that lie label by label, and where those of each label begin.
        """
        if not len(self.at):
            return self
        place = self.at * NUM_LABELS + self.labels
        order = np.argsort(place, kind="stable")
        place = place[order]
        first = np.flatnonzero(np.diff(place, prepend=place[0] - 1))
        at, labels = np.divmod(place[first], NUM_LABELS)
        return _Values(at, labels.astype(np.uint8), combine(self.values[order], first))


_NO_BASES = np.zeros(0, dtype=np.uint8)


def _strongest(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The highest value above zero and the lowest below."""
    high, low = np.maximum.reduceat(values, first), np.minimum.reduceat(values, first)
    return np.maximum(high, 0) + np.minimum(low, 0)


def _strands(rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each strand and the hints that may lie on it; bool [n]."""
    yield "+", rows["strand"] >= 0
    yield "-", rows["strand"] <= 0


def _signal_points(name: str, rows: np.ndarray, logs: np.ndarray) -> _Values:
    """Codons and splice sites in the intervals of hints: in the middle they are worth most."""
    codon = name in ("start", "stop")
    first, last = rows["start"] + codon, rows["end"] - codon  # middles of codons
    length = np.maximum(last - first, 0)
    middle = np.arange(length.sum()) + np.repeat(first - np.cumsum(length) + length, length)
    center, width = (rows["start"] + rows["end"] - 1) / 2, rows["end"] - rows["start"]
    distance = np.abs(middle - np.repeat(center, length)) * 2 / np.repeat(width, length)
    values = np.repeat(logs, length) * (1 - distance)
    parts = []
    for strand, there in _strands(rows):
        offset = 0
        if codon:  # the label stands on the outer base of the codon
            offset = -1 if (strand == "+") == (name == "start") else 1
        chosen = np.repeat(there, length)
        parts.append((middle[chosen] + offset, labels_of(strand, _SIGNALS[name]), values[chosen]))
    return _Values.joined(parts).merged(np.add.reduceat)


def _end_points(name: str, rows: np.ndarray, logs: np.ndarray) -> _Values:
    """Both ends of what is hinted exactly, half of its bonus on each."""
    same, halves = _alike(rows, logs / 2)
    ends = []
    for strand, there in _strands(same):
        for kinds, at_5_end in zip(_ENDS[name], (True, False), strict=True):
            for kind in kinds.split():
                parts = [
                    (_end_base(name, kind, strand, same[which], at_5_end), labels, halves[which])
                    for labels, which in _phases(name, kind, strand, same, there)
                ]
                ends.append(_Values.joined(parts).merged(_strongest))
    return _Values(*(np.concatenate(column) for column in zip(*ends, strict=True)))


def _alike(rows: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One hint for all that differ in nothing a gene could tell, with the sum of their values."""
    fields = [rows[name] for name in ("frame", "strand", "end", "start")]
    order = np.lexsort(fields)
    new = np.zeros(len(rows), dtype=bool)
    new[:1] = True
    for values in fields:
        new[1:] |= np.diff(values[order]) != 0
    sums = np.bincount(np.cumsum(new) - 1, logs[order], np.count_nonzero(new))
    return rows[order[new]], sums


def _end_base(name: str, kind: str, strand: str, rows: np.ndarray, at_5_end: bool) -> np.ndarray:
    """The base on which a boundary label at one end of each hint stands; int64 [k]."""
    left = at_5_end == (strand == "+")
    outside = name != "intron" and kind in ("A", "D")
    return rows["start"] - outside if left else rows["end"] - 1 + outside


def _phases(
    name: str, kind: str, strand: str, rows: np.ndarray, there: np.ndarray
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Labels of a kind, and the hints whose frame they fit; int64 [k]."""
    framed = (rows["frame"] >= 0) & (name != "intron")
    yield labels_of(strand, kind), np.flatnonzero(there & ~framed)
    behind = (
        rows["end"] - rows["start"] - rows["frame"] if kind in ("D", "STOP") else -rows["frame"]
    )
    if kind in ("START", "STOP"):
        yield labels_of(strand, kind), np.flatnonzero(there & framed & (behind % 3 == 0))
        return
    for phase, number in enumerate(labels_of(strand, kind)):
        yield (number,), np.flatnonzero(there & framed & (behind % 3 == phase))


def _unhinted_donors(
    groups: HintGroups, codes: np.ndarray | BasesOnDemand, pairs: Sequence[str]
) -> Iterator[Forbidden]:
    """Donors of these pairs wherever no hint has its donor."""
    if not pairs:
        return
    codes, hinted = np.asarray(codes), []
    for name, points in (("dss", _signal_points), *((name, _end_points) for name in _ENDS)):
        rows, _ = _of_type(groups, name)
        hinted.append(points(name, rows, np.ones(len(rows))))
    at, labels = (np.concatenate([values[i] for values in hinted]) for i in range(2))
    for strand, step in (("+", 1), ("-", -1)):
        donors = labels_of(strand, "D")
        allowed = np.unique(at[np.isin(labels, donors)])
        for donor in dict.fromkeys(pair[:2] for pair in pairs if pair[:2] not in _USUAL_DONORS):
            first, second = (int(code) for code in base_codes(donor.encode()))
            pair = (first, second) if strand == "+" else (3 - first, 3 - second)
            yield Forbidden(codes, pair, step, donors, allowed)


def _stretches(groups: HintGroups, worth: _Worth) -> Iterator[Channel]:
    """What hints add to the labels of single bases."""
    for name, kinds in _INSIDE.items():
        rows, there = _of_type(groups, name)
        if not (len(rows) or name in worth.losses):
            continue
        rows["start"] = np.maximum(rows["start"], 0)
        gains = worth.gains[there] / (rows["end"] - rows["start"] if name in _SPREAD else 1)
        framed = (rows["frame"] >= 0) & (name in _SPREAD)
        for labels, strand, chosen in _labelled(kinds, rows):
            yield from _channel(rows[chosen & ~framed], gains[chosen & ~framed], labels)
            if name in worth.losses:
                yield _uncovered(rows[chosen], worth.losses[name], labels)
            if framed.any():
                yield from _framed(rows, gains, chosen & framed, strand)


def _labelled(kinds: str, rows: np.ndarray) -> Iterator[tuple[tuple[int, ...], str, np.ndarray]]:
    """Labels, their strand, and the hints that speak of them; bool [n]."""
    genic = " ".join(kind for kind in kinds.split() if kind != "IR")
    if genic:
        for strand, there in _strands(rows):
            yield labels_of(strand, genic), strand, there
    if "IR" in kinds.split():
        yield (INTERGENIC,), "", np.ones(len(rows), dtype=bool)


def _channel(
    rows: np.ndarray, gains: np.ndarray, labels: tuple[int, ...], **frame: Any
) -> Iterator[Channel]:
    """A value on each base of the hints."""
    units = np.rint(gains * UNIT).astype(np.int64)
    rows, units = rows[units != 0], units[units != 0]
    if len(rows):
        at = np.concatenate((rows["start"], rows["end"]))
        order = np.argsort(at, kind="stable")
        yield Channel(at[order], np.concatenate((units, -units))[order], 0, labels, **frame)


def _uncovered(rows: np.ndarray, loss: float, labels: tuple[int, ...]) -> Channel:
    """A loss on each base outside the hints."""
    units = int(np.rint(loss * UNIT))
    covered = union(np.stack((rows["start"], rows["end"]), axis=1).tolist())
    change = np.tile([-units, units], len(covered))
    return Channel(covered.ravel(), change, units, labels)


def _framed(
    rows: np.ndarray, gains: np.ndarray, chosen: np.ndarray, strand: str
) -> Iterator[Channel]:
    """A value on the coding label that the frame of each hint asks for."""
    forward = strand == "+"
    codon = rows["start"] + rows["frame"] if forward else rows["end"] - 1 - rows["frame"]
    labels = labels_of(strand, "C START STOP")
    for residue in range(3):
        those = chosen & (codon % 3 == residue)
        yield from _channel(
            rows[those], gains[those], labels, frame=residue, step=1 if forward else -1
        )
