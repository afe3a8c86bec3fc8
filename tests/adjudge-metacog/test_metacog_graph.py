"""The graph as a function of its events: order, merges, conflicts, rollback, trees, exports, questions."""

from __future__ import annotations

import json
import random
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError, PackError, UnknownNameError
from adjudge.metrics import wilson
from adjudge_metacog.changes import Author
from adjudge_metacog.events import identity
from adjudge_metacog.exporting import exported
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.log import change, read, write
from adjudge_metacog.merging import differences, merged, rolled_back
from adjudge_metacog.nodes import Evidence, Ground, Scope
from adjudge_metacog.queries import figures, near, part, to_review, why
from adjudge_metacog.trees import load_tree, planted

from .conftest import ANA, edge, rule

BEN = Author("Ben")
NAMES = "abc"


def _step(graph: RuleGraph, author: Author, kind: int, first: str, second: str) -> None:
    """One change of a random life of a graph; what does not fit is left out, as a caller would see an error."""
    makers = [
        lambda: author.adds(graph, rule(first, f"a {second} loan")),
        lambda: author.moves(graph, first, ("validated", "retired")[first < second]),
        lambda: author.links(graph, edge(("supports", "refines")[first < second], first, second)),
        lambda: author.links(graph, edge("supports", first, second), present=False),
        lambda: author.uses(graph, first, second, aligned=first < second),
        lambda: author.measures(graph, first, Evidence(measure=second, value=0.5)),
    ]
    if (kind and not {first, second} <= graph.records.keys()) or (first == second and kind in (2, 3)):
        return
    try:
        events = list(makers[kind]())
    except InputError:
        return
    for event in events:
        graph.apply(identity(event), event)


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=25
)


def lives(steps) -> list[RuleGraph]:
    """Three copies of a graph that live apart and now and then take over what another one knows."""
    graphs = [RuleGraph() for _ in range(3)]
    for number, (who, kind, first, second) in enumerate(steps):
        _step(graphs[who], Author(f"author-{who}"), kind, first, second)
        if number % 7 == 6:
            for name, event in graphs[(who + 1) % 3].events():
                graphs[who].apply(name, event)
    return graphs


@given(STEPS, st.randoms(use_true_random=False))
def test_any_interleaving_of_events_gives_the_same_graph(steps, chance: random.Random):
    events = [entry for graph in lives(steps) for entry in graph.events()]
    ordered = RuleGraph(events).canonical()
    chance.shuffle(events)
    assert RuleGraph(events).canonical() == ordered


@given(STEPS, st.permutations(range(3)))
def test_merges_in_any_order_give_the_same_file_and_lose_nothing(tmp_path_factory, steps, order):
    folder = tmp_path_factory.mktemp("merge")
    graphs = lives(steps)
    for number, graph in enumerate(graphs):
        write(folder / str(number), (event for _, event in graph.events()))
    logs = [read(folder / str(number)) for number in range(3)]
    write(folder / "all", (event for _, event in merged(logs).events()))
    pair = [logs[n] for n in order[:2]]
    write(folder / "pair", (event for _, event in merged(pair).events()))
    write(folder / "late", (event for _, event in merged([read(folder / "pair"), logs[order[2]], pair[0]]).events()))
    assert (folder / "late").read_bytes() == (folder / "all").read_bytes()
    known = dict(read(folder / "all").graph.events())
    assert known == {name: event for graph in graphs for name, event in graph.events()}


def copies(tmp_path, path):
    """Two copies of a graph."""
    twins = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    for twin in twins:
        twin.write_bytes(path.read_bytes())
    return twins


def test_copies_that_disagree_on_a_status_keep_both_and_the_rule_rests(tmp_path, path):
    first, second = copies(tmp_path, path)
    change(first, lambda graph: ANA.moves(graph, "loan-old", "validated"))
    change(second, lambda graph: BEN.moves(graph, "loan-old", "retired"))
    graph = merged([read(first), read(second)])
    assert graph.record("loan-old").statuses == ("retired", "validated")
    assert graph.why_not_active("loan-old") == ["it is retired", "copies of the graph disagree on its status"]
    for status in ("validated", "retired"):
        settled = RuleGraph(graph.events())
        for event in BEN.moves(settled, "loan-old", status, "agreed", reviewed=True):
            settled.apply(identity(event), event)
        assert settled.record("loan-old").statuses == (status,)
        assert not list(settled.problems())


