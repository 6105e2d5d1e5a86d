"""Lines of a transcript in every mode: their order, columns, scores and attributes.

The expectations are AUGUSTUS's, see tests/data for its own files; coordinates here are small.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from augustus_dl.gene import BlockMatch, Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.writers import OutputOptions, gene_block

CODE = genetic_code(1)


def shown(transcript: Transcript, **options: object) -> list[str]:
    """Feature, start, end, score and phase of each line behind that of the transcript."""
    gene = Gene("c", transcript.strand, (transcript,))
    asked = OutputOptions(protein=False, evidence=False, **options)
    rows = [line.split("\t") for line in gene_block(gene, 1, b"A" * 200, asked, CODE)]
    return [" ".join([row[2], row[3], row[4], row[5], row[7]]) for row in rows[3:-2]]


def cds_lines(cds: list[tuple[int, int]], strand: str, **options: bool) -> list[str]:
    return shown(Transcript(strand, tuple(cds)), start=False, stop=False, **options)


def test_a_stop_codon_split_by_an_intron_is_excluded_whole() -> None:
    assert cds_lines([(0, 11), (20, 21)], "+", stop_excluded=True) == ["CDS 1 9 . 0"]
    assert cds_lines([(0, 3), (10, 19)], "-", stop_excluded=True) == ["CDS 11 19 . 0"]
    assert cds_lines([(0, 2), (10, 17), (20, 23)], "-", stop_excluded=True) == [
        "CDS 12 17 . 0",
        "CDS 21 23 . 0",
    ]


def test_a_gene_of_one_exon_is_single() -> None:
    single = cds_lines([(3, 12)], "+", exonnames=True)
    assert single == ["single 4 12 . 0", "CDS 4 12 . 0"]


TRANSCRIPT = Transcript(
    "+",
    ((30, 37), (50, 61)),
    utr5=((5, 10), (20, 30)),
    utr3=((61, 70), (80, 95)),
    tss=True,
    tts=True,
)
"""Untranslated regions of two parts, touching the CDS."""


def test_in_utr_mode_exons_hold_their_untranslated_parts() -> None:
    assert shown(TRANSCRIPT, utr=True, introns=True, exonnames=True) == [
        "tss 6 6 . .",
        "exon 6 10 . .",
        "exon 21 37 . .",
        "start_codon 31 33 . 0",
        "initial 31 37 . 0",
        "terminal 51 61 . 2",
        "intron 38 50 . .",
        "CDS 31 37 . 0",
        "CDS 51 61 . 2",
        "exon 51 70 . .",
        "stop_codon 59 61 . 0",
        "exon 81 95 . .",
        "tts 95 95 . .",
    ]


def test_on_the_reverse_strand_the_stop_codon_comes_first() -> None:
    assert shown(TRANSCRIPT.mirrored(100), utr=True, introns=True, exonnames=True) == [
        "tts 6 6 . .",
        "exon 6 20 . .",
        "exon 31 50 . .",
        "stop_codon 40 42 . 0",
        "terminal 40 50 . 2",
        "initial 64 70 . 0",
        "intron 51 63 . .",
        "CDS 40 50 . 2",
        "CDS 64 70 . 0",
        "exon 64 80 . .",
        "start_codon 68 70 . 0",
        "exon 91 95 . .",
        "tss 95 95 . .",
    ]


def test_printed_utrs_replace_exons() -> None:
    assert shown(TRANSCRIPT, utr=True, print_utr=True) == [
        "tss 6 6 . .",
        "5'-UTR 6 10 . .",
        "5'-UTR 21 30 . .",
        "start_codon 31 33 . 0",
        "CDS 31 37 . 0",
        "CDS 51 61 . 2",
        "stop_codon 59 61 . 0",
        "3'-UTR 62 70 . .",
        "3'-UTR 81 95 . .",
        "tts 95 95 . .",
    ]


def test_gff3_has_its_own_names() -> None:
    kinds = [line.split()[0] for line in shown(TRANSCRIPT, utr=True, print_utr=True, gff3=True)]
    assert kinds == [
        "transcription_start_site",
        *["five_prime_utr"] * 2,
        "start_codon",
        *["CDS"] * 2,
        "stop_codon",
        *["three_prime_utr"] * 2,
        "transcription_end_site",
    ]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_signals_are_shown_where_known_and_wanted(strand: str) -> None:
    transcript = TRANSCRIPT if strand == "+" else TRANSCRIPT.mirrored(100)

    def signals(found: Transcript, **options: bool) -> set[str]:
        return {line.split()[0] for line in shown(found, utr=True, **options)} & {"tss", "tts"}

    assert signals(transcript) == {"tss", "tts"}
    assert signals(transcript, tss=False) == {"tts"}
    assert signals(transcript, tts=False) == {"tss"}
    assert signals(replace(transcript, tss=False)) == {"tts"}
    assert signals(replace(transcript, tts=False)) == {"tss"}


def test_an_exon_may_hold_both_untranslated_regions() -> None:
    single = Transcript("-", ((30, 39),), utr5=((39, 50),), utr3=((20, 30),))
    assert shown(single, utr=True) == [
        "exon 21 50 . .",
        "stop_codon 31 33 . 0",
        "CDS 31 39 . 0",
        "start_codon 37 39 . 0",
    ]


def test_an_intron_right_before_the_start_codon_leaves_the_exon_at_its_place() -> None:
    """AUGUSTUS has an untranslated part of no bases there."""
    apart = replace(TRANSCRIPT, utr5=((5, 10),), utr3=((80, 95),))
    assert shown(apart, utr=True, start=False, stop=False) == [
        "tss 6 6 . .",
        "exon 6 10 . .",
        "exon 31 37 . .",
        "CDS 31 37 . 0",
        "CDS 51 61 . 2",
        "exon 51 61 . .",
        "exon 81 95 . .",
        "tts 95 95 . .",
    ]
    assert "exon" not in " ".join(shown(apart, utr=True, print_utr=True))


def test_genes_cut_by_the_sequence_end_have_no_codon_there() -> None:
    """The left end lies in an intron, the right end in an exon."""
    cut = Transcript("+", ((30, 37), (50, 61)), phase=1, complete5=False, complete3=False, start=0)
    assert shown(cut, introns=True, exonnames=True, utr=True) == [
        "internal 31 37 . 1",
        "internal 51 61 . 0",
        "intron 1 30 . .",
        "intron 38 50 . .",
        "CDS 31 37 . 1",
        "exon 31 37 . .",
        "CDS 51 61 . 0",
        "exon 51 61 . .",
    ]


def test_lines_can_be_left_out() -> None:
    transcript = Transcript("+", ((30, 37), (50, 61)))
    assert shown(transcript, cds=False) == ["start_codon 31 33 . 0", "stop_codon 59 61 . 0"]
    assert shown(transcript, start=False, stop=False, cds=False) == []


def test_exons_keep_the_stop_codon_that_the_cds_excludes() -> None:
    transcript = Transcript("+", ((30, 36), (50, 53)), utr3=((53, 60),))
    assert shown(transcript, utr=True, stop_excluded=True, exonnames=True, start=False) == [
        "initial 31 36 . 0",
        "terminal 51 53 . 0",
        "CDS 31 36 . 0",
        "exon 31 36 . .",
        "exon 51 60 . .",
        "stop_codon 51 53 . 0",
    ]


SCORED = replace(
    TRANSCRIPT,
    posterior=0.61,
    cds_posterior=(0.98765, 1.0),
    intron_posterior=(0.0004321,),
    utr5_posterior=(0.5, 0.25),
    utr3_posterior=(0.125, 1e-5),
)


def test_scores_have_three_significant_digits_and_signals_and_exons_none() -> None:
    assert shown(SCORED, utr=True, introns=True, exonnames=True) == [
        "tss 6 6 . .",
        "exon 6 10 . .",
        "exon 21 37 . .",
        "start_codon 31 33 . 0",
        "initial 31 37 0.988 0",
        "terminal 51 61 1 2",
        "intron 38 50 0.000432 .",
        "CDS 31 37 0.988 0",
        "CDS 51 61 1 2",
        "exon 51 70 . .",
        "stop_codon 59 61 . 0",
        "exon 81 95 . .",
        "tts 95 95 . .",
    ]
    printed = shown(SCORED, utr=True, print_utr=True)
    assert [line for line in printed if "UTR" in line] == [
        "5'-UTR 6 10 0.5 .",
        "5'-UTR 21 30 0.25 .",
        "3'-UTR 62 70 0.125 .",
        "3'-UTR 81 95 1e-05 .",
    ]


MATCHED = Transcript(
    "+",
    ((9, 40), (50, 60), (70, 83)),
    matches=(
        BlockMatch("p_A", 15, 40, 10.44, 0, 0, 9, 2),
        BlockMatch("p_A", 50, 52, 10.44, 2, 8, 9, 10),
        BlockMatch("p_B", 70, 76, 3.0, 0, 0, 2, 14),
    ),
)
"""The first block is split by an intron inside a codon."""


def match_lines(transcript: Transcript, **options: bool) -> list[str]:
    """Lines from the third column on, with blanks between the columns."""
    gene = Gene("c", transcript.strand, (transcript,))
    asked = OutputOptions(protein=False, evidence=False, **options)
    rows = [line.split("\t") for line in gene_block(gene, 1, b"A" * 100, asked, CODE)]
    wanted = ("protein_match", "interblock_region")
    return [" ".join(row[2:]) for row in rows if len(row) > 2 and row[2] in wanted]


def test_matches_of_a_profile_come_last() -> None:
    assert shown(MATCHED)[-1].startswith("protein_match")
    parent = 'transcript_id "g1.t1"; gene_id "g1";'
    assert match_lines(MATCHED) == [
        f'protein_match 16 40 10.4 + 0 target "p_A[1..9]"; target_start 2; {parent}',
        f'protein_match 51 52 10.4 + 2 target "p_A[9..9]"; target_start 10; {parent}',
        f'protein_match 71 76 3 + 0 target "p_B[1..2]"; target_start 14; {parent}',
    ]


def test_gff3_numbers_the_coding_bases_between_matches_by_the_block_that_follows() -> None:
    assert match_lines(MATCHED, gff3=True) == [
        "protein_match 16 40 10.4 + 0 ID=pp.g1.t1.p_A;Target=p_A 1 9;Target_start=2;",
        "protein_match 51 52 10.4 + 2 ID=pp.g1.t1.p_A;Target=p_A 9 9;Target_start=10;",
        "protein_match 71 76 3 + 0 ID=pp.g1.t1.p_B;Target=p_B 1 2;Target_start=14;",
        "interblock_region 10 15 . + 0 ID=pp.g1.t1.iBR0",
        "interblock_region 53 60 . + 0 ID=pp.g1.t1.iBR1",
        "interblock_region 77 83 . + 0 ID=pp.g1.t1.iBR2",
    ]


def test_on_the_reverse_strand_blocks_are_numbered_from_the_right() -> None:
    regions = match_lines(MATCHED.mirrored(100), gff3=True)[3:]
    assert regions == [
        "interblock_region 18 24 . - 0 ID=pp.g1.t1.iBR2",
        "interblock_region 41 48 . - 0 ID=pp.g1.t1.iBR1",
        "interblock_region 86 91 . - 0 ID=pp.g1.t1.iBR0",
    ]


def test_an_exon_between_matches_has_its_phase() -> None:
    transcript = Transcript(
        "+", ((9, 40), (50, 61)), matches=(BlockMatch("p_A", 9, 15, 1.0, 0, 0, 2, 0),)
    )
    assert match_lines(transcript, gff3=True)[1:] == [
        "interblock_region 16 40 . + 0 ID=pp.g1.t1.iBR1",
        "interblock_region 51 61 . + 2 ID=pp.g1.t1.iBR1",
    ]
    assert match_lines(transcript.mirrored(100), gff3=True)[1:] == [
        "interblock_region 40 50 . - 2 ID=pp.g1.t1.iBR1",
        "interblock_region 61 85 . - 0 ID=pp.g1.t1.iBR1",
    ]
