"""A backend that answers from a script: for tests and benches, where what matters is not the model."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from adjudge.interfaces import Capabilities
from adjudge.verdict import Failure, Question, Reply, Usage

Answer: TypeAlias = Mapping[str, float] | str | Failure | Reply
"""What the script says to one question.

- probabilities of words, in any case: log-probabilities for a question with labels; for one with a JSON schema, JSON
  with the likeliest word; else the likeliest word itself
- text: the reply as it stands
- a `Failure`: no answer
- a `Reply`: handed back unchanged
"""
Script: TypeAlias = Callable[[Question], Answer] | Mapping[str, Answer | Sequence[Answer]] | Answer | None
"""A function of the question, a table by criterion id, or one answer for all. None: the last label or level.

In a table a list is said one by one, each time that criterion is asked about; its last answer stays. A table's entry
`"*"` is for criteria that it does not name.
"""

LIKELY = 0.8
"""Probability of the word that the script None answers with."""
_ANY = "*"
_ALL_ABILITIES = Capabilities(label_logprobs="raw", json_schema=True, prefix_cache=True, local=True, concurrency=16)
_CHARACTERS_PER_TOKEN = 4


class ScriptedBackend:
    """Answers in this process, at once, the same every time; counts and keeps what it was asked.

    It stands in for the transport and never for a judgement: what a model would say is the script's business.
    """

    def __init__(
        self,
        script: Script = None,
        *,
        name: str = "scripted",
        capabilities: Capabilities = _ALL_ABILITIES,
        latency: float | Callable[[Question], float] = 0.0,
        keep: bool = True,
    ) -> None:
        """Write the script.

        Args:
            script: What to say; see `Script`.
            name: Part of the identity: two scripts that share a ledger need two names.
            capabilities: What the backend declares; a label question gets log-probabilities of the declared sort.
            latency: Seconds before each reply, or a function of the question.
            keep: Keep the questions; a bench that only counts them can leave that out.
        """
        self.name = name
        self.identity: Mapping[str, Any] = {"backend": "scripted", "model": name}
        self.capabilities = capabilities
        self.questions: list[Question] = []
        """Everything that was asked, in order."""
        self.asked = 0
        """Number of questions."""
        self.most_in_flight = 0
        """Most questions that were waiting for their reply at one time."""
        self.closed = 0
        """How often `aclose` was called."""
        self._script = script
        self._latency = latency
        self._keep = keep
        self._in_flight = 0
        self._times: Counter[str] = Counter()
        self._shared: set[str] = set()

    @property
    def prompts(self) -> list[str]:
        """The user turns of everything that was asked."""
        return [question.prompt.user for question in self.questions]

    async def ask(self, question: Question) -> Reply:
        """Answer as the script says."""
        self.asked += 1
        if self._keep:
            self.questions.append(question)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            seconds = self._latency(question) if callable(self._latency) else self._latency
            if seconds:
                await asyncio.sleep(seconds)
            return self._reply(question)
        finally:
            self._in_flight -= 1

    async def aclose(self) -> None:
        """Count the call; nothing is held."""
        self.closed += 1

    def _reply(self, question: Question) -> Reply:
        answer = self._answer(question)
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, Failure):
            stop = "refusal" if answer.reason == "refusal" else "error"
            return Reply.model_validate({"failure": answer, "stop": stop})
        if isinstance(answer, str):
            return Reply(text=answer, usage=self._usage(question, answer))
        text = _text(question, answer)
        given = self._logprobs(question, answer)
        return Reply(
            text=text,
            logprobs=given,
            logprobs_are=self.capabilities.label_logprobs if given is not None else None,
            usage=self._usage(question, text),
        )

    def _answer(self, question: Question) -> Answer:
        script = self._script
        if callable(script):
            return script(question)
        if script is None or isinstance(script, str | Failure | Reply) or _is_probabilities(script):
            return _default(question) if script is None else script  # type: ignore[return-value] # a callable is told apart above
        return self._from_table(script, question)

    def _from_table(self, table: Mapping[str, Any], question: Question) -> Answer:
        """The table's answer; a joint question that has no entry gets the answers on its criteria together."""
        named = question.criterion.split("+")
        if question.criterion in table or len(named) == 1:
            return self._next(table, question.criterion, question)
        parts = {name: self._next(table, name, question) for name in named}
        failed = [part for part in parts.values() if isinstance(part, Failure)]
        return failed[0] if failed else json.dumps({name: _part(question, name, said) for name, said in parts.items()})

    def _next(self, table: Mapping[str, Any], name: str, question: Question) -> Answer:
        said = table.get(name, table.get(_ANY))
        if said is None:
            return _default(question, name)
        if not isinstance(said, list | tuple):
            return said  # type: ignore[no-any-return] # an Answer, by the script's type
        turn = min(self._times[name], len(said) - 1)
        self._times[name] += 1
        return said[turn]  # type: ignore[no-any-return] # as above

    def _logprobs(self, question: Question, answer: Mapping[str, float]) -> dict[str, float] | None:
        if not question.labels or self.capabilities.label_logprobs is None:
            return None
        known = _among(question.labels, answer)
        whole = math.fsum(known.values()) if self.capabilities.label_logprobs == "masked" else 1.0
        return {label: math.log(value / whole) if value > 0 else -math.inf for label, value in known.items()}

    def _usage(self, question: Question, text: str) -> Usage:
        """Tokens as a count of characters; the shared part of a prompt is cached from its second time on."""
        prompt = question.prompt
        shared = prompt.system + prompt.shared
        seen = self.capabilities.prefix_cache and shared in self._shared
        self._shared.add(shared)
        return Usage(
            prompt_tokens=(len(shared) + len(prompt.ask)) // _CHARACTERS_PER_TOKEN,
            cached_tokens=len(shared) // _CHARACTERS_PER_TOKEN if seen else 0,
            completion_tokens=len(text) // _CHARACTERS_PER_TOKEN + 1,
        )


