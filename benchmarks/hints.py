"""What hints are worth: augustus-dl and AUGUSTUS with the same simulated hints on test rows.

    python -m benchmarks.hints --data FOLDER [--sets NAME ...] [--megabases N] [--augustus KIND ...]

Hints are those of `benchmarks.simulated_hints`, made from the reference of the test rows with the
statistics of training rows; factors are BRAKER's (`braker.cfg`). hints.json and hints.md go to
benchmarks/results/. The network of augustus-dl reads each sequence once, then it is decoded with
each kind of hints: seconds are those of decoding. AUGUSTUS runs as a command each time, with the
kinds that are named and without hints; after `--augustus` alone it does not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import numpy as np

from augustus_dl.cli.arguments import parse
from augustus_dl.cli.run import checked
from augustus_dl.encode import base_codes, soft_mask
from augustus_dl.engine import open_engine
from augustus_dl.engine.recorded import RecordedEngine
from augustus_dl.errors import AugustusError, InputError
from augustus_dl.evaluate import evaluate
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.predict import predict
from augustus_dl.profile import find_profile
from benchmarks.annotate import (
    ROOT,
    SETS,
    SWITCHES,
    Task,
    augustus_version,
    prepare,
    provenance,
    write_report,
)
from benchmarks.measure import measure
from benchmarks.simulated_hints import (
    Hint,
    Statistics,
    hint_lines,
    intron_hints,
    protein_hints,
)

TRAINING = {
    "celegans_chrX_WS220": "animals/celegans_WS220_genome",
    "Drosophila_melanogaster_chr2R_dm3": "animals/dmel_dm6_pieces",
}
"""Where the statistics come from, by test set."""
FACTORS = ROOT / "benchmarks/braker.cfg"
HINTED = (
    f"--extrinsicCfgFile={FACTORS}",
    "--alternatives-from-evidence=true",
    "--allow_hinted_splicesites=gcag,atac",
)
"""BRAKER's switches for a run with hints; the others have them as well."""
KINDS = ("none", "empty", "introns", "true introns", "proteins", "true proteins", "both")
"""Kinds of evidence; `true` ones lack the wrong hints. AUGUSTUS does without those and `empty`."""
OF_AUGUSTUS = ("none", "introns", "proteins", "both")

Hints = Mapping[str, list[Hint]]


def simulated(task: Task, statistics: Statistics) -> dict[str, Hints]:
    """Hints of each sequence of a task: introns, proteins and both."""
    code = genetic_code(task.genome_set.table)
    made: dict[str, dict[str, list[Hint]]] = {"introns": {}, "proteins": {}, "both": {}}
    for contig in task.sequences:
        genes = task.reference.genes[contig.name]
        rng = np.random.default_rng(crc32(contig.name.encode()))
        made["introns"][contig.name] = intron_hints(genes, contig, statistics, rng)
        made["proteins"][contig.name] = protein_hints(genes, contig, statistics, code, rng)
        made["both"][contig.name] = made["introns"][contig.name] + made["proteins"][contig.name]
    return made


def write_hints(task: Task, made: Mapping[str, Hints]) -> dict[str, Path]:
    """Hints files by kind of evidence."""
    files = {}
    for kind in KINDS[1:]:
        path = task.path(kind.replace(" ", "-"), "hints.gff")
        lines = [] if kind == "empty" else hint_lines(made[kind.split()[-1]], "true" not in kind)
        path.write_text("".join(lines), encoding="utf-8")
        files[kind] = path
    return files


def words(species: str, task: Task, hints: Path | None) -> list[str]:
    """Arguments of either program."""
    hinted = [f"--hintsfile={hints}"] if hints else []
    return [f"--species={species}", *SWITCHES, *HINTED, *hinted, str(task.fasta)]


def ours(task: Task, files: Mapping[str, Path], device: str) -> dict[str, dict]:
    """Accuracy and seconds of decoding of augustus-dl by kind of evidence."""
    profile = find_profile(task.genome_set.species)
    engine = open_engine(profile.model, profile.clade, device, None, profile.accurate)
    recorded = {
        contig.name: RecordedEngine.record(
            engine, base_codes(contig.sequence), soft_mask(contig.sequence)
        )
        for contig in task.sequences
    }
    found: dict[str, dict[str, list[Gene]]] = {}
    results = {}
    for kind in ("both", *KINDS):  # the first time everything is compiled
        run = checked(parse(words(task.genome_set.species, task, files.get(kind))))
        began = time.process_time()
        found[kind] = {
            contig.name: genes
            for one in task.sequences
            for contig, genes in predict([one], profile, run.options, recorded[one.name])
        }
        seconds = time.process_time() - began
        results[kind] = {**accuracy(task, found[kind]), "decoding_s": round(seconds, 2)}
        print(f"{task.genome_set.name}: augustus-dl, {kind}: {seconds:.1f} s", file=sys.stderr)
    results["empty"]["same_as_none"] = found["empty"] == found["none"]
    return results


def augustus(task: Task, kind: str, hints: Path | None) -> dict:
    """Accuracy and seconds of AUGUSTUS.

    Raises:
        InputError: it failed.
    """
    output, errors = (task.path(f"AUGUSTUS.{kind}", ending) for ending in ("gtf", "err"))
    command = ["augustus", *words(task.genome_set.augustus_species, task, hints)]
    usage = measure(command, output, errors)
    if usage.status:
        raise InputError(f"AUGUSTUS with {kind} ended with {usage.status}; see {errors}")
    print(f"{task.genome_set.name}: AUGUSTUS, {kind}: {usage.cpu_s:.0f} s", file=sys.stderr)
    return {**accuracy(task, read_annotation(output).genes), "cpu_s": usage.cpu_s}


