"""What AUGUSTUS does with input that is wrong or odd, row by row, and that we do the same.

Where AUGUSTUS crashes or loses data without a word, augustus-dl does the sane thing: the row then
has a second expectation. Rows are checked against AUGUSTUS itself where it is installed.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions, prediction_span
from tests.golden.cases import HERE, Answer
from tests.golden.conftest import RunWords

NOTHING, USAGE, HEAD, RUN = "nothing", "usage", "head", "run"
"""What stands on standard output: nothing; the usage; the lines before an error, which may be none;
a whole run, that is its command line."""

UNKNOWN_SPECIES = "Species-specific configuration files not found in "
TOO_MANY = "Error: 2 query files given: example.fa and human"
NO_BOOLEAN = 'Properties::getProperty(): cannot convert value "maybe" of key "gff3" into Boolean.'
LOWER_CASE = "# WARNING: --softmasking=1 and all sequences are completely in lower case."
NO_PREFIX = "parameter names must start with '--'"
NO_RM = (
    "When the softmasking option is turned on, the source RM must be specified in the extrinsic "
    "config file."
)
RANGE_OF_FIRST = "predictionStart or predictionEnd"
BAD_TYPE = "GBProcessor::determineFileType(): Couldn't determine input file type."


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: the case.
        words: of the command line; HUMAN stands for `--species=human`.
        status: exit status; None where it depends on what AUGUSTUS finds in its memory.
        out, err: one of the kinds above, and what stands on standard error.
        ours: (status, kind, text on standard error) where augustus-dl does better.
        shown: what stands on standard output.
    """

    name: str
    words: str
    status: int | None
    out: str
    err: tuple[str, ...] = ()
    ours: tuple[int, str, str] | None = None
    shown: tuple[str, ...] = ()


def hinted(file: str, extrinsic: str = "extrinsic.MPE.cfg") -> str:
    return f"HUMAN --hintsfile={file} --extrinsicCfgFile={extrinsic} HS04636_upper.fa"


