"""The accuracy report, blank for blank, and what the programs that read it find in it."""

import re

import pytest

from augustus_dl.augustus_accuracy import AugustusAccuracy
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.accuracy_report import report_lines

HEAD = """\
a-posteriori probability of viterbi path
----------------------------------------
a-posteriori probability of correct path

{loci} times were the paths equally likely (identical).
sorted quotients of the rest:

0 quotients were between 1 and 10


*******      Evaluation of gene prediction     *******

"""
CODING = """\
---------------------------------------------\\
                 | sensitivity | specificity |
---------------------------------------------|
nucleotide level |       0.751 |       0.657 |
---------------------------------------------/

----------------------------------------------------------------------------------------------------------\\
           |  #pred |  #anno |      |    FP = false pos. |    FN = false neg. |             |             |
           | total/ | total/ |   TP |--------------------|--------------------| sensitivity | specificity |
           | unique | unique |      | part | ovlp | wrng | part | ovlp | wrng |             |             |
----------------------------------------------------------------------------------------------------------|
           |        |        |      |                  4 |                  3 |             |             |
exon level |      9 |      6 |    3 | ------------------ | ------------------ |         0.5 |       0.429 |
           |      7 |      6 |      |    1 |    1 |    2 |    1 |    1 |    1 |             |             |
----------------------------------------------------------------------------------------------------------/

----------------------------------------------------------------------------\\
transcript | #pred | #anno |   TP |   FP |   FN | sensitivity | specificity |
----------------------------------------------------------------------------|
gene level |     6 |     4 |    1 |    5 |    3 |        0.25 |       0.167 |
----------------------------------------------------------------------------/
"""  # noqa: E501
UTR = """\

------------------------------------------------------------------------\\
            UTR | total pred | CDS bnd. corr. |   meanDiff | medianDiff |
------------------------------------------------------------------------|
            TSS |          1 |              1 |         10 |         10 |
            TTS |          0 |              0 |         -1 |         -1 |
------------------------------------------------------------------------|
            UTR | uniq. pred |    unique anno |      sens. |      spec. |
------------------------------------------------------------------------|
                |  true positive = 1 bound. exact, 1 bound. <= 20bp off |
 UTR exon level |          3 |              2 |        0.5 |      0.333 |
------------------------------------------------------------------------|
 UTR base level |        120 |            140 |      0.571 |      0.667 |
------------------------------------------------------------------------/
nucUTP= 80 nucUFP=40 nucUFPinside= 0 nucUFN=60
"""


def gene(strand: str, *cds: tuple[int, int], **fields) -> Gene:
    return Gene("c", strand, (Transcript(strand, cds, **fields),))


EXACT = gene("+", (50, 149))
LOCI = [
    (
        [gene("+", (100, 200), (300, 400), (500, 600)), gene("-", (1000, 1060))],
        [
            gene("+", (100, 200), (300, 360), (500, 600)),
            gene("+", (100, 200), (300, 360), complete3=False),
            gene("-", (980, 1100)),
        ],
    ),
    ([gene("+", (0, 99))], []),
    ([], [gene("-", (600, 699)), gene("-", (800, 860))]),
    ([EXACT], [EXACT]),
]
"""Bases: annotated 300 + 60, 99, 0 and 99; predicted 260 + 120, 0, 159 and 99; in both 260 + 60,
0, 0 and 99. Distinct exons predicted: three exact, one partial, one overlapping, two wrong."""

WITH_UTRS = [
    (
        [gene("+", (50, 149), utr5=((10, 50),), utr3=((149, 249),), tss=True, tts=True)],
        [gene("+", (50, 149), utr5=((20, 50),), utr3=((149, 199), (300, 340)), tss=True)],
    )
]
"""One end of transcription predicted, 10 bases off; one UTR exon near, one partial, one wrong."""


def report(loci, seconds: float = 9.417, **fields) -> str:
    accuracy = AugustusAccuracy(**fields)
    for annotated, predicted in loci:
        accuracy.add(annotated, predicted)
    return "".join(f"{line}\n" for line in report_lines(accuracy, seconds))


