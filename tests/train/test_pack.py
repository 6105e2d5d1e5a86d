"""Annotated genomes to labels and pack files.

python -m pytest tests/train/test_pack.py
"""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError, TrainingError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.labels import LEGAL, MASKED, NUM_LABELS, from_labels, to_labels
from augustus_dl.train.pack import Pack, Piece, label_contig, prepare, read_pack, write_pack

CODE = genetic_code(1)
MakePiece = Callable[..., Piece]
MakeContig = Callable[..., tuple[Contig, list[Gene]]]

EXON_A, INTRON, EXON_B = "ATGGCCAAG", "GTAAGTTTTTTTCAG", "GCCAAGTAA"
GENE = EXON_A + INTRON + EXON_B  # 33 bases
TEXT = ("C" * 20 + GENE + "C" * 20 + GENE + "C" * 20).encode()
CODES = base_codes(TEXT)


def transcript(start: int, strand: str = "+", **changes: object) -> Transcript:
    plus = Transcript("+", ((start, start + 9), (start + 24, start + 33)))
    return dataclasses.replace(plus, strand=strand, **changes)


def gene(*transcripts: Transcript) -> Gene:
    return Gene("c", transcripts[0].strand, transcripts)


def masked(labels: np.ndarray) -> list[int]:
    return np.flatnonzero(labels == MASKED).tolist()


def test_valid_genes_are_labelled_and_the_rest_is_intergenic() -> None:
    genes = [gene(transcript(20)), gene(transcript(73))]
    labels = label_contig(genes, [], CODES, CODE)
    assert np.array_equal(labels, to_labels([transcript(20), transcript(73)], len(CODES)))
    assert labels.dtype == np.uint8 and not masked(labels)
    assert label_contig([], [], CODES, CODE).max() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        transcript(21),  # no start codon
        transcript(20, complete5=False),
        transcript(20, complete3=False),
        transcript(20, strand="-"),
        Transcript("+", ((20, 29), (44, 50))),  # no stop codon
        Transcript("+", ((20, 29), (45, 53))),  # out of frame
    ],
)
def test_a_gene_without_a_valid_transcript_is_masked(wrong: Transcript) -> None:
    labels = label_contig([gene(wrong), gene(transcript(73))], [], CODES, CODE)
    assert masked(labels) == list(range(wrong.start, wrong.end))
    assert from_labels(labels) == [transcript(73)]


def test_given_masks_and_n_are_masked() -> None:
    codes = CODES.copy()
    codes[33:36] = 4  # inside the intron, off its splice sites
    codes[60] = 4
    labels = label_contig([gene(transcript(20))], [(0, 4, "pseudogene")], codes, CODE)
    assert masked(labels) == [0, 1, 2, 3, 33, 34, 35, 60]
    expected = to_labels([transcript(20)], len(codes))
    assert np.array_equal(labels[labels != MASKED], expected[labels != MASKED])


@pytest.mark.parametrize("strand", "+-")
def test_overlapping_genes_are_masked_where_they_overlap(strand: str) -> None:
    """The second gene has a single exon and is valid on its strand, inside the first one."""
    text = ("C" * 5 + "ATGGCC" + "ATGTTACATGCCTAA" + "C" * 5).encode()
    codes = base_codes(text)
    outer = Transcript("+", ((5, 26),))
    other = {
        "+": Transcript("+", ((11, 26),)),
        "-": Transcript("-", ((14, 20),)),  # TTACAT
    }[strand]
    labels = label_contig([gene(outer), gene(other)], [], codes, CODE)
    assert masked(labels) == list(range(other.start, other.end))
    alone = label_contig([gene(outer)], [], codes, CODE)
    assert np.array_equal(labels[labels != MASKED], alone[labels != MASKED])


def test_valid_isoforms_are_masked_where_they_disagree() -> None:
    """The longest counts, here the one that reads through the other's intron."""
    text = ("CC" + "ATG" + "GCC" + "GTAAAG" + "AAG" + "TAA" + "CC").encode()
    codes = base_codes(text)
    through = Transcript("+", ((2, 20),))
    spliced = Transcript("+", ((2, 8), (14, 20)))
    labels = label_contig([gene(spliced, through)], [], codes, CODE)
    assert masked(labels) == list(range(8, 14))
    kept = labels != MASKED
    assert np.array_equal(labels[kept], to_labels([through], len(codes))[kept])


def test_coding_bases_of_faulty_isoforms_are_masked() -> None:
    faulty = Transcript("+", ((15, 29), (44, 53)))  # begins five bases early: no start codon
    labels = label_contig([gene(transcript(20), faulty)], [], CODES, CODE)
    assert masked(labels) == list(range(15, 20))
    assert from_labels(labels) == [transcript(20)]


def test_a_gene_beyond_the_sequence_is_masked() -> None:
    wrong = Transcript("+", ((100, 140),))
    assert masked(label_contig([gene(wrong)], [], CODES, CODE)) == list(range(100, len(CODES)))


