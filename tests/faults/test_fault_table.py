"""The table of docs/reference/faults.md, cell by cell: what each backend makes of each class of fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adjudge.interfaces import Backend
from adjudge.testing import Loopback, Served
from adjudge.testing.faults import GOOD, REFUSED, WRITTEN, outcome_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
LATE, LIMIT, DEADLINE = 0.6, 0.25, 30.0
"""Seconds that a late answer takes, that are waited for one, and that a question may take in all."""


def table() -> tuple[list[str], dict[str, list[str]]]:
    """Backends, and by fault what the page says of each of them."""
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    head, _, *body = rows
    return head[1:], {name: cells for name, *cells in body}


BACKENDS, ROWS = table()


def chat(text: str | None, **message: Any) -> Any:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def response(part: dict[str, Any]) -> Any:
    item = {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 9, "output_tokens": 3}
    return {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [item], "usage": usage}


def anthropic(text: str, stop: str = "end_turn") -> Any:
    usage = {"input_tokens": 9, "output_tokens": 3}
    content = [{"type": "text", "text": text}]
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content} | {
        "stop_reason": stop,
        "usage": usage,
    }


SAYS: dict[str, Callable[[str], Any]] = {
    "openai (chat)": chat,
    "openai (responses)": lambda text: response({"type": "output_text", "text": text, "annotations": []}),
    "openai-compatible": chat,
    "anthropic": anthropic,
    "inspect": chat,
}
REFUSES: dict[str, Any] = {
    "openai (chat)": chat(None, refusal=REFUSED),
    "openai (responses)": response({"type": "refusal", "refusal": REFUSED}),
    "openai-compatible": chat(None, refusal=REFUSED),
    "anthropic": anthropic(REFUSED, stop="refusal"),
    "inspect": {**chat(REFUSED), "choices": [{**chat(REFUSED)["choices"][0], "finish_reason": "content_filter"}]},
}


def built(name: str, url: str, limit: float) -> Backend:
    if name == "anthropic":
        from adjudge_anthropic.plugin import build

        return build("claude-sonnet-5-5", base_url=url, timeout=limit)
    if name == "inspect":
        from adjudge.evals.plugin import build_inspect

        return build_inspect("openai-api/loop/m")
    from adjudge_openai.plugin import build_compatible, build_openai

    if name == "openai-compatible":
        return build_compatible("m", base_url=f"{url}/v1", server="openai", timeout=limit)
    api = name.partition("(")[2].rstrip(")")
    return build_openai("gpt-4o-mini", base_url=f"{url}/v1", api=api, timeout=limit)


def served(name: str, fault: str) -> Served:
    """What the server gives back."""
    message = {"error": {"message": "no", "type": "error", "code": "no"}, "type": "error"}
    if fault.startswith("status"):
        return Served(message, int(fault.split()[1]), {"Retry-After": "0"})
    faults = {
        "hang: no answer ever": lambda: Served(b"", hang=True),
        "the body is cut": lambda: Served(SAYS[name](GOOD), cut=True),
        "the model refuses": lambda: Served(REFUSES[name]),
        "timeout: the answer comes too late": lambda: Served(SAYS[name](GOOD)),
    }
    return faults[fault]() if fault in faults else Served(SAYS[name](WRITTEN[fault]))


def is_slow(fault: str) -> bool:
    return fault.startswith(("timeout", "hang"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("OPENAI_BASE_URL", "ADJUDGE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "key-of-a-test")
    with Loopback() as running:
        monkeypatch.setenv("LOOP_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("LOOP_API_KEY", "key-of-a-test")
        yield running


@pytest.mark.parametrize("fault", ROWS)
@pytest.mark.parametrize("name", SAYS)
async def test_a_server_that_misbehaves_gives_what_the_table_says(name: str, fault: str, server: Loopback) -> None:
    expected = ROWS[fault][BACKENDS.index(name)]

    def answer(seen: Any) -> Served:
        if seen.method == "GET":
            return Served({"data": []})
        if fault.startswith("timeout"):
            time.sleep(LATE)
        return served(name, fault)

    server.answer = answer
    backend = built(name, server.url, LIMIT if is_slow(fault) else DEADLINE)
    own_limit = name != "inspect"  # which leaves the limit to the engine
    deadline = DEADLINE if own_limit or not is_slow(fault) else 2 * LIMIT
    assert await outcome_of(backend, fault, deadline) == expected
    if not own_limit and is_slow(fault):
        return
    again = sum(seen.method == "POST" for seen in server.seen)
    once = expected in ("stops", "refusal", "read", "read, noted")
    assert again == (1 if once else 2), "asked again once, and never more"


class TestAnEngineInTheProcess:
    """The real engine of `local`; where the fault is a text, the model is made to have written it."""

    @pytest.fixture(scope="class")
    @staticmethod
    def backend() -> Iterator[Any]:
        from adjudge_local.plugin import build

        made = build(context=1024, threads=1)
        yield made
        made.close()

    @pytest.mark.model
    @pytest.mark.parametrize("fault", [fault for fault in ROWS if ROWS[fault][BACKENDS.index("local")] != "—"])
    async def test_gives_what_the_table_says(self, fault: str, backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = ROWS[fault][BACKENDS.index("local")]
        real = backend._engine.complete

        def complete(*args: Any, **options: Any) -> Any:
            if is_slow(fault):
                return real(*args, **{**options, "n_predict": 900, "grammar": None})
            text = REFUSED if fault == "the model refuses" else WRITTEN[fault]
            return replace(real(*args, **{**options, "n_predict": 1}), text=text, stop="stop")

        monkeypatch.setattr(backend._engine, "complete", complete)
        monkeypatch.setattr("adjudge_local.backend._is_json", lambda text: True)  # the grammar is what failed here
        monkeypatch.setattr(backend, "aclose", _nothing)
        assert await outcome_of(backend, fault, LIMIT if is_slow(fault) else DEADLINE) == expected


async def _nothing() -> None:
    """The engine serves the whole class."""


def test_the_page_names_every_backend_and_class() -> None:
    assert {*SAYS, "local", "vllm"} <= set(BACKENDS)
    assert len(ROWS) >= 16
    assert all(len(cells) == len(BACKENDS) for cells in ROWS.values())
    assert not [cell for cells in ROWS.values() for cell in cells if any(map(str.isdigit, cell))]
