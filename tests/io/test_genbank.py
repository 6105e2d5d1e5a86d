"""AUGUSTUS's GenBank layout both ways, and every faulty record."""

import gzip
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.io.genbank import read_genbank, write_genbank

RECORD = """\
LOCUS       chr2L_6215-22136   130 bp  DNA
FEATURES             Location/Qualifiers
     source          1..130
     mRNA            complement(join(3..40,51..90))
                     /gene="g2.t1"
     CDS             complement(join(11..30,4
                     1..50,61..75))
                     /gene="g2.t1"
BASE COUNT     66 a   0 c  0 g   64 t
ORIGIN
        1 aaaaaaaaaa ttttttttTT aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt
       61 aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt aaaaaaaaaa tttttttttt
      121 aaaaaatttt
//
"""
SEQUENCE = (b"a" * 10 + b"t" * 10) * 6 + b"aaaaaatttt"
SEQUENCE = SEQUENCE[:18] + b"TT" + SEQUENCE[20:]
GENE = Gene(
    "chr2L_6215-22136",
    "-",
    (Transcript("-", ((10, 30), (40, 50), (60, 75)), id="g2.t1.1"),),
    "g2.t1",
)


def read(tmp_path, text: str, **options):
    path = tmp_path / "x.gb"
    path.write_text(text)
    return read_genbank(path, **options)


def cds(tmp_path, location: str, qualifiers: str = "", **options) -> Transcript:
    """The transcript of a record whose CDS has this location."""
    start, end = RECORD.index("     mRNA"), RECORD.index("BASE")
    feature = f"     CDS             {location}\n{qualifiers}"
    ((_, (gene,)),) = read(tmp_path, RECORD[:start] + feature + RECORD[end:], **options)
    return gene.transcripts[0]


def test_a_record_wrapped_inside_a_number(tmp_path):
    assert read(tmp_path, RECORD * 2) == [(Contig("chr2L_6215-22136", SEQUENCE), [GENE])] * 2
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(RECORD.replace("\n", "\r\n").encode()))
    assert read_genbank(path) == read(tmp_path, RECORD)


def test_names(tmp_path):
    assert cds(tmp_path, "1..9").id == "chr2L_6215-22136-1.1"
    assert cds(tmp_path, "1..9", '                     /locus_tag="x"\n').id == "x.1"


def test_ncbi_layout_and_several_genes(tmp_path):
    text = """\
LOCUS       AB000001                  12 bp    DNA     linear   PLN 01-JAN-2001
DEFINITION  something.
ACCESSION   AB000001
VERSION     AB000001.1
FEATURES             Location/Qualifiers
     source          1..12
                     /organism="x"
     CDS             7..12
                     /gene="b"
     CDS             1..6
                     /gene="a"
     CDS             1..3
                     /gene="a"
     CDS             4..9
                     /gene="dead"
                     /pseudo
ORIGIN
        1 acgtacgtac gt
//
"""
    ((contig, genes),) = read(tmp_path, text)
    assert contig == Contig("AB000001", b"acgtacgtacgt")
    assert [(gene.id, [t.cds for t in gene.transcripts]) for gene in genes] == [
        ("a", [((0, 6),), ((0, 3),)]),
        ("b", [((6, 12),)]),
    ]


@pytest.mark.parametrize(
    ("location", "codon_start", "expected"),
    [
        ("<1..9", 2, (1, False, True)),
        ("1..>9", 2, (0, True, False)),
        ("complement(<1..9)", 1, (0, True, False)),
        ("complement(join(1..9,20..>25))", 3, (2, False, True)),
    ],
)
def test_incomplete_ends(tmp_path, location, codon_start, expected):
    found = cds(tmp_path, location, f"                     /codon_start={codon_start}\n")
    assert (found.phase, found.complete5, found.complete3) == expected


