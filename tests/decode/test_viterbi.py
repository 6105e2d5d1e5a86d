"""The decoder against independent implementations, and the promise: never an invalid gene.

Nothing here reads the state graph. `best_by_enumeration` tries every legal label path of a short
sequence and judges it through the transcripts it spells; `best_score` is a plain dynamic program
whose states carry the codon's bases and the intron's length as they are.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.parse import parse
from augustus_dl.decode.viterbi import Decoder, viterbi
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.fasta import contigs
from augustus_dl.labels import LABELS, LEGAL, MIRROR, from_labels, label, mirror
from augustus_dl.validity import faults

TOY = DecoderConfig(gene_start=0.5, intron=-0.25, gc_donor=-1.0, min_intron=4, min_coding_length=0)
MOTIFS = (
    "ATG",
    "CAT",
    "TAA",
    "TTA",
    "TGA",
    "TCA",
    "GT",
    "AG",
    "AC",
    "CT",
    "GC",
    "A",
    "C",
    "G",
    "T",
)
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def numbers(*names):
    """Label numbers of names that fit both strands, e.g. "START", or one, e.g. "+START"."""
    return [i for i, name in enumerate(LABELS) if name in names or name[1:] in names]


CODING = numbers("C0", "C1", "C2", "START", "STOP")
INSIDE = numbers("I0", "I1", "I2")
DONOR = numbers("D0", "D1", "D2")
ACCEPTOR = numbers("A0", "A1", "A2")
LEFT = numbers(*(f"+D{p}" for p in range(3)), *(f"-A{p}" for p in range(3)))
SITE_PLACES = (
    (-2, "+", "D", ("GT", "GC", "AT")),
    (-1, "+", "A", ("AG", "AC")),
    (-2, "-", "A", ("CT", "GT")),
    (-1, "-", "D", ("AC", "GC", "AT")),
)
"""Of a label and the next, which one a pair of bases rules out when it isn't among these."""
COUNTS = {"any": (0, 99), "atleastone": (1, 99), "exactlyone": (1, 1)}
BEGINS = numbers("IR", "+START", "-STOP")
ENDS = numbers("IR", "+STOP", "-START")
PARTIAL = [i for i in CODING + INSIDE if LABELS[i][1:] not in ("START", "STOP")]


def toy(rng, length, n_rate=0.0):
    """A sequence rich in codons and splice sites on both strands."""
    text = ""
    while len(text) < length:
        text += "N" if rng.random() < n_rate else MOTIFS[rng.integers(len(MOTIFS))]
    return text[:length]


def random_scores(rng, length, outside=0.0, boundaries=0.0, spread=2.0):
    """Normal scores; intergenic and the labels of boundaries are moved by so many nats."""
    scores = rng.normal(0, spread, (length, len(LABELS)))
    scores[:, 0] += outside
    scores[:, numbers("START", "STOP") + DONOR + ACCEPTOR] += boundaries
    return np.round(scores * GRID).astype(np.int16)


def gene_counts(paths):
    """Genes of label paths uint8 [k, L], cut ones included; int64 [k]."""
    begins = np.isin(paths, numbers("+START", "-STOP"))
    return begins.sum(axis=1) + np.isin(paths[:, 0], PARTIAL)


def score_of(paths, scores, codes, config):
    """Scores of label paths uint8 [k, L] as the configuration defines them; int64 [k]."""
    left = np.isin(paths, LEFT)
    total = scores[np.arange(len(codes)), paths].sum(axis=1, dtype=np.int64)
    genes = gene_counts(paths)
    introns = left.sum(axis=1) + np.isin(paths[:, 0], INSIDE)
    text = np.array(codes)
    gc_right = np.append((text[:-1] == 2) & (text[1:] == 1), False)  # GC here and right of here
    gc_left = np.insert(gc_right[:-1], 0, False)
    plus, minus = numbers("+D0", "+D1", "+D2"), numbers("-D0", "-D1", "-D2")
    gc = (np.isin(paths, plus) & gc_right).sum(axis=1) + (np.isin(paths, minus) & gc_left).sum(
        axis=1
    )
    for count, nats in (
        (genes, config.gene_start),
        (introns, config.intron),
        (gc, config.gc_donor),
    ):
        total += count * round(nats * GRID)
    return total


