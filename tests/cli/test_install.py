"""`augustus-dl install`: layout, programs by their names, whole or not at all.

python -m pytest tests/cli/test_install.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from augustus_dl.cli import install as module
from augustus_dl.cli.arguments import options
from augustus_dl.cli.install import parameter_descriptions
from augustus_dl.cli.subcommands import app
from augustus_dl.errors import OptionError
from augustus_dl.profile import species_names
from augustus_dl.profile_files import read_parameters

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"augustus", "etraining", "augustus-dl"}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command with `tmp_path / "aug/bin"` as the only folder on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "aug/bin"))
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, ["install", *map(str, words)], catch_exceptions=True)

    return run


@pytest.fixture
def augustus(tmp_path: Path) -> Path:
    """A folder laid out as AUGUSTUS's: programs, scripts, and a link to the program elsewhere."""
    for name in ("augustus-3.5/bin/augustus", "augustus-3.5/bin/bam2hints", "aug/bin/unrelated"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (tmp_path / "aug/bin/augustus").symlink_to(tmp_path / "augustus-3.5/bin/augustus")
    (tmp_path / "augustus-3.5/scripts").mkdir()
    (tmp_path / "augustus-3.5/scripts/new_species.pl").write_text("#!/usr/bin/perl\n")
    return tmp_path / "augustus-3.5"


def call(program: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("AUGUSTUS_CONFIG_PATH", "PYTHONPATH")}
    return subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        env=clean | environment,
        cwd="/",
        check=False,
    )


def test_layout(install: Callable[..., Result], tmp_path: Path) -> None:
    prefix = tmp_path / "new/prefix"
    result = install(prefix)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"export AUGUSTUS_CONFIG_PATH={prefix}/config\n" in result.stderr
    assert "no AUGUSTUS was found" in result.stderr
    assert {path.name for path in prefix.iterdir()} == {"bin", "config", "scripts"}
    assert {path.name for path in (prefix / "bin").iterdir()} == PROGRAMS
    assert {path.name for path in (prefix / "scripts").iterdir()} == {"optimize_augustus.pl"}
    config = prefix / "config"
    assert {path.name for path in config.iterdir()} >= {
        *("cgp", "extrinsic", "model", "parameters", "profile", "species")
    }
    assert (config / "extrinsic/extrinsic.MPE.cfg").is_file()
    assert species_names(config) == species_names()
    for path in config.rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or (os.stat(path).st_mode & 0o777) == 0o644


def test_programs_behave_as_their_names_say(install: Callable[..., Result], tmp_path: Path) -> None:
    prefix = tmp_path / "with blank"
    assert install(prefix).exit_code == 0
    augustus, etraining = prefix / "bin/augustus", prefix / "bin/etraining"
    version = call(augustus, "--version")
    assert version.returncode == 0
    assert version.stderr.startswith("AUGUSTUS (3.5.0) is a gene prediction tool.\naugustus-dl ")
    assert "\netraining --species=SPECIES trainfilename\n" in call(etraining).stdout
    for program in (augustus, etraining):
        done = call(program, "train")  # a file name for both
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"\n{program.name}: ERROR\n\t")
    assert "Usage: augustus-dl view" in call(prefix / "bin/augustus-dl", "view", "--help").stdout


def test_the_config_folder_beside_the_programs_is_used(
    install: Callable[..., Result], tmp_path: Path
) -> None:
    assert install(tmp_path / "p").exit_code == 0
    program = tmp_path / "p/bin/augustus"
    species = tmp_path / "p/config/species"
    for path in (species / "fly").iterdir():
        copy = species / "mine" / path.name.replace("fly", "mine")
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
    link = tmp_path / "augustus"
    link.symlink_to(program)
    assert "\nmine " in call(link, "--species=help").stderr
    for words, environment in (
        (["--species=help"], {"AUGUSTUS_CONFIG_PATH": str(tmp_path)}),
        ([f"--AUGUSTUS_CONFIG_PATH={tmp_path}", "--species=help"], {}),
    ):
        assert "\nmine " not in call(link, *words, **environment).stderr


def test_augustus_scripts_and_companions_are_linked(
    install: Callable[..., Result], tmp_path: Path, augustus: Path
) -> None:
    result = install(tmp_path / "p")
    assert "2 scripts and programs of AUGUSTUS are linked" in result.stderr
    script, companion = tmp_path / "p/scripts/new_species.pl", tmp_path / "p/bin/bam2hints"
    assert script.readlink() == augustus / "scripts/new_species.pl"
    assert companion.readlink() == augustus / "bin/bam2hints"
    assert not (tmp_path / "p/bin/augustus").is_symlink()


@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl")
def test_nothing_is_left_to_optimise(
    install: Callable[..., Result], tmp_path: Path, augustus: Path
) -> None:
    """BRAKER's call; the stand-in goes before AUGUSTUS's own script."""
    (augustus / "scripts/optimize_augustus.pl").write_text("#!/usr/bin/perl\nexit 9;\n")
    assert install(tmp_path / "p").exit_code == 0
    (tmp_path / "genes.gb").touch()
    words = ["--aug_exec_dir=bin", "--rounds=5", "--species=mine", "--kfold=8", "--cpus=8"]
    script = tmp_path / "p/scripts/optimize_augustus.pl"
    done = call(script, *words, str(tmp_path / "genes.gb"), PATH=os.defpath)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Nothing is left to optimise: etraining has fitted mine already.\n"
    assert call(script, *words, str(tmp_path / "nofile.gb"), PATH=os.defpath).returncode == 1
    assert call(script, *words, PATH=os.defpath).stderr.startswith("usage: ")


