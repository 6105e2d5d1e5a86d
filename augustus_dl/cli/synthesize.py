"""`augustus-dl synthesize`: genomes drawn from AUGUSTUS's parameters, as a pack file."""

from pathlib import Path
from typing import Annotated

import typer

from augustus_dl.errors import OptionError


def synthesize(
    species: Annotated[
        list[str],
        typer.Option(help="Species of an installed AUGUSTUS; several share the length."),
    ],
    clade: Annotated[str, typer.Option(help="Clade that the pack is of.")],
    output: Annotated[Path, typer.Option(help="Pack file to write.")],
    megabases: Annotated[float, typer.Option(min=0.01, help="Length of all sequence.")] = 100,
    weight: Annotated[float, typer.Option(min=0, help="Weight of each set in training.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another genome.")] = 1,
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="PACK", help="Take sequence between and inside genes from this pack file."
        ),
    ] = None,
    config_path: Annotated[
        Path | None,
        typer.Option(
            "--AUGUSTUS_CONFIG_PATH",
            envvar="AUGUSTUS_CONFIG_PATH",
            help="Folder `config` of an installed AUGUSTUS.",
        ),
    ] = None,
) -> None:
    """Write a pack of synthetic genomes, whose genes are known without doubt.

    Genes are drawn from the parameters that AUGUSTUS trained for a species. With --background what
    lies between genes and inside introns is real, repeats and soft-mask included.
    """
    from augustus_dl.io.species_parameters import read_species_parameters
    from augustus_dl.network.config import CLADES
    from augustus_dl.train.background import RealBackground
    from augustus_dl.train.pack import Pack, read_pack, write_pack
    from augustus_dl.train.synthesis import synthesize as draw

    if clade not in CLADES:
        raise OptionError(f"--clade {clade!r} is none of {', '.join(CLADES)}")
    if config_path is None:
        raise OptionError("name AUGUSTUS's folder `config` with --AUGUSTUS_CONFIG_PATH")
    around = read_pack(background).pieces if background is not None else None
    bases = round(megabases * 1e6 / len(species))
    pieces = []
    for name in species:
        parameters = read_species_parameters(name, config_path)
        real = RealBackground(around, parameters.contents) if around is not None else None
        pieces += draw(parameters, name, clade, bases, seed, real, weight)
    write_pack(Pack(pieces), output)
