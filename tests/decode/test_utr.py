"""Untranslated regions against a plain dynamic program, and however the sequence is cut.

python -m pytest tests/decode/test_utr.py
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode import utr
from augustus_dl.decode.config import GRID
from augustus_dl.decode.grammar import IMPOSSIBLE
from augustus_dl.decode.utr import UtrTrack, _exons, _regions, _Worth, with_utrs
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.gene import Transcript
from augustus_dl.labels import MIRROR, NUM_LABELS, UTR_MIRROR, label, to_utr_labels

MIRRORED_COLUMNS = [*MIRROR.tolist(), *(NUM_LABELS + UTR_MIRROR).tolist()]


def plain(worth: _Worth, min_intron: int) -> list[int]:
    """`value` of `_regions`, from its definition."""
    n = len(worth.exon)
    value = [0]
    for end in range(1, n + 1):
        ways = [int(worth.exon[:end].sum())]
        for start in range(min_intron, end):  # of the last exon
            for opened in range(start - min_intron + 1):
                if worth.enter[opened] > IMPOSSIBLE and worth.leave[start] > IMPOSSIBLE:
                    intron = worth.intron[opened:start].sum()
                    sites = worth.enter[opened] + worth.leave[start]
                    ways.append(int(value[opened] + sites + intron + worth.exon[start:end].sum()))
        value.append(max(ways))
    return value


@st.composite
def worths(draw) -> _Worth:
    n = draw(st.integers(0, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([2, 1000]))
    enter, leave = rng.integers(-spread, 2 * spread, (2, n + 1))
    enter[rng.random(n + 1) < 0.5] = IMPOSSIBLE
    leave[rng.random(n + 1) < 0.5] = IMPOSSIBLE
    exon, intron = rng.integers(-spread, spread, (2, n))
    return _Worth(exon, intron, enter[:n], leave)


@given(worths(), st.integers(1, 6))
def test_the_best_region_of_each_length(worth: _Worth, min_intron: int) -> None:
    value, origin = _regions(worth, min_intron)
    assert value.tolist() == plain(worth, min_intron)
    for end in range(len(value)):
        exons = _exons(origin, end)
        total = sum(worth.exon[a:b].sum() for a, b in exons)
        for (_, a), (b, _) in pairwise([(0, 0), *exons]):
            if a < b:
                assert b - a >= min_intron
                total += worth.enter[a] + worth.intron[a:b].sum() + worth.leave[b]
        assert total == value[end] and (not end or exons[-1][1] == end)


@contextmanager
def small() -> Iterator[None]:
    """Short sequences show what happens at the limits, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utr, "REACH", 60)
        patch.setattr(utr, "MIN_INTRON", 8)
        yield


@pytest.fixture
def short_reach() -> Iterator[None]:
    with small():
        yield


def sequence(transcripts: list[Transcript], length: int, seed: int = 0) -> np.ndarray:
    """Base codes with splice sites where the transcripts have introns."""
    codes = np.random.default_rng(seed).integers(0, 4, length, dtype=np.uint8)
    donor, acceptor = base_codes(b"GT"), base_codes(b"AG")
    for t in transcripts:
        for a, b in (*t.introns, *t.utr5_introns, *t.utr3_introns):
            first, last = (donor, acceptor) if t.strand == "+" else (acceptor, donor)
            codes[a : a + 2] = first if t.strand == "+" else reverse_complement(first)
            codes[b - 2 : b] = last if t.strand == "+" else reverse_complement(last)
    return codes


def told(transcripts: list[Transcript], length: int) -> np.ndarray:
    """Scores of a network that is sure of the transcripts' untranslated regions; int16 [L, 38]."""
    scores = np.full((length, NUM_LABELS + 9), -31 * GRID, dtype=np.int16)
    scores[:, NUM_LABELS] = -2 * GRID
    track = sum(to_utr_labels(t, length) for t in transcripts)
    scores[np.arange(length), NUM_LABELS + track] = 0
    for t in transcripts:
        for a, b in (*t.utr5_introns, *t.utr3_introns):
            donor, acceptor = (a, b - 1) if t.strand == "+" else (b - 1, a)
            scores[donor, label(t.strand, "D1")] = 0
            scores[acceptor, label(t.strand, "A2")] = 0
    return scores


def bare(transcript: Transcript) -> Transcript:
    start, end = transcript.cds[0][0], transcript.cds[-1][1]
    return replace(transcript, utr5=(), utr3=(), tss=False, tts=False, start=start, end=end)


def found(codes: np.ndarray, scores: np.ndarray, *transcripts: Transcript) -> list[Transcript]:
    """The transcripts, a gene each, with untranslated regions; all read and decoded at once."""
    track = UtrTrack(codes)
    assert np.array_equal(np.concatenate(list(track.taken([scores]))), scores[:, :NUM_LABELS])
    genes = with_utrs([(len(codes), [[t] for t in transcripts])], track)
    return [transcript for gene in genes for transcript in gene]