def sites(config):
    """Admissible (donor, acceptor)."""
    return {("GT", "AG"), ("GC", "AG")} | ({("AT", "AC")} if config.atac else set())


def allowed_labels(config):
    strand = {"both": "+-", "forward": "+", "backward": "-"}[config.strand]
    return [
        i
        for i, name in enumerate(LABELS)
        if i == 0
        or (name[0] in strand and not (config.intronless and i in INSIDE + DONOR + ACCEPTOR))
    ]


def is_valid(path, text, config):
    """Judge a path that keeps to LEGAL by the transcripts that it spells."""
    code = genetic_code(config.genetic_code, frozenset(config.sense_stops))
    for transcript in from_labels(path):
        sequence = text
        if transcript.strand == "-":
            transcript = transcript.mirrored(len(text))
            sequence = text.translate(COMPLEMENT)[::-1]
        spliced = "".join(sequence[a:b] for a, b in transcript.cds)
        framed = spliced[transcript.phase :]
        codons = [framed[i : i + 3] for i in range(0, len(framed) - 2, 3)]
        if transcript.complete5 and spliced[:3] not in code.starts:
            return False
        if transcript.complete3 and (len(framed) % 3 or spliced[-3:] not in code.stops):
            return False
        if code.stops & set(codons[:-1] if transcript.complete3 else codons):
            return False
        for a, b in transcript.introns:
            donor, acceptor = sequence[a : a + 2], sequence[b - 2 : b]
            if a < transcript.cds[0][0]:
                good = b - a >= 2 and acceptor in {pair[1] for pair in sites(config)}
            elif b > transcript.cds[-1][1]:
                good = b - a >= 2 and donor in {pair[0] for pair in sites(config)}
            else:
                good = b - a >= config.min_intron and (donor, acceptor) in sites(config)
            if not good:
                return False
    return True


def best_by_enumeration(text, scores, config):
    """Best valid path, its score and whether it has an equal, from all LEGAL paths.

    Where no path is valid, nothing but intergenic.
    """
    labels = allowed_labels(config)
    edges = [[0, *PARTIAL], PARTIAL] if config.partial else [[], []]
    paths = np.array([[i] for i in labels if i in BEGINS + edges[0]], dtype=np.uint8)
    for t in range(1, len(text)):
        right = np.array(labels, dtype=np.uint8)
        rows, columns = np.nonzero(LEGAL[np.ix_(paths[:, -1], right)])
        paths = np.column_stack((paths[rows], right[columns]))
        pair = text[t - 1 : t + 1]  # splice sites are judged here to keep the list short
        for column, sign, kind, pairs in SITE_PLACES:
            if pair not in pairs:
                bad = numbers(*(f"{sign}{kind}{phase}" for phase in range(3)))
                paths = paths[~np.isin(paths[:, column], bad)]
    paths = paths[np.isin(paths[:, -1], ENDS + edges[1])]
    fewest, most = COUNTS[config.gene_count]
    paths = paths[(gene_counts(paths) >= fewest) & (gene_counts(paths) <= most)]
    totals = score_of(paths, scores, base_codes(text.encode()), config)
    best = None
    for k in np.argsort(-totals, kind="stable"):
        if best is not None and totals[k] < totals[best]:
            break
        if is_valid(paths[k], text, config):
            if best is not None:
                return paths[best], int(totals[best]), True
            best = k
    if best is None:
        nothing = np.zeros(len(text), dtype=np.uint8)
        return nothing, int(scores[:, 0].sum(dtype=np.int64)), False
    return paths[best], int(totals[best]), False


