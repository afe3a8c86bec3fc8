"""Any backend with rules in the system message of all that it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Backend, Capabilities
from adjudge.verdict import Question, Reply
from adjudge_metacog.applying import Guidance, guided, load_guidance
from adjudge_metacog.retrieval import WORD, Found

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
    about: Mapping[str, JsonValue] = field(default_factory=dict)
    """What every case is, as a row's metadata would say it: `scenario`, `tags`. A backend sees no row."""

    @property
    def name(self) -> str:
        """That of the backend inside, with the most rules and the embedder if there is one."""
        if not self.guidance.identity:
            return self.inner.name
        return f"guided({self.guidance.settings}{self.inner.name})"

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of the backend inside, and the guidance."""
        guidance = self.guidance.identity
        return {**self.inner.identity, "guidance": {**guidance, **self.about}} if guidance else self.inner.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend inside."""
        return self.inner.capabilities

    async def ask(self, question: Question) -> Reply:
        """Answer one question under the rules; which, why and by what they were found stands in the reply's `sent`."""
        found = self._found(question)
        return self._told(await self.inner.ask(guided(question, found)), found)

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
            found = [self._found(question) for question in questions]
            replies = await ask_many(list(map(guided, questions, found)), *given, **options)
            return list(map(self._told, replies, found))

        return asking

    def _found(self, question: Question) -> list[Found]:
        """The rules that bear on the case that a question shows."""
        return self.guidance.find(case_of(question), self.about)

    def _told(self, reply: Reply, found: Sequence[Found]) -> Reply:
        if not found:
            return reply
        told = [replace(each, why=tuple(_without_words(each.why))) for each in found]
        return reply.model_copy(update={"sent": {**reply.sent, **self.guidance.record(told)}})


def case_of(question: Question) -> str:
    """What a question shows of a case: the texts in a judge's blocks, or all that a candidate is given.

    A judge's template and criterion say nothing of the case and would find the same rules for all.
    """
    shown = question.prompt.shared
    blocks = [text for _, text in _BLOCK.findall(shown)]
    return "\n".join([*(blocks or [shown]), *(turn.content for turn in question.follow_up)])


def _without_words(why: Sequence[str]) -> Iterator[str]:
    """Words in common are counted: a ledger that is to keep no text keeps `sent`."""
    named = [one for one in why if one.startswith(WORD)]
    yield from (one for one in why if not one.startswith(WORD))
    if named:
        yield f"{len(named)} word{'s' if len(named) > 1 else ''} in common"


def build(
    model: str | None = None,
    graph: str = "",
    rules: int = 5,
    characters: int = 2000,
    domain: str = "",
    *,
    scenario: str = "",
    tags: str = "",
    embeddings: str = "auto",
    **options: Any,
) -> GuidedBackend:
    """Make the backend `guided`.

    Args:
        model: The backend inside, `NAME` or `NAME:MODEL`.
        graph: File of the rule graph.
        rules: Most rules per question; with 0 it answers as the backend inside alone.
        characters: Most characters of them together.
        domain: Field of work of every case; rules of others are left out.
        scenario: Kind of situation of every case; rules of others are left out, if any rule names it.
        tags: What every case is filed under, between commas.
        embeddings: One of `adjudge_metacog.embedding.NAMES`.
        options: Options of the backend inside.

    Raises:
        UnsupportedError: No backend or no graph is named, a number is below 0, or the embedder's package is not
            installed.
        UnknownNameError: There is no such backend or embedder.
        InputError: The graph cannot be read.
        AdjudgeError: The backend inside cannot start.
    """
    from adjudge.api import installed
    from adjudge.plugins import build_backend

    if model is None:
        raise UnsupportedError("the backend 'guided' wraps another one; name it: --backend guided:local")
    guidance = load_guidance(graph, rules, characters, domain, "the backend 'guided'", embeddings=embeddings)
    about = {name: value for name, value in (("scenario", scenario), ("tags", tags)) if value}
    return GuidedBackend(build_backend(installed(), model, options), guidance, about)
