"""AUGUSTUS 3.5.0's text: its GTF by default, or its own GFF3.

Owns every line that goes to standard output, but for the tables of accuracy. Lines come without
line ends; whoever prints them ends each with one newline and encodes in UTF-8.

The order of a run is `preamble`, then for each sequence `sequence_header` (or `locus_header`, where
there is an annotation) and its `gene_block`s or NO_GENES, then `trailer`. Programs that read
AUGUSTUS match these texts literally.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from augustus_dl import AUGUSTUS_VERSION, __version__
from augustus_dl.evidence import Evidence, no_evidence
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.io.comment_blocks import evidence_block, sequence_blocks
from augustus_dl.io.transcript_lines import Columns, score_text, transcript_lines
from augustus_dl.letters import Letters

__all__ = [
    "NO_GENES",
    "HintsOfRun",
    "OutputOptions",
    "annotated_gene_block",
    "gene_block",
    "gene_id",
    "locus_header",
    "preamble",
    "sequence_header",
    "trailer",
]

NO_GENES = "# (none)"

_STRANDS = {"both": "both strands", "forward": "forward strand", "backward": "reverse strand"}

_AMINO_ACIDS = {
    "A": "ALANINE",
    "C": "CYSTEINE",
    "D": "ASPARTIC ACID",
    "E": "GLUTAMIC ACID",
    "F": "PHENYLALANINE",
    "G": "GLYCINE",
    "H": "HISTIDINE",
    "I": "ISOLEUCINE",
    "K": "LYSINE",
    "L": "LEUCINE",
    "M": "METHIONINE",
    "N": "ASPARAGINE",
    "P": "PROLINE",
    "Q": "GLUTAMINE",
    "R": "ARGININE",
    "S": "SERINE",
    "T": "THREONINE",
    "V": "VALINE",
    "W": "TRYPTOPHAN",
    "Y": "TYROSINE",
    "*": "STOP",
}


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What is printed. Defaults are what a species file of AUGUSTUS usually sets.

    Attributes:
        gff3: AUGUSTUS's GFF3 instead of its GTF.
        protein, codingseq: comment blocks with the sequences.
        introns, cds, start, stop: lines of these features.
        exonnames: lines named initial, internal, terminal or single; GTF only.
        utr: genes are predicted with untranslated regions: exon lines. Genes of other runs must
            not have any.
        print_utr: lines of the untranslated regions instead of exon lines.
        tss, tts: lines of transcription start and end, where there is an untranslated region.
        stop_excluded: CDS lines end before the stop codon.
        unique_gene_id: ids begin with the name of the sequence.
        softmasking: lower case counts as evidence, so its source is named in the preamble.
        evidence: the evidence block behind each transcript; AUGUSTUS prints it, full of zeros,
            whenever softmasking is on.
        strand: "both", "forward" or "backward"; only named in the header.
        singlestrand: the strands were searched apart; said in the header, and genes of the
            reverse strand have no score.
        mea: genes come from maximum expected accuracy; said in the preamble, and genes score 0.
        bacterium: the bacterial gene model; the first codon of a protein is always M.
        verbosity: 0 to 3, how many comment lines the preamble and headers have.
        genbank_verbosity: above 0, the sequences of a GenBank file are counted in the preamble.
    """

    gff3: bool = False
    protein: bool = True
    codingseq: bool = False
    introns: bool = False
    cds: bool = True
    start: bool = True
    stop: bool = True
    exonnames: bool = False
    utr: bool = False
    print_utr: bool = False
    tss: bool = True
    tts: bool = True
    stop_excluded: bool = False
    unique_gene_id: bool = False
    softmasking: bool = True
    evidence: bool = True
    strand: str = "both"
    singlestrand: bool = False
    mea: bool = False
    bacterium: bool = False
    verbosity: int = 3
    genbank_verbosity: int = 3


@dataclass(frozen=True, slots=True)
class HintsOfRun:
    """What the preamble says about hints; the default is a run without a hints file.

    Attributes:
        sources, settings: of the extrinsic configuration (`hints.Extrinsic`).
        path: hints file as the user named it.
        sequences: how many sequences have hints.
        matching: how many of them are in the query file.
    """

    sources: tuple[str, ...] = ("M", "RM")
    settings: tuple[str, ...] = ()
    path: str | None = None
    sequences: int = 0
    matching: int = 0


