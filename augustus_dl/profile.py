"""Species profiles: where they are found, how they are read and how training writes them.

A species folder holds `<name>_parameters.cfg` (AUGUSTUS's syntax) and `<name>_dl.json`, which names
the folder with the weights. Folders of AUGUSTUS_CONFIG_PATH come first, then the species shipped
with the package. Nothing here reads weights, and reading never writes.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from augustus_dl.errors import ModelError, SpeciesError
from augustus_dl.io.files import whole_file

__all__ = [
    "DEFAULT_PARAMETERS",
    "STATUSES",
    "Profile",
    "find_profile",
    "organism",
    "read_parameters",
    "species_names",
    "write_profile",
]

STATUSES = ("trained on this species", "clade", "far relative")
"""How near the training data of a checkpoint are to the species it answers for."""

DEFAULT_PARAMETERS = {
    "/augustus/verbosity": "3",
    "stopCodonExcludedFromCDS": "false",
    "translation_table": "1",
    "genemodel": "partial",
    "protein": "on",
    "codingseq": "off",
    "exonnames": "off",
    "cds": "on",
    "start": "on",
    "stop": "on",
    "introns": "on",
    "UTR": "off",
    "sample": "0",
    "alternatives-from-sampling": "false",
    "/Constant/min_coding_len": "201",
}
"""The cfg of a new profile: the values most species files of AUGUSTUS have."""

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "clade": str,
    "decoder": dict,
    "status": str,
    "beats_augustus": bool,
    "scores": dict,
}
_WEIGHTS = ("config.json", "model.safetensors")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TRAIN = "train it with `augustus-dl train`, or name another species"


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
        beats_augustus: measured at gene level on this species' test sequences.
        scores: what was measured; there `gene_f1` and `augustus_gene_f1`, in percent.
    """

    name: str
    folder: Path
    model: Path
    parameters: Mapping[str, str]
    decoder: Mapping[str, Any]
    clade: str
    status: str
    beats_augustus: bool
    scores: Mapping[str, Any] = field(default_factory=dict)

    @property
    def genetic_code(self) -> int:
        """NCBI id of the genetic code in the cfg; 1 when it says nothing.

        Raises:
            SpeciesError: the value is no number.
        """
        value = self.parameters.get("translation_table", "1")
        if not value.isdecimal():
            raise SpeciesError(
                f"{self.folder / _cfg(self.name)}: translation_table {value!r} is no number"
            )
        return int(value)

    @property
    def config_folder(self) -> Path:
        """The folder that AUGUSTUS calls the config directory: it holds `species/`."""
        return self.folder.absolute().parent.parent


def find_profile(name: str, config_path: str | os.PathLike | None = None) -> Profile:
    """The profile of a species, or of a training run's folder.

    Looked for in `config_path` (else in the environment's AUGUSTUS_CONFIG_PATH) below `species/`,
    then among the shipped species, then as a path to a folder with a `*_dl.json`. A species
    folder made by AUGUSTUS alone lends its cfg to the shipped network of the same name.

    Raises:
        SpeciesError: no such species or config folder; incomplete or damaged profile.
        ModelError: the weights are not where the profile says.
    """
    if os.sep in name:
        return _run_folder(Path(name).expanduser())
    shipped = _shipped() / name
    for root in _roots(config_path):
        folder = root / name
        if name and (folder / _cfg(name)).is_file():
            owner = folder if (folder / _json(name)).is_file() else shipped
            if not (owner / _json(name)).is_file():
                raise SpeciesError(
                    f"species {name} in {folder} has no network: {_json(name)} is missing; {_TRAIN}"
                )
            return _read(name, folder, owner)
    if name and any(Path(name).glob("*_dl.json")):
        return _run_folder(Path(name))
    raise SpeciesError(_unknown(name, config_path))


def species_names(config_path: str | os.PathLike | None = None) -> list[str]:
    """Names of all species that can be predicted, sorted.

    Raises:
        SpeciesError: the config folder does not exist.
    """
    shipped = _shipped()
    return sorted(
        {
            folder.name
            for root in _roots(config_path)
            for folder in root.iterdir()
            if (folder / _cfg(folder.name)).is_file()
            and any((at / _json(folder.name)).is_file() for at in (folder, shipped / folder.name))
        }
    )


def organism(name: str) -> str:
    """Scientific name of a shipped species, "" when it is not known."""
    return _organisms().get(name, "")


def read_parameters(path: str | os.PathLike) -> dict[str, str]:
    """Keys and values of a cfg file in AUGUSTUS's syntax.

    The first two words of a line count, `#` begins a comment line, `include FILE` reads a file
    relative to the config folder (two above the species' folder), the last value of a key wins.

    Raises:
        SpeciesError: the file or one it includes cannot be read.
    """
    return _parameters(Path(path), Path(path).absolute().parent.parent.parent, depth=0)


