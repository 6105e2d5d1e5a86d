"""Speed of prediction on a GPU: a time line by stage, and the whole line from end to end.

    python -m benchmarks.gpu --species fly --output FILE.json [--megabases 100] FASTA

The genome is the given one over and over, in contigs of `--contig-megabases`, in a temporary file.
First the stages run one after the other, each waiting for the one before, so that their times add
up; then all together as `augustus-dl` runs them, in this process and in one of its own. What comes
once (loading, compiling kernels) is told apart: `start_s` of the first, and of the second a run on
10 kb. `--compile` has torch compile the network in this process. The table goes to stdout and
beside the JSON.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from augustus_dl.decode.parse import parse
from augustus_dl.encode import track
from augustus_dl.engine.packing import packed
from augustus_dl.engine.paths import PathFinder
from augustus_dl.engine.torch import TorchEngine, choose_device
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig, contigs, read_fasta, write_fasta
from augustus_dl.io.files import InputFile
from augustus_dl.io.writers import OutputOptions, gene_block
from augustus_dl.network.config import CLADES
from augustus_dl.network.model import load_model
from augustus_dl.predict import PredictOptions, decoder_config, predict
from augustus_dl.profile import Profile, find_profile
from benchmarks.measure import measure
from benchmarks.report import provenance, write_report

_REPEATS = 10
_WARM = 100_000


class Clock:
    """Seconds by stage, the device's work included."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._device = device

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.seconds[stage] += time.perf_counter() - began

    def each(self, stage: str, items: Iterable) -> Iterator:
        """The same items; making them is this stage."""
        items, end = iter(items), object()
        while True:
            with self.of(stage):
                item = next(items, end)
            if item is end:
                return
            yield item


