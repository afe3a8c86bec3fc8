"""Rules beside answers: which reach whom, what is put on record, and that none at all changes nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge import Message, Submission
from adjudge.engine import Engine
from adjudge.errors import AdjudgeError, InputError, UnknownNameError, UnsupportedError
from adjudge.interfaces import Capabilities
from adjudge.ledger import Ledger
from adjudge.solvers import GenerateSolver
from adjudge.testing import BackendContract, ScriptedBackend
from adjudge.testing.backends import question
from adjudge_metacog.applying import Guidance, GuidedAsk, GuidedSolver, applied, guided, tags_of, with_rules
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.guided_backend import GuidedBackend
from adjudge_metacog.guided_backend import build as build_guided
from adjudge_metacog.log import change, read, write
from adjudge_metacog.nodes import Scope
from adjudge_metacog.plugin import adjudge_backends, adjudge_solvers, build_guided_solver
from adjudge_metacog.retrieval import Budget, Found
from adjudge_metacog.trees import graph_of, load_tree, planted

from .conftest import ANA, Topics, rule

TREE = """\
id: finance/loans
version: "1"
domain: finance
licence: {spdx: Apache-2.0}
agreed_by: nobody; made up
scenarios:
  - id: lending
    text: Someone borrows
    principles:
      - id: honesty
        text: Say what it costs
        rules:
          - {id: costs, text: "When someone asks about a loan, do name all of its costs, because they add up"}
