"""Annotated genomes packed for training: two bits a base, labels as run lengths.

`prepare` reads genomes and annotation as a recipe (TOML) says and gives a `Pack`; `write_pack` and
`read_pack` are inverses. Bases whose label is doubtful are MASKED, never called intergenic.

A pack file is a safetensors file; all pieces stand one behind the other:
    bases uint8 [ceil(total / 4)]; n_runs, soft_runs int32 [n, 2]; run_label uint8 [r] and
    run_length int32 [r] (run-length form of labels.to_tokens); metadata "pack": pieces as JSON.
"""

from __future__ import annotations

import csv
import fnmatch
import json
import logging
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from augustus_dl.encode import (
    N,
    base_codes,
    intervals_of,
    pack_bases,
    soft_mask,
    unpack_bases,
)
from augustus_dl.errors import InputError, TrainingError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import GeneticCode, genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.io.fasta import contigs
from augustus_dl.io.files import whole_file
from augustus_dl.labels import MASKED, from_runs, to_labels, to_runs
from augustus_dl.validity import faults

__all__ = ["Pack", "Piece", "label_contig", "prepare", "read_pack", "write_pack"]

log = logging.getLogger(__name__)
Mask = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a sequence, with what is known about it.

    Attributes:
        name: `sequence:start-end` (0-based, half-open) in its set.
        codes, soft, labels: uint8, bool, uint8 [L].
        genes, masks: the reference of a validation piece in piece coordinates; empty for training.
    """

    name: str
    set: str
    clade: str
    weight: float
    genetic_code: int
    validation: bool
    codes: np.ndarray
    soft: np.ndarray
    labels: np.ndarray
    genes: tuple[Gene, ...] = ()
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """Pieces of one clade."""

    pieces: list[Piece] = field(default_factory=list)


def label_contig(
    genes: Iterable[Gene], masks: Iterable[Mask], codes: np.ndarray, code: GeneticCode
) -> np.ndarray:
    """Training labels of one sequence; uint8 [L], MASKED where the truth is doubtful.

    Doubtful are: given masks, N, genes without one valid complete transcript, coding bases of
    faulty isoforms, bases on which valid isoforms disagree with the longest, and everywhere two
    genes overlap.
    """
    labels = np.zeros(len(codes), dtype=np.uint8)
    covered = np.zeros(len(codes), dtype=np.uint8)
    doubtful = codes == N
    for start, end, _ in masks:
        doubtful[start:end] = True
    for gene in genes:
        _label_gene(gene, codes, code, labels, covered, doubtful)
    doubtful |= covered > 1
    labels[doubtful] = MASKED
    return labels


def _label_gene(
    gene: Gene,
    codes: np.ndarray,
    code: GeneticCode,
    labels: np.ndarray,
    covered: np.ndarray,
    doubtful: np.ndarray,
) -> None:
    """Write one gene's labels, count its cover, and mark what is doubtful about it."""
    valid = [t for t in gene.transcripts if _trusted(t, codes, code)]
    start, end = gene.start, min(gene.end, len(codes))
    if not valid:
        doubtful[start:end] = True
        covered[start:end] += 1
        return
    main = max(valid, key=lambda t: t.coding_length)
    own = _path(main, start, end)
    for other in valid:
        doubtful[start:end] |= _path(other, start, end) != own
    for transcript in gene.transcripts:
        if transcript not in valid:
            for a, b in transcript.cds:
                doubtful[a:b] |= own[a - start : b - start] == 0
    labels[main.start : main.end] = own[main.start - start : main.end - start]
    covered[main.start : main.end] += covered[main.start : main.end] < 2


def _trusted(transcript: Transcript, codes: np.ndarray, code: GeneticCode) -> bool:
    complete = transcript.complete5 and transcript.complete3
    return complete and transcript.end <= len(codes) and not faults(transcript, codes, code)


def _path(transcript: Transcript, start: int, end: int) -> np.ndarray:
    return to_labels([transcript.shifted(-start)], end - start)


