"""The main path: contigs in, genes out. One arrow is one generator:

    contigs -> windows.cut -> engine.scores -> windows.stitch -> decoder -> transcripts
            -> untranslated regions -> genes

Memory is bounded by a window for each worker of the engine and an undecided stretch of the decoder,
never by a chromosome's scores. Short contigs are searched beside each other, one for each worker.
Genes come in input order, sorted by their first coding base.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from augustus_dl.alternatives import (
    BEST_ONLY,
    AlternativeOptions,
    Alternatives,
    Locus,
    ParseHints,
    gene_of,
)
from augustus_dl.decode.block_bonus import block_stage
from augustus_dl.decode.bonus import Strength
from augustus_dl.decode.config import DecoderConfig
from augustus_dl.encode import BasesOnDemand, codes_on_demand, mask_on_demand, track
from augustus_dl.engine import Engine, PathEngine, open_engine
from augustus_dl.errors import OptionError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import Profile
from augustus_dl.protein_profile import ProteinProfile
from augustus_dl.run_hints import RunHints
from augustus_dl.side_by_side import in_order
from augustus_dl.validity import MIN_INTRON
from augustus_dl.windows import cut, stitch

__all__ = [
    "GENE_MODELS",
    "PredictOptions",
    "Stage",
    "Stretch",
    "decoder_config",
    "engine_for",
    "is_whole",
    "loci_of",
    "predict",
    "prediction_span",
    "transcripts_of",
]

GENE_MODELS = {
    "partial": {"partial": True},
    "complete": {"partial": False},
    "intronless": {"intronless": True},
    "atleastone": {"partial": False, "gene_count": "atleastone"},
    "exactlyone": {"partial": False, "gene_count": "exactlyone"},
    "bacterium": {"intronless": True, "singlestrand": True},
}
"""AUGUSTUS's values of genemodel as settings of the decoder."""

_CORES_A_DECODER = 16
"""Cores whose scores one core can decode, probabilities included: with more of them several long
contigs must be under way at a time."""


class Stretch(NamedTuple):
    """Part of a sequence on its way to the decoder.

    scores: int16 or int32 [n, 29], see `Engine.scores`. codes: uint8 [n] base codes. start: of the
    first base, in coordinates of what is decoded.
    """

    scores: np.ndarray
    codes: np.ndarray
    start: int


Stage = Callable[[Iterator[Stretch], DecoderConfig], Iterator[Stretch]]
"""Changes or looks at scores before they are decoded: one stretch out for each one in. It runs once
for each track of the decoder, and is told which."""


@dataclass(frozen=True)
class PredictOptions:
    """What a user may set for one run.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        softmasking: tell the network which bases are lower case.
        strand: both, forward or backward.
        singlestrand: each strand by itself, so that genes of different strands may overlap.
        genemodel: a key of GENE_MODELS.
        max_overlap: of genes of one strand, in bases; for genemodel bacterium only.
        range: the part of the first contig to predict, 0-based and half-open; an end of None is
            the contig's. See `prediction_span`.
        translation_table, min_coding_length: None leaves the profile's value.
        sense_stops: stop codons that stand for an amino acid; None leaves the profile's value.
        min_intron: shortest intron accepted from hints. Others may then be as short too, but it
            never makes them longer than the profile does.
        window: core bases a window; None leaves the engine's choice.
        accurate: read every window in both directions and average, in twice the network's time;
            None leaves the profile's choice.
        utr: find untranslated regions, too; needs a checkpoint that knows them.
        alternatives: probabilities of genes, and further transcripts.
        hints: what else is known about the sequences.
        protein_profile: of a family whose genes are favoured.
    """

    device: str = "auto"
    softmasking: bool = True
    strand: str = "both"
    singlestrand: bool = False
    genemodel: str = "partial"
    max_overlap: int = 60
    range: tuple[int, int | None] | None = None
    translation_table: int | None = None
    sense_stops: tuple[str, ...] | None = None
    min_coding_length: int | None = None
    min_intron: int | None = None
    window: int | None = None
    accurate: bool | None = None
    utr: bool = False
    alternatives: AlternativeOptions = BEST_ONLY
    hints: RunHints | None = None
    protein_profile: ProteinProfile | None = None


