"""Annotated genomes to pack files and back.

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
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError, TrainingError
from augustus_dl.gene import Gene
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.labels import MASKED, NUM_LABELS, NUM_UTR_LABELS, from_labels
from augustus_dl.train.pack import Pack, Piece, prepare, read_pack, write_pack
from augustus_dl.train.truth import label_utrs

MakePiece = Callable[..., Piece]
MakeContig = Callable[..., tuple[Contig, list[Gene]]]
WithUtrs = Callable[[Gene], Gene]


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
    labels = np.array([*range(NUM_LABELS), MASKED], dtype=np.uint8)
    utr = np.array([*range(NUM_UTR_LABELS), MASKED], dtype=np.uint8)
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
            labels=rng.choice(labels, length),
            utr=rng.choice(utr, length),
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


def test_a_pack_file_without_a_utr_track(toy_piece: MakePiece, tmp_path: Path) -> None:
    """As packs were before there was one."""
    path = tmp_path / "old.pack"
    write_pack(Pack([toy_piece()]), path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = {name: t for name, t in load_file(path).items() if not name.startswith("utr_")}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(InputError, match="no pack file; make one with `augustus-dl prepare`"):
        read_pack(path)


RECIPE = """
clade = "yeasts"
[[set]]
folder = "fungi/toy"
utrs = true
weight = 2.0
validation = ["chr2", "chr3:1000-2500"]
leave_out = ["scrap*"]
[[set]]
folder = "fungi/sister"
"""


@pytest.fixture
def data(tmp_path: Path, toy_contig: MakeContig, with_utrs: WithUtrs) -> Path:
    """A data folder: chr1-3, scrap1 and a test chromosome; and a second set. All have UTRs."""
    for folder, names in (
        ("toy", ["chr1", "chr2", "chr3", "scrap1", "secret"]),
        ("sister", ["chr1", "chr2"]),
    ):
        target = tmp_path / "fungi" / folder
        target.mkdir(parents=True)
        made = [toy_contig(name, seed, 8) for seed, name in enumerate(names)]
        for name, write, content in (
            ("genome.fa", write_fasta, [contig for contig, _ in made]),
            ("annotation.gff3", write_gff3, [with_utrs(g) for _, genes in made for g in genes]),
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


def test_prepare_reads_utrs_where_the_recipe_says_so(
    data: Path, toy_contig: MakeContig, with_utrs: WithUtrs
) -> None:
    *toy, sister = prepare(data / "recipe.toml", data).pieces
    assert sister.set == "sister" and (sister.utr == MASKED).all()
    contig, genes = toy_contig("chr3", 2, 8)
    expected = label_utrs(map(with_utrs, genes), [], base_codes(contig.sequence))
    assert np.unique(expected).tolist() == [0, 1, 3, 4, 5, 7, 8]  # no intron in a 5' UTR
    assert np.array_equal(np.concatenate([piece.utr for piece in toy[2:]]), expected)
    assert all(not t.utr5 and not t.utr3 for g in toy[1].genes for t in g.transcripts)


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
        ("nosuch", "neither a file nor one of arthropods, fungi, nematodes"),
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
