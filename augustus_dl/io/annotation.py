"""Gene models from GFF3 and GTF, told apart line by line, and back to GFF3.

Owns the conventions of annotation files: 1-based closed coordinates, stop codons inside or outside
the CDS, partial models, and which parts of an annotation are doubtful. A doubtful part is no gene
and no intergenic sequence either: it becomes a mask. Lines are parsed by gffutils; its database
is not used, one pass over the lines is fifty times faster.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import numpy as np
from gffutils.feature import Feature, feature_from_line

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.intervals import difference, union
from augustus_dl.io.files import lines

__all__ = ["Annotation", "Mask", "read_annotation", "write_gff3"]

_WHAT = "annotation file"
_EXONIC = {
    "exon", "CDS", "UTR", "5UTR", "3UTR", "5'-UTR", "3'-UTR",
    "five_prime_utr", "three_prime_utr", "five_prime_UTR", "three_prime_UTR",
}  # fmt: skip
_PARTS = _EXONIC | {"start_codon", "stop_codon", "intron"}
_DOUBTFUL_KINDS = {
    "pseudogene",
    "pseudogenic_CDS",
    "transposable_element_gene",
    "blocked_reading_frame",
}
_GENE_KINDS = _DOUBTFUL_KINDS | {"gene", "protein_coding_gene"}
_BIOTYPES = ("gene_biotype", "gene_type", "biotype", "transcript_biotype", "transcript_type")

Key = tuple[str, str]
"""Sequence name and identifier: identifiers may come again on another sequence."""

Mask = tuple[int, int, str]
"""Start, end, and why nothing is known between them."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation file says about each sequence it names.

    Attributes:
        genes: by sequence name, sorted by start; every gene has at least one coding transcript.
        masks: by sequence name, sorted: stretches in which nothing is known. They may overlap
            each other and the introns of genes; as read from a file they hold no coding base.
    """

    genes: dict[str, list[Gene]]
    masks: dict[str, list[Mask]]


@dataclass(slots=True)
class _Partial:
    """Ends said to be missing: on the left or right of the sequence, or of the transcript."""

    left: bool = False
    right: bool = False
    five: bool = False
    three: bool = False

    def __bool__(self) -> bool:
        return self.left or self.right or self.five or self.three

    def add(self, other: _Partial) -> None:
        self.left |= other.left
        self.right |= other.right
        self.five |= other.five
        self.three |= other.three

    def missing(self, strand: str) -> tuple[bool, bool]:
        """Is the transcript's 5' end missing, is its 3' end?"""
        first, last = (self.left, self.right) if strand == "+" else (self.right, self.left)
        return self.five or first, self.three or last


@dataclass(slots=True)
class _Locus:
    """A row that has parts: a gene or a transcript; spans of rows of the same name are united."""

    start: int = -1
    end: int = -1
    kind: str = ""
    biotype: str = ""
    doubt: str = ""
    partial: _Partial = field(default_factory=_Partial)

    def extend(self, start: int, end: int) -> None:
        self.start = start if self.start < 0 else min(self.start, start)
        self.end = max(self.end, end)


@dataclass(slots=True)
class _Model(_Locus):
    """A transcript row and what hangs below it; `start`, `end` are those of the row."""

    gene: str = ""
    source: str = ""
    strands: set[str] = field(default_factory=set)
    cds: list[tuple[int, int, int]] = field(default_factory=list)
    stops: list[Interval] = field(default_factory=list)
    introns: list[Interval] = field(default_factory=list)
    has_start: bool = False
    exonic: _Locus = field(default_factory=_Locus)
    exons: list[Interval] = field(default_factory=list)
    cds_partial: _Partial = field(default_factory=_Partial)


