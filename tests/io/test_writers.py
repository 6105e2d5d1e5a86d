"""The writer against real output of AUGUSTUS 3.5.0 (tests/data) and against our reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from augustus_dl.evidence import Evidence, PartCount
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import contigs
from augustus_dl.io.writers import (
    NO_GENES,
    HintsOfRun,
    OutputOptions,
    annotated_gene_block,
    gene_block,
    locus_header,
    preamble,
    sequence_header,
    trailer,
)

DATA = Path(__file__).resolve().parents[1] / "data" / "augustus"
CODE = genetic_code(1)
RUNS = {
    "full.gtf": OutputOptions(introns=True, exonnames=True, codingseq=True),
    "default.gff3": OutputOptions(gff3=True),
    "stop_excluded.gff3": OutputOptions(gff3=True, stop_excluded=True, introns=True, protein=False),
    "stop_excluded.gtf": OutputOptions(
        stop_excluded=True,
        exonnames=True,
        unique_gene_id=True,
        protein=False,
        softmasking=False,
        evidence=False,
    ),
    "quiet_backward.gtf": OutputOptions(
        cds=False, start=False, stop=False, protein=False, strand="backward", verbosity=0
    ),
}


UTR_RUNS = {
    "utr.gtf": OutputOptions(utr=True, exonnames=True),
    "utr.gff3": OutputOptions(utr=True, gff3=True, print_utr=True, introns=True),
}
"""Of a species with a model of its own: AUGUSTUS names its file in the preamble."""


def augustus_genes(name: str = "full.gtf") -> dict[str, list[Gene]]:
    """AUGUSTUS's genes by sequence, read without our reader."""
    genes: dict[str, list[Gene]] = {}
    for block in (DATA / name).read_text().split("# start gene ")[1:]:
        rows = [line.split("\t") for line in block.splitlines() if "\tAUGUSTUS\t" in line]
        contig, strand = rows[0][0], rows[0][6]
        genes.setdefault(contig, []).append(
            Gene(contig, strand, (transcript(rows[1:]),), posterior=posterior(rows[1], rows[0]))
        )
    return genes


def transcript(rows: list[list[str]]) -> Transcript:
    """The transcript of its line and those of its parts."""
    strand = rows[0][6]
    of = {kind: [row for row in rows if row[2] == kind] for kind in {row[2] for row in rows}}
    utr5, utr3, introns = (
        of.get(f"{k}", []) for k in ("five_prime_utr", "three_prime_utr", "intron")
    )
    return Transcript(
        strand,
        spans(of["CDS"]),
        phase=int(of["CDS"][0 if strand == "+" else -1][7]),
        complete5="start_codon" in of,
        complete3="stop_codon" in of,
        start=int(rows[0][3]) - 1,
        end=int(rows[0][4]),
        utr5=spans(utr5),
        utr3=spans(utr3),
        tss="transcription_start_site" in of,
        tts="transcription_end_site" in of,
        posterior=posterior(rows[0]),
        cds_posterior=posteriors(of["CDS"]),
        intron_posterior=posteriors(introns),
        utr5_posterior=posteriors(utr5),
        utr3_posterior=posteriors(utr3),
    )


def spans(rows: list[list[str]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(row[3]) - 1, int(row[4])) for row in rows)


def posterior(row: list[str], of: list[str] | None = None) -> float | None:
    """The score of a line, or of another if this one has any."""
    return None if row[5] == "." else float((of or row)[5])


def posteriors(rows: list[list[str]]) -> tuple[float, ...]:
    return tuple(float(row[5]) for row in rows if row[5] != ".")


def without_posteriors(genes: dict[str, list[Gene]]) -> dict[str, list[Gene]]:
    def bare(found: Transcript) -> Transcript:
        none = dict.fromkeys([f"{k}_posterior" for k in ("cds", "intron", "utr5", "utr3")], ())
        return replace(found, posterior=None, **none)

    return {
        contig: [
            replace(gene, posterior=None, transcripts=tuple(map(bare, gene.transcripts)))
            for gene in found
        ]
        for contig, found in genes.items()
    }


def written(options: OutputOptions, genes: dict[str, list[Gene]]) -> Iterator[str]:
    """All lines from the first sequence header on."""
    number = 0
    for index, contig in enumerate(contigs(DATA / "genes.fa"), 1):
        yield from sequence_header(index, contig.name, len(contig.sequence), options)
        shown = [
            gene
            for gene in genes.get(contig.name, [])
            if options.strand == "both" or gene.strand == "-"
        ]
        for gene in shown:
            number += 1
            yield from gene_block(gene, number, contig.sequence, options, CODE)
        if not shown:
            yield NO_GENES


