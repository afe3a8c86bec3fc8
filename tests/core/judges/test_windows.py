"""Long transcripts: windows judged one by one, their levels combined by a stated rule, nothing cut in silence."""

from __future__ import annotations

import json
from itertools import product

import pytest

from adjudge import Message
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Capabilities, Member
from adjudge.judges.isolated import IsolatedJudge
from adjudge.judges.windows import WindowsJudge, combine
from adjudge.ledger import Ledger
from adjudge.scale import Level, Scale
from adjudge.testing import JudgeContract, ScriptedBackend
from adjudge.verdict import Failure


class TestWindowsKeepTheContract(JudgeContract):
    def make_judge(self):
        return WindowsJudge((Member(judge=IsolatedJudge(), name="inner"),), tokens=1000, rule="any")


def trajectory(*words):
    """One long tool result for each word, and the assistant's remark on it."""
    made = []
    for number, word in enumerate(words, start=1):
        made += [
            Message(role="tool", content=f"{word} {'.' * 300}", kind="tool_result", name="look", call=str(number)),
            Message(role="assistant", content=f"I saw {word}."),
        ]
    return tuple(made)


def sees(word, kit, fails=()):
    """A script that says yes where the word is in the prompt, and fails where one of `fails` is."""

    def script(question):
        shown = question.prompt.output
        if any(f"{one} ." in shown for one in fails):
            return Failure(reason="parse", detail="gibberish")
        return kit.yes if f"{word} ." in shown else kit.no

    return script


@pytest.fixture
def judged(kit):
    def judging(*words, weight=1.0, script=None, backend=None, **options):
        chosen = backend or kit.backend("model", script)
        options = {"tokens": 160, "overlap": 0, "rule": "any", **options}
        result = kit.judged(
            kit.rubric(kit.criterion("a", weight)),
            kit.submission(output=trajectory(*words)),
            judge="windows",
            backend=chosen,
            **options,
        )
        return result.verdicts[0]

    return judging


@pytest.mark.parametrize(
    ("rule", "weight", "level"),
    [
        ("any", 1, "met"),
        ("any", -1, "met"),
        ("all", 1, "unmet"),
        ("all", -1, "unmet"),
        ("best", 1, "met"),
        ("best", -1, "unmet"),
        ("worst", 1, "unmet"),
        ("worst", -1, "met"),
        ("mean", 1, "unmet"),
    ],
)
def test_a_rule_combines_the_levels_of_the_windows(rule, weight, level, judged, kit) -> None:
    verdict = judged("one", "two", "three", weight=weight, rule=rule, script=sees("two", kit))
    assert verdict.level == level
    assert [member.level for member in verdict.members] == ["unmet", "met", "unmet"]
    assert f"rule {rule}, windows of at most 160 tokens (3 bytes each), overlap 0: messages 1-2;" in verdict.detail
    assert f"{rule} of 3 windows: unmet in window 1, 3; met in window 2" in verdict.explanation
    assert "split" in verdict.flags


def test_every_window_says_which_part_it_is(judged, kit) -> None:
    backend = kit.backend("model", kit.yes)
    verdict = judged("one", "two", "three", backend=backend)
    assert [question.criterion for question in backend.questions] == ["a"] * 3
    assert "shown in 3 parts. This is part 2: messages 3-4." in backend.questions[1].prompt.output
    assert [member.judge for member in verdict.members] == [
        "isolated@model on messages 1-2",
        "isolated@model on messages 3-4",
        "isolated@model on messages 5-6",
    ]


def test_windows_without_a_level_leave_the_verdict_unscored_unless_they_cannot_matter(judged, kit) -> None:
    seen = judged("one", "two", "three", script=sees("two", kit, fails=["three"]))
    assert seen.level == "met", "met in some window is met, whatever the others say"
    unseen = judged("one", "two", "three", script=sees("four", kit, fails=["three"]))
    assert (unseen.status, unseen.reason) == ("unscored", "parse")
    assert "1 of 3 windows have no level (gibberish), and the rule 'any' needs them" in unseen.detail
    assert "windows of at most 160 tokens" in unseen.detail
    sure = judged("one", "two", "three", rule="all", script=sees("four", kit, fails=["three"]))
    assert sure.level == "unmet"


