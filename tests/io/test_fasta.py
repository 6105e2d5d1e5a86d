"""FASTA in every wrapping, every bad file, and contigs -> file -> contigs."""

import gzip
import logging
import os
import random
from pathlib import Path

import pytest
from Bio.bgzf import BgzfWriter
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.errors import InputError
from augustus_dl.io.fasta import (
    Contig,
    contigs,
    fasta_is_lower_case,
    fasta_names,
    looks_like_protein,
    read_fasta,
    write_fasta,
)
from augustus_dl.io.files import InputFile

TEXT = b">chr1 some words\nACGTacgtNNn\nGG\n>chr2\tx=1\nRYKM\n"
EXPECTED = [Contig("chr1", b"ACGTacgtNNnGG"), Contig("chr2", b"RYKM")]


def put(tmp_path, content: bytes, name: str = "g.fa"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def bgzip(tmp_path, content: bytes):
    path = tmp_path / "b.fa.gz"
    with BgzfWriter(str(path)) as stream:
        stream.write(content)
    return path


def test_plain_gzip_and_bgzip_read_the_same(tmp_path):
    assert list(contigs(put(tmp_path, TEXT))) == EXPECTED
    assert list(contigs(put(tmp_path, gzip.compress(TEXT), "named.fa"))) == EXPECTED
    assert list(contigs(bgzip(tmp_path, TEXT))) == EXPECTED
    assert list(contigs(str(put(tmp_path, TEXT)))) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b">a\r\nAC\r\nGT\r\n", [Contig("a", b"ACGT")]),
        (b"\n\n>a\n\nAC\n\nGT", [Contig("a", b"ACGT")]),
        (b"\xef\xbb\xbf>a\nACGT\n", [Contig("a", b"ACGT")]),
        (b">gi|68711|x:1-2 y\nACGT\n", [Contig("gi|68711|x:1-2", b"ACGT")]),
        (b">a\n1 ACGT 4\n5 AC-*T\n", [Contig("a", b"ACGTACT")]),
        (b" >a b\nACGT\n", [Contig("a", b"ACGT")]),
        (b">\nACGT\n> b\nGG\n", [Contig("unnamed-1", b"ACGT"), Contig("unnamed-2", b"GG")]),
        (b">n\xe9\nAC\xa0GT\n", [Contig("n\u00e9", b"ACGT")]),
        (b">n\xc3\xa9\nACGT\x1a", [Contig("n\u00e9", b"ACGT")]),
        (b">a\n@ACGT\n+\nTT\n", [Contig("a", b"ACGTTT")]),
        (b">a\nACGT\n>a\nTTTT\n", [Contig("a", b"ACGT"), Contig("a", b"TTTT")]),
        (b">a\nAC>x\n >b c>d\nGT", [Contig("a", b"ACx"), Contig("b", b"GT")]),
        (b">a\nXXXXNNNN\n", [Contig("a", b"XXXXNNNN")]),
    ],
)
def test_odd_but_good_files(tmp_path, text, expected):
    assert list(contigs(put(tmp_path, text))) == expected


def test_home_is_expanded(tmp_path, monkeypatch):
    put(tmp_path, TEXT)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list(contigs("~/g.fa")) == EXPECTED


