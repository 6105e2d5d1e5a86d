"""Genes judged one by one, and the stretches around them.

python -m pytest tests/train/test_training_genes.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation, read_annotation
from augustus_dl.io.fasta import Contig
from augustus_dl.io.files import InputFile
from augustus_dl.io.genbank import read_genbank, write_genbank
from augustus_dl.labels import MASKED, from_labels
from augustus_dl.train.training_genes import (
    GENES_A_STRETCH,
    TrainingGenes,
    collect,
    collect_records,
)

CODE = genetic_code(1)
Toy = Callable[..., tuple[Contig, list[Gene]]]


def judged(contig: Contig, genes: list[Gene], flank: int = 100) -> TrainingGenes:
    return collect([contig], Annotation({contig.name: genes}, {}), CODE, "toy", flank)


def changed(gene: Gene, **values: object) -> Gene:
    return replace(gene, transcripts=tuple(replace(t, **values) for t in gene.transcripts))


def test_pieces_hold_the_genes_and_what_lies_beside_them(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 1, 25)
    found = judged(contig, genes)
    assert (found.kept, found.dropped.total(), found.mended.total()) == (25, 0, 0)
    assert sum(len(piece.genes) for piece in found.pieces) == 25
    assert max(len(piece.genes) for piece in found.pieces) == GENES_A_STRETCH
    for piece in found.pieces:
        chains = [t.cds for t in from_labels(np.where(piece.labels == MASKED, 0, piece.labels))]
        assert chains == [gene.transcripts[0].cds for gene in piece.genes]


def test_what_is_far_from_genes_is_unknown(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 1, 2)
    far = Contig("c", b"A" * 20_000 + contig.sequence + b"A" * 20_000)
    shifted = [changed_place(gene, 20_000) for gene in genes]
    (piece,) = judged(far, shifted).pieces
    assert len(piece.codes) < len(contig.sequence) + 2 * (100 + 1024)
    first, last = shifted[0].start - 20_000, shifted[-1].end - 20_000
    known = np.flatnonzero(piece.labels != MASKED)
    assert known[-1] - known[0] + 1 == last - first + 200
    assert piece.masks[0] == (0, int(known[0]), "far from training genes")


def changed_place(gene: Gene, offset: int) -> Gene:
    return replace(gene, transcripts=tuple(t.shifted(offset) for t in gene.transcripts))


def test_wrong_phases_and_stop_codons_outside_are_mended(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 2, 12)
    genes[0] = changed(genes[0], phase=1, complete5=False)
    genes[2] = without_stop(genes[2])
    genes[3] = changed(without_stop(genes[3]), phase=2, complete5=False)
    found = judged(contig, genes)
    assert found.kept == 12 and sum(found.mended.values()) == 3
    known = {t.cds for piece in found.pieces for g in piece.genes for t in g.transcripts}
    assert len(known) == 12
    assert any("phase corrected: 1" in line for line in found.summary())


def without_stop(gene: Gene) -> Gene:
    """The gene with its stop codon outside the CDS."""
    (t,) = gene.transcripts
    if t.strand == "+":
        cds = (*t.cds[:-1], (t.cds[-1][0], t.cds[-1][1] - 3))
    else:
        cds = ((t.cds[0][0] + 3, t.cds[0][1]), *t.cds[1:])
    return replace(gene, transcripts=(replace(t, cds=cds, start=-1, end=-1),))


def test_bad_genes_are_dropped_one_by_one_with_a_count(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 3, 14)
    bad = [
        changed(genes[0], complete3=False),
        changed_place(genes[1], 1),
        genes[2],
        Gene("c", "+", (Transcript("+", ((10**6, 10**6 + 9),)),)),
    ]
    annotation = Annotation({"c": [*genes[2:], *bad], "d": [genes[0]]}, {})
    found = collect([contig], annotation, CODE, "toy", 100)
    assert found.kept == 12
    assert found.dropped["incomplete"] == found.dropped["duplicates"] == 1
    assert found.dropped["beyond the end of the sequence"] == 1
    assert found.dropped["on sequences that the genome does not have"] == 1
    assert found.dropped.total() == 5
    assert found.summary()[0] == "12 genes are used, 5 are not"
    masked = [mask for piece in found.pieces for mask in piece.masks if mask[2] == "incomplete"]
    assert len(masked) <= 1


def test_the_annotation_of_another_assembly_is_refused(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 4, 20)
    shifted = [changed_place(gene, 1) for gene in genes[:15]]
    with pytest.raises(InputError, match=r"^7\d % of 20 genes do not fit the genome: .*assembly"):
        judged(contig, [*shifted, *genes[15:]])
    with pytest.raises(InputError, match=r"100 % of 20 genes do not fit the genome \(e.g. d\)"):
        collect([contig], Annotation({"d": genes}, {}), CODE, "toy", 100)
    with pytest.raises(InputError, match="no valid gene in the annotation: it names no coding"):
        judged(contig, [])


def test_two_sequences_of_one_name_are_refused(toy_contig: Toy) -> None:
    contig, genes = toy_contig("c", 4, 3)
    with pytest.raises(InputError, match="two sequences are named c"):
        collect([contig, contig], Annotation({"c": genes}, {}), CODE, "toy", 100)


def test_rows_may_be_unsorted(toy_contig: Toy, tmp_path: Path) -> None:
    contig, genes = toy_contig("c", 5, 3)
    rows = [
        f'c\tx\tCDS\t{start + 1}\t{end}\t.\t{g.strand}\t.\tgene_id "g{i}"; transcript_id "t{i}";'
        for i, g in enumerate(genes)
        for start, end in g.transcripts[0].cds
    ]
    (tmp_path / "x.gtf").write_text("\n".join(reversed(rows)) + "\n")
    annotation = read_annotation(tmp_path / "x.gtf")
    assert collect([contig], annotation, CODE, "toy", 100).kept == 3


def test_genbank_records_are_known_to_their_ends(toy_contig: Toy, tmp_path: Path) -> None:
    name = "locus_" + "x" * 120
    records = [toy_contig(f"{name}{i}", i, 1) for i in range(3)]
    write_genbank(tmp_path / "x.gb", records)
    text = (tmp_path / "x.gb").read_text()
    long = f'{"":<21}/note="{"long " * 9000}"\n{"":<21}/gene='
    (tmp_path / "x.gb").write_text(text.replace(f"{'':<21}/gene=", long))
    read = [
        (replace(contig, name=f"r{i}"), genes)
        for i, (contig, genes) in enumerate(read_genbank(InputFile(tmp_path / "x.gb", "file")))
    ]
    found = collect_records(read, CODE, "toy")
    assert found.kept == 3
    assert all((piece.labels != MASKED).all() for piece in found.pieces)
    assert [len(p.codes) for p in found.pieces] == [len(c.sequence) for c, _ in records]
