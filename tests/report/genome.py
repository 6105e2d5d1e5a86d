"""A small genome with annotations for the report."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from augustus_dl.gene import Gene, Transcript
from augustus_dl.io.annotation import write_gff3
from augustus_dl.io.fasta import Contig, write_fasta

GENE = b"ATGAAACCC" + b"GTAAGTCCCCCCCCCCCCTTTTTTTCAG" + b"GGGTTTTAA"
PLACES = (400, 1400, 2400)


def transcript(start: int, shift: int = 0) -> Transcript:
    """GENE from base `start` on, its acceptor `shift` bases further."""
    return Transcript("+", ((start, start + 9), (start + 37 + shift, start + 46)))


def build(folder: Path) -> Path:
    """genome.fa(.gz) with sequences c and d; reference of three genes on c; a prediction that has
    one right, one with a shifted acceptor, none for the third and a false one on d; another
    prediction that has all."""
    letters = random.Random(1)
    background = bytes(letters.choices(b"ACGT", k=3000))
    sequence = bytearray(background)
    for start in PLACES:
        sequence[start : start + len(GENE)] = GENE
    genome = [Contig("c", bytes(sequence)), Contig("d", background[:1000])]
    write_fasta(folder / "genome.fa", genome)
    (folder / "genome.fa.gz").write_bytes(gzip.compress((folder / "genome.fa").read_bytes()))
    known = [Gene("c", "+", (transcript(start),)) for start in PLACES]
    found = [
        known[0],
        Gene("c", "+", (transcript(PLACES[1], 3),)),
        Gene("d", "-", (Transcript("-", ((300, 390),)),)),
    ]
    write_gff3(folder / "reference.gff3", known)
    write_gff3(folder / "prediction.gff3", found)
    write_gff3(folder / "other.gff3", known)
    write_gff3(folder / "empty.gff3", [])
    return folder
