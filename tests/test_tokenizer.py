"""Vocabularies: one token a base, annotation tokens appended, old ids untouched.

python -m pytest tests/test_tokenizer.py
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer

from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError, ModelError
from augustus_dl.labels import TOKENS
from augustus_dl.tokenizer import BASES, extend, nucleotide_tokenizer, save

SCRIPT = Path(__file__).resolve().parents[1] / "bin/tokenizer.py"


@pytest.fixture
def bpe_folder(tmp_path: Path) -> Path:
    """A small BPE tokenizer made as DNABERT-2's was."""
    tokenizer = Tokenizer(BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trainer = BpeTrainer(vocab_size=40, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(["ACGTTGCAACGTACGGATTACA" * 4, "GGGCCCATATAT" * 5], trainer)
    folder = tmp_path / "bpe"
    save(folder, tokenizer)
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_text("weights")
    return folder


def test_one_token_a_base_with_its_base_code() -> None:
    sequence = "ACGTNacgtnUuRy-"
    ids = nucleotide_tokenizer().encode(sequence).ids
    assert ids == base_codes(sequence.encode()).tolist()


def test_annotation_tokens_follow_the_bases() -> None:
    tokenizer = nucleotide_tokenizer()
    assert [tokenizer.token_to_id(token) for token in (*BASES, *TOKENS)] == list(
        range(tokenizer.get_vocab_size())
    )
    assert tokenizer.encode("ac[+START][n1]g").tokens == ["A", "C", "[+START]", "[n1]", "G"]


def test_saved_tokenizer_reads_back(tmp_path: Path) -> None:
    path = save(tmp_path / "model")
    assert [entry.name for entry in path.parent.iterdir()] == ["tokenizer.json"]
    assert Tokenizer.from_file(str(path)).get_vocab() == nucleotide_tokenizer().get_vocab()


def test_extending_keeps_old_ids(bpe_folder: Path, tmp_path: Path) -> None:
    before = Tokenizer.from_file(str(bpe_folder / "tokenizer.json"))
    ids = extend(bpe_folder, TOKENS, tmp_path / "out")
    after = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    size = before.get_vocab_size()
    assert list(ids.values()) == list(range(size, size + len(TOKENS)))
    assert before.get_vocab().items() <= after.get_vocab().items()
    sequence = "ACGTTGCAGGGCCCATAT"
    assert after.encode(sequence).ids == before.encode(sequence).ids
    assert after.encode("ACGT[-STOP]").tokens[-1] == "[-STOP]"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_extending_twice_changes_nothing(bpe_folder: Path, tmp_path: Path) -> None:
    first = extend(bpe_folder, TOKENS, tmp_path / "out")
    written = (tmp_path / "out/tokenizer.json").read_bytes()
    assert extend(tmp_path / "out", TOKENS, tmp_path / "out") == first
    assert (tmp_path / "out/tokenizer.json").read_bytes() == written


@pytest.mark.parametrize("token", ["", "\t", "\n", "[a b]"])
def test_white_space_is_no_token(bpe_folder: Path, tmp_path: Path, token: str) -> None:
    with pytest.raises(InputError, match="white space"):
        extend(bpe_folder, [token], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_folders_without_a_tokenizer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        extend(tmp_path, TOKENS, tmp_path / "out")
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="is no tokenizer"):
        extend(tmp_path, TOKENS, tmp_path / "out")


def run_script(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_script_writes_the_tokens_and_counts_features(tmp_path: Path) -> None:
    rows = [("tRNA_gene", "+"), ("tRNA", "-"), ("snoRNA_gene", "-"), ("oriC", "."), ("CDS", "+")]
    text = "".join(f"chr1\tx\t{kind}\t1\t9\t.\t{strand}\t.\tID=a\n" for kind, strand in rows)
    (tmp_path / "a.gff3").write_text("##gff-version 3\n" + text)
    with gzip.open(tmp_path / "b.gtf.gz", "wt") as stream:
        stream.write("chr1\tx\tinsertion_sequence\t1\t9\t.\t+\t.\t\n##FASTA\n>chr1\nACGT\n")
    done = run_script("--output", "./data/new_tokens.txt", "a.gff3", "b.gtf.gz", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    written = (tmp_path / "data/new_tokens.txt").read_bytes().decode("utf-8")
    assert written == "".join(f"{token}\n" for token in TOKENS)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["new_tokens.txt"]
    counts = dict(line.split(": ") for line in done.stderr.splitlines()[:-1])
    assert counts["tRNA"].startswith("1 on +, 1 on -, 0 on .")
    assert counts["ncRNA"].startswith("0 on +, 1 on -, 0 on .")
    assert counts["rRNA"].startswith("0 on +, 0 on -, 0 on .")
    assert counts["mobile_genetic_element"].startswith("1 on +, 0 on -, 0 on .")
    assert counts["origin_of_replication"].startswith("0 on +, 0 on -, 1 on .")


@pytest.mark.parametrize("annotation", ["missing.gff3", "spaces.gff3"])
def test_script_refuses_what_it_cannot_read(tmp_path: Path, annotation: str) -> None:
    (tmp_path / "spaces.gff3").write_text("chr1 x tRNA 1 9 . + . ID=a\n")
    done = run_script("--output", "tokens.txt", annotation, folder=tmp_path)
    assert done.returncode == 1
    assert annotation in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "tokens.txt").exists()


def test_script_without_numpy_says_what_to_do(tmp_path: Path) -> None:
    code = (
        f"import runpy, sys; sys.modules['numpy'] = None; sys.argv = {[str(SCRIPT)]!r};"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "make install" in done.stderr and len(done.stderr.splitlines()) == 1