@pytest.mark.parametrize("rule", ["any", "all", "best", "worst", "mean"])
@pytest.mark.parametrize("weight", [1.0, -2.0])
def test_a_gap_matters_exactly_if_some_level_in_it_would(rule, weight, kit) -> None:
    criterion = kit.criterion("a", weight, scale="1-4")
    ids = [level.id for level in criterion.scale.levels]
    for known in product(ids, repeat=2):
        outcomes = {combine(rule, [*known, filling], criterion) for filling in ids}
        found = combine(rule, [*known, None], criterion)
        assert found == (outcomes.pop() if len(outcomes) == 1 else None)


def test_what_fits_is_judged_as_without_windows_and_from_the_same_ledger(kit) -> None:
    rubric, item = kit.rubric(kit.criterion("a"), kit.criterion("b")), kit.submission(output=trajectory("one"))
    ledger, backend = Ledger(), kit.backend("model", kit.yes)
    # Not closed in between: the ledger lives in memory.
    import asyncio

    from adjudge import make_judge

    async def both():
        plain = await make_judge(rubric, backend=backend, ledger=ledger)(item)
        asked = backend.asked
        windows = await make_judge(rubric, backend=backend, ledger=ledger, judge="windows", tokens=1000, rule="all")(
            item
        )
        assert backend.asked == asked
        return plain, windows

    plain, windows = asyncio.run(both())
    assert [verdict.fingerprint for verdict in windows.verdicts] == [verdict.fingerprint for verdict in plain.verdicts]


@pytest.mark.parametrize(
    ("levels", "found"),
    [(["x", "x"], "x"), (["x", "y"], None), (["x", None], None)],
)
def test_on_a_scale_without_order_the_windows_must_agree(levels, found, kit) -> None:
    criterion = kit.criterion("a", scale=Scale(kind="labels", levels=(Level(id="x"), Level(id="y"))))
    assert combine("any", levels, criterion) == found


def test_a_split_over_levels_without_order_is_unscored(kit) -> None:
    criterion = kit.criterion("a", scale=Scale(kind="labels", levels=(Level(id="x"), Level(id="y"))))
    result = kit.judged(
        kit.rubric(criterion),
        kit.submission(output=trajectory("one", "two")),
        judge="windows",
        tokens=160,
        rule="any",
        backend=kit.backend("m", lambda asked: {"x": 0.9} if "one ." in asked.prompt.output else {"y": 0.9}),
    )
    assert result.verdicts[0].reason == "no_quorum"
    assert "split over levels without order: x; y" in result.verdicts[0].detail


def test_the_plan_and_the_rule_are_part_of_the_fingerprint(judged, kit) -> None:
    script = sees("two", kit)
    prints = [
        judged("one", "two", "three", script=script, **options).fingerprint
        for options in ({}, {"rule": "best"}, {"overlap": 1}, {"tokens": 300})
    ]
    assert len(set(prints)) == 4
    assert judged("one", "two", "three", script=script).fingerprint == prints[0]


def test_half_of_the_backends_context_is_the_default_size(judged, kit) -> None:
    small = Capabilities(label_logprobs="raw", json_schema=True, context_tokens=320)
    backend = ScriptedBackend(kit.yes, name="model", capabilities=small)
    assert "windows of at most 160 tokens" in judged("one", "two", "three", backend=backend, tokens=None).detail


def test_without_a_size_nothing_is_asked(judged, kit) -> None:
    backend = kit.backend("model")
    with pytest.raises(UnsupportedError, match="give the judge 'windows' tokens=N"):
        judged("one", backend=backend, tokens=None)
    assert backend.asked == 0


def test_a_size_too_small_is_an_overflow(judged, kit) -> None:
    backend = kit.backend("model")
    verdict = judged("one", backend=backend, tokens=10)
    assert (verdict.reason, backend.asked) == ("overflow", 0)
    assert "tokens=10: too small" in verdict.detail


def test_rules_of_the_run_come_before_those_of_the_pack(kit) -> None:
    criteria = [kit.criterion(name, options={"windows": "all"}) for name in ("a", "b")]
    criteria.append(kit.criterion("c"))
    result = kit.judged(
        kit.rubric(*criteria),
        kit.submission(output=trajectory("one", "two", "three")),
        judge="windows",
        backend=kit.backend("model", sees("two", kit)),
        tokens=160,
        overlap=0,
        rule="any",
        rules={"b": "any"},
    )
    assert [verdict.level for verdict in result.verdicts] == ["unmet", "met", "met"]


