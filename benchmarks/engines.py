"""Speed of augustus-dl on the CPU by engine and arithmetic beside AUGUSTUS, and what genes agree.

    python -m benchmarks.engines --data FOLDER [--sets NAME ...] [--kilobases 500]

The first `--kilobases` of the test rows of each set of `benchmarks.annotate` are taken. The first
runs with OpenVINO, which compile the networks, are not counted. Same genes: as those of torch in
float32. One program runs after the other; the table goes to stdout as Markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from augustus_dl.errors import AugustusError, InputError
from augustus_dl.gene import Gene
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import Contig, contigs
from benchmarks.annotate import PROGRAMS, SETS, SWITCHES, GenomeSet, split_rows, write_fasta
from benchmarks.measure import Usage, measure

WAYS = {
    "openvino": ("openvino", "auto"),
    "openvino, float32": ("openvino", "float32"),
    "torch": ("torch", "auto"),
    "torch, float32": ("torch", "float32"),
}
"""Engine and arithmetic; auto is bf16 where the processor has it."""
REFERENCE = "torch, float32"
HEAD = (
    "| set | kb | sequences | program | kb per CPU-s | x AUGUSTUS | kb/s | peak MiB | same genes |"
)


def sequences(genome_set: GenomeSet, data: Path, length: int) -> list[Contig]:
    """The test rows of a set, up to `length` bases together; the last one is cut."""
    rows = split_rows(data / "splits.tsv", genome_set.name)
    genome = {c.name: c.sequence for c in contigs(data / genome_set.folder / "genome.fa.gz")}
    found = []
    for sequence, start, end in rows:
        text = genome[sequence][start : min(end, start + length)]
        length -= len(text)
        if text:
            found.append(Contig(f"{sequence}_{start}", text))
    return found


def run(command: list[str], way: str, fasta: Path) -> tuple[Usage, dict[str, list[Gene]]]:
    """Run a program on a file: what it took, and the genes it found."""
    engine, precision = WAYS[way]
    os.environ |= {"AUGUSTUS_DL_ENGINE": engine, "AUGUSTUS_DL_PRECISION": precision}
    found, errors = fasta.with_suffix(".gtf"), fasta.with_suffix(".err")
    usage = measure([*command, *SWITCHES, str(fasta)], found, errors)
    if usage.status:
        raise InputError(f"{command[0]} failed: {errors.read_text(encoding='utf-8').strip()}")
    return usage, read_annotation(found).genes


def same(one: dict[str, list[Gene]], other: dict[str, list[Gene]]) -> str:
    """How many genes of `one` have a transcript with the coding intervals of one of `other`."""

    def structures(genes: dict[str, list[Gene]]) -> list[set]:
        return [
            {(name, t.strand, t.cds) for t in gene.transcripts}
            for name, found in genes.items()
            for gene in found
        ]

    known = set().union(*structures(other))
    ours = structures(one)
    return f"{sum(not known.isdisjoint(gene) for gene in ours)} of {len(ours)}"


def rows(genome_set: GenomeSet, given: list[Contig], folder: Path) -> Iterator[str]:
    """Lines of the table for one set."""
    fasta = folder / f"{genome_set.name}.fa"
    write_fasta(fasta, given)
    bases = sum(len(contig.sequence) for contig in given) / 1000
    ours = [*PROGRAMS["augustus-dl"], "--device=cpu", f"--species={genome_set.species}"]
    theirs = [*PROGRAMS["AUGUSTUS"], f"--species={genome_set.augustus_species}"]
    for way in WAYS:
        if way.startswith("openvino"):
            run(ours, way, fasta)
    results = {way: run(ours, way, fasta) for way in WAYS}
    results["AUGUSTUS"] = run(theirs, REFERENCE, fasta)
    speed = {name: bases / usage.cpu_s for name, (usage, _) in results.items()}
    for name, (usage, genes) in results.items():
        agreeing = same(genes, results[REFERENCE][1]) if name in WAYS else ""
        yield (
            f"| {genome_set.name} | {bases:.0f} | {len(given)} | {name} | {speed[name]:.1f} |"
            f" {speed[name] / speed['AUGUSTUS']:.1f} | {bases / usage.wall_s:.1f} |"
            f" {usage.peak_mib:.0f} | {agreeing} |"
        )


def main() -> None:
    names = [genome_set.name for genome_set in SETS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with splits.tsv")
    parser.add_argument("--sets", nargs="*", default=names, choices=names, metavar="NAME")
    parser.add_argument("--kilobases", type=int, default=500)
    options = parser.parse_args()
    print(HEAD, "|---|--:|--:|---|--:|--:|--:|--:|--:|", sep="\n")
    try:
        with tempfile.TemporaryDirectory(prefix="augustus-dl-engines-") as folder:
            for genome_set in SETS:
                if genome_set.name in options.sets:
                    given = sequences(genome_set, options.data, options.kilobases * 1000)
                    for row in rows(genome_set, given, Path(folder)):
                        print(row, flush=True)
    except AugustusError as error:
        sys.exit(f"benchmarks.engines: {error}")


if __name__ == "__main__":
    main()
