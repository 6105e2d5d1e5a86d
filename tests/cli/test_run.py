"""Options to settings: precedence, defaults, values with a meaning, the order of mistakes.

python -m pytest tests/cli/test_run.py
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from augustus_dl import species_choice
from augustus_dl.alternatives import AlternativeOptions
from augustus_dl.cli.arguments import parse
from augustus_dl.cli.run import Run, checked
from augustus_dl.errors import InputError, OptionError
from augustus_dl.hints import HintType
from augustus_dl.io import protein_profile
from augustus_dl.io.fasta import Contig
from augustus_dl.io.fasta import contigs as contigs_of
from augustus_dl.io.writers import OutputOptions
from augustus_dl.predict import PredictOptions
from augustus_dl.protein_profile import ProfileOptions
from augustus_dl.species_choice import Choice
from tests.cli.stand_in import DATA

GENBANK = DATA.parents[1] / "golden" / "inputs" / "HS04636.gb"


@pytest.fixture
def run(config: Path) -> Callable[..., Run]:
    """The settings of a run of the human species on the test data, unless the words name others."""

    def run(*words: object) -> Run:
        given = [str(word) for word in words]
        if not any(word.startswith(("--species", "--optCfgFile")) for word in given):
            given.insert(0, "--species=human")
        if all(word.startswith("--") for word in given):
            given.append("genes.fa")
        return checked(parse(given))

    return run


@pytest.fixture
def cfg(config: Path) -> Path:
    """The species file of human."""
    return config / "species" / "human" / "human_parameters.cfg"


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Warnings so far."""
    caplog.set_level(logging.WARNING, logger="augustus_dl")
    return lambda: caplog.messages


def refused(run: Callable[..., Run], *words: object) -> str:
    """The message that an option gets."""
    with pytest.raises(OptionError) as caught:
        run(*words)
    return str(caught.value)


# Where values come from


def test_the_command_line_goes_before_the_optional_file_and_that_before_the_species(
    run: Callable[..., Run], cfg: Path, tmp_path: Path
) -> None:
    optional = tmp_path / "o.cfg"
    cfg.write_text("cds off\nstart off\nstop off\n")
    optional.write_text("start on\nstop on\n")
    output = run(f"--optCfgFile={optional}", "--stop=off", "--species=human").output
    assert (output.protein, output.cds, output.start, output.stop) == (True, False, True, False)


def test_the_optional_file_may_name_the_species(run: Callable[..., Run], tmp_path: Path) -> None:
    optional = tmp_path / "o.cfg"
    optional.write_text("species fly\n")
    assert run(f"--optCfgFile={optional}").profile.name == "fly"
    assert run(f"--optCfgFile={optional}", "--species=human").profile.name == "human"
    optional.write_text("gff3 on\n")
    assert refused(run, f"--optCfgFile={optional}").startswith("No species specified.")


def test_a_species_can_be_chosen(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[str], PredictOptions]] = []

    def chosen(contigs: Iterable[Contig], options: PredictOptions) -> Choice:
        asked.append(([contig.name for contig in contigs], options))
        return Choice("fly", {"arthropods": 0.8, "animals": 0.2}, 9, 1000)

    monkeypatch.setattr(species_choice, "choose", chosen)
    names = [contig.name for contig in contigs_of(DATA / "genes.fa")]
    words = ("--device=cpu", "--softmasking=off", "--translation_table=6")
    found = run("--species=auto", *words)
    options = PredictOptions(device="cpu", softmasking=False, translation_table=6)
    assert asked == [(names, options)]
    assert (found.profile.name, found.choice.species) == ("fly", "fly")
    assert found.profile.parameters["introns"] == "off"  # as the user's own folder has it
    assert run("--species=fly").choice is None
    optional = tmp_path / "o.cfg"
    optional.write_text("species auto\n")
    assert run(f"--optCfgFile={optional}").profile.name == "fly"


def test_a_pipe_is_read_for_the_choice_and_again(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b">one\nACGT\n>two\nAC\n",))
    writer.start()
    read: list[str] = []

    def chosen(contigs: Iterable[Contig], options: PredictOptions) -> Choice:
        read.extend(contig.name for contig in contigs)
        return Choice("human", {"vertebrates": 0.8, "animals": 0.2}, 9, 1000)

    monkeypatch.setattr(species_choice, "choose", chosen)
    found = checked(parse(["--species=auto", str(pipe)]))
    writer.join()
    assert read == ["one", "two"]
    assert [contig.name for contig, _ in found.query.records()] == ["one", "two"]


