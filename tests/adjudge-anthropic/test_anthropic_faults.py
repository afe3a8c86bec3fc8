"""Every class of fault: a typed failure, and never an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from adjudge.errors import BackendError
from adjudge.interfaces import Backend
from adjudge.testing import BackendContract
from adjudge.verdict import Question, Reply
from adjudge_anthropic.plugin import build

from .anthropic_replies import SCHEMA, by_tool, error, message
from .conftest import KEY, Answer, Loopback

Make = Callable[..., Question]

RETRYABLE = {"reason": "infra", "retryable": True, "fatal": False}
FATAL = {"reason": "infra", "retryable": False, "fatal": True}
HTML = {"Content-Type": "text/html"}
FAULTS: dict[str, tuple[Answer, dict[str, Any]]] = {
    "hang": (Answer({}, hang=True), RETRYABLE),
    "401": (Answer(error("authentication_error", f"invalid x-api-key {KEY}"), 401), FATAL),
    "403": (Answer(error("permission_error", f"not for {KEY}"), 403), FATAL),
    "404": (Answer(error("not_found_error", "model: judge"), 404), FATAL),
    "429": (Answer(error("rate_limit_error", "slow"), 429, {"Retry-After": "7"}), {**RETRYABLE, "retry_after": 7.0}),
    "credit": (
        Answer(error("invalid_request_error", "Your credit balance is too low"), 400),
        {"reason": "budget", "fatal": True},
    ),
    "402": (Answer(error("billing_error", "pay first"), 402), {"reason": "budget", "fatal": True}),
    "413": (Answer(error("request_too_large", "too large"), 413), {"reason": "overflow"}),
    "500": (Answer(error("api_error", "oops"), 500), RETRYABLE),
    "502": (Answer(b"<html>bad gateway</html>", 502, HTML), RETRYABLE),
    "529": (
        Answer(error("overloaded_error", "Overloaded"), 529, {"Retry-After": "3"}),
        {**RETRYABLE, "retry_after": 3.0},
    ),
    "redirect": (Answer(b"", 307, {"Location": "http://127.0.0.1:9/v1"}), FATAL),
    "cut body": (Answer(message(), cut=True), RETRYABLE),
    "empty body": (Answer(b""), RETRYABLE),
    "truncated JSON": (Answer(b'{"content": [{"type": "text", "text": "{\\"level\\": \\"met'), RETRYABLE),
    "NaN": (Answer(b'{"content": [{"type": "text", "text": NaN}]}'), RETRYABLE),
    "wrong content type": (Answer(b"<html>sign in</html>", 200, HTML), RETRYABLE),
    "a list": (Answer([]), RETRYABLE),
    "another object": (Answer({"detail": "fine"}), RETRYABLE),
    "content that is none": (Answer(message(content=[None])), RETRYABLE),
    "text that is none": (Answer(message(content=[{"type": "text", "text": 4}])), RETRYABLE),
    "too long": (
        Answer(error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), 400),
        {"reason": "overflow"},
    ),
    "bad request": (
        Answer(error("invalid_request_error", "no such thing"), 400),
        {"reason": "infra", "retryable": False, "fatal": False},
    ),
    "refusal": (Answer(message("I will", stop_reason="refusal")), {"reason": "refusal"}),
    "end of the context": (Answer(message("{", stop_reason="model_context_window_exceeded")), {"reason": "overflow"}),
    "paused": (Answer(message("", stop_reason="pause_turn")), RETRYABLE),
    "nothing written": (Answer(message(content=[])), {"reason": "parse"}),
    "only thoughts": (Answer(message("", stop_reason="max_tokens")), {"reason": "parse"}),
}


async def asked(server: Loopback, answer: Answer, question: Question, **options: Any) -> Reply:
    server.answer = lambda seen: answer
    backend = build("claude-sonnet-5-5", base_url=server.url, **options)
    try:
        return await backend.ask(question)
    finally:
        await backend.aclose()


@pytest.mark.parametrize("wanted", ["json", "labels"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_a_typed_failure(name: str, wanted: str, loopback: Loopback, question: Make) -> None:
    answer, expected = FAULTS[name]
    form = {"json_schema": SCHEMA} if wanted == "json" else {"labels": ("met", "unmet")}
    reply = await asked(loopback, answer, question(**form), timeout=0.3 if name == "hang" else 10)
    assert reply.failure is not None
    assert expected.items() <= reply.failure.model_dump().items()
    assert (reply.text, reply.logprobs) == ("", None)
    assert reply.stop == ("refusal" if expected["reason"] == "refusal" else "error")
    assert len(reply.failure.detail.splitlines()) == 1
    assert KEY not in reply.model_dump_json()
    assert len(loopback.seen) == 1, "retries are the engine's business"


async def test_a_reply_cut_at_its_token_limit_says_so(loopback: Loopback, question: Make) -> None:
    reply = await asked(
        loopback, Answer(message('{"why": "ok', stop_reason="max_tokens")), question(json_schema=SCHEMA)
    )
    assert (reply.failure, reply.stop, reply.text) == (None, "length", '{"why": "ok')


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_the_key_is_sent_and_shown_nowhere(
    status: int, loopback: Loopback, question: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loopback.answer = lambda seen: Answer(message() if status == 200 else error("api_error", f"key {KEY}"), status)
    backend = build("claude-sonnet-5-5", base_url=loopback.url)
    reply = await backend.ask(question())
    await backend.aclose()
    assert loopback.seen[0].headers["authorization"] == f"Bearer {KEY}"
    shown = [repr(backend), str(backend.identity), backend.name, reply.model_dump_json(), repr(reply)]
    shown += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert not [text[:300] for text in shown if KEY in text]


async def test_a_key_that_looks_like_none_is_not_shown_when_it_comes_back(
    loopback: Loopback, question: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "9d2f7c31aa0b"
    monkeypatch.setenv("ANTHROPIC_API_KEY", plain)
    reply = await asked(loopback, Answer(error("api_error", f"broke with {plain} in hand"), 500), question())
    assert reply.failure is not None
    assert "broke with *** in hand" in reply.failure.detail


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another way in")
    with pytest.raises(BackendError, match="name the model"):
        build()
    with pytest.raises(BackendError, match="ANTHROPIC_API_KEY"):
        build("claude-sonnet-5-5")


@pytest.mark.parametrize("url", ["http://user:pw@host", "http://host?key=1", "host:80"])
@pytest.mark.usefixtures("loopback")
def test_an_endpoint_with_a_secret_or_without_a_server_is_refused(url: str) -> None:
    with pytest.raises(BackendError, match="base_url must") as caught:
        build("m", base_url=url)
    assert "pw" not in str(caught.value)


class TestContract(BackendContract):
    @pytest.fixture(autouse=True)
    def _server(self, loopback: Loopback) -> None:
        said = {"explanation": "so", "level": "yes"}
        loopback.answer = lambda seen: Answer(
            by_tool(said) if "tools" in seen.body else message('{"explanation": "so", "level": "yes"}')
        )
        self.loopback = loopback

    def make_backend(self) -> Backend:
        return build("claude-sonnet-5-5", base_url=self.loopback.url)

    def make_failing_backend(self) -> Backend:
        return build("claude-sonnet-5-5", base_url="http://127.0.0.1:9", timeout=2)
