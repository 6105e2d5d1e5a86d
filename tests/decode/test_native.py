"""Loops in machine code: what they take and return, and what is kept of them.

python -m pytest tests/decode/test_native.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from augustus_dl.decode.native import Native, inlined, native
from augustus_dl.user_cache import cache_folder

SHIFT = 3


class Pair(NamedTuple):
    left: np.ndarray
    right: int


@inlined
def larger(a, b):
    return a if a > b else b


@native
def shifted(value):
    return value + SHIFT


@native
def largest(pair, table, factor) -> float:
    found = 0.0
    for row in range(len(table)):
        for column in range(table.shape[1]):
            found = larger(found, factor * shifted(table[row, column]))
    pair.left[0] = pair.right
    return found


@native
def all_below(values, limit) -> bool:
    for value in values:  # noqa: SIM110  Numba knows no all()
        if value >= limit:
            return False
    return True


@native
def divided(a, b) -> int:
    return a // b


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def fresh(function: Native) -> Native:
    """As a new process has it."""
    return Native(function._function, function._inline)


def codes() -> list[Path]:
    return sorted(cache_folder().glob("*.o"))


def test_arrays_numbers_and_tuples_go_in_and_a_number_comes_out() -> None:
    left, table = np.zeros(1), np.array([[1, 7, 2], [4, 5, 6]], dtype=np.int16)
    assert largest(Pair(left, 9), table, 0.5) == 5.0
    assert left[0] == 9
    assert largest(Pair(left, 8), table[:, ::-2], 2.0) == 18.0  # 2 and 1, 6 and 4
    assert largest(Pair(left, np.int64(8)), table.astype(np.int32).T, np.float64(2)) == 20.0
    assert all_below((1, 2, 3), 4) is True and all_below(np.array([1, 5]), 4) is False
    assert divided(-7, 2) == -4


def test_a_later_process_finds_the_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(5)
    assert fresh(all_below)(values, 5)
    (kept,) = codes()
    monkeypatch.setattr(Native, "_compiled", None)
    assert fresh(all_below)(values, 5)
    with pytest.raises(TypeError):  # other types have code of their own
        fresh(all_below)(values.astype(np.int16), 5)
    monkeypatch.undo()
    kept.write_bytes(kept.read_bytes()[:-1])  # damaged: compiled anew
    assert fresh(all_below)(values, 5)


def test_what_a_function_uses_changes_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.ones((1, 1), dtype=np.int16)
    assert fresh(largest)(Pair(np.zeros(1), 1), table, 1.0) == 4.0
    monkeypatch.setitem(globals(), "SHIFT", 5)
    monkeypatch.setitem(globals(), "shifted", fresh(shifted))
    assert fresh(largest)(Pair(np.zeros(1), 1), table, 1.0) == 6.0
    assert len(codes()) == 2


def test_without_a_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert fresh(divided)(9, 3) == 3


def test_a_failure_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="divided failed"):
        divided(1, 0)


def test_what_is_no_native_function() -> None:
    def allocates(n) -> float:
        return np.zeros(n)[0]

    def lies(n) -> float:
        return n

    with pytest.raises(TypeError, match="allocates calls NRT_"):
        native(allocates)(3)
    with pytest.raises(TypeError, match="lies returns int64"):
        native(lies)(3)


def test_a_prediction_loads_no_numba(toy_folder: Path, tmp_path: Path) -> None:
    """A second run, that is: the first one compiles."""
    fasta = tmp_path / "x.fa"
    fasta.write_text(">x\n" + "ACGTTGCA" * 200 + "\n")
    program = (
        "import sys; from augustus_dl.cli import main\n"
        f"assert main(['--species={toy_folder}', '--device=cpu', '--sample=10',"
        f" '--alternatives-from-sampling=on', {str(fasta)!r}]) == 0\n"
        "print('numba' in sys.modules, file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert [run.stderr.split()[-1] for run in runs] == ["True", "False"]