def test_empty_record_in_the_middle_is_skipped_with_a_warning(tmp_path, caplog):
    path = put(tmp_path, b">a\nAC\n>hollow\n>b\nGT\n")
    with caplog.at_level(logging.WARNING):
        assert [c.name for c in contigs(path)] == ["a", "b"]
    assert "hollow" in caplog.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "No sequences found"),
        (b" \n\n", "No sequences found"),
        (b"hello world\n", "not FASTA"),
        (b"@r1\nACGT\n+\nIIII\n", "not FASTA"),
        (b"LOCUS x 5 bp DNA\n", "not FASTA"),
        (bytes(range(256)) * 9, "binary"),
        (b">a\nAC\0GT\n", "binary"),
        (gzip.compress(b"", mtime=0), "No sequences found"),
        (gzip.compress(bytes(range(100, 200)) + b"\0", mtime=0), "binary"),
        (b"BZh91AY&SY", "bzip2"),
        (b">only a name\n", "No sequences found"),
        (b">p\nMSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRL\n", "protein"),
        (b">a\n" + b"ACGT\n" * 20000 + b"AC\0GT\n", "binary"),
    ],
)
def test_bad_files_say_so_in_one_line(tmp_path, content, words):
    path = put(tmp_path, content)
    with pytest.raises(InputError, match=words) as caught:
        list(contigs(path))
    assert "g.fa" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_gzip_and_bgzip(tmp_path):
    text = ">a\n" + "".join(random.Random(1).choices("ACGT", k=300000)) + "\n>b\nACGT\n"
    whole = gzip.compress(text.encode())
    for cut in (300, len(whole) // 2, len(whole) - 6):
        with pytest.raises(InputError, match="truncated"):
            list(contigs(put(tmp_path, whole[:cut])))
    blocks = bgzip(tmp_path, text.encode()).read_bytes()
    for cut in (len(blocks) - 28, len(blocks) // 2):
        with pytest.raises(InputError, match="truncated"):
            list(contigs(put(tmp_path, blocks[:cut])))


def test_missing_folder_and_forbidden(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        list(contigs(tmp_path / "no.fa"))
    with pytest.raises(InputError, match="is a folder"):
        list(contigs(tmp_path))
    path = put(tmp_path, TEXT)
    path.chmod(0)
    if not os.access(path, os.R_OK):  # the superuser reads everything
        with pytest.raises(InputError, match="permission"):
            list(contigs(path))


def test_a_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    if os.fork() == 0:
        path.write_bytes(TEXT)
        os._exit(0)
    assert list(contigs(path)) == EXPECTED
    os.wait()


def test_letters_before_the_first_name(tmp_path):
    path = put(tmp_path, b"AC GT\n\nacg\n>b\nGG\n")
    found = list(read_fasta(InputFile(path, "sequence file")))
    assert found == [Contig("unnamed-1", b"ACGTacg"), Contig("b", b"GG")]
    with pytest.raises(InputError, match="not FASTA: it begins with 'AC GT'"):
        list(contigs(path))


def test_names_are_those_of_the_contigs(tmp_path, caplog):
    file = InputFile(put(tmp_path, b">a\nAC\n>hollow\n>\nGT\n>a\nT\n"), "sequence file")
    assert list(fasta_names(file)) == ["a", "unnamed-3", "a"]
    assert not caplog.records
    assert [contig.name for contig in read_fasta(file)] == ["a", "unnamed-3", "a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b">NAME\nacgtn\n>B\nxx\n", True),
        (b">a\nacgt\n>b\nacgN\n", False),
        (b"ACGT\n", False),
        (b"acgt", True),
    ],
)
def test_lower_case_is_asked_of_all_sequences(tmp_path, text, expected):
    assert fasta_is_lower_case(InputFile(put(tmp_path, text), "sequence file")) is expected


def test_iupac_letters_are_no_protein():
    assert not looks_like_protein(b"ACGTURYSWKMBDHVN" * 9)
    assert not looks_like_protein(b"N" * 50)
    assert looks_like_protein(b"MSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRL")


letters = st.text("ACGTNacgtnRYx", min_size=1, max_size=200)
names = st.text("abcXYZ019_.|:-", min_size=1, max_size=20)


@given(st.lists(st.tuples(names, letters), min_size=1, max_size=5), st.integers(1, 70))
def test_write_then_read_gives_the_same(tmp_path_factory, records, width):
    path = tmp_path_factory.mktemp("f") / "w.fa"
    written = [Contig(name, sequence.encode()) for name, sequence in records]
    write_fasta(path, written, width)
    assert list(contigs(path)) == written


def test_a_line_may_be_longer_than_a_block(tmp_path: Path) -> None:
    letters = b"ACGT" * 700_000
    path = tmp_path / "long.fa"
    path.write_bytes(b">a\n" + letters + b"\n>b\n" + letters[: 1 << 20] + b" >c\n" + b"AC\n")
    found = {contig.name: bytes(contig.sequence) for contig in contigs(path)}
    assert list(found) == ["a", "b"]
    assert found["a"] == letters
    assert found["b"] == letters[: 1 << 20] + b"cAC"


@pytest.mark.parametrize("before", [1 << 20, (1 << 20) - 1, (1 << 21) - 3, 1 << 21])
def test_what_looks_like_a_header_inside_a_line_is_none(tmp_path: Path, before: int) -> None:
    path = tmp_path / "odd.fa"
    path.write_bytes(b">a\n" + b"A" * before + b">CC" * 4 + b"\n>b\nGG\n")
    found = {contig.name: bytes(contig.sequence) for contig in contigs(path)}
    assert found == {"a": b"A" * before + b"CC" * 4, "b": b"GG"}


@pytest.mark.parametrize("extra", [1 << 20, 1 << 21, (1 << 22) + 5])
def test_a_header_may_be_longer_than_a_block(tmp_path: Path, extra: int) -> None:
    """What follows a name is no sequence, however long it is."""
    path = tmp_path / "header.fa"
    path.write_bytes(b">a " + b"ACGT>" * (extra // 5) + b"\nGG\n>b\nCC\n")
    assert [(contig.name, contig.sequence) for contig in contigs(path)] == [
        ("a", b"GG"),
        ("b", b"CC"),
    ]
