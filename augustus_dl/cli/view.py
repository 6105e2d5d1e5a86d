"""`augustus-dl view`: what a model folder holds."""

from pathlib import Path
from typing import Annotated

import typer


def view(
    folder: Annotated[Path, typer.Argument(help="Model folder (config.json, model.safetensors).")],
) -> None:
    """Print a network's layers, parameters and cost per base."""
    from augustus_dl.network.model import load_model
    from augustus_dl.network.summary import summary

    typer.echo(summary(load_model(folder)))
