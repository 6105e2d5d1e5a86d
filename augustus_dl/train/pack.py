"""Annotated genomes packed for training: two bits a base, labels as run lengths.

`prepare` reads genomes and annotation as a recipe (TOML) says and gives a `Pack`; `write_pack` and
`read_pack` are inverses.

A pack file is a safetensors file; all pieces stand one behind the other:
    bases uint8 [ceil(total / 4)]; n_runs, soft_runs int32 [n, 2]; run_label uint8 [r] and
    run_length int32 [r] (run-length form of labels.to_tokens); utr_label uint8 [u] and utr_length
    int32 [u] (runs of equal labels of the UTR track); metadata "pack": pieces as JSON.
"""

from __future__ import annotations

import csv
import fnmatch
import json
import logging
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from augustus_dl.encode import (
    base_codes,
    intervals_of,
    pack_bases,
    soft_mask,
    unpack_bases,
)
from augustus_dl.errors import InputError, TrainingError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Mask, read_annotation
from augustus_dl.io.fasta import contigs
from augustus_dl.io.files import whole_file
from augustus_dl.labels import MASKED, from_runs, to_runs
from augustus_dl.train.truth import label_contig, label_utrs

__all__ = [
    "Pack",
    "Piece",
    "genes_within",
    "masks_within",
    "prepare",
    "read_pack",
    "write_pack",
]

log = logging.getLogger(__name__)
_TENSORS = (
    *("bases", "n_runs", "soft_runs"),
    *("run_label", "run_length", "utr_label", "utr_length"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a sequence, with what is known about it.

    Attributes:
        name: `sequence:start-end` (0-based, half-open) in its set.
        codes, soft, labels, utr: uint8, bool, uint8, uint8 [L]; `labels` and `utr`, the UTR track,
            are MASKED where they are not known.
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
    utr: np.ndarray
    genes: tuple[Gene, ...] = ()
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """Pieces of one clade."""

    pieces: list[Piece] = field(default_factory=list)


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
    annotation = read_annotation(folder / "annotation.gff3.gz", doubtful, utrs=True)
    code = genetic_code(entry.get("genetic_code", 1))
    for contig in contigs(folder / "genome.fa.gz"):
        if (folder.name, contig.name) not in rows:
            continue
        codes, soft = base_codes(contig.sequence), soft_mask(contig.sequence)
        models = annotation.genes.get(contig.name, [])
        masks = annotation.masks.get(contig.name, [])
        genes = [_coding(gene) for gene in models]
        labels = label_contig(genes, masks, codes, code)
        utr = np.full(len(codes), MASKED, dtype=np.uint8)
        if entry.get("utrs", False):
            utr = label_utrs(models, masks, codes)
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
                utr=utr[start:end],
                genes=tuple(genes_within(genes, name, start, end)) if validation else (),
                masks=tuple(masks_within(masks, start, end)) if validation else (),
            )


def _coding(gene: Gene) -> Gene:
    """The gene without its untranslated regions."""
    bare = tuple(
        replace(
            t,
            utr5=(),
            utr3=(),
            tss=False,
            tts=False,
            start=-1 if t.left_utr else t.start,
            end=-1 if t.right_utr else t.end,
        )
        for t in gene.transcripts
    )
    return replace(gene, transcripts=bare)


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


def genes_within(genes: Iterable[Gene], name: str, start: int, end: int) -> Iterator[Gene]:
    """Genes that lie in a stretch, in its coordinates and under its name."""
    for gene in genes:
        if gene.start >= start and gene.end <= end:
            shifted = tuple(t.shifted(-start) for t in gene.transcripts)
            yield Gene(name, gene.strand, shifted, gene.id)


def masks_within(masks: Iterable[Mask], start: int, end: int) -> Iterator[Mask]:
    """What masks cover of a stretch, in its coordinates."""
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
    utr_label, utr_length = _runs(np.concatenate([piece.utr for piece in pack.pieces]))
    tensors = {
        "bases": bases,
        "n_runs": n_runs.astype(np.int32),
        "soft_runs": soft_runs.astype(np.int32),
        "run_label": run_label,
        "run_length": run_length.astype(np.int32),
        "utr_label": utr_label,
        "utr_length": utr_length.astype(np.int32),
    }
    head = json.dumps([_piece_head(piece) for piece in pack.pieces])
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        save_file(tensors, part, metadata={"pack": head})


def _runs(track: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of equal values: value and int64 length; `np.repeat` is the inverse."""
    starts = np.flatnonzero(np.diff(track, prepend=~track[:1]))
    return track[starts], np.diff(np.append(starts, len(track)))


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
        InputError: missing, not a pack file, or one of an older version.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            heads = json.loads((file.metadata() or {})["pack"])
            tensors = {name: file.get_tensor(name) for name in _TENSORS}
    except (OSError, KeyError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no pack file; make one with `augustus-dl prepare`") from error
    total = sum(head["length"] for head in heads)
    codes = unpack_bases(tensors["bases"], tensors["n_runs"], total)
    soft = np.zeros(total, dtype=bool)
    for start, end in tensors["soft_runs"]:
        soft[start:end] = True
    labels = from_runs(tensors["run_label"], tensors["run_length"])
    utr = np.repeat(tensors["utr_label"], tensors["utr_length"])
    pieces, cursor = [], 0
    for head in heads:
        span = slice(cursor, cursor + head["length"])
        cursor = span.stop
        pieces.append(_piece(head, codes[span], soft[span], labels[span], utr[span]))
    return Pack(pieces)


def _piece(
    head: dict, codes: np.ndarray, soft: np.ndarray, labels: np.ndarray, utr: np.ndarray
) -> Piece:
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
        utr=utr,
        genes=genes,
        masks=tuple(tuple(mask) for mask in head["masks"]),
    )
