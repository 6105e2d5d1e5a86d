"""Gene models and their coordinates.

All coordinates are 0-based and half-open; only `augustus_dl.io` knows 1-based files. Strands are
"+" and "-". A CDS includes the stop codon whenever the transcript has one, whatever a file's
convention was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

__all__ = ["BlockMatch", "Gene", "Interval", "Transcript"]

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BlockMatch:
    """Coding bases that match a block of a protein profile, or the part of them in one exon.

    Attributes:
        block: name of the block.
        start, end: bases of the sequence.
        score: of the block, larger is better.
        phase: bases to skip, in transcript direction, to the first complete codon.
        block_start, block_end: columns of the block that are matched.
        protein_start: amino acids of the protein before the block; negative where the protein is
            cut within it.
    """

    block: str
    start: int
    end: int
    score: float
    phase: int
    block_start: int
    block_end: int
    protein_start: int

    def shifted(self, offset: int) -> BlockMatch:
        """The same match `offset` bases further right."""
        return replace(self, start=self.start + offset, end=self.end + offset)

    def mirrored(self, length: int) -> BlockMatch:
        """The same match on the reverse complement of a sequence of `length` bases."""
        return replace(self, start=length - self.end, end=length - self.start)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript of a protein-coding gene.

    Attributes:
        strand: "+" or "-".
        cds: coding intervals in rising genomic order, never touching each other.
        phase: GFF phase of the 5'-most coding base, that is the number of bases to skip to the
            first complete codon (0 when `complete5`).
        complete5: the CDS begins with a start codon.
        complete3: the CDS ends with a stop codon.
        start, end: extent; wider than CDS and untranslated regions only where the transcript
            begins or ends inside an intron that runs over the end of the sequence. Default: the
            extent of CDS and untranslated regions.
        id: name in the file it came from, or "" for a prediction that is not numbered yet.
        utr5, utr3: untranslated parts of exons in rising genomic order; the innermost touches
            the CDS unless an intron lies between.
        tss, tts: transcription start or end is known, not only that the untranslated region
            reaches so far.
        posterior: probability of the whole transcript; None when not computed.
        cds_posterior, intron_posterior, utr5_posterior, utr3_posterior: probability of each
            element of `cds`, `introns`, `utr5` and `utr3`, in their order; () when not computed.
        matches: with blocks of a protein profile, in rising genomic order.

    Raises:
        ValueError: intervals empty, unsorted, overlapping or on the wrong side of the CDS; extent
            not covering them; a number of posteriors that does not fit.
    """

    strand: str
    cds: tuple[Interval, ...]
    phase: int = 0
    complete5: bool = True
    complete3: bool = True
    start: int = -1
    end: int = -1
    id: str = ""
    utr5: tuple[Interval, ...] = ()
    utr3: tuple[Interval, ...] = ()
    tss: bool = False
    tts: bool = False
    posterior: float | None = None
    cds_posterior: tuple[float, ...] = ()
    intron_posterior: tuple[float, ...] = ()
    utr5_posterior: tuple[float, ...] = ()
    utr3_posterior: tuple[float, ...] = ()
    matches: tuple[BlockMatch, ...] = ()

    def __post_init__(self) -> None:
        if self.strand not in ("+", "-"):
            raise ValueError(f"strand {self.strand!r} is neither + nor -")
        if not self.cds:
            raise ValueError("a transcript needs at least one coding interval")
        for name, parts in (("coding", self.cds), ("UTR", self.utr5), ("UTR", self.utr3)):
            _check_parts(name, parts)
        if self.phase not in (0, 1, 2) or (self.complete5 and self.phase):
            raise ValueError(f"impossible phase {self.phase}")
        first, last = self.cds[0][0], self.cds[-1][1]
        left, right = self.left_utr, self.right_utr
        if (left and left[-1][1] > first) or (right and right[0][0] < last):
            raise ValueError("an untranslated region lies inside or behind the CDS")
        if self.start == -1:
            object.__setattr__(self, "start", left[0][0] if left else first)
        if self.end == -1:
            object.__setattr__(self, "end", right[-1][1] if right else last)
        if self.start > min([first, *(start for start, _ in left)]) or self.end < max(
            [last, *(end for _, end in right)]
        ):
            raise ValueError("the extent of a transcript must cover its CDS and UTRs")
        self._check_posteriors()

    def _check_posteriors(self) -> None:
        for name in ("cds", "intron", "utr5", "utr3"):
            values = getattr(self, f"{name}_posterior")
            parts = self.introns if name == "intron" else getattr(self, name)
            if values and len(values) != len(parts):
                raise ValueError(f"{len(values)} {name} posteriors for {len(parts)} parts")

    @property
    def coding_length(self) -> int:
        """Number of coding bases, stop codon included."""
        return sum(end - start for start, end in self.cds)

    @property
    def left_utr(self) -> tuple[Interval, ...]:
        """The untranslated region before the CDS in genomic order."""
        return self.utr5 if self.strand == "+" else self.utr3

    @property
    def right_utr(self) -> tuple[Interval, ...]:
        """The untranslated region behind the CDS in genomic order."""
        return self.utr3 if self.strand == "+" else self.utr5

    @property
    def introns(self) -> tuple[Interval, ...]:
        """Introns of the coding region in rising order, those cut by the sequence end included.

        Those that end at an untranslated part of an exon are left out, as AUGUSTUS leaves them
        out: see `utr5_introns` and `utr3_introns`.
        """
        inner = _gaps(self.cds)
        if self.start < self.cds[0][0] and not self.left_utr:
            inner.insert(0, (self.start, self.cds[0][0]))
        if self.end > self.cds[-1][1] and not self.right_utr:
            inner.append((self.cds[-1][1], self.end))
        return tuple(inner)

    @property
    def utr5_introns(self) -> tuple[Interval, ...]:
        """Introns of the 5' untranslated region in rising order."""
        return self._utr_introns(self.utr5, left=self.strand == "+")

    @property
    def utr3_introns(self) -> tuple[Interval, ...]:
        """Introns of the 3' untranslated region in rising order."""
        return self._utr_introns(self.utr3, left=self.strand == "-")

    def _utr_introns(self, utr: tuple[Interval, ...], left: bool) -> tuple[Interval, ...]:
        """Gaps between untranslated parts, and between the innermost and the CDS."""
        if not utr:
            return ()
        return tuple(_gaps((*utr, self.cds[0]) if left else (self.cds[-1], *utr)))

    @property
    def exons(self) -> tuple[Interval, ...]:
        """Exons in rising order: untranslated parts joined with the coding ones they touch."""
        joined: list[Interval] = []
        for start, end in (*self.left_utr, *self.cds, *self.right_utr):
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return tuple(joined)

    @property
    def phases(self) -> tuple[int, ...]:
        """GFF phase of each interval of `cds`, in the same (rising genomic) order."""
        order = self.cds if self.strand == "+" else self.cds[::-1]
        phases, phase = [], self.phase
        for start, end in order:
            phases.append(phase)
            phase = (phase - (end - start)) % 3
        return tuple(phases if self.strand == "+" else phases[::-1])

    def shifted(self, offset: int) -> Transcript:
        """The same transcript `offset` bases further right."""
        if not offset:
            return self
        return replace(
            self,
            cds=_shifted(self.cds, offset),
            start=self.start + offset,
            end=self.end + offset,
            utr5=_shifted(self.utr5, offset),
            utr3=_shifted(self.utr3, offset),
            matches=tuple(match.shifted(offset) for match in self.matches),
        )

    def mirrored(self, length: int) -> Transcript:
        """The same transcript on the reverse complement of a sequence of `length` bases."""
        return replace(
            self,
            strand="-" if self.strand == "+" else "+",
            cds=_mirrored(self.cds, length),
            start=length - self.end,
            end=length - self.start,
            utr5=_mirrored(self.utr5, length),
            utr3=_mirrored(self.utr3, length),
            cds_posterior=self.cds_posterior[::-1],
            intron_posterior=self.intron_posterior[::-1],
            utr5_posterior=self.utr5_posterior[::-1],
            utr3_posterior=self.utr3_posterior[::-1],
            matches=tuple(match.mirrored(length) for match in self.matches[::-1]),
        )