VARIANTS = {
    "partial": TOY,
    "complete": replace(TOY, partial=False),
    "forward": replace(TOY, strand="forward"),
    "backward": replace(TOY, strand="backward", partial=False),
    "intronless": replace(TOY, intronless=True),
    "atac": replace(TOY, atac=True),
    "min_intron 5": replace(TOY, min_intron=5, partial=False),
    "ciliate": replace(TOY, genetic_code=6),
    "alternative yeast": replace(TOY, genetic_code=12, partial=False),
    "bacterial": replace(TOY, genetic_code=11, strand="forward"),
    "no opal": replace(TOY, sense_stops=("TGA",)),
    "no opal, no amber": replace(TOY, sense_stops=("TGA", "TAG"), partial=False),
}
COUNTED = {
    f"{count}, {'partial' if partial else 'complete'}": replace(
        TOY, gene_count=count, partial=partial
    )
    for count in ("atleastone", "exactlyone")
    for partial in (True, False)
}


def enumerated(text, scores, config):
    """The decoder's path, after comparing it with the best of all."""
    codes = base_codes(text.encode())
    path = viterbi(scores, codes, config)
    expected, total, has_equal = best_by_enumeration(text, scores, config)
    assert score_of(path[None], scores, codes, config)[0] == total
    assert (path == expected).all() or has_equal
    return path


@pytest.mark.parametrize("name", VARIANTS)
def test_best_of_all_legal_paths(name):
    config = VARIANTS[name]
    rng = np.random.default_rng(len(name))
    for case in range(20):
        text = toy(rng, int(rng.integers(1, 14)), n_rate=0.1 * (case % 3 == 0))
        enumerated(text, random_scores(rng, len(text), outside=-2 * (case % 2)), config)


@pytest.mark.parametrize("name", COUNTED)
def test_best_of_all_paths_with_so_many_genes(name):
    """Also where a path without genes, or with more of them, would be worth more."""
    config = COUNTED[name]
    rng = np.random.default_rng(len(name))
    counts, without = [], 0
    for case in range(30):
        text = toy(rng, int(rng.integers(1, 13)))
        text = (text, f"{text[:3]}ATGTAA{text[3:6]}", f"ATGTAA{text[:1]}TTACAT")[case % 3]
        outside = (-1, 4, -4)[case % 3]
        scores = random_scores(rng, len(text), outside=outside, boundaries=3)
        path = enumerated(text, scores, config)
        free = viterbi(scores, base_codes(text.encode()), replace(config, gene_count="any"))
        counts.append((int(gene_counts(path[None])[0]), int(gene_counts(free[None])[0])))
        without += counts[-1][0] == 0
    assert (1, 0) in counts  # one was asked for
    assert any(free > 1 for _, free in counts)
    if config.partial:
        assert not without
    else:
        assert 0 < without < 20  # no complete gene is possible
    if config.gene_count == "exactlyone":
        assert max(count for count, _ in counts) == 1
    else:
        assert max(count for count, _ in counts) > 1


def test_best_of_all_legal_paths_with_whole_genes():
    """What is compared is not trivial: every kind of boundary comes up."""
    config = replace(TOY, partial=False)
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(30):
        scores = random_scores(rng, 15, outside=-4, boundaries=3)
        seen |= {LABELS[i] for i in enumerated(toy(rng, 15), scores, config)}
    assert {"+START", "+STOP", "-START", "-STOP"} < seen
    assert seen & {f"+D{p}" for p in range(3)}
    assert seen & {f"-D{p}" for p in range(3)}


