"""Choosing a checkpoint for an unknown genome.

python -m pytest tests/test_species_choice.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl import species_choice
from augustus_dl.gene_statistics import TABLES, WIDTH, shares
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.predict import PredictOptions
from augustus_dl.profile import clades
from augustus_dl.species_choice import Choice, CladeModel, choose, clade_model, sample

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "fly_chr2R_500kb.fa.gz"


def genome(*lengths: int) -> list[Contig]:
    return [Contig(f"c{i}", length * b"A") for i, length in enumerate(lengths)]


def starts(pieces: list[Contig]) -> list[int]:
    return [int(piece.name.split(":")[1]) for piece in pieces]


# The sample


def test_of_a_short_genome_everything_is_taken() -> None:
    found = sample(genome(250_000, 10, 300))
    assert [piece.name for piece in found] == ["c0:0", "c0:100000", "c0:200000", "c1:0", "c2:0"]
    assert sum(len(piece.sequence) for piece in found) == 250_310


def test_of_a_long_genome_pieces_come_from_all_over_it() -> None:
    found = starts(sample(genome(64_000_000)))
    assert len(found) == 10
    gaps = np.diff(found)
    assert gaps.min() > 3_000_000 and gaps.max() < 10_000_000
    assert found[0] < 7_000_000 and found[-1] > 57_000_000


@given(st.lists(st.integers(1, 900_000), min_size=1, max_size=20))
def test_a_sample_is_about_as_long_as_it_should_be(lengths: list[int]) -> None:
    found = sample(genome(*lengths), 500_000)
    size = sum(len(piece.sequence) for piece in found)
    assert size <= 1_000_000
    if sum(lengths) <= 500_000:
        assert size == sum(lengths)
    else:
        assert size >= 100_000
    assert found == sample(genome(*lengths), 500_000)


def test_unknown_bases_are_no_sample() -> None:
    gap, half = Contig("gap", 100_000 * b"N"), Contig("half", 50 * b"N" + 50 * b"c")
    assert sample([gap, half]) == [Contig("half:0", half.sequence)]
    assert sample([gap]) == []


# The model


@pytest.fixture
def model() -> CladeModel:
    """Of two clades; the first has TAA, the second TAG as stop codon."""
    start = 0
    for name, table in TABLES.items():
        if name == "stops":
            break
        start += table.rows * table.columns
    weights = np.zeros((WIDTH, 2))
    weights[start], weights[start + 1] = (3, 0), (0, 3)
    return CladeModel(
        ("plants", "animals"), shares(np.zeros(WIDTH)), weights, np.zeros(2), 0.7, 0.0
    )


def stops(model: CladeModel, taa: int, tag: int) -> np.ndarray:
    counts = np.zeros(WIDTH)
    places = np.flatnonzero(model.weights.any(1))
    counts[places] = taa, tag
    return counts


def test_probabilities_follow_the_counts(model: CladeModel) -> None:
    found = model.probabilities(stops(model, 100, 0))
    assert list(found) == ["plants", "animals"]
    assert sum(found.values()) == pytest.approx(1)
    assert found["plants"] > 0.95
    assert model.probabilities(np.zeros(WIDTH)) == {"plants": 0.5, "animals": 0.5}


def test_doubt_is_shared_by_all_clades(model: CladeModel) -> None:
    found = replace(model, doubt=0.1).probabilities(stops(model, 10_000, 0))
    assert found == {
        "plants": pytest.approx(0.95, abs=1e-4),
        "animals": pytest.approx(0.05, abs=1e-4),
    }


def test_generic_stays_where_nothing_is_sure_or_no_checkpoint_knows_the_clade(
    model: CladeModel,
) -> None:
    assert model.species({"plants": 0.7, "animals": 0.3}) == "arabidopsis"
    assert model.species({"plants": 0.69, "animals": 0.31}) == "generic"
    assert model.species({"plants": 0.01, "animals": 0.99}) == "generic"


def test_the_text_of_a_model_is_read_back(model: CladeModel) -> None:
    odd = replace(model, doubt=0.1, weights=model.weights + np.pi, bias=np.array([0.1, -1 / 3]))
    read = CladeModel.from_text(odd.to_text())
    assert (read.clades, read.sure, read.doubt) == (odd.clades, odd.sure, odd.doubt)
    for name in ("usual", "weights", "bias"):
        np.testing.assert_allclose(getattr(read, name), getattr(odd, name), rtol=1e-4)


def test_a_model_of_other_tables_is_refused(model: CladeModel) -> None:
    with pytest.raises(ValueError, match="fit it again"):
        CladeModel.from_text(model.to_text().replace('"stops"', '"tops"'))


def test_the_shipped_model_knows_the_shipped_clades() -> None:
    model = clade_model()
    assert set(model.clades) <= set(clades())
    assert model.species(model.probabilities(np.zeros(WIDTH))) == "generic"
    text = (Path(species_choice.__file__).parents[1] / "species" / "choice.json").stat()
    assert text.st_size < 200_000


# The choice


def test_a_choice_says_how_sure_it_is() -> None:
    likely = {"fungi": 0.92, "yeasts": 0.05, "plants": 0.03}
    told = str(Choice("pneumocystis", likely, 12, 340_000))
    assert told == (
        "--species=auto chose pneumocystis: 12 genes in 0.34 Mb look like fungi "
        "(probability 0.92; yeasts 0.05)"
    )
    assert str(Choice("generic", likely | {"fungi": 0.4}, 1, 9)).endswith(", not sure enough")
    other = {"animals": 0.9, "plants": 0.1}
    assert str(Choice("generic", other, 1, 9)).endswith(
        "look like animals (probability 0.90; plants 0.10)"
    )


def test_without_genes_generic_is_chosen() -> None:
    found = choose([Contig("a", 3000 * b"T")], PredictOptions(device="cpu"))
    assert (found.species, found.genes, found.bases) == ("generic", 0, 3000)
    found = choose([Contig("n", 3000 * b"N")], PredictOptions(device="cpu"))
    assert (found.species, found.bases) == ("generic", 0)


@pytest.mark.slow
def test_the_fly_is_known() -> None:
    found = choose(contigs(EXAMPLE), PredictOptions(device="cpu"))
    assert found.species == "fly"
    assert next(iter(found.probabilities)) == "arthropods"
    assert found.genes > 30