def test_coding_genes():
    assert report(LOCI) == HEAD.format(loci=4) + CODING + "# total time: 9.42\n"


def test_untranslated_regions():
    text = report([*LOCI[:3], *WITH_UTRS])
    assert text == (
        "TSS distances \n10\ttimes:1\n"
        + HEAD.format(loci=4)
        + CODING
        + UTR
        + "# total time: 9.42\n"
    )


def test_nothing_is_not_a_number():
    """AUGUSTUS's nan is 0 here: on empty input, without annotation, without prediction."""
    for loci in ([], [([], [])], [(LOCI[0][0], [])], [([], WITH_UTRS[0][1])]):
        assert "nan" not in report(loci)
        assert "nucleotide level |           0 |           0 |\n" in report(loci)


def test_distances_are_sorted_and_far_ones_are_summed_up():
    annotated, predicted = [], []
    for start, off in ((10_000, 7), (20_000, 0), (30_000, 7), (40_000, 5001), (50_000, 5000)):
        coding = (start, start + 99)
        utr5 = ((start + 98, start + 100 + off),) if off else ((start + 99, start + 100),)
        annotated.append(gene("-", coding, utr5=((start + 99, start + 100),), tss=True))
        predicted.append(gene("-", coding, utr5=((start + 99, utr5[0][1]),), tss=True))
    text = report([(annotated, predicted)])
    assert text.startswith(
        "TSS distances \n0\ttimes:1\n7\ttimes:2\n5000\ttimes:1\n"
        "Warning: 1 TSS are off by more than 5000\na-posteriori"
    )
    assert "            TSS |          5 |              5 |      2e+03 |          7 |\n" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0"), (0.05241, "0.0524"), (63.55, "63.5"), (4321, "4.32e+03"), (1.5e-5, "1.5e-05")],
)
def test_numbers_are_printed_as_in_c(seconds, text):
    assert report([], seconds).endswith(f"# total time: {text}\n")


VALUES = {
    "nucleotide": ("0.751", "0.657"),
    "exon": ("0.5", "0.429"),
    "gene": ("0.25", "0.167"),
}


@pytest.mark.parametrize(
    "patterns",
    [
        {  # optimize_augustus.pl
            "nucleotide": r"nucleotide level \| +(\S+) \| +(\S+) \|$",
            "exon": r"exon level \|.*-- \| +(\S+) \| +(\S+) \|$",
            "gene": r"gene level \|.* \| +(\S+) \| +(\S+) \|$",
        },
        {  # BRAKER, GALBA, autoAug.pl
            "nucleotide": r"^nucleotide level\s*\|\s*(\S+)\s*\|\s*(\S+)",
            "exon": r"^exon level\s*\|" + r".*\|" * 5 + r"\s*(\S+)\s*\|\s*(\S+)",
            "gene": r"^gene level\s*\|" + r".*\|" * 5 + r"\s*(\S+)\s*\|\s*(\S+)",
        },
    ],
)
def test_patterns_of_the_readers(patterns):
    for loci in (LOCI, [*LOCI[:3], *WITH_UTRS]):
        for level, pattern in patterns.items():
            found = [re.search(pattern, line) for line in report(loci).splitlines()]
            assert [match.groups() for match in found if match] == [VALUES[level]]


def test_columns_that_funannotate_cuts_out():
    found = {}
    for line in report(LOCI).splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("nucleotide level"):
            found["nucleotide"] = cells[1], cells[2]
        if line.startswith(("exon level", "gene level")):
            found[line.split()[0]] = cells[6], cells[7]
    assert found == VALUES


def test_distances_that_optimize_augustus_reads():
    text = report(WITH_UTRS)
    assert re.findall(r"TSS \|.* \|.* \|.* \| +(\S+) \|$", text, re.MULTILINE) == ["10"]
    assert re.findall(r"TTS \|.* \|.* \|.* \| +(\S+) \|$", text, re.MULTILINE) == ["-1"]