ROWS = [
    Row("no arguments", "", 0, USAGE),
    Row("help", "--help", 0, NOTHING, ("usage:",)),
    Row("version", "x y --foo --version", 0, NOTHING, ("AUGUSTUS (3.5.0) is a gene prediction",)),
    Row("species help", "--species=help", 0, NOTHING, ("identifier ", "| species\n")),
    Row("paramlist", "--paramlist", 0, NOTHING, ("Possible parameter names are:",)),
    Row(
        "no species",
        "nogene.fa",
        1,
        NOTHING,
        ('No species specified. Type "augustus --species=help" to see available species.',),
    ),
    Row("unknown species", "--species=nosuch nogene.fa", 1, NOTHING, (UNKNOWN_SPECIES,)),
    Row(
        "empty species",
        "--species= nogene.fa",
        1,
        NOTHING,
        ("Wrong argument format for species. Use: --argument=value",),
    ),
    Row("blank for equals", "--species human example.fa", 1, NOTHING, (TOO_MANY, NO_PREFIX)),
    Row("no query", "HUMAN", 1, NOTHING, ('No query file specified. Type "augustus" for help.',)),
    Row("missing query", "HUMAN gone.fa", 1, NOTHING, ('Could not open input file "gone.fa"!',)),
    Row("folder", "HUMAN folder", 134, NOTHING, (), ours=(1, NOTHING, "folder")),
    Row("empty file", "HUMAN empty.fa", 1, HEAD, ("No sequences found.",)),
    Row("blank file", "HUMAN blank.fa", 1, HEAD, ("No sequences found.",)),
    Row("header only", "HUMAN header.fa", 1, HEAD, ("No sequences found.",)),
    Row(
        "first record empty",
        "HUMAN empty_first.fa",
        1,
        HEAD,
        ("No sequences found.",),
        ours=(0, RUN, "no sequence"),
    ),
    Row("later record empty", "HUMAN empty_later.fa", 0, RUN, (), ours=(0, RUN, "no sequence")),
    Row("no header", "HUMAN no_header.fa", 0, RUN, shown=("name = unnamed-1)",)),
    Row(
        "two query files",
        "HUMAN nogene.fa example.fa",
        1,
        NOTHING,
        ("Error: 2 query files given: ", NO_PREFIX),
    ),
    Row(
        "unknown option",
        "HUMAN --foo=1 nogene.fa",
        1,
        NOTHING,
        ('Unknown parameter: "foo". Type "augustus" for help.',),
    ),
    Row("no equals", "HUMAN --foo nogene.fa", 1, NOTHING, ("'=' missing for parameter: foo",)),
    Row("bad boolean", "HUMAN --gff3=maybe nogene.fa", 1, NOTHING, (NO_BOOLEAN,)),
    Row(
        "bad UTR",
        "HUMAN --UTR=maybe nogene.fa",
        1,
        NOTHING,
        ("Unknown option for parameter UTR. Use --UTR=on or --UTR=off.",),
    ),
    Row(
        "bad genemodel",
        "HUMAN --genemodel=foo nogene.fa",
        1,
        NOTHING,
        ("Unknown value for parameter genemodel: foo",),
    ),
    *(
        Row(f"bad strand {strand}", f"HUMAN --strand={strand} nogene.fa", 0, RUN, shown=("both",))
        for strand in ("plus", "Forward", "+")
    ),
    *(
        Row(
            f"UTR with {option}",
            f"HUMAN --UTR=on --{option} nogene.fa",
            1,
            NOTHING,
            ("UTR only implemented with shadow and partial or complete.",),
        )
        for option in ("singlestrand=true", "genemodel=intronless", "genemodel=bacterium")
    ),
    Row(
        "UTR without model",
        "--species=anidulans --UTR=on nogene.fa",
        1,
        NOTHING,
        ("UTR",),
        ours=(0, RUN, ""),
    ),
    Row(
        "untrained species",
        "--species=generic nogene.fa",
        1,
        HEAD,
        ("ExonModel: Couldn't open file ",),
        ours=(0, RUN, ""),
    ),
    Row(
        "config folder missing",
        "HUMAN --AUGUSTUS_CONFIG_PATH=/gone nogene.fa",
        1,
        NOTHING,
        ("/gone/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH.",),
    ),
    Row(
        "hints file missing",
        hinted("gone.gff"),
        1,
        HEAD,
        ("FeatureCollection::readGFFFile( gone.gff ) : Could not open the file!!!",),
    ),
    Row("hints file empty", hinted("empty_hints.gff"), 0, RUN),
    Row(
        "unknown source of hints",
        hinted("hints.gff", "few_sources.cfg"),
        1,
        HEAD,
        ("FeatureCollection::esource: invalid source key: P",),
    ),
    Row(
        "hint line with blanks first",
        hinted("blanks.gff"),
        None,
        HEAD,
        ("Error in hint line: ", "Line not tab separated.", "used spaces instead of tabulators?"),
        ours=(1, HEAD, "Line not tab separated. Maybe you used spaces instead of tabulators?"),
    ),
    Row(
        "hint line with blanks later",
        hinted("blanks_later.gff"),
        0,
        RUN,
        ("Error in hint line: ", "Line not tab separated.", "used spaces instead of tabulators?"),
    ),
    Row(
        "hint without source",
        hinted("no_source.gff"),
        1,
        HEAD,
        ("No source specified (e.g. by source=M in the last column)",),
    ),
    Row(
        "hint of a type without row",
        hinted("hints.gff", "rowless.cfg"),
        139,
        HEAD,
        (),
        ours=(0, RUN, ""),
    ),
    Row(
        "hint of unknown type",
        hinted("unknown_type.gff"),
        139,
        HEAD,
        ("Unknown hint feature 'foo'. Ignoring it.",),
        ours=(0, RUN, "Unknown hint feature 'foo'. Ignoring it."),
    ),
    Row(
        "extrinsic file missing",
        hinted("hints.gff", "gone.cfg"),
        1,
        HEAD,
        ("Could neither find extrinsic config file gone.cfg nor ",),
    ),
    Row("extrinsic file without RM", hinted("hints.gff", "no_rm.cfg"), 1, HEAD, (NO_RM,)),
    Row(
        "hints for other names",
        "HUMAN --hintsfile=hints.gff --extrinsicCfgFile=extrinsic.MPE.cfg nogene.fa",
        0,
        RUN,
        shown=(
            "# WARNING: extrinsic information given but not on any of the sequences in the input "
            "set!\n# Maybe different sequence names?\n",
        ),
    ),
    Row(
        "outfile not writable",
        "HUMAN --outfile=/gone/o.gff nogene.fa",
        0,
        RUN,
        ("Could not open output file /gone/o.gff. Will use stdout instead.",),
    ),
    Row(
        "range beyond the end",
        "HUMAN --predictionStart=20000 --predictionEnd=30000 nogene.fa",
        1,
        HEAD,
        (
            "predictionStart (20000) is larger than sequence length (1500). No predictions made.",
        ),
    ),
    Row(
        "range backwards",
        "HUMAN --predictionStart=500 --predictionEnd=100 nogene.fa",
        1,
        HEAD,
        ("predictionEnd (100) is smaller than predictionStart (500). No predictions made!",),
    ),
    Row(
        "range of several sequences",
        "HUMAN --predictionStart=1 --predictionEnd=900 example.fa",
        0,
        RUN,
        (RANGE_OF_FIRST,),
        shown=("(length = 900, name = HS04636)",),
    ),
    Row(
        "sample too low",
        "HUMAN --sample=5 nogene.fa",
        0,
        RUN,
        ("Number of sample iterations is too low",),
    ),
    Row("sample low", "HUMAN --sample=15 nogene.fa", 0, RUN, ("sampl",)),
    Row("sample negative", "HUMAN --sample=-5 nogene.fa", 0, RUN),
    Row("sample no number", "HUMAN --sample=abc nogene.fa", 0, RUN),
    Row(
        "pieces too small",
        "HUMAN --maxDNAPieceSize=500 nogene.fa",
        1,
        HEAD,
        ("maxDNAPieceSize is too small: 500",),
    ),
    Row("all lower case", "HUMAN HS08198.fa", 0, RUN, (LOWER_CASE,)),
    Row("protein", "HUMAN protein.fa", 0, RUN, shown=("# (none)",)),
    Row("plain text", "HUMAN text.fa", 0, RUN, shown=("# (none)",)),
    Row("binary file", "HUMAN binary.fa", 1, NOTHING, (BAD_TYPE,)),
    Row(
        "gzip",
        "HUMAN example.fa.gz",
        0,
        RUN,
        shown=("# Looks like example.fa.gz is in gzip format. Deflating...\n# This output",),
    ),
    Row("gzip cut short", "HUMAN cut.fa.gz", 134, HEAD, (), ours=(1, HEAD, "gzip")),
    Row("bzip2", "HUMAN query.fa.bz2", 1, NOTHING, (BAD_TYPE,)),
    Row(
        "standard input",
        "HUMAN -",
        1,
        NOTHING,
        ("Input from STDIN not supported anymore",),
        ours=(0, RUN, ""),
    ),
    Row(
        "GenBank without prediction",
        "HUMAN --noprediction=true HS04636.gb",
        139,
        HEAD,
        (),
        ours=(0, RUN, ""),
    ),
    *(
        Row(
            f"foreign option {name}",
            f"HUMAN --{name}=1 nogene.fa",
            1,
            NOTHING,
            (f'Unknown parameter: "{name}". Type "augustus" for help.',),
        )
        for name in ("jobs", "chunksize", "alternatives", "reportUtrOnlyGenes")
    ),
]  # fmt: skip


