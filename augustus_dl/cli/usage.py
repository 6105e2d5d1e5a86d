"""Texts that answer no arguments, --help, --version, --species=help and --paramlist; exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from augustus_dl import AUGUSTUS_VERSION, __version__
from augustus_dl.cli.arguments import Option, options

__all__ = [
    "CLOSED_PIPE",
    "COMMANDS",
    "ETRAINING_USAGE",
    "INTERRUPTED",
    "VERSION",
    "help_text",
    "parameter_list",
    "species_list",
    "usage",
]

CLOSED_PIPE, INTERRUPTED = 141, 130
"""Exit status of a run whose reader went away, or that Ctrl-C ended, as a shell reports them."""

VERSION = f"""\
AUGUSTUS ({AUGUSTUS_VERSION}) is a gene prediction tool.
augustus-dl {__version__} answers in its place, with a neural network.
"""

COMMANDS = {
    "prepare": "pack annotated genomes for training",
    "synthesize": "draw genomes from the parameters of an AUGUSTUS species, for training",
    "train": "train a network on packs; the run folder is a species profile",
    "finetune": "adapt a checkpoint to the genes of a species",
    "average": "average the weights of training runs",
    "fit": "fit the decoder's constants of a model on validation genes",
    "evaluate": "compare an annotation with a reference",
    "report": "show genes, accuracy and loci on an HTML page",
    "view": "show what a model folder holds",
    "tokenizer": "add annotation tokens to a tokenizer",
    "install": "lay out augustus, etraining and their config folder for pipelines",
    "completion": "print a script that completes command lines in a shell",
}
"""Subcommands in the order of a workflow; augustus_dl/cli/NAME.py has the function NAME."""

_SYNOPSIS = """\
usage:
{program} [parameters] --species=SPECIES queryfilename

"""

_HELP = """\
'queryfilename' is the filename (including relative path) to the file containing the query
sequence(s) in fasta or genbank format, plain or compressed with gzip; - reads standard input.

SPECIES is an identifier for the species. Use --species=help to see a list. The folder of a training
run can be named too; auto chooses the clade that genes found in a sample of the query look like.

parameters:
--strand=both, --strand=forward or --strand=backward
--genemodel=partial, --genemodel=intronless, --genemodel=complete, --genemodel=atleastone,
--genemodel=exactlyone or --genemodel=bacterium
  partial      : allow prediction of incomplete genes at the sequence boundaries (default)
  intronless   : only predict single-exon genes
  complete     : only predict complete genes
  atleastone   : predict at least one complete gene
  exactlyone   : predict exactly one complete gene
  bacterium    : single-exon genes that may overlap
--singlestrand=true
  predict genes on each strand by itself, allow overlapping genes on opposite strands
--predictionStart=A, --predictionEnd=B
  range of the first sequence in which genes are predicted
--softmasking=on/off
  lower case letters are repeats (default on, for genbank files off)
--translation_table=n
  NCBI's id of the genetic code (default: the species' own)
--min_intron_len=n, --/Constant/min_coding_len=n
  shortest intron, shortest coding sequence of a complete gene
--hintsfile=filename, --extrinsicCfgFile=filename
  hints (extrinsic information) in gff format, and how far their sources are trusted
--alternatives-from-evidence=true/false, --alternatives-from-sampling=true/false
  report alternative transcripts that hints, or sampled gene structures, suggest
--sample=n, --minexonintronprob=p, --minmeanexonintronprob=p, --maxtracks=n
  number of samples; which of the transcripts found are reported
--proteinprofile=filename
  find members of the protein family that this block profile describes
--UTR=on/off, --print_utr=on/off
  predict the untranslated regions too; output them instead of exons
--gff3=on/off
  output in gff3 format
--gff3-strict=on/off
  output in gff3 format for other programs: mRNA and exon lines, an ID on each line, sorted
--protein=on/off, --codingseq=on/off
  output the sequences as comments
