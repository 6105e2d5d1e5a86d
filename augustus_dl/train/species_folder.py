"""The folder of a fine-tuned species: how a network gets into it, and stays usable meanwhile.

Weights lie in `weights-<digest>` beside `<name>_dl.json`, which points to them. They are there
whole before that file is replaced, in one step; until then the network that was there answers. A
folder of weights is a species profile by itself, so that it can be pointed to again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from augustus_dl.errors import TrainingError
from augustus_dl.profile import Profile, find_profile
from augustus_dl.profile_files import write_profile
from augustus_dl.train.finetune import Outcome

__all__ = ["point_to", "put_network", "put_parent"]

_WEIGHTS = "weights-"
_MODEL = ("config.json", "model.safetensors", "tokenizer.json")
_KEPT = 4
"""Folders of weights in a species folder; older ones go."""


def put_network(
    folder: Path, species: str, outcome: Outcome, parent: Profile, digest: str = ""
) -> None:
    """Make a species folder answer with a fine-tuned network; its cfg stays if there is one.

    Args:
        digest: names the weights; by default they name themselves.

    Raises:
        TrainingError: it cannot be written; what was there is still in use.
    """
    weights = outcome.model / "model.safetensors"
    digest = digest or hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    with _new(folder, species, digest) as part:
        _copy(outcome.model, part)
        shutil.copyfile(outcome.plot, part / "curves.png")
        outcome.report.write(part)
        card = _model_card(species, outcome, parent)
        (part / "README.md").write_text(card, encoding="utf-8")
        write_profile(
            part,
            species,
            clade=parent.clade,
            decoder={**parent.decoder, **outcome.report.decoder},
            status="trained on this species",
            beats_augustus=None,
            scores=_scores(outcome, parent),
            accurate=parent.accurate,
            parameters={"translation_table": str(outcome.report.constants.genetic_code)},
        )


def put_parent(folder: Path, species: str, parent: Profile, digest: str) -> None:
    """Make a species folder answer with a copy of another profile's network.

    Raises:
        TrainingError: as `put_network`.
    """
    with _new(folder, species, digest) as part:
        _copy(parent.model, part)
        write_profile(
            part,
            species,
            clade=parent.clade,
            decoder=parent.decoder,
            status="far relative",
            beats_augustus=None,
            scores={"parent": parent.name},
            accurate=parent.accurate,
        )


def point_to(folder: Path, species: str, digest: str) -> bool:
    """Make a species folder answer with weights that it has already; False where it has not.

    Raises:
        TrainingError: it cannot be written.
    """
    place = folder / f"{_WEIGHTS}{digest}"
    if not place.is_dir():
        return False
    known = find_profile(os.path.join(place, ""))
    try:
        cfg = folder / f"{species}_parameters.cfg"
        write_profile(
            folder,
            species,
            clade=known.clade,
            decoder=known.decoder,
            status=known.status,
            beats_augustus=None,
            scores=known.scores,
            model=place.name,
            accurate=known.accurate,
            parameters=None if cfg.exists() else known.parameters,
        )
        os.utime(place)
    except OSError as error:
        raise _unwritten(species, folder, error) from error
    places = sorted(folder.glob(f"{_WEIGHTS}*"), key=lambda path: -path.stat().st_mtime)
    for old in places[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return True


@contextmanager
def _new(folder: Path, species: str, digest: str) -> Iterator[Path]:
    """A folder to write weights to, which are pointed to when the block ends well."""
    place = folder / f"{_WEIGHTS}{digest}"
    part = folder / f".{os.getpid()}.part.{place.name}"
    made = not folder.exists()
    try:
        part.mkdir(parents=True)
        yield part
        if place.exists():
            shutil.rmtree(place)
        os.rename(part, place)
    except OSError as error:
        raise _unwritten(species, folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    point_to(folder, species, digest)


def _unwritten(species: str, folder: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"the network of {species} cannot be written to {folder}: {error.strerror}; "
        "what was there before is still in use"
    )


def _copy(model: Path, part: Path) -> None:
    for name in _MODEL:
        if (model / name).exists():  # prediction needs no tokenizer
            shutil.copyfile(model / name, part / name)


def _scores(outcome: Outcome, parent: Profile) -> dict[str, Any]:
    """What was measured, as a profile keeps it."""
    return {
        "held_out_genes": outcome.held_out,
        "held_out_gene_f1": round(outcome.fitted["gene"], 2),
        "held_out_exon_f1": round(outcome.fitted["exon"], 2),
        "parent": parent.name,
        "parent_held_out_gene_f1": round(outcome.parent["gene"], 2),
        "parent_held_out_exon_f1": round(outcome.parent["exon"], 2),
    }


def _model_card(species: str, outcome: Outcome, parent: Profile) -> str:
    """README.md of the weights."""
    table = outcome.table().replace("\n", "\n    ")
    return f"""\
# {species}

Fine-tuned from the checkpoint `{parent.name}` (clade {parent.clade}) with augustus-dl, on {outcome.trained} genes.

## Scores

F1 in %:

    {table}

The {outcome.held_out} held-out genes were not trained on, but the best weights were chosen on them; in the last row each half of
them is decoded with constants fitted on the other half. Expect a little less on other genes. `reliability.png` shows
how often exons of a probability are right, `curves.png` loss and F1 during training, `constants.json` has the constants.

## Limits

Made for this species. Nothing was measured on other genes, nor beside AUGUSTUS. Untranslated regions were not trained.
"""  # noqa: E501
