"""Opening input files: plain or gzip (bgzip too) found by content, one clear error for each fault.

Every reader in this folder opens its file here, so that all of them refuse the same things with
the same words.
"""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augustus_dl.errors import InputError

__all__ = ["head", "lines", "readable", "whole_file"]

_GZIP = b"\x1f\x8b"
_COMPRESSED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


def readable(path: str | os.PathLike, what: str) -> Path:
    """The path with `~` expanded, when a file of some length can be opened there.

    Args:
        path: file as the user named it; a pipe is let through without a look at its content.
        what: what the file should be, for the message, e.g. "sequence file".

    Raises:
        InputError: missing, a folder, not readable, or empty.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise InputError(f"{what} {path} is a folder; name a file")
    if not path.exists():
        raise InputError(f"{what} {path} does not exist")
    if not os.access(path, os.R_OK):
        raise InputError(f"{what} {path} cannot be read: permission denied")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{what} {path} is empty")
    return path


def head(path: Path, what: str, size: int = 65536) -> bytes:
    """The first bytes of a regular file, decompressed when it is gzip.

    Raises:
        InputError: damaged gzip, another compression, or binary content.
    """
    with open(path, "rb") as raw:
        magic = raw.read(8)
    for start, name in _COMPRESSED.items():
        if magic.startswith(start):
            raise InputError(f"{what} {path} is {name}-compressed; use plain text or gzip")
    try:
        with gzip.open(path) if magic.startswith(_GZIP) else open(path, "rb") as stream:
            block = stream.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _truncated(path, what) from error
    if b"\0" in block:
        raise InputError(f"{what} {path} is a binary file; text is needed")
    return block


def lines(path: str | os.PathLike, what: str) -> Iterator[tuple[int, str]]:
    """Lines of a text file with their numbers from 1, without their line ends.

    Text is UTF-8; a line that is not, is taken as Latin-1, as in older annotation files.

    Raises:
        InputError: as `readable`, and damaged gzip or binary content.
    """
    path = readable(path, what)
    is_gzip = False
    if path.is_file():
        head(path, what, size=4096)
        with open(path, "rb") as raw:
            is_gzip = raw.read(2) == _GZIP
    try:
        with gzip.open(path) if is_gzip else open(path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                yield number, _decoded(line.rstrip(b"\r\n"))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _truncated(path, what) from error


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _truncated(path: Path, what: str) -> InputError:
    return InputError(f"{what} {path} is a damaged or truncated gzip file; make it again")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, so that the file appears whole or not at all.

    When the block ends well the file takes `path`'s place and gets the usual permissions; when it
    does not, what was written is removed. The ending of the name stays.
    """
    part = path.with_name(f".{os.getpid()}.part.{path.name}")
    try:
        yield part
        part.chmod(0o644)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
