"""`augustus-dl prepare`: annotated genomes to a pack file."""

from pathlib import Path
from typing import Annotated

import typer


def prepare(
    data: Annotated[Path, typer.Argument(help="Folder with genomes, annotation and splits.tsv.")],
    recipe: Annotated[
        str, typer.Option(help="Shipped recipe (nematodes, arthropods, ...) or a TOML file.")
    ],
    output: Annotated[Path, typer.Option(help="Pack file to write.")],
) -> None:
    """Pack genomes and annotation for training, two bits a base.

    Only rows marked `train` in splits.tsv are read; doubtful annotation is masked, never called
    intergenic. The recipe names the sets, their weights and the validation stretches.
    """
    from augustus_dl.train.pack import prepare as pack_sets
    from augustus_dl.train.pack import write_pack

    pack = pack_sets(recipe, data)
    write_pack(pack, output)
    for piece in pack.pieces:
        role = "validation" if piece.validation else "training"
        typer.echo(f"{piece.set}\t{piece.name}\t{role}\t{len(piece.genes) or '-'}", err=True)
