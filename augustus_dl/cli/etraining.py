"""`etraining --species=NAME genes.gb`: AUGUSTUS's training program, which fine-tunes here.

Arguments, species and training genes are read and checked as AUGUSTUS does, with its messages for
genes that cannot be used: pipelines throw those genes away by them. Then a network is fine-tuned to
the genes, see `augustus_dl.train.etraining`. Files with AUGUSTUS's own parameters are stubs, there
because clients look for them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from augustus_dl.cli.arguments import (
    CommandLine,
    Settings,
    check_names,
    optional_parameters,
    options,
    parse,
)
from augustus_dl.cli.reporting import Reported
from augustus_dl.cli.usage import ETRAINING_USAGE, VERSION, parameter_list, species_list
from augustus_dl.encode import base_codes
from augustus_dl.errors import InputError, OptionError, TrainingError
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import (
    GeneticCode,
    coding_bases,
    genetic_code,
    translate,
    translation_table,
)
from augustus_dl.io.fasta import Contig
from augustus_dl.io.files import whole_file
from augustus_dl.io.query import open_query
from augustus_dl.profile import find_profile, species_table
from augustus_dl.profile_files import read_parameters

__all__ = ["CodonCounts", "gene_faults", "main"]

_STOPS = ("tag", "taa", "tga")
_FILES = {
    "/ExonModel/outfile": "exon",
    "/IntronModel/outfile": "intron",
    "/IGenicModel/outfile": "igenic",
}
"""Settings that name files with AUGUSTUS's own parameters, and the kind in their usual names."""
_STUB = "# augustus-dl keeps what it learned in the network that *_dl.json names.\n"

Records = list[tuple[Contig, tuple[Gene, ...]]]


@dataclass
class CodonCounts:
    """How often each codon starts and ends the training genes."""

    starts: Counter[str]
    stops: Counter[str]

    def lines(self) -> Iterator[str]:
        """What AUGUSTUS prints; pipelines copy the frequencies into the species file."""
        yield "start codon frequencies: " + ", ".join(
            f"{codon.upper()}({count})" for codon, count in sorted(self.starts.items())
        )
        total = sum(self.stops.values())
        yield "Frequency of stop codons:"
        for codon in _STOPS if total else ():
            count = self.stops[codon]
            yield f"{codon}:{count:5d} ({count / total:.3g})"


def main(
    arguments: Sequence[str], stdout: TextIO, stderr: TextIO, program: str = "etraining"
) -> int:
    """Run etraining's command line and return the exit status.

    Args:
        arguments: the words behind the program's name.
        program: name in error frames.
    """
    with Reported(program, stderr) as running:
        if not arguments:
            stdout.write(ETRAINING_USAGE)
            return 0
        command = parse(arguments)
        answer = _answer(command)
        if answer is not None:
            stderr.write(answer)
            return 0
        settings = _settings(command.values)
        records = _training_genes(command, settings)
        if settings.integer("/genbank/verbosity", 1):
            stdout.write(f"# Read in {len(records)} genbank sequences.\n")
            stderr.writelines(f"{line}\n" for line in _incomplete(records))
        _check_genes(records, settings, stdout, stderr)
        stdout.flush()
        folder = _species_folder(command.values)
        _write_stubs(folder, settings)
        if not (_only_compares(settings) and any(folder.glob("*_dl.json"))):
            _train(folder, records, settings)
    return running.status


def gene_faults(
    transcript: Transcript, contig: Contig, code: GeneticCode, found: CodonCounts
) -> Iterator[str]:
    """Why AUGUSTUS does not train on a transcript, in its words; nothing for a good one.

    Args:
        found: gets the codons that the transcript starts and ends with, where they are right.
    """
    bases = coding_bases(transcript, base_codes(contig.sequence))
    if len(bases) % 3:
        yield "coding length not a multiple of 3. Skipping..."
        return
    single = len(transcript.cds) == 1
    if single and len(bases) < 6:
        yield "Single training exon too short."
        return
    letters = ["".join("acgtn"[base] for base in codon) for codon in bases.reshape(-1, 3)]
    if letters[0].upper() in code.starts:
        found.starts[letters[0]] += 1
    else:
        kind = "Single exon gene" if single else "Initial exon"
        yield f"{kind} does not begin with start codon but with {letters[0]}"
        if single:
            return
    protein = translate(bases, code)
    if "*" in protein[:-2]:  # a stop before the last codon may be one that the CDS should exclude
        yield "in-frame stop codon"
    elif not protein.endswith("*"):
        kind = "Single" if single else "Terminal"
        yield (
            f"{kind} exon doesn't end in stop codon. Variable stopCodonExcludedFromCDS set right?"
        )
    else:
        found.stops[letters[-1]] += 1


