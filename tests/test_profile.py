"""Species profiles: the order of places, the cfg syntax, and every way a folder can be damaged."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest

from augustus_dl import profile as profiles
from augustus_dl.catalogue import DEFAULT_PARAMETERS, catalogue, checkpoints
from augustus_dl.errors import ModelError, SpeciesError
from augustus_dl.genetic_code import genetic_code
from augustus_dl.profile import find_profile, organism, species_names, species_table
from augustus_dl.profile_files import (
    STATUSES,
    read_parameters,
    replace_decoder,
    write_parameters,
    write_profile,
)

SPECIES = Path(__file__).resolve().parents[1] / "species"
AUGUSTUS = Path("/usr/share/augustus/config/species")

FACTS = {
    "clade": "insects",
    "decoder": {"tau": 1.5},
    "status": "clade",
    "beats_augustus": False,
    "scores": {"gene_f1": 41.0, "augustus_gene_f1": 50.1},
}


PROFILES = """\
identifier	organism	clade	obsolete	settings
wasp	Nasonia vitripennis	insects	no	introns=off sample=0
fly	Musca domestica	insects	no\t
old_fly	Musca domestica	insects	yes	UTR=on
cress	Arabis alpina	plants	no	translation_table=1
generic	any eukaryote	eukaryotes	no\t
"""
CLADES = """\
clade	checkpoint
insects	fly
plants	fly
eukaryotes	fly
prokaryotes	germ
"""


def make_species(root: Path, name: str, **changes: object) -> Path:
    """A species folder with empty weights."""
    folder = root / name
    write_profile(folder, name, **{**FACTS, **changes})
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / file).touch()
    return folder


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A species folder in the place of the package's own, tables only, and no config path."""
    root = tmp_path / "shipped"
    root.mkdir()
    (root / "profiles.tsv").write_text(PROFILES)
    (root / "clades.tsv").write_text(CLADES)
    monkeypatch.setattr(profiles, "_shipped", lambda: root)
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)
    return root


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "species").mkdir(parents=True)
    return folder


def test_what_is_written_is_read(shipped: Path) -> None:
    folder = make_species(shipped, "bug", parameters={"translation_table": "6", "introns": "off"})
    profile = find_profile("bug")
    assert profile.folder == profile.model == folder
    assert profile.config_folder == shipped.parent
    assert profile.genetic_code == 6
    expected = DEFAULT_PARAMETERS | {"translation_table": "6", "introns": "off"}
    assert profile.parameters == expected
    assert {key: getattr(profile, key) for key in FACTS} == FACTS
    assert not list(folder.glob(".*"))


def test_reading_both_ways_goes_with_the_checkpoint(shipped: Path) -> None:
    answers = (shipped / "clades.tsv").read_text().splitlines()[1].split("\t")[1]
    make_species(shipped, answers, accurate=True)
    relatives = [name for name, row in profiles.catalogue(shipped).items()]
    found = [find_profile(name) for name in relatives if name != answers]
    assert any(p.model.name == answers and p.accurate for p in found if p)
    make_species(shipped, "bug")
    assert not find_profile("bug").accurate
    path = shipped / "bug" / "bug_dl.json"
    path.write_text(path.read_text().replace('"status"', '"accurate": "on", "status"'))
    with pytest.raises(SpeciesError, match="'accurate' is missing or not of type bool"):
        find_profile("bug")


def test_an_edited_cfg_survives_a_second_training(shipped: Path) -> None:
    folder = make_species(shipped, "bug")
    (folder / "bug_parameters.cfg").write_text("introns off # mine\n")
    write_profile(folder, "bug", **{**FACTS, "clade": "other"})
    assert find_profile("bug").parameters == {"introns": "off"}
    assert find_profile("bug").clade == "other"


