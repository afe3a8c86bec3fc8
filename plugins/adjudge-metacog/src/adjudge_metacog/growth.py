"""Rubric growth: from disagreements with people to amendments of a criterion, each with its measured effect.

Nothing is changed. What comes out is a diff for a person to read, with the figures of every change before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from adjudge.interfaces import Ask, Judge
from adjudge.judges.members import part_of
from adjudge.metrics import Estimate, paired_difference
from adjudge.prompts import Evidence, describe_levels, neutralise, template_named
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.verdict import Failure, JsonObject, Question, Sampling, Verdict
from adjudge_metacog.amendments import Amendment, amended, refusal
from adjudge_metacog.assessment import plain_schema
from adjudge_metacog.cases import Case, Parts
from adjudge_metacog.cycle import Jobs, in_turn
from adjudge_metacog.gate import Decision, Gate, Proposal, Trial, decide
from adjudge_metacog.nodes import flags_of_text
from adjudge_metacog.practice import Attempt
from adjudge_metacog.proposing import PhraseTemplate, proposed
from adjudge_metacog.voting import vote_of

Amendments = tuple[Amendment, ...]
_ASKED = """
Criterion: {text}
{levels}The judge gave {given}, and people gave {wanted}.
Propose one change to the criterion, for all cases of this kind, so that a judge that reads it agrees with people:
general, short, in your own words, without names and figures of this case.
Answer with JSON only: {{"change": "text" (a sentence more in the criterion), "anchor" (a sentence more at a level) or
"criterion" (a new criterion that must be met beside it), "sentence": the sentence, "level": of an anchor its level,
else "", "id": of a new criterion a short name, else null}}"""


class Amender(Protocol):
    """Proposes an amendment from one disagreement."""

    async def amend(self, attempt: Attempt) -> Amendment | Failure:
        """An amendment, or why there is none."""


def amendment_schema() -> JsonObject:
    """The schema of a proposal."""
    schema = plain_schema(Amendment.model_json_schema())
    return {**schema, "required": list(schema["properties"])}


@dataclass(frozen=True)
class ModelAmender:
    """Asks a model."""

    ask: Ask
    """The way to the model."""
    rubric: Rubric
    """What is amended."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=300))
    """How it decodes."""

    async def amend(self, attempt: Attempt) -> Amendment | Failure:
        """An amendment, or why there is none; a reply that cannot be read is asked for again at the next run."""
        return await proposed(self.ask, self.question(attempt), Amendment, "amendment")

    def question(self, attempt: Attempt) -> Question:
        """What is asked."""
        criterion = self.rubric.criterion(attempt.verdict.criterion)
        evidence = Evidence(template_named(self.rubric.template), self.rubric, [attempt.answer], self.ask.secret)
        why = f" ({' '.join(attempt.verdict.explanation.split())})" if attempt.verdict.explanation else ""
        told = _ASKED.format(
            text=criterion.text.strip(),
            levels=describe_levels(criterion.scale, criterion.scale.words),
            given=neutralise(f"{attempt.verdict.level}{why}"),
            wanted=attempt.wanted,
        )
        return Question(
            prompt=evidence.prompt(told),
            json_schema=amendment_schema(),
            sampling=self.sampling,
            identity=b"amendment 1",
            submission=attempt.case.id,
            criterion="amendment",
        )


@dataclass(frozen=True)
class PhraseAmender:
    """Says of words how people judged the texts with them, and needs no model."""

    template: PhraseTemplate
    """Counts over the cases to learn from."""

    async def amend(self, attempt: Attempt) -> Amendment | Failure:
        """A sentence more in the criterion, from the surest words."""
        found = await self.template.propose(attempt)
        vote = None if isinstance(found, Failure) else vote_of(found.text)
        if vote is None:
            return found if isinstance(found, Failure) else Failure(reason="abstain", detail="no words")
        said = " and ".join(f'"{" ".join(run)}"' for run in vote.said)
        level = f"Texts that say {said} were judged {vote.level} by people {vote.hits} of {vote.of} times."
        return Amendment(change="text", sentence=level)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An amendment, and what it does on held-out cases."""

    amendment: Amendment
    """What would change."""
    cases: int
    """Disagreements that led to it."""
    decision: Decision
    """What the gate says: the improvement in agreement, and the share of cases that it spoils."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a rubric could learn from people."""

    measured: tuple[Measured, ...]
    """Every amendment that was tried."""
    dropped: dict[str, str]
    """Cases that led to none, with the reason."""
    change: Estimate
    """Change in agreement from all accepted amendments together, on cases that no gate saw."""
    before: Estimate
    """Agreement there without them."""

    @property
    def accepted(self) -> Amendments:
        """Those that passed the gate."""
        return tuple(one.amendment for one in self.measured if one.decision.accepted)


