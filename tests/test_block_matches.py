"""Blocks of profiles in transcripts: against AUGUSTUS, and against trying every placement.

python -m pytest tests/test_block_matches.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest

from augustus_dl.block_matches import block_matches, with_matches
from augustus_dl.encode import base_codes
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import coding_bases, genetic_code, translate
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import contigs
from augustus_dl.io.protein_profile import read_protein_profile
from augustus_dl.io.writers import OutputOptions, gene_block
from augustus_dl.protein_profile import (
    Distance,
    ProfileOptions,
    ProteinProfile,
    make_block,
    residues,
)

DATA = Path(__file__).parent / "data" / "augustus"
CODE = genetic_code(1)
KINDS = ("\tprotein_match\t", "\tinterblock_region\t", "# sequence of block ")


@pytest.mark.parametrize(
    ("run", "family", "options"),
    [
        ("profile.gtf", "HS04636", OutputOptions()),
        ("profile.gff3", "HS08198", OutputOptions(gff3=True)),
    ],
)
def test_augustus_matches_the_same_blocks(run: str, family: str, options: OutputOptions) -> None:
    profile = read_protein_profile(DATA / f"{family}.prfl")
    genes = read_annotation(DATA / run).genes
    ours, number = [], 0
    for contig in contigs(DATA / "genes.fa"):
        for gene in genes.get(contig.name, []):
            number += 1
            found = with_matches(gene.transcripts[0], contig.sequence, profile, CODE)
            gene = replace(gene, transcripts=(found,))
            ours += gene_block(gene, number, contig.sequence, options, CODE)
    theirs = (DATA / run).read_text(encoding="utf-8").splitlines()
    assert number == 6
    assert [line for line in ours if any(kind in line for kind in KINDS)] == [
        line for line in theirs if any(kind in line for kind in KINDS)
    ]


def random_transcript(rng: np.random.Generator, truncated: bool = False) -> Transcript:
    """Exons of all lengths from one base on, on one side of 260 bases."""
    edges = np.sort(rng.choice(260, size=2 * rng.integers(1, 6), replace=False)).tolist()
    cds = [[start, end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    strand = str(rng.choice(["+", "-"]))
    complete5, complete3 = rng.random(2) < (0.5 if truncated else 1)
    phase = 0 if complete5 else int(rng.integers(3))
    if complete3:
        rest = (sum(end - start for start, end in cds) - phase) % 3
        cds[-1 if strand == "+" else 0][1] += -rest % 3
        cds = [[start, end] for start, end in cds]
    merged = [cds[0]]
    for start, end in cds[1:]:
        if start <= merged[-1][1]:
            return random_transcript(rng, truncated)
        merged.append([start, end])
    length = sum(end - start for start, end in merged)
    if length < 24:
        return random_transcript(rng, truncated)
    return Transcript(
        strand,
        tuple(map(tuple, merged)),
        phase=phase,
        complete5=bool(complete5),
        complete3=bool(complete3),
    )


def random_sequence(rng: np.random.Generator) -> bytes:
    """Few T, so that there are few stop codons."""
    letters = np.frombuffer(b"ACGTacgN", dtype=np.uint8)
    return rng.choice(letters, size=270, p=[*[0.15] * 3, 0.1, *[0.148] * 3, 0.006]).tobytes()


def random_profile(
    rng: np.random.Generator, protein: str, number: int, allow_truncated: bool = False
) -> ProteinProfile:
    """Blocks that are a little like pieces of the protein, and are easy to find."""
    options = ProfileOptions(block_spec=-1, block_sens=6, part_spec=-1, part_sens=5)
    room = len(protein) // number
    blocks, ends, starts = [], [0], []
    for index in range(number):
        width = int(rng.integers(6, 9))
        start = max(index * room + int(rng.integers(-3, max(room - width, 1))), ends[-1])
        frequencies = rng.random((width, 20)) ** 2
        letters = residues(protein[start : start + width])
        known = np.flatnonzero(letters < 20)
        frequencies[known, letters[known]] += 4 * rng.random(len(known))
        blocks.append(make_block(f"b{index}", frequencies, options))
        starts.append(start)
        ends.append(start + width)
    gaps = np.array([*starts, len(protein)]) - ends
    least = np.maximum(gaps - rng.integers(0, 4, size=number + 1), 0)
    most = gaps + rng.integers(0, 12, size=number + 1)
    distances = tuple(
        Distance(int(low), None if rng.random() < 0.2 else int(high))
        for low, high in zip(least, most, strict=True)
    )
    return ProteinProfile("f", tuple(blocks), distances, allow_truncated)


def protein_of(transcript: Transcript, sequence: bytes) -> str:
    letters = translate(coding_bases(transcript, base_codes(sequence))[transcript.phase :], CODE)
    return letters[:-1] if transcript.complete3 else letters


class Tried:
    """A protein on which every placement of the blocks is tried, straight from the definition."""

    def __init__(self, transcript: Transcript, sequence: bytes, profile: ProteinProfile) -> None:
        self.residues = residues(protein_of(transcript, sequence))
        self.transcript, self.profile = transcript, profile
        order = transcript.cds if transcript.strand == "+" else transcript.cds[::-1]
        exon_of = [index for index, (start, end) in enumerate(order) for _ in range(end - start)]
        codons = range(transcript.phase, len(exon_of) - 2, 3)
        self.exon_of_codon = [
            exon_of[base] if exon_of[base] == exon_of[base + 2] else None for base in codons
        ]

    def score(self, number: int, start: int) -> float:
        """Of a block at a place; minus infinity when it does not pass its thresholds."""
        block = self.profile.blocks[number]
        placed = [
            (self.exon_of_codon[start + column], column)
            for column in range(block.width)
            if 0 <= start + column < len(self.residues)
        ]
        total = 0.0
        for exon, part in groupby(placed, key=lambda pair: pair[0]):
            columns = [column for _, column in part]
            if exon is None:
                continue
            odds = sum(block.scores[c, self.residues[start + c]] for c in columns)
            if not odds > block.thresholds[columns[0], columns[-1] + 1]:
                return -np.inf
            total += odds
        return total

    def chains(self) -> Iterator[tuple[float, tuple[tuple[int, int], ...]]]:
        """Every chain of (block, start) that fits, with its score."""
        number = len(self.profile.blocks)
        firsts = range(number) if not self.transcript.complete5 else [0]
        for first in firsts:
            lasts = range(first, number) if not self.transcript.complete3 else [number - 1]
            for last in lasts:
                yield from self._chains_of(range(first, last + 1))

    def _chains_of(self, numbers: range) -> Iterator[tuple[float, tuple[tuple[int, int], ...]]]:
        length = len(self.residues)
        scores = []
        for number in numbers:
            width = self.profile.blocks[number].width
            low = 0 if self.transcript.complete5 else 1 - width
            high = length - width if self.transcript.complete3 else length - 1
            at = {start: self.score(number, start) for start in range(low, high + 1)}
            scores.append({start: s for start, s in at.items() if s > -np.inf})
        for starts in product(*scores):
            if self._fits(numbers, starts):
                total = sum(of[start] for of, start in zip(scores, starts, strict=True))
                yield total, tuple(zip(numbers, starts, strict=True))

    def _fits(self, numbers: range, starts: tuple[int, ...]) -> bool:
        distances, blocks = self.profile.distances, self.profile.blocks
        gaps = [(starts[0], distances[numbers[0]], not self.transcript.complete5)]
        for i in range(1, len(starts)):
            gap = starts[i] - starts[i - 1] - blocks[numbers[i - 1]].width
            gaps.append((gap, distances[numbers[i]], False))
        behind = len(self.residues) - starts[-1] - blocks[numbers[-1]].width
        gaps.append((behind, distances[numbers[-1] + 1], not self.transcript.complete3))
        return all(
            (cut or gap >= least) and (most is None or gap <= most)
            for gap, (least, most), cut in gaps
        )


@pytest.mark.parametrize("truncated", [False, True])
def test_the_best_of_all_placements_is_found(truncated: bool) -> None:
    rng = np.random.default_rng(5)
    with_result = split = 0
    for _ in range(100):
        transcript = random_transcript(rng, truncated)
        sequence = random_sequence(rng)
        number = int(rng.integers(1, 4))
        profile = random_profile(rng, protein_of(transcript, sequence), number, truncated)
        tried = Tried(transcript, sequence, profile)
        chains = [chain for chain in tried.chains() if chain[0] > 0]
        matches = block_matches(transcript, sequence, profile, CODE)
        found = sorted({(int(m.block[1:]), m.protein_start) for m in matches})
        if not chains:
            assert not found
            continue
        with_result += 1
        split += len(matches) > len(found)
        reached = sum(tried.score(number, start) for number, start in found)
        assert reached == pytest.approx(max(chains)[0])
        assert tuple(found) in {chain for _, chain in chains}
    assert with_result > 20 and split > 5


def test_matches_cover_the_codons_of_their_blocks() -> None:
    rng = np.random.default_rng(6)
    seen = 0
    for _ in range(100):
        transcript = random_transcript(rng)
        sequence = random_sequence(rng)
        profile = random_profile(rng, protein_of(transcript, sequence), 1)
        matches = block_matches(transcript, sequence, profile, CODE)
        if not matches:
            continue
        seen += 1
        assert list(matches) == sorted(matches, key=lambda match: match.start)
        tried = Tried(transcript, sequence, profile)
        block, start = profile.blocks[0], matches[0].protein_start
        bases = [base for m in matches for base in range(m.start, m.end)]
        coding = [base for left, right in transcript.cds for base in range(left, right)]
        if transcript.strand == "-":
            coding = coding[::-1]
        expected = coding[transcript.phase + 3 * start :][: 3 * block.width]
        assert bases == sorted(expected)
        for match in matches:
            inside = [expected.index(base) for base in range(match.start, match.end)]
            first, last = min(inside), max(inside)
            assert (match.block_start, match.block_end) == (first // 3, last // 3 + 1)
            assert match.phase == -first % 3
            whole = [c for c in range(block.width) if first <= 3 * c and 3 * c + 2 <= last]
            odds = [block.scores[c, tried.residues[start + c]] for c in whole]
            assert match.score == pytest.approx(np.exp(np.mean(odds)) if whole else 1)
    assert seen > 20


def test_the_other_strand_matches_likewise() -> None:
    profile = read_protein_profile(DATA / "HS04636.prfl")
    records = {contig.name: contig.sequence for contig in contigs(DATA / "genes.fa")}
    gene = read_annotation(DATA / "profile.gtf").genes["HS04636_reverse"][0]
    sequence, transcript = records[gene.contig], gene.transcripts[0]
    found = with_matches(transcript, sequence, profile, CODE)
    turned = sequence[::-1].translate(bytes.maketrans(b"ACGTacgt", b"TGCAtgca"))
    length = len(sequence)
    assert len(found.matches) == 13
    assert with_matches(transcript.mirrored(length), turned, profile, CODE) == found.mirrored(
        length
    )


def test_truncated_genes_match_only_where_that_is_allowed() -> None:
    path = DATA / "HS04636.prfl"
    records = {contig.name: contig.sequence for contig in contigs(DATA / "genes.fa")}
    gene = read_annotation(DATA / "profile.gtf").genes["HS04636_inner_reverse"][0]
    usual = read_protein_profile(path)
    allowed = read_protein_profile(path, ProfileOptions(allow_truncated=True))
    sequence, transcript = records[gene.contig], gene.transcripts[0]
    assert block_matches(transcript, sequence, usual, CODE) == ()
    matches = block_matches(transcript, sequence, allowed, CODE)
    assert [match.block[-1] for match in matches] == list("EEDDCCA")
    assert (matches[-1].protein_start, matches[-1].block_start) == (-6, 5)
    found = replace(gene, transcripts=(replace(transcript, matches=matches),))
    lines = list(gene_block(found, 1, sequence, OutputOptions(), CODE))
    assert "# sequence of block HS04636_A     0 [NPCC] 4" in lines


def test_proteins_shorter_than_a_block() -> None:
    profile = random_profile(np.random.default_rng(1), "MKWHDEMKWHDEMK", 2)
    assert block_matches(Transcript("+", ((0, 9),)), b"ATGGCCTAA", profile, CODE) == ()
    assert block_matches(Transcript("+", ((0, 3),)), b"TAA", profile, CODE) == ()


def test_a_stop_codon_within_a_block_is_no_match() -> None:
    profile = random_profile(np.random.default_rng(1), "MKWHDEFA", 1)
    good, bad = b"ATGAAATGGCACGACGAGTTCGCCTAA", b"ATGAAATGGCACTGACACGAGTTCTAA"
    assert block_matches(Transcript("+", ((0, 27),)), good, profile, CODE)
    assert not block_matches(Transcript("+", ((0, 27),)), bad, profile, CODE)
    assert block_matches(
        Transcript("+", ((0, 27),)), good.replace(b"TGGCAC", b"TGGNNN"), profile, CODE
    )


def test_repeats_in_which_every_place_matches() -> None:
    """A search through pairs of places would not end."""
    leucine = np.full((6, 20), 0.01)
    leucine[:, residues("L")] = 0.81
    block = make_block("b", leucine, ProfileOptions())
    profile = ProteinProfile("f", (block,) * 40, (Distance(0, None),) * 41)
    sequence = b"ATG" + b"CTG" * 5000 + b"TAA"
    matches = block_matches(Transcript("+", ((0, len(sequence)),)), sequence, profile, CODE)
    assert len(matches) == 40
