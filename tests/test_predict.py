"""Contigs to genes with a random network: nothing depends on how sequences are cut.

python -m pytest tests/test_predict.py
"""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import weakref
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.alternatives import AlternativeOptions
from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.parse import parse
from augustus_dl.decode.viterbi import viterbi
from augustus_dl.encode import base_codes
from augustus_dl.engine import open_engine
from augustus_dl.errors import ModelError, OptionError
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import (
    PredictOptions,
    Stretch,
    decoder_config,
    loci_of,
    predict,
    prediction_span,
)
from augustus_dl.profile import Profile, find_profile
from augustus_dl.validity import faults
from augustus_dl.windows import cut, stitch


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGUSTUS_DL_PRECISION", "float32")


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


def without_chances(gene: Gene) -> Gene:
    nothing = {"posterior": None, "cds_posterior": (), "intron_posterior": ()}
    utrs = {"utr5_posterior": (), "utr3_posterior": ()}
    bare = [dataclasses.replace(t, **nothing, **utrs) for t in gene.transcripts]
    return dataclasses.replace(gene, transcripts=tuple(bare), posterior=None)


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
    monkeypatch.setattr("augustus_dl.network.shape.Sizes.flank", 0)
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


def shortest_intron(found: list[Gene]) -> int:
    chains = [gene.transcripts[0].cds for gene in found]
    return min(b[0] - a[1] for cds in chains for a, b in itertools.pairwise(cds))


def test_the_shortest_intron_of_hints_only_lowers_that_of_genes(profile: Profile) -> None:
    text = sequence(60_000)
    found = genes(profile, text)
    assert shortest_intron(found) == 30
    assert genes(profile, text, min_intron=39) == found
    assert shortest_intron(genes(profile, text, min_intron=9)) in range(9, 20)
    config = decoder_config(profile, PredictOptions(min_intron=1))
    assert config.min_intron == 4


def overlapping(found: list[Gene]) -> list[tuple[Gene, Gene]]:
    return [(a, b) for a, b in itertools.pairwise(found) if a.end > b.start]


def test_each_strand_by_itself(profile: Profile) -> None:
    text = sequence(40_000)
    profile = dataclasses.replace(profile, decoder={"gene_start": 25.0, "min_coding_length": 0})
    apart = genes(profile, text, singlestrand=True)
    for strand, sign in (("forward", "+"), ("backward", "-")):
        own = [gene for gene in apart if gene.strand == sign]
        assert own and own == genes(profile, text, strand=strand)
        assert own == genes(profile, text, strand=strand, singlestrand=True)
        assert not overlapping(own)
    assert overlapping(apart)
    firsts = [gene.transcripts[0].cds[0] for gene in apart]
    assert firsts == sorted(firsts)


def test_strands_are_searched_in_step(profile: Profile) -> None:
    """Else one of them would have to wait with all scores of a chromosome."""
    read = {"forward": 0, "backward": 0}

    def watched(stretches: Iterator[Stretch], track: DecoderConfig) -> Iterator[Stretch]:
        for stretch in stretches:
            read[track.strand] += 1
            assert abs(read["forward"] - read["backward"]) <= 2
            yield stretch

    codes = base_codes(sequence(40_000))
    engine = open_engine(profile.model, profile.clade, "cpu", 2048)
    config = decoder_config(profile, PredictOptions(singlestrand=True))
    masked = np.zeros(len(codes), dtype=bool)
    assert list(loci_of(codes, masked, engine, config, stages=[watched]))
    assert read == {"forward": 20, "backward": 20}


@pytest.mark.parametrize("singlestrand", [False, True])
def test_scores_are_let_go(profile: Profile, singlestrand: bool) -> None:
    """Memory is bounded by a few windows, not by the sequence."""
    seen: list[weakref.ref] = []
    alive: list[int] = []

    def watched(stretches: Iterator[Stretch], track: DecoderConfig) -> Iterator[Stretch]:
        for stretch in stretches:
            seen.append(weakref.ref(stretch.scores))
            yield stretch
            alive.append(sum(reference() is not None for reference in seen))

    codes = base_codes(sequence(80_000))
    engine = open_engine(profile.model, profile.clade, "cpu", 2048)
    config = decoder_config(profile, PredictOptions(singlestrand=singlestrand))
    masked = np.zeros(len(codes), dtype=bool)
    assert list(loci_of(codes, masked, engine, config, stages=[watched]))
    assert len(seen) >= 40
    assert max(alive) <= 8


