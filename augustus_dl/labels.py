"""The label alphabet: what the network speaks, the decoder parses and the tokenizer is given.

29 structure labels. Label 0 is intergenic; then 14 labels per strand:

    C0 C1 C2   coding base in codon position 0, 1, 2
    I0 I1 I2   intron base; the number is the intron's phase: how many bases of the codon it
               interrupts lie before it, in the direction of the transcript
    D0 D1 D2   donor: the intron's first base in the direction of the transcript
    A0 A1 A2   acceptor: the intron's last base in the direction of the transcript
    START      first base of a start codon (stands in place of C0)
    STOP       last base of a stop codon (stands in place of C2)

Every label stands on one base, so exons of one base and codons split by introns have a label path
of their own. Labels are per genomic position, read left to right on both strands; the reverse
complement of a path is `mirror`. Genes <-> labels <-> run-length tokens are exact inverses.

Untranslated regions are a track of their own (`UTR_LABELS`), with its own head of the network:
they may lie over introns and exons of other genes. Feature tracks (`FEATURES`) are listed because
they are tokens too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from augustus_dl.gene import Interval, Transcript

__all__ = [
    "FEATURES",
    "INTERGENIC",
    "LABELS",
    "LEGAL",
    "MASKED",
    "MIRROR",
    "NUM_LABELS",
    "NUM_UTR_LABELS",
    "TOKENS",
    "UTR_LABELS",
    "UTR_MIRROR",
    "from_labels",
    "from_runs",
    "from_tokens",
    "label",
    "labels_of",
    "mirror",
    "to_labels",
    "to_runs",
    "to_tokens",
    "to_utr_labels",
    "utr_label",
]

_KINDS = ("C0", "C1", "C2", "I0", "I1", "I2", "D0", "D1", "D2", "A0", "A1", "A2", "START", "STOP")
_PER_STRAND = len(_KINDS)

INTERGENIC = 0
MASKED = 255
"""Not a label: a base whose true label is unknown (doubtful annotation, N); no loss there."""

LABELS: tuple[str, ...] = ("IR", *(f"{strand}{kind}" for strand in "+-" for kind in _KINDS))
NUM_LABELS = len(LABELS)

UTR_LABELS: tuple[str, ...] = tuple(
    f"{strand}{end}UTR_{part}" for strand in "+-" for end in "53" for part in ("exon", "intron")
)
"""Labels 1 to 8 of the UTR track; its label 0 is everything else, coding bases included."""
NUM_UTR_LABELS = 1 + len(UTR_LABELS)
FEATURES: tuple[str, ...] = (
    *(f"{strand}{kind}" for strand in "+-" for kind in ("tRNA", "rRNA", "ncRNA")),
    "mobile_genetic_element",
    "origin_of_replication",
)
_DIGITS = tuple(f"[n{digit}]" for digit in range(10))

TOKENS: tuple[str, ...] = (
    *(f"[{name}]" for name in (*LABELS, *UTR_LABELS, *FEATURES)),
    *_DIGITS,
)
"""What a DNABERT-2 tokenizer is extended by, in order of their new ids."""


def label(strand: str, kind: str) -> int:
    """Number of a structure label, e.g. `label("-", "D1")`."""
    return 1 + _PER_STRAND * "+-".index(strand) + _KINDS.index(kind)


def labels_of(strand: str, kinds: str) -> tuple[int, ...]:
    """Numbers of a strand's labels of some kinds, e.g. "C START", all phases; IR is intergenic."""
    numbers: list[int] = []
    for kind in kinds.split():
        if kind == "IR":
            numbers.append(INTERGENIC)
        elif kind in _KINDS:
            numbers.append(label(strand, kind))
        else:
            numbers += [label(strand, f"{kind}{phase}") for phase in range(3)]
    return tuple(numbers)


MIRROR = np.array(
    [0, *range(1 + _PER_STRAND, 1 + 2 * _PER_STRAND), *range(1, 1 + _PER_STRAND)], dtype=np.uint8
)
"""uint8 [29]: each label's number after taking the reverse complement."""

UTR_MIRROR = np.array([0, 5, 6, 7, 8, 1, 2, 3, 4], dtype=np.uint8)
"""uint8 [9]: the same of the UTR track."""


def mirror(labels: np.ndarray) -> np.ndarray:
    """Labels of the reverse complement. uint8 [L] -> uint8 [L]; MASKED stays."""
    table = np.full(256, MASKED, dtype=np.uint8)
    table[:NUM_LABELS] = MIRROR
    return table[labels[::-1]]


