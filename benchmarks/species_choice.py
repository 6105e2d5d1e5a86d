"""Fit the model behind `--species=auto`, and say how often it is right on genera it has not seen.

    python -m benchmarks.species_choice DATA --augustus-config FOLDER --counts FILE [--test]

DATA holds splits.tsv and the genomes it names, FOLDER is AUGUSTUS's `config`. The checkpoint
`generic` finds genes in samples of the `train` rows of every set and in a synthetic genome for
every species of AUGUSTUS that one can be drawn for; what was counted is kept in FILE, so that the
model can be fitted again without them. The model is fitted once without each genus; that gives the
calibration and the tables on standard output. Then it is fitted to everything and written to
species/choice.json. With --test the shipped model is not changed: it, and the model without the
genus, choose for the `test` rows.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from augustus_dl.encode import letters
from augustus_dl.errors import AugustusError
from augustus_dl.gene_statistics import TABLES, WIDTH, log_ratios, shares
from augustus_dl.io.fasta import Contig, contigs
from augustus_dl.io.species_parameters import read_species_parameters
from augustus_dl.predict import PredictOptions, engine_for, predict
from augustus_dl.profile import clade_profile, shipped_species
from augustus_dl.species_choice import (
    GENERAL,
    CladeModel,
    clade_model,
    gene_counts,
    sample,
)
from augustus_dl.train.synthesis import synthesize
from benchmarks.annotate import ROOT

CLADES = (
    "vertebrates",
    "arthropods",
    "nematodes",
    "animals",
    "plants",
    "yeasts",
    "fungi",
    "protists",
    "prokaryotes",
)
"""Of `animals`, all others of them, and of nothing else the checkpoint is `generic`."""
SURE = 0.8
"""Least probability of a clade that is chosen: a wrong clade costs about four times the gene F1
that the right one gains over `generic` (docs/experiments.md)."""
GENERA = {
    "human": "Homo",
    "chicken": "Gallus",
    "mouse": "Mus",
    "Pan": "Homo",
    "rat": "Mus",
    "rhesus": "Homo",
    "dmel": "Drosophila",
    "celegans": "Caenorhabditis",
    "daphnia": "Daphnia",
    "PASA": "Arabidopsis",
}
"""By the first word of a set's name, where that is not the genus. Apes and monkeys, and mice and
rats, are left out together."""
OTHER_SETS = {
    "animals/Pan_troglodytes_chr6_MHC_classIII": "vertebrates",
    "animals/celegans_chrX_WS220": "nematodes",
    "animals/human_hg19_pieces": "vertebrates",
    "plants/Arabidopsis_thaliana_1pct_chrstarts": "plants",
    "protist/Leishmania_major_chr1": "protists",
}
"""Of sets that no recipe has; those of prokaryotes/ need no entry."""
NOT_FITTED = ("gene_loci", "geneloci", "classIII", "phages", "plasmids")
"""Parts of names of sets that are no sample of a genome; they are judged only."""
_BASES = {"prokaryotes": 500_000}
_MOST, _SYNTHETIC = 1_800_000, 600_000
_LONGER = 20_000
_DRAWS, _PIECES, _PARTS = 3, 10, (0.3, 0.6)
"""Samples of a genome that are fitted to: pieces of the first, shares of pieces of the others."""
_PENALTY, _SCALE = 0.003, 10.0


@dataclass(frozen=True)
class Genome:
    """A genome, or what stands for one.

    Attributes:
        counts: of each piece; float64 [pieces, WIDTH].
        real: it was not drawn from AUGUSTUS's parameters.
    """

    name: str
    clade: str
    genus: str
    real: bool
    counts: np.ndarray

    @property
    def fitted(self) -> bool:
        return not any(part in self.name for part in NOT_FITTED)


def real_genomes(data: Path, split: str) -> Iterator[Genome]:
    """What `generic` finds in the rows of a split, set by set."""
    clades = recipe_clades() | OTHER_SETS
    rows: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    with (data / "splits.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if row["split"] == split:
                place = rows[f"{row['clade']}/{row['set']}"][row["sequence"]]
                place.append((int(row["start"]), int(row["end"])))
    for name, wanted in sorted(rows.items()):
        kingdom, _, folder = name.partition("/")
        clade = "prokaryotes" if kingdom == "prokaryotes" else clades.get(name)
        if clade is None:
            print(f"{name} is left out: its clade is not known", file=sys.stderr)
            continue
        word = folder.split("_")[0]
        most = _BASES.get(kingdom, _MOST)
        drawn = sample(stretches(contigs(data / name / "genome.fa.gz"), wanted), most)
        genus = GENERA.get(word, word)
        yield Genome(folder, clade, genus, True, found_in(drawn))


def stretches(
    sequences: Iterable[Contig], wanted: dict[str, list[tuple[int, int]]]
) -> Iterator[Contig]:
    """The parts of sequences that rows name."""
    for contig in sequences:
        for start, end in wanted.get(contig.name, ()):
            yield Contig(f"{contig.name}:{start}", contig.sequence[start:end])


def recipe_clades() -> dict[str, str]:
    """Clade of each set that a shipped recipe has."""
    found = {}
    for path in sorted((ROOT / "augustus_dl/train/recipes").glob("*.toml")):
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= {entry["folder"]: recipe["clade"] for entry in recipe["set"]}
    return found


def synthetic_genomes(config: Path) -> Iterator[Genome]:
    """What `generic` finds in genomes drawn from AUGUSTUS's parameters, species by species."""
    for name, species in shipped_species().items():
        if species.obsolete or species.clade not in CLADES or species.clade == "prokaryotes":
            continue
        try:
            parameters = read_species_parameters(name, config)
            drawn = synthesize(parameters, name, species.clade, _SYNTHETIC, seed=1, longer=_LONGER)
            made = [Contig(piece.name, letters(piece.codes)) for piece in drawn]
        except AugustusError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        genus = species.organism.split()[0]
        yield Genome(name, species.clade, genus, False, found_in(sample(made, _SYNTHETIC)))


