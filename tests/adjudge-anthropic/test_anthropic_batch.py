"""Message batches, on a server that keeps them: submit, poll, restart, collect."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adjudge.verdict import Question, Reply
from adjudge_anthropic.plugin import build

from .anthropic_replies import SCHEMA, error, message
from .conftest import KEY, Answer, Loopback, Seen

Make = Callable[..., Question]
Line = dict[str, Any]


class BatchService:
    """What `/v1/messages/batches` does; `reply` says how a request is answered."""

    def __init__(self, server: Loopback) -> None:
        self.batches: dict[str, list[Line]] = {}
        self.looks = 0
        self.failed_looks = 0
        self.broken_downloads = 0
        self.direct: Callable[[Seen], Answer] = lambda seen: Answer(message())
        self.reply: Callable[[Line], Line | None] = echo
        server.answer = self

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/v1/messages":
            return self.direct(seen)
        name = seen.path.removeprefix("/v1/messages/batches").strip("/")
        if not name:
            name = f"batch-{len(self.batches)}"
            self.batches[name] = seen.body["requests"]
            return Answer({"id": name, "processing_status": "in_progress"})
        if name.endswith("/results") and self.broken_downloads:
            self.broken_downloads -= 1
            return Answer(b"{", cut=True)
        if name.endswith("/results"):
            lines = [(one["custom_id"], self.reply(one)) for one in self.batches[name.removesuffix("/results")]]
            rows = [json.dumps({"custom_id": key, "result": result}) for key, result in lines[::-1] if result]
            return Answer("\n".join(rows).encode(), headers={"Content-Type": "application/x-jsonl"})
        self.looks += 1
        if self.looks <= self.failed_looks:
            return Answer({}, 529)
        running = self.looks <= self.failed_looks + 1
        return Answer({"id": name, "processing_status": "in_progress" if running else "ended"})


def echo(line: Line) -> Line:
    """Answers with the end of the criterion that was asked about."""
    asked = line["params"]["messages"][0]["content"][-1]["text"]
    return {"type": "succeeded", "message": message(json.dumps({"why": asked[-2:], "level": "met"}))}


@pytest.fixture
def service(loopback: Loopback) -> BatchService:
    return BatchService(loopback)


async def run(loopback: Loopback, questions: list[Question], **more: Any) -> tuple[list[Reply], list[str]]:
    handles: list[str] = []
    backend = build("claude-sonnet-5-5", base_url=loopback.url)
    try:
        return await backend.ask_many(questions, handles.append, poll_seconds=0.01, **more), handles
    finally:
        await backend.aclose()


async def test_replies_come_in_the_order_of_the_questions_at_half_the_price(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    replies, handles = await run(loopback, [question(f"{name}?", json_schema=SCHEMA) for name in "ABC"])
    assert [json.loads(reply.text)["why"] for reply in replies] == ["A?", "B?", "C?"]
    assert handles == ["batch-0"]
    assert replies[0].usage.cost == pytest.approx((10 * 2 + 60 * 0.1 + 30 * 2.5 + 5 * 10) / 1e6 / 2)
    assert replies[0].sent["batch"] is True


async def test_after_a_restart_a_handle_collects_without_submitting_again(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    class Killed(BaseException):
        pass

    def die(handle: str) -> None:
        raise Killed(handle)

    backend = build("claude-sonnet-5-5", base_url=loopback.url)
    with pytest.raises(Killed, match="batch-0"):
        await backend.ask_many([question("A?"), question("B?")], die, poll_seconds=0.01)
    await backend.aclose()
    replies, handles = await run(loopback, [question("B?"), question("A?"), question("D?")], handle="batch-0")
    assert [json.loads(reply.text)["why"] for reply in replies[:2]] == ["B?", "A?"]
    assert replies[2].failure is not None
    assert replies[2].failure.retryable
    assert (len(service.batches), handles) == (1, [])


RESULTS: dict[str, tuple[Line | None, dict[str, Any]]] = {
    "refused": ({"type": "succeeded", "message": message(stop_reason="refusal")}, {"reason": "refusal"}),
    "overload": ({"type": "errored", "error": error("overloaded_error", "x")}, {"reason": "infra", "retryable": True}),
    "too long": (
        {"type": "errored", "error": error("invalid_request_error", "prompt is too long")},
        {"reason": "overflow"},
    ),
    "unknown": ({"type": "errored", "error": {}}, {"reason": "infra", "retryable": True}),
    "expired": ({"type": "expired"}, {"reason": "infra", "retryable": True}),
    "canceled": ({"type": "canceled"}, {"reason": "infra", "retryable": True}),
    "no type": ({"message": {}}, {"reason": "infra", "retryable": True}),
    "missing": (None, {"reason": "infra", "retryable": True}),
}


@pytest.mark.parametrize("name", RESULTS)
async def test_a_request_that_failed_is_a_typed_failure_and_the_others_stand(
    name: str, loopback: Loopback, service: BatchService, question: Make
) -> None:
    fault, expected = RESULTS[name]
    service.reply = lambda line: fault if json.dumps(line).count("B?") else echo(line)
    replies, _ = await run(loopback, [question("A?"), question("B?")])
    assert replies[0].failure is None
    assert replies[1].failure is not None
    assert expected.items() <= replies[1].failure.model_dump().items()
    assert replies[1].text == ""


async def test_a_form_that_the_model_refuses_is_in_no_request(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    refusal = Answer(error("invalid_request_error", "output_config.format is not supported"), 400)
    service.direct = lambda seen: refusal if "output_config" in seen.body else Answer(message())
    await run(loopback, [question(json_schema=SCHEMA)])
    (line,) = service.batches["batch-0"]
    assert line["params"].keys() >= {"tools", "tool_choice"}


async def test_a_look_or_download_that_fails_is_repeated(
    loopback: Loopback, service: BatchService, question: Make
) -> None:
    service.failed_looks, service.broken_downloads = 3, 2
    (reply,), _ = await run(loopback, [question()])
    assert (reply.failure, service.looks) == (None, 5)


async def test_a_wrong_key_is_fatal_and_not_shown(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(error("authentication_error", f"wrong {KEY}"), 401)
    (reply,), handles = await run(loopback, [question()])
    assert reply.failure is not None
    assert (reply.failure.fatal, handles) == (True, [])
    assert KEY not in reply.model_dump_json()