def prepare(recipe: str | Path, data: Path, splits: Path | None = None) -> Pack:
    """Pack the `train` rows of a recipe's sets.

    Args:
        recipe: name of a shipped recipe, or a TOML file of the same form.
        data: folder with `<folder>/genome.fa.gz` and `<folder>/annotation.gff3.gz` per set.
        splits: table of rows; default `data/splits.tsv`. Rows not marked `train` are not read.

    Raises:
        TrainingError: the recipe is unknown or malformed.
        InputError: a file is missing or unreadable.
    """
    plan = _read_recipe(recipe)
    rows = _train_rows(splits or data / "splits.tsv")
    pieces: list[Piece] = []
    for entry in plan["set"]:
        pieces.extend(_pack_set(plan["clade"], entry, data / entry["folder"], rows))
    return Pack(pieces)


def _read_recipe(recipe: str | Path) -> dict:
    shipped = files("augustus_dl.train") / "recipes" / f"{recipe}.toml"
    source = shipped if shipped.is_file() else Path(recipe)
    if not source.is_file():
        names = sorted(p.name[:-5] for p in shipped.parent.iterdir() if p.name.endswith(".toml"))
        raise TrainingError(f"recipe {recipe!r} is neither a file nor one of {', '.join(names)}")
    try:
        plan = tomllib.loads(source.read_text())
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"recipe {source} is not TOML: {error}") from error
    sets = plan.get("set")
    if "clade" not in plan or not sets or not all("folder" in entry for entry in sets):
        raise TrainingError(f"recipe {source} needs `clade` and [[set]]s, each with `folder`")
    return plan


def _train_rows(table: Path) -> dict[tuple[str, str], int]:
    """(set, sequence) -> length, of the rows marked train."""
    if not table.is_file():
        raise InputError(f"no table of splits at {table}; give the data folder that holds it")
    with table.open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    if rows and not {"set", "sequence", "end", "split"} <= rows[0].keys():
        raise InputError(f"{table} needs the columns set, sequence, end and split")
    held = {(r["set"], r["sequence"]) for r in rows if r["split"] != "train"}
    trained = {(r["set"], r["sequence"]): int(r["end"]) for r in rows if r["split"] == "train"}
    if held & trained.keys():
        both = sorted(held & trained.keys())[0]
        raise InputError(f"{table}: {both[1]} of {both[0]} has both train and other rows")
    return trained


def _pack_set(clade: str, entry: dict, folder: Path, rows: dict) -> Iterator[Piece]:
    doubtful = entry.get("doubtful_sources", ())
    annotation = read_annotation(folder / "annotation.gff3.gz", doubtful)
    code = genetic_code(entry.get("genetic_code", 1))
    for contig in contigs(folder / "genome.fa.gz"):
        if (folder.name, contig.name) not in rows:
            continue
        codes, soft = base_codes(contig.sequence), soft_mask(contig.sequence)
        genes = annotation.genes.get(contig.name, [])
        masks = annotation.masks.get(contig.name, [])
        labels = label_contig(genes, masks, codes, code)
        for start, end, role in _cut(contig.name, labels, entry):
            validation = role == "validation"
            name = f"{contig.name}:{start}-{end}"
            yield Piece(
                name=name,
                set=folder.name,
                clade=clade,
                weight=float(entry.get("weight", 1.0)),
                genetic_code=code.table,
                validation=validation,
                codes=codes[start:end],
                soft=soft[start:end],
                labels=labels[start:end],
                genes=tuple(_within(genes, name, start, end)) if validation else (),
                masks=tuple(_clip(masks, start, end)) if validation else (),
            )


def _cut(name: str, labels: np.ndarray, entry: dict) -> list[tuple[int, int, str]]:
    """Stretches of a sequence with their role; cuts are moved to the next intergenic base."""
    regions = []
    for role in ("validation", "leave_out"):
        for pattern in entry.get(role, ()):
            wanted, _, interval = pattern.partition(":")
            if fnmatch.fnmatchcase(name, wanted):
                start, end = _interval(pattern, interval, len(labels))
                regions.append((start, end, role))
    free = np.flatnonzero(labels == 0)

    def moved(position: int) -> int:
        if position in (0, len(labels)) or not len(free):
            return position
        return int(free[min(np.searchsorted(free, position), len(free) - 1)])

    stretches, cursor = [], 0
    for start, end, role in sorted(regions):
        start, end = max(cursor, moved(start)), moved(end)
        stretches += [(cursor, start, "train"), (start, end, role)]
        cursor = max(cursor, end)
    stretches.append((cursor, len(labels), "train"))
    return [s for s in stretches if s[1] > s[0] and s[2] != "leave_out"]


