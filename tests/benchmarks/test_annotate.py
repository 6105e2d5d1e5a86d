"""The benchmark: cutting to test rows, measuring a command, and the report of a whole run.

python -m pytest tests/benchmarks/test_annotate.py
"""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation
from augustus_dl.io.fasta import Contig
from benchmarks import annotate
from benchmarks.annotate import GenomeSet, add_reference, invalid_genes, prepare, split_rows
from benchmarks.measure import measure

GENE = b"ATGAAATTTAAACCCTAA"
SEQUENCE = b"C" * 100 + GENE + b"C" * 200 + GENE + b"C" * 64
STARTS = (100, 318)


def gtf(start: int) -> str:
    """One gene of GENE's length from 0-based `start`, as AUGUSTUS writes it."""
    attributes = f'transcript_id "g{start}.t1"; gene_id "g{start}";'
    span = f"{start + 1}\t{start + len(GENE)}"
    last = f"{start + len(GENE) - 2}\t{start + len(GENE)}"
    rows = [
        f"gene\t{span}\t1\t+\t.\tg{start}",
        f"transcript\t{span}\t1\t+\t.\tg{start}.t1",
        f"start_codon\t{start + 1}\t{start + 3}\t.\t+\t0\t{attributes}",
        f"CDS\t{span}\t1\t+\t0\t{attributes}",
        f"stop_codon\t{last}\t.\t+\t0\t{attributes}",
    ]
    return "".join(f"chr1\tAUGUSTUS\t{row}\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one test set of two genes."""
    folder = tmp_path / "data/clade/toy"
    folder.mkdir(parents=True)
    rows = "".join(
        f"chr1\tx\tgene\t{s + 1}\t{s + 18}\t.\t+\t.\tID=g{s}\n"
        f"chr1\tx\tmRNA\t{s + 1}\t{s + 18}\t.\t+\t.\tID=t{s};Parent=g{s}\n"
        f"chr1\tx\tCDS\t{s + 1}\t{s + 18}\t.\t+\t0\tID=c{s};Parent=t{s}\n"
        for s in STARTS
    )
    with gzip.open(folder / "annotation.gff3.gz", "wt") as stream:
        stream.write("##gff-version 3\n" + rows)
    with gzip.open(folder / "genome.fa.gz", "wb") as stream:
        stream.write(b">chr1\n" + SEQUENCE + b"\n>chr2\nACGT\n")
    (tmp_path / "data/splits.tsv").write_text(
        "clade\tset\tsequence\tstart\tend\tsplit\n"
        "clade\ttoy\tchr1\t0\t400\ttest\n"
        "clade\ttoy\tchr2\t0\t4\ttrain\n"
        "clade\tother\tchr9\t0\t4\ttest\n"
    )
    return tmp_path / "data"


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins: AUGUSTUS finds the first gene, augustus-dl both."""
    folder = tmp_path / "programs"
    folder.mkdir()
    version = "if '--version' in sys.argv: sys.exit('AUGUSTUS (3.5.0) is a tool.')\n"
    script(folder / "augustus", f"{version}print({gtf(STARTS[0])!r})")
    both = "".join(gtf(start) for start in STARTS)
    own = script(folder / "own", f"sum(range(10**6)); print({both!r})")
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setitem(annotate.PROGRAMS, "augustus-dl", [str(own)])
    monkeypatch.setattr(annotate, "SETS", (GenomeSet("clade/toy", "fly", "fly"),))


@pytest.mark.parametrize("extra", [[], ["--parallel"]])
def test_a_whole_run(
    data: Path, programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: list[str]
) -> None:
    argv = ["annotate", "--data", str(data), "--output", str(tmp_path / "results"), *extra]
    monkeypatch.setattr(sys, "argv", argv)
    annotate.main()
    report = json.loads((tmp_path / "results/annotate.json").read_text())
    (entry,) = report["sets"]
    assert (entry["name"], entry["bases"]) == ("toy", 400)
    accuracy = {name: entry["programs"][name]["accuracy"]["gene"] for name in annotate.PROGRAMS}
    assert accuracy["augustus-dl"]["f1"] == 1
    assert accuracy["AUGUSTUS"]["sensitivity"] == 0.5
    assert accuracy["AUGUSTUS"]["precision"] == 1
    assert all(entry["programs"][name]["kb_per_cpu_s"] > 0 for name in annotate.PROGRAMS)
    assert "--species=fly" in entry["programs"]["AUGUSTUS"]["arguments"]
    assert [entry["programs"][name]["invalid"] for name in annotate.PROGRAMS] == [0, 0]
    assert entry["checkpoint"] == "fly"
    assert report["augustus"] == "AUGUSTUS (3.5.0)" and report["parallel"] == bool(extra)
    rows = (tmp_path / "results/annotate.md").read_text().splitlines()
    columns = {line.count("|") for line in rows if line.startswith("|")}
    assert len(columns) == 1 and sum("| toy |" in line for line in rows) == 2
    assert any("| AUGUSTUS | 50.0 / 100.0 / 66.7 |" in line for line in rows)
    assert any("| augustus-dl (fly) |" in line for line in rows)


def test_impossible_genes_are_counted() -> None:
    contig = Contig("chr1", SEQUENCE)

    def gene(*spans: tuple[int, int], strand: str = "+", **ends: int) -> Gene:
        return Gene("chr1", strand, (Transcript(strand, spans, **ends),))

    sound = gene((100, 118))
    cut = gene((0, 118), complete5=False, phase=1)
    impossible = [
        gene((100, 118), strand="-"),  # neither start nor stop codon
        gene((100, 115)),  # no stop codon
        gene((106, 118)),  # no start codon
        gene((100, 118), (322, 336)),  # stop codon in frame, splice sites CC-AA
        gene((106, 118), complete5=False),  # an end missing inside the sequence
        replace(sound, transcripts=(*sound.transcripts, Transcript("+", ((100, 115),)))),
    ]
    for one in (sound, cut):
        assert invalid_genes({"chr1": [one]}, [contig], genetic_code(1)) == 0
    for one in impossible:
        assert invalid_genes({"chr1": [sound, one]}, [contig], genetic_code(1)) == 1


def test_the_genetic_code_decides_what_is_impossible() -> None:
    contig = Contig("chr1", b"C" * 10 + b"ATGAAATGACCCTAA" + b"C" * 10)
    genes = {"chr1": [Gene("chr1", "+", (Transcript("+", ((10, 25),)),))]}
    assert invalid_genes(genes, [contig], genetic_code(1)) == 1
    assert invalid_genes(genes, [contig], genetic_code(4)) == 0


def test_doubtful_sources_are_masked(data: Path, tmp_path: Path) -> None:
    sure = prepare(GenomeSet("clade/toy", "fly", "fly"), data, tmp_path)
    doubted = prepare(GenomeSet("clade/toy", "fly", "fly", doubtful_sources=("x",)), data, tmp_path)
    assert [len(task.reference.genes["chr1"]) for task in (sure, doubted)] == [2, 0]
    spans = [mask[:2] for mask in doubted.reference.masks["chr1"]]
    assert spans == [(start, start + len(GENE)) for start in STARTS]


def test_the_checkpoint_that_answers() -> None:
    assert GenomeSet("plants/toy", "wheat", "wheat").weights == "arabidopsis"
    assert GenomeSet("x/toy", "fly", "fly", checkpoint="fly, two runs").weights == "fly, two runs"


def test_a_failing_program_ends_the_run(
    data: Path, programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "programs/own", "sys.exit('no such species')")
    monkeypatch.setattr(sys, "argv", ["annotate", "--data", str(data), "--output", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"augustus-dl on toy ended with 1: no such species"):
        annotate.main()
    assert not (tmp_path / "annotate.json").exists()


def test_without_augustus(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["annotate", "--data", str(data), "--output", str(tmp_path)])
    with pytest.raises(SystemExit, match="no program `augustus`"):
        annotate.main()


def split_rows_of_one_set(data: Path) -> None:
    assert split_rows(data / "splits.tsv", "toy") == [("chr1", 0, 400)]
    with pytest.raises(InputError, match="no test row"):
        split_rows(data / "splits.tsv", "celegans")
    with pytest.raises(InputError, match="does not exist"):
        split_rows(data / "nothing.tsv", "toy")


def test_reference_is_cut_and_shifted() -> None:
    genes = [Gene("chr1", "+", (Transcript("+", ((s, s + 9),)),)) for s in (10, 95, 120, 195)]
    masks = [(0, 5, "a"), (90, 110, "b"), (150, 160, "c"), (190, 300, "d")]
    reference = Annotation({}, {})
    piece = Contig("chr1_100", b"A" * 100)
    add_reference(reference, Annotation({"chr1": genes}, {"chr1": masks}), "chr1", piece, 100)
    (gene,) = reference.genes["chr1_100"]
    assert (gene.contig, gene.start, gene.end) == ("chr1_100", 20, 29)
    assert reference.masks["chr1_100"] == [
        (0, 4, "gene cut by the row"),
        (0, 10, "b"),
        (50, 60, "c"),
        (90, 100, "d"),
        (95, 100, "gene cut by the row"),
    ]


def test_measuring_counts_children_and_not_the_caller(tmp_path: Path) -> None:
    ballast = bytearray(b"1" * 300_000_000)
    child = "sum(range(4_000_000))"
    code = (
        "import subprocess, sys; x = b'1' * 50_000_000; print(len(x));"
        f"sys.exit(subprocess.call([sys.executable, '-c', {child!r}]) + 3)"
    )
    used = measure([sys.executable, "-c", code], tmp_path / "out", tmp_path / "err")
    assert used.status == 3 and (tmp_path / "out").read_text() == "50000000\n"
    assert 50 < used.peak_mib < 200 < len(ballast) / 2**20
    assert 0.03 < used.cpu_s <= 2 * used.wall_s
