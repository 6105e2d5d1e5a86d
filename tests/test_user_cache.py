"""Files kept in the user's cache folder.

python -m pytest tests/test_user_cache.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from augustus_dl.user_cache import cache_folder, keep, kept


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_not_used_is_forgotten(base: Path) -> None:
    for age, name in enumerate(["a.x", "b.x", "c.x", "d.y"]):
        keep(name, b"content", most=3)
        os.utime(cache_folder() / name, (1e9 + age, 1e9 + age))
    assert kept("a.x") == base / "augustus-dl" / "a.x"
    assert kept("a.x").read_bytes() == b"content"
    keep("e.x", b"content", most=3)
    assert sorted(path.name for path in cache_folder().iterdir()) == ["a.x", "c.x", "d.y", "e.x"]
    assert kept("b.x") is None


def test_nothing_is_kept_where_nothing_can_be_written(base: Path) -> None:
    (base / "augustus-dl").touch()
    keep("a.x", b"content", most=3)
    assert kept("a.x") is None