def test_the_config_path_comes_before_the_environment_and_the_package(
    shipped: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_species(shipped, "bug", clade="shipped")
    assert find_profile("bug").clade == "shipped"
    make_species(tmp_path / "env" / "species", "bug", clade="environment")
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(tmp_path / "env"))
    assert find_profile("bug").clade == "environment"
    assert find_profile("bug", config).clade == "shipped"
    make_species(config / "species", "bug", clade="option")
    assert find_profile("bug", config).clade == "option"


def test_a_folder_made_by_augustus_lends_its_cfg_to_the_shipped_network(
    shipped: Path, config: Path
) -> None:
    make_species(shipped, "bug")
    theirs = config / "species" / "bug"
    theirs.mkdir()
    (theirs / "bug_parameters.cfg").write_text("introns off\n")
    profile = find_profile("bug", config)
    assert profile.parameters == {"introns": "off"}
    assert profile.model == shipped / "bug"
    assert profile.config_folder == config


def made_by_augustus(config: Path, name: str, text: str = "introns off\n") -> Path:
    folder = config / "species" / name
    folder.mkdir()
    (folder / f"{name}_parameters.cfg").write_text(text)
    return folder


def test_a_known_folder_made_by_augustus_gets_the_checkpoint_of_its_clade(
    shipped: Path, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_species(shipped, "fly")
    folder = made_by_augustus(config, "wasp", "protein off\n")
    profile = find_profile("wasp", config)
    assert (profile.model, profile.folder) == (shipped / "fly", folder)
    assert profile.parameters == {"protein": "off"}
    assert (profile.status, profile.clade) == ("clade", "insects")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "checkpoint"), [("introns off\n", "fly"), ("genemodel bacterium\n", "germ")]
)
def test_a_strange_folder_made_by_augustus_gets_a_general_checkpoint_and_a_warning(
    shipped: Path, config: Path, caplog: pytest.LogCaptureFixture, text: str, checkpoint: str
) -> None:
    make_species(shipped, "fly")
    make_species(shipped, "germ", clade="prokaryotes")
    made_by_augustus(config, "newt", text)
    with caplog.at_level(logging.WARNING):
        profile = find_profile("newt", config)
    assert profile.model == shipped / checkpoint
    assert profile.parameters == dict([text.split()])
    assert len(caplog.records) == 1
    assert f"newt in {profile.folder} has no network of its own" in caplog.text
    assert "newt" in species_names(config)


def test_a_renamed_folder_keeps_its_network(shipped: Path, config: Path) -> None:
    folder = make_species(config / "species", "bug", clade="own")
    folder.rename(folder.with_name("beetle"))
    cfg = config / "species" / "beetle" / "bug_parameters.cfg"
    cfg.rename(cfg.with_name("beetle_parameters.cfg"))
    profile = find_profile("beetle", config)
    assert (profile.name, profile.clade, profile.model) == ("beetle", "own", cfg.parent)


def test_a_species_of_the_table_needs_no_folder(shipped: Path) -> None:
    make_species(shipped, "fly")
    profile = find_profile("wasp")
    assert (profile.name, profile.model) == ("wasp", shipped / "fly")
    assert profile.parameters == DEFAULT_PARAMETERS | {"introns": "off", "sample": "0"}
    assert (profile.status, profile.clade, profile.decoder) == ("clade", "insects", {"tau": 1.5})
    assert (profile.beats_augustus, profile.scores) == (None, {})
    assert profile.config_folder == shipped.parent
    assert find_profile("cress").status == find_profile("generic").status == "far relative"


def test_a_species_of_the_table_can_be_written_as_a_folder(shipped: Path, config: Path) -> None:
    make_species(shipped, "fly")
    (config / "species" / "wasp").mkdir()
    parameters = find_profile("wasp").parameters
    write_parameters(config / "species" / "wasp", "wasp", parameters)
    profile = find_profile("wasp", config)
    assert profile.parameters == parameters
    assert (profile.folder.parent, profile.model) == (config / "species", shipped / "fly")


