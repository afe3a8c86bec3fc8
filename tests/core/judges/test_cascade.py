"""Cascades: what is escalated, what decides, and the replay from stored verdicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError, UnsupportedError
from adjudge.judges.cascade import confidence, is_escalated, replay
from adjudge.ledger import Ledger
from adjudge.submission import Label
from adjudge.testing import ComparingJudgeContract, JudgeContract
from adjudge.verdict import Failure, Usage, Verdict


def cascade_of(threshold, judge="isolated", of=None):
    from adjudge.interfaces import Member
    from adjudge.judges import SPECS
    from adjudge.judges.cascade import CascadeJudge

    spec = next(spec for spec in SPECS if spec.name == judge)
    return CascadeJudge(tuple(Member(judge=spec.build(), name=name) for name in "ab"), threshold=threshold, of=of or {})


class TestCascadeKeepsTheContract(JudgeContract):
    def make_judge(self):
        return cascade_of(0.9)


class TestCascadeOfComparersKeepsTheContract(ComparingJudgeContract):
    def make_judge(self):
        return cascade_of(0.9, "compare")


shares_of_yes = st.floats(0.01, 0.99).filter(lambda share: abs(share - 0.5) > 1e-6)


def scripted(shares):
    return {name: {"yes": share, "no": 1 - share} for name, share in zip("abc", shares, strict=True)}


def said(result):
    return [(v.criterion, v.level, v.score, v.distribution, v.expected) for v in result.verdicts]


@settings(max_examples=25, deadline=None)
@given(
    cheap=st.tuples(*[shares_of_yes] * 3),
    dear=st.tuples(*[shares_of_yes] * 3),
    threshold=st.sampled_from([0.0, 0.6, 0.8, 1.0]),
)
def test_at_0_it_is_the_cheap_judge_at_1_the_dear_one_and_between_each_where_it_should_be(kit, cheap, dear, threshold):
    rubric = kit.rubric(*map(kit.criterion, "abc"))
    members = [kit.backend("cheap", scripted(cheap)), kit.backend("dear", scripted(dear))]
    alone = [kit.judged(rubric, kit.submission(), backend=backend) for backend in members]
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=members, threshold=threshold)
    asked_on = [threshold == 1 or max(share, 1 - share) < threshold for share in cheap]
    assert said(result) == [said(alone[on])[place] for place, on in enumerate(asked_on)]
    assert [len(v.members) for v in result.verdicts] == [1 + on for on in asked_on]
    assert [("escalated" in v.flags) for v in result.verdicts] == asked_on


def test_only_what_is_uncertain_is_asked_of_the_dear_judge(kit) -> None:
    rubric = kit.rubric(*map(kit.criterion, "abc"))
    cheap = kit.backend("cheap", {"a": kit.yes, "b": {"yes": 0.55, "no": 0.45}, "c": kit.no})
    dear = kit.backend("dear", {"*": kit.no})
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=[cheap, dear], threshold=0.8)
    assert [question.criterion for question in dear.questions] == ["b"]
    assert [v.level for v in result.verdicts] == ["met", "unmet", "unmet"]
    escalated = result.verdict("b")
    assert [v.judge for v in escalated.members] == ["isolated@cheap", "isolated@dear"]
    assert escalated.judge == "isolated@dear"
    assert escalated.usage == escalated.members[0].usage + escalated.members[1].usage


def test_criteria_can_have_thresholds_of_their_own_and_strangers_are_refused(kit) -> None:
    rubric = kit.rubric(*map(kit.criterion, "abc"))
    cheap, dear = kit.backend("cheap", {"*": {"yes": 0.7, "no": 0.3}}), kit.backend("dear", {"*": kit.no})
    wanted = {"members": [cheap, dear], "threshold": 0.8, "thresholds": {"a": 0.6, "b": 1}}
    result = kit.judged(rubric, kit.submission(), judge="cascade", **wanted)
    assert [("escalated" in v.flags) for v in result.verdicts] == [False, True, True]
    assert "a <0.6" in cascade_of(0.8, of={"a": 0.6}).name
    with pytest.raises(UnsupportedError, match="'cascade': z: no such criterion"):
        kit.judged(rubric, kit.submission(), judge="cascade", **{**wanted, "thresholds": {"z": 0.5}})
    with pytest.raises(UnsupportedError, match=r"threshold=1\.5"):
        cascade_of(0.8, of={"a": 1.5})


def test_what_the_cheap_judge_cannot_read_is_escalated_whatever_the_threshold(kit) -> None:
    cheap, dear = kit.backend("cheap", Failure(reason="refusal")), kit.backend("dear", {"a": kit.yes})
    result = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="cascade", members=[cheap, dear], threshold=0
    )
    assert result.verdicts[0].level == "met"


def test_votes_stand_in_for_probabilities_where_there_are_none(kit) -> None:
    """Read-out `reasoned` with three repeats: split votes are asked on, agreeing ones are not; a single vote is."""
    words = {"a": ["Yes", "Yes", "Yes"], "b": ["Yes", "No", "Yes"]}
    cheap = kit.backend("cheap", lambda asked: f'{{"level": "{words[asked.criterion][asked.repeat]}"}}')
    dear = kit.backend("dear", {"*": kit.no})
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))
    first = {"backend": cheap, "read_out": "reasoned", "repeats": 3}
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=[first, dear], threshold=0.8)
    assert [("escalated" in v.flags) for v in result.verdicts] == [False, True]
    assert result.verdict("a").distribution == {"met": 1.0}
    once = {**first, "repeats": 1}
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=[once, dear], threshold=0.01)
    assert [("escalated" in v.flags) for v in result.verdicts] == [True, True]


def test_a_dear_judge_that_fails_does_not_hand_the_verdict_back(kit) -> None:
    cheap, dear = kit.backend("cheap", {"a": {"yes": 0.6, "no": 0.4}}), kit.backend("dear", Failure(reason="infra"))
    (verdict,) = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="cascade", members=[cheap, dear]
    ).verdicts
    assert (verdict.level, verdict.reason) == (None, "infra")
    assert [v.level for v in verdict.members] == ["met", None]


def test_a_gate_that_the_dear_judge_opens_has_its_dependents_asked(kit) -> None:
    rubric = kit.rubric(kit.criterion("gate"), kit.criterion("then", depends_on=({"criterion": "gate"},)))
    cheap = kit.backend("cheap", {"gate": {"yes": 0.4, "no": 0.6}, "then": kit.yes})
    dear = kit.backend("dear", {"*": kit.yes})
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=[cheap, dear], threshold=0.8)
    assert [(v.status, v.level) for v in result.verdicts] == [("scored", "met"), ("scored", "met")]
    assert [question.criterion for question in cheap.questions] == ["gate", "then"]


def test_three_steps_with_a_threshold_each(kit) -> None:
    members = [
        kit.backend("one", {"a": {"yes": 0.7, "no": 0.3}}),
        kit.backend("two", {"a": {"yes": 0.2, "no": 0.8}}),
        kit.backend("three", {"a": kit.yes}),
    ]
    rubric = kit.rubric(kit.criterion("a"))
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=members, threshold=[0.75, 0.75])
    assert (result.verdicts[0].level, members[2].asked) == ("unmet", 0)
    result = kit.judged(rubric, kit.submission(), judge="cascade", members=members, threshold=[0.75, 0.85])
    assert (result.verdicts[0].level, members[2].asked) == ("met", 1)


@pytest.mark.parametrize("threshold", [[0.5, 0.5], 1.5, -0.1, "high"])
def test_thresholds_that_cannot_be_are_refused(kit, threshold) -> None:
    members = [kit.backend("x"), kit.backend("y")]
    with pytest.raises(UnsupportedError, match="threshold"):
        kit.judged(
            kit.rubric(kit.criterion("a")), kit.submission(), judge="cascade", members=members, threshold=threshold
        )


def verdict(submission, level=None, share=None, cost=0.0, criterion="a"):
    fields = {"status": "scored", "level": level} if level else {"status": "unscored", "reason": "infra"}
    if share is not None:
        other = "unmet" if level == "met" else "met"
        fields["distribution"] = {level: share, other: 1 - share}
    usage = Usage(prompt_tokens=10, completion_tokens=1, cost=cost)
    return Verdict.model_validate({"submission": submission, "criterion": criterion, "usage": usage, **fields})


def test_confidence_is_unknown_without_a_distribution() -> None:
    assert confidence(verdict("s", "met", 0.75)) == 0.75
    assert confidence(verdict("s", "met", 0.75), "margin") == 0.5
    assert confidence(verdict("s", "met")) is None
    assert confidence(verdict("s")) is None
    assert is_escalated(verdict("s", "met"), 0.01)
    assert not is_escalated(verdict("s", "met"), 0.0)


def stored():
    cheap = {("1", "a"): verdict("1", "met", 0.9, 0.01), ("2", "a"): verdict("2", "met", 0.6, 0.01)}
    cheap[("3", "a")] = verdict("3")
    dear = {(str(n), "a"): verdict(str(n), "unmet", 0.9, 1.0) for n in (1, 2, 3)}
    gold = {("1", "a"): "met", ("2", "a"): "unmet", ("3", "a"): "unmet"}
    return cheap, dear, gold


def test_the_replay_draws_cost_against_agreement() -> None:
    rows = replay(*stored(), thresholds=[0.0, 0.7, 1.0])
    assert [row["threshold"] for row in rows] == [0.0, 0.7, 1.0]
    assert [row["escalated"] for row in rows] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert [row["agreement"] for row in rows] == pytest.approx([2 / 3, 1.0, 2 / 3])
    assert [row["cost"] for row in rows] == pytest.approx([1.02, 2.02, 3.02])
    assert [row["prompt_tokens"] for row in rows] == [40, 50, 60]
    assert all(row["low"] <= row["agreement"] <= row["high"] for row in rows)


@given(st.lists(st.tuples(st.floats(0.5, 1.0), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_a_higher_threshold_never_escalates_or_costs_less(rows) -> None:
    cheap = {(str(n), "a"): verdict(str(n), "met", share, 0.1) for n, (share, _, _) in enumerate(rows)}
    dear = {(str(n), "a"): verdict(str(n), "met" if good else "unmet", 1.0, 1.0) for n, (_, good, _) in enumerate(rows)}
    gold = {(str(n), "a"): "met" if right else "unmet" for n, (_, _, right) in enumerate(rows)}
    found = replay(cheap, dear, gold, thresholds=[0, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    for name in ("escalated", "cost"):
        values = [row[name] for row in found]
        assert values == sorted(values)
    assert math.isclose(found[-1]["escalated"], 1)


def test_the_replay_says_what_the_cascade_itself_does(kit, tmp_path) -> None:
    """One run at threshold 1 holds both judges; the analysis over its folder gives every other threshold."""
    from adjudge.api import installed

    shares = {"1": 0.95, "2": 0.7, "3": 0.45, "4": 0.2}
    rubric = kit.rubric(kit.criterion("a"))
    items = [
        kit.submission(name, output=f"answer {name}", labels=(Label(criterion="a", level="met"),)) for name in shares
    ]
    cheap = kit.backend("cheap", lambda asked: {"yes": (p := shares[asked.submission]), "no": 1 - p})
    dear = kit.backend("dear", {"a": kit.yes})

    def run(threshold):
        return [
            kit.judged(rubric, item, judge="cascade", members=[cheap, dear], threshold=threshold).verdicts[0]
            for item in items
        ]

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        number = ledger.begin_run("{}")
        for place, (item, found) in enumerate(zip(items, run(1), strict=True)):
            ledger.record_item(number, place, item, [found])
    analyse = installed().analyses["cascade-replay"].build(thresholds=[0.0, 0.75, 0.9, 1.0])
    for row in analyse(tmp_path):
        live = run(row["threshold"])
        assert row["agreement"] == sum(v.level == "met" for v in live) / 4
        assert row["escalated"] == sum("escalated" in v.flags for v in live) / 4
        assert row["prompt_tokens"] == sum(v.usage.prompt_tokens for v in live)


def test_a_run_of_one_judge_cannot_be_replayed_alone(kit, tmp_path) -> None:
    from adjudge.api import installed

    spec = installed().analyses["cascade-replay"]
    with pytest.raises(InputError, match=r"holds no ledger\.sqlite"):
        spec.build()(tmp_path)
    for name, level in (("cheap", "met"), ("dear", "unmet")):
        (tmp_path / name).mkdir()
        with Ledger(tmp_path / name / "ledger.sqlite") as ledger:
            item = kit.submission(labels=(Label(criterion="a", level="unmet"),))
            ledger.record_item(ledger.begin_run("{}"), 0, item, [verdict("s", level, 0.8)])
    with pytest.raises(InputError, match="dear=FOLDER"):
        spec.build()(tmp_path / "cheap")
    rows = spec.build(dear=str(tmp_path / "dear"), thresholds=[0.0, 1.0])(tmp_path / "cheap")
    assert [row["agreement"] for row in rows] == [0.0, 1.0]