def long_genome(fasta: Path, bases: int, contig: int) -> Iterator[Contig]:
    """`bases` letters in contigs of `contig` of them, from a genome over and over."""
    letters = b"".join(bytes(one.sequence) for one in contigs(fasta))
    for number, start in enumerate(range(0, bases, contig)):
        size, first = min(contig, bases - start), start % len(letters)
        parts = cycle([letters[first:] + letters[:first]])
        copies = b"".join(islice(parts, -(-size // len(letters))))
        yield Contig(f"c{number}", copies[:size])


def one_by_one(fasta: Path, finder: PathFinder, clock: Clock, config, output: Path) -> None:
    """Run every stage by itself, batch after batch, on a whole genome."""
    read: list[Contig] = []

    def tracks() -> Iterator[np.ndarray]:
        for contig in clock.each("read", read_fasta(InputFile(fasta, "sequence file"))):
            read.append(contig)
            with clock.of("encode"):
                codes = track(contig.sequence)
            yield codes

    pieces: list[np.ndarray] = []
    for batch in clock.each("pack", packed(tracks(), finder.flank, finder.empty)):
        with torch.inference_mode():
            with clock.of("copy"):
                rows = finder.copied(batch)
            with clock.of("network and grid"):
                scores, codes = finder.scores(rows)
            with clock.of("decode"):
                labels = finder.search.add(scores, codes, batch.lengths, batch.goes_on)
            with clock.of("copy"):
                pieces.append(labels.cpu().numpy())
    labels, first = np.concatenate(pieces), 0
    with open(output, "w", encoding="utf-8") as stream:
        for contig in read:
            own = labels[first : first + len(contig.sequence)]
            first += len(own)
            with clock.of("genes"):
                found = [Gene(contig.name, t.strand, (t,)) for t in parse([own], config)]
            with clock.of("write"):
                write(stream, contig, found)
    clock.seconds["pack"] -= clock.seconds["read"] + clock.seconds["encode"]


def write(stream, contig: Contig, genes: Iterable[Gene]) -> None:
    options, code = OutputOptions(), genetic_code(1)
    for number, gene in enumerate(genes, 1):
        lines = gene_block(gene, number, contig.sequence, options, code)
        stream.write("".join(f"{line}\n" for line in lines))


def network_alone(finder: PathFinder, clock: Clock) -> tuple[float, int]:
    """Seconds of one call of the network, and the bases whose scores are wanted of it."""
    rows, length = finder.shape.group, finder.shape.core + 2 * finder.flank
    codes = torch.randint(0, 4, (rows, length), dtype=torch.uint8).to(finder.device)
    masked = codes == 0
    with torch.inference_mode():
        for _ in range(3):
            finder.logits(codes, masked)
        with clock.of("network"):
            for _ in range(_REPEATS):
                finder.logits(codes, masked)
    return clock.seconds.pop("network") / _REPEATS, rows * finder.shape.core


def together(fasta: Path, profile: Profile, engine: TorchEngine, output: Path) -> float:
    """Seconds of the whole line in this process; loading is done."""
    began = time.perf_counter()
    found = predict(
        read_fasta(InputFile(fasta, "sequence file")), profile, PredictOptions(), engine
    )
    with open(output, "w", encoding="utf-8") as stream:
        for contig, genes in found:
            write(stream, contig, genes)
    return time.perf_counter() - began


def commands(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The program in a process of its own: on a genome, and on 10 kb of it."""
    megabases = options.program_megabases or options.megabases
    bases, fasta = int(1e6 * megabases), folder / "program.fa"
    write_fasta(fasta, long_genome(options.fasta, bases, int(1e6 * options.contig_megabases)))
    with open(folder / "start.fa", "wb") as short, open(fasta, "rb") as long:
        short.write(long.read(10_000))
    command = [sys.executable, "-m", "augustus_dl", f"--species={options.species}"]
    command.append(f"--device={options.device}")
    usages = {}
    for name, given in (("start", folder / "start.fa"), ("whole", fasta)):
        errors = folder / f"{name}.err"
        usages[name] = measure([*command, str(given)], folder / f"{name}.gff", errors)
        if usages[name].status:
            sys.exit(f"benchmarks.gpu: {errors.read_text(encoding='utf-8').strip()}")
    whole, start = usages["whole"], usages["start"]
    return {
        "bases": bases,
        "seconds": whole.wall_s,
        "start_s": start.wall_s,
        "mb_per_s": bases / 1e6 / whole.wall_s,
        "mb_per_s_without_start": bases / 1e6 / max(whole.wall_s - start.wall_s, 1e-3),
        "cpu_s": whole.cpu_s,
        "peak_host_mib": whole.peak_mib,
    }


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All measurements."""
    bases, contig = (int(1e6 * x) for x in (options.megabases, options.contig_megabases))
    fasta, output = folder / "genome.fa", folder / "genome.gff"
    write_fasta(fasta, long_genome(options.fasta, bases, contig))
    device, profile = choose_device(options.device), find_profile(options.species)
    config = decoder_config(profile, PredictOptions())
    began = time.perf_counter()
    model = load_model(profile.model)
    if options.compile:
        model.compile()
    engine = TorchEngine(model, profile.clade, device, None, profile.accurate)
    clade = torch.tensor([CLADES.index(profile.clade)], device=device)
    finder = PathFinder(model, clade, config, profile.accurate)
    write_fasta(folder / "warm.fa", long_genome(options.fasta, _WARM, _WARM))
    one_by_one(folder / "warm.fa", finder, Clock(device), config, output)
    start = time.perf_counter() - began
    tell(f"start {start:.1f} s")
    clock = Clock(device)
    once, its_bases = network_alone(finder, clock)
    tell(f"network alone {its_bases / 1e6 / once:.1f} Mb/s")
    one_by_one(fasta, finder, clock, config, output)
    tell(", ".join(f"{name} {spent:.2f} s" for name, spent in clock.seconds.items()))
    seconds = together(fasta, profile, engine, output)
    tell(f"together {seconds:.2f} s")
    cuda = device.type == "cuda"
    found = {
        **provenance(device.type),
        "gpu": torch.cuda.get_device_name(device) if cuda else None,
        "species": options.species,
        "compiled": options.compile,
        "bases": bases,
        "start_s": start,
        "network_alone_mb_per_s": its_bases / 1e6 / once,
        "stages": {
            name: {"seconds": spent, "mb_per_s": bases / 1e6 / spent}
            for name, spent in clock.seconds.items()
        },
        "one_by_one_mb_per_s": bases / 1e6 / sum(clock.seconds.values()),
        "together": {"seconds": seconds, "mb_per_s": bases / 1e6 / seconds},
        "peak_gpu_mib": torch.cuda.max_memory_reserved(device) / 2**20 if cuda else 0,
        "peak_host_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if cuda:
        torch.cuda.empty_cache()
        found["program"] = commands(options, folder)
    return found


def tell(line: str) -> None:
    """What is known by now, to the error stream: a run that is stopped has told something."""
    print(f"benchmarks.gpu: {line}", file=sys.stderr, flush=True)


def table(found: dict[str, Any]) -> str:
    """The measurements as Markdown."""
    rows = [("network alone", None, found["network_alone_mb_per_s"])]
    rows += [(name, row["seconds"], row["mb_per_s"]) for name, row in found["stages"].items()]
    rows.append(("one by one", None, found["one_by_one_mb_per_s"]))
    rows.append(("together", found["together"]["seconds"], found["together"]["mb_per_s"]))
    if "program" in found:
        program = found["program"]
        rows.append(("program", program["seconds"], program["mb_per_s"]))
        without = program["seconds"] - program["start_s"]
        rows.append(("program without start", without, program["mb_per_s_without_start"]))
    by = (
        f"Commit {found['commit']}, {found['date']}, {found['gpu']}, species {found['species']}, "
        f"{found['bases'] / 1e6:.0f} Mb"
        + (f" (program: {found['program']['bases'] / 1e6:.0f} Mb)" if "program" in found else "")
        + f", network{'' if found['compiled'] else ' not'} compiled. GPU memory "
        f"{found['peak_gpu_mib']:.0f} MiB, host {found['peak_host_mib']:.0f} MiB."
    )
    lines = [f"| {a} | {'' if b is None else f'{b:.2f}'} | {c:.1f} |" for a, b, c in rows]
    return "\n".join(["| stage | s | Mb/s |", "|---|--:|--:|", *lines, "", by, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--species", required=True)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    parser.add_argument("--megabases", type=float, default=100)
    parser.add_argument("--contig-megabases", type=float, default=20)
    parser.add_argument("--program-megabases", type=float, help="of the program; default the same")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="augustus-dl-gpu-") as folder:
        found = run(options, Path(folder))
    write_report(options.output.parent, options.output.stem, found, table(found))
    print(table(found))


if __name__ == "__main__":
    main()
