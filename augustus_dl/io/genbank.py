"""AUGUSTUS's training and test files: GenBank records with coding genes, and back.

One record is a piece of genome with the genes on it. Feature tables are read by Biopython; the
sequence is taken as it stands, because its case is soft-masking. The layout written is that of
AUGUSTUS's gff2gbSmallDNA.pl.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import StringIO
from itertools import pairwise
from pathlib import Path

from Bio import BiopythonParserWarning, SeqIO
from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.intervals import union
from augustus_dl.io.fasta import Contig
from augustus_dl.io.files import lines

__all__ = ["read_genbank", "write_genbank"]

_WHAT = "GenBank file"
_LOCUS = re.compile(r"LOCUS\s+(\S+)\s+(\d+)\s+(bp|aa)\b")
_NOT_SEQUENCE = re.compile(r"[^A-Za-z]+")


def read_genbank(
    path: str | os.PathLike, stop_excluded: bool = False
) -> list[tuple[Contig, list[Gene]]]:
    """Sequences and coding genes of a GenBank file (gzip found by content), in its order.

    A gene is named by `/gene`, else `/locus_tag`, else LOCUS-number as AUGUSTUS names it; CDS of
    the same name and strand are transcripts of one gene. `<` and `>` mark incomplete ends.
    CDS marked `/pseudo` are left out. UTRs are not read.

    Args:
        stop_excluded: stop codons lie outside the CDS, right behind it; they are joined to it.

    Raises:
        InputError: the file cannot be read or is not GenBank; a record is cut short, has no
            sequence or has an impossible CDS. The message names the record.
    """
    return [_parsed(record, stop_excluded) for record in _records(path)]


def write_genbank(
    path: str | os.PathLike, records: Iterable[tuple[Contig, Iterable[Gene]]]
) -> None:
    """Write sequences with their genes; the inverse of `read_genbank`.

    Transcript ids and extents beyond the CDS are not kept, the format has no place for them.
    """
    with open(Path(path).expanduser(), "w", encoding="utf-8") as stream:
        for contig, genes in records:
            stream.writelines(_record_lines(contig, genes))


@dataclass(slots=True)
class _Record:
    """Text of one record: everything before the sequence, and the sequence."""

    name: str
    length: int
    where: str
    header: list[str]
    sequence: list[str]
    in_sequence: bool = False


def _records(path: str | os.PathLike) -> Iterator[_Record]:
    """Records of a file; each is seen to its end."""
    record, found = None, False
    for number, line in lines(path, _WHAT):
        if line.startswith("LOCUS"):
            if record:
                raise _cut(record)
            record = _begun(path, number, line)
        elif record is None:
            if line.strip():
                raise InputError(f"{_WHAT} {path}:{number}: a record must begin with LOCUS")
        elif line.startswith("//"):
            yield record
            record, found = None, True
        elif line.startswith("ORIGIN"):
            record.in_sequence = True
        elif record.in_sequence:
            record.sequence.append(_NOT_SEQUENCE.sub("", line))
        else:
            record.header.append(line)
    if record:
        raise _cut(record)
    if not found:
        raise InputError(f"{_WHAT} {path} holds no record")


def _begun(path: str | os.PathLike, number: int, line: str) -> _Record:
    match = _LOCUS.match(line)
    if not match:
        raise InputError(f"{_WHAT} {path}:{number}: no name and length in bp after LOCUS")
    name, length, unit = match.groups()
    where = f"{_WHAT} {path}:{number}: record {name}"
    if unit == "aa":
        raise InputError(f"{where} is a protein; a genome is needed")
    return _Record(name, int(length), where, [line], [])


def _cut(record: _Record) -> InputError:
    return InputError(f"{record.where} does not end with //; the file may be truncated")


def _parsed(record: _Record, stop_excluded: bool) -> tuple[Contig, list[Gene]]:
    contig = Contig(record.name, "".join(record.sequence).encode("ascii", "replace"))
    if len(contig.sequence) != record.length:
        raise InputError(
            f"{record.where} has {len(contig.sequence)} bases, its LOCUS line says {record.length}"
        )
    if not contig.sequence:
        raise InputError(f"{record.where} has no sequence")
    by_name: dict[tuple[str, str], list[Transcript]] = {}
    coding = (f for f in _features(record) if f.type == "CDS" and "pseudo" not in f.qualifiers)
    for number, feature in enumerate(coding, 1):
        name = _name(feature) or f"{record.name}-{number}"
        transcript = _transcript(record, feature, f"CDS {name}", stop_excluded)
        isoforms = by_name.setdefault((name, transcript.strand), [])
        isoforms.append(replace(transcript, id=f"{name}.{len(isoforms) + 1}"))
    genes = [
        Gene(record.name, strand, tuple(isoforms), name)
        for (name, strand), isoforms in by_name.items()
    ]
    return contig, sorted(genes, key=lambda gene: (gene.start, gene.end))


def _features(record: _Record) -> list[SeqFeature]:
    """Biopython's reading of the feature table."""
    text = "\n".join([*record.header, "ORIGIN", "//", ""])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiopythonParserWarning)  # AUGUSTUS's short LOCUS lines
            return SeqIO.read(StringIO(text), "genbank").features
    except ValueError as error:
        what = str(error).splitlines()[0]
        raise InputError(
            f"{record.where} has a feature table that cannot be read: {what}"
        ) from error


