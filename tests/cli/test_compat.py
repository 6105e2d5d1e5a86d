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
from augustus_dl.errors import InputError
from augustus_dl.gene import Gene
from augustus_dl.io.fasta import Contig
from tests.cli.stand_in import DATA, augustus_predictor


@dataclass
class Result:
    """Exit status and what stood on the two streams."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What stands in AUGUSTUS's frame, the last thing on stderr; stdout must be empty."""
        assert (self.status, self.out) == (1, "")
        found = re.search(r"(?:\A|\n)\naugustus-dl: ERROR\n\t((?:.+\n)+)\n\Z", self.err)
        assert found, self.err
        return found[1].removesuffix("\n")


@pytest.fixture
def run(config: Path) -> Callable[..., Result]:
    """Run the command line on words, in the folder of the test data."""

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
    words = ("--nc=off", "--/ExonModel/k=4", "--truncateMaskedUTRs=on", "--mea=0")
    result = run("--species=human", *words, "genes.fa")
    assert result.status == 0
    assert sorted(result.err.splitlines()[1:]) == [
        "# augustus-dl: --/ExonModel/k=4 has no effect",
        "# augustus-dl: --truncateMaskedUTRs=on has no effect",
    ]


def test_untranslated_regions_that_the_checkpoint_does_not_know_are_left_out(
    run: Callable[..., Result],
) -> None:
    result = run("--species=human", "--UTR=on", "--exonnames=on", "genes.fa")
    assert result.status == 0
    assert len(re.findall("does not know untranslated regions", result.err)) == 1
    assert "\tinternal\t" in result.out and "\texon\t" not in result.out


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
    assert result.out.startswith("AUGUSTUS (3.5.0) is a gene prediction tool.\n")
    assert "\nusage:\naugustus-dl [parameters]" in result.out


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        ("--version", "AUGUSTUS (3.5.0) is a gene prediction tool.\n"),
        ("x y --version --foo", "AUGUSTUS (3.5.0) is a gene prediction tool.\n"),
        ("--help", "usage:\naugustus-dl [parameters]"),
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


@pytest.mark.parametrize("words", [[], ["--help"], ["--species=help"]])
def test_the_usage_names_the_program_that_was_called(config: Path, words: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert main(words, out, err, program="augustus") == 0
    assert "usage:\naugustus [parameters]" in out.getvalue() + err.getvalue()


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
        (
            "--species=human a.fa genes.fa",
            "Error: 2 query files given: genes.fa and a.fa.\nparameter names must start with '--'",
        ),
        ("--species=human --gff3=maybe genes.fa", "Properties::getProperty(): cannot convert"),
        ("--species=human --genemodel=foo genes.fa", "Unknown value for parameter genemodel: foo"),
        ("--species=human --alnfile=x genes.fa", "--alnfile belongs to comparative prediction"),
        (
            "--species=human --AUGUSTUS_CONFIG_PATH=/nowhere genes.fa",
            "/nowhere/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH.",
        ),
        ("--species=humn genes.fa", "Species-specific configuration files not found in "),
    ],
)
def test_wrong_options_are_framed_errors(
    run: Callable[..., Result], words: str, message: str
) -> None:
    assert run(*words.split()).error.startswith(message)


def test_an_unknown_species_names_its_neighbours(run: Callable[..., Result]) -> None:
    result = run("--species=humn", "genes.fa")
    assert result.err.startswith("Could not find the config file ")
    assert "humn_parameters.cfg in the configuration directory instead ... not found.\n\n" in (
        result.err
    )
    assert "did you mean human" in result.error
    assert "--species=help" in result.error


BAD_TYPE = "GBProcessor::determineFileType(): Couldn't determine input file type."


@pytest.mark.parametrize(
    ("content", "begin", "reason"),
    [
        (b"", "No sequences found. ", "query.fa"),
        (b"\n \n", "No sequences found. ", "query.fa"),
        (b">name\n>other\n", "No sequences found. ", "query.fa"),
        (b"LOCUS       AB1 100 bp DNA\n", "sequence file ", "record AB1 does not end with //"),
        (bytes(range(256)) * 4, BAD_TYPE, "binary"),
        (
            gzip.compress(b">c\n" + b"ACGTTGCA" * 5000, mtime=0)[:-20],
            "sequence file ",
            "truncated gzip",
        ),
        (b"BZh91AY&SY", BAD_TYPE, "bzip2"),
    ],
)
def test_bad_sequence_files_are_one_framed_line(
    run: Callable[..., Result], tmp_path: Path, content: bytes, begin: str, reason: str
) -> None:
    query = tmp_path / "query.fa"
    query.write_bytes(content)
    error = run("--species=human", query).error
    assert error.startswith(begin)
    assert reason in error
    assert "query.fa" in error
    assert len(error.splitlines()) == 1


