"""Costs: the shipped table, the user's own, and what is not known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.errors import BackendError, UnknownNameError, UnsupportedError
from adjudge.verdict import Question, Usage
from adjudge_openai.plugin import build_compatible, build_openai
from adjudge_openai.prices import Price, price_of

from .conftest import Answer, Loopback
from .openai_replies import completion, response


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("gpt-5", "gpt-5"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("gpt-5-mini", "gpt-5-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-5.9", None),
        ("gpt-5-huge", None),
        ("judge", None),
    ],
)
def test_a_price_is_that_of_the_model_or_of_the_one_it_is_a_snapshot_of(model: str, named: str | None) -> None:
    assert price_of(model) == (price_of(named) if named else None)
    assert (price_of(model) is None) == (named is None)


def test_cached_tokens_cost_less_and_long_prompts_more() -> None:
    price = Price(input=2.0, cached=0.5, output=10.0, above=1000, above_input=2.0, above_output=1.5)
    usage = Usage(prompt_tokens=1000, cached_tokens=600, completion_tokens=10)
    assert price.cost(usage) == pytest.approx((400 * 2 + 600 * 0.5 + 100) / 1e6)
    longer = usage.model_copy(update={"prompt_tokens": 1001})
    assert price.cost(longer) == pytest.approx(((401 * 2 + 600 * 0.5) * 2 + 150) / 1e6)


@pytest.mark.parametrize("name", ["own.toml", "own.json"])
def test_an_own_table_goes_before_the_shipped_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = '[models]\n"gpt-5" = {input = 1, cached = 1, output = 1}\n"judge" = {input = 7, cached = 1, output = 1}'
    json = (
        '{"models": {"gpt-5": {"input": 1, "cached": 1, "output": 1}, "judge": {"input": 7, "cached": 1, "output": 1}}}'
    )
    (tmp_path / name).write_text(toml if name.endswith("toml") else json)
    monkeypatch.setenv("ADJUDGE_PRICES", str(tmp_path / name))
    assert price_of("gpt-5") == Price(input=1, cached=1, output=1)
    assert price_of("judge", shipped=False) == Price(input=7, cached=1, output=1)
    assert price_of("gpt-4o", shipped=False) is None
    assert price_of("gpt-4o") is not None


@pytest.mark.parametrize(
    "text", ["", "[models", "[models]\nm = {input = 1}", "[models]\nm = {input = 'x', cached = 1, output = 1}"]
)
def test_an_own_table_that_cannot_be_read_is_named(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text(text)
    monkeypatch.setenv("ADJUDGE_PRICES", str(tmp_path / "own.toml"))
    with pytest.raises((BackendError, UnsupportedError), match=r"own\.toml"):
        price_of("m")


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("model", "known"), [("gpt-4o-mini", True), ("gpt-99", False)])
async def test_a_cost_that_is_not_known_says_so(
    api: str, model: str, known: bool, loopback: Loopback, question: Callable[..., Question]
) -> None:
    loopback.answer = lambda seen: Answer(completion() if api == "chat" else response())
    backend = build_openai(model, base_url=loopback.url, api=api)
    reply = await backend.ask(question())
    await backend.aclose()
    assert (reply.usage.cost > 0) == known
    assert (reply.sent.get("price") == "unknown") != known


async def test_what_a_gateway_says_it_cost_goes_before_any_table(
    loopback: Loopback, question: Callable[..., Question]
) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.0125}
    loopback.answer = lambda seen: Answer(completion(usage=usage))
    backend = build_compatible("gpt-4o", base_url=loopback.url, server="openai")
    reply = await backend.ask(question())
    await backend.aclose()
    assert reply.usage == Usage(prompt_tokens=10, completion_tokens=1, cost=0.0125)


def test_options_are_checked_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(UnknownNameError, match="did you mean 'timeout'"):
        build_openai("m", time_out=3)
    with pytest.raises(UnsupportedError, match="api='chats'"):
        build_openai("m", api="chats")
    with pytest.raises(UnsupportedError, match="concurrency=0"):
        build_compatible("m", base_url="http://localhost", concurrency=0)
    with pytest.raises(UnknownNameError, match="server"):
        build_compatible("m", base_url="http://localhost", server="vlm")
    with pytest.raises(UnsupportedError, match="extra"):
        build_compatible("m", base_url="http://localhost", extra="{not json")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ADJUDGE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BackendError, match="name the model"):
        build_openai()
    with pytest.raises(BackendError, match="OPENAI_API_KEY"):
        build_openai("gpt-5")
    with pytest.raises(BackendError, match="-B base_url="):
        build_compatible("m")
    with pytest.raises(BackendError, match="name the model"):
        build_compatible(base_url="http://localhost")


@pytest.mark.parametrize(
    ("url", "whole", "local"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1", True),
        ("http://127.0.0.1:1/v1/", "http://127.0.0.1:1/v1", True),
        ("http://[::1]:1/openai/v2", "http://[::1]:1/openai/v2", True),
        ("https://judge.example/v1", "https://judge.example/v1", False),
        ("http://127.0.0.1.example/v1", "http://127.0.0.1.example/v1", False),
        ("http://10.0.0.7:8000", "http://10.0.0.7:8000/v1", False),
    ],
)
def test_only_a_loopback_address_is_on_this_machine(url: str, whole: str, local: bool) -> None:
    backend = build_compatible("m", base_url=url)
    assert (backend.identity["endpoint"], backend.capabilities.local) == (whole, local)


async def test_an_estimate_sums_over_requests_that_are_short_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loopback: Loopback
) -> None:
    own = tmp_path / "prices.toml"
    own.write_text("[models.judge]\ninput = 2.0\ncached = 0.5\noutput = 10.0\nabove = 1000\nabove_input = 2.0\n")
    monkeypatch.setenv("ADJUDGE_PRICES", str(own))
    all_of_them = Usage(prompt_tokens=5000, cached_tokens=1000, completion_tokens=10)
    for build in (build_openai, build_compatible):
        priced, unknown = build("judge", base_url=loopback.url), build("nobody", base_url=loopback.url)
        assert priced.cost_of(all_of_them) == pytest.approx((4000 * 2 + 1000 * 0.5 + 100) / 1e6)
        assert unknown.cost_of(all_of_them) is None
        await priced.aclose()
        await unknown.aclose()
