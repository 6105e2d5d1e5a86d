"""Predict the genes of the example and say where they are, how many they are, how fast it went."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples/fly_chr2R_500kb.fa.gz"
RESULT = ROOT / "runs/demo/fly_chr2R_500kb.gtf"


def main() -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    options = ["--species=fly", f"--outfile={RESULT}", str(EXAMPLE)]
    shown = [option.replace(f"{ROOT}/", "") for option in options]
    print("augustus-dl", *shown, flush=True)
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "augustus_dl", *options], cwd=ROOT, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(done.returncode)
    with gzip.open(EXAMPLE, "rt") as stream:
        bases = sum(len(line.strip()) for line in stream if not line.startswith(">"))
    rows = [line.split("\t") for line in RESULT.read_text(encoding="utf-8").split("\n")]
    genes = sum(row[2:3] == ["gene"] for row in rows)
    kb = bases / 1000
    print(f"{genes} genes in {kb:.0f} kb, {kb / seconds:.0f} kb/s with start-up")
    print(f"result: {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
