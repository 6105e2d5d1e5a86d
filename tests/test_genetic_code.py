"""Genetic codes, translation and spliced coding sequence."""

import numpy as np
import pytest
from Bio.Seq import Seq

from augustus_dl.encode import base_codes
from augustus_dl.errors import OptionError
from augustus_dl.gene import Transcript
from augustus_dl.genetic_code import coding_bases, genetic_code, translate, translation_table


def test_standard_code_starts_with_atg_only():
    code = genetic_code()
    assert code.table == 1
    assert code.starts == {"ATG"}
    assert code.stops == {"TAA", "TAG", "TGA"}
    assert len(code.amino) == 64


def test_other_codes():
    assert genetic_code(6).stops == {"TGA"}
    assert genetic_code(6).amino["TAA"] == "Q"
    assert genetic_code(12).starts == {"ATG"}
    assert genetic_code(12).amino["CTG"] == "S"
    assert {"ATG", "GTG", "TTG"} < genetic_code(11).starts
    assert "TGA" not in genetic_code(4).stops
    assert "GTG" in genetic_code(4).starts


def test_context_dependent_stops_are_stops():
    code = genetic_code(28)
    assert {code.amino[stop] for stop in code.stops} == {"*"}


def test_stop_codons_that_code_for_something():
    code = genetic_code(1, frozenset({"TGA"}))
    assert code.stops == {"TAA", "TAG"}
    assert translate(base_codes(b"ATGTGATAA"), code) == "MX*"
    assert genetic_code(1, frozenset({"TGG"})).stops == genetic_code(1).stops
    assert genetic_code(28, frozenset({"TGA"})).amino["TGA"] == "W"  # NCBI's table says so


def test_a_code_without_stop_codons_is_refused():
    with pytest.raises(OptionError, match="genetic code 6 has no stop codon left: TGA"):
        genetic_code(6, frozenset({"TGA"}))


def test_table_ids_that_augustus_does_not_know_become_the_standard_code(caplog):
    assert [n for n in range(-1, 40) if translation_table(n) == n] == [
        *range(1, 7),
        *range(9, 17),
        *range(21, 25),
    ]
    caplog.clear()
    assert translation_table(4) == 4 and not caplog.records
    assert translation_table(25) == 1
    assert "no translation_table 25; using the standard genetic code" in caplog.text


@pytest.mark.parametrize("table", [0, 7, 99])
def test_unknown_table_is_refused(table):
    with pytest.raises(OptionError, match=f"no genetic code {table}"):
        genetic_code(table)


@pytest.mark.parametrize("table", [1, 2, 4, 6, 10, 11, 12, 26])
def test_translation_agrees_with_biopython(table):
    rng = np.random.default_rng(table)
    sequence = "".join(rng.choice(list("ACGT"), 3000))
    expected = str(Seq(sequence).translate(table=table))
    assert translate(base_codes(sequence.encode()), genetic_code(table)) == expected


def test_unknown_and_leftover_bases():
    assert translate(base_codes(b"ATGNNNTAAGNTcc"), genetic_code()) == "MX*X"
    assert translate(base_codes(b"AT"), genetic_code()) == ""


def test_coding_bases_on_both_strands():
    sequence = b"CCATGGTAAGTTAGCATAACC"
    transcript = Transcript("+", ((2, 5), (14, 19)))
    assert (
        coding_bases(transcript, base_codes(sequence)).tolist() == base_codes(b"ATGCATAA").tolist()
    )
    reverse = bytes(Seq(sequence).reverse_complement())
    mirrored = coding_bases(transcript.mirrored(len(sequence)), base_codes(reverse))
    assert mirrored.tolist() == base_codes(b"ATGCATAA").tolist()
