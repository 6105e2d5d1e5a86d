"""Synthetic genomes: valid genes, exact labels, and the statistics of the model they come from.

python -m pytest tests/train/test_synthesis.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.errors import TrainingError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import coding_bases, genetic_code
from augustus_dl.io.species_parameters import SpeciesParameters, read_species_parameters
from augustus_dl.labels import INTERGENIC, MASKED, from_labels, to_labels
from augustus_dl.train.background import FLANK, RealBackground
from augustus_dl.train.pack import Piece
from augustus_dl.train.synthesis import synthesize
from augustus_dl.train.truth import label_contig
from augustus_dl.validity import faults
from tests.augustus_config import write_config

CODE = genetic_code(1)
INSTALLED = Path("/usr/share/augustus/config")
A, C, G, T = range(4)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> SpeciesParameters:
    """The made-up species with one class of G+C content, so that its numbers can be compared."""
    parameters = read_species_parameters("toy", write_config(tmp_path_factory.mktemp("config")))
    return replace(parameters, contents=parameters.contents[:1])


@pytest.fixture(scope="module")
def pieces(toy: SpeciesParameters) -> list[Piece]:
    return list(synthesize(toy, "toy", "yeasts", 6_000_000, seed=1))


def plus_genes(pieces: list[Piece]) -> list[tuple[Transcript, np.ndarray]]:
    """Every gene as it reads on the plus strand, with its piece's bases in that direction."""
    genes = []
    for piece in pieces:
        other = reverse_complement(piece.codes)
        for transcript in from_labels(piece.labels):
            if transcript.strand == "+":
                genes.append((transcript, piece.codes))
            else:
                genes.append((transcript.mirrored(len(other)), other))
    return genes


def test_pieces_are_training_pieces_of_the_length_asked_for(pieces: list[Piece]) -> None:
    lengths = [len(piece.codes) for piece in pieces]
    assert 6_000_000 <= sum(lengths) < 6_050_000
    assert all(200_000 <= length < 450_000 for length in lengths[:-1])
    for piece in pieces:
        assert (piece.set, piece.clade, piece.weight) == ("synthetic_toy", "yeasts", 1.0)
        assert not piece.validation and not piece.soft.any() and piece.codes.max() == T
        assert (piece.utr == MASKED).all()
    assert len({piece.name for piece in pieces}) == len(pieces)


def test_all_genes_are_valid_and_their_labels_exact(pieces: list[Piece]) -> None:
    strands = Counter()
    for piece in pieces:
        transcripts = from_labels(piece.labels)
        strands.update(transcript.strand for transcript in transcripts)
        genes = [Gene(piece.name, t.strand, (t,)) for t in transcripts]
        for transcript in transcripts:
            assert transcript.complete5 and transcript.complete3
            assert not faults(transcript, piece.codes, CODE)
        assert np.array_equal(label_contig(genes, [], piece.codes, CODE), piece.labels)
        assert np.array_equal(to_labels(transcripts, len(piece.codes)), piece.labels)
    assert strands["+"] + strands["-"] > 900
    assert 0.45 < strands["+"] / strands.total() < 0.55


def test_the_same_seed_gives_the_same_genome(toy: SpeciesParameters) -> None:
    one, again, other = (
        [piece.codes for piece in synthesize(toy, "toy", "yeasts", 30_000, seed)]
        for seed in (7, 7, 8)
    )
    assert all(map(np.array_equal, one, again))
    assert not np.array_equal(one[0][:1000], other[0][:1000])


def test_codons_follow_the_chain(toy: SpeciesParameters, pieces: list[Piece]) -> None:
    """Frequencies in single exons, where no splice site interferes."""
    counts = np.zeros((3, 16, 4))
    for transcript, codes in plus_genes(pieces):
        if len(transcript.cds) == 1:
            coding = coding_bases(transcript, codes).astype(int)
            at = np.arange(9, len(coding) - 3)
            np.add.at(counts, (at % 3, coding[at - 2] * 4 + coding[at - 1], coding[at]), 1)
    chain = toy.contents[0].coding
    assert counts.sum() > 40_000
    assert deviation(counts, chain) < 0.05
    assert deviation(counts, np.roll(chain, 1, axis=0)) > 0.3


def test_motifs_follow_their_chains(toy: SpeciesParameters, pieces: list[Piece]) -> None:
    content = toy.contents[0]
    before_start, before_acceptor = np.zeros((4, 4, 4)), np.zeros((5, 4, 4))
    for transcript, codes in plus_genes(pieces):
        for i in range(4):
            at = transcript.start - 4 + i
            before_start[i, codes[at - 1], codes[at]] += 1
        for _, end in transcript.introns:
            for i in range(5):
                at = end - 9 + i
                before_acceptor[i, codes[at - 1], codes[at]] += 1
    assert deviation(before_start, content.start_motif) < 0.1
    assert deviation(before_acceptor, content.acceptor_motif) < 0.1


def deviation(counts: np.ndarray, chain: np.ndarray) -> float:
    """Sum over the four bases of deviations from a chain, on average over what was counted."""
    expected = counts.sum(axis=-1, keepdims=True) * chain
    return np.abs(counts - expected).sum() / counts.sum()


