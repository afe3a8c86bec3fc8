"""Rules that are counted rather than shown, the templates that propose them, and how thorough an assessment is."""

from __future__ import annotations

import importlib.util
import math
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adjudge
from adjudge import Criterion, Failure, Rubric, Submission
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Member
from adjudge.judges.isolated import IsolatedJudge
from adjudge.ledger import Ledger
from adjudge.metrics import paired_difference
from adjudge.scale import Scale
from adjudge.submission import Label
from adjudge.testing import ScriptedBackend
from adjudge_metacog.cases import Case, case_of
from adjudge_metacog.comparing import LexicalComparer, near
from adjudge_metacog.log import change
from adjudge_metacog.nodes import Rule, flags_of_text
from adjudge_metacog.plugin import build_rule_votes
from adjudge_metacog.practice import Attempt
from adjudge_metacog.proposing import PhraseTemplate, rule_of, runs
from adjudge_metacog.retrieval import Retriever
from adjudge_metacog.thoroughness import names, share_named, thoroughness
from adjudge_metacog.voting import RuleVotesJudge, Vote, Voters, counted, tokens, vote_of

from .conftest import ANA

BENCH = Path(__file__).parents[2] / "bench"
DATA = Path(os.environ.get("ADJUDGE_DATA", BENCH / "../../shared/data"))
MOOD = Criterion(
    id="mood",
    text="What mood?",
    scale=Scale(kind="labels", levels=[{"id": name} for name in ("good", "flat", "bad")]),
)
RUBRIC = Rubric(id="r", version="1", draft=True, criteria=(MOOD,), scoring={"name": "none"})
WORDS = st.text("abcdefgh", min_size=1, max_size=6)
NAMES = st.text("abcdefgh", min_size=2, max_size=6)
COUNT = st.integers(0, 40)


def vote(said, level="good", hits=12, of=13):
    return Vote(tuple(tokens(run) for run in said.split("|")), level, hits, of)


def rule(name, said, level="good", hits=12, of=13, **fields):
    return Rule(kind="rule", id=name, text=vote(said, level, hits, of).text, **fields)


def judged(text, rules, script, binding=None):
    judge = RuleVotesJudge((Member(judge=IsolatedJudge(), name="inner"),), tuple(rules), tuple(binding or ()))
    return adjudge.judge(Submission(id="s", output=text), RUBRIC, backend=ScriptedBackend(script), judge=judge)


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=3), st.integers(0, 40), st.integers(0, 40)
)
def test_a_vote_is_read_back_from_its_sentence_and_is_a_rule(said, hits, more):
    found = Vote(tuple(map(tuple, said)), "good", hits, hits + more)
    assert vote_of(found.text) == found
    assert isinstance(rule_of(found.text), Rule)
    assert not flags_of_text(found.text)


@pytest.mark.parametrize(
    "text",
    [
        "When a loan is offered, do name all fees, because they add up",
        'When the text says "x", do judge it good, because people judged 9 of 3 such texts so',
        'When the text says "--", do judge it good, because people judged 1 of 3 such texts so',
    ],
)
def test_other_sentences_are_no_votes(text):
    assert vote_of(text) is None


def test_a_rule_fires_where_its_words_follow_each_other():
    voters = Voters([rule("a", "net profit"), rule("b", "profit|rose"), rule("c", "loss")])
    assert [one.id for one, _ in voters.of("Net  PROFIT rose again")] == ["a", "b"]
    assert [one.id for one, _ in voters.of("profit net of tax rose")] == ["b"]
    assert voters.of("nothing") == []


def test_votes_add_up_in_log_odds_over_what_the_judge_thinks():
    calm = {"flat": 0.98, "good": 0.01, "bad": 0.01}
    rose = rule("rose", "rose")
    result = judged("Profit rose.", [rose], calm)
    verdict = result.verdict("mood")
    assert verdict.level == "good"
    assert math.log(12.5 / 1.5) + math.log(0.25) > math.log(0.98)
    assert verdict.flags == ("rule:rose",)
    assert "rule rose speaks for good (+2.12)" in verdict.explanation
    assert math.isclose(sum(verdict.distribution.values()), 1.0)
    assert verdict.members[0].level == "flat"
    assert len({verdict.fingerprint, verdict.members[0].fingerprint, ""}) == 3
    other = judged("Profit rose.", [rule("rose", "rose", hits=11)], calm).verdict("mood")
    assert other.fingerprint != verdict.fingerprint
    assert judged("Profit rose.", [rose, rule("alas", "profit", "bad", 30, 30)], calm).verdict("mood").level == "bad"
    weak = rule("weak", "rose", "good", 7, 10)
    assert judged("Profit rose.", [weak], calm).verdict("mood").level == "flat"


