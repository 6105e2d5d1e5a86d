"""Time and memory of reading many hints and adding them to scores: 2 million on 100 Mb.

    python -m benchmarks.hint_load [--megabases 100] [--hints 2000000]

The sequence is the example, repeated; half of the hints are introns between real splice sites, half
are coding parts. Scores are zero and no network runs: seconds and memory are those of the hints and
of the sequence. The result is written to benchmarks/results/hint_load.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from augustus_dl.decode.hint_groups import GroupingOptions
from augustus_dl.encode import base_codes
from augustus_dl.io.extrinsic import read_extrinsic
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.io.hints import read_hints
from augustus_dl.labels import NUM_LABELS
from augustus_dl.run_hints import RunHints
from augustus_dl.unheeded_hints import UnheededOptions
from benchmarks.annotate import ROOT, provenance
from benchmarks.hints import FACTORS

EXAMPLE = ROOT / "examples/fly_chr2R_500kb.fa.gz"
_STRETCH = 262_144
_LINES = 100_000


class _Stretch(NamedTuple):
    scores: np.ndarray
    start: int


def long_sequence(length: int) -> Contig:
    """One contig of `length` bases: the example, over and over."""
    unit = b"".join(bytes(contig.sequence) for contig in contigs(EXAMPLE))
    return Contig("long", (unit * -(-length // len(unit)))[:length])


def write_hints(path: Path, contig: Contig, count: int) -> None:
    """A hints file for a sequence, some lines at a time."""
    rng = np.random.default_rng(1)
    codes = base_codes(contig.sequence)
    donors = np.flatnonzero((codes[:-1] == 2) & (codes[1:] == 3))
    acceptors = np.flatnonzero((codes[:-1] == 0) & (codes[1:] == 2)) + 2
    with path.open("w", encoding="utf-8") as stream:
        for done in range(0, count, _LINES):
            number = min(_LINES, count - done)
            start = rng.choice(donors, number)
            wanted = start + 50 + rng.geometric(0.004, number)
            at = np.minimum(np.searchsorted(acceptors, wanted), len(acceptors) - 1)
            mult = rng.geometric(0.1, number)
            length = 3 * rng.integers(10, 100, number)
            for i in range(number):
                if i % 2 and acceptors[at[i]] > start[i] + 50:
                    stream.write(
                        f"{contig.name}\tx\tintron\t{start[i] + 1}\t{acceptors[at[i]]}\t0\t+\t.\t"
                        f"mult={mult[i]};pri=4;src=E\n"
                    )
                else:
                    end = min(start[i] + length[i], len(codes))
                    stream.write(
                        f"{contig.name}\tx\tCDSpart\t{start[i] + 1}\t{end}\t0\t+\t0\tpri=4;src=P\n"
                    )


def apply(path: Path, contig: Contig) -> dict[str, float]:
    """Seconds of reading, of making ready, and of adding to scores."""
    began = time.perf_counter()
    extrinsic = read_extrinsic(FACTORS)
    collection = read_hints(path, extrinsic)
    read = time.perf_counter()
    run_hints = RunHints(
        path,
        extrinsic,
        collection,
        GroupingOptions(),
        softmasking=False,
        unheeded=UnheededOptions(),
    )
    (stage,) = run_hints.stages(contig)
    run_hints.of_parses(contig)
    ready = time.perf_counter()
    for _ in stage(_stretches(len(contig.sequence))):
        pass
    done = time.perf_counter()
    return {
        "hints": len(collection.rows),
        "reading_s": round(read - began, 1),
        "grouping_s": round(ready - read, 1),
        "adding_s": round(done - ready, 1),
    }


def _stretches(length: int) -> Iterator[_Stretch]:
    for start in range(0, length, _STRETCH):
        n = min(_STRETCH, length - start)
        yield _Stretch(np.zeros((n, NUM_LABELS), dtype=np.int16), start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabases", type=float, default=100)
    parser.add_argument("--hints", type=int, default=2_000_000)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    bases = round(options.megabases * 1e6)
    contig = long_sequence(bases)
    with tempfile.TemporaryDirectory(prefix="augustus-dl-hints-") as folder:
        path = Path(folder) / "hints.gff"
        write_hints(path, contig, options.hints)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = apply(path, contig)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {"bases": bases, **seconds, "before_mib": round(before), "peak_mib": round(peak)}
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**report, **provenance("cpu")}, indent=1)
    (options.output / "hint_load.json").write_text(text + "\n")
    print(report, file=sys.stderr)


if __name__ == "__main__":
    main()
