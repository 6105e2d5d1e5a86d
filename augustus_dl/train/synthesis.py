"""Genomes drawn from the gene structure model of an AUGUSTUS species, with their true labels.

A piece has one class of G+C content. Genes stand on either strand with geometric gaps between them.
Exons follow each other as the model's states do; their lengths, splice sites, codons, start and
stop are the model's, with no stop codon in frame. Long introns are shortened: see `_LONGER`. Not
drawn are exons shorter than their signals, splice sites other than GT-AG, untranslated regions and
alternative transcripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from augustus_dl.encode import base_codes
from augustus_dl.errors import TrainingError
from augustus_dl.gene import Transcript
from augustus_dl.io.species_parameters import Site, SpeciesParameters
from augustus_dl.labels import MASKED, to_labels
from augustus_dl.train.background import FLANK, SOFT, MarkovBackground, RealBackground
from augustus_dl.train.chains import UNDRAWN, draw_chain, draw_coding, has_stop
from augustus_dl.train.pack import Piece

__all__ = ["synthesize"]

_PIECE = (200_000, 400_000)
"""Least and most bases of a piece, but for the last gene; the last piece may be shorter."""
_GAP = 4000
"""Mean number of bases between the flanks of neighbouring genes."""
_LONGER, _SPREAD, _LONGEST = 1500, 0.7, 20_000
"""Of long introns: mean number of bases beyond the model's `d` if the model's own mean is larger,
spread of a gene's mean around it (of its logarithm), and most bases of an intron."""
_GT, _AG = base_codes(b"GT"), base_codes(b"AG")
_ATG = base_codes(b"ATG")
_SINGLE, _INITIAL, _INTERNAL, _TERMINAL = range(4)
"""Rows of SpeciesParameters.exon_length; in `next_exon` column 3 is the terminal exon as well."""


class _Structure(NamedTuple):
    """Lengths of a gene's exons and introns in the direction of the transcript."""

    exons: list[int]
    introns: list[int]


def synthesize(
    parameters: SpeciesParameters,
    species: str,
    clade: str,
    bases: int,
    seed: int,
    background: MarkovBackground | RealBackground | None = None,
    weight: float = 1.0,
    longer: float = _LONGER,
) -> Iterator[Piece]:
    """Pieces with at least `bases` bases together, the same for the same arguments.

    Args:
        background: what lies between genes and inside introns; default: the model's own chains.
        weight: of the set in training, see dataset.Genomes.
        longer: most that the mean of long introns is, beyond the model's `d`.

    Raises:
        TrainingError: the parameters leave no length for some kind of exon, or for introns.
    """
    rng = np.random.default_rng(seed)
    filler = background or MarkovBackground(parameters.contents)
    genes = _Genes(parameters, filler, rng, longer)
    made = 0
    while made < bases:
        gc_class = int(rng.integers(len(parameters.contents)))
        wanted = min(int(rng.integers(*_PIECE)), bases - made)
        sequence, transcripts = _piece(genes, filler, gc_class, wanted, rng)
        length = len(sequence)
        yield Piece(
            name=f"synthetic:{made}-{made + length}",
            set=f"synthetic_{species}",
            clade=clade,
            weight=weight,
            genetic_code=1,
            validation=False,
            codes=sequence & 3,
            soft=sequence >= SOFT,
            labels=to_labels(transcripts, length),
            utr=np.full(length, MASKED, dtype=np.uint8),
        )
        made += length


def _piece(
    genes: _Genes,
    filler: MarkovBackground | RealBackground,
    gc_class: int,
    wanted: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[Transcript]]:
    """Bases (as in background.py) and genes of a piece of at least `wanted` bases."""
    parts: list[np.ndarray] = []
    transcripts, length = [], 0
    while length < wanted:
        gap = filler.intergenic(int(rng.geometric(1 / _GAP)), gc_class, rng)
        gene, transcript = genes.draw(gc_class)
        if rng.random() < 0.5:
            gene, transcript = gene[::-1] ^ 3, transcript.mirrored(len(gene))
        transcripts.append(transcript.shifted(length + len(gap)))
        parts += [gap, gene]
        length += len(gap) + len(gene)
    parts.append(filler.intergenic(int(rng.geometric(1 / _GAP)), gc_class, rng))
    return np.concatenate(parts), transcripts