@pytest.mark.parametrize("name", ["config", "bin/augustus", "bin/etraining", "bin/augustus-dl"])
def test_what_is_there_is_not_replaced(
    install: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    there = tmp_path / "p" / name
    there.mkdir(parents=True)
    result = install(tmp_path / "p")
    assert isinstance(result.exception, OptionError)
    assert str(result.exception).startswith(f"{there} exists; ")
    assert not any(there.iterdir()) and not (tmp_path / "p/scripts").exists()


@pytest.mark.parametrize("kind", [[], ["--prokaryotic"]])
def test_new_species_are_made_from_the_templates(
    install: Callable[..., Result], tmp_path: Path, kind: list[str]
) -> None:
    script = Path("/usr/share/augustus/scripts/new_species.pl")
    if not script.is_file():
        pytest.skip("Debian's AUGUSTUS is not installed")
    assert install(tmp_path / "p").exit_code == 0
    environment = {"AUGUSTUS_CONFIG_PATH": str(tmp_path / "p/config"), "PATH": os.defpath}
    done = call(script, "--species=mine", *kind, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "p/config/species/mine"
    settings = read_parameters(folder / "mine_parameters.cfg")
    assert settings["genemodel"] == ("bacterium" if kind else "partial")
    assert (folder / "mine_metapars.cfg").is_file()


def test_force_renews_what_is_ours_and_keeps_the_rest(
    install: Callable[..., Result], tmp_path: Path, augustus: Path
) -> None:
    prefix = tmp_path / "p"
    assert install(prefix).exit_code == 0
    own = prefix / "config/species/mine/mine_parameters.cfg"
    own.parent.mkdir()
    own.write_text("trained\n")
    changed = prefix / "config/species/fly/fly_parameters.cfg"
    changed.write_text("")
    (prefix / "bin/mytool").touch()
    (prefix / "bin/augustus").write_text("broken")
    (augustus / "scripts/later.pl").touch()
    result = install(prefix, "--force")
    assert result.exit_code == 0
    assert own.read_text() == "trained\n"
    assert changed.read_text()
    assert "augustus_dl" in (prefix / "bin/augustus").read_text()
    assert {path.name for path in (prefix / "bin").iterdir()} == PROGRAMS | {"mytool", "bam2hints"}
    assert (prefix / "scripts/later.pl").is_symlink()
    assert {path.name for path in prefix.iterdir()} == {"bin", "config", "scripts"}


def test_a_failed_installation_leaves_nothing(
    install: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(module, "_link_augustus", full)
    result = install(tmp_path / "p")
    assert str(result.exception) == f"cannot install in {tmp_path}/p: No space left on device: x"
    assert not (tmp_path / "p").exists()


def test_a_failure_while_files_change_places_undoes_all(
    install: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "p"
    (prefix / "config").mkdir(parents=True)
    (prefix / "config/mine").touch()
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if Path(target) == prefix / "bin/etraining":
            raise PermissionError(13, "Permission denied", str(target))
        rename(source, target)

    monkeypatch.setattr(module.os, "rename", failing)
    result = install(prefix, "--force")
    assert "Permission denied" in str(result.exception)
    assert [path.relative_to(prefix).as_posix() for path in prefix.rglob("*")] == [
        "config",
        "config/mine",
    ]


def test_an_unusable_prefix_is_one_line(install: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = install(tmp_path / "file/p")
    assert str(result.exception).startswith(f"cannot install in {tmp_path}/file/p: ")


def test_descriptions_are_in_the_form_that_pygustus_reads() -> None:
    rows = {row["name"]: row for row in parameter_descriptions()}
    assert len(rows) == len(options())
    assert json.loads(json.dumps(list(rows.values())))
    assert rows["genemodel"] == {
        "name": "genemodel",
        "development": False,
        "type": "string",
        "usage": "--genemodel=partial/intronless/complete/atleastone/exactlyone/bacterium",
        "possible_values": [
            *("partial", "intronless", "complete", "atleastone", "exactlyone", "bacterium")
        ],
        "default_value": "partial",
        "description": options()["genemodel"].note,
        "exclude_apps": ["etraining"],
    }
    assert rows["jobs"]["exclude_apps"] == ["augustus", "etraining"]
    assert "partitionLargeSequences" in rows
    # pygustus checks values against these; AUGUSTUS leaves them open, so that introns=1 passes.
    assert not {"type", "possible_values"} & set(rows["introns"])


def test_descriptions_agree_with_the_installed_augustus() -> None:
    path = Path("/usr/share/augustus/config/parameters/aug_cmdln_parameters.json")
    if not path.is_file():
        pytest.skip("Debian's AUGUSTUS is not installed")
    text = path.read_text(encoding="utf-8").replace("LargeSeqeunces", "LargeSequences")
    theirs = {row["name"]: row for row in json.loads(text)}
    ours = {row["name"]: row for row in parameter_descriptions()}
    assert set(ours) - set(theirs) == {"accurate", "cluster", "device", "gff3-strict", "nc"}
    for name, row in theirs.items():
        for key in ("type", "possible_values", "exclude_apps"):
            assert ours[name].get(key) == row.get(key), name
