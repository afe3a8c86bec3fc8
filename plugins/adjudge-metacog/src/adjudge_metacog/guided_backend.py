"""Any backend with rules in the system message of all that it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Capabilities
from adjudge.verdict import Question, Reply
from adjudge_metacog.applying import Guidance, guided, load_guidance

# As `adjudge.prompts` writes them; no text inside can forge one.
_BLOCK = re.compile(r"<([a-z_]+(?:-\d+)?-[0-9a-f]{8})>\n(.*?)\n</\1>", re.DOTALL)


@dataclass(frozen=True)
class GuidedBackend:
    """A backend that answers under the rules which bear on what it is asked.

    Its identity names the rules and the budget, so that a ledger tells its replies apart; where no rule can ever be
    shown it is the identity of the backend inside, whose replies are then its own.
    """

    inner: Backend
    """Who answers."""
    guidance: Guidance
    """Where the rules come from."""

    @property
    def name(self) -> str:
        """That of the backend inside, with the most rules."""
        if not self.guidance.identity:
            return self.inner.name
        return f"guided({self.guidance.budget.rules},{self.inner.name})"

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of the backend inside, and the guidance."""
        guidance = self.guidance.identity
        return {**self.inner.identity, "guidance": guidance} if guidance else self.inner.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend inside."""
        return self.inner.capabilities

    async def ask(self, question: Question) -> Reply:
        """Answer one question under the rules."""
        return await self.inner.ask(self._guided(question))

    async def aclose(self) -> None:
        """Release the backend inside."""
        await self.inner.aclose()

    def __getattr__(self, name: str) -> Any:
        """What the backend inside offers beyond the protocol: `embed`, `prepare` and, under the rules, `ask_many`."""
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        offered = getattr(self.inner, name)
        return self._asking_many(offered) if name == "ask_many" else offered

    def _asking_many(self, ask_many: Callable[..., Any]) -> Callable[..., Any]:
        async def asking(questions: Sequence[Question], *given: Any, **options: Any) -> Any:
            return await ask_many([self._guided(question) for question in questions], *given, **options)

        return asking

    def _guided(self, question: Question) -> Question:
        """The question with the rules that bear on the case that it shows."""
        return guided(question, self.guidance.find(case_of(question), {}))


def case_of(question: Question) -> str:
    """What a question shows of a case: the texts in a judge's blocks, or all that a candidate is given.

    A judge's template and criterion say nothing of the case and would find the same rules for all.
    """
    shown = question.prompt.shared
    blocks = [text for _, text in _BLOCK.findall(shown)]
    return "\n".join([*(blocks or [shown]), *(turn.content for turn in question.follow_up)])


def build(
    model: str | None = None,
    graph: str = "",
    rules: int = 5,
    characters: int = 2000,
    domain: str = "",
    **options: Any,
) -> GuidedBackend:
    """Make the backend `guided`.

    Args:
        model: The backend inside, `NAME` or `NAME:MODEL`.
        graph: File of the rule graph.
        rules: Most rules per question; with 0 it answers as the backend inside alone.
        characters: Most characters of them together.
        domain: Field of work of every case; rules of others are left out.
        options: Options of the backend inside.

    Raises:
        UnsupportedError: No backend or no graph is named, or a number is below 0.
        InputError: The graph cannot be read.
        AdjudgeError: The backend inside cannot start.
    """
    from adjudge.api import installed
    from adjudge.plugins import build_backend

    if model is None:
        raise UnsupportedError("the backend 'guided' wraps another one; name it: --backend guided:local")
    guidance = load_guidance(graph, rules, characters, domain, "the backend 'guided'")
    return GuidedBackend(build_backend(installed(), model, options), guidance)
