"""`augustus-dl install`: the programs under AUGUSTUS's names beside a config folder of their own.

Pipelines look for PREFIX/bin/augustus, PREFIX/config and PREFIX/scripts. The programs there are
small launchers of this Python installation; what they do is decided by the name they are called by.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from augustus_dl.catalogue import catalogue
from augustus_dl.cli.arguments import options
from augustus_dl.errors import OptionError
from augustus_dl.profile_files import write_parameters

__all__ = ["install"]

_PROGRAMS = ("augustus", "etraining", "augustus-dl")
_COMPANIONS = (
    "bam2hints",
    "fastBlockSearch",
    "filterBam",
    "homGeneMapping",
    "joingenes",
    "prepareAlign",
)
"""Programs of AUGUSTUS that pipelines look for beside it and that need no gene model."""

_OPTIMIZE = "optimize_augustus.pl"
"""The one script of AUGUSTUS that has a stand-in: there is nothing for it to do."""

_TEMPLATES = {
    "generic": ("weightmatrix.txt", "metapars.cfg", "metapars.utr.cfg", "metapars.cgp.cfg"),
    "template_prokaryotic": (
        "weightmatrix.txt",
        "metapars.cfg",
        "metapars.utr.cfg",
        "ovlp_len.pbl",
        "trans_shadow_bacterium.pbl",
    ),
}
"""Further files of the species that AUGUSTUS's new_species.pl copies."""

_STUB = "# augustus-dl has no parameters of this kind.\n"

_LAUNCHER = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# A launcher of augustus-dl: the shell runs the line above, Python what follows.
import sys

sys.path.append({package!r})
from augustus_dl.cli import main

sys.exit(main())
"""


def install(
    prefix: Annotated[Path, typer.Argument(help="Folder that gets bin/, config/ and scripts/.")],
    force: Annotated[
        bool, typer.Option("--force", help="Renew an installation; other files there stay.")
    ] = False,
) -> None:
    """Lay out augustus and etraining as pipelines expect them.

    BRAKER, GALBA, BUSCO, MAKER and funannotate find PREFIX/bin/augustus, PREFIX/bin/etraining,
    PREFIX/config and PREFIX/scripts when PREFIX/bin is on the PATH and AUGUSTUS_CONFIG_PATH is
    PREFIX/config. Species are copied, so that training can write there. AUGUSTUS's own scripts, but
    for optimize_augustus.pl, which has nothing to do here, and its programs such as bam2hints are
    linked when an AUGUSTUS is installed.
    """
    prefix = Path(os.path.abspath(prefix.expanduser()))
    if not force:
        _refuse_existing(prefix)
    try:
        with _staging(prefix) as stage:
            linked = _lay_out(stage, prefix)
            _move_in(stage, prefix)
    except OSError as error:
        raise OptionError(
            f"cannot install in {prefix}: {error.strerror}: {error.filename}"
        ) from error
    print(f"augustus, etraining and augustus-dl are in {prefix}/bin", file=sys.stderr)
    if linked:
        print(f"{linked} scripts and programs of AUGUSTUS are linked", file=sys.stderr)
    else:
        print("no AUGUSTUS was found, so its scripts are not there", file=sys.stderr)
    print(f"export AUGUSTUS_CONFIG_PATH={shlex.quote(f'{prefix}/config')}", file=sys.stderr)


def _refuse_existing(prefix: Path) -> None:
    for name in ("config", *(f"bin/{program}" for program in _PROGRAMS)):
        if os.path.lexists(prefix / name):
            raise OptionError(f"{prefix / name} exists; choose another folder, or add --force")


@contextmanager
def _staging(prefix: Path) -> Iterator[Path]:
    """A folder in `prefix` that is gone at the end, as is `prefix` if it stays empty."""
    stage = prefix / f".augustus-dl.{os.getpid()}"
    made = not prefix.exists()
    stage.mkdir(parents=True)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if made and not any(prefix.iterdir()):
            prefix.rmdir()


def _lay_out(stage: Path, prefix: Path) -> int:
    """Make bin/, config/ and scripts/ in `stage`; returns the number of links to AUGUSTUS."""
    bin_, scripts = stage / "bin", stage / "scripts"
    for folder in (bin_, scripts):
        folder.mkdir()
    _config(stage / "config", prefix / "config")
    for program in _PROGRAMS:
        _executable(bin_ / program, _launcher())
    _executable(scripts / _OPTIMIZE, Path(__file__).with_name(_OPTIMIZE).read_text("utf-8"))
    return _link_augustus(bin_, scripts, prefix)


def _executable(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _launcher() -> str:
    package = Path(__file__).resolve().parents[2]
    return _LAUNCHER.format(python=shlex.quote(sys.executable), package=str(package))


def _config(target: Path, old: Path) -> None:
    """A config folder of real files; what `old` has besides is kept."""
    if old.is_dir():
        shutil.copytree(old, target, symlinks=True)
    for part in ("cgp", "extrinsic", "model", "parameters", "profile", "species"):
        (target / part).mkdir(parents=True, exist_ok=True)
    _species(target / "species")
    for folder in _folders("config"):
        _copy(folder, target / folder.name)
    text = json.dumps(parameter_descriptions(), indent=4)
    (target / "parameters/aug_cmdln_parameters.json").write_text(f"{text}\n", encoding="utf-8")


def _species(target: Path) -> None:
    """A folder for each species of AUGUSTUS, with weights where the species has its own."""
    for name, species in catalogue(_package_data("species")).items():
        folder = target / name
        folder.mkdir(exist_ok=True)
        write_parameters(folder, name, species.parameters)
        for ending in _TEMPLATES.get(name, ()):
            (folder / f"{name}_{ending}").write_text(_STUB, encoding="utf-8")
    for folder in _folders("species"):
        _copy(folder, target / folder.name)


def _package_data(name: str) -> Path:
    return Path(str(files(f"augustus_dl.{name}").joinpath("README.md"))).parent


def _folders(name: str) -> list[Path]:
    return sorted(path for path in _package_data(name).iterdir() if path.is_dir())


def _copy(source: Path, target: Path) -> None:
    """Copy a folder's files over those in `target`, writable and without links."""
    shutil.copytree(
        source,
        target,
        copy_function=_copy_file,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__", "__init__.py"),
    )


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o644)


