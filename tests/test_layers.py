"""Who may import what (docs/internals.md), read from the source with ast.

python -m pytest tests/test_layers.py
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from augustus_dl.cli.usage import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "augustus_dl"
FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "kernels").rglob("*.py")])
OWNERS = {
    "gffutils": r"augustus_dl/io/annotation\.py",
    "typer": r"augustus_dl/cli/.*",
    "numba": r"(kernels|augustus_dl/(decode|train))/.*",
    "llvmlite": r"augustus_dl/decode/native\.py",
    "jinja2": r"augustus_dl/report/.*",
    "matplotlib": r"augustus_dl/(report|train)/.*",
    "deepspeed": r"augustus_dl/train/engine\.py",
    "openvino": r"augustus_dl/engine/.*",
    "ray": r"augustus_dl/cluster\.py",
    "triton": r"kernels/.*",
    "torch": r"(kernels|augustus_dl/(network|engine|train))/.*",
    "transformers": r"augustus_dl/network/.*",
    "tokenizers": r"augustus_dl/tokenizer\.py",
}
"""The files that may import a library at all; torch and transformers lazily elsewhere."""
HEAVY = {"torch", "transformers", "deepspeed", "openvino", "ray", "triton"}
LAZY_HEAVY = r"augustus_dl/(cli/.*|predict\.py|profile\.py)"
"""Files outside the owners that may import heavy libraries inside a function."""


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Absolute names of the modules a file imports, and whether at import time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(node)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        for name in imported_names(node, path):
            found.append((name, id(node) not in lazy))
    return found


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imported_names(node: ast.AST, path: Path) -> Iterator[str]:
    """Every name is given with what is imported from it: `from a import b` is `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            parts = module_name(path).split(".")
            keep = len(parts) - node.level + (path.name == "__init__.py")
            module = ".".join([*parts[:keep], *([module] if module else [])])
        yield from (f"{module}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts if parts[0] == "augustus_dl" else ("augustus_dl", *parts))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def room_imports(room: str) -> Iterator[tuple[str, str]]:
    """(file, imported name) of all files whose path below augustus_dl/ begins with `room`."""
    for path in FILES:
        if relative(path).startswith(f"augustus_dl/{room}"):
            yield from ((relative(path), name) for name, _ in imports(path))


@pytest.mark.parametrize("library", OWNERS)
def test_libraries_have_one_owner(library: str) -> None:
    strangers = [
        relative(path)
        for path in FILES
        for name, at_import in imports(path)
        if is_in(name, library)
        and not re.fullmatch(OWNERS[library], relative(path))
        and (at_import or library not in HEAVY or not re.fullmatch(LAZY_HEAVY, relative(path)))
    ]
    assert not strangers


@pytest.mark.parametrize("module", ["errors", "labels", "gene"])
def test_the_ground_floor_stands_alone(module: str) -> None:
    allowed = ("augustus_dl.errors", "augustus_dl.gene")
    ours = [name for _, name in room_imports(f"{module}.py") if is_in(name, "augustus_dl")]
    assert all(any(is_in(name, base) for base in allowed) for name in ours), ours


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("io/", ("network", "decode", "engine", "train", "predict", "kernels")),
        ("profile.py", ("network", "engine", "train", "predict")),
        ("network/", ("decode", "io", "engine", "train", "predict")),
        ("decode/", ("network", "io", "engine", "train", "predict")),
        ("predict.py", ("train", "cluster")),
        ("cluster.py", ("train", "network")),
        ("species_choice.py", ("train", "network", "cluster")),
        ("gene_statistics.py", ("io", "train", "network", "engine", "predict", "profile")),
        ("evaluate.py", ("train", "network", "engine")),
        ("engine/", ("train", "predict")),
        ("differences.py", ("io", "decode", "train", "network", "engine", "predict")),
        ("report/", ("train", "network", "predict", "profile")),
    ],
)
def test_rooms_import_downwards(room: str, forbidden: tuple[str, ...]) -> None:
    bad = [
        (file, name)
        for file, name in room_imports(room)
        if any(is_in(name, f"augustus_dl.{other}") for other in forbidden)
    ]
    assert not bad


def test_nobody_imports_the_commands() -> None:
    entry = {"augustus_dl/cli/__init__.py", "augustus_dl/__main__.py"}
    inside = "augustus_dl/cli/"
    bad = [
        (file, name)
        for file, name in room_imports("")
        if is_in(name, "augustus_dl.cli")
        and file not in entry
        and (not file.startswith(inside) or name.split(".")[2] in COMMANDS)
    ]
    assert not bad


def test_kernels_know_nothing_of_the_rest() -> None:
    bad = [
        (relative(path), name)
        for path in FILES
        if path.is_relative_to(ROOT / "kernels")
        for name, _ in imports(path)
        if is_in(name, "augustus_dl") and not is_in(name, "augustus_dl.kernels")
    ]
    assert not bad


def test_kernels_have_one_name() -> None:
    everything = [*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    bad = [
        relative(path)
        for path in everything
        for name, _ in imports(path)
        if is_in(name, "kernels") or is_in(name, "species")
    ]
    assert not bad


def test_every_library_is_declared() -> None:
    requirements = (ROOT / "setup.py").read_text(encoding="utf-8")
    distribution = {"Bio": "biopython"}
    roots = {name.split(".")[0] for path in FILES for name, _ in imports(path)}
    foreign = roots - sys.stdlib_module_names - {"augustus_dl", "__future__"}
    missing = {name for name in foreign if f'"{distribution.get(name, name)}' not in requirements}
    assert not missing


CHEAP = [
    module_name(path)
    for path in FILES
    if re.match(
        r"augustus_dl/(__init__|io/.*|profile|predict|species_choice|cluster|evaluate|decode/.*|cli/.*)(\.py)?$",
        relative(path),
    )
]


def test_predicting_and_the_commands_load_without_heavy_libraries() -> None:
    """Once for all modules, in a fresh interpreter, with what they import in turn."""
    code = (
        f"import importlib, sys\nfor name in {CHEAP!r}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_package_loads_nothing_foreign() -> None:
    code = (
        "import sys; import augustus_dl; print([n for n in sys.modules if n.split('.')[0] in "
        "('numpy', 'torch', 'numba', 'pysam', 'gffutils', 'typer')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
