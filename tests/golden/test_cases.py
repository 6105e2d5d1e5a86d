"""Every golden case, asked of augustus-dl.

With the shipped networks the genes are other ones: exit status, streams and structure must be
AUGUSTUS's. With AUGUSTUS's own genes put in place of the network's, the text must be AUGUSTUS's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from augustus_dl.gene import Gene
from augustus_dl.io.fasta import Contig
from augustus_dl.profile import Profile, find_profile
from tests.golden.cases import HERE, Answer, Case, all_cases, case_named, recorded
from tests.golden.conftest import RunWords
from tests.golden.reading import CREDITS, read
from tests.golden.record import CONFIG
from tests.golden.replay import genes_of
from tests.golden.run import Run, asked
from tests.golden.structure import skeleton, violations

PREDICTIONS = [case for case in all_cases() if re.match(r"[0-5]|69|7", case.name)]
TEXTS = [case for case in all_cases() if case not in PREDICTIONS]

CRASHES = "50_genbank_noprediction"
"""AUGUSTUS dies with exit status 139; augustus-dl prints the annotation."""
LOSES_RECORDS = "73_empty_record_midfile"
"""AUGUSTUS loses the second sequence; augustus-dl warns and goes on."""

FULL = {"06_cds_off": "01_default_gtf", "07_startstop_off": "01_default_gtf"}
"""Cases on the same input whose lines show genes that these leave half in the dark."""

OF_HMM = ("start codons",)
"""Kinds of lines that tell parameters of AUGUSTUS's model."""

_PROGRESS = re.compile(r"examining piece|\[%\]|.* algorithm progress:")
_OURS = re.compile(r"# augustus-dl|# \S+: examined ")
_BLOCKS_LEFT_OUT = re.compile(r"Warning: Block no\.\S+ is not significant enough")


@pytest.mark.parametrize("case", PREDICTIONS, ids=lambda case: case.name)
def test_the_structure_is_augustus(case: Case, run: RunWords, checkpoints: None) -> None:
    ours, theirs = run(*case.words(str(HERE))), recorded(case)
    assert ours.status == 0, ours.stderr
    assert bool(ours.stdout) == bool(theirs.stdout)
    assert ours.files.keys() == theirs.files.keys()
    assert _said(theirs.stderr) <= _said(ours.stderr)
    assert not {line for line in _said(ours.stderr) - _said(theirs.stderr) if not _OURS.match(line)}
    if case.name != CRASHES:
        assert violations(ours.annotation, _asked(case)) == []
    assert _compared(skeleton(ours.annotation), case) == _compared(
        skeleton(theirs.annotation), case
    )


@pytest.mark.parametrize("case", PREDICTIONS, ids=lambda case: case.name)
def test_the_same_genes_give_the_same_text(
    case: Case, run: RunWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Profile, "predicts_utrs", True)
    if case.name == CRASHES:
        pytest.skip("AUGUSTUS crashes and prints no genes")
    theirs = recorded(case)
    ours = run(*case.words(str(HERE)), predict=_stand_in(case))
    assert ours.status == 0, ours.stderr
    for name in {"stdout", *theirs.files} - {"o.err"}:
        text = _text(ours, name)
        if case.name == LOSES_RECORDS:
            text = re.sub(r"(?s)^#\n# [^#]*number 2.*?(?=^# command)", "", text, flags=re.M)
        assert _common(text, str(HERE)) == _common(_text(theirs, name), CONFIG)


def test_contradicting_hints_give_alternatives_as_in_augustus(
    run: RunWords, checkpoints: None
) -> None:
    case = case_named("75_alt_evidence")
    ours = run(*case.words(str(HERE)))
    for answer in (ours, recorded(case)):
        lines = [line.split("\t") for line in answer.annotation.splitlines() if "\t" in line]
        rivals = {
            tuple(map(int, line[3:5])): line[8].split('"')[1].split(".t")
            for line in lines
            if line[2] == "intron" and line[3] == "8184"
        }
        assert rivals.keys() == {(8184, 8239), (8184, 8281)}
        genes, transcripts = zip(*rivals.values(), strict=True)
        assert len(set(genes)) == 1 and set(transcripts) == {"1", "2"}


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.name)
def test_messages_go_where_augustus_puts_them(case: Case, run: RunWords) -> None:
    ours, theirs = run(*case.words(str(HERE))), recorded(case)
    assert ours.status == theirs.status
    assert (bool(ours.stdout), bool(ours.stderr)) == (bool(theirs.stdout), bool(theirs.stderr))


@pytest.mark.parametrize("number", ["62", "64", "65"])
def test_messages_of_errors_are_augustus(number: str, run: RunWords) -> None:
    case = next(case for case in TEXTS if case.name.startswith(number))
    assert run(*case.words(str(HERE))).stderr == recorded(case).stderr


