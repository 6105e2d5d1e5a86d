"""The subcommands of `augustus-dl` as one typer application.

A subcommand's file is imported when it is called, so that nothing heavy is loaded for help or for a
subcommand that does not need it.
"""

from __future__ import annotations

from importlib import import_module

import typer
from typer.core import TyperGroup

from augustus_dl.cli.usage import COMMANDS

__all__ = ["app"]


class _Subcommands(TyperGroup):
    """Finds a subcommand's function in the file of its name."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> typer.core.TyperCommand | None:
        if cmd_name not in COMMANDS:
            return None
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(getattr(import_module(f"augustus_dl.cli.{cmd_name}"), cmd_name))
        return typer.main.get_command(single)


app = typer.Typer(cls=_Subcommands, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _app() -> None:
    """Predict genes (augustus-dl --species=NAME FILE) and make the models for it."""
