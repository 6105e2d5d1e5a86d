"""Random command lines and damaged input: exit 0, or AUGUSTUS's error frame; nothing else.

AUGUSTUS_DL_FUZZ is the number of command lines that are tried.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augustus_dl.cli.arguments import options
from augustus_dl.cli.compat import main
from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions, prediction_span
from tests.golden.cases import HERE, INPUTS

EXAMPLES = int(os.environ.get("AUGUSTUS_DL_FUZZ", "1000"))
SECONDS = 20
"""A run that takes longer hangs; most take milliseconds."""

NAMES = sorted(options())
COMMON = (
    *("species", "UTR", "sample", "genemodel", "strand", "hintsfile", "extrinsicCfgFile", "gff3"),
    *("predictionStart", "predictionEnd", "translation_table", "proteinprofile", "optCfgFile"),
    *("outfile", "errfile", "softmasking", "singlestrand", "alternatives-from-evidence", "mea"),
    *("codingseq", "introns", "stopCodonExcludedFromCDS", "print_utr", "noprediction"),
)
FILES = (
    *("nogene.fa", "HS08198.fa", "example.fa.gz", "fly_loci.gb", "HS04636.gb", "hints.gff"),
    *("empty_hints.gff", "rnaseq.cfg", "PF00225.prfl", "gone.fa", "folder", "empty.fa", "-", ""),
)
VALUES = (
    *("on", "off", "TRUE", "0", "1", "2", "5", "11", "100", "-1", "-5000", "10.7", "1e400", "nan"),
    *("99999999999999999999", "maybe", "help", " ", "12 ", "=", "both", "backward", "partial"),
    *("complete", "intronless", "atleastone", "exactlyone", "bacterium", "extrinsic.cfg", "gcag"),
    *(
        "extrinsic.MPE.cfg",
        "human",
        "fly",
        "E_coli_K12",
        "nosuch",
        "../human",
        "~",
        "\0",
        "ä",
        *FILES,
    ),
)
WRITTEN = ("o.gff", "o.err", "folder", "/gone/o", "")
"""Values of options that write files."""

SOUND = """
UTR=on UTR=off print_utr=on sample=0 sample=5 sample=15 sample=20 sample=100 temperature=3
genemodel=partial genemodel=complete genemodel=intronless genemodel=atleastone
genemodel=exactlyone genemodel=bacterium strand=both strand=forward strand=backward strand=plus
hintsfile=hints.gff hintsfile=empty_hints.gff hintsfile=gone.fa extrinsicCfgFile=rnaseq.cfg
extrinsicCfgFile=extrinsic.MPE.cfg gff3=on gff3=off predictionStart=100 predictionStart=1000
predictionStart=-500 predictionEnd=500 predictionEnd=1200.5 predictionEnd=99999 predictionEnd=-500
translation_table=1 translation_table=6 translation_table=11 translation_table=99
proteinprofile=PF00225.prfl outfile=o.gff errfile=o.err softmasking=on softmasking=off
singlestrand=on alternatives-from-evidence=on alternatives-from-sampling=on mea=1 codingseq=on
introns=on exonnames=on cds=off start=off stop=off protein=off stopCodonExcludedFromCDS=on
uniqueGeneId=on noInFrameStop=on noprediction=on printHints=on progress=on printEvidence=off
maxDNAPieceSize=1000 maxDNAPieceSize=200000 minexonintronprob=0.3 maxtracks=2 keep_viterbi=off
/augustus/verbosity=0 /augustus/verbosity=2 /genbank/verbosity=0 /Constant/min_coding_len=50
min_intron_len=20 contentmodels=off nc=off truncateMaskedUTRs=on allow_hinted_splicesites=atac
gff3-strict=on accurate=off tss=off tts=off uniqueCDS=on
"""
"""Options that make sense one by one; together they need not."""

_text = st.text(st.characters(codec="utf-8", exclude_characters="/~"), max_size=8)
_values = st.sampled_from(VALUES) | _text | st.integers().map(str)


@st.composite
def _options(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(COMMON) | st.sampled_from(NAMES) | _text)
    written = name in ("outfile", "errfile")
    value = draw(st.sampled_from(WRITTEN) if written else _values)
    return draw(st.sampled_from((f"--{name}={value}",) * 9 + (f"--{name}",)))


_anything = st.lists(_options() | st.sampled_from(FILES) | _text, max_size=5)
_sound = st.sampled_from([f"--{words}" for words in SOUND.split()])
_likely = st.builds(
    lambda sound, wild, query: ["--species=human", *sound, *wild, query],
    st.lists(_sound, max_size=6),
    st.lists(_options(), max_size=1),
    st.sampled_from(FILES[:5]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with small files; standard input is empty."""
    folder = tmp_path_factory.mktemp("fuzz")
    for name in FILES:
        if (INPUTS / name).is_file():
            shutil.copy(INPUTS / name, folder)
    (folder / "folder").mkdir()
    (folder / "empty.fa").touch()
    saved, null = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AUGUSTUS_CONFIG_PATH", str(HERE))
        patch.setenv("HOME", str(folder))
        yield folder
    os.dup2(saved, 0)
    os.close(saved)
    os.close(null)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(words=_likely | _likely | _anything)
def test_any_command_line_ends_well(folder: Path, words: list[str]) -> None:
    _check(words, folder)


@settings(max_examples=EXAMPLES // 5, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=st.sampled_from(FILES[:5]))
def test_any_damage_to_a_query_ends_well(folder: Path, data: st.DataObject, name: str) -> None:
    content = bytearray((INPUTS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 300)))
        content[start:end] = data.draw(
            st.binary(max_size=20) | st.sampled_from((b">", b"\n", b"\r\n", b"//\n", b"LOCUS x"))
        )
    (folder / "query").write_bytes(content)
    _check(["--species=human", "query"], folder)


def _check(words: Sequence[str], folder: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    with _no_longer_than(SECONDS):
        status = main(words, out, err, _a_gene_each, program="augustus")
    texts = [out.getvalue(), err.getvalue()]
    for path in (folder / "o.gff", folder / "o.err"):
        if path.is_file():
            texts.append(path.read_text(encoding="utf-8"))
            path.unlink()
    text = "".join(texts)
    if status:
        assert status == 1
        assert "\naugustus: ERROR\n\t" in text
    elif "# This output was generated with AUGUSTUS" in text:
        assert "\n# command line:\n" in text
    assert "Traceback" not in text


def _a_gene_each(
    contigs: Iterable[Contig], _: object, options: PredictOptions
) -> Iterator[tuple[Contig, list[Gene]]]:
    """A predictor with a gene on every sequence that has room for one."""
    transcript = Transcript("-", ((100, 200), (300, 401)), utr5=((401, 450),), tss=True)
    for contig in contigs:
        start, end = prediction_span(len(contig.sequence), options.range or (0, None))
        gene = Gene(contig.name, "-", (transcript.shifted(start),))
        yield contig, [gene] * (end - start >= transcript.end)
        if options.range:
            return


@contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"still running after {seconds} s")

    before: Callable | int | None = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
