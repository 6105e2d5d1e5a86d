"""GFF3 and GTF dialects, masks, bad files, and genes -> GFF3 -> genes."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.io.annotation import read_annotation, write_gff3


def read(tmp_path, rows: str, name: str = "a.gff", **options):
    """Annotation of rows written with blanks for tabs; the attributes follow a `|`."""
    path = tmp_path / name
    path.write_text("".join(_tabbed(row) + "\n" for row in rows.strip().splitlines()))
    return read_annotation(path, **options)


def _tabbed(row: str) -> str:
    if row.lstrip().startswith("#"):
        return row.strip()
    columns, _, attributes = row.partition("|")
    return "\t".join([*columns.split(), attributes.strip()])


def only(annotation, contig: str = "c") -> Transcript:
    """The one transcript of the one gene."""
    (gene,) = annotation.genes[contig]
    (transcript,) = gene.transcripts
    return transcript


GFF3 = """
    ##gff-version 3
    c s gene 91 400 . - . | ID=g;Name=x
    c s mRNA 91 400 . - . | ID=t;Parent=g
    c s exon 91 200 . - . | Parent=t
    c s CDS 301 360 . - 0 | ID=p;Parent=t
    c s CDS 101 200 . - 0 | ID=p;Parent=t
    c s exon 301 400 . - . | Parent=t
"""


def test_gff3(tmp_path):
    found = read(tmp_path, GFF3)
    assert found.masks == {}
    assert found.genes == {
        "c": [Gene("c", "-", (Transcript("-", ((100, 200), (300, 360)), id="t"),), "g")]
    }


def test_gzip_and_home(tmp_path, monkeypatch):
    expected = read(tmp_path, GFF3)
    (tmp_path / "z").write_bytes(gzip.compress((tmp_path / "a.gff").read_bytes()))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_annotation("~/z") == expected


def test_parents_may_follow_their_parts_and_parts_may_have_two_parents(tmp_path):
    found = read(
        tmp_path,
        """
        c s CDS 1 9 . + 0 | Parent=t1,t2
        c s CDS 20 28 . + 0 | Parent=t2
        c s mRNA 1 9 . + . | ID=t1;Parent=g
        c s mRNA 1 28 . + . | ID=t2;Parent=g
        c s gene 1 28 . + . | ID=g
        """,
    )
    (gene,) = found.genes["c"]
    assert [t.cds for t in gene.transcripts] == [((0, 9),), ((0, 9), (19, 28))]


@pytest.mark.parametrize("parent", ["Parent=g", "ID=g"])
def test_cds_without_a_transcript_row(tmp_path, parent):
    found = read(tmp_path, f"c s CDS 1 9 . + 0 | {parent}\nc s CDS 20 28 . + 0 | {parent}")
    assert only(found).cds == ((0, 9), (19, 28))
    assert found.genes["c"][0].id == "g"


AUGUSTUS_GTF = """
    # start gene g1
    c AUGUSTUS gene 1 60 0.9 + . | g1
    c AUGUSTUS transcript 1 60 0.9 + . | g1.t1
    c AUGUSTUS start_codon 1 3 . + 0 | transcript_id "g1.t1"; gene_id "g1";
    c AUGUSTUS intron 10 49 . + . | transcript_id "g1.t1"; gene_id "g1";
    c AUGUSTUS CDS 1 9 . + 0 | transcript_id "g1.t1"; gene_id "g1";
    c AUGUSTUS CDS 50 CDSEND . + 0 | transcript_id "g1.t1"; gene_id "g1";
    c AUGUSTUS stop_codon 59 61 . + 0 | transcript_id "g1.t1"; gene_id "g1";
    # protein sequence = [MAA]
    # end gene g1
    d AUGUSTUS gene 1 9 0.9 + . | g1
    d AUGUSTUS transcript 1 9 0.9 + . | g1.t1
    d AUGUSTUS CDS 1 9 . + 0 | transcript_id "g1.t1"; gene_id "g1";
    # Evidence for and against this transcript:
