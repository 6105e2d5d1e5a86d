"""Contigs to genes with a random network: nothing depends on how sequences are cut.

python -m pytest tests/test_predict.py
"""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from augustus_dl.encode import base_codes
from augustus_dl.engine import torch as engine_module
from augustus_dl.errors import ModelError, OptionError
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions, decoder_config, predict
from augustus_dl.profile import Profile, find_profile
from augustus_dl.validity import faults


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_best_dtype", lambda device: torch.float32)


@pytest.fixture
def profile(toy_folder: Path) -> Profile:
    return find_profile(str(toy_folder))


def sequence(length: int, seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    return np.frombuffer(b"ACGT", dtype=np.uint8)[rng.integers(0, 4, length)].tobytes()


def genes(profile: Profile, text: bytes, **options: object) -> list[Gene]:
    chosen = PredictOptions(**{"device": "cpu", "window": 16_384, **options})
    ((contig, found),) = predict([Contig("c", text)], profile, chosen)
    assert contig == Contig("c", text)
    return found


def test_genes_do_not_depend_on_the_window_size(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = sequence(100_000)
    found = genes(profile, text, window=65_536)
    assert len(found) > 100
    assert any(len(gene.transcripts[0].cds) > 3 for gene in found)
    assert {gene.strand for gene in found} == {"+", "-"}
    assert genes(profile, text, window=16_384) == found
    assert genes(profile, text, window=4_096) == found
    monkeypatch.setattr("augustus_dl.network.config.NetworkConfig.flank", 0)
    assert genes(profile, text, window=4_096) != found  # so the comparison can fail


def test_genes_are_sorted_and_possible(profile: Profile) -> None:
    text = sequence(60_000, seed=1)
    found = genes(profile, text)
    assert [gene.start for gene in found] == sorted(gene.start for gene in found)
    codes = base_codes(text)
    for gene in found:
        (transcript,) = gene.transcripts
        assert (gene.contig, gene.id, gene.strand) == ("c", "", transcript.strand)
        assert faults(transcript, codes, genetic_code(1)) == []
        if transcript.complete5 and transcript.complete3:
            assert transcript.coding_length >= 60
    for left, right in itertools.pairwise(found):
        assert left.end <= right.start


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33])
def test_tiny_contigs(profile: Profile, length: int) -> None:
    for gene in genes(profile, sequence(length)):
        assert gene.start >= 0 and gene.end <= length


def test_a_contig_of_n_has_no_gene(profile: Profile) -> None:
    complete = genes(profile, b"N" * 20_000, genemodel="complete")
    assert complete == []
    for gene in genes(profile, b"N" * 20_000):
        (transcript,) = gene.transcripts
        assert not (transcript.complete5 or transcript.complete3)


def test_contigs_keep_their_order_and_do_not_mix(profile: Profile) -> None:
    texts = [sequence(9_000, 1), b"", sequence(20_000, 2), b"N" * 50, sequence(9_000, 1)]
    contigs = [Contig(f"c{i}", text) for i, text in enumerate(texts)]
    answers = list(predict(contigs, profile, PredictOptions(device="cpu", window=4096)))
    assert [contig for contig, _ in answers] == contigs
    assert answers[1][1] == []
    for contig, found in answers:
        alone = genes(profile, contig.sequence, window=4096)
        assert [g.transcripts for g in found] == [g.transcripts for g in alone]
        assert {gene.contig for gene in found} <= {contig.name}


def test_lower_case_counts_only_with_softmasking(profile: Profile) -> None:
    upper = sequence(40_000)
    found = genes(profile, upper)
    assert genes(profile, upper, softmasking=False) == found
    assert genes(profile, upper.lower(), softmasking=False) == found
    assert genes(profile, upper.lower(), softmasking=True) != found


def test_options_reach_the_decoder(profile: Profile) -> None:
    text = sequence(40_000)
    assert {gene.strand for gene in genes(profile, text, strand="backward")} == {"-"}
    assert {len(g.transcripts[0].cds) for g in genes(profile, text, genemodel="intronless")} == {1}
    complete = [gene.transcripts[0] for gene in genes(profile, text, genemodel="complete")]
    assert complete and all(t.complete5 and t.complete3 for t in complete)
    longer = [g.transcripts[0] for g in genes(profile, text, min_coding_length=300)]
    assert 0 < len(longer) < len(genes(profile, text))
    assert all(t.coding_length >= 300 for t in longer if t.complete5 and t.complete3)
    chains = [g.transcripts[0].cds for g in genes(profile, text, min_intron=90)]
    gaps = [b[0] - a[1] for cds in chains for a, b in itertools.pairwise(cds)]
    assert gaps and min(gaps) >= 90


def test_what_the_user_says_goes_over_the_profile(profile: Profile) -> None:
    plain = decoder_config(profile, PredictOptions())
    assert (plain.gene_start, plain.min_coding_length, plain.genetic_code) == (12.0, 60, 1)
    assert plain.partial and plain.strand == "both" and not plain.intronless
    asked = PredictOptions(
        strand="forward", genemodel="intronless", translation_table=6, min_coding_length=9
    )
    config = decoder_config(profile, asked)
    assert (config.min_coding_length, config.genetic_code, config.strand) == (9, 6, "forward")
    assert config.intronless and config.partial
    other = dataclasses.replace(profile, parameters={"translation_table": "10"})
    assert decoder_config(other, PredictOptions()).genetic_code == 10


def test_errors_come_before_the_first_contig(profile: Profile, tmp_path: Path) -> None:
    def never() -> Iterator[Contig]:
        raise AssertionError("a contig was read")
        yield

    with pytest.raises(OptionError, match="unknown device"):
        predict(never(), profile, PredictOptions(device="abacus"))
    with pytest.raises(OptionError, match="unknown decoder setting tau"):
        predict(never(), dataclasses.replace(profile, decoder={"tau": 1.0}), PredictOptions())
    damaged = Path(shutil.copytree(profile.folder, tmp_path / "toy"))
    (damaged / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="corrupt"):
        predict(never(), find_profile(str(damaged)), PredictOptions(device="cpu"))


def test_contigs_are_read_one_at_a_time(profile: Profile) -> None:
    read = []

    def source() -> Iterator[Contig]:
        for name in "abc":
            read.append(name)
            yield Contig(name, sequence(500))

    answers = predict(source(), profile, PredictOptions(device="cpu"))
    assert read == []
    next(answers)
    assert read == ["a"]
