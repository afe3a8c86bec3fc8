"""A real HTTP server on the loopback interface, and questions to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adjudge import testing
from adjudge.testing import Seen
from adjudge.testing import Served as Answer
from adjudge.verdict import Prompt, Question

__all__ = ["KEY", "Answer", "Loopback", "Seen"]
KEY = "sk-loopback-3f9c1d77aa5e4b21"


class Loopback(testing.Loopback):
    """The server, as this protocol's tests speak of it."""

    @property
    def url(self) -> str:
        return f"{super().url}/v1"

    @property
    def asked(self) -> list[Seen]:
        """The requests that asked something, without the look at the list of models."""
        return [seen for seen in self.seen if not seen.path.endswith("/models")]


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("OPENAI_BASE_URL", "ADJUDGE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "ADJUDGE_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
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
