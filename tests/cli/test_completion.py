"""What the shells are told, and bash itself with the script.

python -m pytest tests/cli/test_completion.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from augustus_dl.cli.arguments import options
from augustus_dl.cli.completion import candidates
from augustus_dl.cli.subcommands import app
from augustus_dl.cli.usage import COMMANDS
from augustus_dl.profile import species_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("tra", ["train"]),
        ("--gff3", ["--gff3=", "--gff3-strict="]),
        ("genome.fa --str", ["--strand="]),
        ("--strand=b", ["--strand=both", "--strand=backward"]),
        ("--introns=o", ["--introns=on", "--introns=off"]),
        ("--accurate=on", ["--accurate=on"]),
        ("--ver", ["--version"]),
        ("--hintsfile=h", []),
        ("--nosuch=", []),
        ("genome.fa tra", []),
        ("train --see", ["--seed"]),
        ("train pack --he", ["--help"]),
        ("train pack --species=h", []),
        ("completion z", ["zsh"]),
        ("--AUGUSTUS_CONFIG_PATH=/nowhere --species=h", []),
    ],
)
def test_candidates_for_the_last_word(line: str, found: list[str]) -> None:
    assert candidates(line.split()) == found


def test_an_empty_word_may_become_a_subcommand() -> None:
    assert candidates([""]) == list(COMMANDS)
    assert candidates(["genome.fa", ""]) == []


def test_all_options_with_an_effect_are_offered_and_no_others() -> None:
    offered = {word[2:-1] for word in candidates(["--"]) if word.endswith("=")}
    assert offered == {name for name, row in options().items() if row.kind == "honoured"}


def test_species_are_those_of_the_config_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)
    found = [word.removeprefix("--species=") for word in candidates(["--species="])]
    assert found == ["auto", "help", *species_names()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_registers_the_program(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert "augustus-dl completion candidates -- " in result.stdout
    assert any(
        line.endswith(" augustus-dl") or "-c augustus-dl " in line
        for line in result.stdout.splitlines()
    )


BASH = """\
source <(augustus-dl completion bash)
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    _augustus_dl
    echo "${COMPREPLY[@]}"
done
"""


@pytest.mark.parametrize(
    ("breaks", "replies"),
    [
        (
            " =",
            {
                "augustus-dl tra": "train",
                "augustus-dl e": "evaluate example.fa",
                "augustus-dl --species=zebraf": "zebrafish",
                "augustus-dl genome.fa --strand=for": "forward",
                "augustus-dl --outfi": "--outfile=",
                "augustus-dl --outfile=ex": "",
            },
        ),
        (" ", {"augustus-dl --species=zebraf": "--species=zebrafish"}),
    ],
)
def test_bash_completes(tmp_path: Path, breaks: str, replies: dict[str, str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    program = tmp_path / "augustus-dl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m augustus_dl "$@"\n')
    program.chmod(0o755)
    (tmp_path / "example.fa").touch()
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    environment.pop("AUGUSTUS_CONFIG_PATH", None)
    done = subprocess.run(
        [bash, "-c", f"COMP_WORDBREAKS='{breaks}'\n{BASH}"],
        input="\n".join(replies) + "\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == (list(replies.values()), "")
