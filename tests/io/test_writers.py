"""The writer against real output of AUGUSTUS 3.5.0 (tests/data) and against our reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import contigs
from augustus_dl.io.writers import (
    NO_GENES,
    OutputOptions,
    gene_block,
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


def augustus_genes() -> dict[str, list[Gene]]:
    """AUGUSTUS's genes, read from full.gtf without our reader."""
    genes: dict[str, list[Gene]] = {}
    for block in (DATA / "full.gtf").read_text().split("# start gene ")[1:]:
        rows = [line.split("\t") for line in block.splitlines() if "\tAUGUSTUS\t" in line]
        spans = [(row[2], int(row[3]) - 1, int(row[4]), row[7]) for row in rows]
        contig, strand = rows[0][0], rows[0][6]
        cds = [(start, end) for kind, start, end, _ in spans if kind == "CDS"]
        phases = [int(phase) for kind, _, _, phase in spans if kind == "CDS"]
        kinds = {kind for kind, *_ in spans}
        transcript = Transcript(
            strand,
            tuple(cds),
            phase=phases[0 if strand == "+" else -1],
            complete5="start_codon" in kinds,
            complete3="stop_codon" in kinds,
            start=spans[1][1],
            end=spans[1][2],
        )
        genes.setdefault(contig, []).append(Gene(contig, strand, (transcript,)))
    return genes


def written(options: OutputOptions) -> Iterator[str]:
    """All lines from the first sequence header on, for AUGUSTUS's own genes."""
    genes, number = augustus_genes(), 0
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


@pytest.mark.parametrize("name", RUNS)
def test_genes_are_written_as_augustus_writes_them(name: str) -> None:
    theirs = (DATA / name).read_text(encoding="utf-8").splitlines()
    ours = list(written(RUNS[name]))
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


def cds_lines(cds: list[tuple[int, int]], strand: str, **options: bool) -> list[list[str]]:
    gene = Gene("c", strand, (Transcript(strand, tuple(cds)),))
    shown = OutputOptions(protein=False, evidence=False, start=False, stop=False, **options)
    rows = [line.split("\t") for line in gene_block(gene, 1, b"A" * 99, shown, CODE)]
    return [[row[2], row[3], row[4], row[7]] for row in rows[3:-2]]


def test_a_stop_codon_split_by_an_intron_is_excluded_whole() -> None:
    assert cds_lines([(0, 11), (20, 21)], "+", stop_excluded=True) == [["CDS", "1", "9", "0"]]
    assert cds_lines([(0, 3), (10, 19)], "-", stop_excluded=True) == [["CDS", "11", "19", "0"]]
    assert cds_lines([(0, 2), (10, 17), (20, 23)], "-", stop_excluded=True) == [
        ["CDS", "12", "17", "0"],
        ["CDS", "21", "23", "0"],
    ]


def test_a_gene_of_one_exon_is_single() -> None:
    single = cds_lines([(3, 12)], "+", exonnames=True)
    assert single == [["single", "4", "12", "0"], ["CDS", "4", "12", "0"]]


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


def protein(letters: bytes, table: int = 1, **fields: object) -> str:
    gene = Gene("c", "+", (Transcript("+", ((0, len(letters)),), **fields),))
    options = OutputOptions(bacterium=table == 11)
    text = "\n".join(gene_block(gene, 1, letters, options, genetic_code(table)))
    return re.search(r"protein sequence = \[([^]]*)]", text).group(1).replace("\n# ", "")


def test_proteins_show_inner_stops_and_unknown_codons_as_x() -> None:
    assert protein(b"ATGTAANNNGCCTAG") == "MXXA"
    assert protein(b"TAATGAC", complete5=False, phase=1, complete3=False) == "ND"
    assert protein(b"ATGTAAA", complete3=False) == "MX"
    assert protein(b"ATGTAA", complete3=False) == "M"


def test_bacterial_genes_begin_with_methionine_whatever_they_read() -> None:
    assert protein(b"GTGGTGTAA", table=11) == "MV"
    assert protein(b"GTGGTGTAA", table=11, complete5=False) == "VV"
    assert protein(b"GTGGTGTAA") == "VV"


@pytest.mark.parametrize("length", [77, 78, 79, 78 + 98, 78 + 99])
def test_the_closing_bracket_never_stands_alone(length: int) -> None:
    """Measured: when the last line is full the bracket is column 101."""
    gene = Gene("c", "+", (Transcript("+", ((0, 3 * length + 3),)),))
    options = OutputOptions(cds=False, evidence=False, start=False, stop=False)
    lines = list(gene_block(gene, 1, b"ATG" * length + b"TAA", options, CODE))[3:-2]
    assert lines[-1].endswith("M]")
    assert [len(line.removesuffix("]")) for line in lines[:-1]] == [100] * (len(lines) - 1)
    assert 2 < len(lines[-1]) <= 101


def test_unique_ids_cut_long_names() -> None:
    gene = Gene("n" * 40, "+", (Transcript("+", ((0, 9),)),))
    options = OutputOptions(unique_gene_id=True)
    assert next(gene_block(gene, 3, b"A" * 9, options, CODE)) == f"# start gene {'n' * 30}.g3"


@st.composite
def genes(draw: st.DrawFn) -> tuple[Gene, bytes]:
    """A gene of a random structure, complete or cut by the ends of its random sequence."""
    strand = draw(st.sampled_from("+-"))
    widths = draw(st.lists(st.integers(3, 40), min_size=1, max_size=9).filter(lambda w: len(w) % 2))
    complete5, complete3 = draw(st.booleans()), draw(st.booleans())
    whole_left, whole_right = (complete5, complete3) if strand == "+" else (complete3, complete5)
    left = draw(st.integers(0, 9)) if whole_left or draw(st.booleans()) else 0
    right = draw(st.integers(0, 9)) if whole_right or draw(st.booleans()) else 0
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
    transcript = Transcript(
        strand,
        tuple(cds),
        phase,
        complete5,
        complete3,
        start=cds[0][0] if whole_left else 0,
        end=cds[-1][1] if whole_right else length,
    )
    sequence = bytes(
        draw(st.lists(st.sampled_from(b"ACGTacgtN"), min_size=length, max_size=length))
    )
    return Gene("contig", strand, (transcript,)), sequence


@pytest.mark.parametrize("gff3", [False, True])
@given(drawn=genes(), stop_excluded=st.booleans(), introns=st.booleans())
def test_what_is_written_reads_back_as_the_same_gene(
    tmp_path_factory: pytest.TempPathFactory,
    gff3: bool,
    drawn: tuple[Gene, bytes],
    stop_excluded: bool,
    introns: bool,
) -> None:
    gene, sequence = drawn
    options = OutputOptions(gff3=gff3, stop_excluded=stop_excluded, introns=introns, codingseq=True)
    whole = Gene("other", "+", (Transcript("+", ((0, 9),)),))
    lines = ["##gff-version 3"] if gff3 else []
    lines += gene_block(whole, 1, b"ATGAAATAA", options, CODE)
    lines += gene_block(gene, 2, sequence, options, CODE)
    path = tmp_path_factory.mktemp("written") / "genes.gff"
    path.write_text("\n".join(lines) + "\n")
    (read,) = read_annotation(path).genes["contig"]
    assert replace(read.transcripts[0], id="") == gene.transcripts[0]
