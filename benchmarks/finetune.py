"""A species that no checkpoint knows: parent, fine-tuned and AUGUSTUS, the latter two with the same
genes.

    python -m benchmarks.finetune DATA --set NAME --parent FOLDER [--genes 400] [--minutes 15]
                                  [--output FOLDER] [--device cpu]

DATA holds splits.tsv and the genomes it names. Genes are drawn from the `train` rows of a set, in
blocks of neighbours, without the doubtful ones. `augustus-dl finetune` gets them with the sequences
they lie on, AUGUSTUS's `new_species.pl` and `etraining` as GenBank with as much sequence beside
each gene (`gff2gbSmallDNA.pl`). All three predict the `test` rows. --parent names a model folder
trained without the set, or a clade. NAME.json and NAME.md go to --output.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.io.annotation import read_annotation, write_gff3
from augustus_dl.io.fasta import Contig, contigs, write_fasta
from augustus_dl.profile import find_parent
from augustus_dl.validity import faults
from benchmarks.annotate import (
    LEVELS,
    PROGRAMS,
    ROOT,
    SETS,
    SWITCHES,
    GenomeSet,
    Task,
    prepare,
    provenance,
    score,
    split_rows,
    write_report,
)
from benchmarks.measure import Usage, measure

AUGUSTUS = Path("/usr/share/augustus")
BLOCK = 20
"""Neighbouring genes that are drawn together."""
FLANK = 1000
OURS = PROGRAMS["augustus-dl"]


def train_rows(splits: Path, set_name: str) -> dict[str, tuple[int, int]]:
    """Sequence to (start, end) of the `train` rows of a set, 0-based and half-open.

    Raises:
        InputError: there is none.
    """
    rows = split_rows(splits, set_name, "train")
    return {sequence: (start, end) for sequence, start, end in rows}


def drawn(genes: list[Gene], wanted: int, seed: int) -> list[Gene]:
    """So many genes at random, in blocks of neighbours."""
    blocks = [genes[i : i + BLOCK] for i in range(0, len(genes), BLOCK)]
    order = np.random.default_rng(seed).permutation(len(blocks))
    return [gene for i in order for gene in blocks[i]][:wanted]


def valid(genes: Iterable[Gene], contig: Contig, code: GeneticCode) -> list[Gene]:
    """Complete genes without fault, with their first such transcript alone."""
    codes, found = base_codes(contig.sequence), []
    for gene in genes:
        sound = [t for t in gene.transcripts if t.complete5 and t.complete3]
        sound = [t for t in sound if not faults(t, codes, code)]
        if sound:
            name = f"{contig.name}.{gene.id}"
            found.append(replace(gene, transcripts=(replace(sound[0], id=f"{name}.1"),), id=name))
    return found


def write_training(genome_set: GenomeSet, data: Path, folder: Path, wanted: int, seed: int) -> int:
    """genome.fa and genes.gff3 of the train rows in `folder`; how many genes there are.

    Raises:
        InputError: a sequence is trained on in part only, which is not provided for.
    """
    rows = train_rows(data / "splits.tsv", genome_set.name)
    annotation = read_annotation(
        data / genome_set.folder / "annotation.gff3.gz", genome_set.doubtful_sources
    )
    code = genetic_code(genome_set.table)
    sequences, genes = [], []
    for contig in contigs(data / genome_set.folder / "genome.fa.gz"):
        if contig.name not in rows:
            continue
        start, end = rows[contig.name]
        piece = Contig(contig.name, contig.sequence[start:end])
        own = [
            replace(g, transcripts=tuple(t.shifted(-start) for t in g.transcripts))
            for g in annotation.genes.get(contig.name, [])
            if g.start >= start and g.end <= end
        ]
        sequences.append(piece)
        genes += valid(own, piece, code)
    chosen = drawn(genes, wanted, seed)
    used = {gene.contig for gene in chosen}
    write_fasta(folder / "genome.fa", [contig for contig in sequences if contig.name in used])
    write_gff3(folder / "genes.gff3", chosen)
    return len(chosen)


def run(
    name: str, command: list[str], folder: Path, output: Path | None = None, excused: str = "\n"
) -> Usage:
    """Run a command in a folder.

    Raises:
        InputError: it failed, and its last line does not hold the text `excused`; the message ends
            with that line.
    """
    print(f"{name} ...", file=sys.stderr, flush=True)
    errors = folder / f"{name}.err"
    before = os.getcwd()
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(folder)  # AUGUSTUS's scripts leave files where they run
    try:
        usage = measure(command, output or folder / f"{name}.out", errors)
    finally:
        os.chdir(before)
    if usage.status:
        last = errors.read_text(errors="replace").strip().split("\n")[-1]
        if excused not in last:
            raise InputError(f"{name} ended with {usage.status}: {last}")
    return usage


def train_augustus(folder: Path) -> tuple[Path, Usage]:
    """AUGUSTUS's config folder with the species `held_out`, and what training took."""
    config = folder / "config"
    shutil.copytree(AUGUSTUS / "config", config, ignore=shutil.ignore_patterns("species"))
    for name in ("generic", "template_prokaryotic"):
        if (AUGUSTUS / "config/species" / name).is_dir():
            shutil.copytree(AUGUSTUS / "config/species" / name, config / "species" / name)
    path = f"--AUGUSTUS_CONFIG_PATH={config}"
    scripts = AUGUSTUS / "scripts"
    files = ["genes.gff3", "genome.fa", str(FLANK), "genes.gb"]
    run("gff2gb", ["perl", str(scripts / "gff2gbSmallDNA.pl"), *files], folder)
    run(
        "new_species", ["perl", str(scripts / "new_species.pl"), "--species=held_out", path], folder
    )
    return config, run("etraining", ["etraining", "--species=held_out", path, "genes.gb"], folder)