@dataclass
class Grower:
    """Finds and measures amendments to one criterion."""

    ask: Ask
    """The way to who judges."""
    judge: Judge
    """How it judges."""
    rubric: Rubric
    """The rubric."""
    criterion: str
    """Which criterion."""
    amender: Amender
    """Who proposes."""
    gate: Gate
    """What an amendment has to show."""
    look: int = 1
    """How often the gate has looked at these held-out cases, this time counted in."""
    most: int = 10
    """Most amendments that are tried."""
    run: Callable[[Jobs], Awaitable[None]] = in_turn
    """Runs jobs."""
    _known: dict[tuple[str, Amendments], Attempt] = field(default_factory=dict, repr=False)

    async def grow(self, parts: Parts) -> Growth:
        """Propose on the cases to learn from, measure on those of the gate, and sum up on the final ones."""
        origins, dropped = await self._proposed(await self.attempts(parts.learn))
        chosen = sorted(origins, key=lambda one: (-origins[one], str(one)))[: self.most]
        proposals = [Proposal(rule=str(n), trials=await self.trials(parts.gate, one)) for n, one in enumerate(chosen)]
        decisions = decide(proposals, self.gate, self.look)
        measured = tuple(
            Measured(amendment=one, cases=origins[one], decision=decision)
            for one, decision in zip(chosen, decisions, strict=True)
        )
        accepted = tuple(one.amendment for one in measured if one.decision.accepted)
        change, before = await self._final(parts, accepted)
        return Growth(measured=measured, dropped=dropped, change=change, before=before)

    async def _proposed(self, attempts: Sequence[Attempt]) -> tuple[Counter[Amendment], dict[str, str]]:
        origins: Counter[Amendment] = Counter()
        dropped: dict[str, str] = {}
        for attempt in attempts:
            if attempt.good is False:
                found = await self.amender.amend(attempt)
                if why := self._unfit(found):
                    dropped[attempt.case.id] = why
                else:
                    assert isinstance(found, Amendment)
                    origins[found] += 1
        return origins, dropped

    def _unfit(self, found: Amendment | Failure) -> str:
        """Why nothing is tried: there is no amendment, it cannot be made, or it would lead a judge."""
        if isinstance(found, Failure):
            return f"{found.reason}: {found.detail}"
        flags = flags_of_text(found.sentence)
        return ", ".join(flags) or refusal(found, self.rubric, self.rubric.criterion(self.criterion))

    async def attempts(self, cases: Sequence[Case], amendments: Amendments = ()) -> list[Attempt]:
        """Judge cases by the amended rubric; what was judged by it before is not judged again."""
        missing = [case for case in cases if (case.id, amendments) not in self._known]
        await self.run([partial(self._try, case, amendments) for case in missing])
        return [self._known[case.id, amendments] for case in cases]

    async def _try(self, case: Case, amendments: Amendments) -> None:
        rubric = amended(self.rubric, self.criterion, amendments)
        wanted = {self.criterion, *(one.id for one in amendments if one.id)}
        verdicts = tuple(await self.judge.judge(case.submission, part_of(rubric, wanted), self.ask))
        level, gold = combined(rubric, self.criterion, verdicts), case.gold(self.criterion)
        self._known[case.id, amendments] = Attempt(
            case=case,
            shown=(),
            answer=case.submission,
            verdict=next(one for one in verdicts if one.criterion == self.criterion),
            verdicts=verdicts,
            good=None if level is None or gold is None else level == gold,
            wanted=gold or "",
        )

    async def trials(self, cases: Sequence[Case], amendment: Amendment) -> list[Trial]:
        """Is a case judged right, and is one spoiled that was right before."""
        pairs = zip(await self.attempts(cases), await self.attempts(cases, (amendment,)), strict=True)
        return [trial for before, after in pairs for trial in _trials(before, after)]

    async def _final(self, parts: Parts, accepted: Amendments) -> tuple[Estimate, Estimate]:
        sides = [await self.attempts(parts.final, amendments) for amendments in (accepted, ())]
        after, before = ([None if one.good is None else float(one.good) for one in side] for side in sides)
        units = [parts.unit(case) for case in parts.final]
        return paired_difference(after, before, units), paired_difference(before, [0.0] * len(before), units)


def combined(rubric: Rubric, criterion: str, verdicts: Sequence[Verdict]) -> str | None:
    """The level on a criterion; its worst one if a new criterion beside it is not met, None if any is unscored."""
    levels = {one.id: _level(one, verdicts) for one in rubric.criteria if any(v.criterion == one.id for v in verdicts)}
    if None in levels.values():
        return None
    beside = [name for name in levels if name != criterion]
    unmet = [name for name in beside if rubric.criterion(name).scale.level(str(levels[name])).score == 0]
    worst = rubric.criterion(criterion).worst
    if not unmet or worst is None:
        return levels[criterion]
    return next(level.id for level in rubric.criterion(criterion).scale.levels if level.score == worst)


def _level(criterion: Criterion, verdicts: Sequence[Verdict]) -> str | None:
    return reduce_repeats(criterion, [one for one in verdicts if one.criterion == criterion.id]).level


def _trials(before: Attempt, after: Attempt) -> Iterator[Trial]:
    source = before.case.source
    yield Trial(source=source, kind="risk", before=before.good, after=after.good)
    unknown = before.good is None or after.good is None
    yield Trial(
        source=source, kind="benign", before=False, after=None if unknown else bool(before.good) and not after.good
    )


def told(growth: Growth, gate: Gate) -> Iterator[str]:
    """Every amendment with its figures, then all that passed together."""
    for one in growth.measured:
        fate = "passed" if one.decision.accepted else "did not pass"
        decision = one.decision
        figures = f"agreement {decision.improvement:+.3f}, spoils {decision.rise:.3f} on {gate.split}"
        yield f"{fate} ({one.cases} cases): {one.amendment}: {figures}"
    for reason, count in Counter(growth.dropped.values()).most_common(5):
        yield f"{count} cases led to no amendment: {reason}"
    yield f"final cases: agreement {growth.before:.3f} before, change {growth.change:+.3f}"