def _legal_transitions() -> np.ndarray:
    """bool [29, 29]: may the second label stand right of the first inside a sequence?"""
    plus = {kind: label("+", kind) for kind in _KINDS}
    legal = np.zeros((NUM_LABELS, NUM_LABELS), dtype=bool)

    def allow(left: str, *right: str) -> None:
        for name in right:
            legal[plus[left], plus[name]] = True

    allow("START", "C1", "D1")
    allow("C0", "C1", "D1")
    allow("C1", "C2", "STOP", "D2")
    allow("C2", "C0", "D0")
    for p in "012":
        allow(f"D{p}", f"I{p}", f"A{p}")
        allow(f"I{p}", f"I{p}", f"A{p}")
        allow(f"A{p}", f"C{p}")
    allow("A2", "STOP")
    legal |= legal[np.ix_(MIRROR, MIRROR)].T  # the minus strand is the plus strand read backwards
    begins = [INTERGENIC, plus["START"], label("-", "STOP")]
    ends = [INTERGENIC, plus["STOP"], label("-", "START")]
    legal[np.ix_(ends, begins)] = True
    return legal


LEGAL = _legal_transitions()

_GENIC, _MINUS, _CODING, _FIRST, _LAST = 1, 2, 4, 8, 16
"""What a label tells of its base: in a gene, on the minus strand, coding; first or last of a gene,
read from left to right."""
_C0, _START, _STOP = (label("+", kind) for kind in ("C0", "START", "STOP"))


def _traits() -> np.ndarray:
    """uint8 [256]: the traits of each label."""
    traits = np.zeros(256, dtype=np.uint8)
    for strand, bit, first, last in (("+", 0, "START", "STOP"), ("-", _MINUS, "STOP", "START")):
        for kind in _KINDS:
            coding = kind in ("C0", "C1", "C2", "START", "STOP")
            ends = _FIRST * (kind == first) | _LAST * (kind == last)
            traits[label(strand, kind)] = _GENIC | bit | _CODING * coding | ends
    return traits


_TRAITS = _traits()


def to_labels(transcripts: Iterable[Transcript], length: int) -> np.ndarray:
    """Label path of non-overlapping transcripts on a sequence of `length` bases; uint8 [length].

    Raises:
        ValueError: transcripts overlap, leave the sequence, or have an intron of one base.
    """
    labels = np.zeros(length, dtype=np.uint8)
    for transcript in transcripts:
        if transcript.end > length:
            raise ValueError(f"transcript ends at {transcript.end}, sequence at {length}")
        if labels[transcript.start : transcript.end].any():
            raise ValueError(f"transcripts overlap near {transcript.start}")
        _write_labels(labels, transcript)
    return labels


def _write_labels(labels: np.ndarray, transcript: Transcript) -> None:
    """Write one transcript; the minus strand is written into a mirrored view."""
    length = len(labels)
    if transcript.strand == "-":
        own = np.zeros(transcript.end - transcript.start, dtype=np.uint8)
        _write_labels(own, transcript.shifted(-transcript.start).mirrored(len(own)))
        labels[transcript.start : transcript.end] = mirror(own)
        return
    position = (3 - transcript.phase) % 3  # codon position of the next coding base
    cursor = transcript.start
    for start, end in transcript.cds:
        if start > cursor:
            _write_intron(labels, cursor, start, position, cut_left=cursor == transcript.start)
        positions = (np.arange(end - start) + position) % 3
        labels[start:end] = label("+", "C0") + positions
        position = (position + end - start) % 3
        cursor = end
    if transcript.end > cursor:
        _write_intron(labels, cursor, transcript.end, position, cut_right=True)
    assert transcript.end <= length
    if transcript.complete5:
        labels[transcript.cds[0][0]] = label("+", "START")
    if transcript.complete3:
        labels[transcript.cds[-1][1] - 1] = label("+", "STOP")


def _write_intron(
    labels: np.ndarray, start: int, end: int, phase: int, cut_left=False, cut_right=False
) -> None:
    if end - start < 2 and not (cut_left or cut_right):
        raise ValueError(f"intron of one base at {start}")
    labels[start:end] = label("+", f"I{phase}")
    if not cut_left:
        labels[start] = label("+", f"D{phase}")
    if not cut_right:
        labels[end - 1] = label("+", f"A{phase}")


def utr_label(strand: str, end: str, part: str) -> int:
    """Number of a UTR label, e.g. `utr_label("-", "5", "exon")`."""
    return 1 + UTR_LABELS.index(f"{strand}{end}UTR_{part}")


def to_utr_labels(transcript: Transcript, length: int) -> np.ndarray:
    """UTR track of one transcript on a sequence of `length` bases; uint8 [length].

    Raises:
        ValueError: the transcript leaves the sequence.
    """
    if transcript.end > length:
        raise ValueError(f"transcript ends at {transcript.end}, sequence at {length}")
    track = np.zeros(length, dtype=np.uint8)
    first, last = transcript.cds[0][0], transcript.cds[-1][1]
    for end, parts in (("5", transcript.utr5), ("3", transcript.utr3)):
        if parts:
            left = parts[0][0] < first
            start, stop = (parts[0][0], first) if left else (last, parts[-1][1])
            track[start:stop] = utr_label(transcript.strand, end, "intron")
        for start, stop in parts:
            track[start:stop] = utr_label(transcript.strand, end, "exon")
    return track


