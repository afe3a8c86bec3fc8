"""The scripted backend says what its script says, in the form that is asked for."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjudge
from adjudge.engine import Engine
from adjudge.interfaces import Capabilities
from adjudge.judges.isolated import IsolatedJudge
from adjudge.ledger import Ledger
from adjudge.submission import Submission
from adjudge.testing import ScriptedBackend
from adjudge.testing.backends import SCHEMA, question
from adjudge.testing.judges import REASONS, sample_rubric, verdicts_of
from adjudge.verdict import Failure, Reply

SUBMISSION = Submission(id="s", input="Name a colour.", output="Blue.")


def ask(backend, asked):
    return asyncio.run(backend.ask(asked))


def judged(script, judge=None):
    verdicts, backend = verdicts_of(judge or IsolatedJudge(), SUBMISSION, sample_rubric(), script)
    return {verdict.criterion: verdict for verdict in verdicts}, backend


def test_probabilities_become_log_probabilities_of_the_declared_sort() -> None:
    said = {"yes": 0.6, "no": 0.2}
    raw = ask(ScriptedBackend(said), question(labels=("no", "yes", "maybe")))
    assert raw.logprobs == {"no": math.log(0.2), "yes": math.log(0.6), "maybe": -math.inf}
    assert (raw.logprobs_are, raw.text) == ("raw", "yes")
    masked = ScriptedBackend(said, capabilities=Capabilities(label_logprobs="masked"))
    assert ask(masked, question(labels=("no", "yes"))).logprobs == pytest.approx(
        {"no": math.log(0.25), "yes": math.log(0.75)}
    )
    silent = ScriptedBackend(said, capabilities=Capabilities())
    assert ask(silent, question(labels=("no", "yes"))).logprobs is None


LABELS = ("no", "yes", "maybe")


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(LABELS, st.floats(0, 1 / 3))), st.sampled_from(["raw", "masked"])
)
def test_log_probabilities_give_the_script_back(said, sort) -> None:
    backend = ScriptedBackend(lambda _: said or {"no": 0.0}, capabilities=Capabilities(label_logprobs=sort))
    logprobs = ask(backend, question(labels=LABELS)).logprobs
    whole = sum(said.values()) if sort == "masked" and sum(said.values()) > 0 else 1.0
    assert logprobs is not None
    assert {label: math.exp(value) for label, value in logprobs.items()} == pytest.approx(
        {label: said.get(label, 0.0) / whole for label in LABELS}
    )


def test_probabilities_become_json_where_a_schema_is_asked_for() -> None:
    reply = ask(ScriptedBackend({"no": 0.9, "yes": 0.1}), question(json_schema=SCHEMA))
    assert json.loads(reply.text)["level"] == "no"


def test_without_a_script_the_last_word_is_the_likeliest() -> None:
    verdicts, _ = judged(None)
    assert {name: verdict.level for name, verdict in verdicts.items()} == {
        "polite": "met",
        "clear": "5",
        "colour": "blue",
    }


@pytest.mark.parametrize("reason", REASONS)
def test_a_table_fails_one_criterion_and_answers_the_others(reason) -> None:
    verdicts, _ = judged({"clear": Failure(reason=reason), "*": {"yes": 0.1, "no": 0.7, "red": 0.8}})
    assert verdicts["clear"].reason == reason
    assert (verdicts["polite"].level, verdicts["colour"].level) == ("unmet", "red")


def test_a_list_is_said_one_by_one_and_its_last_answer_stays() -> None:
    backend = ScriptedBackend({"": ["first", "second"]})
    assert [ask(backend, question()).text for _ in range(3)] == ["first", "second", "second"]


def test_a_joint_question_gets_the_tables_answers_together() -> None:
    joint = adjudge.make_judge(sample_rubric(), backend=ScriptedBackend(), judge="joint").judge
    verdicts, backend = judged({"polite": {"no": 1.0}, "clear": {"2": 1.0}}, joint)
    assert (verdicts["polite"].level, verdicts["clear"].level, verdicts["colour"].level) == ("unmet", "2", "blue")
    assert backend.asked == 1
    failed, _ = judged({"polite": Failure(reason="refusal")}, joint)
    assert {verdict.reason for verdict in failed.values()} == {"refusal"}


def test_a_function_sees_the_question_and_a_reply_is_handed_back_unchanged() -> None:
    reply = Reply(text="as it is", served_model="m")
    assert ask(ScriptedBackend(lambda asked: reply if "moss" in asked.prompt.user else "no"), question("moss")) is reply


def test_it_keeps_what_it_was_asked_and_counts_the_rest() -> None:
    _, backend = judged(None)
    assert backend.asked == len(backend.questions) == 3
    assert "It is polite." in backend.prompts[0]
    assert (backend.most_in_flight, backend.closed) == (1, 0)
    forgetful = ScriptedBackend(keep=False)
    ask(forgetful, question())
    assert (forgetful.asked, forgetful.questions) == (1, [])


def test_latency_lets_questions_meet_in_flight() -> None:
    backend = ScriptedBackend(latency=lambda asked: 0.001 if asked.labels else 0.0)

    async def both() -> None:
        await asyncio.gather(*(backend.ask(question(topic, labels=("no", "yes"))) for topic in ("snow", "moss")))

    asyncio.run(both())
    assert backend.most_in_flight == 2


def test_latency_beyond_the_deadline_is_an_infra_failure() -> None:
    async def once() -> Reply:
        with Ledger() as ledger:
            return await Engine(ScriptedBackend(latency=30.0), ledger, deadline=0.01)(question())

    failure = asyncio.run(once()).failure
    assert failure is not None
    assert failure.reason == "infra"


def test_a_shared_prefix_is_cached_from_its_second_time_on() -> None:
    verdicts, _ = judged(None)
    cached = [verdicts[name].usage.cached_tokens for name in ("polite", "clear", "colour")]
    assert cached[0] == 0
    assert min(cached[1:]) > 0


def test_the_scripted_backend_needs_no_pytest() -> None:
    code = "import sys; from adjudge.testing import ScriptedBackend; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    import adjudge.testing as module

    with pytest.raises(AttributeError, match="NoSuchContract"):
        _ = module.NoSuchContract
