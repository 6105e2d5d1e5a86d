"""What is wrong with predicted genes, on validation genes: tables by clade, and pictures.

    python -m benchmarks.errors --packs FILE ... --output FOLDER
    python -m benchmarks.errors --data FOLDER --recipes NAME ... --output FOLDER

Packs are those of `augustus-dl prepare`; a recipe is packed on the way. Each clade is predicted
with the species that stands for it below, or with `--species`. errors.md and pictures of up to ten
genes a clade go to the output folder; AUGUSTUS is drawn beside ours where it is installed. Nothing
is read but rows marked `train`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.differences import Difference, differences
from augustus_dl.engine import Engine, open_engine
from augustus_dl.errors import AugustusError, InputError
from augustus_dl.evaluate import Truth
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import Annotation, read_annotation
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.io.files import whole_file
from augustus_dl.io.locus import Locus, locus_text
from augustus_dl.predict import PredictOptions, decoder_config, transcripts_of
from augustus_dl.profile import find_profile
from augustus_dl.report.browser import plot
from augustus_dl.report.examples import Examples
from augustus_dl.report.probabilities import stretch
from augustus_dl.report.survey import View, around
from augustus_dl.report.svg import save
from augustus_dl.train.pack import Piece, prepare, read_pack
from benchmarks.annotate import provenance
from benchmarks.error_tables import Errors, markdown, properties

SPECIES = {
    "arthropods": "fly",
    "fungi": "aspergillus_nidulans",
    "nematodes": "caenorhabditis",
    "plants": "arabidopsis",
    "protists": "pfalciparum",
    "vertebrates": "human",
    "yeasts": "saccharomyces_cerevisiae_S288C",
}
"""The species that both programs are run with, by clade."""
_PICTURES, _LONGEST, _CONTEXT = 10, 200_000, 5_000
_UPPER = np.frombuffer(b"ACGTN", dtype=np.uint8)
_LOWER = np.frombuffer(b"acgtn", dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Example:
    """A wrong gene on its piece."""

    piece: Piece
    predicted: list[Gene]
    difference: Difference


def clades(pieces: list[Piece]) -> dict[str, list[Piece]]:
    """Validation pieces by clade.

    Raises:
        InputError: there are none, or nothing stands for their clade.
    """
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.validation:
            found.setdefault(piece.clade, []).append(piece)
    if not found:
        raise InputError("there is no validation piece in these packs; name stretches in a recipe")
    return found


def analyse(
    pieces: list[Piece], engine: Engine, config: DecoderConfig
) -> tuple[Errors, list[Example]]:
    """Predict the pieces and compare; counts, and examples of wrong genes."""
    errors, examples = Errors(), Examples[Example](_PICTURES)
    for piece in pieces:
        own = replace(config, genetic_code=piece.genetic_code)
        found = transcripts_of(piece.codes, piece.soft, engine, own)
        predicted = [Gene(piece.name, t.strand, (t,)) for t in found]
        reference = Annotation({piece.name: [*piece.genes]}, {piece.name: [*piece.masks]})
        truth = Truth.of(reference, Contig(piece.name, letters(piece)), own.code())
        for difference in differences(truth.genes, predicted, truth.doubtful):
            shown = difference.reference or difference.predicted[0]
            errors.add(difference, properties(shown, piece.codes, piece.soft))
            start, end = difference.span
            if difference.kind != "exact" and end - start < _LONGEST:
                example = Example(piece, predicted, difference)
                examples.offer(difference.kind, lambda example=example: example)
    return errors, examples.chosen()


def letters(piece: Piece) -> bytes:
    """The sequence of a piece, soft-masked."""
    return np.where(piece.soft, _LOWER[piece.codes], _UPPER[piece.codes]).tobytes()


def draw(example: Example, engine: Engine, augustus: str, path: Path) -> None:
    """Write the picture of an example. augustus: species of AUGUSTUS, "" to leave it out."""
    piece, length = example.piece, len(example.piece.codes)
    start, end = around(example.difference.span, length)
    tracks = {
        "reference": [t for gene in piece.genes for t in gene.transcripts],
        "augustus-dl": [t for gene in example.predicted for t in gene.transcripts],
    }
    if augustus:
        first = max(start - _CONTEXT, 0)
        part = letters(piece)[first : end + _CONTEXT]
        tracks["AUGUSTUS"] = [t.shifted(first) for t in run_augustus(augustus, part)]
    shown = {
        name: [t for t in transcripts if t.start < end and t.end > start]
        for name, transcripts in tracks.items()
    }
    first, last = stretch(start, end, engine.flank, length)
    view = View(
        Locus(piece.name, start, end),
        example.difference.kind,
        shown,
        piece.codes[first:last],
        piece.soft[first:last],
        first,
    )
    figure = plot(view.locus, view.tracks, view.probabilities(engine))
    with whole_file(path) as part:
        save(figure, part, "png")


def run_augustus(species: str, sequence: bytes) -> list[Transcript]:
    """Transcripts that the installed AUGUSTUS predicts.

    Raises:
        InputError: it failed.
    """
    with tempfile.TemporaryDirectory(prefix="augustus-dl-errors-") as folder:
        fasta, output = Path(folder, "part.fa"), Path(folder, "part.gtf")
        write_fasta(fasta, [Contig("part", sequence)])
        switches = ("--softmasking=1", "--protein=off", "--UTR=off", f"--outfile={output}")
        command = ["augustus", f"--species={species}", *switches, str(fasta)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise InputError(f"augustus ended with {done.returncode}: {done.stderr.strip()}")
        genes = read_annotation(output).genes.get("part", [])
    return [transcript for gene in genes for transcript in gene.transcripts]


def sections(options: argparse.Namespace, pieces: dict[str, list[Piece]]) -> Iterator[str]:
    """Markdown of each clade; its pictures are drawn on the way."""
    for clade, of_clade in pieces.items():
        name = options.species or SPECIES.get(clade, "")
        if not name:
            raise InputError(f"no species stands for the clade {clade}; name one with --species")
        profile = find_profile(name)
        engine = open_engine(
            profile.model, profile.clade, options.device, accurate=profile.accurate
        )
        print(f"{clade}: {len(of_clade)} pieces, species {name} ...", file=sys.stderr, flush=True)
        config = decoder_config(profile, PredictOptions())
        errors, examples = analyse(of_clade, engine, config)
        augustus = SPECIES.get(clade, "") if shutil.which("augustus") else ""
        yield f"## {clade}\n\nSpecies {name}. {markdown(errors)}"
        for number, example in enumerate(examples[: options.pictures], 1):
            kind = example.difference.kind
            file = f"{clade}-{number:02}-{kind.replace(' ', '-')}.png"
            draw(example, engine, augustus, options.output / file)
            place = locus_text(Locus(example.piece.name, *example.difference.span))
            yield f"![{kind}]({file})\n\n{kind}: {place} of {example.piece.set}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--packs", type=Path, nargs="+", help="pack files", default=[])
    source.add_argument("--data", type=Path, help="folder with splits.tsv, for --recipes")
    parser.add_argument("--recipes", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--species", default="", help="predict with this species instead")
    parser.add_argument("--device", default="auto", help="device of augustus-dl")
    parser.add_argument("--pictures", type=int, default=_PICTURES, help="of each clade")
    options = parser.parse_args()
    if bool(options.data) != bool(options.recipes):
        parser.error("--data and --recipes need each other")
    try:
        packs = [*map(read_pack, options.packs)]
        packs += [prepare(recipe, options.data) for recipe in options.recipes]
        pieces = clades([piece for pack in packs for piece in pack.pieces])
        options.output.mkdir(parents=True, exist_ok=True)
        head = provenance(options.device)
        title = f"# Wrong genes\n\nCommit {head['commit']}, {head['date']}. Validation genes.\n"
        text = "\n".join([title, *sections(options, pieces)])
    except AugustusError as error:
        sys.exit(f"benchmarks.errors: {error}")
    with whole_file(options.output / "errors.md") as part:
        part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