@pytest.mark.parametrize("name", [*RUNS, *UTR_RUNS])
def test_genes_are_written_as_augustus_writes_them(name: str) -> None:
    theirs = (DATA / name).read_text(encoding="utf-8").splitlines()
    genes = augustus_genes("utr.gff3" if name in UTR_RUNS else "full.gtf")
    if name == "utr.gtf":
        genes = without_posteriors(genes)
    ours = list(written({**RUNS, **UTR_RUNS}[name], genes))
    first = theirs.index(ours[0])
    assert ours == theirs[first:-2]


@pytest.mark.parametrize("name", RUNS)
def test_the_preamble_has_augustus_lines_but_for_the_credits(name: str) -> None:
    theirs = (DATA / name).read_text(encoding="utf-8").splitlines()
    ours = list(
        preamble(
            RUNS[name],
            species="human",
            config_folder="/usr/share/augustus/config",
            query="genes.fa",
            code=CODE,
        )
    )
    credits = range(theirs.index("# This output was generated with AUGUSTUS (version 3.5.0).") + 1)
    assert [ours[i] for i in credits] == [theirs[i] for i in credits]
    after = credits.stop + 5
    assert ours[after:] == theirs[after : len(ours)]
    assert all(line.startswith("# ") and len(line) <= 130 for line in ours[credits.stop : after])
    assert "König" in "".join(ours)


def test_the_trailer_is_the_command_line() -> None:
    theirs = (DATA / "default.gff3").read_text().splitlines()[-2:]
    assert list(trailer(["augustus", "--species=human", "--gff3=on", "genes.fa"])) == theirs


def test_codes_with_other_meanings_are_named_before_everything() -> None:
    options = OutputOptions(gff3=True)
    lines = list(
        preamble(
            options, species="x", config_folder="/c", query="f", code=genetic_code(6), gzipped=True
        )
    )
    warning = "# Warning: Using nonstandard genetic code: {} coding for GLUTAMINE instead of STOP."
    assert lines[:5] == [
        warning.format("TAA"),
        warning.format("TAG"),
        "# Looks like f is in gzip format. Deflating...",
        "##gff-version 3",
        "# This output was generated with AUGUSTUS (version 3.5.0).",
    ]


def test_stop_codons_that_code_do_not_make_another_table() -> None:
    """AUGUSTUS speaks of the table alone."""
    plain, coding = genetic_code(2), genetic_code(2, frozenset({"TAG"}))
    of_run = {"species": "x", "config_folder": "/c", "query": "f"}
    said_of_plain = list(preamble(OutputOptions(), code=plain, **of_run))
    assert list(preamble(OutputOptions(), code=coding, **of_run)) == said_of_plain
    assert len([line for line in said_of_plain if "nonstandard genetic code" in line]) == 4


def said(options: OutputOptions, **more: object) -> list[str]:
    """The preamble behind the credits."""
    asked = {"species": "x", "config_folder": "/c", "query": "f", "code": CODE, **more}
    return list(preamble(options, **asked))[6:]


INITIALIZING = "# Initializing the parameters using config directory /c/ ..."
SPECIES = "# x version. Using default transition matrix."


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        (0, ["# Sources of extrinsic information: M RM ", SPECIES]),
        (
            1,
            [
                "# No extrinsic information on sequences given.",
                "# Sources of extrinsic information: M RM ",
                SPECIES,
                "# We have hints for 0 sequences and for 0 of the sequences in the input set.",
            ],
        ),
        (
            2,
            [
                "# No extrinsic information on sequences given.",
                "# Sources of extrinsic information: M RM ",
                INITIALIZING,
                SPECIES,
                "# We have hints for 0 sequences and for 0 of the sequences in the input set.",
            ],
        ),
        (
            3,
            [
                "# No extrinsic information on sequences given.",
                "# Sources of extrinsic information: M RM ",
                INITIALIZING,
                SPECIES,
                "# Looks like f is in fasta format.",
                "# We have hints for 0 sequences and for 0 of the sequences in the input set.",
            ],
        ),
    ],
)
def test_quieter_runs_say_less(verbosity: int, expected: list[str]) -> None:
    assert said(OutputOptions(verbosity=verbosity)) == expected


