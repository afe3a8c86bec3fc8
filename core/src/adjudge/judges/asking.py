"""What every judge does: ask a question, read the reply, re-ask once if it was not understood."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from adjudge.errors import AdjudgeError
from adjudge.interfaces import Ask
from adjudge.judges.consistency import contradiction
from adjudge.judges.label_mass import mass_flags
from adjudge.judges.wording import Wording, worded
from adjudge.prompts import Evidence
from adjudge.readout import Reading, ReadOut, expected_score
from adjudge.reply_text import UndecidedError, UnreadableError, verify_quotes
from adjudge.rubric import Criterion
from adjudge.submission import Message, Text
from adjudge.transcript import BYTES_PER_TOKEN
from adjudge.verdict import Failure, Question, Reply, Sampling, Usage, Verdict, total

T = TypeVar("T")

Outcome = Reading | Failure


@dataclass(frozen=True)
class Answer:
    """What came of asking: per criterion a reading or a failure, and what it cost."""

    outcomes: dict[str, Outcome]
    """By criterion id."""
    usage: Usage
    """Of all replies, those from the ledger counted too."""
    fingerprint: str
    """Of the first question."""
    inconsistent: frozenset[str] = frozenset()
    """Criteria whose explanation contradicts the level, after asking again."""


@dataclass(frozen=True)
class Subject:
    """What a verdict is about, and who gives it."""

    id: str
    """Of the submission or comparison."""
    output: Text
    """Where quotes are looked up."""
    judge: str
    """Name of the judge."""
    flags: tuple[str, ...] = ()
    """Things in the submission that deserve a look."""


@dataclass(frozen=True)
class Inquiry:
    """How one submission is asked about: evidence, read-out, decoding, repeat."""

    ask: Ask
    """The engine."""
    evidence: Evidence
    """The rendered submission."""
    read_out: ReadOut
    """How a level is asked for and read."""
    sampling: Sampling | None = None
    """Overrides the read-out's own."""
    repeat: int = 0
    """Which repeat."""
    item: str = ""
    """Id of the submission or comparison, for the ledger's reader."""
    check_consistency: bool = False
    """Ask once more about a level that its own explanation contradicts."""
    evidence_tokens: int | None = None
    """Most tokens before the criterion, estimated."""

    def repeated(self, repeat: int) -> Inquiry:
        """The same inquiry, another repeat."""
        return self if repeat == self.repeat else replace(self, repeat=repeat)

    def question(self, criteria: Sequence[Criterion]) -> Question:
        """The question about one or more criteria."""
        wording = self._wording(criteria)
        return Question(
            prompt=self.evidence.prompt(wording.ask),
            labels=wording.labels,
            json_schema=wording.json_schema,
            sampling=wording.sampling,
            repeat=self.repeat,
            identity=wording.identity,
            submission=self.item,
            criterion=wording.names,
        )

    def _wording(self, criteria: Sequence[Criterion]) -> Wording:
        """The wording for these criteria, worked out once per rubric."""
        known = self.evidence.rubric.memo
        shown = len(self.evidence.submissions)
        key = (id(self.read_out), self.evidence.template.name, shown, self.sampling, *map(id, criteria))
        if key not in known:
            known[key] = worded(criteria, self.read_out, self.evidence, self.sampling)
        wording: Wording = known[key]
        return wording

    async def run(self, criteria: Sequence[Criterion]) -> Answer:
        """Ask, read, and re-ask once what was not understood: with the error shown, or the missing criteria alone.

        What led to a level is kept, the reply that had to be asked again for too, so that the next run asks nothing.
        What led to nothing is discarded, so that the next run asks again; if it came from the ledger in the first
        place, it is asked for again at once. Probabilities that name no level are kept: they would be the same again.
        """
        question = self.question(criteria)
        if (overflow := self._overflow()) is not None:
            return Answer({criterion.id: overflow for criterion in criteria}, Usage(), self.ask.fingerprint(question))
        replies = [await self.ask(question)]
        outcomes = _outcomes(replies[0], self.read_out, criteria)
        missing = [criterion for criterion in criteria if _is_unread(outcomes[criterion.id])]
        if missing:
            second = question if question.labels else self._again(question, replies[0], missing, outcomes)
            outcomes |= await self._second(second, missing, replies)
        if all(_is_unread(outcome) for outcome in outcomes.values()):
            self.ask.discard(question)
        doubtful = await self._reconsider(question, criteria, outcomes, replies) if self.check_consistency else ()
        usage = total(reply.usage for reply in replies)
        return Answer(outcomes, usage, self.ask.fingerprint(question), frozenset(doubtful))

    def _overflow(self) -> Failure | None:
        """Why nothing is asked: the evidence is longer than it may be."""
        if self.evidence_tokens is None or (size := self.evidence.tokens) <= self.evidence_tokens:
            return None
        told = f"the evidence is about {size:,} tokens ({BYTES_PER_TOKEN} bytes each)"
        way_out = "allow more, or use the judge 'windows', which splits it"
        return Failure(reason="overflow", detail=f"{told}, evidence_tokens={self.evidence_tokens}; {way_out}")

    async def _reconsider(
        self, question: Question, criteria: Sequence[Criterion], outcomes: dict[str, Outcome], replies: list[Reply]
    ) -> Iterable[str]:
        """Ask once more where explanation and level contradict each other, and take the second reading as it is.

        Returns:
            The criteria that are still in doubt: contradictory again, or not answered the second time.
        """
        doubts = _contradictions(criteria, outcomes)
        if not doubts:
            return ()
        told = "; ".join(f"{name}: {what}" if len(criteria) > 1 else what for name, what in doubts.items())
        turns = (
            Message(role="assistant", content=replies[0].text or "(nothing)"),
            Message(role="user", content=f"Your explanation contradicts your level: {told}. {_THINK_AGAIN}"),
        )
        again = question.model_copy(update={"follow_up": turns})
        replies.append(await self.ask(again))
        second = _outcomes(replies[-1], self.read_out, criteria)
        read = {name: outcome for name, outcome in second.items() if name in doubts and isinstance(outcome, Reading)}
        if not read:
            self.ask.discard(again)
        outcomes |= read
        return (doubts.keys() - read.keys()) | _contradictions(criteria, read).keys()

    async def _second(
        self, question: Question, missing: Sequence[Criterion], replies: list[Reply]
    ) -> dict[str, Outcome]:
        """What asking again brought; a label is asked for again only if it came from the ledger."""
        if question.labels:
            if not replies[0].cached:
                return {}
            self.ask.discard(question)
        replies.append(await self.ask(question))
        read = _outcomes(replies[-1], self.read_out, missing)
        if any(_is_unread(outcome) for outcome in read.values()):
            self.ask.discard(question)
        return {key: outcome for key, outcome in read.items() if isinstance(outcome, Reading)}

    def _again(
        self, question: Question, reply: Reply, missing: Sequence[Criterion], outcomes: dict[str, Outcome]
    ) -> Question:
        if len(missing) < len(outcomes):
            return self.question(missing)
        faults = "; ".join(sorted({outcome.detail for outcome in outcomes.values() if isinstance(outcome, Failure)}))
        error = f"This could not be read: {faults}. Answer again, in the form asked for only."
        turns = (
            Message(role="assistant", content=reply.text or "(nothing)"),
            Message(role="user", content=error),
        )
        return question.model_copy(update={"follow_up": turns})


