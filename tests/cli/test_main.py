"""The entry point as a process: which command is meant, streams, pipes, imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augustus_dl.cli.usage import COMMANDS, help_text

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}
    environment |= {"LANG": "C", "PYTHONPATH": str(ROOT)}
    environment.pop("AUGUSTUS_CONFIG_PATH", None)
    return subprocess.run(
        [sys.executable, "-m", "augustus_dl", *words],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=60,
        check=False,
        **options,
    )


def test_no_arguments_exit_0_with_usage_on_stdout() -> None:
    result = run()
    assert (result.returncode, result.stderr) == (0, "")
    for command in COMMANDS:
        assert f"augustus-dl {command}" in result.stdout


def test_an_error_frame_names_the_program() -> None:
    result = run("--species=human", "x.fa", "y.fa")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("\naugustus-dl: ERROR\n\tError: 2 query files given: y.fa and ")
    assert len(result.stderr.splitlines()) == 5


def test_help_is_augustus_help_and_names_the_commands() -> None:
    result = run("--help")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", help_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_subcommands_have_help(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage: augustus-dl " + command in result.stdout


def test_an_unknown_option_of_a_subcommand_is_a_usage_error() -> None:
    assert run("tokenizer", "--nosuch").returncode == 2


def test_an_error_in_a_subcommand_is_one_line(tmp_path: Path) -> None:
    result = run("tokenizer", str(tmp_path), str(tmp_path / "out"))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("augustus-dl tokenizer: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys, augustus_dl.cli as c\n"
        f"c.main({words!r})\n"
        "heavy = {'torch', 'transformers', 'openvino', 'numba', 'pysam'} & set(sys.modules)\n"
        "sys.exit(','.join(heavy) or 0)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_closed_pipe_leaves_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with os.fdopen(writer, "w") as stdout:
        result = subprocess.run(
            [sys.executable, "-m", "augustus_dl"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            check=False,
        )
    assert result.returncode == 141
    assert result.stderr == ""
