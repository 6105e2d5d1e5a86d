"""The wheel holds the package, its kernels, config and species, and nothing beside it.

python -m pytest tests/test_packaging.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("augustus_dl", "config", "kernels", "species", "tests", "benchmarks", "bin", "docs")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that no build files land among them."""
    folder = tmp_path_factory.mktemp("build")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "results")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in FILES:
        shutil.copy2(ROOT / name, folder / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def relative_files(folder: str, pattern: str) -> set[str]:
    root = ROOT / folder
    return {
        path.relative_to(root).as_posix()
        for path in root.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_only_the_package_is_at_top_level(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert len(tops) == 2
    assert "augustus_dl" in tops and any(re.fullmatch(r".*\.dist-info", top) for top in tops)


def test_package_is_whole(names: set[str]) -> None:
    files = relative_files("augustus_dl", "**/*")
    assert {f"augustus_dl/{name}" for name in files} - names == set()


def test_kernels_are_in_the_package(names: set[str]) -> None:
    modules = relative_files("kernels", "**/*.py")
    assert modules and {f"augustus_dl/kernels/{name}" for name in modules} <= names
    assert "augustus_dl/kernels/__init__.py" not in names


@pytest.mark.parametrize("folder", ["config", "species"])
def test_data_folders_are_in_the_package(names: set[str], folder: str) -> None:
    files = relative_files(folder, "*/*")
    assert files and {f"augustus_dl/{folder}/{name}" for name in files} <= names
    assert f"augustus_dl/{folder}/__init__.py" not in names


def test_command_and_version(wheel: Path, names: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "augustus-dl = augustus_dl.cli:main" in archive.read(points).decode()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        version = re.search(r"^Version: (.+)$", archive.read(metadata).decode(), re.MULTILINE)
    source = (ROOT / "augustus_dl/__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{version.group(1)}"' in source


def test_lock_pins_every_direct_requirement() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lock if line and not line.startswith("#")]
    form = r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*(; platform_system == \"Linux\")?"
    assert all(re.fullmatch(form, pin) for pin in pins), pins
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    direct = re.search(r"install_requires=\[(.*?)\]", setup, re.DOTALL).group(1)
    development = re.search(r'"dev": \[(.*?)\]', setup, re.DOTALL).group(1)
    assert set(re.findall(r'"([a-z0-9-]+)', direct + development)) <= pinned
    assert not any(name.startswith(("nvidia", "cuda")) for name in pinned)
