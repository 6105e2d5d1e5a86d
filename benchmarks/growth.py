"""How time and memory of augustus-dl grow with the length of a genome and with its contigs.

    python -m benchmarks.growth --species fly genome.fa.gz --output growth.json
        [--megabases 1 10 100 1000] [--contigs 1000 10000 100000 1000000] [--device cpu]
        [--sample 0]
    python -m benchmarks.growth --plot growth.json docs/growth.png docs/performance.md

A length is one contig of so many letters of the genome, again from its beginning where it is too
short; contigs are of 1 kb each. Every point is a process of its own on files in a temporary
folder (1 GB for the largest). It is written as soon as it is measured, and a second run skips the
points that are there. `--plot` draws them, and writes their table into the page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import repeat
from pathlib import Path

import numpy as np

from augustus_dl.errors import AugustusError, InputError
from augustus_dl.io.fasta import contigs
from augustus_dl.profile import find_profile
from benchmarks.annotate import SWITCHES, provenance
from benchmarks.measure import measure

CONTIG = 1_000
LINE = 60_000
"""Letters written at a time."""
BEGIN, END = "<!-- growth: python -m benchmarks.growth --plot -->", "<!-- end of growth -->"
GENOMES = {"a yeast of 12 Mb": 12, "an insect of 200 Mb": 200, "a vertebrate of 3 Gb": 3000}
"""What a million genomes are reckoned for, in Mb."""


def letters(genome: bytes, length: int) -> Iterator[bytes]:
    """So many letters of a genome that has no end, in pieces."""
    for whole in repeat(genome):
        for start in range(0, len(whole), LINE):
            if length <= 0:
                return
            piece = whole[start : start + min(LINE, length)]
            length -= len(piece)
            yield piece


def write_genome(path: Path, genome: bytes, number: int, length: int) -> None:
    """Write `number` contigs of `length` letters each, one after the other from the genome."""
    with path.open("wb") as stream:
        if number == 1:
            stream.write(b">c1\n")
            stream.writelines(piece + b"\n" for piece in letters(genome, length))
            return
        starts = range(0, len(genome) - length + 1, length)
        for contig in range(number):
            start = starts[contig % len(starts)]
            stream.write(b">c%d\n%s\n" % (contig + 1, genome[start : start + length]))


def points(megabases: Sequence[float], numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Number and length of the contigs of each point, small ones first."""
    found = [(1, round(1e6 * length)) for length in megabases]
    return sorted(
        [*found, *((number, CONTIG) for number in numbers)], key=lambda point: point[0] * point[1]
    )


def measured(point: tuple[int, int], genome: bytes, options: argparse.Namespace) -> dict:
    """What a run on a point takes.

    Raises:
        InputError: it fails.
    """
    number, length = point
    with tempfile.TemporaryDirectory(prefix="augustus-dl-growth-") as name:
        fasta, errors = Path(name, "genome.fa"), Path(name, "genome.err")
        write_genome(fasta, genome, number, length)
        own = [sys.executable, "-m", "augustus_dl", f"--species={options.species}"]
        words = [f"--device={options.device}", *SWITCHES, str(fasta)]
        if options.sample is not None:
            words.append(f"--sample={options.sample}")
        usage = measure([*own, *words], Path(os.devnull), errors)
        if usage.status:
            raise InputError(f"augustus-dl failed: {errors.read_text(encoding='utf-8').strip()}")
    return {
        "contigs": number,
        "length": length,
        "usage": asdict(usage),
        "provenance": provenance(options.device),
    }


def run(options: argparse.Namespace) -> None:
    """Measure the points that the output lacks."""
    from augustus_dl.network.model import load_model
    from augustus_dl.network.summary import megaflop_per_base

    genome = b"".join(bytes(contig.sequence) for contig in contigs(options.fasta))
    if len(genome) < CONTIG:
        raise InputError(f"{options.fasta} has only {len(genome)} letters")
    asked = {key: getattr(options, key) for key in ("species", "device", "sample")}
    report = {**asked, "points": []}
    if options.output.exists():
        report = json.loads(options.output.read_text(encoding="utf-8"))
        kept = {key: report.get(key) for key in asked}
        if kept != asked:
            other = "{species} on {device}, sample {sample}".format_map(kept)
            raise InputError(f"{options.output} is of {other}; name another file")
    model = load_model(find_profile(options.species).model)
    report["megaflop_per_base"] = round(megaflop_per_base(model), 4)
    done = {(point["contigs"], point["length"]) for point in report["points"]}
    wanted = [p for p in points(options.megabases, options.contigs) if p not in done]
    for count, point in enumerate(wanted, 1):
        name = f"{point[0]:,} x {point[1]:,} bases"
        print(f"{count} of {len(wanted)}: {name} ...", file=sys.stderr, flush=True)
        found = measured(point, genome, options)
        report["points"].append(found)
        part = options.output.with_name(options.output.name + ".part")
        part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        part.replace(options.output)
        used = found["usage"]
        text = f"{used['cpu_s']} CPU-s, {used['wall_s']} s, {used['peak_mib']} MiB"
        print(f"{count} of {len(wanted)}: {name}: {text}", file=sys.stderr, flush=True)


