"""The command `augustus-dl`: AUGUSTUS's own command line, and subcommands beside it.

The first word decides. A subcommand's file is imported when it is called, so that nothing heavy is
loaded for help or for a subcommand that does not need it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import typer
from typer.core import TyperGroup

from augustus_dl.cli.usage import CLOSED_PIPE, COMMANDS
from augustus_dl.errors import AugustusError

__all__ = ["app", "main"]


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


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit status.

    Called as `etraining` the program is AUGUSTUS's training program, called as `augustus` it has no
    subcommands.

    Args:
        argv: the words behind the program's name; None takes the process's own.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    program = _program()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    _use_own_config()
    try:
        if program == "etraining":
            from augustus_dl.cli.etraining import main as etraining

            status = etraining(arguments, sys.stdout, sys.stderr)
        elif program != "augustus" and arguments and arguments[0] in COMMANDS:
            status = _subcommand(arguments)
        else:
            from augustus_dl.cli.compat import main as augustus

            status = augustus(arguments, sys.stdout, sys.stderr, program=program)
        sys.stdout.flush()
    except BrokenPipeError:
        status = CLOSED_PIPE
    if status == CLOSED_PIPE:  # nobody reads on: the interpreter's last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _subcommand(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="augustus-dl", standalone_mode=True)
    except AugustusError as error:
        print(f"augustus-dl {arguments[0]}: {error}", file=sys.stderr)
        return error.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _program() -> str:
    """The name the program was called by; `python -m augustus_dl` has the usual one."""
    name = Path(sys.argv[0]).name
    return "augustus-dl" if name in ("", "-c", "__main__.py") else name


def _use_own_config() -> None:
    """As for AUGUSTUS, the config folder is ../config as seen from the program's folder.

    That is where `augustus-dl install` puts it; the option and the environment go before it.
    """
    folder = Path(sys.argv[0]).resolve().parent
    config = folder.parent / "config"
    if "AUGUSTUS_CONFIG_PATH" in os.environ or folder.name != "bin":
        return
    if (config / "species").is_dir():
        os.environ["AUGUSTUS_CONFIG_PATH"] = str(config)
