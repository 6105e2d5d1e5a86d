"""AUGUSTUS's GenBank layout both ways, and every faulty record.

What is left out was compared with AUGUSTUS 3.5.0 on the same records.
"""

import gzip
import logging
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.io.files import InputFile
from augustus_dl.io.genbank import (
    genbank_is_lower_case,
    genbank_names,
    read_genbank,
    write_genbank,
)

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


def read(tmp_path, text: str | bytes, **options):
    path = tmp_path / "x.gb"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_genbank(InputFile(path, "sequence file"), **options))


def record(*features: str) -> str:
    """The record with other features: lines of key, location and `/qualifier=value`."""
    start, end = RECORD.index("     mRNA"), RECORD.index("BASE")
    table = ""
    for feature in features:
        key, location, *qualifiers = feature.split()
        table += f"     {key:<16}{location}\n"
        table += "".join(f"{'':<21}{qualifier}\n" for qualifier in qualifiers)
    return RECORD[:start] + table + RECORD[end:]


def genes(tmp_path, *features: str, **options) -> tuple[Gene, ...]:
    ((_, found),) = read(tmp_path, record(*features), **options)
    return found


def cds(tmp_path, *features: str, **options) -> Transcript:
    """The transcript of a record with these features."""
    (gene,) = genes(tmp_path, *features, **options)
    return gene.transcripts[0]


def test_a_record_wrapped_inside_a_number(tmp_path):
    expected = [(Contig("chr2L_6215-22136", SEQUENCE), (GENE,))]
    assert read(tmp_path, RECORD * 2) == expected * 2
    assert read(tmp_path, gzip.compress(RECORD.replace("\n", "\r\n").encode())) == expected


def test_records_come_one_by_one(tmp_path):
    (tmp_path / "x.gb").write_text(RECORD * 2 + RECORD[:-3])
    records = read_genbank(InputFile(tmp_path / "x.gb", "sequence file"))
    assert [next(records)[0].name for _ in range(2)] == ["chr2L_6215-22136"] * 2
    with pytest.raises(InputError, match="does not end"):
        next(records)


def test_text_around_records_does_not_matter(tmp_path):
    text = "GBPLN1.SEQ   Genetic Sequence Data Bank\n\n  " + RECORD + "\nend\n"
    assert read(tmp_path, text) == read(tmp_path, RECORD)


def test_a_gene_without_name_is_numbered_in_rising_order(tmp_path):
    found = genes(tmp_path, "CDS 41..49", "CDS 1..9", "CDS 21..29 /gene=x", "CDS 61..69")
    assert [(gene.id, gene.start) for gene in found] == [
        ("chr2L_6215-22136-1", 0),
        ("x", 20),
        ("chr2L_6215-22136-3", 40),
        ("chr2L_6215-22136-4", 60),
    ]
    assert found[0].transcripts[0].id == "chr2L_6215-22136-1.1"


def test_long_names_are_cut_at_99_letters(tmp_path):
    ((contig, _),) = read(tmp_path, RECORD.replace("chr2L_6215-22136", "c" * 120))
    assert contig.name == "c" * 99


def test_ncbi_layout(tmp_path):
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
     CDS             4..9
                     /gene="dead"
                     /pseudo
ORIGIN
        1 acgtacgtac gt
