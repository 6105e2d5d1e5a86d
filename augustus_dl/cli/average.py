"""`augustus-dl average`: one model folder from several."""

from pathlib import Path
from typing import Annotated

import typer


def average(
    models: Annotated[list[Path], typer.Argument(help="Model folders of one shape.")],
    output: Annotated[Path, typer.Option(help="Model folder to write.")],
    clade: Annotated[str, typer.Option(help="Clade the result predicts for.")],
) -> None:
    """Average the weights of training runs that began from the same weights.

    The result has the speed of one network; on validation genes it was better than its parts for
    flies and yeasts (docs/experiments.md).
    """
    from augustus_dl.train.average import average_models
    from augustus_dl.train.run_folder import write_model

    model = average_models(models, clade)
    output.mkdir(parents=True, exist_ok=True)
    write_model(model, output)
