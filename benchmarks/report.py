"""What every benchmark's report says of how it was made, and where it is written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from augustus_dl import __version__

__all__ = ["machine", "provenance", "write_report"]

_ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict:
    """What the numbers depend on beside the data."""
    model = platform.processor()
    if Path("/proc/cpuinfo").is_file():
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        names = [line.partition(":")[2] for line in text.split("\n") if "model name" in line]
        model = names[0].strip() if names else model
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "system": platform.platform()}


def provenance(device: str) -> dict:
    """Commit, machine, date and versions."""
    commit = _git("rev-parse", "HEAD")[:12]
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit + (" with changes" if changed else ""),
        "machine": machine(),
        "device": device,
        "versions": {
            "augustus-dl": __version__,
            "Python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "torch", "transformers")},
        },
    }


def write_report(folder: Path, name: str, report: dict, text: str) -> None:
    """NAME.json and NAME.md in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _git(*arguments: str) -> str:
    """What git says of this checkout; nothing where there is no git or no checkout."""
    command = ["git", "-C", str(_ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
