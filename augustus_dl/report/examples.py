"""A fair and bounded choice of examples from a stream, some of each kind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Examples"]

Item = TypeVar("Item")


class Examples(Generic[Item]):
    """Keeps up to `most` items of each kind, each item of a kind equally likely.

    The choice depends on what is offered only: the same stream gives the same examples.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._random = random.Random(0)
        self._kept: dict[str, list[Item]] = {}
        self.offered: Counter[str] = Counter()

    def offer(self, kind: str, make: Callable[[], Item]) -> None:
        """Take an item into the choice; it is only made when it is kept."""
        self.offered[kind] += 1
        kept = self._kept.setdefault(kind, [])
        place = self._random.randrange(self.offered[kind])
        if len(kept) < self._most:
            kept.append(make())
        elif place < self._most:
            kept[place] = make()

    def chosen(self) -> list[Item]:
        """Up to `most` items: one of each kind, frequent kinds first, then another round."""
        kinds = [self._kept[kind] for kind, _ in self.offered.most_common()]
        rounds = [of_kind[i] for i in range(self._most) for of_kind in kinds if i < len(of_kind)]
        return rounds[: self._most]
