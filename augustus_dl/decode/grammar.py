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

Number of genes. Where it is prescribed, intergenic is two states: before the first gene, in which
a path may not end, and after it, from which there may be no way to another gene.

Overlaps. Two genes of one strand may share their ends: the one that begins further left ends
further left, no more than two meet at a base, and they have different reading frames. The states of
such bases are pairs of codon prefixes. The labels there are those of the upstream gene (the one
that ends there), except that the downstream gene's START stands on its first base. How long
an overlap is cannot be remembered, but it can be seen: on "+" it ends at the upstream gene's next
stop codon in frame, on "-" it began with the last one. So the graph reads *symbols*: base codes
that also say in which frames a stop codon is near (`track.symbols`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.labels import INTERGENIC, label

__all__ = ["IMPOSSIBLE", "Graph", "build_graph"]

IMPOSSIBLE = -(1 << 60)
"""Score of what cannot be. Real scores stay far above half of it on any chromosome."""

BASES = "ACGTN"
_COMPLEMENT = str.maketrans(BASES, "TGCAN")

Pairs = dict[str, int]
Progress = tuple[bool, str]
"""How far a codon is read: is it the gene's first one in reading order, and its bases so far."""
_BETWEEN: Progress = (False, "")
_FIRST: Progress = (True, "")


class Graph(NamedTuple):
    """The state graph: S exon states (0 is intergenic) and J introns, as plain arrays.

    Scores are int64 on the score grid. A `*_first` array holds, for each key, where its rows in the
    following arrays begin and, in the next entry, end. `Pair` keys are 5 * left base + right base.
    Without overlaps a symbol is a base code.

    Attributes:
        state_label: uint8 [S], label of each exon state.
        base_first: by symbol, rows of `target`: the states this base can lead to.
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
        heir: a state from which everything is possible at no less score that is from state 0, or 0.
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
    heir: int


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
    def of(cls, sign: str, code: GeneticCode) -> _Strand:
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

    def read(self, progress: Progress, base: str) -> list[Progress | None]:
        """How far the gene may be after one more base: between codons, or None when it ended."""
        marked, word = progress[0], progress[1] + base
        if len(word) < 3:
            return [(marked, word)] if self.prefix_class(marked, word) else []
        goes_on, ends = self.fate(marked, word)
        return [_BETWEEN] * goes_on + [None] * ends

    def prefix_class(self, marked: bool, prefix: str) -> tuple | None:
        """What tells codon prefixes apart: all fates ahead. None when there is none."""
        tails = product(BASES, repeat=3 - len(prefix))
        fates = tuple(self.fate(marked, prefix + "".join(tail)) for tail in tails)
        return (marked, fates) if any(map(any, fates)) else None

    def key(self, progress: Progress) -> tuple:
        """The same for all prefixes that need not be told apart."""
        return self.sign, len(progress[1]), self.prefix_class(*progress)

    def label(self, position: int, first: bool = False, last: bool = False) -> int:
        """Label of a codon's base, counted in reading order."""
        if first or last:
            return label(self.sign, "START" if first == (self.sign == "+") else "STOP")
        return label(self.sign, f"C{position if self.sign == '+' else 2 - position}")

    def shared_label(self, old: Progress, new: Progress) -> int:
        """Label of a base on which both genes go on, after it is read into both."""
        upstream = old if self.sign == "+" else new
        return self.label((len(upstream[1]) - 1) % 3, first=new[0] and len(new[1]) == 1)

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
    progress: dict[int, Progress] = field(default_factory=dict)
    steps: dict[tuple[str, int], list[tuple[int, int, int]]] = field(default_factory=dict)
    introns: list[tuple] = field(default_factory=list)
    opening: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    closing: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    pairs: dict[tuple, int] = field(default_factory=dict)
    twins: dict[int, int] = field(default_factory=dict)

    def state(self, label_: int, position: int, may_end: bool) -> int:
        self.state_label.append(label_)
        self.position.append(position)
        self.may_end.append(may_end)
        return len(self.state_label) - 1

    def step(self, sources: list[int], base: str, target: int, score: int, near: int = 0) -> None:
        """`near`: the symbol must say that there is a stop codon near; see `track.symbols`."""
        rows = self.steps.setdefault((base, target), [])
        rows.extend((source, score, near) for source in sources)

    def codons(
        self, strand: _Strand, marked: bool, ends: tuple[int, int], sources, prefix=""
    ) -> None:
        """All ways on from `sources`, which have read `prefix` of a codon.

        `ends`: the states after a complete codon that is not, or is, the gene's last.
        """
        entry = _grid(self.config.gene_start) if marked and not prefix else 0
        for base in BASES:
            for progress in strand.read((marked, prefix), base):
                if progress in (_BETWEEN, None):
                    self.step(sources, base, ends[progress is None], 0)
                    continue
                key = strand.key(progress)
                known = key in self.prefixes
                if not known:
                    label_ = strand.label(len(prefix), first=marked and not prefix)
                    may_end = self.config.partial and not marked
                    self.prefixes[key] = self.state(label_, len(prefix) + 1, may_end)
                    self.progress[self.prefixes[key]] = progress
                self.step(sources, base, self.prefixes[key], entry)
                if not known:
                    self.codons(strand, marked, ends, [self.prefixes[key]], progress[1])

    def intron(self, strand: _Strand, opener: int, left: Pairs, right: Pairs) -> None:
        """An intron that interrupts `opener`, between these splice sites."""
        number = len(self.introns)
        self.introns.append((opener, *strand.intron_labels(self.position[opener])))
        for pair, score in left.items():
            score += _grid(self.config.intron)
            self.opening.setdefault(pair, []).append((number, score))
        for pair, score in right.items():
            self.closing.setdefault(pair, []).append((number, score))

    def overlap(
        self, strand: _Strand, source: int, old: Progress, new: Progress | None = None
    ) -> None:
        """All ways on from `source` on which two genes share the next base.

        Args:
            old: how far the gene is that began first in reading order.
            new: how far the other one is; None before it begins.
        """
        entry = _grid(self.config.gene_start) if new is None else 0
        for base in BASES:
            for older, newer in product(strand.read(old, base), strand.read(new or _FIRST, base)):
                if newer is None:
                    continue
                if strand.sign == "+":
                    near = len(old[1]) if new is None else 0
                else:
                    near = len(newer[1]) if older is None else 0
                if older is None:
                    target = self.survivor(strand, newer, at_once=new is None)
                    self.step([source], base, target, entry, near)
                    continue
                key = strand.key(older), strand.key(newer)
                known = key in self.pairs
                if not known:
                    self.pairs[key] = self.state(strand.shared_label(older, newer), 0, False)
                self.step([source], base, self.pairs[key], entry, near)
                if not known:
                    self.overlap(strand, self.pairs[key], older, newer)

    def survivor(self, strand: _Strand, new: Progress, at_once: bool) -> int:
        """The state on the old gene's last base, from where the new one goes on alone.

        Args:
            at_once: the new gene began on this very base.
        """
        single = self.prefixes[strand.key(new)]
        if at_once and strand.sign == "+":
            return single  # its label is START already
        if single not in self.twins:
            label_ = strand.label(0, last=True)
            self.twins[single] = self.state(label_, self.position[single], self.may_end[single])
        return self.twins[single]


@lru_cache(maxsize=16)
def build_graph(config: DecoderConfig) -> Graph:
    """The state graph of a configuration, which must be one of its `tracks`; not to be written to.

    Raises:
        OptionError: the configuration names an unknown genetic code.
    """
    signs = {"both": "+-", "forward": "+", "backward": "-"}[config.strand]
    strands = [_Strand.of(sign, config.code()) for sign in signs]
    builder = _Builder(config)
    counted = config.gene_count != "any"
    before = builder.state(INTERGENIC, 0, may_end=not counted)
    after = builder.state(INTERGENIC, 0, may_end=True) if counted else before
    ends = [
        (
            builder.state(s.label(2), 0, config.partial),
            builder.state(s.label(2, last=True), 0, True),
        )
        for s in strands
    ]
    outside = [after, *(last for _, last in ends)]
    for base in BASES:
        builder.step(outside, base, after, 0)
        if counted:
            builder.step([before], base, before, 0)
    free = {"any": outside, "atleastone": [*outside, before], "exactlyone": [before]}
    unknown = []  # states a gene may be in just left of the sequence
    for strand, (inner, last) in zip(strands, ends, strict=True):
        builder.codons(strand, True, (inner, last), free[config.gene_count])
        builder.codons(strand, False, (inner, last), [inner])
        unknown += [inner, *(builder.prefixes[strand.key((False, n))] for n in ("N", "NN"))]
        if not config.intronless:
            own = [s for (sign, *_), s in builder.prefixes.items() if sign == strand.sign]
            for opener, sites in product([inner, *own], strand.splice_sites(config)):
                builder.intron(strand, opener, *sites)
    if config.max_overlap:
        (strand,) = strands
        for source, progress in builder.progress.items():
            builder.overlap(strand, source, progress)
    heir = after if config.gene_count == "atleastone" else before
    return _arrays(builder, before, unknown if config.partial else [], heir)


def _arrays(builder: _Builder, before: int, unknown: list[int], heir: int) -> Graph:
    count = 20 if builder.config.max_overlap else 5
    targets = [_targets(builder, symbol) for symbol in range(count)]
    base_first, target = _rows([[(t,) for t in rows] for rows in targets], np.uint8)
    steps = [step for rows in targets for step in rows.values()]
    target_first, source, step_score = _rows(steps, np.uint8, np.int64)
    pairs = [a + b for a in BASES for b in BASES] + [""] * (6 * (count - 5))
    opening = _rows([builder.opening.get(pair, []) for pair in pairs], np.uint8, np.int64)
    closing = _rows([builder.closing.get(pair, []) for pair in pairs], np.uint8, np.int64)
    introns = np.array(builder.introns, dtype=np.uint8).reshape(-1, 4).T.copy()
    begin = np.full(len(builder.may_end), IMPOSSIBLE, dtype=np.int64)
    begin[unknown] = _grid(builder.config.gene_start)
    begin_intron = begin[introns[0]]
    begin_intron[begin_intron > IMPOSSIBLE] += _grid(builder.config.intron)
    begin[before] = 0
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
        heir=heir,
    )


def _targets(builder: _Builder, symbol: int) -> dict[int, list[tuple[int, int]]]:
    """The states that a symbol can lead to, in rising order, with their sources and scores."""
    frames, base = divmod(symbol, len(BASES))
    found = {}
    for target in range(len(builder.may_end)):
        rows = [
            (source, score)
            for one, score, near in builder.steps.get((BASES[base], target), [])
            if not near or frames >> (near - 1) & 1
            for source in (one, builder.twins.get(one))
            if source is not None
        ]
        if rows:
            found[target] = rows
    return found


def _rows(groups: list[list[tuple]], *dtypes: type) -> tuple[np.ndarray, ...]:
    """Groups of rows as one array of first rows and an array per column."""
    first = np.cumsum([0, *map(len, groups)], dtype=np.int64)
    rows = [row for group in groups for row in group]
    columns = zip(*rows, strict=True) if rows else [()] * len(dtypes)
    return first, *(np.array(c, dtype=d) for c, d in zip(columns, dtypes, strict=True))