def test_an_unknown_species_is_named_in_augustus_words(run: RunWords) -> None:
    case = case_named("63_err_unknown_species")
    begin = "\naugustus: ERROR\n\tSpecies-specific configuration files not found in "
    ours, theirs = run(*case.words(str(HERE))).stderr, recorded(case).stderr
    end = 'Type "augustus --species=help" to see available species.\n\n'
    assert begin in ours and begin in theirs
    assert ours.endswith(end) and theirs.endswith(end)


def test_the_version_begins_as_augustus(run: RunWords) -> None:
    case = case_named("61_err_version")
    ours, theirs = run(*case.words("")).stderr.splitlines(), recorded(case).stderr.splitlines()
    assert ours[0] == theirs[0]
    assert len(ours) == len(theirs)
    assert "augustus-dl" in ours[1]


def test_the_species_are_a_table_as_augustus_prints_it(run: RunWords) -> None:
    case = case_named("66_species_help")
    ours, theirs = run(*case.words(str(HERE))).stderr, recorded(case).stderr
    rule = "-" * 41 + "|" + "-" * 22
    assert ours.split(rule)[0] == theirs.split(rule)[0]
    rows = ours.split(rule)[1].strip("\n").splitlines()
    assert all(re.fullmatch(r"[\w.()-]+( +)\| \S.*|\(?[\w.-]+\)?", row) for row in rows), rows
    assert {row.split("|")[0].strip() for row in rows} >= {"human", "fly"}


def test_every_parameter_is_listed(run: RunWords) -> None:
    case = case_named("67_paramlist")
    ours, theirs = run(*case.words("")).stderr, recorded(case).stderr
    assert ours.splitlines()[0] == theirs.splitlines()[0]
    name = re.compile(r"^(?! )(\S+)$", flags=re.M)
    assert set(name.findall(ours)) >= set(name.findall(theirs))


def test_the_usage_lists_the_options_of_augustus(run: RunWords) -> None:
    case = case_named("68_noargs")
    option = re.compile(r"--([\w-]+)=")
    ours, theirs = run(*case.words("")).stdout, recorded(case).stdout
    assert ours.splitlines()[0] == theirs.splitlines()[0]
    assert set(option.findall(ours)) >= set(option.findall(theirs))


def _said(stderr: str) -> set[str]:
    """Lines of standard error but for progress, which measures other work here."""
    lines = (line for line in stderr.splitlines() if not _PROGRESS.match(line))
    return {line for line in lines if not _BLOCKS_LEFT_OUT.match(line)}


def _compared(kinds: list[str], case: Case) -> list[str]:
    """A skeleton without what only one of the two prints in this case."""
    utr = asked(case).utr and _asked(case).utr
    kinds = [kind for kind in kinds if kind not in OF_HMM and (utr or kind != "exon")]
    if case.name == LOSES_RECORDS:
        return [kind for kind in kinds if not kind.startswith("sequence 2:")]
    if case.name == CRASHES:
        return kinds[: kinds.index("records") + 1]
    return kinds


def _stand_in(case: Case) -> Callable[..., Iterator[tuple[Contig, list[Gene]]]]:
    """A predictor that knows AUGUSTUS's genes of each sequence."""
    parts = read(recorded(case_named(FULL.get(case.name, case.name))).annotation).sequences

    def predict(contigs: Iterable[Contig], *_: object) -> Iterator[tuple[Contig, list[Gene]]]:
        for index, contig in enumerate(contigs):
            yield contig, genes_of(parts[index]) if index < len(parts) else []

    return predict


def _asked(case: Case) -> Run:
    """What the case asks for, without untranslated regions where the network knows none."""
    run = asked(case)
    if find_profile(case.options["species"]).predicts_utrs:
        return run
    return replace(run, settings={**run.settings, "UTR": "off"})


def _text(answer: Answer, name: str) -> str:
    return answer.stdout if name == "stdout" else answer.files[name]


def _common(text: str, config: str) -> list[str]:
    """Lines without credits, the config folder, times, and what only a trained HMM has to say.

    Of 0/0 AUGUSTUS makes -nan, which programs that read its tables trip over; we say 0. Names of
    hint groups are sorted: among groups that begin at one base its order is not understood.
    """
    lines, output = text.splitlines(), read(text)
    for left_out in (line for kind, line in output.preamble if kind in (CREDITS, *OF_HMM)):
        lines.remove(left_out)
    lines = [line.replace(config, "CONFIG").replace("-nan", "   0") for line in lines]
    lines = [re.sub(r"(version\. Using).*|(# total time:).*", r"\1\2", line) for line in lines]
    lines = [
        re.sub(r"^# Using (default|species specific) overlap length.*", "# overlaps", line)
        for line in lines
    ]
    return [re.sub(r"^(# +\w+: +\d+ \()(.+)(\))$", _with_sorted_names, line) for line in lines]


def _with_sorted_names(count: re.Match[str]) -> str:
    return count[1] + ",".join(sorted(count[2].split(","))) + count[3]
