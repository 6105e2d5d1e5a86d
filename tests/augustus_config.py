"""A made-up species in the files that AUGUSTUS writes; the numbers are random or simple.

Its stop codons have probability 0 inside genes and no donor begins with T, so that what is drawn
follows the numbers exactly: nothing has to be avoided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np

__all__ = ["write_config"]

_FROM_INTERGENIC = """\
[Transition]
# comment
0 0 .9
0 1 .05
0 2 .02
0 3 .02
0 4 .01
"""
_FROM_INTRONS = "".join(f"{n} 5 .2\n{n} 6 .3\n{n} 7 .2\n{n} 8 .3\n" for n in (13, 18, 23))

_CONFIG = """\
# made up
/Constant/trans_init_window 4
/Constant/ass_start 2   # with a comment
/Constant/ass_end 1
/Constant/dss_start 2
/Constant/dss_end 2
/Constant/init_coding_len 6
/Constant/min_coding_len 60
/Constant/amberprob 0.2
/Constant/ochreprob 0.3
/Constant/opalprob 0.5
/ExonModel/infile toy_exon_probs.pbl
/IntronModel/infile toy_intron_probs.pbl
/IGenicModel/infile toy_igenic_probs.pbl
"""
_LENGTHS = {"single": (60, 180), "initial": (20, 80), "internal": (30, 60), "terminal": (20, 80)}
"""Exons of these lengths, the last one included, are equally frequent."""


def write_config(folder: Path) -> Path:
    """Write the species `toy` below `folder`, which is given back."""
    rng = np.random.default_rng(5)
    species = folder / "species" / "toy"
    species.mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / "model" / "trans_shadow_partial.pbl").write_text(_FROM_INTERGENIC + _FROM_INTRONS)
    (species / "toy_parameters.cfg").write_text(_CONFIG)
    (species / "toy_exon_probs.pbl").write_text(_exons(rng))
    (species / "toy_intron_probs.pbl").write_text(_introns(rng))
    igenic = [_heading(n) + _section("P_ls", ["16"], _patterns(rng, 2)) for n in (1, 2)]
    (species / "toy_igenic_probs.pbl").write_text("".join(igenic))
    return folder


def _exons(rng: np.random.Generator) -> str:
    rows = [
        [n, *(1000 * (a <= n <= b) / (b - a + 1) for a, b in _LENGTHS.values())] for n in range(181)
    ]
    text = _section("LENGTH", ["180", "0.2", "10", "1 2 3 4", "0 0 0 0"], rows)
    for number in (1, 2):
        codons = _patterns(rng, 3, 3, avoid=("taa", "tag", "tga"))
        text += _heading(number)
        text += _section("P_ls", ["2", "0"], [*_patterns(rng, 1, 3), *codons])
        text += _section("TRANSINIT", ["4", "1"], _motif(rng, 4))
        text += _section("INITEMISSION", ["64", "2", "5"], codons)
    return text


def _introns(rng: np.random.Generator) -> str:
    donors = [row for row in _patterns(rng, 4) if not row[0].startswith("t")]
    text = _section("ASS", ["64", "99", "0.1"], _patterns(rng, 3))
    text += _section("DSS", ["256", "99", "0.1"], donors)
    text += _section("LENGTH", ["40"], [[10.0 * (n > 20)] for n in range(41)])
    for number in (1, 2):
        text += _heading(number) + "[TRANSITION]\n# share\n0.5\n# mean\n100\n"
        text += _section("EMISSION", ["16", "1", "5"], _patterns(rng, 2))
        text += _section("ASSMOTIF", ["5", "1"], _motif(rng, 5))
    return text


def _heading(number: int) -> str:
    return f"[{number}]\n# (a,c,g,t)= (0.3, {number / 10}, {number / 10}, 0.1)\n#\n"


def _section(name: str, head: Sequence[str], rows: Iterable[Sequence]) -> str:
    body = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    return f"#\n[{name}]\n" + "".join(f"# what\n{line}\n" for line in head) + body + "\n"


def _patterns(
    rng: np.random.Generator, length: int, columns: int = 1, avoid: Sequence[str] = ()
) -> list[list]:
    """A row per pattern; `avoid` has probability 0 where it is a codon."""
    rows: list[list] = []
    for letters in product("acgt", repeat=length):
        values = (rng.random(columns) + 0.1).round(4).tolist()
        pattern = "".join(letters)
        rows.append([pattern, *values[:-1], 0 if pattern in avoid else values[-1]])
    return rows


def _motif(rng: np.random.Generator, width: int) -> list[list]:
    return [[n, *rng.dirichlet(np.ones(4), 4).ravel().round(4).tolist()] for n in range(width)]
