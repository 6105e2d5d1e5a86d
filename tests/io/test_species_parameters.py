"""AUGUSTUS's parameter files of a species.

python -m pytest tests/io/test_species_parameters.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augustus_dl.errors import InputError, SpeciesError
from augustus_dl.io.species_parameters import read_species_parameters
from tests.augustus_config import write_config

INSTALLED = Path("/usr/share/augustus/config")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "config")


def edit(config: Path, file: str, old: str, new: str) -> None:
    path = config / "species" / "toy" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_the_files_say_is_read(config: Path) -> None:
    toy = read_species_parameters("toy", config)
    np.testing.assert_allclose(toy.first_exon, [0.5, 0.2, 0.2, 0.1])
    np.testing.assert_allclose(toy.next_exon, [[0.2, 0.3, 0.2, 0.3]] * 3)
    assert toy.stops == {"TAG": 0.2, "TAA": 0.3, "TGA": 0.5}
    assert (toy.min_coding, toy.coding_start) == (60, 6)
    assert (toy.short_introns, toy.longer) == (0.5, 100)
    np.testing.assert_allclose(toy.intron_length, np.where(np.arange(41) > 20, 1 / 20, 0))
    assert toy.exon_length.shape == (4, 181)
    assert toy.exon_length[2, 29:32].tolist() == pytest.approx([0, 1000 / 31, 1000 / 31])
    assert (toy.donor.before, toy.donor.after, toy.acceptor.before, toy.acceptor.after) == (
        *(2, 2),
        *(2, 1),
    )
    assert toy.donor.probability[192:].tolist() == [0] * 64  # patterns not shown, t first
    assert [content.gc for content in toy.contents] == pytest.approx([0.2, 0.4])


def test_chains_sum_to_one_and_stand_in_their_place(config: Path) -> None:
    for content in read_species_parameters("toy", config).contents:
        assert content.coding.shape == content.coding_start.shape == (3, 16, 4)
        assert content.intron.shape == content.intergenic.shape == (1, 4, 4)
        assert content.start_motif.shape == (4, 4, 4)
        assert content.acceptor_motif.shape == (5, 4, 4)
        for chain in (content.coding, content.intron, content.acceptor_motif):
            np.testing.assert_allclose(chain.sum(axis=-1), 1)
        ta = 4 * 3 + 0
        assert content.coding[2, ta, [0, 2]].tolist() == [0, 0]
        assert (content.coding[:2] > 0).all()


def test_the_species_own_transitions_go_before_the_common_ones(config: Path) -> None:
    own = config / "species" / "toy" / "toy_trans_shadow_partial.pbl"
    own.write_text("[Transition]\n0 1 .3\n0 2 .1\n13 8 1\n18 8 1\n23 8 1\n")
    toy = read_species_parameters("toy", config)
    np.testing.assert_allclose(toy.first_exon, [0.75, 0.25, 0, 0])
    np.testing.assert_allclose(toy.next_exon, [[0, 0, 0, 1]] * 3)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("toy_intron_probs.pbl", "[DSS]", "[XSS]", r"has no section \[DSS\]"),
        ("toy_intron_probs.pbl", "aaaa\t", "aaaa\tx", r"section \[DSS\] is malformed"),
        ("toy_intron_probs.pbl", "aaaa\t", "naaa\t", r"section \[DSS\] is malformed"),
        ("toy_intron_probs.pbl", "0.5\n# mean\n100", "", r"\[TRANSITION\] of class \[1\] is malf"),
        ("toy_exon_probs.pbl", "[2]", "[3]", r"toy_intron_probs.pbl has no section \[EMISSION\] "),
        ("toy_exon_probs.pbl", "[TRANSINIT]\n# what\n4", "[TRANSINIT]\n5", "malformed"),
        ("toy_parameters.cfg", "dss_end 2", "dss_end 3", r"\[DSS\] have 4 bases, .* 2 \+ 3"),
        ("toy_parameters.cfg", "dss_end 2", "dss_end two", "/Constant/dss_end is no number"),
        ("toy_parameters.cfg", "/ExonModel/infile", "/Exon/infile", "does not say /ExonModel/inf"),
        ("toy_parameters.cfg", "toy_exon_probs", "nosuch", "nosuch.pbl does not exist"),
    ],
)
def test_faults_are_named(config: Path, file: str, old: str, new: str, message: str) -> None:
    edit(config, file, old, new)
    with pytest.raises(InputError, match=message):
        read_species_parameters("toy", config)


def test_species_that_cannot_be_had_are_named(config: Path) -> None:
    with pytest.raises(SpeciesError, match="has no species 'human' of AUGUSTUS; name the folder"):
        read_species_parameters("human", config)
    edit(config, "toy_parameters.cfg", "# made up", "translation_table 6")
    with pytest.raises(SpeciesError, match="toy of AUGUSTUS has a genetic code other than"):
        read_species_parameters("toy", config)


@pytest.mark.skipif(not (INSTALLED / "species").is_dir(), reason="AUGUSTUS is not installed")
@pytest.mark.parametrize("species", ["human", "fly", "arabidopsis"])
def test_installed_species_are_read(species: str) -> None:
    parameters = read_species_parameters(species, INSTALLED)
    donor = parameters.donor
    last = donor.probability.reshape(4 ** (donor.before - 1), 4, 4**donor.after).sum(axis=(0, 2))
    assert last.argmax() == 2  # most exons end with G
    assert 0.25 < parameters.contents[0].gc < 0.6
