"""The query file in every wrapping, AUGUSTUS's words for bad ones, and files damaged at random.

AUGUSTUS_DL_FUZZ_EXAMPLES=2000 python -m pytest tests/io/test_query.py    # as many as promised
"""

import gzip
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augustus_dl.errors import AugustusError, InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.io.query import ALL_LOWER_CASE, open_query

EXAMPLES = int(os.environ.get("AUGUSTUS_DL_FUZZ_EXAMPLES", "300"))
FASTA = b">chr1 some words\nACGTacgtNNn\nGG\n>chr2\nRYKM\n>chr2\nTTTT\n"
CONTIGS = [Contig("chr1", b"ACGTacgtNNnGG"), Contig("chr2", b"RYKM"), Contig("chr2", b"TTTT")]
GENBANK = b"""\
LOCUS       piece_1   130 bp  DNA
FEATURES             Location/Qualifiers
     source          1..130
     mRNA            complement(join(3..40,51..90))
                     /gene="g2.t1"
     CDS             complement(join(11..40,51..<75))
                     /gene="g2.t1"
                     /codon_start=2
BASE COUNT     66 a   0 c  0 g   64 t
ORIGIN
        1 aaaaaaaaaa ttttttttTT aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt
       61 aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt
      121 aaaaaatttt
//
LOCUS       piece_2   20 bp  DNA
FEATURES             Location/Qualifiers
     source          1..20
     CDS             join(1..6,10
                     ..12)
ORIGIN
        1 aaaaaaaaaa tttttttttt
//
"""
GENES = (
    Gene(
        "piece_1",
        "-",
        (
            Transcript(
                "-",
                ((10, 40), (50, 75)),
                complete3=True,
                id="g2.t1.1",
                utr5=((75, 90),),
                utr3=((2, 10),),
                tss=True,
                tts=True,
            ),
        ),
        "g2.t1",
    ),
)


def put(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "query"
    path.write_bytes(content)
    return path


def records(path: str | Path, **options: bool) -> list:
    return list(open_query(path).records(**options))


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \n\n"], ids=["", "bom", "blanks"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_formats_are_found_by_content(tmp_path, wrap, mark, line_end):
    path = put(tmp_path, wrap(mark + FASTA.replace(b"\n", line_end)))
    query = open_query(path)
    assert (query.path, query.format, query.gzipped) == (str(path), "fasta", wrap is not bytes)
    assert list(query.records()) == [(contig, None) for contig in CONTIGS]
    query = open_query(put(tmp_path, wrap(mark + GENBANK.replace(b"\n", line_end))))
    assert (query.format, query.gzipped) == ("genbank", wrap is not bytes)
    assert [(c.name, len(c.sequence), len(g)) for c, g in query.records()] == [
        ("piece_1", 130, 1),
        ("piece_2", 20, 1),
    ]


@pytest.mark.parametrize(
    ("content", "sequence"),
    [
        (b"acgtACGT\nNN\n", b"acgtACGTNN"),
        (b"1acgt acgt\nAC-GT*\n", b"acgtacgtACGT"),
        (b"hello\n", b"hello"),
    ],
)
def test_letters_without_header_are_one_sequence(tmp_path, content, sequence):
    assert records(put(tmp_path, content)) == [(Contig("unnamed-1", sequence), None)]


def test_home_is_expanded_and_the_name_kept(tmp_path, monkeypatch):
    put(tmp_path, FASTA)
    monkeypatch.setenv("HOME", str(tmp_path))
    query = open_query("~/query")
    assert query.path == "~/query"
    assert len(list(query.records())) == 3


@pytest.mark.parametrize("content", [FASTA, gzip.compress(FASTA)], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input(content, name):
    read, write = os.pipe()
    stdin = os.dup(0)
    try:
        os.dup2(read, 0)
        os.write(write, content)
        os.close(write)
        query = open_query(name)
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
        os.close(read)
    assert query.path == name
    for _ in range(2):
        assert [contig for contig, _ in query.records()] == CONTIGS


def test_a_named_pipe_gives_all_it_has(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    if os.fork() == 0:
        with open(path, "wb", buffering=0) as pipe:
            for byte in GENBANK[:20]:
                pipe.write(bytes([byte]))
            pipe.write(GENBANK[20:])
        os._exit(0)
    query = open_query(path)
    os.wait()
    assert query.format == "genbank"
    assert list(query.names()) == ["piece_1", "piece_2"]
    assert [contig.name for contig, _ in query.records()] == ["piece_1", "piece_2"]


def test_annotated_genes_with_and_without_utrs_and_stop_codons(tmp_path):
    text = GENBANK.replace(b"<75", b"75").replace(b"                     /codon_start=2\n", b"")
    path = put(tmp_path, text)
    assert records(path, utrs=True)[0][1] == GENES
    assert records(path)[0][1][0].transcripts[0].utr5 == ()
    assert records(path, stop_excluded=True)[0][1][0].transcripts[0].cds == ((7, 40), (50, 75))


def test_empty_records_are_named_once_each(tmp_path, caplog):
    query = open_query(put(tmp_path, b">first\n>a\nAC\n>hollow\n\n>b\nGT\n>last"))
    assert list(query.names()) == ["a", "b"]
    assert [contig.name for contig, _ in query.records()] == ["a", "b"]
    named = [message.split(": record ")[1].split()[0] for message in caplog.messages]
    assert named == ["first", "hollow", "last"]


def test_protein_is_named_once_and_read(tmp_path, caplog):
    protein = b"MSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRL\n"
    found = records(put(tmp_path, b">dna\nACGT\n>p\n" + protein + b">q\n" + protein))
    assert [contig.name for contig, _ in found] == ["dna", "p", "q"]
    (warning,) = caplog.messages
    assert ": record p looks like protein" in warning


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b">UPPER\nacgtnnx\n>b\nacgt\n", True),
        (b">a\nacgt\n>b\nacgN\n", False),
        (b"acgt", True),
        (GENBANK, False),
        (GENBANK.replace(b"TT", b"tt"), True),
    ],
)
def test_all_lower_case(tmp_path, content, expected):
    query = open_query(put(tmp_path, content))
    assert query.is_lower_case() is expected
    assert len(list(query.records())) == len(list(query.names()))


