"""Searches on the device against the decoder, bit for bit.

python -m pytest tests/kernels/test_viterbi.py
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.grammar import build_graph
from augustus_dl.decode.viterbi import viterbi
from augustus_dl.kernels.viterbi import fits, open_search, reference
from augustus_dl.kernels.viterbi.tables import Tables
from augustus_dl.labels import LABELS, NUM_LABELS

CONFIGS = {
    "usual": DecoderConfig(min_intron=5),
    "whole genes": DecoderConfig(partial=False, gene_start=0.5, intron=0.1, min_intron=12),
    "one strand": DecoderConfig(strand="backward", gene_start=-2.0),
    "no introns": DecoderConfig(genetic_code=11, intronless=True, gene_start=-1.0, min_intron=4),
}


def random_sequences(lengths: list[int], seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scores int16 [n, 29] and codes uint8 [n] of sequences behind each other, with runs of N.

    Signals are favoured, so that there are genes with introns.
    """
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    scores = rng.normal(-2, 1, (n, NUM_LABELS))
    signals = [i for i, name in enumerate(LABELS) if name[1:].startswith(("D", "A", "S"))]
    scores[:, signals] += 3
    scores = 1024 * np.rint(scores) if ties else 700 * scores
    codes = rng.choice(5, n, p=(0.29, 0.2, 0.2, 0.3, 0.01)).astype(np.uint8)
    codes[n // 3 : n // 3 + 20] = 4
    return np.rint(scores).astype(np.int16), codes


def searched(search, scores, codes, lengths, cuts) -> np.ndarray:
    """Labels of all sequences, given in parts that end at `cuts`."""
    ends, found, before = np.cumsum(lengths), [], 0
    for cut in [*cuts, len(codes)]:
        inside = ends[(ends > before) & (ends < cut)].tolist()
        own = np.diff([before, *inside, cut]).tolist()
        part = slice(before, cut)
        args = torch.from_numpy(scores[part]), torch.from_numpy(codes[part])
        device = getattr(search, "device", torch.device("cpu"))
        found.append(search.add(*(x.to(device) for x in args), own, cut not in ends).cpu())
        before = cut
    return torch.cat(found).numpy()


def expected(config, scores, codes, lengths) -> np.ndarray:
    cuts = np.cumsum(lengths)[:-1]
    parts = zip(np.split(scores, cuts), np.split(codes, cuts), strict=True)
    return np.concatenate([viterbi(own, bases, config) for own, bases in parts])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_reference_is_the_decoder(config: DecoderConfig, ties: bool) -> None:
    lengths = [1, 700, 2, 33]
    scores, codes = random_sequences(lengths, seed=1, ties=ties)
    search = reference.Search(build_graph(config), torch.device("cpu"))
    found = searched(search, scores, codes, lengths, cuts=[300, 702])
    wanted = expected(config, scores, codes, lengths)
    assert np.array_equal(found, wanted)
    assert len(np.unique(wanted)) > 5


def compare_fused(
    device: str, names: list[str], lengths: list[int], cuts: list[int], rows: int
) -> None:
    from augustus_dl.kernels.viterbi import fused

    for seed, name in enumerate(names):
        config = CONFIGS[name]
        scores, codes = random_sequences(lengths, seed, ties=seed % 2 == 1)
        search = fused.Search(build_graph(config), torch.device(device), rows)
        search.device = torch.device(device)
        found = searched(search, scores, codes, lengths, cuts)
        assert np.array_equal(found, expected(config, scores, codes, lengths))


def interpreted(call: str) -> None:
    """Run a call of this module where Triton interprets kernels."""
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); "
    code += f"import test_viterbi as t; t.{call}"
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_fused_is_the_decoder_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    interpreted("compare_fused('cpu', ['usual', 'whole genes'], [1, 110, 13], [70], 30)")


def test_what_does_not_fit() -> None:
    assert fits(build_graph(DecoderConfig()))
    overlapping = DecoderConfig(intronless=True, max_overlap=60, strand="forward")
    assert not fits(build_graph(overlapping))
    assert not fits(build_graph(DecoderConfig(atac=True)))
    with pytest.raises(ValueError, match="too many"):
        Tables.of(build_graph(overlapping), torch.device("cpu"))


def test_front_door_on_a_cpu() -> None:
    search = open_search(build_graph(DecoderConfig()), torch.device("cpu"))
    assert isinstance(search, reference.Search)


@pytest.mark.gpu
def test_fused_is_the_decoder_on_the_gpu() -> None:
    compare_fused("cuda", [*CONFIGS], [1, 400, 31, 2], [150, 401], 60)
    lengths = [300_000, 50, 20_000, 1, 200_000]
    compare_fused("cuda", [*CONFIGS], lengths, [100_000, 290_000, 310_000], 2048)
