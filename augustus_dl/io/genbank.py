"""AUGUSTUS's training and test files: GenBank records with coding genes, and back.

One record is a piece of genome with the genes on it. Feature tables are read by Biopython; the
sequence is taken as it stands, because its case is soft-masking. What is left out of a record, and
which records are left out, follows AUGUSTUS. The layout written is that of AUGUSTUS's
gff2gbSmallDNA.pl.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from Bio import BiopythonParserWarning
from Bio.GenBank.Scanner import GenBankScanner  # Bio.SeqIO, around it, takes long to import
from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature

from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Interval, Transcript
from augustus_dl.io.fasta import NOT_LETTERS, Contig
from augustus_dl.io.files import InputFile, decoded

__all__ = ["genbank_is_lower_case", "genbank_names", "read_genbank", "write_genbank"]

_NAME_LENGTH = 99
_LOCUS = re.compile(r"LOCUS\s+(\S+)(?:\s+(\d+)\s)?")
_LOG = logging.getLogger(__name__)


def read_genbank(
    file: InputFile, stop_excluded: bool = False, utrs: bool = False
) -> Iterator[tuple[Contig, tuple[Gene, ...]]]:
    """Sequences and coding genes of a GenBank file in its order, one record in memory at a time.

    A gene is one CDS, named by `/gene`, else LOCUS-number; `<` and `>` mark incomplete ends. Genes
    come in rising order. Left out, each with a warning: a CDS outside the sequence; one that
    overlaps the gene before it, alternative transcripts too; a record that has no sequence or a CDS
    that is no spliced piece of one strand. A CDS marked `/pseudo` is left out silently.

    Args:
        stop_excluded: stop codons lie outside the CDS, right behind it; they are joined to it.
        utrs: untranslated regions are taken from the mRNA that agrees with the CDS.

    Raises:
        InputError: as `InputFile.lines`; a record is cut short; there is no record to use.
    """
    found = False
    for record in _records(file):
        try:
            contig, genes = _parsed(record, stop_excluded, utrs)
        except _UnusableError as error:
            _LOG.warning("%s: record %s is left out: %s", file, record.name, error)
            continue
        found = True
        yield contig, genes
    if not found:
        raise InputError(f"No genbank sequences found. {file} has none")


def genbank_names(file: InputFile) -> Iterator[str]:
    """Names of all records, also of those that `read_genbank` leaves out.

    Raises:
        InputError: as `InputFile.lines`; a record is cut short.
    """
    return (record.name for record in _records(file))


def genbank_is_lower_case(file: InputFile) -> bool:
    """Whether no sequence has an upper-case letter; stops at the first record that has one."""
    return all(record.sequence == record.sequence.lower() for record in _records(file))


def write_genbank(
    path: str | os.PathLike, records: Iterable[tuple[Contig, Iterable[Gene]]]
) -> None:
    """Write sequences with their genes; `read_genbank` gives them back.

    Transcript ids, untranslated regions and extents beyond the CDS are not written.
    """
    with open(Path(path).expanduser(), "w", encoding="utf-8") as stream:
        for contig, genes in records:
            stream.writelines(_record_lines(contig, genes))


class _UnusableError(Exception):
    """A record cannot be used; says why."""


@dataclass(slots=True)
class _Record:
    """Name, stated length, lines of the feature table, and the letters of one record."""

    name: str
    length: int | None
    table: list[str] = field(default_factory=list)
    sequence: bytearray = field(default_factory=bytearray)


class _Feature(NamedTuple):
    """Place of a CDS or mRNA: exons in rising order, ends that are marked as missing."""

    exons: tuple[Interval, ...]
    strand: str
    missing_left: bool
    missing_right: bool
    gene: str
    codon_start: str

    @property
    def start(self) -> int:
        return self.exons[0][0]

    @property
    def end(self) -> int:
        return self.exons[-1][1]


def _records(file: InputFile) -> Iterator[_Record]:
    """Records of a file; each is seen to its end. Lines between records do not matter."""
    record, part = None, b""
    for line in file.lines():
        if line.startswith(b"LOCUS") or (record is None and line.lstrip().startswith(b"LOCUS")):
            if record:
                raise _cut(record, file)
            record, part = _begun(decoded(line).strip()), b"LOCUS"
        elif record is None:
            continue
        elif line.startswith(b"//"):
            yield record
            record = None
        elif line[:1].isalpha():
            part = line.split()[0]
        elif part == b"ORIGIN":
            record.sequence += line.translate(None, NOT_LETTERS)
        elif part == b"FEATURES":
            record.table.append(decoded(line.rstrip()))
    if record:
        raise _cut(record, file)


def _begun(line: str) -> _Record:
    match = _LOCUS.match(line)
    if not match:
        return _Record("unnamed", None)
    name, length = match.groups()
    return _Record(name[:_NAME_LENGTH], int(length) if length else None)


def _cut(record: _Record, file: InputFile) -> InputError:
    return InputError(
        f"{file}: record {record.name} does not end with //; the file may be truncated"
    )


def _parsed(record: _Record, stop_excluded: bool, utrs: bool) -> tuple[Contig, tuple[Gene, ...]]:
    """The sequence of a record and its genes.

    Raises:
        _UnusableError: the record is to be left out.
    """
    length = len(record.sequence)
    if not length:
        raise _UnusableError("it has no sequence")
    if record.length not in (None, length):
        _LOG.warning(
            "record %s has %d bases, its LOCUS line says %d", record.name, length, record.length
        )
    features = _features(record)
    coding = [_placed(f) for f in features if f.type == "CDS" and "pseudo" not in f.qualifiers]
    if not coding:
        _LOG.warning("No 'CDS' found in sequence %s", record.name)
    mrnas = [_placed(f) for f in features if f.type == "mRNA"] if utrs else []
    genes: list[Gene] = []
    for cds in _kept(coding, record.name, length):
        name = cds.gene or f"{record.name}-{len(genes) + 1}"
        within = [mrna for mrna in mrnas if mrna.end <= length]
        transcript = _transcript(cds, name, within, length if stop_excluded else None)
        genes.append(Gene(record.name, cds.strand, (transcript,), name))
    return Contig(record.name, bytes(record.sequence)), tuple(genes)


def _features(record: _Record) -> list[SeqFeature]:
    """Biopython's reading of the CDS and mRNA features; others may be as odd as they like."""
    table, wanted = [], False
    for line in record.table:
        if key := line[:21].strip():
            wanted = key in ("CDS", "mRNA")
        if wanted:
            table.append(line)
    locus = "LOCUS       x 1 bp DNA\nFEATURES             Location/Qualifiers"
    text = "\n".join([locus, *table, "ORIGIN", "//", ""])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiopythonParserWarning)  # a location is checked here
            return GenBankScanner().parse(StringIO(text)).features
    except Exception as error:  # what Biopython raises on a damaged table is not told anywhere
        why = _one_line(str(error)) or type(error).__name__
        raise _UnusableError(f"its feature table cannot be read: {why}") from error


