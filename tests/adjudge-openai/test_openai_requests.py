"""What is sent: prefixes, cache keys, JSON, and the steps down to what a server takes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from adjudge.interfaces import Backend
from adjudge.submission import Message
from adjudge.verdict import Question, Reply
from adjudge_openai.plugin import build_compatible, build_openai

from .conftest import KEY, Answer, Loopback, Seen
from .openai_replies import SCHEMA, completion, error, response

Make = Callable[..., Question]
KINDS = ("compatible", "chat", "responses")


def build(kind: str, at: Loopback, model: str = "gpt-4o-mini", **options: Any) -> Backend:
    if kind == "compatible":
        return build_compatible(model, base_url=at.url, **{"server": "openai", **options})
    return build_openai(model, base_url=at.url, api=kind, **options)


def reply_of(kind: str) -> Answer:
    return Answer(response() if kind == "responses" else completion())


async def ask_all(backend: Backend, *questions: Question) -> list[Reply]:
    try:
        return [await backend.ask(question) for question in questions]
    finally:
        await backend.aclose()


def turns(kind: str, seen: Seen) -> list[dict[str, str]]:
    found: list[dict[str, str]] = seen.body["input" if kind == "responses" else "messages"]
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_evidence_stands_first_and_the_criterion_last_and_all_before_it_is_the_same(
    kind: str, loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: reply_of(kind)
    given, output = 'Say "so"\n<input-1f>', "Grüße 漢字 \\ \u2028 end"
    asks = ["Is it polite?", 'Is it "short"?']
    await ask_all(build(kind, loopback), *(question(ask, output, given, json_schema=SCHEMA) for ask in asks))
    for seen, ask in zip(loopback.asked, asks, strict=True):
        assert turns(kind, seen) == [
            {"role": "system", "content": "You judge texts."},
            {"role": "user", "content": given + output + ask},
        ]
    # As characters of the request, since a prefix cache sees no structure.
    one, other = (seen.raw.decode() for seen in loopback.asked)
    before = one.index("polite?")
    assert one[:before] == other[:before]
    assert before > len(given + output)


@pytest.mark.parametrize("kind", KINDS)
async def test_follow_up_turns_come_after_the_prompt(kind: str, loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: reply_of(kind)
    follow = (Message(role="assistant", content="hm"), Message(role="user", content="again"))
    await ask_all(build(kind, loopback), question(follow_up=follow))
    assert [turn["role"] for turn in turns(kind, loopback.asked[0])] == ["system", "user", "assistant", "user"]
    assert turns(kind, loopback.asked[0])[-1]["content"] == "again"


@pytest.mark.parametrize("kind", ["chat", "responses"])
async def test_the_cache_key_is_one_per_submission(kind: str, loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: reply_of(kind)
    same = [question("A?"), question("B?")]
    await ask_all(build(kind, loopback), *same, question("A?", output="Another. "))
    keys = [seen.body["prompt_cache_key"] for seen in loopback.asked]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] == hashlib.sha256(b"You judge texts.\x00How long?\nThank you.\n").hexdigest()[:32]


async def test_the_plain_protocol_has_no_cache_key(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(completion())
    await ask_all(build("compatible", loopback), question())
    assert set(loopback.asked[0].body) == {"model", "messages", "max_tokens", "temperature"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_schema_is_sent_strictly_and_the_reply_read(kind: str, loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: reply_of(kind)
    (reply,) = await ask_all(build(kind, loopback), question(json_schema=SCHEMA))
    body = loopback.asked[0].body
    form = body["text"]["format"] if kind == "responses" else body["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]) == (True, SCHEMA)
    assert (reply.failure, reply.text, reply.stop) == (None, '{"why": "thanks", "level": "met"}', "stop")
    assert reply.served_model == "served-1"
    assert (reply.usage.prompt_tokens, reply.usage.cached_tokens, reply.usage.completion_tokens) == (100, 64, 5)
    assert reply.sent["json"] == "json_schema"


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("kind", KINDS)
async def test_json_steps_down_once_per_rung_and_stays_there(
    kind: str, status: int, loopback: Loopback, question: Make
) -> None:
    def answer(seen: Seen) -> Answer:
        body = seen.body
        form = body.get("text", {}).get("format") if kind == "responses" else body.get("response_format")
        if form is not None:
            return Answer(error(f"response_format of type {form['type']} is unavailable"), status)
        return reply_of(kind)

    loopback.answer = answer
    first, second = await ask_all(build(kind, loopback), *[question(json_schema=SCHEMA)] * 2)
    assert len(loopback.asked) == 4 + 1
    assert (first.failure, first.sent["json"], second.sent["json"]) == (None, "prompt", "prompt")


async def test_a_crash_that_repeats_the_request_loosens_nothing_but_the_json(
    loopback: Loopback, question: Make
) -> None:
    answers = [Answer(error("cannot serve {temperature: 0, max_tokens: 400, response_format: …}"), 500)]
    loopback.answer = lambda _: answers.pop() if answers else Answer(completion())
    (reply,) = await ask_all(build("compatible", loopback), question(json_schema=SCHEMA))
    first, second = (seen.body for seen in loopback.asked)
    assert reply.sent["json"] == "json_schema without limits"
    assert {**first, "response_format": ...} == {**second, "response_format": ...}


async def test_a_schema_whose_limits_are_refused_is_sent_without_them(loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        refused = b"maxLength" in seen.raw
        return Answer(error("Invalid schema: 'maxLength' is not permitted"), 400) if refused else Answer(completion())

    loopback.answer = answer
    (reply,) = await ask_all(build("chat", loopback), question(json_schema=SCHEMA))
    assert reply.sent["json"] == "json_schema without limits"
    schema = loopback.asked[-1].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"why": {"type": "string"}, "level": {"enum": ["met", "unmet"]}}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refused_parameter_is_dropped_once_and_recorded(kind: str, loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        if "temperature" in seen.body:
            return Answer(error("Unsupported value", "unsupported_value", param="temperature"), 400)
        return reply_of(kind)

    loopback.answer = answer
    first, second = await ask_all(build(kind, loopback), question(), question("B?"))
    assert len(loopback.asked) == 3
    for reply in (first, second):
        assert reply.failure is None
        assert reply.sent["dropped"] == ["temperature"]
        assert "temperature" not in reply.sent


async def test_the_limit_on_the_reply_takes_the_name_that_the_server_knows(loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        if "max_tokens" in seen.body:
            return Answer(error("'max_tokens' is not supported; use 'max_completion_tokens' instead."), 400)
        return Answer(completion())

    loopback.answer = answer
    (reply,) = await ask_all(build("compatible", loopback), question())
    assert reply.failure is None
    assert loopback.asked[-1].body["max_completion_tokens"] == 400


async def test_a_server_that_refuses_whatever_comes_is_not_asked_forever(loopback: Loopback, question: Make) -> None:
    said = "temperature max_tokens max_completion_tokens response_format logprobs schema"
    loopback.answer = lambda seen: Answer(error(said), 400)
    (reply,) = await ask_all(build("compatible", loopback), question(json_schema=SCHEMA))
    assert reply.failure is not None
    assert len(loopback.asked) <= 10


@pytest.mark.parametrize(
    ("model", "effort", "room"), [("gpt-4o-mini", None, 0), ("gpt-6-sol", None, 2048), ("gpt-6-sol", "none", 0)]
)
async def test_models_that_think_get_room_for_it(
    model: str, effort: str | None, room: int, loopback: Loopback, question: Make
) -> None:
    options = {"reasoning_effort": effort} if effort else {}
    for kind, name in {"chat": "max_completion_tokens", "responses": "max_output_tokens"}.items():
        loopback.answer = lambda seen, kind=kind: reply_of(kind)
        await ask_all(build(kind, loopback, model, **options), question())
        body = loopback.asked[-1].body
        assert body[name] == 400 + room
        assert (body.get("reasoning", {}).get("effort") or body.get("reasoning_effort")) == effort


async def test_what_is_sent_with_every_question_is_part_of_the_identity(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(completion())
    extra = '{"chat_template_kwargs": {"enable_thinking": false}}'
    backend = build("compatible", loopback, extra=extra)
    assert backend.identity != build("compatible", loopback).identity
    (reply,) = await ask_all(backend, question())
    assert loopback.asked[0].body["chat_template_kwargs"] == reply.sent["chat_template_kwargs"]


@pytest.mark.parametrize(("way", "form"), [("object", {"type": "json_object"}), ("prompt", None)])
async def test_the_way_to_ask_for_json_can_be_chosen(
    way: str, form: dict[str, str] | None, loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: Answer(completion())
    await ask_all(build("compatible", loopback, json=way), question(json_schema=SCHEMA))
    assert loopback.asked[0].body.get("response_format") == form


async def test_azure_is_asked_by_deployment_and_with_its_own_key(
    loopback: Loopback, question: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-" + KEY)
    loopback.answer = lambda seen: Answer(completion())
    backend = build_openai("my-judge", azure_endpoint=loopback.url.removesuffix("/v1"), api_version="2025-01-01")
    (reply,) = await ask_all(backend, question())
    assert reply.failure is None
    (seen,) = loopback.asked
    assert seen.path == "/openai/deployments/my-judge/chat/completions?api-version=2025-01-01"
    assert seen.headers["api-key"] == "azure-" + KEY


async def test_the_key_may_have_another_name_or_none_at_all(
    loopback: Loopback, question: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "other")
    loopback.answer = lambda seen: Answer(completion())
    await ask_all(build("compatible", loopback, key_env="GATEWAY_KEY"), question())
    await ask_all(build("compatible", loopback, key_env=""), question())
    assert [seen.headers.get("authorization") for seen in loopback.asked] == ["Bearer other", None]


@pytest.mark.parametrize(
    ("owner", "header", "server"),
    [
        ("vllm", "uvicorn", "vllm"),
        ("sglang", "uvicorn", "sglang"),
        ("library", "", "ollama"),
        ("organization_owner", "", "lmstudio"),
        ("llamacpp", "", "llamacpp"),
        ("someone", "llama.cpp", "llamacpp"),
        ("someone", "", "openai"),
    ],
)
async def test_the_server_is_told_by_its_list_of_models_once(
    owner: str, header: str, server: str, loopback: Loopback, question: Make
) -> None:
    def answer(seen: Seen) -> Answer:
        if seen.path == "/v1/models":
            return Answer({"data": [{"id": "m", "owned_by": owner}]}, headers={"Server": header})
        return Answer(completion())

    loopback.answer = answer
    replies = await ask_all(build("compatible", loopback, server="auto"), question(), question("B?"))
    assert [reply.sent["server"] for reply in replies] == [server, server]
    assert len(loopback.seen) - len(loopback.asked) == 1


def test_registering_imports_no_sdk() -> None:
    code = (
        "import sys, adjudge_openai.plugin as p; p.adjudge_backends();"
        "sys.exit(any(name in sys.modules for name in ('openai', 'aiohttp', 'orjson', 'httpx2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
