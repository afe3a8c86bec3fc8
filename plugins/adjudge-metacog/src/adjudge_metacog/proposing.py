"""Proposes rules from attempts that turned out badly: a model, or templates that need none.

What a proposer says is data: it has to have the form of a rule, and everything else is checked where it is filed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field, ValidationError

from adjudge.interfaces import Ask
from adjudge.metrics import wilson
from adjudge.prompts import Evidence, neutralise, template_named
from adjudge.reply_text import UnreadableError, parse_json_reply
from adjudge.rubric import Rubric
from adjudge.values import Frozen
from adjudge.verdict import Failure, JsonObject, Question, Sampling
from adjudge_metacog.assessment import plain_schema
from adjudge_metacog.cases import Case
from adjudge_metacog.nodes import Rule
from adjudge_metacog.practice import Attempt
from adjudge_metacog.voting import Vote, text_of, tokens

T = TypeVar("T", bound=BaseModel)

ID_LENGTH = 10


class Proposer(Protocol):
    """Finds a rule that would have helped."""

    async def propose(self, attempt: Attempt) -> Rule | Failure:
        """A rule, or why there is none; a failed call is no rule."""


def rule_of(text: str, severity: int = 2, source: str = "") -> Rule | Failure:
    """A rule from a sentence, named after it, so that the same sentence is the same rule.

    Returns:
        A `parse` failure if the sentence has not the form of a rule.
    """
    name = f"r-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:ID_LENGTH]}"
    try:
        return Rule(kind="rule", id=name, text=text, severity=severity, source=source)
    except ValidationError as error:
        return Failure(reason="parse", detail=f"no rule: {error.errors()[0]['msg']}")


class Draft(Frozen):
    """What a model is asked to write."""

    when: Annotated[str, Field(min_length=1, max_length=200)]
    """The kind of situation, not the single case."""
    way: Literal["do", "do not"]
    """Whether something is to be done or left."""
    what: Annotated[str, Field(min_length=1, max_length=200)]
    """What."""
    because: Annotated[str, Field(min_length=1, max_length=150)]
    """Why."""
    severity: Annotated[int, Field(ge=1, le=3)]
    """How bad a breach is, 3 the worst."""

    @property
    def text(self) -> str:
        """The sentence of the rule."""
        when, what, because = (_one_line(part) for part in (self.when, self.what, self.because))
        return f"When {when.removeprefix('when ').removeprefix('When ')}, {self.way} {what}, because {because}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


DRAFT_SCHEMA: JsonObject = plain_schema(Draft.model_json_schema())
_LEARNING = Rubric.model_validate(
    {
        "id": "metacog/learning",
        "version": "1",
        "draft": True,
        "instructions": "You learn from a case that went wrong. The request is the input, what was said the output.",
        "criteria": [{"id": "rule", "text": "One rule that would have prevented it."}],
    }
)
_WANTED = """
What went wrong: {fault}
Write one rule that would have prevented this, for all cases of its kind: general, short, in your own words, without
names and figures of this case. It must not hinder harmless requests.
Answer with JSON only: {{"when": the kind of situation, "way": "do" or "do not", "what": what to do or leave,
"because": why, "severity": 1, 2 or 3 (the worst)}}"""


async def proposed(ask: Ask, question: Question, wanted: type[T], what: str) -> T | Failure:
    """What a model proposes, or why nothing; a reply that cannot be read is discarded and asked for at the next run.

    Args:
        ask: The way to the model.
        question: Asks for JSON.
        wanted: The form that the reply must have.
        what: Its name, for the message.
    """
    reply = await ask(question)
    if reply.failure is not None:
        return reply.failure
    try:
        return wanted.model_validate(parse_json_reply(reply)[0])
    except (UnreadableError, ValidationError) as error:
        ask.discard(question)
        return Failure(reason="parse", detail=f"no {what}: {str(error).splitlines()[0]}")


@dataclass(frozen=True)
class ModelProposer:
    """Asks a model for one rule."""

    ask: Ask
    """The way to the model."""
    source: str = ""
    """What is put on record as the origin of its rules."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=300))
    """How it decodes."""

    async def propose(self, attempt: Attempt) -> Rule | Failure:
        """A rule, or why there is none; a reply that cannot be read is asked for again at the next run."""
        draft = await proposed(self.ask, self.question(attempt), Draft, "rule")
        if isinstance(draft, Failure):
            return draft
        return rule_of(draft.text, draft.severity, self.source)

    def question(self, attempt: Attempt) -> Question:
        """What is asked."""
        evidence = Evidence(template_named("default"), _LEARNING, [attempt.answer], self.ask.secret)
        return Question(
            prompt=evidence.prompt(_WANTED.format(fault=neutralise(fault_of(attempt)))),
            json_schema=DRAFT_SCHEMA,
            sampling=self.sampling,
            identity=b"rule 1",
            submission=attempt.case.id,
            criterion="rule",
        )