def test_mistakes_are_told_before_a_species_is_chosen(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(species_choice, "choose", lambda *_: pytest.fail("too early"))
    assert "nonsense" in refused(run, "--species=auto", "--nonsense=1")
    with pytest.raises(OptionError, match="No query file specified"):
        checked(parse(["--species=auto"]))
    with pytest.raises(InputError, match="Could not open input file"):
        checked(parse(["--species=auto", "absent.fa"]))


def test_without_any_value_augustus_defaults_hold(run: Callable[..., Run], cfg: Path) -> None:
    cfg.write_text("")
    found = run()
    assert found.options.alternatives == AlternativeOptions()
    left = {"softmasking": True, "range": None, "utr": False, "sense_stops": ()}
    expected = PredictOptions(translation_table=1, hints=found.hints, **left)
    assert found.options == expected
    usual = {"verbosity": 1, "genbank_verbosity": 1, "tss": False, "tts": False}
    assert found.output == OutputOptions(**usual)
    assert not (found.strict or found.listing or found.annotated or found.shift)


# What values become


def test_options_of_prediction(run: Callable[..., Run], cfg: Path) -> None:
    cfg.write_text("")
    words = (
        "--device=cuda:1 --softmasking=no --strand=forward --singlestrand=true "
        "--genemodel=complete --translation_table=6 --min_intron_len=20 --maxOvlp=9 "
        "--/Constant/min_coding_len=99 --accurate=on"
    )
    assert run(*words.split()).options == PredictOptions(
        device="cuda:1",
        softmasking=False,
        strand="forward",
        singlestrand=True,
        genemodel="complete",
        max_overlap=9,
        translation_table=6,
        sense_stops=(),
        min_coding_length=99,
        min_intron=20,
        accurate=True,
    )


def test_options_of_sampling(run: Callable[..., Run]) -> None:
    words = (
        "--sample=200 --alternatives-from-sampling=on --minexonintronprob=0.1 "
        "--minmeanexonintronprob=0.4 --maxtracks=3 --keep_viterbi=yes --uniqueCDS=t "
        "--temperature=3 --mea=1"
    )
    found = run(*words.split())
    assert found.options.alternatives == AlternativeOptions(
        sample=200,
        alternatives=True,
        min_exon_intron=0.1,
        min_mean_exon_intron=0.4,
        max_tracks=3,
        keep_best=True,
        unique_cds=True,
        temperature=3,
        mea=True,
    )
    assert (found.options.alternatives.temperature, found.output.mea) == (3, True)


OUTPUT = {
    "gff3": "gff3",
    "protein": "protein",
    "codingseq": "codingseq",
    "introns": "introns",
    "cds": "cds",
    "start": "start",
    "stop": "stop",
    "exonnames": "exonnames",
    "print_utr": "print_utr",
    "tss": "tss",
    "tts": "tts",
    "stopCodonExcludedFromCDS": "stop_excluded",
    "uniqueGeneId": "unique_gene_id",
    "softmasking": "softmasking",
    "printEvidence": "evidence",
    "singlestrand": "singlestrand",
    "mea": "mea",
}


@pytest.mark.parametrize(("option", "attribute"), OUTPUT.items())
def test_switches_of_output(run: Callable[..., Run], option: str, attribute: str) -> None:
    hints = ("--hintsfile=hints.gff", "--extrinsicCfgFile=hints.cfg")  # evidence in any case
    on, off = (run(*hints, f"--{option}={word}").output for word in ("on", "off"))
    changed = [f.name for f in fields(on) if getattr(on, f.name) != getattr(off, f.name)]
    assert changed == [attribute]
    assert getattr(on, attribute) is True


def test_the_other_options_of_output(run: Callable[..., Run]) -> None:
    words = ("--strand=backward", "--/augustus/verbosity=0", "--/genbank/verbosity=2")
    output = run(*words, "--genemodel=bacterium").output
    assert (output.strand, output.verbosity, output.genbank_verbosity) == ("backward", 0, 2)
    assert output.bacterium


def test_switches_of_the_run(run: Callable[..., Run]) -> None:
    assert run("--gff3-strict=on").strict
    assert run("--printHints=true").listing
    assert run("--noprediction=1").annotated
    assert run("--proteinprofile=HS04636.prfl").options.protein_profile.name == "HS04636"


PROFILE = {
    "block_threshold_spec=9": {"block_spec": 9.0},
    "block_threshold_sens=9": {"block_sens": 9.0},
    "blockpart_threshold_spec=9": {"part_spec": 9.0},
    "blockpart_threshold_sens=9": {"part_sens": 9.0},
    "weight=9": {"weight": 9.0},
    "invalid_score=9": {"unknown": 9.0},
    "allow_truncated=on": {"allow_truncated": True},
}


@pytest.mark.parametrize(("option", "expected"), PROFILE.items())
def test_options_of_the_protein_profile(
    run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    expected: dict[str, object],
) -> None:
    monkeypatch.setattr(protein_profile, "read_protein_profile", lambda path, options: options)
    found = run("--proteinprofile=HS04636.prfl", f"--/ProteinModel/{option}")
    assert found.options.protein_profile == ProfileOptions(**expected)


def test_unknown_amino_acids_must_be_possible(run: Callable[..., Run]) -> None:
    words = ("--proteinprofile=HS04636.prfl", "--/ProteinModel/invalid_score=0")
    assert refused(run, *words) == "/ProteinModel/invalid_score must be above 0"


# Softmasking


def test_softmasking_is_on_for_fasta_and_off_for_genbank(run: Callable[..., Run]) -> None:
    fasta, genbank = run(), run(GENBANK)
    assert fasta.options.softmasking and fasta.hints.softmasking
    assert not genbank.options.softmasking and genbank.hints is None
    assert (fasta.output.evidence, genbank.output.evidence) == (True, False)
    assert (fasta.genbank, genbank.genbank) == (False, True)


def test_softmasking_can_be_switched(run: Callable[..., Run], cfg: Path) -> None:
    assert run("--softmasking=0").hints is None
    assert run("--softmasking=1", GENBANK).options.softmasking
    cfg.write_text("softmasking off\n")
    assert not run().options.softmasking


# Ranges


@pytest.mark.parametrize(
    ("words", "span", "shift"),
    [
        ([], None, 0),
        (["--predictionStart=100", "--predictionEnd=300"], (99, 300), 0),
        (["--predictionStart=100"], (99, None), 0),
        (["--predictionEnd=300"], (0, 300), 0),
        (["--predictionStart=500", "--predictionEnd=500"], (499, 500), 0),
        (["--predictionStart=100 ", "--predictionEnd=300 "], (99, 300), 0),
        (["--predictionStart=100.7", "--predictionEnd=300.2"], (99, 300), 0),
        (["--predictionStart=1"], None, 0),
        (["--predictionStart=0"], (-1, None), 0),
        (["--predictionStart=-7"], (-8, None), 0),
        (["--predictionStart=0", "--predictionEnd=300"], (-1, 300), 0),
        (["--predictionStart=0", "--predictionEnd=0"], None, 0),
        (["--predictionStart=-1000", "--predictionEnd=-1000"], None, 1000),
        (["--predictionStart=-1000.5", "--predictionEnd=-1000 "], None, 1000),
        (["--predictionStart=-1000", "--predictionEnd=300"], (-1001, 300), 0),
        (["--predictionStart=x", "--predictionEnd=300"], (0, 300), 0),
    ],
)
def test_ranges(
    run: Callable[..., Run], words: list[str], span: tuple[int, int | None] | None, shift: int
) -> None:
    found = run(*words)
    assert (found.options.range, found.shift) == (span, shift)


# Sampling


TOO_FEW = (
    "Error: Number of sample iterations is too low. (sample={})\n"
    "I will not sample (sample=0) and will not estimate posterior probabilities."
)
FEW = (
    "Warning: Number of sample iterations 'sample'={} is low.\n"
    "Posterior probabilities will be only rough estimates."
)
TOO_HOT = (
    "No temperature >7 allowed. temperature must be one of 0 1 2 3 4 5 6 7. "
    "Will use temperature=7."
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "samples", "message"),
    [
        ("1", 0, TOO_FEW),
        ("9", 0, TOO_FEW),
        ("10", 10, FEW),
        ("19", 19, FEW),
        ("20", 20, ""),
        ("0", 0, ""),
        ("-5", 0, ""),
    ],
)
def test_numbers_of_samples(
    run: Callable[..., Run],
    told: Callable[[], list[str]],
    cfg: Path,
    word: str,
    samples: int,
    message: str,
) -> None:
    cfg.write_text("sample 100\n")
    assert run().options.alternatives.sample == 100
    assert run(f"--sample={word}").options.alternatives.sample == samples
    assert told() == ([message.format(word)] if message else [])


