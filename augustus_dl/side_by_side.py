"""Work on several contigs, windows, or steps of a line at the same time; results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, takewhile
from threading import Event
from typing import TypeVar

from augustus_dl.io.fasta import Contig

__all__ = ["ahead", "in_order", "under_way"]

K = TypeVar("K")
T = TypeVar("T")


def in_order(
    searches: Iterator[tuple[Contig, Iterator[T]]], workers: int, room: int, beside: int = 1
) -> Iterator[tuple[Contig, list[T]]]:
    """All that is found on each contig, in order. While one is waited for, others are under way.

    Args:
        workers: how many at a time.
        room: bases of contigs that may be under way at a time.
        beside: so many may be, however long they are.
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
            while waiting and ((bases > room and len(waiting) >= beside) or waiting[0][1].done()):
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


def under_way(begun: Iterator[tuple[K, list[Future[T]]]], number: int) -> Iterator[tuple[K, T]]:
    """What was begun with the result of its last step, in order.

    Args:
        begun: begins a piece of work with each item.
        number: items that are taken by this call, and that are always under way.
    """
    waiting = deque(islice(begun, number))

    def results() -> Iterator[tuple[K, T]]:
        try:
            while waiting:
                waiting.extend(islice(begun, 1))
                item, steps = waiting.popleft()
                yield item, steps[-1].result()
        finally:
            for _, steps in waiting:
                for step in steps:
                    step.cancel()

    return results()