def _interval(pattern: str, interval: str, length: int) -> tuple[int, int]:
    """Bounds of a recipe's `name:start-end`, or the whole sequence; within the sequence."""
    if not interval:
        return 0, length
    start, dash, end = interval.partition("-")
    if not (dash and start.isdecimal() and end.isdecimal() and int(start) < int(end)):
        raise TrainingError(f"recipe: {pattern!r} is no name:start-end with start below end")
    return min(int(start), length), min(int(end), length)


def _within(genes: Iterable[Gene], name: str, start: int, end: int) -> Iterator[Gene]:
    for gene in genes:
        if gene.start >= start and gene.end <= end:
            shifted = tuple(t.shifted(-start) for t in gene.transcripts)
            yield Gene(name, gene.strand, shifted, gene.id)


def _clip(masks: Iterable[Mask], start: int, end: int) -> Iterator[Mask]:
    for a, b, reason in masks:
        if b > start and a < end:
            yield max(a, start) - start, min(b, end) - start, reason


def write_pack(pack: Pack, path: Path) -> None:
    """Write a pack file; it appears whole or not at all.

    Raises:
        TrainingError: the pack is empty, or longer than its 32-bit coordinates reach.
    """
    if not 0 < sum(len(piece.codes) for piece in pack.pieces) < 2**31:
        raise TrainingError("a pack needs at least one base and fewer than 2**31; split the recipe")
    codes = np.concatenate([piece.codes for piece in pack.pieces])
    bases, n_runs = pack_bases(codes)
    soft_runs = intervals_of(np.concatenate([piece.soft for piece in pack.pieces]))
    run_label, run_length = to_runs(np.concatenate([piece.labels for piece in pack.pieces]))
    tensors = {
        "bases": bases,
        "n_runs": n_runs.astype(np.int32),
        "soft_runs": soft_runs.astype(np.int32),
        "run_label": run_label,
        "run_length": run_length.astype(np.int32),
    }
    head = json.dumps([_piece_head(piece) for piece in pack.pieces])
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        save_file(tensors, part, metadata={"pack": head})


def _piece_head(piece: Piece) -> dict:
    return {
        "name": piece.name,
        "set": piece.set,
        "clade": piece.clade,
        "weight": piece.weight,
        "genetic_code": piece.genetic_code,
        "validation": piece.validation,
        "length": len(piece.codes),
        "genes": [_gene_head(gene) for gene in piece.genes],
        "masks": piece.masks,
    }


def _gene_head(gene: Gene) -> dict:
    transcripts = [
        {
            "cds": t.cds,
            "phase": t.phase,
            "complete5": t.complete5,
            "complete3": t.complete3,
            "start": t.start,
            "end": t.end,
            "id": t.id,
        }
        for t in gene.transcripts
    ]
    return {"id": gene.id, "strand": gene.strand, "transcripts": transcripts}


def read_pack(path: Path) -> Pack:
    """Read a pack file.

    Raises:
        InputError: missing or not a pack file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            heads = json.loads((file.metadata() or {})["pack"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
    except (OSError, KeyError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no pack file; make one with `augustus-dl prepare`") from error
    total = sum(head["length"] for head in heads)
    codes = unpack_bases(tensors["bases"], tensors["n_runs"], total)
    soft = np.zeros(total, dtype=bool)
    for start, end in tensors["soft_runs"]:
        soft[start:end] = True
    labels = from_runs(tensors["run_label"], tensors["run_length"])
    pieces, cursor = [], 0
    for head in heads:
        span = slice(cursor, cursor + head["length"])
        cursor = span.stop
        pieces.append(_piece(head, codes[span], soft[span], labels[span]))
    return Pack(pieces)


def _piece(head: dict, codes: np.ndarray, soft: np.ndarray, labels: np.ndarray) -> Piece:
    contig = head["name"]
    genes = tuple(
        Gene(
            contig,
            g["strand"],
            tuple(
                Transcript(strand=g["strand"], **{**t, "cds": tuple(map(tuple, t["cds"]))})
                for t in g["transcripts"]
            ),
            g["id"],
        )
        for g in head["genes"]
    )
    kept = ("name", "set", "clade", "weight", "genetic_code", "validation")
    return Piece(
        **{key: head[key] for key in kept},
        codes=codes,
        soft=soft,
        labels=labels,
        genes=genes,
        masks=tuple(tuple(mask) for mask in head["masks"]),
    )
