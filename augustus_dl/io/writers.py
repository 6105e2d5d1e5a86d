"""Gene models as AUGUSTUS 3.5.0's text: GTF-like by default, or its own GFF3.

Owns every line that goes to standard output. Lines come without line ends; whoever prints them
ends each with one newline and encodes in UTF-8. Coordinates become 1-based and closed here.

The order of a run is `preamble`, then for each sequence `sequence_header` and its `gene_block`s (or
NO_GENES), then `trailer`. Programs that read AUGUSTUS match these texts literally.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from augustus_dl import __version__
from augustus_dl.encode import base_codes
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.genetic_code import GeneticCode, genetic_code, translate

__all__ = [
    "AUGUSTUS_VERSION",
    "NO_GENES",
    "OutputOptions",
    "gene_block",
    "preamble",
    "sequence_header",
    "trailer",
]

AUGUSTUS_VERSION = "3.5.0"
"""The version whose interface is answered; clients demand at least 3.3.2."""

NO_GENES = "# (none)"

_STRANDS = {"both": "both strands", "forward": "forward strand", "backward": "reverse strand"}
_LINE = 100
_COMPLEMENT = bytes.maketrans(b"acgt", b"tgca")
"""Other letters stay as they are on both strands: AUGUSTUS prints them so."""

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
        stop_excluded: CDS lines end before the stop codon.
        unique_gene_id: ids begin with the name of the sequence.
        softmasking: lower case counts as evidence, so its source is named in the preamble.
        evidence: the evidence block behind each transcript; AUGUSTUS prints it, full of zeros,
            whenever softmasking is on.
        strand: "both", "forward" or "backward"; only named in the header.
        verbosity: 0 to 3, how many comment lines the preamble and headers have.
    """

    gff3: bool = False
    protein: bool = True
    codingseq: bool = False
    introns: bool = False
    cds: bool = True
    start: bool = True
    stop: bool = True
    exonnames: bool = False
    stop_excluded: bool = False
    unique_gene_id: bool = False
    softmasking: bool = True
    evidence: bool = True
    strand: str = "both"
    verbosity: int = 3


def preamble(
    options: OutputOptions,
    *,
    species: str,
    config_folder: str,
    query: str,
    code: GeneticCode,
    gzipped: bool = False,
) -> Iterator[str]:
    """Lines before the first sequence; the first one that always comes is where clients cut runs.

    Args:
        species: name of the profile.
        config_folder: folder that holds `species/`.
        query: sequence file as the user named it.
        gzipped: the sequence file is compressed.
    """
    yield from _genetic_code_warnings(code)
    if gzipped:
        yield f"# Looks like {query} is in gzip format. Deflating..."
    if options.gff3:
        yield "##gff-version 3"
    yield f"# This output was generated with AUGUSTUS (version {AUGUSTUS_VERSION})."
    yield (
        f"# More precisely: with augustus-dl {__version__}, which stands in AUGUSTUS's place;"
        " the genes were found by a neural network."
    )
    yield "# AUGUSTUS is a gene prediction tool written by M. Stanke, O. Keller, S. König,"
    yield "# L. Gerischer, L. Romoth, Katharina Hoff, Henry Mehlan and Daniel Honsel."
    yield "# Please cite for AUGUSTUS: Mario Stanke, Mark Diekhans, Robert Baertsch, David Haussler"
    yield "# (2008), Bioinformatics 24: 637-644, doi 10.1093/bioinformatics/btn013"
    if options.verbosity >= 1:
        yield "# No extrinsic information on sequences given."
    if options.softmasking:
        yield "# Sources of extrinsic information: M RM "
    if options.verbosity >= 2:
        yield f"# Initializing the parameters using config directory {config_folder}/ ..."
    yield f"# {species} version. Using default transition matrix."
    if options.verbosity >= 3:
        yield f"# Looks like {query} is in fasta format."
    if options.verbosity >= 1:
        yield "# We have hints for 0 sequences and for 0 of the sequences in the input set."


