"""Texts that answer no arguments, --help, --version, --species=help and --paramlist; exit codes."""

from __future__ import annotations

from collections.abc import Iterable

from augustus_dl import __version__
from augustus_dl.io.writers import AUGUSTUS_VERSION

__all__ = [
    "CLOSED_PIPE",
    "COMMANDS",
    "INTERRUPTED",
    "USAGE",
    "VERSION",
    "parameter_list",
    "species_list",
]

CLOSED_PIPE, INTERRUPTED = 141, 130
"""Exit status of a run whose reader went away, or that Ctrl-C ended, as a shell reports them."""

VERSION = f"""\
AUGUSTUS ({AUGUSTUS_VERSION}) is a gene prediction tool.
augustus-dl {__version__} answers in its place, with a neural network.
"""

COMMANDS = {
    "prepare": "pack annotated genomes for training",
    "train": "train a network on packs; the run folder is a species profile",
    "average": "average the weights of training runs",
    "evaluate": "compare an annotation with a reference",
    "view": "show what a model folder holds",
    "tokenizer": "add annotation tokens to a tokenizer",
}
"""Subcommands in the order of a workflow; augustus_dl/cli/NAME.py has the function NAME."""

USAGE = f"""
{VERSION}
usage:
augustus-dl [parameters] --species=SPECIES queryfilename

'queryfilename' is the filename (including relative path) to the file containing the query
sequence(s) in fasta format, plain or compressed with gzip; - reads standard input.

SPECIES is an identifier for the species. Use --species=help to see a list. The folder of a training
run can be named too.

parameters:
--strand=both, --strand=forward or --strand=backward
--genemodel=partial, --genemodel=intronless or --genemodel=complete
  partial      : allow prediction of incomplete genes at the sequence boundaries (default)
  intronless   : only predict single-exon genes
  complete     : only predict complete genes
--softmasking=on/off
  lower case letters are repeats (default on)
--translation_table=n
  NCBI's id of the genetic code (default: the species' own)
--min_intron_len=n, --/Constant/min_coding_len=n
  shortest intron, shortest coding sequence of a complete gene
--gff3=on/off
  output in gff3 format
--protein=on/off, --codingseq=on/off
  output the sequences as comments
--introns=on/off, --cds=on/off, --start=on/off, --stop=on/off, --exonnames=on/off
  output lines of these kinds
--stopCodonExcludedFromCDS=on/off
  whether CDS lines end before the stop codon
--uniqueGeneId=true/false
  gene identifiers like this: seqname.gN
--outfile=filename, --errfile=filename
  print there instead of standard output and standard error
--progress=true/false
  report each finished sequence on standard error (default: when that is a terminal)
--device=auto, cpu, cuda, cuda:N or mps
  where the network runs (default auto)
--accurate=on/off
  read the sequence in both directions and average, in twice the time (default: the species' own)
--AUGUSTUS_CONFIG_PATH=path
  path to config directory (if not specified as environment variable)
--paramlist
  list all parameter names

Of the further parameters of AUGUSTUS some are accepted without effect, with a warning.

other commands, each with --help:
""" + "".join(f"  augustus-dl {name:<10}  {summary}\n" for name, summary in COMMANDS.items())


def species_list(names: Iterable[tuple[str, str]]) -> str:
    """The answer to --species=help for pairs of identifier and scientific name."""
    lines = [
        "usage:",
        "augustus-dl [parameters] --species=SPECIES queryfilename",
        "",
        "where SPECIES is one of the following identifiers",
        "",
        f"{'identifier':<41}| species",
        f"{'-' * 41}|{'-' * 22}",
    ]
    lines += [f"{name:<41}| {organism}".rstrip() for name, organism in names]
    return "\n".join(lines) + "\n"


def parameter_list(classes: Iterable[tuple[str, str]]) -> str:
    """The answer to --paramlist for pairs of name and class."""
    return "Possible parameter names are:\n" + "".join(
        f"{name}  ({kind})\n" for name, kind in classes
    )