def read_annotation(
    path: str | os.PathLike, doubtful_sources: Collection[str] = (), utrs: bool = False
) -> Annotation:
    """Read a GFF3 or GTF file (AUGUSTUS's own output too; gzip found by content).

    A transcript's `complete5` and `complete3` are True unless the file says otherwise: a first
    phase that is not 0, `partial=true` (on the side of `start_range` or `end_range` when given,
    else on both) or, where rows of a source have codon lines, a missing start or stop codon line.

    Masks: pseudogenes, genes of transposable elements, blocked reading frames, open reading
    frames classified as dubious, coding or partial genes without a model, and models that
    contradict themselves. Non-coding genes are neither genes nor masks.

    Args:
        path: the file; `~` is expanded.
        doubtful_sources: genes with these words in column 2 become masks.
        utrs: read untranslated regions too, from exon rows and UTR rows alike, except at ends
            where the CDS is incomplete; transcripts then reach over them.

    Raises:
        InputError: the file cannot be read, or a line is no annotation; names file and line.
    """
    reader = _Reader(frozenset(doubtful_sources), utrs)
    for number, feature in _features(path):
        try:
            reader.add(feature)
        except ValueError as error:
            raise InputError(f"{_WHAT} {path}:{number}: {error}") from error
    return reader.annotation()


def write_gff3(path: str | os.PathLike, genes: Iterable[Gene]) -> None:
    """Write genes as GFF3 in the order given; the inverse of `read_annotation`.

    Genes and transcripts without id are numbered g1, g1.t1 and so on. Partial ends are written as
    NCBI does (`partial=true`, `start_range`, `end_range`).
    """
    with open(Path(path).expanduser(), "w", encoding="utf-8") as stream:
        stream.write("##gff-version 3\n")
        for number, gene in enumerate(genes, 1):
            stream.writelines(_gene_rows(gene, number))


def _features(path: str | os.PathLike) -> Iterator[tuple[int, Feature]]:
    """Rows with their line numbers, up to a FASTA part."""
    for number, line in lines(path, _WHAT):
        if line.startswith("##FASTA") or line.startswith(">"):
            if number == 1:
                raise InputError(f"{_WHAT} {path} is FASTA; GFF3 or GTF is needed")
            return
        if not line.strip() or line.startswith("#"):
            continue
        if line.count("\t") not in (7, 8):
            raise InputError(
                f"{_WHAT} {path}:{number}: {line.count(chr(9)) + 1} columns instead of the 9 "
                "tab-separated ones of GFF3 and GTF"
            )
        try:
            feature = feature_from_line(line, strict=True)
        except Exception as error:  # gffutils raises bare exceptions of several kinds
            raise InputError(f"{_WHAT} {path}:{number}: cannot be parsed: {error}") from error
        if not feature.start or not feature.end or not 1 <= feature.start <= feature.end:
            raise InputError(
                f"{_WHAT} {path}:{number}: start and end must be numbers, 1 <= start <= end"
            )
        yield number, feature


def _first(feature: Feature, *names: str) -> str:
    """Value of the first of these attributes that the row has, or ""."""
    for name in names:
        values = feature.attributes.get(name)
        if values:
            return values[0]
    return ""


def _own_name(row: Feature) -> str:
    """Name of a part without parent: its ID, which the parts of one CDS share. Where Parent is
    there but empty the ID says nothing either, and every row stands alone."""
    alone = f"@{row.start}" if "Parent" in row.attributes else ""
    return _first(row, "ID") + alone


def _doubt(feature: Feature) -> str:
    """Why what this row stands for should be masked, or ""."""
    biotype = _first(feature, *_BIOTYPES)
    if feature.featuretype in _DOUBTFUL_KINDS:
        return feature.featuretype
    if "pseudogene" in biotype or _first(feature, "pseudo", "pseudogene"):
        return "pseudogene"
    if "Dubious" in _first(feature, "orf_classification"):
        return "dubious open reading frame"
    return ""


def _partial(feature: Feature) -> _Partial:
    """Which ends the attributes of a row say are missing."""
    names = {name.lower() for name in feature.attributes}
    found = _Partial(
        left="start_range" in names,
        right="end_range" in names,
        five="fiveendpartial" in names,
        three="threeendpartial" in names,
    )
    if not found and _first(feature, "partial").lower() == "true":
        return _Partial(left=True, right=True)
    return found


