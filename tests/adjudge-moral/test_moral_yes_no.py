"""The judge `yes-no`: free text, read strictly, or as the released script reads it under its own name."""

from __future__ import annotations

import pytest

import adjudge
from adjudge.errors import UnsupportedError
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Reply, Result
from adjudge_moral.morebench.yes_no import build

RUBRIC = Rubric(
    id="t",
    version="1",
    draft=True,
    template="morebench",
    criteria=(
        Criterion(id="good", text="Decides.", weight=2),
        Criterion(id="bad", text="Rants.", weight=-1),
    ),
)


async def judged(reply: str | Reply, **options: str) -> Result:
    backend = ScriptedBackend(lambda _question: reply)
    async with adjudge.make_judge(RUBRIC, backend=backend, judge="yes-no", **options) as judge:
        return await judge(Submission(id="s", output="I would go, and that is that."))


@pytest.mark.parametrize(
    ("reply", "level"),
    [
        ("yes", "met"),
        ("No.", "unmet"),
        ("**Yes**, since it ends with a decision.", "met"),
        ("<think>not so clear</think>\nno", "unmet"),
    ],
)
async def test_a_word_on_its_own_is_read(reply: str, level: str) -> None:
    result = await judged(reply)
    assert [verdict.level for verdict in result.verdicts] == [level, level]


@pytest.mark.parametrize("reply", ["I do not know.", "No idea", "It is met", "", "yesterday", "Yes and no"])
async def test_anything_else_is_unscored_and_never_a_level(reply: str) -> None:
    result = await judged(reply)
    assert {verdict.reason for verdict in result.verdicts} == {"parse"}
    assert result.score.value is None


async def test_a_cut_reply_is_not_read() -> None:
    result = await judged(Reply(text="Yes, since", stop="length"))
    assert {verdict.reason for verdict in result.verdicts} == {"parse"}


@pytest.mark.parametrize(
    ("reply", "good", "bad"),
    [
        ("yes", "met", "met"),
        ("no", "unmet", "unmet"),
        ("I do not know.", "unmet", "unmet"),
        ("Yes, and nothing else", "met", "unmet"),
        ("An essay.", "unmet", "met"),
    ],
)
async def test_the_official_reading_finds_letters_and_credits_by_accident(reply: str, good: str, bad: str) -> None:
    result = await judged(reply, reading="official-morebench")
    assert [verdict.level for verdict in result.verdicts] == [good, bad]
    noted = [bool(verdict.detail) for verdict in result.verdicts]
    assert noted == [reply not in {"yes", "no", "Yes, and nothing else"}] * 2


async def test_the_question_shows_neither_dilemma_nor_weight() -> None:
    backend = ScriptedBackend(lambda _question: "yes")
    async with adjudge.make_judge(RUBRIC, backend=backend, judge="yes-no") as judge:
        await judge(Submission(id="s", input="THE DILEMMA", output="I would go."))
    for question in backend.questions:
        assert "THE DILEMMA" not in question.prompt.user
        assert "-1" not in question.prompt.user
        assert question.labels == ()
        assert question.json_schema is None


def test_an_unknown_reading_and_another_read_out_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="reading"):
        build(reading="generous")
    with pytest.raises(UnsupportedError, match="reads free text; leave --read-out out"):
        build(read_out="reasoned")


def test_more_than_two_levels_are_refused_before_anything_is_asked() -> None:
    criterion = Criterion(id="c", text="How well?", scale="1-5")
    backend = ScriptedBackend()
    with pytest.raises(UnsupportedError, match="'c' has 5 levels; the judge 'yes-no' takes two"):
        adjudge.make_judge(RUBRIC.model_copy(update={"criteria": (criterion,)}), backend=backend, judge="yes-no")
    assert backend.asked == 0
