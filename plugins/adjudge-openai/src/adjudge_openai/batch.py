"""The batch API: many questions in a file, collected within a day at half the price."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from adjudge.verdict import Failure, Question, Reply
from adjudge_openai.asking import Dialect, answer
from adjudge_openai.chat import Body, Chat
from adjudge_openai.failures import CallError, Received, broken, failure_of, one_line

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SHARE = 0.5
"""Part of the price that a batch costs."""
_MOST_LINES = 50_000
_MOST_BYTES = 190 * 1024 * 1024
_PATIENCE = 86_400.0
_RUNNING = ("validating", "in_progress", "finalizing", "cancelling")

Lines = dict[str, Mapping[str, Any]]
Ask = Callable[[Question], Awaitable[Reply]]


class Batches:
    """Submits questions, waits, collects."""

    def __init__(self, client: AsyncOpenAI, dialect: Dialect, ask: Ask, *, poll_seconds: float) -> None:
        """Set up; `ask` sends one question at once."""
        self._client, self._dialect, self._ask, self._poll_seconds = client, dialect, ask, poll_seconds

    async def run(
        self, questions: Sequence[Question], on_handle: Callable[[str], None] | None, handle: str | None
    ) -> list[Reply]:
        """As `OpenAIBackend.ask_many`."""
        requests = {line_id(question): question for question in questions}
        lines: Lines = {}
        failure: Failure | None = None
        try:
            handles = handle.split(",") if handle else await self._submit(requests, on_handle)
            for one in handles:
                lines |= await self._collect(one)
        except CallError as error:
            failure = error.failure
        return [await self._reply(question, lines.get(line_id(question)), failure) for question in questions]

    async def _submit(self, requests: Mapping[str, Question], on_handle: Callable[[str], None] | None) -> list[str]:
        await self._try_out(requests)
        handles: list[str] = []
        for data in _files(self._line(name, question) for name, question in requests.items()):
            file = await self._called(
                self._client.files.create(file=("adjudge.jsonl", data), purpose="batch"), "/files"
            )
            endpoint: Any = f"/v1{self._dialect.path}"
            batch = await self._called(
                self._client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h"),
                "/batches",
            )
            handles.append(batch.id)
            if on_handle:
                on_handle(",".join(handles))
        return handles

    def _line(self, name: str, question: Question) -> bytes:
        line = {"custom_id": name, "method": "POST", "url": f"/v1{self._dialect.path}", "body": self._body(question)}
        return orjson.dumps(line) + b"\n"

    def _body(self, question: Question) -> Body:
        dialect = self._dialect
        if question.labels and isinstance(dialect, Chat) and dialect.reads_labels:
            return dialect.label(question)[0]
        return dialect.text(question)[0]

    async def _try_out(self, requests: Mapping[str, Question]) -> None:
        """Ask one question at once: a parameter that is refused would otherwise fail each line, a day later."""
        for question in list(requests.values())[:1]:
            failure = (await self._ask(question)).failure
            if failure is not None and failure.fatal:
                raise CallError(failure)

    async def _collect(self, handle: str) -> Lines:
        """The lines of one batch; those that failed are among them."""
        batch = await self._finished(handle)
        if batch.status == "failed" and not batch.output_file_id:
            said = "; ".join(str(error.message) for error in (batch.errors.data or ())) if batch.errors else ""
            raise CallError(Failure(reason="infra", detail=one_line(f"batch {handle} failed: {said}")))
        lines: Lines = {}
        for file in (batch.error_file_id, batch.output_file_id):
            if file:
                content = await self._patiently(partial(self._client.files.content, file), "/files")
                lines |= _read_lines(content.content)
        return lines

    async def _finished(self, handle: str) -> Any:
        while True:
            batch = await self._patiently(lambda: self._client.batches.retrieve(handle), "/batches")
            if batch.status not in _RUNNING:
                return batch
            await asyncio.sleep(self._poll_seconds)

    async def _patiently(self, make: Callable[[], Any], path: str) -> Any:
        """Look again when a look fails: it costs nothing, and giving up would lose what was paid for."""
        waited = 0.0
        while True:
            try:
                return await self._called(make(), path)
            except CallError as error:
                if not error.failure.retryable or waited >= _PATIENCE:
                    raise
            await asyncio.sleep(self._poll_seconds)
            waited += self._poll_seconds

    async def _called(self, call: Any, path: str) -> Any:
        import httpx2
        import openai

        try:
            return await call
        except openai.APIStatusError as error:
            received = Received(error.status_code, error.response.content, error.response.headers)
            raise CallError(failure_of(received, path)) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError) as error:
            raise broken(f"{path}: the call failed ({type(error.__cause__ or error).__name__})") from None

    async def _reply(self, question: Question, line: Mapping[str, Any] | None, failure: Failure | None) -> Reply:
        """What a line says, read as the reply to a single call would be."""
        if line is None:
            lost = Failure(reason="infra", detail="the batch holds no reply to this question", retryable=True)
            return CallError(failure or lost).reply()
        reply = await answer(question, self._dialect, _Recorded(line))
        usage = reply.usage.model_copy(update={"cost": reply.usage.cost * SHARE})
        return reply.model_copy(update={"usage": usage, "sent": {**reply.sent, "batch": True}})


class _Recorded:
    """Answers the first request with the batch's line, and no further one: a batch asks once."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self._line: Mapping[str, Any] | None = line

    async def __call__(self, path: str, body: Body) -> Received:
        del body
        line, self._line = self._line, None
        if line is None:
            raise CallError(Failure(reason="infra", detail="this takes more than one request; ask without --batch"))
        response, error = line.get("response"), line.get("error")
        if isinstance(response, dict) and isinstance(response.get("status_code"), int):
            return Received(response["status_code"], orjson.dumps(response.get("body")))
        code = error.get("code") if isinstance(error, dict) else "no reply"
        retryable = code in ("batch_expired", "batch_cancelled", "no reply")
        raise CallError(Failure(reason="infra", detail=one_line(f"{path}: {code}"), retryable=retryable))


def line_id(question: Question) -> str:
    """Identity of a question inside a batch: the same in a later process, whatever else is asked."""
    outside: Any = {"submission": True, "criterion": True, "identity": True, "prompt": {"digest"}}
    asked = question.model_dump(mode="json", exclude=outside)
    return sha256(orjson.dumps(asked)).hexdigest()[:48]


def _files(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines in files that the service takes."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and (len(held) == _MOST_LINES or size + len(line) > _MOST_BYTES):
            yield b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held)


def _read_lines(content: bytes) -> Lines:
    """Lines by id; one that cannot be read is missing, and its question unanswered."""
    lines: Lines = {}
    for row in content.split(b"\n"):
        try:
            line = orjson.loads(row)
        except orjson.JSONDecodeError:
            continue
        if isinstance(line, dict) and isinstance(line.get("custom_id"), str):
            lines[line["custom_id"]] = line
    return lines