def predict(
    contigs: Iterable[Contig],
    profile: Profile,
    options: PredictOptions,
    engine: Engine | None = None,
) -> Iterator[tuple[Contig, list[Gene]]]:
    """Genes of each contig, in order. The checkpoint is opened at once, before the first contig.

    With a range that is not all of the first contig, only that one is read. Coordinates are those
    of whole contigs.

    Args:
        engine: runs in place of the profile's checkpoint.

    Raises:
        ModelError: missing or corrupt checkpoint.
        OptionError: an option that does not fit, or a device that is not here.
    """
    config = decoder_config(profile, options)
    engine = engine or engine_for(profile, options)
    return _predictions(contigs, engine, config, options)


def engine_for(profile: Profile, options: PredictOptions, cores: int | None = None) -> Engine:
    """The profile's checkpoint, opened as a run with these options opens it.

    Args:
        cores: of the CPU, where the network runs there; None for all this process may use.

    Raises:
        ModelError, OptionError: as `predict`.
    """
    accurate = profile.accurate if options.accurate is None else options.accurate
    return open_engine(
        profile.model, profile.clade, options.device, options.window, accurate, cores
    )


def _predictions(
    contigs: Iterable[Contig], engine: Engine, config: DecoderConfig, options: PredictOptions
) -> Iterator[tuple[Contig, list[Gene]]]:
    if _path_is_enough(options) and isinstance(engine, PathEngine) and engine.decodes(config):
        found = _from_paths(contigs, engine, config, options.softmasking)
    else:
        searches = _searches(contigs, engine, config, options)
        workers = engine.workers
        beside = 1 + workers // _CORES_A_DECODER
        found = in_order(searches, workers, workers * engine.core, beside)
    for contig, loci in found:
        ordered = sorted(loci, key=lambda locus: min(one.cds[0] for one in locus))
        yield contig, [gene_of(contig.name, locus) for locus in ordered]


def _path_is_enough(options: PredictOptions) -> bool:
    """Does nothing look at scores but the search for the best path?"""
    more = options.utr or options.alternatives.needed or options.protein_profile or options.range
    return not (more or (options.hints and options.hints.change_scores))


def _from_paths(
    contigs: Iterable[Contig], engine: PathEngine, config: DecoderConfig, softmasking: bool
) -> Iterator[tuple[Contig, list[Locus]]]:
    """Each contig with its genes, where the engine decodes."""
    read: deque[Contig] = deque()

    def tracks() -> Iterator[np.ndarray]:
        for contig in contigs:
            read.append(contig)
            yield track(contig.sequence, softmasking)

    pieces = _with_contigs(engine.paths(tracks(), config), read)
    for _, own in itertools.groupby(pieces, key=lambda piece: id(piece[0])):
        yield _parsed(own, config)


def _parsed(
    pieces: Iterator[tuple[Contig, np.ndarray]], config: DecoderConfig
) -> tuple[Contig, list[Locus]]:
    """One contig's genes from its labels."""
    from augustus_dl.decode.parse import parse

    contig, _ = next(pieces)
    return contig, [[gene] for gene in parse(map(itemgetter(1), pieces), config)]


def _with_contigs(
    paths: Iterable[np.ndarray], read: deque[Contig]
) -> Iterator[tuple[Contig, np.ndarray]]:
    """Labels of contigs one behind the other, each contig's apart after an empty piece.

    Args:
        read: the contigs as far as they are read; those whose turn has come are taken out.
    """
    contig, left = None, 0
    for labels in paths:
        while len(labels):
            while not left:
                contig = read.popleft()
                left = len(contig.sequence)
                yield contig, labels[:0]
            yield contig, labels[:left]
            labels, left = labels[left:], left - len(labels[:left])
    while read:
        yield read.popleft(), np.empty(0, dtype=np.uint8)