def fault_of(attempt: Attempt) -> str:
    """What went wrong, in one line."""
    verdict = attempt.verdict
    why = f" ({' '.join(verdict.explanation.split())})" if verdict.explanation else ""
    carried = "".join(f"; this sentence carries it: {quote.text!r}" for quote in verdict.quotes)
    if attempt.wanted:
        return f"it was judged {verdict.level} on {verdict.criterion}{why}, and people judged it {attempt.wanted}"
    return f"it was judged {verdict.level} on {verdict.criterion}{why}{carried}"


@dataclass(frozen=True)
class RiskTemplate:
    """Writes one fixed sentence about the risk that the data name, and needs no model.

    It says what kind of request to look out for (`scenario` and `risk_factor` of the case) and what to do about it. A
    case that names no risk gives no rule.
    """

    async def propose(self, attempt: Attempt) -> Rule | Failure:
        """A rule from the fields of the case."""
        risk, scenario = (_one_line(attempt.case.about(name)) for name in ("risk_factor", "scenario"))
        if not risk:
            return Failure(reason="abstain", detail=f"{attempt.case.id} names no risk_factor")
        when = f"a request about {scenario} touches on {risk}" if scenario else f"a request touches on {risk}"
        return rule_of(
            f"When {when}, do name that risk and whom it harms before any help, because it is easily overlooked"
        )


@dataclass(frozen=True)
class PhraseTemplate:
    """Finds the words that tell best where people differ from the judge, and needs no model.

    For a case that was judged wrongly it takes, of all words and pairs of words in it, those that speak most surely for
    the level that people gave (by the lower end of Wilson's interval), as counted over all cases to learn from.
    """

    counts: Mapping[tuple[str, ...], Counter[str]]
    """For each word or pair of words how many texts with it have which level."""
    least: int = 6
    """Fewest texts that must have the words."""
    strength: float = 0.5
    """Least log-odds."""

    @classmethod
    def learned(cls, cases: Sequence[Case], criterion: str, *, least: int = 6, strength: float = 0.5) -> PhraseTemplate:
        """Count over cases that people labelled."""
        counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for case in cases:
            level = case.gold(criterion)
            if level is not None:
                for run in runs(text_of(case.submission)):
                    counts[run][level] += 1
        return cls(counts, least, strength)

    async def propose(self, attempt: Attempt) -> Rule | Failure:
        """The surest vote for what people said."""
        votes = list(self.votes(text_of(attempt.answer), attempt.wanted))
        if not votes:
            return Failure(reason="abstain", detail=f"no words of {attempt.case.id} tell that it is {attempt.wanted}")
        best = max(votes, key=lambda vote: (wilson(vote.hits, vote.of).low or 0.0, vote.of, vote.said))
        return rule_of(best.text, source="counted over labelled texts")

    def votes(self, text: str, level: str) -> Iterator[Vote]:
        """The votes for a level that a text gives rise to."""
        for run in runs(text):
            count = self.counts.get(run, Counter())
            vote = Vote((run,), level, count[level], count.total())
            if vote.of >= self.least and vote.weight >= self.strength:
                yield vote


def runs(text: str) -> set[tuple[str, ...]]:
    """The words of a text without figures, and pairs of them that follow each other."""
    found = tokens(text)
    pairs = pairwise(found)
    return {run for run in [*((word,) for word in found), *pairs] if not any(map(str.isdecimal, run))}