def found_in(drawn: list[Contig]) -> np.ndarray:
    """Counts of the genes that `generic` finds in each piece."""
    profile, options = clade_profile("eukaryotes"), PredictOptions(device="cpu")
    engine = engine_for(profile, options, cores=1)
    results = predict(drawn, profile, options, engine)
    return np.stack([gene_counts(contig, genes) for contig, genes in results])


def write_counts(genomes: Iterable[Genome], path: Path) -> None:
    """Keep genomes in one file without pickles."""
    kept = {}
    for genome in genomes:
        kind = "real" if genome.real else "synthetic"
        kept["|".join([kind, genome.clade, genome.genus, genome.name])] = genome.counts
        print(f"{genome.name}: {len(genome.counts)} pieces", file=sys.stderr, flush=True)
    np.savez_compressed(path, **kept)


def read_counts(path: Path) -> list[Genome]:
    """`write_counts` inverted."""
    with np.load(path) as kept:
        found = []
        for key in kept.files:
            kind, clade, genus, name = key.split("|")
            found.append(Genome(name, clade, genus, kind == "real", kept[key]))
    return found


@dataclass(frozen=True)
class Calibration:
    """From logits to probabilities, see `CladeModel`."""

    temperature: float = 1.0
    doubt: float = 0.0

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """float64 [samples, clades]."""
        likely = np.exp((logits - logits.max(1, keepdims=True)) / self.temperature)
        likely /= likely.sum(1, keepdims=True)
        return (1 - self.doubt) * likely + self.doubt / likely.shape[1]


_USUAL = Calibration()


