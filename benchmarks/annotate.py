"""Accuracy, speed and memory of augustus-dl beside AUGUSTUS: same sequences, same scorer, one run.

    python -m benchmarks.annotate --data FOLDER [--sets NAME ...] [--parallel]

FOLDER holds splits.tsv and the genomes it names; what runs are its `test` rows. annotate.json and
annotate.md go to benchmarks/results/. Speed is kb of sequence per CPU-second of the whole command,
start-up and children included; memory is the largest process.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from augustus_dl.encode import base_codes
from augustus_dl.errors import AugustusError, InputError
from augustus_dl.evaluate import evaluate
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.io.annotation import Annotation, read_annotation
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.profile import find_profile
from augustus_dl.validity import faults
from benchmarks.measure import Usage, measure
from benchmarks.report import provenance, write_report

ROOT = Path(__file__).resolve().parents[1]
SWITCHES = ("--softmasking=1", "--protein=off", "--UTR=off")
"""Given to both programs; everything else is each program's default for the species."""
LEVELS = ("gene", "exon", "nucleotide")
PROGRAMS = {"augustus-dl": [sys.executable, "-m", "augustus_dl"], "AUGUSTUS": ["augustus"]}
"""How each program is started."""


@dataclass(frozen=True, slots=True)
class GenomeSet:
    """Test rows of one data set and the species both programs are run with.

    Attributes:
        species: what --species of augustus-dl is: a name, or a run folder with a "/" in it.
        table: NCBI id of the genetic code.
        doubtful_sources: reference genes with these words in column 2 are not judged.
        checkpoint: name for the weights in the report; by default that of their folder.
    """

    folder: str
    species: str
    augustus_species: str
    table: int = 1
    doubtful_sources: tuple[str, ...] = ()
    checkpoint: str = ""

    @property
    def name(self) -> str:
        return self.folder.rpartition("/")[2]

    @property
    def weights(self) -> str:
        """Name of the checkpoint that answers."""
        return self.checkpoint or find_profile(self.species).model.name


SETS = (
    GenomeSet("animals/celegans_chrX_WS220", "caenorhabditis", "caenorhabditis"),
    GenomeSet("animals/Drosophila_melanogaster_chr2R_dm3", "fly", "fly"),
    GenomeSet(
        "fungi/Saccharomyces_cerevisiae_S288C",
        "saccharomyces_cerevisiae_S288C",
        "saccharomyces_cerevisiae_S288C",
    ),
    GenomeSet("animals/human_hg38_chr1_pieces", "human", "human"),
    GenomeSet("animals/human_hg19_pieces", "human", "human"),
    GenomeSet("plants/Arabidopsis_thaliana_1pct_chrstarts", "arabidopsis", "arabidopsis"),
    GenomeSet(
        "plants/Populus_trichocarpa_Chr01_0-8.2Mb", "Populus_trichocarpa", "Populus_trichocarpa"
    ),
    GenomeSet(
        "fungi/Candida_albicans_SC5314_A22_HapA", "candida_albicans", "candida_albicans", table=12
    ),
    GenomeSet("fungi/Pneumocystis_jirovecii_SE8", "pneumocystis", "pneumocystis"),
    GenomeSet(
        "fungi/Taphrina_deformans_PYCC5710",
        "schizosaccharomyces_pombe",
        "schizosaccharomyces_pombe",
    ),
    GenomeSet(
        "protist/Plasmodium_falciparum_Pf2004",
        "pfalciparum",
        "pfalciparum",
        doubtful_sources=("AUGUSTUS",),
    ),
)


@dataclass(frozen=True, slots=True)
class Task:
    """A test set cut to its test rows: what the programs read and what they are scored against."""

    genome_set: GenomeSet
    folder: Path
    sequences: list[Contig]
    reference: Annotation

    @property
    def bases(self) -> int:
        return sum(len(contig.sequence) for contig in self.sequences)

    @property
    def fasta(self) -> Path:
        return self.folder / f"{self.genome_set.name}.fa"

    def path(self, program: str, ending: str) -> Path:
        return self.folder / f"{self.genome_set.name}.{program}.{ending}"


def split_rows(splits: Path, set_name: str, split: str = "test") -> list[tuple[str, int, int]]:
    """(sequence, start, end) of the rows of a set in one split, 0-based and half-open.

    Raises:
        InputError: the table is missing, or the set has no such row.
    """
    if not splits.is_file():
        raise InputError(f"{splits} does not exist; --data names a folder with splits.tsv")
    with splits.open(encoding="utf-8", newline="") as stream:
        rows = [
            (row["sequence"], int(row["start"]), int(row["end"]))
            for row in csv.DictReader(stream, delimiter="\t")
            if row["set"] == set_name and row["split"] == split
        ]
    if not rows:
        raise InputError(f"{splits} has no {split} row of the set {set_name}")
    return rows


