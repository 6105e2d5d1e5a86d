"""`augustus-dl evaluate`: accuracy of a prediction against a reference annotation."""

import json
from pathlib import Path
from typing import Annotated

import typer

from augustus_dl.errors import OptionError


def evaluate(
    genome: Annotated[Path, typer.Argument(help="FASTA file that both annotations speak of.")],
    reference: Annotated[Path, typer.Argument(help="True genes, GTF or GFF3.")],
    prediction: Annotated[
        Path, typer.Argument(help="Genes to judge, GTF or GFF3, AUGUSTUS's output for example.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers here too.")
    ] = None,
    genetic_code: Annotated[
        int, typer.Option(metavar="N", help="NCBI's id of the genetic code.")
    ] = 1,
) -> None:
    """Print sensitivity, precision and F1 of predicted coding sequence.

    Levels: nucleotide; exon (both ends exact); transcript and gene (all coding exons exact, for a
    gene those of one of its transcripts). Doubtful reference genes and what is predicted on them
    are not judged: pseudogenes, genes without a model, genes impossible on the sequence.
    """
    from augustus_dl.evaluate import evaluate_files
    from augustus_dl.io.files import whole_file

    accuracy = evaluate_files(genome, reference, prediction, genetic_code)
    if json_file is not None:
        path = json_file.expanduser()
        try:
            with whole_file(path) as part:
                part.write_text(json.dumps(accuracy.to_dict(), indent=2) + "\n")
        except OSError as error:
            raise OptionError(f"--json {path} cannot be written: {error.strerror}") from error
    typer.echo(accuracy.table())
