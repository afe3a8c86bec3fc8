"""Every class of fault, for every interface: a typed failure, and never an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from adjudge.errors import BackendError
from adjudge.interfaces import Backend
from adjudge.verdict import Question, Reply
from adjudge_openai.failures import retry_after
from adjudge_openai.plugin import build_compatible, build_openai

from .conftest import KEY, Answer, Loopback, Seen
from .openai_replies import SCHEMA, completion, error, response

Make = Callable[..., Question]
KINDS = ("compatible", "chat", "responses")


def build(kind: str, server: Loopback, **options: Any) -> Backend:
    if kind == "compatible":
        return build_compatible("judge", base_url=server.url, server="openai", **options)
    return build_openai("gpt-4o-mini", base_url=server.url, api=kind, **options)


def good(kind: str, text: str = '{"why": "ok", "level": "met"}', **more: Any) -> Any:
    return response(text, **more) if kind == "responses" else completion(text, **more)


async def asked(kind: str, server: Loopback, answer: Answer, question: Question, **options: Any) -> Reply:
    server.answer = lambda seen: answer
    backend = build(kind, server, **options)
    try:
        return await backend.ask(question)
    finally:
        await backend.aclose()


RETRYABLE = {"reason": "infra", "retryable": True, "fatal": False}
FATAL = {"reason": "infra", "retryable": False, "fatal": True}
HTML = {"Content-Type": "text/html"}
FAULTS: dict[str, tuple[Answer, dict[str, Any]]] = {
    "hang": (Answer({}, hang=True), RETRYABLE),
    "401": (Answer(error(f"Incorrect API key provided: {KEY}", "invalid_api_key"), 401), FATAL),
    "403": (Answer(error(f"not allowed for {KEY}"), 403), FATAL),
    "404": (Answer(error("The model does not exist", "model_not_found"), 404), FATAL),
    "429": (Answer(error("slow down"), 429, {"Retry-After": "7"}), {**RETRYABLE, "retry_after": 7.0}),
    "quota": (Answer(error("You exceeded your current quota", "insufficient_quota"), 429), {"reason": "budget"}),
    "402": (Answer(error("pay first"), 402), {"reason": "budget", "fatal": True}),
    "500": (Answer(error("oops"), 500), RETRYABLE),
    "502": (Answer(b"<html>bad gateway</html>", 502, HTML), RETRYABLE),
    "503 with a wait": (Answer(error("busy"), 503, {"Retry-After": "2"}), {**RETRYABLE, "retry_after": 2.0}),
    "529": (Answer(error("overloaded"), 529), RETRYABLE),
    "redirect": (Answer(b"", 307, {"Location": "http://127.0.0.1:9/v1"}), FATAL),
    "cut body": (Answer(completion(), cut=True), RETRYABLE),
    "empty body": (Answer(b""), RETRYABLE),
    "truncated JSON": (Answer(b'{"choices": [{"message": {"content": "{\\"level\\": \\"met'), RETRYABLE),
    "NaN": (Answer(b'{"choices": [{"message": {"content": NaN}}], "output": NaN}'), RETRYABLE),
    "wrong content type": (Answer(b"<html>sign in</html>", 200, HTML), RETRYABLE),
    "a list": (Answer([]), RETRYABLE),
    "another object": (Answer({"detail": "fine"}), RETRYABLE),
    "empty choices": (Answer({"choices": [], "output": []}), RETRYABLE),
    "wrong types": (Answer({"choices": [{"message": {"content": 4}}], "output": [4]}), RETRYABLE),
    "choices of nothing": (Answer({"choices": [None], "output": [None]}), RETRYABLE),
    "context": (Answer(error("maximum context length is 10", "context_length_exceeded"), 400), {"reason": "overflow"}),
    "policy": (Answer(error("content management policy", "content_filter"), 400), {"reason": "refusal"}),
    "bad request": (Answer(error("no such thing"), 400), {"reason": "infra", "retryable": False, "fatal": False}),
}
AS_REPLY: dict[str, tuple[Callable[[str], Any], str]] = {
    "refusal": (
        lambda kind: (
            response(part={"type": "refusal", "refusal": "I cannot"})
            if kind == "responses"
            else completion(None, message={"refusal": "I cannot"})
        ),
        "refusal",
    ),
    "content filter": (
        lambda kind: (
            response(status="incomplete", incomplete_details={"reason": "content_filter"})
            if kind == "responses"
            else completion("met", finish_reason="content_filter")
        ),
        "refusal",
    ),
    "nothing written": (lambda kind: good(kind, ""), "parse"),
}


def is_no_answer(reply: Reply) -> None:
    assert reply.failure is not None
    assert reply.text == ""
    assert reply.logprobs is None
    assert reply.stop in ("error", "refusal")
    assert len(reply.failure.detail.splitlines()) == 1
    assert KEY not in reply.model_dump_json()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_a_typed_failure(kind: str, name: str, loopback: Loopback, question: Make) -> None:
    answer, expected = FAULTS[name]
    reply = await asked(kind, loopback, answer, question(json_schema=SCHEMA), timeout=0.3 if name == "hang" else 10)
    is_no_answer(reply)
    assert reply.failure is not None
    assert expected.items() <= reply.failure.model_dump().items()
    assert len(loopback.asked) == 1, "retries are the engine's business"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", AS_REPLY)
async def test_a_reply_without_an_answer_is_a_typed_failure(
    kind: str, name: str, loopback: Loopback, question: Make
) -> None:
    make, reason = AS_REPLY[name]
    reply = await asked(kind, loopback, Answer(make(kind)), question(json_schema=SCHEMA))
    is_no_answer(reply)
    assert reply.failure is not None
    assert reply.failure.reason == reason
    assert reply.usage.prompt_tokens == 100, "what was paid is counted all the same"


@pytest.mark.parametrize("kind", ["compatible", "chat"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_while_labels_are_read_is_a_typed_failure(
    kind: str, name: str, loopback: Loopback, question: Make
) -> None:
    answer, expected = FAULTS[name]
    reply = await asked(kind, loopback, answer, question(labels=("Yes", "No")), timeout=0.3 if name == "hang" else 10)
    is_no_answer(reply)
    assert reply.failure is not None
    assert reply.failure.reason == expected["reason"]


@pytest.mark.parametrize("value", [0.5, "high", True, None])
async def test_a_log_probability_that_is_none_gives_no_number(
    value: object, loopback: Loopback, question: Make
) -> None:
    payload = completion("Yes", tops=[{"Yes": value}])
    reply = await asked("compatible", loopback, Answer(payload), question(labels=("Yes", "No")))
    is_no_answer(reply)
    assert reply.failure is not None
    assert reply.failure.retryable


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_cut_at_its_token_limit_says_so(kind: str, loopback: Loopback, question: Make) -> None:
    incomplete = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    more = incomplete if kind == "responses" else {"finish_reason": "length"}
    reply = await asked(kind, loopback, Answer(good(kind, '{"why": "ok', **more)), question(json_schema=SCHEMA))
    assert (reply.failure, reply.stop, reply.text) == (None, "length", '{"why": "ok')


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_listening_is_retryable(kind: str, loopback: Loopback, question: Make) -> None:
    backend = build(kind, loopback)
    loopback.close()
    loopback.close = lambda: None  # it is closed already
    reply = await backend.ask(question())
    await backend.aclose()
    is_no_answer(reply)
    assert reply.failure is not None
    assert reply.failure.retryable


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [200, 401, 500])
async def test_the_key_is_sent_and_shown_nowhere(
    kind: str, status: int, loopback: Loopback, question: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = good(kind) if status == 200 else error(f"the key {KEY} is wrong")
    loopback.answer = lambda seen: Answer(body, status)
    backend = build(kind, loopback)
    reply = await backend.ask(question())
    await backend.aclose()
    assert loopback.asked[0].headers["authorization"] == f"Bearer {KEY}"
    shown = [repr(backend), str(backend.identity), backend.name, reply.model_dump_json(), repr(reply)]
    shown += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert not [text[:300] for text in shown if KEY in text]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_looks_like_none_is_not_shown_when_it_comes_back(
    kind: str, loopback: Loopback, question: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "9d2f7c31aa0b"
    monkeypatch.setenv("OPENAI_API_KEY", plain)
    reply = await asked(kind, loopback, Answer(error(f"broke with {plain} in hand"), 500), question())
    assert reply.failure is not None
    assert "broke with *** in hand" in reply.failure.detail


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["http://user:pw@host/v1", "http://host/v1?api-key=1", "ftp://host", "host:80"])
async def test_an_endpoint_with_a_secret_or_without_a_server_is_refused(
    kind: str, url: str, loopback: Loopback
) -> None:
    with pytest.raises(BackendError, match="base_url must") as caught:
        build_compatible("m", base_url=url) if kind == "compatible" else build_openai("m", base_url=url)
    assert "pw" not in str(caught.value)


def test_the_wait_is_read_as_seconds_milliseconds_and_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert 60 < (retry_after({"retry-after": later}) or 0) <= 90
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


async def test_a_server_that_cannot_be_told_is_asked_in_the_plain_protocol(loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        return Answer(error("no list"), 404) if seen.path.endswith("/models") else Answer(completion())

    loopback.answer = answer
    backend = build_compatible("judge", base_url=loopback.url)
    reply = await backend.ask(question(json_schema=SCHEMA))
    await backend.aclose()
    assert (reply.failure, reply.sent["server"]) == (None, "openai")
