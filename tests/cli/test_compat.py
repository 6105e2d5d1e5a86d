"""AUGUSTUS's command line with a predictor put in: streams, exit codes and bad input."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from augustus_dl.cli.compat import main
from augustus_dl.gene import Gene
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions
from augustus_dl.profile import Profile, write_profile

DATA = Path(__file__).resolve().parents[1] / "data" / "augustus"
GENES = read_annotation(DATA / "full.gtf").genes
FACTS = {
    "clade": "vertebrates",
    "decoder": {},
    "status": "trained on this species",
    "scores": {"gene_f1": 41.04, "augustus_gene_f1": 50.1},
}


@dataclass
class Result:
    """Exit status and what stood on the two streams."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line in AUGUSTUS's frame; stdout must be empty."""
        assert (self.status, self.out) == (1, "")
        found = re.fullmatch(r"\naugustus-dl: ERROR\n\t(.+)\n\n", self.err)
        assert found, self.err
        return found.group(1)


def augustus_predictor(
    contigs: Iterable[Contig], profile: Profile, options: PredictOptions
) -> Iterator[tuple[Contig, list[Gene]]]:
    """Answers with the genes that AUGUSTUS found."""
    for contig in contigs:
        genes = GENES.get(contig.name, [])
        yield contig, [g for g in genes if options.strand == "both" or g.strand == "-"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config folder with species human, and fly that does not beat AUGUSTUS."""
    for name, beats in (("human", True), ("fly", False)):
        folder = tmp_path / "config" / "species" / name
        write_profile(folder, name, **FACTS, beats_augustus=beats, parameters={"introns": "off"})
        for file in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / file).touch()
    return tmp_path / "config"


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line on words, in the folder of the test data."""
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(config))
    monkeypatch.chdir(DATA)

    def run(*words: object, predict: Callable = augustus_predictor) -> Result:
        out, err = io.StringIO(), io.StringIO()
        status = main([str(word) for word in words], out, err, predict)
        return Result(status, out.getvalue(), err.getvalue())

    return run


