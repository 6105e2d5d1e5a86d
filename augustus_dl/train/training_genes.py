"""Genes of any annotation, judged one by one, and the stretches of sequence around them.

An annotation that is to be trained on may hold a few hundred genes of a large genome, or all of
them. So only what lies beside the genes is taken for intergenic; everything further away is
unknown, as is every gene that is not valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from augustus_dl.encode import base_codes, intervals_of, soft_mask
from augustus_dl.errors import InputError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import GeneticCode
from augustus_dl.io.annotation import Annotation, Mask
from augustus_dl.io.fasta import Contig
from augustus_dl.labels import MASKED
from augustus_dl.train.pack import Piece, genes_within, masks_within
from augustus_dl.train.truth import label_contig
from augustus_dl.validity import faults

__all__ = ["GENES_A_STRETCH", "TrainingGenes", "collect", "collect_records"]

GENES_A_STRETCH = 10
_CONTEXT = 1024
"""Bases beside the known ones that the network gets to see."""
_MOST_BROKEN = 0.5
_LEAST_JUDGED = 10
"""So many genes are needed to say that the annotation is not the genome's."""
_FIT = ("no start codon", "no stop codon", "stop codon in frame", "splice sites", "ends at")
"""Beginnings of the faults that say that gene and sequence do not fit each other."""
_KINDS = {
    **{beginning: beginning for beginning in _FIT[:-1]},
    "ends at": "beyond the end of the sequence",
    "intron of": "intron too short",
    "N in a splice site": "N in a splice site",
}


@dataclass
class TrainingGenes:
    """What can be learned from.

    Attributes:
        pieces: stretches with valid genes, in genome order, clade "none", not yet marked for
            training or validation. Labels are MASKED beyond the neighbourhood of genes.
        kept: valid genes. mended: those that are valid only after a correction, by which one.
        dropped: genes that are not, by reason. Their bases are MASKED.
    """

    pieces: list[Piece] = field(default_factory=list)
    kept: int = 0
    mended: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def summary(self) -> list[str]:
        """Lines that tell what became of the genes."""
        lines = [f"{self.kept} genes are used, {self.dropped.total()} are not"]
        lines += [f"  used, {why}: {count}" for why, count in self.mended.most_common()]
        lines += [f"  not used, {why}: {count}" for why, count in self.dropped.most_common()]
        return lines


def collect(
    sequences: Iterable[Contig],
    annotation: Annotation,
    code: GeneticCode,
    name: str,
    flank: int,
) -> TrainingGenes:
    """Judge the genes of an annotation and cut out the stretches around them.

    A gene is kept when one of its transcripts is valid as it stands, with phase 0 instead of the
    one in the file, with the stop codon that follows, or with both. It is dropped when it is
    invalid, incomplete, on a sequence that is not given, or the same as another one.

    Args:
        name: of the set that the pieces are of.
        flank: bases to either side of a gene that are intergenic unless another gene says more.

    Raises:
        InputError: most genes do not fit the sequences, or there is no valid gene.
    """
    found, misfits, judged = TrainingGenes(), 0, 0
    seen: set[str] = set()
    for contig in sequences:
        if contig.name in seen:
            raise InputError(f"two sequences are named {contig.name}; genes cannot be told apart")
        seen.add(contig.name)
        genes = annotation.genes.get(contig.name, [])
        if not genes:
            continue
        codes = base_codes(contig.sequence)
        valid, doubtful = [], list(annotation.masks.get(contig.name, []))
        chains = set()
        for gene in genes:
            sound, how, why = _judged(gene, codes, code)
            judged += 1
            misfits += why.startswith(_FIT)
            chain = frozenset((t.strand, t.cds) for t in sound)
            if sound and chain in chains:
                why = "duplicates"
            elif sound:
                chains.add(chain)
                found.mended.update([how] if how else [])
                valid.append(replace(gene, transcripts=sound))
                continue
            else:
                doubtful.append((gene.start, min(gene.end, len(codes)), why))
            found.dropped[_kind(why)] += 1
        found.kept += len(valid)
        found.pieces += _pieces(contig, codes, valid, doubtful, code, name, flank)
    absent = {n: genes for n, genes in annotation.genes.items() if n not in seen}
    missing = sum(map(len, absent.values()))
    if missing:
        found.dropped["on sequences that the genome does not have"] = missing
    _refuse_misfits(found, misfits + missing, judged + missing, sorted(absent))
    return found


def collect_records(
    records: Iterable[tuple[Contig, Sequence[Gene]]], code: GeneticCode, name: str
) -> TrainingGenes:
    """The same of GenBank records, all of whose bases are known, as AUGUSTUS takes them.

    Raises:
        InputError: as `collect`.
    """
    sequences, genes = [], {}
    for contig, own in records:
        sequences.append(contig)
        genes.setdefault(contig.name, []).extend(own)
    longest = max((len(contig.sequence) for contig in sequences), default=0)
    return collect(sequences, Annotation(genes, {}), code, name, longest)


def _refuse_misfits(found: TrainingGenes, misfits: int, judged: int, absent: Sequence[str]) -> None:
    """Raise an InputError where most genes do not fit the sequences, or none is valid."""
    reasons = ", ".join(f"{why} {count}" for why, count in found.dropped.most_common(4))
    if judged >= _LEAST_JUDGED and misfits > _MOST_BROKEN * judged:
        example = f" (e.g. {absent[0]})" if absent else ""
        raise InputError(
            f"{100 * misfits / judged:.0f} % of {judged} genes do not fit the genome{example}: "
            f"{reasons}. Is the annotation of another assembly, or the genetic code another one?"
        )
    if not found.kept:
        raise InputError(f"no valid gene in the annotation: {reasons or 'it names no coding gene'}")