def grow(state, i, t, text, config):
    """The state after one more base with label i, or None where that is not allowed.

    A state is (label, bases of the codon so far, its marks, intron length up to the minimum, the
    intron's first two bases in reading order). Bases left of the sequence are "?".
    """
    _, bases, marks, length, left = state
    sign, kind = LABELS[i][0], LABELS[i][1:]
    if i in CODING:
        bases += text[t]
        marks |= {kind} & {"START", "STOP"}
        if len(bases) < 3:
            return i, bases, marks, 0, ""
        codon = bases if sign == "+" else bases.translate(COMPLEMENT)[::-1]
        code = genetic_code(config.genetic_code)
        if ("STOP" in marks) != (codon in code.stops):
            return None
        if "START" in marks and codon not in code.starts:
            return None
        return i, "", frozenset(), 0, ""
    if i == 0:
        return i, "", frozenset(), 0, ""
    pairs = sites(config)
    if sign == "-":
        pairs = {tuple(p.translate(COMPLEMENT)[::-1] for p in pair[::-1]) for pair in pairs}
    if i in LEFT:
        left = text[t : t + 2]
        return (i, bases, marks, 1, left) if left in {pair[0] for pair in pairs} else None
    length = min(length + 1, config.min_intron)
    if i in INSIDE:
        return i, bases, marks, length, left
    ends = {pair[1] for pair in pairs if left in ("?", pair[0])}
    right = text[max(t - 1, 0) : t + 1]
    return (i, bases, marks, 0, "") if length >= config.min_intron and right in ends else None


def before(i, config):
    """The state just left of the sequence when its first label is i."""
    if i in BEGINS:
        return 0, "", frozenset(), 0, ""
    position = int(LABELS[i][2])
    if LABELS[i][0] == "-":
        position = 2 - position if i in CODING else -position % 3
    return i, "?" * position, frozenset(), config.min_intron, "?"


def gain(i, t, text, config):
    """What a label adds to a path's score besides the network's score."""
    nats = [config.gene_start] * (i in numbers("+START", "-STOP") or (t == 0 and i in PARTIAL))
    nats += [config.intron] * (i in LEFT or (t == 0 and i in INSIDE))
    plus_gc = i in LEFT and i in DONOR and text[t : t + 2] == "GC"
    minus_gc = i not in LEFT and i in DONOR and text[max(t - 1, 0) : t + 1] == "GC"
    nats += [config.gc_donor] * (plus_gc or minus_gc)
    return sum(round(x * GRID) for x in nats)


def best_score(text, scores, config):
    """Score of the best path by dynamic programming over `grow`."""
    labels = allowed_labels(config)
    follow = {i: [j for j in labels if LEGAL[i, j]] for i in labels}
    front = {}
    for i in labels:
        if i in BEGINS or (config.partial and i in PARTIAL):
            state = grow(before(i, config), i, 0, text, config)
            if state:
                front[state] = int(scores[0, i]) + gain(i, 0, text, config)
    for t in range(1, len(text)):
        following = {}
        gains = [int(scores[t, i]) + gain(i, t, text, config) for i in range(len(LABELS))]
        for state, score in front.items():
            for i in follow[state[0]]:
                new = grow(state, i, t, text, config)
                if new and following.get(new, score + gains[i] - 1) < score + gains[i]:
                    following[new] = score + gains[i]
        front = following
    return max(
        score
        for (i, _, marks, *_), score in front.items()
        if i in ENDS or (config.partial and i in PARTIAL and not marks)
    )


@pytest.mark.parametrize(
    ("length", "min_intron", "variant"),
    [
        (300, 4, {}),
        (300, 5, {"atac": True}),
        (300, 7, {"partial": False, "genetic_code": 6}),
        (300, 12, {"genetic_code": 12, "strand": "backward"}),
        (300, 6, {"genetic_code": 4, "partial": False}),
        (1500, 9, {}),
        (1500, 40, {"partial": False}),
    ],
)
def test_best_score_by_a_slow_dynamic_program(length, min_intron, variant):
    config = replace(TOY, min_intron=min_intron, **variant)
    rng = np.random.default_rng(length + min_intron)
    text = toy(rng, length, n_rate=0.01)
    codes = base_codes(text.encode())
    for boundaries in (0, 3):
        scores = random_scores(rng, length, outside=-1, boundaries=boundaries)
        path = viterbi(scores, codes, config)
        expected = best_score(text, scores, config)
        assert score_of(path[None], scores, codes, config)[0] == expected
        assert is_valid(path, text, config)


