"""Several contigs, and several steps of a line, at a time.

python -m pytest tests/test_side_by_side.py
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from augustus_dl.errors import InputError
from augustus_dl.io.fasta import Contig
from augustus_dl.side_by_side import ahead, in_order


def test_contigs_are_searched_side_by_sidein_order() -> None:
    gates = {name: threading.Event() for name in "abcd"}
    begun = []

    def loci(name: str) -> Iterator[str]:
        assert gates[name].wait(60)
        yield name

    def searches() -> Iterator[tuple[Contig, Iterator[str]]]:
        for name in gates:
            begun.append(name)
            yield Contig(name, b"A" * 100), loci(name)
        raise InputError("the file is damaged")

    gates["b"].set()
    gates["a"].set()
    answers = in_order(searches(), workers=2, room=250)
    assert next(answers)[1] == ["a"]
    assert next(answers)[1] == ["b"]
    gates["c"].set()
    gates["d"].set()
    assert [(contig.name, found) for contig, found in islice(answers, 2)] == [
        ("c", ["c"]),
        ("d", ["d"]),
    ]
    with pytest.raises(InputError, match="damaged"):
        next(answers)


def test_contigs_ahead_are_bounded_and_given_up() -> None:
    begun, release = [], threading.Event()

    def loci() -> Iterator[str]:
        while True:  # until nobody waits any more
            release.wait(0.01)
            yield "x"

    def searches() -> Iterator[tuple[Contig, Iterator[str]]]:
        yield Contig("first", b"A" * 100), iter(["x"])
        for number in range(9):
            begun.append(number)
            yield Contig(str(number), b"A" * 100), loci()

    answers = in_order(searches(), workers=2, room=250)
    assert next(answers)[1] == ["x"]
    assert len(begun) <= 3
    answers.close()


def test_ahead_gives_the_same_in_order() -> None:
    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    assert list(ahead(iter(()), 1)) == []


def test_ahead_tells_errors_in_their_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    found = ahead(items(), 5)
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_ahead_makes_no_more_than_there_is_room_for() -> None:
    made = []
    found = ahead((made.append(i) for i in range(100)), 2)
    next(found)
    found.close()
    assert len(made) <= 4


def test_some_contigs_are_searched_beside_each_other_however_long() -> None:
    begun = []

    def searches() -> Iterator[tuple[Contig, Iterator[str]]]:
        for number in range(9):
            begun.append(number)
            yield Contig(str(number), b"A" * 100), gated()

    release = threading.Event()

    def gated() -> Iterator[str]:
        release.wait(60)
        yield "x"

    answers = in_order(searches(), workers=4, room=50, beside=3)
    threading.Timer(0.2, release.set).start()
    assert next(answers)[1] == ["x"]
    assert len(begun) == 3
    answers.close()
