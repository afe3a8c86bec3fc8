"""Panels: who votes, who is lost, who is recused, and that everything is kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.judges.families import families
from adjudge.ledger import Ledger
from adjudge.rubric import Level, Scale
from adjudge.testing import ComparingJudgeContract, JudgeContract
from adjudge.verdict import Failure

DEAD = Failure(reason="infra", detail="no route")


def jurors(kit, *scripts):
    return [kit.backend(f"j{place}", script) for place, script in enumerate(scripts)]


class TestPanelKeepsTheContract(JudgeContract):
    def make_judge(self):
        return _panel()


class TestPanelOfComparersKeepsTheContract(ComparingJudgeContract):
    def make_judge(self):
        return _panel("compare")


def _panel(judge="isolated"):
    """Three members that ask the backend of the outer judge."""
    from adjudge.interfaces import Member
    from adjudge.judges import SPECS
    from adjudge.judges.panel import PanelJudge

    spec = next(spec for spec in SPECS if spec.name == judge)
    return PanelJudge(tuple(Member(judge=spec.build(), name=name) for name in "abc"))


def test_the_majority_decides_and_every_vote_is_kept(kit):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b", -1))
    members = jurors(kit, {"a": kit.yes, "b": kit.no}, {"a": kit.yes, "b": kit.yes}, {"a": kit.no, "b": kit.no})
    result = kit.judged(rubric, kit.submission(), judge="panel", members=members)
    a, b = result.verdicts
    assert (a.level, a.score, b.level) == ("met", 1.0, "unmet")
    assert a.distribution == pytest.approx({"met": 2 / 3, "unmet": 1 / 3})
    assert [(v.judge, v.level) for v in a.members] == [
        ("isolated@j0", "met"),
        ("isolated@j1", "met"),
        ("isolated@j2", "unmet"),
    ]
    assert a.usage.prompt_tokens == sum(v.usage.prompt_tokens for v in a.members) > 0
    assert result.score.value == 1.0


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(2, 5),
    share=st.floats(0.01, 0.99).filter(lambda p: abs(p - 0.5) > 1e-6),
    weight=st.sampled_from([1.0, -2.0]),
    rule=st.sampled_from(["majority", "weighted", "unanimous", "minority-veto", "mean"]),
)
def test_a_panel_of_identical_members_is_the_member(kit, count, share, weight, rule):
    rubric = kit.rubric(kit.criterion("a", weight), kit.criterion("b", depends_on=({"criterion": "a"},)))
    script = {"a": {"yes": share, "no": 1 - share}, "b": {"yes": 0.7, "no": 0.3}}
    alone = kit.judged(rubric, kit.submission(), backend=kit.backend("x", script))
    panel = kit.judged(
        rubric, kit.submission(), judge="panel", members=[{"backend": kit.backend("x", script)}] * count, rule=rule
    )

    def said(result):
        return [(v.criterion, v.status, v.level, v.score) for v in result.verdicts]

    assert said(panel) == said(alone)
    assert panel.score.value == alone.score.value


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(4)),
    rule=st.sampled_from(["majority", "weighted", "unanimous", "minority-veto", "mean"]),
)
def test_the_order_of_the_members_does_not_matter(kit, order, rule):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b", -1))
    scripts = [{"a": kit.yes, "b": kit.no}, {"a": kit.no, "b": kit.yes}, {"a": kit.yes, "b": kit.yes}, DEAD]
    members = [{"backend": kit.backend(f"j{place}", scripts[place]), "weight": place + 1} for place in order]
    first = [{"backend": kit.backend(f"j{place}", scripts[place]), "weight": place + 1} for place in range(4)]
    here, there = (
        kit.judged(rubric, kit.submission(), judge="panel", members=given, rule=rule) for given in (members, first)
    )
    for one, other in zip(here.verdicts, there.verdicts, strict=True):
        assert (one.level, one.distribution, one.fingerprint) == (other.level, other.distribution, other.fingerprint)
        assert {v.judge: v.level for v in one.members} == {v.judge: v.level for v in other.members}


@pytest.mark.parametrize("dead", range(4))
def test_a_dead_member_never_counts_as_a_vote(kit, dead):
    """Of three members, any number may be lost: what is left decides if it is a quorum, else nobody does."""
    scripts = [DEAD] * dead + [{"a": kit.yes}] * (3 - dead)
    (verdict,) = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=jurors(kit, *scripts)
    ).verdicts
    if dead <= 1:
        assert (verdict.level, verdict.distribution) == ("met", {"met": 1.0})
    else:
        assert (verdict.level, verdict.reason) == (None, "no_quorum")
        assert f"{3 - dead} of 3 members" in verdict.detail
        assert "infra" in verdict.detail
    assert ("lost-juror" in verdict.flags) == (dead > 0)


def test_one_vote_among_four_who_cannot_say_is_no_verdict(kit):
    silent = Failure(reason="abstain", detail="cannot assess")
    members = jurors(kit, {"a": kit.yes}, silent, silent, silent, silent)
    result = kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members)
    assert result.verdicts[0].reason == "no_quorum"
    assert result.score.value is None
    assert result.score.bounds == (0.0, 1.0)


def test_two_of_three_who_see_the_harm_are_not_outvoted(kit):
    rubric = kit.rubric(kit.criterion("harm", -1))
    members = jurors(kit, {"harm": kit.yes}, {"harm": kit.yes}, {"harm": kit.no})
    for rule in ("majority", "unanimous", "minority-veto", "mean"):
        result = kit.judged(rubric, kit.submission(), judge="panel", members=members, rule=rule)
        assert (result.verdicts[0].level, result.score.value) == ("met", 0.0), rule


def test_a_reserve_takes_the_place_of_a_lost_member_and_is_asked_for_nothing_else(kit):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))
    members = jurors(kit, {"*": kit.yes}, {"a": kit.yes, "b": DEAD})
    spare, unused = kit.backend("spare", {"*": kit.no}), kit.backend("unused", {"*": kit.no})
    result = kit.judged(
        rubric, kit.submission(), judge="panel", members=members, lost="replace", reserves=[spare, unused], quorum=2
    )
    assert [v.level for v in result.verdicts] == ["met", "unmet"]
    assert [v.judge for v in result.verdict("b").members] == ["isolated@j0", "isolated@j1", "isolated@spare"]
    assert [question.criterion for question in spare.questions] == ["b"]
    assert unused.asked == 0


def test_with_fail_one_lost_member_leaves_nobody_to_decide(kit):
    members = jurors(kit, {"a": kit.yes}, {"a": kit.yes}, {"a": kit.yes}, DEAD)
    (verdict,) = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members, lost="fail"
    ).verdicts
    assert verdict.reason == "no_quorum"


def test_a_panel_compares(kit):
    def prefers(text):
        return lambda asked: (
            {"A": 0.9, "B": 0.05, "tie": 0.05}
            if asked.prompt.user.index(text)
            == min(asked.prompt.user.index(other) for other in ("one answer", "another answer"))
            else {"A": 0.05, "B": 0.9, "tie": 0.05}
        )

    members = [
        {"backend": kit.backend(f"j{place}", prefers(text)), "judge": "compare"}
        for place, text in enumerate(["one answer", "one answer", "another answer"])
    ]
    result = kit.judged(kit.rubric(kit.criterion("a")), kit.pair(), judge="panel", members=members)
    assert [(v.criterion, v.level) for v in result.verdicts] == [("a", "first"), ("overall", "first")]
    with pytest.raises(UnsupportedError, match="not for comparisons"):
        kit.judged(kit.rubric(kit.criterion("a")), kit.pair(), judge="panel", members=members, rule="mean")


def test_what_the_panel_rules_out_is_asked_of_no_member(kit):
    rubric = kit.rubric(kit.criterion("gate"), kit.criterion("then", depends_on=({"criterion": "gate"},)))
    members = jurors(kit, {"*": kit.yes}, {"gate": kit.no}, {"gate": kit.no})
    result = kit.judged(rubric, kit.submission(), judge="panel", members=members)
    assert [v.status for v in result.verdicts] == ["scored", "skipped"]
    assert [backend.asked for backend in members] == [1, 1, 1]


def test_every_reply_is_in_the_ledger_and_a_second_run_asks_nothing(kit, tmp_path):
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b"))

    def once():
        members = jurors(kit, {"*": kit.yes}, {"*": kit.no}, {"a": kit.yes, "b": kit.no})
        result = kit.judged(rubric, kit.submission(), judge="panel", members=members, ledger=tmp_path / "ledger.sqlite")
        return result, sum(backend.asked for backend in members)

    (first, asked), (second, again) = once(), once()
    assert (asked, again) == (6, 0)
    assert first == second
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.counts() == (6, 6)


def test_a_member_and_its_backend_are_told_apart_by_name(kit):
    same = kit.backend("x")
    members = [{"backend": same}, {"backend": same}, {"backend": same, "judge": "joint", "name": "mine"}]
    (verdict,) = kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members).verdicts
    assert [v.judge for v in verdict.members] == ["isolated@x", "isolated@x #2", "mine"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4o-mini", {"openai"}),
        ("openai/o3-mini-high", {"openai"}),
        ("anthropic/claude-sonnet-4-5", {"anthropic"}),
        ("meta-llama/Llama-3.1-8B-Instruct", {"meta"}),
        ("local:Qwen3-4B-Instruct-Q4_K_M.gguf", {"qwen"}),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", {"deepseek", "qwen"}),
        ("acme-7b", {"acme"}),
        ("philosopher-7b", {"philosopher"}),
        ("SmolLM2-135M-Instruct", {"smollm"}),
        ("", set()),
    ],
)
def test_families_of_model_names(name, found) -> None:
    assert families(name) == found


def test_a_panel_with_the_candidates_kin_is_refused_unless_told(kit):
    rubric, members = (
        kit.rubric(kit.criterion("a")),
        [kit.backend("gpt-5"), kit.backend("claude-x"), kit.backend("qwen3")],
    )
    with pytest.raises(UnsupportedError, match="isolated@gpt-5 is of the family of the candidate 'gpt-4o'"):
        kit.judged(rubric, kit.submission(), judge="panel", members=members, candidate="gpt-4o")
    assert [backend.asked for backend in members] == [0, 0, 0]
    told = kit.judged(rubric, kit.submission(), judge="panel", members=members, candidate="gpt-4o", allow_self=True)
    assert len(told.verdicts[0].members) == 3


def test_a_member_recuses_itself_from_its_kins_submissions(kit):
    members = [kit.backend("gpt-5"), kit.backend("claude-x"), kit.backend("qwen3")]
    item = kit.submission(metadata={"model": "gpt-4o"})
    (verdict,) = kit.judged(kit.rubric(kit.criterion("a")), item, judge="panel", members=members).verdicts
    assert members[0].asked == 0
    assert (verdict.level, len(verdict.members)) == ("met", 2)
    assert "recused" in verdict.flags
    (verdict,) = kit.judged(kit.rubric(kit.criterion("a")), item, judge="panel", members=members[:2]).verdicts
    assert verdict.reason == "no_quorum"
    assert "recused: of the candidate's family" in verdict.detail


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": ["scripted"]}, "no backend named"),
        ({"rule": "loudest"}, "rule"),
        ({"quorum": 3}, "a quorum from 1 to 2"),
        ({"lost": "replace"}, "at least one"),
        ({"reserves": "spare"}, "reserves"),
        ({"veto": 0.9}, "veto"),
        ({"rul": "mean"}, "rul"),
        ({"members": 3}, "a list is wanted"),
        ({"weights": [1, 2]}, "weights"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(kit, options, message):
    members = [kit.backend("x"), kit.backend("y")]
    if options.get("reserves"):
        options = {"reserves": [kit.backend("spare")]}
    with pytest.raises((UnsupportedError, UnknownNameError), match=message):
        kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", **{"members": members, **options})


def test_a_panel_of_one_is_refused(kit):
    with pytest.raises(UnsupportedError, match="at least two"):
        kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", backend=kit.backend("x"))


def test_a_rule_that_needs_an_order_is_refused_before_anything_is_asked(kit):
    colours = Scale(kind="labels", levels=(Level(id="red"), Level(id="blue")))
    members = [kit.backend("x"), kit.backend("y")]
    with pytest.raises(UnsupportedError, match="'colour' has none"):
        kit.judged(
            kit.rubric(kit.criterion("colour", scale=colours)),
            kit.submission(),
            judge="panel",
            members=members,
            rule="mean",
        )
    assert members[0].asked == 0


def test_a_chosen_read_out_that_a_members_backend_lacks_is_refused_before_anything_is_asked(kit):
    from adjudge.interfaces import Capabilities

    plain = kit.backend("plain", capabilities=Capabilities(json_schema=True))
    members = [kit.backend("x"), plain]
    with pytest.raises(UnsupportedError, match="read-out reasoned"):
        kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members, read_out="label")
    result = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members, read_out="reasoned"
    )
    assert result.verdicts[0].level == "met"


def test_only_the_member_whose_backend_lacks_log_probabilities_is_read_another_way(kit):
    from adjudge.interfaces import Capabilities

    plain = kit.backend("plain", capabilities=Capabilities(json_schema=True))
    members = [kit.backend("x"), plain]
    result = kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members)
    with_labels, reasoned = result.verdicts[0].members
    assert with_labels.distribution is not None
    assert reasoned.distribution is None
    assert {with_labels.level, reasoned.level} == {"met"}


def test_a_member_that_says_nothing_of_a_criterion_is_lost_for_it(kit):
    from adjudge.interfaces import Member

    class Silent:
        name = "silent"

        async def judge(self, item, rubric, ask):
            return []

    members = [kit.backend("x"), kit.backend("y"), Member(judge=Silent(), name="silent")]
    (verdict,) = kit.judged(kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members).verdicts
    assert (verdict.level, verdict.flags) == ("met", ("lost-juror",))
    assert verdict.members[-1].detail == "the judge gave no verdict"


def test_a_ledger_of_hashes_keeps_no_words_of_members(kit, tmp_path):
    inner = {"judge": "panel", "members": [kit.backend("x"), kit.backend("y")]}
    members = [inner, {"backend": kit.backend("z")}]
    result = kit.judged(
        kit.rubric(kit.criterion("a")), kit.submission(), judge="panel", members=members, read_out="reasoned"
    )
    assert "as the script says" in result.verdicts[0].model_dump_json()
    with Ledger(tmp_path / "ledger.sqlite", store="hashes") as ledger:
        ledger.record_item(ledger.begin_run("{}"), 0, kit.submission(), result.verdicts)
        ((_, (stored,)),) = ledger.read_run(1)
    assert "as the script says" not in stored.model_dump_json()
    assert [member.level for member in stored.members] == ["met", "met"]