def test_letters_without_header_are_a_sequence(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa"
    query.write_text("ACGTACGTACGT\nACGT\n")
    assert "(length = 16, name = unnamed-1)" in run("--species=human", query).out


def test_protein_is_told_and_predicted(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">p\nMLARALLLCAVLALSHTANPCCSHPCQNRGVCMSVGFEQLKIPFLE\n")
    result = run("--species=human", query)
    assert result.status == 0
    assert "record p looks like protein" in result.err
    assert "# (none)" in result.out


def test_a_folder_is_no_sequence_file(run: Callable[..., Result], tmp_path: Path) -> None:
    assert "folder" in run("--species=human", tmp_path).error


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_has_augustus_words(run: Callable[..., Result], tmp_path: Path) -> None:
    query = tmp_path / "query.fa"
    query.write_text(">c\nACGT\n")
    query.chmod(0)
    assert run("--species=human", query).error.startswith(f'Could not open input file "{query}"!')


def test_a_damaged_profile_is_one_framed_line(run: Callable[..., Result], config: Path) -> None:
    folder = config / "species" / "human"
    (folder / "model.safetensors").unlink()
    assert "model.safetensors is missing" in run("--species=human", "genes.fa").error
    (folder / "human_dl.json").write_text("{")
    assert "human_dl.json:1 is not JSON" in run("--species=human", "genes.fa").error


def test_a_damaged_checkpoint_leaves_stdout_empty(run: Callable[..., Result]) -> None:
    """With the real predictor: the fixture's weights are empty files."""
    assert "is corrupt" in run("--species=human", "genes.fa", predict=None).error


def test_an_error_behind_the_first_sequence_leaves_no_command_line(
    run: Callable[..., Result],
) -> None:
    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for number, contig in enumerate(contigs):
            if number:
                raise InputError(f"{contig.name} is broken")
            yield contig, []

    result = run("--species=human", "genes.fa", predict=predict)
    assert result.status == 1
    assert "name = HS08198)" in result.out
    assert "# command line:" not in result.out
    assert result.err.endswith("\naugustus-dl: ERROR\n\tHS04636_reverse is broken\n\n")


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


def test_the_errfile_takes_messages_but_not_errors_about_options(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    errors = tmp_path / "o.err"
    fine = run("--species=human", f"--errfile={errors}", "genes.fa")
    assert (fine.status, fine.err, errors.read_text()) == (0, "", "")
    words = ("--/ExonModel/k=4", "--strand=plus", "--predictionEnd=900", "genes.fa")
    assert run("--species=human", f"--errfile={errors}", *words).err == ""
    assert errors.read_text().splitlines() == [
        "# augustus-dl: --strand=plus is none of both, forward, backward; using both",
        "Warning: predictionStart or predictionEnd set but input consists of more than one "
        "sequence.",
        "Prediction will be made only on first sequence.",
        "# augustus-dl: --/ExonModel/k=4 has no effect",
    ]
    (tmp_path / "bad.fa").write_text("")
    bad = run("--species=human", f"--errfile={errors}", tmp_path / "bad.fa")
    assert (bad.status, bad.out, bad.err) == (1, "", "")
    assert errors.read_text().startswith("\naugustus-dl: ERROR\n\tNo sequences found.")
    option = run("--species=human", f"--errfile={errors}", "--gff3=maybe", "genes.fa")
    assert "cannot convert" in option.error


def test_progress_is_a_line_a_sequence(run: Callable[..., Result]) -> None:
    result = run("--species=human", "--progress=true", "genes.fa")
    lines = [line for line in result.err.splitlines() if " examined " in line]
    assert len(lines) == 7
    begin = "# HS08198: examined 1..2344 (2344 bp), 1 genes; 0.0 Mb done, "
    assert lines[0].startswith(begin) and lines[0].endswith(" kb/s")


def test_progress_tells_the_part_that_was_examined(run: Callable[..., Result]) -> None:
    words = ("--progress=on", "--predictionStart=101", "--predictionEnd=2300")
    result = run("--species=human", *words, "genes.fa")
    assert result.err.splitlines()[-1].startswith("# HS08198: examined 101..2300 (2200 bp), 1 gene")


def test_a_closed_pipe_ends_the_run_quietly(run: Callable[..., Result]) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    err = io.StringIO()
    status = main(["--species=human", "genes.fa"], Closed(), err, augustus_predictor)
    assert status == 141
    assert len(err.getvalue().splitlines()) == 1
