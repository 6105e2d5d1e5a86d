"""How a program that answers for AUGUSTUS or etraining ends: messages and exit status."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TextIO

from augustus_dl.cli.usage import CLOSED_PIPE, INTERRUPTED
from augustus_dl.errors import AugustusError

__all__ = ["Reported"]

_AS_AUGUSTUS = ("Warning: ", "Error: ")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        return text if text.startswith(_AS_AUGUSTUS) else f"# augustus-dl: {text}"


class Reported:
    """Turns exceptions into a message on `stderr`, in AUGUSTUS's frame, and an exit `status`.

    Notes on an exception stand before the frame, where AUGUSTUS prints more than its message.
    Warnings that the package logs go to the same stream meanwhile; one that begins as AUGUSTUS's
    own do, with Warning or Error, is printed as it is, others say who speaks.

    Args:
        program: name in the frame.
    """

    def __init__(self, program: str, stderr: TextIO) -> None:
        self.status = 0
        self._program = program
        self._stderr = stderr
        self._handler = logging.StreamHandler(stderr)
        self._handler.setFormatter(_Formatter())

    def __enter__(self) -> Reported:
        logging.getLogger("augustus_dl").addHandler(self._handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        logging.getLogger("augustus_dl").removeHandler(self._handler)
        match error:
            case AugustusError():
                for note in getattr(error, "__notes__", ()):
                    self._stderr.write(f"{note}\n")
                self._fail(str(error), error.exit_code)
            case BrokenPipeError():
                self.status = CLOSED_PIPE
            case OSError():
                self._fail(str(error), 1)
            case KeyboardInterrupt():
                self._stderr.write(f"{self._program}: interrupted\n")
                self.status = INTERRUPTED
            case _:
                return False
        return True

    def _fail(self, message: str, status: int) -> None:
        self._stderr.write(f"\n{self._program}: ERROR\n\t{message}\n\n")
        self.status = status