def preamble(
    options: OutputOptions,
    *,
    species: str,
    config_folder: str,
    query: str,
    code: GeneticCode,
    gzipped: bool = False,
    genbank: int | None = None,
    hints: HintsOfRun = HintsOfRun(),
    profile: tuple[str, str] | None = None,
    start_codons: Sequence[tuple[str, float]] = (),
    temperature: int = 0,
) -> Iterator[str]:
    """Lines before the first sequence; the first one that always comes is where clients cut runs.

    Args:
        species: name of the profile.
        config_folder: folder that holds `species/`.
        query: sequence file as the user named it.
        gzipped: the sequence file is compressed.
        genbank: number of sequences in a GenBank file; None for a FASTA file.
        profile: name of the protein profile and its blocks, in AUGUSTUS's notation.
        start_codons: those that may begin a gene with their probabilities; AUGUSTUS names them
            for species that were trained on several.
        temperature: of the sampling; 0 is not mentioned.
    """
    yield from _genetic_code_warnings(code)
    if gzipped:
        yield f"# Looks like {query} is in gzip format. Deflating..."
    if options.gff3:
        yield "##gff-version 3"
    yield from _credits()
    yield from _hints_lines(options, hints)
    if options.verbosity >= 2:
        yield f"# Initializing the parameters using config directory {config_folder}/ ..."
    if profile:
        yield f"# Using protein profile {profile[0]}"
        yield f"# {profile[1]}"
    yield f"# {species} version. Using default transition matrix."
    if options.bacterium:
        yield "# Using default overlap length distribution file."
    if temperature and options.verbosity >= 1:
        yield f"# setting temperature to {temperature} (for sampling)"
    if start_codons:
        named = ", ".join(f"{codon}({score_text(value)})" for codon, value in start_codons)
        yield f"# admissible start codons and their probabilities: {named}"
    if options.mea:
        yield "# Using MEA approach (Maximizing expected accuracy)."
    yield from _query_lines(options, query, genbank, hints)


def sequence_header(
    number: int, name: str, length: int, options: OutputOptions, hints: Iterable[str] = ()
) -> Iterator[str]:
    """Lines before the genes of the sequence with this number (from 1).

    Args:
        length: number of bases that are searched.
        hints: lines about the hints of this sequence.
    """
    if options.verbosity >= 1:
        yield "#"
        yield (
            f"# ----- prediction on sequence number {number} "
            f"(length = {length}, name = {name}) -----"
        )
        yield "#"
    yield from hints
    yield from _predicted_genes(number, options, "are")


def locus_header(
    number: int,
    name: str,
    length: int,
    genes: Iterable[Gene],
    options: OutputOptions,
    hints: Iterable[str] = (),
) -> Iterator[str]:
    """As `sequence_header`, for a sequence of a GenBank file with the genes annotated on it.

    Args:
        genes: each needs its id, the transcripts are numbered.
    """
    if options.verbosity >= 1:
        yield "#"
        yield f"# ----- sequence number {number} (length = {length}, name = {name}) -----"
        yield "#"
        yield ""
        yield "# annotation: "
        yield f"# Sequence {name} length={length}"
        for gene in genes:
            columns = Columns(name, "database", gene.strand, gene.id, options.gff3)
            for index, transcript in enumerate(gene.transcripts, 1):
                yield from transcript_lines(transcript, f"{gene.id}.{index}", columns, options)
    yield from hints
    yield from _predicted_genes(number, options, "were")


def gene_block(
    gene: Gene,
    number: int,
    sequence: Letters,
    options: OutputOptions,
    code: GeneticCode,
    *,
    evidence: Sequence[Evidence] | None = None,
    shift: int = 0,
) -> Iterator[str]:
    """All lines of one predicted gene, from `# start gene` to `###`.

    Args:
        gene: its own ids are not used.
        number: of the gene in this run, from 1.
        sequence: letters of the whole contig.
        code: for the protein.
        evidence: of each transcript; None when there are no hints.
        shift: added to the coordinates that are printed, not to those of the letters.
    """
    own = gene_id(gene, number, options)
    columns = Columns(gene.contig, "AUGUSTUS", gene.strand, own, options.gff3, shift)
    if evidence is None:
        evidence = [no_evidence(transcript) for transcript in gene.transcripts]
    yield f"# start gene {own}"
    yield columns.gene(gene.start, gene.end, _gene_score(gene, options))
    for index, (transcript, its) in enumerate(zip(gene.transcripts, evidence, strict=True), 1):
        name = f"{own}.t{index}"
        yield from _transcript_block(transcript, name, columns, sequence, options, code)
        if options.evidence:
            yield from evidence_block(its)
    yield f"# end gene {own}"
    yield "###"


def gene_id(gene: Gene, number: int, options: OutputOptions) -> str:
    """Name of the predicted gene with this number; those of its transcripts begin with it."""
    return f"{gene.contig[:30]}.g{number}" if options.unique_gene_id else f"g{number}"