def test_without_a_rule_that_fires_the_verdict_is_the_judges_own():
    plain = adjudge.judge(Submission(id="s", output="Calm."), RUBRIC, backend=ScriptedBackend({"flat": 0.9}))
    mine = judged("Calm.", [rule("rose", "rose")], {"flat": 0.9})
    assert mine.verdict("mood").model_copy(update={"judge": plain.verdict("mood").judge}) == plain.verdict("mood")


def test_what_is_unscored_stays_so_and_a_level_that_is_not_there_counts_nothing():
    failed = judged("It rose.", [rule("rose", "rose")], Failure(reason="infra", detail="down")).verdict("mood")
    assert (failed.status, failed.level) == ("unscored", None)
    strange = judged("It rose.", [rule("rose", "rose", "superb")], {"flat": 0.9}).verdict("mood")
    assert (strange.level, strange.flags) == ("flat", ())


def test_a_must_is_guided_by_reviewed_rules_only():
    must = MOOD.model_copy(update={"importance": "must"})
    rubric = RUBRIC.model_copy(update={"criteria": (must,)})
    loose = rule("rose", "rose")
    for binding, level in (((), "flat"), ((loose,), "good")):
        judge = RuleVotesJudge((Member(judge=IsolatedJudge(), name="inner"),), (loose,), binding)
        item = Submission(id="s", output="It rose.")
        result = adjudge.judge(item, rubric, backend=ScriptedBackend({"flat": 0.9, "good": 0.05}), judge=judge)
        assert result.verdict("mood").level == level


@given(st.lists(st.tuples(WORDS, st.sampled_from(["good", "flat", "bad"]), st.integers(0, 9)), max_size=5), WORDS)
@settings(deadline=None)
def test_the_order_of_rules_changes_nothing(votes, text):
    rules = [rule(f"r{n}", said, level, hits, 9) for n, (said, level, hits) in enumerate(votes)]
    given_one = adjudge.Verdict(submission="s", criterion="mood", status="scored", level="flat")
    ways = [counted(given_one, MOOD, Voters(order).of(text)).level for order in (rules, rules[::-1])]
    assert ways[0] == ways[1]


def test_the_judge_needs_a_graph_and_one_member(path):
    with pytest.raises(UnsupportedError, match="needs a rule graph"):
        build_rule_votes()
    with pytest.raises(UnsupportedError, match="wraps one judge"):
        build_rule_votes((), str(path))
    change(path, lambda graph: ANA.adds(graph, rule("rose", "rose")))
    change(path, lambda graph: ANA.moves(graph, "rose", "validated"))
    judge = build_rule_votes((Member(judge=IsolatedJudge(), name="inner"),), str(path))
    assert [one.id for one in judge.rules] == ["loan", "rose"]
    assert judge.binding == ()


# Templates


def labelled(text, level):
    return case_of(Submission(id=text[:9] or "s", output=text, labels=(Label(criterion="mood", level=level),)))


async def test_the_surest_words_of_a_text_are_proposed():
    cases = [labelled(f"{n} profit rose in May", "good") for n in range(12)]
    cases += [labelled(f"{n} profit fell in May", "bad") for n in range(12)]
    template = PhraseTemplate.learned(cases, "mood", least=4)
    attempt = attempt_of(cases[0], "good")
    found = await template.propose(attempt)
    assert vote_of(found.text).level == "good"
    assert "rose" in " ".join(vote_of(found.text).said[0])
    assert (vote_of(found.text).hits, vote_of(found.text).of) == (12, 12)
    none = await template.propose(attempt_of(labelled("quite new", "good"), "good"))
    assert none.reason == "abstain"


