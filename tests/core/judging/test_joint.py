"""The joint judge: several criteria per question, each read on its own."""

from __future__ import annotations

import asyncio
import json

import pytest

from adjudge.engine import Engine
from adjudge.errors import UnsupportedError
from adjudge.judges.joint import JointJudge
from adjudge.judges.settings import Settings
from adjudge.ledger import Ledger
from adjudge.readout import ReasonedReadOut
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Sampling, Usage

NAMES = ("a", "b", "c", "d", "e")
RUBRIC = Rubric(
    id="test", version="1", draft=True, criteria=tuple(Criterion(id=name, text=f"It is {name}.") for name in NAMES)
)
REASONED = Settings(read_out=ReasonedReadOut())


def judge_jointly(backend, *, ledger=None, **fields):
    async def once(book):
        engine = Engine(backend, book)
        verdicts = list(await JointJudge(**fields).judge(Submission(id="s", output="Some text."), RUBRIC, engine))
        return verdicts, engine.tally

    if ledger is not None:
        return asyncio.run(once(ledger))
    with Ledger() as book:
        return asyncio.run(once(book))


def parts(**levels):
    return json.dumps({name: {"explanation": "why", "level": level} for name, level in levels.items()})


@pytest.mark.parametrize(
    ("size", "asked"),
    [
        (0, ["a+b+c+d+e"]),
        (1, list(NAMES)),
        (2, ["a+b", "c+d", "e"]),
        (3, ["a+b+c", "d+e"]),
        (9, ["a+b+c+d+e"]),
    ],
)
def test_k_criteria_are_asked_about_at_once(size, asked):
    backend = ScriptedBackend()
    verdicts, _ = judge_jointly(backend, settings=REASONED, size=size)
    assert [question.criterion for question in backend.questions] == asked
    assert [verdict.criterion for verdict in verdicts] == list(NAMES)
    assert {verdict.status for verdict in verdicts} == {"scored"}


def test_repeats_of_a_criterion_stand_side_by_side_each_from_its_own_question():
    verdicts, tally = judge_jointly(ScriptedBackend(), settings=Settings(read_out=ReasonedReadOut(), repeats=2), size=3)
    assert [(v.criterion, v.repeat) for v in verdicts] == [(name, n) for name in NAMES for n in range(2)]
    assert tally.asked == 4


def test_each_criterion_gets_its_own_level():
    said = parts(a="yes", b="no", c="Yes", d="unmet", e="met")
    verdicts, _ = judge_jointly(ScriptedBackend(said), settings=REASONED)
    assert [verdict.level for verdict in verdicts] == ["met", "unmet", "met", "unmet", "met"]


def test_a_fault_in_one_criterion_asks_again_about_that_one_alone():
    script = {"a+b+c+d+e": parts(a="yes", b="yes", c="perhaps", d="yes", e="yes"), "c": '{"level": "no"}'}
    backend = ScriptedBackend(script)
    verdicts, tally = judge_jointly(backend, settings=REASONED)
    assert [question.criterion for question in backend.questions] == ["a+b+c+d+e", "c"]
    assert backend.questions[1].follow_up == ()
    assert [verdict.level for verdict in verdicts] == ["met", "met", "unmet", "met", "met"]
    assert sum((verdict.usage for verdict in verdicts), Usage()) == tally.usage


def test_a_criterion_that_stays_unread_is_unscored_and_the_others_are_not():
    script = {"a+b+c+d+e": parts(a="yes", b="yes", d="yes", e="no"), "c": "nothing"}
    verdicts, _ = judge_jointly(ScriptedBackend(script), settings=REASONED)
    assert [verdict.status for verdict in verdicts] == ["scored", "scored", "unscored", "scored", "scored"]
    assert (verdicts[2].reason, verdicts[2].detail) == ("parse", "no level for 'c'")


def test_a_reply_that_gives_nothing_is_asked_again_whole_with_the_error_shown():
    backend = ScriptedBackend({"a+b+c+d+e": ["", parts(a="yes", b="yes", c="yes", d="yes", e="yes")]})
    verdicts, tally = judge_jointly(backend, settings=REASONED)
    assert {verdict.level for verdict in verdicts} == {"met"}
    assert backend.questions[1].follow_up[0].content == "(nothing)"
    assert sum((verdict.usage for verdict in verdicts), Usage()) == tally.usage


def test_the_sums_of_usage_are_exact_whatever_failed():
    script = {"a+b": Failure(reason="infra"), "c+d": parts(c="yes"), "d": "?", "e": "?"}
    verdicts, tally = judge_jointly(ScriptedBackend(script), settings=REASONED, size=2)
    assert sum((verdict.usage for verdict in verdicts), Usage()) == tally.usage
    assert [verdict.status for verdict in verdicts] == ["unscored", "unscored", "scored", "unscored", "unscored"]


def test_a_second_run_asks_only_for_what_is_missing():
    script = {"a+b+c+d+e": parts(a="yes", b="yes", d="yes", e="yes"), "c": "nothing"}
    with Ledger() as ledger:
        judge_jointly(ScriptedBackend(script), settings=REASONED, ledger=ledger)
        again = ScriptedBackend({"c": '{"level": "yes"}'})
        verdicts, _ = judge_jointly(again, settings=REASONED, ledger=ledger)
        assert [question.criterion for question in again.questions] == ["c"]
        third = ScriptedBackend()
        assert judge_jointly(third, settings=REASONED, ledger=ledger)[0] == verdicts
    assert third.asked == 0


def test_the_label_read_out_becomes_json_with_levels_only_and_says_so():
    backend = ScriptedBackend()
    judge = JointJudge(Settings())
    assert judge.settings.read_out.name == "reasoned(level-only,40)"
    verdicts, _ = judge_jointly(backend, settings=Settings())
    (question,) = backend.questions
    assert question.labels == ()
    assert list(question.json_schema["properties"]["a"]["properties"]) == ["level"]
    assert question.sampling.max_tokens == 5 * 40
    assert {verdict.status for verdict in verdicts} == {"scored"}


def test_decoding_parameters_meant_for_a_label_leave_room_for_json():
    backend = ScriptedBackend()
    settings = Settings(sampling=Sampling(temperature=1.0, max_tokens=16))
    judge_jointly(backend, settings=settings)
    assert backend.questions[0].sampling.max_tokens == 5 * 40
    assert backend.questions[0].sampling.temperature == 1.0


def test_the_prompt_names_every_criterion_with_its_id():
    backend = ScriptedBackend()
    judge_jointly(backend, settings=REASONED)
    ask = backend.questions[0].prompt.ask
    assert all(f"[{name}] It is {name}." in ask for name in NAMES)


def test_names_tell_the_size_and_a_negative_one_is_refused():
    assert JointJudge().name == "joint"
    assert JointJudge(size=4).name == "joint(4)"
    with pytest.raises(UnsupportedError, match="size=-1"):
        JointJudge(size=-1)
