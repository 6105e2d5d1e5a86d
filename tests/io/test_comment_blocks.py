"""Comment blocks behind a transcript: sequences, matches of a profile, evidence."""

from __future__ import annotations

import re

import pytest

from augustus_dl.evidence import Evidence, GroupCount, PartCount
from augustus_dl.gene import BlockMatch, Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.comment_blocks import evidence_block, sequence_blocks
from augustus_dl.io.writers import OutputOptions, gene_block

CODE = genetic_code(1)


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


MATCHED = Transcript(
    "+",
    ((0, 14), (17, 30)),
    matches=(
        BlockMatch("unknown_A", 3, 14, 1.0, 0, 0, 4, 1),
        BlockMatch("unknown_A", 17, 21, 1.0, 1, 4, 5, 4),
        BlockMatch("unknown_long_B", 21, 27, 1.0, 0, 0, 2, 6),
    ),
)
MATCHED_LETTERS = b"ATGGCCGACGAATT" + b"nnn" + b"TCCTGGAGATTAA"


def matched(transcript: Transcript, letters: bytes) -> list[str]:
    lines = sequence_blocks(transcript, letters, OutputOptions(), CODE)
    return [line for line in lines if "block" in line]


def test_a_block_split_by_an_intron_is_shown_in_one_piece() -> None:
    expected = [
        "# sequence of block unknown_A     1 [ADEFP] 6",
        "# sequence of block unknown_long_B    6 [GD] 8",
    ]
    assert matched(MATCHED, MATCHED_LETTERS) == expected
    turned = MATCHED_LETTERS[::-1].translate(bytes.maketrans(b"ACGT", b"TGCA"))
    assert matched(MATCHED.mirrored(30), turned) == expected[::-1]


def test_blocks_are_part_of_the_protein() -> None:
    options = OutputOptions(protein=False, codingseq=True)
    lines = list(sequence_blocks(MATCHED, MATCHED_LETTERS, options, CODE))
    assert lines == ["# coding sequence = [atggccgacgaatttcctggagattaa]"]


def test_evidence_names_sources_and_groups() -> None:
    evidence = Evidence(
        cds_exons=PartCount(4, 10, (("E", 2), ("P", 2))),
        cds_introns=PartCount(1, 9, (("E", 1),)),
        obeyed=GroupCount((("E", ("", "", "est1")), ("RM", ("",)))),
        incompatible=GroupCount((("P", ("prot1", "prot2")),)),
    )
    assert list(evidence_block(evidence)) == [
        "# Evidence for and against this transcript:",
        "# % of transcript supported by hints (any source): 26.3",
        "# CDS exons: 4/10",
        "#      E:   2 ",
        "#      P:   2 ",
        "# CDS introns: 1/9",
        "#      E:   1 ",
        "# 5'UTR exons and introns: 0/0",
        "# 3'UTR exons and introns: 0/0",
        "# hint groups fully obeyed: 4",
        "#      E:   3 (est1)",
        "#     RM:   1 ",
        "# incompatible hint groups: 2",
        "#      P:   2 (prot1,prot2)",
    ]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["a" * 79], f"({'a' * 79})"),
        (["a" * 79, "b"], f"({'a' * 79},...)"),
        (["a" * 78, "b"], f"({'a' * 78},b)"),
        (["a" * 78, "", "b", "c"], f"({'a' * 78},b,...)"),
    ],
)
def test_no_group_is_named_behind_eighty_characters(names: list[str], shown: str) -> None:
    """A name counts with the comma behind it."""
    evidence = Evidence(PartCount(), PartCount(), obeyed=GroupCount((("E", tuple(names)),)))
    line = next(line for line in evidence_block(evidence) if line.startswith("#      E:"))
    assert line == f"#      E:{len(names):>4} {shown}"