def test_a_panel_of_windows_may_name_rules_for_criteria_of_different_waves(kit) -> None:
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b", depends_on=({"criterion": "a"},)))
    member = {"judge": "windows", "tokens": 160, "overlap": 0, "rules": {"a": "any", "b": "all"}}
    result = kit.judged(
        rubric,
        kit.submission(output=trajectory("one", "two", "three")),
        judge="panel",
        members=[{**member, "backend": kit.backend(name, sees("two", kit))} for name in ("x", "y")],
    )
    assert [verdict.level for verdict in result.verdicts] == ["met", "unmet"]


@pytest.mark.parametrize(
    ("criterion", "options", "said"),
    [
        ({}, {}, "the criterion 'a' has no rule; choose with rule="),
        ({"options": {"windows": "most"}}, {"rule": "any"}, "'a' has the rule 'most'"),
        ({}, {"rule": "any", "rules": {"z": "all"}}, "no criterion 'z'"),
        ({}, {"rule": "some"}, "judge 'windows': rule"),
        ({}, {"rule": "any", "overlap": -1}, "judge 'windows': overlap"),
    ],
)
def test_what_cannot_be_combined_is_refused_before_anything_is_asked(criterion, options, said, kit) -> None:
    backend = kit.backend("model")
    with pytest.raises(UnsupportedError, match=said):
        kit.judged(
            kit.rubric(kit.criterion("a", **criterion)),
            kit.submission(),
            judge="windows",
            tokens=100,
            backend=backend,
            **options,
        )
    assert backend.asked == 0


def test_comparisons_are_refused(kit) -> None:
    with pytest.raises(UnsupportedError, match="takes submissions"):
        kit.judged(
            kit.rubric(kit.criterion("a")),
            kit.pair(),
            judge="windows",
            tokens=100,
            rule="any",
            backend=kit.backend("m"),
        )


def test_a_criterion_that_another_rules_out_is_not_asked(kit) -> None:
    rubric = kit.rubric(kit.criterion("a"), kit.criterion("b", depends_on=({"criterion": "a"},)))
    backend = kit.backend("model", {"a": kit.no, "b": kit.yes})
    result = kit.judged(
        rubric,
        kit.submission(output=trajectory("one", "two", "three")),
        judge="windows",
        backend=backend,
        tokens=160,
        rule="all",
    )
    assert [verdict.status for verdict in result.verdicts] == ["scored", "skipped"]
    assert {question.criterion for question in backend.questions} == {"a"}


def test_quotes_point_at_the_message_of_the_whole_transcript(judged, kit) -> None:
    said = json.dumps({"explanation": "there", "quotes": ["I saw three."], "level": "yes"})
    verdict = judged(
        "one", "two", "three", script=said, read_out="reasoned", read_out_options={"quotes": True}, rule="any"
    )
    (found,) = [quote for quote in verdict.quotes if quote.start is not None]
    assert found.message == 6


def test_long_texts_without_messages_are_windowed_too(kit) -> None:
    text = "".join(f"Paragraph {number} says little.\n\n" for number in range(60))
    backend = kit.backend("model", lambda asked: kit.yes if "Paragraph 59 " in asked.prompt.output else kit.no)
    result = kit.judged(
        kit.rubric(kit.criterion("a")),
        kit.submission(output=text),
        judge="windows",
        tokens=200,
        rule="any",
        backend=backend,
    )
    assert result.verdicts[0].level == "met"
    assert "characters 1-" in result.verdicts[0].detail


@pytest.mark.parametrize("judge", ["isolated", "joint"])
def test_evidence_over_its_budget_is_an_overflow_and_nothing_is_asked(judge, kit) -> None:
    backend = kit.backend("model")
    result = kit.judged(
        kit.rubric(kit.criterion("a"), kit.criterion("b")),
        kit.submission(output="word " * 900),
        judge=judge,
        backend=backend,
        evidence_tokens=1000,
    )
    assert backend.asked == 0
    assert [verdict.reason for verdict in result.verdicts] == ["overflow", "overflow"]
    detail = result.verdicts[0].detail
    assert "the evidence is about 1," in detail
    assert "evidence_tokens=1000; allow more, or use the judge 'windows'" in detail
    assert result.score.value is None


def test_evidence_within_its_budget_is_judged_as_ever(kit) -> None:
    rubric, item = kit.rubric(kit.criterion("a")), kit.submission()
    one, other = (
        kit.judged(rubric, item, backend=kit.backend("m"), **options) for options in ({}, {"evidence_tokens": 2000})
    )
    assert one.verdicts == other.verdicts