def parameter_descriptions() -> list[dict[str, object]]:
    """All options in the form of AUGUSTUS's aug_cmdln_parameters.json, which pygustus reads."""
    descriptions: list[dict[str, object]] = []
    for option in options().values():
        row: dict[str, object] = {"name": option.name, "development": option.kind != "honoured"}
        if option.type:
            row["type"] = option.type
            row["usage"] = option.usage
        if option.type and option.values:
            row["possible_values"] = list(option.values)
        if option.default:
            row["default_value"] = option.default
        row["description"] = option.note
        if option.excluded:
            row["exclude_apps"] = list(option.excluded)
        descriptions.append(row)
    return descriptions


def _link_augustus(bin_: Path, scripts: Path, prefix: Path) -> int:
    """Link the scripts and companion programs of an installed AUGUSTUS."""
    links = 0
    for folder in _augustus_folders(prefix):
        for name in _COMPANIONS:
            links += _link(folder / name, bin_)
        for place in (folder / "../scripts", folder / "../share/augustus/scripts"):
            for script in sorted(place.glob("*")):
                links += _link(script, scripts)
    return links


def _augustus_folders(prefix: Path) -> Iterator[Path]:
    """Folders of the programs called augustus on the PATH, those of `prefix` left out."""
    for folder in os.get_exec_path():
        program = Path(folder, "augustus")
        if os.access(program, os.X_OK) and not program.resolve().is_relative_to(prefix.resolve()):
            yield program.resolve().parent


def _link(source: Path, folder: Path) -> bool:
    """Link an existing file into `folder` unless its name is taken."""
    link = folder / source.name
    if not source.is_file() or os.path.lexists(link):
        return False
    link.symlink_to(source.resolve())
    return True


def _move_in(stage: Path, prefix: Path) -> None:
    """Put what is in `stage` in its place; on an error everything is as it was."""
    places = [(stage / "config", prefix / "config")]
    for folder in ("bin", "scripts"):
        (prefix / folder).mkdir(exist_ok=True)
        places += [(path, prefix / folder / path.name) for path in (stage / folder).iterdir()]
    undo: list[tuple[Path, Path]] = []
    try:
        for number, (new, place) in enumerate(places):
            if os.path.lexists(place):
                old = stage / f"old{number}"
                os.rename(place, old)
                undo.append((old, place))
            os.rename(new, place)
            undo.append((place, new))
    except OSError:
        for now, before in reversed(undo):
            os.rename(now, before)
        for folder in ("bin", "scripts"):
            if not any((prefix / folder).iterdir()):
                (prefix / folder).rmdir()
        raise
