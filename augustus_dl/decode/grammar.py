"""What a legal path of labels is, as a sparse state graph generated from the label table.

The graph reads the sequence from left to right with both strands in it. A minus-strand gene is met
from its stop codon on, so for the graph each strand is a language of three-letter words of its own:
a first codon (marked on its first base), ordinary codons, a last codon (marked on its last base).
The words are the genetic code's codons on "+", their reverse complements on "-".

Exon states. To know that a codon may not be a stop, or must be a start, also when introns split it,
a state remembers the *class* of the codon's bases so far: two prefixes are in one class when every
continuation is allowed or forbidden for both alike. A complete codon needs no memory. The standard
code has on "+" three classes of one base (start codon, T, others) and four of two bases (start
codon, TA, TG, others), five and four on "-".

Introns. An intron interrupts an exon state, its *opener*, and resumes it: codon memory costs one
intron per opener. Introns of different splice-site families (AT-AC) are kept apart. Their length
and their two ends are the business of `viterbi`; the graph says which dinucleotides open and close.

N takes part in ordinary codons only, where it can spell no stop. A gene cut by the left end of the
sequence behaves as if N stood before it. Incomplete codons at the ends are unconstrained, but never
count as start or stop codons; splice sites must be visible with both bases, so the first and last
label of a sequence is never a D or A.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.genetic_code import genetic_code
from augustus_dl.labels import INTERGENIC, label

__all__ = ["IMPOSSIBLE", "Graph", "build_graph"]

IMPOSSIBLE = -(1 << 60)
"""Score of what cannot be. Real scores stay far above half of it on any chromosome."""

BASES = "ACGTN"
_COMPLEMENT = str.maketrans(BASES, "TGCAN")

Pairs = dict[str, int]


class Graph(NamedTuple):
    """The state graph: S exon states (0 is intergenic) and J introns, as plain arrays.

    Scores are int64 on the score grid. A `*_first` array holds, for each key, where its rows in the
    following arrays begin and, in the next entry, end. `Pair` keys are 5 * left base + right base.

    Attributes:
        state_label: uint8 [S], label of each exon state.
        base_first: by base code, rows of `target`: the states this base can lead to.
        target, target_first: uint8; each target's rows of `source` and `step_score`.
        source, step_score: predecessor states, best first among equals, and what the step adds.
        opener: uint8 [J], the exon state each intron interrupts and resumes.
        left_label, inside_label, right_label: uint8 [J], labels of the intron's first base (in
            reading order), of those between, and of its last base.
        intron_labels: uint8, the different values of `inside_label`.
        open_first, open_intron, open_score: by pair of the intron's first two bases.
        close_first, close_intron, close_score: by pair of the intron's last two bases.
        begin: int64 [S], score of having been in a state just left of the sequence.
        begin_intron: int64 [J], the same for introns.
        may_end: bool [S], states (and openers of introns) the sequence may end in.
        min_intron: length of the shortest intron.
    """

    state_label: np.ndarray
    base_first: np.ndarray
    target: np.ndarray
    target_first: np.ndarray
    source: np.ndarray
    step_score: np.ndarray
    opener: np.ndarray
    left_label: np.ndarray
    inside_label: np.ndarray
    right_label: np.ndarray
    intron_labels: np.ndarray
    open_first: np.ndarray
    open_intron: np.ndarray
    open_score: np.ndarray
    close_first: np.ndarray
    close_intron: np.ndarray
    close_score: np.ndarray
    begin: np.ndarray
    begin_intron: np.ndarray
    may_end: np.ndarray
    min_intron: int


def _reverse_complement(word: str) -> str:
    return word.translate(_COMPLEMENT)[::-1]


@dataclass(frozen=True)
class _Strand:
    """One strand's language in reading order."""

    sign: str
    first: frozenset[str]
    forbidden: frozenset[str]
    last: frozenset[str]

    @classmethod
    def of(cls, sign: str, table: int) -> _Strand:
        code = genetic_code(table)
        if sign == "+":
            return cls(sign, first=code.starts, forbidden=code.stops, last=code.stops)
        starts = frozenset(map(_reverse_complement, code.starts))
        stops = frozenset(map(_reverse_complement, code.stops))
        return cls(sign, first=stops, forbidden=stops, last=starts)

    def fate(self, marked: bool, codon: str) -> tuple[bool, bool]:
        """May this codon be followed by another one? May it be the last one?

        `marked`: it is the first codon.
        """
        if marked:
            return codon in self.first, codon in self.first & self.last
        return codon not in self.forbidden, codon in self.last

    def prefix_class(self, marked: bool, prefix: str) -> tuple | None:
        """What tells codon prefixes apart: all fates ahead. None when there is none."""
        tails = product(BASES, repeat=3 - len(prefix))
        fates = tuple(self.fate(marked, prefix + "".join(tail)) for tail in tails)
        return (marked, fates) if any(map(any, fates)) else None

    def label(self, position: int, first: bool = False, last: bool = False) -> int:
        """Label of a codon's base, counted in reading order."""
        if first or last:
            return label(self.sign, "START" if first == (self.sign == "+") else "STOP")
        return label(self.sign, f"C{position if self.sign == '+' else 2 - position}")

    def intron_labels(self, position: int) -> tuple[int, int, int]:
        """Left, inside and right label of an intron with `position` codon bases left of it."""
        phase = position if self.sign == "+" else -position % 3
        left, right = "DA" if self.sign == "+" else "AD"
        return tuple(label(self.sign, f"{kind}{phase}") for kind in (left, "I", right))

    def splice_sites(self, config: DecoderConfig) -> list[tuple[Pairs, Pairs]]:
        """Families of (left ends, right ends): dinucleotide and what it adds to the score."""
        families = [({"GT": 0, "GC": _grid(config.gc_donor)}, {"AG": 0})]
        if config.atac:
            families.append(({"AT": 0}, {"AC": 0}))
        if self.sign == "+":
            return families
        return [
            tuple({_reverse_complement(pair): score for pair, score in end.items()} for end in ends)
            for ends in (family[::-1] for family in families)
        ]