def predict(name: str, command: list[str], task: Task) -> dict:
    """Accuracy and cost of a program on the test rows."""
    usage = run(name, [*command, *SWITCHES, str(task.fasta)], task.folder, task.path(name, "gtf"))
    return {"usage": asdict(usage), **score(name, task)}


def benchmark(options: argparse.Namespace) -> dict:
    """Train with the same genes, predict the same sequences."""
    (genome_set,) = (one for one in SETS if one.name == options.set)
    parent = find_parent(options.parent)
    with tempfile.TemporaryDirectory(prefix="augustus-dl-finetune-") as scratch:
        folder = Path(scratch)
        genes = write_training(genome_set, options.data, folder, options.genes, options.seed)
        task = prepare(genome_set, options.data, folder)
        table = f"--translation_table={genome_set.table}"
        ours = [*OURS, f"--device={options.device}", table]
        config, etraining = train_augustus(folder)
        words = ["--genome", "genome.fa", "--annotation", "genes.gff3", "--species", "held_out"]
        words += ["--from", options.parent, "--output", "tuned", "--device", options.device]
        words += ["--minutes", str(options.minutes), "--genetic-code", str(genome_set.table)]
        words += ["--flank", str(FLANK)]
        refused = "no profile is written"
        tuning = run("finetune", [*OURS, "finetune", *words], folder, excused=refused)
        theirs = ["augustus", f"--AUGUSTUS_CONFIG_PATH={config}", "--species=held_out", table]
        results = {
            "parent": predict("parent", [*ours, f"--species={parent.folder.absolute()}/"], task),
            "AUGUSTUS": predict("augustus", theirs, task),
        }
        if not tuning.status:
            results["fine-tuned"] = predict("tuned", [*ours, f"--species={folder}/tuned/"], task)
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
            for path in (folder / "tuned").glob("weights-*/*.png"):
                shutil.copy(path, options.output / f"{genome_set.name}.{path.name}")
        return {
            "provenance": provenance(options.device),
            "set": genome_set.name,
            "bases": task.bases,
            "genes": genes,
            "parent": parent.name,
            "minutes": options.minutes,
            "training": {"fine-tuned": asdict(tuning), "AUGUSTUS": asdict(etraining)},
            "held_out": (folder / "finetune.out").read_text(),
            "programs": results,
        }


def markdown(report: dict) -> str:
    """The report as Markdown."""
    head = report["provenance"]
    lines = [
        f"# {report['genes']} genes of {report['set']}",
        "",
        f"Commit {head['commit']}, {head['date']}, {head['machine']['cpu']},"
        f" {head['machine']['cores']} cores, device {head['device']}; parent {report['parent']}.",
        f"Test rows, {report['bases'] / 1e6:.2f} Mb. Sensitivity, precision and F1 in %.",
        "",
        "| | gene | exon | nucleotide | invalid | training, wall s | peak MiB |",
        "|---|---|---|---|--:|--:|--:|",
    ]
    for name, result in report["programs"].items():
        cells = [
            " / ".join(
                f"{100 * result['accuracy'][level][key]:.1f}"
                for key in ("sensitivity", "precision", "f1")
            )
            for level in LEVELS
        ]
        used = report["training"].get(name, {"wall_s": 0, "peak_mib": 0})
        cost = f"{result['invalid']} | {used['wall_s']:.0f} | {used['peak_mib']:.0f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {cost} |")
    held_out = report["held_out"].strip()
    return "\n".join(
        [*lines, "", "What fine-tuning said of its own held-out genes:", "", "```"]
    ) + (f"\n{held_out}\n```\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", required=True, choices=[one.name for one in SETS], metavar="NAME")
    parser.add_argument("--parent", required=True, help="model folder (with a /), or a clade")
    parser.add_argument("--genes", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.data = options.data.absolute()
    if os.sep in options.parent:
        options.parent = os.path.join(os.path.abspath(options.parent), "")
    missing = [name for name in ("augustus", "etraining", "perl") if not shutil.which(name)]
    if missing or not (AUGUSTUS / "scripts").is_dir():
        print(f"finetune: needs {', '.join(missing) or AUGUSTUS / 'scripts'}", file=sys.stderr)
        return 1
    try:
        report = benchmark(options)
    except (InputError, subprocess.CalledProcessError) as error:
        print(f"finetune: {error}", file=sys.stderr)
        return 1
    text = markdown(report)
    if options.output:
        write_report(options.output, report["set"], report, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
