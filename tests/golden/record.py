"""Records what AUGUSTUS answers to every golden case: `python -m tests.golden.record`.

Needs AUGUSTUS 3.5.0 with its data as Debian packages them (`apt install augustus augustus-data`),
the species untouched by training. Times are replaced by 0 so that recording again changes nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.golden.cases import INPUTS, RECORDED, STATUS, Answer, Case, all_cases

CONFIG = "/usr/share/augustus/config"
"""The config folder that the recorded answers name."""

_TIME = re.compile(r"^# total time: .*$", flags=re.MULTILINE)


def main() -> None:
    shutil.rmtree(RECORDED, ignore_errors=True)
    RECORDED.mkdir()
    statuses = []
    for case in all_cases():
        answer = run(case)
        statuses.append(f"{case.name}\t{answer.status}\n")
        texts = {"stdout": answer.stdout, "stderr": answer.stderr, **answer.files}
        for name, text in texts.items():
            if text or name in answer.files:
                (RECORDED / f"{case.name}.{name}").write_text(text, encoding="utf-8")
    STATUS.write_text("".join(statuses), encoding="ascii")


def run(case: Case) -> Answer:
    """Run AUGUSTUS on one case in a copy of the inputs."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(INPUTS, folder, dirs_exist_ok=True)
        before = set(Path(folder).iterdir())
        done = subprocess.run(
            ["augustus", *case.words(CONFIG)],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
            stdin=subprocess.DEVNULL,
        )
        written = sorted(set(Path(folder).iterdir()) - before)
        files = {path.name: _timeless(path.read_text(encoding="utf-8")) for path in written}
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Answer(status, _timeless(done.stdout), done.stderr, files)


def _timeless(text: str) -> str:
    return _TIME.sub("# total time: 0", text)


if __name__ == "__main__":
    main()
