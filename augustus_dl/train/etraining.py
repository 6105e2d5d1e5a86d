"""What `etraining` does to a species folder: a network for it, from a cache or fine-tuned.

Each training leaves a folder `weights-<digest>` in the species folder, named by the data and
settings it depends on. Where the folder is there already, training again means pointing to it.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from augustus_dl import __version__
from augustus_dl.engine.torch import choose_device
from augustus_dl.errors import AugustusError, OptionError, TrainingError
from augustus_dl.gene import Gene
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import Profile, find_parent, shipped_species
from augustus_dl.train.finetune import Recipe, finetune, nearest_checkpoint
from augustus_dl.train.species_folder import point_to, put_network, put_parent
from augustus_dl.train.training_genes import TrainingGenes, collect_records

__all__ = ["FROM", "MINUTES", "train_species"]

MINUTES, FROM = "AUGUSTUS_DL_ETRAINING_MINUTES", "AUGUSTUS_DL_ETRAINING_FROM"
"""Environment variables: the budget of time, and the clade, species or folder to start from."""
_DEFAULT_MINUTES = 5.0
_FEWEST_TO_CHOOSE = 10
"""With fewer genes nothing can be said about which checkpoint is nearest."""

_LOG = logging.getLogger(__name__)


def train_species(
    folder: Path,
    species: str,
    records: Sequence[tuple[Contig, Sequence[Gene]]],
    table: int,
    environment: Mapping[str, str],
) -> None:
    """Give a species folder the best network that these genes lead to.

    That is a fine-tuned one, or where there are too few genes or it would be worse the nearest
    checkpoint itself. With fewer than ten genes the folder stays as it is, and a general checkpoint
    answers. What was done is logged as a warning.

    Raises:
        OptionError: an environment variable makes no sense.
        TrainingError: the folder cannot be written to.
    """
    began, minutes = time.monotonic(), _minutes(environment)
    try:
        genes = collect_records(records, genetic_code(table), species)
    except AugustusError as error:
        _LOG.warning("no network is trained: %s", error)
        return
    if genes.kept < _FEWEST_TO_CHOOSE:
        _LOG.warning("no network is trained: only %d usable genes", genes.kept)
        return
    digest = _digest(genes, minutes, environment.get(FROM, ""))
    if point_to(folder, species, digest):
        return
    device = choose_device("auto")
    parent = _parent(species, genes, environment.get(FROM, ""), device)
    with tempfile.TemporaryDirectory(prefix="augustus-dl-") as scratch:
        try:
            recipe = Recipe(minutes=minutes)
            outcome = finetune(genes, parent, species, recipe, Path(scratch), device, began=began)
        except TrainingError as error:
            put_parent(folder, species, parent, digest)
            _LOG.warning("the checkpoint %s answers for %s: %s", parent.name, species, error)
            return
        if outcome.is_worse:
            put_parent(folder, species, parent, digest)
            _LOG.warning(
                "the checkpoint %s answers for %s: fine-tuned to %d genes it was worse",
                parent.name,
                species,
                outcome.trained,
            )
            return
        put_network(folder, species, outcome, parent, digest)


def _minutes(environment: Mapping[str, str]) -> float:
    text = environment.get(MINUTES, "")
    try:
        minutes = float(text) if text else _DEFAULT_MINUTES
    except ValueError:
        minutes = 0.0
    if not minutes > 0:
        raise OptionError(f"{MINUTES}={text} is no number of minutes")
    return minutes


def _parent(species: str, genes: TrainingGenes, name: str, device: torch.device) -> Profile:
    """The checkpoint to start from: the one named, the one of a species that AUGUSTUS knows, or the
    nearest."""
    if name:
        return find_parent(name)
    if species in shipped_species():
        return find_parent(shipped_species()[species].clade)
    return nearest_checkpoint(genes, device)


def _digest(genes: TrainingGenes, *settings: object) -> str:
    """Of everything that a training depends on."""
    whole = hashlib.sha256(repr((__version__, *settings)).encode())
    for piece in genes.pieces:
        whole.update(repr((piece.name, piece.genetic_code)).encode())
        for track in (piece.codes, piece.labels, np.packbits(piece.soft)):
            whole.update(track.tobytes())
    return whole.hexdigest()[:12]