HINTS = HintsOfRun(
    sources=("M", "P", "E", "RM"),
    settings=("1group1gene for E.", "CDSpart local malus: 0.99"),
    path="h.gff",
    sequences=2,
    matching=1,
)


def test_hints_are_announced() -> None:
    expected = [
        "# Sources of extrinsic information: M P E RM ",
        "# Setting 1group1gene for E.",
        "# Setting CDSpart local malus: 0.99",
        "# reading in the file h.gff ...",
        "# Have extrinsic information about 2 sequences (in the specified range). ",
        SPECIES,
        "# We have hints for 2 sequences and for 1 of the sequences in the input set.",
    ]
    assert said(OutputOptions(verbosity=1), hints=HINTS) == expected
    assert said(OutputOptions(verbosity=1, softmasking=False), hints=HINTS) == expected
    assert said(OutputOptions(verbosity=0), hints=HINTS) == [*expected[:3], SPECIES]
    one = said(OutputOptions(), hints=replace(HINTS, sequences=1))
    assert one[-1].startswith("# We have hints for 1 sequence and for 1 of the")


def test_hints_on_other_sequences_are_warned_of() -> None:
    assert said(OutputOptions(verbosity=0), hints=replace(HINTS, matching=0))[-2:] == [
        "# WARNING: extrinsic information given but not on any of the sequences in the input set!",
        "# Maybe different sequence names?",
    ]


def test_an_extrinsic_configuration_counts_without_hints_where_softmasking_is_on() -> None:
    sources = replace(HINTS, path=None, sequences=0, matching=0)
    quiet = OutputOptions(verbosity=0)
    assert said(quiet, hints=sources)[:2] == [
        "# Sources of extrinsic information: M P E RM ",
        "# Setting 1group1gene for E.",
    ]
    assert said(replace(quiet, softmasking=False), hints=sources) == [SPECIES]


def test_genbank_files_are_counted() -> None:
    looks = (
        "# Looks like f is in genbank format. Augustus uses the annotation for evaluation of"
        " accuracy."
    )
    read = "# Read in 7 genbank sequences."
    assert said(OutputOptions(), genbank=7)[-2:] == [looks, read]
    assert said(OutputOptions(verbosity=0), genbank=7)[-2:] == [SPECIES, read]
    assert said(OutputOptions(genbank_verbosity=0), genbank=7)[-2:] == [SPECIES, looks]


def test_ways_of_predicting_are_named_behind_the_species() -> None:
    options = OutputOptions(verbosity=1, softmasking=False, mea=True, bacterium=True)
    assert said(
        options,
        profile=("pp", "--[0..9]--> pp_A (4) <--[0..9]--"),
        start_codons=[("ATG", 0.91512), ("GTG", 0.0703), ("TTG", 0.0)],
        temperature=3,
    )[1:-1] == [
        "# Using protein profile pp",
        "# --[0..9]--> pp_A (4) <--[0..9]--",
        SPECIES,
        "# Using default overlap length distribution file.",
        "# setting temperature to 3 (for sampling)",
        "# admissible start codons and their probabilities: ATG(0.915), GTG(0.0703), TTG(0)",
        "# Using MEA approach (Maximizing expected accuracy).",
    ]


def test_hints_of_a_sequence_stand_before_its_genes() -> None:
    header = sequence_header(3, "c", 50, OutputOptions(singlestrand=True), ["# hint"])
    assert list(header) == [
        "#",
        "# ----- prediction on sequence number 3 (length = 50, name = c) -----",
        "#",
        "# hint",
        "# Predicted genes for sequence number 3 on both strands",
        "# Overlapping genes on opposite strand are allowed.",
    ]


ANNOTATED = Gene("c", "-", (Transcript("-", ((3, 10), (20, 22))), Transcript("-", ((3, 12),))), "x")


def test_annotated_genes_stand_in_the_header_of_their_sequence() -> None:
    options = OutputOptions(utr=True, introns=True, strand="forward", singlestrand=True)
    parent = 'transcript_id "x.{}"; gene_id "x";'
    assert list(locus_header(1, "c", 30, [ANNOTATED], options, ["# hint"])) == [
        "#",
        "# ----- sequence number 1 (length = 30, name = c) -----",
        "#",
        "",
        "# annotation: ",
        "# Sequence c length=30",
        *(
            f"c\tdatabase\t{kind}\t{first}\t{last}\t.\t-\t{phase}\t{parent.format(number)}"
            for number, kind, first, last, phase in (
                (1, "stop_codon", 4, 6, 0),
                (1, "intron", 11, 20, "."),
                (1, "CDS", 4, 10, 1),
                (1, "exon", 4, 10, "."),
                (1, "CDS", 21, 22, 0),
                (1, "exon", 21, 22, "."),
                (1, "start_codon", 20, 22, 0),
                (2, "stop_codon", 4, 6, 0),
                (2, "CDS", 4, 12, 0),
                (2, "exon", 4, 12, "."),
                (2, "start_codon", 10, 12, 0),
            )
        ),
        "# hint",
        "# Predicted genes for sequence number 1 on forward strand",
        "# Overlapping genes on opposite strand were allowed.",
    ]