WHOLE = Transcript(
    "+",
    ((400, 450), (480, 520)),
    utr5=((200, 230), (280, 310), (350, 365)),
    utr3=((520, 540), (600, 640)),
    tss=True,
    tts=True,
)


@pytest.mark.parametrize("strand", "+-")
def test_what_the_network_is_sure_of_is_found(strand: str) -> None:
    """An intron may lie right beside the CDS: the first one here."""
    wanted = WHOLE if strand == "+" else WHOLE.mirrored(900)
    codes, scores = sequence([wanted], 900), told([wanted], 900)
    assert found(codes, scores, bare(wanted)) == [wanted]


def test_nothing_is_found_where_the_network_sees_nothing() -> None:
    codes = sequence([WHOLE], 900)
    assert found(codes, told([], 900), bare(WHOLE)) == [bare(WHOLE)]


@pytest.mark.parametrize("strand", "+-")
def test_introns_need_splice_sites(strand: str) -> None:
    """GT-AG and GC-AG on the gene's strand; else only the exons beside the CDS are found."""
    for donor, acceptor, whole in (
        ("GT", "AG", True),
        ("GC", "AG", True),
        ("AT", "AC", False),
        ("GT", "AC", False),
        ("CT", "AC", False),
    ):
        codes = sequence([WHOLE], 900)
        codes[:] = 0
        for a, b in (*WHOLE.utr5_introns, *WHOLE.utr3_introns):
            codes[a : a + 2], codes[b - 2 : b] = (base_codes(s.encode()) for s in (donor, acceptor))
        wanted = WHOLE if whole else replace(WHOLE, utr5=(), utr3=((520, 540),), tss=False)
        wanted = replace(wanted, start=-1, end=-1)
        scores, gene = told([WHOLE], 900), bare(WHOLE)
        if strand == "-":
            codes, scores = reverse_complement(codes), scores[::-1, MIRRORED_COLUMNS]
            gene, wanted = gene.mirrored(900), wanted.mirrored(900)
        assert found(codes, scores, gene) == [wanted]


def test_short_introns_are_none() -> None:
    for length, whole in ((utr.MIN_INTRON - 1, False), (utr.MIN_INTRON, True)):
        utr3 = ((200, 220), (220 + length, 280))
        wanted = Transcript("+", ((100, 200),), utr3=utr3, tts=True)
        (answer,) = found(sequence([wanted], 500), told([wanted], 500), bare(wanted))
        assert (answer == wanted) == whole


def test_beyond_incomplete_ends_nothing_is_sought() -> None:
    cut = Transcript("+", ((100, 200),), complete5=False, phase=1, start=40)
    whole = Transcript("+", ((100, 200),), utr5=((80, 100),), utr3=((200, 220),))
    (answer,) = found(sequence([], 300), told([whole], 300), cut)
    assert answer == replace(cut, utr3=((200, 220),), tts=True, end=220)


@pytest.mark.parametrize("strand", "+-")
def test_an_end_is_known_only_inside_the_sequence(strand: str) -> None:
    whole = Transcript("+", ((50, 200),), utr5=((0, 50),), utr3=((200, 260),), tts=True)
    if strand == "-":
        whole = whole.mirrored(300)
    assert found(sequence([], 300), told([whole], 300), bare(whole)) == [whole]
    assert (whole.tss, whole.tts) == (False, True)


def test_no_region_reaches_further_than_the_limit(short_reach: None) -> None:
    far = Transcript("+", ((200, 230),), utr5=((100, 200),), utr3=((230, 290),))
    (answer,) = found(sequence([], 400), told([far], 400), bare(far))
    assert (answer.utr5, answer.utr3) == (((140, 200),), ((230, 290),))


def test_isoforms_and_what_else_is_known_of_them() -> None:
    """Each has its own region; a gene over another does not limit it. Where there are
    probabilities, the regions have some too: here the network is sure."""
    inner = Transcript("+", ((480, 520),), posterior=0.25, cds_posterior=(0.5,))
    track = UtrTrack(sequence([WHOLE], 900))
    list(track.taken([told([WHOLE], 900)]))
    ((one, other),) = with_utrs([(900, [[bare(WHOLE), inner]])], track)
    assert one == WHOLE
    expected = replace(inner, utr3=WHOLE.utr3, utr3_posterior=(1.0, 1.0), tts=True, end=640)
    assert other == expected


