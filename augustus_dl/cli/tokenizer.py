"""`augustus-dl tokenizer`: add annotation tokens to a tokenizer folder such as DNABERT-2's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def tokenizer(
    folder: Annotated[Path, typer.Argument(help="Folder with the tokenizer.json to extend.")],
    output: Annotated[Path, typer.Argument(help="Folder to write the result to.")],
    tokens: Annotated[
        Path | None,
        typer.Option(help="Token list, one a line, of bin/tokenizer.py; default: all of them."),
    ] = None,
) -> None:
    """Append annotation tokens to a tokenizer; the ids it has already stay as they are."""
    from augustus_dl.io.files import lines
    from augustus_dl.labels import TOKENS
    from augustus_dl.tokenizer import extend

    names = TOKENS if tokens is None else [line for _, line in lines(tokens, "token list")]
    ids = extend(folder, names, output)
    first, last = min(ids.values()), max(ids.values())
    print(f"{len(ids)} tokens have ids {first} to {last} in {output}", file=sys.stderr)
