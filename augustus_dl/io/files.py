"""Opening input files: plain or gzip (bgzip too) found by content, one clear error for each fault.

Every reader in this folder opens its file here, so that all of them refuse the same things with
the same words.
"""

from __future__ import annotations

import codecs
import gzip
import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from augustus_dl.errors import InputError

__all__ = ["InputFile", "decoded", "lines", "whole_file"]

_GZIP = b"\x1f\x8b"
_GZIP_FAULTS = (EOFError, gzip.BadGzipFile, zlib.error)
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_COMPRESSED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


class InputFile:
    """A text file, plain or gzip, that can be read from its beginning as often as needed.

    What comes from a pipe is copied to a temporary file first, because it comes only once; the
    copy goes when the object goes. As text the object reads "<what> <path>", for messages.

    Attributes:
        path: as the user named it.
        what: what the file should be, e.g. "sequence file".
        gzipped: the content is gzip or bgzip.

    Raises:
        InputError: missing, a folder, not readable, or a truncated bgzip file.
    """

    def __init__(self, path: str | os.PathLike, what: str) -> None:
        self.path = os.fspath(path)
        self.what = what
        self._place = Path(path).expanduser()
        self._check_access()
        if not self._place.is_file():
            self._place = self._copied()
        with open(self._place, "rb") as raw:
            self._magic = raw.read(14)
        self.gzipped = self._magic.startswith(_GZIP)
        self._check_bgzip_end()

    def __str__(self) -> str:
        return f"{self.what} {self.path}"

    def head(self, size: int = 65536) -> bytes:
        """The first bytes, decompressed, without byte order mark.

        Raises:
            InputError: damaged gzip.
        """
        try:
            with self._open() as stream:
                return stream.read(size).removeprefix(codecs.BOM_UTF8)
        except _GZIP_FAULTS as error:
            raise self._damaged() from error

    def not_text(self) -> str:
        """Why this cannot be a text file, judged by its beginning; "" when it can."""
        for start, name in _COMPRESSED.items():
            if self._magic.startswith(start):
                return f"is {name}-compressed; use plain text or gzip"
        return "is a binary file; text is needed" if b"\0" in self.head() else ""

    def lines(self) -> Iterator[bytes]:
        """Lines with their line ends, decompressed, without byte order mark.

        Raises:
            InputError: damaged gzip, another compression, or binary content.
        """
        if reason := self.not_text():
            raise InputError(f"{self} {reason}")
        try:
            with self._open() as stream:
                for number, line in enumerate(stream):
                    if b"\0" in line:
                        raise InputError(f"{self} is a binary file; text is needed")
                    yield line if number else line.removeprefix(codecs.BOM_UTF8)
        except _GZIP_FAULTS as error:
            raise self._damaged() from error

    def blocks(self, size: int = 1 << 20) -> Iterator[bytes]:
        """About `size` bytes at a time: what `lines` gives, joined. Each ends with a line, or
        inside of one that is longer than `size`, which is at least that of a byte order mark.

        Raises:
            InputError: as `lines`.
        """
        if reason := self.not_text():
            raise InputError(f"{self} {reason}")
        try:
            with self._open() as stream:
                first = True
                while block := stream.read(size):
                    block += stream.readline(size)
                    if b"\0" in block:
                        raise InputError(f"{self} is a binary file; text is needed")
                    yield block.removeprefix(codecs.BOM_UTF8) if first else block
                    first = False
        except _GZIP_FAULTS as error:
            raise self._damaged() from error

    def _open(self) -> BinaryIO:
        return gzip.open(self._place) if self.gzipped else open(self._place, "rb")

    def _check_access(self) -> None:
        if self._place.is_dir():
            raise InputError(f"{self} is a folder; name a file")
        if not self._place.exists():
            raise InputError(f"{self} does not exist")
        if not os.access(self._place, os.R_OK):
            raise InputError(f"{self} cannot be read: permission denied")

    def _copied(self) -> Path:
        """A copy that goes with this object, at the latest when the program ends."""
        number, name = tempfile.mkstemp(prefix="augustus-dl-")
        weakref.finalize(self, os.unlink, name)
        try:
            with open(self._place, "rb") as pipe, open(number, "wb") as copy:
                shutil.copyfileobj(pipe, copy)
        except OSError as error:
            raise InputError(f"{self} cannot be copied to {name}: {error.strerror}") from error
        return Path(name)

    def _check_bgzip_end(self) -> None:
        """A bgzip file cut at a block reads without complaint; only its end block tells."""
        if not self._magic.startswith(_BGZIP_END[:4]) or self._magic[12:] != b"BC":
            return
        with open(self._place, "rb") as raw:
            raw.seek(-min(len(_BGZIP_END), self._place.stat().st_size), os.SEEK_END)
            if raw.read() != _BGZIP_END:
                raise self._damaged()

    def _damaged(self) -> InputError:
        return InputError(f"{self} is a damaged or truncated gzip file; make it again")


def lines(path: str | os.PathLike, what: str) -> Iterator[tuple[int, str]]:
    """Lines of a text file with their numbers from 1, without their line ends.

    Raises:
        InputError: as `InputFile`, damaged gzip, binary content, or an empty file.
    """
    file = InputFile(path, what)
    if not file.head(1):
        raise InputError(f"{file} is empty")
    for number, line in enumerate(file.lines(), 1):
        yield number, decoded(line.rstrip(b"\r\n"))


def decoded(line: bytes) -> str:
    """Text of a line: UTF-8, else Latin-1, as in older annotation files."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


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
