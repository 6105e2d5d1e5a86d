"""What a prediction was asked for: AUGUSTUS's options as typed settings, checked before it starts.

Owns the defaults that AUGUSTUS's code has where neither the command line nor a cfg file says
anything, and the order in which mistakes are told.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from augustus_dl.cli.arguments import (
    CommandLine,
    Settings,
    check_names,
    optional_parameters,
)
from augustus_dl.cli.arguments import (
    options as known_options,
)
from augustus_dl.errors import OptionError
from augustus_dl.genetic_code import GeneticCode, genetic_code, translation_table
from augustus_dl.io.query import Query, open_query
from augustus_dl.io.writers import OutputOptions
from augustus_dl.profile import Profile, find_profile

if TYPE_CHECKING:
    from augustus_dl.alternatives import AlternativeOptions
    from augustus_dl.predict import PredictOptions
    from augustus_dl.protein_profile import ProteinProfile
    from augustus_dl.run_hints import RunHints
    from augustus_dl.species_choice import Choice
    from augustus_dl.unheeded_hints import UnheededOptions

__all__ = ["Run", "checked"]

AUTO = "auto"
"""The species of `augustus_dl.species_choice`, which is loaded where it is asked for."""
_LOG = logging.getLogger(__name__)
_STRANDS = ("both", "forward", "backward")
_WITH_UTR = ("partial", "complete")
"""Gene models that AUGUSTUS has untranslated regions for."""
_STOP_PROBABILITIES = {
    "/Constant/amberprob": "TAG",
    "/Constant/ochreprob": "TAA",
    "/Constant/opalprob": "TGA",
}
_MIN_PIECE = 1000
_MIN_SAMPLES, _GOOD_SAMPLES = 10, 20
_TOO_FEW_SAMPLES = (
    "Error: Number of sample iterations is too low. (sample=%d)\n"
    "I will not sample (sample=0) and will not estimate posterior probabilities."
)
_FEW_SAMPLES = (
    "Warning: Number of sample iterations 'sample'=%d is low.\n"
    "Posterior probabilities will be only rough estimates."
)
_HOTTEST = 7
_TOO_HOT = (
    "No temperature >7 allowed. temperature must be one of 0 1 2 3 4 5 6 7. Will use temperature=7."
)


@dataclass(frozen=True)
class Run:
    """Everything a run needs, checked, before a sequence is read.

    Attributes:
        strict: print `io.strict_gff3` instead of AUGUSTUS's own formats.
        shift: added to the coordinates that are printed.
        listing: print the hints of each sequence.
        annotated: print the annotated genes of a GenBank file, predict none.
        cluster: address of the Ray cluster that predicts; "" for this machine.
        choice: why the species was chosen, where it was not named.
    """

    query: Query
    profile: Profile
    output: OutputOptions
    options: PredictOptions
    code: GeneticCode
    strict: bool
    shift: int
    listing: bool
    annotated: bool
    cluster: str = ""
    choice: Choice | None = None

    @property
    def hints(self) -> RunHints | None:
        """What is known about the sequences besides their letters."""
        return self.options.hints

    @property
    def genbank(self) -> bool:
        return self.query.format == "genbank"


def checked(command: CommandLine) -> Run:
    """All options with their values; of files, only the species', the hints and the head of the
    query are read. Of a query whose species is to be chosen everything is read.

    Raises:
        OptionError, SpeciesError, ModelError, InputError: in AUGUSTUS's words where it has some.
    """
    settings, profile, query, choice = _settings(command)
    genemodel = settings.text("genemodel", "partial")
    if genemodel not in known_options()["genemodel"].values:
        raise OptionError(f"Unknown value for parameter genemodel: {genemodel}")
    utr = _with_utr(settings, profile, genemodel)
    query = query or _query(command)
    piece = settings.integer("maxDNAPieceSize", _MIN_PIECE)
    if piece < _MIN_PIECE:
        raise OptionError(f"maxDNAPieceSize is too small: {piece}")
    softmasking = _softmasking(settings, query)
    span, shift = _range(settings)
    table = settings.integer("translation_table", profile.genetic_code)
    sense_stops = tuple(
        codon for name, codon in _STOP_PROBABILITIES.items() if settings.number(name, 1.0) == 0.0
    )
    code = genetic_code(translation_table(table), frozenset(sense_stops))
    hints = _hints(settings, profile, code, softmasking, span, shift)
    options = _predict_options(settings, genemodel)
    options = replace(
        options,
        softmasking=softmasking,
        range=span,
        translation_table=code.table,
        sense_stops=sense_stops,
        utr=utr,
        hints=hints,
        protein_profile=_protein_profile(settings, profile),
    )
    return Run(
        query=query,
        profile=profile,
        output=_output_options(settings, options, utr, bool(hints)),
        options=options,
        code=code,
        strict=settings.switch("gff3-strict", False),
        shift=shift,
        listing=settings.switch("printHints", False),
        annotated=settings.switch("noprediction", False),
        cluster=settings.text("cluster", ""),
        choice=choice,
    )


def _settings(command: CommandLine) -> tuple[Settings, Profile, Query | None, Choice | None]:
    """The options over --optCfgFile over the species file; the query and why it has this species,
    if it had to be chosen."""
    values = command.values
    config_path = values.get("AUGUSTUS_CONFIG_PATH", os.environ.get("AUGUSTUS_CONFIG_PATH"))
    optional = {}
    if "optCfgFile" in values:
        optional = optional_parameters(values["optCfgFile"], config_path or "")
    name = values.get("species", optional.get("species"))
    if name is None:
        raise OptionError(
            'No species specified. Type "augustus --species=help" to see available species.'
        )
    query = choice = None
    if name == AUTO:
        check_names(values)
        query = _query(command)
        choice = _choice(Settings(values, optional), query)
        name = choice.species
    profile = find_profile(name, config_path)
    check_names(values)
    return Settings(values, {**profile.parameters, **optional}), profile, query, choice


def _choice(settings: Settings, query: Query) -> Choice:
    """The species that suits the query, read with the options that the prediction will have."""
    from augustus_dl.predict import PredictOptions
    from augustus_dl.species_choice import choose

    table = settings.integer("translation_table", None)
    options = PredictOptions(
        device=settings.text("device", "auto"),
        softmasking=_softmasking(settings, query),
        translation_table=None if table is None else translation_table(table),
    )
    return choose((contig for contig, _ in query.records()), options)


def _query(command: CommandLine) -> Query:
    if command.query is None:
        raise OptionError('No query file specified. Type "augustus" for help.')
    return open_query(command.query)


def _softmasking(settings: Settings, query: Query) -> bool:
    return settings.switch("softmasking", query.format == "fasta")


def _range(settings: Settings) -> tuple[tuple[int, int | None] | None, int]:
    """The part of the first sequence to predict, 0-based and half-open, and the shift of what is
    printed. Two equal numbers below 1 ask for a shift; any other numbers for a part, be it all.
    """
    start, end = settings.integer("predictionStart", 1), settings.integer("predictionEnd", None)
    if start == end and start < 1:
        return None, -start
    return (None if (start, end) == (1, None) else (start - 1, end)), 0


def _with_utr(settings: Settings, profile: Profile, genemodel: str) -> bool:
    """Whether untranslated regions are predicted: asked for, and known to the checkpoint."""
    if not settings.switch("UTR", False):
        return False
    if settings.switch("singlestrand", False) or genemodel not in _WITH_UTR:
        if "UTR" in settings.values:
            raise OptionError("UTR only implemented with shadow and partial or complete.")
        return False
    if "UTR" in settings.values and not profile.predicts_utrs:
        _LOG.warning(
            "the checkpoint of %s does not know untranslated regions; coding parts only",
            profile.name,
        )
    return profile.predicts_utrs


def _predict_options(settings: Settings, genemodel: str) -> PredictOptions:
    from augustus_dl.predict import PredictOptions

    strand = settings.text("strand", "both")
    if strand not in _STRANDS:
        _LOG.warning("--strand=%s is none of %s; using both", strand, ", ".join(_STRANDS))
        strand = "both"
    return PredictOptions(
        device=settings.text("device", "auto"),
        strand=strand,
        singlestrand=settings.switch("singlestrand", False),
        genemodel=genemodel,
        max_overlap=settings.integer("maxOvlp", 60),
        min_coding_length=settings.integer("/Constant/min_coding_len", None),
        min_intron=settings.integer("min_intron_len", None),
        accurate=settings.switch("accurate", False) if settings.text("accurate", "") else None,
        alternatives=_alternative_options(settings),
    )


def _alternative_options(settings: Settings) -> AlternativeOptions:
    from augustus_dl.alternatives import AlternativeOptions

    sample = settings.integer("sample", 0)
    if 0 < sample < _MIN_SAMPLES:
        _LOG.warning(_TOO_FEW_SAMPLES, sample)
    elif _MIN_SAMPLES <= sample < _GOOD_SAMPLES:
        _LOG.warning(_FEW_SAMPLES, sample)
    temperature = settings.integer("temperature", 0)
    if not 0 <= temperature <= _HOTTEST:
        _LOG.warning(_TOO_HOT)
        temperature = _HOTTEST
    return AlternativeOptions(
        sample=sample if sample >= _MIN_SAMPLES else 0,
        alternatives=settings.switch("alternatives-from-sampling", False),
        min_exon_intron=settings.number("minexonintronprob", 0.0),
        min_mean_exon_intron=settings.number("minmeanexonintronprob", 0.0),
        max_tracks=settings.integer("maxtracks", -1),
        keep_best=settings.switch("keep_viterbi", False),
        unique_cds=settings.switch("uniqueCDS", False),
        temperature=temperature,
        mea=settings.switch("mea", False),
    )


def _hints(
    settings: Settings,
    profile: Profile,
    code: GeneticCode,
    softmasking: bool,
    span: tuple[int, int | None] | None,
    shift: int,
) -> RunHints | None:
    """Hints of the file, and soft-masked bases, with what they are worth; None without either."""
    path = settings.path("hintsfile")
    if not (path or softmasking):
        return None
    from augustus_dl.decode.hint_groups import GroupingOptions, splice_pairs
    from augustus_dl.hints import HintCollection
    from augustus_dl.io.extrinsic import find_extrinsic, read_extrinsic
    from augustus_dl.io.hints import read_hints
    from augustus_dl.run_hints import RunHints

    alternatives = settings.switch("alternatives-from-evidence", True)
    name = settings.text("extrinsicCfgFile", "extrinsic.cfg")
    extrinsic = read_extrinsic(find_extrinsic(name, profile.config_folder), softmasking)
    first = max(span[0], 0) if span else 0
    window = (first, span[1] if span[1] is not None else _NO_END) if span else None
    collection = HintCollection.empty(extrinsic.sources)
    if path:
        collection = read_hints(path, extrinsic, window, -first - shift)
    return RunHints(
        path=path or None,
        extrinsic=extrinsic,
        collection=collection,
        grouping=GroupingOptions(
            splice_pairs=splice_pairs(settings.text("allow_hinted_splicesites", "")),
            min_intron=settings.integer("min_intron_len", 39),
            bridge_bonus=settings.number("bridge_genicpart_bonus", None),
            rescale=settings.switch("rescaleBoni", True),
            max_contradiction=settings.number("/Constant/max_contra_supp_ratio", 9.0),
            alternatives=alternatives,
            genetic_code=code.table,
        ),
        softmasking=softmasking,
        offset=first,
        unheeded=_unheeded(settings) if path and alternatives else None,
    )


_NO_END = 1 << 60


def _unheeded(settings: Settings) -> UnheededOptions:
    """What decides about alternatives from evidence."""
    from augustus_dl.unheeded_hints import UnheededOptions

    usual = UnheededOptions()
    types = settings.text("canCauseAltSplice", "")
    return UnheededOptions(
        causes=UnheededOptions.causing(types) if types else usual.causes,
        min_support=settings.number("/Constant/subopt_transcript_threshold", usual.min_support),
    )


def _protein_profile(settings: Settings, profile: Profile) -> ProteinProfile | None:
    path = settings.path("proteinprofile")
    if not path:
        return None
    from augustus_dl.io.protein_profile import find_protein_profile, read_protein_profile
    from augustus_dl.protein_profile import ProfileOptions

    usual = ProfileOptions()
    if settings.number("/ProteinModel/invalid_score", usual.unknown) <= 0:
        raise OptionError("/ProteinModel/invalid_score must be above 0")
    options = ProfileOptions(
        block_spec=settings.number("/ProteinModel/block_threshold_spec", usual.block_spec),
        block_sens=settings.number("/ProteinModel/block_threshold_sens", usual.block_sens),
        part_spec=settings.number("/ProteinModel/blockpart_threshold_spec", usual.part_spec),
        part_sens=settings.number("/ProteinModel/blockpart_threshold_sens", usual.part_sens),
        weight=settings.number("/ProteinModel/weight", usual.weight),
        unknown=settings.number("/ProteinModel/invalid_score", usual.unknown),
        allow_truncated=settings.switch("/ProteinModel/allow_truncated", usual.allow_truncated),
    )
    return read_protein_profile(find_protein_profile(path, profile.config_folder), options)


def _output_options(
    settings: Settings, options: PredictOptions, utr: bool, hinted: bool
) -> OutputOptions:
    usual = OutputOptions()
    return OutputOptions(
        gff3=settings.switch("gff3", usual.gff3),
        protein=settings.switch("protein", usual.protein),
        codingseq=settings.switch("codingseq", usual.codingseq),
        introns=settings.switch("introns", usual.introns),
        cds=settings.switch("cds", usual.cds),
        start=settings.switch("start", usual.start),
        stop=settings.switch("stop", usual.stop),
        exonnames=settings.switch("exonnames", usual.exonnames),
        utr=utr,
        print_utr=settings.switch("print_utr", usual.print_utr),
        tss=settings.switch("tss", False),
        tts=settings.switch("tts", False),
        stop_excluded=settings.switch("stopCodonExcludedFromCDS", usual.stop_excluded),
        unique_gene_id=settings.switch("uniqueGeneId", usual.unique_gene_id),
        softmasking=settings.switch("softmasking", True),
        evidence=settings.switch("printEvidence", usual.evidence) and hinted,
        strand=options.strand,
        singlestrand=options.singlestrand,
        mea=options.alternatives.mea,
        bacterium=options.genemodel == "bacterium",
        verbosity=settings.integer("/augustus/verbosity", 1),
        genbank_verbosity=settings.integer("/genbank/verbosity", 1),
    )