class Fit:
    """Samples of genomes, and models that are fitted to some of them."""

    def __init__(self, genomes: list[Genome], tables: Iterable[str] = TABLES) -> None:
        self.genomes = genomes
        rng = np.random.default_rng(1)
        drawn = [
            (number, counts)
            for number, genome in enumerate(genomes)
            for counts in draws(genome.counts, rng)
        ]
        self.of = np.array([number for number, _ in drawn])
        self.first = np.r_[True, self.of[1:] != self.of[:-1]]
        first = (counts for (_, counts), taken in zip(drawn, self.first, strict=True) if taken)
        usual = np.mean([shares(counts) for counts in first], axis=0)
        self.usual = np.array([float(f"{value:.5g}") for value in usual])
        self.ratios = np.stack([log_ratios(counts, self.usual) for _, counts in drawn])
        self.ratios[:, ~columns(tables)] = 0
        self.clade = np.array([CLADES.index(genomes[number].clade) for number in self.of])
        self.genus = np.array([genomes[number].genus for number in self.of])
        self.fitted = np.array([genomes[number].fitted for number in self.of])
        self.real = np.array([genomes[number].real for number in self.of])
        weights = self.weights(np.ones(len(self.of), dtype=bool))
        self._mean = np.average(self.ratios, axis=0, weights=weights)
        spread = np.sqrt(np.average((self.ratios - self._mean) ** 2, axis=0, weights=weights))
        self._factor = _SCALE / (spread + 1e-3) / np.sqrt(columns(tables).sum())
        self._start: torch.Tensor | None = None

    def weights(self, chosen: np.ndarray) -> np.ndarray:
        """Of the chosen samples: even over clades, in them over real and synthetic genomes, in
        these over genera."""
        keys = [(self.clade[i], self.real[i], self.genus[i]) for i in np.flatnonzero(chosen)]
        samples = {key: keys.count(key) for key in set(keys)}
        kinds = defaultdict(set)
        genera = defaultdict(set)
        for clade, real, genus in keys:
            kinds[clade].add(real)
            genera[clade, real].add(genus)
        return np.array(
            [
                1 / len(kinds[clade]) / len(genera[clade, real]) / samples[clade, real, genus]
                for clade, real, genus in keys
            ]
        )

    def model(self, chosen: np.ndarray, calibration: Calibration = _USUAL) -> CladeModel:
        """The model of the chosen samples, those that must not be fitted to left out."""
        chosen = chosen & self.fitted
        scaled = torch.tensor((self.ratios[chosen] - self._mean) * self._factor)
        clade = torch.tensor(self.clade[chosen])
        weight = torch.tensor(self.weights(chosen))
        start = self._start
        if start is None:
            start = torch.zeros(WIDTH + 1, len(CLADES), dtype=torch.float64)
        free = start.clone().requires_grad_(True)
        search = torch.optim.LBFGS(
            [free], max_iter=150 if self._start is None else 40, line_search_fn="strong_wolfe"
        )

        def loss() -> torch.Tensor:
            search.zero_grad()
            logits = scaled @ free[:-1] + free[-1]
            wrong = torch.nn.functional.cross_entropy(logits, clade, reduction="none")
            value = (weight * wrong).sum() / weight.sum() + _PENALTY * (free[:-1] ** 2).sum() / 2
            value.backward()
            return value

        search.step(loss)
        found = free.detach()
        if self._start is None:
            self._start = found
        weights = self._factor[:, None] * found[:-1].numpy() / calibration.temperature
        bias = found[-1].numpy() / calibration.temperature - self._mean @ weights
        return CladeModel(CLADES, self.usual, weights, bias, SURE, calibration.doubt)

    def left_out(self) -> np.ndarray:
        """Logits of each sample under the model without its genus; float64 [samples, clades]."""
        everything = self.model(np.ones(len(self.of), dtype=bool))
        logits = np.zeros((len(self.of), len(CLADES)))
        for genus in sorted(set(self.genus)):
            own = self.genus == genus
            model = self.model(~own) if (own & self.fitted).any() else everything
            logits[own] = self.ratios[own] @ model.weights + model.bias
        return logits


def columns(tables: Iterable[str]) -> np.ndarray:
    """Which elements of a vector of counts belong to these tables; bool [WIDTH]."""
    named = set(tables)
    return np.concatenate(
        [np.full(table.rows * table.columns, name in named) for name, table in TABLES.items()]
    )