@pytest.fixture
def odd_files(place: Path) -> None:
    """The files that rows need, in the working folder."""
    protein = "MLARALLLCAVLALSHTANPCCSHPCQNRGVCMSVGFDQYKCDCTRTGFYGENCSTPEFLTRIKLFLKPTPNTVHYIL"
    bases = "".join((place / "nogene.fa").read_text(encoding="ascii").splitlines()[1:])
    good = "HS04636\thand\tstart\t66\t68\t0\t+\t0\tsource=P\n"
    texts = {
        "empty.fa": "",
        "blank.fa": "\n \n\n",
        "header.fa": ">name\n",
        "empty_first.fa": f">empty\n>full\n{bases}\n",
        "empty_later.fa": f">full\n{bases}\n>empty\n>other\n{bases}\n",
        "no_header.fa": f"{bases}\n",
        "protein.fa": f">protein\n{protein}\n",
        "text.fa": "This is no sequence but plain text\nfor all to read\n",
        "blanks.gff": good.replace("\t", " "),
        "blanks_later.gff": good + good.replace("\t", " "),
        "no_source.gff": good.replace("source=P", "group=x"),
        "unknown_type.gff": good.replace("start", "foo") + good,
        "rowless.cfg": _table(r"^ *(exonpart|exon|start|stop|dss) .*\n"),
        "few_sources.cfg": _table(" *[EWP] 1 .*| E W P$"),
        "no_rm.cfg": "[SOURCES]\nM\n[SOURCE-PARAMETERS]\n[GENERAL]\nstart 1 1 M 1 1e+100\n",
    }
    for name, text in texts.items():
        (place / name).write_text(text, encoding="ascii")
    (place / "folder").mkdir()
    (place / "binary.fa").write_bytes(bytes(range(256)) * 4)
    (place / "query.fa.bz2").write_bytes(b"BZh91AY&SY" + bytes(range(200)))
    (place / "cut.fa.gz").write_bytes(gzip.compress(bases.encode() * 20)[:-40])


