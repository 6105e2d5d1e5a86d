"""The output of whole runs, with AUGUSTUS's genes put in: order, coordinates, GenBank, evidence.

python -m pytest tests/cli/test_printing.py
"""

from __future__ import annotations

import io
import logging
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from augustus_dl.cli.arguments import parse
from augustus_dl.cli.printing import Located, located, print_run
from augustus_dl.cli.run import Run, checked
from augustus_dl.errors import InputError, OptionError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import Contig
from augustus_dl.io.query import open_query
from augustus_dl.predict import PredictOptions, prediction_span
from tests.cli.stand_in import DATA, GENES, augustus_predictor

GENBANK = DATA.parents[1] / "golden" / "inputs" / "HS04636.gb"
COMMAND = ["augustus-dl", "--species=human"]


@pytest.fixture
def run(config: Path) -> Callable[..., Run]:
    """The settings of a run of the human species on the test data."""

    def run(*words: object, query: object = "genes.fa") -> Run:
        return checked(parse(["--species=human", *map(str, words), str(query)]))

    return run


@pytest.fixture
def printed(run: Callable[..., Run]) -> Callable[..., str]:
    """The output of a run."""

    def printed(*words: object, predict: Callable = augustus_predictor, **asked: object) -> str:
        settings, stream = run(*words, **asked), io.StringIO()
        print_run(settings, located(settings, predict), COMMAND, stream)
        return stream.getvalue()

    return printed


