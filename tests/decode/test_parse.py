"""Label paths in pieces to transcripts."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.parse import batches, parse
from augustus_dl.gene import Transcript
from augustus_dl.labels import label, to_labels

GENES = [
    Transcript("+", ((3, 8),), phase=2, complete5=False, start=0),
    Transcript("+", ((10, 14), (20, 25))),
    Transcript("-", ((25, 31),)),  # no base between
    Transcript("-", ((40, 41), (50, 58))),
    Transcript("+", ((70, 76), (85, 86)), complete3=False, end=95),
]
LENGTH = 95
KEEP_ALL = DecoderConfig(min_coding_length=0)


@given(cuts=st.lists(st.integers(0, LENGTH), max_size=20))
def test_pieces_give_the_same_transcripts(cuts):
    borders = [0, *sorted(cuts), LENGTH]
    labels = to_labels(GENES, LENGTH)
    pieces = [labels[a:b] for a, b in pairwise(borders)]
    assert list(parse(pieces, KEEP_ALL)) == GENES


def test_short_complete_genes_are_dropped():
    config = DecoderConfig(min_coding_length=9)
    kept = list(parse([to_labels(GENES, LENGTH)], config))
    assert kept == [GENES[0], GENES[1], GENES[3], GENES[4]]


def test_nothing_in_nothing_out():
    assert list(parse([], KEEP_ALL)) == []
    assert list(parse([np.zeros(7, np.uint8)], KEEP_ALL)) == []
    assert list(parse([np.full(7, label("+", "I1"), np.uint8)], KEEP_ALL)) == []


def test_genes_come_out_while_the_path_goes_on():
    labels = to_labels(GENES, LENGTH)
    pieces = iter([labels[:32], labels[32:]])
    transcripts = parse(pieces, KEEP_ALL)
    assert [next(transcripts) for _ in range(3)] == GENES[:3]
    assert len(list(pieces)) == 1


@given(cuts=st.lists(st.integers(0, LENGTH), max_size=20))
def test_batches_say_up_to_where_all_is_known(cuts):
    labels = to_labels(GENES, LENGTH)
    last, found = 0, []
    pieces = [labels[a:b] for a, b in pairwise([0, *sorted(cuts), LENGTH])]
    for known, batch in batches(pieces, KEEP_ALL):
        assert known >= last
        assert all(last <= gene.start and gene.end <= known for gene in batch)
        last = known
        found += batch
    assert (last, found) == (LENGTH, GENES)
