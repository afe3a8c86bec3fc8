"""`adjudge elicit …`, run as a user runs it, with a scripted model."""

from __future__ import annotations

import io
import json
import sys

import pytest

from adjudge.cli import main
from adjudge.interfaces import Capabilities
from adjudge.testing import ScriptedBackend
from adjudge_metacog.elicit.cases import load_cases
from adjudge_metacog.elicit.events import Told, Voted
from adjudge_metacog.elicit.store import Store
from adjudge_metacog.log import read
from adjudge_metacog.moral import load_moral_graph

from .elicit_script import CASES, script, with_cards


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command with what is typed; gives its exit status and what it printed."""
    backend = ScriptedBackend(script())
    monkeypatch.setattr("adjudge.plugins.build_backend", lambda *_: backend)

    def _run(*arguments, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(["elicit", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    _run.backend = backend
    return _run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "talk.jsonl"


@pytest.fixture
def voted(path):
    store = with_cards(path, ("a", "Fear"), ("b", "Care"))
    with_cards(path, ("v1", "V"), ("v2", "W"), case="debt")
    store.refresh()
    told = {"source": "card-a", "wiser": "card-b", "context": CASES[0].context, "text": "…", "by": "m"}
    store.append(Told(type="told", story="s", **told))
    store.append(*(Voted(type="voted", person=name, story="s", answer="wiser") for name in ("v1", "v2")))
    return path


def test_talk_in_the_terminal_goes_the_whole_way_and_goes_on_where_it_was_left(run, path):
    status, said = run("talk", path, "--person", "ana", typed="1\nThat he decides.\n")
    assert status == 130
    assert "1. This is what I mean" in said
    status, said = run("talk", path, "--person", "ana", typed="1\n1\n9\n1\n2\n")
    assert status == 0
    assert "Type a number from 1 to 3." in said
    assert "THANK YOU, THAT IS ALL" in said
    assert Store(path).state.people["ana"].closed.fair == "no"
    assert run.backend.closed == 2


def test_the_shipped_cases_are_offered_unless_others_are_named(run, path, tmp_path):
    assert load_cases()[0].text[:40] in " ".join(run("talk", path, "--person", "ana")[1].split())
    (tmp_path / "c.yaml").write_text("cases:\n  - {id: one, text: A question?, context: Questions}\n")
    assert "A question?" in run("talk", tmp_path / "new.jsonl", "--person", "a", "--cases", tmp_path / "c.yaml")[1]
    status, said = run("talk", path, "--person", "a", "--cases", tmp_path / "c.yaml")
    assert (status, "was opened with other cases" in said) == (2, True)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cases: []\n", "one case or more"),
        ("cases:\n  - {id: a, text: x}\n", r"c.yaml:2:5: cases.0.context"),
        ("cases:\n  - {id: a, text: x, context: y}\n  - {id: a, text: x, context: y}\n", "an id of its own"),
    ],
)
def test_a_bad_file_of_cases_is_refused_with_the_place(run, path, tmp_path, text, what):
    (tmp_path / "c.yaml").write_text(text)
    status, said = run("talk", path, "--person", "ana", "--cases", tmp_path / "c.yaml")
    assert (status, what in said, path.exists()) == (2, True, False)


def test_a_person_has_a_plain_name(run, path):
    status, said = run("talk", path, "--person", "Ana Maria")
    assert (status, "letters, digits" in said) == (2, True)


def test_graph_shows_ranks_winners_and_survey_and_writes_a_graph_that_loads(run, voted, tmp_path):
    status, said = run("graph", voted, "--out", tmp_path / "g.json")
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == "4 people with a card, 4 values, 1 of 1 edges count"
    assert lines[1].endswith("Care")
    assert f"wisest where {CASES[0].context}: Care" in lines
    assert load_moral_graph(tmp_path / "g.json").edges[0].counts.wiser == 2
    assert "0 of 1 edges count" in run("graph", voted, "--votes", 3)[1]


def test_pack_writes_a_draft_and_replaces_nothing(run, voted, tmp_path):
    out = tmp_path / "wisest.yaml"
    assert run("pack", voted, "--id", "people/wisest", "--out", out)[0] == 0
    before = out.read_bytes()
    assert main(["lint", str(out)]) in {0, 1}
    status, said = run("pack", voted, "--id", "people/wisest", "--out", out)
    assert (status, "is there already" in said, out.read_bytes()) == (2, True, before)


def test_plant_proposes_rules_and_activates_none(run, voted, tmp_path):
    status, said = run("plant", voted, "--graph", tmp_path / "rules.jsonl", "--by", "Ana")
    assert (status, "1 rules from votes, proposed" in said) == (0, True)
    assert read(tmp_path / "rules.jsonl").graph.active == []


def test_merge_and_stories_say_what_they_did(run, path):
    with_cards(path, *((f"p{n}", "One") for n in range(6)))
    status, said = run("merge", path, "--embeddings", "none")
    assert status == 0
    assert said.startswith(
        "1 clusters by words in common (tf-idf); "
        "5 cards merged, 0 found to hold another value, 0 without an answer; 1 values"
    )
    with_cards(path, ("eva", "Another thing"))
    assert "1 stories told" in run("stories", path)[1]


def test_merge_takes_the_embeddings_of_the_backend_and_says_so(run, path):
    async def embed(texts):
        return [[1.0, 0.0] for _ in texts]

    with_cards(path, *((f"p{n}", "One") for n in range(6)))
    run.backend.capabilities, run.backend.embed = Capabilities(embeddings=True, local=True), embed
    assert f"1 clusters by embeddings of {run.backend.name}; 5 cards merged" in run("merge", path)[1]
    status, said = run("merge", path, "--embeddings", "used")
    assert (status, "did you mean 'use'" in said) == (2, True)


def test_merge_does_not_take_unrelated_cards_for_neighbours_where_all_texts_lie_near(run, path, monkeypatch):
    class Crowded:
        """Of unrelated texts the cosine is .8, of those on one value .95."""

        fingerprint, floor = "crowded 1", 0.79

        def rules(self, texts):
            apart = [[0.8**0.5, *(0.2**0.5 * (n == place) for n in range(len(texts)))] for place in range(len(texts))]
            alike = [[0.95**0.5, *(0.05**0.5 * (n == place) for n in range(len(texts)))] for place in range(len(texts))]
            return [near if "Love" in text else far for text, near, far in zip(texts, alike, apart, strict=True)]

    monkeypatch.setattr("adjudge_metacog.elicit.merging.packaged", lambda name: Crowded())
    with_cards(path, *((f"p{n}", "Love") for n in range(5)), *((f"q{n}", f"Other {n}") for n in range(5)))
    assert (
        "1 clusters by embeddings of crowded 1; 4 cards merged, 0 found" in run("merge", path, "--embeddings", "e5")[1]
    )
    assert (
        "1 clusters by embeddings of crowded 1; 5 cards merged"
        in run("merge", path, "--embeddings", "e5", "--eps", "1", "--points", "2")[1]
    )


def test_local_only_refuses_a_model_elsewhere(run, path):
    with_cards(path, ("a", "A"))
    run.backend.capabilities = Capabilities(local=False)
    status, said = run("stories", path, "--local-only")
    assert (status, "is not on this machine" in said, run.backend.asked) == (2, True, 0)


@pytest.mark.parametrize("command", ["graph", "stories", "merge"])
def test_a_missing_or_damaged_store_is_an_error_in_few_words(run, path, command):
    status, said = run(command, path)
    assert (status, "no such file" in said, "Traceback" in said) == (2, True, False)
    path.write_text(json.dumps({"format": "else"}) + "\n")
    status, said = run(command, path)
    assert (status, said.count("\n"), "is no elicitation" in said) == (2, 1, True)
