"""What is sent: blocks, breakpoints, schemas, and the steps down to what the service takes; and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import UnknownNameError, UnsupportedError
from adjudge.submission import Message
from adjudge.verdict import Question, Reply, Sampling, Usage
from adjudge_anthropic.messages import LONG, Messages
from adjudge_anthropic.options import Options
from adjudge_anthropic.plugin import build
from adjudge_anthropic.prices import Price, price_of

from .anthropic_replies import JSON_TEXT, SCHEMA, by_tool, error, message
from .conftest import Answer, Loopback, Seen

Make = Callable[..., Question]
MARK = {"type": "ephemeral"}


async def ask_all(loopback: Loopback, *questions: Question, **options: Any) -> list[Reply]:
    backend = build(options.pop("model", "claude-sonnet-5-5"), base_url=loopback.url, **options)
    try:
        return [await backend.ask(question) for question in questions]
    finally:
        await backend.aclose()


def blocks(seen: Seen) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seen.body["messages"][0]["content"]
    return found


async def test_the_breakpoint_stands_after_the_evidence_and_all_before_it_is_the_same(
    loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: Answer(message())
    await ask_all(loopback, question("Is it polite?", json_schema=SCHEMA), question("Is it short?", json_schema=SCHEMA))
    one, other = map(blocks, loopback.seen)
    assert [block["text"] for block in one] == ["How long?\n", "Thank you.\n", "Is it polite?"]
    assert [block.get("cache_control") for block in one] == [None, MARK, None]
    assert one[:-1] == other[:-1]
    assert loopback.seen[0].body["system"] == loopback.seen[1].body["system"] == "You judge texts."
    assert loopback.seen[0].path == "/v1/messages"


async def test_a_long_input_gets_a_breakpoint_of_its_own_for_all_its_candidates(
    loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: Answer(message())
    await ask_all(loopback, question(given="x" * LONG), cache="1h")
    kept = {"type": "ephemeral", "ttl": "1h"}
    assert [block.get("cache_control") for block in blocks(loopback.seen[0])] == [kept, kept, None]


async def test_empty_parts_are_left_out_and_equal_ones_are_not(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(message())
    await ask_all(loopback, question(given=""), question(given="same\n", output="same\n"), cache="off")
    assert [[block["text"] for block in blocks(seen)] for seen in loopback.seen] == [
        ["Thank you.\n", "Is it polite?"],
        ["same\n", "same\n", "Is it polite?"],
    ]
    assert b"cache_control" not in loopback.seen[0].raw


async def test_follow_up_turns_come_after_the_prompt(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(message())
    follow = (Message(role="assistant", content="hm"), Message(role="user", content="again"))
    await ask_all(loopback, question(follow_up=follow))
    assert loopback.seen[0].body["messages"][1:] == [
        {"role": "assistant", "content": "hm"},
        {"role": "user", "content": "again"},
    ]


async def test_a_schema_goes_as_output_schema_without_the_limits_that_are_refused(
    loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: Answer(message())
    (reply,) = await ask_all(loopback, question(json_schema=SCHEMA), effort="low")
    output = loopback.seen[0].body["output_config"]
    assert output["effort"] == "low"
    assert output["format"]["schema"]["properties"]["why"] == {"type": "string"}
    assert (reply.text, reply.stop, reply.served_model) == (JSON_TEXT, "stop", "served-1")
    assert reply.sent["json"] == "output schema"


async def test_json_steps_down_to_a_forced_tool_and_then_to_the_prompt(loopback: Loopback, question: Make) -> None:
    def answer(seen: Seen) -> Answer:
        if "format" in seen.body.get("output_config", {}):
            return Answer(error("invalid_request_error", "output_config: not supported by this model"), 400)
        if "tools" in seen.body and refuses_tools:
            return Answer(error("invalid_request_error", "tool_choice may not be forced when thinking"), 400)
        return Answer(by_tool({"why": "ok", "level": "met"}) if "tools" in seen.body else message())

    loopback.answer, refuses_tools = answer, False
    first, second = await ask_all(loopback, *[question(json_schema=SCHEMA)] * 2)
    assert len(loopback.seen) == 3
    assert (json.loads(first.text), first.sent["json"]) == ({"why": "ok", "level": "met"}, "forced tool")
    assert second.sent["json"] == "forced tool"
    assert loopback.seen[-1].body["tool_choice"] == {"type": "tool", "name": "reply"}
    refuses_tools = True
    (reply,) = await ask_all(loopback, question(json_schema=SCHEMA))
    assert (reply.text, reply.sent["json"]) == (JSON_TEXT, "prompt")


@pytest.mark.parametrize("form", ["schema", "tool"])
async def test_one_of_the_words_is_answered_where_labels_are_asked_for(
    form: str, loopback: Loopback, question: Make
) -> None:
    level = {"level": "not met"}
    loopback.answer = lambda seen: Answer(message(json.dumps(level)) if form == "schema" else by_tool(level))
    (reply,) = await ask_all(loopback, question(labels=("met", "not met")))
    schema = loopback.seen[0].body["output_config"]["format"]["schema"]
    assert schema["properties"]["level"]["enum"] == ["met", "not met"]
    assert (reply.text, reply.logprobs, reply.logprobs_are) == ("not met", None, None)


async def test_sampling_parameters_that_the_sdk_has_dropped_are_not_sent_and_that_is_recorded(
    loopback: Loopback, question: Make
) -> None:
    loopback.answer = lambda seen: Answer(message())
    (reply,) = await ask_all(loopback, question(sampling=Sampling(temperature=0.0, top_p=0.5, max_tokens=50)))
    assert reply.sent["dropped"] == ["temperature", "top_p"]
    assert not {"temperature", "top_p", "top_k", "seed"} & loopback.seen[0].body.keys()
    assert loopback.seen[0].body["max_tokens"] == 50 + 2048


def test_sampling_parameters_that_the_sdk_knows_are_sent_until_they_are_refused(question: Make) -> None:
    messages = Messages("m", Options(thinking="disabled"), ("temperature", "output_config"), None)
    body, sent = messages.body(question())
    assert (body["temperature"], body["max_tokens"], body["thinking"]) == (0.0, 400, {"type": "disabled"})
    assert messages.step_down(body, sent, "`temperature` is deprecated for this model")
    assert "temperature" not in messages.body(question())[0]
    assert not messages.step_down(*messages.body(question()), "temperature again")


def test_an_sdk_without_output_schemas_begins_with_the_tool(question: Make) -> None:
    body, sent = Messages("m", Options(), ("tools",), None).body(question(json_schema=SCHEMA))
    assert sent["json"] == "forced tool"
    assert body["tools"][0]["input_schema"] == SCHEMA


@pytest.mark.parametrize(("way", "rung"), [("tool", "forced tool"), ("prompt", "prompt")])
def test_the_way_to_ask_for_json_can_be_chosen(way: Any, rung: str, question: Make) -> None:
    _, sent = Messages("m", Options(json=way), ("output_config",), None).body(question(json_schema=SCHEMA))
    assert sent["json"] == rung


async def test_the_prompt_counts_what_the_cache_gave_and_took(loopback: Loopback, question: Make) -> None:
    loopback.answer = lambda seen: Answer(message())
    (reply,) = await ask_all(loopback, question())
    cost = (10 * 2 + 60 * 0.1 + 30 * 2 * 1.25 + 5 * 10) / 1e6
    assert reply.usage.model_copy(update={"cost": 0.0}) == Usage(
        prompt_tokens=100, cached_tokens=60, completion_tokens=5
    )
    assert reply.usage.cost == pytest.approx(cost)
    (kept,) = await ask_all(loopback, question(), cache="1h")
    assert kept.usage.cost == pytest.approx((10 * 2 + 60 * 0.1 + 30 * 2 * 2 + 5 * 10) / 1e6)
    (other,) = await ask_all(loopback, question(), model="claude-judge-9")
    assert (other.usage.cost, other.sent["price"]) == (0, "unknown")


def test_an_own_table_goes_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADJUDGE_PRICES", raising=False)
    assert price_of("claude-sonnet-4-5-20250929") == price_of("claude-sonnet-4-5")
    assert price_of("claude-sonnet-5-6") is None
    (tmp_path / "own.toml").write_text('[models]\n"claude-sonnet-5-6" = {input = 4, cached = 1, output = 9}\n')
    monkeypatch.setenv("ADJUDGE_PRICES", str(tmp_path / "own.toml"))
    assert price_of("claude-sonnet-5-6") == Price(input=4, cached=1, output=9, written=5)


def test_long_prompts_cost_more_where_the_table_says_so() -> None:
    price = price_of("claude-haiku-5-5")
    assert price is not None
    assert price.cost(Usage(prompt_tokens=100_001)) == pytest.approx(100_001 * 0.5 / 1e6)


@pytest.mark.usefixtures("loopback")
def test_options_are_checked_and_part_of_the_identity() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'effort'"):
        build("m", efort="low")
    with pytest.raises(UnsupportedError, match="cache='2h'"):
        build("m", cache="2h")
    assert build("m", extra='{"speed": "fast"}').identity != build("m").identity


def test_registering_imports_no_sdk() -> None:
    code = (
        "import sys, adjudge_anthropic.plugin as p; p.adjudge_backends();"
        "sys.exit(any(name in sys.modules for name in ('anthropic', 'orjson', 'httpx2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("loopback")
def test_an_estimate_knows_the_price_or_says_that_it_does_not() -> None:
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=10)
    price = price_of("claude-haiku-5-5")
    assert price is not None
    assert build("claude-haiku-5-5").cost_of(usage) == pytest.approx(price.cost(usage))
    assert build("claude-judge-9").cost_of(usage) is None
