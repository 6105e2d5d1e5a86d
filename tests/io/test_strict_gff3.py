"""GFF3 by the specification: exact lines, and against our own reader.

python -m pytest tests/io/test_strict_gff3.py
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io import strict_gff3, writers
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.writers import OutputOptions

CODE = genetic_code(1)
SILENT = OutputOptions(protein=False, evidence=False)


def lines(gene: Gene, options: OutputOptions = SILENT, **more: object) -> list[str]:
    length = gene.end
    return list(strict_gff3.gene_block(gene, 1, b"A" * length, options, CODE, **more))


def rows(text: list[str]) -> Iterator[list[str]]:
    for line in text:
        if not line.startswith("#"):
            contig, source, *rest = line.split("\t")
            assert (contig, source) == ("c", "AUGUSTUS")
            yield [rest[0], *rest[1:3], *rest[3:6], rest[6]]


FORWARD = Transcript(
    "+",
    ((15, 20), (30, 41)),
    utr5=((2, 5), (10, 15)),
    utr3=((41, 50),),
    tss=True,
    tts=True,
    posterior=0.5,
    cds_posterior=(0.98765, 1.0),
    utr5_posterior=(0.25, 0.5),
    utr3_posterior=(0.125,),
)


def test_all_lines_of_a_gene_with_untranslated_regions() -> None:
    gene = Gene("c", "+", (FORWARD,), posterior=0.75)
    own = "ID=g1.t1.{};Parent=g1.t1"
    assert list(rows(lines(gene))) == [
        ["gene", "3", "50", "0.75", "+", ".", "ID=g1"],
        ["mRNA", "3", "50", "0.5", "+", ".", "ID=g1.t1;Parent=g1"],
        ["exon", "3", "5", ".", "+", ".", own.format("exon1")],
        ["five_prime_UTR", "3", "5", "0.25", "+", ".", own.format("five_prime_UTR1")],
        ["exon", "11", "20", ".", "+", ".", own.format("exon2")],
        ["five_prime_UTR", "11", "15", "0.5", "+", ".", own.format("five_prime_UTR2")],
        ["CDS", "16", "20", "0.988", "+", "0", own.format("CDS1")],
        ["exon", "31", "50", ".", "+", ".", own.format("exon3")],
        ["CDS", "31", "41", "1", "+", "1", own.format("CDS2")],
        ["three_prime_UTR", "42", "50", "0.125", "+", ".", own.format("three_prime_UTR1")],
    ]


def test_parts_are_numbered_in_transcript_direction() -> None:
    gene = Gene("c", "-", (FORWARD.mirrored(60),))
    names = [row[-1].partition(";")[0].rpartition(".")[2] for row in rows(lines(gene))][2:]
    assert names == [
        "exon3",
        "three_prime_UTR1",
        "CDS2",
        "exon2",
        "CDS1",
        "five_prime_UTR2",
        "exon1",
        "five_prime_UTR1",
    ]


def test_options_of_the_dialect_take_nothing_away() -> None:
    gene = Gene("c", "+", (FORWARD,))
    less = OutputOptions(
        protein=False,
        evidence=False,
        cds=False,
        stop_excluded=True,
        print_utr=True,
        exonnames=True,
        introns=True,
    )
    assert lines(gene, less) == lines(gene)


def test_comments_are_those_of_augustus_dialect() -> None:
    gene = Gene("c", "+", (FORWARD,))
    options = OutputOptions(codingseq=True)
    native = writers.gene_block(gene, 1, b"A" * 50, options, CODE)
    comments = [line for line in native if line.startswith("#")]
    assert [line for line in lines(gene, options) if line.startswith("#")] == comments
    assert len(comments) > 10


def test_missing_ends_are_marked_in_printed_coordinates() -> None:
    left = Transcript("-", ((10, 19),), complete3=False, start=0)
    both = Transcript("+", ((0, 6),), phase=1, complete5=False, complete3=False)
    found = [row[-1] for row in rows(lines(Gene("c", "-", (left,)), shift=100))]
    assert found[1] == "ID=g1.t1;Parent=g1;partial=true;start_range=.,101"
    found = [row[-1] for row in rows(lines(Gene("c", "+", (both,))))]
    assert found[1] == "ID=g1.t1;Parent=g1;partial=true;start_range=.,1;end_range=6,."


def test_a_shift_moves_coordinates_and_not_letters() -> None:
    gene = Gene("c", "+", (Transcript("+", ((3, 12),)),))
    sequence = b"CCCATGGCCTAA"
    options = OutputOptions(evidence=False)
    here, there = (
        list(strict_gff3.gene_block(gene, 1, sequence, options, CODE, shift=shift))
        for shift in (0, 1000)
    )
    assert here[1].split("\t")[3:5] == ["4", "12"]
    assert there[1].split("\t")[3:5] == ["1004", "1012"]
    assert "# protein sequence = [MA]" in here and "# protein sequence = [MA]" in there


@pytest.mark.parametrize(
    ("name", "column", "attribute"),
    [
        ("chr|1:2", "chr|1:2", "chr|1:2.g1"),
        ("a=b;c&d,e%", "a%3Db%3Bc%26d%2Ce%25", "a%3Db%3Bc%26d%2Ce%25.g1"),
        (">x(y)~", "%3Ex%28y%29%7E", ">x(y)~.g1"),
    ],
)
def test_names_are_escaped_where_the_specification_reserves_letters(
    name: str, column: str, attribute: str
) -> None:
    gene = Gene(name, "+", (Transcript("+", ((0, 9),)),))
    options = OutputOptions(protein=False, evidence=False, unique_gene_id=True)
    text = lines(gene, options)
    assert text[0] == f"# start gene {name}.g1"
    assert text[1].split("\t")[0] == column
    assert text[1].split("\t")[8] == f"ID={attribute}"
    header = list(strict_gff3.sequence_header(1, name, 9, options))
    assert header[-1] == f"##sequence-region {column} 1 9"


def test_the_version_comes_before_everything() -> None:
    of_run = {"species": "x", "config_folder": "/c", "query": "f", "code": genetic_code(6)}
    strict = list(strict_gff3.preamble(OutputOptions(gff3=True), **of_run))
    native = list(writers.preamble(OutputOptions(), **of_run))
    assert native[0].startswith("# Warning: Using nonstandard genetic code")
    assert strict == ["##gff-version 3", *native]


def test_the_region_is_that_of_the_range() -> None:
    *header, region = strict_gff3.sequence_header(2, "c", 50, OutputOptions(), ["# x"], start=100)
    assert header == list(writers.sequence_header(2, "c", 50, OutputOptions(), ["# x"]))
    assert region == "##sequence-region c 101 150"


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("complete5", [False, True])
@pytest.mark.parametrize("complete3", [False, True])
def test_our_reader_finds_the_same_cds(
    tmp_path, strand: str, complete5: bool, complete3: bool
) -> None:
    transcript = Transcript(
        strand,
        ((10, 20), (30, 41)),
        phase=0 if complete5 else 2,
        complete5=complete5,
        complete3=complete3,
        utr5=((2, 10),) if strand == "+" else ((45, 50),),
    )
    path = tmp_path / "genes.gff3"
    text = ["##gff-version 3", *lines(Gene("c", strand, (transcript,)))]
    path.write_text("\n".join(text) + "\n")
    ((read,),) = (gene.transcripts for gene in read_annotation(path).genes["c"])
    assert (read.cds, read.phase, read.id) == (transcript.cds, transcript.phase, "g1.t1")
    assert (read.complete5, read.complete3) == (complete5, complete3)
