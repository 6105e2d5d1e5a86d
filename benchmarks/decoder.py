"""Speed of the decoder: Mb/s on one core, on a random sequence with random scores.

python benchmarks/decoder.py [megabases]
"""

import sys
import time

import numpy as np

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.viterbi import Decoder
from augustus_dl.labels import NUM_LABELS

CHUNK = 500_000


def chunks(length: int, seed: int = 1):
    """Random bases (40 % GC) and scores, the same block of scores for every chunk."""
    rng = np.random.default_rng(seed)
    scores = (64 * rng.normal(0, 2, (CHUNK, NUM_LABELS))).astype(np.int16)
    for start in range(0, length, CHUNK):
        n = min(CHUNK, length - start)
        yield scores[:n], rng.choice(4, n, p=(0.3, 0.2, 0.2, 0.3)).astype(np.uint8)


def main() -> None:
    length = int(float(sys.argv[1] if len(sys.argv) > 1 else 10) * 1e6)
    for config in (
        DecoderConfig(),
        DecoderConfig(atac=True),
        DecoderConfig(strand="forward"),
        DecoderConfig(genetic_code=11, intronless=True),
    ):
        decoder = Decoder(config)
        start = time.perf_counter()
        list(decoder.decode(chunks(1000)))
        ready = time.perf_counter() - start
        data = list(chunks(length))
        start = time.perf_counter()
        labels = sum(len(piece) for piece in decoder.decode(data))
        speed = labels / (time.perf_counter() - start) / 1e6
        print(f"{speed:6.1f} Mb/s, ready after {ready:4.1f} s: {config}")


if __name__ == "__main__":
    main()