def test_no_number_of_samples_is_none(run: Callable[..., Run], cfg: Path) -> None:
    cfg.write_text("sample 100\n")
    assert run("--sample=abc").options.alternatives.sample == 0


@pytest.mark.parametrize(
    ("word", "temperature", "warned"), [("7", 7, False), ("8", 7, True), ("-1", 7, True)]
)
def test_temperatures(
    run: Callable[..., Run],
    told: Callable[[], list[str]],
    word: str,
    temperature: int,
    warned: bool,
) -> None:
    assert run(f"--temperature={word}").options.alternatives.temperature == temperature
    assert told() == ([TOO_HOT] if warned else [])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--sample=9", TOO_FEW.format(9)),
        ("--sample=10", FEW.format(10)),
        ("--temperature=8", TOO_HOT),
    ],
)
def test_the_warnings_are_those_of_the_installed_augustus(
    augustus: Callable[[list[str]], subprocess.CompletedProcess[str]], option: str, message: str
) -> None:
    words = ["--species=human", "--softmasking=0", "--predictionEnd=200", str(GENBANK)]
    assert augustus([option, *words]).stderr == f"{message}\n"


# Untranslated regions


UTR_FORBIDDEN = "UTR only implemented with shadow and partial or complete."


def knows_utrs(cfg: Path) -> None:
    (cfg.parent / "config.json").write_text('{"utr": true}')


