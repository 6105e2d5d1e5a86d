"""Makes the sequences of `inputs/` again: `python -m tests.golden.inputs FOLDER`.

Human genes come from tests/data/augustus/genes.fa, fly genome and protein profile from Debian's
package augustus-doc, bacterial genes from a seeded generator. Hints and extrinsic tables in
`inputs/` are written by hand; README.md lists every file.
"""

from __future__ import annotations

import argparse
import gzip
import random
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
TUTORIAL = Path("/usr/share/doc/augustus/tutorial")
HUMAN = HERE.parent / "data" / "augustus" / "genes.fa"

_COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")
_CHROMOSOME = "data/chr2R.fa"
_HINTS = "results/hints.gff"
_PROFILE = "results/PF00225.prfl"
_LOCI = "results/genes.gb.test"

_HUMAN_CDS = (
    (66, 117),
    (918, 1034),
    (1155, 1298),
    (1952, 2095),
    (2526, 2707),
    (3440, 3523),
    (3643, 3889),
    (4172, 4458),
    (4960, 5107),
    (5594, 6003),
)
"""Coding exons of HS04636 below, 1-based and closed."""

_LINE = 60
_SMALL_LOCI = 6
_BACTERIAL_CODONS = {
    "GCG": 36, "GCC": 27, "GCA": 21, "GCT": 16, "CGT": 38, "CGC": 40, "AAC": 55, "AAT": 45,
    "GAT": 63, "GAC": 37, "TGC": 55, "TGT": 45, "CAG": 65, "CAA": 35, "GAA": 68, "GAG": 32,
    "GGC": 40, "GGT": 34, "GGG": 15, "CAT": 57, "CAC": 43, "ATT": 51, "ATC": 42, "CTG": 90,
    "CTC": 10, "TTA": 13, "TTG": 13, "AAA": 74, "AAG": 26, "ATG": 25, "TTT": 58, "TTC": 42,
    "CCG": 52, "CCA": 19, "AGC": 28, "TCT": 15, "TCC": 15, "ACC": 44, "ACG": 27, "TGG": 14,
    "TAT": 57, "TAC": 43, "GTG": 37, "GTT": 26, "GTC": 22, "GTA": 15,
}  # fmt: skip
"""How often codons of Escherichia coli are drawn, relative to each other."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files are written")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files():
        (folder / name).write_bytes(content)


def files() -> Iterator[tuple[str, bytes]]:
    """Name and content of every file that is made."""
    yield from _human_files()
    yield from _fly_files()
    yield "bacterium.fa", _fasta(("synthetic_bacterium", _bacterium()))


def _human_files() -> Iterator[tuple[str, bytes]]:
    first, second = _human()
    example = _fasta(("HS04636", _masked(first, 1300, 1900)), ("HS08198", second))
    yield "example.fa", example
    yield "example.fa.gz", gzip.compress(example, mtime=0)
    yield "example_upper.fa", _fasta(("HS04636", first), ("HS08198", second))
    yield "HS04636_upper.fa", _fasta(("HS04636", first))
    yield "HS08198.fa", _fasta(("HS08198", second.lower()))
    yield "softmasked.fa", _fasta(("HS04636_sm", _masked(first, 2500, 4500)))
    yield "revcomp.fa", _fasta(("HS04636_rc", _reverse_complement(first)))
    yield "both_strands.fa", _fasta(("tandem", first + _reverse_complement(first)))
    yield "partial.fa", _fasta(("HS04636_cut", first[300:3900]))
    yield "nogene.fa", _fasta(("nogene", _random_bases(random.Random(3), 1500)))
    yield "empty_mid.fa", _fasta(("HS04636", first), ("empty", ""), ("HS08198", second))
    yield "HS04636.gb", _genbank("HS04636", first, _HUMAN_CDS)


def _human() -> tuple[str, str]:
    """HS04636 from base 901 to 7100, and HS08198."""
    records = _read_fasta(HUMAN.read_text(encoding="ascii"))
    bases = list(_reverse_complement(records["HS04636_reverse"].upper()))
    bases[90] = "G"  # an R in the test data
    return "".join(bases), records["HS08198"].upper()


def _fly_files() -> Iterator[tuple[str, bytes]]:
    chromosome = _read_fasta((TUTORIAL / _CHROMOSOME).read_text(encoding="ascii"))["chr2R"]

    def cut(start: int, length: int) -> str:
        return chromosome[start : start + length]

    yield "fly_plus.fa", _fasta(("fly_plus", cut(7_130_000, 15_000)))
    yield "fly_plus_hints.gff", "".join(_hints("fly_plus", 7_130_000, 15_000)).encode()
    yield "fly_minus.fa", _fasta(("fly_minus", cut(7_170_000, 14_000)))
    yield "fly_two.fa", _fasta(("first", cut(7_142_000, 3_000)), ("second", cut(7_176_900, 4_000)))
    yield "fly_kinesin.fa", _fasta(("kinesin", cut(19_026_000, 10_000)))
    yield "PF00225.prfl", (TUTORIAL / _PROFILE).read_bytes()
    yield "fly_loci.gb", _loci()


def _hints(name: str, start: int, length: int) -> Iterator[str]:
    """Hints of the tutorial that lie inside a region, in its coordinates."""
    for line in (TUTORIAL / _HINTS).read_text(encoding="ascii").splitlines():
        columns = line.split("\t")
        first, last = int(columns[3]) - start, int(columns[4]) - start
        read_depth = columns[2] == "ep" and "src=W" in line
        if first < 1 or last > length or read_depth:
            continue
        yield "\t".join([name, *columns[1:3], str(first), str(last), *columns[5:]]) + "\n"


def _loci() -> bytes:
    """The shortest loci of the tutorial's test genes, in its order."""
    records = (TUTORIAL / _LOCI).read_text(encoding="ascii").split("//\n")[:-1]
    longest = sorted(int(record.split()[2]) for record in records)[_SMALL_LOCI - 1]
    kept = [record + "//\n" for record in records if int(record.split()[2]) <= longest]
    return "".join(kept).encode()


