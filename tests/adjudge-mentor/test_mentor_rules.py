"""The static rule trees: broad, clean, and the roots of a graph whose rules reach the queries they were written for."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.resources import files

import pytest

from adjudge.errors import InputError
from adjudge.submission import as_text
from adjudge_mentor.queries import DOMAINS, load_queries
from adjudge_mentor.rules import main, static_graph, tree_of, write_graph
from adjudge_mentor.tasks import answers_dataset
from adjudge_metacog.applying import Guidance
from adjudge_metacog.log import read
from adjudge_metacog.plugin import build_guided_solver
from adjudge_metacog.retrieval import Budget

GRAPH = static_graph()


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_tree_has_five_scenarios_with_principles_and_rules_of_several_severities(domain):
    tree = tree_of(domain)
    assert len(tree.scenarios) == 5
    rules = [rule for scenario in tree.scenarios for principle in scenario.principles for rule in principle.rules]
    assert all(2 <= len(scenario.principles) <= 3 for scenario in tree.scenarios)
    assert all(1 <= len(principle.rules) <= 4 for scenario in tree.scenarios for principle in scenario.principles)
    assert len(rules) >= 20
    assert {rule.severity for rule in rules} >= {2, 3}
    assert all(rule.tags for rule in rules)


def test_all_rules_of_the_three_trees_are_active_in_one_graph():
    rules = list(GRAPH.rules)
    assert len(rules) >= 90
    assert [rule.id for rule in GRAPH.active] == [rule.id for rule in rules]
    assert len({rule.text for rule in rules}) == len(rules)
    assert Counter(rule.scope.domain for rule in rules).keys() == set(DOMAINS)
    assert not list(GRAPH.problems())


def test_every_risk_query_finds_rules_of_its_own_scenario():
    guidance = Guidance(GRAPH, Budget(rules=3))
    for query in load_queries():
        found = guidance.find(query.query, {"domain": query.domain, "scenario": query.scenario})
        assert found, query.id
        assert all(query.scenario in each.rule.scope.scenarios for each in found), query.id


def test_the_graph_is_written_once_and_serves_the_solver(tmp_path):
    path = tmp_path / "rules.jsonl"
    assert write_graph(path) == len(GRAPH.active)
    before = path.read_bytes()
    write_graph(path)
    assert path.read_bytes() == before
    assert read(path).graph.canonical() == GRAPH.canonical()
    solver = build_guided_solver(graph=str(path), rules=2, embeddings="none")
    item = answers_dataset(pairs=1)[0]
    assert len(solver.guidance.find(as_text(item.input), item.metadata)) == 2


def test_a_tree_alone_serves_the_solver_too():
    path = files("adjudge_mentor") / "trees" / "finance.yaml"
    solver = build_guided_solver(graph=str(path), embeddings="none")
    found = solver.guidance.find("They want to sell a fund with a promise of returns", {"domain": "finance"})
    assert found[0].rule.id.startswith("finance-")


def test_the_command_says_what_it_wrote_and_refuses_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "rules.jsonl")]) == 0
    assert capsys.readouterr().out == f"{len(GRAPH.active)} active rules in {tmp_path / 'rules.jsonl'}\n"
    assert main([]) == 2
    assert "say where to" in capsys.readouterr().err
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert main([str(tmp_path / "other.jsonl")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(InputError):
        write_graph(tmp_path / "other.jsonl")


def test_the_command_runs_as_a_module(tmp_path):
    path = tmp_path / "rules.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "adjudge_mentor.rules", str(path)], capture_output=True, text=True, check=True
    )
    assert "active rules" in done.stdout
