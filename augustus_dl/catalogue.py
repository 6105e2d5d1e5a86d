"""The species of AUGUSTUS 3.5.0 and the checkpoints that answer for them: tables of species/.

`profiles.tsv` has a row a species: what AUGUSTUS's own species files set, as far as it differs from
its template for new species, and the clade. `clades.tsv` says which folder's checkpoint predicts
for a clade; a new checkpoint is put to use by a change of one line there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["DEFAULT_PARAMETERS", "Species", "catalogue", "checkpoints"]

DEFAULT_PARAMETERS = {
    "/augustus/verbosity": "3",
    "maxDNAPieceSize": "500000",
    "stopCodonExcludedFromCDS": "false",
    "translation_table": "1",
    "genemodel": "partial",
    "protein": "on",
    "codingseq": "off",
    "exonnames": "off",
    "cds": "on",
    "start": "on",
    "stop": "on",
    "introns": "on",
    "tss": "on",
    "tts": "on",
    "UTR": "off",
    "print_utr": "off",
    "sample": "100",
    "alternatives-from-sampling": "false",
    "alternatives-from-evidence": "false",
    "minexonintronprob": "0.08",
    "minmeanexonintronprob": "0.4",
    "maxtracks": "-1",
    "keep_viterbi": "true",
    "uniqueCDS": "true",
    "/Constant/min_coding_len": "201",
    "/Constant/subopt_transcript_threshold": "0.7",
    "/Constant/almost_identical_maxdiff": "10",
}
"""The cfg of a new profile: the values of AUGUSTUS's own template for new species."""


@dataclass(frozen=True, slots=True)
class Species:
    """One row of the catalogue.

    Attributes:
        organism: scientific name, as AUGUSTUS writes it.
        clade: a clade of `checkpoints`.
        obsolete: AUGUSTUS has newer settings for the same organism under another name.
        parameters: keys and values of its cfg, as far as we know the keys.
    """

    organism: str
    clade: str
    obsolete: bool
    parameters: Mapping[str, str]


@cache
def catalogue(folder: Path) -> Mapping[str, Species]:
    """Species by name, in the order of the table: by organism, obsolete names last."""
    return {
        row["identifier"]: Species(
            organism=row["organism"],
            clade=row["clade"],
            obsolete=row["obsolete"] == "yes",
            parameters=DEFAULT_PARAMETERS
            | dict(setting.split("=") for setting in row["settings"].split()),
        )
        for row in _rows(folder / "profiles.tsv")
    }


@cache
def checkpoints(folder: Path) -> Mapping[str, str]:
    """Name of the species folder that holds the checkpoint, by clade."""
    return {row["clade"]: row["checkpoint"] for row in _rows(folder / "clades.tsv")}


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