def random_case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[Transcript]]:
    """A sequence whose UTR track is noise, leaning to untranslated regions, and its genes."""
    length = int(rng.integers(1, 700))
    codes = rng.choice(4, length, p=[0.3, 0.1, 0.3, 0.3]).astype(np.uint8)
    scores = rng.integers(-20 * GRID, 0, (length, NUM_LABELS + 9)).astype(np.int16)
    scores[:, NUM_LABELS] -= 2 * GRID
    genes, cursor = [], 0
    while cursor < length:
        start = cursor + int(rng.choice([0, 1, 5, 40, 100, 200]))
        end = start + int(rng.integers(1, 30))
        if end <= length:
            complete = (rng.random(2) < 0.8).tolist()
            genes.append(Transcript(str(rng.choice(["+", "-"])), ((start, end),), 0, *complete))
        cursor = end
    return codes, scores, genes


seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds)
def test_neighbours_share_the_space_between_them_in_the_best_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with small():
        codes, scores, genes = random_case(rng)
        track = UtrTrack(codes)
        for _ in track.taken([scores]):
            pass
        answers = found(codes, scores, *genes)
        for left, right in pairwise(answers):
            assert left.end <= right.start
            start, end = left.cds[-1][1], right.cds[0][0]
            sizes = [min(end - start, 60)] * 2
            from_left = track.worth(start, start + sizes[0], left.strand, left=False)
            from_right = track.worth(end - sizes[1], end, right.strand, left=True)
            chances = []
            for worth, transcript, is_left in ((from_left, left, False), (from_right, right, True)):
                value = plain(worth, 8) if utr._is_complete(transcript, is_left) else [0]
                best = np.maximum.accumulate(value).tolist()
                chances.append(best + [best[-1]] * (end - start + 1 - len(best)))
            most = max(map(sum, zip(chances[0], chances[1][::-1], strict=True)))
            taken = left.end - start, end - right.start
            assert chances[0][taken[0]] + chances[1][taken[1]] == most


@given(seed=seeds)
def test_both_strands_are_treated_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with small():
        codes, scores, genes = random_case(rng)
        length = len(codes)
        answers = found(codes, scores, *genes)
        turned = found(
            reverse_complement(codes),
            scores[::-1, MIRRORED_COLUMNS],
            *(gene.mirrored(length) for gene in genes),
        )
        assert [answer.mirrored(length) for answer in answers[::-1]] == turned


@given(seed=seeds)
def test_cutting_the_sequence_changes_nothing(seed: int) -> None:
    """Scores come in any pieces, genes as late as they may; and little is held."""
    rng = np.random.default_rng(seed)
    with small():
        codes, scores, genes = random_case(rng)
        at_once = found(codes, scores, *genes)
        track = UtrTrack(codes)
        length, most, kept = len(codes), int(rng.integers(1, 200)), []

        def batches():
            cuts = sorted({*rng.integers(0, length + 1, rng.integers(0, 30)).tolist(), length})
            pieces = track.taken(scores[a:b] for a, b in pairwise([0, *cuts]))
            read = decoded = 0
            waiting = list(genes)
            for piece in pieces:
                read += len(piece)
                kept.append(track.held - (read - decoded))
                lag = 0 if read == length else int(rng.integers(0, most))
                free = max(decoded, read - lag)
                inside = [g.start for g in genes if g.start < free < g.end]
                decoded = max(decoded, min([free, *inside]))
                ready = [[gene] for gene in waiting if gene.end <= decoded]
                waiting = waiting[len(ready) :]
                yield decoded, ready
            assert not waiting

        assert [gene for (gene,) in with_utrs(batches(), track)] == at_once
        assert max(kept) <= 30 + 3 * 60  # a gene, and what may matter on its sides


def test_memory_does_not_grow_with_the_sequence(short_reach: None) -> None:
    """In a gene desert little is held, and the last gene before it is given out soon."""
    gene = Transcript("+", ((100, 160),))
    track = UtrTrack(np.zeros(100_000, dtype=np.uint8))
    held = []

    def batches():
        for number, _ in enumerate(track.taken(told([], 1000) for _ in range(100)), 1):
            held.append(track.held)
            yield 1000 * number, [[gene]] if number == 1 else []

    genes = with_utrs(batches(), track)
    assert next(genes) == [gene] and len(held) == 1
    assert list(genes) == [] and len(held) == 100
    assert max(held) == 1000 + utr.REACH


def test_scores_of_labels_pass_the_track_unchanged() -> None:
    track = UtrTrack(np.zeros(50, dtype=np.uint8))
    scores = np.random.default_rng(0).integers(-99, 0, (50, 38), dtype=np.int16)
    (labels,) = track.taken([scores])
    assert np.array_equal(labels, scores[:, :NUM_LABELS])
    assert labels.dtype == np.int16 and labels.flags.c_contiguous and labels.base is None
    assert (track.held, len(track)) == (50, 50)
    before = track.worth(30, 40, "+", left=True)
    for start in (20, 10):  # what is forgotten stays so
        track.forget(start)
        assert track.held == 30
    for one, other in zip(before, track.worth(30, 40, "+", left=True), strict=True):
        assert np.array_equal(one, other)
