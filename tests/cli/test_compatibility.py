"""docs/compatibility.md, the table of options and the code agree.

python -m pytest tests/cli/test_compatibility.py
"""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from augustus_dl.cli.arguments import options

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "augustus_dl/cli"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The program bin/compatibility.py."""
    spec = spec_from_file_location("compatibility", ROOT / "bin/compatibility.py")
    module = module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert (ROOT / "docs/compatibility.md").read_text(encoding="utf-8") == page.text(), (
        "run bin/compatibility.py"
    )


def test_the_page_lists_every_option_once_with_class_and_note(page: ModuleType) -> None:
    rows = re.findall(r"^\| `--(\S+)` \| (\w+) \| (.+) \|$", page.text(), re.MULTILINE)
    assert sorted(row[0] for row in rows) == sorted(options())
    for name, kind, note in rows:
        assert kind == options()[name].kind and note.startswith(options()[name].note)


@pytest.mark.parametrize("kind", ["honoured", "ignored"])
def test_the_code_reads_what_the_table_says(kind: str) -> None:
    readers = [path for path in CLI.glob("*.py") if path.name != "arguments.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in readers)
    read = set(re.findall(r'"([^"\n]*)"', code))
    named = {name for name, option in options().items() if option.kind == kind}
    assert (named - read if kind == "honoured" else named & read) == set()
