"""etraining's command line and its messages about training genes, measured on AUGUSTUS 3.5.0.

python -m pytest tests/cli/test_etraining.py
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from augustus_dl.cli import etraining
from augustus_dl.cli.etraining import CodonCounts, gene_faults, main
from augustus_dl.cli.usage import ETRAINING_USAGE, VERSION, parameter_list
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import Contig
from augustus_dl.io.genbank import write_genbank

TOO_FEW = "# augustus-dl: no network is trained: "
GOOD = "atggctgctgctgctgctgctgcttag"
FLANK = "c" * 300
NO_STOP = "exon doesn't end in stop codon. Variable stopCodonExcludedFromCDS set right?"
NO_START = "does not begin with start codon but with"
FAULTS = [
    ("good", [GOOD], []),
    ("good_two", ["atggctgctg", "ctgctgctgctgcttag"], []),
    ("two_stops", ["atggctgctg", "ctgctgctgcttagtaa"], []),
    ("start", ["gtg" + GOOD[3:]], [f"Single exon gene {NO_START} gtg"]),
    ("start_two", ["gtggctgctg", "ctgctgctgctgcttag"], [f"Initial exon {NO_START} gtg"]),
    ("stop", [GOOD[:-3]], [f"Single {NO_STOP}"]),
    ("stop_two", ["atggctgctg", "ctgctgctgctgctgca"], [f"Terminal {NO_STOP}"]),
    ("inner", [GOOD[:-3] + "taa" + GOOD[3:]], ["in-frame stop codon"]),
    ("frame", [GOOD[:-1]], ["coding length not a multiple of 3. Skipping..."]),
    ("short", ["tag"], ["Single training exon too short."]),
]
"""Name and exons of a gene, and what is wrong with it."""


def record(name: str, exons: list[str], strand: str = "+") -> tuple[Contig, tuple[Gene, ...]]:
    """A record with one gene of these exons; introns are as good as introns get."""
    intron = "gtaagt" + "t" * 100 + "ag"
    text = FLANK + intron.join(exons) + FLANK
    cds, start = [], len(FLANK)
    for exon in exons:
        cds.append((start, start + len(exon)))
        start += len(exon) + len(intron)
    transcript = Transcript("+", tuple(cds), id=f"{name}_gene.1")
    if strand == "-":
        transcript = transcript.mirrored(len(text))
        text = text[::-1].translate(str.maketrans("acgt", "tgca"))
    gene = Gene(name, strand, (transcript,), f"{name}_gene")
    return Contig(name, text.encode()), (gene,)


def training_file(path: Path) -> Path:
    write_genbank(path, [record(name, exons) for name, exons, _ in FAULTS])
    return path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder with a species that has nothing but its cfg, as new_species.pl makes it."""
    folder = tmp_path / "config" / "species" / "mine"
    folder.mkdir(parents=True)
    (folder / "mine_parameters.cfg").write_text("stopCodonExcludedFromCDS false # comment\n")
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


@pytest.fixture
def run(config: Path) -> Callable[..., tuple[int, str, str]]:
    def run(*words: object) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        status = main([str(word) for word in words], out, err)
        return status, out.getvalue(), err.getvalue()

    return run


@pytest.mark.parametrize(("name", "exons", "faults"), FAULTS)
@pytest.mark.parametrize("strand", ["+", "-"])
def test_faults_have_augustus_words(
    name: str, exons: list[str], faults: list[str], strand: str
) -> None:
    contig, (gene,) = record(name, exons, strand)
    found = CodonCounts(Counter(), Counter())
    assert list(gene_faults(gene.transcripts[0], contig, genetic_code(1), found)) == faults
    if not faults:
        assert (found.starts, found.stops) == ({"atg": 1}, {exons[-1][-3:]: 1})


def test_the_genetic_code_decides_what_stops() -> None:
    contig, (gene,) = record("ciliate", ["atgtaagcttga"])
    found = CodonCounts(Counter(), Counter())
    assert not list(gene_faults(gene.transcripts[0], contig, genetic_code(6), found))


