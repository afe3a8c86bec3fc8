"""Message batches: many questions at once, collected within a day at half the price."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Protocol

import orjson

from adjudge.verdict import Failure, Question, Reply
from adjudge_anthropic.failures import CallError, Received, broken, failure_of, parsed
from adjudge_anthropic.messages import PATH, Messages

SHARE = 0.5
"""Part of the price that a batch costs."""
BATCHES = "/v1/messages/batches"
_MOST_LINES = 100_000
_MOST_BYTES = 240 * 1024 * 1024
_PATIENCE = 86_400.0
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}

Results = dict[str, Mapping[str, Any]]
Ask = Callable[[Question], Awaitable[Reply]]


class Send(Protocol):
    """How a request gets to the service."""

    async def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Received:
        """Send it once.

        Raises:
            CallError: No answer came.
        """


class Batches:
    """Submits questions, waits, collects."""

    def __init__(self, send: Send, messages: Messages, ask: Ask, *, poll_seconds: float) -> None:
        """Set up; `ask` sends one question at once."""
        self._send, self._messages, self._ask, self._poll_seconds = send, messages, ask, poll_seconds

    async def run(
        self, questions: Sequence[Question], on_handle: Callable[[str], None] | None, handle: str | None
    ) -> list[Reply]:
        """As `AnthropicBackend.ask_many`."""
        requests = {line_id(question): question for question in questions}
        results: Results = {}
        failure: Failure | None = None
        try:
            handles = handle.split(",") if handle else await self._submit(requests, on_handle)
            for one in handles:
                results |= await self._collect(one)
        except CallError as error:
            failure = error.failure
        return [self._reply(question, results.get(line_id(question)), failure) for question in questions]

    async def _submit(self, requests: Mapping[str, Question], on_handle: Callable[[str], None] | None) -> list[str]:
        await self._try_out(requests)
        handles: list[str] = []
        lines = ({"custom_id": name, "params": self._messages.body(one)[0]} for name, one in requests.items())
        for part in _parts(lines):
            batch = parsed(await self._called("POST", BATCHES, {"requests": part}), BATCHES)
            handles.append(str(batch["id"]))
            if on_handle:
                on_handle(",".join(handles))
        return handles

    async def _try_out(self, requests: Mapping[str, Question]) -> None:
        """Ask one question at once: a parameter that is refused would otherwise fail each line, a day later."""
        for question in list(requests.values())[:1]:
            failure = (await self._ask(question)).failure
            if failure is not None and failure.fatal:
                raise CallError(failure)

    async def _collect(self, handle: str) -> Results:
        """The results of one batch; those that failed are among them."""
        while parsed(await self._patiently(f"{BATCHES}/{handle}"), BATCHES).get("processing_status") != "ended":  # noqa: ASYNC110 - the state is on another machine
            await asyncio.sleep(self._poll_seconds)
        return _read_results((await self._patiently(f"{BATCHES}/{handle}/results")).body)

    async def _patiently(self, path: str) -> Received:
        """Look again when a look fails: it costs nothing, and giving up would lose what was paid for."""
        waited = 0.0
        while True:
            try:
                return await self._called("GET", path)
            except CallError as error:
                if not error.failure.retryable or waited >= _PATIENCE:
                    raise
            await asyncio.sleep(self._poll_seconds)
            waited += self._poll_seconds

    async def _called(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Received:
        received = await self._send(method, path, body)
        if received.status != HTTPStatus.OK:
            raise CallError(failure_of(received, BATCHES))
        return received

    def _reply(self, question: Question, result: Mapping[str, Any] | None, failure: Failure | None) -> Reply:
        """What a result says, read as the reply to a single call would be."""
        if result is None:
            lost = Failure(reason="infra", detail="the batch holds no reply to this question", retryable=True)
            return CallError(failure or lost).reply()
        try:
            reply = self._read(question, result)
        except CallError as error:
            reply = error.reply()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            reply = broken(f"{BATCHES}: a result of unexpected shape ({type(error).__name__})").reply()
        usage = reply.usage.model_copy(update={"cost": reply.usage.cost * SHARE})
        return reply.model_copy(update={"usage": usage})

    def _read(self, question: Question, result: Mapping[str, Any]) -> Reply:
        kind = result["type"]
        if kind == "succeeded":
            sent = {**self._messages.body(question)[1], "batch": True}
            return self._messages.read(question, result["message"], sent)
        if kind != "errored":
            raise broken(f"{BATCHES}: the request was {kind}")
        error = result["error"]
        status = _STATUS_OF.get(error.get("error", error).get("type"), int(HTTPStatus.INTERNAL_SERVER_ERROR))
        raise CallError(failure_of(Received(status, orjson.dumps(error)), PATH))


def line_id(question: Question) -> str:
    """Identity of a question inside a batch: the same in a later process, whatever else is asked."""
    outside: Any = {"submission": True, "criterion": True, "identity": True, "prompt": {"digest"}}
    asked = question.model_dump(mode="json", exclude=outside)
    return sha256(orjson.dumps(asked)).hexdigest()[:48]


def _parts(lines: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The lines in parts that the service takes."""
    held: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        length = len(orjson.dumps(line))
        if held and (len(held) == _MOST_LINES or size + length > _MOST_BYTES):
            yield held
            held, size = [], 0
        held.append(line)
        size += length
    if held:
        yield held


def _read_results(content: bytes) -> Results:
    """Results by id; one that cannot be read is missing, and its question unanswered."""
    results: Results = {}
    for row in content.split(b"\n"):
        try:
            line = orjson.loads(row)
        except orjson.JSONDecodeError:
            continue
        if isinstance(line, dict) and isinstance(line.get("custom_id"), str) and isinstance(line.get("result"), dict):
            results[line["custom_id"]] = line["result"]
    return results