def wanted(text, names, config):
    """The decoded names when the scores ask for these labels, one per base."""
    scores = np.full((len(text), len(LABELS)), -640, dtype=np.int16)
    scores[np.arange(len(text)), [LABELS.index(name) for name in names]] = 640
    codes = base_codes(text.encode())
    path = viterbi(scores, codes, config)
    assert all((in_two(scores, codes, config, cut) == path).all() for cut in range(len(codes)))
    return [LABELS[i] for i in path]


def gene(exons, intron, phase):
    """Labels of a plus-strand gene of two exons of these lengths around one intron."""
    body = [f"+I{phase}"] * intron
    body[0], body[-1] = f"+D{phase}", f"+A{phase}"
    coding = [f"+C{k % 3}" for k in range(sum(exons))]
    coding[0], coding[-1] = "+START", "+STOP"
    return [*coding[: exons[0]], *body, *coding[exons[0] :]]


@pytest.mark.parametrize("minimum", [4, 5, 6, 20])
def test_minimum_intron_length_is_exact(minimum):
    config = replace(TOY, partial=False, min_intron=minimum)
    for length in range(max(4, minimum - 1), minimum + 2):
        text = "CCATGC" + "GT" + "C" * (length - 4) + "AG" + "CCTAACC"
        names = ["IR", "IR", *gene((4, 5), length, 1), "IR", "IR"]
        assert (wanted(text, names, config) == names) == (length >= minimum)


@pytest.mark.parametrize(
    ("text", "exons", "allowed"),
    [
        ("ATG GTCCAG CCCTAA", (3, 6), True),
        ("A GTCCAG TGCCCTAA", (1, 8), True),  # start codon split
        ("AT GTCCAG GCCCTAA", (2, 7), True),
        ("AT GTCCAG CCCCTAA", (2, 7), False),
        ("ATGCCCT GTCCAG AA", (7, 2), True),  # stop codon split
        ("ATGCCCTA GTCCAG G", (8, 1), True),
        ("ATGCCCTA GTCCAG C", (8, 1), False),
        ("ATGT GTCCAG AACCCTAA", (4, 8), False),  # a stop spliced together inside
        ("ATGT GTCCAG CACCCTAA", (4, 8), True),
        ("ATGTG GTCCAG ACCCTAA", (5, 7), False),
        ("ATGTA GTCCAG CCCCTAA", (5, 7), True),  # without the intron a stop
        ("ATGTG GCCCAG GCCCTAA", (5, 7), True),
        ("ATGTG GACCAG GCCCTAA", (5, 7), False),  # no splice site
        ("ATGTG GTCCAC GCCCTAA", (5, 7), False),
        ("ATGNG GTCCAG ACCCTAA", (5, 7), True),
        ("ATG GNCCAG CCCTAA", (3, 6), False),
        ("ATN GTCCAG CCCTAA", (3, 6), False),
    ],
)
def test_codons_across_introns_on_both_strands(text, exons, allowed):
    config = replace(TOY, partial=False)
    text = f"CC{text}CC".replace(" ", "")
    names = ["IR", "IR", *gene(exons, 6, exons[0] % 3), "IR", "IR"]
    assert (wanted(text, names, config) == names) == allowed
    reverse = text.translate(COMPLEMENT)[::-1]
    path = np.array([LABELS.index(name) for name in names], dtype=np.uint8)
    mirrored = [LABELS[i] for i in mirror(path)]
    assert (wanted(reverse, mirrored, config) == mirrored) == allowed


def test_codon_split_by_two_introns():
    text = "CCATGT" + "GTCCAG" + "{}" + "GTCCAG" + "ACCCTAACC"
    head = ["IR", "IR", "+START", "+C1", "+C2", "+C0"]
    one = ["+D1", "+I1", "+I1", "+I1", "+I1", "+A1"]
    two = [name.replace("1", "2") for name in one]
    tail = ["+C2", "+C0", "+C1", "+C2", "+C0", "+C1", "+STOP", "IR", "IR"]
    names = [*head, *one, "+C1", *two, *tail]
    config = replace(TOY, partial=False)
    assert wanted(text.format("C"), names, config) == names
    assert wanted(text.format("A"), names, config) != names  # TAA
    assert wanted(text.format("G"), names, config) != names  # TGA