def test_copies_that_disagree_on_a_text_keep_both_and_the_rule_rests(tmp_path, path):
    first, second = copies(tmp_path, path)
    change(first, lambda graph: ANA.adds(graph, rule("loan", "a small loan")))
    change(second, lambda graph: BEN.adds(graph, rule("loan", "a large loan")))
    graph = merged([read(second), read(first)])
    assert {node.text.split()[5] for node in graph.record("loan").contents} == {"small", "large"}
    assert graph.why_not_active("loan") == ["copies of the graph disagree on its text"]
    assert "loan" in to_review(graph)


def test_copies_that_say_the_same_do_not_disagree(tmp_path, path):
    first, second = copies(tmp_path, path)
    change(first, lambda graph: ANA.adds(graph, rule("new")))
    change(second, lambda graph: BEN.adds(graph, rule("new")))
    assert len(merged([read(first), read(second)]).record("new").contents) == 1


def test_a_merge_that_closes_a_circle_is_refused_with_the_files(tmp_path, path):
    first, second = copies(tmp_path, path)
    change(first, lambda graph: ANA.links(graph, edge("refines", "loan-old", "loan"), present=False))
    change(first, lambda graph: ANA.links(graph, edge("refines", "loan", "loan-old")))
    change(second, lambda graph: BEN.links(graph, edge("supports", "loan-old", "loan")))
    assert merged([read(first), read(second)]).edges == [
        edge("refines", "loan", "loan-old"), edge("supports", "loan-old", "loan")
    ]  # fmt: skip
    change(second, lambda graph: BEN.links(graph, edge("refines", "loan-old", "loan"), present=False))
    change(second, lambda graph: BEN.links(graph, edge("refines", "loan-old", "loan")))
    with pytest.raises(InputError, match=r"first.jsonl: event 7: in the merged graph refines goes in a circle|second"):
        merged([read(first), read(second)])


def test_a_rule_that_contradicts_another_is_active_only_once_reviewed(path):
    log = change(
        path,
        lambda graph: ANA.adds(graph, rule("new")),
        lambda graph: ANA.links(graph, edge("conflicts_with", "new", "loan")),
        lambda graph: ANA.moves(graph, "new", "validated"),
    )
    assert [r.id for r in log.graph.active] == ["loan"]
    assert to_review(log.graph)["new"] == ["it contradicts another rule"]
    log = change(path, lambda graph: BEN.moves(graph, "new", "validated", reviewed=True))
    assert [r.id for r in log.graph.active] == ["loan", "new"]


def test_the_rule_goes_free_when_the_one_it_contradicts_is_retired(path):
    change(
        path,
        lambda graph: ANA.adds(graph, rule("new")),
        lambda graph: ANA.links(graph, edge("conflicts_with", "new", "loan")),
        lambda graph: ANA.moves(graph, "new", "validated"),
    )
    log = change(path, lambda graph: BEN.moves(graph, "loan", "retired"))
    assert [r.id for r in log.graph.active] == ["new"]


def test_the_same_use_counts_once_and_a_later_outcome_is_kept(path):
    log = change(
        path,
        lambda graph: ANA.uses(graph, "loan", "item-1", aligned=True),
        lambda graph: ANA.uses(graph, "loan", "item-2"),
        lambda graph: ANA.uses(graph, "loan", "item-2", aligned=False),
    )
    assert log.graph.record("loan").uses == {"item-1": True, "item-2": False}
    assert log.count == 7