def known_genes(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
    """Predicts what is annotated in the GenBank file."""
    annotated = {contig.name: genes for contig, genes in open_query(GENBANK).records()}
    for contig in contigs:
        yield contig, [replace(gene, id="") for gene in annotated[contig.name]]


def nothing(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
    for contig in contigs:
        yield contig, []


def never(*_: object) -> Iterator:
    raise AssertionError("there is nothing to predict")


def rows(text: str) -> list[list[str]]:
    """Columns of the feature lines."""
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def places(text: str, *parts: str) -> list[int]:
    """Where parts begin, each behind the one before."""
    found = [0]
    for part in parts:
        found.append(text.index(part, found[-1]))
    return found[1:]


# Located


def test_what_is_found_lies_on_sequences(run: Callable[..., Run]) -> None:
    found = list(located(run(), augustus_predictor))
    assert all(isinstance(one, Located) for one in found)
    assert [one.contig.name for one in found][:2] == ["HS08198", "HS04636_reverse"]
    assert [one.genes for one in found] == [GENES.get(one.contig.name, []) for one in found]
    assert {one.annotated for one in found} == {()}
    assert {one.start for one in found} == {0}
    assert all(one.end == len(one.contig.sequence) for one in found)


def test_annotated_genes_stay_with_their_sequence(run: Callable[..., Run], tmp_path: Path) -> None:
    text, query = GENBANK.read_text(), tmp_path / "q.gb"
    other = re.sub("(?s) +CDS .*?(?=BASE)", "", text).replace("HS04636", "other")
    query.write_text(text + other + text.replace("HS04636", "third"))

    def ahead(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        yield from [(contig, []) for contig in contigs]  # all are read before the first is done

    found = list(located(run(query=query), ahead))
    assert [one.contig.name for one in found] == ["HS04636", "other", "third"]
    assert [[gene.contig for gene in one.annotated] for one in found] == [
        ["HS04636"],
        [],
        ["third"],
    ]


def test_nothing_is_printed_before_the_first_sequence_is_read(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    query = tmp_path / "q.fa"
    query.write_text(">name\n")
    with pytest.raises(InputError, match="No sequences found"):
        located(run(query=query), augustus_predictor)


def test_the_options_of_the_run_reach_the_predictor(run: Callable[..., Run]) -> None:
    seen = []

    def predict(contigs: Iterable[Contig], profile: object, options: PredictOptions) -> Iterator:
        seen.append((profile, options))
        return augustus_predictor(contigs, profile, options)

    settings = run("--genemodel=complete", "--predictionStart=2")
    list(located(settings, predict))
    assert seen == [(settings.profile, settings.options)]


# Order


def test_the_order_of_a_run(printed: Callable[..., str]) -> None:
    hints = ("--hintsfile=hints.gff", "--extrinsicCfgFile=hints.cfg", "--printHints=on")
    text = printed(*hints, "--codingseq=on", "--/augustus/verbosity=3")
    places(
        text,
        "# This output was generated with AUGUSTUS",
        "# Sources of extrinsic information: M RM E W P",
        "# reading in the file hints.gff ...",
        "# human version.",
        "# Looks like genes.fa is in fasta format.",
        "# We have hints for 6 sequences and for 6 of the sequences in the input set.",
        "# ----- prediction on sequence number 1 (length = 2344, name = HS08198) -----",
        "# Constraints/Hints:\nHS08198\tmade\t",
        "# Predicted genes for sequence number 1 on both strands",
        "# start gene g1\n",
        "# coding sequence = [",
        "# protein sequence = [",
        "# Evidence for and against this transcript:",
        "# end gene g1\n###\n#\n# ----- prediction on sequence number 2",
        "# start gene g2\n",
        "(length = 600, name = nothing) -----",
        "# (none)\n# command line:\n# augustus-dl --species=human\n",
    )
    assert text.startswith("# This output") and text.endswith("--species=human\n")
    assert text.count("# start gene") == 6 and text.count("strands\n# (none)") == 1


def test_genes_are_numbered_through_the_run(printed: Callable[..., str]) -> None:
    assert re.findall("# start gene (.*)", printed()) == ["g1", "g2", "g3", "g4", "g5", "g6"]


def test_what_is_done_is_shown(run: Callable[..., Run]) -> None:
    """Flushed gene by gene, before more is predicted."""

    class Shown(io.StringIO):
        text = ""

        def flush(self) -> None:
            self.text = self.getvalue()

    stream = Shown()
    states = []

    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for contig in contigs:
            states.append(stream.text)
            yield contig, GENES.get(contig.name, [])

    settings = run()
    print_run(settings, located(settings, predict), COMMAND, stream)
    assert states[0] == "" or "prediction on sequence" not in states[0]
    assert all(text.endswith(("###\n", "# (none)\n")) for text in states[1:])
    assert [text.count("# end gene") for text in states] == [0, 1, 2, 3, 4, 5, 6]
    assert stream.text == stream.getvalue()


def test_each_gene_is_flushed(run: Callable[..., Run]) -> None:
    class Flushed(io.StringIO):
        def flush(self) -> None:
            states.append(self.getvalue())

    def twice(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for contig in contigs:
            yield contig, GENES.get(contig.name, []) * 2

    states: list[str] = []
    settings = run()
    print_run(settings, located(settings, twice), COMMAND, Flushed())
    assert sum(text.endswith("###\n") for text in states) == 12


# Ranges


def test_a_range_is_the_first_sequence_in_its_own_coordinates(printed: Callable[..., str]) -> None:
    text = printed("--predictionStart=101", "--predictionEnd=2300")
    assert "sequence number 1 (length = 2200, name = HS08198)" in text
    assert "sequence number 2" not in text
    whole = printed()
    assert rows(text) == [row for row in rows(whole) if row[0] == "HS08198"]


RANGE_OF_FIRST = (
    "Warning: predictionStart or predictionEnd set but input consists of more than one sequence.\n"
    "Prediction will be made only on first sequence."
)


@pytest.mark.parametrize(
    ("words", "warned"),
    [
        (["--predictionStart=101"], True),
        (["--predictionEnd=2345"], True),
        (["--predictionStart=0"], True),
        (["--predictionEnd=2344"], False),
        (["--predictionStart=1", "--predictionEnd=2344"], False),
        (["--predictionStart=1"], False),
        (["--predictionStart=0", "--predictionEnd=0"], False),
        (["--predictionStart=-9", "--predictionEnd=-9"], False),
    ],
)
def test_a_range_that_leaves_sequences_out_is_told(
    printed: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
    words: list[str],
    warned: bool,
    tmp_path: Path,
) -> None:
    with caplog.at_level(logging.WARNING, logger="augustus_dl"):
        text = printed(*words)
    assert caplog.messages == ([RANGE_OF_FIRST] if warned else [])
    if not warned:  # all are predicted, each from end to end
        assert re.findall(r"\(length = (\d+),", text) == re.findall(r"\(length = (\d+),", printed())


def test_a_range_of_the_only_sequence_is_no_surprise(
    printed: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="augustus_dl"):
        printed("--predictionStart=101", query=GENBANK, predict=known_genes)
    assert caplog.messages == []


@pytest.mark.parametrize(
    "word", ["--predictionStart=0", "--predictionEnd=6200", "--predictionEnd=6201"]
)
def test_augustus_warns_of_the_same_ranges(
    augustus: Callable[[list[str]], subprocess.CompletedProcess[str]], tmp_path: Path, word: str
) -> None:
    query = tmp_path / "q.fa"
    query.write_text(f">a\n{'ACGTTGCAGT' * 620}\n>b\n{'GATTACA' * 30}\n")
    done = augustus(["--species=human", word, str(query)])
    warned = word != "--predictionEnd=6200"
    assert done.stderr == (f"{RANGE_OF_FIRST}\n" if warned else "")
    assert ("name = b)" in done.stdout) is not warned


def test_a_range_beyond_the_sequence_is_an_error_behind_the_preamble(
    run: Callable[..., Run],
) -> None:
    def predict(contigs: Iterable[Contig], _: object, options: PredictOptions) -> Iterator:
        for contig in contigs:
            prediction_span(len(contig.sequence), options.range)
            yield contig, []

    settings, stream = run("--predictionStart=20000"), io.StringIO()
    with pytest.raises(OptionError, match=r"predictionStart \(20000\) is larger than sequence"):
        print_run(settings, located(settings, predict), COMMAND, stream)
    assert stream.getvalue().startswith("# This output")
    assert "prediction on sequence" not in stream.getvalue()


@pytest.mark.parametrize("strict", [False, True])
def test_a_shift_moves_what_is_printed(printed: Callable[..., str], strict: bool) -> None:
    words = ["--gff3-strict=on"] if strict else ["--exonnames=on"]
    there = printed("--predictionStart=-1000", "--predictionEnd=-1000", *words)
    here = printed(*words)
    moved = [[*r[:3], str(int(r[3]) + 1000), str(int(r[4]) + 1000), *r[5:]] for r in rows(here)]
    assert [row[:8] for row in rows(there)] == [row[:8] for row in moved]
    assert re.findall("length = .*", there) == re.findall("length = .*", here)
    assert re.findall("protein sequence.*", there) == re.findall("protein sequence.*", here)
    if strict:
        assert "##sequence-region HS08198 1001 3344\n" in there


# GenBank


def test_the_report_of_a_genbank_file(printed: Callable[..., str]) -> None:
    text = printed("--/augustus/verbosity=3", query=GENBANK, predict=known_genes)
    places(
        text,
        "is in genbank format. Augustus uses the annotation for evaluation of accuracy.\n"
        "# Read in 1 genbank sequences.\n",
        "#\n# ----- sequence number 1 (length = 6200, name = HS04636) -----\n#\n\n# annotation: \n"
        "# Sequence HS04636 length=6200\nHS04636\tdatabase\tstart_codon\t66\t68\t.\t+\t0\t",
        "# Predicted genes for sequence number 1 on both strands\n# start gene g1\n",
        "###\na-posteriori probability of viterbi path\n",
        "*******      Evaluation of gene prediction     *******\n",
        "\nnucleotide level |           1 |           1 |\n",
        "\ngene level |     1 |     1 |    1 |    0 |    0 |           1 |           1 |\n",
        "\n# total time: ",
        "\n# command line:\n# augustus-dl --species=human\n",
    )
    assert "Evidence" not in text


def test_the_report_counts_what_is_missed(printed: Callable[..., str]) -> None:
    text = printed(query=GENBANK, predict=nothing)
    assert "# (none)\n" in text
    assert "\nnucleotide level |           0 |           0 |\n" in text
    assert (
        "\ngene level |     0 |     1 |    0 |    0 |    1 |           0 |           0 |\n" in text
    )


def test_the_report_judges_only_the_strand_that_is_searched(printed: Callable[..., str]) -> None:
    text = printed("--strand=backward", query=GENBANK, predict=nothing)
    assert re.search(r"\ngene level \|     0 \|     0 \|    0 \|", text)


def test_without_prediction_the_annotation_is_shown(printed: Callable[..., str]) -> None:
    text = printed("--noprediction=true", "--codingseq=on", query=GENBANK, predict=never)
    start, *_ = places(
        text,
        "# start gene peroxidase\nHS04636\tdatabase\tgene\t66\t6003\t",
        "# coding sequence = [atg",
        "# protein sequence = [MLARALLL",
        "# end gene peroxidase\n###\n# command line:\n",
    )
    assert "# annotation: " in text[:start]
    assert "AUGUSTUS\tgene" not in text and "Evaluation" not in text and "# (none)" not in text


def test_without_prediction_a_fasta_file_has_no_genes(printed: Callable[..., str]) -> None:
    text = printed("--noprediction=true", predict=never)
    assert text.count("# (none)\n") == 7
    assert rows(text) == []


# Formats


def test_strict_gff3(printed: Callable[..., str]) -> None:
    text = printed("--gff3-strict=on", "--protein=off")
    assert text.startswith("##gff-version 3\n")
    found = rows(text)
    assert {row[2] for row in found} == {"gene", "mRNA", "exon", "CDS"}
    assert all(re.match(r"ID=[^;]+", row[8]) for row in found)
    assert "##sequence-region HS08198 1 2344\n# start gene g1\n" in text
    assert text.endswith("# command line:\n# augustus-dl --species=human\n")


def test_strict_gff3_of_a_range_names_its_bases(printed: Callable[..., str]) -> None:
    text = printed("--gff3-strict=on", "--predictionStart=101", "--predictionEnd=2300")
    assert "##sequence-region HS08198 101 2300\n" in text


def test_matches_with_a_profile_are_shown(printed: Callable[..., str]) -> None:
    text = printed("--proteinprofile=HS08198.prfl", "--softmasking=0")
    places(
        text,
        "# Using protein profile HS08198\n# --[",
        "# start gene g1",
        "\tprotein_match\t",
        "# protein sequence = [",
        "# sequence of block ",
        "# end gene g1",
    )


# Evidence

HINTS = ("--hintsfile=hints.gff", "--extrinsicCfgFile=hints.cfg", "--protein=off")


@pytest.fixture
def hinted(printed: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    """The output of a run with hints; the genes are AUGUSTUS's when it was given them."""
    path = tmp_path / "genes.gtf"
    lines = (DATA / "hints.gtf").read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "\tmade\t" not in line))
    genes = read_annotation(path).genes

    def predict(
        contigs: Iterable[Contig], _: object, options: PredictOptions
    ) -> Iterator[tuple[Contig, list[Gene]]]:
        for contig in contigs:
            yield contig, genes.get(contig.name, [])
            if options.range:
                return

    def hinted(*words: object) -> str:
        return printed(*words, *HINTS, predict=predict)

    return hinted


def evidence_blocks(text: str) -> list[str]:
    """One for each transcript."""
    return re.findall(r"# Evidence for .*\n(?:# (?!Evidence|end gene).*\n)*", text)


def test_evidence_is_augustus(hinted: Callable[..., str]) -> None:
    text = hinted()
    theirs = evidence_blocks((DATA / "hints.gtf").read_text())
    assert len(theirs) == 10
    assert evidence_blocks(text) == theirs


def test_listed_hints_are_augustus(hinted: Callable[..., str]) -> None:
    """All but the bonuses of introns, which AUGUSTUS's model has a part in."""

    def listed(text: str) -> list[str]:
        lines = re.sub(r'(?m)(\tintron\t.*) "[^"]*"$', r"\1", text).splitlines()
        kept = ("# Delete", "# Forced", "# Constraints")
        return [line for line in lines if "\tmade\t" in line or line.startswith(kept)]

    text = hinted("--printHints=on")
    theirs = listed((DATA / "hints.gtf").read_text())
    assert len(theirs) > 50
    assert listed(text) == theirs


def test_hints_are_not_listed_in_gff3(printed: Callable[..., str]) -> None:
    assert "\tmade\t" in printed(*HINTS, "--printHints=on")
    assert "\tmade\t" not in printed(*HINTS, "--printHints=on", "--gff3=on")
    assert "\tmade\t" not in printed(*HINTS)


@pytest.mark.parametrize(
    "words",
    [
        ["--predictionStart=101", "--predictionEnd=2300"],
        ["--predictionEnd=2344"],
    ],
)
def test_evidence_does_not_depend_on_the_range(
    hinted: Callable[..., str], words: list[str]
) -> None:
    """As long as the hints around a gene are in it."""
    whole = evidence_blocks(hinted())
    part = evidence_blocks(hinted(*words))
    assert part and part[0] == whole[0]


def test_evidence_and_hints_of_a_shifted_run(hinted: Callable[..., str], tmp_path: Path) -> None:
    moved = tmp_path / "moved.gff"
    moved.write_text(
        "".join(
            "\t".join([*row[:3], str(int(row[3]) + 500), str(int(row[4]) + 500), *row[5:]]) + "\n"
            for row in rows((DATA / "hints.gff").read_text())
        )
    )
    shift = ("--predictionStart=-500", "--predictionEnd=-500", f"--hintsfile={moved}")
    here = hinted("--printHints=on")
    there = hinted(*shift, "--printHints=on")
    assert evidence_blocks(there) == evidence_blocks(here)
    hints = [[row for row in rows(text) if row[1] == "made"] for text in (here, there)]
    assert [int(row[3]) + 500 for row in hints[0]] == [int(row[3]) for row in hints[1]]


def test_evidence_can_be_switched_off(printed: Callable[..., str]) -> None:
    assert len(evidence_blocks(printed(*HINTS))) == len(evidence_blocks(printed())) == 6
    assert evidence_blocks(printed(*HINTS, "--printEvidence=off")) == []
    assert evidence_blocks(printed("--softmasking=0")) == []


def test_each_transcript_has_its_own_evidence(printed: Callable[..., str]) -> None:
    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for contig in contigs:
            for gene in GENES[contig.name]:
                (one,) = gene.transcripts
                shorter = Transcript(one.strand, one.cds[:2], complete3=False)
                yield contig, [replace(gene, transcripts=(one, shorter))]
            return

    first, second = evidence_blocks(printed(*HINTS, predict=predict))
    assert "# CDS exons: 3/6\n" in first
    assert re.search(r"# CDS exons: \d/2\n", second)