def _placed(feature: SeqFeature) -> _Feature:
    """Where a CDS or mRNA lies.

    Raises:
        _UnusableError: the location is no spliced sequence on one strand of this record.
    """
    name = _qualifier(feature, "gene")
    what = f"{feature.type} {name}".strip()
    parts = feature.location.parts if feature.location else []
    exons = sorted((int(part.start), int(part.end)) for part in parts)
    strands = {part.strand for part in parts}
    if not parts or any(not 0 <= start < end for start, end in exons):
        raise _UnusableError(f"{what} has no location that can be read")
    if any(part.ref for part in parts):
        raise _UnusableError(f"{what} lies in another record")
    if len(strands) > 1:
        raise _UnusableError(f"{what} lies on both strands")
    if any(right[0] < left[1] for left, right in pairwise(exons)):
        raise _UnusableError(f"{what} has overlapping exons")
    return _Feature(
        exons=_joined(exons),
        strand="+" if strands == {1} else "-",
        missing_left=any(isinstance(part.start, BeforePosition) for part in parts),
        missing_right=any(isinstance(part.end, AfterPosition) for part in parts),
        gene=name,
        codon_start=_qualifier(feature, "codon_start") or "1",
    )


def _qualifier(feature: SeqFeature, key: str) -> str:
    return _one_line((feature.qualifiers.get(key) or [""])[0])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _joined(exons: Iterable[Interval]) -> tuple[Interval, ...]:
    """Exons in rising order, those that touch made one."""
    joined: list[Interval] = []
    for start, end in exons:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _kept(coding: Iterable[_Feature], record: str, length: int) -> Iterator[_Feature]:
    """Coding sequences in rising order without those outside the sequence and overlapping ones."""
    last = 0
    for cds in sorted(coding, key=lambda cds: (cds.start, cds.end)):
        if cds.end > length:
            _LOG.warning("CDS %s out of range in sequence %s. Ignoring it.", cds.gene, record)
        elif cds.start < last:
            _LOG.warning(
                "CDS overlaps with other CDS (%d <= %d) in sequence %s. Ignoring this gene.",
                cds.start + 1,
                last,
                record,
            )
        else:
            last = cds.end
            yield cds