def test_untranslated_regions_need_a_checkpoint_that_knows_them(
    run: Callable[..., Run], told: Callable[[], list[str]], cfg: Path
) -> None:
    found = run("--UTR=on")
    assert (found.options.utr, found.output.utr) == (False, False)
    assert told() == [
        "the checkpoint of human does not know untranslated regions; coding parts only"
    ]
    knows_utrs(cfg)
    for genemodel in ("partial", "complete"):
        found = run("--UTR=on", f"--genemodel={genemodel}")
        assert (found.options.utr, found.output.utr) == (True, True)
    assert len(told()) == 1


@pytest.mark.parametrize(
    "option",
    [
        "--singlestrand=true",
        "--genemodel=intronless",
        "--genemodel=atleastone",
        "--genemodel=exactlyone",
        "--genemodel=bacterium",
    ],
)
def test_some_gene_models_have_no_untranslated_regions(
    run: Callable[..., Run], told: Callable[[], list[str]], cfg: Path, option: str
) -> None:
    knows_utrs(cfg)
    assert refused(run, "--UTR=on", option) == UTR_FORBIDDEN
    assert not run("--UTR=off", option).options.utr
    cfg.write_text("UTR on\n")
    assert not run(option).options.utr  # the species asks for them, the user for something else
    assert run().options.utr
    assert told() == []


def test_a_species_that_has_untranslated_regions_does_not_warn_of_its_checkpoint(
    run: Callable[..., Run], told: Callable[[], list[str]], cfg: Path
) -> None:
    cfg.write_text("UTR on\n")
    assert not run().options.utr
    assert told() == []


# Codons


def test_stop_codons_of_probability_0_have_a_meaning(run: Callable[..., Run], cfg: Path) -> None:
    found = run("--/Constant/amberprob=0", "--/Constant/ochreprob=0.0", "--/Constant/opalprob=1")
    assert found.options.sense_stops == ("TAG", "TAA")
    assert found.code.stops == {"TGA"}
    cfg.write_text("/Constant/opalprob 0\n/Constant/amberprob 0.4\n")
    assert run().options.sense_stops == ("TGA",)
    assert run("--/Constant/opalprob=0.2").options.sense_stops == ()


def test_some_codon_must_stop(run: Callable[..., Run]) -> None:
    words = [f"--/Constant/{name}prob=0" for name in ("amber", "ochre", "opal")]
    assert "no stop codon left" in refused(run, *words)


