"""`--dry-run`: what a run would ask and cost, before the first call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adjudge.interfaces import Backend, Capabilities
from adjudge.verdict import Failure, Question, Reply, Usage

_CHARACTERS_PER_TOKEN = 4
_REPLY_SHARE = 0.25
"""Share of the token limit that a written reply is taken to use."""


class DryBackend:
    """Asks nobody and counts what would have been asked."""

    def __init__(self, backend: Backend) -> None:
        """Stand in front of a backend."""
        self._backend = backend
        self.questions = 0
        """Questions that are not in the ledger."""
        self.usage = Usage()
        """Estimated tokens: four characters each; a prefix that was seen before counts as cached."""
        self._seen: set[str] = set()

    @property
    def name(self) -> str:
        """That of the backend."""
        return self._backend.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of the backend, so that the ledger is asked first."""
        return self._backend.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend."""
        return self._backend.capabilities

    async def ask(self, question: Question) -> Reply:
        """Count the question."""
        prompt = question.prompt
        shared = len(prompt.system) + len(prompt.shared)
        cached = shared if self.capabilities.prefix_cache and prompt.system + prompt.shared in self._seen else 0
        self._seen.add(prompt.system + prompt.shared)
        self.questions += 1
        written = 1 if question.labels else int(question.sampling.max_tokens * _REPLY_SHARE)
        self.usage += Usage(
            prompt_tokens=(shared + len(prompt.ask)) // _CHARACTERS_PER_TOKEN,
            cached_tokens=cached // _CHARACTERS_PER_TOKEN,
            completion_tokens=written,
        )
        return Reply(stop="error", failure=Failure(reason="budget", detail="a dry run asks nothing"))

    def line(self) -> str:
        """What the run would take, in one line."""
        usage = self.usage
        tokens = f"{usage.prompt_tokens:,} prompt tokens ({usage.cached_tokens:,} of them from a prefix cache)"
        return (
            f"dry run: {self.questions:,} questions to {self.name}, about {tokens}, "
            f"{usage.completion_tokens:,} written; {self._cost()}. Re-asks come on top."
        )

    def _cost(self) -> str:
        if self.capabilities.local:
            return "no cost"
        cost_of = getattr(self._backend, "cost_of", None)
        cost = cost_of(self.usage) if cost_of is not None else None
        return "price unknown" if cost is None else f"about ${cost:,.2f}"

    async def aclose(self) -> None:
        """Nothing is held."""