@dataclass(frozen=True, slots=True)
class Gene:
    """A locus: one or more transcripts of one strand on one sequence.

    Attributes:
        contig: name of the sequence.
        strand: "+" or "-".
        transcripts: in the order they are numbered.
        id: name in the file it came from, or "" for a prediction.
        posterior: probability of the locus; None when not computed.
    """

    contig: str
    strand: str
    transcripts: tuple[Transcript, ...]
    id: str = ""
    posterior: float | None = None

    @property
    def start(self) -> int:
        return min(t.start for t in self.transcripts)

    @property
    def end(self) -> int:
        return max(t.end for t in self.transcripts)


def _check_parts(name: str, parts: tuple[Interval, ...]) -> None:
    """Parts of exons are not empty, rise and leave gaps."""
    for start, end in parts:
        if start < 0 or end <= start:
            raise ValueError(f"empty or negative {name} interval {start}-{end}")
    for left, right in pairwise(parts):
        if right[0] <= left[1]:
            raise ValueError(f"{name} intervals overlap or touch at {right[0]}")


def _gaps(parts: tuple[Interval, ...]) -> list[Interval]:
    """What lies between neighbours that do not touch."""
    return [(a[1], b[0]) for a, b in pairwise(parts) if a[1] < b[0]]


def _shifted(parts: tuple[Interval, ...], offset: int) -> tuple[Interval, ...]:
    return tuple((start + offset, end + offset) for start, end in parts)


def _mirrored(parts: tuple[Interval, ...], length: int) -> tuple[Interval, ...]:
    return tuple((length - end, length - start) for start, end in reversed(parts))