def test_names_of_one_organism_share_what_was_measured(shipped: Path) -> None:
    make_species(shipped, "fly", status="trained on this species", beats_augustus=True)
    profile = find_profile("old_fly")
    assert profile.status == "trained on this species"
    assert profile.beats_augustus
    assert profile.scores == FACTS["scores"]
    assert profile.parameters["UTR"] == "on"


def test_folders_are_looked_at_in_their_order(
    shipped: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option, else the environment; the user's own folder; the package."""
    own = tmp_path / "data/augustus-dl/species"
    other = tmp_path / "other/species"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", str(config))
    roots = [shipped, own, config / "species"]
    for root in roots:
        make_species(root, "bug")
        assert find_profile("bug").folder == root / "bug"
    other.mkdir(parents=True)
    assert find_profile("bug", other.parent).folder == own / "bug"
    make_species(own, "mine")
    assert "mine" in species_names() and find_profile("mine").model == own / "mine"
    with pytest.raises(SpeciesError, match="did you mean mine"):
        find_profile("mien")
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH")
    assert find_profile("bug").folder == own / "bug"


def test_an_empty_environment_variable_is_taken_at_its_word(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_species(shipped, "fly")
    monkeypatch.setenv("AUGUSTUS_CONFIG_PATH", "")
    for name in ("fly", "wasp"):
        with pytest.raises(SpeciesError, match=r"not found in /species/\. Type"):
            find_profile(name)


def test_a_missing_config_path_has_augustus_words(shipped: Path) -> None:
    with pytest.raises(SpeciesError) as caught:
        find_profile("bug", "/nowhere/at/all")
    assert str(caught.value) == (
        "/nowhere/at/all/ is not a directory. Could not locate directory AUGUSTUS_CONFIG_PATH."
    )


@pytest.mark.parametrize("name", ["humn", "Human", "human2"])
def test_an_unknown_species_names_its_neighbours(shipped: Path, name: str) -> None:
    make_species(shipped, "human")
    with pytest.raises(SpeciesError, match=r"species\. \(did you mean human\?\)"):
        find_profile(name)


def test_an_unknown_species_has_augustus_words(shipped: Path, config: Path) -> None:
    for path, root in ((None, shipped), (config, config / "species")):
        with pytest.raises(SpeciesError) as caught:
            find_profile("zzzz", path)
        assert str(caught.value) == (
            f"Species-specific configuration files not found in {root}/. "
            'Type "augustus --species=help" to see available species.'
        )
        assert caught.value.__notes__ == [
            f"Could not find the config file {root}/zzzz/zzzz_parameters.cfg.\n"
            " Looking for zzzz_parameters.cfg in the configuration directory instead ... not found."
        ]


def test_names_are_sorted_and_united(shipped: Path, config: Path) -> None:
    for root, name in ((shipped, "b"), (shipped, "a"), (config / "species", "c")):
        make_species(root, name)
    (shipped / "empty").mkdir()
    assert species_names(config) == ["a", "b", "c", "cress", "fly", "generic", "old_fly", "wasp"]


def test_the_table_of_species_has_the_order_of_augustus(shipped: Path, config: Path) -> None:
    made_by_augustus(config, "newt")
    rows = [
        ("wasp", "Nasonia vitripennis"),
        ("fly", "Musca domestica"),
        ("(old_fly)", "Musca domestica"),
        ("cress", "Arabis alpina"),
        ("generic", "any eukaryote"),
        ("newt", ""),
    ]
    assert species_table(config) == rows
    make_species(shipped, "cress", beats_augustus=True)
    assert species_table(config) == rows
    make_species(shipped, "fly", beats_augustus=False)
    behind = "Musca domestica (AUGUSTUS finds more genes exactly)"
    assert species_table(config)[1:3] == [("fly", behind), ("(old_fly)", behind)]
    make_species(shipped, "generic", beats_augustus=None)
    assert species_table(config)[4] == ("generic", "any eukaryote (not compared with AUGUSTUS)")


def test_a_run_folder_is_a_species(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_species(tmp_path / "runs", "newt").rename(tmp_path / "runs" / "first")
    assert find_profile(str(tmp_path / "runs" / "first")).name == "newt"
    assert find_profile(str(tmp_path / "runs" / "first") + "/").name == "newt"
    monkeypatch.chdir(tmp_path / "runs")
    assert find_profile("first").name == "newt"
    with pytest.raises(SpeciesError, match=r"one \*_dl\.json, not 0"):
        find_profile(str(tmp_path))


def test_a_pointer_leads_to_the_neighbour(shipped: Path, tmp_path: Path) -> None:
    make_species(shipped, "fly")
    write_profile(shipped / "gnat", "gnat", **FACTS, model="../fly")
    assert find_profile("gnat").model == shipped / "fly"
    linked = tmp_path / "linked" / "species"
    linked.mkdir(parents=True)
    for name in ("fly", "gnat"):
        (linked / name).symlink_to(shipped / name)
    assert find_profile("gnat", linked.parent).model == linked / "fly"


def test_a_pointer_to_a_pointer_is_refused(shipped: Path) -> None:
    write_profile(shipped / "gnat", "gnat", **FACTS, model="../fly")
    write_profile(shipped / "midge", "midge", **FACTS, model="../gnat")
    with pytest.raises(ModelError, match=r"gnat/config\.json is missing"):
        find_profile("midge")


@pytest.mark.parametrize("model", ["../../elsewhere", "/etc", "../fly/../../.."])
def test_a_pointer_stays_inside(shipped: Path, model: str) -> None:
    with pytest.raises(SpeciesError, match="leads out of"):
        write_profile(shipped / "gnat", "gnat", **FACTS, model=model)


def test_constants_are_replaced_and_others_stay(shipped: Path) -> None:
    folder = make_species(shipped, "bug", decoder={"intron": 2.0, "min_intron": 40})
    path = folder / "bug_dl.json"
    before = json.loads(path.read_text())
    replace_decoder(path, {"intron": 5.0, "posterior_scale": 0.3})
    assert find_profile("bug").decoder == {"intron": 5.0, "min_intron": 40, "posterior_scale": 0.3}
    assert json.loads(path.read_text()) | {"decoder": {}} == before | {"decoder": {}}
    path.write_text("[]")
    with pytest.raises(SpeciesError, match="holds no JSON object"):
        replace_decoder(path, {})


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_missing_weights_are_named(shipped: Path, file: str) -> None:
    (make_species(shipped, "bug") / file).unlink()
    with pytest.raises(ModelError, match=f"bug is incomplete: .*{file} is missing"):
        find_profile("bug")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": ".",\n "clade"', "bug_dl.json:2 is not JSON"),
        ("[]", "holds no JSON object"),
        ("", "bug_dl.json:1 is not JSON"),
        (json.dumps({**FACTS, "model": 3}), "'model' is missing or not of type str"),
        (json.dumps(FACTS), "'model' is missing"),
        (json.dumps({**FACTS, "model": ".", "scores": 1}), "'scores' is missing or not"),
        (json.dumps({**FACTS, "model": ".", "status": "good"}), "status 'good' is none of"),
    ],
)
def test_a_damaged_json_is_one_clear_line(shipped: Path, text: str, message: str) -> None:
    (make_species(shipped, "bug") / "bug_dl.json").write_text(text)
    with pytest.raises(SpeciesError) as caught:
        find_profile("bug")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_binary_json_is_refused(shipped: Path) -> None:
    (make_species(shipped, "bug") / "bug_dl.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpeciesError, match="cannot be read"):
        find_profile("bug")


def test_a_genetic_code_must_be_a_number(shipped: Path) -> None:
    make_species(shipped, "bug", parameters={"translation_table": "eleven"})
    with pytest.raises(SpeciesError, match="translation_table 'eleven' is no number"):
        _ = find_profile("bug").genetic_code


@pytest.mark.parametrize("name", ["a b", "../x", "", ".hidden", "x/y"])
def test_names_that_cannot_be_read_back_are_not_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpeciesError, match="use letters"):
        write_profile(tmp_path / "x", name, **FACTS)
    assert not (tmp_path / "x").exists()


def test_cfg_syntax(tmp_path: Path) -> None:
    folder = tmp_path / "species" / "bug"
    folder.mkdir(parents=True)
    cfg = folder / "bug_parameters.cfg"
    (tmp_path / "more.cfg").write_text("b 2\nc 3\n")
    cfg.write_text(
        "# comment\n>#\n#key value\na\t1   # why\nb 1\ninclude more.cfg\n\nlonely\nc 4 5\na 9 x\n"
    )
    assert read_parameters(cfg) == {"a": "9", "b": "2", "c": "4"}
    cfg.write_text("include species/bug/bug_parameters.cfg\n")
    with pytest.raises(SpeciesError, match="includes itself"):
        read_parameters(cfg)
    cfg.write_text("include gone.cfg\n")
    with pytest.raises(SpeciesError, match=r"gone\.cfg: No such file"):
        read_parameters(cfg)


def test_all_species_of_augustus_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGUSTUS_CONFIG_PATH", raising=False)
    names = species_names()
    assert len(set(names) - {"generic_small"}) == 166
    for name in names:
        profile = find_profile(name)
        genetic_code(profile.genetic_code)
        assert profile.parameters.keys() >= DEFAULT_PARAMETERS.keys(), name
        assert profile.status in STATUSES
        assert organism(name)
    assert organism("no such thing") == ""


def test_the_catalogue_is_sorted_and_its_clades_have_checkpoints() -> None:
    species = catalogue(SPECIES)
    rows = [(row.organism, row.obsolete, name) for name, row in species.items()]
    assert rows == sorted(rows)
    assert {row.clade for row in species.values()} == checkpoints(SPECIES).keys()
    for checkpoint in checkpoints(SPECIES).values():
        assert (SPECIES / checkpoint / f"{checkpoint}_dl.json").is_file()


def test_shipped_cfgs_agree_with_the_catalogue() -> None:
    folders = sorted(path for path in SPECIES.iterdir() if path.is_dir())
    assert len(folders) >= 4
    for folder in folders:
        parameters = read_parameters(folder / f"{folder.name}_parameters.cfg")
        if folder.name in catalogue(SPECIES):
            assert parameters.items() >= catalogue(SPECIES)[folder.name].parameters.items()
        assert parameters.keys() <= DEFAULT_PARAMETERS.keys(), folder.name


CODE_DEFAULTS = {
    "maxDNAPieceSize": "1000000",
    "translation_table": "1",
    "genemodel": "partial",
    "exonnames": "off",
    "tss": "off",
    "tts": "off",
    "UTR": "off",
    "print_utr": "off",
    "alternatives-from-evidence": "true",
    "minexonintronprob": "0",
    "minmeanexonintronprob": "0",
    "uniqueCDS": "false",
    "/Constant/subopt_transcript_threshold": "0.94",
}
"""What AUGUSTUS takes where a species file is silent."""


@pytest.mark.skipif(not AUGUSTUS.is_dir(), reason="AUGUSTUS's species files are not installed")
@pytest.mark.parametrize("name", sorted(catalogue(SPECIES).keys() - {"generic_small"}))
def test_the_catalogue_agrees_with_an_installed_augustus(name: str) -> None:
    theirs = CODE_DEFAULTS | read_parameters(AUGUSTUS / name / f"{name}_parameters.cfg")
    ours = catalogue(SPECIES)[name].parameters
    known = {key: theirs.get(key, DEFAULT_PARAMETERS.get(key)) for key in ours}
    assert ours == known


def test_a_profile_folder_can_be_copied(shipped: Path, config: Path) -> None:
    shutil.copytree(make_species(shipped, "bug"), config / "species" / "bug")
    shutil.rmtree(shipped / "bug")
    assert find_profile("bug", config).model == config / "species" / "bug"
