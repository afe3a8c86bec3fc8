"""The engine: asks a backend, once per question, within a deadline, and writes every reply to the ledger.

Items that share an input are scheduled side by side, and a judge asks the first question of an item alone before the
rest, so that the backend's prefix cache is filled once and used K - 1 times.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adjudge import collector
from adjudge.commits import Commits
from adjudge.errors import LedgerError, UnsupportedError
from adjudge.interfaces import Backend, Item, Judge
from adjudge.ledger import Ledger
from adjudge.prompts import items_in_input_order
from adjudge.rubric import Rubric
from adjudge.sending import Policy, Sender, StoppedError
from adjudge.unanswered import unanswered
from adjudge.verdict import Question, Reply, Usage, Verdict

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


@dataclass
class Tally:
    """What an engine has done so far."""

    asked: int = 0
    """Questions sent to the backend."""
    served: int = 0
    """Questions answered from the ledger or by an identical question in flight."""
    failed: int = 0
    """Replies that hold no answer."""
    usage: Usage = field(default_factory=Usage)
    """Tokens and cost of what was sent."""


class Engine:
    """Asks one backend; satisfies `adjudge.interfaces.Ask`."""

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger,
        *,
        concurrency: int | None = None,
        deadline: float | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Prepare to ask.

        Args:
            backend: Who answers.
            ledger: Where replies go.
            concurrency: Questions in flight; the backend's own figure if None.
            deadline: Seconds for one question, after which it is an `infra` failure; the policy's if None.
            policy: Retries, rate limits, budget.

        Raises:
            UnsupportedError: Fewer than one question in flight, or no time at all.
        """
        self.backend = backend
        self.ledger = ledger
        self.concurrency = backend.capabilities.concurrency if concurrency is None else concurrency
        if self.concurrency < 1 or (deadline is not None and not deadline > 0):
            raise UnsupportedError(f"concurrency={self.concurrency}, deadline={deadline}: both must be more than 0")
        chosen = policy or Policy()
        if deadline is not None:
            chosen = chosen.model_copy(update={"deadline": deadline})
        self.tally = Tally()
        self._sender = Sender(backend, self.concurrency, chosen)
        self._commits = Commits(ledger)
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        self._identity = identity_digest(backend)
        self._concurrency, self._policy = concurrency, chosen
        self._by_backend: dict[int, Engine] = {id(backend): self}

    def to(self, backend: Backend) -> Engine:
        """The way to another backend, for judges made of judges.

        It shares the ledger, what is in flight, the count, the budget and the stop; rates and the circuit breaker are
        its own, since every endpoint has its own.
        """
        if id(backend) not in self._by_backend:
            other = Engine(backend, self.ledger, concurrency=self._concurrency, policy=self._policy)
            other.tally, other._in_flight, other._by_backend = self.tally, self._in_flight, self._by_backend
            other._sender.join(self._sender)
            self._by_backend[id(backend)] = other
        return self._by_backend[id(backend)]

    @property
    def secret(self) -> bytes:
        """The ledger's; keys the random boundaries of prompts."""
        return self.ledger.secret

    @property
    def primes(self) -> bool:
        """Whether the backend keeps a prompt's prefix."""
        return self.backend.capabilities.prefix_cache

    @property
    def context_tokens(self) -> int | None:
        """Longest prompt and reply together, if the backend declares it."""
        return self.backend.capabilities.context_tokens

    def fingerprint(self, question: Question) -> str:
        """Hash of everything that reaches the model and of who answers, as 64 hexadecimal digits."""
        return fingerprint(question, self._identity)

    def discard(self, question: Question) -> None:
        """Never serve the reply to this question again."""
        self.ledger.discard(self.fingerprint(question))

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._sender.stopping

    def stop(self) -> None:
        """Take no new questions."""
        self._sender.stop()

    async def __call__(self, question: Question) -> Reply:
        """Answer from the ledger, from an identical question in flight, or from the backend.

        Raises:
            StoppedError: After `stop`, for a question that would have to be sent.
            LedgerError: The ledger cannot be written; the engine stops, since what it pays for would be lost.
            AdjudgeError: The backend says that it cannot answer any such question.
        """
        key = self.fingerprint(question)
        while (pending := self._in_flight.get(key)) is not None:
            try:
                reply = await asyncio.shield(pending)
            except asyncio.CancelledError:
                if _is_cancelled_here():
                    raise
                continue  # whoever asked was cancelled, we were not: ask ourselves
            self.tally.served += 1
            return reply
        return await self._find_or_ask(key, question)

    async def _find_or_ask(self, key: str, question: Question) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = future
        try:
            await self._claim(key)
            try:
                # Looked up under the claim, since another process may have recorded the reply until then.
                reply = self._found(key) or await self._ask_and_record(key, question)
            finally:
                self.ledger.release(key)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # seen here; those who wait for it see it too
            raise
        else:
            future.set_result(reply)
            return reply
        finally:
            del self._in_flight[key]

    async def _claim(self, key: str) -> None:
        """Wait until the question is this process's to ask: another one may be asking it."""
        pause = _FIRST_PAUSE
        while not self.ledger.claim(key):
            if self.stopping:
                raise StoppedError
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _found(self, key: str) -> Reply | None:
        known = self.ledger.find(key)
        self.tally.served += known is not None
        return known

    async def _ask_and_record(self, key: str, question: Question) -> Reply:
        reply = await self._ask_in_time(question)
        await self._record(key, reply, question)
        return reply

    async def _record(self, key: str, reply: Reply, question: Question) -> None:
        if reply.failure is not None and reply.failure.reason == "budget":
            return  # nothing was sent
        try:
            await self._commits.record(key, reply, question)
        except LedgerError:
            self.stop()
            raise

    async def _ask_in_time(self, question: Question) -> Reply:
        if self.stopping:
            raise StoppedError
        self.tally.asked += 1
        reply = _storable(await self._sender.send(question))
        self.tally.failed += reply.failure is not None
        self.tally.usage += reply.usage
        return reply