def _answer(command: CommandLine) -> str | None:
    """What is printed instead of training, if that was asked for."""
    if "--version" in command.requests:
        return VERSION
    if "--help" in command.requests:
        return ETRAINING_USAGE
    if "--paramlist" in command.requests:
        return parameter_list()
    if command.values.get("species") == "help":
        return species_list(species_table(command.values.get("AUGUSTUS_CONFIG_PATH")))
    return None


def _settings(values: dict[str, str]) -> Settings:
    """The options over the species file.

    Raises:
        OptionError, SpeciesError: in AUGUSTUS's words where it has some.
    """
    if "species" not in values:
        raise OptionError(
            'No species specified. Type "augustus --species=help" to see available species.'
        )
    config_path = values.get("AUGUSTUS_CONFIG_PATH", os.environ.get("AUGUSTUS_CONFIG_PATH"))
    parameters = _species_parameters(values["species"], config_path)
    if "optCfgFile" in values:
        parameters |= optional_parameters(values["optCfgFile"], config_path or "")
    check_names(values)
    settings = Settings(values, parameters)
    genemodel = settings.text("genemodel", "partial")
    if genemodel not in options()["genemodel"].values:
        raise OptionError(f"Unknown value for parameter genemodel: {genemodel}")
    settings.switch("UTR", False)
    return settings


def _species_parameters(name: str, config_path: str | None) -> dict[str, str]:
    """The species file: a new species has nothing else yet."""
    if config_path:
        cfg = Path(config_path).expanduser() / "species" / name / f"{name}_parameters.cfg"
        if cfg.is_file():
            return read_parameters(cfg)
    return dict(find_profile(name, config_path).parameters)


def _species_folder(values: Mapping[str, str]) -> Path:
    """The folder that is trained.

    Raises:
        TrainingError: it is none that can be written to.
    """
    name = values["species"]
    config_path = values.get("AUGUSTUS_CONFIG_PATH", os.environ.get("AUGUSTUS_CONFIG_PATH"))
    folder = Path(config_path or "").expanduser() / "species" / name
    if not config_path or not (folder / f"{name}_parameters.cfg").is_file():
        raise TrainingError(
            f"Species {name} has no folder of its own to train in. Name a config folder with "
            "--AUGUSTUS_CONFIG_PATH and make the species there with new_species.pl."
        )
    if not os.access(folder, os.W_OK):
        raise TrainingError(f"Species folder {folder} cannot be written to.")
    return folder


def _write_stubs(folder: Path, settings: Settings) -> None:
    """The files that AUGUSTUS's training writes, under the names that the settings give them."""
    name = settings.values["species"]
    for key, kind in _FILES.items():
        path = folder / settings.text(key, f"{name}_{kind}_probs.pbl")
        if not path.exists() or path.is_file():
            with whole_file(path) as part:
                part.write_text(_STUB, encoding="utf-8")


def _only_compares(settings: Settings) -> bool:
    """Whether optimize_augustus.pl calls, which silences all parts. What it compares, parameters
    of AUGUSTUS's own model, does not matter here; a species that has a network keeps it."""
    names = ("/augustus/verbosity", "/genbank/verbosity", "/ExonModel/verbosity")
    return all(settings.values.get(name) == "0" for name in names)


def _train(folder: Path, records: Records, settings: Settings) -> None:
    from augustus_dl.train.etraining import train_species

    table = translation_table(settings.integer("translation_table", 1))
    train_species(folder, settings.values["species"], records, table, os.environ)


def _training_genes(command: CommandLine, settings: Settings) -> Records:
    if command.query is None:
        raise OptionError('No training file specified. Type "etraining" for help.')
    query = open_query(command.query)
    if query.format != "genbank":
        raise InputError("Input file not in genbank format.")
    stop_excluded = settings.switch("stopCodonExcludedFromCDS", False)
    return [(contig, genes or ()) for contig, genes in query.records(stop_excluded)]


def _incomplete(records: Records) -> Iterator[str]:
    for contig, genes in records:
        for gene in genes:
            if not all(t.complete5 and t.complete3 for t in gene.transcripts):
                yield f"Coding sequence incomplete in sequence {contig.name}."


def _check_genes(records: Records, settings: Settings, stdout: TextIO, stderr: TextIO) -> None:
    """Print what is wrong with genes on stderr, and codon frequencies on stdout."""
    if not settings.integer("/ExonModel/verbosity", 1):
        return
    found = CodonCounts(Counter(), Counter())
    code = genetic_code(translation_table(settings.integer("translation_table", 1)))
    for line in _faults(records, code, found):
        stderr.write(f"{line}\n")
    stdout.writelines(f"{line}\n" for line in found.lines())


def _faults(records: Records, code: GeneticCode, found: CodonCounts) -> Iterable[str]:
    for contig, genes in records:
        for gene in genes:
            for number, transcript in enumerate(gene.transcripts, 1):
                for fault in gene_faults(transcript, contig, code, found):
                    yield f"gene {gene.id} transcr. {number} in sequence {contig.name}: {fault}"
