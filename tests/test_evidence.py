"""Evidence for transcripts against real output of AUGUSTUS 3.5.0 (tests/data), and its edges."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.decode.hint_groups import GroupingOptions, group_hints
from augustus_dl.encode import base_codes, soft_mask
from augustus_dl.evidence import (
    Evidence,
    GroupCount,
    PartCount,
    evidence,
    no_evidence,
    obeyed,
)
from augustus_dl.gene import Transcript
from augustus_dl.hints import HINT, HintGroups, Hints, HintType
from augustus_dl.io.comment_blocks import evidence_block
from augustus_dl.io.extrinsic import read_extrinsic
from augustus_dl.io.fasta import contigs
from augustus_dl.io.hints import hint_lines, read_hints

DATA = Path(__file__).parent / "data" / "augustus"
EXTRINSIC = read_extrinsic(DATA / "hints.cfg")
SEQUENCES = {contig.name: contig.sequence for contig in contigs(DATA / "genes.fa")}
GENE = Transcript("+", ((100, 150), (200, 251), (300, 352)))
"""Phases 0, 1, 1."""


@pytest.fixture(scope="module")
def groups() -> dict[str, HintGroups]:
    collection = read_hints(DATA / "hints.gff", EXTRINSIC)
    return {
        name: group_hints(
            collection.of(name),
            base_codes(sequence),
            soft_mask(sequence),
            EXTRINSIC,
            GroupingOptions(),
        )
        for name, sequence in SEQUENCES.items()
    }


def runs(file: str) -> dict[str, str]:
    """The part of AUGUSTUS's output that is about each sequence."""
    parts = re.split(r"# ----- .+ name = (\S+)\) -----\n#\n", (DATA / file).read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def transcript(block: str) -> Transcript:
    """A transcript of AUGUSTUS, read without our reader."""
    rows = [line.split("\t") for line in block.splitlines() if "\tAUGUSTUS\t" in line]
    rows = [row for row in rows if row[2] != "gene"]
    of = {kind: [row for row in rows if row[2] == kind] for kind in {row[2] for row in rows}}
    strand = rows[0][6]

    def spans(kind: str) -> tuple[tuple[int, int], ...]:
        return tuple((int(row[3]) - 1, int(row[4])) for row in of.get(kind, []))

    ((start, end),) = spans("transcript")
    return Transcript(
        strand,
        spans("CDS"),
        phase=int(of["CDS"][0 if strand == "+" else -1][7]),
        complete5="start_codon" in of,
        complete3="stop_codon" in of,
        start=start,
        end=end,
        utr5=spans("5'-UTR"),
        utr3=spans("3'-UTR"),
    )


@pytest.mark.parametrize("file", ["hints.gtf", "hints_utr.gtf"])
def test_blocks_are_those_of_augustus(groups, file):
    seen = 0
    for name, text in runs(file).items():
        for part in re.split(r"^(?=\S+\tAUGUSTUS\ttranscript\t)", text, flags=re.MULTILINE)[1:]:
            lines = part[part.index("# Evidence") :].splitlines()
            its_own = takewhile(lambda line: not line.startswith("# end gene"), lines)
            expected = [line for line in its_own if line.startswith("#")]
            assert list(evidence_block(evidence(transcript(part), groups[name]))) == expected
            seen += len(expected) > 8
    assert seen >= 8


def test_hints_are_listed_as_augustus_lists_them(groups):
    """Bonuses of introns are left out: AUGUSTUS multiplies them by a factor of its own model."""

    def known(line: str) -> str:
        return re.sub(r'(\tintron\t.+) "[^;]+', r"\1", line)

    printed = False
    for name, text in runs("hints.gtf").items():
        expected = text[: text.index("# Predicted genes")].splitlines()
        digits = 3 if printed else 6
        lines = hint_lines(groups[name], EXTRINSIC, name, listing=True, digits=digits)
        assert [known(line) for line in lines] == [known(line) for line in expected]
        printed |= "# Evidence" in text


def group(*hints: tuple, source: str = "E", name: str = "") -> tuple[list[tuple], str, str]:
    """Hints (type, start, end, strand, frame), the last two of which may be missing."""
    return [(*hint, *(0, -1)[len(hint) - 3 :]) for hint in hints], source, name


def grouped(*parts: tuple[list[tuple], str, str]) -> HintGroups:
    parts = sorted(parts, key=lambda part: min(hint[1] for hint in part[0]))
    names = [name for *_, name in parts]
    rows = np.zeros(sum(len(hints) for hints, *_ in parts), dtype=HINT)
    sizes = [len(hints) for hints, *_ in parts]
    flat = [(hint, i) for i, (hints, *_) in enumerate(parts) for hint in hints]
    for row, ((type_, start, end, strand, frame), i) in zip(rows, flat, strict=True):
        row["type"], row["start"], row["end"] = HintType[type_], start, end
        row["strand"], row["frame"] = strand, frame
        row["source"] = "ERP".index(parts[i][1])
        row["group"] = i if names[i] else -1
    first = np.concatenate(([0], np.cumsum(sizes)))
    begin = np.minimum.reduceat(rows["start"], first[:-1])
    end = np.maximum.reduceat(rows["end"], first[:-1])
    yes, nothing = np.ones(len(parts), dtype=bool), np.zeros(len(parts))
    hints = Hints(rows, ("E", "R", "P"), names)
    return HintGroups(hints, first, begin, end, *[nothing] * 4, counted=yes)


def verdict(*hints: tuple) -> bool:
    """Does the gene obey a group of these hints?"""
    return bool(evidence(GENE, grouped(group(*hints))).obeyed.total)


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (("CDS", 200, 251), True),
        (("CDS", 200, 250), False),
        (("exon", 200, 251), True),
        (("CDSpart", 210, 220), True),
        (("CDSpart", 201, 220, 1, 0), True),
        (("CDSpart", 201, 220, 1, 1), False),
        (("CDSpart", 201, 220, 0, 0), True),
        (("CDSpart", 201, 220, -1), False),  # the strand counts for parts of exons,
        (("intron", 150, 200, -1), True),  # and for nothing else
        (("intronpart", 150, 160), True),
        (("intronpart", 149, 160), False),
        (("nonexonpart", 150, 200), True),
        (("dss", 150, 151), True),
        (("ass", 150, 151), True),  # either end of an intron will do
        (("dss", 199, 200), True),
        (("dss", 145, 155), True),
        (("dss", 151, 199), False),
        (("genicpart", 100, 352), True),
        (("genicpart", 99, 352), False),
        (("UTR", 200, 251), False),
        (("irpart", 110, 120), False),
        (("start", 100, 103, 1), False),  # true, but not looked at
        (("stop", 349, 352, 1), False),
    ],
)
def test_hints_that_are_obeyed(hint, expected):
    assert verdict(hint) is expected


