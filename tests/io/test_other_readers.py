"""Programs that many pipelines read us with: gffread translates our genes, GenomeTools checks them.

python -m pytest tests/io/test_other_readers.py
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io import strict_gff3, writers
from augustus_dl.io.writers import OutputOptions

CODE = genetic_code(1)
SENSE = sorted(codon for codon, amino in CODE.amino.items() if amino != "*")
COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")
GENES = 1000

needs_gffread = pytest.mark.skipif(
    not shutil.which("gffread"), reason="gffread is not installed (apt-get install gffread)"
)
needs_genometools = pytest.mark.skipif(
    not shutil.which("gt"), reason="gt is not installed (apt-get install genometools)"
)


def bases(draw: random.Random, length: int) -> str:
    return "".join(draw.choices("ACGT", k=length))


def pieces(draw: random.Random, text: str, number: int) -> list[str]:
    """The text cut at random into so many pieces, three letters or more at both ends."""
    cuts = sorted(draw.sample(range(3, len(text) - 2), number - 1))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def random_gene(draw: random.Random, name: str) -> tuple[Gene, bytes]:
    """A gene without inner stop codons on a sequence of its own.

    One in three is cut by an end of the sequence in its coding part, which then begins or ends
    anywhere in a codon. Ends that are not cut have untranslated regions, some with introns.

    Left out is where gffread goes astray on AUGUSTUS's own text: start and stop codons split by
    an intron, as their lines reach into it, and genes of one coding exon that miss the start on
    the reverse strand, as it takes the phase of the stop codon's line for that of the CDS.
    """
    coding = "ATG" + "".join(draw.choices(SENSE, k=draw.randrange(20, 90)))
    coding += draw.choice(sorted(CODE.stops))
    complete5, complete3, phase = True, True, 0
    cut = draw.choice(["5", "3", "", "", "", ""])
    if cut == "5":
        lost = draw.randrange(1, 30)
        complete5, phase, coding = False, -lost % 3, coding[lost:]
    elif cut == "3":
        complete3, coding = False, coding[: -3 - draw.randrange(0, 30)]
    utr5 = pieces(draw, bases(draw, 40), draw.randrange(1, 4)) if complete5 else []
    utr3 = pieces(draw, bases(draw, 40), draw.randrange(1, 4)) if complete3 else []
    text, parts = bases(draw, draw.randrange(9)) if complete5 else "", []
    exons = pieces(draw, coding, draw.randrange(1 if complete5 else 2, 6))
    for group in (utr5, exons, utr3):
        spans = []
        for index, piece in enumerate(group):
            inner = index > 0 or (parts and parts[-1] and draw.random() < 0.2)
            text += f"GT{bases(draw, draw.randrange(40, 60))}AG" if inner else ""
            spans.append((len(text), len(text) + len(piece)))
            text += piece
        parts.append(tuple(spans))
    text += bases(draw, draw.randrange(9)) if complete3 else ""
    transcript = Transcript(
        "+",
        parts[1],
        phase,
        complete5,
        complete3,
        utr5=parts[0],
        utr3=parts[2],
        tss=complete5,
        tts=complete3,
    )
    sequence = text.encode()
    if draw.random() < 0.5:
        transcript = transcript.mirrored(len(sequence))
        sequence = sequence[::-1].translate(COMPLEMENT)
    return Gene(name, transcript.strand, (transcript,)), sequence


@pytest.fixture(scope="module")
def genes() -> list[tuple[Gene, bytes]]:
    draw = random.Random(1)
    return [random_gene(draw, f"contig{number}") for number in range(1, GENES + 1)]


def without_utrs(gene: Gene) -> Gene:
    bare = [
        replace(
            transcript,
            start=-1,
            end=-1,
            utr5=(),
            utr3=(),
            tss=False,
            tts=False,
            utr5_posterior=(),
            utr3_posterior=(),
        )
        for transcript in gene.transcripts
    ]
    return replace(gene, transcripts=tuple(bare))


def a_run(
    genes: Iterable[tuple[Gene, bytes]], options: OutputOptions, form: ModuleType
) -> Iterator[str]:
    """All lines of a run that finds these genes, with untranslated regions where it may."""
    if form is writers and not options.utr:
        genes = [(without_utrs(gene), sequence) for gene, sequence in genes]
    yield from form.preamble(options, species="x", config_folder="/c", query="f", code=CODE)
    for number, (gene, sequence) in enumerate(genes, 1):
        yield from form.sequence_header(number, gene.contig, len(sequence), options)
        yield from form.gene_block(gene, number, sequence, options, CODE)
    yield from writers.trailer(["augustus", "f"])


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def our_proteins(lines: Iterable[str]) -> dict[str, str]:
    """Proteins in the comments, by transcript."""
    text = "\n".join(lines)
    found = re.findall(r"start gene (\S+)\n.*?protein sequence = \[([^]]*)]", text, re.DOTALL)
    return {f"{gene}.t1": protein.replace("\n# ", "") for gene, protein in found}


def fasta(path: Path) -> dict[str, str]:
    records = path.read_text().split(">")[1:]
    split = (record.partition("\n") for record in records)
    return {head.split()[0]: body.replace("\n", "") for head, _, body in split}


FORMS = {
    "gtf": (OutputOptions(), writers),
    "gff3": (OutputOptions(gff3=True), writers),
    "gtf with everything": (
        OutputOptions(introns=True, exonnames=True, codingseq=True, utr=True, unique_gene_id=True),
        writers,
    ),
    "gff3 with untranslated regions": (
        OutputOptions(gff3=True, introns=True, utr=True, print_utr=True),
        writers,
    ),
    "gtf without stop codons": (OutputOptions(stop_excluded=True), writers),
    "gff3 without stop codons": (OutputOptions(gff3=True, stop_excluded=True), writers),
    "strict gff3": (OutputOptions(), strict_gff3),
}


@needs_gffread
@pytest.mark.parametrize("form", FORMS)
def test_gffread_translates_as_we_do(
    tmp_path: Path, genes: list[tuple[Gene, bytes]], form: str
) -> None:
    lines = list(a_run(genes, *FORMS[form]))
    text = write(tmp_path / ("genes.gtf" if "gtf" in form else "genes.gff3"), lines)
    genome = write(tmp_path / "genome.fa", (f">{g.contig}\n{s.decode()}" for g, s in genes))
    theirs = tmp_path / "proteins.fa"
    subprocess.run(["gffread", "-g", genome, "-y", theirs, text], check=True, capture_output=True)
    ours = our_proteins(lines)
    assert len(ours) == GENES
    assert {name: letters.rstrip(".") for name, letters in fasta(theirs).items()} == ours


def check(path: Path, quiet: bool) -> None:
    """Let GenomeTools check a file, which it may warn about unless it is to be quiet."""
    done = subprocess.run(["gt", "gff3validator", path], capture_output=True, text=True)
    assert done.stdout == "input is valid GFF3\n", done.stderr
    assert not (quiet and done.stderr)


@needs_genometools
@pytest.mark.parametrize("form", [name for name in FORMS if "gff3" in name])
def test_genometools_finds_our_gff3_valid(
    tmp_path: Path, genes: list[tuple[Gene, bytes]], form: str
) -> None:
    """It warns of AUGUSTUS's dialect, which has no line with the extent of a sequence."""
    path = write(tmp_path / "genes.gff3", a_run(genes, *FORMS[form]))
    check(path, quiet="strict" in form)


