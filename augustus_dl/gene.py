"""Gene models and their coordinates.

All coordinates are 0-based and half-open; only `augustus_dl.io` knows 1-based files. Strands are
"+" and "-". A CDS includes the stop codon whenever the transcript has one, whatever a file's
convention was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Gene", "Transcript"]

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Transcript:
    """The coding part of one transcript.

    Attributes:
        strand: "+" or "-".
        cds: coding intervals in rising genomic order, never touching each other.
        phase: GFF phase of the 5'-most coding base, that is the number of bases to skip to the
            first complete codon (0 when `complete5`).
        complete5: the CDS begins with a start codon.
        complete3: the CDS ends with a stop codon.
        start, end: extent; wider than the CDS only where the transcript begins or ends inside an
            intron that runs over the end of the sequence. Default: the extent of the CDS.
        id: name in the file it came from, or "" for a prediction that is not numbered yet.

    Raises:
        ValueError: intervals empty, unsorted or touching; extent not covering the CDS.
    """

    strand: str
    cds: tuple[Interval, ...]
    phase: int = 0
    complete5: bool = True
    complete3: bool = True
    start: int = -1
    end: int = -1
    id: str = ""

    def __post_init__(self) -> None:
        if self.strand not in ("+", "-"):
            raise ValueError(f"strand {self.strand!r} is neither + nor -")
        if not self.cds:
            raise ValueError("a transcript needs at least one coding interval")
        last = None
        for start, end in self.cds:
            if start < 0 or end <= start:
                raise ValueError(f"empty or negative coding interval {start}-{end}")
            if last is not None and start <= last:
                raise ValueError(f"coding intervals overlap or touch at {start}")
            last = end
        if self.phase not in (0, 1, 2) or (self.complete5 and self.phase):
            raise ValueError(f"impossible phase {self.phase}")
        if self.start == -1:
            object.__setattr__(self, "start", self.cds[0][0])
        if self.end == -1:
            object.__setattr__(self, "end", self.cds[-1][1])
        if self.start > self.cds[0][0] or self.end < self.cds[-1][1]:
            raise ValueError("the extent of a transcript must cover its CDS")

    @property
    def coding_length(self) -> int:
        """Number of coding bases, stop codon included."""
        return sum(end - start for start, end in self.cds)

    @property
    def introns(self) -> tuple[Interval, ...]:
        """Introns in rising order, those cut by the sequence end included."""
        inner = [(a[1], b[0]) for a, b in zip(self.cds, self.cds[1:], strict=False)]
        if self.start < self.cds[0][0]:
            inner.insert(0, (self.start, self.cds[0][0]))
        if self.end > self.cds[-1][1]:
            inner.append((self.cds[-1][1], self.end))
        return tuple(inner)

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
        return replace(
            self,
            cds=tuple((start + offset, end + offset) for start, end in self.cds),
            start=self.start + offset,
            end=self.end + offset,
        )

    def mirrored(self, length: int) -> Transcript:
        """The same transcript on the reverse complement of a sequence of `length` bases."""
        return replace(
            self,
            strand="-" if self.strand == "+" else "+",
            cds=tuple((length - end, length - start) for start, end in reversed(self.cds)),
            start=length - self.end,
            end=length - self.start,
        )


@dataclass(frozen=True, slots=True)
class Gene:
    """A locus: one or more transcripts of one strand on one sequence."""

    contig: str
    strand: str
    transcripts: tuple[Transcript, ...]
    id: str = ""

    @property
    def start(self) -> int:
        return min(t.start for t in self.transcripts)

    @property
    def end(self) -> int:
        return max(t.end for t in self.transcripts)