def test_groups_are_obeyed_as_a_whole():
    intron, wrong, start = ("intron", 150, 200), ("intron", 160, 200), ("start", 100, 103)
    assert verdict(intron, ("CDS", 200, 251))
    assert not verdict(intron, wrong)
    assert verdict(intron, start)


def test_frames_on_the_minus_strand():
    gene = GENE.mirrored(1000)
    for frame, number in ((0, 1), (1, 0), (2, 0)):
        hint = ("CDSpart", 1000 - 220, 1000 - 201, -1, frame)
        assert evidence(gene, grouped(group(hint))).obeyed.total == number


@pytest.mark.parametrize(
    ("hints", "exons", "introns"),
    [
        ((("CDS", 200, 251),), 1, 0),
        ((("exon", 90, 150),), 1, 0),  # with a part before the start codon
        ((("exon", 90, 149),), 0, 0),
        ((("exon", 100, 160),), 0, 0),
        ((("exon", 300, 400),), 1, 0),
        ((("exonpart", 90, 101),), 1, 0),
        ((("exonpart", 351, 400),), 1, 0),
        ((("exonpart", 190, 220),), 0, 0),
        ((("CDSpart", 201, 220, 1, 1),), 1, 0),  # here frames do not matter
        ((("intron", 150, 200), ("intron", 251, 300)), 0, 2),
        ((("intronpart", 155, 160),), 0, 1),
        ((("intron", 150, 200), ("exonpart", 190, 195)), 0, 0),  # taken back by the same group
        ((("CDS", 200, 251), ("intronpart", 240, 260)), 0, 0),
        ((("start", 100, 103), ("dss", 150, 151)), 0, 0),
    ],
)
def test_parts_that_are_supported(hints, exons, introns):
    found = evidence(GENE, grouped(group(*hints)))
    assert (found.cds_exons.supported, found.cds_introns.supported) == (exons, introns)
    assert found.percent == pytest.approx(100 * (exons + introns) / 5)


def test_untranslated_parts():
    gene = Transcript("+", GENE.cds, utr5=((50, 60), (90, 100)), utr3=((352, 400),))
    hints = (("intron", 60, 90), ("exon", 90, 150), ("exonpart", 370, 390), ("UTR", 50, 60))
    found = evidence(gene, grouped(group(*hints[:3]), group(hints[3], source="P")))
    assert found.utr5 == PartCount(3, 3, (("E", 2), ("P", 1)))
    assert found.utr3 == PartCount(1, 1, (("E", 1),))
    assert found.obeyed.total == 2
    single = Transcript("+", ((100, 160),), utr5=((50, 100),), utr3=((160, 200),))
    assert evidence(single, grouped(group(("exon", 50, 200)))).obeyed.total == 1


def test_sources_and_names():
    found = evidence(
        GENE,
        grouped(
            group(("intron", 150, 200), source="P", name="b"),
            group(("intron", 150, 200), source="E"),
            group(("intron", 251, 300), source="P", name="a"),
            group(("CDS", 200, 250), source="P", name="c"),
            group(("intron", 0, 50), source="R", name="elsewhere"),
        ),
    )
    assert found.cds_introns == PartCount(2, 2, (("E", 1), ("P", 2)))
    assert found.obeyed == GroupCount((("E", ("",)), ("P", ("b", "a"))))
    assert found.incompatible == GroupCount((("P", ("c",)),))
    assert (found.obeyed.total, found.incompatible.total) == (3, 1)


def test_outvoted_groups_are_not_counted():
    groups = grouped(group(("intron", 150, 200)), group(("intron", 251, 300)))
    groups.counted[0] = False
    assert evidence(GENE, groups).obeyed.total == 1
    groups.counted[1] = False
    assert evidence(GENE, groups) == no_evidence(GENE)


def test_a_transcript_without_hints():
    gene = Transcript("-", GENE.cds, utr5=((360, 400), (500, 510)))
    assert no_evidence(gene) == Evidence(
        cds_exons=PartCount(0, 3), cds_introns=PartCount(0, 2), utr5=PartCount(0, 4)
    )
    assert no_evidence(gene).percent == 0
    assert evidence(gene, grouped(group(("intron", 0, 50)))) == no_evidence(gene)


def test_places_of_obeyed_groups():
    found = grouped(
        group(("start", 100, 103)),  # nothing in it can be checked
        group(("CDS", 200, 251)),
        group(("CDS", 200, 251), ("intron", 251, 290)),
        group(("intron", 251, 300)),
        group(("intron", 900, 950)),
    )
    assert obeyed(GENE, found).tolist() == [1, 3]
    assert obeyed(GENE.shifted(5000), found).tolist() == []