_THINK_AGAIN = "Think again which of the two you mean, and answer in the form asked for only."


def _contradictions(criteria: Sequence[Criterion], outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """Criteria whose explanation says something else than their level, with what it says."""
    found = {}
    for criterion in criteria:
        outcome = outcomes.get(criterion.id)
        if isinstance(outcome, Reading):
            said = contradiction(outcome.explanation, outcome.level, criterion.scale)
            if said is not None:
                found[criterion.id] = f"{said}, and the level is {criterion.scale.level(outcome.level).word!r}"
    return found


class _Undecided(Failure):
    """The reply is whole and names no level: asking again would say the same."""


def _is_unread(outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) and outcome.reason == "parse" and not isinstance(outcome, _Undecided)


_STOPPED = {
    "refusal": Failure(reason="refusal", detail="the judge refused"),
    "error": Failure(reason="infra", detail="the call failed"),
}
"""For a backend that tells only by `stop` that there is no answer."""


def _outcomes(reply: Reply, read_out: ReadOut, criteria: Sequence[Criterion]) -> dict[str, Outcome]:
    failure = reply.failure or _STOPPED.get(reply.stop)
    if failure is not None:
        return dict.fromkeys((criterion.id for criterion in criteria), failure)
    readings = read_out.read(reply, criteria)
    return {key: _as_failure(reading) for key, reading in readings.items()}


def _as_failure(reading: Reading | UnreadableError) -> Outcome:
    if not isinstance(reading, UnreadableError):
        return reading
    kind = _Undecided if isinstance(reading, UndecidedError) else Failure
    return kind(reason="parse", detail=str(reading))


def verdict_of(criterion: Criterion, answer: Answer, subject: Subject, *, repeat: int = 0) -> Verdict:
    """The verdict that an answer gives on one criterion."""
    outcome = answer.outcomes[criterion.id]
    # A joint reply's usage is booked on its first criterion, so that sums stay exact.
    pays = criterion.id == next(iter(answer.outcomes))
    common: dict[str, Any] = {
        "submission": subject.id,
        "criterion": criterion.id,
        "judge": subject.judge,
        "fingerprint": answer.fingerprint,
        "usage": answer.usage if pays else Usage(),
        "repeat": repeat,
    }
    if isinstance(outcome, Failure):
        reason = {"reason": outcome.reason, "detail": outcome.detail}
        return Verdict(**common, **reason, status="unscored", flags=subject.flags)
    flags = (*subject.flags, *mass_flags(outcome.label_mass))
    flags += ("inconsistent",) if criterion.id in answer.inconsistent else ()
    return Verdict(
        **common,
        status="scored",
        level=outcome.level,
        score=criterion.scale.level(outcome.level).score,
        expected=expected_score(outcome.distribution, criterion.scale),
        distribution=outcome.distribution,
        label_mass=outcome.label_mass,
        explanation=outcome.explanation,
        quotes=verify_quotes(outcome.quotes, subject.output),
        detail=outcome.note,
        flags=flags,
    )


async def primed(ask: Ask, jobs: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run the first job alone, if that fills a prefix cache, then the rest together; results in order.

    If one raises, the others are waited for first: what is in flight is paid for and belongs in the ledger.
    """
    rest = list(jobs)
    done: list[T | BaseException] = [await rest.pop(0)()] if ask.primes and rest else []
    done += await asyncio.gather(*(job() for job in rest), return_exceptions=True)
    errors = [outcome for outcome in done if isinstance(outcome, BaseException)]
    if errors:
        raise next((error for error in errors if isinstance(error, AdjudgeError)), errors[0])
    return [outcome for outcome in done if not isinstance(outcome, BaseException)]
