"""The command `augustus-dl`: AUGUSTUS's own command line, and subcommands beside it.

The first word decides what is imported.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from augustus_dl.cli.usage import CLOSED_PIPE, COMMANDS
from augustus_dl.errors import AugustusError

__all__ = ["main"]


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
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy multiplies next to nothing
            from augustus_dl.cli.compat import main as augustus

            status = augustus(arguments, sys.stdout, sys.stderr, program=program)
        sys.stdout.flush()
    except BrokenPipeError:
        status = CLOSED_PIPE
    if status == CLOSED_PIPE:  # nobody reads on: the interpreter's last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if argv is None:  # the process ends: nothing needs to look for garbage any more
        gc.freeze()
    return status


def _subcommand(arguments: list[str]) -> int:
    from augustus_dl.cli.subcommands import app

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