def accuracy(task: Task, genes: Mapping[str, list[Gene]]) -> dict:
    code = genetic_code(task.genome_set.table)
    judged = evaluate(task.reference, genes, task.sequences, code).to_dict()
    transcripts = sum(len(gene.transcripts) for of in genes.values() for gene in of)
    return {"accuracy": judged, "genes": sum(map(len, genes.values())), "transcripts": transcripts}


def table(report: dict) -> str:
    """The report as Markdown."""
    head = report["provenance"]
    lines = [
        "# Hints: augustus-dl beside AUGUSTUS",
        "",
        f"Commit {head['commit']}, {head['date']}, {head['machine']['cpu']}, {report['augustus']}.",
        "Simulated hints (`benchmarks/simulated_hints.py`), the same for both programs, with",
        "BRAKER's factors and alternatives from evidence. Sensitivity, precision and F1 in %.",
        "Gain: points of gene F1 over the same program without hints. kb per s: of decoding alone,",
        "which includes probabilities and alternatives.",
        "",
        "| test set | Mb | evidence (hints, wrong ones) | program | gene sens. / prec. / F1 |"
        " gain | exon F1 | transcripts per gene | kb per s |",
        "|---|--:|---|---|---|--:|--:|--:|--:|",
    ]
    for entry in report["sets"]:
        for kind in KINDS:
            hints = entry["hints"].get(kind)
            shown = f"{kind} ({hints[0]}, {hints[1]})" if hints else kind
            for program, results in entry["programs"].items():
                if kind in results:
                    lines.append(
                        f"| {entry['name']} | {entry['bases'] / 1e6:.2f} | {shown} | {program} |"
                        f" {_cells(results[kind], results['none'], entry['bases'])} |"
                    )
    same = all(e["programs"]["augustus-dl"]["empty"]["same_as_none"] for e in report["sets"])
    lines += ["", f"An empty hints file gives {'the same' if same else 'OTHER'} genes as none."]
    return "\n".join(lines) + "\n"


def _cells(result: dict, without: dict, bases: int) -> str:
    gene = result["accuracy"]["gene"]
    rates = " / ".join(f"{100 * gene[key]:.1f}" for key in ("sensitivity", "precision", "f1"))
    gain = 100 * (gene["f1"] - without["accuracy"]["gene"]["f1"])
    speed = f"{bases / 1000 / result['decoding_s']:.0f}" if "decoding_s" in result else ""
    return (
        f"{rates} | {gain:+.1f} | {100 * result['accuracy']['exon']['f1']:.1f} |"
        f" {result['transcripts'] / max(1, result['genes']):.2f} | {speed}"
    )


def benchmark(options: argparse.Namespace) -> dict:
    """Run and score both programs on the chosen sets."""
    version = augustus_version() if options.augustus else "without AUGUSTUS"
    entries = []
    limit = round(options.megabases * 1e6) if options.megabases else None
    with (
        tempfile.TemporaryDirectory(prefix="augustus-dl-hints-") as folder,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        for genome_set in (one for one in SETS if one.name in options.sets):
            task = prepare(genome_set, options.data, Path(folder), limit)
            path = options.data / TRAINING[genome_set.name] / "annotation.gff3.gz"
            training = read_annotation(path).genes.values()
            made = simulated(task, Statistics.of(gene for genes in training for gene in genes))
            files = write_hints(task, made)
            running = {
                kind: pool.submit(augustus, task, kind, files.get(kind))
                for kind in OF_AUGUSTUS
                if kind in options.augustus or (options.augustus and kind == "none")
            }
            programs = {"augustus-dl": ours(task, files, options.device)}
            if running:
                programs["AUGUSTUS"] = {kind: done.result() for kind, done in running.items()}
            entries.append(
                {
                    "name": genome_set.name,
                    "bases": task.bases,
                    "checkpoint": genome_set.weights,
                    "hints": {kind: _numbers(made[kind.split()[-1]], kind) for kind in KINDS[2:]},
                    "programs": programs,
                }
            )
    return {"provenance": provenance(options.device), "augustus": version, "sets": entries}


def _numbers(hints: Hints, kind: str) -> tuple[int, int]:
    """Number of hints, and of wrong ones."""
    false = sum(hint.false for of_sequence in hints.values() for hint in of_sequence)
    total = sum(map(len, hints.values()))
    return (total - false, 0) if "true" in kind else (total, false)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with splits.tsv")
    parser.add_argument(
        "--sets", nargs="+", default=[*TRAINING], choices=[*TRAINING], metavar="NAME"
    )
    parser.add_argument("--megabases", type=float, help="of each test row; all of it by default")
    parser.add_argument("--device", default="cpu", help="device of augustus-dl")
    parser.add_argument("--jobs", type=int, default=1, help="runs of AUGUSTUS at the same time")
    parser.add_argument(
        "--augustus", nargs="*", default=OF_AUGUSTUS, choices=OF_AUGUSTUS, metavar="KIND"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    try:
        report = benchmark(options)
    except AugustusError as error:
        sys.exit(f"benchmarks.hints: {error}")
    text = table(report)
    write_report(options.output, "hints", report, text)
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