def comparable(text: str) -> list[str]:
    """Lines without the credits, the config folder and the program's name."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if "output was generated with" in line)
    del lines[first + 1 : first + 6]
    return [
        re.sub(r"config directory .* \.\.\.", "config directory", line).replace("-dl ", " ")
        for line in lines
    ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("full.gtf", "--introns=on --exonnames=on --codingseq=on"),
        ("default.gff3", "--gff3=on"),
        (
            "stop_excluded.gff3",
            "--gff3=on --stopCodonExcludedFromCDS=true --introns=on --protein=off",
        ),
        (
            "stop_excluded.gtf",
            "--stopCodonExcludedFromCDS=true --exonnames=on --uniqueGeneId=true --softmasking=0 "
            "--protein=off",
        ),
        (
            "quiet_backward.gtf",
            "--cds=off --start=off --stop=off --protein=off --strand=backward "
            "--/augustus/verbosity=0",
        ),
    ],
)
def test_the_same_genes_give_augustus_output(
    run: Callable[..., Result], name: str, options: str
) -> None:
    result = run("--species=human", *options.split(), "genes.fa")
    assert result.status == 0
    theirs = (DATA / name).read_text(encoding="utf-8")
    assert comparable(result.out) == comparable(theirs)


def test_options_after_the_file_and_switches_of_the_cfg(
    run: Callable[..., Result], config: Path
) -> None:
    cfg = config / "species" / "human" / "human_parameters.cfg"
    cfg.write_text("introns on\nexonnames on\ncodingseq on\nstart on\nstop on\n")
    result = run("genes.fa", "--species=human", "--/augustus/verbosity=3")
    theirs = (DATA / "full.gtf").read_text(encoding="utf-8")
    assert comparable(result.out)[:-1] == comparable(theirs)[:-1]
    assert result.out.endswith("# augustus-dl genes.fa --species=human --/augustus/verbosity=3\n")


def test_options_reach_the_predictor(run: Callable[..., Result]) -> None:
    seen = []

    def predict(contigs: Iterable[Contig], profile: Profile, options: PredictOptions) -> Iterator:
        seen.append(options)
        return augustus_predictor(contigs, profile, options)

    run("--species=human", "genes.fa", predict=predict)
    words = (
        "--device=cuda:1 --softmasking=no --strand=forward --genemodel=complete "
        "--translation_table=6 --min_intron_len=20 --/Constant/min_coding_len=99 --accurate=on "
        "genes.fa"
    )
    run("--species=human", *words.split(), predict=predict)
    assert seen == [
        PredictOptions(translation_table=1, min_coding_length=201),
        PredictOptions(
            device="cuda:1",
            softmasking=False,
            strand="forward",
            genemodel="complete",
            translation_table=6,
            min_coding_length=99,
            min_intron=20,
            accurate=True,
        ),
    ]


def test_start_and_weakness_are_told_on_stderr(run: Callable[..., Result], config: Path) -> None:
    good, weak = run("--species=human", "genes.fa"), run("--species=fly", "genes.fa")
    (line,) = good.err.splitlines()
    assert "species human (trained on this species)" in line
    assert str(config / "species" / "human") in line
    assert line.endswith("device auto")
    assert weak.err.splitlines()[1:] == [
        "# augustus-dl: this checkpoint (fly) does not yet beat AUGUSTUS: "
        "gene F1 41.0 against 50.1 on its test sequences"
    ]


def test_options_without_effect_are_named_once(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--UTR=on", "--sample=100", "--mea=0", "genes.fa")
    assert result.status == 0
    assert sorted(result.err.splitlines()[1:]) == [
        "# augustus-dl: --UTR=on has no effect yet",
        "# augustus-dl: --sample=100 has no effect yet",
    ]


def test_gff3_without_stop_codons_warns_as_augustus_does(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--gff3=on", "--stopCodonExcludedFromCDS=on", "genes.fa")
    assert "Warning: The gff3 standard requires that the stop codon is included" in result.err


def test_an_odd_strand_is_both_with_a_warning(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--strand=plus", "genes.fa")
    assert result.status == 0
    assert "on both strands" in result.out
    assert "--strand=plus is none of both, forward, backward" in result.err


def test_no_arguments_print_usage_on_stdout(run: Callable[..., Result]) -> None:
    result = run()
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("\nAUGUSTUS (3.5.0) is a gene prediction tool.\n")
    assert "usage:" in result.out


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        ("--version", "AUGUSTUS (3.5.0) is a gene prediction tool.\n"),
        ("x y --version --foo", "AUGUSTUS (3.5.0) is a gene prediction tool.\n"),
        ("--help", "\nAUGUSTUS (3.5.0) is a gene prediction tool.\n"),
        ("--paramlist", "Possible parameter names are:\n"),
        ("--species=help", "usage:\n"),
    ],
)
def test_answers_go_to_stderr_with_status_0(
    run: Callable[..., Result], words: str, begin: str
) -> None:
    result = run(*words.split())
    assert (result.status, result.out) == (0, "")
    assert result.err.startswith(begin)


def test_species_help_is_a_table(run: Callable[..., Result]) -> None:
    lines = run("--species=help").err.splitlines()
    dashes = lines.index("-" * 41 + "|" + "-" * 22)
    assert lines[dashes - 1] == f"{'identifier':<41}| species"
    rows = [line.split("|")[0].strip() for line in lines[dashes + 1 :]]
    assert {"human", "fly"} <= set(rows)
    assert f"{'human':<41}| Homo sapiens" in lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "genes.fa",
            'No species specified. Type "augustus --species=help" to see available species.',
        ),
        ("--species=human", 'No query file specified. Type "augustus" for help.'),
        ("--species=human gone.fa", 'Could not open input file "gone.fa"!'),
        ("--species=human --foo=1 genes.fa", 'Unknown parameter: "foo". Type "augustus" for help.'),
        ("--species=human genes.fa genes.fa", "Error: 2 query files given: genes.fa and genes.fa."),
        ("--species=human --gff3=maybe genes.fa", "Properties::getProperty(): cannot convert"),
        ("--species=human --progress=x genes.fa", "Properties::getProperty(): cannot convert"),
        ("--species=human --genemodel=foo genes.fa", "Unknown value for parameter genemodel: foo"),
        ("--species=human --genemodel=bacterium genes.fa", "genemodel bacterium is not available"),
        ("--species=human --translation_table=77 genes.fa", "there is no genetic code 77"),
        ("--species=human --alnfile=x genes.fa", "--alnfile belongs to comparative prediction"),
        (
            "--species=human --AUGUSTUS_CONFIG_PATH=/nowhere genes.fa",
            "/nowhere/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH.",
        ),
        ("--species=humn genes.fa", "Species-specific configuration files not found in "),
    ],
)
def test_wrong_options_are_one_framed_line(
    run: Callable[..., Result], words: str, message: str
) -> None:
    assert run(*words.split()).error.startswith(message)


def test_an_unknown_species_names_its_neighbours(run: Callable[..., Result]) -> None:
    error = run("--species=humn", "genes.fa").error
    assert "did you mean human" in error
    assert "--species=help" in error


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"\n \n", "blanks"),
        (b"acgtacgtacgt\n", "not FASTA"),
        (b"LOCUS       AB1 100 bp DNA\n", "not FASTA"),
        (b">p\nMLARALLLCAVLALSHTANPCCSHPCQNRGVCMSVGFEQLKIPFLE\n", "protein"),
        (bytes(range(256)) * 4, "binary"),
        (gzip.compress(b">c\n" + b"ACGTTGCA" * 5000)[:-20], "truncated gzip"),
        (b"BZh91AY&SY", "bzip2"),
    ],
)
def test_bad_sequence_files_are_one_framed_line(
    run: Callable[..., Result], tmp_path: Path, content: bytes, hint: str
) -> None:
    query = tmp_path / "query.fa"
    query.write_bytes(content)
    error = run("--species=human", query).error
    assert hint in error
    assert "query.fa" in error


def test_names_without_sequence_are_an_error(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">name\n>other\n")
    result = run("--species=human", query)
    assert (result.status, result.out) == (1, "")
    assert result.err.endswith(f"sequence file {query} holds no sequence after its names\n\n")


def test_a_folder_is_no_sequence_file(run: Callable[..., Result], tmp_path: Path) -> None:
    assert "folder" in run("--species=human", tmp_path).error


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_has_augustus_words(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">c\nACGT\n")
    query.chmod(0)
    assert run("--species=human", query).error == f'Could not open input file "{query}"!'


def test_a_damaged_profile_is_one_framed_line(run: Callable[..., Result], config: Path) -> None:
    folder = config / "species" / "human"
    (folder / "model.safetensors").unlink()
    assert "model.safetensors is missing" in run("--species=human", "genes.fa").error
    (folder / "human_dl.json").write_text("{")
    assert "human_dl.json:1 is not JSON" in run("--species=human", "genes.fa").error


def test_a_damaged_checkpoint_leaves_stdout_empty(run: Callable[..., Result]) -> None:
    """With the real predictor: the fixture's weights are empty files."""
    assert "config.json" in run("--species=human", "genes.fa", predict=None).error