class _Reader:
    """Collects rows in any order; `annotation` puts them together."""

    def __init__(self, doubtful_sources: frozenset[str], utrs: bool) -> None:
        self.doubtful_sources, self.utrs = doubtful_sources, utrs
        self.loci: dict[Key, _Locus] = {}
        self.models: dict[Key, _Model] = {}
        self.sources_with: dict[str, set[str]] = {"start_codon": set(), "stop_codon": set()}
        self.has_partial_cds = self.has_partial_transcripts = False

    def add(self, row: Feature) -> None:
        """Take in one row.

        Raises:
            ValueError: a coding row that belongs to nothing or has an impossible phase.
        """
        is_gff3 = "ID" in row.attributes or "Parent" in row.attributes
        if row.featuretype in _PARTS:
            for transcript, gene in self._owners(row, is_gff3):
                self._add_part(row, self._model(row.seqid, transcript, gene))
        elif is_gff3:
            self._add_node(row, _first(row, "ID"), row.attributes.get("Parent") or [])
        elif row.featuretype in ("transcript", "mRNA"):
            bare = next(iter(row.attributes), "")
            gene = _first(row, "gene_id")
            name = _first(row, "transcript_id") or bare
            self._add_node(row, name, [gene or name.rpartition(".")[0] or name])
        elif row.featuretype in _GENE_KINDS:
            self._add_node(row, _first(row, "gene_id") or next(iter(row.attributes), ""), [])

    def annotation(self) -> Annotation:
        """Genes and masks of all rows so far."""
        members: dict[Key, list[tuple[str, _Model]]] = {key: [] for key in self.loci}
        for (contig, name), model in self.models.items():
            members.setdefault((contig, model.gene), []).append((name, model))
        found = Annotation({}, {})
        for (contig, name), models in members.items():
            locus = self.loci.get((contig, name), _Locus())
            coding = [(id_, model) for id_, model in models if model.cds]
            reason, transcripts = self._judge(locus, coding, models)
            if reason:
                for part in (locus, *(m.exonic for _, m in coding), *(m for _, m in coding)):
                    if part.start >= 0:
                        locus.extend(part.start, part.end)
                found.masks.setdefault(contig, []).append((locus.start, locus.end, reason))
            elif transcripts:
                gene = Gene(contig, transcripts[0].strand, tuple(transcripts), name)
                found.genes.setdefault(contig, []).append(gene)
        for genes in found.genes.values():
            genes.sort(key=lambda gene: (gene.start, gene.end))
        for contig, masks in found.masks.items():
            found.masks[contig] = _outside_coding(masks, found.genes.get(contig, []))
        return found

    def _owners(self, row: Feature, is_gff3: bool) -> list[tuple[str, str]]:
        """(transcript, gene or "") of a part; a coding row without parent is its own transcript."""
        if not is_gff3:
            owners = [(_first(row, "transcript_id", "gene_id"), _first(row, "gene_id"))]
        else:
            owners = [(name, "") for name in row.attributes.get("Parent") or [_own_name(row)]]
        if not all(name for name, _ in owners):
            if row.featuretype == "CDS":
                raise ValueError("CDS with neither Parent, ID nor transcript_id")
            return []
        return owners

    def _model(self, contig: str, name: str, gene: str) -> _Model:
        model = self.models.setdefault((contig, name), _Model(gene=gene or name))
        if gene:
            model.gene = gene
        return model

    def _add_part(self, row: Feature, model: _Model) -> None:
        start, end = row.start - 1, row.end
        if row.featuretype in _EXONIC:
            model.exonic.extend(start, end)
            model.exons.append((start, end))
        if row.featuretype == "CDS":
            if row.frame not in ("0", "1", "2", "."):
                raise ValueError(f"phase {row.frame!r} is none of 0, 1, 2 and .")
            model.cds.append((start, end, int(row.frame.replace(".", "0"))))
            model.strands.add(row.strand)
            model.source = row.source
            model.doubt = model.doubt or self._doubt(row)
            model.cds_partial.add(_partial(row))
            self.has_partial_cds |= bool(model.cds_partial)
        elif row.featuretype == "stop_codon":
            model.stops.append((start, end))
            self.sources_with["stop_codon"].add(row.source)
        elif row.featuretype == "intron":
            model.introns.append((start, end))
        elif row.featuretype == "start_codon":
            model.has_start = True
            self.sources_with["start_codon"].add(row.source)

    def _add_node(self, row: Feature, name: str, parents: list[str]) -> None:
        """A gene row when it has no parent, else a transcript row."""
        if not name:
            return
        if parents:
            node = self._model(row.seqid, name, parents[0])
        else:
            node = self.loci.setdefault((row.seqid, name), _Locus())
        node.extend(row.start - 1, row.end)
        node.kind = row.featuretype
        node.biotype = _first(row, *_BIOTYPES)
        node.doubt = node.doubt or self._doubt(row)
        node.partial.add(_partial(row))
        self.has_partial_transcripts |= bool(parents) and bool(node.partial)

    def _doubt(self, row: Feature) -> str:
        if row.source in self.doubtful_sources:
            return f"model of {row.source}"
        return _doubt(row)

    def _judge(
        self, locus: _Locus, coding: list[tuple[str, _Model]], models: list[tuple[str, _Model]]
    ) -> tuple[str, list[Transcript]]:
        """Reason to mask the locus, or its sound transcripts; neither for non-coding genes."""
        doubts = [locus.doubt] if locus.doubt and (coding or locus.kind in _GENE_KINDS) else []
        transcripts = []
        if not doubts:
            for name, model in coding:
                fault = model.doubt or _contradiction(model)
                if fault:
                    doubts.append(fault)
                else:
                    transcripts.append(self._transcript(name, model, locus))
            if len({transcript.strand for transcript in transcripts}) > 1:
                return "transcripts on both strands", []
        if transcripts or doubts:
            return ("" if transcripts else doubts[0]), transcripts
        if locus.kind not in _GENE_KINDS or locus.biotype not in ("protein_coding", ""):
            return "", []
        has_mrna = any(model.kind == "mRNA" for _, model in models)
        if has_mrna or locus.biotype or locus.partial:
            return "coding gene without a model", []
        return "", []

    def _transcript(self, name: str, model: _Model, locus: _Locus) -> Transcript:
        (strand,) = model.strands
        rows = sorted(model.cds)
        coding = [(start, end) for start, end, _ in rows]
        cds = _united(coding, _split(model.stops, coding, model.introns), strand)
        phase = rows[0][2] if strand == "+" else rows[-1][2]
        missing5, missing3 = self._partial_of(model, locus).missing(strand)
        missing5 |= phase != 0
        if model.source in self.sources_with["start_codon"]:
            missing5 = not model.has_start
        if model.source in self.sources_with["stop_codon"]:
            missing3 = not model.stops
        left, right = (missing5, missing3) if strand == "+" else (missing3, missing5)
        cut_left = left and 0 <= model.start < model.exonic.start
        cut_right = right and model.end > max(model.exonic.end, cds[-1][1])
        utr_left, utr_right = _untranslated(model.exons, cds) if self.utrs else ((), ())
        utr_left, utr_right = () if left else utr_left, () if right else utr_right
        utr5, utr3 = (utr_left, utr_right) if strand == "+" else (utr_right, utr_left)
        return Transcript(
            strand=strand,
            cds=cds,
            phase=phase if missing5 else 0,
            complete5=not missing5,
            complete3=not missing3,
            start=min(model.start, cds[0][0]) if cut_left else -1,
            end=model.end if cut_right else -1,
            id=name,
            utr5=utr5,
            utr3=utr3,
            tss=bool(utr5),
            tts=bool(utr3),
        )

    def _partial_of(self, model: _Model, locus: _Locus) -> _Partial:
        """Missing ends as said on the lowest level on which the file speaks of them.

        The ends of a transcript or gene row may be missing (in the untranslated part) where the
        coding sequence is complete.
        """
        if self.has_partial_cds:
            return model.cds_partial
        return model.partial if self.has_partial_transcripts else locus.partial


