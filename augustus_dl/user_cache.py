"""Files that can be made again, kept in the user's cache folder: `$XDG_CACHE_HOME` or `~/.cache`,
`augustus-dl`.

A file's name tells everything its content depends on. Where the folder cannot be written to,
nothing is kept.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_folder", "keep", "kept"]


def cache_folder() -> Path:
    """Where the files are.

    Raises:
        RuntimeError: there is no home folder.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "augustus-dl"


def kept(name: str) -> Path | None:
    """The file of this name, if a run before has kept it; it counts as used now."""
    with suppress(OSError, RuntimeError):
        path = cache_folder() / name
        os.utime(path)
        return path
    return None


def keep(name: str, content: bytes | memoryview, most: int) -> None:
    """Keep a file, and of its kind, by suffix, no more than those used last.

    Args:
        most: how many.
    """
    with suppress(OSError, RuntimeError):
        path = cache_folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_bytes(content)
        part.replace(path)
        kind = path.parent.glob(f"*{path.suffix}")
        for old in sorted(kind, key=lambda path: path.stat().st_mtime)[:-most]:
            old.unlink(missing_ok=True)
