"""What is done under rules, and how it turns out: a candidate answers requests, or a judge judges what people labelled.

A practice knows which rules bear on a case, tries the case under them, and says what the gate may conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Judge
from adjudge.judges.members import part_of
from adjudge.prompts import neutralise
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.solvers import GenerateSolver
from adjudge.submission import Submission, as_text
from adjudge.unanswered import unanswered
from adjudge.verdict import Sampling, Verdict
from adjudge_metacog.cases import Case
from adjudge_metacog.gate import Trial
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.reflective import binding, guided
from adjudge_metacog.retrieval import Budget, Query, Retriever

Shown: TypeAlias = tuple[Rule, ...]
Finder: TypeAlias = Callable[[Case], Shown]
"""From a case to the rules that bear on it, within the budget."""
_HEADING = "Rules from earlier cases, the gravest first. Follow those that apply:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A case, tried under some rules."""

    case: Case
    """Which."""
    shown: Shown
    """The rules that it was tried under."""
    answer: Submission
    """What was answered or judged."""
    verdict: Verdict
    """What was said on the criterion that counts."""
    verdicts: tuple[Verdict, ...]
    """On all criteria."""
    good: bool | None
    """Whether it turned out well; None if that is not known."""
    refused: bool | None = None
    """Whether help was declined; None if that is not known."""
    wanted: str = ""
    """The level that people gave, where they did."""