def test_splice_sites_start_and_stop_follow_the_model(
    toy: SpeciesParameters, pieces: list[Piece]
) -> None:
    """Donor and acceptor patterns within 0.015, stop codons within 0.05 of their probability."""
    donors, acceptors, stops = np.zeros(256), np.zeros(64), Counter()
    for transcript, codes in plus_genes(pieces):
        stops["".join("ACGT"[code] for code in coding_bases(transcript, codes)[-3:])] += 1
        for start, end in transcript.introns:
            assert codes[start : start + 2].tolist() == [G, T]
            assert codes[end - 2 : end].tolist() == [A, G]
            donors[number([*codes[start - 2 : start], *codes[start + 2 : start + 4]])] += 1
            acceptors[number([*codes[end - 4 : end - 2], codes[end]])] += 1
    np.testing.assert_allclose(donors / donors.sum(), toy.donor.probability, atol=0.015)
    np.testing.assert_allclose(acceptors / acceptors.sum(), toy.acceptor.probability, atol=0.015)
    for codon, share in toy.stops.items():
        assert stops[codon] / stops.total() == pytest.approx(share, abs=0.05)


def number(codes: list[int]) -> int:
    return int("".join(map(str, codes)), 4)


def test_lengths_follow_the_model(pieces: list[Piece]) -> None:
    """Means of uniform lengths within 5 %; shares within 0.05."""
    genes = [transcript for transcript, _ in plus_genes(pieces)]
    exons = [[end - start for start, end in transcript.cds] for transcript in genes]
    single = [lengths[0] for lengths in exons if len(lengths) == 1]
    internal = [length for lengths in exons for length in lengths[1:-1]]
    assert np.mean(single) == pytest.approx(120, rel=0.05)  # uniform from 60 to 180
    assert (min(internal), max(internal)) == (30, 60)
    assert np.mean(internal) == pytest.approx(45, rel=0.05)
    assert len(single) / len(genes) == pytest.approx(0.5, abs=0.05)
    introns = np.array([b - a for transcript in genes for a, b in transcript.introns])
    assert introns.min() >= 21 and (introns <= 40).mean() == pytest.approx(0.5, abs=0.05)
    assert introns[introns > 40].mean() == pytest.approx(141, rel=0.15)  # 40 and 100 more


def real_piece(validation: bool = False, base: int = C) -> Piece:
    """Soft-masked intergenic bases all alike, an intron of G, and doubtful A and T."""
    text = b"ATGGCC" + b"GTAAGT" + b"G" * 900 + b"T" * 36 + b"AG" + b"GCCTAA"
    gene = base_codes(text)
    between = np.full(6000, base, dtype=np.uint8)
    doubtful = np.full(3000, A, dtype=np.uint8)
    codes = np.concatenate([between, gene, between, doubtful, between])
    labels = to_labels([Transcript("+", ((6000, 6006), (6950, 6956)))], len(codes))
    labels[12956:15956] = MASKED
    return Piece(
        name="real",
        set="real",
        clade="yeasts",
        weight=1.0,
        genetic_code=1,
        validation=validation,
        codes=codes,
        soft=labels == INTERGENIC,
        labels=labels,
        utr=np.full(len(codes), MASKED, dtype=np.uint8),
    )


def test_a_real_background_is_intergenic_or_intron_by_label(toy: SpeciesParameters) -> None:
    real = [real_piece(), real_piece(validation=True, base=T)]
    background = RealBackground(real, toy.contents)
    found = list(synthesize(toy, "toy", "yeasts", 300_000, 3, background))
    motif, inside = 4, 0
    for piece in found:
        between = piece.labels == INTERGENIC
        assert (piece.codes[between] == C).mean() > 0.6 and piece.soft[between].mean() > 0.9
        assert not piece.soft[~between].any()
        for transcript in from_labels(piece.labels):
            assert not faults(transcript, piece.codes, CODE)
    for transcript, codes in plus_genes(found):
        assert (codes[transcript.start - FLANK : transcript.start - motif] == C).all()
        assert (codes[transcript.end : transcript.end + FLANK] == C).all()
        for start, end in transcript.introns:
            assert (codes[start + 4 : end - 9] == G).all()
            inside += end - start
    assert inside > 1000


def test_a_background_without_introns_is_refused(toy: SpeciesParameters) -> None:
    with pytest.raises(TrainingError, match="no intergenic or no intron sequence"):
        RealBackground([real_piece(validation=True)], toy.contents)


def test_parameters_without_a_possible_exon_are_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    path = config / "species" / "toy" / "toy_parameters.cfg"
    path.write_text(path.read_text().replace("min_coding_len 60", "min_coding_len 600"))
    parameters = read_species_parameters("toy", config)
    with pytest.raises(TrainingError, match="allow no exon or no intron of 600 bases"):
        list(synthesize(parameters, "toy", "yeasts", 1000, 1))


@pytest.mark.skipif(not (INSTALLED / "species").is_dir(), reason="AUGUSTUS is not installed")
def test_the_installed_human_model() -> None:
    """All genes are valid; the mean internal exon is the model's within 10 %."""
    human = read_species_parameters("human", INSTALLED)
    found = list(synthesize(human, "human", "vertebrates", 3_000_000, 1))
    genes = [(t, piece.codes) for piece in found for t in from_labels(piece.labels)]
    assert len(genes) > 80
    assert not any(faults(transcript, codes, CODE) for transcript, codes in genes)
    internal = [end - start for t, _ in genes for start, end in t.cds[1:-1]]
    share = human.exon_length[2]
    mean = (share * np.arange(len(share))).sum() / share.sum()
    assert np.mean(internal) == pytest.approx(mean, rel=0.1)