def _is_probabilities(script: object) -> bool:
    return isinstance(script, Mapping) and all(isinstance(value, int | float) for value in script.values())


def _default(question: Question, name: str = "") -> dict[str, float]:
    """Likely the last of the words that may be answered with."""
    words = list(question.labels) or _levels(question.json_schema or {}, name)
    if not words:
        return {"scripted answer": 1.0}
    return {word: LIKELY if word == words[-1] else (1 - LIKELY) / len(words) for word in words}


def _levels(schema: Mapping[str, Any], name: str = "") -> list[str]:
    """The first closed list of words in a schema, in the part of that name if there is one."""
    properties = schema.get("properties", {})
    if name in properties:
        return _levels(properties[name])
    found = [list(part["enum"]) for part in properties.values() if "enum" in part]
    return found[0] if found else []


def _among(words: Sequence[str], answer: Mapping[str, float]) -> dict[str, float]:
    """Probability of each of the words, 0 for those that the answer does not name."""
    said = {word.casefold(): value for word, value in answer.items()}
    return {word: said.get(word.casefold(), 0.0) for word in words}


def _likeliest(answer: Mapping[str, float], among: Sequence[str] = ()) -> str:
    """The likeliest of those words, or of the answer's own where it names none of them."""
    known = _among(among, answer)
    chosen = known if any(known.values()) else answer
    return max(chosen, key=chosen.__getitem__)


def _text(question: Question, answer: Mapping[str, float]) -> str:
    if question.json_schema is None:
        return _likeliest(answer, question.labels)
    return json.dumps(_filled(question.json_schema, answer), ensure_ascii=False)


def _part(question: Question, name: str, said: Any) -> Any:
    """One criterion's part of a joint reply."""
    if not isinstance(said, Mapping):
        return said
    schema: Any = (question.json_schema or {}).get("properties", {})
    return _filled(schema.get(name, {}), said)


def _filled(schema: Mapping[str, Any], answer: Mapping[str, float]) -> Any:
    """A value of that schema, with the likeliest word wherever there is a choice of words."""
    if "enum" in schema:
        return _likeliest(answer, schema["enum"])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: _filled(part, _for_part(part, answer)) for name, part in properties.items()}
    plain: dict[str, Any] = {"string": "as the script says", "array": [], "number": 0, "integer": 0, "boolean": False}
    return plain.get(schema.get("type", ""))


def _for_part(part: Mapping[str, Any], answer: Mapping[str, float]) -> Mapping[str, float]:
    """The answer, or the last of the part's own words if the answer says none of them."""
    words = _levels(part)
    return answer if not words or any(_among(words, answer).values()) else {words[-1]: 1.0}
