"""Peak memory of training: one step, each in a process of its own.

    python -m benchmarks.training_memory [--device cpu] [--large]

`base` is the shipped size. `large` has as many parameters as DNABERT-2: twelve blocks of width 768
in the place of six of 256. A step reads 16 windows of 65,536 bases, on a CPU one window a core at a
time. What a large network takes is measured on shorter windows, since memory is a constant and a
share for each base.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from augustus_dl.network import shape
from augustus_dl.network.config import NetworkConfig
from augustus_dl.network.model import AnnotationModel
from augustus_dl.train import loop
from augustus_dl.train.config import TrainConfig
from augustus_dl.train.pack import Pack, Piece
from augustus_dl.train.validation import Validation

LARGE = {"widths": (32, 96, 192, 768), "layers": 12, "heads": 12, "hidden": 2048, "expert": 1024}
ROWS = {
    "base": [
        "--windows=16 --accumulation=1",
        "--windows=16 --accumulation=2",
        "--windows=16 --accumulation=8",
        "--windows=16 --accumulation=8 --recompute",
        "--windows=16 --accumulation=8 --deepspeed=zero2",
    ],
    "large": [
        "--windows=2 --length=8192",
        "--windows=2 --length=32768",
        "--windows=2 --length=8192 --recompute",
        "--windows=2 --length=32768 --recompute",
    ],
}


def measured(options: argparse.Namespace) -> dict[str, float]:
    """Peak memory of this process after a step or two, in GB, and the number of parameters."""
    shape.SIZES["large"] = LARGE
    rng = np.random.default_rng(1)
    length = 4 * options.length
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    track = np.zeros(length, dtype=np.uint8)
    labels = (np.arange(length) % 64 == 0).astype(np.uint8)
    pieces = [
        Piece(name, "toy", "yeasts", 1.0, 1, name == "b", codes, track > 0, labels, track)
        for name in ("a", "b")
    ]
    config = TrainConfig(
        species="toy",
        clade="yeasts",
        size=options.size,
        steps=2,
        windows=options.windows,
        length=options.length,
        accumulation=options.accumulation,
        recompute=options.recompute,
    )
    Validation.run = lambda *_: {"yeasts": {level: {"f1": 0.0} for level in ("gene", "exon")}}
    device = torch.device(options.device)
    with tempfile.TemporaryDirectory() as folder:
        loop.train(config, [Pack(pieces)], Path(folder), device, deepspeed=options.deepspeed)
    model = AnnotationModel(NetworkConfig(size=options.size, clade="yeasts"))
    found = {"parameters_M": sum(p.numel() for p in model.parameters()) / 1e6}
    found["host_GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if device.type == "cuda":
        found["device_GB"] = torch.cuda.max_memory_allocated() / 1e9
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--large", action="store_true", help="as many parameters as DNABERT-2")
    parser.add_argument("--size", help="measure one row in this process")
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--length", type=int, default=65_536)
    parser.add_argument("--accumulation", type=int, default=1)
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--deepspeed", default="")
    options = parser.parse_args()
    if options.size:
        print(json.dumps(measured(options)))
        return
    size = "large" if options.large else "base"
    for row in ROWS[size]:
        words = [f"--size={size}", f"--device={options.device}", *row.split()]
        command = [sys.executable, "-m", "benchmarks.training_memory", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(size, row, *(f"{name} {value:.2f}" for name, value in found.items()), sep="\t")


if __name__ == "__main__":
    main()
