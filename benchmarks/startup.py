"""What a run on 10 kb is made of: time and memory of its stages, beside whole runs.

    python -m benchmarks.startup [--rounds 10] [--output benchmarks/results]

Caches are warm: a first run, not counted, fills them. In each round every program runs once; what
is shown are the shortest times, since other work on the machine can only slow a run down, and the
highest peak. The report goes to startup.md and startup.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from augustus_dl.errors import AugustusError, InputError
from benchmarks.measure import Usage, measure

SPECIES = "--species=fly"
STAGES = "stages"
"""First word of the command line of a run that measures stages, before the FASTA file."""


def stages(fasta: str) -> Iterator[str]:
    """A prediction step by step; behind each step its name."""
    yield "Python"
    import numpy  # noqa: F401

    yield "NumPy"
    import augustus_dl.decode.native  # noqa: F401

    yield "LLVM"
    from augustus_dl.cli.arguments import parse
    from augustus_dl.cli.printing import located, print_run
    from augustus_dl.cli.run import checked
    from augustus_dl.encode import base_codes, soft_mask
    from augustus_dl.engine import open_engine
    from augustus_dl.io.fasta import contigs
    from augustus_dl.predict import decoder_config, predict
    from augustus_dl.windows import cut

    run = checked(parse([SPECIES, "--device=cpu", fasta]))
    (contig,) = contigs(fasta)
    yield "options, profile and sequence"
    profile = run.profile
    engine = open_engine(profile.model, profile.clade, "cpu", accurate=profile.accurate)
    yield "OpenVINO"
    codes, masked = base_codes(contig.sequence), soft_mask(contig.sequence)
    weights = decoder_config(profile, run.options).label_weights()
    windows = cut(codes, masked, engine.core, engine.flank)
    scores = list(engine.scores(windows, weights, run.options.utr))
    yield "networks"
    told = SimpleNamespace(
        flank=engine.flank,
        core=engine.core,
        workers=engine.workers,
        has_utr=engine.has_utr,
        scores=lambda *_: iter(scores),
    )
    results = located(run, partial(predict, engine=told))
    print_run(run, results, ["augustus-dl"], io.StringIO())
    yield "decoder and output"


def print_stages(fasta: str) -> None:
    """Name, CPU-seconds and growth of peak MiB of each stage, to stdout as JSON."""
    found, cpu, peak = [], 0.0, 0.0
    for name in stages(fasta):
        now = time.process_time(), peak_mib()
        found.append((name, now[0] - cpu, now[1] - peak))
        cpu, peak = now
    json.dump(found, sys.stdout)


def peak_mib() -> float:
    """Largest resident size of this process so far."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmHWM in /proc/self/status")


def summary(usages: list[Usage]) -> Usage:
    """The shortest times and the highest peak, which need not be of one run."""
    return Usage(
        wall_s=min(usage.wall_s for usage in usages),
        cpu_s=min(usage.cpu_s for usage in usages),
        peak_mib=max(usage.peak_mib for usage in usages),
        status=0,
    )


def benchmark(rounds: int) -> dict:
    """Everything measured; see `table`.

    Raises:
        InputError: a program fails.
    """
    from augustus_dl.io.fasta import Contig, contigs
    from benchmarks.annotate import PROGRAMS, ROOT, provenance, write_fasta

    (example,) = contigs(ROOT / "examples/fly_chr2R_500kb.fa.gz")
    runs: dict[str, list[Usage]] = {name: [] for name in PROGRAMS}
    parts: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="augustus-dl-startup-") as folder:
        fasta, output = Path(folder) / "start.fa", Path(folder) / "start.gff"
        write_fasta(fasta, [Contig("c", example.sequence[200_000:210_000])])
        own = [sys.executable, "-m", "benchmarks.startup", STAGES, str(fasta)]
        for _ in range(rounds + 1):
            for name, program in PROGRAMS.items():
                device = ["--device=cpu"] * (name == "augustus-dl")
                command = [*program, SPECIES, *device, str(fasta)]
                usage = measure(command, output, fasta.with_suffix(".err"))
                if usage.status:
                    raise InputError(f"{name} failed with status {usage.status}")
                runs[name].append(usage)
            one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(own, cwd=ROOT, env=one_thread, stdout=subprocess.PIPE, check=True)
            for name, cpu, mib in json.loads(done.stdout):
                parts.setdefault(name, []).append((cpu, mib))
    return {
        "rounds": rounds,
        "programs": {name: asdict(summary(usages[1:])) for name, usages in runs.items()},
        "stages": {
            name: [round(min(cpu for cpu, _ in values[1:]), 3), max(mib for _, mib in values[1:])]
            for name, values in parts.items()
        },
        "provenance": provenance("cpu"),
    }


def table(report: dict) -> str:
    """The report as Markdown."""
    head = report["provenance"]
    lines = [
        f"Commit {head['commit']}, {head['date']}, {head['machine']['cpu']},"
        f" {head['machine']['cores']} cores; fastest of {report['rounds']} runs on 10 kb of the"
        " fly, caches warm.",
        "",
        "| | CPU-s | wall s | peak MiB |",
        "|---|--:|--:|--:|",
    ]
    for name, usage in report["programs"].items():
        lines.append(
            f"| {name} | {usage['cpu_s']:.2f} | {usage['wall_s']:.2f} | {usage['peak_mib']:.0f} |"
        )
    for name, (cpu, mib) in report["stages"].items():
        lines.append(f"| &nbsp; {name} | {cpu:.2f} | | +{mib:.0f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    from benchmarks.annotate import ROOT, write_report

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    try:
        report = benchmark(options.rounds)
    except AugustusError as error:
        sys.exit(f"benchmarks.startup: {error}")
    text = table(report)
    write_report(options.output, "startup", report, f"# Start-up\n\n{text}")
    print(text, end="")


if __name__ == "__main__":
    if sys.argv[1:2] == [STAGES]:
        print_stages(sys.argv[2])
    else:
        main()