def _is_cancelled_here() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _storable(reply: Reply) -> Reply:
    """The reply, half characters (a text cut in the middle of one) replaced: JSON cannot hold them."""
    whole = reply.text.encode("utf-8", "replace").decode()
    return reply if whole == reply.text else reply.model_copy(update={"text": whole})


def identity_digest(backend: Backend) -> bytes:
    """Hash of who answers."""
    return hashlib.sha256(_canonical(dict(backend.identity)).encode()).digest()


def fingerprint(question: Question, backend_identity: bytes) -> str:
    """Hash a question and who answers it; the ledger's bookkeeping fields stay out."""
    return hashlib.sha256(backend_identity + question.content).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


async def run_judge(
    engine: Engine,
    judge: Judge,
    items: Sequence[Item],
    rubric_of: Callable[[Item], Rubric],
    done: Callable[[int, Sequence[Verdict]], None],
) -> None:
    """Judge many items; `done(position, verdicts)` is called as each is finished, in any order.

    As many items are open at once as questions may be in flight, so the cost per item does not grow with their number.

    Raises:
        StoppedError: `engine.stop()` was called before all items were finished.
        LedgerError: The ledger cannot be written.
    """

    async def judge_one(position: int) -> None:
        item = items[position]
        rubric = rubric_of(item)
        done(position, unanswered(item, rubric, judge.name) or await judge.judge(item, rubric, engine))

    await run_each(engine, items_in_input_order(items), judge_one)


async def run_each(engine: Engine, positions: Sequence[int], work: Callable[[int], Awaitable[None]]) -> None:
    """Do the work of each position, as many at once as questions may be in flight.

    If one raises, no other is begun, and those that were begun are finished first.

    Raises:
        StoppedError: `engine.stop()` was called before all were done.
    """
    queue = iter(positions)
    failed = False

    async def worker() -> None:
        nonlocal failed
        for position in queue:
            if engine.stopping:
                raise StoppedError
            if failed:
                return
            try:
                await work(position)
            except BaseException:
                failed = True
                raise

    with collector.seldom():
        await _all_or_first_error(worker() for _ in range(min(engine.concurrency, len(positions))))


async def _all_or_first_error(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Like a TaskGroup, but a `StoppedError` lets the others drain rather than cancelling them."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    others = [error for error in errors if not isinstance(error, StoppedError)]
    if errors:
        raise (others or errors)[0]