def attempt_of(case: Case, wanted):
    verdict = adjudge.Verdict(submission=case.id, criterion="mood", status="scored", level="flat")
    return Attempt(
        case=case,
        shown=(),
        answer=case.submission,
        verdict=verdict,
        verdicts=(verdict,),
        good=False,
        wanted=wanted,
    )


def test_figures_are_no_words_to_learn():
    assert runs("In 2010 it rose 5 percent") == {("in",), ("it",), ("rose",), ("percent",), ("it", "rose")}


async def test_the_same_words_for_two_levels_contradict_each_other():
    comparer = LexicalComparer()
    rose, fell = rule("a", "rose"), rule("b", "rose", "bad")
    assert await comparer.relation(fell, rose) == "contradicts"
    assert await comparer.relation(rule("c", "rose", hits=20, of=22), rose) == "same"
    assert await comparer.relation(rule("d", "fell"), rose) == "apart"


def test_a_rule_of_the_same_text_is_near_whatever_else_there_is():
    rules = [rule(f"r{n}", f"word{n}") for n in range(50)]
    again = rule("again", "word7")
    assert near(again, Retriever(rules))[0].id == "r7"
    assert near(again, Retriever([]), rules)[0].id == "r7"


# Thoroughness


def test_a_party_is_named_by_most_of_its_words():
    assert names("The younger customers lose their savings", "customer savings")
    assert names("the auditor is misled", "external auditors")
    assert not names("the bank gains", "customers")
    assert not names("anything", "")
    assert names("The student and her classmate lose.", "classmates")
    assert not names("Honest work.", "honest students lose places")


def test_short_words_name_something_only_where_it_has_no_others():
    assert not names("the bank gains", "the examiner")
    assert names("HR is told", "HR")
    assert not names("the bank gains", "the EU")
    assert names("学生失去名额", "学生")
    assert not names("银行获利", "学生")


PARTIES = st.lists(st.sampled_from(["students", "teachers", "parents", "clients", "HR"]), max_size=5)


@given(PARTIES, PARTIES, PARTIES.filter(bool))
def test_saying_more_never_names_less(said, more, wanted):
    assert 0 <= share_named(" ".join(said), wanted) <= share_named(" ".join([*said, *more]), wanted) <= 1
    assert share_named(" ".join(wanted), wanted) == 1


def test_thoroughness_is_the_share_of_the_reference_that_was_found():
    found = ["customers and the auditor", "nobody", None]
    wanted = [["customers", "auditor"], ["the school", "nobody"], ["parents"]]
    figure = thoroughness(found, wanted)
    assert figure.value == pytest.approx(0.75)
    assert "1 unscored left out" in figure.note
    assert thoroughness(["x"], [[]]).value is None


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, min_size=1, max_size=4)), min_size=1, max_size=8))
def test_thoroughness_lies_between_0_and_1_and_saying_it_all_is_1(rows):
    wanted = [names_wanted for _, names_wanted in rows]
    assert 0 <= thoroughness([text for text, _ in rows], wanted).value <= 1
    assert thoroughness([" ".join(one) for one in wanted], wanted).value == 1


# Real labels


@pytest.mark.data
async def test_rules_learned_on_half_of_the_phrasebank_raise_agreement_on_the_other_half(monkeypatch):
    if not (DATA / "financial_phrasebank").is_dir():
        pytest.skip("financial_phrasebank is not under ADJUDGE_DATA")
    monkeypatch.syspath_prepend(BENCH)
    spec = importlib.util.spec_from_file_location("metacog_phrasebank", BENCH / "metacog_phrasebank.py")
    bench = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = bench
    spec.loader.exec_module(bench)
    rubric = bench.pack("investor-sentiment")
    parts = bench.parted(bench.cases_of(DATA / "financial_phrasebank", "sentiment", None, 0), shares=bench.SHARES)
    curve = bench.Curve(bench.Constant("neutral"), bench.NoBackend(), rubric, Ledger(), 0)
    cycle = curve.cycle(parts)
    turn = await cycle.turn(parts)
    assert turn.activated
    none, gated = [await curve.measured(cycle, parts, rules) for rules in ([], cycle.graph.active)]
    gain = paired_difference(gated.good, none.good, [case.source for case in parts.final])
    assert gain.low > 0