def _table(left_out: str) -> str:
    """An extrinsic table without some of its text."""
    table = (HERE / "inputs" / "rnaseq.cfg").read_text(encoding="ascii")
    return re.sub(left_out, "", table, flags=re.MULTILINE)


@pytest.fixture
def standard_input(place: Path) -> Iterator[None]:
    """A sequence on standard input."""
    saved, file = os.dup(0), os.open(place / "nogene.fa", os.O_RDONLY)
    os.dup2(file, 0)
    yield
    os.dup2(saved, 0)
    os.close(saved)
    os.close(file)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.usefixtures("odd_files", "standard_input")
def test_mistakes_are_answered_as_augustus_does(row: Row, run: RunWords) -> None:
    answer = run(*_words(row), predict=no_genes)
    status, out, err = row.ours or (row.status, row.out, "")
    assert answer.status == status, answer.stderr
    assert _kind(answer) in ((out, NOTHING) if out == HEAD else (out,))
    for text in (err,) if row.ours else row.err:
        assert text in answer.stderr
    for text in row.shown:
        assert text in answer.stdout
    assert "Traceback" not in answer.stderr
    if status:
        assert "\naugustus: ERROR\n\t" in answer.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.usefixtures("odd_files", "standard_input")
def test_augustus_does_so(row: Row, augustus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH")
    done = subprocess.run(
        [augustus, *_words(row)], capture_output=True, encoding="utf-8", check=False
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    answer = Answer(status, done.stdout, done.stderr)
    if row.status is not None:
        assert answer.status == row.status, answer.stderr
        assert _kind(answer) == row.out
    for text in row.err:
        assert text in answer.stderr
    for text in row.shown:
        assert text in answer.stdout


def test_an_empty_config_path_is_taken_as_it_is(
    run: RunWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", "")
    answer = run("--species=human", "nogene.fa", predict=no_genes)
    assert (answer.status, answer.stdout) == (1, "")
    assert f"{UNKNOWN_SPECIES}/species/." in answer.stderr


def test_a_config_path_that_is_no_folder(run: RunWords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", "/gone")
    answer = run("--species=human", "nogene.fa", predict=no_genes)
    assert (answer.status, answer.stdout) == (1, "")
    assert "/gone/ is not a directory." in answer.stderr


@pytest.mark.usefixtures("odd_files")
def test_all_records_around_an_empty_one_are_predicted(run: RunWords) -> None:
    stdout = run("--species=human", "empty_later.fa", predict=no_genes).stdout
    assert "sequence number 1 (length = 1500, name = full)" in stdout
    assert "sequence number 2 (length = 1500, name = other)" in stdout


@pytest.mark.usefixtures("odd_files")
def test_an_error_in_a_later_sequence_ends_the_run(run: RunWords) -> None:
    """AUGUSTUS reports it, goes on and exits with 0, so that nobody notices what is missing."""

    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for number, contig in enumerate(contigs, 1):
            if number > 1:
                raise InputError(f"{contig.name} cannot be predicted")
            yield contig, []

    answer = run("--species=human", "example.fa", predict=predict)
    assert answer.status == 1
    assert "name = HS04636" in answer.stdout
    assert "# command line:" not in answer.stdout
    assert answer.stderr.endswith("\naugustus: ERROR\n\tHS08198 cannot be predicted\n\n")


def no_genes(
    contigs: Iterable[Contig], _: object, options: PredictOptions
) -> Iterator[tuple[Contig, list[Gene]]]:
    """A predictor that finds nothing."""
    for contig in contigs:
        prediction_span(len(contig.sequence), options.range or (0, None))
        yield contig, []
        if options.range:
            return


def _words(row: Row) -> list[str]:
    return row.words.replace("HUMAN", "--species=human").split()


def _kind(answer: Answer) -> str:
    """Which of the kinds of standard output it is."""
    if not answer.stdout:
        return NOTHING
    if "usage:" in answer.stdout:
        return USAGE
    return RUN if "\n# command line:\n" in answer.stdout else HEAD