def _kind(why: str) -> str:
    """A reason without numbers and places, so that genes can be counted by it."""
    return next((kind for beginning, kind in _KINDS.items() if why.startswith(beginning)), why)


def _judged(
    gene: Gene, codes: np.ndarray, code: GeneticCode
) -> tuple[tuple[Transcript, ...], str, str]:
    """Valid transcripts of a gene, by which correction, and what is wrong if there is none."""
    if gene.end > len(codes):
        return (), "", f"ends at {gene.end}, the sequence at {len(codes)}"
    for how, mend in _MENDS:
        mended = (mend(transcript, len(codes)) for transcript in gene.transcripts)
        sound = tuple(t for t in mended if t and _is_valid(t, codes, code))
        if sound:
            return sound, how, ""
    first = gene.transcripts[0]
    if not (first.complete5 and first.complete3):
        return (), "", "incomplete"
    return (), "", faults(first, codes, code)[0]


def _is_valid(transcript: Transcript, codes: np.ndarray, code: GeneticCode) -> bool:
    complete = transcript.complete5 and transcript.complete3
    return complete and not faults(transcript, codes, code)


def _as_is(transcript: Transcript, length: int) -> Transcript:
    return _coding(transcript)


def _in_phase(transcript: Transcript, length: int) -> Transcript | None:
    """With phase 0, where the phase alone says that the start is missing."""
    if not transcript.phase or not transcript.complete3:
        return None
    return replace(_coding(transcript), phase=0, complete5=True)


def _with_stop(transcript: Transcript, length: int) -> Transcript | None:
    """With the three bases that follow."""
    bare = _coding(transcript)
    first, last = bare.cds[0], bare.cds[-1]
    if bare.strand == "+":
        cds = (*bare.cds[:-1], (last[0], last[1] + 3))
    else:
        cds = ((first[0] - 3, first[1]), *bare.cds[1:])
    if cds[0][0] < 0 or cds[-1][1] > length:
        return None
    return replace(bare, cds=cds, start=-1, end=-1)


def _in_phase_with_stop(transcript: Transcript, length: int) -> Transcript | None:
    mended = _in_phase(transcript, length)
    return mended and _with_stop(mended, length)


_MENDS = (
    ("", _as_is),
    ("phase corrected", _in_phase),
    ("with the stop codon behind the CDS", _with_stop),
    ("with the stop codon behind the CDS and phase corrected", _in_phase_with_stop),
)


def _coding(transcript: Transcript) -> Transcript:
    """The transcript without its untranslated regions."""
    if not transcript.utr5 and not transcript.utr3:
        return transcript
    return replace(transcript, utr5=(), utr3=(), tss=False, tts=False, start=-1, end=-1)


def _pieces(
    contig: Contig,
    codes: np.ndarray,
    genes: list[Gene],
    masks: Sequence[Mask],
    code: GeneticCode,
    name: str,
    flank: int,
) -> Iterator[Piece]:
    """Stretches of one sequence."""
    if not genes:
        return
    genes = sorted(genes, key=lambda gene: (gene.start, gene.end))
    labels = label_contig(genes, masks, codes, code)
    known = np.zeros(len(codes), dtype=bool)
    for gene in genes:
        known[max(0, gene.start - flank) : gene.end + flank] = True
    labels[~known] = MASKED
    soft = soft_mask(contig.sequence)
    far = intervals_of(~known).tolist()
    unknown = [(start, end, "far from training genes") for start, end in far]
    for start, end in _stretches(genes, len(codes), flank):
        place = f"{contig.name}:{start}-{end}"
        yield Piece(
            name=place,
            set=name,
            clade="none",
            weight=1.0,
            genetic_code=code.table,
            validation=False,
            codes=codes[start:end],
            soft=soft[start:end],
            labels=labels[start:end],
            utr=np.full(end - start, MASKED, dtype=np.uint8),
            genes=tuple(genes_within(genes, place, start, end)),
            masks=tuple(sorted(masks_within([*masks, *unknown], start, end))),
        )


def _stretches(genes: Sequence[Gene], length: int, flank: int) -> Iterator[tuple[int, int]]:
    """Stretches of at most GENES_A_STRETCH genes (more where they overlap), which share no base.

    Args:
        genes: of one sequence of `length` bases, by start.
    """
    reach = flank + _CONTEXT
    groups: list[list[int]] = []  # genes, first base, end
    for gene in genes:
        start, end = gene.start, gene.end
        gap = start - groups[-1][2] if groups else 0
        if groups and (gap <= 0 or (gap <= 2 * reach and groups[-1][0] < GENES_A_STRETCH)):
            groups[-1] = [groups[-1][0] + 1, groups[-1][1], max(end, groups[-1][2])]
        else:
            groups.append([1, start, end])
    cuts = [(left[2] + right[1]) // 2 for left, right in pairwise(groups)]
    for (_, start, end), first, last in zip(groups, [0, *cuts], [*cuts, length], strict=True):
        yield max(first, start - reach), min(last, end + reach)
