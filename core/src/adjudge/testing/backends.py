"""What every backend must keep, as tests to inherit."""
# ruff: noqa: D102 - the names of the tests say what they hold

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

import pytest
from jsonschema import Draft202012Validator

from adjudge.interfaces import Backend, Capabilities
from adjudge.verdict import Prompt, Question, Reply, Sampling

T = TypeVar("T")
ROUNDING = 1e-3
"""By how much a log-probability may be above 0, and a sum of probabilities above 1."""
CLEAR = 0.5
"""In nats: two likeliest labels that differ by less may change places when a cache is warm."""
_TOPICS = ("the tide", "bread", "a lighthouse", "snow", "copper", "a violin", "moss", "the number seven")


class BackendContract:
    """Inherit it, name the class `Test…` and say how to make the backend.

    Every test makes a backend of its own, in an event loop of its own, and closes it.
    """

    LABEL_SETS: ClassVar[Sequence[tuple[str, ...]]] = (
        ("no", "yes"),
        ("1", "2", "3", "4", "5"),
        ("support", "supported", "not supported"),
    )
    """Sets of labels to ask for; in the last one a label begins like another."""

    def make_backend(self) -> Backend:
        """Make the backend to test, ready to answer."""
        raise NotImplementedError("say how to make the backend: override make_backend")

    def make_failing_backend(self) -> Backend | None:
        """Make one whose calls fail, for example with an endpoint that nobody serves; None skips that test."""
        return None

    def test_it_is_a_backend_with_a_name_and_honest_numbers(self) -> None:
        backend = self._once(_itself)
        assert isinstance(backend, Backend)
        assert isinstance(backend.capabilities, Capabilities)
        assert backend.name.strip(), "a backend needs a name for people"
        assert len(backend.name.splitlines()) == 1, f"the name must be one line: {backend.name!r}"
        assert backend.capabilities.concurrency >= 1, "concurrency is at least 1"
        assert (backend.capabilities.context_tokens or 1) >= 1, "context_tokens is a number of tokens, or None"

    def test_its_identity_is_json_and_the_same_for_two_of_a_kind(self) -> None:
        first, second = (dict(self._once(_itself).identity) for _ in range(2))
        assert first, "an empty identity would mix the replies of all models in one ledger"
        assert json.loads(json.dumps(first, allow_nan=False)) == first, "the identity must survive a trip through JSON"
        assert first == second, "two backends made alike must share their replies in a ledger"

    def test_labels_get_the_log_probabilities_that_it_declares(self) -> None:
        declared = self._once(_itself).capabilities.label_logprobs
        if declared is None:
            pytest.skip("declares no label_logprobs")
        for labels in self.LABEL_SETS:
            reply = self._ask(question(labels=labels))
            assert reply.failure is None, f"a plain label question failed: {reply.failure}"
            assert reply.logprobs_are == declared, f"capabilities say {declared}, the reply says {reply.logprobs_are}"
            check_logprobs(reply, labels)

    def test_labels_without_log_probabilities_are_told_apart(self) -> None:
        if self._once(_itself).capabilities.label_logprobs is not None:
            pytest.skip("declares label_logprobs")
        reply = self._ask(question(labels=self.LABEL_SETS[0]))
        assert reply.logprobs is None, "gives label log-probabilities that its capabilities do not declare"
        assert reply.logprobs_are is None, "says which log-probabilities, but gives none"

    def test_json_follows_the_schema_or_the_reply_says_why_not(self) -> None:
        if not self._once(_itself).capabilities.json_schema:
            pytest.skip("declares no json_schema")
        reply = self._ask(question(json_schema=SCHEMA))
        if reply.failure is None and reply.stop != "length":
            faults = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(reply.text))]
            assert not faults, f"{reply.text!r} does not follow the schema"

    def test_a_plain_question_gets_text_or_a_failure(self) -> None:
        reply = self._ask(question())
        assert isinstance(reply, Reply), f"ask gave a {type(reply).__name__}"
        assert reply.failure is not None or reply.text, "an empty reply must be a failure"

    def test_a_failed_call_is_a_reply_with_its_failure(self) -> None:
        backend = self.make_failing_backend()
        if backend is None:
            pytest.skip("make_failing_backend is not overridden")
        reply = asyncio.run(_closing(backend, lambda given: given.ask(question(labels=("no", "yes")))))
        assert reply.failure is not None, "a failed call must not look like an answer"
        assert len(reply.failure.detail.splitlines()) <= 1, f"a failure's detail is one line: {reply.failure.detail!r}"
        assert reply.logprobs is None, "a failed call has no log-probabilities"

    def test_a_prompt_beyond_the_context_is_a_failure(self) -> None:
        tokens = self._once(_itself).capabilities.context_tokens
        if tokens is None:
            pytest.skip("declares no context_tokens")
        reply = self._ask(question("salt " * (2 * tokens), labels=("no", "yes")))
        assert reply.failure is not None, "a prompt that does not fit must not be cut in silence"
        assert reply.failure.reason == "overflow", f"the reason is overflow, not {reply.failure.reason}"

    def test_usage_is_never_negative_and_no_more_is_cached_than_asked(self) -> None:
        for reply in self._once(_ask_in_turn([question(), question()])):
            usage = reply.usage
            assert min(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.cost) >= 0
            assert usage.cached_tokens <= usage.prompt_tokens, "cached tokens are a part of the prompt's"

    def test_greedy_decoding_answers_alike_twice(self) -> None:
        labels = self.LABEL_SETS[0]
        first, second = self._once(_ask_in_turn([question(labels=labels)] * 2))
        check_alike(first, second, "the second time")

    def test_questions_in_flight_together_are_not_mixed_up(self) -> None:
        many = [question(topic, labels=self.LABEL_SETS[0]) for topic in _TOPICS]
        many += [question(topic, labels=self.LABEL_SETS[1]) for topic in _TOPICS]
        alone = self._once(_ask_in_turn(many))
        together = self._once(_ask_together(many))
        for asked, first, second in zip(many, alone, together, strict=True):
            check_alike(first, second, f"beside others, about {asked.prompt.input!r}")

    def test_a_cancelled_question_leaves_it_usable(self) -> None:
        reply = self._once(_cancel_then_ask)
        assert reply.failure is None, f"after a cancelled question it no longer answers: {reply.failure}"

    def test_it_may_be_closed_twice(self) -> None:
        self._once(_close_again)

    def _once(self, work: Callable[[Backend], Awaitable[T]]) -> T:
        return asyncio.run(_closing(self.make_backend(), work))

    def _ask(self, asked: Question) -> Reply:
        (reply,) = self._once(_ask_in_turn([asked]))
        return reply


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": 80},
        "level": {"type": "string", "enum": ["no", "yes"]},
    },
    "required": ["explanation", "level"],
    "additionalProperties": False,
}
"""The schema of one verdict, as the read-out `reasoned` asks for it."""