def from_labels(labels: np.ndarray, start: int = 0) -> list[Transcript]:
    """Transcripts of a label path, in rising order; inverse of `to_labels`.

    Stretches inside a gene that hold no coding base (a sequence inside one intron) give none.

    Args:
        labels: uint8 [L].
        start: coordinate of its first base.
    """
    if not len(labels):
        return []
    traits = _TRAITS[labels]
    left, right = traits[:-1], traits[1:]
    changed = left ^ right
    begins = (changed & (_GENIC | _MINUS)) | (left & _LAST) | (right & _FIRST)
    bounds = np.concatenate(([0], 1 + np.flatnonzero(begins | (changed & _CODING)), [len(labels)]))
    firsts = bounds[:-1]
    genes = np.append(np.flatnonzero(np.append(True, begins[firsts[1:] - 1])), len(firsts)).tolist()
    kinds, bounds = traits[firsts].tolist(), bounds.tolist()
    transcripts = []
    for i, j in itertools.pairwise(genes):
        if not kinds[i] & _GENIC:
            continue
        cds = [(bounds[k], bounds[k + 1]) for k in range(i, j) if kinds[k] & _CODING]
        if cds:
            extent = bounds[i], bounds[j]
            transcripts.append(_transcript(labels, cds, extent, kinds[i] & _MINUS, start))
    return transcripts


def _transcript(
    labels: np.ndarray, cds: list[Interval], extent: Interval, minus: int, start: int
) -> Transcript:
    """One gene of a label path; coordinates go in as those of the path."""
    ends = int(labels[cds[0][0]]), int(labels[cds[-1][1] - 1])
    first, last = (label - _PER_STRAND for label in ends[::-1]) if minus else ends
    position = {_START: 0, _STOP: 2}.get(first, first - _C0)
    return Transcript(
        strand="-" if minus else "+",
        cds=tuple((start + a, start + b) for a, b in cds),
        phase=-position % 3,
        complete5=first == _START,
        complete3=last == _STOP,
        start=start + extent[0],
        end=start + extent[1],
    )


def to_tokens(labels: np.ndarray) -> list[str]:
    """Run-length tokens of a label path: a label token, then its run length in digit tokens.

    A run length of one is not written. See `to_runs` for what a run is.
    """
    tokens = []
    for first, length in zip(*to_runs(labels), strict=True):
        tokens.append(f"[{LABELS[first]}]")
        if length > 1:
            tokens.extend(_DIGITS[int(digit)] for digit in str(length))
    return tokens


def from_tokens(tokens: Sequence[str]) -> np.ndarray:
    """Label path of run-length tokens; inverse of `to_tokens`. uint8 [L].

    Raises:
        ValueError: a token that is neither a structure label nor a digit after one.
    """
    runs: list[list] = []
    for token in tokens:
        if token in _DIGITS and runs:
            runs[-1][1] += str(_DIGITS.index(token))
        elif token[1:-1] in LABELS:
            runs.append([LABELS.index(token[1:-1]), ""])
        else:
            raise ValueError(f"{token!r} is not a structure token")
    first = np.array([run[0] for run in runs], dtype=np.uint8)
    return from_runs(first, np.array([int(run[1] or 1) for run in runs], dtype=np.int64))


def _next_in_run() -> np.ndarray:
    """uint8 [256]: the label that continues a run after each label."""
    follow = np.arange(256, dtype=np.uint8)
    for strand, step in (("+", 1), ("-", -1)):
        for k in range(3):
            follow[label(strand, f"C{k}")] = label(strand, f"C{(k + step) % 3}")
    return follow


_NEXT_IN_RUN = _next_in_run()


def to_runs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of a label path: first label uint8 [r] and length int64 [r].

    Coding bases of rising codon position form one run named by its first base (a run of 5 from
    +C1 is C1 C2 C0 C1 C2); positions fall on the minus strand. Any other label repeats itself.
    """
    breaks = 1 + np.flatnonzero(labels[1:] != _NEXT_IN_RUN[labels[:-1]])
    starts = np.concatenate(([0], breaks)) if len(labels) else np.zeros(0, dtype=np.int64)
    return labels[starts], np.diff(np.append(starts, len(labels)))


def from_runs(first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Label path of runs; inverse of `to_runs`. uint8 [sum of length]."""
    run = np.repeat(np.arange(len(first)), length)
    offset = np.arange(len(run)) - (np.cumsum(length) - length)[run]
    cycle = np.stack([first, _NEXT_IN_RUN[first], _NEXT_IN_RUN[_NEXT_IN_RUN[first]]])
    return cycle[offset % 3, run]
