"""Replies of the real model: contracts, not verdicts (it judges at chance)."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from adjudge.interfaces import Backend
from adjudge.verdict import Question, Reply
from adjudge_local.backend import _ALL, LocalBackend
from adjudge_local.labels import log_sum
from adjudge_local.plugin import build

pytestmark = pytest.mark.model

Make = Callable[..., Question]
SCHEMA = {
    "type": "object",
    "properties": {"why": {"type": "string", "maxLength": 40}, "level": {"enum": ["met", "unmet"]}},
    "required": ["why", "level"],
    "additionalProperties": False,
}
LONG = {"max_tokens": 900, "temperature": 1.5, "seed": 1}


@pytest.fixture(scope="module")
def small() -> Iterator[LocalBackend]:
    """Two slots with a short context; the last test closes it."""
    built = build(context=256, slots=2)
    assert isinstance(built, LocalBackend)
    yield built
    built.close()


def forced(backend: LocalBackend, place: tuple[int, ...], token: int) -> float:
    """Log-probability of one token, read without trie, wide lists or pruning."""
    bias = {"n_predict": 1, "n_probs": 1, "temperature": 0.0, "logit_bias": [[token, 1e4]]}
    return backend._engine.complete(place, 0, Event(), **bias).top[token]


def brute_force(backend: LocalBackend, question: Question, text: str) -> float:
    """Teacher-forced log-probability of one spelling, token by token."""
    place = backend._template.tokenised(question).tokens
    total = 0.0
    for token in backend._engine.tokenize(text):
        total += forced(backend, place, token)
        place = (*place, token)
    return total


def test_it_is_a_backend_that_says_who_answers(backend: LocalBackend) -> None:
    assert isinstance(backend, Backend)
    assert backend.name == "local:SmolLM2-135M-Instruct"
    assert backend.capabilities.label_logprobs == "raw"
    assert backend.capabilities.context_tokens == 1024
    assert backend.identity["model"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert json.loads(json.dumps(backend.identity)) == backend.identity


@pytest.mark.parametrize(
    "labels",
    [
        ("met", "unmet"),
        ("1", "2", "3", "4", "5"),
        ("1", "10"),
        ("aligns with", "does not align with"),
        ("符合", "不符合"),
    ],
    ids=" ".join,
)
async def test_each_label_has_a_raw_log_probability(
    labels: tuple[str, ...], backend: LocalBackend, question: Make
) -> None:
    reply = await backend.ask(question(labels=labels))
    assert reply.failure is None
    assert reply.logprobs is not None
    assert tuple(reply.logprobs) == labels
    assert all(value <= 0 for value in reply.logprobs.values())
    assert sum(map(math.exp, reply.logprobs.values())) <= 1 + 1e-6
    assert reply.text == max(labels, key=reply.logprobs.__getitem__)
    assert (reply.logprobs_are, reply.stop) == ("raw", "stop")


@pytest.mark.parametrize("labels", [("met", "unmet"), ("aligns with", "does not align with")], ids=" ".join)
async def test_the_walk_agrees_with_scoring_each_spelling_by_itself(
    labels: tuple[str, ...], backend: LocalBackend, question: Make
) -> None:
    asked = question(labels=labels)
    reply = await backend.ask(asked)
    assert reply.logprobs is not None
    for label in labels:
        expected = log_sum([brute_force(backend, asked, label), brute_force(backend, asked, f" {label}")])
        assert reply.logprobs[label] == pytest.approx(expected, abs=0.05)


async def test_what_continues_into_a_longer_label_is_not_counted_for_the_shorter(
    backend: LocalBackend, question: Make
) -> None:
    asked = question("How good is it, from 1 to 10? Answer with a number.", labels=("1", "10"))
    reply = await backend.ask(asked)
    assert reply.logprobs is not None
    one, ten = (
        log_sum([brute_force(backend, asked, text), brute_force(backend, asked, f" {text}")]) for text in ("1", "10")
    )
    assert math.exp(reply.logprobs["10"]) == pytest.approx(math.exp(ten), rel=0.05)
    assert math.exp(reply.logprobs["1"]) == pytest.approx(math.exp(one) - math.exp(ten), rel=0.05)


async def test_a_forced_token_reports_the_log_probability_that_a_list_of_all_tokens_gives(
    backend: LocalBackend, question: Make
) -> None:
    asked = question(labels=("met", "unmet"))
    await backend.ask(asked)
    place = backend._template.tokenised(asked).tokens
    every = {"n_predict": 1, "n_probs": _ALL, "temperature": 0.0}
    whole = backend._engine.complete(place, 0, Event(), **every).top
    assert math.fsum(map(math.exp, whole.values())) == pytest.approx(1, abs=1e-3)
    for token in (whole.keys() & set(range(300, 1500, 400))) | {next(iter(whole))}:
        assert forced(backend, place, token) == pytest.approx(whole[token], abs=1e-4)


async def test_the_second_criterion_finds_the_evidence_in_the_cache(backend: LocalBackend, question: Make) -> None:
    first, second = question("Is it polite?", labels=("1", "2")), question("Is it true?", labels=("1", "2"))
    await backend.ask(first)
    usage = (await backend.ask(second)).usage
    done = backend._template.tokenised(second)
    assert usage.cached_tokens > 0
    ask = len(done.tokens) - done.bounds[-1]
    # The criterion, the token that cuts off the first one, and a reading or two at most.
    assert ask <= usage.prompt_tokens - usage.cached_tokens <= ask + 6


async def test_a_reply_does_not_depend_on_what_was_asked_before(backend: LocalBackend, question: Make) -> None:
    asked = question(labels=("met", "unmet"))
    first = (await backend.ask(asked)).logprobs
    await backend.ask(question("Is it polite, or is it not?", labels=("met", "unmet")))
    after_sibling = (await backend.ask(asked)).logprobs
    await backend.ask(question(output="Something else.", labels=("1", "2")))
    after_other = (await backend.ask(asked)).logprobs
    await backend.ask(question("Tell me more.", sampling={"max_tokens": 5}))
    assert first == after_sibling == after_other == (await backend.ask(asked)).logprobs


async def test_json_obeys_the_schema_and_is_the_same_again_at_temperature_zero(
    backend: LocalBackend, question: Make
) -> None:
    asked = question("Answer in JSON.", json_schema=SCHEMA, sampling={"max_tokens": 80})
    reply = await backend.ask(asked)
    assert reply.stop == "stop"
    found = json.loads(reply.text)
    assert list(found) == ["why", "level"]
    assert len(found["why"]) <= 40
    assert found["level"] in ("met", "unmet")
    assert reply.sent == {"temperature": 0.0, "n_predict": 80, "json_schema": True}
    assert (await backend.ask(asked)).text == reply.text


async def test_a_schema_that_the_engine_drops_is_a_failure(backend: LocalBackend, question: Make) -> None:
    reply = await backend.ask(question("Say yes.", json_schema={"type": "nonsense"}, sampling={"max_tokens": 200}))
    assert reply.failure is not None
    assert "did not apply the JSON schema" in reply.failure.detail


async def test_a_cut_reply_stays_as_it_is(backend: LocalBackend, question: Make) -> None:
    reply = await backend.ask(question("Answer in JSON.", json_schema=SCHEMA, sampling={"max_tokens": 4}))
    assert reply.stop == "length"
    assert reply.usage.completion_tokens == 4
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.text)


async def test_a_seed_repeats_a_sampled_reply(backend: LocalBackend, question: Make) -> None:
    one, same, other = [
        await backend.ask(question("Say something.", sampling={"max_tokens": 12, "temperature": 1.5, "seed": seed}))
        for seed in (1, 1, 2)
    ]
    assert one.text == same.text != other.text
    assert one.sent["seed"] == 1


@pytest.mark.parametrize("extra", [{"labels": ("met", "unmet")}, {}])
async def test_a_prompt_that_does_not_fit_is_an_overflow(
    extra: dict[str, object], backend: LocalBackend, question: Make
) -> None:
    reply = await backend.ask(question("word " * 1100, **extra))
    assert reply.failure is not None
    assert reply.failure.reason == "overflow"
    assert "the context holds 1024" in reply.failure.detail
    assert reply.usage.prompt_tokens == 0


async def test_a_reply_that_hits_the_end_of_the_context_is_an_overflow(small: LocalBackend, question: Make) -> None:
    endless = {"type": "string", "minLength": 5000}
    reply = await small.ask(question("Tell a story.", output="Once. " * 80, json_schema=endless))
    assert reply.failure is not None
    assert reply.failure.reason == "overflow"


async def test_a_deadline_ends_a_long_reply_and_frees_the_slot(backend: LocalBackend, question: Make) -> None:
    long = asyncio.create_task(backend.ask(question("Tell a story without end.", sampling=LONG)))
    waiting = asyncio.create_task(backend.ask(question(labels=("1", "2"))))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(long, 0.3)
    assert (await waiting).logprobs is not None


async def test_cancelling_what_has_not_begun_leaves_the_rest_alone(backend: LocalBackend, question: Make) -> None:
    tasks = [asyncio.create_task(backend.ask(question(f"{n}?", labels=("1", "2")))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(second, asyncio.CancelledError)
    assert isinstance(first, Reply)
    assert isinstance(third, Reply)
    assert first.failure is third.failure is None


async def test_two_slots_answer_at_the_same_time(small: LocalBackend, question: Make) -> None:
    assert small.capabilities.concurrency == 2
    assert small.capabilities.context_tokens == 256
    replies = await asyncio.gather(*(small.ask(question(f"{n}?", labels=("1", "2"))) for n in range(3)))
    assert all(reply.failure is None for reply in replies)


async def test_closing_stops_what_runs_and_may_be_done_twice(small: LocalBackend, question: Make) -> None:
    running = [asyncio.create_task(small.ask(question("Tell a story.", sampling=LONG))) for _ in range(3)]
    await asyncio.sleep(0.2)
    await small.aclose()
    await small.aclose()
    replies = [*await asyncio.gather(*running), await small.ask(question())]
    assert all(reply.failure and reply.failure.reason == "infra" for reply in replies)