def test_an_error_behind_the_first_sequence_leaves_no_command_line(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">a\nACGTACGTACGT\n>b\n" + "MLIPFEQQEF" * 30 + "\n")
    result = run("--species=human", query)
    assert result.status == 1
    assert "name = a" in result.out
    assert "# command line:" not in result.out
    assert "protein" in result.err


def test_records_without_sequence_are_left_out_with_a_warning(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">a\nACGTACGTACGT\n>empty\n>b\nACGTACGTACGT\n")
    result = run("--species=human", query)
    assert result.status == 0
    assert "sequence number 2 (length = 12, name = b)" in result.out
    assert "record empty has no sequence" in result.err


def test_gzip_is_named_first(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa.gz"
    query.write_bytes(gzip.compress((DATA / "genes.fa").read_bytes()))
    result = run("--species=human", "--gff3=on", query)
    assert result.out.splitlines()[:2] == [
        f"# Looks like {query} is in gzip format. Deflating...",
        "##gff-version 3",
    ]


def test_the_outfile_is_complete(run: Callable[..., Result], tmp_path: Path) -> None:
    printed = run("--species=human", "genes.fa").out
    target = tmp_path / "out.gtf"
    result = run("--species=human", f"--outfile={target}", "genes.fa")
    assert (result.status, result.out) == (0, "")
    assert target.read_text().splitlines()[:-1] == printed.splitlines()[:-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "out.gtf"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_the_outfile_is_absent_when_a_run_dies(
    run: Callable[..., Result], tmp_path: Path, error: type[BaseException]
) -> None:
    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        yield next(iter(contigs)), []
        raise error

    words = ("--species=human", f"--outfile={tmp_path / 'out.gtf'}", "genes.fa")
    if error is KeyboardInterrupt:
        result = run(*words, predict=predict)
        assert result.status == 130
        assert result.err.splitlines()[-1] == "augustus-dl: interrupted"
    else:
        with pytest.raises(error):
            run(*words, predict=predict)
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_an_outfile_that_cannot_be_opened_gives_way_to_stdout(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--outfile=/nowhere/o", "genes.fa")
    assert result.status == 0
    assert "Could not open output file /nowhere/o. Will use stdout instead.\n" in result.err
    assert "# command line:" in result.out


def test_a_pipe_as_outfile_stays_a_pipe(run: Callable[..., Result], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("--species=human", "--protein=off", f"--outfile={pipe}", "genes.fa").status == 0
        assert os.read(reader, 100).startswith(b"# This output was generated with AUGUSTUS")
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_errfile_takes_messages_but_not_option_errors(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    errors = tmp_path / "o.err"
    fine = run("--species=human", f"--errfile={errors}", "genes.fa")
    assert (fine.status, fine.err, errors.read_text()) == (0, "", "")
    run("--species=human", f"--errfile={errors}", "--sample=100", "genes.fa")
    assert errors.read_text() == "# augustus-dl: --sample=100 has no effect yet\n"
    (tmp_path / "bad.fa").write_text("no fasta")
    bad = run("--species=human", f"--errfile={errors}", tmp_path / "bad.fa")
    assert (bad.status, bad.out, bad.err) == (1, "", "")
    assert errors.read_text().startswith("\naugustus-dl: ERROR\n\t")
    option = run("--species=human", f"--errfile={errors}", "--gff3=maybe", "genes.fa")
    assert "cannot convert" in option.error


def test_progress_is_a_line_a_sequence(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--progress=true", "genes.fa")
    lines = [line for line in result.err.splitlines() if " bp, " in line]
    assert len(lines) == 7
    assert lines[0].startswith("# HS08198: 2344 bp, 1 genes; 0.0 Mb done, ")


def test_a_closed_pipe_ends_the_run_quietly(run: Callable[..., Result]) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    err = io.StringIO()
    status = main(["--species=human", "genes.fa"], Closed(), err, augustus_predictor)
    assert status == 141
    assert len(err.getvalue().splitlines()) == 1


def test_output_is_flushed_gene_by_gene(run: Callable[..., Result]) -> None:
    class Counted(io.StringIO):
        shown: list[str]

        def flush(self) -> None:
            self.shown.append(self.getvalue())

    out = Counted()
    out.shown = []
    main(["--species=human", "genes.fa"], out, io.StringIO(), augustus_predictor)
    assert sum(text.endswith("###\n") for text in out.shown) == 6