def test_genetic_codes(run: Callable[..., Run], told: Callable[[], list[str]], cfg: Path) -> None:
    cfg.write_text("translation_table 6\n")
    assert (run().options.translation_table, run().code.stops) == (6, {"TGA"})
    assert run("--translation_table=4").code.table == 4
    assert told() == []
    assert run("--translation_table=77").code.table == 1
    assert "no translation_table 77" in told()[0]


# Words


@pytest.mark.parametrize("word", ["both", "forward", "backward"])
def test_strands(run: Callable[..., Run], told: Callable[[], list[str]], word: str) -> None:
    found = run(f"--strand={word}")
    assert (found.options.strand, found.output.strand) == (word, word)
    assert told() == []


@pytest.mark.parametrize("word", ["plus", "Forward", "+"])
def test_other_strands_are_both(
    run: Callable[..., Run], told: Callable[[], list[str]], word: str
) -> None:
    assert run(f"--strand={word}").options.strand == "both"
    assert told() == [f"--strand={word} is none of both, forward, backward; using both"]


@pytest.mark.parametrize(
    "word", ["partial", "complete", "intronless", "atleastone", "exactlyone", "bacterium"]
)
def test_gene_models(run: Callable[..., Run], cfg: Path, word: str) -> None:
    assert run(f"--genemodel={word}").options.genemodel == word
    cfg.write_text(f"genemodel {word}\n")
    assert run().options.genemodel == word
    assert run("--genemodel=partial").options.genemodel == "partial"


def test_other_gene_models_are_refused(run: Callable[..., Run]) -> None:
    message = "Unknown value for parameter genemodel: Complete"
    assert refused(run, "--genemodel=Complete", "--UTR=on", "/nowhere.fa") == message


@pytest.mark.parametrize("word", ["999", "500x", "-1", "0"])
def test_pieces_must_not_be_too_small(run: Callable[..., Run], word: str) -> None:
    number = word.rstrip("x")
    assert refused(run, f"--maxDNAPieceSize={word}") == f"maxDNAPieceSize is too small: {number}"


@pytest.mark.parametrize("word", ["1000", "200000", "abc"])
def test_any_other_piece_size_will_do(run: Callable[..., Run], word: str) -> None:
    run(f"--maxDNAPieceSize={word}")


# Hints


@pytest.fixture
def hintsfile(tmp_path: Path) -> Path:
    """Introns at bases 101-200 and 301-400 and, of another sequence, 51-150."""
    path = tmp_path / "h.gff"
    rows = [("HS08198", 101, 200), ("HS08198", 301, 400), ("nothing", 51, 150)]
    path.write_text(
        "".join(f"{name}\tb2h\tintron\t{a}\t{b}\t0\t+\t.\tsrc=E\n" for name, a, b in rows)
    )
    return path


HINTS_CFG = "--extrinsicCfgFile=hints.cfg"


