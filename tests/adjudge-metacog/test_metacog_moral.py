"""The moral graph: figures of edges, filters, ranks, and the released graph."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge_metacog.moral import Counts, Filter, MoralGraph, ValuesCard, Vote, Wiser, counted, load_moral_graph

DATA = Path(os.environ.get("ADJUDGE_DATA", "../shared/data")) / "moral_graph"
RELEASED = DATA / "moral-graph-prolific-run.json.gz"


def wiser(source: str, target: str, context: str = "work", **counts: int) -> Wiser:
    return Wiser(source=source, wiser=target, contexts=(context,), counts=Counts(**(counts or {"wiser": 3})))


def graph(*edges: Wiser, values: str = "abcd") -> MoralGraph:
    return MoralGraph(values=tuple(ValuesCard(id=name, title=name.upper()) for name in values), edges=edges)


def test_likelihood_and_both_entropies_of_an_edge():
    counts = Counts(wiser=3, unsure=1, impressions=4)
    assert counts.likelihood == 0.75
    assert counts.entropy() == pytest.approx(1.405639, abs=1e-6)
    assert counts.entropy("answers") == pytest.approx(0.811278, abs=1e-6)


def test_an_edge_without_answers_has_no_likelihood_and_does_not_count():
    edge = wiser("a", "b", impressions=5)
    assert edge.counts.likelihood is None
    assert graph(edge).filtered().edges == ()
    assert list(graph(edge).ranks().values()) == pytest.approx([0.15 / 4] * 4)


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        ({"wiser": 2}, True),
        ({"wiser": 1}, False),
        ({"wiser": 3, "less_wise": 1}, True),
        ({"wiser": 3, "less_wise": 2}, False),
        ({"wiser": 3, "not_wiser": 3, "unsure": 2, "impressions": 8}, False),
    ],
)
def test_the_filter_asks_for_votes_likelihood_and_agreement(counts, kept):
    assert bool(graph(wiser("a", "b", **counts)).filtered().edges) is kept


def test_the_entropy_form_decides_where_it_is_near():
    edge = wiser("a", "b", wiser=4, not_wiser=1, unsure=1, impressions=6)
    assert not Filter(entropy=1.5).keeps(edge)
    assert Filter(entropy=1.5, form="answers").keeps(edge)


def test_rank_flows_to_the_wiser_value_by_likelihood():
    found = graph(wiser("a", "b", wiser=3), wiser("a", "c", wiser=3, not_wiser=3)).ranks()
    base = 0.15 / 4
    assert found == pytest.approx({"b": base + 0.85 * base * 2 / 3, "c": base + 0.85 * base / 3, "a": base, "d": base})
    assert list(found) == ["b", "c", "a", "d"]


EDGES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(0, 4), st.integers(0, 4)), max_size=12
)


@given(EDGES, st.booleans())
def test_with_redistribution_ranks_are_those_of_networkx(edges, weighted):
    made = graph(*(wiser(a, b, wiser=up + 1, less_wise=down) for a, b, up, down in edges if a != b))
    reference = nx.DiGraph()
    reference.add_nodes_from("abcd")
    for edge in made.edges:
        if edge.counts.likelihood > 0:
            old = reference.get_edge_data(edge.source, edge.wiser, {"weight": 0})["weight"]
            reference.add_edge(edge.source, edge.wiser, weight=old + (edge.counts.likelihood if weighted else 1))
    ranks = made.ranks(redistribute=True, weighted=weighted)
    assert ranks == pytest.approx(nx.pagerank(reference, alpha=0.85, tol=1e-10, max_iter=500), abs=1e-6)
    assert sum(ranks.values()) == pytest.approx(1)
    assert sum(made.ranks(weighted=weighted).values()) <= 1 + 1e-9


def test_each_context_has_its_own_winners():
    made = graph(wiser("a", "b", "work"), wiser("b", "a", "home"), wiser("c", "d", "home"))
    assert made.winners() == {"work": ["b"], "home": ["a", "d"]}


def test_votes_are_counted_into_edges():
    votes = [Vote(source="a", wiser="b", context=c, answer=x) for c, x in
             [("work", "wiser"), ("work", None), ("home", "wiser"), ("home", "unsure")]]  # fmt: skip
    (edge,) = counted(votes)
    assert edge.counts == Counts(wiser=2, unsure=1, impressions=4)
    assert edge.contexts == ("work", "home")


def test_a_graph_survives_its_json(tmp_path):
    made = graph(wiser("a", "b", wiser=2, unsure=1))
    (tmp_path / "g.json").write_text(made.model_dump_json())
    assert load_moral_graph(tmp_path / "g.json") == made


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"values": [], "edges": [{"sourceValueId": 1, "wiserValueId": 2, "counts": {}}]}, "1 > 2 speaks of a value"),
        ({"values": [{"id": 1, "title": "x"}, {"id": "1", "title": "y"}]}, "two values have the id '1'"),
        ({"values": [{"id": 1, "title": "x"}], "edges": [{"counts": {"markedWiser": -1}}]}, "edges.0"),
        ({"edges": []}, "values: Field required"),
        ("{", "is no JSON"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path, content, what):
    path = tmp_path / "bad.json.gz"
    path.write_bytes(gzip.compress((content if isinstance(content, str) else json.dumps(content)).encode()))
    with pytest.raises(InputError, match=what):
        load_moral_graph(path)


def test_a_missing_or_cut_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_moral_graph(tmp_path / "none.json")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b"{}")[:-5])
    with pytest.raises(InputError, match=r"cut\.json\.gz"):
        load_moral_graph(tmp_path / "cut.json.gz")


released = pytest.mark.skipif(not RELEASED.is_file(), reason="the released moral graph is not here")


@released
@pytest.mark.data
def test_every_released_edge_has_the_stored_likelihood_and_entropy_and_passes_the_filter():
    found = load_moral_graph(RELEASED)
    stored = [edge["summary"] for edge in json.loads(gzip.decompress(RELEASED.read_bytes()))["edges"]]
    assert (len(found.values), len(found.edges), len(found.filtered().edges)) == (59, 67, 67)
    for edge, summary in zip(found.edges, stored, strict=True):
        assert edge.counts.likelihood == pytest.approx(summary["wiserLikelihood"])
        assert edge.counts.entropy() == pytest.approx(summary["entropy"])


@released
@pytest.mark.data
@pytest.mark.parametrize(
    ("options", "top", "whole"),
    [
        ({}, [0.039793, 0.036367, 0.029401, 0.019771, 0.013846], 0.423662),
        ({"weighted": False}, [0.039963], 0.424985),
        ({"redistribute": True}, [0.093927, 0.085839, 0.069398, 0.046666], 1.0),
    ],
)
def test_released_ranks_are_the_known_ones(options, top, whole):
    ranks = list(load_moral_graph(RELEASED).ranks(**options).values())
    assert ranks[: len(top)] == pytest.approx(top, abs=1e-6)
    assert sum(ranks) == pytest.approx(whole, abs=1e-6)