//
"""
    ((contig, found),) = read(tmp_path, text)
    assert contig == Contig("AB000001", b"acgtacgtacgt")
    assert [(gene.id, [t.cds for t in gene.transcripts]) for gene in found] == [
        ("a", [((0, 6),)]),
        ("b", [((6, 12),)]),
    ]


@pytest.mark.parametrize(
    ("features", "kept", "message"),
    [
        (
            ("CDS join(1..9,20..30) /gene=a", "CDS join(1..9,20..33) /gene=a"),
            ["a"],
            "CDS overlaps with other CDS (1 <= 30) in sequence chr2L_6215-22136. "
            "Ignoring this gene.",
        ),
        (
            ("CDS join(1..9,20..30) /gene=a", "CDS complement(12..17) /gene=b"),
            ["a"],
            "CDS overlaps with other CDS (12 <= 30)",
        ),
        (("CDS 120..131 /gene=a", "CDS 1..9"), ["chr2L_6215-22136-1"], "CDS a out of range"),
        ((), [], "No 'CDS' found in sequence chr2L_6215-22136"),
    ],
)
def test_genes_left_out_with_a_warning(tmp_path, caplog, features, kept, message):
    assert [gene.id for gene in genes(tmp_path, *features)] == kept
    (warning,) = caplog.messages
    assert warning.startswith(message)


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
    found = cds(tmp_path, f"CDS {location} /codon_start={codon_start}")
    assert (found.phase, found.complete5, found.complete3) == expected


def test_exons_that_touch_are_one(tmp_path):
    assert cds(tmp_path, "CDS join(1..9,10..30)").cds == ((0, 30),)


def test_stop_codons_outside_the_cds_are_joined_on_request(tmp_path, caplog):
    assert cds(tmp_path, "CDS join(1..9,20..25)", stop_excluded=True).cds == ((0, 9), (19, 28))
    assert cds(tmp_path, "CDS complement(4..9)", stop_excluded=True).cds == ((0, 9),)
    assert cds(tmp_path, "CDS 1..>9", stop_excluded=True).cds == ((0, 9),)
    with pytest.raises(InputError, match="No genbank sequences found"):
        cds(tmp_path, "CDS complement(3..9)", stop_excluded=True)
    assert "stop codon of chr2L_6215-22136-1 is out of sequence bounds" in caplog.text


@pytest.mark.parametrize(
    ("mrna", "utr5", "utr3", "tss", "tts"),
    [
        ("mRNA join(10..60,100..120)", ((9, 39),), ((110, 120),), True, True),
        ("mRNA join(<5..10,20..60,100..>120)", ((4, 10), (19, 39)), ((110, 120),), False, False),
        ("mRNA join(5..10,40..60,100..110)", ((4, 10),), (), True, False),
        ("mRNA join(40..60,100..110,115..117) /gene=a", (), ((114, 117),), False, True),
        ("mRNA join(10..60,100..120) /gene=b", (), (), False, False),
        ("mRNA complement(join(10..60,100..120))", (), (), False, False),
        ("mRNA join(10..45,100..120)", (), (), False, False),
        ("mRNA join(10..60,100..131)", (), (), False, False),
    ],
)
def test_untranslated_regions_come_from_an_mrna_that_agrees(tmp_path, mrna, utr5, utr3, tss, tts):
    coding = "CDS join(40..60,100..110) /gene=a"
    found = cds(tmp_path, mrna, coding, utrs=True)
    assert (found.utr5, found.utr3, found.tss, found.tts) == (utr5, utr3, tss, tts)
    assert found.cds == ((39, 60), (99, 110))
    assert cds(tmp_path, mrna, coding).utr5 == ()


def test_untranslated_regions_of_the_other_strand(tmp_path):
    mrna = "mRNA complement(join(10..20,30..>70))"
    found = cds(tmp_path, mrna, "CDS complement(40..60)", utrs=True)
    assert (found.utr5, found.utr3) == (((60, 70),), ((9, 20), (29, 39)))
    assert (found.tss, found.tts) == (False, True)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("join(complement(1..9),20..25)", "lies on both strands"),
        ("join(1..9,9..25)", "overlapping exons"),
        ("J00194.1:1..9", "in another record"),
        ("9..1", "cannot be read"),
        ("0..9", "no location"),
        ("nowhere", "no location"),
        ("join(1..9,", "cannot be read"),
        ("<1..9 /codon_start=7", "codon_start=7, none of 1, 2 and 3"),
    ],
)
def test_a_record_with_an_impossible_cds_is_left_out(tmp_path, caplog, location, words):
    good = RECORD.replace("chr2L_6215-22136", "good")
    found = read(tmp_path, record(f"CDS {location}", "CDS 1..9") + good)
    assert [contig.name for contig, _ in found] == ["good"]
    (warning,) = caplog.messages
    assert "x.gb: record chr2L_6215-22136 is left out: " in warning
    assert words in warning


def test_other_features_may_be_odd(tmp_path):
    odd = ("misc_feature 9..1", "gene <", "exon join(1..9,")
    assert cds(tmp_path, odd[0], "CDS 1..9", *odd[1:]).cds == ((0, 9),)


def test_a_record_of_another_length_is_read_with_a_warning(tmp_path, caplog):
    ((contig, found),) = read(tmp_path, RECORD.replace("      121 aaaaaatttt\n", ""))
    assert (len(contig.sequence), len(found)) == (120, 1)
    assert "has 120 bases, its LOCUS line says 130" in caplog.text


def test_a_record_without_sequence_is_left_out(tmp_path, caplog):
    empty = "LOCUS       hollow   0 bp  DNA\nORIGIN\n//\n"
    assert len(read(tmp_path, RECORD + empty + RECORD)) == 2
    assert "record hollow" in caplog.text


def test_names_and_case_without_warnings(tmp_path, caplog):
    path = tmp_path / "x.gb"
    path.write_text("LOCUS       a   9 bp  DNA\nORIGIN\n//\n" + RECORD)
    with caplog.at_level(logging.WARNING):
        assert list(genbank_names(InputFile(path, "f"))) == ["a", "chr2L_6215-22136"]
        assert not genbank_is_lower_case(InputFile(path, "f"))
        path.write_text(RECORD.replace("TT", "tt"))
        assert genbank_is_lower_case(InputFile(path, "f"))
    assert not caplog.messages


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No genbank sequences found"),
        ("\n\n", "No genbank sequences found"),
        (">a\nACGT\n", "No genbank sequences found"),
        (RECORD[:-3], "record chr2L_6215-22136 does not end"),
        (RECORD[:-3] + RECORD, "does not end"),
        ("LOCUS       x   0 bp  DNA\nORIGIN\n//\n", "No genbank sequences found"),
        (RECORD.replace("tttt", "tt\0t"), "binary"),
        (gzip.compress(RECORD.encode(), mtime=0)[:-9], "truncated gzip"),
    ],
)
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
def records(draw) -> tuple[Contig, tuple[Gene, ...]]:
    """A sequence with genes one behind the other."""
    contig = Contig(draw(words), draw(st.text("ACGTNacgtnRx", min_size=200, max_size=300)).encode())
    sizes = draw(st.lists(st.integers(1, 4), max_size=3))
    count = 2 * sum(sizes)
    bounds = draw(st.lists(st.integers(0, 200), min_size=count, max_size=count, unique=True))
    exons = iter(zip(*[iter(sorted(bounds))] * 2, strict=True))
    found = [draw(a_gene(contig.name, tuple(next(exons) for _ in range(n)))) for n in sizes]
    return contig, tuple(found)


@st.composite
def a_gene(draw, contig: str, exons: tuple[tuple[int, int], ...]) -> Gene:
    name, strand, complete5 = draw(words), draw(st.sampled_from("+-")), draw(st.booleans())
    transcript = Transcript(
        strand,
        exons,
        phase=0 if complete5 else draw(st.integers(0, 2)),
        complete5=complete5,
        complete3=draw(st.booleans()),
        id=f"{name}.1",
    )
    return Gene(contig, strand, (transcript,), name)


@given(st.lists(records(), min_size=1, max_size=2))
def test_write_then_read_gives_the_same(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("g") / "w.gb"
    write_genbank(path, written)
    assert list(read_genbank(InputFile(path, "sequence file"))) == written
