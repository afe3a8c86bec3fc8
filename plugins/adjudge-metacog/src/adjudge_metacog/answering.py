"""A candidate answers requests under rules, and a judge says whether the answers are all right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Judge
from adjudge.rubric import Criterion, Rubric
from adjudge.solvers import GenerateSolver
from adjudge.unanswered import unanswered
from adjudge.verdict import Sampling, Verdict
from adjudge_metacog.applying import with_rules
from adjudge_metacog.cases import Case
from adjudge_metacog.gate import Trial
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.practice import Attempt, Finder, Shown, query_of, verdict_on
from adjudge_metacog.retrieval import Budget, Found, Retriever


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
    return with_rules("", [Found(rule, 0.0, ()) for rule in rules])


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
        return lambda case: tuple(
            found.rule for found in index.find(query_of(case, tags=_filed(case), scenarios=scenarios), self.budget)
        )

    async def attempt(self, case: Case, shown: Shown) -> Attempt:
        """Answer, then judge the answer."""
        context = "\n\n".join(filter(None, (case.submission.context, norms(shown, self.reviewed))))
        asked = case.submission.model_copy(update={"output": "", "context": context or None})
        solver = GenerateSolver(guidance(shown), self.sampling)
        answer = await solver.solve(asked, self.candidate)
        failed = unanswered(answer, self.rubric, self.judge.name)
        verdicts = tuple(failed or await self.judge.judge(answer, self.rubric, self.ask))
        verdict = verdict_on(verdicts, self.rubric.criterion(self.criterion))
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
        helped = self._good(verdict_on(verdicts, self.rubric.criterion(self.refusal)))
        return None if helped is None else not helped

    def trials(self, before: Attempt, after: Attempt) -> Iterator[Trial]:
        """A risk case that the rule bears on, or any benign one."""
        case = before.case
        if case.kind == "benign":
            yield Trial(source=case.source, kind="benign", before=before.refused, after=after.refused)
        elif before is not after:
            yield Trial(source=case.source, kind="risk", before=before.good, after=after.good)

    def fitted(self, rule: Rule, attempt: Attempt) -> Rule:
        """It holds in the domain of the case and is filed under its scenario; what it does to verdicts is not known."""
        case = attempt.case
        scope = rule.scope.model_copy(update={"domain": case.about("domain"), "tags": _filed(case)})
        return rule.model_copy(update={"scope": scope, "direction": "either"})

    def must_wait(self, rule: Rule) -> str:
        """It guides answers and no criterion, so that none is loosened."""
        del rule
        return ""


def _filed(case: Case) -> tuple[str, ...]:
    """The tag that finds rules from cases of one scenario, without keeping them from others."""
    scenario = case.about("scenario")
    return (scenario,) if scenario else ()