def prepare(genome_set: GenomeSet, data: Path, folder: Path, limit: int | None = None) -> Task:
    """Cut sequences and reference to the test rows and write the FASTA both programs read.

    Args:
        limit: take only so many bases of each row.
    """
    genome = {c.name: c for c in contigs(data / genome_set.folder / "genome.fa.gz")}
    path = data / genome_set.folder / "annotation.gff3.gz"
    annotation = read_annotation(path, genome_set.doubtful_sources)
    task = Task(genome_set, folder, [], Annotation({}, {}))
    for sequence, start, end in split_rows(data / "splits.tsv", genome_set.name):
        end = min(end, start + limit) if limit else end
        if sequence not in genome:
            raise InputError(f"{data / genome_set.folder / 'genome.fa.gz'} has no {sequence}")
        name = f"{sequence}_{start}" if start else sequence
        piece = Contig(name, genome[sequence].sequence[start:end])
        task.sequences.append(piece)
        add_reference(task.reference, annotation, sequence, piece, start)
    write_fasta(task.fasta, task.sequences)
    return task


def add_reference(
    reference: Annotation, annotation: Annotation, sequence: str, piece: Contig, start: int
) -> None:
    """Add what `annotation` says about a piece cut from `sequence` at `start`.

    Genes that the cut goes through become masks.
    """
    end = start + len(piece.sequence)
    genes = reference.genes.setdefault(piece.name, [])
    doubtful = list(annotation.masks.get(sequence, []))
    for gene in annotation.genes.get(sequence, []):
        if start <= gene.start and gene.end <= end:
            shifted = tuple(transcript.shifted(-start) for transcript in gene.transcripts)
            genes.append(Gene(piece.name, gene.strand, shifted, gene.id))
        else:
            doubtful.append((gene.start, gene.end, "gene cut by the row"))
    reference.masks[piece.name] = sorted(
        (max(left, start) - start, min(right, end) - start, reason)
        for left, right, reason in doubtful
        if left < end and right > start
    )


def write_fasta(path: Path, sequences: list[Contig]) -> None:
    """Sequences with case kept, 80 letters a line."""
    with path.open("wb") as stream:
        for contig in sequences:
            stream.write(b">%s\n" % contig.name.encode())
            for start in range(0, len(contig.sequence), 80):
                stream.write(contig.sequence[start : start + 80] + b"\n")


def arguments(program: str, task: Task, device: str) -> list[str]:
    """Options of a program for a task, without the sequence file."""
    if program == "AUGUSTUS":
        return [f"--species={task.genome_set.augustus_species}", *SWITCHES]
    return [f"--species={task.genome_set.species}", f"--device={device}", *SWITCHES]


def run(program: str, task: Task, device: str) -> Usage:
    """Run a program on a task, its annotation into the task's folder.

    Raises:
        InputError: the program failed; the message ends with its last line.
    """
    print(f"{task.genome_set.name}: {program} ...", file=sys.stderr, flush=True)
    command = [*PROGRAMS[program], *arguments(program, task, device), str(task.fasta)]
    errors = task.path(program, "err")
    usage = measure(command, task.path(program, "gtf"), errors)
    if usage.status:
        lines = errors.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        raise InputError(f"{program} on {task.genome_set.name} ended with {usage.status}: {last}")
    speed = task.bases / 1000 / usage.cpu_s
    print(f"{task.genome_set.name}: {program} {speed:.0f} kb/CPU-s", file=sys.stderr, flush=True)
    return usage


def run_all(tasks: list[Task], device: str, parallel: bool) -> dict[tuple[str, str], Usage]:
    """Usage by (set, program). Parallel: AUGUSTUS's runs beside ours, one of each at a time."""

    def chain(*programs: str) -> Iterator[tuple[tuple[str, str], Usage]]:
        for task in tasks:
            for program in programs:
                yield (task.genome_set.name, program), run(program, task, device)

    if not parallel:
        return dict(chain(*PROGRAMS))
    with ThreadPoolExecutor(len(PROGRAMS)) as pool:
        halves = [pool.submit(lambda name: dict(chain(name)), program) for program in PROGRAMS]
        return {key: usage for half in halves for key, usage in half.result().items()}


