"""The tokenizer.json of a model folder: bases and annotation tokens as one vocabulary.

`nucleotide_tokenizer` builds the vocabulary of the shipped models, one token a base; `extend` adds
annotation tokens to a BPE tokenizer somebody trained (DNABERT-2's) and leaves its ids alone.
Prediction reads no tokenizer: bases become codes in `augustus_dl.encode`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Replace
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import Split

from augustus_dl.errors import InputError, ModelError
from augustus_dl.io.files import whole_file
from augustus_dl.labels import TOKENS

__all__ = ["BASES", "extend", "nucleotide_tokenizer", "save"]

BASES = "ACGTN"
"""Bases in the order of their ids, which are the base codes of `augustus_dl.encode`."""

_FILE = "tokenizer.json"


def nucleotide_tokenizer() -> Tokenizer:
    """Vocabulary of bases (ids 0 to 4, N for any other letter) and `labels.TOKENS` after them."""
    tokenizer = Tokenizer(WordLevel({base: i for i, base in enumerate(BASES)}, unk_token="N"))
    tokenizer.normalizer = Normalizers(
        [Replace(Regex(f"[{letters}]"), letters[0]) for letters in ("Aa", "Cc", "Gg", "TtUu")]
    )
    tokenizer.pre_tokenizer = Split(Regex("."), behavior="isolated")
    _add(tokenizer, TOKENS)
    return tokenizer


def save(folder: str | os.PathLike[str], tokenizer: Tokenizer | None = None) -> Path:
    """Write `folder`/tokenizer.json (by default the nucleotide tokenizer) and return its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / _FILE) as path:
        (tokenizer or nucleotide_tokenizer()).save(str(path))
    return folder / _FILE


def extend(
    folder: str | os.PathLike[str], tokens: Sequence[str], output: str | os.PathLike[str]
) -> dict[str, int]:
    """Append `tokens` to the tokenizer in `folder` and write the result to the folder `output`.

    Tokens that the tokenizer has already keep their ids, like everything else in it; the other
    small tokenizer files (`*token*.json`, `vocab.*`, `merges.txt`) are copied along.

    Returns:
        The id of each of `tokens` in the written tokenizer.

    Raises:
        ModelError: `folder` holds no readable tokenizer.json.
        InputError: a token is empty or holds white space.
    """
    for token in tokens:
        if not token or any(letter.isspace() for letter in token):
            raise InputError(f"token {token!r} is empty or holds white space; remove it")
    source, output = Path(folder) / _FILE, Path(output)
    if not source.is_file():
        raise ModelError(f"{source} does not exist; name a folder with a {_FILE}")
    try:
        tokenizer = Tokenizer.from_file(str(source))
    except Exception as error:  # the library raises nothing narrower
        raise ModelError(f"{source} is no tokenizer: {error}") from error
    _add(tokenizer, tokens)
    save(output, tokenizer)
    if output.resolve() != source.parent.resolve():
        for pattern in ("*token*.json", "vocab.*", "merges.txt"):
            for path in source.parent.glob(pattern):
                if path.name != _FILE:
                    shutil.copy2(path, output / path.name)
    return {token: tokenizer.token_to_id(token) for token in tokens}


def _add(tokenizer: Tokenizer, tokens: Sequence[str]) -> None:
    """Add tokens that match whole, before bases are looked at; ids follow the largest in use."""
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in tokens])