def test_the_genetic_code_decides() -> None:
    text = b"CCATGTGAGCCTAACC"  # TGA is a stop in code 1 and tryptophan in code 4
    one = gene(Transcript("+", ((2, 14),)))
    assert masked(label_contig([one], [], base_codes(text), CODE)) == list(range(2, 14))
    assert not masked(label_contig([one], [], base_codes(text), genetic_code(4)))


def test_labels_of_toy_genomes_are_legal(toy_contig: MakeContig) -> None:
    contig, genes = toy_contig("c", seed=5, genes=30)
    labels = label_contig(genes, [], base_codes(contig.sequence), CODE)
    assert not masked(labels)
    assert LEGAL[labels[:-1], labels[1:]].all()
    assert from_labels(labels) == [g.transcripts[0] for g in genes]


def same(one: Piece, other: Piece) -> None:
    for field in dataclasses.fields(Piece):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and np.array_equal(a, b), field.name
        else:
            assert a == b, field.name


def test_a_pack_file_round_trip(toy_piece: MakePiece, tmp_path: Path) -> None:
    pieces = [
        toy_piece("a", 0, weight=0.5),
        toy_piece("b", 1, validation=True),
        toy_piece("c", 2, folder="other", clade="fungi", genes=3),
    ]
    pack = tmp_path / "new" / "toy.pack"
    write_pack(Pack(pieces), pack)
    again = read_pack(pack).pieces
    assert len(again) == 3
    for one, other in zip(pieces, again, strict=True):
        same(one, other)
    assert [path.name for path in pack.parent.iterdir()] == ["toy.pack"]


@st.composite
def any_pieces(draw: st.DrawFn) -> list[Piece]:
    lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    choices = np.array([*range(NUM_LABELS), MASKED], dtype=np.uint8)
    return [
        Piece(
            name=f"c:{number}",
            set="s",
            clade="plants",
            weight=float(number),
            genetic_code=1,
            validation=bool(number % 2),
            codes=rng.integers(0, 5, length, dtype=np.uint8),
            soft=rng.random(length) < 0.5,
            labels=rng.choice(choices, length),
        )
        for number, length in enumerate(lengths)
    ]