"""
LOAN = Submission(id="s", input="Should I take a loan?")
TALK = LOAN.model_copy(
    update={"input": (Message(role="system", content="You advise."), Message(role="user", content="A loan?"))}
)


def grown(path, *rules):
    """The graph with these rules too, validated."""
    for each in rules:
        change(path, lambda graph, each=each: ANA.adds(graph, each))
        change(path, lambda graph, each=each: ANA.moves(graph, each.id, "validated"))
    return read(path).graph


def by_words(**options):
    """The solver, which finds rules without an embedder."""
    return build_guided_solver(embeddings="none", **options)


def answered(solver, submission=LOAN):
    """What the solver makes of it, and the questions asked."""
    backend = ScriptedBackend("Ask what it costs.")

    async def once():
        with Ledger() as ledger:
            return await solver.solve(submission, Engine(backend, ledger))

    return asyncio.run(once()), backend.questions


def test_the_rules_that_bear_on_the_input_stand_in_the_system_message_and_on_record(path):
    found, (asked,) = answered(by_words(graph=str(path)))
    assert asked.prompt.system.endswith(
        "\n- When someone asks about a loan, do name the risk, because money can be lost"
    )
    assert found.metadata["rules"] == ["loan"]
    assert found.output == "Ask what it costs."


def test_what_the_system_says_already_stays_before_the_rules(path):
    for submission in (LOAN, TALK):
        _, (asked,) = answered(by_words(graph=str(path), system="Be brief."), submission)
        assert asked.prompt.system.startswith("Be brief.")
        assert asked.prompt.system.count("Rules from earlier cases") == 1
    assert "You advise." in asked.prompt.system


@pytest.mark.parametrize("submission", [LOAN, TALK, Submission(id="far", input="zebra")])
@pytest.mark.parametrize("options", [{"rules": 0}, {"characters": 0}, {"domain": "nursing"}])
def test_with_no_rules_the_answer_is_exactly_the_baseline(path, submission, options):
    grown(path, rule("everywhere", "anything", scope=Scope(domain="finance")))
    found, asked = answered(by_words(graph=str(path), **options), submission)
    baseline, plainly = answered(GenerateSolver(), submission)
    assert found == baseline
    assert [each.content for each in asked] == [each.content for each in plainly]


def test_severity_comes_before_similarity_and_the_budget_holds(path):
    graph = grown(path, rule("near", "a loan at a bank", severity=1), rule("grave", "a loan or a gift", severity=3))
    asking = Submission(id="s", input="Should I take a loan at a bank?")
    guidance = Guidance(graph, Budget(rules=2))
    assert [each.rule.id for each in guidance.find(asking.input, {})] == ["loan", "near"]
    everything = Guidance(graph).find(asking.input, {})
    assert [each.rule.id for each in everything] == ["grave", "loan", "near"]
    short = Guidance(graph, Budget(characters=90)).find(asking.input, {})
    assert sum(len(each.rule.text) for each in short) <= 90


def test_a_scenario_that_no_rule_names_leaves_no_rule_out(path):
    graph = grown(path, rule("lending", "a loan", scope=Scope(domain="finance", scenarios=("lending",))))
    guidance = Guidance(graph)
    about = {"domain": "finance", "scenario": "lending"}
    assert {each.rule.id for each in guidance.find("a loan", about)} == {"loan", "lending"}
    assert {each.rule.id for each in guidance.find("a loan", {**about, "scenario": "never seen"})} == {
        "loan",
        "lending",
    }
    other = grown(path, rule("saving", "a loan", scope=Scope(scenarios=("saving",))))
    assert "saving" not in {each.rule.id for each in Guidance(other).find("a loan", about)}


def test_a_domain_or_scenario_that_is_null_leaves_no_rule_out(path):
    graph = grown(path, rule("lending", "a loan", scope=Scope(domain="finance", scenarios=("lending",))))
    for about in ({"domain": None}, {"scenario": None}, {"domain": None, "scenario": None}):
        assert {each.rule.id for each in Guidance(graph).find("a loan", about)} == {"loan", "lending"}


def test_a_rule_tree_stands_for_the_graph_of_its_rules(tmp_path):
    (tmp_path / "tree.yaml").write_text(TREE, "utf-8")
    found, (asked,) = answered(by_words(graph=str(tmp_path / "tree.yaml")))
    assert found.metadata["rules"] == ["costs"]
    assert "do name all of its costs" in asked.prompt.system
    tree = load_tree(tmp_path / "tree.yaml")
    log = change(tmp_path / "rules.jsonl", lambda graph: planted(graph, tree, ANA))
    assert graph_of(tree, author=ANA).canonical() == log.graph.canonical()


def test_only_active_rules_are_applied(path):
    change(path, lambda graph: ANA.moves(graph, "loan", "retired"))
    found, (asked,) = answered(by_words(graph=str(path)))
    assert asked.prompt.system == ""
    assert "rules" not in found.metadata


def test_a_rule_can_forge_no_block(path):
    odd = rule("odd", text="When a loan is <input> asked for, do name the risk, because money can be lost")
    guidance = Guidance(read(path).graph)
    assert "&lt;input>" in with_rules("", [Found(odd, 1.0, ())])
    assert guidance.find("a loan", {})


def test_the_fingerprint_includes_the_rules_and_nothing_else_changes(path):
    backend = ScriptedBackend()
    found = Guidance(read(path).graph).find("a loan", {})
    plain = question()
    with Ledger() as ledger:
        ask = Engine(backend, ledger)
        ruled = GuidedAsk(ask, found)
        assert ruled.fingerprint(plain) != ask.fingerprint(plain)
        assert ruled.fingerprint(plain) == ask.fingerprint(guided(plain, found))
        assert ruled.to(backend).fingerprint(plain) == ask.to(backend).fingerprint(guided(plain, found))
        assert (ruled.secret, ruled.primes, ruled.context_tokens) == (ask.secret, ask.primes, ask.context_tokens)
    fields = guided(plain, found).model_dump(exclude={"prompt"})
    assert fields == plain.model_dump(exclude={"prompt"})


@given(st.lists(st.sampled_from(["a loan", "a gift", "a bank", "a house"]), max_size=4, unique=True), st.text())
def test_a_system_message_keeps_what_it_said_and_names_every_rule(topics, system):
    found = [Found(rule(f"r{number}", topic), 1.0, ()) for number, topic in enumerate(topics)]
    made = with_rules(system, found)
    assert made.startswith(system)
    assert (made == system) == (not found)
    assert all(each.rule.text in made for each in found)


def test_uses_go_on_record_once_with_what_came_of_them(path):
    found, _ = answered(by_words(graph=str(path)))
    odd = LOAN.model_copy(update={"id": "odd", "metadata": {"rules": ["unknown", 7]}})
    for _ in range(2):
        change(path, lambda graph: applied(graph, [found, odd, LOAN], ANA, {"s": True}))
    assert read(path).graph.record("loan").uses == {"item-1": True, "s": True}


def test_it_is_told_why_each_rule_was_shown_and_what_found_it(path):
    found, _ = answered(by_words(graph=str(path)))
    assert set(found.metadata["rules_why"]) == {"loan"}
    assert any(why.startswith("word loan (") for why in found.metadata["rules_why"]["loan"])
    assert found.metadata["rules_by"] == "scope, words"


def by_meaning(path, **options):
    return Guidance(read(path).graph, Budget(**options), embedder=Topics(), path=path)


def test_an_embedder_finds_rules_without_a_word_in_common(path):
    asked_in_german = Submission(id="s", input="Ein Kredit?")
    solver = GuidedSolver(GenerateSolver(), by_meaning(path))
    assert solver.name == "guided(5,topics,generate)"
    found, (asked,) = answered(solver, asked_in_german)
    assert "do name the risk" in asked.prompt.system
    assert found.metadata["rules_why"]["loan"][0].startswith("similarity 1.00 (")
    assert found.metadata["rules_by"] == "scope, words and topics 1"
    assert path.with_name("rules.jsonl.vectors-topics").exists()
    assert (
        "rules" not in answered(GuidedSolver(GenerateSolver(), by_meaning(path, rules=0)), asked_in_german)[0].metadata
    )


@pytest.mark.parametrize(
    "row",
    [
        {"tags": ["thrift", "fees"]},
        {"tags": "thrift, fees"},
        {"risk_factor": "fees"},
        {"attack_type": "fees"},
        {"scenario": "fees"},
    ],
)
def test_what_a_row_is_filed_under_finds_rules_with_such_a_tag(path, row):
    graph = grown(path, rule("tagged", "xyz", scope=Scope(tags=("fees",))))
    found = Guidance(graph).find("a loan", row)
    assert [each.rule.id for each in found] == ["tagged", "loan"]
    assert "tag fees" in found[0].why


@pytest.mark.parametrize("row", [{"tags": 7}, {"tags": None}, {"tags": [None, ""]}, {"tags": " , "}, {"scenario": ""}])
def test_a_row_with_odd_tags_is_filed_under_nothing(row):
    assert tags_of(row) == ()


def test_another_solver_can_be_the_one_inside(path):
    guidance = Guidance(read(path).graph, Budget(rules=1))
    solver = GuidedSolver(GuidedSolver(GenerateSolver(), guidance), guidance)
    assert solver.name == "guided(1,guided(1,generate))"
    _, (asked,) = answered(solver)
    assert asked.prompt.system.count("do name the risk") == 2


@pytest.mark.parametrize(
    ("options", "error", "what"),
    [
        ({}, UnsupportedError, "'guided' needs a rule graph: graph=rules.jsonl"),
        ({"graph": "nowhere.jsonl"}, InputError, "no such file"),
        ({"rules": -1}, UnsupportedError, "not below 0"),
        ({"inner": "generat"}, UnknownNameError, "did you mean 'generate'"),
        ({"sistem": "x"}, AdjudgeError, "sistem"),
        ({"embeddings": "used"}, UnknownNameError, "did you mean 'use'"),
    ],
)
def test_bad_options_of_the_solver_are_refused(path, options, error, what):
    given_options = options if "graph" in options or not options else {"graph": str(path), **options}
    with pytest.raises(error, match=what):
        build_guided_solver(**given_options)


# --- the backend


def wrapped(path, inner=None, **options):
    guidance = Guidance(read(path).graph, Budget(**options))
    return GuidedBackend(inner if inner is not None else ScriptedBackend(), guidance)


class TestGuidedBackend(BackendContract):
    @pytest.fixture(autouse=True)
    def _graph(self, path):
        self.path = path

    def make_backend(self):
        return wrapped(self.path)


def test_a_backend_answers_under_the_rules_whoever_asks_it(path):
    inner = ScriptedBackend()
    rubric = adjudge.Rubric(id="r", version="1", draft=True, criteria=(adjudge.Criterion(id="c", text="It is good."),))
    answer = LOAN.model_copy(update={"output": "Take it."})
    adjudge.judge(answer, rubric, backend=wrapped(path, inner))
    assert "do name the risk" in inner.questions[0].prompt.system
    adjudge.judge(answer.model_copy(update={"input": "zebra"}), rubric, backend=wrapped(path, inner))
    assert "do name the risk" not in inner.questions[1].prompt.system


def test_a_ledger_tells_its_replies_apart_unless_no_rule_can_be_shown(path, tmp_path):
    inner = ScriptedBackend()
    plain = wrapped(path, inner, rules=0)
    assert plain.identity == inner.identity
    assert plain.name == inner.name
    assert wrapped(path, inner).identity != wrapped(path, inner, rules=2).identity != inner.identity
    write(tmp_path / "empty.jsonl", [])
    assert GuidedBackend(inner, Guidance(RuleGraph())).identity == inner.identity
    before = wrapped(path, inner).identity
    grown(path, rule("more"))
    assert wrapped(path, inner).identity != before


def test_with_no_rules_every_question_reaches_the_backend_as_it_was(path):
    inner = ScriptedBackend()
    asked = question()
    asyncio.run(wrapped(path, inner, rules=0).ask(asked))
    assert inner.questions == [asked]


def test_the_reply_tells_which_rules_it_was_given_under_and_why(path):
    asked = question("Should I take a loan?")
    reply = asyncio.run(wrapped(path).ask(asked))
    assert reply.sent["rules"] == ["loan"]
    assert reply.sent["rules_why"] == {"loan": ["1 word in common"]}
    assert reply.sent["rules_by"] == "scope, words"
    assert asyncio.run(wrapped(path).ask(question("zebra"))).sent == asyncio.run(ScriptedBackend().ask(asked)).sent


def test_the_ledger_keeps_which_rules_a_backend_answered_under(path):
    asked = question("Should I take a loan?")

    async def once():
        with Ledger() as ledger:
            engine = Engine(wrapped(path), ledger)
            await engine(asked)
            return ledger.find(engine.fingerprint(asked))

    kept = asyncio.run(once())
    assert (kept.sent["rules"], kept.sent["rules_by"]) == (["loan"], "scope, words")


def test_a_ledger_that_keeps_no_text_keeps_no_word_of_the_case(path, tmp_path):
    async def once():
        with Ledger(tmp_path / "ledger.sqlite", store="hashes") as ledger:
            await Engine(wrapped(path), ledger)(question("Should I take a loan?"))

    asyncio.run(once())
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.sqlite*"))
    assert b'"rules":["loan"]' in kept
    assert b"word loan" not in kept


def test_a_backend_finds_by_meaning_and_is_told_what_every_case_is(path):
    graph = grown(path, rule("tagged", "xyz", scope=Scope(tags=("fees",))))
    inner = ScriptedBackend()
    plain, near = (GuidedBackend(inner, Guidance(graph, embedder=by)) for by in (None, Topics()))
    filed = GuidedBackend(inner, Guidance(graph), {"tags": "fees"})
    assert len({str(backend.identity) for backend in (plain, near, filed)}) == 3
    assert near.name == f"guided(5,topics,{inner.name})"
    sent = [asyncio.run(backend.ask(question("Ein Kredit?"))).sent for backend in (plain, near, filed)]
    assert [each.get("rules", [None])[0] for each in sent] == [None, "loan", "tagged"]
    assert sent[2]["rules_why"] == {"tagged": ["tag fees"]}


class Batching(ScriptedBackend):
    """A backend with a batch service."""

    async def ask_many(self, questions, on_handle=None, *, handle=None):
        if on_handle:
            on_handle("h")
        return [await self.ask(each) for each in questions]


def test_a_batch_is_asked_under_the_rules_too(path):
    inner = Batching()
    handles = []
    asked = question("Should I take a loan?")
    replies = asyncio.run(wrapped(path, inner).ask_many([asked, asked], handles.append))
    assert (len(replies), handles) == (2, ["h"])
    assert all("do name the risk" in each.prompt.system for each in inner.questions)
    assert [reply.sent["rules"] for reply in replies] == [["loan"], ["loan"]]


def test_what_the_backend_inside_lacks_is_lacking(path):
    backend = wrapped(path)
    assert not hasattr(backend, "ask_many")
    assert not hasattr(backend, "embed")
    assert isinstance(backend.capabilities, Capabilities)


def test_it_is_made_by_name_and_refuses_what_cannot_be(path):
    (spec,) = adjudge_backends()
    assert [spec.name, *(each.name for each in adjudge_solvers())] == ["guided", "guided"]
    with pytest.raises(UnsupportedError, match="guided:local"):
        spec.build(graph=str(path))
    with pytest.raises(UnsupportedError, match="needs a rule graph"):
        build_guided("local")
    with pytest.raises(UnknownNameError, match="no backend named 'nobody'"):
        spec.build(model="nobody", graph=str(path))


# --- inside inspect


def test_inspects_state_gets_the_rules_before_anything_is_generated(path):
    pytest.importorskip("inspect_ai")
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser
    from inspect_ai.solver import TaskState

    from adjudge_metacog._registry import apply_rules

    def solved(text, *system, **options):
        messages = [*(ChatMessageSystem(content=told) for told in system), ChatMessageUser(content=text)]
        state = TaskState(model="mockllm/model", sample_id="1", epoch=1, input=text, messages=messages)
        return asyncio.run(apply_rules(str(path), **{"embeddings": "none", **options})(state, None))

    near = solved("Should I take a loan?", "Be brief.")
    assert near.metadata["rules"] == ["loan"]
    assert near.metadata["rules_by"] == "scope, words"
    assert "loan" in near.metadata["rules_why"]
    assert [message.role for message in near.messages] == ["system", "user"]
    assert near.messages[0].text.startswith("Be brief.\n\nRules from earlier cases")
    assert solved("Should I take a loan?").messages[0].text.startswith("Rules from earlier cases")
    for same in (solved("zebra", "Be brief."), solved("Should I take a loan?", "Be brief.", rules=0)):
        assert "rules" not in same.metadata
        assert same.messages[0].text == "Be brief."
