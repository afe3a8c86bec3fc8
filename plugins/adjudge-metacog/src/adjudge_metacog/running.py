"""Puts a run of the cycle together: the judge, the candidate, the learner and the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from adjudge.api import BoundJudge, installed
from adjudge.assembly import NoBackend, assemble
from adjudge.cli.interrupt import stopping
from adjudge.engine import run_each
from adjudge.errors import InputError, UnsupportedError
from adjudge.interfaces import Ask, Backend
from adjudge.judges.members import asking, backends_of
from adjudge.ledger import Ledger
from adjudge.plugins import build_backend
from adjudge.rubric import Criterion, Rubric
from adjudge.sending import Policy
from adjudge.verdict import Sampling
from adjudge_metacog.answering import Answering
from adjudge_metacog.cases import Case, Parts
from adjudge_metacog.changes import Author
from adjudge_metacog.comparing import Comparer, LexicalComparer, ModelComparer
from adjudge_metacog.cycle import Cycle, Jobs
from adjudge_metacog.filing import Filing, Notebook
from adjudge_metacog.gate import Gate, next_cycle, shortfall
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.judging import Judging
from adjudge_metacog.practice import Practice
from adjudge_metacog.proposing import ModelProposer, PhraseTemplate, Proposer, RiskTemplate
from adjudge_metacog.reflection import Reflection, reflect
from adjudge_metacog.retrieval import Budget
from adjudge_metacog.voting import Voting

if TYPE_CHECKING:
    from adjudge.cli.options import How

Learner = Literal["model", "phrases", "risks"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done."""

    parts: Parts
    """The cases."""
    rubric: Rubric
    """By what is judged."""
    criterion: str
    """The criterion that counts."""
    how: How
    """How is judged."""
    candidate: str = ""
    """Backend that answers; if empty, given outputs are judged and held against labels."""
    learner: Learner = "model"
    """Who proposes: a model, or templates that need none (`phrases`, `risks`)."""
    compare: Literal["words", "model"] = "words"
    """Who tells duplicates and contradictions."""
    gate: Gate = field(default_factory=Gate)
    """What a rule has to show."""
    budget: Budget = field(default_factory=Budget)
    """How much guidance there may be."""
    cycles: int = 1
    """Most cycles."""
    most: int = 20
    """Most rules per cycle that go to the gate."""
    keep: bool = False
    """Leave rules active that help no more."""
    tokens: int = 600
    """Most tokens of an answer."""
    told: tuple[str, ...] = ()
    """What is judged and by what, as on the command line of `adjudge judge`."""

    def shortfall(self, graph: RuleGraph) -> str:
        """Why no rule can pass the gate with so few held-out cases; empty if one can."""
        harmless = [case for case in self.parts.gate if self._shows_harm(case)]
        sources = len({case.source for case in harmless})
        return shortfall(self.gate, sources, next_cycle(graph, self.gate.split))

    def _shows_harm(self, case: Case) -> bool:
        """Whether a rule may do its harm on a case: refuse it if it is benign, or spoil a verdict if it is labelled."""
        return case.kind == "benign" if self.candidate else case.gold(self.criterion) is not None


async def carried_out(plan: Plan, graph: RuleGraph, ledger: Ledger) -> tuple[Reflection, Notebook, Mapping[str, Any]]:
    """Run the cycle.

    Returns:
        What it came to, the graph with what changed, and where the figures come from.
    """
    bound = bound_judge(plan.rubric, plan.how, ledger)
    candidate = candidate_of(plan, bound.backend)
    try:
        await bound.prepare()
        cycle = _cycle(plan, bound, bound.engine.to(candidate) if candidate else None, graph)
        seen, before = seen_before(graph, plan.gate), len(cycle.practice.guiding(graph))
        seen += [short] if (short := plan.shortfall(graph)) else []
        with stopping(bound.engine):
            found = await reflect(cycle, plan.parts, plan.cycles)
        counts = {"rules before": before, "rules after": len(cycle.practice.guiding(cycle.graph))}
        return found, cycle.notebook, {**_provenance(plan, bound, candidate), **counts, "warnings": seen}
    finally:
        await closed(bound, candidate)


async def closed(bound: BoundJudge, candidate: Backend | None = None) -> None:
    """Release every backend, each once."""
    every = (bound.backend, *backends_of(bound.judge), *([candidate] if candidate else []))
    for one in {id(one): one for one in every}.values():
        await one.aclose()


def seen_before(graph: RuleGraph, gate: Gate) -> list[str]:
    """A warning if rules of the graph were proved on other parts of the same file: its final cases are not all new."""
    splits = {event.evidence.split for record in graph.records.values() for event in record.measured.values()}
    file = gate.split.partition(",")[0]
    others = sorted(split for split in splits if split.partition(",")[0] == file and split != gate.split)
    return [f"rules of the graph were proved on other parts of this file ({'; '.join(others)})"] if others else []


def card_line(bound: BoundJudge, rubric: Rubric) -> str:
    """What is known of this judge on this rubric: a judge at chance proves the plumbing only."""
    from adjudge.report import CardStore, identity_hash, line, read_out_of
    from adjudge.report.card_text import missing_line

    shipped = [spec.cards for spec in installed().backends.values() if spec.cards is not None]
    read_out, judge = read_out_of(bound.judge), bound.judge.name
    card = CardStore(shipped=shipped).find(identity_hash(bound.backend.identity), read_out, rubric.hash, judge)
    return line(card) if card is not None else missing_line(rubric.id, bound.backend.name, judge, read_out)


