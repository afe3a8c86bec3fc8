"""The questions of a search: write a session, review it, rewrite it, think the strategy over. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adjudge.prompts import neutralise
from adjudge.reply_text import UnreadableError, is_text, parse_json_reply
from adjudge.rubric import Rubric
from adjudge.submission import Submission, as_text
from adjudge.verdict import Prompt, Question, Reply, Sampling
from adjudge_counselling.search.tree import Review

FIRST_STRATEGY = (
    "Write the whole session, from the client's first words to leave-taking, one turn a line, each beginning with the "
    "speaker's name. Let the client lead, stay with one thread at a time, and let insight come from the client."
)
"""The first meta-prompt."""
_MOST_CHARACTERS = 600
_HIGHEST = 10
_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Wording:
    """What questions about one case have in common."""

    rubric: Rubric
    """The principles that the session is to agree with."""
    submission: Submission
    """The case."""
    writing: Sampling
    """How answers are written."""
    reviewing: Sampling
    """How reviews and plans are written."""
    seed: int
    """Of the whole search."""
    words: int
    """Length that is asked for, in words."""

    def write(self, strategy: str, step: str) -> Question:
        """A new session under a strategy."""
        ask = f"{strategy}\nWrite at least {self.words} words, in the language of the case. Write the session only."
        return self._question(step, ask)

    def rewrite(self, answer: str, review: Review, step: str) -> Question:
        """The session again, after a review."""
        ask = (
            f"A supervisor says of it: {review.critique}\nand suggests: {review.suggestions}\n"
            f"Write the whole session anew, mended, at least {self.words} words, in the same language. "
            "Write the session only."
        )
        return self._question(step, ask, answer)

    def review(self, answer: str, step: str, sample: int = 0) -> Question:
        """One review of a session."""
        ask = (
            "You are the supervisor. Hold the session against each principle and its weight. Say what falls short, "
            f"give one score from 0 to {_HIGHEST} for all of it with up to two decimals (8 and more only for work that "
            "an experienced counsellor would sign), and say what to change.\n"
            'Answer with JSON only: {"critique": "…", "score": 0.00, "suggestions": "…"}'
        )
        score = {"type": "number", "minimum": 0, "maximum": _HIGHEST}
        question = self._question(
            f"{step}:review:{sample}", ask, answer, critique=_TEXT, score=score, suggestions=_TEXT
        )
        return question.model_copy(update={"repeat": sample})

    def plan(self, strategy: str, answer: str, review: Review, step: str) -> Question:
        """A new strategy for writing sessions of this case, after what a review of the last one says."""
        ask = (
            f"This session was written under the strategy: {strategy}\nA supervisor says of it: {review.critique}\nand "
            f"suggests: {review.suggestions}\nWrite a better strategy for writing a session for this case, in a few "
            'sentences. It must ask for the whole session.\nAnswer with JSON only: {"strategy": "…"}'
        )
        return self._question(f"{step}:plan", ask, answer, strategy=_TEXT)

    def _question(self, step: str, ask: str, answer: str = "", **properties: Mapping[str, Any]) -> Question:
        """A question whose reply is text, or JSON with these properties."""
        system = f"You write and improve counselling sessions. The principles, with their weights:\n{self._principles}"
        case = f"The case:\n{neutralise(as_text(self.submission.input))}\n\n"
        output = f"The session:\n{neutralise(answer)}\n\n" if answer else ""
        sampling = self.reviewing if properties else self.writing
        return Question(
            prompt=Prompt(system=system, input=case, output=output, ask=ask),
            json_schema=_schema(properties) if properties else None,
            sampling=sampling.model_copy(update={"seed": seed_of(self.seed, self.submission.id, step)}),
            submission=self.submission.id,
            criterion=f"mctsr-zero:{step}",
        )

    @property
    def _principles(self) -> str:
        return "\n".join(f"- ({c.weight:g}) {c.text.strip()}" for c in self.rubric.criteria)


def seed_of(seed: int, *parts: str) -> int:
    """A seed for one question, made from the search's seed and what the question is."""
    text = "\x00".join((str(seed), *parts))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big") % _SEEDS


_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": _MOST_CHARACTERS}


def _schema(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(part) for name, part in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def read_review(reply: Reply) -> Review | None:
    """The review in a reply; None if the call failed, or the reply is no review with a score from 0 to 10."""
    data = _read(reply)
    score = data.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= _HIGHEST:
        return None
    critique, suggestions = data.get("critique", ""), data.get("suggestions", "")
    return Review(float(score), critique, suggestions) if is_text(critique) and is_text(suggestions) else None


def read_strategy(reply: Reply) -> str | None:
    """The strategy in a reply; None if there is none."""
    strategy = _read(reply).get("strategy")
    return strategy.strip() or None if isinstance(strategy, str) and is_text(strategy) else None


def _read(reply: Reply) -> dict[str, Any]:
    if reply.failure is not None:
        return {}
    try:
        return parse_json_reply(reply)[0]
    except UnreadableError:
        return {}
