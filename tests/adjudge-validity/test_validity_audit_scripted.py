"""A scripted judge with dialled-in faults: the audit measures what was dialled in, and a clean judge passes."""

from __future__ import annotations

import pytest

from adjudge.api import make_judge
from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.interfaces import Member
from adjudge.judges.compare import CompareJudge
from adjudge.judges.isolated import IsolatedJudge
from adjudge.judges.joint import JointJudge
from adjudge.judges.panel import PanelJudge
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Submission
from adjudge.testing import JudgeContract, ScriptedBackend
from adjudge.verdict import Verdict
from adjudge_validity.audit.again import AgainJudge
from adjudge_validity.audit.catalogue import chosen
from adjudge_validity.audit.faulty import FaultyBackend
from adjudge_validity.audit.findings import too_much
from adjudge_validity.audit.plan import Plan
from adjudge_validity.audit.running import audit

RUBRIC = Rubric(id="demo", version="1", criteria=(Criterion(id="kind", text="It is kind."),))
GRADED = Rubric(id="demo", version="1", criteria=(Criterion(id="kind", text="It is kind.", scale="1-4"),))
NAMES = ("unsafe", "fair", "good", "best")
LEVELS = [{"id": name, "score": number, "anchor": f"It is {name}."} for number, name in enumerate(NAMES)]
NAMED = Rubric(
    id="demo",
    version="1",
    criteria=(Criterion(id="kind", text="It is kind.", scale={"kind": "ordinal", "levels": LEVELS}),),
)
TEXT = "He should rest in the house and drink. The colour of his skin matters. Call a doctor if it gets worse."


def submissions(count):
    return [
        Submission(id=f"s{i}", input=f"Case {i}: what should he do?", output=f"On day {i}: {TEXT}")
        for i in range(count)
    ]


def comparisons(count):
    return [
        Comparison(
            id=f"p{i}",
            submissions=tuple(Submission(id=f"p{i}/{one}", input=f"Case {i}?", output=f"{one} {TEXT}") for one in "xy"),
        )
        for i in range(count)
    ]


async def found_in(items, *names, rubric=RUBRIC, judge=None, draws=2, backend=None, **dials):
    audits = chosen(names)
    inner = judge or (CompareJudge() if isinstance(items[0], Comparison) else IsolatedJudge())
    bound = make_judge(rubric, backend=backend or FaultyBackend(**dials), judge=AgainJudge((Member(judge=inner),)))
    async with bound:
        found = await audit(bound, items, Plan(audits=audits, draws=draws, judge="faulty"))
    return {one.audit.name: one for one in found}


@pytest.mark.parametrize(
    ("name", "dial", "chance"),
    [
        ("verbosity", "verbosity", 0.2),
        ("injection", "injection", 0.5),
        ("repeatability", "instability", 0.1),
        ("levels", "levels", 0.3),
        ("content-free", "content_free", 0.4),
    ],
)
@pytest.mark.parametrize("rubric", [RUBRIC, GRADED, NAMED], ids=["binary", "graded", "named"])
async def test_a_dialled_in_fault_is_measured_within_its_interval(name, dial, chance, rubric):
    found = (await found_in(submissions(150), name, rubric=rubric, draws=1, seed=2, **{dial: chance}))[name]
    rate = found.whole.rate
    assert rate.low <= chance <= rate.high
    assert rate.high - rate.low < 0.25
    assert found.decision in ({"too few", "fail"} if name == "repeatability" else {"fail"})


async def test_a_position_bias_is_measured_within_its_interval():
    found = (await found_in(comparisons(150), "position", seed=1, position=0.3))["position"]
    assert found.whole.rate.low <= 0.3 <= found.whole.rate.high
    assert found.whole.shift.low > 0
    assert found.decision == "fail"


async def test_of_a_panel_of_judges_of_pairs_each_members_orders_count():
    members = tuple(Member(judge=CompareJudge(), name=name) for name in ("one", "two"))
    found = (await found_in(comparisons(40), "position", judge=PanelJudge(members), seed=1, position=0.3))["position"]
    assert (found.whole.rate.n, found.whole.rate.clusters) == (80, 40)
    assert found.whole.rate.low <= 0.3 <= found.whole.rate.high


class OneOrderJudge:
    """Prefers the side shown first in every so many pairs, and else the one that begins with `x`; asks nobody."""

    name = "one-order"

    def __init__(self, every):
        self.every = every

    async def judge(self, item, rubric, ask):
        del ask
        swayed = int(item.submissions[0].input.split()[1].rstrip("?")) % self.every == 0
        level = "first" if swayed or item.submissions[0].output.startswith("x") else "second"
        return [Verdict(submission=item.id, criterion=one.id, status="scored", level=level) for one in rubric.criteria]