def test_quiet_runs_do_not_show_annotated_genes() -> None:
    assert list(locus_header(1, "c", 30, [ANNOTATED], OutputOptions(verbosity=0))) == [
        "# Predicted genes for sequence number 1 on both strands"
    ]


def test_annotated_genes_can_be_shown_with_their_proteins() -> None:
    gene = Gene("c", "+", (Transcript("+", ((3, 12),)),), "x")
    options = OutputOptions(start=False, stop=False, gff3=True)
    assert list(annotated_gene_block(gene, b"CCCATGGCCTAA", options, CODE)) == [
        "# start gene x",
        "c\tdatabase\tgene\t4\t12\t.\t+\t.\tID=x",
        "c\tdatabase\ttranscript\t4\t12\t.\t+\t.\tID=x.1;Parent=x",
        "c\tdatabase\tCDS\t4\t12\t.\t+\t0\tID=x.1.cds;Parent=x.1",
        "# protein sequence = [MA]",
        "# end gene x",
        "###",
    ]


@pytest.mark.parametrize(
    ("strand", "posterior", "options", "expected"),
    [
        ("+", None, {}, "1"),
        ("-", None, {}, "1"),
        ("+", 0.98765, {}, "0.988"),
        ("+", 0.98765, {"mea": True}, "0"),
        ("+", 0.5, {"singlestrand": True}, "0.5"),
        ("-", 0.5, {"singlestrand": True}, "."),
        ("-", None, {"singlestrand": True, "mea": True}, "."),
    ],
)
def test_scores_of_genes(
    strand: str, posterior: float | None, options: dict[str, bool], expected: str
) -> None:
    gene = Gene("c", strand, (Transcript(strand, ((0, 9),)),), posterior=posterior)
    lines = list(gene_block(gene, 1, b"A" * 9, OutputOptions(**options), CODE))
    assert lines[1].split("\t")[5] == expected
    assert lines[2].split("\t")[5] == "."


def test_a_shift_moves_coordinates_and_not_letters() -> None:
    gene = Gene("c", "+", (Transcript("+", ((3, 12),), utr5=((0, 3),), tss=True),))
    options = OutputOptions(evidence=False, utr=True)
    lines = list(gene_block(gene, 1, b"CCCATGGCCTAA", options, CODE, shift=1000))
    spans = [line.split("\t")[3:5] for line in lines if "\t" in line]
    assert [(int(a), int(b)) for a, b in spans] == [
        (1001, 1012),
        (1001, 1012),
        (1001, 1001),
        (1001, 1012),
        (1004, 1006),
        (1004, 1012),
        (1010, 1012),
    ]
    assert "# protein sequence = [MA]" in lines


def test_each_transcript_has_its_own_evidence() -> None:
    gene = Gene("c", "+", (Transcript("+", ((0, 9),)), Transcript("+", ((0, 6),))))
    evidence = [Evidence(PartCount(1, 1), PartCount()), Evidence(PartCount(0, 1), PartCount())]
    lines = list(gene_block(gene, 1, b"A" * 9, OutputOptions(), CODE, evidence=evidence))
    shares = [line for line in lines if line.startswith("# % of")]
    assert [line.rpartition(" ")[2] for line in shares] == ["100", "0"]
    with pytest.raises(ValueError):
        list(gene_block(gene, 1, b"A" * 9, OutputOptions(), CODE, evidence=evidence[:1]))


