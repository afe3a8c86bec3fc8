"""The backend `inspect` on a real server: the contract of every backend, and every class of fault."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from inspect_ai.model import GenerateConfig, get_model

from adjudge.api import installed
from adjudge.errors import BackendError, UnknownNameError
from adjudge.evals.backend import InspectBackend, build, reply_of
from adjudge.interfaces import Backend
from adjudge.plugins import build_backend
from adjudge.submission import Message
from adjudge.testing import BackendContract
from adjudge.testing.backends import SCHEMA, question
from adjudge.verdict import Question, Reply

from .conftest import KEY, Loopback, Spoken, levels_of

GOOD = '{"explanation": "so", "level": "yes"}'


def scripted(body: dict[str, Any]) -> Spoken:
    return Spoken(GOOD if levels_of(body) else "yes")


class TestInspect(BackendContract):
    @pytest.fixture(autouse=True)
    def _server(self, loopback: Loopback) -> None:
        loopback.answer = scripted
        self.loopback = loopback

    def make_backend(self) -> Backend:
        return build("openai-api/loop/judge", base_url=self.loopback.url)

    def make_failing_backend(self) -> Backend:
        return build("openai-api/loop/judge", base_url="http://127.0.0.1:9/v1", config={"timeout": 2})


async def asked(loopback: Loopback, spoken: Spoken, asking: Question, **options: Any) -> Reply:
    loopback.answer = lambda body: spoken
    backend = build("openai-api/loop/judge", base_url=loopback.url, **options)
    try:
        return await backend.ask(asking)
    finally:
        await backend.aclose()


def error(message: str, code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


FATAL = {"reason": "infra", "fatal": True}
RETRYABLE = {"reason": "infra", "retryable": True, "fatal": False}
FAULTS: dict[str, tuple[Spoken, dict[str, Any]]] = {
    "401": (Spoken(status=401, raw=error(f"Incorrect API key provided: {KEY}")), FATAL),
    "403": (Spoken(status=403, raw=error("not allowed")), FATAL),
    "404": (Spoken(status=404, raw=error("no such model")), FATAL),
    "429": (
        Spoken(status=429, raw=error("slow down"), headers={"Retry-After": "7"}),
        {**RETRYABLE, "retry_after": 7.0},
    ),
    "quota": (
        Spoken(status=429, raw=error("You exceeded your current quota", "insufficient_quota")),
        {"reason": "budget"},
    ),
    "500": (Spoken(status=500, raw=error("oops")), RETRYABLE),
    "503": (Spoken(status=503, raw=error("busy"), headers={"Retry-After": "2"}), {**RETRYABLE, "retry_after": 2.0}),
    "hang": (Spoken(hang=True), {"reason": "infra", "fatal": False}),
    "bad request": (Spoken(status=400, raw=error("no such thing")), {"reason": "infra", "retryable": False}),
    "bad request without a code": (Spoken(status=400, raw=b'{"error": {"message": "no"}}'), {"reason": "infra"}),
    "no JSON": (Spoken(raw=b"<html>sign in</html>"), {"reason": "infra"}),
    "NaN": (Spoken(raw=b'{"choices": [{"message": {"content": NaN}}]}'), {"reason": "infra"}),
    "empty choices": (Spoken(raw=b'{"choices": [], "usage": null}'), {"reason": "infra"}),
    "empty": (Spoken(""), {"reason": "parse"}),
    "nothing": (Spoken(None), {"reason": "parse"}),
    "content filter": (Spoken("met", finish="content_filter"), {"reason": "refusal"}),
    "context": (
        Spoken(status=400, raw=error("This model's maximum context length is 10 tokens", "context_length_exceeded")),
        {"reason": "overflow"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_a_typed_failure(name: str, loopback: Loopback) -> None:
    spoken, expected = FAULTS[name]
    config = {"attempt_timeout": 1, "timeout": 1} if name == "hang" else {}
    reply = await asked(loopback, spoken, question(json_schema=SCHEMA), config=config)
    assert reply.failure is not None, reply
    assert expected.items() <= reply.failure.model_dump().items(), reply.failure
    assert (reply.text, reply.logprobs) == ("", None)
    assert len(reply.failure.detail.splitlines()) == 1
    assert KEY not in reply.model_dump_json()
    assert len(loopback.bodies) == 1, "nothing is asked a second time here"


async def test_retries_are_the_engines_business(loopback: Loopback) -> None:
    await asked(loopback, Spoken(status=500, raw=error("oops")), question())
    assert len(loopback.bodies) == 1


@pytest.mark.parametrize(("stop", "reason"), [("content_filter", "refusal"), ("model_length", "overflow")])
def test_the_stop_reason_comes_before_the_text(stop: str, reason: str) -> None:
    """inspect puts the text of an error where the reply would stand."""
    from inspect_ai.model import ModelOutput

    output = ModelOutput.from_content("m", GOOD, stop_reason=stop)
    reply = reply_of(output, {})
    assert reply.failure is not None
    assert (reply.failure.reason, reply.text) == (reason, "")


async def test_a_reply_cut_at_its_token_limit_says_so(loopback: Loopback) -> None:
    reply = await asked(loopback, Spoken('{"explanation": "so', finish="length"), question(json_schema=SCHEMA))
    assert (reply.failure, reply.stop) == (None, "length")


async def test_what_is_sent_is_the_question(loopback: Loopback) -> None:
    follow_up = (Message(role="assistant", content="hm"), Message(role="user", content="again"))
    asking = question(json_schema=SCHEMA).model_copy(update={"follow_up": follow_up})
    reply = await asked(loopback, Spoken(GOOD), asking)
    (body,) = loopback.bodies
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][1]["content"] == asking.prompt.user
    assert (body["temperature"], body["max_tokens"]) == (0.0, 60)
    assert list(body["response_format"]["json_schema"]["schema"]["properties"]) == ["explanation", "level"]
    assert (reply.served_model, reply.usage.prompt_tokens, reply.usage.cached_tokens) == ("served", 100, 64)


@pytest.mark.parametrize("status", [400, 500])
async def test_a_server_that_takes_no_schema_is_asked_without(status: int, loopback: Loopback) -> None:
    def answer(body: dict[str, Any]) -> Spoken:
        refusal = Spoken(status=status, raw=error("response_format of type json_schema is not supported"))
        return refusal if "response_format" in body else Spoken(GOOD)

    loopback.answer = answer
    backend = build("openai-api/loop/judge", base_url=loopback.url)
    replies = [await backend.ask(question(topic, json_schema=SCHEMA)) for topic in ("rain", "snow")]
    await backend.aclose()
    assert [reply.text for reply in replies] == [GOOD, GOOD]
    assert [reply.sent["json"] for reply in replies] == ["prompt", "prompt"]
    assert len(loopback.bodies) == 3, "it is remembered"


BUSY = Spoken(status=503, raw=error("loading model"), headers={"Retry-After": "0"})
NO_SCHEMA = Spoken(status=500, raw=error("body.response_format.type should be text"))


@pytest.mark.parametrize("first", [NO_SCHEMA, BUSY, Spoken(hang=True)], ids=["refused", "busy", "silent"])
async def test_a_model_that_inspect_retries_for_ever_is_not_held_up_by_a_schema_that_fails(
    first: Spoken, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adjudge.evals.backend.PAUSE", 0.01)
    begun = iter([first, first])

    def answer(body: dict[str, Any]) -> Spoken:
        return next(begun, NO_SCHEMA if "response_format" in body else Spoken(GOOD))

    loopback.answer = answer
    config = GenerateConfig(attempt_timeout=1)
    model = get_model("openai-api/loop/patient", base_url=loopback.url, config=config, max_retries=0, memoize=False)
    backend = InspectBackend(model)
    replies = await asyncio.gather(*(backend.ask(question(topic, json_schema=SCHEMA)) for topic in ("rain", "snow")))
    await backend.model.api.aclose()
    assert [reply.text for reply in replies] == [GOOD, GOOD]
    assert {reply.sent["json"] for reply in replies} == {"prompt"}


async def test_the_cache_never_replays_what_cannot_be_read(loopback: Loopback) -> None:
    said = iter(["oops", "oops", "oops", GOOD])
    loopback.answer = lambda body: Spoken(next(said, "asked too often"))
    replies = []
    for _ in range(2):  # a backend anew, as in another run
        backend = InspectBackend(loopback.model(), cache=True)
        replies.append(await backend.ask(question(json_schema=SCHEMA)))
        await backend.model.api.aclose()
    # First run: asked, and asked anew. Second run: the cache, and asked anew.
    assert [reply.text for reply in replies] == ["oops", "oops"]
    assert len(loopback.bodies) == 3
    backend = InspectBackend(loopback.model(), cache=True)
    assert (await backend.ask(question(json_schema=SCHEMA))).text == GOOD
    await backend.model.api.aclose()


async def test_the_cache_answers_what_can_be_read(loopback: Loopback) -> None:
    loopback.answer = scripted
    backend = InspectBackend(loopback.model(), cache=True)
    for _ in range(3):
        assert (await backend.ask(question(json_schema=SCHEMA))).text == GOOD
    await backend.model.api.aclose()
    assert len(loopback.bodies) == 1


async def test_without_the_cache_every_question_is_sent(loopback: Loopback) -> None:
    loopback.answer = scripted
    backend = InspectBackend(loopback.model(cache=True))
    for _ in range(2):
        await backend.ask(question(json_schema=SCHEMA))
    await backend.model.api.aclose()
    assert len(loopback.bodies) == 2, "the model's own cache setting does not hold for judging"


async def test_a_call_that_reached_no_server_names_the_model_the_host_and_the_cause() -> None:
    backend = build("openai-api/loop/judge", base_url="http://user:secret@127.0.0.1:9/v1")
    reply = await backend.ask(question())
    await backend.aclose()
    assert reply.failure is not None
    assert "calling openai-api/loop/judge at 127.0.0.1:9: [Errno " in reply.failure.detail
    assert "secret" not in reply.failure.detail


async def test_what_the_server_said_of_a_call_that_failed_is_told_without_the_key(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOP_API_KEY", "quite plain words")
    said = "no such thing for quite plain words at https://me:mine@example.org/v1?sig=abc"
    reply = await asked(loopback, Spoken(status=400, raw=error(said)), question())
    assert reply.failure is not None
    detail = reply.failure.detail
    assert detail.startswith("the call failed: HTTP 400, calling openai-api/loop/judge at 127.0.0.1:")
    assert "no such thing for *** at https://example.org/v1" in detail
    assert not [word for word in ("plain", "mine", "abc") if word in detail]


async def test_a_refused_key_is_told_with_the_model_and_nothing_that_the_server_said(loopback: Loopback) -> None:
    reply = await asked(loopback, Spoken(status=401, raw=error(f"Incorrect API key provided: {KEY}")), question())
    assert reply.failure is not None
    assert reply.failure.detail == "HTTP 401: the server refuses this key or model (openai-api/loop/judge)"


def test_an_error_is_told_without_the_markup_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISSING_API_KEY", raising=False)
    with pytest.raises(BackendError) as caught:
        build("openai-api/missing/m", base_url="http://127.0.0.1:9/v1")
    assert "MISSING_API_KEY" in str(caught.value)
    assert "[bold]" not in str(caught.value)


def test_two_models_two_addresses_and_two_settings_are_told_apart(loopback: Loopback) -> None:
    url = loopback.url
    made = [
        build("openai-api/loop/judge", base_url=url),
        build("openai-api/loop/other", base_url=url),
        build("openai-api/loop/judge", base_url="http://127.0.0.1:9/v1"),
        build("openai-api/loop/judge", base_url=url, config={"reasoning_effort": "low"}),
    ]
    assert len({json.dumps(dict(backend.identity), sort_keys=True) for backend in made}) == 4


def test_it_is_installed_under_its_name() -> None:
    assert "inspect" in installed().backends
    with pytest.raises(BackendError, match="PROVIDER/MODEL"):
        build_backend(installed(), "inspect")
    with pytest.raises(BackendError, match="nowhere"):
        build_backend(installed(), "inspect:nowhere/m")
    with pytest.raises(UnknownNameError, match="base_url"):
        build_backend(installed(), "inspect:none/none", {"base_urk": "x"})
