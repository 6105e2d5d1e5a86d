"""The checker of AUGUSTUS's text: it accepts AUGUSTUS and finds every kind of fault."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.golden.cases import Case, all_cases, recorded
from tests.golden.run import asked
from tests.golden.structure import skeleton, violations

PREDICTIONS = [
    case for case in all_cases() if case.input and recorded(case).status == 0 and case.options
]
"""Cases in which AUGUSTUS ran to its end."""

FAULTS = [
    # the frame
    ("01", r"\A# This output.*\n", "", "no line of kind 'generated'"),
    ("01", r"^# No extrinsic.*\n", "", "no line of kind 'no hints given'"),
    ("01", r"^# Sources.*$", "# Sources of extrinsic information: M RM", "does not belong here"),
    ("01", r"^(# Init.*\n)(# human.*\n)", r"\2\1", "the order of the preamble"),
    ("01", r"^(# human.*\n)", r"\1\1", "2 lines of kind 'species'"),
    ("01", r"^# human version", "# fly version", "does not name the species"),
    ("02", r"\A##gff-version 3\n", "", "no line of kind 'gff-version'"),
    ("01", r"\A", "##gff-version 3\n", "a line of kind 'gff-version'"),
    ("70", r"\A.*\n", "", "no line of kind 'gzip'"),
    ("58", r"\A# Warning.*\n# Warning.*\n", "", "no line of kind 'nonstandard code'"),
    ("34", r"^# reading in.*\n", "", "no line of kind 'hints read'"),
    ("71", r"^# Using protein profile.*\n", "", "no line of kind 'profile'"),
    ("54", r"^# human version", "# Init\n# human version", "does not belong here"),
    ("01", r"number 2 \(", "number 3 (", "banner (3, 2344, 'HS08198')"),
    ("32", r"\(length = 5101", "(length = 6200", "banner (1, 6200, 'HS04636')"),
    ("01", r"sequence number 2 on both", "sequence number 1 on both", "is announced as 1"),
    ("01", r"on both strands", "on forward strand", "genes on forward strand"),
    ("25", r"^# Overlapping.*\n", "", "overlapping genes are announced without reason or not"),
    ("46", r"^# \(none\)\n", "", "0 genes, but no '# (none)'"),
    ("01", r"\n# command line:\n.*\n\Z", "\n", "the command line is missing"),
    ("01", r"^# augustus .*\n\Z", "", "the command is missing"),
    ("01", r"example.fa\n\Z", "example.fa\n\n", "does not belong here"),
    ("01", r"example.fa\n\Z", "other.fa\n", "does not name the query file"),
    ("01", r"\n\Z", "", "the last line has no end"),
    ("01", r"^# command line:$", "total time\n# command line:", "before the command line"),
    ("01", r"(?s)^#\n# -----.*?(?=^#\n# -----)", "", "1 sequences instead of 2"),
    # genes
    ("01", r"^# start gene g2$", "# start gene g3", "gene g3 instead of g2"),
    ("01", r"^# end gene g1$", "# end gene g2", "gene 'g1' ends as 'g2'"),
    ("01", r"^###\n", "", "### is missing"),
    ("16", r"gene HS04636.g1", "gene g1", "gene g1 instead of HS04636.g1"),
    ("01", r"^(HS04636\t.*\n)(HS04636\t.*\n)", r"\2\1", "gene without a transcript before it"),
    ("01", r"\tgene\t66\t", "\tgene\t65\t", "is not the extent of its transcripts"),
    ("01", r"\t1\t\+\t\.\tg1$", "\t.\t+\t.\tg1", "score '.' without sampling"),
    ("29", r"(\tgene\t.*)\t[\d.]+\t\+", r"\1\t1.2\t+", "score '1.2' is no posterior"),
    ("27", r"(\tgene\t.*)\t[\d.]+\t\+", r"\1\t0.01\t+", "a higher score than 0.01"),
    ("01", r"(\tgene\t.*\t)g1$", r"\1ID=g1", "attributes 'ID=g1'"),
    ("23", r"\+", "-", "strand -"),
    ("15", r"(?s)(^# start gene g1\n.*?###\n)(.*?###\n)", r"\2\1", "not sorted by their start"),
    ("01", r"\tAUGUSTUS\tCDS", "\tours\tCDS", "source ours instead of AUGUSTUS"),
    # transcripts and lines
    ("01", r"\tg1\.t1$", "\tg1.t2", "attributes 'g1.t2'"),
    ("02", r"ID=g1.t1;Parent=g1$", "ID=g1.t1", "attributes 'ID=g1.t1'"),
    ("29", r"(\ttranscript\t.*)\t[\d.]+\t\+", r"\1\t0.123456\t+", "'0.123456' is no posterior"),
    ("01", r"(\tstart_codon\t.*)\t\.\t\+", r"\1\t1\t+", "score '1' without sampling"),
    ("01", r"(\tCDS\t.*)\+(.*)$", r"\1-\2", "strand -"),
    ("01", r"^HS04636(\tAUGUSTUS\tCDS)", r"HS\1", "sequence name HS"),
    ("01", r"\tCDS\t", "\tcoding\t", "no such feature: coding"),
    ("11", r"\t5'-UTR\t", "\tfive_prime_utr\t", "no such feature: five_prime_utr"),
    ("01", r"(\tCDS\t66\t117\t.*\t)0\t", r"\g<1>2\t", "begins in phase 2"),
    ("01", r"(\tCDS\t918\t.*\t)2\t", r"\g<1>1\t", "has phase 1 instead of 2"),
    ("01", r"(\tstop_codon\t.*\t)0\t", r"\1.\t", "stop_codon with phase '.'"),
    ("01", r'(transcript_id "g1.t1"; gene_id "g1");', r"\1", "with attributes 'transcript_id"),
    ("02", r"(ID=g1.t1.cds;Parent=g1.t1)$", r"\1;", "with attributes 'ID=g1.t1.cds"),
    ("71", r"target_start 238; ", "", "protein_match with attributes"),
    ("71", r"\t3\.61\t", "\t.\t", "score '.'"),
    ("01", r"(.*\tCDS\t66\t.*\n)(.*\tCDS\t918\t.*\n)", r"\2\1", "CDS 66 comes after 918"),
    ("26", r"(.*\tstop_codon\t.*\n)((.*\tCDS\t.*\n)+)", r"\2\1", "the lines come in the order"),
    ("05", r"(.*\tintron\t.*\n)((.*\tintron\t.*\n)+)", r"\2\1", "intron 118 comes after"),
    ("05", r"^.*\tintron\t.*\n", "", "introns ["),
    ("06", r"(.*\tstart_codon\t.*\n)", r"\1HS04636\tAUGUSTUS\tCDS\t66\t117\t.\t+\t0\tx\n", "off"),
    ("01", r"(^.*\tCDS\t.*\n)+", "", "no CDS line"),
    ("01", r"(\tstart_codon\t66\t)68", r"\g<1>69", "start_codon of 4 bases"),
    ("01", r"(\tstop_codon\t)6001\t6003", r"\g<1>5998\t6000", "is not at the end of the CDS"),
    ("01", r"^.*\tstart_codon\t.*\n", "", "no start_codon, yet it does not reach the end"),
    ("19", r"^.*\tstop_codon\t.*\n", "", "no stop_codon with genemodel complete"),
    ("08", r"\tterminal\t", "\tinternal\t", "exon names ['initial'"),
    ("08", r"\tinitial\t66", "\tinitial\t67", "exon names and CDS have other coordinates"),
    ("10", r"\texon\t918\t", "\texon\t919\t", "CDS 918-1034 is not in one exon"),
    ("10", r"\texon\t918\t", "\texon\t910\t", "is wider than an inner CDS"),
    ("10", r"\ttss\t12\t12", "\ttss\t12\t14", "tss at 12-14"),
    ("69", r"\ttts\t1856\t1856|\ttts\t2657\t2657", "\ttts\t2658\t2658", "tts at 2658-2658"),
    # comment blocks
    ("03", r"^# coding sequence = \[a", "# coding sequence = [", "a sequence line of 99 columns"),
    ("03", r"(# coding sequence = \[)atg", r"\1ctg", "the coding sequence is not that of the CDS"),
    ("01", r"(# protein sequence = \[)ML", r"\1VL", "protein V"),
    ("01", r"\]$", "\n# ]", "the last line of a sequence is '# ]'"),
    ("01", r"(?s)^# protein sequence = .*?\]\n", "", "protein block missing"),
    ("04", r"^# Evidence", "# protein sequence = [M]\n# Evidence", "although it is off"),
    ("03", r"(?s)(^# coding .*?\]\n)(# protein.*?\]\n)", r"\2\1", "does not belong here"),
    ("01", r"(?s)^# Evidence.*?incompatible.*?\n", "", "evidence block missing"),
    ("01", r"^# CDS exons: 0/10$", "# CDS exons: 0/9", "evidence counts [9, 9, 0, 0] parts"),
    ("10", r"^(# 5'UTR exons and introns): 0/1$", r"\1: 0/2", "counts [10, 9, 2"),
    ("35", r"hints \(any source\): 31.6", "hints (any source): 31.58", "31.58 % of 6/19"),
    ("35", r"^#      E:   2 $", "#     E:   2 ", "evidence without"),
    ("35", r"(#      E:   2 \n)(#      P:   3 \n)", r"\2\1", "are not sorted"),
    ("35", r"fully obeyed: 4", "fully obeyed: 5", "has sources with 4 together"),
    ("71", r"^# sequence of block unknown_A.*\n", "", "are not listed"),
    ("71", r"unknown_A   238", "unknown_A  238", "columns of"),
    ("71", r"\[RKRPMSRKE\] 247", "[RKRPMSRKE] 248", "block unknown_A of 9 letters"),
    ("71", r"\[RKRPMSRKE\]", "[RKRPMSRKK]", "is not in the protein"),
]  # fmt: skip


@pytest.mark.parametrize("case", PREDICTIONS, ids=lambda case: case.name)
def test_augustus_breaks_no_rule(case: Case) -> None:
    run = asked(case)
    if "empty record" in case.shows:  # AUGUSTUS loses what comes behind it
        run = replace(run, sequences=run.sequences[:1])
    assert violations(recorded(case).annotation, run) == []


@pytest.mark.parametrize(("number", "pattern", "replacement", "message"), FAULTS)
def test_a_fault_is_found(number: str, pattern: str, replacement: str, message: str) -> None:
    case = next(case for case in PREDICTIONS if case.name.startswith(number))
    text = recorded(case).annotation
    faulty = re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert faulty != text, f"{pattern!r} is not in {case.name}"
    found = violations(faulty, asked(case))
    assert any(message in violation for violation in found), found


def test_the_skeleton_does_not_depend_on_the_genes() -> None:
    text = recorded(next(case for case in PREDICTIONS if case.name.startswith("01"))).stdout
    gene = re.compile(r"# start gene g1\n.*?###\n", flags=re.DOTALL)
    assert skeleton(gene.sub("# (none)\n", text)) == skeleton(text)
    assert skeleton(text.replace("# Sources of extrinsic information: M RM \n", "")) != skeleton(
        text
    )
    assert skeleton(text.replace("(length = 2344,", "(length = 2345,")) != skeleton(text)
    assert skeleton(text.replace("# command line:\n", "")) != skeleton(text)