def _bacterium() -> str:
    """Genes on both strands, some overlapping, with ribosome binding sites and all start codons."""
    source = random.Random(11)
    forward = "".join(
        [
            _random_bases(source, 150),
            _binding_site(source) + _reading_frame(source, "ATG", 260),
            _random_bases(source, 60),
            _binding_site(source) + _reading_frame(source, "GTG", 190)[:-4],
            "ATGA" + _reading_frame(source, "ATG", 240)[4:],  # starts inside the last codons
            _random_bases(source, 120),
            _binding_site(source) + _reading_frame(source, "TTG", 210),
            _random_bases(source, 100),
        ]
    )
    reverse = "".join(
        [
            _random_bases(source, 80),
            _binding_site(source) + _reading_frame(source, "ATG", 300),
            _random_bases(source, 90),
            _binding_site(source) + _reading_frame(source, "GTG", 180),
            _random_bases(source, 200),
        ]
    )
    return forward + _reverse_complement(reverse) + _reading_frame(source, "ATG", 150)[:400]


def _binding_site(source: random.Random) -> str:
    return "TAAGGAGG" + _random_bases(source, 6)


def _reading_frame(source: random.Random, start: str, codons: int) -> str:
    inner = source.choices(list(_BACTERIAL_CODONS), list(_BACTERIAL_CODONS.values()), k=codons - 2)
    return start + "".join(inner) + "TAA"


def _random_bases(source: random.Random, length: int) -> str:
    return "".join(source.choices("ACGT", (29, 21, 21, 29), k=length))


def _masked(bases: str, start: int, end: int) -> str:
    return bases[:start] + bases[start:end].lower() + bases[end:]


def _reverse_complement(bases: str) -> str:
    return bases[::-1].translate(_COMPLEMENT)


def _read_fasta(text: str) -> dict[str, str]:
    records = (record.partition("\n") for record in text.split(">")[1:])
    return {title.split()[0]: body.replace("\n", "") for title, _, body in records}


def _fasta(*records: tuple[str, str]) -> bytes:
    lines = []
    for name, bases in records:
        lines += [f">{name}", *(bases[i : i + _LINE] for i in range(0, len(bases), _LINE))]
    return ("\n".join(lines) + "\n").encode()


def _genbank(name: str, bases: str, cds: tuple[tuple[int, int], ...]) -> bytes:
    """A locus with one gene in the layout of AUGUSTUS's gff2gbSmallDNA.pl."""
    parts = ",".join(f"{start}..{end}" for start, end in cds)
    counts = "   ".join(f"{bases.count(base)} {base.lower()}" for base in "ACGT")
    lines = [
        f"LOCUS       {name}   {len(bases)} bp  DNA",
        "FEATURES             Location/Qualifiers",
        f"     source          1..{len(bases)}",
        f"     CDS             join({parts[:62]}",
        *(f"                     {parts[i : i + 58]}" for i in range(62, len(parts), 58)),
    ]
    lines[-1] += ")"
    lines += ['                     /gene="peroxidase"', f"BASE COUNT     {counts}", "ORIGIN"]
    for start in range(0, len(bases), _LINE):
        row = bases[start : start + _LINE].lower()
        groups = " ".join(row[i : i + 10] for i in range(0, len(row), 10))
        lines.append(f"{start + 1:9} {groups}")
    return ("\n".join([*lines, "//"]) + "\n").encode()


if __name__ == "__main__":
    main()
