"""Fitting the model behind --species=auto.

python -m pytest tests/benchmarks/test_species_choice.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augustus_dl.gene_statistics import WIDTH
from augustus_dl.io.fasta import Contig
from augustus_dl.species_choice import CladeModel
from benchmarks.species_choice import (
    CLADES,
    Calibration,
    Fit,
    Genome,
    calibrated,
    outcomes,
    read_counts,
    recipe_clades,
    stretches,
    write_counts,
)


@pytest.fixture(scope="module")
def genomes() -> list[Genome]:
    """Three genera of each of three clades, which differ in codons, and one odd genus."""
    rng = np.random.default_rng(1)
    usual = {clade: rng.dirichlet(np.ones(64)) for clade in ("plants", "fungi", "animals")}
    found = []
    for clade, codons in usual.items():
        for number in range(3):
            counts = np.zeros((4, WIDTH))
            own = 0.9 * codons + 0.1 * rng.dirichlet(np.ones(64))
            counts[:, :64] = rng.multinomial(2000, own, size=4)
            found.append(Genome(f"{clade}{number}", clade, f"G{clade}{number}", True, counts))
    return found


def test_a_genus_is_known_by_its_relatives(genomes: list[Genome]) -> None:
    fit = Fit(genomes)
    logits = fit.left_out()
    assert (logits.argmax(1) == fit.clade).all()
    likely = calibrated(fit, logits).probabilities(logits)
    assert (outcomes(likely, fit.clade) == 0).all()


def test_a_lone_genus_of_its_clade_cannot_be_known(genomes: list[Genome]) -> None:
    fit = Fit(genomes[:4])  # plants, and one of fungi
    logits = fit.left_out()
    assert (logits[fit.clade == CLADES.index("fungi")].argmax(1) == CLADES.index("plants")).all()


def test_models_are_written_and_read(genomes: list[Genome]) -> None:
    fit = Fit(genomes)
    model = CladeModel.from_text(fit.model(np.ones(len(fit.of), dtype=bool)).to_text())
    for genome in genomes:
        assert next(iter(model.probabilities(genome.counts.sum(0)))) == genome.clade


def test_weights_are_even_over_clades_and_genera(genomes: list[Genome]) -> None:
    fit = Fit([*genomes, Genome("more", "plants", "Gplants0", True, genomes[0].counts)])
    weights = fit.weights(np.ones(len(fit.of), dtype=bool))
    for clade in ("plants", "fungi", "animals"):
        assert weights[fit.clade == CLADES.index(clade)].sum() == pytest.approx(1)
    assert weights[fit.genus == "Gplants0"].sum() == pytest.approx(1 / 3)


def test_a_calibration_is_that_of_the_model(genomes: list[Genome]) -> None:
    fit, calibration = Fit(genomes), Calibration(0.5, 0.1)
    everything = np.ones(len(fit.of), dtype=bool)
    plain, model = fit.model(everything), fit.model(everything, calibration)
    logits = fit.ratios @ plain.weights + plain.bias
    expected = calibration.probabilities(logits)[0]
    found = model.probabilities(genomes[0].counts.sum(0))
    assert [found[clade] for clade in CLADES] == pytest.approx(expected, abs=1e-3)


def test_outcomes_weigh_what_is_sure() -> None:
    plants, animals = CLADES.index("plants"), CLADES.index("animals")
    likely = np.full((4, len(CLADES)), 0.01)
    likely[0, plants] = likely[1, plants] = likely[3, animals] = 0.92
    likely[2, plants] = 0.5
    found = outcomes(likely, np.array([plants, animals, plants, animals]))
    assert found.tolist() == [0, 2, 1, 0]


def test_counts_are_kept(genomes: list[Genome], tmp_path: Path) -> None:
    write_counts(genomes, tmp_path / "c.npz")
    for kept, genome in zip(read_counts(tmp_path / "c.npz"), genomes, strict=True):
        assert (kept.name, kept.clade, kept.genus, kept.real) == (
            genome.name,
            genome.clade,
            genome.genus,
            True,
        )
        assert np.array_equal(kept.counts, genome.counts)


def test_only_named_stretches_are_read() -> None:
    found = [*stretches([Contig("a", b"ACGTACGT"), Contig("b", b"GG")], {"a": [(1, 3), (5, 8)]})]
    assert found == [Contig("a:1", b"CG"), Contig("a:5", b"CGT")]


def test_recipes_tell_clades() -> None:
    assert recipe_clades()["animals/celegans_WS220_genome"] == "nematodes"