class _Genes:
    """Draws genes with their flanks, on the plus strand."""

    def __init__(
        self,
        parameters: SpeciesParameters,
        filler: MarkovBackground | RealBackground,
        rng: np.random.Generator,
        longer: float,
    ) -> None:
        self._parameters, self._filler, self._rng = parameters, filler, rng
        self._structures = _Structures(parameters, rng, longer)
        self._donor = _SiteDraw(parameters.donor, rng)
        self._acceptor = _SiteDraw(parameters.acceptor, rng)
        self._stops = [base_codes(codon.encode()) for codon in parameters.stops]
        self._stop_chance = np.array(list(parameters.stops.values()))

    def draw(self, gc_class: int) -> tuple[np.ndarray, Transcript]:
        """Bases of a gene between its flanks, and its transcript in their coordinates."""
        structure = self._structures.draw()
        content = self._parameters.contents[gc_class]
        donors, acceptors, coding = self._coding(structure, gc_class)
        before = self._filler.before_start(gc_class, self._rng).copy()
        width = len(content.start_motif)
        draw_chain(before, FLANK - width, content.start_motif, self._rng.random(width))
        parts, cds, cursor, spliced = [before], [], FLANK, 0
        for number, exon in enumerate(structure.exons):
            if number:
                parts.append(self._intron(structure, number - 1, donors, acceptors, gc_class))
                cursor += len(parts[-1])
            parts.append(coding[spliced : spliced + exon])
            cds.append((cursor, cursor + exon))
            cursor, spliced = cursor + exon, spliced + exon
        parts.append(self._filler.behind_stop(gc_class, self._rng))
        return np.concatenate(parts), Transcript("+", tuple(cds))

    def _intron(
        self,
        structure: _Structure,
        number: int,
        donors: np.ndarray,
        acceptors: np.ndarray,
        gc_class: int,
    ) -> np.ndarray:
        """Bases of one intron: donor, inside, motif before the acceptor, acceptor."""
        motif = self._parameters.contents[gc_class].acceptor_motif
        left = np.concatenate([_GT, donors[number, self._parameters.donor.before :]])
        right = np.concatenate([acceptors[number, : self._parameters.acceptor.before], _AG])
        inside = structure.introns[number] - len(left) - len(right) - len(motif)
        bases = self._filler.intron(inside, gc_class, self._rng)
        bases = np.concatenate([left, bases, np.empty(len(motif), dtype=np.uint8), right])
        start = len(left) + inside
        draw_chain(bases, start, motif, self._rng.random(len(motif)))
        return bases

    def _coding(
        self, structure: _Structure, gc_class: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Patterns of the donors and acceptors, and the spliced coding sequence they allow."""
        content, changes = self._parameters.contents[gc_class], 3 + self._parameters.coding_start
        cuts = np.cumsum(structure.exons)
        while True:
            donors, acceptors = self._sites(cuts[:-1])
            coding = np.full(cuts[-1], UNDRAWN, dtype=np.uint8)
            coding[:3] = _ATG
            coding[-3:] = self._stops[self._rng.choice(len(self._stops), p=self._stop_chance)]
            for cut, donor, acceptor in zip(cuts[:-1], donors, acceptors, strict=True):
                before, after = self._parameters.donor.before, self._parameters.acceptor.after
                coding[cut - before : cut] = donor[:before]
                coding[cut : cut + after] = acceptor[self._parameters.acceptor.before :]
            uniform = self._rng.random(len(coding))
            draw_coding(coding, content.coding_start, content.coding, changes, uniform)
            if not has_stop(coding):
                return donors, acceptors, coding

    def _sites(self, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Patterns of donors and acceptors at places of the spliced sequence (int64 [n]), drawn
        again where both spell a stop codon; uint8 [n, donor width] and [n, acceptor width]."""
        before, skipped = self._parameters.donor.before, self._parameters.acceptor.before
        donors, acceptors = self._donor.draw(len(cuts)), self._acceptor.draw(len(cuts))
        waiting = np.arange(len(cuts))
        while len(waiting):
            around = np.concatenate([donors[waiting, :before], acceptors[waiting, skipped:]], 1)
            skip = -(cuts[waiting] - before) % 3
            stops = [has_stop(_framed(row, n)) for row, n in zip(around, skip, strict=True)]
            waiting = waiting[np.array(stops, dtype=bool)]
            donors[waiting] = self._donor.draw(len(waiting))
            acceptors[waiting] = self._acceptor.draw(len(waiting))
        return donors, acceptors


def _framed(bases: np.ndarray, skip: int) -> np.ndarray:
    """Whole codons behind `skip` bases, and one more codon for `has_stop` to leave out."""
    whole = bases[skip : skip + (len(bases) - skip) // 3 * 3]
    return np.concatenate([whole, _ATG])


class _SiteDraw:
    """Draws patterns of one kind of splice site."""

    def __init__(self, site: Site, rng: np.random.Generator) -> None:
        self._width, self._rng = site.before + site.after, rng
        self._cumulative = np.cumsum(site.probability)

    def draw(self, count: int) -> np.ndarray:
        """uint8 [count, before + after]; GT or AG is left out."""
        uniform = self._rng.random(count) * self._cumulative[-1]
        numbers = np.searchsorted(self._cumulative, uniform, side="right")
        shifts = 2 * np.arange(self._width - 1, -1, -1)
        return (numbers[:, None] >> shifts & 3).astype(np.uint8)


class _Structures:
    """Draws lengths of exons and introns."""

    def __init__(
        self, parameters: SpeciesParameters, rng: np.random.Generator, longer: float
    ) -> None:
        self._parameters, self._rng = parameters, rng
        self._longer = min(parameters.longer, longer)
        donor, acceptor = parameters.donor, parameters.acceptor
        starts, stops = (3, acceptor.after), (3, donor.before)
        least = {
            _SINGLE: max(6, parameters.min_coding),
            _INITIAL: starts[0] + stops[1],
            _INTERNAL: starts[1] + stops[1],
            _TERMINAL: starts[1] + stops[0],
        }
        self._exons = {
            (kind, rest): _cumulative(parameters.exon_length[kind], least[kind], rest)
            for kind in least
            for rest in range(3)
        }
        motif = len(parameters.contents[0].acceptor_motif)
        self._least = 4 + donor.after + acceptor.before + motif
        self._short = _cumulative(parameters.intron_length, self._least)
        self._limit = len(parameters.intron_length)

    def draw(self) -> _Structure:
        """A gene that is as long as the model asks for."""
        while True:
            exons = self._draw_exons()
            if sum(exons) >= self._parameters.min_coding:
                return _Structure(exons, self._draw_introns(len(exons) - 1))

    def _draw_exons(self) -> list[int]:
        """Lengths that carry the phases of the introns between them."""
        phase = self._choice(self._parameters.first_exon) - 1
        if phase < 0:
            return [self._exon(_SINGLE, 0)]
        lengths = [self._exon(_INITIAL, phase)]
        while (following := self._choice(self._parameters.next_exon[phase])) != _TERMINAL:
            lengths.append(self._exon(_INTERNAL, (following - phase) % 3))
            phase = following
        return [*lengths, self._exon(_TERMINAL, -phase % 3)]

    def _draw_introns(self, count: int) -> list[int]:
        """Short ones by the model, long ones exponential around a mean that is the gene's own."""
        mean = self._longer
        mean *= self._rng.lognormal(-(_SPREAD**2) / 2, _SPREAD)
        most = _LONGEST - self._limit
        reach = 1 - np.exp(-most / mean)
        lengths = []
        for _ in range(count):
            if self._rng.random() < self._parameters.short_introns:
                lengths.append(_pick(self._short, self._rng))
            else:
                beyond = int(-mean * np.log1p(-reach * self._rng.random()))
                lengths.append(max(self._least, self._limit + beyond))
        return lengths

    def _exon(self, kind: int, rest: int) -> int:
        return _pick(self._exons[kind, rest], self._rng)

    def _choice(self, chance: np.ndarray) -> int:
        return _pick(np.cumsum(chance), self._rng)


def _cumulative(probability: np.ndarray, least: int, rest: int | None = None) -> np.ndarray:
    """Cumulative weights of lengths from 0, of those not below `least` and equal to `rest` modulo 3
    only; float64 [n]."""
    lengths = np.arange(len(probability))
    allowed = lengths >= least
    if rest is not None:
        allowed &= lengths % 3 == rest
    cumulative = np.cumsum(np.where(allowed, probability, 0))
    if not cumulative[-1]:
        raise TrainingError(f"the species' parameters allow no exon or no intron of {least} bases")
    return cumulative


def _pick(cumulative: np.ndarray, rng: np.random.Generator) -> int:
    """An index with probability proportional to its weight."""
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