def test_the_box_about_lower_case_is_that_of_augustus():
    lines = ALL_LOWER_CASE.splitlines()
    assert len(lines) == 5
    assert lines[0] == lines[4] == "#" * 73
    assert lines[1].startswith("# WARNING: --softmasking=1 and all sequences are completely in ")


BAD_TYPE = r"GBProcessor::determineFileType\(\): Couldn't determine input file type. "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "^No sequences found."),
        (b" \n\n", "^No sequences found."),
        (gzip.compress(b"", mtime=0), "^No sequences found."),
        (b">only a name\n>another", "^No sequences found."),
        (b"LOCUS       x   0 bp  DNA\nORIGIN\n//\n", "^No genbank sequences found."),
        (b"hello, world! 1\n", BAD_TYPE + "Found bad character '!'"),
        (b"chr1\tx\tgene\t1\t9\n", BAD_TYPE + "Found bad character '1'"),
        (b"x ac\xe9gt\n", BAD_TYPE + r"Found bad character '\\xe9'"),
        (b"AC\0GT\n", BAD_TYPE + r"Found bad character '\\x00'"),
        (bytes(range(256)) * 9, BAD_TYPE + r"Found bad character '\\x00'"),
        (b"\x89PNG\r\n\x1a\n", BAD_TYPE + r"Found bad character '\\x89'"),
        (b"BZh91AY&SY", BAD_TYPE + ".*bzip2-compressed"),
        (b"@r1\nACGT\n+\nIIII\n", BAD_TYPE + "Found bad character '@'.*FASTQ"),
        (b">a\n" + b"ACGT\n" * 20000 + b"AC\0GT\n", "binary"),
        (
            gzip.compress(random.Random(1).randbytes(90000).hex().encode(), mtime=0)[:-9],
            "truncated gzip",
        ),
        (gzip.compress(FASTA, mtime=0)[:-3], "truncated gzip"),
        (GENBANK[:-3], "record piece_2 does not end with //; the file may be truncated"),
    ],
)
def test_bad_files_say_so_in_one_line(tmp_path, content, words):
    path = put(tmp_path, content)
    with pytest.raises(InputError, match=words) as caught:
        records(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(InputError) as caught:
        open_query("no/such.fa")
    assert str(caught.value) == 'Could not open input file "no/such.fa"!'
    with pytest.raises(InputError, match=r"Could not open .*! It is a folder"):
        open_query(tmp_path)
    path = put(tmp_path, FASTA)
    path.chmod(0)
    if not os.access(path, os.R_OK):  # the superuser reads everything
        with pytest.raises(InputError, match=f'^Could not open input file "{path}"!$'):
            open_query(path)


def test_a_long_file_is_read_record_by_record(tmp_path):
    """The error at the end of the file comes behind the records before it."""
    query = open_query(put(tmp_path, GENBANK + GENBANK[:-3]))
    found = query.records()
    assert [next(found)[0].name for _ in range(3)] == ["piece_1", "piece_2", "piece_1"]
    with pytest.raises(InputError, match="truncated"):
        next(found)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file after up to four kinds of damage, perhaps compressed and damaged again."""
    content = draw(st.sampled_from([FASTA, GENBANK, FASTA + GENBANK, GENBANK * 3]))
    for _ in range(draw(st.integers(0, 4))):
        content = draw(st.sampled_from(DAMAGE))(draw, content)
    if draw(st.booleans()):
        content = gzip.compress(content, mtime=0)
        for _ in range(draw(st.integers(0, 2))):
            content = draw(st.sampled_from([replaced, truncated, inserted]))(draw, content)
    return content


def place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def replaced(draw: st.DrawFn, content: bytes) -> bytes:
    at = place(draw, content)
    new = draw(st.binary(min_size=1, max_size=4) | st.sampled_from([b"\0", b"\n", b">", b"//"]))
    return content[:at] + new + content[at + len(new) :]


def inserted(draw: st.DrawFn, content: bytes) -> bytes:
    at = place(draw, content)
    return content[:at] + draw(st.binary(min_size=1, max_size=30)) + content[at:]


def truncated(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: place(draw, content)]


def without_a_line(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    del lines[draw(st.integers(0, len(lines) - 1))]
    return b"".join(lines)


def with_another_word(draw: st.DrawFn, content: bytes) -> bytes:
    """A number, location, key or qualifier takes the place of another word."""
    words = content.split(b" ")
    new = (
        b"0", b"-5", b"99999999999999999999", b"1e9", b"..", b"<", "1\u00b2".encode(), b"CDS",
        b"join(", b"complement(", b"order(1..2,5..9)", b"1^2", b"(1.5)..9", b"J1.1:1..5",
        b"/gene=\"", b"/codon_start=", b"/pseudo", b"LOCUS", b"aa", b"ORIGIN", b"FEATURES", b"\t",
    )  # fmt: skip
    words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(new))
    return b" ".join(words)


def with_a_long_line(draw: st.DrawFn, content: bytes) -> bytes:
    at = place(draw, content)
    letter = draw(st.sampled_from([b"A", b" ", b"9", b",", b"(", b">", b"\xff"]))
    return content[:at] + letter * 100_000 + content[at:]


def with_other_line_ends(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b"\x0b"])))


def in_utf16(draw: st.DrawFn, content: bytes) -> bytes:
    return content.decode("latin-1").encode("utf-16")


DAMAGE = [
    replaced,
    inserted,
    truncated,
    without_a_line,
    with_another_word,
    with_another_word,
    with_a_long_line,
    with_other_line_ends,
    in_utf16,
]


class OneLine(logging.Handler):
    """Warnings have one line, too."""

    def handle(self, record: logging.LogRecord) -> None:
        assert "\n" not in record.getMessage()


@pytest.fixture(scope="module")
def one_line_warnings() -> Iterator[None]:
    handler, logger = OneLine(), logging.getLogger("augustus_dl")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.mark.usefixtures("one_line_warnings")
@given(damaged(), st.booleans())
@settings(max_examples=EXAMPLES)
def test_a_damaged_file_gives_records_or_one_line(tmp_path_factory, content, both):
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        query = open_query(path)
        query.is_lower_case()
        list(query.names())
        for contig, genes in query.records(stop_excluded=both, utrs=both):
            assert contig.name and contig.sequence.isalpha()
            assert all(g.start >= 0 and g.contig == contig.name for g in genes or ())
            assert all(
                t.cds[-1][1] <= len(contig.sequence) for g in genes or () for t in g.transcripts
            )
    except AugustusError as error:
        assert str(error) and "\n" not in str(error)