def test_frequencies_are_printed_as_pipelines_read_them() -> None:
    found = CodonCounts(Counter(atg=24), Counter(tag=9, taa=35))
    assert list(found.lines()) == [
        "start codon frequencies: ATG(24)",
        "Frequency of stop codons:",
        "tag:    9 (0.205)",
        "taa:   35 (0.795)",
        "tga:    0 (0)",
    ]
    assert list(CodonCounts(Counter(), Counter()).lines())[1:] == ["Frequency of stop codons:"]


def test_genes_are_checked_before_training(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    status, out, err = run("--species=mine", training_file(tmp_path / "x.gb"))
    assert status == 0
    assert out.splitlines() == [
        "# Read in 10 genbank sequences.",
        "start codon frequencies: ATG(6)",
        "Frequency of stop codons:",
        "tag:    3 (0.75)",
        "taa:    1 (0.25)",
        "tga:    0 (0)",
    ]
    lines = err.splitlines()
    assert lines[:-1] == [
        f"gene {name}_gene transcr. 1 in sequence {name}: {fault}"
        for name, _, faults in FAULTS
        for fault in faults
    ]
    assert lines[-1].startswith(TOO_FEW)
    bad = set(re.findall(r"n sequence (\S+):", err))  # as BRAKER reads it
    assert bad == {name for name, _, faults in FAULTS if faults}


def test_stop_codons_outside_the_cds(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, config: Path
) -> None:
    cfg = config / "species/mine/mine_parameters.cfg"
    cfg.write_text("stopCodonExcludedFromCDS true\n")
    contig, (gene,) = record("x", [GOOD])
    transcript = Transcript("+", ((len(FLANK), len(FLANK) + len(GOOD) - 3),))
    write_genbank(tmp_path / "x.gb", [(contig, [Gene("x", "+", (transcript,), gene.id)])])
    (tmp_path / "o.cfg").write_text("stopCodonExcludedFromCDS 0\n")
    assert "in sequence x" not in run("--species=mine", "x.gb")[2]
    assert NO_STOP in run("--species=mine", "--optCfgFile=o.cfg", "x.gb")[2]
    assert NO_STOP in run("--species=mine", "--stopCodonExcludedFromCDS=off", "x.gb")[2]


def test_verbosity_0_is_silent(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    training_file(tmp_path / "x.gb")
    quiet = ("--/genbank/verbosity=0", "--/ExonModel/verbosity=0", "--/augustus/verbosity=0")
    status, out, err = run("--species=mine", *quiet, "x.gb")
    assert (status, out) == (0, "")
    assert err.startswith(TOO_FEW)


def test_incomplete_genes_are_named(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    contig, (gene,) = record("cut", [GOOD])
    transcript = Transcript("+", gene.transcripts[0].cds, complete3=False)
    write_genbank(tmp_path / "x.gb", [(contig, [Gene("cut", "+", (transcript,), "g")])])
    assert run("--species=mine", "x.gb")[2].startswith(
        "Coding sequence incomplete in sequence cut.\n"
    )


def test_no_arguments_give_the_usage_on_stdout(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run() == (0, ETRAINING_USAGE, "")


@pytest.mark.parametrize(
    ("words", "answer"),
    [("--version", VERSION), ("--help", ETRAINING_USAGE), ("--paramlist", parameter_list())],
)
def test_answers_go_to_stderr(
    run: Callable[..., tuple[int, str, str]], words: str, answer: str
) -> None:
    assert run(words) == (0, "", answer)


def test_species_help_lists_species(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = run("--species=help")
    assert (status, out) == (0, "") and "identifier " in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x.gb", 'No species specified. Type "augustus --species=help" to see available species.'),
        ("--species=mine", 'No training file specified. Type "etraining" for help.'),
        ("--species=mine nofile.gb", 'Could not open input file "nofile.gb"!'),
        ("--species=mine x.fa", "Input file not in genbank format."),
        ("--species=mine --foo=1 x.gb", 'Unknown parameter: "foo". Type "augustus" for help.'),
        ("--species=mine --jobs=1 x.gb", 'Unknown parameter: "jobs". Type "augustus" for help.'),
        ("--species=mine --gff3 x.gb", "'=' missing for parameter: gff3"),
        ("--species=mine --UTR=k x.gb", "Unknown option for parameter UTR. Use --UTR=on or --UTR="),
        ("--species=mine --genemodel=k x.gb", "Unknown value for parameter genemodel: k"),
        ("--species=mine --AUGUSTUS_CONFIG_PATH=/no x.gb", "/no/ is not a directory. Could not"),
        ("a b", "Error: 2 query files given: b and a.\nparameter names must start with '--'"),
    ],
)
def test_wrong_calls_are_framed_errors(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, words: str, message: str
) -> None:
    training_file(tmp_path / "x.gb")
    (tmp_path / "x.fa").write_text(">x\nacgt\n")
    status, out, err = run(*words.split())
    assert (status, out) == (1, "")
    assert err.startswith(f"\netraining: ERROR\n\t{message}") and err.endswith("\n\n")


def test_an_unknown_species_gets_augustus_lines(
    run: Callable[..., tuple[int, str, str]], config: Path
) -> None:
    assert run("--species=nosuch", "x.gb") == (
        1,
        "",
        f"Could not find the config file {config}/species/nosuch/nosuch_parameters.cfg.\n"
        " Looking for nosuch_parameters.cfg in the configuration directory instead ... not found.\n"
        "\netraining: ERROR\n"
        f"\tSpecies-specific configuration files not found in {config}/species/. "
        'Type "augustus --species=help" to see available species.\n\n',
    )


def test_messages_are_those_of_the_installed_etraining(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    config = Path("/usr/share/augustus/config")
    if shutil.which("etraining") is None or not config.is_dir():
        pytest.skip("Debian's AUGUSTUS is not installed")
    own = tmp_path / "augustus"  # etraining writes to the species folder
    for part in ("model", "parameters"):
        shutil.copytree(config / part, own / part)
    shutil.copytree(config / "species/fly", own / "species/fly")
    words = ["--species=fly", f"--AUGUSTUS_CONFIG_PATH={own}", str(training_file(tmp_path / "x"))]
    theirs = subprocess.run(["etraining", *words], capture_output=True, text=True, check=False)
    if theirs.returncode:
        pytest.skip("the program `etraining` is not AUGUSTUS's")
    _, out, err = run("--species=mine", tmp_path / "x")

    def lines(text: str, pattern: str) -> list[str]:
        return sorted(set(re.findall(pattern, text, re.MULTILINE)))

    assert lines(err, "^gene .*") == lines(theirs.stderr, "^gene .*")
    read = r"^# Read in .*|^start codon freq.*|^t[ag][ag]: .*"
    assert lines(out, read) == lines(theirs.stdout, read)


def test_the_names_that_clients_look_for(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, config: Path
) -> None:
    """BRAKER copies and deletes these files, BUSCO looks for exon_probs."""
    training_file(tmp_path / "x.gb")
    species = config / "species/mine"
    cfg = (species / "mine_parameters.cfg").read_bytes()
    files = ("--/ExonModel/outfile=exon-tmp1.pbl", "--/IntronModel/outfile=/dev/null")
    assert run("--species=mine", "x.gb")[0] == 0
    assert run("--species=mine", *files, "x.gb")[0] == 0
    assert {path.name for path in species.iterdir()} == {
        "mine_parameters.cfg",
        "mine_exon_probs.pbl",
        "mine_intron_probs.pbl",
        "mine_igenic_probs.pbl",
        "exon-tmp1.pbl",
    }
    assert (species / "mine_parameters.cfg").read_bytes() == cfg


def test_calls_of_the_optimisation_keep_the_network(
    run: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(etraining, "_train", lambda *_: calls.append("train"))
    training_file(tmp_path / "x.gb")
    parts = ("augustus", "ExonModel", "IGenicModel", "IntronModel", "UtrModel", "genbank")
    quiet = [f"--/{part}/verbosity=0" for part in parts]
    assert run("--species=mine", *quiet, "x.gb") == (0, "", "")
    (config / "species/mine/mine_dl.json").touch()
    assert run("--species=mine", *quiet, "--/Constant/dss_start=3", "x.gb") == (0, "", "")
    assert calls == ["train"]
    run("--species=mine", "x.gb")
    assert calls == ["train"] * 2


def test_a_species_without_a_folder_is_not_trained(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, config: Path
) -> None:
    training_file(tmp_path / "x.gb")
    status, _, err = run("--species=fly", "x.gb")
    assert status == 1 and "Species fly has no folder of its own to train in." in err
    assert not (config / "species/fly").exists()