def question(topic: str = "rain", **asked: Any) -> Question:
    """A small question with greedy decoding; `labels` or `json_schema` may be given."""
    ask = "Is it about the topic? Answer with one of the words."
    digest = sha256(f"{topic}\0{ask}".encode()).digest()
    prompt = Prompt(system="You are a judge.", input=f"Topic: {topic}\n", output=f"{topic}\n", ask=ask, digest=digest)
    return Question(prompt=prompt, sampling=Sampling(temperature=0.0, max_tokens=60), **asked)


def check_logprobs(reply: Reply, labels: Sequence[str]) -> None:
    """Every label has one, none is above 0, and together they hold no more than everything."""
    assert reply.logprobs is not None, "declares label_logprobs and gives none"
    missing = set(labels) - reply.logprobs.keys()
    assert not missing, f"no log-probability for {sorted(missing)}"
    values = [reply.logprobs[label] for label in labels]
    assert all(not math.isnan(value) and value <= ROUNDING for value in values), f"not log-probabilities: {values}"
    mass = math.fsum(math.exp(value) for value in values)
    assert mass <= 1 + ROUNDING * len(values), f"the labels hold {mass:.4f} of the probability"
    if reply.logprobs_are == "masked":
        assert abs(mass - 1) <= ROUNDING * len(values), f"masked: the labels must hold all of it, not {mass:.4f}"


def check_alike(first: Reply, second: Reply, when: str) -> None:
    """The same answer; of two labels that are nearly as likely either may come first."""
    assert (first.failure is None) == (second.failure is None), f"{when} it fails differently: {second.failure}"
    if first.logprobs is None or second.logprobs is None:
        assert first.text == second.text, f"{when} it says something else"
    elif _lead(first.logprobs) > CLEAR:
        assert _top(first.logprobs) == _top(second.logprobs), f"{when} another label is the likeliest"


def _top(logprobs: Mapping[str, float]) -> str:
    return max(logprobs, key=logprobs.__getitem__)


def _lead(logprobs: Mapping[str, float]) -> float:
    best, runner_up = sorted(logprobs.values(), reverse=True)[:2]
    return best - runner_up if best > runner_up else 0.0


async def _closing(backend: Backend, work: Callable[[Backend], Awaitable[T]]) -> T:
    try:
        return await work(backend)
    finally:
        await backend.aclose()


async def _itself(backend: Backend) -> Backend:
    return backend


def _ask_in_turn(many: Sequence[Question]) -> Callable[[Backend], Awaitable[list[Reply]]]:
    async def work(backend: Backend) -> list[Reply]:
        return [await backend.ask(asked) for asked in many]

    return work


def _ask_together(many: Sequence[Question]) -> Callable[[Backend], Awaitable[list[Reply]]]:
    async def work(backend: Backend) -> list[Reply]:
        return list(await asyncio.gather(*(backend.ask(asked) for asked in many)))

    return work


async def _cancel_then_ask(backend: Backend) -> Reply:
    asked = _answerable(backend.capabilities)
    task = asyncio.ensure_future(backend.ask(asked))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return await backend.ask(asked)


def _answerable(capabilities: Capabilities) -> Question:
    """A question of the sort that the backend is made for."""
    if capabilities.label_logprobs is not None:
        return question(labels=("no", "yes"))
    return question(json_schema=SCHEMA) if capabilities.json_schema else question()


async def _close_again(backend: Backend) -> None:
    await backend.aclose()