def _grid(nats: float) -> int:
    return round(nats * GRID)


@dataclass
class _Builder:
    """Collects states, steps and introns."""

    config: DecoderConfig
    state_label: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)  # codon bases read so far, 0 when complete
    may_end: list[bool] = field(default_factory=list)
    prefixes: dict[tuple, int] = field(default_factory=dict)
    steps: dict[tuple[str, int], list[tuple[int, int]]] = field(default_factory=dict)
    introns: list[tuple] = field(default_factory=list)
    opening: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    closing: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def state(self, label_: int, position: int, may_end: bool) -> int:
        self.state_label.append(label_)
        self.position.append(position)
        self.may_end.append(may_end)
        return len(self.state_label) - 1

    def step(self, sources: list[int], base: str, target: int, score: int) -> None:
        self.steps.setdefault((base, target), []).extend((source, score) for source in sources)

    def codons(
        self, strand: _Strand, marked: bool, ends: tuple[int, int], sources, prefix=""
    ) -> None:
        """All ways on from `sources`, which have read `prefix` of a codon.

        `ends`: the states after a complete codon that is not, or is, the gene's last.
        """
        entry = _grid(self.config.gene_start) if marked and not prefix else 0
        for base in BASES:
            word = prefix + base
            if len(word) == 3:
                for allowed, end in zip(strand.fate(marked, word), ends, strict=True):
                    if allowed:
                        self.step(sources, base, end, 0)
                continue
            memory = strand.prefix_class(marked, word)
            if memory is None:
                continue
            key = (strand.sign, len(word), memory)
            known = key in self.prefixes
            if not known:
                label_ = strand.label(len(prefix), first=marked and not prefix)
                may_end = self.config.partial and not marked
                self.prefixes[key] = self.state(label_, len(word), may_end)
            self.step(sources, base, self.prefixes[key], entry)
            if not known:
                self.codons(strand, marked, ends, [self.prefixes[key]], word)

    def intron(self, strand: _Strand, opener: int, left: Pairs, right: Pairs) -> None:
        """An intron that interrupts `opener`, between these splice sites."""
        number = len(self.introns)
        self.introns.append((opener, *strand.intron_labels(self.position[opener])))
        for pair, score in left.items():
            score += _grid(self.config.intron)
            self.opening.setdefault(pair, []).append((number, score))
        for pair, score in right.items():
            self.closing.setdefault(pair, []).append((number, score))


