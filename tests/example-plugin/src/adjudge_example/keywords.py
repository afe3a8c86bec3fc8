"""The backend `keywords`: looks for the words that a criterion or an anchor puts in quotes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge import Capabilities, Failure, Question, Reply, Usage

_BASE = 0.2
_QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True)
class KeywordBackend:
    """Counts keywords, the same every time; each word of a prompt is one token.

    A level whose anchor quotes words gets a point for each of them in the submission. Words that the criterion itself
    quotes are points for the last level. Without any point the first level is the likeliest.
    """

    context_tokens: int = 20_000
    """Longest prompt."""

    @property
    def name(self) -> str:
        """`keywords`."""
        return "keywords"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who answers; the version changes with the way of counting."""
        return {"backend": "keywords", "version": 1}

    @property
    def capabilities(self) -> Capabilities:
        """Both read-outs."""
        return Capabilities(
            label_logprobs="masked", json_schema=True, local=True, context_tokens=self.context_tokens, concurrency=8
        )

    async def ask(self, question: Question) -> Reply:
        """Answer; a prompt that is too long is an overflow."""
        tokens = len(question.prompt.user.split())
        if tokens > self.context_tokens:
            why = f"the prompt has {tokens} words, at most {self.context_tokens} fit"
            return Reply(stop="error", failure=Failure(reason="overflow", detail=why))
        usage = Usage(prompt_tokens=tokens, completion_tokens=1)
        ask, text = question.prompt.ask, question.prompt.output.casefold()
        if question.labels:
            shares = _shares(question.labels, ask, text)
            logprobs = {label: math.log(share) for label, share in shares.items()}
            return Reply(text=_top(shares), logprobs=logprobs, logprobs_are="masked", usage=usage)
        if question.json_schema is not None:
            return Reply(text=json.dumps(_filled(question.json_schema, ask, text)), usage=usage)
        return Reply(text="I only look for words.", usage=usage)

    async def aclose(self) -> None:
        """Nothing is held."""


def _shares(labels: Sequence[str], ask: str, text: str) -> dict[str, float]:
    """Probability of each label."""
    criterion = ask.partition("\nLevels:")[0].partition("\nAnswer")[0]
    points = {label: float(_hits(_anchor(label, ask), text)) for label in labels}
    points[labels[-1]] += _hits(criterion, text)
    points[labels[0]] += _BASE
    whole = sum(points.values()) + _BASE * len(labels)
    return {label: (value + _BASE) / whole for label, value in points.items()}


def _anchor(label: str, ask: str) -> str:
    found = re.search(rf"^- {re.escape(label)}: (.*)$", ask, re.MULTILINE)
    return found[1] if found else ""


def _hits(words: str, text: str) -> int:
    return sum(bool(re.search(rf"\b{re.escape(word.casefold())}\b", text)) for word in _QUOTED.findall(words))


def _top(shares: Mapping[str, float]) -> str:
    return max(shares, key=shares.__getitem__)


def _filled(schema: Mapping[str, Any], ask: str, text: str) -> dict[str, Any]:
    """The JSON that is asked for; in a joint question each criterion stands behind its id in brackets."""
    answer: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        if "enum" in part:
            answer[name] = _top(_shares(part["enum"], ask, text))
        elif part.get("type") == "object":
            answer[name] = _filled(part, _section(name, ask), text)
        else:
            answer[name] = [] if part.get("type") == "array" else "found by its keywords"
    return answer


def _section(name: str, ask: str) -> str:
    """What a joint question says about one criterion."""
    return re.split(r"^\[", ask.partition(f"[{name}]")[2], maxsplit=1, flags=re.MULTILINE)[0]
