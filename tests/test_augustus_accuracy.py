"""AUGUSTUS's way of counting, by hand; the exon classes against a loop over all pairs."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.augustus_accuracy import NEAR, AugustusAccuracy, ExonCounts
from augustus_dl.gene import Gene, Transcript


def gene(*transcripts: Transcript) -> Gene:
    return Gene("c", transcripts[0].strand, transcripts)


def single(start: int, end: int, strand: str = "+", **fields) -> Gene:
    """A gene of one coding exon."""
    return gene(Transcript(strand, ((start, end),), **fields))


def judged(annotated, predicted, **fields) -> AugustusAccuracy:
    """Accuracy on one locus."""
    accuracy = AugustusAccuracy(**fields)
    accuracy.add(annotated, predicted)
    return accuracy


def counts(level) -> tuple[int, int, int, int]:
    return level.reference, level.found, level.predicted, level.right


def exons(annotated, predicted) -> ExonCounts:
    found = ExonCounts()
    found.add(set(annotated), set(predicted))
    return found


@pytest.mark.parametrize(
    ("predicted", "fit"),
    [
        ((100, 200), "exact"),
        ((80, 220), "near"),
        ((80, 200), "near"),
        ((79, 200), "partial"),
        ((100, 221), "partial"),
        ((79, 220), "overlapping"),
        ((120, 150), "overlapping"),
        ((199, 300), "overlapping"),
        ((200, 300), "wrong"),
        ((10, 100), "wrong"),
    ],
)
def test_how_an_exon_fits(predicted, fit):
    found = exons([(100, 200)], [predicted])
    assert found.false == found.missed == Counter({fit: 1})
    assert (found.annotated, found.predicted) == (1, 1)


def test_short_exons_are_near_without_a_common_base():
    assert exons([(100, 110)], [(112, 122)]).false == {"near": 1}


def test_the_best_fit_counts():
    found = exons([(100, 200), (150, 400)], [(150, 200), (100, 400), (500, 600)])
    assert found.false == {"partial": 2, "wrong": 1}
    assert found.missed == {"partial": 2}


def plain_fit(exon, others) -> str:
    ranks = [0]
    for start, end in others:
        off = abs(exon[0] - start), abs(exon[1] - end)
        ranks += [1] if exon[0] < end and start < exon[1] else []
        ranks += [2] if 0 in off else []
        ranks += [3] if max(off) <= NEAR else []
        ranks += [4] if off == (0, 0) else []
    return ("wrong", "overlapping", "partial", "near", "exact")[max(ranks)]


intervals = st.sets(
    st.tuples(st.integers(0, 120), st.integers(1, 60)).map(lambda pair: (pair[0], sum(pair))),
    max_size=8,
)


@given(intervals, intervals)
def test_fits_agree_with_a_loop_over_all_pairs(annotated, predicted):
    found = exons(annotated, predicted)
    assert found.false == Counter(plain_fit(exon, annotated) for exon in predicted)
    assert found.missed == Counter(plain_fit(exon, predicted) for exon in annotated)


def test_bases_are_counted_on_each_strand():
    found = judged([single(100, 200)], [single(150, 250), single(100, 200, "-")])
    assert counts(found.bases) == (100, 50, 200, 50)
    assert found.exons.false == {"overlapping": 1, "wrong": 1}


@pytest.mark.parametrize(("strands", "bases"), [("+", (99, 99, 99, 99)), ("-", (30, 0, 60, 0))])
def test_one_strand_alone(strands, bases):
    annotated = [single(0, 99), single(200, 230, "-")]
    found = judged(annotated, [single(0, 99), single(300, 360, "-")], strands=strands)
    assert counts(found.bases) == bases
    assert found.transcripts.reference == found.loci == 1


def test_bases_and_exons_of_two_transcripts_count_once_but_in_the_total():
    two = gene(Transcript("+", ((0, 50), (70, 83))), Transcript("+", ((0, 50), (80, 83))))
    found = judged([two], [two])
    assert counts(found.bases) == (63, 63, 63, 63)
    assert (found.annotated_exons, found.predicted_exons) == (4, 4)
    assert (found.exons.annotated, found.exons.false) == (3, {"exact": 3})
    assert counts(found.transcripts) == (2, 2, 2, 2)


def test_only_complete_predictions_are_found():
    for ends in ({"complete5": False}, {"complete3": False}):
        assert counts(judged([single(0, 99)], [single(0, 99, **ends)]).transcripts) == (1, 0, 1, 0)
        assert counts(judged([single(0, 99, **ends)], [single(0, 99)]).transcripts) == (1, 1, 1, 1)


def test_predicted_transcripts_differ_by_their_untranslated_regions():
    same = Transcript("+", ((10, 99),))
    other = Transcript("+", ((10, 99),), utr5=((0, 10),))
    found = judged([gene(same), gene(same)], [gene(same, other), gene(same)])
    assert counts(found.transcripts) == (2, 2, 2, 2)
    assert found.predicted_exons == 3


def test_loci_are_kept_apart():
    found = AugustusAccuracy()
    found.add([single(0, 99)], [])
    found.add([], [single(0, 99)])
    assert counts(found.bases) == (99, 0, 99, 0)
    assert (found.exons.false, found.exons.missed) == ({"wrong": 1}, {"wrong": 1})
    assert found.loci == 2


def with_utrs(strand: str, left: int, right: int, **fields) -> Gene:
    """Coding bases 6000 to 6099 with an untranslated region on each side."""
    utrs = ((left, 6000),), ((6099, right),)
    utr5, utr3 = utrs if strand == "+" else utrs[::-1]
    known = {"tss": True, "tts": True} | fields
    return gene(Transcript(strand, ((6000, 6099),), utr5=utr5, utr3=utr3, **known))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_distances_of_transcript_ends(strand):
    annotated = [with_utrs(strand, 5900, 6200)]
    predicted = [with_utrs(strand, left, right) for left, right in [(5890, 6200), (5850, 6230)]]
    found = judged(annotated, predicted)
    left, right = (found.tss, found.tts) if strand == "+" else (found.tts, found.tss)
    assert (left.predicted, left.distances) == (2, {10: 1, 50: 1})
    assert (left.mean, left.median) == (30, 10)
    assert (right.distances, right.mean, right.median) == ({0: 1, 30: 1}, 15, 0)


def test_transcript_ends_are_compared_only_where_the_coding_sequence_ends_right():
    shifted = gene(
        Transcript(
            "+", ((6003, 6099),), utr5=((5900, 6003),), utr3=((6099, 6150),), tss=True, tts=1
        )
    )
    found = judged([with_utrs("+", 5900, 6200)], [shifted])
    assert (found.tss.predicted, found.tss.distances) == (1, {})
    assert (found.tss.mean, found.tss.median) == (-1, -1)
    assert found.tts.distances == {50: 1}


def test_far_ends_count_as_the_limit():
    found = judged([with_utrs("+", 0, 6200)], [with_utrs("+", 5999, 6200)])
    assert (found.tss.beyond, found.tss.mean, found.tss.median) == (1, 5000, -1)
    found.add([with_utrs("+", 5000, 6200)], [with_utrs("+", 5999, 6200)])
    assert (found.tss.beyond, found.tss.mean, found.tss.median) == (1, (5000 + 999) / 2, 999)


def test_a_region_that_may_go_on_has_no_end():
    found = judged([with_utrs("+", 5900, 6200)], [with_utrs("+", 5890, 6230, tss=False)])
    assert (found.tss.predicted, found.tts.predicted) == (0, 1)
    found = judged([with_utrs("+", 5900, 6200, tss=False)], [with_utrs("+", 5890, 6230)])
    assert found.tss.distances == {10: 1}


def test_a_cut_intron_is_a_predicted_end():
    found = judged([], [gene(Transcript("+", ((10, 99),), complete5=False, start=0))])
    assert (found.tss.predicted, found.tts.predicted) == (1, 0)


def test_an_annotated_transcript_may_end_with_its_coding_sequence():
    annotated = single(6000, 6099, tss=True, tts=True)
    found = judged([annotated], [with_utrs("+", 5890, 6230)])
    assert (found.tss.distances, found.tts.distances) == ({110: 1}, {131: 1})


def test_untranslated_regions():
    """Left: 100 of 110 bases right, near. Right: 101 bases known, 201 predicted, partial."""
    found = judged([with_utrs("+", 5900, 6200)], [with_utrs("+", 5890, 6300)])
    assert counts(found.utr_bases) == (201, 201, 311, 201)
    assert found.utr_exons.false == found.utr_exons.missed == {"near": 1, "partial": 1}
    assert found.utr_bases_inside == 0
    assert counts(found.bases) == (99, 99, 99, 99)


def test_wrong_untranslated_bases_inside_the_annotated_genes():
    annotated = [single(100, 199), single(6200, 6299, "-")]
    assert judged(annotated, [with_utrs("+", 50, 6400)]).utr_bases_inside == 5900 + 200
    assert judged([], [with_utrs("+", 50, 6400)]).utr_bases_inside == 5950 + 301
