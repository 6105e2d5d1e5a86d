"""Write the annotation tokens that extend a DNABERT-2 tokenizer, one a line.

    python3 bin/tokenizer.py --output ./data/new_tokens.txt [ANNOTATION ...]

The tokens are those of `augustus_dl.labels`: structure, UTR, feature and digit tokens. Annotation
files (GFF3 or GTF, plain or gzip) are scanned for rows of the feature tokens' kinds; how many rows
each kind has is reported on stderr, so that one sees what the files can teach.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from augustus_dl.errors import AugustusError, InputError
    from augustus_dl.io.files import lines, whole_file
    from augustus_dl.labels import FEATURES, TOKENS
except ModuleNotFoundError as error:
    sys.exit(f"{error}: run `make install`, then .venv/bin/python bin/tokenizer.py")

KINDS: dict[str, tuple[str, ...]] = {
    "tRNA": ("trna", "trna_primary_transcript"),
    "rRNA": (
        *("rrna", "rrna_primary_transcript", "rrna_5s", "rrna_5_8s", "rrna_16s", "rrna_18s"),
        *("rrna_23s", "rrna_25s", "rrna_28s", "rrna_large_subunit_primary_transcript"),
        *("cytosolic_rrna", "mitochondrial_rrna", "small_subunit_rrna", "large_subunit_rrna"),
    ),
    "ncRNA": (
        *("ncrna", "mirna", "pre_mirna", "mirna_primary_transcript", "snrna", "snorna", "scarna"),
        *("lnc_rna", "lncrna", "lincrna", "antisense_rna", "antisense_lncrna", "pirna", "sirna"),
        *("scrna", "srna", "small_regulatory_ncrna", "tmrna", "vault_rna", "y_rna", "guide_rna"),
        *("rnase_p_rna", "rnase_mrp_rna", "srp_rna", "telomerase_rna", "ribozyme"),
        *("hammerhead_ribozyme", "h_aca_box_snorna", "c_d_box_snorna"),
    ),
    "mobile_genetic_element": (
        *("mobile_genetic_element", "mobile_element", "transposable_element", "transposon"),
        *("insertion_sequence", "is_element", "dna_transposon", "retrotransposon", "helitron"),
        *("ltr_retrotransposon", "non_ltr_retrotransposon", "line_element", "sine_element"),
        *("terminal_inverted_repeat_element", "mite", "integron", "conjugative_transposon"),
        *("integrative_mobile_genetic_element", "integrated_mobile_genetic_element", "prophage"),
    ),
    "origin_of_replication": (
        *("origin_of_replication", "replication_origin", "rep_origin", "oric", "oriv"),
        *("ars", "autonomously_replicating_sequence"),
    ),
}
"""Names in column 3 (lower case, `-` and blanks as `_`, without `_gene`) of each feature kind."""

_KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}


def feature_rows(path: str) -> Counter[tuple[str, str]]:
    """Rows of an annotation file by feature kind and strand ("+", "-" or ".").

    Raises:
        InputError: the file cannot be read, or a row has fewer than 8 columns.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for number, line in lines(path, "annotation file"):
        if line.startswith("##FASTA"):
            break
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) < 8:
            raise InputError(f"annotation file {path}:{number} has fewer than 8 tab-set columns")
        name = columns[2].lower().replace("-", "_").replace(" ", "_").removesuffix("_gene")
        if name in _KIND_OF:
            counts[_KIND_OF[name], columns[6] if columns[6] in ("+", "-") else "."] += 1
    return counts


def write_tokens(path: Path) -> None:
    """Write `TOKENS`, one a line in UTF-8; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text("".join(f"{token}\n" for token in TOKENS), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path, help="token file to write")
    parser.add_argument("annotation", nargs="*", help="GFF3 or GTF files to count features in")
    options = parser.parse_args()
    try:
        counts = sum((feature_rows(path) for path in options.annotation), Counter())
        write_tokens(options.output)
    except (AugustusError, OSError) as error:
        sys.exit(f"bin/tokenizer.py: {error}")
    for kind in KINDS if options.annotation else ():
        strands = ", ".join(f"{counts[kind, strand]} on {strand}" for strand in "+-.")
        tokens = " ".join(f"[{name}]" for name in FEATURES if name.lstrip("+-") == kind)
        print(f"{kind}: {strands} ({tokens})", file=sys.stderr)
    print(f"{len(TOKENS)} tokens written to {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
