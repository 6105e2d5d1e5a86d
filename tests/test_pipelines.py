"""The calls of pipelines, in their order, with AUGUSTUS's own scripts and our programs.

python -m pytest tests/test_pipelines.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import write_fasta
from augustus_dl.train.etraining import FROM, MINUTES
from tests.train.conftest import make_contig

SCRIPTS = Path("/usr/share/augustus/scripts")
ROOT = Path(__file__).resolve().parents[1]

pytestmark = [
    pytest.mark.skipif(not SCRIPTS.is_dir(), reason=f"needs AUGUSTUS's scripts in {SCRIPTS}"),
    pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl"),
]

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with AUGUSTUS's scripts beside our programs."""
    path = tmp_path_factory.mktemp("installed") / "p"
    subprocess.run(
        [sys.executable, "-m", "augustus_dl", "install", str(path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for script in SCRIPTS.glob("*.p[lm]"):
        if not (path / "scripts" / script.name).exists():
            (path / "scripts" / script.name).symlink_to(script)
    return path


@pytest.fixture
def call(prefix: Path, toy_folder: Path, tmp_path: Path) -> Call:
    """Runs a program of the installation, or one of its scripts, where the data are."""
    environment = os.environ | {
        "PATH": f"{prefix}/bin:{prefix}/scripts:{os.environ['PATH']}",
        "AUGUSTUS_CONFIG_PATH": f"{prefix}/config",
        FROM: os.path.join(toy_folder, ""),
        MINUTES: "0.1",
    }
    records = [make_contig(f"c{seed}", seed, 3) for seed in range(30)]
    write_fasta(tmp_path / "genome.fa", [contig for contig, _ in records])
    genes = [replace(g, id=f"{g.contig}.{g.id}") for _, own in records for g in own]
    write_gff3(tmp_path / "genes.gff3", genes)

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        name, *more = map(str, words)
        program = ["perl", str(prefix / "scripts" / name)] if name.endswith(".pl") else [name]
        done = subprocess.run(
            [*program, *more], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (words, done.stderr)
        return done

    return call


def test_braker_trains_and_predicts(call: Call, prefix: Path, tmp_path: Path) -> None:
    """Check, new species, split, train, test, optimise, train again, predict tiles, join."""
    species = prefix / "config/species/mine"
    who = ("--species=mine", f"--AUGUSTUS_CONFIG_PATH={prefix}/config")
    call("augustus")
    call("etraining")
    call("new_species.pl", *who)
    call("gff2gbSmallDNA.pl", "genes.gff3", "genome.fa", 150, "genes.gb")
    call("randomSplit.pl", "genes.gb", 8)

    trained = call("etraining", *who, "genes.gb.train")
    assert not re.findall(r"n sequence (\S+):", trained.stderr)
    stops = re.findall(r"^(t[ag][ag]):\s+\d+ \(([\d.e-]+)\)$", trained.stdout, re.MULTILINE)
    assert dict(stops) == {"tag": "0", "taa": "1", "tga": "0"}
    assert any("exon_probs" in path.name for path in species.iterdir())  # as BUSCO asks
    network = json.loads((species / "mine_dl.json").read_text())

    cfg = species / "mine_parameters.cfg"
    cfg.write_text(cfg.read_text() + "/Constant/ochreprob 1 # edited\n")
    table = call("augustus", *who, "genes.gb.test").stdout
    for level in ("nucleotide level", "exon level", "gene level"):
        assert re.search(rf"^{level} \|.*\|$", table, re.MULTILINE), table

    told = call("optimize_augustus.pl", *who, "--rounds=1", "--onlytrain=genes.gb", "genes.gb")
    assert "Nothing is left to optimise" in told.stdout
    call("etraining", *who, "genes.gb.train")
    assert json.loads((species / "mine_dl.json").read_text()) == network

    first = (tmp_path / "genome.fa").read_text().split(">")[1]
    (tmp_path / "c0.fa").write_text(f">{first}")
    ranges = [("1", "1000"), ("800.5", "1500")]  # funannotate writes such numbers
    tiles = [
        call("augustus", *who, f"--predictionStart={a}", f"--predictionEnd={b}", "c0.fa").stdout
        for a, b in ranges
    ]
    join = ["perl", str(SCRIPTS / "join_aug_pred.pl")]
    joined = subprocess.run(join, input="".join(tiles), capture_output=True, text=True)
    assert (joined.returncode, joined.stderr) == (0, "")
    assert joined.stdout.startswith("# This output was generated with AUGUSTUS")


@pytest.mark.slow
def test_augustus_own_optimisation_runs(call: Call, prefix: Path, tmp_path: Path) -> None:
    """A client that finds AUGUSTUS's script first: our programs answer it."""
    call("new_species.pl", "--species=other")
    call("gff2gbSmallDNA.pl", "genes.gff3", "genome.fa", 150, "genes.gb")
    records = (tmp_path / "genes.gb").read_text().split("//\n")
    (tmp_path / "few.gb").write_text("//\n".join(records[:12]) + "//\n")
    call("etraining", "--species=other", "few.gb")
    own = prefix / "scripts/own_optimize.pl"
    own.symlink_to(SCRIPTS / "optimize_augustus.pl")
    done = call(own.name, "--species=other", "--rounds=1", "--kfold=2", "few.gb")
    assert "starting accuracy" in done.stdout, done.stdout[-500:]
