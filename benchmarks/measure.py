"""Time and memory of a command with all its children. Linux.

`measure` starts the command through a second, small Python process: a process that is started from
a large one would count the large one's memory as its own peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Usage", "measure"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command used.

    Attributes:
        wall_s: seconds from start to end.
        cpu_s: user and system seconds, children included.
        peak_mib: largest resident size of the command or any one of its children, MiB.
        status: exit code; negative when ended by that signal.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    status: int


def measure(command: list[str], output: Path, errors: Path) -> Usage:
    """Run a command to its end, stdout and stderr into files.

    Raises:
        subprocess.CalledProcessError: the program cannot be started.
    """
    launcher = [sys.executable, "-I", "-S", __file__, str(output), str(errors), *command]
    done = subprocess.run(launcher, stdout=subprocess.PIPE, check=True)
    return Usage(**json.loads(done.stdout))


def _launch(output: str, errors: str, command: list[str]) -> Usage:
    began = time.perf_counter()
    with open(output, "wb") as out, open(errors, "wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
    return Usage(
        wall_s=round(time.perf_counter() - began, 3),
        cpu_s=round(used.ru_utime + used.ru_stime, 3),
        peak_mib=round(used.ru_maxrss / 1024, 1),
        status=os.waitstatus_to_exitcode(status),
    )


if __name__ == "__main__":
    json.dump(asdict(_launch(sys.argv[1], sys.argv[2], sys.argv[3:])), sys.stdout)