def write_profile(
    folder: str | os.PathLike,
    name: str,
    *,
    clade: str,
    decoder: Mapping[str, Any],
    status: str,
    beats_augustus: bool,
    scores: Mapping[str, Any],
    model: str = ".",
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Write `<name>_dl.json` and `<name>_parameters.cfg`, each whole or not at all.

    A cfg that is there already stays as it is unless `parameters` are given: pipelines and people
    edit it. The weights are not written here.

    Args:
        folder: is made when it does not exist.
        model: folder of the weights relative to `folder`.
        parameters: keys of the cfg that differ from DEFAULT_PARAMETERS.

    Raises:
        SpeciesError: the name, status or model path is not one that can be read back.
    """
    folder = Path(folder)
    if not _NAME.fullmatch(name):
        raise SpeciesError(f"species name {name!r}: use letters, digits, '_', '.' and '-' only")
    content = {
        "model": model,
        "clade": clade,
        "status": status,
        "beats_augustus": beats_augustus,
        "scores": dict(scores),
        "decoder": dict(decoder),
    }
    _check(content, folder / _json(name))
    _model_folder(folder, model, folder / _json(name))
    folder.mkdir(parents=True, exist_ok=True)
    if parameters is not None or not (folder / _cfg(name)).exists():
        values = DEFAULT_PARAMETERS | dict(parameters or {})
        width = max(map(len, values)) + 2
        lines = [f"# Settings of {name} in AUGUSTUS's syntax: key, value, comment"]
        lines += [f"{key:{width}}{value}" for key, value in values.items()]
        with whole_file(folder / _cfg(name)) as path:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with whole_file(folder / _json(name)) as path:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _cfg(name: str) -> str:
    return f"{name}_parameters.cfg"


def _json(name: str) -> str:
    return f"{name}_dl.json"


@cache
def _shipped() -> Path:
    """The package's own species/ folder."""
    return Path(str(files("augustus_dl.species").joinpath("README.md"))).parent


@cache
def _organisms() -> dict[str, str]:
    rows = (_shipped() / "organisms.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(row.split("\t") for row in rows)


def _roots(config_path: str | os.PathLike | None) -> list[Path]:
    """Folders that hold species folders, the user's before the package's."""
    chosen = config_path or os.environ.get("AUGUSTUS_CONFIG_PATH")
    if not chosen:
        return [_shipped()]
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise SpeciesError(
            f"{folder}/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH."
        )
    own = folder / "species"
    return [own, _shipped()] if own.is_dir() else [_shipped()]


def _unknown(name: str, config_path: str | os.PathLike | None) -> str:
    """The message for a species that is nowhere, with the names that look like it."""
    names = {known.lower(): known for known in species_names(config_path)}
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    guess = f"; did you mean {' or '.join(names[match] for match in near)}?" if near else ""
    places = " or ".join(f"{root}/" for root in _roots(config_path))
    return (
        f'Species-specific configuration files not found in {places}. No species is called "{name}"'
        f'{guess or "."} Type "augustus --species=help" to see available species.'
    )


def _run_folder(folder: Path) -> Profile:
    found = sorted(folder.glob("*_dl.json")) if folder.is_dir() else []
    if len(found) != 1:
        raise SpeciesError(
            f"{folder} is no species folder: it must hold one *_dl.json, not {len(found)}"
        )
    return _read(found[0].name.removesuffix("_dl.json"), folder, folder)


def _read(name: str, folder: Path, owner: Path) -> Profile:
    """The profile with its cfg in `folder` and its json in `owner`."""
    path = owner / _json(name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SpeciesError(f"{path}:{error.lineno} is not JSON: {error.msg}; {_TRAIN}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpeciesError(f"{path} cannot be read: {error}") from error
    _check(content, path)
    model = _model_folder(owner, content["model"], path)
    missing = [file for file in _WEIGHTS if not (model / file).is_file()]
    if missing:
        raise ModelError(
            f"the checkpoint of {name} is incomplete: {model / missing[0]} is missing; "
            "copy the whole folder again"
        )
    return Profile(
        name=name,
        folder=folder,
        model=model,
        parameters=read_parameters(folder / _cfg(name)),
        **{key: value for key, value in content.items() if key in _FIELDS and key != "model"},
    )


def _check(content: object, path: Path) -> None:
    """Refuse a `*_dl.json` that lacks a key or has a value of another kind."""
    if not isinstance(content, dict):
        raise SpeciesError(f"{path} holds no JSON object")
    for key, kind in _FIELDS.items():
        if not isinstance(content.get(key), kind):
            raise SpeciesError(f"{path}: {key!r} is missing or not of type {kind.__name__}")
    if content["status"] not in STATUSES:
        raise SpeciesError(f"{path}: status {content['status']!r} is none of {', '.join(STATUSES)}")


def _model_folder(folder: Path, pointer: str, path: Path) -> Path:
    """The folder with the weights: `folder` itself or another species beside it.

    Paths are compared as written, so that folders reached through links work; a path out of the
    species' parent folder is refused, since it would break when profiles are copied.
    """
    relative = PurePosixPath(pointer)
    target = Path(os.path.normpath(folder.absolute() / relative))
    if relative.is_absolute() or not target.is_relative_to(folder.absolute().parent):
        raise SpeciesError(f"{path}: model {pointer!r} leads out of {folder.absolute().parent}")
    return target


def _parameters(path: Path, config_folder: Path, depth: int) -> dict[str, str]:
    if depth > 8:
        raise SpeciesError(f"{path} includes itself")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SpeciesError(f"Could not find the config file {path}: {error.strerror}") from error
    parameters: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        if words[0] == "include":
            parameters |= _parameters(config_folder / words[1], config_folder, depth + 1)
        else:
            parameters[words[0]] = words[1]
    return parameters
