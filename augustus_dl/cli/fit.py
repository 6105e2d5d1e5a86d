"""`augustus-dl fit`: decoder constants of a model, fitted on validation genes."""

import json
from pathlib import Path
from typing import Annotated

import typer


def fit(
    model: Annotated[Path, typer.Argument(help="Model, species or run folder.")],
    packs: Annotated[list[Path], typer.Argument(help="Pack files made by `augustus-dl prepare`.")],
    clade: Annotated[str, typer.Option(help="Clade whose validation genes are used.")],
    accurate: Annotated[
        bool, typer.Option(help="Read in both directions, as --accurate=on does when predicting.")
    ] = False,
    genemodel: Annotated[str, typer.Option(help="As for predicting.")] = "partial",
    output: Annotated[
        Path | None, typer.Option(help="Folder for constants.json and reliability.png.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="A *_dl.json whose constants are replaced.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Fit the decoder's constants and the scale of its probabilities on validation genes.

    The constants go to standard output as JSON, the report to standard error. Its line `crossed`
    is the honest one: each half of the genes under what was fitted on the other half.
    """
    from augustus_dl.engine import open_engine
    from augustus_dl.profile_files import replace_decoder
    from augustus_dl.train.fit import fit as fit_parts
    from augustus_dl.train.fit import held_out_pieces, starting_point
    from augustus_dl.train.held_out import parts_of
    from augustus_dl.train.pack import read_pack

    if profile is not None:
        replace_decoder(profile, {})  # a wrong name is told before the work
    weights, start = starting_point(model, genemodel)
    pieces = held_out_pieces([p for path in packs for p in read_pack(path).pieces], clade)
    engine = open_engine(weights, clade, device, accurate=accurate)
    report = fit_parts(
        parts_of(pieces, engine), start, progress=lambda line: typer.echo(line, err=True)
    )
    typer.echo(report.text(), err=True)
    if output is not None:
        report.write(output)
    if profile is not None:
        replace_decoder(profile, report.decoder)
    typer.echo(json.dumps(report.decoder, indent=2))
