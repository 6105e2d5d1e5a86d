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
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import write_fasta
from augustus_dl.train.etraining import FROM, MINUTES
from tests.train.conftest import make_contig

SCRIPTS = Path("/usr/share/augustus/scripts")
ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests/golden/inputs"

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


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 genes on 30 sequences, and what hints say about the first one's introns."""
    folder = tmp_path_factory.mktemp("data")
    records = [make_contig(f"c{seed}", seed, 3) for seed in range(30)]
    write_fasta(folder / "genome.fa", [contig for contig, _ in records])
    write_fasta(folder / "c0.fa", [records[0][0]])
    genes = [replace(g, id=f"{g.contig}.{g.id}") for _, own in records for g in own]
    write_gff3(folder / "genes.gff3", genes)
    introns = [
        (left[1] + 1, right[0], gene.strand)
        for gene in records[0][1]
        for left, right in pairwise(gene.transcripts[0].cds)
    ]
    lines = (
        f"c0\tb2h\tintron\t{start}\t{end}\t0\t{strand}\t.\tmult=9;pri=4;src=E\n"
        for start, end, strand in introns
    )
    (folder / "hints.gff").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def call(prefix: Path, toy_folder: Path, data: Path) -> Call:
    """Runs a program of the installation, or one of its scripts, where the data are."""
    environment = os.environ | {
        "PATH": f"{prefix}/bin:{prefix}/scripts:{os.environ['PATH']}",
        "AUGUSTUS_CONFIG_PATH": f"{prefix}/config",
        FROM: os.path.join(toy_folder, ""),
        MINUTES: "0.1",
    }

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        name, *more = map(str, words)
        program = ["perl", str(prefix / "scripts" / name)] if name.endswith(".pl") else [name]
        done = subprocess.run(
            [*program, *more], cwd=data, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (words, done.stderr)
        return done

    return call


@pytest.fixture(scope="module")
def trained(call: Call, prefix: Path) -> subprocess.CompletedProcess[str]:
    """The species `mine`, made as BRAKER makes one; what etraining said."""
    call("augustus")
    call("etraining")
    call("new_species.pl", *who("mine", prefix))
    call("gff2gbSmallDNA.pl", "genes.gff3", "genome.fa", 150, "genes.gb")
    call("randomSplit.pl", "genes.gb", 8)
    return call("etraining", *who("mine", prefix), "genes.gb.train")


def who(species: str, prefix: Path) -> tuple[str, str]:
    return f"--species={species}", f"--AUGUSTUS_CONFIG_PATH={prefix}/config"


def train_again(call: Call, config: Path, species: str) -> dict:
    """Train a new species on the genes that `mine` was trained on: the cache answers."""
    folder = config / "species" / species
    (weights,) = (path for path in config.glob("species/mine/weights-*"))
    shutil.copytree(weights, folder / weights.name)
    call("etraining", f"--species={species}", f"--AUGUSTUS_CONFIG_PATH={config}", "genes.gb.train")
    known = json.loads((config / "species/mine/mine_dl.json").read_text())
    found = json.loads((folder / f"{species}_dl.json").read_text())
    assert found == known
    return found


def accuracy(table: str) -> dict[str, list[str]]:
    """Fields of the lines that GALBA, BRAKER and funannotate look for."""
    levels = ("nucleotide level", "exon level", "gene level")
    lines = [line.split("|") for line in table.splitlines() if line.startswith(levels)]
    assert all(fields[-1] == "" for fields in lines)
    return {fields[0].strip(): fields for fields in lines}


def joined(tiles: Iterable[str]) -> str:
    """Outputs of overlapping ranges as join_aug_pred.pl joins them."""
    join = ["perl", str(SCRIPTS / "join_aug_pred.pl")]
    done = subprocess.run(join, input="".join(tiles), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    head = done.stdout.removeprefix("##gff-version 3\n")
    assert head.startswith("# This output was generated with AUGUSTUS")
    return done.stdout


def test_braker(
    trained: subprocess.CompletedProcess[str], call: Call, prefix: Path, data: Path, tmp_path: Path
) -> None:
    """Check, new species, split, train, test, optimise, train again, predict tiles, join."""
    species = prefix / "config/species/mine"
    mine = who("mine", prefix)
    assert not re.findall(r"n sequence (\S+):", trained.stderr)
    stops = re.findall(r"^(t[ag][ag]):\s+\d+ \(([\d.e-]+)\)$", trained.stdout, re.MULTILINE)
    assert dict(stops) == {"tag": "0", "taa": "1", "tga": "0"}
    network = json.loads((species / "mine_dl.json").read_text())

    cfg = species / "mine_parameters.cfg"
    cfg.write_text(cfg.read_text() + "/Constant/ochreprob 1 # edited\n")
    assert len(accuracy(call("augustus", *mine, "genes.gb.test").stdout)) == 3

    told = call("optimize_augustus.pl", *mine, "--rounds=1", "--onlytrain=genes.gb", "genes.gb")
    assert "Nothing is left to optimise" in told.stdout
    call("etraining", *mine, "genes.gb.train")
    assert json.loads((species / "mine_dl.json").read_text()) == network

    options = "--alternatives-from-evidence=true --UTR=off --exonnames=on --codingseq=on"
    options += " --allow_hinted_splicesites=gcag,atac --softmasking=1"
    cfg = f"{prefix}/config/extrinsic/extrinsic.M.RM.E.W.P.cfg"
    length = len((data / "c0.fa").read_text())
    (data / "c0.lst").write_text(f"{data}/c0.fa\t{data}/hints.gff\t1\t{length}\n")
    (tmp_path / "out").mkdir()
    call(
        *("createAugustusJoblist.pl", "--sequences=c0.lst", "--wrap=#!/bin/bash", "--overlap=300"),
        *("--chunksize=1200", f"--outputdir={tmp_path}/out/", f"--joblist={tmp_path}/jobs.lst"),
        *("--partitionHints", f"--jobprefix={tmp_path}/job."),
        f"--command=augustus {' '.join(mine)} --extrinsicCfgFile={cfg} {options}",
    )
    for job in (tmp_path / "jobs.lst").read_text().split():
        call("bash", job)
    outputs = sorted(tmp_path.glob("out/*.gff"))
    assert len(outputs) > 1
    assert not any("ERROR" in path.read_text() for path in tmp_path.glob("out/*.err"))
    text = joined(path.read_text() for path in outputs)
    assert "% of transcript supported by hints" in text
    (tmp_path / "genes.gff").write_text(text)
    lines = "".join(f"{line}\n" for line in text.splitlines() if "\tAUGUSTUS\t" in line)
    gtf2gff = ["perl", str(SCRIPTS / "gtf2gff.pl"), "--printExon", f"--out={tmp_path}/genes.gtf"]
    assert subprocess.run(gtf2gff, input=lines, text=True).returncode == 0
    assert "\texon\t" in (tmp_path / "genes.gtf").read_text()


def test_galba(trained: object, call: Call, prefix: Path, data: Path, tmp_path: Path) -> None:
    """As BRAKER up to the accuracy, then through pygustus: options from JSON, version on stderr."""
    config = prefix / "config"
    parameters = json.loads((config / "parameters/aug_cmdln_parameters.json").read_text())
    names = {row["name"] for row in parameters}
    version = call("augustus", "--version")
    assert re.search(r"\d+.\d+.\d+", version.stderr)[0] >= "3.3.2"
    call("new_species.pl", *who("galba", prefix))
    train_again(call, config, "galba")
    assert len(accuracy(call("augustus", *who("galba", prefix), "genes.gb.test").stdout)) == 3
    words = {
        "exonnames": "1",
        "codingseq": "1",
        "allow_hinted_splicesites": "gcag,atac",
        "softmasking": "True",
        "hintsfile": data / "hints.gff",
        "extrinsicCfgFile": config / "extrinsic/extrinsic.M.RM.E.W.P.cfg",
        "alternatives-from-evidence": "True",
        "species": "galba",
    }
    assert names >= words.keys() | {"outfile", "predictionStart", "predictionEnd"}
    tiles = []
    for number, (start, end) in enumerate([(1, 1000), (800, 1500)]):
        out = tmp_path / f"{number}.gff"
        run = words | {"outfile": out, "predictionStart": start, "predictionEnd": end}
        call("augustus", *(f"--{name}={value}" for name, value in run.items()), "c0.fa")
        tiles.append(out.read_text())
    assert "# hint groups fully obeyed" in joined(tiles)


def test_maker(trained: object, call: Call, prefix: Path, data: Path, tmp_path: Path) -> None:
    """Training with a config folder of links, then one run a locus, from a packed species."""
    private = tmp_path / "config"
    (private / "species").mkdir(parents=True)
    for name in ("extrinsic", "profile", "model", "species/generic"):
        (private / name).symlink_to(prefix / "config" / name)
    config = f"--AUGUSTUS_CONFIG_PATH={private}"
    call("new_species.pl", "--species=locus", config)
    shutil.copytree(prefix / "config/species/mine", private / "species/mine")
    train_again(call, private, "locus")
    packed = shutil.make_archive(str(tmp_path / "locus"), "gztar", private / "species", "locus")
    other = tmp_path / "other"
    shutil.unpack_archive(packed, other / "species")
    for name in ("extrinsic", "profile", "model"):
        (other / name).symlink_to(prefix / "config" / name)
    assert (other / "extrinsic/extrinsic.MPE.cfg").is_file()

    hints = tmp_path / "maker.gff"
    types = {"intron": "source=E;pri=3", "CDSpart": "source=P;pri=2", "exonpart": "source=E;pri=1"}
    lines = (f"c0\thint\t{kind}\t300\t360\t0\t+\t.\t{rest}\n" for kind, rest in types.items())
    hints.write_text("".join(lines))
    species = ("--species=locus", "--UTR=off", f"--AUGUSTUS_CONFIG_PATH={other}")
    extrinsic = f"--extrinsicCfgFile={other}/extrinsic/extrinsic.MPE.cfg"
    plain = call("augustus", *species, "c0.fa").stdout
    hinted = call(
        "augustus", "--strand=forward", *species, f"--hintsfile={hints}", extrinsic, "c0.fa"
    ).stdout
    for text in (plain, hinted):
        blocks = text.split("# start gene")
        assert len(blocks) > 1
        for block in blocks[1:]:
            maker_reads(block)


def maker_reads(block: str) -> None:
    """What makes MAKER give up: unknown types, scores that are no numbers, lengths not by three."""
    rows = [line.split("\t") for line in block.splitlines() if "\tAUGUSTUS\t" in line]
    kinds = {"gene", "transcript", "CDS", "intron", "start_codon", "stop_codon"}
    assert {row[2] for row in rows} <= kinds | {"single", "initial", "internal", "terminal"}
    float(rows[0][5])
    found = [row[2] for row in rows]
    if found.count("transcript") == found.count("start_codon") == found.count("stop_codon") == 1:
        assert sum(int(row[4]) - int(row[3]) + 1 for row in rows if row[2] == "CDS") % 3 == 0


def test_funannotate(trained: object, call: Call, prefix: Path, data: Path, tmp_path: Path) -> None:
    """Self-test, a config folder of copies, training, GFF3 in parts, a database of copies."""
    greeting = call("augustus", "--version")
    assert (greeting.stdout + greeting.stderr).split(" is ")[0].startswith("AUGUSTUS (3.5.0)")
    profile = f"--proteinprofile={GOLDEN}/PF00225.prfl"
    test = call("augustus", "--species=anidulans", profile, f"{GOLDEN}/fly_kinesin.fa")
    assert not test.stderr.startswith("augustus: ERROR")

    local = tmp_path / "config"
    for name in ("extrinsic", "model", "profile", "parameters"):
        shutil.copytree(prefix / "config" / name, local / name)
    for name in ("anidulans", "generic", "mine"):
        shutil.copytree(prefix / "config/species" / name, local / "species" / name)
    config = f"--AUGUSTUS_CONFIG_PATH={local}"
    call("new_species.pl", "--species=fun", config)
    train_again(call, local, "fun")
    table = accuracy(call("augustus", "--species=fun", config, "genes.gb.test").stdout)
    fields = {"nucleotide level": (1, 2), "exon level": (6, 7), "gene level": (6, 7)}
    assert all(0 <= float(table[level][i]) <= 1 for level, own in fields.items() for i in own)

    options = ["--softmasking=1", "--gff3=on", "--UTR=off", "--stopCodonExcludedFromCDS=False"]
    extrinsic = f"--extrinsicCfgFile={local}/extrinsic/extrinsic.E.XNT.cfg"
    options += ["--hintsfile=hints.gff", extrinsic]
    ranges = [("1", "1000"), ("800.5", "1500.0")]
    tiles = [
        call(
            *("augustus", "--species=fun", config, *options),
            *(f"--predictionStart={start}", f"--predictionEnd={end}", "c0.fa"),
        ).stdout
        for start, end in ranges
    ]
    text = joined(tiles)
    assert "\tgene\t" in text and "# CDS introns: " in text and "Parent=" in text
    assert not any(line.endswith(";") for line in text.splitlines() if "\tAUGUSTUS\t" in line)

    database = tmp_path / "database/species/fun"
    shutil.copytree(local / "species/fun", database, symlinks=False)
    again = call(
        "augustus", "--species=fun", f"--AUGUSTUS_CONFIG_PATH={tmp_path}/database", "c0.fa"
    )
    assert genes_of(again.stdout)


def genes_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if "\tAUGUSTUS\t" in line]


def test_busco(call: Call, prefix: Path, data: Path, tmp_path: Path) -> None:
    """Search by profile in a range, train on what was found, search again, move the folder."""
    profile = f"--proteinprofile={GOLDEN}/PF00225.prfl"
    search = ("augustus", "--codingseq=1", profile, "--predictionStart=2001 ")
    found = call(*search, "--predictionEnd=9500", "--species=fly", f"{GOLDEN}/fly_kinesin.fa")
    blocks = re.findall(
        r"# start gene .*?# coding sequence = \[([acgt\n# ]+)\]\n"
        r"# protein sequence = \[([A-Z\n# ]+)\]",
        found.stdout,
        re.DOTALL,
    )
    assert blocks
    for nucleotides, protein in blocks:
        letters = [re.sub(r"[\n# ]", "", text) for text in (nucleotides, protein)]
        assert len(letters[0]) // 3 - len(letters[1]) in (0, 1)

    config = prefix / "config"
    call("new_species.pl", "--species=BUSCO_run")
    rows = (data / "genes.gff3").read_text().splitlines()
    few = [row for row in rows if row.startswith(tuple(f"c{number}\t" for number in range(10, 18)))]
    (data / "single_copy.gff").write_text("\n".join(few) + "\n")
    call("gff2gbSmallDNA.pl", "single_copy.gff", "genome.fa", 150, "training_set.db")
    told = call("etraining", "--species=BUSCO_run", "training_set.db")
    assert "the checkpoint toy answers for BUSCO_run: 24 usable genes are too few" in told.stderr
    assert any("exon_probs" in path.name for path in (config / "species/BUSCO_run").iterdir())
    again = call(*search[:3], "--species=BUSCO_run", "c0.fa")
    assert again.stdout.startswith("# This output was generated with AUGUSTUS")
    shutil.move(config / "species/BUSCO_run", tmp_path / "retraining_parameters")
    assert genes_of(call("augustus", f"--species={tmp_path}/retraining_parameters", "c0.fa").stdout)


@pytest.mark.slow
def test_augustus_own_optimisation_runs(call: Call, prefix: Path, data: Path) -> None:
    """A client that finds AUGUSTUS's script first: our programs answer it."""
    call("new_species.pl", "--species=other")
    call("gff2gbSmallDNA.pl", "genes.gff3", "genome.fa", 150, "all.gb")
    records = (data / "all.gb").read_text().split("//\n")
    (data / "few.gb").write_text("//\n".join(records[:12]) + "//\n")
    call("etraining", "--species=other", "few.gb")
    own = prefix / "scripts/own_optimize.pl"
    own.symlink_to(SCRIPTS / "optimize_augustus.pl")
    done = call(own.name, "--species=other", "--rounds=1", "--kfold=2", "few.gb")
    assert "starting accuracy" in done.stdout, done.stdout[-500:]
