"""Gene F1 on validation pieces against the weight of content labels in the decoder.

    python -m benchmarks.weights MODEL PACK CLADE [--scale 50 10 5 2 1 0.5]

A scale multiplies the three content weights of DecoderConfig; 50 gives coding bases weight one, as
if every base were independent evidence. `gene_start` and `intron` are as configured.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.engine import open_engine
from augustus_dl.train.pack import read_pack
from augustus_dl.train.validation import accuracy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("clade")
    parser.add_argument("--scale", type=float, nargs="+", default=[50, 10, 5, 2, 1, 0.5])
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    pieces = [piece for piece in read_pack(options.pack).pieces if piece.validation]
    engine = open_engine(options.model, options.clade, options.device)
    base = DecoderConfig()
    print(f"{'coding':>7} {'gene F1':>8} {'exon F1':>8} {'nucleotide F1':>14}")
    for scale in options.scale:
        config = replace(
            base,
            coding_weight=base.coding_weight * scale,
            intron_weight=base.intron_weight * scale,
            intergenic_weight=base.intergenic_weight * scale,
        )
        found = accuracy(pieces, engine, config)
        f1 = [100 * found[level]["f1"] for level in ("gene", "exon", "nucleotide")]
        print(f"{config.coding_weight:>7.3f} {f1[0]:>8.2f} {f1[1]:>8.2f} {f1[2]:>14.2f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
