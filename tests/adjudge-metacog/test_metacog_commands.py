"""`adjudge graph …`, run as a user runs it."""

from __future__ import annotations

import json
import re

import pytest

from adjudge.cli import main
from adjudge_metacog.log import change, read

from .conftest import ANA, edge, rule
from .test_metacog_graph import TREE


@pytest.fixture
def run(capsys):
    """Runs a command; gives its exit status and what it printed."""

    def _run(*arguments) -> tuple[int, str]:
        status = main(["graph", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return _run


def test_show_lists_rules_by_status(run, path):
    status, said = run("show", path)
    assert (status, said.splitlines()[-1]) == (0, "2 of 2 rules")
    assert run("show", path, "--active")[1].startswith("loan  validated  severity 2  When someone asks about a loan,")
    assert run("show", path, "--status", "proposed")[1].startswith("loan-old  proposed")


def test_query_shows_the_neighbourhood(run, path):
    status, said = run("query", path, "loan", "--steps", "1")
    assert status == 0
    assert said.splitlines()[-1] == "loan-old refines loan"


def test_find_shows_the_rules_for_a_case_and_why(run, path):
    status, said = run("find", path, "Is a loan risky?", "--embeddings", "none")
    assert status == 0
    first, because, last = said.splitlines()
    assert re.match(r"loan  \d+\.\d  When someone asks about a loan,", first)
    assert re.match(r"    word loan \(\d\.\d\)", because)
    assert last == "1 of 1 active rules, by scope, words"
    assert run("find", path, "loan", "--domain", "nursing", "--embeddings", "none")[1].startswith("0 of 1 active")
    assert run("find", path, "loan", "--embeddings", "glove")[0] == 2


def test_why_explains_a_rule_and_an_unknown_one_is_an_error(run, path):
    assert "status: validated, active" in run("why", path, "loan")[1]
    status, said = run("why", path, "loam")
    assert status == 2
    assert "did you mean 'loan'" in said
    assert "Traceback" not in said


def test_review_lists_and_decides(run, path):
    change(path, lambda graph: ANA.links(graph, edge("conflicts_with", "loan-old", "loan")))
    assert run("review", path)[1].splitlines()[-1] == "1 to review"
    assert run("review", path, "loan-old", "--accept")[0] == 2
    assert (
        run("review", path, "loan-old", "--accept", "--by", "Ben", "--reason", "both hold")[1]
        == "loan-old: validated, active\n"
    )
    (event,) = read(path).graph.record("loan-old").moved.values()
    assert (event.by, event.reviewed, event.reason) == ("Ben", True, "both hold")
    assert run("review", path)[1] == "0 to review\n"


def test_what_a_text_hides_does_not_reach_the_terminal(run, path):
    change(path, lambda graph: ANA.adds(graph, rule("odd", text="When asked, do \x1b[2Jclear, because it is dark")))
    assert "\x1b" not in run("show", path)[1]
    assert "\x1b" not in run("why", path, "odd")[1]
    assert "hidden-unicode" in run("review", path)[1]


def test_export_prints_or_writes(run, path, tmp_path):
    assert run("export", path)[1].startswith("flowchart LR")
    assert run("export", path, "--format", "jsonld", "--out", tmp_path / "g.json") == (0, "")
    assert len(json.loads((tmp_path / "g.json").read_text())["@graph"]) == 2


def test_merge_brings_trees_and_graphs_together_and_keeps_what_is_there(run, path, tmp_path):
    (tmp_path / "tree.yaml").write_text(TREE)
    out = tmp_path / "all.jsonl"
    assert run("merge", tmp_path / "tree.yaml", "--out", out, "--by", "Ana")[0] == 0
    status, said = run("merge", path, "--out", out)
    assert status == 0
    assert re.search(r"nodes: +1 principle, 4 rule, 1 scenario\n", said)
    once = out.read_bytes()
    assert run("merge", path, out, "--out", out)[0] == 0
    assert out.read_bytes() == once


def test_merge_with_a_damaged_graph_leaves_all_files_alone(run, path, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(path.read_bytes().replace(b"money", b"honey", 1))
    before = path.read_bytes()
    status, said = run("merge", bad, "--out", path)
    assert (status, path.read_bytes()) == (2, before)
    assert "bad.jsonl: event 1: does not follow" in said


def test_merge_into_a_torn_graph_sets_the_torn_end_aside(run, path, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_bytes(path.read_bytes()[:-4])
    assert run("merge", path, "--out", out)[0] == 0
    assert out.read_bytes() == path.read_bytes()
    assert len(list(tmp_path.glob("out.jsonl.torn-*"))) == 1


def test_diff_tells_two_graphs_apart(run, path, tmp_path):
    old = tmp_path / "old.jsonl"
    old.write_bytes(path.read_bytes())
    change(path, lambda graph: ANA.moves(graph, "loan", "retired"))
    assert run("diff", old, path)[1].splitlines() == ["loan: status: validated to retired", "1 difference"]


def test_rollback_goes_back_and_back_again(run, path):
    assert run("rollback", path, "--to", 2, "--by", "Ben")[1] == "back to event 2 with 2 events; now 7\n"
    assert run("show", path, "--active")[1] == "0 of 2 rules\n"
    assert run("rollback", path, "--to", 5, "--by", "Ben")[0] == 0
    assert run("show", path, "--active")[1].startswith("loan ")
    assert run("rollback", path, "--to", 99, "--by", "Ben")[0] == 2


def test_stats_counts_verifies_and_writes_a_snapshot(run, path):
    said = run("stats", path, "--snapshot", "--verify")[1]
    assert re.search(r"rules: +1 proposed, 1 validated\n", said)
    assert "snapshot of 5 is the same byte for byte" in said


def test_a_torn_end_is_told(run, path):
    path.write_bytes(path.read_bytes()[:-3])
    status, said = run("stats", path)
    assert status == 0
    assert "torn bytes after event 4 are passed over" in said


@pytest.mark.parametrize("command", ["show", "stats", "review", "export"])
def test_a_missing_graph_is_an_error_in_one_line(run, tmp_path, command):
    status, said = run(command, tmp_path / "none.jsonl")
    assert (status, said.count("\n")) == (2, 1)
    assert "no such file" in said


def test_export_writes_a_page_for_a_browser(run, path, tmp_path):
    out = tmp_path / "rules.html"
    assert run("export", path, "--format", "html", "--out", out) == (0, "")
    assert out.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (("--domain", "finance"), ["loan"]),
        (("--near", "loan-old", "--steps", 0), ["loan-old"]),
        (("--near", "loan-old"), ["loan", "loan-old"]),
        (("--near", "loan-old", "--domain", "finance"), ["loan"]),
        (("--domain", "nursing"), []),
    ],
)
def test_a_part_of_a_graph_is_exported(run, path, part, names):
    status, said = run("export", path, "--format", "jsonld", *part)
    assert status == 0
    assert [node["@id"].rpartition(":")[2] for node in json.loads(said)["@graph"]] == names


def test_a_part_near_an_unknown_node_is_an_error_in_one_line(run, path):
    status, said = run("export", path, "--near", "loam")
    assert (status, said.count("\n")) == (2, 1)
