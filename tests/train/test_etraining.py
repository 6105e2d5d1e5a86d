"""What etraining leaves in a species folder: a network, its parent, or nothing.

python -m pytest tests/train/test_etraining.py
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from augustus_dl.errors import OptionError, TrainingError
from augustus_dl.gene import Gene
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import find_profile
from augustus_dl.train import etraining
from augustus_dl.train.etraining import FROM, MINUTES, train_species
from augustus_dl.train.finetune import Outcome
from augustus_dl.train.species_folder import point_to, put_parent

Records = list[tuple[Contig, list[Gene]]]


@pytest.fixture
def species(tmp_path: Path) -> Path:
    """A folder as new_species.pl leaves it."""
    folder = tmp_path / "config/species/mine"
    folder.mkdir(parents=True)
    (folder / "mine_parameters.cfg").write_text("introns off\n")
    return folder


@pytest.fixture
def records(toy_contig: Callable[..., tuple[Contig, list[Gene]]]) -> Records:
    return [toy_contig(f"c{seed}", seed, 1) for seed in range(12)]


@pytest.fixture
def parent(toy_folder: Path) -> dict[str, str]:
    return {FROM: os.path.join(toy_folder, "")}


def found(species: Path) -> dict:
    return json.loads((species / "mine_dl.json").read_text())


def test_few_genes_get_a_copy_of_the_parent(
    species: Path, records: Records, parent: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    train_species(species, "mine", records, 1, parent)
    profile = find_profile("mine", species.parents[1])
    assert profile.parameters == {"introns": "off"}
    assert (profile.status, profile.clade) == ("far relative", "yeasts")
    assert profile.decoder["gene_start"] == 12.0 and profile.model.parent == species
    assert "the checkpoint toy answers for mine: 12 usable genes are too few" in caplog.text


def test_fewer_than_ten_leave_all_as_it_is(
    species: Path, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    train_species(species, "mine", records[:9], 1, {})
    train_species(species, "mine", [(records[0][0], [])], 1, {})
    assert [path.name for path in species.iterdir()] == ["mine_parameters.cfg"]
    assert "only 9 usable genes" in caplog.text and "no valid gene" in caplog.text


def test_a_second_call_is_answered_from_the_cache(
    species: Path, records: Records, parent: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_species(species, "mine", records, 1, parent)
    first = found(species)
    train_species(species, "mine", records[:11], 1, parent)
    second = found(species)
    assert first["model"] != second["model"]

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(etraining, "finetune", never)
    train_species(species, "mine", records, 1, parent)
    assert found(species) == first
    for change in (parent | {MINUTES: "7"}, {FROM: "fly"}):
        with pytest.raises(AssertionError, match="trained again"):
            train_species(species, "mine", records, 1, change)


def test_a_worse_network_is_not_used(
    species: Path,
    records: Records,
    parent: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scores = [{"gene": f1, "exon": 50.0} for f1 in (50.0, 49.0, 49.0)]
    outcome = Outcome(Path(), Path(), 200, 60, *scores, noise=1.0, report=None)
    monkeypatch.setattr(etraining, "finetune", lambda *_, **__: outcome)
    train_species(species, "mine", records, 1, parent)
    assert found(species)["status"] == "far relative"
    assert "fine-tuned to 200 genes it was worse" in caplog.text


def test_old_weights_go(species: Path, toy_folder: Path) -> None:
    profile = find_profile(os.path.join(toy_folder, ""))
    for number in range(6):
        put_parent(species, "mine", profile, str(number))
    assert len(list(species.glob("weights-*"))) == 4
    assert found(species)["model"] == "weights-5"
    assert point_to(species, "mine", "3") and found(species)["model"] == "weights-3"
    assert not point_to(species, "mine", "0")


@pytest.mark.parametrize("text", ["soon", "0", "-1"])
def test_a_budget_is_a_number(species: Path, records: Records, text: str) -> None:
    with pytest.raises(OptionError, match=f"{MINUTES}={text} is no number of minutes"):
        train_species(species, "mine", records, 1, {MINUTES: text})


def test_a_folder_that_cannot_be_written_to(
    species: Path, records: Records, parent: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("augustus_dl.train.species_folder.shutil.copyfile", full)
    with pytest.raises(TrainingError, match="No space left on device; what was there"):
        train_species(species, "mine", records, 1, parent)
    assert [path.name for path in species.iterdir()] == ["mine_parameters.cfg"]