def build_graph(config: DecoderConfig) -> Graph:
    """The state graph of a configuration.

    Raises:
        OptionError: the configuration names an unknown genetic code.
    """
    signs = {"both": "+-", "forward": "+", "backward": "-"}[config.strand]
    strands = [_Strand.of(sign, config.genetic_code) for sign in signs]
    builder = _Builder(config)
    intergenic = builder.state(INTERGENIC, 0, may_end=True)
    ends = [
        (
            builder.state(s.label(2), 0, config.partial),
            builder.state(s.label(2, last=True), 0, True),
        )
        for s in strands
    ]
    outside = [intergenic, *(last for _, last in ends)]
    for base in BASES:
        builder.step(outside, base, intergenic, 0)
    unknown = []  # states a gene may be in just left of the sequence
    for strand, (inner, last) in zip(strands, ends, strict=True):
        builder.codons(strand, True, (inner, last), outside)
        builder.codons(strand, False, (inner, last), [inner])
        memories = [(strand.sign, len(n), strand.prefix_class(False, n)) for n in ("N", "NN")]
        unknown += [inner, *(builder.prefixes[key] for key in memories)]
        if not config.intronless:
            own = [s for (sign, *_), s in builder.prefixes.items() if sign == strand.sign]
            for opener, sites in product([inner, *own], strand.splice_sites(config)):
                builder.intron(strand, opener, *sites)
    return _arrays(builder, intergenic, unknown if config.partial else [])


def _arrays(builder: _Builder, intergenic: int, unknown: list[int]) -> Graph:
    steps = [(b, target) for b in BASES for target in range(len(builder.may_end))]
    steps = [key for key in steps if key in builder.steps]
    targets = [[target for b, target in steps if b == base] for base in BASES]
    base_first, target = _rows([[(t,) for t in ts] for ts in targets], np.uint8)
    target_first, source, step_score = _rows(
        [builder.steps[key] for key in steps], np.uint8, np.int64
    )
    pairs = [a + b for a in BASES for b in BASES]
    opening = _rows([builder.opening.get(pair, []) for pair in pairs], np.uint8, np.int64)
    closing = _rows([builder.closing.get(pair, []) for pair in pairs], np.uint8, np.int64)
    introns = np.array(builder.introns, dtype=np.uint8).reshape(-1, 4).T.copy()
    begin = np.full(len(builder.may_end), IMPOSSIBLE, dtype=np.int64)
    begin[unknown] = _grid(builder.config.gene_start)
    begin_intron = begin[introns[0]]
    begin_intron[begin_intron > IMPOSSIBLE] += _grid(builder.config.intron)
    begin[intergenic] = 0
    return Graph(
        np.array(builder.state_label, dtype=np.uint8),
        base_first,
        target,
        target_first,
        source,
        step_score,
        *introns,
        np.unique(introns[2]),
        *opening,
        *closing,
        begin=begin,
        begin_intron=begin_intron,
        may_end=np.array(builder.may_end),
        min_intron=builder.config.min_intron,
    )


def _rows(groups: list[list[tuple]], *dtypes: type) -> tuple[np.ndarray, ...]:
    """Groups of rows as one array of first rows and an array per column."""
    first = np.cumsum([0, *map(len, groups)], dtype=np.int64)
    rows = [row for group in groups for row in group]
    columns = zip(*rows, strict=True) if rows else [()] * len(dtypes)
    return first, *(np.array(c, dtype=d) for c, d in zip(columns, dtypes, strict=True))
