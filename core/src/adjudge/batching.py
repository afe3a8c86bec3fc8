"""Asks through a batch service: questions are collected, submitted together, and picked up hours later.

Every submission's handle is in the ledger before anything is waited for, so a run that was stopped, or a machine that
was restarted, collects what was paid for. Half the price, within a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Capabilities
from adjudge.ledger import Ledger
from adjudge.verdict import Failure, Question, Reply

QUIET_SECONDS = 0.5
"""A batch is submitted when no question came for so long."""
TWO_DAYS = 2 * 86_400.0
"""Deadline of a question in a batch."""
_OPEN = 50_000


class AsksMany(Protocol):
    """What a backend with a batch service offers."""

    async def ask_many(
        self,
        questions: Sequence[Question],
        on_handle: Callable[[str], None] | None = None,
        *,
        handle: str | None = None,
    ) -> list[Reply]:
        """Submit, or collect what was submitted under a handle; replies in the order of the questions."""


class BatchBackend:
    """A backend that answers through another one's batch service; same identity, so verdicts are shared."""

    def __init__(self, backend: Backend, ledger: Ledger, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        """Wrap a backend.

        Args:
            backend: Offers `ask_many`.
            ledger: Keeps the handles.
            quiet_seconds: Wait for so long after the latest question before submitting.

        Raises:
            UnsupportedError: The backend has no batch service.
        """
        if not hasattr(backend, "ask_many"):
            raise UnsupportedError(f"{backend.name} has no batch service; leave --batch out")
        self._backend = backend
        self._service = cast("AsksMany", backend)
        self._ledger = ledger
        self._quiet_seconds = quiet_seconds
        self._pending: list[tuple[Question, asyncio.Future[Reply]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """That of the backend."""
        return self._backend.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of the backend: the way a question travels does not change its answer."""
        return self._backend.identity

    @property
    def capabilities(self) -> Capabilities:
        """As many questions open as a batch can hold, and nothing gained by asking one of them first."""
        return replace(self._backend.capabilities, concurrency=_OPEN, prefix_cache=False)

    async def ask(self, question: Question) -> Reply:
        """Wait for the batch that this question goes into."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Reply] = loop.create_future()
        self._pending.append((question, reply))
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(self._quiet_seconds, self._submit)
        return await reply

    def _submit(self) -> None:
        asked, self._pending = self._pending, []
        by_handle: dict[str | None, list[tuple[Question, asyncio.Future[Reply]]]] = {}
        for question, reply in asked:
            by_handle.setdefault(self._ledger.handle_of(self._key(question)), []).append((question, reply))
        for handle, part in by_handle.items():
            task = asyncio.create_task(self._collect(handle, part))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _collect(self, handle: str | None, asked: Sequence[tuple[Question, asyncio.Future[Reply]]]) -> None:
        keys = [self._key(question) for question, _ in asked]
        questions = [question for question, _ in asked]
        try:
            replies = await self._service.ask_many(
                questions, lambda new: self._ledger.keep_handle(new, keys), handle=handle
            )
        except Exception as error:  # noqa: BLE001 - a backend is a plugin and may raise anything
            why = Failure(reason="infra", detail=f"the batch service raised {type(error).__name__}")
            replies = [Reply(stop="error", failure=why)] * len(asked)
        self._ledger.drop_handles(key for key, reply in zip(keys, replies, strict=True) if not _is_open(reply))
        for (_, future), reply in zip(asked, replies, strict=True):
            if not future.done():
                future.set_result(_final(reply))

    def _key(self, question: Question) -> str:
        who = json.dumps(dict(self.identity), sort_keys=True)
        return hashlib.sha256(who.encode() + question.content).hexdigest()

    async def aclose(self) -> None:
        """Stop waiting; what was submitted is collected by the next run."""
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._running):
            task.cancel()
        await self._backend.aclose()


def _is_open(reply: Reply) -> bool:
    """Whether the batch may still hold the reply: looking it up failed, for now."""
    return reply.failure is not None and reply.failure.retryable


def _final(reply: Reply) -> Reply:
    """A failure in a batch is retried by the next run, not by another batch of one at once."""
    if reply.failure is None or not reply.failure.retryable:
        return reply
    return reply.model_copy(update={"failure": reply.failure.model_copy(update={"retryable": False})})