def bound_judge(
    rubric: Rubric, how: How, ledger: Ledger, change: Callable[[Backend], Backend] | None = None
) -> BoundJudge:
    """The judge, bound to its backend; `change` puts others in the place of all backends.

    Raises:
        UnsupportedError: The judge does not fit, or asks somebody who is not on this machine though all must be.
    """
    judge, backend = assemble(installed(), how.judge or "isolated", how.options({}), how.backend, how.backend_options)
    for one in (backend, *backends_of(judge)):
        _check_local(how, one)
    if change is not None:
        judge, backend = asking(judge, change), change(backend)
    policy = Policy(**how.policy)
    return BoundJudge(judge, rubric, backend, ledger, installed(), concurrency=how.concurrency, policy=policy)


def asks_somebody(how: How) -> bool:
    """Whether the judge asks a backend."""
    spec = installed().judges.get(how.judge or "isolated")
    return spec is None or spec.asks


def candidate_of(plan: Plan, judge: Backend) -> Backend | None:
    """The one who answers; the judge's own backend if it is named the same, so that no model is loaded twice."""
    if not plan.candidate:
        return None
    same = plan.candidate == plan.how.backend
    if same and not isinstance(judge, NoBackend):
        found = judge
    else:
        found = build_backend(installed(), plan.candidate, plan.how.backend_options if same else None)
    _check_local(plan.how, found)
    return found


def _check_local(how: How, backend: Backend) -> None:
    if how.local_only and not backend.capabilities.local:
        raise UnsupportedError(f"{backend.name} is not on this machine and --local-only is set")


def _cycle(plan: Plan, bound: BoundJudge, candidate: Ask | None, graph: RuleGraph) -> Cycle:
    notebook = Notebook(graph)
    practice = practice_of(plan, bound, candidate, graph)
    filing = Filing(practice, _proposer(plan, bound), _comparer(plan, bound), Author(_signature(plan)), notebook)

    async def run(jobs: Jobs) -> None:
        await run_each(bound.engine, range(len(jobs)), lambda place: jobs[place]())

    return Cycle(filing, plan.gate, most=plan.most, keep=plan.keep, run=run)


def _signature(plan: Plan) -> str:
    """Who is put on record; no time, so that the same run gives the same graph."""
    answered = f", answers of {plan.candidate}" if plan.candidate else ""
    return f"adjudge reflect: learner {plan.learner}, judge {plan.how.judge or 'isolated'}@{plan.how.backend}{answered}"


def practice_of(plan: Plan, bound: BoundJudge, candidate: Ask | None, graph: RuleGraph) -> Practice:
    """What is done under rules.

    Raises:
        UnsupportedError: Learner, rubric and cases do not fit together.
        InputError: There is nothing to learn from.
    """
    common: dict[str, Any] = {"ask": bound.engine, "judge": bound.judge, "rubric": plan.rubric, "budget": plan.budget}
    if candidate is not None:
        if plan.learner == "phrases":
            raise UnsupportedError("the learner 'phrases' learns from labels; leave --candidate out, or use 'risks'")
        _check_refusals(plan)
        sampling = Sampling(max_tokens=plan.tokens)
        return Answering(candidate=candidate, criterion=plan.criterion, reviewed=graph, sampling=sampling, **common)
    if plan.learner == "risks":
        raise UnsupportedError("the learner 'risks' learns from answers of a candidate; name one with --candidate")
    check_labels(plan.parts, plan.rubric.criterion(plan.criterion))
    return (Voting if plan.learner == "phrases" else Judging)(criterion=plan.criterion, **common)


def _check_refusals(plan: Plan) -> None:
    if not any(criterion.id == "refusal" for criterion in plan.rubric.criteria):
        raise UnsupportedError(
            f"{plan.rubric.id}: has no criterion `refusal`, by which harmless twins are told to be refused or not; "
            "see metacog/self-assessment"
        )


def check_labels(parts: Parts, criterion: Criterion) -> None:
    """Refuse cases without labels, and labels of levels that there are not.

    Raises:
        InputError: There is nothing to learn from, or a label is none of the criterion's levels.
    """
    gold = {case.id: level for case in (*parts.learn, *parts.gate, *parts.final) if (level := case.gold(criterion.id))}
    if not gold:
        raise InputError(
            f"no case has a label of {criterion.id!r} to learn from; name its column with --column "
            f"label:{criterion.id}=NAME, or a candidate that answers with --candidate"
        )
    for name, level in gold.items():
        if level not in criterion.scale:
            known = ", ".join(one.id for one in criterion.scale.levels)
            raise InputError(f"{name!r}: the label {level!r} of {criterion.id!r} is no level of it; known: {known}")


def _proposer(plan: Plan, bound: BoundJudge) -> Proposer:
    if plan.learner == "phrases":
        return PhraseTemplate.learned(plan.parts.learn, plan.criterion)
    if plan.learner == "risks":
        return RiskTemplate()
    return ModelProposer(bound.engine, f"a case judged by {bound.backend.name}")


def _comparer(plan: Plan, bound: BoundJudge) -> Comparer:
    return ModelComparer(bound.judge, bound.engine) if plan.compare == "model" else LexicalComparer()


def _provenance(plan: Plan, bound: BoundJudge, candidate: Backend | None) -> dict[str, Any]:
    tally, parts = bound.engine.tally, plan.parts
    return {
        "rubric": f"{plan.rubric.id} {plan.rubric.version}",
        "criterion": plan.criterion,
        "judge": bound.judge.name,
        "backend": bound.backend.name,
        "candidate": candidate.name if candidate else None,
        "learner": plan.learner,
        "cases": {name: len(getattr(parts, name)) for name in ("learn", "gate", "final")},
        "judge card": card_line(bound, plan.rubric),
        "asked now": tally.asked,
        "from the ledger": tally.served,
    }
