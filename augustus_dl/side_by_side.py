"""Work side by side with results in order: searches of several contigs, and steps of a line."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import takewhile
from threading import Event
from typing import TypeVar

from augustus_dl.io.fasta import Contig

__all__ = ["ahead", "in_order"]

T = TypeVar("T")


def in_order(
    searches: Iterator[tuple[Contig, Iterator[T]]], workers: int, room: int
) -> Iterator[tuple[Contig, list[T]]]:
    """All that is found on each contig, in order. While one is waited for, others are under way.

    Args:
        workers: how many at a time.
        room: bases of contigs that may be ahead of the one in turn.
    """
    if workers == 1:
        yield from ((contig, list(found)) for contig, found in searches)
        return
    waiting: deque[tuple[Contig, Future[list[T]]]] = deque()
    failure, bases, stop = None, 0, Event()
    pool = ThreadPoolExecutor(workers, "contig")
    try:
        while True:
            try:
                contig, found = next(searches)
            except StopIteration:
                break
            except Exception as error:  # its turn comes when all before are done
                failure = error
                break
            waiting.append((contig, pool.submit(_listed, found, stop)))
            bases += len(contig.sequence)
            while waiting and (bases > room or waiting[0][1].done()):
                contig, done = waiting.popleft()
                bases -= len(contig.sequence)
                yield contig, done.result()
        for contig, done in waiting:
            yield contig, done.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    if failure:
        raise failure


def _listed(found: Iterator[T], stop: Event) -> list[T]:
    """All of them, unless nobody waits any more."""
    return list(takewhile(lambda _: not stop.is_set(), found))


def ahead(items: Iterator[T], room: int) -> Iterator[T]:
    """The same items, made one after the other in a thread of their own, up to `room` of them
    before they are asked for. An error comes in its turn."""
    pool, end = ThreadPoolExecutor(1, "ahead"), object()
    waiting: deque[Future] = deque()
    try:
        while True:
            while len(waiting) <= room:
                waiting.append(pool.submit(next, items, end))
            item = waiting.popleft().result()
            if item is end:
                return
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