def test_gene_after_gene_without_a_base_between():
    names = [
        "+START",
        "+C1",
        "+C2",
        "+C0",
        "+C1",
        "+STOP",
        "-STOP",
        "-C1",
        "-C0",
        "-C2",
        "-C1",
        "-START",
    ]
    assert wanted("ATGTAATTACAT", names, replace(TOY, partial=False)) == names


def test_at_ac_introns_need_their_option_and_their_partner():
    for acceptor in ("AC", "AG"):
        text = f"CCATGATCC{acceptor}CCCTAACC"
        names = ["IR", "IR", *gene((3, 6), 6, 0), "IR", "IR"]
        for atac in (True, False):
            found = wanted(text, names, replace(TOY, partial=False, atac=atac))
            assert (found == names) == (atac and acceptor == "AC")


@given(
    seed=st.integers(0, 10_000),
    length=st.integers(0, 400),
    cuts=st.lists(st.integers(0, 400), max_size=30),
    outside=st.sampled_from([-1, 0, 4]),
    variant=st.sampled_from(
        [
            {},
            {"min_intron": 30},
            {"atac": True, "partial": False},
            {"gene_count": "atleastone"},
            {"gene_count": "atleastone", "partial": False},
            {"gene_count": "exactlyone", "partial": False},
        ]
    ),
)
def test_cutting_into_chunks_changes_nothing(seed, length, cuts, outside, variant):
    config = replace(TOY, **variant)
    rng = np.random.default_rng(seed)
    codes = base_codes(toy(rng, length, n_rate=0.02).encode())
    spread = (0.01, 2)[seed % 2]  # tiny scores tie
    scores = random_scores(rng, length, outside=outside, boundaries=seed % 4, spread=spread)
    borders = [0, *sorted(min(cut, length) for cut in cuts), length]
    chunks = [(scores[a:b], codes[a:b]) for a, b in pairwise(borders)]
    pieces = [np.empty(0, np.uint8), *Decoder(config).decode(chunks)]
    assert np.concatenate(pieces).tolist() == viterbi(scores, codes, config).tolist()


def in_two(scores, codes, config, cut):
    """Labels decoded in two chunks: what is final at the cut is decided there."""
    chunks = [(scores[:cut], codes[:cut]), (scores[cut:], codes[cut:])]
    return np.concatenate(list(Decoder(config).decode(chunks)))


@pytest.mark.parametrize(
    "variant",
    [{}, {"partial": False}, {"gene_count": "atleastone", "partial": False}],
)
def test_labels_are_final_only_when_nothing_can_change_them(variant):
    """Strong scores: which path wins changes often, and late."""
    config = replace(TOY, gene_start=0.0, intron=0.0, gc_donor=0.0, **variant)
    rng = np.random.default_rng(3)
    for _ in range(400):
        codes = base_codes(toy(rng, 60).encode())
        scores = random_scores(rng, 60, outside=-3, boundaries=9, spread=5)
        whole = viterbi(scores, codes, config)
        for cut in rng.integers(0, 60, 3):
            assert in_two(scores, codes, config, cut).tolist() == whole.tolist()


def test_an_intron_that_just_ended_survives_a_better_young_one():
    """At the right end of the long intron every other path runs outside its gene."""
    text = "CCATGCCC" + "GTCTAA" + "ATGCCC" + "GTAG" + "CCCTAACC"
    names = ["IR", "IR", *gene((6, 6), 16, 0), "IR", "IR"]
    rival = [*(["IR"] * 14), *gene((6, 6), 4, 0)[:9]]  # begins inside the intron
    scores = np.full((len(text), len(LABELS)), -640, dtype=np.int16)
    for t, name in enumerate(names):
        scores[t, [0, LABELS.index(name)]] = 0, 0 if t < 24 else 1280
    for t in range(14, len(rival)):
        scores[t, LABELS.index(rival[t])] = 320
    config = replace(TOY, partial=False, min_intron=5)
    found = in_two(scores, base_codes(text.encode()), config, 24)
    assert [LABELS[i] for i in found] == names


