"""The hints of a run: which part of a sequence they lie in, and what becomes of them there.

python -m pytest tests/test_run_hints.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from augustus_dl.decode.bonus import FULL, Strength
from augustus_dl.decode.config import GRID
from augustus_dl.decode.hint_groups import GroupingOptions, splice_pairs
from augustus_dl.hints import (
    MASK_PROGRAM,
    Extrinsic,
    HintCollection,
    HintGroups,
    HintType,
    ScoreClasses,
    TypeFactors,
)
from augustus_dl.io.fasta import Contig
from augustus_dl.io.hints import read_hints
from augustus_dl.labels import NUM_LABELS, label
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import find_profile
from augustus_dl.run_hints import RunHints
from augustus_dl.unheeded_hints import UnheededOptions

SEQUENCE = b"ccatgcgtaagt" + b"ca" * 30 + b"acagcactaaccc" + b"GATTACA" * 10
"""A start codon at 2, an intron at 6-76 with GT and AG, soft-masked up to 85."""
INTRON = ("intron", 6, 76)


def extrinsic(mask_bonus: float = 1.15, **malus: float) -> Extrinsic:
    """Every hint of source E multiplies odds by e."""
    classes = {"E": ScoreClasses((np.e,)), "RM": ScoreClasses((mask_bonus,))}
    types = {t: TypeFactors(1, malus.get(t.name, 1.0), 1, classes) for t in HintType}
    return Extrinsic(("M", "RM", "E"), types)


@pytest.fixture
def hints(tmp_path: Path):
    """Makes the hints of a run from (type, start, end), of a sequence called chr unless named."""

    def hints(
        *rows: tuple,
        offset: int = 0,
        softmasking: bool = False,
        factors: Extrinsic | None = None,
        pairs: str = "",
    ) -> RunHints:
        factors = factors or extrinsic()
        path = tmp_path / "h.gff"
        path.write_text(
            "".join(
                f"{(name or ['chr'])[0]}\tx\t{type_}\t{start + 1}\t{end}\t0\t+\t.\tsrc=E\n"
                for type_, start, end, *name in rows
            )
        )
        window = (offset, 1 << 40) if offset else None
        grouping = GroupingOptions(splice_pairs(pairs), min_intron=4, rescale=False)
        collection = read_hints(path, factors, window, -offset)
        return RunHints(path, factors, collection, grouping, softmasking, offset)

    return hints


class Stretch(NamedTuple):
    scores: np.ndarray
    start: int


def added(run_hints: RunHints, contig: Contig, end: int | None = None) -> np.ndarray:
    """Nats on each label of each base of the predicted part, in stretches as prediction has them.

    Stretches begin at 0, with the first base of the part.
    """
    length = len(contig.sequence[run_hints.offset : end])
    scores = np.zeros((length, NUM_LABELS), dtype=np.int16)
    stretches = iter(Stretch(scores[i : i + 20], i) for i in range(0, length, 20))
    for stage in run_hints.stages(contig, end):
        stretches = stage(stretches)
    return np.concatenate([stretch.scores for stretch in stretches]) / GRID


def spans(groups: HintGroups) -> list[tuple[str, int, int]]:
    rows = groups.hints.rows
    return [(HintType(row["type"]).name, int(row["start"]), int(row["end"])) for row in rows]


CHR = Contig("chr", SEQUENCE)


def test_hints_are_those_of_the_sequence(hints) -> None:
    run_hints = hints(INTRON, ("start", 2, 5, "other"), ("irpart", 90, 99))
    assert spans(run_hints.groups(CHR)) == [INTRON, ("irpart", 90, 99)]
    assert spans(run_hints.groups(Contig("other", SEQUENCE))) == [("start", 2, 5)]
    assert spans(run_hints.groups(Contig("third", SEQUENCE))) == []


def test_hints_that_the_sequence_forbids_are_dropped(hints) -> None:
    assert spans(hints(INTRON).groups(Contig("chr", b"A" * 200))) == []


def test_groups_lie_in_the_part_that_is_predicted(hints) -> None:
    run_hints = hints(INTRON, ("irpart", 90, 99), offset=4)
    assert spans(run_hints.groups(CHR)) == [("intron", 2, 72), ("irpart", 86, 95)]
    assert spans(run_hints.groups(CHR, 80)) == [("intron", 2, 72)]
    assert spans(run_hints.groups(CHR, 99)) == [("intron", 2, 72), ("irpart", 86, 95)]


def test_groups_of_the_last_sequence_are_kept(hints) -> None:
    run_hints = hints(INTRON)
    groups = run_hints.groups(CHR)
    assert run_hints.groups(CHR) is groups
    namesake = Contig("chr", b"A" * 200)
    assert spans(run_hints.groups(namesake)) == []
    assert spans(run_hints.groups(CHR)) == [INTRON]


def test_masked_bases_are_hints_with_softmasking_only(hints) -> None:
    assert spans(hints(softmasking=False).groups(CHR)) == []
    groups = hints(softmasking=True).groups(CHR)
    assert spans(groups) == [("nonexonpart", 0, 85)]
    assert groups.hints.programs[groups.hints.rows["program"][0]] == MASK_PROGRAM
    assert groups.source(0) == "RM"
    assert spans(hints(softmasking=True, offset=50).groups(CHR, 80)) == [("nonexonpart", 0, 30)]


@pytest.mark.parametrize("offset", [0, 4])
def test_bonuses_are_added_where_the_hints_lie(hints, offset: int) -> None:
    nats = added(hints(INTRON, ("intronpart", 90, 92), offset=offset), CHR, 120)
    assert len(nats) == 120 - offset
    expected = np.zeros_like(nats)
    for phase in range(3):
        expected[6 - offset, label("+", f"D{phase}")] = 0.5
        expected[75 - offset, label("+", f"A{phase}")] = 0.5
        for base in (90, 91):
            for kind in "DIA":
                expected[base - offset, label("+", f"{kind}{phase}")] = 1
    np.testing.assert_allclose(nats, expected, atol=1 / GRID)


def test_a_hint_may_begin_before_the_part_that_is_predicted(hints) -> None:
    nats = added(hints(("irpart", 40, 60), offset=50), CHR)
    assert nats[:10, 0] == pytest.approx(np.ones(10), abs=1 / GRID)
    assert not nats[10:].any() and not nats[:, 1:].any()


def test_hints_reach_the_part_that_is_predicted(hints, toy_folder: Path) -> None:
    """The random network sees genes everywhere; a hint that nothing outweighs forbids them."""
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    text = letters[np.random.default_rng(3).integers(0, 4, 6_000)].tobytes()
    options = PredictOptions(device="cpu", range=(2_000, 5_000))
    profile = find_profile(str(toy_folder))

    def covered(**asked: object) -> list[tuple[int, int]]:
        found = predict([Contig("chr", text)], profile, replace(options, **asked))
        return [(gene.start, gene.end) for _, genes in found for gene in genes]

    assert any(end < 3_500 for _, end in covered())
    anchored = extrinsic()
    anchored.types[HintType.irpart] = TypeFactors(1e100, 1, 1)
    run_hints = hints(("irpart", 2_100, 3_500), offset=2_000, factors=anchored)
    assert spans(run_hints.groups(Contig("chr", text), 5_000)) == [("irpart", 100, 1_500)]
    left = covered(hints=run_hints)
    assert left and not any(start < 3_500 and end > 2_100 for start, end in left)


def test_without_hints_and_masked_bases_there_is_no_stage(hints) -> None:
    assert hints().stages(CHR) == ()
    assert len(hints(INTRON).stages(CHR)) == 1


def test_softmasking_at_its_usual_bonus_is_left_to_the_network(hints) -> None:
    assert not added(hints(softmasking=True), CHR).any()
    strong = added(hints(softmasking=True, factors=extrinsic(mask_bonus=100.0)), CHR)
    assert (strong[:85, 0] > 0).all() and not strong[85:].any()


def test_a_malus_needs_a_file_with_hints(hints) -> None:
    """It then counts on all sequences; an empty file changes nothing."""
    factors = extrinsic(start=np.exp(-2))
    start = label("+", "START")
    assert hints(factors=factors).stages(CHR) == ()
    nats = added(hints(("start", 2, 5), factors=factors), CHR)
    assert nats[2, start] == pytest.approx(1, abs=1 / GRID)
    assert nats[3:, start] == pytest.approx(np.full(len(SEQUENCE) - 3, -2), abs=1 / GRID)
    elsewhere = added(hints(("start", 2, 5, "other"), factors=factors), CHR)
    assert elsewhere[:, start] == pytest.approx(np.full(len(SEQUENCE), -2), abs=1 / GRID)


def test_rare_splice_sites_are_for_hinted_introns_only(hints) -> None:
    sequence = SEQUENCE.replace(b"gtaagt", b"ataagt").replace(b"acagcac", b"acaccac")
    contig = Contig("chr", sequence)
    hinted = ("intron", 6, 76)
    assert spans(hints(hinted).groups(contig)) == []
    run_hints = hints(hinted, pairs="atac")
    assert spans(run_hints.groups(contig)) == [hinted]
    donor = added(run_hints, contig)[:, label("+", "D0")]
    assert donor[6] > 0
    other = sequence.find(b"ATT")  # no donor before a hint says so
    assert donor[other] < -100


def test_a_collection_without_hints_will_do(hints) -> None:
    factors = extrinsic()
    run_hints = RunHints(
        None, factors, HintCollection.empty(factors.sources), GroupingOptions(), True
    )
    assert spans(run_hints.groups(CHR)) == [("nonexonpart", 0, 85)]


def test_what_is_asked_of_whole_parses(hints) -> None:
    with_intron = hints(INTRON)
    asked = with_intron.of_parses(CHR)
    assert asked.introns and asked.unheeded is None  # alternatives are not asked for
    other = Contig("other", SEQUENCE)
    assert with_intron.of_parses(other) is None
    asking = replace(hints(("exonpart", 20, 40)), unheeded=UnheededOptions())
    assert asking.of_parses(CHR) is None  # that type causes no alternatives
    asking = replace(hints(INTRON, ("CDSpart", 20, 40)), unheeded=UnheededOptions())
    assert asking.of_parses(CHR).unheeded


def test_strength_follows_the_scale_of_probabilities(
    hints, toy_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Factors are as strong as it takes to multiply the odds of calibrated probabilities."""
    run_hints, seen = hints(INTRON), []
    monkeypatch.setattr(RunHints, "stages", lambda *words: seen.append(words[-1]) or ())
    profile = find_profile(str(toy_folder))
    profile = replace(profile, decoder={**profile.decoder, "posterior_scale": 0.4})
    list(predict([CHR], profile, PredictOptions(hints=run_hints)))
    assert seen == [Strength(bonus=1.25, malus=2.5)]


def test_strength_multiplies_nats(hints) -> None:
    run_hints = hints(INTRON)
    assert worth(run_hints, FULL) * 2.5 == pytest.approx(
        worth(run_hints, Strength(bonus=2.5)), abs=1e-2
    )


def worth(run_hints: RunHints, strength: Strength) -> float:
    """Nats that the hinted donor gets."""
    (stage,) = RunHints.stages(run_hints, CHR, None, strength)
    scores = np.zeros((len(SEQUENCE), NUM_LABELS), dtype=np.int16)
    (stretch,) = stage(iter([Stretch(scores, 0)]))
    return stretch.scores[6, label("+", "D0")] / GRID


@pytest.mark.parametrize(("mask_bonus", "softmasking"), [(1.15, True), (3.0, True), (3.0, False)])
def test_whether_hints_change_scores(hints, mask_bonus: float, softmasking: bool) -> None:
    factors = extrinsic(mask_bonus)
    assert hints(INTRON, softmasking=softmasking, factors=factors).change_scores
    without = replace(hints(softmasking=softmasking, factors=factors), path=None)
    assert without.change_scores == (softmasking and mask_bonus != 1.15)
    assert without.change_scores == bool(without.stages(Contig("chr", SEQUENCE)))