def test_stop_codons_outside_the_cds_are_joined_on_request(tmp_path):
    assert cds(tmp_path, "1..9", stop_excluded=True).cds == ((0, 12),)
    assert cds(tmp_path, "complement(4..9)", stop_excluded=True).cds == ((0, 9),)
    assert cds(tmp_path, "1..>9", stop_excluded=True).cds == ((0, 9),)
    with pytest.raises(InputError, match="outside the record"):
        cds(tmp_path, "complement(3..9)", stop_excluded=True)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("join(complement(1..9),20..25)", "both strands"),
        ("join(1..9,9..25)", "overlapping exons"),
        ("120..131", "outside the record"),
        ("J00194.1:1..9", "outside the record"),
        ("9..1", "no location"),
        ("nowhere", "no location"),
        ("join(1..9,", "cannot be read"),
    ],
)
def test_impossible_locations(tmp_path, location, words):
    with pytest.raises(InputError, match=words) as caught:
        cds(tmp_path, location)
    assert "chr2L_6215-22136" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "holds no record"),
        (">a\nACGT\n", ":1: a record must begin with LOCUS"),
        (RECORD + "junk\n", ":15: a record must begin with LOCUS"),
        (RECORD[:-3], "record chr2L_6215-22136 does not end"),
        (RECORD[:-3] + RECORD, "does not end"),
        (RECORD.replace("      121 aaaaaatttt\n", ""), "has 120 bases, its LOCUS line says 130"),
        ("LOCUS       x   0 bp  DNA\nORIGIN\n//\n", "no sequence"),
        ("LOCUS       x   9 aa\n//\n", "protein"),
        ("LOCUS       x\n//\n", "no name and length"),
        (RECORD.replace('/gene="g2.t1"\nBASE', '/codon_start=7\nBASE').replace("1..75", "1..>75"),
         "none of 1, 2 and 3"),
    ],
)  # fmt: skip
def test_bad_files_say_so_in_one_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_layout_is_that_of_gff2gb(tmp_path):
    path = tmp_path / "w.gb"
    write_genbank(path, [(Contig("chr2L_6215-22136", SEQUENCE), [GENE])])
    expected = RECORD.replace(
        'mRNA            complement(join(3..40,51..90))\n                     /gene="g2.t1"\n     ',
        "",
    ).replace("30,4\n                     1..50", "30,41..50")
    assert path.read_text() == expected
    many = Transcript("+", tuple((10 * i, 10 * i + 5) for i in range(12)))
    write_genbank(path, [(Contig("c", SEQUENCE), [Gene("c", "+", (many,))])])
    lines = path.read_text().splitlines()
    assert [line[21:] for line in lines[3:5]] == [
        "join(1..5,11..15,21..25,31..35,41..45,51..55,61..65,71..75,",
        "81..85,91..95,101..105,111..115)",
    ]
    assert len(lines[3]) == 21 + 59


words = st.text(string.ascii_letters + string.digits + "._-|", min_size=1, max_size=60)


@st.composite
def records(draw) -> tuple[Contig, list[Gene]]:
    name = draw(words)
    sequence = draw(st.text("ACGTNacgtnRx", min_size=200, max_size=300)).encode()
    genes = []
    for gene_name in draw(st.lists(words, unique=True, max_size=3)):
        strand = draw(st.sampled_from("+-"))
        isoforms = [draw(transcripts(strand)) for _ in range(draw(st.integers(1, 2)))]
        named = [replace(t, id=f"{gene_name}.{i}") for i, t in enumerate(isoforms, 1)]
        genes.append(Gene(name, strand, tuple(named), gene_name))
    return Contig(name, sequence), sorted(genes, key=lambda gene: (gene.start, gene.end))


@st.composite
def transcripts(draw, strand: str) -> Transcript:
    count = draw(st.integers(1, 8))
    bounds = sorted(
        draw(st.lists(st.integers(0, 200), min_size=2 * count, max_size=2 * count, unique=True))
    )
    complete5 = draw(st.booleans())
    return Transcript(
        strand,
        tuple(zip(bounds[::2], bounds[1::2], strict=True)),
        phase=0 if complete5 else draw(st.integers(0, 2)),
        complete5=complete5,
        complete3=draw(st.booleans()),
    )


@given(st.lists(records(), min_size=1, max_size=2))
def test_write_then_read_gives_the_same(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("g") / "w.gb"
    write_genbank(path, written)
    assert read_genbank(path) == written