def introns(found: Run, name: str = "HS08198") -> list[tuple[int, int]]:
    rows = found.hints.collection.of(name).rows
    assert set(rows["type"]) <= {HintType.intron}
    return list(zip(rows["start"].tolist(), rows["end"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("words", "offset", "expected"),
    [
        ([], 0, [(100, 200), (300, 400)]),
        (["--predictionStart=251"], 250, [(50, 150)]),
        (["--predictionEnd=250"], 0, [(100, 200)]),
        (["--predictionStart=0", "--predictionEnd=250"], 0, [(100, 200)]),
        (["--predictionStart=151", "--predictionEnd=350"], 150, [(-50, 50), (150, 250)]),
        (["--predictionStart=-60", "--predictionEnd=-60"], 0, [(40, 140), (240, 340)]),
    ],
)
def test_hints_lie_in_the_part_that_is_predicted(
    run: Callable[..., Run],
    hintsfile: Path,
    words: list[str],
    offset: int,
    expected: list[tuple[int, int]],
) -> None:
    found = run(HINTS_CFG, f"--hintsfile={hintsfile}", *words)
    assert (found.hints.offset, introns(found)) == (offset, expected)
    assert found.options.hints is found.hints
    assert found.hints.path == str(hintsfile)


def test_hints_of_all_sequences_are_there(run: Callable[..., Run], hintsfile: Path) -> None:
    assert introns(run(HINTS_CFG, f"--hintsfile={hintsfile}"), "nothing") == [(50, 150)]


def test_softmasking_alone_has_no_hints_but_an_extrinsic_table(run: Callable[..., Run]) -> None:
    found = run(HINTS_CFG)
    assert found.hints.path is None
    assert len(found.hints.collection.rows) == 0
    assert found.hints.extrinsic.sources == ("M", "RM", "E", "W", "P")


def test_options_of_hints(run: Callable[..., Run], cfg: Path, hintsfile: Path) -> None:
    cfg.write_text("")
    words = (
        "--allow_hinted_splicesites=atac --min_intron_len=20 --rescaleBoni=off "
        "--alternatives-from-evidence=false --translation_table=6"
    )
    usual = run(HINTS_CFG, f"--hintsfile={hintsfile}").hints.grouping
    assert (usual.splice_pairs, usual.min_intron) == (("GTAG", "GCAG"), 39)
    assert (usual.rescale, usual.alternatives, usual.genetic_code) == (True, True, 1)
    asked = run(HINTS_CFG, f"--hintsfile={hintsfile}", *words.split()).hints.grouping
    assert (asked.splice_pairs, asked.min_intron) == (("GTAG", "GCAG", "ATAC"), 20)
    assert (asked.rescale, asked.alternatives, asked.genetic_code) == (False, False, 6)


def test_options_of_alternatives_from_evidence(
    run: Callable[..., Run], cfg: Path, hintsfile: Path
) -> None:
    cfg.write_text("/Constant/subopt_transcript_threshold 0.5\n")
    words = HINTS_CFG, f"--hintsfile={hintsfile}"
    usual = run(*words).hints.unheeded
    assert usual.min_support == 0.5
    assert HintType.intron in usual.causes and HintType.exonpart not in usual.causes
    asked = run(*words, "--canCauseAltSplice=exonpart").hints
    assert asked.unheeded.causes == {HintType.exonpart}
    assert asked.grouping.bridge_bonus is None
    assert run(*words, "--bridge_genicpart_bonus=2").hints.grouping.bridge_bonus == 2
    assert run(*words, "--alternatives-from-evidence=false").hints.unheeded is None
    assert run(HINTS_CFG).hints.unheeded is None
    with pytest.raises(OptionError, match="unknown type of hints introns"):
        run(*words, "--canCauseAltSplice=introns")


def test_the_extrinsic_table_is_looked_for_in_the_config_folder(
    run: Callable[..., Run], config: Path
) -> None:
    (config / "extrinsic").mkdir()
    shutil.copy(DATA / "hints.cfg", config / "extrinsic" / "mine.cfg")
    assert "W" in run("--extrinsicCfgFile=mine.cfg").hints.extrinsic.sources


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--hintsfile=gone.gff", "FeatureCollection::readGFFFile( gone.gff ) : Could not open"),
        ("--extrinsicCfgFile=gone.cfg", "Could neither find extrinsic config file gone.cfg nor "),
        ("--proteinprofile=gone.prfl", "gone.prfl"),
        ("/nowhere.fa", 'Could not open input file "/nowhere.fa"!'),
    ],
)
def test_files_that_are_not_there(run: Callable[..., Run], words: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        run(*words.split())
    assert message in str(caught.value)


def test_a_hints_file_without_softmasking_needs_no_source_for_it(
    run: Callable[..., Run], hintsfile: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.cfg"
    table.write_text("[SOURCES]\nM E\n[GENERAL]\nintron 1 1 M 1 1e+100 E 1 10\n")
    words = (f"--hintsfile={hintsfile}", f"--extrinsicCfgFile={table}")
    with pytest.raises(InputError, match="the source RM must be specified"):
        run(*words)
    found = run(*words, "--softmasking=off")
    assert not found.hints.softmasking
    assert found.output.evidence


# Order of mistakes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--foo=1 --gff3=maybe", "No species specified. "),
        ("--species=human --foo=1", 'Unknown parameter: "foo". '),
        ("--species=human --gff3=maybe", "No query file specified. "),
        ("--species=human --genemodel=foo", "Unknown value for parameter genemodel: foo"),
    ],
)
def test_the_first_mistake_is_told(config: Path, words: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        checked(parse(words.split()))
    assert str(caught.value).startswith(message)