def _transcript(
    cds: _Feature, name: str, mrnas: Iterable[_Feature], stop_within: int | None
) -> Transcript:
    """The transcript of a CDS.

    Args:
        stop_within: length of the sequence, when the stop codon is to be joined.

    Raises:
        _UnusableError: the stop codon lies outside the sequence, or `/codon_start` is not 1, 2, 3.
    """
    missing5, missing3 = cds.missing_left, cds.missing_right
    if cds.strand == "-":
        missing5, missing3 = missing3, missing5
    if stop_within is not None and not missing3:
        cds = _with_stop(cds, name, stop_within)
    if cds.codon_start not in ("1", "2", "3"):
        raise _UnusableError(f"{name} has /codon_start={cds.codon_start}, none of 1, 2 and 3")
    return Transcript(
        strand=cds.strand,
        cds=cds.exons,
        phase=int(cds.codon_start) - 1 if missing5 else 0,
        complete5=not missing5,
        complete3=not missing3,
        id=f"{name}.1",
        **_untranslated(cds, mrnas),
    )


def _with_stop(cds: _Feature, name: str, length: int) -> _Feature:
    exons, (first, last) = cds.exons, (cds.start, cds.end)
    if cds.strand == "+":
        last += 3
        exons = (*exons[:-1], (exons[-1][0], last))
    else:
        first -= 3
        exons = ((first, exons[0][1]), *exons[1:])
    if first < 0 or last > length:
        raise _UnusableError(f"the stop codon of {name} is out of sequence bounds")
    return cds._replace(exons=exons)


def _untranslated(cds: _Feature, mrnas: Iterable[_Feature]) -> dict:
    """`utr5`, `utr3`, `tss` and `tts` from the first mRNA that agrees with the CDS."""
    mrna = next((mrna for mrna in mrnas if _agree(cds, mrna)), None)
    if mrna is None:
        return {}
    left = tuple((start, min(end, cds.start)) for start, end in mrna.exons if start < cds.start)
    right = tuple((max(start, cds.end), end) for start, end in mrna.exons if end > cds.end)
    left_known = bool(left) and not mrna.missing_left
    right_known = bool(right) and not mrna.missing_right
    if cds.strand == "+":
        return {"utr5": left, "utr3": right, "tss": left_known, "tts": right_known}
    return {"utr5": right, "utr3": left, "tss": right_known, "tts": left_known}


def _agree(cds: _Feature, mrna: _Feature) -> bool:
    """Same gene and strand, and the same exons as far as the CDS reaches."""
    if cds.strand != mrna.strand or (cds.gene and mrna.gene and cds.gene != mrna.gene):
        return False
    inside = tuple(
        (max(start, cds.start), min(end, cds.end))
        for start, end in mrna.exons
        if start < cds.end and end > cds.start
    )
    return inside == cds.exons


def _record_lines(contig: Contig, genes: Iterable[Gene]) -> Iterator[str]:
    length = len(contig.sequence)
    yield f"LOCUS       {contig.name}   {length} bp  DNA\n"
    yield "FEATURES             Location/Qualifiers\n"
    yield f"     source          1..{length}\n"
    for gene in genes:
        for transcript in gene.transcripts:
            yield from _feature_lines(transcript, gene.id)
    letters = bytes(contig.sequence)
    yield f"{_base_count(letters)}\nORIGIN\n"
    text = letters.decode()
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