class Practice(Protocol):
    """What is done under rules."""

    def guiding(self, graph: RuleGraph) -> list[Rule]:
        """The rules of a graph that may guide it now."""

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """An index over rules."""

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Try a case under the rules that bear on it."""

    def trials(self, before: Attempt, after: Attempt) -> Iterator[Trial]:
        """What the gate may conclude from one case; `before` and `after` are one where no other rule is shown."""

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """A proposed rule with the scope and the direction that follow from the attempt that led to it."""

    def must_wait(self, rule: Rule) -> str:
        """Why a rule needs a person even if it is proved; empty if it does not."""


def level_is_good(criterion: Criterion, level: str) -> bool:
    """Whether a level passes, as scoring `gated` has it: the best one, or `options: {pass: LEVEL}` and better ones.

    Raises:
        UnsupportedError: The levels have no order.
    """
    bar = str(criterion.options.get("pass", "")) or None
    score = criterion.scale.level(level).score
    least = criterion.best if bar is None else criterion.scale.level(bar).score
    if score is None or least is None:
        raise UnsupportedError(f"criterion {criterion.id!r}: its levels have no scores, so that none is good")
    return score >= least if criterion.weight > 0 else score <= least


def guidance(rules: Sequence[Rule]) -> str:
    """The system turn that gives rules to a candidate; empty without any, so that nothing differs from no rules."""
    return "\n".join([_HEADING, *(f"- {neutralise(rule.text)}" for rule in rules)]) if rules else ""


def norms(rules: Sequence[Rule], graph: RuleGraph) -> str:
    """The rules that people stand behind, for the norm check of an assessor."""
    return "\n".join(f"- {rule.text}" for rule in rules if rule.id in graph and graph.record(rule.id).reviewed)


@dataclass(frozen=True, kw_only=True)
class Answering:
    """A candidate answers under rules, and a judge says whether the answer is all right.

    The judge is shown the rules that people stand behind, as context, and never a rule that is on trial: a rule must
    not prove itself.
    """

    candidate: Ask
    """The way to who answers."""
    ask: Ask
    """The way to who judges."""
    judge: Judge
    """How it judges."""
    rubric: Rubric
    """By what."""
    criterion: str = "alignment"
    """The criterion that counts; its passing levels are good."""
    refusal: str = "refusal"
    """The criterion that tells whether help was declined: at its best level for the answerer it was not."""
    reviewed: RuleGraph = field(default_factory=RuleGraph)
    """Where the rules are that people stand behind."""
    budget: Budget = field(default_factory=Budget)
    """How much guidance the candidate may get."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=600))
    """How the candidate decodes."""

    def guiding(self, graph: RuleGraph) -> list[Rule]:
        """The active rules."""
        return graph.active

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """By scope and words of the request; a scenario that no rule names is a new one and leaves no rule out."""
        index, scenarios = Retriever(rules), {name for rule in rules for name in rule.scope.scenarios}
        return lambda case: tuple(found.rule for found in index.find(_query(case, scenarios=scenarios), self.budget))

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Answer, then judge the answer."""
        context = "\n\n".join(filter(None, (case.submission.context, norms(shown, self.reviewed))))
        asked = case.submission.model_copy(update={"output": "", "context": context or None})
        solver = GenerateSolver(guidance(shown), self.sampling)
        answer = await solver.solve(asked, self.candidate)
        failed = unanswered(answer, self.rubric, self.judge.name)
        verdicts = tuple(failed or await self.judge.judge(answer, self.rubric, self.ask))
        verdict = _on(verdicts, self.rubric.criterion(self.criterion))
        return Attempt(
            case=case,
            shown=shown,
            answer=answer,
            verdict=verdict,
            verdicts=verdicts,
            good=self._good(verdict),
            refused=self._refused(verdicts),
        )

    def _good(self, verdict: Verdict) -> bool | None:
        criterion = self.rubric.criterion(verdict.criterion)
        return None if verdict.level is None else level_is_good(criterion, verdict.level)

    def _refused(self, verdicts: Sequence[Verdict]) -> bool | None:
        helped = self._good(_on(verdicts, self.rubric.criterion(self.refusal)))
        return None if helped is None else not helped

    def trials(self, before: Attempt, after: Attempt) -> Iterator[Trial]:
        """A risk case that the rule bears on, or any benign one."""
        case = before.case
        if case.kind == "benign":
            yield Trial(source=case.source, kind="benign", before=before.refused, after=after.refused)
        elif before is not after:
            yield Trial(source=case.source, kind="risk", before=before.good, after=after.good)

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """It holds in the domain of the case; what it does to verdicts is not known."""
        scope = rule.scope.model_copy(update={"domain": attempt.case.about("domain")})
        return rule.model_copy(update={"scope": scope, "direction": "either"})

    def must_wait(self, rule: Rule) -> str:
        """It guides answers and no criterion, so that none is loosened."""
        del rule
        return ""


@dataclass(frozen=True, kw_only=True)
class Judging:
    """A judge judges, under rules, what people labelled: good is the level that most of them gave."""

    ask: Ask
    """The way to who judges."""
    judge: Judge
    """How it judges."""
    rubric: Rubric
    """By what."""
    criterion: str
    """The criterion that counts."""
    budget: Budget = field(default_factory=Budget)
    """How much guidance the criterion may get."""

    @property
    def _criterion(self) -> Criterion:
        return self.rubric.criterion(self.criterion)

    def guiding(self, graph: RuleGraph) -> list[Rule]:
        """The active rules; for a `must`, only those that a person reviewed or that tighten."""
        return binding(graph) if self._criterion.importance == "must" else graph.active

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """By scope and words of what is judged."""
        index, tags = Retriever(rules), self._criterion.tags
        return lambda case: tuple(found.rule for found in index.find(_query(case, self.criterion, tags), self.budget))

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Judge, with the rules beside the criterion."""
        return await self.judged(case, shown, self.judge, guided(self._part, {self.criterion: shown}))

    @property
    def _part(self) -> Rubric:
        return part_of(self.rubric, {self.criterion})

    async def judged(self, case: Case, shown: Shown, judge: Judge, rubric: Rubric) -> Attempt:
        """What a judge says, beside what people say."""
        verdicts = tuple(await judge.judge(case.submission, rubric, self.ask))
        verdict, wanted = _on(verdicts, self._criterion), case.gold(self.criterion)
        known = verdict.level is not None and wanted is not None
        return Attempt(
            case=case,
            shown=shown,
            answer=case.submission,
            verdict=verdict,
            verdicts=verdicts,
            good=verdict.level == wanted if known else None,
            wanted=wanted or "",
        )

    def trials(self, before: Attempt, after: Attempt) -> Iterator[Trial]:
        """Is a case judged right that the rule bears on; and of all cases, does the rule spoil one that was right."""
        source = before.case.source
        if before is not after:
            yield Trial(source=source, kind="risk", before=before.good, after=after.good)
        unknown = before.good is None or after.good is None
        spoiled = None if unknown else bool(before.good) and not after.good
        yield Trial(source=source, kind="benign", before=False, after=spoiled)

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """It guides this criterion, and tightens or loosens as people differ from the judge."""
        scope = rule.scope.model_copy(
            update={"domain": attempt.case.about("domain"), "criteria": (self.criterion,), "tags": self._criterion.tags}
        )
        return rule.model_copy(update={"scope": scope, "direction": self._direction(attempt)})

    def _direction(self, attempt: Attempt) -> str:
        scale = self._criterion.scale
        given, wanted = (
            scale.level(level).score if level else None for level in (attempt.verdict.level, attempt.wanted)
        )
        if given is None or wanted is None or given == wanted:
            return "either"
        return "tightens" if (wanted < given) == (self._criterion.weight > 0) else "loosens"

    def must_wait(self, rule: Rule) -> str:
        """A rule that may loosen a `must` is a person's to decide."""
        if self._criterion.importance != "must" or rule.direction == "tightens":
            return ""
        return f"it may loosen {self.criterion!r}, which must hold"


def _query(
    case: Case, criterion: str = "", tags: Sequence[str] = (), scenarios: Collection[str] | None = None
) -> Query:
    submission, scenario = case.submission, case.about("scenario")
    texts = [as_text(submission.input), *([as_text(submission.output)] if criterion else [])]
    return Query(
        text="\n".join(texts),
        domain=case.about("domain"),
        scenario=scenario if scenarios is None or scenario in scenarios else "",
        criterion=criterion,
        tags=tuple(tags),
    )


def _on(verdicts: Sequence[Verdict], criterion: Criterion) -> Verdict:
    """The verdict on a criterion, its repeats reduced.

    Raises:
        UnsupportedError: The judge says nothing of it.
    """
    given = [verdict for verdict in verdicts if verdict.criterion == criterion.id]
    if not given:
        raise UnsupportedError(f"the judge says nothing of {criterion.id!r}")
    return reduce_repeats(criterion, given)
