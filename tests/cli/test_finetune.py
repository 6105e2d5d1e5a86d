"""`augustus-dl finetune` on toy genes and a small random network: files in, a profile out.

python -m pytest tests/cli/test_finetune.py
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from augustus_dl.cli import main
from augustus_dl.gene import Gene
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.io.genbank import write_genbank
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile
from augustus_dl.train import finetune as module
from augustus_dl.train import species_folder
from augustus_dl.train.finetune import Outcome
from tests.train.conftest import make_contig

Records = list[tuple[Contig, list[Gene]]]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def records() -> Records:
    """90 genes on 30 sequences."""
    return [make_contig(f"c{seed}", seed, 3) for seed in range(30)]


@pytest.fixture(scope="module")
def files(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_files(folder, records)
    write_genbank(folder / "genes.gb", records)
    return folder


def write_files(folder: Path, records: Records) -> None:
    write_fasta(folder / "genome.fa", [contig for contig, _ in records])
    genes = [replace(g, id=f"{g.contig}.{g.id}") for _, own in records for g in own]
    write_gff3(folder / "genes.gff3", genes)


@pytest.fixture
def run(
    files: Path, toy_folder: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)

    def run(*words: object, data: Path = files) -> tuple[int, str, str]:
        fixed = ["--from", f"{toy_folder}/", "--minutes=0.1", "--device=cpu", "--species=bug"]
        given = [f"--genome={data}/genome.fa", f"--annotation={data}/genes.gff3"]
        status = main(["finetune", *fixed, *given, *map(str, words)])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def shown(folder: Path) -> dict:
    return json.loads((folder / "bug_dl.json").read_text())


def test_a_profile_appears_and_predicts(
    run: Run, tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a few steps of a toy make it better is chance, so that is left out here."""
    monkeypatch.setattr(Outcome, "is_worse", False)
    status, out, err = run(f"--output={tmp_path}/bug")
    assert status == 0, err
    assert "90 genes are used, 0 are not" in err and "starting from toy (clade yeasts)" in err
    assert "held out\n" in out and "gain in gene F1: " in out
    (weights,) = tmp_path.glob("bug/weights-*")
    assert {path.name for path in tmp_path.glob("bug/*")} == {
        *("bug_dl.json", "bug_parameters.cfg", weights.name)
    }
    assert {path.name for path in weights.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "README.md", "curves.png"),
        *("constants.json", "reliability.png", "bug_dl.json", "bug_parameters.cfg"),
    }
    assert (weights / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "Fine-tuned from the checkpoint `toy`" in (weights / "README.md").read_text()
    profile = find_profile(f"{tmp_path}/bug/")
    assert (profile.model, profile.clade) == (weights, "yeasts")
    assert profile.scores["held_out_genes"] >= 20 and profile.scores["parent"] == "toy"
    shutil.copytree(tmp_path / "bug", tmp_path / "copy")
    copied = find_profile(f"{tmp_path}/copy/")
    ((_, genes),) = predict([records[0][0]], copied, PredictOptions(device="cpu"))
    assert all(gene.contig == "c0" for gene in genes)


def outcome(monkeypatch: pytest.MonkeyPatch, toy_folder: Path, tmp_path: Path, f1: float) -> None:
    """Fine-tuning that ends at once, the parent's gene F1 being 50."""

    class Report:
        constants = module.DecoderConfig(intron=3.0)
        decoder = MappingProxyType({"intron": 3.0})

        def write(self, folder: Path) -> None:
            (folder / "constants.json").write_text("{}")

    (tmp_path / "curves.png").touch()
    model = tmp_path / "model"
    if not model.exists():
        shutil.copytree(toy_folder, model)
    scores = ({"gene": value, "exon": 60.0} for value in (50.0, f1, f1))
    found = Outcome(model, tmp_path / "curves.png", 200, 60, *scores, noise=1.0, report=Report())
    monkeypatch.setattr(module, "finetune", lambda *_: found)


def test_a_worse_profile_is_refused(
    run: Run, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(monkeypatch, toy_folder, tmp_path, 49.0)
    status, out, err = run(f"--output={tmp_path}/bug")
    assert status == 1 and "gain in gene F1: -1.00 +- 1.00" in out
    assert "no profile is written: on 60 held-out genes it would be worse than toy" in err
    assert not (tmp_path / "bug").exists()


def test_a_full_disk_leaves_the_old_profile(
    run: Run, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(monkeypatch, toy_folder, tmp_path, 51.0)
    assert run(f"--output={tmp_path}/bug")[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("bug/**/*") if path.is_file()}

    def full(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(species_folder.shutil, "copyfile", full)
        status, _, err = run(f"--output={tmp_path}/bug")
    assert status == 1
    assert "cannot be written to" in err and "No space left on device; what was there" in err
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("bug/**/*") if p.is_file()}


def test_a_kill_while_writing_leaves_the_old_profile(
    run: Run, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the new weights are there, before they are pointed to."""
    outcome(monkeypatch, toy_folder, tmp_path, 51.0)
    assert run(f"--output={tmp_path}/bug")[0] == 0
    old = shown(tmp_path / "bug")
    (tmp_path / "model/model.safetensors").write_bytes(b"new weights")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(species_folder, "point_to", killed)
        assert run(f"--output={tmp_path}/bug")[0] != 0
    assert shown(tmp_path / "bug") == old
    assert (tmp_path / "bug" / old["model"] / "model.safetensors").stat().st_size > 100
    assert run(f"--output={tmp_path}/bug")[0] == 0
    now = tmp_path / "bug" / shown(tmp_path / "bug")["model"]
    assert (now / "model.safetensors").read_bytes() == b"new weights"


def test_where_a_profile_goes(
    run: Run, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(monkeypatch, toy_folder, tmp_path, 51.0)
    (tmp_path / "config/species/bug").mkdir(parents=True)
    cfg = tmp_path / "config/species/bug/bug_parameters.cfg"
    cfg.write_text("introns off # edited\n")
    assert run(f"--AUGUSTUS_CONFIG_PATH={tmp_path}/config")[0] == 0
    assert cfg.read_text() == "introns off # edited\n"
    profile = find_profile("bug", tmp_path / "config")
    assert profile.decoder["intron"] == 3.0 and profile.status == "trained on this species"
    monkeypatch.chdir(tmp_path)
    assert run()[0] == 0
    assert find_profile("bug").folder == Path("bug")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--species=a b"], "species name 'a b': use letters"),
        (["--species=fly"], "--species fly is shipped; choose another name"),
        (["--from=dragons", "--output=x"], "Species-specific configuration files not found"),
        (["--AUGUSTUS_CONFIG_PATH=/nowhere"], "there is no folder /nowhere/species"),
        (["--output=/dev/null/bug"], "/dev/null/bug cannot be written"),
        (["--device=abacus", "--output=x"], "unknown device 'abacus'"),
        (["--deepspeed=zero4", "--output=x"], "name a JSON file or zero0"),
    ],
)
def test_wrong_calls(
    run: Run, words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*words)
    assert (status, out) == (1, "") and message in err
    assert not list(tmp_path.iterdir())


def test_several_processes_start_from_one_checkpoint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    status, _, err = run("--from=", f"--output={tmp_path}/bug")
    assert status == 1 and "several processes need --from" in err


def test_twenty_genes_are_too_few(run: Run, records: Records, tmp_path: Path) -> None:
    write_files(tmp_path, records[:7])
    status, out, err = run(f"--output={tmp_path}/bug", data=tmp_path)
    assert (status, out) == (1, "")
    assert "21 usable genes are too few to fine-tune with" in err
    assert not (tmp_path / "bug").exists()


def test_another_assembly_is_told(run: Run, records: Records, tmp_path: Path) -> None:
    write_files(tmp_path, records)
    write_fasta(tmp_path / "genome.fa", [Contig(c.name, b"A" + c.sequence) for c, _ in records])
    status, _, err = run(f"--output={tmp_path}/bug", data=tmp_path)
    assert status == 1 and "of 90 genes do not fit the genome" in err
    assert "another assembly" in err


def test_genbank_needs_no_genome(
    run: Run, toy_folder: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(monkeypatch, toy_folder, tmp_path, 51.0)
    words = ["--species=bug", f"--from={toy_folder}/", f"--output={tmp_path}/bug"]
    assert main(["finetune", *words, f"--annotation={files}/genes.gb"]) == 0
    assert main(["finetune", *words, f"--annotation={files}/genes.gff3"]) == 1