def _contradiction(model: _Model) -> str:
    """What is impossible about a model, or ""."""
    if len(model.strands) > 1:
        return "CDS on both strands"
    if not model.strands <= {"+", "-"}:
        return "CDS without strand"
    rows = sorted(model.cds)
    if any(right[0] < left[1] for left, right in pairwise(rows)):
        return "overlapping CDS rows in one transcript"
    return ""


def _outside_coding(masks: list[Mask], genes: list[Gene]) -> list[Mask]:
    """Sorted masks without the coding bases of genes, which are known: a dubious reading frame
    on one strand says nothing about the good gene on the other."""
    coding = union(exon for gene in genes for t in gene.transcripts for exon in t.cds)
    kept = []
    for start, end, reason in masks:
        first = np.searchsorted(coding[:, 1], start, side="right")
        last = np.searchsorted(coding[:, 0], end, side="left")
        rest = difference(np.array([(start, end)]), coding[first:last])
        kept += [(a, b, reason) for a, b in rest.tolist()]
    return sorted(kept)


def _split(stops: list[Interval], cds: list[Interval], introns: list[Interval]) -> list[Interval]:
    """Stop codons outside the CDS, those that an intron splits in two parts.

    AUGUSTUS writes three contiguous bases at the outer end even then, so that only the intron's own
    row tells where the codon begins.
    """
    first, last = cds[0][0], cds[-1][1]
    parts: list[Interval] = []
    for start, end in stops:
        for left, right in introns:
            if last < left < right < end and left - last + end - right == 3:
                parts += [(last, left), (right, end)]
                break
            if start < left < right < first and left - start + first - right == 3:
                parts += [(start, left), (right, first)]
                break
        else:
            parts.append((start, end))
    return parts


