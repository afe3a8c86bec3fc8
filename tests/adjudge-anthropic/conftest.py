"""A real HTTP server on the loopback interface, and questions to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adjudge.testing import Loopback, Seen
from adjudge.testing import Served as Answer
from adjudge.verdict import Prompt, Question

__all__ = ["KEY", "Answer", "Loopback", "Seen"]
KEY = "sk-ant-loopback-3f9c1d77aa5e4b21"


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ADJUDGE_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def question() -> Callable[..., Question]:
    """`question(ask, output=…, **fields)`: synthetic evidence, criterion last."""

    def make(
        ask: str = "Is it polite?", output: str = "Thank you.\n", given: str = "How long?\n", **more: Any
    ) -> Question:
        prompt = Prompt(system="You judge texts.", input=given, output=output, ask=ask)
        return Question.model_validate({"prompt": prompt, **more})

    return make