"""


@pytest.mark.parametrize("end", ["58", "61"])
def test_augustus_gtf_with_the_stop_outside_or_inside_the_cds(tmp_path, end):
    found = read(tmp_path, AUGUSTUS_GTF.replace("CDSEND", end))
    transcript = only(found)
    assert transcript.cds == ((0, 9), (49, 61))
    assert (transcript.complete5, transcript.complete3) == (True, True)
    assert transcript.id == "g1.t1"
    other = only(found, "d")
    assert (other.complete5, other.complete3) == (False, False)


def test_augustus_gff3(tmp_path):
    found = read(
        tmp_path,
        """
        c AUGUSTUS gene 11 40 1 - . | ID=g1
        c AUGUSTUS transcript 11 40 . - . | ID=g1.t1;Parent=g1
        c AUGUSTUS stop_codon 11 13 . - 0 | Parent=g1.t1
        c AUGUSTUS CDS 14 40 . - 0 | ID=g1.t1.cds;Parent=g1.t1
        c AUGUSTUS start_codon 38 40 . - 0 | Parent=g1.t1
        """,
    )
    assert only(found) == Transcript("-", ((10, 40),), id="g1.t1")


def test_gtf_stop_codon_split_by_an_intron(tmp_path):
    ids = '| gene_id "g"; transcript_id "t";'
    found = read(
        tmp_path,
        f"""
        c s CDS 1 10 . + 0 {ids}
        c s stop_codon 11 11 . + 0 {ids}
        c s stop_codon 21 22 . + 2 {ids}
        """,
    )
    assert only(found).cds == ((0, 11), (20, 22))


def test_a_stop_codon_row_over_the_intron_adds_nothing(tmp_path):
    """AUGUSTUS writes three contiguous bases even where an intron splits the codon."""
    ids = '| gene_id "g"; transcript_id "t";'
    found = read(
        tmp_path,
        f"c s CDS 1 11 . + 0 {ids}\nc s CDS 21 21 . + 1 {ids}\nc s stop_codon 19 21 . + 0 {ids}",
    )
    assert only(found).cds == ((0, 11), (20, 21))


def test_an_intron_row_tells_where_a_stop_codon_outside_the_cds_begins(tmp_path):
    """As AUGUSTUS writes it with --stopCodonExcludedFromCDS: T, an intron, AA."""
    ids = '| gene_id "g"; transcript_id "t";'
    forward = f"c s CDS 1 9 . + 0 {ids}\nc s intron 11 20 . + . {ids}\n"
    found = read(tmp_path, forward + f"c s stop_codon 20 22 . + 0 {ids}")
    assert only(found).cds == ((0, 10), (20, 22))
    backward = f"c s CDS 20 28 . - 0 {ids}\nc s intron 8 17 . - . {ids}\n"
    found = read(tmp_path, backward + f"c s stop_codon 7 9 . - 0 {ids}")
    assert only(found).cds == ((6, 7), (17, 28))
    whole = f"c s CDS 1 9 . + 0 {ids}\nc s intron 10 19 . + . {ids}\n"
    found = read(tmp_path, whole + f"c s stop_codon 20 22 . + 0 {ids}")
    assert only(found).cds == ((0, 9), (19, 22))


def test_gtf_with_coding_rows_only(tmp_path):
    found = read(
        tmp_path,
        """
        c s CDS 1 9 . + 0 | gene_id "g"; transcript_id "a"; count "1_1";
        c s CDS 1 6 . + 0 | gene_id "g"; transcript_id "b"; note "x; y";
        """,
    )
    (gene,) = found.genes["c"]
    assert [t.id for t in gene.transcripts] == ["a", "b"]
    assert (gene.id, gene.transcripts[0].complete5) == ("g", True)


@pytest.mark.parametrize(
    ("strand", "phases", "attributes", "expected"),
    [
        ("+", "1 0", "", (1, False, True)),
        ("-", "1 0", "", (0, True, True)),
        ("-", "0 2", "", (2, False, True)),
        ("+", ". .", "", (0, True, True)),
        ("+", "0 0", ";partial=true", (0, False, False)),
        ("+", "0 0", ";partial=true;start_range=.,1", (0, False, True)),
        ("-", "0 0", ";partial=true;start_range=.,1", (0, True, False)),
        ("+", "0 0", ";partial=true;End_range=9,.", (0, True, False)),
        ("-", "0 0", ";fiveEndPartial=true", (0, False, True)),
    ],
)
def test_incomplete_ends(tmp_path, strand, phases, attributes, expected):
    first, last = phases.split()
    found = only(
        read(
            tmp_path,
            f"c s mRNA 1 90 . {strand} . | ID=t\n"
            f"c s CDS 1 9 . {strand} {first} | Parent=t{attributes}\n"
            f"c s CDS 21 30 . {strand} {last} | Parent=t{attributes}",
        )
    )
    assert (found.phase, found.complete5, found.complete3) == expected


def test_partial_gene_row_says_nothing_where_cds_rows_speak(tmp_path):
    found = read(
        tmp_path,
        """
        c s gene 1 90 . + . | ID=a;partial=true;start_range=.,1
        c s mRNA 1 90 . + . | ID=at;Parent=a;partial=true;start_range=.,1
        c s CDS 4 90 . + 0 | Parent=at
        d s gene 1 90 . + . | ID=b;partial=true
        d s CDS 1 90 . + 0 | Parent=b;partial=true;start_range=.,1
        """,
    )
    assert only(found).complete5
    assert not only(found, "d").complete5


def test_masks(tmp_path):
    found = read(
        tmp_path,
        """
        c s gene 1 10 . + . | ID=a;partial=true
        c s gene 11 20 . + . | ID=b;gene_biotype=protein_coding
        c s pseudogene 21 30 . - . | ID=c
        c s transposable_element_gene 31 40 . + . | ID=d
        c s CDS 31 39 . + 0 | Parent=d
        c s gene 41 60 . + . | ID=e
        c s mRNA 41 60 . + . | ID=et;Parent=e
        c s CDS 42 59 . + 0 | Parent=et;orf_classification=Dubious
        c s gene 61 80 . + . | ID=f
        c s CDS 61 69 . + 0 | Parent=f
        c s CDS 71 79 . - 0 | Parent=f
        c s gene 81 90 . + . | ID=h
        c s CDS 81 86 . + 0 | Parent=h
        c s CDS 86 90 . + 0 | Parent=h
        c s gene 91 95 . + . | ID=i
        c s CDS 91 95 . . 0 | Parent=i
        c s gene 96 99 . + . | ID=j;biotype=processed_pseudogene
        """,
    )
    assert found.genes == {}
    assert found.masks["c"] == [
        (0, 10, "coding gene without a model"),
        (10, 20, "coding gene without a model"),
        (20, 30, "pseudogene"),
        (30, 40, "transposable_element_gene"),
        (40, 60, "dubious open reading frame"),
        (60, 80, "CDS on both strands"),
        (80, 90, "overlapping CDS rows in one transcript"),
        (90, 95, "CDS without strand"),
        (95, 99, "pseudogene"),
    ]


def test_coding_bases_of_good_genes_are_not_masked(tmp_path):
    found = read(
        tmp_path,
        """
        c s pseudogene 11 90 . - . | ID=p
        c s CDS 1 21 . + 0 | Parent=a
        c s CDS 31 40 . + 0 | Parent=a
        """,
    )
    assert found.masks["c"] == [(21, 30, "pseudogene"), (40, 90, "pseudogene")]


def test_rows_with_an_empty_parent_stand_alone(tmp_path):
    found = read(tmp_path, "c s CDS 1 9 . + 0 | ID=x;Parent=\nc s CDS 20 28 . - 0 | ID=x;Parent=")
    assert [gene.transcripts[0].cds for gene in found.genes["c"]] == [((0, 9),), ((19, 28),)]


def test_noncoding_genes_are_neither_genes_nor_masks(tmp_path):
    found = read(
        tmp_path,
        """
        c s gene 1 70 . + . | ID=a;gene_biotype=tRNA;partial=true
        c s tRNA 1 70 . + . | ID=at;Parent=a
        c s exon 1 70 . + . | Parent=at
        c s ncRNA_gene 81 90 . + . | ID=b
        c s gene 91 99 . + . | ID=d
        c s region 1 99 . . . | ID=c
        """,
    )
    assert (found.genes, found.masks) == ({}, {})


def test_one_bad_isoform_does_not_spoil_the_gene(tmp_path):
    found = read(
        tmp_path,
        """
        c s mRNA 1 9 . + . | ID=t1;Parent=g
        c s mRNA 1 30 . + . | ID=t2;Parent=g
        c s CDS 1 9 . + 0 | Parent=t1
        c s CDS 1 9 . + 0 | Parent=t2
        c s CDS 5 30 . + 0 | Parent=t2
        """,
    )
    assert (only(found).id, found.masks) == ("t1", {})


def test_doubtful_sources_become_masks(tmp_path):
    rows = "c guess CDS 1 9 . + 0 | Parent=a\nc known CDS 20 28 . + 0 | Parent=b"
    found = read(tmp_path, rows, doubtful_sources=["guess"])
    assert only(found).cds == ((19, 28),)
    assert found.masks == {"c": [(0, 9, "model of guess")]}


def test_frameshift_of_zero_bases_is_no_intron(tmp_path):
    found = read(tmp_path, "c s CDS 1 9 . + 0 | Parent=a\nc s CDS 10 18 . + 0 | Parent=a")
    assert only(found).cds == ((0, 18),)


def test_an_annotation_of_comments_only_is_empty(tmp_path):
    found = read(tmp_path, "# (none)")
    assert (found.genes, found.masks) == ({}, {})


def test_rows_end_at_a_fasta_part(tmp_path):
    path = tmp_path / "a"
    path.write_text("c\ts\tCDS\t1\t9\t.\t+\t0\tID=a\n##FASTA\n>c\nACGT\n")
    assert only(read_annotation(path)).cds == ((0, 9),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b">c\nACGT\n", "is FASTA"),
        (b"# x\nhello\n", "f.gff:2: 1 columns"),
        (b"c\ts\tCDS\t9\t1\t.\t+\t0\tID=a\n", "f.gff:1: start and end"),
        (b"c\ts\tCDS\t0\t1\t.\t+\t0\tID=a\n", "f.gff:1: start and end"),
        (b"c\ts\tCDS\tx\t1\t.\t+\t0\tID=a\n", "f.gff:1: cannot be parsed"),
        (b"c\ts\tCDS\t1\t9\t.\t+\t7\tID=a\n", "f.gff:1: phase '7'"),
        (b"c\ts\tCDS\t1\t9\t.\t+\t0\t.\n", "f.gff:1: CDS with neither"),
        (b"c\0\x01" * 9, "binary"),
        (gzip.compress(b"c\ts\tCDS\t1\t9\t.\t+\t0\tID=a\n" * 99, mtime=0)[:-9], "truncated"),
    ],
)
def test_bad_files_say_so_in_one_line(tmp_path, content, words):
    path = tmp_path / "f.gff"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_annotation(path)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_annotation(tmp_path / "no")
    with pytest.raises(InputError, match="is a folder"):
        read_annotation(tmp_path)


UTR_CASES = {
    "exon rows": """
        c s mRNA 11 100 . STRAND . | ID=t
        c s exon 11 20 . STRAND . | Parent=t
        c s exon 31 60 . STRAND . | Parent=t
        c s exon 71 75 . STRAND . | Parent=t
        c s exon 81 100 . STRAND . | Parent=t
        c s CDS 41 60 . STRAND 0 | Parent=t
        c s CDS 71 75 . STRAND 0 | Parent=t
    """,
    "UTR rows": """
        c s mRNA 11 100 . STRAND . | ID=t
        c s LEFT_prime_UTR 11 20 . STRAND . | Parent=t
        c s LEFT_prime_UTR 31 40 . STRAND . | Parent=t
        c s CDS 41 60 . STRAND 0 | Parent=t
        c s CDS 71 75 . STRAND 0 | Parent=t
        c s RIGHT_prime_UTR 81 100 . STRAND . | Parent=t
    """,
    "both, in any order": """
        c s CDS 71 75 . STRAND 0 | Parent=t
        c s RIGHT_prime_UTR 81 100 . STRAND . | Parent=t
        c s exon 81 100 . STRAND . | Parent=t
        c s CDS 41 60 . STRAND 0 | Parent=t
        c s exon 11 20 . STRAND . | Parent=t
        c s LEFT_prime_UTR 31 40 . STRAND . | Parent=t
        c s mRNA 11 100 . STRAND . | ID=t
    """,
    "GTF exons": """
        c s exon 11 20 . STRAND . | gene_id "g"; transcript_id "t";
        c s exon 31 60 . STRAND . | gene_id "g"; transcript_id "t";
        c s CDS 41 60 . STRAND 0 | gene_id "g"; transcript_id "t";
        c s exon 71 75 . STRAND . | gene_id "g"; transcript_id "t";
        c s CDS 71 75 . STRAND 0 | gene_id "g"; transcript_id "t";
        c s exon 81 100 . STRAND . | gene_id "g"; transcript_id "t";
    """,
    "AUGUSTUS's GTF": """
        c AUGUSTUS transcript 11 100 . STRAND . | t
        c AUGUSTUS LEFT_DIGIT'-UTR 11 20 . STRAND . | transcript_id "t"; gene_id "g";
        c AUGUSTUS LEFT_DIGIT'-UTR 31 40 . STRAND . | transcript_id "t"; gene_id "g";
        c AUGUSTUS CDS 41 60 . STRAND 0 | transcript_id "t"; gene_id "g";
        c AUGUSTUS CDS 71 75 . STRAND 0 | transcript_id "t"; gene_id "g";
        c AUGUSTUS RIGHT_DIGIT'-UTR 81 100 . STRAND . | transcript_id "t"; gene_id "g";
    """,
}


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize("case", UTR_CASES)
def test_untranslated_regions(tmp_path, case, strand):
    rows = UTR_CASES[case].replace("STRAND", strand)
    left, right = ("five", "three") if strand == "+" else ("three", "five")
    digit = {"five": "5", "three": "3"}
    rows = rows.replace("LEFT_DIGIT", digit[left]).replace("RIGHT_DIGIT", digit[right])
    rows = rows.replace("LEFT", left).replace("RIGHT", right)
    cds, outer = ((40, 60), (70, 75)), [((10, 20), (30, 40)), ((80, 100),)]
    utr5, utr3 = outer if strand == "+" else outer[::-1]
    bare = Transcript(strand, cds, id="t")
    assert only(read(tmp_path, rows)) == bare
    assert only(read(tmp_path, rows, utrs=True)) == Transcript(
        strand, cds, id="t", utr5=utr5, utr3=utr3, tss=True, tts=True
    )


def test_beyond_an_incomplete_end_lies_no_untranslated_region(tmp_path):
    rows = """
        c s exon 1 50 . + . | Parent=t
        c s CDS 11 30 . + 1 | Parent=t
    """
    transcript = only(read(tmp_path, rows, utrs=True))
    assert (transcript.utr5, transcript.tss) == ((), False)
    assert (transcript.utr3, transcript.tts) == (((30, 50),), True)
    assert (transcript.start, transcript.end) == (10, 50)


def test_a_stop_codon_outside_the_cds_is_no_untranslated_region(tmp_path):
    ids = '| gene_id "g"; transcript_id "t";'
    rows = f"""
        c s exon 1 30 . - . {ids}
        c s CDS 14 25 . - 0 {ids}
        c s stop_codon 11 13 . - 0 {ids}
        c s start_codon 23 25 . - 0 {ids}
    """
    transcript = only(read(tmp_path, rows, utrs=True))
    assert transcript.cds == ((10, 25),)
    assert (transcript.utr5, transcript.utr3) == (((25, 30),), ((0, 10),))


@st.composite
def untranslated(draw, outward: int, cds_end: int) -> tuple[Interval, ...]:
    """Parts of a UTR on one side of the CDS, in rising order."""
    parts, position = [], cds_end
    for _ in range(draw(st.integers(0, 3))):
        position += outward * draw(st.integers(min(len(parts), 1), 30))
        end = position + outward * draw(st.integers(1, 30))
        parts.append((min(position, end), max(position, end)))
        position = end
    return tuple(sorted(parts))


@st.composite
def transcripts(draw, strand: str, offset: int, name: str) -> Transcript:
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=11))
    lengths = lengths if len(lengths) % 2 else lengths[1:]
    cds, position = [], offset
    for exon, length in enumerate(lengths):
        if exon % 2 == 0:
            cds.append((position, position + length))
        position += length
    complete5, complete3 = draw(st.booleans()), draw(st.booleans())
    left, right = (complete5, complete3) if strand == "+" else (complete3, complete5)
    left_utr = draw(untranslated(-1, cds[0][0])) if left else ()
    right_utr = draw(untranslated(1, cds[-1][1])) if right else ()
    utr5, utr3 = (left_utr, right_utr) if strand == "+" else (right_utr, left_utr)
    return Transcript(
        strand=strand,
        cds=tuple(cds),
        phase=0 if complete5 else draw(st.integers(0, 2)),
        complete5=complete5,
        complete3=complete3,
        start=-1 if left else cds[0][0] - draw(st.integers(0, 3)),
        end=-1 if right else cds[-1][1] + draw(st.integers(0, 3)),
        id=name,
        utr5=utr5,
        utr3=utr3,
        tss=bool(utr5),
        tts=bool(utr3),
    )


@st.composite
def gene_lists(draw) -> list[Gene]:
    words = st.text("abcXYZ019_.:|;=,%& \u00e9\"'", min_size=1, max_size=8)
    words = words.filter(lambda word: word.strip() == word)
    names = iter(draw(st.lists(words, unique=True, min_size=40, max_size=40)))
    genes = []
    for number in range(draw(st.integers(0, 6))):
        strand, contig = draw(st.sampled_from("+-")), draw(st.sampled_from(["c1", "chr|2"]))
        parts = tuple(
            draw(transcripts(strand, 1000 * number + 203, next(names)))
            for _ in range(draw(st.integers(1, 3)))
        )
        genes.append(Gene(contig, strand, parts, next(names)))
    return genes


@given(gene_lists())
def test_write_then_read_gives_the_same(tmp_path_factory, genes):
    path = tmp_path_factory.mktemp("g") / "w.gff3"
    write_gff3(path, genes)
    found = read_annotation(path, utrs=True)
    assert found.masks == {}
    assert [gene for contig in ("c1", "chr|2") for gene in found.genes.get(contig, [])] == sorted(
        genes, key=lambda gene: (gene.contig, gene.start)
    )


def test_writing_numbers_nameless_genes(tmp_path):
    nameless = Gene("c", "+", (Transcript("+", ((0, 9),)), Transcript("+", ((0, 6),))))
    write_gff3(tmp_path / "w", [nameless, nameless])
    assert [
        [gene.id, *(t.id for t in gene.transcripts)]
        for gene in read_annotation(tmp_path / "w").genes["c"]
    ] == [["g1", "g1.t1", "g1.t2"], ["g2", "g2.t1", "g2.t2"]]