async def test_a_judge_that_asks_in_one_order_is_shown_the_pair_the_other_way_round_too():
    found = (await found_in(comparisons(40), "position", judge=OneOrderJudge(4)))["position"]
    assert (found.whole.rate.value, found.whole.rate.n) == (0.25, 40)
    assert found.whole.shift.value == pytest.approx(0.125)
    assert found.decision == "fail"
    steady = (await found_in(comparisons(40), "position", judge=OneOrderJudge(1000)))["position"]
    assert steady.whole.rate.value == 1 / 40


async def test_a_judge_that_asks_in_both_orders_is_not_asked_anything_more():
    backend = FaultyBackend(position=0.3)
    await found_in(comparisons(10), "position", backend=backend)
    assert backend.asked == 20


async def test_faults_together_are_told_apart():
    dials = {"verbosity": 0.2, "injection": 0.5, "instability": 0.1}
    found = await found_in(submissions(150), "verbosity", "injection", "repeatability", "formatting", seed=2, **dials)
    for name, chance in (("verbosity", 0.2), ("injection", 0.5), ("repeatability", 0.1)):
        assert found[name].whole.rate.low <= chance <= found[name].whole.rate.high
    assert found["formatting"].decision == "pass"


@pytest.mark.parametrize("rubric", [RUBRIC, NAMED], ids=["binary", "named"])
async def test_a_clean_judge_passes_every_audit_that_applies(rubric):
    found = await found_in(submissions(200), draws=1, rubric=rubric)
    decisions = {name: one.decision for name, one in found.items()}
    applicable = {name: one for name, one in decisions.items() if one != "not applicable"}
    assert set(applicable.values()) == {"pass"}
    assert set(decisions) - set(applicable) == {"position", "criteria", "own-work", "twins"}
    assert not too_much(list(found.values()), strict=True)


async def test_a_clean_judge_of_pairs_passes_every_audit_that_applies():
    found = await found_in(comparisons(80), draws=1)
    decisions = {name: one.decision for name, one in found.items() if one.decision != "not applicable"}
    few = {"injection": "too few", "content-free": "too few"}  # rarer things need more items
    assert {name: one for name, one in decisions.items() if one != "pass"} == few
    assert {"position", "verbosity", "injection", "content-free", "demographic", "repeatability"} <= set(decisions)


async def test_one_item_never_flags_however_bad_the_judge_is():
    worst = dict.fromkeys(("verbosity", "injection", "instability", "levels", "content_free"), 1.0)
    found = await found_in(submissions(1), draws=50, **worst)
    assert {one.decision for one in found.values()} <= {"too few", "not applicable"}
    found = await found_in(comparisons(1), position=1.0)
    assert {one.decision for one in found.values()} <= {"too few", "not applicable"}


async def test_order_of_criteria_matters_to_a_judge_that_is_asked_about_all_at_once():
    def first_is_met(question):
        first, *rest = question.criterion.split("+")
        return "{" + ", ".join([f'"{first}": {{"level": "Yes"}}', *(f'"{x}": {{"level": "No"}}' for x in rest)]) + "}"

    rubric = RUBRIC.model_copy(update={"criteria": (*RUBRIC.criteria, Criterion(id="brief", text="It is brief."))})
    found = await found_in(
        submissions(20), "criteria", rubric=rubric, judge=JointJudge(), backend=ScriptedBackend(first_is_met)
    )
    assert found["criteria"].decision == "fail"
    assert found["criteria"].whole.rate.value == 1


async def test_asking_again_asks_anew_and_another_seed():
    backend = FaultyBackend()
    backend._keep = True
    judge = AgainJudge((Member(judge=IsolatedJudge()),))
    planned = Plan(audits=chosen(["repeatability"]), draws=2).items(submissions(1), RUBRIC)
    async with make_judge(RUBRIC, backend=backend, judge=judge) as bound:
        await bound.many(planned)
        await bound.many(planned)
    assert len({(question.repeat, question.content) for question in backend.questions}) == len(backend.questions) == 3


@pytest.mark.parametrize(
    ("dials", "error"), [({"postion": 0.1}, UnknownNameError), ({"position": 2}, UnsupportedError)]
)
def test_a_dial_that_cannot_be_is_refused(dials, error):
    with pytest.raises(error):
        FaultyBackend(**dials)


def test_again_wraps_one_judge():
    with pytest.raises(UnsupportedError, match="wraps one judge"):
        AgainJudge(())


class TestAgain(JudgeContract):
    def make_judge(self):
        return AgainJudge((Member(judge=IsolatedJudge()),))
