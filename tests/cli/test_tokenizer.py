"""`augustus-dl tokenizer`, run in this process.

python -m pytest tests/cli/test_tokenizer.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from augustus_dl.cli import main
from augustus_dl.labels import TOKENS
from augustus_dl.tokenizer import save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "old"
    save(path)
    return path


def test_all_tokens_by_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", str(folder), str(folder.parent / "new")]) == 0
    out, err = capsys.readouterr()
    assert out == "" and f"{len(TOKENS)} tokens have ids 5 to {4 + len(TOKENS)}" in err
    assert (folder.parent / "new/tokenizer.json").is_file()


def test_tokens_of_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parent / "tokens.txt").write_text("[x]\n[y]\n")
    new = folder.parent / "new"
    assert (
        main(["tokenizer", "--tokens", f"{folder.parent}/tokens.txt", str(folder), str(new)]) == 0
    )
    tokenizer = Tokenizer.from_file(str(new / "tokenizer.json"))
    size = 5 + len(TOKENS)
    assert [tokenizer.token_to_id(token) for token in ("[x]", "[y]")] == [size, size + 1]


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", str(tmp_path), str(tmp_path / "new")]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "does not exist" in err and len(err.splitlines()) == 1