def fitted(found: Sequence[dict], value: str) -> tuple[float, float, float]:
    """What a run takes to start, for each Mb, and for each thousand contigs: least squares of the
    relative errors. Of memory it is the Mb of the longest contig that count."""
    whole = value != "peak_mib"
    terms = [
        (1, p["length"] * (p["contigs"] if whole else 1) / 1e6, p["contigs"] / 1000) for p in found
    ]
    values = np.array([p["usage"][value] for p in found])
    start, base, contig = np.linalg.lstsq(
        np.array(terms) / values[:, None], np.ones(len(values)), rcond=None
    )[0]
    return float(start), float(base), float(contig)


def table(report: dict) -> str:
    """The points as Markdown, and what follows from them."""
    found = sorted(report["points"], key=lambda p: (p["contigs"] > 1, p["contigs"] * p["length"]))
    machines = {json.dumps(p["provenance"]["machine"], sort_keys=True) for p in found}
    cores = {p["provenance"]["machine"]["cores"] for p in found}
    commits = sorted({p["provenance"]["commit"] for p in found})
    lines = [
        f"Species {report['species']}, device {report['device']}, {_join(cores)} cores "
        f"({', '.join(sorted(json.loads(machine)['cpu'] for machine in machines))}), commit "
        f"{', '.join(commits)}. The network works {report['megaflop_per_base']:.3f} MFLOP a base.",
        "",
        "| contigs | bases of each | Mb | CPU-s | s | kb per CPU-s | peak MiB |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for p in found:
        used, bases = p["usage"], p["contigs"] * p["length"]
        lines.append(
            f"| {p['contigs']:,} | {p['length']:,} | {bases / 1e6:g} | {used['cpu_s']:.0f} |"
            f" {used['wall_s']:.0f} | {bases / 1000 / used['cpu_s']:.1f} |"
            f" {used['peak_mib']:.0f} |"
        )
    return "\n".join([*lines, *reckoned(found)])


def reckoned(found: Sequence[dict]) -> list[str]:
    """What follows from the points; nothing from too few of them."""
    if len(found) < 4 or len({p["contigs"] for p in found}) < 2:
        return []
    start, base, contig = fitted(found, "cpu_s")
    held, for_base, for_contig = fitted(found, "peak_mib")
    years = {
        name: 1e6 * (start + base * megabases) / (365.25 * 86400)
        for name, megabases in GENOMES.items()
    }
    return [
        "",
        f"Fitted to these points: {start:.1f} CPU-s to start, {base:.1f} for each Mb and"
        f" {contig:.1f} more for each thousand contigs; {held:.0f} MiB, {for_base:.1f} more for"
        f" each Mb of the longest contig and {for_contig:.2f} for each thousand contigs.",
        "",
        "A million genomes, at that rate, take "
        + ", ".join(f"{time:,.0f} core-years of {name} each" for name, time in years.items())
        + ".",
    ]


def _join(values: set[int]) -> str:
    return " or ".join(map(str, sorted(values)))


def draw(report: dict, path: Path) -> None:
    """CPU-seconds, seconds and peak memory against bases, a line for each kind of genome."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    kinds = {
        "one contig": [p for p in report["points"] if p["contigs"] == 1],
        "contigs of 1 kb": [p for p in report["points"] if p["contigs"] > 1],
    }
    for (name, those), colour in zip(kinds.items(), ("tab:blue", "tab:orange"), strict=True):
        those.sort(key=lambda p: p["contigs"] * p["length"])
        bases = [p["contigs"] * p["length"] / 1e6 for p in those]
        for axes, value, style in (
            (left, "cpu_s", "o-"),
            (left, "wall_s", "s:"),
            (right, "peak_mib", "o-"),
        ):
            label = name + (", wall time" if value == "wall_s" else "")
            values = [p["usage"][value] for p in those]
            axes.plot(bases, values, style, color=colour, label=label)
    for axes, title in ((left, "CPU-seconds, seconds"), (right, "peak MiB")):
        axes.set(xscale="log", yscale="log", xlabel="Mb", title=title)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def insert(page: Path, text: str) -> None:
    """Put the table in its place on a page.

    Raises:
        InputError: the page has no such place.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{page} lacks the lines {BEGIN} and {END}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def plot(source: str, image: str, page: str) -> None:
    """Draw the points of a file, and write their table into a page."""
    report = json.loads(Path(source).read_text(encoding="utf-8"))
    insert(Path(page), f"![time and memory]({Path(image).name})\n\n{table(report)}")
    draw(report, Path(image))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fasta", type=Path, nargs="?", help="a genome")
    parser.add_argument("--species", default="fly")
    parser.add_argument("--output", type=Path, help="JSON file of points, kept and added to")
    parser.add_argument("--sample", type=int, help="default: the species' own; 0: no probabilities")
    parser.add_argument("--megabases", type=float, nargs="*", default=[1, 10, 100, 1000])
    parser.add_argument("--contigs", type=int, nargs="*", default=[10**n for n in range(3, 7)])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--plot", nargs=3, metavar=("JSON", "PNG", "PAGE"))
    options = parser.parse_args()
    try:
        if options.plot:
            plot(*options.plot)
        elif options.fasta and options.output:
            run(options)
        else:
            parser.error("a FASTA file and --output are needed, or --plot")
    except (AugustusError, OSError) as error:
        sys.exit(f"benchmarks.growth: {error}")


if __name__ == "__main__":
    main()