def annotated_gene_block(
    gene: Gene, sequence: Letters, options: OutputOptions, code: GeneticCode
) -> Iterator[str]:
    """All lines of a gene of a GenBank file that is shown with its sequences, not predicted.

    Args:
        gene: needs its id, the transcripts are numbered.
        sequence: letters of the whole contig.
    """
    columns = Columns(gene.contig, "database", gene.strand, gene.id, options.gff3)
    yield f"# start gene {gene.id}"
    yield columns.gene(gene.start, gene.end, score_text(None))
    for index, transcript in enumerate(gene.transcripts, 1):
        name = f"{gene.id}.{index}"
        yield from _transcript_block(transcript, name, columns, sequence, options, code)
    yield f"# end gene {gene.id}"
    yield "###"


def trailer(command: Sequence[str]) -> Iterator[str]:
    """The last two lines of a complete run: the command, program name included."""
    yield "# command line:"
    yield "# " + " ".join(command)


def _credits() -> Iterator[str]:
    yield f"# This output was generated with AUGUSTUS (version {AUGUSTUS_VERSION})."
    yield (
        f"# More precisely: with augustus-dl {__version__}, which stands in AUGUSTUS's place;"
        " the genes were found by a neural network."
    )
    yield "# AUGUSTUS is a gene prediction tool written by M. Stanke, O. Keller, S. König,"
    yield "# L. Gerischer, L. Romoth, Katharina Hoff, Henry Mehlan and Daniel Honsel."
    yield "# Please cite for AUGUSTUS: Mario Stanke, Mark Diekhans, Robert Baertsch, David Haussler"
    yield "# (2008), Bioinformatics 24: 637-644, doi 10.1093/bioinformatics/btn013"


def _hints_lines(options: OutputOptions, hints: HintsOfRun) -> Iterator[str]:
    """Which hints there are and how they are taken."""
    if hints.path is None and options.verbosity >= 1:
        yield "# No extrinsic information on sequences given."
    if hints.path is not None or options.softmasking:
        yield f"# Sources of extrinsic information: {' '.join(hints.sources)} "
        yield from (f"# Setting {setting}" for setting in hints.settings)
    if hints.path is not None and options.verbosity >= 1:
        yield f"# reading in the file {hints.path} ..."
        yield (
            f"# Have extrinsic information about {hints.sequences} sequences"
            " (in the specified range). "
        )


def _query_lines(
    options: OutputOptions, query: str, genbank: int | None, hints: HintsOfRun
) -> Iterator[str]:
    """What the sequence file is, and how many of its sequences have hints."""
    if options.verbosity >= 3 and genbank is None:
        yield f"# Looks like {query} is in fasta format."
    elif options.verbosity >= 3:
        yield (
            f"# Looks like {query} is in genbank format."
            " Augustus uses the annotation for evaluation of accuracy."
        )
    if genbank is not None and options.genbank_verbosity >= 1:
        yield f"# Read in {genbank} genbank sequences."
    if hints.sequences and not hints.matching:
        yield (
            "# WARNING: extrinsic information given but not on any of the sequences"
            " in the input set!"
        )
        yield "# Maybe different sequence names?"
    if genbank is None and options.verbosity >= 1:
        plural = "" if hints.sequences == 1 else "s"
        yield (
            f"# We have hints for {hints.sequences} sequence{plural}"
            f" and for {hints.matching} of the sequences in the input set."
        )


def _predicted_genes(number: int, options: OutputOptions, verb: str) -> Iterator[str]:
    yield f"# Predicted genes for sequence number {number} on {_STRANDS[options.strand]}"
    if options.singlestrand:
        yield f"# Overlapping genes on opposite strand {verb} allowed."


def _gene_score(gene: Gene, options: OutputOptions) -> str:
    """AUGUSTUS computes it by sampling only, and not for all genes then."""
    if options.singlestrand and gene.strand == "-":
        return score_text(None)
    if options.mea:
        return score_text(0)
    return score_text(1 if gene.posterior is None else gene.posterior)


def _transcript_block(
    transcript: Transcript,
    name: str,
    columns: Columns,
    sequence: Letters,
    options: OutputOptions,
    code: GeneticCode,
) -> Iterator[str]:
    yield columns.transcript(transcript, name)
    yield from transcript_lines(transcript, name, columns, options)
    yield from sequence_blocks(transcript, sequence, options, code)


def _genetic_code_warnings(code: GeneticCode) -> Iterator[str]:
    """One line for each codon that means something else than in the standard code."""
    here, usual = genetic_code(code.table).amino, genetic_code(1).amino
    for codon in sorted(usual):
        if here[codon] != usual[codon]:
            yield (
                f"# Warning: Using nonstandard genetic code: {codon} coding for "
                f"{_AMINO_ACIDS[here[codon]]} instead of {_AMINO_ACIDS[usual[codon]]}."
            )