def score(program: str, task: Task) -> dict:
    """Accuracy of what a program wrote, at all levels, and how many genes are impossible."""
    predicted = read_annotation(task.path(program, "gtf")).genes
    code = genetic_code(task.genome_set.table)
    accuracy = evaluate(task.reference, predicted, task.sequences, code).to_dict()
    return {"accuracy": accuracy, "invalid": invalid_genes(predicted, task.sequences, code)}


def invalid_genes(
    predicted: Mapping[str, list[Gene]], sequences: list[Contig], code: GeneticCode
) -> int:
    """Genes with a transcript that `augustus_dl.validity` finds impossible on its sequence."""
    return sum(
        any(faults(transcript, codes, code) for transcript in gene.transcripts)
        for contig in sequences
        for codes in [base_codes(contig.sequence)]
        for gene in predicted.get(contig.name, [])
    )


def augustus_version() -> str:
    """What the installed AUGUSTUS calls itself.

    Raises:
        InputError: there is none.
    """
    if not shutil.which("augustus"):
        raise InputError("no program `augustus` on the PATH; on Debian: apt install augustus")
    done = subprocess.run(["augustus", "--version"], capture_output=True, text=True)
    return done.stderr.partition(" is ")[0]


def table(report: dict) -> str:
    """The report as Markdown."""
    head = report["provenance"]
    versions = (
        report["augustus"]
        + ", "
        + ", ".join(f"{name} {number}" for name, number in head["versions"].items())
    )
    how = "both programs at the same time" if report["parallel"] else "one program after the other"
    levels = " | ".join(f"{level} sens. / prec. / F1" for level in LEVELS)
    lines = [
        "# augustus-dl beside AUGUSTUS",
        "",
        f"Commit {head['commit']}, {head['date']}, {head['machine']['cpu']},"
        f" {head['machine']['cores']} cores, device {head['device']}, {how}. {versions}.",
        "Sensitivity, precision and F1 in %. A gene is right when one of its transcripts has",
        "exactly the coding exons of a reference transcript; doubtful reference is not judged.",
        "Invalid: genes with an impossible transcript. In parentheses: the checkpoint.",
        "",
        f"| test set | Mb | program | {levels} | invalid | kb per CPU-s | wall s | peak MiB |",
        "|---|--:|---|---|---|---|--:|--:|--:|--:|",
    ]
    for entry in report["sets"]:
        for program in PROGRAMS:
            result = entry["programs"][program]
            usage, accuracy = result["usage"], result["accuracy"]
            cells = [
                " / ".join(
                    f"{100 * accuracy[level][key]:.1f}"
                    for key in ("sensitivity", "precision", "f1")
                )
                for level in LEVELS
            ]
            speed = (
                f"{result['kb_per_cpu_s']:.1f} | {usage['wall_s']:.1f} | {usage['peak_mib']:.0f}"
            )
            name = program if program == "AUGUSTUS" else f"{program} ({entry['checkpoint']})"
            lines.append(
                f"| {entry['name']} | {entry['bases'] / 1e6:.2f} | {name} |"
                f" {' | '.join(cells)} | {result['invalid']} | {speed} |"
            )
    return "\n".join(lines) + "\n"


def benchmark(options: argparse.Namespace) -> dict:
    """Run and score both programs on the chosen sets."""
    chosen = [genome_set for genome_set in SETS if genome_set.name in options.sets]
    augustus, head = augustus_version(), provenance(options.device)
    with tempfile.TemporaryDirectory(prefix="augustus-dl-bench-") as folder:
        tasks = [prepare(genome_set, options.data, Path(folder)) for genome_set in chosen]
        usages = run_all(tasks, options.device, options.parallel)
        entries = []
        for task in tasks:
            programs = {}
            for program in PROGRAMS:
                usage = usages[task.genome_set.name, program]
                programs[program] = {
                    "arguments": arguments(program, task, options.device),
                    "usage": asdict(usage),
                    "kb_per_cpu_s": round(task.bases / 1000 / usage.cpu_s, 2),
                    **score(program, task),
                }
            entries.append(
                {
                    "name": task.genome_set.name,
                    "bases": task.bases,
                    "checkpoint": task.genome_set.weights,
                    "programs": programs,
                }
            )
    return {
        "provenance": head,
        "augustus": augustus,
        "parallel": options.parallel,
        "sets": entries,
    }


def main() -> None:
    names = [genome_set.name for genome_set in SETS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with splits.tsv")
    parser.add_argument("--sets", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--device", default="cpu", help="device of augustus-dl")
    parser.add_argument("--parallel", action="store_true", help="run both programs side by side")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    try:
        report = benchmark(options)
    except AugustusError as error:
        sys.exit(f"benchmarks.annotate: {error}")
    text = table(report)
    write_report(options.output, "annotate", report, text)
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