def sequence_header(number: int, name: str, length: int, options: OutputOptions) -> Iterator[str]:
    """Lines before the genes of the sequence with this number (from 1) and length in bases."""
    if options.verbosity >= 1:
        yield "#"
        yield (
            f"# ----- prediction on sequence number {number} "
            f"(length = {length}, name = {name}) -----"
        )
        yield "#"
    yield f"# Predicted genes for sequence number {number} on {_STRANDS[options.strand]}"


def gene_block(
    gene: Gene, number: int, sequence: bytes, options: OutputOptions, code: GeneticCode
) -> Iterator[str]:
    """All lines of one gene, from `# start gene` to `###`.

    Args:
        gene: its own ids are not used.
        number: of the gene in this run, from 1.
        sequence: letters of the whole contig.
        code: for the protein.
    """
    gene_id = f"g{number}"
    if options.unique_gene_id:
        gene_id = f"{gene.contig[:30]}.{gene_id}"
    columns = _Columns(gene.contig, gene.strand, gene_id, options.gff3)
    yield f"# start gene {gene_id}"
    yield columns.gene(gene.start, gene.end)
    for index, transcript in enumerate(gene.transcripts, 1):
        transcript_id = f"{gene_id}.t{index}"
        yield columns.transcript(transcript.start, transcript.end, transcript_id)
        for feature, (start, end), phase in _features(transcript, options):
            yield columns.part(feature, start, end, phase, transcript_id)
        yield from _sequences(transcript, sequence, options, code)
        if options.evidence:
            yield from _no_evidence(transcript)
    yield f"# end gene {gene_id}"
    yield "###"


def trailer(command: Sequence[str]) -> Iterator[str]:
    """The last two lines of a complete run: the command, program name included."""
    yield "# command line:"
    yield "# " + " ".join(command)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The nine columns of the lines of one gene; coordinates go in 0-based and half-open."""

    contig: str
    strand: str
    gene_id: str
    gff3: bool

    def gene(self, start: int, end: int) -> str:
        attributes = f"ID={self.gene_id}" if self.gff3 else self.gene_id
        return self._line("gene", start, end, "1", ".", attributes)

    def transcript(self, start: int, end: int, transcript_id: str) -> str:
        attributes = f"ID={transcript_id};Parent={self.gene_id}" if self.gff3 else transcript_id
        return self._line("transcript", start, end, ".", ".", attributes)

    def part(self, feature: str, start: int, end: int, phase: str, transcript_id: str) -> str:
        if not self.gff3:
            attributes = f'transcript_id "{transcript_id}"; gene_id "{self.gene_id}";'
        elif feature == "CDS":
            attributes = f"ID={transcript_id}.cds;Parent={transcript_id}"
        else:
            attributes = f"Parent={transcript_id}"
        return self._line(feature, start, end, ".", phase, attributes)

    def _line(
        self, feature: str, start: int, end: int, score: str, phase: str, attributes: str
    ) -> str:
        return (
            f"{self.contig}\tAUGUSTUS\t{feature}\t{start + 1}\t{end}\t{score}\t{self.strand}"
            f"\t{phase}\t{attributes}"
        )


def _features(
    transcript: Transcript, options: OutputOptions
) -> Iterator[tuple[str, Interval, str]]:
    """Feature, interval and phase of a transcript's parts in AUGUSTUS's order of classes."""
    first, last = transcript.cds[0][0], transcript.cds[-1][1]
    left, right = (first, first + 3), (last - 3, last)
    forward = transcript.strand == "+"
    start = ("start_codon", left if forward else right, "0")
    stop = ("stop_codon", right if forward else left, "0")
    show_start = options.start and transcript.complete5
    show_stop = options.stop and transcript.complete3
    if show_start and forward:
        yield start
    if show_stop and not forward:
        yield stop
    if options.exonnames and not options.gff3:
        names = _exon_names(transcript)
        for name, exon, phase in zip(names, transcript.cds, transcript.phases, strict=True):
            yield name, exon, str(phase)
    if options.introns:
        for intron in transcript.introns:
            yield "intron", intron, "."
    if options.cds:
        for exon, phase in _cds(transcript, options.stop_excluded):
            yield "CDS", exon, str(phase)
    if show_stop and forward:
        yield stop
    if show_start and not forward:
        yield start


def _exon_names(transcript: Transcript) -> list[str]:
    """AUGUSTUS's name of each coding interval, in their rising order."""
    if len(transcript.cds) == 1 and transcript.complete5 and transcript.complete3:
        return ["single"]
    names = ["internal"] * len(transcript.cds)
    first, last = (0, -1) if transcript.strand == "+" else (-1, 0)
    if transcript.complete5:
        names[first] = "initial"
    if transcript.complete3:
        names[last] = "terminal"
    return names


