"""Genes with probabilities, and alternative transcripts from sampling and from evidence.

AUGUSTUS draws `sample` parses and counts in how many of them a feature is. Here probabilities are
exact sums over all parses (`decode.posterior`); `sample` switches them on and says how many parses
are drawn for alternatives, nothing else. A gene's probability is, as in AUGUSTUS, the sum of those
of the transcripts reported for it.

Hints that are not obeyed (`unheeded_hints`) ask for parses of their own, of the stretch around
them. What comes of these has the probabilities that it has there.

A sequence is treated in regions (`decode.regions`), so that memory does not grow with it;
probabilities are under the condition that the bases left of their cuts are intergenic. The best
parse is that of the whole sequence.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.lattice import NEVER, Lattice
from augustus_dl.decode.parse import parse
from augustus_dl.decode.posterior import label_posteriors, with_posteriors
from augustus_dl.decode.regions import Region, regions
from augustus_dl.decode.sampling import sample_paths
from augustus_dl.decode.viterbi import Chunk, Decoder, viterbi
from augustus_dl.encode import intervals_of
from augustus_dl.errors import OptionError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.hinted_introns import HintedIntrons, Repayment
from augustus_dl.labels import INTERGENIC
from augustus_dl.unheeded_hints import FurtherParse, UnheededHints, stretches

__all__ = [
    "BEST_ONLY",
    "AlternativeOptions",
    "Alternatives",
    "Locus",
    "ParseHints",
    "gene_of",
]

Locus = list[Transcript]
"""Transcripts of one gene, in the order in which they are reported."""

_ROUNDS = 4
"""How often a region is parsed again for the sake of hinted introns, at most."""


@dataclass(frozen=True)
class AlternativeOptions:
    """What a user may set about probabilities and alternatives, with AUGUSTUS's defaults.

    Attributes:
        sample: parses to draw; 0 for genes without probabilities.
        alternatives: report drawn transcripts, too (alternatives-from-sampling).
        min_exon_intron: least probability of every coding interval and intron of a transcript
            (minexonintronprob).
        min_mean_exon_intron: least geometric mean of them (minmeanexonintronprob).
        max_tracks: transcripts that may lie over one base, on either strand; -1 for any number.
        keep_best: transcripts of the best parse pass the two filters before and come first in the
            third (keep_viterbi).
        unique_cds: one transcript of each CDS.
        temperature: 0 to 7; log-odds are multiplied by (8 - temperature) / 8, beside the decoder's
            `posterior_scale`.
        mea: the best parse is the one with the largest expected number of right labels.

    Raises:
        OptionError: a value out of range.
    """

    sample: int = 0
    alternatives: bool = False
    min_exon_intron: float = 0.0
    min_mean_exon_intron: float = 0.0
    max_tracks: int = -1
    keep_best: bool = False
    unique_cds: bool = False
    temperature: int = 0
    mea: bool = False

    def __post_init__(self) -> None:
        if self.sample < 0:
            raise OptionError(f"sample is {self.sample}; it must be >= 0")
        if not 0 <= self.temperature <= 7:
            raise OptionError("temperature must be one of 0 1 2 3 4 5 6 7")

    @property
    def needed(self) -> bool:
        """Is there anything to do that the decoder alone does not?"""
        return self.sample > 0 or self.mea

    @property
    def heat(self) -> float:
        """What scores are multiplied by."""
        return (8 - self.temperature) / 8


BEST_ONLY = AlternativeOptions()
"""Genes of the best parse, without probabilities."""


class ParseHints(NamedTuple):
    """What hints say about parses that scores of labels cannot say.

    Attributes:
        introns: those that are hinted; unheeded: hints that ask for further parses, None where
            there are to be no alternatives.
    """

    introns: HintedIntrons
    unheeded: UnheededHints | None


class Alternatives:
    """Finds the genes of one track of a sequence, with probabilities.

    Args:
        config: the track; see `DecoderConfig.tracks`.
        options: what is wanted besides the best parse.
        hints: what is asked of whole parses.
    """

    def __init__(
        self,
        config: DecoderConfig,
        options: AlternativeOptions,
        hints: ParseHints | None = None,
    ) -> None:
        self._config = config
        self._options = options
        self._introns, self._unheeded = hints or (None, None)

    def batches(self, chunks: Iterable[Chunk]) -> Iterator[tuple[int, list[Locus]]]:
        """Loci of one sequence in the order of their leftmost coding base.

        Args:
            chunks: as for `Decoder.decode`.

        Yields:
            For each chunk that is not empty and at the end: a base up to which all loci are known,
            and those left of it that no batch had before. Coordinates are those of the sequence.
        """
        known = 0
        for complete in regions(Decoder(self._config), chunks):
            known = complete[-1].end if complete else known
            yield (
                known,
                [
                    [transcript.shifted(region.start) for transcript in locus]
                    for region in complete
                    for locus in self._loci(region)
                ],
            )

    def _loci(self, region: Region) -> list[Locus]:
        """What a region is reported to have, in its own coordinates."""
        transcripts = self._transcripts(region)
        hints = self._unheeded
        if hints is None:
            return _loci(transcripts)

        placed = [transcript.shifted(region.start) for transcript in transcripts]
        loci = [hints.supported(locus) for locus in _loci(placed)]
        kept = list(chain.from_iterable(loci))
        if len(kept) < len(placed):  # what went may have held two genes together
            loci = [hints.supported(locus) for locus in _loci(kept)]
        return [[transcript.shifted(-region.start) for transcript in locus] for locus in loci]

    def _transcripts(self, region: Region) -> list[Transcript]:
        """What is found in a region and passes the filters."""
        config, options = self._config, self._options
        if self._introns:
            region = self._repaid(region, config)
        labels = region.labels
        if options.needed:
            lattice = region.lattice(config, options.heat * config.posterior_scale)
            if options.mea and lattice.log_total > NEVER:
                labels = _most_accurate(lattice, region, config)
        best = set(parse([labels], config))
        found = set(best)
        if options.alternatives and options.sample and lattice.log_total > NEVER:
            paths = sample_paths(lattice, options.sample, seed=region.start)
            found |= _drawn_transcripts(paths, config)
        scored = bare = sorted(found, key=_place)
        if options.sample:
            scored = with_posteriors(lattice, bare, config)
        exempt = {s for b, s in zip(bare, scored, strict=True) if options.keep_best and b in best}
        if self._unheeded:
            further = self._further(region, config, scored)
            exempt |= {t for t in further if options.keep_best}
            scored = _merged(scored, further)
        return _selected(scored, exempt, options) if options.sample else scored

    def _repaid(self, region: Region, config: DecoderConfig) -> Region:
        """The region with hinted introns counted as wholes; see `hinted_introns`."""
        region = region._replace(scores=region.scores.copy(), labels=region.labels.copy())
        bounds = region.start, region.end
        config = replace(config, min_coding_length=0)  # a stretch must not cut short genes either
        known = [t.shifted(region.start) for t in parse([region.labels], config)]
        asked, paid = known, set[Repayment]()
        for _ in range(_ROUNDS):
            due = self._introns.repayments(asked) - paid
            if not due:
                break
            paid |= due
            for one in due:
                region.scores[one.base - region.start, one.labels] -= one.value
            asked = []
            for start, end in stretches(((one.start, one.end) for one in due), bounds, known):
                part = region.part(start - region.start, end - region.start)
                part.labels[:] = part.best(config)
                asked += [t.shifted(start) for t in parse([part.labels], config)]
                known = [t for t in known if t.end <= start or t.start >= end]
            known = sorted(known + asked, key=_place)
        return region

    def _further(
        self, region: Region, config: DecoderConfig, known: Sequence[Transcript]
    ) -> list[Transcript]:
        """Transcripts that hints ask for which those known do not obey."""
        hints, offset = self._unheeded, region.start
        placed = [transcript.shifted(offset) for transcript in known]
        further: list[Transcript] = []
        heeded = set[int]()
        for asked in hints.parses(offset, region.end, placed):
            if asked.group not in heeded:
                found = self._parsed_again(region, config, asked)
                heeded.update(*map(hints.obeyed, found))
                further += found
        return [transcript.shifted(-offset) for transcript in further]

    def _parsed_again(
        self, region: Region, config: DecoderConfig, asked: FurtherParse
    ) -> list[Transcript]:
        """Transcripts of a further parse that obey its group, unless the parse is too unlikely; in
        coordinates of the sequence."""
        part = region.part(asked.start - region.start, asked.end - region.start)
        again = part._replace(scores=part.scores + self._unheeded.demands(asked))
        again = again._replace(labels=again.best(config))
        found = [
            transcript
            for transcript in parse([again.labels], config)
            if asked.group in self._unheeded.obeyed(transcript.shifted(part.start))
        ]
        if not found:
            return []
        judged = self._unheeded.judged(asked)
        loss = part.value(part.labels, judged, config) - part.value(again.labels, judged, config)
        if loss * config.posterior_scale > asked.tolerance:
            return []
        if self._options.sample:
            lattice = again.lattice(config, self._options.heat * config.posterior_scale)
            found = with_posteriors(lattice, found, config)
        return [transcript.shifted(part.start) for transcript in found]


def _merged(scored: Sequence[Transcript], further: Sequence[Transcript]) -> list[Transcript]:
    """All of them, each once, with the higher of two probabilities."""
    merged: dict[tuple, Transcript] = {}
    for transcript in (*scored, *further):
        other = merged.setdefault(_place(transcript), transcript)
        if (transcript.posterior or 0) > (other.posterior or 0):
            merged[_place(transcript)] = transcript
    return sorted(merged.values(), key=_place)


def gene_of(contig: str, locus: Locus) -> Gene:
    """The gene of some transcripts, as probable as all of them together."""
    chances = [t.posterior for t in locus if t.posterior is not None]
    total = min(1.0, sum(chances)) if chances else None
    return Gene(contig, locus[0].strand, tuple(locus), posterior=total)


def _most_accurate(lattice: Lattice, region: Region, config: DecoderConfig) -> np.ndarray:
    """The legal label path with the largest expected number of right labels; uint8 [n]."""
    scores = np.round(label_posteriors(lattice) * np.iinfo(np.int16).max).astype(np.int16)
    graph = region.graph(replace(config, gene_start=0.0, intron=0.0, gc_donor=0.0))
    return viterbi(scores, region.codes, config, graph)


def _drawn_transcripts(paths: np.ndarray, config: DecoderConfig) -> set[Transcript]:
    """All transcripts of label paths, uint8 [count, n]; each stretch is read only once."""
    found = set()
    for start, end in intervals_of((paths != INTERGENIC).any(axis=0)).tolist():
        for path in {path.tobytes() for path in paths[:, start:end]}:
            transcripts = parse([np.frombuffer(path, dtype=np.uint8)], config)
            found |= {transcript.shifted(start) for transcript in transcripts}
    return found


def _place(transcript: Transcript) -> tuple:
    """What transcripts without probabilities are sorted by, so that no two are alike."""
    t = transcript
    return t.cds, t.strand, t.phase, t.complete5, t.complete3, t.start, t.end


def _mean(transcript: Transcript) -> float:
    """Geometric mean of the probabilities of coding intervals and introns; 1 without any."""
    parts = transcript.cds_posterior + transcript.intron_posterior
    return math.prod(parts) ** (1 / max(1, len(parts)))


def _selected(
    found: Sequence[Transcript], exempt: Collection[Transcript], options: AlternativeOptions
) -> list[Transcript]:
    """Those that pass the filters, in the order in which they may claim tracks.

    Args:
        exempt: pass whatever their probabilities, and come first.
    """
    likely = [
        t
        for t in found
        if t in exempt
        or (
            _mean(t) >= options.min_mean_exon_intron
            and min(t.cds_posterior + t.intron_posterior) >= options.min_exon_intron
        )
    ]
    likely.sort(key=lambda t: (t not in exempt, -_mean(t)))
    kept = likely if options.max_tracks < 0 else _in_tracks(likely, options.max_tracks)
    if options.unique_cds:
        by_mean = sorted(kept, key=_mean)
        kept = list({(t.strand, t.cds): t for t in by_mean}.values())
    return kept


def _in_tracks(transcripts: Sequence[Transcript], tracks: int) -> list[Transcript]:
    """Those that lie over no base which `tracks` earlier ones cover."""
    kept: list[Transcript] = []
    for t in transcripts:
        others = [k for k in kept if k.start < t.end and t.start < k.end]
        places = [t.start, *(k.start for k in others if k.start > t.start)]
        deepest = max(sum(k.start <= place < k.end for k in others) for place in places)
        if deepest < tracks:
            kept.append(t)
    return kept


def _loci(transcripts: Iterable[Transcript]) -> list[Locus]:
    """Group transcripts: those of a locus share codons, directly or through others.

    Returns:
        Loci in the order of their leftmost coding base, each with its most likely parts first.
    """
    done: list[Locus] = []
    open_: list[Locus] = []
    for t in sorted(transcripts, key=lambda t: t.cds[0][0]):
        reaching = [any(t.cds[0][0] < other.cds[-1][1] for other in locus) for locus in open_]
        done += [locus for locus, reaches in zip(open_, reaching, strict=True) if not reaches]
        open_ = list(compress(open_, reaching))
        shared = [any(_share_codons(t, other) for other in locus) for locus in open_]
        mine = [t, *chain.from_iterable(compress(open_, shared))]
        open_ = [mine, *(locus for locus, shares in zip(open_, shared, strict=True) if not shares)]
    for locus in (*done, *open_):
        locus.sort(key=lambda t: (-_mean(t), -(t.posterior or 0), _place(t)))
    return sorted(done + open_, key=lambda locus: min(t.cds[0] for t in locus))


def _share_codons(one: Transcript, other: Transcript) -> bool:
    """Do they have a coding base in common, in the same frame of the same strand?"""
    if one.strand != other.strand or one.start >= other.end or other.start >= one.end:
        return False
    return any(
        a < d and c < b and _frame(one.strand, a, b, p) == _frame(one.strand, c, d, q)
        for (a, b), p in zip(one.cds, one.phases, strict=True)
        for (c, d), q in zip(other.cds, other.phases, strict=True)
    )


def _frame(strand: str, start: int, end: int, phase: int) -> int:
    return (start + phase) % 3 if strand == "+" else (end - phase) % 3
