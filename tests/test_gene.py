"""Coordinates, phases and the reverse complement of gene models.

python -m pytest tests/test_gene.py
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.gene import Gene, Transcript


@st.composite
def transcripts(draw) -> Transcript:
    bounds = sorted(draw(st.lists(st.integers(0, 10_000), min_size=2, max_size=12, unique=True)))
    bounds = bounds[: len(bounds) // 2 * 2]
    complete5 = draw(st.booleans())
    return Transcript(
        strand=draw(st.sampled_from("+-")),
        cds=tuple(zip(bounds[::2], bounds[1::2], strict=True)),
        phase=0 if complete5 else draw(st.integers(0, 2)),
        complete5=complete5,
        complete3=draw(st.booleans()),
        start=bounds[0] - draw(st.integers(0, bounds[0])),
        end=bounds[-1] + draw(st.integers(0, 99)),
        id="t1",
    )


@given(transcripts(), st.integers(0, 500))
def test_mirroring_twice_is_nothing(transcript: Transcript, tail: int) -> None:
    length = transcript.end + tail
    mirrored = transcript.mirrored(length)
    assert mirrored.strand != transcript.strand
    assert mirrored.mirrored(length) == transcript
    assert mirrored.phases == transcript.phases[::-1]
    assert mirrored.introns == tuple((length - b, length - a) for a, b in transcript.introns[::-1])
    assert mirrored.coding_length == transcript.coding_length


@given(transcripts(), st.integers(0, 500))
def test_shifting_back_is_nothing(transcript: Transcript, offset: int) -> None:
    shifted = transcript.shifted(offset)
    assert shifted.shifted(-offset) == transcript
    assert shifted.start == transcript.start + offset
    assert shifted.phases == transcript.phases


@given(transcripts())
def test_cds_and_introns_tile_the_extent(transcript: Transcript) -> None:
    tiles = sorted((*transcript.cds, *transcript.introns))
    assert tiles[0][0] == transcript.start and tiles[-1][1] == transcript.end
    assert all(a[1] == b[0] for a, b in itertools.pairwise(tiles))


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
        ({"start": 1}, "cover"),
        ({"end": 2}, "cover"),
    ],
)
def test_impossible_transcripts_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Transcript(**{"strand": "+", "cds": ((0, 3),), **fields})