def test_no_evidence_no_gene():
    """Ties are broken in favour of intergenic."""
    rng = np.random.default_rng(3)
    codes = base_codes(toy(rng, 5000).encode())
    config = DecoderConfig(gene_start=0.0, intron=0.0, gc_donor=0.0, min_intron=4)
    assert not viterbi(np.zeros((5000, 29), np.int16), codes, config).any()


@pytest.mark.parametrize("count", ["any", "atleastone"])
def test_labels_come_long_before_the_end(count):
    """Memory is bounded: little is held back while the sequence goes on."""
    given_out, done = 0, 0

    def chunks():
        nonlocal given_out
        for seed in range(50):
            rng = np.random.default_rng(seed)
            given_out += 2000
            yield random_scores(rng, 2000, boundaries=2), rng.integers(0, 4, 2000, dtype=np.uint8)

    for piece in Decoder(replace(TOY, gene_count=count)).decode(chunks()):
        done += len(piece)
        assert given_out - done < 3 * 2000
    assert done == given_out


def test_a_piece_of_labels_comes_for_each_chunk():
    rng = np.random.default_rng(4)
    sizes = [700, 0, 300, 1, 900]
    chunks = [(random_scores(rng, n), rng.integers(0, 4, n, dtype=np.uint8)) for n in sizes]
    lengths = [len(piece) for piece in Decoder(TOY).decode(chunks)]
    assert len(lengths) == 4 and sum(lengths) == sum(sizes)
    assert list(Decoder(TOY).decode([])) == []


def test_scores_may_be_wide():
    """Hints push scores beyond 16 bits: here they tell the decoder what to find."""
    names = ["IR", "IR", *gene((3, 6), 6, 0), "IR", "IR"]
    text = "CCATGGTCCAGCCCTAACC"
    rng = np.random.default_rng(1)
    scores = random_scores(rng, len(text), outside=5).astype(np.int32)
    config = replace(TOY, partial=False)
    codes = base_codes(text.encode())
    narrow = viterbi(scores.astype(np.int16), codes, config)
    assert (viterbi(scores, codes, config) == narrow).all()
    wished = [LABELS.index(name) for name in names]
    assert narrow.tolist() != wished
    scores[np.arange(len(text)), wished] += 1 << 24
    assert viterbi(scores, codes, config).tolist() == wished


@pytest.mark.parametrize("highest", [32767, 1 << 27])
def test_extreme_scores_do_not_overflow(highest):
    codes = np.tile(base_codes(b"ACGTGTAGATG"), 20_000)
    dtype = np.int16 if highest < 1 << 15 else np.int32
    for value in (-highest - 1, highest):
        scores = np.full((len(codes), len(LABELS)), value, dtype=dtype)
        path = viterbi(scores, codes, TOY)
        assert LEGAL[path[:-1], path[1:]].all()


@pytest.mark.parametrize("variant", [{}, {"atac": True, "genetic_code": 6}, {"partial": False}])
def test_both_strands_are_treated_alike(variant):
    config = replace(TOY, min_intron=10, **variant)
    rng = np.random.default_rng(11)
    for _ in range(20):
        codes = base_codes(toy(rng, 700, n_rate=0.01).encode())
        scores = random_scores(rng, 700, outside=-1, boundaries=2)
        there = viterbi(scores, codes, config)
        reverse, mirrored = reverse_complement(codes), scores[::-1, MIRROR]
        back = viterbi(mirrored, reverse, config)
        assert (
            score_of(there[None], scores, codes, config)[0]
            == score_of(back[None], mirrored, reverse, config)[0]
        )