def test_rollback_brings_the_graph_back_and_erases_nothing(path):
    before = read(path)
    change(
        path,
        lambda graph: ANA.adds(graph, rule("new")),
        lambda graph: ANA.moves(graph, "new", "validated"),
        lambda graph: ANA.adds(graph, rule("loan", "a car")),
        lambda graph: ANA.moves(graph, "loan", "retired"),
        lambda graph: ANA.links(graph, edge("refines", "loan-old", "loan"), present=False),
    )
    late = read(path)
    log = change(path, rolled_back(late, 5, BEN))
    assert [r.id for r in log.graph.active] == [r.id for r in before.graph.active] == ["loan"]
    assert log.graph.edges == before.graph.edges
    assert log.graph.record("loan").contents == before.graph.record("loan").contents
    assert log.graph.record("new").status == "retired"
    assert path.read_bytes().startswith(b'{"format"')
    assert set(late.numbers) < set(log.numbers)
    again = change(path, rolled_back(read(path), 10, BEN))
    assert again.graph.record("new").status == "validated"
    assert not list(differences(late.graph, again.graph))
    with pytest.raises(InputError, match="roll back to one of them"):
        rolled_back(log, 99, BEN)


def test_differences_name_what_changed(path):
    old = read(path).graph
    new = change(
        path,
        lambda graph: ANA.adds(graph, rule("new")),
        lambda graph: ANA.adds(graph, rule("loan", "a car", severity=3)),
        lambda graph: ANA.moves(graph, "loan-old", "retired"),
        lambda graph: ANA.links(graph, edge("supports", "new", "loan")),
        lambda graph: ANA.uses(graph, "loan", "item-9"),
    ).graph
    found = list(differences(old, new))
    assert ("loan", "changed: scope, severity, text") in found
    assert ("loan", "used: +1") in found
    assert ("loan-old", "status: proposed to retired") in found
    assert ("new supports loan", "drawn") in found
    assert not list(differences(new, new))


TREE = """
id: finance/loans
version: "1"
domain: finance
licence: {spdx: Apache-2.0}
agreed_by: nobody; synthetic
scenarios:
  - id: lending
    text: Someone wants to borrow
    principles:
      - id: honesty
        text: Say what a loan costs
        rules:
          - {id: fees, text: "When a loan is offered, do name all fees, because they add up", severity: 3, tags: [fees]}
          - {id: hurry, text: "When a loan is offered, do not press for time, because haste is costly"}
"""


def test_a_tree_is_the_root_of_a_graph_and_is_planted_once(tmp_path):
    (tmp_path / "tree.yaml").write_text(TREE)
    tree = load_tree(tmp_path / "tree.yaml")
    log = change(tmp_path / "rules.jsonl", lambda graph: planted(graph, tree, ANA))
    assert [r.id for r in log.graph.active] == ["fees", "hurry"]
    assert log.graph.record("fees").node.scope.scenarios == ("lending",)
    assert log.graph.record("fees").reviewed
    assert edge("derived_from", "fees", "honesty") in log.graph.edges
    change(tmp_path / "rules.jsonl", lambda graph: ANA.moves(graph, "hurry", "retired"))
    again = change(tmp_path / "rules.jsonl", lambda graph: planted(graph, tree, ANA))
    assert (again.count, again.graph.record("hurry").status) == (log.count + 1, "retired")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("When a loan is offered, do name all fees", "Name all fees", r"tree.yaml:14:\d+: .*when …, do"),
        ("id: hurry", "id: fees", r"tree.yaml:15:\d+: the id 'fees' stands twice"),
        ("do not press for time", "do not <|end|> it", r"tree.yaml:15:\d+: .*control-token"),
        ("severity: 3", "severity: 4", r"tree.yaml:14:\d+: .*severity"),
        ("agreed_by: nobody; synthetic\n", "", "agreed_by"),
        ('version: "1"', 'version: "1"\nversion: "2"', "duplicate-key"),
    ],
)
def test_a_bad_tree_is_refused_with_its_place(tmp_path, old, new, what):
    (tmp_path / "tree.yaml").write_text(TREE.replace(old, new, 1))
    with pytest.raises(PackError, match=what):
        load_tree(tmp_path / "tree.yaml")


ODD = 'He said "]] --> <script>x</script>\x0b #;'


@pytest.fixture
def odd(path):
    """A graph with texts that could break a format."""
    return change(
        path,
        lambda graph: ANA.adds(graph, Ground(kind="case", id="case-1", text=ODD)),
        lambda graph: ANA.links(graph, edge("derived_from", "loan", "case-1")),
        lambda graph: ANA.measures(graph, "loan", Evidence.of("improvement", "test", wilson(8, 10))),
    ).graph


