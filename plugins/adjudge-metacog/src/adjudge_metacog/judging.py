"""A judge judges, under rules, what people labelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adjudge.interfaces import Ask, Judge
from adjudge.judges.members import part_of
from adjudge.rubric import Criterion, Rubric
from adjudge_metacog.cases import Case
from adjudge_metacog.gate import Trial
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.practice import Attempt, Finder, Shown, query_of, verdict_on
from adjudge_metacog.reflective import binding, guided
from adjudge_metacog.retrieval import Budget, Retriever


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
        return lambda case: tuple(found.rule for found in index.find(query_of(case, self.criterion, tags), self.budget))

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Judge, with the rules beside the criterion."""
        return await self.judged(case, shown, self.judge, guided(self._part, {self.criterion: shown}))

    @property
    def _part(self) -> Rubric:
        return part_of(self.rubric, {self.criterion})

    async def judged(self, case: Case, shown: Shown, judge: Judge, rubric: Rubric) -> Attempt:
        """What a judge says, beside what people say."""
        verdicts = tuple(await judge.judge(case.submission, rubric, self.ask))
        verdict, wanted = verdict_on(verdicts, self._criterion), case.gold(self.criterion)
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
