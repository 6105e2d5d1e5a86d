"""Numbered lines of plain and compressed files, and what cannot be opened."""

import gzip
import os
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.io.files import head, lines, readable, whole_file


def test_lines_are_numbered_and_bare(tmp_path):
    for content in (b"a\n\nb c\n", b"a\r\n\r\nb c", gzip.compress(b"a\n\nb c")):
        (tmp_path / "f").write_bytes(content)
        assert list(lines(tmp_path / "f", "list")) == [(1, "a"), (2, ""), (3, "b c")]


def test_utf8_latin1_and_a_byte_order_mark(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa\n\xc3\xa9\n\xe9\n")
    assert list(lines(tmp_path / "f", "list")) == [(1, "a"), (2, "\u00e9"), (3, "\u00e9")]


def test_a_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    if os.fork() == 0:
        path.write_bytes(b"a\nb\n")
        os._exit(0)
    assert list(lines(path, "list")) == [(1, "a"), (2, "b")]
    os.wait()


def test_head_is_decompressed(tmp_path):
    (tmp_path / "f").write_bytes(gzip.compress(b"abcdef"))
    assert head(tmp_path / "f", "list", size=3) == b"abc"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "list .*f is empty"),
        (b"\xfd7zXZ\0rest", "xz-compressed"),
        (b"PK\x03\x04rest", "zip-compressed"),
        (b"a\0b", "binary"),
        (gzip.compress(b"a\n" * 99)[:-3], "truncated"),
    ],
)
def test_bad_files(tmp_path, content, words):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError, match=words):
        list(lines(tmp_path / "f", "list"))


def test_missing_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"list .*no does not exist"):
        readable(tmp_path / "no", "list")
    with pytest.raises(InputError, match="is a folder"):
        readable(tmp_path, "list")


def test_a_whole_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_text("old")
    with whole_file(target) as part:
        part.write_text("new")
        assert part.suffix == ".png" and part.parent == tmp_path
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_an_interrupted_whole_file_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "out") as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