def test_graphml_reads_back_with_all_nodes_and_edges(odd):
    found = nx.parse_graphml(exported(odd, "graphml"))
    assert set(found.nodes) == {"loan", "loan-old", "case-1"}
    assert {(a, b, d["kind"]) for a, b, d in found.edges(data=True)} == {
        ("loan-old", "loan", "refines"), ("loan", "case-1", "derived_from")
    }  # fmt: skip
    assert (found.nodes["loan"]["status"], found.nodes["loan"]["uses"]) == ("validated", 1)
    assert ET.fromstring(exported(odd, "graphml")).tag.endswith("graphml")


def test_jsonld_names_nodes_edges_and_evidence(odd):
    by_id = {node["@id"]: node for node in json.loads(exported(odd, "jsonld"))["@graph"]}
    loan = by_id["urn:adjudge:node:loan"]
    assert loan["derivedFrom"] == [{"@id": "urn:adjudge:node:case-1"}]
    assert loan["evidence"][0]["value"] == 0.8
    assert by_id["urn:adjudge:node:case-1"]["text"].startswith('He said "]]')


def test_mermaid_escapes_what_could_end_a_label(odd):
    text = exported(odd, "mermaid")
    assert "  n2 -->|refines| n1" in text.splitlines()
    assert "<" not in text.replace("-->", "").replace("<br", "")
    labels = [line for line in text.splitlines() if line.startswith("  n0(")]
    assert len(labels) == 1
    assert labels[0].count('"') == 2


@pytest.mark.parametrize("form", ["graphml", "jsonld", "mermaid"])
def test_exports_do_not_depend_on_the_order_of_events(odd, form):
    assert exported(RuleGraph(reversed(odd.events())), form) == exported(odd, form)


def test_a_part_holds_what_its_rules_contradict(path):
    log = change(
        path,
        lambda graph: ANA.adds(graph, rule("against", scope=Scope(domain="law"))),
        lambda graph: ANA.adds(graph, rule("beside", scope=Scope(domain="law"))),
        lambda graph: ANA.links(graph, edge("conflicts_with", "against", "loan")),
        lambda graph: ANA.moves(graph, "against", "validated"),
        lambda graph: ANA.links(graph, edge("supports", "beside", "loan-old")),
    )
    law = part(log.graph, domain="law")
    assert sorted(law.records) == ["against", "beside", "loan"]
    assert law.edges == [edge("conflicts_with", "against", "loan")]
    assert law.held_back()["against"] == log.graph.why_not_active("against") == ["it contradicts another rule"]
    assert sorted(part(log.graph, domain="law", near_to="beside").records) == ["beside"]


def test_the_neighbourhood_grows_with_the_steps(odd):
    assert near(odd, "loan-old", 0)[0] == ["loan-old"]
    assert near(odd, "loan-old", 1)[0] == ["loan-old", "loan"]
    assert near(odd, "loan-old", 2)[0] == ["loan-old", "loan", "case-1"]
    assert near(odd, "loan-old", 2, kinds=["refines"]) == (["loan-old", "loan"], [edge("refines", "loan-old", "loan")])
    with pytest.raises(UnknownNameError, match="did you mean 'loan'"):
        near(odd, "loam")


def test_why_tells_origin_evidence_uses_and_history(odd):
    text = "\n".join(why(odd, "loan"))
    assert "status: validated, active" in text
    assert "evidence: improvement 0.800 [0.490, 0.943] n=10 on test" in text
    assert "uses: 1, in order afterwards: 1.00" in text
    assert "derived_from: case-1" in text
    assert "refines (from): loan-old" in text
    assert "history: 3 moved to validated: measured (2026-01-01 by Ana)" in text


def test_figures_count_and_measure(odd):
    found = figures(odd)
    assert found["rules"] == {"proposed": 1, "validated": 1}
    assert (found["active"], found["uses"], found["in order after use"].n) == (1, 1, 1)


@pytest.mark.parametrize(
    "text", ["Be nice.", "when x, do y", "When x, do y, because z\nIgnore that", "If x, do y, because z", ""]
)
def test_a_rule_has_the_one_form(text):
    with pytest.raises(ValueError, match="pattern"):
        rule("a", text=text)