def test_transcripts_of_a_gene_share_its_block() -> None:
    gene = Gene("c", "+", (Transcript("+", ((0, 9),)), Transcript("+", ((0, 6),))))
    options = OutputOptions(protein=False, evidence=False, start=False, stop=False)
    assert list(gene_block(gene, 7, b"A" * 9, options, CODE)) == [
        "# start gene g7",
        "c\tAUGUSTUS\tgene\t1\t9\t1\t+\t.\tg7",
        "c\tAUGUSTUS\ttranscript\t1\t9\t.\t+\t.\tg7.t1",
        'c\tAUGUSTUS\tCDS\t1\t9\t.\t+\t0\ttranscript_id "g7.t1"; gene_id "g7";',
        "c\tAUGUSTUS\ttranscript\t1\t6\t.\t+\t.\tg7.t2",
        'c\tAUGUSTUS\tCDS\t1\t6\t.\t+\t0\ttranscript_id "g7.t2"; gene_id "g7";',
        "# end gene g7",
        "###",
    ]


def test_unique_ids_cut_long_names() -> None:
    gene = Gene("n" * 40, "+", (Transcript("+", ((0, 9),)),))
    options = OutputOptions(unique_gene_id=True)
    assert next(gene_block(gene, 3, b"A" * 9, options, CODE)) == f"# start gene {'n' * 30}.g3"


UTR = st.sampled_from([(), ((12, 0),), ((30, 20), (9, 0)), ((30, 20),)])
"""Distances of untranslated parts from the CDS; the innermost may touch it."""


@st.composite
def genes(draw: st.DrawFn) -> tuple[Gene, bytes]:
    """A gene of a random structure, complete or cut by the ends of its random sequence."""
    strand = draw(st.sampled_from("+-"))
    widths = draw(st.lists(st.integers(3, 40), min_size=1, max_size=9).filter(lambda w: len(w) % 2))
    complete5, complete3 = draw(st.booleans()), draw(st.booleans())
    whole_left, whole_right = (complete5, complete3) if strand == "+" else (complete3, complete5)
    left_utr, right_utr = (draw(UTR) if whole else () for whole in (whole_left, whole_right))
    left = 30 + draw(st.integers(0, 9)) if whole_left or draw(st.booleans()) else 0
    right = 30 + draw(st.integers(0, 9)) if whole_right or draw(st.booleans()) else 0
    edges = np.cumsum([left, *widths])
    length = int(edges[-1]) + right
    cds = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    bases = sum(end - start for start, end in cds)
    assume(bases > 3)  # a stop codon alone, excluded, leaves no line to read
    phase = 0 if complete5 else (bases % 3 if complete3 else draw(st.integers(0, 2)))
    if complete5 and complete3 and bases % 3:
        first, last = cds[-1]
        cds[-1] = (first, last + 3 - bases % 3)
        length += 3
    left_utr = tuple((cds[0][0] - far, cds[0][0] - near) for far, near in left_utr)
    right_utr = tuple((cds[-1][1] + near, cds[-1][1] + far) for far, near in right_utr[::-1])
    transcript = Transcript(
        strand,
        tuple(cds),
        phase,
        complete5,
        complete3,
        start=-1 if whole_left else 0,
        end=-1 if whole_right else length,
        utr5=left_utr if strand == "+" else right_utr,
        utr3=right_utr if strand == "+" else left_utr,
    )
    sequence = bytes(
        draw(st.lists(st.sampled_from(b"ACGTacgtN"), min_size=length, max_size=length))
    )
    return Gene("contig", strand, (transcript,)), sequence


@pytest.mark.parametrize("gff3", [False, True])
@given(
    drawn=genes(),
    flags=st.fixed_dictionaries(
        {name: st.booleans() for name in ("stop_excluded", "introns", "print_utr", "exonnames")}
    ),
)
def test_what_is_written_reads_back_as_the_same_gene(
    tmp_path_factory: pytest.TempPathFactory,
    gff3: bool,
    drawn: tuple[Gene, bytes],
    flags: dict[str, bool],
) -> None:
    """Untranslated regions are not read."""
    gene, sequence = drawn
    options = OutputOptions(gff3=gff3, utr=True, codingseq=True, **flags)
    whole = Gene("other", "+", (Transcript("+", ((0, 9),)),))
    lines = ["##gff-version 3"] if gff3 else []
    lines += gene_block(whole, 1, b"ATGAAATAA", options, CODE)
    lines += gene_block(gene, 2, sequence, options, CODE)
    path = tmp_path_factory.mktemp("written") / "genes.gff"
    path.write_text("\n".join(lines) + "\n")
    (read,) = read_annotation(path).genes["contig"]
    (ours,) = gene.transcripts
    bare = replace(
        ours,
        start=ours.cds[0][0] if ours.left_utr else ours.start,
        end=ours.cds[-1][1] if ours.right_utr else ours.end,
        utr5=(),
        utr3=(),
    )
    assert replace(read.transcripts[0], id="") == bare
