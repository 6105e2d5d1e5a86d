"""The decoder against independent implementations, and the promise: never an invalid gene.

Nothing here reads the state graph. `best_by_enumeration` tries every legal label path of a short
sequence and judges it through the transcripts it spells; `best_score` is a plain dynamic program
whose states carry the codon's bases and the intron's length as they are.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augustus_dl.decode.config import GRID, DecoderConfig
from augustus_dl.decode.parse import parse
from augustus_dl.decode.viterbi import Decoder, viterbi
from augustus_dl.encode import base_codes, reverse_complement
from augustus_dl.genetic_code import genetic_code
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


def score_of(paths, scores, codes, config):
    """Scores of label paths uint8 [k, L] as the configuration defines them; int64 [k]."""
    left = np.isin(paths, LEFT)
    begins = np.isin(paths, numbers("+START", "-STOP"))
    total = scores[np.arange(len(codes)), paths].sum(axis=1, dtype=np.int64)
    genes = begins.sum(axis=1) + np.isin(paths[:, 0], PARTIAL)
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
    code = genetic_code(config.genetic_code)
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
    """Best valid path and the scores of the two best ones, from all LEGAL paths."""
    labels = allowed_labels(config)
    edges = [[0, *PARTIAL], PARTIAL] if config.partial else [[], []]
    paths = np.array([[i] for i in labels if i in BEGINS + edges[0]], dtype=np.uint8)
    for t in range(1, len(text)):
        right = np.array(labels, dtype=np.uint8)
        rows, columns = np.nonzero(LEGAL[np.ix_(paths[:, -1], right)])
        paths = np.column_stack((paths[rows], right[columns]))
        first, second = LABELS.index("+D0"), LABELS.index("-D0")
        if text[t - 1 : t + 1] not in ("GT", "GC", "AT"):  # only to keep the list short
            paths = paths[~np.isin(paths[:, -2], range(first, first + 3))]
        if text[t - 1 : t + 1] not in ("AC", "GC", "AT"):
            paths = paths[~np.isin(paths[:, -1], range(second, second + 3))]
    paths = paths[np.isin(paths[:, -1], ENDS + edges[1])]
    totals = score_of(paths, scores, base_codes(text.encode()), config)
    found = []
    for k in np.argsort(-totals, kind="stable"):
        if is_valid(paths[k], text, config):
            found.append(k)
            if len(found) == 2:
                break
    return paths[found[0]], [int(totals[k]) for k in found]


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
}


@pytest.mark.parametrize("name", VARIANTS)
def test_best_of_all_legal_paths(name):
    config = VARIANTS[name]
    rng = np.random.default_rng(len(name))
    for case in range(12):
        text = toy(rng, int(rng.integers(1, 13)), n_rate=0.1 * (case % 3 == 0))
        scores = random_scores(rng, len(text), outside=-2 if case % 2 else 0)
        path = viterbi(scores, base_codes(text.encode()), config)
        expected, totals = best_by_enumeration(text, scores, config)
        assert score_of(path[None], scores, base_codes(text.encode()), config)[0] == totals[0]
        assert len(totals) == 1 or totals[0] == totals[1] or (path == expected).all(), text