def _searches(
    contigs: Iterable[Contig], engine: Engine, config: DecoderConfig, options: PredictOptions
) -> Iterator[tuple[Contig, Iterator[Locus]]]:
    """Each contig with its genes to come. The engine is at work on it already."""
    for number, contig in enumerate(contigs):
        length = len(contig.sequence)
        whole = number > 0 or is_whole(contig, options)
        span = (0, length) if whole else prediction_span(length, options.range)
        codes = codes_on_demand(contig.sequence)
        masked = mask_on_demand(contig.sequence, options.softmasking)
        scores = _scores(codes, masked, engine, config, span, options.utr)
        stages, hints = [], None
        if options.hints:
            strength = Strength.calibrated(config.posterior_scale)
            stages += options.hints.stages(contig, span[1], strength)
            hints = options.hints.of_parses(contig, span[1], strength)
        if options.protein_profile:
            part = np.asarray(codes[slice(*span)])
            found = block_stage(part, options.protein_profile, config.code())
            stages += [found] if found else []
        yield (
            contig,
            _loci(scores, codes, config, span, stages, options.alternatives, options.utr, hints),
        )
        if not whole:
            return


def is_whole(first: Contig, options: PredictOptions) -> bool:
    """Is all of the first contig predicted, and with it all others?"""
    return options.range in (None, (0, None), (0, len(first.sequence)))


def prediction_span(length: int, asked: tuple[int, int | None]) -> tuple[int, int]:
    """What `PredictOptions.range` asks of a contig of `length` bases: cut to what there is.

    Raises:
        OptionError: nothing is left.
    """
    start = max(asked[0], 0)
    end = length if asked[1] is None else min(asked[1], length)
    if start >= length:
        raise OptionError(
            f"predictionStart ({start + 1}) is larger than sequence length ({length}). "
            "No predictions made."
        )
    if end <= start:
        raise OptionError(
            f"predictionEnd ({end}) is smaller than predictionStart ({start + 1}). "
            "No predictions made!"
        )
    return start, end


def decoder_config(profile: Profile, options: PredictOptions) -> DecoderConfig:
    """The profile's decoder constants with what the user set for this run.

    Raises:
        OptionError: an unknown gene model, or settings that do not fit.
    """
    if options.genemodel not in GENE_MODELS:
        raise OptionError(f"Unknown value for parameter genemodel: {options.genemodel}")
    asked = {
        "genetic_code": options.translation_table,
        "sense_stops": options.sense_stops,
        "min_coding_length": options.min_coding_length,
        "max_overlap": options.max_overlap if options.genemodel == "bacterium" else None,
        "atac": True if options.hints and "ATAC" in options.hints.grouping.splice_pairs else None,
    }
    config = DecoderConfig.from_dict(
        {
            "genetic_code": profile.genetic_code,
            **profile.decoder,
            "strand": options.strand,
            "singlestrand": options.singlestrand,
            "partial": True,
            **GENE_MODELS[options.genemodel],
            **{key: value for key, value in asked.items() if value is not None},
        }
    )
    if options.min_intron is None:
        return config
    return replace(config, min_intron=min(config.min_intron, max(options.min_intron, MIN_INTRON)))


def transcripts_of(
    codes: np.ndarray, masked: np.ndarray, engine: Engine, config: DecoderConfig
) -> Iterator[Transcript]:
    """Transcripts of the best parse of one sequence; see `loci_of`."""
    return itertools.chain.from_iterable(loci_of(codes, masked, engine, config))


def loci_of(
    codes: np.ndarray | BasesOnDemand,
    masked: np.ndarray | BasesOnDemand,
    engine: Engine,
    config: DecoderConfig,
    span: tuple[int, int] | None = None,
    stages: Sequence[Stage] = (),
    alternatives: AlternativeOptions = BEST_ONLY,
    utr: bool = False,
    hints: ParseHints | None = None,
) -> Iterator[Locus]:
    """Transcripts of one sequence gene by gene, those of each track of the decoder in rising order.

    Args:
        codes: uint8 [L] base codes; masked: bool [L] soft-mask.
        span: decode this part only (0-based, half-open) as if it were the sequence; the network
            sees what lies beside it.
        stages: run in this order on the scores, before they are decoded.
        alternatives: more than the best parse.
        utr: untranslated regions, too; not where the strands are searched apart.
        hints: what is asked of whole parses, in the coordinates of `stages`.

    Yields:
        Transcripts in coordinates of the whole sequence.
    """
    span = span or (0, len(codes))
    scores = _scores(codes, masked, engine, config, span, utr)
    return _loci(scores, codes, config, span, stages, alternatives, utr, hints)


