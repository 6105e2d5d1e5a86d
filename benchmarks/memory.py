"""Peak memory of augustus-dl on a long sequence: the example, repeated to the asked length.

    python -m benchmarks.memory [--megabases 100] [--device cpu]

The sequence lies in a temporary folder; the result is written to benchmarks/results/memory.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from augustus_dl.io.fasta import Contig, contigs
from benchmarks.annotate import ROOT, provenance, write_fasta
from benchmarks.measure import measure

EXAMPLE = ROOT / "examples/fly_chr2R_500kb.fa.gz"


def long_sequence(length: int) -> Contig:
    """One contig of `length` bases."""
    unit = b"".join(contig.sequence for contig in contigs(EXAMPLE))
    return Contig("long", (unit * -(-length // len(unit)))[:length])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabases", type=float, default=100)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    bases = round(options.megabases * 1e6)
    with tempfile.TemporaryDirectory(prefix="augustus-dl-memory-") as folder:
        fasta, errors = Path(folder) / "long.fa", Path(folder) / "long.err"
        write_fasta(fasta, [long_sequence(bases)])
        own = [sys.executable, "-m", "augustus_dl", "--species=fly", f"--device={options.device}"]
        usage = measure([*own, str(fasta)], Path(folder) / "long.gtf", errors)
        if usage.status:
            sys.exit(f"benchmarks.memory: augustus-dl failed: {errors.read_text().strip()}")
    report = {"bases": bases, "usage": asdict(usage), **provenance(options.device)}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "memory.json").write_text(json.dumps(report, indent=1) + "\n")
    speed = f"{bases / 1000 / usage.cpu_s:.0f} kb/CPU-s, {bases / 1000 / usage.wall_s:.0f} kb/s"
    print(f"{bases / 1e6:.0f} Mb: peak {usage.peak_mib:.0f} MiB, {speed}", file=sys.stderr)


if __name__ == "__main__":
    main()