@given(any_pieces())
def test_any_pieces_round_trip(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[Piece]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pack"
    write_pack(Pack(pieces), path)
    for one, other in zip(pieces, read_pack(path).pieces, strict=True):
        same(one, other)


@pytest.mark.parametrize("content", [None, b"", b"not a pack", b"\x80" * 100])
def test_what_is_no_pack_file(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.pack"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pack is no pack file; make one with"):
        read_pack(path)


def test_a_cut_pack_file(toy_piece: MakePiece, tmp_path: Path) -> None:
    path = tmp_path / "toy.pack"
    write_pack(Pack([toy_piece()]), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="no pack file"):
        read_pack(path)


RECIPE = """
clade = "yeasts"
[[set]]
folder = "fungi/toy"
weight = 2.0
validation = ["chr2", "chr3:1000-2500"]
leave_out = ["scrap*"]
[[set]]
folder = "fungi/sister"
"""


@pytest.fixture
def data(tmp_path: Path, toy_contig: MakeContig) -> Path:
    """A data folder: chr1-3, scrap1 and a test chromosome; and a second set."""
    for folder, names in (
        ("toy", ["chr1", "chr2", "chr3", "scrap1", "secret"]),
        ("sister", ["chr1", "chr2"]),
    ):
        target = tmp_path / "fungi" / folder
        target.mkdir(parents=True)
        made = [toy_contig(name, seed, 8) for seed, name in enumerate(names)]
        for name, write, content in (
            ("genome.fa", write_fasta, [contig for contig, _ in made]),
            ("annotation.gff3", write_gff3, [g for _, genes in made for g in genes]),
        ):
            write(target / name, content)
            (target / f"{name}.gz").write_bytes(gzip.compress((target / name).read_bytes()))
            (target / name).unlink()
    rows = [("toy", n, "train") for n in ("chr1", "chr2", "chr3", "scrap1")]
    rows += [("toy", "secret", "test"), ("sister", "chr1", "train"), ("sister", "chr2", "test")]
    table = ["clade\tset\tsequence\tstart\tend\tsplit"]
    table += [f"fungi\t{folder}\t{name}\t0\t9999\t{split}" for folder, name, split in rows]
    (tmp_path / "splits.tsv").write_text("\n".join(table) + "\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def test_prepare_honours_splits_validation_and_leave_out(
    data: Path, toy_contig: MakeContig
) -> None:
    pieces = prepare(data / "recipe.toml", data).pieces
    heads = [(p.set, p.name.split(":")[0], p.validation, p.weight) for p in pieces]
    assert heads == [
        ("toy", "chr1", False, 2.0),
        ("toy", "chr2", True, 2.0),
        ("toy", "chr3", False, 2.0),
        ("toy", "chr3", True, 2.0),
        ("toy", "chr3", False, 2.0),
        ("sister", "chr1", False, 1.0),
    ]
    assert {p.clade for p in pieces} == {"yeasts"}
    contig, genes = toy_contig("chr2", 1, 8)
    whole = pieces[1]
    assert np.array_equal(whole.codes, base_codes(contig.sequence))
    assert whole.name == f"chr2:0-{len(contig.sequence)}"
    assert [g.transcripts[0].cds for g in whole.genes] == [g.transcripts[0].cds for g in genes]
    assert pieces[0].genes == () and from_labels(pieces[0].labels)


def test_prepare_cuts_at_intergenic_bases(data: Path, toy_contig: MakeContig) -> None:
    left, middle, right = prepare(data / "recipe.toml", data).pieces[2:5]
    contig, genes = toy_contig("chr3", 2, 8)
    joined = np.concatenate([p.codes for p in (left, middle, right)])
    assert np.array_equal(joined, base_codes(contig.sequence))
    found = [from_labels(p.labels) for p in (left, middle, right)]
    assert sum(map(len, found)) == len(genes) == 8
    assert all(t.complete5 and t.complete3 for part in found for t in part)
    assert found[1] and [g.transcripts[0].cds for g in middle.genes] == [t.cds for t in found[1]]
    start, end = map(int, middle.name.split(":")[1].split("-"))
    assert len(left.codes) == start and start >= 1000 and end >= 2500
    assert 0 in (left.labels[-1], middle.labels[0]) and middle.labels[0] == 0


def test_a_row_marked_test_gives_no_piece(data: Path) -> None:
    before = prepare(data / "recipe.toml", data).pieces
    table = data / "splits.tsv"
    table.write_text(table.read_text().replace("chr1\t0\t9999\ttrain", "chr1\t0\t9999\ttest"))
    after = prepare(data / "recipe.toml", data).pieces
    assert [p.name for p in after] == [p.name for p in before if not p.name.startswith("chr1:")]


def test_another_table_of_splits(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine.tsv"
    other.write_text("clade\tset\tsequence\tstart\tend\tsplit\nf\ttoy\tchr1\t0\t9\ttrain\n")
    assert len(prepare(data / "recipe.toml", data, other).pieces) == 1


def test_a_prepared_pack_round_trips(data: Path) -> None:
    pieces = prepare(data / "recipe.toml", data).pieces
    write_pack(Pack(pieces), data / "toy.pack")
    for one, other in zip(pieces, read_pack(data / "toy.pack").pieces, strict=True):
        same(one, other)


def test_nested_regions_never_reach_training(data: Path) -> None:
    recipe = RECIPE.replace('"chr3:1000-2500"', '"chr3:500-3000"')
    recipe = recipe.replace('"scrap*"', '"chr3:1000-1500"')
    (data / "nested.toml").write_text(recipe)
    pieces = [p for p in prepare(data / "nested.toml", data).pieces if p.name.startswith("chr3:")]
    spans = [tuple(map(int, p.name.split(":")[1].split("-"))) for p in pieces]
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(
        end <= 1000 or start >= 3000
        for (start, end), p in zip(spans, pieces, strict=True)
        if not p.validation
    )


@pytest.mark.parametrize("pattern", ["chr3:a-b", "chr3:60-10", "chr3:5"])
def test_impossible_intervals(pattern: str, data: Path) -> None:
    (data / "bad.toml").write_text(RECIPE.replace("chr3:1000-2500", pattern))
    with pytest.raises(TrainingError, match="is no name:start-end"):
        prepare(data / "bad.toml", data)


def test_an_empty_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at least one base"):
        write_pack(Pack([]), tmp_path / "empty.pack")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("nosuch", "neither a file nor one of arthropods, nematodes"),
        ("clade = ", "is not TOML"),
        ('clade = "yeasts"', "needs `clade` and"),
        ('clade = "yeasts"\n[[set]]\nweight = 1.0', "each with `folder`"),
    ],
)
def test_bad_recipes(recipe: str, message: str, data: Path) -> None:
    name = recipe
    if "=" in recipe:
        name = str(data / "bad.toml")
        Path(name).write_text(recipe)
    with pytest.raises(TrainingError, match=message):
        prepare(name, data)


def test_bad_data_folders(data: Path) -> None:
    with pytest.raises(InputError, match="no table of splits"):
        prepare(data / "recipe.toml", data / "fungi")
    table = data / "splits.tsv"
    table.write_text(table.read_text() + "fungi\ttoy\tchr1\t0\t9999\ttest\n")
    with pytest.raises(InputError, match="chr1 of toy has both train and other rows"):
        prepare(data / "recipe.toml", data)
    table.write_text("sequence\tsplit\nchr1\ttrain\n")
    with pytest.raises(InputError, match="needs the columns set, sequence, end and split"):
        prepare(data / "recipe.toml", data)
