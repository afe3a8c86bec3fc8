"""`--dry-run` of learning: what a run would ask before anything is known, and what may come on top."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from adjudge.cli.dry import DryBackend
from adjudge.cli.options import How
from adjudge.interfaces import Backend
from adjudge.judges.members import part_of
from adjudge.ledger import LEDGER, Ledger
from adjudge.rubric import Rubric
from adjudge.verdict import Question, Reply
from adjudge_metacog.cases import Case, Parts
from adjudge_metacog.gate import Gate, shortfall
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.running import Plan, bound_judge, candidate_of, closed, practice_of


class DryCandidate(DryBackend):
    """Counts, and says something in the place of an answer, so that the judge's questions can be counted too."""

    async def ask(self, question: Question) -> Reply:
        """Count the question."""
        await super().ask(question)
        return Reply(text="Here an answer would stand.")


def dry_lines(plan: Plan, graph: RuleGraph, out: Path | None) -> Iterator[str]:
    """What `adjudge reflect` would take; a ledger that is there is looked at, and nothing is written."""
    yield from sizes(plan.parts, "" if plan.candidate else plan.criterion)
    if short := plan.shortfall(graph):
        yield f"warning: {short}"
    yield from asyncio.run(_reflecting(plan, graph, out))
    yield (
        "That is every case once, under the rules that there are. On top come a proposal for each case that turns out "
        f"badly, and for each of up to {plan.most} rules per cycle the cases that it bears on."
    )


def grow_lines(
    rubric: Rubric, criterion: str, parts: Parts, how: How, out: Path | None, *, gate: Gate, look: int
) -> Iterator[str]:
    """What `adjudge grow` would take."""
    yield from sizes(parts, criterion)
    sources = len({case.source for case in parts.gate if case.gold(criterion) is not None})
    if short := shortfall(gate, sources, look, "--spoils"):
        yield f"warning: {short}"
    yield from asyncio.run(_growing(rubric, criterion, parts, how, out))
    yield (
        "That is every case once. On top come a proposal for each disagreement, and the cases to prove on again for "
        "each amendment that is tried."
    )


def sizes(parts: Parts, criterion: str = "") -> Iterator[str]:
    """How many cases and sources each part has.

    Args:
        parts: The cases.
        criterion: What people labelled; empty where answers to risk cases and their benign twins are judged.
    """
    for name in ("learn", "gate", "final"):
        cases: tuple[Case, ...] = getattr(parts, name)
        yield f"{name}: {_counted(cases, criterion)}, {len({case.source for case in cases})} sources"


def _counted(cases: Sequence[Case], criterion: str) -> str:
    if criterion:
        labelled = sum(case.gold(criterion) is not None for case in cases)
        return f"{labelled} labelled cases" + (f" of {len(cases)}" if labelled < len(cases) else "")
    kinds = [case.kind for case in cases]
    return f"{kinds.count('risk')} risk and {kinds.count('benign')} benign cases"


class _Counters:
    """The backends that stand in front of the real ones."""

    def __init__(self) -> None:
        self.made: list[DryBackend] = []

    def __call__(self, backend: Backend, kind: type[DryBackend] = DryBackend) -> DryBackend:
        self.made.append(kind(backend))
        return self.made[-1]

    def lines(self) -> list[str]:
        return [one.line() for one in self.made if one.questions] or ["dry run: nothing would be asked"]


def _ledger(out: Path | None) -> Ledger:
    path = out / LEDGER if out is not None else None
    return Ledger(path if path is not None and path.is_file() else ":memory:")


async def _reflecting(plan: Plan, graph: RuleGraph, out: Path | None) -> list[str]:
    with _ledger(out) as ledger:
        dry = _Counters()
        bound = bound_judge(plan.rubric, plan.how, ledger, dry)
        candidate = candidate_of(plan, bound.backend)
        try:
            way = bound.engine.to(dry(candidate, DryCandidate)) if candidate is not None else None
            practice = practice_of(plan, bound, way, graph)
            find = practice.finder(practice.guiding(graph))
            for case in (*plan.parts.learn, *plan.parts.gate, *plan.parts.final):
                await practice.attempt(case, find(case))
        finally:
            await closed(bound, candidate)
    return dry.lines()


async def _growing(rubric: Rubric, criterion: str, parts: Parts, how: How, out: Path | None) -> list[str]:
    with _ledger(out) as ledger:
        dry = _Counters()
        bound = bound_judge(rubric, how, ledger, dry)
        try:
            for case in (*parts.learn, *parts.gate, *parts.final):
                await bound.judge.judge(case.submission, part_of(rubric, {criterion}), bound.engine)
        finally:
            await closed(bound)
    return dry.lines()