def draws(counts: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Counts of samples of different size."""
    for number in range(_DRAWS):
        share = rng.choice(_PARTS) if number else 1.0
        size = min(max(1, round(share * len(counts))), _PIECES)
        yield counts[rng.choice(len(counts), size, replace=False)].sum(0)


def loss(fit: Fit, likely: np.ndarray) -> float:
    """Mean surprise at the right clade, over samples that are fitted to, weighed as in fitting."""
    right = likely[np.arange(len(likely)), fit.clade][fit.fitted]
    return float(-np.average(np.log(right + 1e-12), weights=fit.weights(fit.fitted)))


def calibrated(fit: Fit, logits: np.ndarray) -> Calibration:
    """What makes probabilities of genera that were left out right."""
    tried = [
        Calibration(float(temperature), doubt)
        for temperature in np.geomspace(0.2, 3, 41).round(3)
        for doubt in (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
    ]
    return min(tried, key=lambda one: loss(fit, one.probabilities(logits)))


def outcomes(likely: np.ndarray, clade: np.ndarray) -> np.ndarray:
    """What is chosen for each sample: right 0, generic 1, wrong 2. For clades without a checkpoint
    of their own generic is right."""
    first = likely.argmax(1)
    undecided = (likely.max(1) < SURE) | np.isin(first, without_own())
    right = np.where(undecided, np.isin(clade, without_own()), first == clade)
    return np.where(right, 0, np.where(undecided, 1, 2))


def without_own() -> list[int]:
    """Clades that `generic` answers for."""
    return [i for i, clade in enumerate(CLADES) if clade_profile(clade).name == GENERAL]


def print_tables(fit: Fit, likely: np.ndarray) -> None:
    """How often the choice is right where the genus was left out."""
    first = likely.argmax(1)
    result = outcomes(likely, fit.clade)
    print("| clade | genomes | genera | most likely clade is right | right | generic | wrong |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for real in (True, False):
        for number, clade in enumerate(CLADES):
            own = (fit.clade == number) & (fit.real == real) & fit.fitted
            if own.any():
                print_row(fit, own, clade, real, first, result)
        print_row(fit, (fit.real == real) & fit.fitted, "all", real, first, result)
    print("\n| probability | samples | right |\n|---|--:|--:|")
    for low in (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        high = {0.0: 0.3, 0.3: 0.5, 0.9: 0.95, 0.95: 1.01}.get(low, low + 0.1)
        own = fit.fitted & (likely.max(1) >= low) & (likely.max(1) < high)
        if own.any():
            right = np.average(first[own] == fit.clade[own], weights=fit.weights(own))
            print(f"| {low}-{min(high, 1):.3g} | {own.sum()} | {100 * right:.0f} % |")
    print(
        "\n| genome, not right | clade | most likely | probability | chosen |"
        "\n|---|---|---|--:|---|"
    )
    for i in np.flatnonzero(fit.first & (result > 0)):
        genome = fit.genomes[fit.of[i]]
        chosen = "generic" if result[i] == 1 else CLADES[first[i]]
        kind = "" if genome.real else " (synthetic)"
        print(
            f"| {genome.name}{kind} | {genome.clade} | {CLADES[first[i]]} | "
            f"{likely[i].max():.2f} | {chosen} |"
        )


def print_row(
    fit: Fit, own: np.ndarray, name: str, real: bool, first: np.ndarray, result: np.ndarray
) -> None:
    weights = fit.weights(own)
    shares = [np.average(first[own] == fit.clade[own], weights=weights)]
    shares += [np.average(result[own] == kind, weights=weights) for kind in range(3)]
    genera = len(set(fit.genus[own]))
    words = " | ".join(f"{100 * share:.0f}" for share in shares)
    print(f"| {name} | {'real' if real else 'synthetic'} | {genera} | {words} |")


def print_test(fit: Fit, calibration: Calibration, tested: list[Genome]) -> None:
    """What is chosen for genomes, by the shipped model and by the one without the genus."""
    shipped = clade_model()
    print(
        "| test set | clade | pieces | shipped model | without the genus |\n|---|---|--:|---|---|"
    )
    for genome in tested:
        counts = genome.counts[:_PIECES].sum(0)
        words = []
        for model in (shipped, fit.model(fit.genus != genome.genus, calibration)):
            likely = model.probabilities(counts)
            clade = next(iter(likely))
            words.append(f"{model.species(likely)} ({clade} {likely[clade]:.2f})")
        print(f"| {genome.name} | {genome.clade} | {len(genome.counts)} | {' | '.join(words)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--augustus-config", type=Path, default=Path("/usr/share/augustus/config"))
    parser.add_argument("--counts", type=Path, required=True, help="npz file, made if missing")
    parser.add_argument("--output", type=Path, default=ROOT / "species" / "choice.json")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--test", action="store_true", help="choose for the rows marked test")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.counts.exists():
        real, drawn = (
            real_genomes(options.data, "train"),
            synthetic_genomes(options.augustus_config),
        )
        write_counts(chain(real, drawn), options.counts)
    fit = Fit(read_counts(options.counts), options.tables)
    logits = fit.left_out()
    calibration = calibrated(fit, logits)
    if options.test:
        print_test(fit, calibration, list(real_genomes(options.data, "test")))
        return
    likely = calibration.probabilities(logits)
    before = loss(fit, _USUAL.probabilities(logits))
    print(f"loss {before:.3f}, {loss(fit, likely):.3f} with {calibration}\n")
    print_tables(fit, likely)
    if set(options.tables) == set(TABLES):
        model = fit.model(np.ones(len(fit.of), dtype=bool), calibration)
        options.output.write_text(model.to_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
