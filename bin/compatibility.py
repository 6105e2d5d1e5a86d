"""Write docs/compatibility.md: every option of AUGUSTUS and what augustus-dl does with it.

    python3 bin/compatibility.py

The table of options is augustus_dl/cli/options.tsv; `text` is what the page should hold.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

try:
    from augustus_dl.cli.arguments import Option, options
    from augustus_dl.io.files import whole_file
except ModuleNotFoundError as error:
    sys.exit(f"{error}: run `make install`, then .venv/bin/python bin/compatibility.py")

PAGE = ROOT / "docs/compatibility.md"
INTRODUCTION = """\
# Changes from AUGUSTUS

Written by `bin/compatibility.py` from `augustus_dl/cli/options.tsv`; change those.

augustus-dl knows every option of AUGUSTUS 3.5.0. Each is **honoured**, **ignored** (accepted; a
warning on standard error when its value asks for something) or **refused** (an error). Options of
the command line go before those of `--optCfgFile`, and these before the species file.

## Where the command line differs

- `-` as query file reads standard input, which AUGUSTUS no longer does.
- `--genemodel`, `--singlestrand` and `--nc` go before the species file like all other options. In
  AUGUSTUS a species file that has them wins: `--genemodel=partial` has no effect for a bacterium.
- A value that cannot be read is an error where it is one in AUGUSTUS. Where AUGUSTUS silently takes
  its default instead, a warning says so.
- A `--strand` other than both, forward and backward means both, as in AUGUSTUS, with a warning.
- The list of parameters in the config folder is not needed.
- Where AUGUSTUS crashes (a folder as query file, damaged gzip, hints of unknown type) there is an
  error or a warning.
- `etraining` writes errors to standard error only, answers `--help` and `--version`, looks for stop
  codons in whole coding sequences, and takes no start codon but ATG in the standard genetic code.
  It fine-tunes a network ([pipelines.md](pipelines.md)). AUGUSTUS's own parameters are not
  estimated; the files that would hold them are stubs.

## Programs

`augustus-dl install PREFIX` makes `PREFIX/bin/augustus` and `PREFIX/bin/etraining` with a config
folder `PREFIX/config` that they use when neither `--AUGUSTUS_CONFIG_PATH` nor the environment names
one, and links AUGUSTUS's own scripts into `PREFIX/scripts`, but for `optimize_augustus.pl`, which
has a stand-in: nothing is left to optimise. The version line is AUGUSTUS's, the second line of
`--version` names augustus-dl.

"""
GROUPS = {
    "prediction": "Prediction",
    "hints": "Hints",
    "output": "Output",
    "UTR": "Untranslated regions",
    "alternatives": "Alternative transcripts",
    "profile": "Protein profiles",
    "training": "Training",
    "AUGUSTUS model": "AUGUSTUS's own model",
    "debugging": "Debugging",
    "comparative": "Comparative prediction",
    "pygustus": "pygustus",
}
"""Headings of the groups of options.tsv, in the order of the page."""


def text() -> str:
    """The whole page."""
    known = list(options().values())
    rows = [option for option in known if option.group == "augustus-dl"]
    parts = [INTRODUCTION, "## Options that AUGUSTUS does not have\n\n", *_table(rows)]
    for group, heading in GROUPS.items():
        rows = [option for option in known if option.group == group]
        parts += [f"\n## {heading}\n\n", *_table(rows)]
    return "".join(parts)


def _table(rows: Iterable[Option]) -> Iterator[str]:
    yield "| option | class | |\n|---|---|---|\n"
    for option in rows:
        note = option.note
        if option.group == "pygustus":
            note += "; unknown to augustus, an option of pygustus itself"
        yield f"| `--{option.name}` | {option.kind} | {note} |\n"


def main() -> None:
    with whole_file(PAGE) as part:
        part.write_text(text(), encoding="utf-8")
    print(f"{len(options())} options written to {PAGE.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
