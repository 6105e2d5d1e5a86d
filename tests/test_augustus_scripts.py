"""AUGUSTUS's own scripts read our output: what they make of it is what we printed.

The genes come from a small random network, which finds many anywhere. The scripts are those of
Debian's package augustus; without it the tests are skipped.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.Seq import Seq

from augustus_dl.cli.compat import main
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.io.query import open_query
from tests.golden.reading import GeneBlock, Output, TranscriptBlock, read
from tests.golden.run import Run
from tests.golden.structure import violations

SCRIPTS = Path("/usr/share/augustus/scripts")

pytestmark = [
    pytest.mark.skipif(not SCRIPTS.is_dir(), reason=f"needs AUGUSTUS's scripts in {SCRIPTS}"),
    pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl"),
]

LENGTH = 24_000
FLANK = 40


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two random contigs in lower and upper case."""
    source = random.Random(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    letters = ["".join(source.choices("ACGTacgt", k=LENGTH)) for _ in range(2)]
    names = ("chr1", "chr2")
    write_fasta(path, (Contig(n, s.encode()) for n, s in zip(names, letters, strict=True)))
    return path


@pytest.fixture(scope="module")
def printed(genome: Path, toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our GTF with all that AUGUSTUS's pipelines switch on."""
    path = tmp_path_factory.mktemp("printed") / "ours.gff"
    path.write_text(predict(toy_folder, genome, "--codingseq=on", "--introns=on"))
    return path


@pytest.fixture(scope="module")
def ours(printed: Path) -> Output:
    output = read(printed.read_text())
    assert output.problems == []
    strands = [gene.line.strand for gene in genes(output)]
    assert min(strands.count("+"), strands.count("-")) >= 4
    assert any(len(t.parts) > 5 for t in transcripts(output))
    return output


def predict(species: Path, genome: Path, *options: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    status = main([f"--species={species}{'/'}", *options, str(genome)], out, err)
    assert status == 0, err.getvalue()
    return out.getvalue()


def script(name: str, *arguments: object, folder: Path, stdin: str | None = None) -> str:
    """Run one of AUGUSTUS's scripts in a folder and return its standard output."""
    done = subprocess.run(
        ["perl", str(SCRIPTS / name), *map(str, arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def genes(output: Output) -> list[GeneBlock]:
    return [gene for part in output.sequences for gene in part.genes]


def transcripts(output: Output) -> list[TranscriptBlock]:
    return [transcript for gene in genes(output) for transcript in gene.transcripts]


def sequences(path: Path) -> dict[str, str]:
    return {record.id: str(record.seq) for record in SeqIO.parse(path, "fasta")}


def named(output: Output, block: str) -> dict[str, str]:
    """Letters of a comment block of every transcript, by its id."""
    return {t.line.attributes: getattr(t, block).letters for t in transcripts(output)}


@pytest.mark.parametrize("options", [("--codingseq=on",), ("--codingseq=on", "--gff3=on"), ()])
def test_get_anno_fasta_extracts_our_sequences(
    options: Sequence[str], genome: Path, toy_folder: Path, ours: Output, tmp_path: Path
) -> None:
    """Without our coding sequences the script splices its own from our CDS lines."""
    (tmp_path / "ours.gff").write_text(predict(toy_folder, genome, *options))
    script("getAnnoFasta.pl", "ours.gff", f"--seqfile={genome}", folder=tmp_path)
    assert sequences(tmp_path / "ours.aa") == named(ours, "protein")
    coding = sequences(tmp_path / "ours.codingseq")  # with names of contigs if they are ours
    assert {re.sub(r"^chr\d\.", "", name): bases for name, bases in coding.items()} == named(
        ours, "coding"
    )
    exons = sequences(tmp_path / "ours.cdsexons")
    assert sorted(exons.values()) == sorted(
        _spliced(Contig("", letters.encode()), [(part.start, part.end)], part.strand)
        for name, letters in sequences(genome).items()
        for transcript in transcripts(ours)
        for part in transcript.parts
        if part.kind == "CDS" and part.contig == name
    )


@pytest.mark.parametrize("options", [(), ("--gff3=on",)])
def test_gtf2gff_keeps_our_lines(
    options: Sequence[str], genome: Path, toy_folder: Path, ours: Output, tmp_path: Path
) -> None:
    """BRAKER's way: only AUGUSTUS's lines; exons are made from CDS."""
    text = predict(toy_folder, genome, "--introns=on", *options)
    lines = [line for line in text.splitlines(keepends=True) if "\tAUGUSTUS\t" in line]
    words = ("--printExon", "--printIntron", "--out=converted.gtf")
    script("gtf2gff.pl", *words, folder=tmp_path, stdin="".join(lines))
    converted = _lines((tmp_path / "converted.gtf").read_text())
    parts = [(part, t.line.attributes) for t in transcripts(ours) for part in t.parts]
    expected = {(p.kind, p.contig, p.start + 1, p.end, p.phase, name) for p, name in parts}
    expected |= {("exon", *line[1:4], ".", line[5]) for line in expected if line[0] == "CDS"}
    assert {line[0] for line in expected} == {"exon", "CDS", "start_codon", "stop_codon", "intron"}
    assert converted == expected


def _lines(text: str) -> set[tuple[str, str, int, int, str, str]]:
    """Feature, contig, coordinates, phase and transcript of the parts of transcripts."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {
        (row[2], row[0], int(row[3]), int(row[4]), row[7], named[1])
        for row in rows
        if (named := re.search(r'(?:transcript_id "|Parent=)(g\d+\.t\d+)', row[8]))
    }


def test_gff2gb_small_dna_makes_genes_that_we_read(
    printed: Path, ours: Output, genome: Path, tmp_path: Path
) -> None:
    script("gff2gbSmallDNA.pl", printed, genome, FLANK, "genes.gb", folder=tmp_path)
    found = {}
    for contig, annotated in open_query(tmp_path / "genes.gb").records():
        for gene in annotated:
            (transcript,) = gene.transcripts
            found[gene.id] = _spliced(contig, transcript.cds, transcript.strand)
    assert found == named(ours, "coding")


def _spliced(contig: Contig, intervals: Sequence[tuple[int, int]], strand: str) -> str:
    bases = b"".join(contig.sequence[start:end] for start, end in intervals).decode().lower()
    return bases if strand == "+" else str(Seq(bases).reverse_complement())


def test_join_aug_pred_renumbers_tiles(toy_folder: Path, genome: Path, tmp_path: Path) -> None:
    first = _first_contig(genome, tmp_path)
    tiles = [(1, 14_000), (10_001, LENGTH)]
    texts = [
        predict(toy_folder, first, f"--predictionStart={start}", f"--predictionEnd={end}")
        for start, end in tiles
    ]
    joined = script("join_aug_pred.pl", folder=tmp_path, stdin="".join(texts))
    ids = [line.split()[3] for line in joined.splitlines() if line.startswith("# start gene")]
    assert ids == [f"g{number}" for number in range(1, len(ids) + 1)]
    assert _without_numbers(joined) <= _without_numbers("".join(texts))
    places = [gene for text in texts for gene in _places(text)]
    kept = _places(joined)
    assert len(kept) == len(set(kept)) > max(len(_places(text)) for text in texts)
    assert set(kept) <= set(places)
    assert all(end < start for (_, end), (start, _) in pairwise(kept))


def _first_contig(genome: Path, folder: Path) -> Path:
    """A FASTA file with the first contig alone."""
    name, letters = next(iter(sequences(genome).items()))
    write_fasta(folder / "chr1.fa", [Contig(name, letters.encode())])
    return folder / "chr1.fa"


def _places(text: str) -> list[tuple[int, int]]:
    rows = (line.split("\t") for line in text.splitlines())
    return [(int(row[3]), int(row[4])) for row in rows if len(row) == 9 and row[2] == "gene"]


def _without_numbers(text: str) -> set[str]:
    """Coordinates and features of lines, without ids of genes."""
    return {line.rpartition("\t")[0] for line in text.splitlines() if "\tAUGUSTUS\t" in line}


def test_jobs_of_create_augustus_joblist_run(
    toy_folder: Path, genome: Path, tmp_path: Path
) -> None:
    first = _first_contig(genome, tmp_path)
    (tmp_path / "sequences.lst").write_text(f"{first}\t1\t{LENGTH}\n")
    script(
        "createAugustusJoblist.pl",
        "--sequences=sequences.lst",
        "--wrap=#!/bin/bash",
        "--overlap=4000",
        "--chunksize=14000",
        f"--outputdir={tmp_path}",
        f"--errordir={tmp_path}",
        "--joblist=jobs.lst",
        "--jobprefix=job_",
        f"--command={sys.executable} -m augustus_dl --species={toy_folder}/ --gff3=on",
        folder=tmp_path,
    )
    jobs = (tmp_path / "jobs.lst").read_text().split()
    assert len(jobs) == 2
    root = Path(__file__).resolve().parents[1]
    for job in jobs:
        subprocess.run(["bash", str(tmp_path / job)], cwd=root, check=True)
    outputs = sorted(tmp_path.glob("*.gff"))
    assert [path.name for path in outputs] == [
        "1.001.chr1.fa.1..14000.gff",
        "1.002.chr1.fa.10001..24000.gff",
    ]
    parameters = toy_folder / "toy_parameters.cfg"
    for path, start, end in zip(outputs, ("1", "10001"), ("14000", "24000"), strict=True):
        options = {"species": "toy", "gff3": "on", "predictionStart": start, "predictionEnd": end}
        asked = Run.of(options, first, parameters)
        run = replace(asked, settings={**asked.settings, "query": ".err"})  # ends the command
        assert violations(path.read_text(), run) == []
        assert "# start gene g1" in path.read_text()
        assert path.with_suffix(".err").exists()
