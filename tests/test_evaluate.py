"""Accuracy counted by hand, masks, doubtful genes, and files."""

import logging

import pytest

from augustus_dl.errors import InputError
from augustus_dl.evaluate import evaluate, evaluate_files, exon_verdicts
from augustus_dl.gene import Gene, Transcript
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import Annotation, write_gff3
from augustus_dl.io.fasta import Contig, write_fasta

CODE = genetic_code(1)
ONE = "ATGAAACCCTAA"
TWO = "ATGAAA" + "GTAAGTTTCAG" + "CCCAAATAA"
SEQUENCE = "C" * 10 + ONE + "C" * 10 + TWO + "C" * 10 + "TTAGGGTTTCAT" + "C" * 10 + "CCCCCC"
"""Single exon 10-22; exons 32-38 and 49-58; minus strand single exon 68-80; length 96."""

FIRST = Transcript("+", ((10, 22),))
SPLICED = Transcript("+", ((32, 38), (49, 58)))
MINUS = Transcript("-", ((68, 80),))


def gene(*transcripts: Transcript, contig: str = "c") -> Gene:
    return Gene(contig, transcripts[0].strand, transcripts)


def score(reference, predicted, masks=(), sequence: str = SEQUENCE):
    """Accuracy on one contig."""
    annotation = Annotation({"c": list(reference)}, {"c": list(masks)})
    return evaluate(annotation, {"c": list(predicted)}, [Contig("c", sequence.encode())], CODE)


def counts(level) -> tuple[int, int, int, int]:
    return level.reference, level.found, level.predicted, level.right


REFERENCE = [gene(FIRST), gene(SPLICED), gene(MINUS)]


def test_perfect():
    found = score(REFERENCE, REFERENCE)
    assert counts(found.nucleotide) == (39, 39, 39, 39)
    assert counts(found.exon) == (4, 4, 4, 4)
    assert counts(found.transcript) == counts(found.gene) == (3, 3, 3, 3)
    assert [level.f1 for level in found.levels.values()] == [1, 1, 1, 1]


def test_nothing_predicted_and_nothing_known():
    for level in score(REFERENCE, []).levels.values():
        assert (level.sensitivity, level.precision, level.f1) == (0, 0, 0)
    for level in score([], REFERENCE).levels.values():
        assert (level.sensitivity, level.precision, level.f1) == (0, 0, 0)


def test_one_wrong_boundary():
    """First gene exact; second exon three bases too long; the third on the wrong strand."""
    wrong = Transcript("+", ((32, 38), (49, 61)))
    other_strand = Transcript("+", ((68, 80),))
    found = score(REFERENCE, [gene(FIRST), gene(wrong), gene(other_strand)])
    assert counts(found.nucleotide) == (39, 27, 42, 27)
    assert counts(found.exon) == (4, 2, 4, 2)
    assert counts(found.gene) == (3, 1, 3, 1)
    assert found.nucleotide.sensitivity == pytest.approx(27 / 39)
    assert found.nucleotide.precision == pytest.approx(27 / 42)
    assert found.gene.f1 == pytest.approx(1 / 3)
    assert found.nucleotide.f1 == pytest.approx(2 * 27 / (39 + 42))


def test_one_isoform_is_enough_for_the_gene():
    skipped = Transcript("+", ((32, 38), (55, 58)))
    found = score([gene(FIRST)], [gene(Transcript("+", ((13, 22),)), FIRST), gene(skipped)])
    assert counts(found.gene) == (1, 1, 2, 1)
    assert counts(found.transcript) == (1, 1, 3, 1)
    assert counts(found.exon) == (1, 1, 4, 1)
    assert counts(found.nucleotide) == (12, 12, 21, 12)


def test_a_gene_predicted_in_two_halves_is_not_found():
    halves = [gene(Transcript("+", (exon,))) for exon in SPLICED.cds]
    found = score([gene(SPLICED)], halves)
    assert counts(found.gene) == (1, 0, 2, 0)
    assert counts(found.exon) == (2, 2, 2, 2)


def test_predictions_on_masks_are_not_judged():
    found = score([gene(FIRST)], [gene(FIRST), gene(MINUS)], masks=[(60, 72, "pseudogene")])
    assert counts(found.gene) == (1, 1, 1, 1)
    assert counts(found.exon) == counts(found.transcript) == (1, 1, 1, 1)
    assert counts(found.nucleotide) == (12, 12, 20, 12)
    assert (found.masked_genes, found.ignored_genes) == (0, 1)


def test_a_mask_in_an_intron_leaves_the_gene_alone():
    found = score([gene(SPLICED)], [gene(SPLICED)], masks=[(38, 49, "pseudogene")])
    assert counts(found.gene) == (1, 1, 1, 1)
    assert (found.masked_genes, found.ignored_genes) == (0, 0)


def test_reference_genes_on_masks_are_not_judged():
    found = score(REFERENCE, [gene(FIRST)], masks=[(70, 71, "doubt")])
    assert counts(found.gene) == (2, 1, 1, 1)
    assert found.masked_genes == 1


