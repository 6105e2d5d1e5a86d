"""Species profiles: where they are found, and which network answers for which species.

A species folder holds `<name>_parameters.cfg` (AUGUSTUS's syntax) and `<name>_dl.json`, which names
the folder with the weights. Folders of AUGUSTUS_CONFIG_PATH come first, then the user's own, then
the species shipped with the package: some folders, and the settings of all species of AUGUSTUS in
one table (`augustus_dl.catalogue`). A species without weights of its own is answered by the
checkpoint of its clade. Nothing here reads weights, and reading never writes.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from augustus_dl.catalogue import Species, catalogue, checkpoints
from augustus_dl.errors import ModelError, SpeciesError
from augustus_dl.profile_files import (
    FIELDS,
    OPTIONAL,
    STATUSES,
    cfg_name,
    json_name,
    model_folder,
    read_json,
    read_parameters,
)

__all__ = [
    "WEIGHTS",
    "Profile",
    "clade_profile",
    "clades",
    "find_parent",
    "find_profile",
    "organism",
    "shipped_species",
    "species_names",
    "species_table",
]

_LOG = logging.getLogger(__name__)

_NOTES = {
    True: "",
    False: " (AUGUSTUS finds more genes exactly)",
    None: " (not compared with AUGUSTUS)",
}
"""What `--species=help` says of a species with a checkpoint of its own, by `beats_augustus`."""

WEIGHTS = ("config.json", "model.safetensors")
"""Files of a model folder that a network is made of."""
_ANY_CLADE = "none"
"""Clade of a checkpoint that was trained on all of them and is told which one to predict for."""
_UNDIVIDED = ("animals", "eukaryotes")
"""Clades of the catalogue that no checkpoint is told: they hold several others."""
_GENERAL, _BACTERIAL = "eukaryotes", "prokaryotes"
"""Clades whose checkpoints answer for species that are in no table."""


@dataclass(frozen=True)
class Profile:
    """One species: its settings and the network that answers for it.

    Attributes:
        name: the species identifier.
        folder: where its cfg was found.
        model: folder with config.json, model.safetensors and tokenizer.json.
        parameters: keys and values of the cfg.
        decoder: fields of the decoder's configuration.
        clade: the clade whose genomes the network was trained on.
        status: one of STATUSES.
        beats_augustus: measured at gene level on this species' test sequences; None where it was
            not.
        scores: what was measured; there `gene_f1` and `augustus_gene_f1`, in percent.
        accurate: the constants of the decoder are for reading in both directions, which is then
            done unless the cfg says otherwise.
    """

    name: str
    folder: Path
    model: Path
    parameters: Mapping[str, str]
    decoder: Mapping[str, Any]
    clade: str
    status: str
    beats_augustus: bool | None
    scores: Mapping[str, Any] = field(default_factory=dict)
    accurate: bool = False

    @property
    def genetic_code(self) -> int:
        """NCBI id of the genetic code in the cfg; 1 when it says nothing.

        Raises:
            SpeciesError: the value is no number.
        """
        value = self.parameters.get("translation_table", "1")
        if not value.isdecimal():
            raise SpeciesError(
                f"{self.folder / cfg_name(self.name)}: translation_table {value!r} is no number"
            )
        return int(value)

    @property
    def predicts_utrs(self) -> bool:
        """Whether the network has a head for untranslated regions."""
        return bool(json.loads((self.model / "config.json").read_text()).get("utr", False))

    @property
    def config_folder(self) -> Path:
        """The folder that AUGUSTUS calls the config directory: it holds `species/`."""
        return self.folder.absolute().parent.parent


def find_profile(name: str, config_path: str | os.PathLike | None = None) -> Profile:
    """The profile of a species, or of a training run's folder.

    Looked for in `config_path` (else in the environment's AUGUSTUS_CONFIG_PATH) below `species/`,
    then in the user's folder, then among the shipped species, then as a path to a folder with a
    `*_dl.json`. A species folder made by AUGUSTUS alone keeps its settings; its name decides on the
    checkpoint, and a general one answers, with a warning, for names that are in no table.

    Raises:
        SpeciesError: no such species or config folder; incomplete or damaged profile. What AUGUSTUS
            prints before its message for an unknown species is a note on the exception.
        ModelError: the weights are not where the profile says.
    """
    if os.sep in name:
        return _run_folder(Path(name).expanduser())
    roots = _roots(config_path)
    for root in roots:
        if name and (root / name / cfg_name(name)).is_file():
            return _in_folder(name, root / name)
    shipped = _shipped()
    if shipped in roots and name in catalogue(shipped):
        species = catalogue(shipped)[name]
        return _answered(name, shipped / name, species.parameters, species.clade)
    if name and any(Path(name).glob("*_dl.json")):
        return _run_folder(Path(name))
    raise _unknown(name, roots)


def clades() -> list[str]:
    """Clades that a shipped checkpoint answers for."""
    return list(checkpoints(_shipped()))


def clade_profile(clade: str) -> Profile:
    """The shipped checkpoint that answers for a clade, under the name of its species.

    Raises:
        SpeciesError: there is no such clade.
    """
    if clade not in clades():
        raise SpeciesError(f"no checkpoint for clade {clade!r}; there are {', '.join(clades())}")
    name = checkpoints(_shipped())[clade]
    folder = _shipped() / name
    return _answered(name, folder, read_parameters(folder / cfg_name(name)), clade)


def find_parent(name: str) -> Profile:
    """What training may start from: the checkpoint of a clade, a species, or a run folder.

    Raises:
        SpeciesError, ModelError: as `find_profile`.
    """
    return clade_profile(name) if name in clades() else find_profile(name)


def shipped_species() -> Mapping[str, Species]:
    """The species of AUGUSTUS by name."""
    return catalogue(_shipped())


def species_names(config_path: str | os.PathLike | None = None) -> list[str]:
    """Names of all species that can be predicted, sorted.

    Raises:
        SpeciesError: the config folder does not exist.
    """
    return _names(_roots(config_path))


def species_table(config_path: str | os.PathLike | None = None) -> list[tuple[str, str]]:
    """Rows of `--species=help`: name, in parentheses when it is obsolete, and scientific name.

    Sorted by scientific name, as AUGUSTUS does; species that only the user has come last, with "".
    Behind the scientific name stands where a checkpoint of its own is not ahead of AUGUSTUS.

    Raises:
        SpeciesError: the config folder does not exist.
    """
    known = catalogue(_shipped())
    notes = _notes()
    rows = [
        (f"({name})" if row.obsolete else name, row.organism + notes.get(row.organism, ""))
        for name, row in known.items()
    ]
    return rows + [(name, "") for name in species_names(config_path) if name not in known]


def _notes() -> dict[str, str]:
    """The note on each organism with a checkpoint of its own, by scientific name."""
    folders = (path for path in _shipped().iterdir() if (path / json_name(path.name)).is_file())
    contents = {path.name: read_json(path / json_name(path.name)) for path in folders}
    return {organism(name): _NOTES[content["beats_augustus"]] for name, content in contents.items()}


def organism(name: str) -> str:
    """Scientific name of a species of AUGUSTUS, "" when it is not known."""
    species = catalogue(_shipped()).get(name)
    return species.organism if species else ""


@cache
def _shipped() -> Path:
    """The package's own species/ folder."""
    return Path(str(files("augustus_dl.species").joinpath("README.md"))).parent


def _own_folder() -> Path:
    """The user's folder of species, whether it exists or not: `$XDG_DATA_HOME/augustus-dl/species`,
    or the same in `~/.local/share`."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "augustus-dl" / "species"


def _roots(config_path: str | os.PathLike | None) -> list[Path]:
    """Folders that hold species folders, in the order of looking: those named, the user's, the
    package's.

    An empty path is taken at its word, as AUGUSTUS does: only `/species` is looked at.
    """
    chosen = os.environ.get("AUGUSTUS_CONFIG_PATH") if config_path is None else config_path
    usual = [*filter(Path.is_dir, [_own_folder()]), _shipped()]
    if chosen is None:
        return usual
    if not str(chosen):
        return [Path(os.sep, "species")]
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise SpeciesError(
            f"{folder}/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH."
        )
    return [folder / "species", *usual]


def _names(roots: list[Path]) -> list[str]:
    """Names of all species in these folders and, where the package's is among them, its table."""
    folders = {
        folder.name
        for root in roots
        if root.is_dir()
        for folder in root.iterdir()
        if (folder / cfg_name(folder.name)).is_file()
    }
    return sorted(folders.union(catalogue(_shipped()) if _shipped() in roots else ()))


def _unknown(name: str, roots: list[Path]) -> SpeciesError:
    """The error for a species that is nowhere, with the names that look like it."""
    names = {known.lower(): known for known in _names(roots)}
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    guess = f" (did you mean {' or '.join(names[match] for match in near)}?)" if near else ""
    error = SpeciesError(
        f"Species-specific configuration files not found in {roots[0]}/. "
        f'Type "augustus --species=help" to see available species.{guess}'
    )
    error.add_note(
        f"Could not find the config file {roots[0] / name / cfg_name(name)}.\n"
        f" Looking for {cfg_name(name)} in the configuration directory instead ... not found."
    )
    return error


def _run_folder(folder: Path) -> Profile:
    found = sorted(folder.glob("*_dl.json")) if folder.is_dir() else []
    if len(found) != 1:
        raise SpeciesError(
            f"{folder} is no species folder: it must hold one *_dl.json, not {len(found)}"
        )
    name = found[0].name.removesuffix("_dl.json")
    return _read(name, folder, read_parameters(folder / cfg_name(name)), found[0])


def _network(folder: Path, name: str) -> Path | None:
    """The JSON file of a species folder, also after the folder and its cfg got another name."""
    found = sorted(folder.glob("*_dl.json"))
    named = [path for path in found if path.name == json_name(name)]
    return (named or found)[0] if named or len(found) == 1 else None


def _in_folder(name: str, folder: Path) -> Profile:
    """The profile of a species folder; where it has no network, another one answers."""
    parameters = read_parameters(folder / cfg_name(name))
    for owner in (folder, _shipped() / name):
        path = _network(owner, name)
        if path:
            return _read(name, folder, parameters, path)
    species = catalogue(_shipped()).get(name)
    if species:
        return _answered(name, folder, parameters, species.clade)
    clade = _BACTERIAL if parameters.get("genemodel") == "bacterium" else _GENERAL
    profile = _answered(name, folder, parameters, clade)
    _LOG.warning(
        "species %s in %s has no network of its own; the checkpoint %s answers with its settings",
        name,
        folder,
        profile.model.name,
    )
    return profile


def _answered(name: str, folder: Path, parameters: Mapping[str, str], clade: str) -> Profile:
    """The profile of a species that the checkpoint of its clade answers for.

    What was measured with the checkpoint holds for names of the same organism only.
    """
    checkpoint = checkpoints(_shipped())[clade]
    path = _shipped() / checkpoint / json_name(checkpoint)
    profile = _read(name, folder, parameters, path)
    if organism(name) and organism(name) == organism(checkpoint):
        return profile
    told = profile.clade
    if told == _ANY_CLADE and clade not in _UNDIVIDED:
        told = clade
    status = STATUSES[1] if clade == told else STATUSES[2]
    return replace(profile, clade=told, status=status, beats_augustus=None, scores={})


def _read(name: str, folder: Path, parameters: Mapping[str, str], path: Path) -> Profile:
    """The profile with these settings and the network that the JSON file at `path` names."""
    content = read_json(path)
    model = model_folder(path.parent, content["model"], path)
    missing = [file for file in WEIGHTS if not (model / file).is_file()]
    if missing:
        raise ModelError(
            f"the checkpoint of {name} is incomplete: {model / missing[0]} is missing; "
            "copy the whole folder again"
        )
    return Profile(
        name=name,
        folder=folder,
        model=model,
        parameters=parameters,
        **{key: content[key] for key in FIELDS | OPTIONAL if key in content and key != "model"},
    )
