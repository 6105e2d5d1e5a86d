"""Examples from a stream.

python -m pytest tests/report/test_examples.py
"""

from __future__ import annotations

from collections import Counter

from augustus_dl.report.examples import Examples


def test_every_kind_has_its_turn() -> None:
    examples: Examples[str] = Examples(4)
    for number in range(50):
        examples.offer("often", lambda number=number: f"often {number}")
    examples.offer("once", lambda: "once")
    chosen = [item.split()[0] for item in examples.chosen()]
    assert chosen == ["often", "once", "often", "often"]
    assert examples.offered == {"often": 50, "once": 1}


def test_items_are_made_only_when_kept_and_late_ones_may_be() -> None:
    made: Counter[int] = Counter()
    examples: Examples[int] = Examples(3)
    for number in range(1000):
        examples.offer("x", lambda number=number: made.update([number]) or number)
    assert len(made) < 40 and max(examples.chosen()) > 100
    assert len(set(examples.chosen())) == 3


def test_without_offers_nothing_is_chosen() -> None:
    assert Examples[int](3).chosen() == []