def _united(cds: list[Interval], stops: list[Interval], strand: str) -> tuple[Interval, ...]:
    """CDS with the stop codon that some files leave outside; touching intervals made one.

    A stop codon row overlapping the CDS is inside it already (AUGUSTUS writes three contiguous
    bases even where the codon is split).
    """
    if strand == "+":
        outside = [stop for stop in stops if stop[0] >= cds[-1][1]]
    else:
        outside = [stop for stop in stops if stop[1] <= cds[0][0]]
    united: list[Interval] = []
    for start, end in sorted({*cds, *outside}):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return tuple(united)


def _untranslated(
    exons: list[Interval], cds: tuple[Interval, ...]
) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """Parts of exons left and right of the CDS, in rising order."""
    first, last = cds[0][0], cds[-1][1]
    parts = [tuple(part) for part in union([*exons, *cds]).tolist()]
    left = tuple((start, min(end, first)) for start, end in parts if start < first)
    right = tuple((max(start, last), end) for start, end in parts if end > last)
    return left, right


def _gene_rows(gene: Gene, number: int) -> Iterator[str]:
    """GFF3 rows of one gene."""

    def row(kind: str, start: int, end: int, phase: str, *attributes: str) -> str:
        columns = (gene.contig, "augustus-dl", kind, start + 1, end, ".", gene.strand, phase)
        return "\t".join(map(str, columns)) + "\t" + ";".join(filter(None, attributes)) + "\n"

    name = quote(gene.id or f"g{number}", safe=_SAFE)
    yield row("gene", gene.start, gene.end, ".", f"ID={name}")
    for count, transcript in enumerate(gene.transcripts, 1):
        own = quote(transcript.id, safe=_SAFE) or f"{name}.t{count}"
        partial = _partial_attributes(transcript)
        extent = (transcript.start, transcript.end)
        yield row("mRNA", *extent, ".", f"ID={own}", f"Parent={name}", partial)
        for start, end in transcript.exons:
            yield row("exon", start, end, ".", f"Parent={own}")
        for (start, end), phase in zip(transcript.cds, transcript.phases, strict=True):
            yield row("CDS", start, end, str(phase), f"ID={own}.cds", f"Parent={own}", partial)


_SAFE = " :/|()[]+*'!?@$^~#<>{}"
"""Besides letters, digits and _.-: what need not be escaped in a GFF3 attribute."""


def _partial_attributes(transcript: Transcript) -> str:
    ends = (transcript.complete5, transcript.complete3)
    left, right = ends if transcript.strand == "+" else ends[::-1]
    start = "" if left else f";start_range=.,{transcript.start + 1}"
    end = "" if right else f";end_range={transcript.end},."
    return f"partial=true{start}{end}" if start or end else ""