--introns=on/off, --cds=on/off, --start=on/off, --stop=on/off, --exonnames=on/off
  output lines of these kinds
--stopCodonExcludedFromCDS=on/off
  whether CDS lines end before the stop codon
--noInFrameStop=true/false
  accepted; whatever it says, no transcript has a stop codon in frame
--noprediction=true/false
  with a genbank file: only output the annotated genes and their proteins
--uniqueGeneId=true/false
  gene identifiers like this: seqname.gN
--outfile=filename, --errfile=filename
  print there instead of standard output and standard error
--progress=true/false
  report progress on standard error (default: when that is a terminal)
--device=auto, cpu, cuda, cuda:N or mps
  where the network runs (default auto)
--cluster=auto or HOST:PORT
  predict on the machines of a Ray cluster: that of this machine, or the one at this address
--accurate=on/off
  read the sequence in both directions and average, in twice the time (default: the species' own)
--AUGUSTUS_CONFIG_PATH=path
  path to config directory (if not specified as environment variable)

For a complete list of parameters, type "{program} --paramlist". Some parameters of AUGUSTUS are
accepted without effect, with a warning.

other commands, each with --help:
"""

_CHOSEN = ("auto", "not known: the clade that genes in a sample of the query look like")
_OTHER_KINDS = {
    "ignored": "Accepted without effect:",
    "refused": "Refused, since they belong to comparative prediction:",
}

ETRAINING_USAGE = f"""\
{VERSION}
usage:
etraining --species=SPECIES trainfilename

'trainfilename' is the filename (including relative path) to the file in genbank format containing
the training sequences. These can be multi-gene sequences. SPECIES is a name for your species.

parameters:
--/genbank/verbosity=n, --/ExonModel/verbosity=n
  0 leaves out messages about records, about genes
--stopCodonExcludedFromCDS=on/off
  whether the CDS in the file end before the stop codon (default: the species' own)
--AUGUSTUS_CONFIG_PATH=path
  path to config directory (if not specified as environment variable)

"""


def help_text(program: str = "augustus-dl") -> str:
    """The answer to --help of the program called by this name."""
    commands = "".join(f"  augustus-dl {name:<11} {line}\n" for name, line in COMMANDS.items())
    return (_SYNOPSIS + _HELP).format(program=program) + commands


def usage(program: str = "augustus-dl") -> str:
    """What is printed when there are no arguments: greeting and help."""
    return f"{VERSION}\n{help_text(program)}\n"


def species_list(names: Iterable[tuple[str, str]], program: str = "augustus-dl") -> str:
    """The answer to --species=help for pairs of identifier and scientific name."""
    lines = [
        "where SPECIES is one of the following identifiers",
        "",
        f"{'identifier':<41}| species",
        f"{'-' * 41}|{'-' * 22}",
    ]
    lines += [f"{name:<41}| {organism}".rstrip() for name, organism in [_CHOSEN, *names]]
    return _SYNOPSIS.format(program=program) + "\n".join(lines) + "\n"


def parameter_list() -> str:
    """The answer to --paramlist: options that have an effect, then the names of all others."""
    known = [option for option in options().values() if "augustus" not in option.excluded]
    parts = [_described(option) for option in known if option.kind == "honoured"]
    for kind, heading in _OTHER_KINDS.items():
        names = (option.name for option in known if option.kind == kind)
        parts.append("\n".join([heading, *names, ""]))
    return "Possible parameter names are:\n" + "\n".join(parts) + "\n\n"


def _described(option: Option) -> str:
    lines = [option.name]
    if option.type:
        lines.append(f"  Type: {option.type}")
    if option.default:
        lines.append(f'  Default value: "{option.default}"')
    if option.values:
        lines.append(f"  Possible value(s): {json.dumps(option.values, separators=(',', ':'))}")
    lines.append(f"  Usage: {option.usage}")
    lines.append(f"  Description: {option.note}")
    return "\n".join(lines) + "\n"