def _name(feature: SeqFeature) -> str:
    return (feature.qualifiers.get("gene") or feature.qualifiers.get("locus_tag") or [""])[0]


def _transcript(record: _Record, feature: SeqFeature, name: str, stop_excluded: bool) -> Transcript:
    """The transcript of a CDS feature.

    Raises:
        InputError: a location that is no spliced sequence on one strand of this record.
    """
    parts = feature.location.parts if feature.location else []
    strands = {part.strand for part in parts}
    exons = sorted((int(part.start), int(part.end)) for part in parts)
    if not parts or any(start >= end for start, end in exons):
        raise InputError(f"{record.where}: {name} has no location that can be read")
    if any(part.ref for part in parts) or exons[-1][1] > record.length:
        raise InputError(f"{record.where}: {name} lies outside the record")
    if len(strands) > 1:
        raise InputError(f"{record.where}: {name} lies on both strands")
    if any(right[0] < left[1] for left, right in pairwise(exons)):
        raise InputError(f"{record.where}: {name} has overlapping exons")
    strand = "+" if strands == {1} else "-"
    left = any(isinstance(part.start, BeforePosition) for part in parts)
    right = any(isinstance(part.end, AfterPosition) for part in parts)
    missing5, missing3 = (left, right) if strand == "+" else (right, left)
    if stop_excluded and not missing3:
        stop = (exons[-1][1], exons[-1][1] + 3) if strand == "+" else (exons[0][0] - 3, exons[0][0])
        if stop[0] < 0 or stop[1] > record.length:
            raise InputError(f"{record.where}: the stop codon of {name} lies outside the record")
        exons.append(stop)
    return Transcript(
        strand=strand,
        cds=tuple((start, end) for start, end in union(exons).tolist()),
        phase=_phase(record, feature, name) if missing5 else 0,
        complete5=not missing5,
        complete3=not missing3,
    )


def _phase(record: _Record, feature: SeqFeature, name: str) -> int:
    """Bases before the first complete codon, from `/codon_start`."""
    text = feature.qualifiers.get("codon_start", ["1"])[0]
    if text not in ("1", "2", "3"):
        raise InputError(f"{record.where}: {name} has /codon_start={text}, none of 1, 2 and 3")
    return int(text) - 1


def _record_lines(contig: Contig, genes: Iterable[Gene]) -> Iterator[str]:
    length = len(contig.sequence)
    yield f"LOCUS       {contig.name}   {length} bp  DNA\n"
    yield "FEATURES             Location/Qualifiers\n"
    yield f"     source          1..{length}\n"
    for gene in genes:
        for transcript in gene.transcripts:
            yield from _feature_lines(transcript, gene.id)
    yield f"{_base_count(contig.sequence)}\nORIGIN\n"
    text = contig.sequence.decode()
    for start in range(0, length, 60):
        tens = (text[i : i + 10] for i in range(start, min(start + 60, length), 10))
        yield f"{start + 1:>9} {' '.join(tens)}\n"
    yield "//\n"


def _feature_lines(transcript: Transcript, name: str) -> Iterator[str]:
    location = _location(transcript)
    for start in range(0, len(location), 59):
        key = "     CDS" if start == 0 else ""
        yield f"{key:<21}{location[start : start + 59]}\n"
    if name:
        escaped = name.replace('"', '""')
        yield f'{"":<21}/gene="{escaped}"\n'
    if transcript.phase:
        yield f"{'':<21}/codon_start={transcript.phase + 1}\n"


def _location(transcript: Transcript) -> str:
    ends = (transcript.complete5, transcript.complete3)
    left, right = ends if transcript.strand == "+" else ends[::-1]
    spans = [[str(start + 1), str(end)] for start, end in transcript.cds]
    spans[0][0] = ("" if left else "<") + spans[0][0]
    spans[-1][1] = ("" if right else ">") + spans[-1][1]
    text = ",".join("..".join(span) for span in spans)
    if len(spans) > 1:
        text = f"join({text})"
    return text if transcript.strand == "+" else f"complement({text})"


def _base_count(sequence: bytes) -> str:
    lower = sequence.lower()
    counts = {base: lower.count(base.encode()) for base in "acgtn"}
    rest = len(sequence) - sum(counts.values())
    line = "BASE COUNT     {a} a   {c} c  {g} g   {t} t".format(**counts)
    line += f"   {counts['n']} n" if counts["n"] else ""
    return line + (f"   {rest} ?" if rest else "")
