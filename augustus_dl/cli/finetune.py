"""`augustus-dl finetune`: a species profile from a genome and some of its genes."""

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from augustus_dl.errors import OptionError, TrainingError


def finetune(
    annotation: Annotated[Path, typer.Option(help="Genes: GFF3, GTF or GenBank.")],
    species: Annotated[str, typer.Option(help="Name of the new species.")],
    genome: Annotated[
        Path | None, typer.Option(help="FASTA file; GenBank has the sequence with the genes.")
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="CLADE",
            help="Clade, species or model folder to start from; by default the checkpoint that "
            "finds most of some of the genes.",
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            help="Species folder to write; by default species/NAME in AUGUSTUS_CONFIG_PATH, or "
            "NAME in this folder where that is not set."
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Time to use, in all.")] = 15.0,
    flank: Annotated[
        int, typer.Option(min=0, help="Bases beside a gene that are taken for intergenic.")
    ] = 1000,
    genetic_code: Annotated[int, typer.Option(metavar="N", help="NCBI's id.")] = 1,
    path_weight: Annotated[float, typer.Option(min=0, help="Weight of whole paths' loss.")] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 3e-4,
    mutation: Annotated[float, typer.Option(help="Highest mutation rate of a window.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split and of windows.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    config_path: Annotated[
        Path | None,
        typer.Option(
            "--AUGUSTUS_CONFIG_PATH",
            envvar="AUGUSTUS_CONFIG_PATH",
            help="Folder `config` whose species/ gets the profile.",
        ),
    ] = None,
    deepspeed: Annotated[
        str,
        typer.Option(
            metavar="CONFIG",
            help="DeepSpeed's settings: a JSON file, or zero0, zero1, zero2, zero3.",
        ),
    ] = "",
) -> None:
    """Adapt a checkpoint to the genes of a species; some hundred suffice.

    A quarter of the genes is held out to choose by and to compare with the checkpoint; a profile
    that is worse on them is not written. The comparison goes to standard output.
    """
    began = time.monotonic()
    folder = _destination(species, output, config_path)
    from augustus_dl.engine.torch import choose_device
    from augustus_dl.profile import find_parent
    from augustus_dl.train.engine import read_settings
    from augustus_dl.train.finetune import Recipe, nearest_checkpoint
    from augustus_dl.train.finetune import finetune as run
    from augustus_dl.train.parallel import is_alone, is_main
    from augustus_dl.train.species_folder import put_network

    def say(line: str) -> None:
        if is_main():
            typer.echo(line, err=True)

    if deepspeed:
        read_settings(deepspeed)
    if not (start or is_alone()):
        raise OptionError("several processes need --from: the checkpoint that all start from")
    where = choose_device(device)
    genes = _training_genes(genome, annotation, genetic_code, flank)
    for line in genes.summary():
        say(line)
    recipe = Recipe(minutes, learning_rate, path_weight, mutation, seed=seed)
    parent = find_parent(start) if start else nearest_checkpoint(genes, where, say)
    say(f"starting from {parent.name} (clade {parent.clade})")
    with tempfile.TemporaryDirectory(prefix="augustus-dl-") as scratch:
        scratch = Path(scratch)
        outcome = run(genes, parent, species, recipe, scratch, where, say, began, deepspeed)
        if outcome is None:
            return
        typer.echo(outcome.table())
        if outcome.is_worse:
            raise TrainingError(
                f"no profile is written: on {outcome.held_out} held-out genes it would be worse "
                f"than {parent.name} (gene F1 {outcome.fitted['gene']:.2f} against "
                f"{outcome.parent['gene']:.2f}); use --species={parent.name}, or give more genes"
            )
        put_network(folder, species, outcome, parent)
    say(f"profile in {folder}, {(time.monotonic() - began) / 60:.1f} minutes")


def _destination(species: str, output: Path | None, config_path: Path | None) -> Path:
    """The folder that becomes the profile.

    Raises:
        OptionError: it cannot be one.
    """
    from augustus_dl.profile import species_names
    from augustus_dl.profile_files import check_species_name

    check_species_name(species)
    if output is not None:
        folder = output.expanduser()
    elif config_path is not None:
        folder = config_path.expanduser() / "species" / species
        if not folder.parent.is_dir():
            raise OptionError(f"AUGUSTUS_CONFIG_PATH: there is no folder {folder.parent}")
    elif species in species_names():
        raise OptionError(f"--species {species} is shipped; choose another name, or an --output")
    else:
        folder = Path(species)
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OptionError(f"{folder} cannot be written; name another folder with --output")
    return folder


def _training_genes(genome: Path | None, annotation: Path, table: int, flank: int):
    """Judged genes of files.

    Raises:
        OptionError: there is no genome for an annotation that is no GenBank file.
        InputError: as the readers, and as `collect`.
    """
    from augustus_dl.genetic_code import genetic_code
    from augustus_dl.io.annotation import read_annotation
    from augustus_dl.io.fasta import contigs
    from augustus_dl.io.files import InputFile
    from augustus_dl.io.genbank import read_genbank
    from augustus_dl.train.training_genes import collect, collect_records

    code, name = genetic_code(table), annotation.name
    file = InputFile(annotation, "annotation file")
    if file.head().lstrip().startswith(b"LOCUS"):
        return collect_records(read_genbank(file), code, name)
    if genome is None:
        raise OptionError(f"--genome is needed: {annotation} holds no sequence")
    return collect(contigs(genome), read_annotation(annotation), code, name, flank)