def test_stages_see_and_change_scores(profile: Profile) -> None:
    """Here they forbid genes on the second half of a part of the sequence."""
    codes = base_codes(sequence(30_000))
    masked = np.zeros(len(codes), dtype=bool)
    engine = open_engine(profile.model, profile.clade, "cpu", 2048)
    config = decoder_config(profile, PredictOptions())

    def barred(stretches: Iterator[Stretch], track: DecoderConfig) -> Iterator[Stretch]:
        assert track == config
        for scores, bases, start in stretches:
            assert np.array_equal(bases, codes[1_001 + start :][: len(scores)])
            wide = scores.astype(np.int32)
            wide[max(13_999 - start, 0) :, 0] += 1 << 20
            yield Stretch(wide, bases, start)

    found = list(chain(*loci_of(codes, masked, engine, config, (1_001, 29_000), [barred])))
    assert len(found) > 10
    assert min(t.start for t in found) < 3_000
    assert 13_000 < max(t.end for t in found) <= 15_000


@pytest.mark.parametrize("sample", [0, 3])
def test_untranslated_regions(profile: Profile, sample: int) -> None:
    """They belong to the genes that are found without them, and windows don't matter."""
    text = sequence(60_000)
    chosen = {"utr": True, "alternatives": AlternativeOptions(sample=sample)}
    found = genes(profile, text, **chosen)
    again = genes(profile, text, window=4_096, **chosen)
    assert [without_chances(gene) for gene in again] == [without_chances(gene) for gene in found]
    if sample:
        chances = [[gene.posterior for gene in one] for one in (found, again)]
        assert np.allclose(*chances, atol=0.02)
    transcripts = [t for gene in found for t in gene.transcripts]
    assert sum(bool(t.utr5) for t in transcripts) > 20
    assert sum(bool(t.utr3) for t in transcripts) > 20
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
    bare = [
        dataclasses.replace(
            gene,
            transcripts=tuple(
                dataclasses.replace(
                    t,
                    utr5=(),
                    utr3=(),
                    utr5_posterior=(),
                    utr3_posterior=(),
                    tss=False,
                    tts=False,
                    start=-1 if t.left_utr else t.start,
                    end=-1 if t.right_utr else t.end,
                )
                for t in gene.transcripts
            ),
        )
        for gene in found
    ]
    assert bare == genes(profile, text, alternatives=chosen["alternatives"])
    part = genes(profile, text, range=(20_000, 40_000), **chosen)
    assert all(gene.start >= 20_000 and gene.end <= 40_000 for gene in part)
    assert any(t.utr5 for gene in part for t in gene.transcripts)


def test_numbers_of_genes(profile: Profile) -> None:
    text = sequence(20_000)
    complete = genes(profile, text, genemodel="complete")
    assert len(complete) > 1
    assert genes(profile, text, genemodel="atleastone") == complete
    (one,) = genes(profile, text, genemodel="exactlyone")
    assert one.transcripts[0].complete5 and one.transcripts[0].complete3
    barren = dataclasses.replace(profile, decoder={**profile.decoder, "gene_start": -1e5})
    assert genes(barren, text, genemodel="complete") == []
    (forced,) = genes(barren, text, genemodel="atleastone")
    assert [forced] == genes(barren, text, genemodel="exactlyone") == [one]
    assert genes(barren, text, genemodel="atleastone", min_coding_length=9_999) == []
    assert genes(profile, b"A" * 900, genemodel="atleastone") == []


def test_bacterial_genes(profile: Profile) -> None:
    text = sequence(200_000)
    asked = {"genemodel": "bacterium", "translation_table": 11, "min_coding_length": 30}
    found = genes(profile, text, **asked)
    codes = base_codes(text)
    starts = set()
    for gene in found:
        (transcript,) = gene.transcripts
        assert len(transcript.cds) == 1
        assert faults(transcript, codes, genetic_code(11)) == []
        if transcript.complete5 and gene.strand == "+":
            starts.add(text[gene.start : gene.start + 3])
    assert {b"ATG", b"GTG", b"TTG"} <= starts
    for sign in "+-":
        pairs = overlapping([gene for gene in found if gene.strand == sign])
        assert pairs and max(a.end - b.start for a, b in pairs) <= 60
        fewer = genes(profile, text, max_overlap=1, **asked)
        pairs = overlapping([gene for gene in fewer if gene.strand == sign])
        assert pairs and {a.end - b.start for a, b in pairs} == {1}


