"""The state graph: its size, what it leaves out, and that it keeps to the label table."""

import numpy as np
import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.decode.grammar import build_graph
from augustus_dl.errors import OptionError
from augustus_dl.labels import LABELS, LEGAL


@pytest.mark.parametrize("table", sorted(unambiguous_dna_by_id))
def test_every_genetic_code_fits_the_arrays(table):
    graph = build_graph(DecoderConfig(genetic_code=table, atac=True))
    assert len(graph.opener) <= 64  # one bit each in `entered`
    assert len(graph.state_label) + len(graph.opener) <= 256  # nodes are uint8 in `back`


@pytest.mark.parametrize("table", sorted(unambiguous_dna_by_id))
def test_overlaps_fit_the_arrays(table):
    for strand in ("forward", "backward"):
        config = DecoderConfig(genetic_code=table, intronless=True, max_overlap=60, strand=strand)
        graph = build_graph(config)
        assert len(graph.state_label) <= 256
        assert len(graph.base_first) == 20 + 1  # symbols


@pytest.mark.parametrize("count", ["any", "atleastone"])
def test_steps_keep_to_the_label_table(count):
    graph = build_graph(DecoderConfig(atac=True, gene_count=count))
    resumed = {int(s): [] for s in range(len(graph.state_label))}
    for opener, left, inside, right in zip(
        graph.opener, graph.left_label, graph.inside_label, graph.right_label, strict=True
    ):
        resumed[int(opener)].append(right)
        assert LEGAL[graph.state_label[opener], left]
        assert LEGAL[left, inside] and LEGAL[inside, inside] and LEGAL[inside, right]
    seen = np.zeros_like(LEGAL)
    for k, target in enumerate(graph.target):
        for source in graph.source[graph.target_first[k] : graph.target_first[k + 1]]:
            for left in (graph.state_label[source], *resumed[int(source)]):
                seen[left, graph.state_label[target]] = True
    assert (seen <= LEGAL).all()
    exon = [i for i, name in enumerate(LABELS) if name == "IR" or name[1] in "CS"]
    assert (seen[np.ix_(exon, exon)] == LEGAL[np.ix_(exon, exon)]).all()


def test_variants_have_only_their_labels():
    forward = build_graph(DecoderConfig(strand="forward"))
    assert {LABELS[i][0] for i in forward.state_label[1:]} == {"+"}
    backward = build_graph(DecoderConfig(strand="backward"))
    assert {LABELS[i][0] for i in backward.inside_label} == {"-"}
    assert not len(build_graph(DecoderConfig(intronless=True)).opener)


def test_counting_genes_costs_one_state():
    usual = build_graph(DecoderConfig())
    for count, heir in (("atleastone", 1), ("exactlyone", 0)):
        graph = build_graph(DecoderConfig(gene_count=count))
        assert len(graph.state_label) == len(usual.state_label) + 1
        assert graph.heir == heir
        assert [LABELS[i] for i in graph.state_label[:2]] == ["IR", "IR"]
        assert graph.may_end[:2].tolist() == [False, True]
        assert (graph.begin[:2] == 0).tolist() == [True, False]
    assert usual.heir == 0


def test_standard_code_needs_few_states():
    graph = build_graph(DecoderConfig())
    assert len(graph.state_label) == 1 + (2 + 3 + 4) + (2 + 5 + 4)
    assert len(graph.opener) == (1 + 3 + 4) + (1 + 5 + 4)


def test_unknown_genetic_code_is_refused():
    with pytest.raises(OptionError, match="genetic code 7"):
        build_graph(DecoderConfig(genetic_code=7))