def _scores(
    codes: np.ndarray | BasesOnDemand,
    masked: np.ndarray | BasesOnDemand,
    engine: Engine,
    config: DecoderConfig,
    span: tuple[int, int],
    utr: bool,
) -> Iterator[np.ndarray]:
    """Scores of part of a sequence, in stretches that tile it; see `loci_of`."""
    windows = cut(codes, masked, engine.core, engine.flank, span=span)
    return stitch(engine.scores(windows, config.label_weights(), utr), span[0])


def _loci(
    scores: Iterator[np.ndarray],
    codes: np.ndarray | BasesOnDemand,
    config: DecoderConfig,
    span: tuple[int, int],
    stages: Sequence[Stage],
    alternatives: AlternativeOptions,
    utr: bool,
    hints: ParseHints | None,
) -> Iterator[Locus]:
    """The second half of `loci_of`: scores to transcripts."""
    from augustus_dl.decode.utr import UtrTrack, with_utrs

    start, end = span
    tracks = config.tracks()
    if utr:
        untranslated = UtrTrack(codes[start:end])
        scores = untranslated.taken(scores)
    copies = _copies(_stretches(scores, codes[start:end]), len(tracks))
    searches = [
        _search(copy, codes[start:end], track, stages, alternatives, hints)
        for copy, track in zip(copies, tracks, strict=True)
    ]
    if utr:
        (search,) = searches
        loci = with_utrs(search, untranslated)
    else:  # in step, so that no copy lags far behind
        batches = itertools.chain.from_iterable(zip(*searches, strict=True))
        loci = itertools.chain.from_iterable(found for _, found in batches)
    for locus in loci:
        yield [transcript.shifted(start) for transcript in locus]


def _stretches(
    scores: Iterable[np.ndarray], codes: np.ndarray | BasesOnDemand
) -> Iterator[Stretch]:
    """Pair each stretch of scores with its bases."""
    start = 0
    for part in scores:
        yield Stretch(part, np.asarray(codes[start : start + len(part)]), start)
        start += len(part)


def _copies(stretches: Iterator[Stretch], number: int) -> list[Iterator[Stretch]]:
    """The same stretches for readers that go in step: each is let go once all have read it, while
    `itertools.tee` keeps dozens."""
    queues: list[deque[Stretch]] = [deque() for _ in range(number)]

    def reader(own: deque[Stretch]) -> Iterator[Stretch]:
        while True:
            if not own:
                stretch = next(stretches, None)
                if stretch is None:
                    return
                for queue in queues:
                    queue.append(stretch)
            yield own.popleft()

    return [reader(queue) for queue in queues]


def _search(
    stretches: Iterator[Stretch],
    codes: np.ndarray | BasesOnDemand,
    track: DecoderConfig,
    stages: Sequence[Stage],
    alternatives: AlternativeOptions,
    hints: ParseHints | None,
) -> Iterator[tuple[int, list[Locus]]]:
    """Genes of one track, one batch for each stretch and one at the end.

    Args:
        codes: base codes of all that is decoded, where coordinates of the transcripts begin.

    Yields:
        A base up to which all genes are known, and those left of it that no batch had before.
    """
    from augustus_dl.decode.parse import batches
    from augustus_dl.decode.track import one_strand
    from augustus_dl.decode.viterbi import Decoder

    stretches = (part._replace(scores=one_strand(part.scores, track)) for part in stretches)
    for stage in stages:
        stretches = stage(stretches, track)
    chunks = _chunks(stretches, codes, track)
    if alternatives.needed or hints:
        return Alternatives(track, alternatives, hints).batches(chunks)
    found = batches(Decoder(track).decode(chunks), track)
    return ((known, [[transcript] for transcript in batch]) for known, batch in found)


def _chunks(
    stretches: Iterable[Stretch], codes: np.ndarray | BasesOnDemand, track: DecoderConfig
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What the decoder reads: scores and symbols."""
    from augustus_dl.decode.track import symbols

    for part in stretches:
        yield part.scores, symbols(codes, track, part.start, part.start + len(part.scores))