def _cds(transcript: Transcript, stop_excluded: bool) -> list[tuple[Interval, int]]:
    """Coding intervals with their phases, the stop codon cut off when it is to be excluded."""
    parts = list(zip(transcript.cds, transcript.phases, strict=True))
    missing = 3 if stop_excluded and transcript.complete3 else 0
    last = -1 if transcript.strand == "+" else 0
    while missing and parts:
        (start, end), phase = parts.pop(last)
        cut = min(missing, end - start)
        missing -= cut
        if cut < end - start:
            kept = (start, end - cut) if last else (start + cut, end)
            parts.insert(len(parts) if last else 0, (kept, phase))
    return parts


def _sequences(
    transcript: Transcript, sequence: bytes, options: OutputOptions, code: GeneticCode
) -> Iterator[str]:
    """The comment blocks with coding sequence and protein."""
    if not (options.codingseq or options.protein):
        return
    coding = b"".join(sequence[start:end] for start, end in transcript.cds).lower()
    if transcript.strand == "-":
        coding = coding[::-1].translate(_COMPLEMENT)
    if options.codingseq:
        yield from _bracketed("coding sequence", coding.decode("ascii"))
    if options.protein:
        yield from _bracketed("protein sequence", _protein(transcript, coding, code))


def _protein(transcript: Transcript, coding: bytes, code: GeneticCode) -> str:
    """Amino acids from the first complete codon on; a start codon is M whatever it reads."""
    letters = translate(base_codes(coding)[transcript.phase :], code)
    if transcript.complete3:
        letters = letters.removesuffix("*")
    if transcript.complete5 and coding[:3].decode("ascii").upper() in code.starts:
        letters = "M" + letters[1:]
    return letters.replace("*", "X")


def _bracketed(title: str, letters: str) -> Iterator[str]:
    """A sequence as comment lines of 100 columns; the closing bracket never opens a line."""
    opening = f"# {title} = ["
    room = _LINE - len(opening)
    lines = [opening + letters[:room]]
    lines += [f"# {letters[i : i + _LINE - 2]}" for i in range(room, len(letters), _LINE - 2)]
    lines[-1] += "]"
    yield from lines


def _no_evidence(transcript: Transcript) -> Iterator[str]:
    """AUGUSTUS's evidence block for a run without hints."""
    yield "# Evidence for and against this transcript:"
    yield "# % of transcript supported by hints (any source): 0"
    yield f"# CDS exons: 0/{len(transcript.cds)}"
    yield f"# CDS introns: 0/{len(transcript.introns)}"
    yield "# 5'UTR exons and introns: 0/0"
    yield "# 3'UTR exons and introns: 0/0"
    yield "# hint groups fully obeyed: 0"
    yield "# incompatible hint groups: 0"


def _genetic_code_warnings(code: GeneticCode) -> Iterator[str]:
    """One line for each codon that means something else than in the standard code."""
    if code.table == 1:
        return
    standard = genetic_code(1)
    for codon in sorted(standard.amino):
        here, usual = code.amino[codon], standard.amino[codon]
        if here != usual:
            yield (
                f"# Warning: Using nonstandard genetic code: {codon} coding for "
                f"{_AMINO_ACIDS[here]} instead of {_AMINO_ACIDS[usual]}."
            )
