"""What README, CONTRIBUTING and docs/ tell people to type exists.

python -m pytest tests/test_readme.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from augustus_dl.cli.arguments import option_classes

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
PAGES_OF_EXAMPLES = [page for page in PAGES if page.name != "compatibility.md"]  # lists all options
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands() -> list[str]:
    """Indented lines that call augustus-dl with a subcommand."""
    pattern = re.compile(r"^    augustus-dl ([a-z].*)$", re.MULTILINE)
    return sorted({match for page in PAGES for match in pattern.findall(text(page))})


@cache
def help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "augustus_dl", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    quoted = set(re.findall(r"(?:`|^    |\S+=\S+ )make ([a-z-]+)", text(page), re.MULTILINE))
    assert quoted <= targets


def test_readme_shows_the_two_commands() -> None:
    assert "    make demo\n    make test\n" in text(ROOT / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_target_has_help() -> None:
    listed = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE).group(1).split()
    assert sorted(listed) == sorted(phony)


def test_example_is_there() -> None:
    (name,) = re.findall(r'"(examples/[^"]+)"', text(ROOT / "bin/demo.py"))
    assert 0 < (ROOT / name).stat().st_size < 2**20
    assert name in MAKEFILE


@pytest.mark.parametrize("line", commands())
def test_subcommands_have_the_options_shown(line: str) -> None:
    command = line.split()[0]
    for option in re.findall(r"(--[a-z-]+)", line):
        assert option in help_of(command)


@pytest.mark.parametrize("page", PAGES_OF_EXAMPLES, ids=lambda page: page.name)
def test_prediction_options_are_honoured(page: Path) -> None:
    """Those written `--name=value` in examples, and those in the table of the README."""
    examples = re.findall(r"^    augustus-dl (--.*)$", text(page), re.MULTILINE)
    shown = {name for line in examples for name in re.findall(r"--([A-Za-z_]+)=", line)}
    for row in re.findall(r"^\| (`--.*?) \|", text(page), re.MULTILINE):
        shown |= set(re.findall(r"`--([A-Za-z0-9_]+)`", row))
    classes = option_classes()
    assert {name for name in shown if classes.get(name) != "honoured"} == set()
