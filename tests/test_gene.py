"""Coordinates, phases and the reverse complement of gene models.

python -m pytest tests/test_gene.py
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.gene import BlockMatch, Gene, Transcript


@st.composite
def transcripts(draw) -> Transcript:
    """Transcripts with any number of untranslated parts, which may touch the CDS."""
    bounds = draw(st.lists(st.integers(0, 10_000), min_size=6, max_size=16, unique=True))
    bounds = sorted(bounds)[: len(bounds) // 2 * 2]
    parts = list(zip(bounds[::2], bounds[1::2], strict=True))
    first = draw(st.integers(0, len(parts) - 1))
    last = draw(st.integers(first + 1, len(parts)))
    left, cds, right = parts[:first], parts[first:last], parts[last:]
    if left and draw(st.booleans()):
        left[-1] = (left[-1][0], cds[0][0])
    if right and draw(st.booleans()):
        right[0] = (cds[-1][1], right[0][1])
    strand = draw(st.sampled_from("+-"))
    complete5 = draw(st.booleans())
    transcript = Transcript(
        strand=strand,
        cds=tuple(cds),
        phase=0 if complete5 else draw(st.integers(0, 2)),
        complete5=complete5,
        complete3=draw(st.booleans()),
        start=bounds[0] - (0 if left else draw(st.integers(0, bounds[0]))),
        end=bounds[-1] + (0 if right else draw(st.integers(0, 99))),
        id="t1",
        utr5=tuple(left if strand == "+" else right),
        utr3=tuple(right if strand == "+" else left),
        tss=draw(st.booleans()),
        tts=draw(st.booleans()),
        posterior=draw(st.none() | st.floats(0, 1)),
        matches=(BlockMatch("A", *cds[0], 3.5, 1, 0, 4, 7),),
    )
    if not draw(st.booleans()):
        return transcript
    return replace(
        transcript,
        cds_posterior=tuple(i / 99 for i in range(len(cds))),
        intron_posterior=tuple(i / 99 for i in range(len(transcript.introns))),
        utr5_posterior=tuple(i / 99 for i in range(len(transcript.utr5))),
        utr3_posterior=tuple(i / 99 for i in range(len(transcript.utr3))),
    )


@given(transcripts(), st.integers(0, 500))
def test_mirroring_twice_is_nothing(transcript: Transcript, tail: int) -> None:
    length = transcript.end + tail
    mirrored = transcript.mirrored(length)
    assert mirrored.strand != transcript.strand
    assert mirrored.mirrored(length) == transcript
    assert mirrored.phases == transcript.phases[::-1]
    for name in ("introns", "exons", "utr5_introns", "utr3_introns"):
        expected = tuple((length - b, length - a) for a, b in getattr(transcript, name)[::-1])
        assert getattr(mirrored, name) == expected
    assert mirrored.cds_posterior == transcript.cds_posterior[::-1]
    assert mirrored.tss == transcript.tss
    match = transcript.matches[0]
    assert mirrored.matches[-1].start == length - match.end
    assert mirrored.coding_length == transcript.coding_length


@given(transcripts(), st.integers(0, 500))
def test_shifting_back_is_nothing(transcript: Transcript, offset: int) -> None:
    shifted = transcript.shifted(offset)
    assert shifted.shifted(-offset) == transcript
    assert shifted.start == transcript.start + offset
    assert shifted.phases == transcript.phases
    assert shifted.exons == tuple((a + offset, b + offset) for a, b in transcript.exons)
    assert shifted.matches[0].start == transcript.matches[0].start + offset


@given(transcripts())
def test_parts_and_introns_tile_the_extent(transcript: Transcript) -> None:
    introns = (*transcript.introns, *transcript.utr5_introns, *transcript.utr3_introns)
    tiles = sorted((*transcript.cds, *transcript.utr5, *transcript.utr3, *introns))
    assert tiles[0][0] == transcript.start and tiles[-1][1] == transcript.end
    assert all(a[1] == b[0] for a, b in itertools.pairwise(tiles))


@given(transcripts())
def test_exons_and_introns_alternate(transcript: Transcript) -> None:
    introns = (*transcript.introns, *transcript.utr5_introns, *transcript.utr3_introns)
    tiles = sorted((*transcript.exons, *introns))
    assert tiles[0][0] == transcript.start and tiles[-1][1] == transcript.end
    assert all((a in introns) != (b in introns) for a, b in itertools.pairwise(tiles))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_introns_of_the_utr_are_no_introns_of_the_cds(strand: str) -> None:
    """Only the left untranslated region touches the CDS."""
    left, right = ((0, 5), (9, 20)), ((40, 44), (50, 60))
    utr5, utr3 = (left, right) if strand == "+" else (right, left)
    transcript = Transcript(strand, ((20, 23), (30, 33)), utr5=utr5, utr3=utr3)
    assert (transcript.start, transcript.end) == (0, 60)
    assert transcript.introns == ((23, 30),)
    assert transcript.exons == ((0, 5), (9, 23), (30, 33), (40, 44), (50, 60))
    inner = (((5, 9),), ((33, 40), (44, 50)))
    assert (transcript.utr5_introns, transcript.utr3_introns) == inner[
        :: 1 if strand == "+" else -1
    ]


@pytest.mark.parametrize(
    ("strand", "phase", "expected"), [("+", 0, (0, 2, 1)), ("+", 2, (2, 1, 0)), ("-", 1, (0, 1, 1))]
)
def test_phases_written_out(strand: str, phase: int, expected: tuple[int, ...]) -> None:
    """Lengths 4, 4, 3 in rising order."""
    transcript = Transcript(
        strand=strand, cds=((0, 4), (10, 14), (20, 23)), phase=phase, complete5=False
    )
    assert transcript.phases == expected


def test_extent_defaults_to_the_cds() -> None:
    transcript = Transcript(strand="-", cds=((3, 9), (20, 29)))
    assert (transcript.start, transcript.end) == (3, 29)
    assert transcript.introns == ((9, 20),)
    assert transcript.coding_length == 15


def test_a_gene_spans_its_transcripts() -> None:
    gene = Gene("chr1", "+", (Transcript("+", ((10, 19),)), Transcript("+", ((4, 16),))))
    assert (gene.start, gene.end) == (4, 19)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strand": "."}, "strand"),
        ({"cds": ()}, "at least one"),
        ({"cds": ((5, 5),)}, "empty"),
        ({"cds": ((-1, 5),)}, "negative"),
        ({"cds": ((0, 3), (3, 6))}, "touch"),
        ({"cds": ((6, 9), (0, 3))}, "overlap or touch"),
        ({"phase": 3, "complete5": False}, "phase"),
        ({"phase": 1}, "phase"),
        ({"start": 11}, "cover"),
        ({"end": 12}, "cover"),
        ({"utr5": ((5, 5),)}, "empty"),
        ({"utr5": ((8, 9), (6, 7))}, "overlap or touch"),
        ({"utr5": ((1, 3),), "start": 2}, "cover"),
        ({"utr3": ((19, 25),), "end": 24}, "cover"),
        ({"utr5": ((12, 15),)}, "inside or behind"),
        ({"utr3": ((2, 5),)}, "inside or behind"),
        ({"cds_posterior": (1.0, 0.5)}, "2 cds posteriors for 1 parts"),
        ({"intron_posterior": (1.0,)}, "1 intron posteriors for 0 parts"),
    ],
)
def test_impossible_transcripts_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Transcript(**{"strand": "+", "cds": ((10, 13),), **fields})
