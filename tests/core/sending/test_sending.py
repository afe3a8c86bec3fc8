"""One question is sent until it is answered, the failure is final, or its time is up."""

from __future__ import annotations

import asyncio

import pytest

from adjudge.errors import BackendError
from adjudge.interfaces import Capabilities
from adjudge.sending import Policy, Sender, StoppedError
from adjudge.testing import ScriptedBackend
from adjudge.verdict import Failure, Prompt, Question, Reply, Usage

QUICK = {"backoff": 0.0, "longest_wait": 0.01}
QUESTION = Question(prompt=Prompt(system="", input="", output="", ask="?"), labels=("No", "Yes"), criterion="c")
BUSY = Failure(reason="infra", detail="429", retryable=True, retry_after=0.0)
DEAD = Failure(reason="infra", detail="bad request")
YES = {"Yes": 0.9, "No": 0.1}


def sender(script, concurrency=4, **policy) -> Sender:
    remote = Capabilities(label_logprobs="raw", json_schema=True)
    return Sender(ScriptedBackend({"c": script}, capabilities=remote), concurrency, Policy(**{**QUICK, **policy}))


async def test_a_retryable_failure_is_asked_again_until_it_is_answered():
    sending = sender([BUSY, BUSY, YES])
    reply = await sending.send(QUESTION)
    assert (reply.text, reply.failure, sending.retried) == ("Yes", None, 2)


async def test_any_other_failure_is_final_at_once():
    sending = sender([DEAD, YES])
    assert (await sending.send(QUESTION)).failure == DEAD
    assert sending.backend.asked == 1


async def test_attempts_are_bounded_and_the_last_failure_is_told():
    sending = sender(BUSY, attempts=3)
    assert (await sending.send(QUESTION)).failure == BUSY
    assert sending.backend.asked == 3


async def test_the_usage_of_all_attempts_is_counted():
    paid = Usage(prompt_tokens=10, completion_tokens=1, cost=0.5)
    sending = sender([Reply(failure=BUSY, usage=paid), Reply(text="Yes", usage=paid)])
    assert (await sending.send(QUESTION)).usage == paid + paid


async def test_a_server_that_hangs_is_asked_again_within_the_deadline():
    sending = sender(YES, attempt_timeout=0.02, deadline=5)
    seconds = iter([10.0, 0.0])
    sending.backend._latency = lambda _: next(seconds)
    assert (await sending.send(QUESTION)).text == "Yes"


async def test_a_question_ends_at_its_deadline_whatever_happens():
    sending = sender(BUSY, deadline=0.2, attempts=10_000, backoff=0.02)
    async with asyncio.timeout(5):
        reply = await sending.send(QUESTION)
    assert reply.failure is not None
    assert reply.failure.reason == "infra"


async def test_an_attempt_at_a_model_of_this_machine_may_take_the_deadline_and_no_longer_than_asked_for(monkeypatch):
    monkeypatch.setattr("adjudge.sending._REMOTE_TIMEOUT", 0.01)
    backend = ScriptedBackend(YES, latency=0.1)
    assert backend.capabilities.local
    assert (await Sender(backend, 1, Policy(deadline=5)).send(QUESTION)).text == "Yes"
    reply = await Sender(backend, 1, Policy(deadline=5, attempt_timeout=0.01, attempts=2, backoff=0)).send(QUESTION)
    assert reply.failure is not None
    assert reply.failure.detail == "no reply within 0.01 s"
    assert backend.asked == 3


async def test_a_fatal_failure_stops_the_run_with_what_to_do():
    sending = sender(Failure(reason="infra", detail="401 at /v1/chat/completions: the key is refused", fatal=True))
    with pytest.raises(BackendError, match=r"401 .* run the same command to go on"):
        await sending.send(QUESTION)


async def test_a_server_that_stays_down_stops_the_run():
    sending = sender(BUSY, breaker_failures=2, breaker_pause=0.001, breaker_trips=2, attempts=100)
    with pytest.raises(BackendError, match="429"):
        await sending.send(QUESTION)
    assert sending.backend.asked < 10


async def test_a_spent_budget_is_an_unscored_reason_of_its_own_and_asks_nothing():
    sending = sender(YES, max_calls=2)
    replies = [await sending.send(QUESTION) for _ in range(4)]
    assert [reply.failure and reply.failure.reason for reply in replies] == [None, None, "budget", "budget"]
    assert sending.backend.asked == 2


async def test_a_backend_that_raises_is_a_failed_call_told_without_its_text():
    def script(_: Question) -> str:
        raise ValueError("key sk-secret")

    sending = Sender(ScriptedBackend(script), 1, Policy(**QUICK))
    reply = await sending.send(QUESTION)
    assert reply.failure is not None
    assert "ValueError" in reply.failure.detail
    assert "secret" not in reply.failure.detail


@pytest.mark.parametrize(("asked", "waited"), [(3.0, 3.0), (500.0, 60.0)])
async def test_retry_after_is_honoured_up_to_the_cap(monkeypatch, asked, waited):
    slept: list[float] = []

    async def sleep(_: Sender, seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(Sender, "_sleep", sleep)
    failure = BUSY.model_copy(update={"retry_after": asked})
    await sender([failure, YES], longest_wait=60.0).send(QUESTION)
    assert [seconds for seconds in slept if seconds] == [waited]


async def test_stopping_wakes_a_question_that_waits_for_its_next_attempt():
    sending = sender(BUSY.model_copy(update={"retry_after": 60.0}), longest_wait=60.0)
    waiting = asyncio.create_task(sending.send(QUESTION))
    await asyncio.sleep(0.05)
    assert sending.retried == 1
    sending.stop()
    async with asyncio.timeout(5):
        assert (await waiting).failure is not None
    with pytest.raises(StoppedError):
        await sending.send(QUESTION)
