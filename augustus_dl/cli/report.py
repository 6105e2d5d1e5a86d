"""`augustus-dl report`: genes, accuracy and loci on an HTML page."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augustus_dl.errors import OptionError

if TYPE_CHECKING:
    from augustus_dl.report.survey import Tracks


def report(
    genome: Annotated[Path, typer.Argument(help="FASTA file that all annotations speak of.")],
    prediction: Annotated[
        Path, typer.Argument(help="Genes, GTF or GFF3, AUGUSTUS's output for example.")
    ],
    output: Annotated[Path, typer.Option(metavar="FILE", help="HTML file to write.")],
    reference: Annotated[
        Path | None, typer.Option(metavar="FILE", help="True genes, GTF or GFF3.")
    ] = None,
    compare: Annotated[
        list[Path], typer.Option(metavar="FILE", help="Another prediction; may come again.")
    ] = [],  # noqa: B006  typer copies it
    loci: Annotated[
        list[str],
        typer.Option(metavar="NAME:START-END", help="Locus to draw; may come again."),
    ] = [],  # noqa: B006
    species: Annotated[
        str, typer.Option(metavar="NAME", help="Draw what this species' network says of the loci.")
    ] = "",
    genetic_code: Annotated[
        int | None, typer.Option(metavar="N", help="NCBI's id; default: the species' own, or 1.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Describe an annotation on one HTML page that needs no other file.

    Statistics of its genes; with a reference, accuracy and kinds of differences; pictures of loci.
    Without --loci those are up to ten where prediction and reference differ.
    """
    from augustus_dl.engine import open_engine
    from augustus_dl.genetic_code import genetic_code as code_of
    from augustus_dl.io.files import whole_file
    from augustus_dl.io.locus import parse_locus
    from augustus_dl.profile import find_profile
    from augustus_dl.report.page import page
    from augustus_dl.report.survey import survey

    path = output.expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise OptionError(f"--output {path} cannot be written: name a file in a folder that exists")
    wanted = [parse_locus(text) for text in loci]
    profile = find_profile(species) if species else None
    if genetic_code is None:
        genetic_code = profile.genetic_code if profile else 1
    code, tracks = code_of(genetic_code), _tracks([prediction, *compare], reference)
    engine = None
    if profile and (wanted or reference):
        engine = open_engine(profile.model, profile.clade, device, accurate=profile.accurate)
    found = survey(genome, tracks, code, wanted, engine.flank if engine else None)
    text = page(found, tracks, code, engine)
    try:
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise OptionError(f"--output {path} cannot be written: {error.strerror}") from error


def _tracks(predictions: list[Path], reference: Path | None) -> "Tracks":
    """Read all annotations; each goes by its file's name, by its path where names are the same."""
    from augustus_dl.io.annotation import read_annotation
    from augustus_dl.report.survey import Tracks

    if again := [path for path, times in Counter(predictions).items() if times > 1]:
        raise OptionError(f"the prediction {again[0]} is given twice")
    times = Counter(path.name for path in predictions)
    names = [path.name if times[path.name] == 1 else str(path) for path in predictions]
    genes = {
        name: read_annotation(path).genes for name, path in zip(names, predictions, strict=True)
    }
    if reference is None:
        return Tracks(genes)
    return Tracks(genes, read_annotation(reference), f"reference {reference.name}")
