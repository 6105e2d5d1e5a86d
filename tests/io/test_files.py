"""Plain and compressed files, lines with numbers, and what cannot be opened."""

import gzip
import os
import tempfile
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.io.files import InputFile, lines, whole_file


def write_to_pipe(path: Path, content: bytes) -> None:
    """Make a named pipe and write to it from another process, a byte first."""
    os.mkfifo(path)
    if os.fork() == 0:
        with open(path, "wb", buffering=0) as pipe:
            pipe.write(content[:1])
            pipe.write(content[1:])
        os._exit(0)


def test_lines_are_numbered_and_bare(tmp_path):
    for content in (b"a\n\nb c\n", b"a\r\n\r\nb c", gzip.compress(b"a\n\nb c")):
        (tmp_path / "f").write_bytes(content)
        assert list(lines(tmp_path / "f", "list")) == [(1, "a"), (2, ""), (3, "b c")]


def test_utf8_latin1_and_a_byte_order_mark(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa\n\xc3\xa9\n\xe9\n")
    assert list(lines(tmp_path / "f", "list")) == [(1, "a"), (2, "\u00e9"), (3, "\u00e9")]


@pytest.mark.parametrize("size", [4, 8, 20, 1000])
def test_blocks_end_with_lines_unless_these_are_long(tmp_path: Path, size: int) -> None:
    text = b"\xef\xbb\xbfone\n\ntwo\nthree and no end"
    for content in (text, gzip.compress(text)):
        (tmp_path / "f").write_bytes(content)
        file = InputFile(tmp_path / "f", "list")
        blocks = list(file.blocks(size))
        assert b"".join(blocks) == b"".join(file.lines())
        assert max(map(len, blocks)) <= 2 * size
        if size >= 20:  # the longest line
            assert all(block.endswith(b"\n") for block in blocks[:-1])


def test_a_file_is_read_as_often_as_needed(tmp_path):
    (tmp_path / "f").write_bytes(gzip.compress(b"\xef\xbb\xbfab\ncd"))
    file = InputFile(tmp_path / "f", "list")
    assert file.gzipped
    assert list(zip(file.lines(), file.lines(), strict=True)) == [(b"ab\n",) * 2, (b"cd",) * 2]
    assert file.head(5) == b"ab"
    assert str(file) == f"list {tmp_path / 'f'}"


@pytest.mark.parametrize("content", [b"a\nb\n", gzip.compress(b"a\nb\n", mtime=0)])
def test_a_pipe_is_copied_and_the_copy_removed(tmp_path, monkeypatch, content):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    write_to_pipe(tmp_path / "pipe", content)
    file = InputFile(tmp_path / "pipe", "list")
    os.wait()
    assert list(file.lines()) == list(file.lines()) == [b"a\n", b"b\n"]
    assert file.path == str(tmp_path / "pipe")
    assert len(list(tmp_path.iterdir())) == 2
    del file
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "f").touch()
    assert list(InputFile(tmp_path / "f", "list").lines()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "list .*f is empty"),
        (gzip.compress(b"", mtime=0), "list .*f is empty"),
        (b"\xfd7zXZ\0rest", "xz-compressed"),
        (b"PK\x03\x04rest", "zip-compressed"),
        (b"a\0b", "binary"),
        (b"a\n" * 40000 + b"\0", "binary"),
        (gzip.compress(b"a\n" * 99, mtime=0)[:-3], "truncated"),
    ],
)
def test_bad_files(tmp_path, content, words):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError, match=words):
        list(lines(tmp_path / "f", "list"))
    if "empty" not in words:
        with pytest.raises(InputError, match=words):
            list(InputFile(tmp_path / "f", "list").blocks())


def test_missing_folder_and_forbidden(tmp_path):
    with pytest.raises(InputError, match=r"list .*no does not exist"):
        InputFile(tmp_path / "no", "list")
    with pytest.raises(InputError, match="is a folder"):
        InputFile(tmp_path, "list")
    (tmp_path / "f").touch(mode=0)
    if not os.access(tmp_path / "f", os.R_OK):  # the superuser reads everything
        with pytest.raises(InputError, match="permission"):
            InputFile(tmp_path / "f", "list")


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