def alternatives(gene: Gene) -> Gene:
    """The gene with a second transcript and scores."""
    (transcript,) = gene.transcripts
    scored = replace(
        transcript,
        posterior=0.5,
        cds_posterior=(0.25,) * len(transcript.cds),
    )
    (bare,) = without_utrs(gene).transcripts
    return replace(gene, transcripts=(scored, bare), posterior=0.75)


@needs_genometools
@pytest.mark.parametrize("form", [name for name in FORMS if "gff3" in name])
def test_genometools_accepts_alternatives_and_scores(
    tmp_path: Path, genes: list[tuple[Gene, bytes]], form: str
) -> None:
    some = [(alternatives(gene), sequence) for gene, sequence in genes[:50]]
    path = write(tmp_path / "genes.gff3", a_run(some, *FORMS[form]))
    check(path, quiet="strict" in form)


@needs_genometools
def test_genometools_accepts_escaped_names(tmp_path: Path) -> None:
    transcript = Transcript("+", ((0, 9),))
    gene = Gene(">a=b;c&d,e%(f)~", "+", (transcript,))
    options = OutputOptions(unique_gene_id=True)
    path = write(tmp_path / "genes.gff3", a_run([(gene, b"ATGAAATAA")], options, strict_gff3))
    check(path, quiet=True)
    assert "%3D" in path.read_text()