def check_plus_strand(path, codes, config):
    """Assert validity of all plus-strand genes at once; return how many and their introns."""
    code = genetic_code(config.genetic_code)

    def spells(bases, words):
        known = [list(base_codes(word.encode())) for word in words]
        return (bases[:, None, :] == np.array(known)[None]).all(axis=2).any(axis=1)

    coding = np.isin(path, numbers("+C0", "+C1", "+C2", "+START", "+STOP"))
    codons, marks = codes[coding].reshape(-1, 3), path[coding].reshape(-1, 3)
    first, last = marks[:, 0] == label("+", "START"), marks[:, 2] == label("+", "STOP")
    assert (spells(codons, code.stops) == last).all()
    assert spells(codons[first], code.starts).all()
    ends = np.flatnonzero(first | last)
    assert (first[ends[::2]] & last[ends[1::2]]).all()  # START and STOP take turns

    left = np.flatnonzero(np.isin(path, numbers("+D0", "+D1", "+D2")))
    right = np.flatnonzero(np.isin(path, numbers("+A0", "+A1", "+A2")))
    assert len(left) == len(right)
    assert (right - left + 1 >= config.min_intron).all()
    ends = np.stack([codes[left], codes[left + 1], codes[right - 1], codes[right]], axis=1)
    assert spells(ends, ["".join(pair) for pair in sites(config)]).all()
    return first.sum(), len(left)


def promise_holds(codes, config, seed=2):
    """Decode with scores that make for many genes; return the fewest of a kind that came out."""
    rng = np.random.default_rng(seed)
    block = random_scores(rng, 200_000, outside=-2, boundaries=2)
    chunks = (
        (np.roll(block, 7 * start, axis=0)[: len(codes) - start], codes[start : start + len(block)])
        for start in range(0, len(codes), len(block))
    )
    path = np.concatenate(list(Decoder(config).decode(chunks)))
    assert LEGAL[path[:-1], path[1:]].all()
    strands = ((path, codes), (mirror(path), reverse_complement(codes)))
    return min(min(check_plus_strand(labels, bases, config)) for labels, bases in strands)


@pytest.mark.parametrize(
    "variant", [{}, {"atac": True, "min_intron": 20}, {"genetic_code": 6, "min_intron": 9}]
)
def test_never_an_invalid_gene(variant):
    config = replace(TOY, partial=False, **variant)
    rng = np.random.default_rng(1)
    codes = rng.choice(5, 4_000_000, p=(0.3, 0.2, 0.199, 0.3, 0.001)).astype(np.uint8)
    assert promise_holds(codes, config) > 2_000


def test_never_an_invalid_gene_on_a_real_sequence():
    fly = Path(__file__).resolve().parents[2] / "examples" / "fly_chr2R_500kb.fa.gz"
    (contig,) = contigs(fly)
    config = replace(TOY, partial=False, min_intron=20)
    assert promise_holds(base_codes(contig.sequence), config) > 200


@pytest.mark.parametrize("table", [1, 4, 6, 11, 12])
def test_cut_genes_are_valid_too(table):
    """No stop codon in frame, also where introns split codons and where the sequence ends."""
    config = replace(TOY, genetic_code=table, atac=True)
    rng = np.random.default_rng(table)
    cut = 0
    for _ in range(150):
        codes = base_codes(toy(rng, int(rng.integers(1, 400)), n_rate=0.01).encode())
        scores = random_scores(rng, len(codes), outside=-4, boundaries=1)
        for transcript in parse(Decoder(config).decode([(scores, codes)]), config):
            assert not faults(transcript, codes, genetic_code(table))
            cut += not (transcript.complete5 and transcript.complete3)
    assert cut > 100


@pytest.mark.parametrize(
    ("scores", "codes", "message"),
    [
        (np.zeros((3, 29), np.float32), np.zeros(3, np.uint8), "int16 or int32"),
        (np.zeros((3, 28), np.int16), np.zeros(3, np.uint8), "shapes"),
        (np.zeros((2, 29), np.int16), np.zeros(3, np.uint8), "shapes"),
        (np.zeros((3, 29), np.int16), np.full(3, 5, np.uint8), "0 to 4"),
    ],
)
def test_unfit_input_is_refused(scores, codes, message):
    with pytest.raises(ValueError, match=message):
        viterbi(scores, codes, TOY)