def test_a_range_is_predicted_with_its_surroundings_in_view(profile: Profile) -> None:
    text = sequence(40_000)
    start, end = 10_001, 30_003
    found = genes(profile, text, range=(start, end))
    assert found[0].start == start and found[-1].end == end  # genes cut by the ends of the range
    codes, masked = base_codes(text), np.zeros(len(text), dtype=bool)
    engine = open_engine(profile.model, profile.clade, "cpu", 16_384)
    config = decoder_config(profile, PredictOptions())
    windows = cut(codes, masked, engine.core, engine.flank)
    scores = np.concatenate(list(stitch(engine.scores(windows, config.label_weights()))))
    path = viterbi(scores[start:end], codes[start:end], config)
    expected = [transcript.shifted(start) for transcript in parse([path], config)]
    assert [gene.transcripts[0] for gene in found] == expected
    alone = genes(profile, text[start:end])
    assert [gene.transcripts[0].shifted(start) for gene in alone] != expected


def test_a_range_is_part_of_the_first_contig(profile: Profile) -> None:
    contigs = [Contig("a", sequence(3_000)), Contig("b", sequence(2_000))]

    def names(*asked: int | None) -> list[str]:
        options = PredictOptions(device="cpu", range=asked)
        return [contig.name for contig, _ in predict(contigs, profile, options)]

    assert names(0, None) == names(0, 3_000) == ["a", "b"]  # all of it: no range, as in AUGUSTUS
    assert names(1, None) == names(0, 2_999) == names(0, 3_001) == names(-1, 3_000) == ["a"]
    assert prediction_span(3_000, (-5, 9_999)) == (0, 3_000)
    assert prediction_span(3_000, (7, None)) == (7, 3_000)
    with pytest.raises(OptionError, match=r"predictionStart \(3001\) is larger than sequence "):
        names(3_000, None)
    with pytest.raises(OptionError, match=r"predictionEnd \(100\) is smaller than predictionStart"):
        names(499, 100)


def test_unknown_gene_models_are_refused(profile: Profile) -> None:
    with pytest.raises(OptionError, match="Unknown value for parameter genemodel: foo"):
        decoder_config(profile, PredictOptions(genemodel="foo"))


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
    config = decoder_config(profile, PredictOptions(sense_stops=("TGA",), singlestrand=True))
    assert config.code().stops == {"TAA", "TAG"} and config.singlestrand
    assert decoder_config(profile, PredictOptions(genemodel="bacterium")).max_overlap == 60
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


def test_contigs_are_read_one_at_a_time(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an engine that works on one at a time."""
    monkeypatch.setenv("AUGUSTUS_DL_ENGINE", "torch")
    read = []

    def source() -> Iterator[Contig]:
        for name in "abc":
            read.append(name)
            yield Contig(name, sequence(500))

    answers = predict(source(), profile, PredictOptions(device="cpu"))
    assert read == []
    next(answers)
    assert read == ["a"]


def test_short_contigs_have_the_genes_they_have_alone(profile: Profile) -> None:
    parts = [Contig(f"c{i}", sequence(2_000 + 700 * i)) for i in range(6)]
    options = PredictOptions(device="cpu", window=4_096)
    together = [found for _, found in predict(parts, profile, options)]
    alone = [found for part in parts for _, found in predict([part], profile, options)]
    assert together == alone and sum(map(len, together)) > 10


class Watched(Contig):
    """A contig that can be referred to weakly."""


def test_contigs_are_let_go(profile: Profile) -> None:
    """Memory does not grow with their number."""
    letters, alive = sequence(1_000), weakref.WeakSet()

    def many() -> Iterator[Contig]:
        for number in range(200):
            contig = Watched(str(number), letters)
            alive.add(contig)
            yield contig
            del contig

    counts = []
    for contig, _ in predict(many(), profile, PredictOptions(device="cpu", window=1_024)):
        counts.append(len(alive))
        del contig
    assert len(counts) == 200
    assert max(counts) < 100
