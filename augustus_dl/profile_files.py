"""The two files of a species folder: read, checked and written.

`<name>_parameters.cfg` has AUGUSTUS's syntax, `<name>_dl.json` names the folder with the weights
and says what is known of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from augustus_dl.catalogue import DEFAULT_PARAMETERS
from augustus_dl.errors import SpeciesError
from augustus_dl.io.files import whole_file

__all__ = [
    "FIELDS",
    "OPTIONAL",
    "STATUSES",
    "cfg_name",
    "check_species_name",
    "json_name",
    "model_folder",
    "read_json",
    "read_parameters",
    "replace_decoder",
    "write_parameters",
    "write_profile",
]

STATUSES = ("trained on this species", "clade", "far relative")
"""How near the training data of a checkpoint are to the species it answers for."""

FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "clade": str,
    "decoder": dict,
    "status": str,
    "beats_augustus": (bool, type(None)),
    "scores": dict,
}
OPTIONAL = {"accurate": bool}
"""Keys of a `*_dl.json` and what kind of value they have; those that may be left out."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TRAIN = "train it with `augustus-dl train`, or name another species"


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
    beats_augustus: bool | None,
    scores: Mapping[str, Any],
    model: str = ".",
    accurate: bool = False,
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
    check_species_name(name)
    content = {
        "model": model,
        "clade": clade,
        "status": status,
        "beats_augustus": beats_augustus,
        "scores": dict(scores),
        "decoder": dict(decoder),
    }
    if accurate:
        content["accurate"] = True
    _check(content, folder / json_name(name))
    model_folder(folder, model, folder / json_name(name))
    folder.mkdir(parents=True, exist_ok=True)
    if parameters is not None or not (folder / cfg_name(name)).exists():
        write_parameters(folder, name, DEFAULT_PARAMETERS | dict(parameters or {}))
    with whole_file(folder / json_name(name)) as path:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def check_species_name(name: str) -> None:
    """See that a name can be that of a folder and of files.

    Raises:
        SpeciesError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise SpeciesError(f"species name {name!r}: use letters, digits, '_', '.' and '-' only")


def replace_decoder(path: Path, constants: Mapping[str, Any]) -> None:
    """Give a `*_dl.json` these constants of the decoder; others that it has stay.

    Raises:
        SpeciesError: it cannot be read, or is no profile.
    """
    content = read_json(path)
    content["decoder"] |= constants
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_parameters(folder: str | os.PathLike, name: str, parameters: Mapping[str, str]) -> None:
    """Write `<name>_parameters.cfg` into an existing folder, whole or not at all.

    With the parameters of a species in `augustus_dl.catalogue` it makes a folder that programs take
    for one of AUGUSTUS's.
    """
    width = max(map(len, parameters)) + 2
    lines = [f"# Settings of {name} in AUGUSTUS's syntax: key, value, comment"]
    lines += [f"{key:{width}}{value}" for key, value in parameters.items()]
    with whole_file(Path(folder) / cfg_name(name)) as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def cfg_name(name: str) -> str:
    """Of the file with a species' settings."""
    return f"{name}_parameters.cfg"


def json_name(name: str) -> str:
    """Of the file that says which network answers for a species."""
    return f"{name}_dl.json"


def read_json(path: Path) -> dict[str, Any]:
    """What a `*_dl.json` holds, checked.

    Raises:
        SpeciesError: it cannot be read, or is no profile.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SpeciesError(f"{path}:{error.lineno} is not JSON: {error.msg}; {_TRAIN}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpeciesError(f"{path} cannot be read: {error}") from error
    _check(content, path)
    return content


def _check(content: object, path: Path) -> None:
    """Refuse a `*_dl.json` that lacks a key or has a value of another kind."""
    if not isinstance(content, dict):
        raise SpeciesError(f"{path} holds no JSON object")
    given = {key: kind for key, kind in OPTIONAL.items() if key in content}
    for key, kind in (FIELDS | given).items():
        if key not in content or not isinstance(content[key], kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            named = " or ".join(each.__name__ for each in kinds)
            raise SpeciesError(f"{path}: {key!r} is missing or not of type {named}")
    if content["status"] not in STATUSES:
        raise SpeciesError(f"{path}: status {content['status']!r} is none of {', '.join(STATUSES)}")


def model_folder(folder: Path, pointer: str, path: Path) -> Path:
    """The folder with the weights: `folder` itself or another species beside it.

    Paths are compared as written, so that folders reached through links work; a path out of the
    species' parent folder is refused, since it would break when profiles are copied.

    Args:
        path: of the file that names it, for the message.

    Raises:
        SpeciesError: it leads out.
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