def test_impossible_reference_genes_are_not_judged():
    """No start codon: the gene is masked over its extent, on both strands."""
    impossible = gene(Transcript("+", ((13, 22), (32, 38))))
    near = [gene(Transcript("-", ((24, 30),))), gene(MINUS)]
    found = score([impossible, gene(MINUS)], near)
    assert counts(found.gene) == (1, 1, 1, 1)
    assert counts(found.nucleotide) == (12, 12, 12, 12)
    assert (found.masked_genes, found.ignored_genes) == (1, 1)


def test_a_good_gene_inside_a_doubtful_one_is_judged():
    doubtful = gene(Transcript("+", ((13, 16), (81, 90))))
    found = score([doubtful, gene(MINUS)], [gene(MINUS), gene(FIRST)])
    assert counts(found.gene) == (1, 1, 1, 1)
    assert (found.masked_genes, found.ignored_genes) == (1, 1)


def test_impossible_isoforms_are_not_asked_for():
    impossible = Transcript("+", ((32, 38), (46, 58)))
    found = score([gene(SPLICED, impossible)], [gene(impossible)])
    assert counts(found.gene) == (1, 0, 0, 0)
    assert counts(found.transcript) == (1, 0, 0, 0)
    assert counts(found.exon) == (2, 1, 1, 1)
    assert counts(found.nucleotide) == (15, 15, 15, 15)
    assert found.ignored_genes == 1


def test_the_genetic_code_decides_what_is_possible():
    sequence = "CCATGTGAAAATAACC"
    genes = [gene(Transcript("+", ((2, 14),)))]
    contig = [Contig("c", sequence.encode())]
    reference = Annotation({"c": genes}, {})
    assert evaluate(reference, {"c": genes}, contig, CODE).masked_genes == 1
    assert evaluate(reference, {"c": genes}, contig, genetic_code(4)).gene.f1 == 1


def test_sequences_are_added_up_and_kept_apart():
    contigs = [Contig(name, SEQUENCE.encode()) for name in "cd"]
    reference = Annotation({"c": [gene(FIRST)], "d": [gene(MINUS, contig="d")]}, {})
    predicted = {"c": [gene(FIRST)], "d": [gene(FIRST, contig="d")]}
    found = evaluate(reference, predicted, contigs, CODE)
    assert counts(found.gene) == counts(found.exon) == (2, 1, 2, 1)
    assert counts(found.nucleotide) == (24, 12, 24, 12)


def test_report():
    found = score(REFERENCE, REFERENCE[:2])
    as_dict = found.to_dict()
    assert as_dict["gene"] == {
        "sensitivity": pytest.approx(2 / 3),
        "precision": 1.0,
        "f1": pytest.approx(0.8),
        "reference": 3,
        "found": 2,
        "predicted": 2,
        "right": 2,
    }
    assert as_dict["masked_genes"] == 0
    lines = found.table().splitlines()
    assert len({len(line) for line in lines[:5]}) == 1
    assert lines[4].split() == ["gene", "0.6667", "1.0000", "0.8000", "3", "2", "2", "2"]
    assert "0 doubtful reference genes" in lines[5]


def test_verdicts_on_exons():
    reference = Annotation({"c": REFERENCE}, {"c": [(84, 96, "doubtful")]})
    exons = [("+", 32, 38), ("+", 49, 61), ("-", 68, 80), ("+", 68, 80), ("+", 80, 90)]
    contig = Contig("c", SEQUENCE.encode())
    assert exon_verdicts(reference, contig, CODE, exons) == [True, False, True, False, None]
    assert exon_verdicts(reference, contig, CODE, []) == []


@pytest.fixture
def files(tmp_path):
    write_fasta(tmp_path / "g.fa", [Contig("c", SEQUENCE.encode())])
    write_gff3(tmp_path / "r.gff3", REFERENCE)
    write_gff3(tmp_path / "p.gff3", REFERENCE[1:])
    return tmp_path / "g.fa", tmp_path / "r.gff3", tmp_path / "p.gff3"


def test_files(files):
    found = evaluate_files(*files)
    assert counts(found.gene) == (3, 2, 2, 2)


def test_reference_on_other_sequences_is_left_out_with_a_warning(files, caplog):
    write_gff3(files[1], [*REFERENCE, gene(FIRST, contig="elsewhere")])
    with caplog.at_level(logging.WARNING):
        assert counts(evaluate_files(*files).gene) == (3, 2, 2, 2)
    assert "elsewhere" in caplog.text


def test_prediction_on_other_sequences_is_an_error(files):
    write_gff3(files[2], [gene(FIRST, contig="elsewhere")])
    with pytest.raises(InputError, match="elsewhere"):
        evaluate_files(*files)


def test_two_sequences_of_one_name_are_an_error(files):
    write_fasta(files[0], [Contig("c", b"ACGT")] * 2)
    with pytest.raises(InputError, match="two sequences are named c"):
        evaluate_files(*files)
