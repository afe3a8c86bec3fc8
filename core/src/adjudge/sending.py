"""Sends one question: retries, deadline, rate limits, circuit breaker, budget.

A backend makes one attempt per call and says whether a retry makes sense; everything else is decided here, the same
for every backend. Whatever happens, a question ends: with a reply, or with a typed failure within its deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from pydantic import Field

from adjudge.errors import AdjudgeError, BackendError
from adjudge.interfaces import Backend
from adjudge.pacing import Breaker, Budget, Gate, Rate
from adjudge.values import Frozen
from adjudge.verdict import Failure, Question, Reply, Usage

_CHARACTERS_PER_TOKEN = 4
_REMOTE_TIMEOUT = 120.0
"""Seconds for one attempt, if nothing else is asked for."""


class StoppedError(Exception):
    """No new questions are taken; what was in flight is being finished."""

    def __init__(self) -> None:
        super().__init__("the engine was stopped and takes no new questions")


class Policy(Frozen):
    """How to send."""

    deadline: float = Field(default=300.0, gt=0)
    """Seconds for one question, all its attempts counted."""
    attempt_timeout: float | None = Field(default=None, gt=0)
    """Seconds for one attempt; one that hangs is made again after it. If None, 120 for a remote backend, and for one on
    this machine the whole deadline: asking a slow model again makes it no faster. A backend may end an attempt sooner,
    by a timeout of its own."""
    attempts: int = Field(default=6, ge=1)
    """Most attempts per question."""
    backoff: float = Field(default=0.5, ge=0)
    """Seconds before the second attempt, on average; doubles each time, with full jitter."""
    longest_wait: float = Field(default=60.0, ge=0)
    """Cap on the wait between attempts, and on what a server's Retry-After is honoured."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Rate limit of the endpoint."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Rate limit of the endpoint; prompt tokens are estimated before they are known."""
    breaker_failures: int = Field(default=30, ge=1)
    """Failures in a row that open the circuit breaker."""
    breaker_pause: float = Field(default=5.0, gt=0)
    """Seconds of its first pause."""
    breaker_trips: int = Field(default=5, ge=0)
    """Failed probes after which the server counts as down and the run stops, to be resumed."""
    max_calls: int | None = Field(default=None, ge=0)
    """Budget: attempts."""
    max_total_tokens: int | None = Field(default=None, ge=0)
    """Budget: tokens, prompt and reply."""
    max_cost: float | None = Field(default=None, ge=0)
    """Budget: US dollars."""


class Sender:
    """Sends questions to one backend under one policy."""

    def __init__(self, backend: Backend, concurrency: int, policy: Policy) -> None:
        """Prepare.

        Args:
            backend: Who answers.
            concurrency: Questions in flight when all is well.
            policy: How to send.
        """
        self.backend = backend
        self.policy = policy
        self.gate = Gate(concurrency)
        self.retried = 0
        """Attempts after the first."""
        usual = policy.deadline if backend.capabilities.local else _REMOTE_TIMEOUT
        self._timeout = usual if policy.attempt_timeout is None else policy.attempt_timeout
        self._requests = Rate(policy.requests_per_minute, time.monotonic)
        self._tokens = Rate(policy.tokens_per_minute, time.monotonic)
        self._breaker = Breaker(policy.breaker_failures, policy.breaker_pause, policy.breaker_trips, time.monotonic)
        self._budget = Budget(policy.max_calls, policy.max_total_tokens, policy.max_cost)
        self._jitter = random.Random(0)  # noqa: S311 - spreads retries, keeps no secret
        self._stopped = asyncio.Event()

    def join(self, other: Sender) -> None:
        """Spend from the other's budget, and stop with it."""
        self._budget, self._stopped = other._budget, other._stopped

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Take no new questions and make no further attempts."""
        self._stopped.set()

    async def send(self, question: Question) -> Reply:
        """Send until there is an answer, the failure is final, or the deadline passes.

        Returns:
            The last attempt's reply, with the usage of all attempts.

        Raises:
            StoppedError: After `stop`, for a question of which no attempt was made.
            BackendError: The failure is fatal for the whole run, or the server counts as down.
        """
        earlier: list[Usage] = []
        begin = time.monotonic()
        reply: Reply | None = None
        for attempt in range(self.policy.attempts):
            left = self.policy.deadline - (time.monotonic() - begin)
            if reply is not None and (left <= 0 or self.stopping):
                earlier.pop()  # the last attempt's own, which the reply still holds
                break
            reply = await self._attempt(question, left)
            failure = reply.failure
            if failure is None or not failure.retryable or attempt + 1 == self.policy.attempts:
                break
            earlier.append(reply.usage)
            self.retried += 1
            await self._sleep(min(self._pause(attempt, failure), left))
        assert reply is not None  # there is at least one attempt
        return reply.model_copy(update={"usage": sum(earlier, reply.usage)}) if earlier else reply

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or wake when stopped."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()

    async def _attempt(self, question: Question, left: float) -> Reply:
        await self._wait_for_rate(question)
        async with self.gate:
            if self.stopping:
                raise StoppedError
            spent = self._budget.book()
            if spent:
                return _failed("budget", spent)
            reply = await self._ask(question, min(left, self._timeout))
        self._note(reply)
        return reply

    def _note(self, reply: Reply) -> None:
        failure = reply.failure
        failed = failure is not None and failure.reason == "infra"
        self._budget.spend(reply.usage)
        self._breaker.note(failed=failed)
        self.gate.note(overloaded=failure is not None and failure.retry_after is not None)
        if failure is not None and (failure.fatal or (failed and self._breaker.is_down)):
            raise BackendError(f"{self.backend.name}: {failure.detail}; mend it and run the same command to go on")

    async def _wait_for_rate(self, question: Question) -> None:
        pause = self._requests.wait()
        if self.policy.tokens_per_minute is not None:
            prompt = question.prompt
            characters = len(prompt.system) + len(prompt.user)
            pause = max(pause, self._tokens.wait(characters / _CHARACTERS_PER_TOKEN + question.sampling.max_tokens))
        await self._sleep(pause)
        await self._wait_for_breaker()

    async def _wait_for_breaker(self) -> None:
        pause = self._breaker.wait()
        if pause and not self.stopping:
            await self._sleep(pause)
            await self._wait_for_breaker()  # another question may be the probe

    async def _ask(self, question: Question, seconds: float) -> Reply:
        """The backend's reply; an error that it should have kept to itself is a failed call, told without its text."""
        try:
            async with asyncio.timeout(seconds) as limit:
                return await self.backend.ask(question)
        except AdjudgeError:
            raise
        except Exception as error:  # noqa: BLE001 - a backend is a plugin and may raise anything
            if isinstance(error, TimeoutError) and limit.expired():
                return _failed("infra", f"no reply within {seconds:.3g} s", retryable=True)
            return _failed("infra", f"the backend raised {type(error).__name__}")

    def _pause(self, attempt: int, failure: Failure) -> float:
        """Full jitter under an exponential cap; at least what the server asked for, itself capped."""
        spread = self.policy.backoff * 2.0 ** (attempt + 1) * self._jitter.random()
        return min(max(spread, failure.retry_after or 0.0), self.policy.longest_wait)


def _failed(reason: str, detail: str, *, retryable: bool = False) -> Reply:
    return Reply(
        stop="error", failure=Failure.model_validate({"reason": reason, "detail": detail, "retryable": retryable})
    )
