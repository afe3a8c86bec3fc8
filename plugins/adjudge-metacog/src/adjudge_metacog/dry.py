"""`adjudge reflect --dry-run`: what a run would ask before anything is known, and what may come on top."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from adjudge.cli.dry import DryBackend
from adjudge.ledger import LEDGER, Ledger
from adjudge.verdict import Question, Reply
from adjudge_metacog.cases import Case
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.running import Plan, bound_judge, candidate_of, practice_of


class DryCandidate(DryBackend):
    """Counts, and says something in the place of an answer, so that the judge's questions can be counted too."""

    async def ask(self, question: Question) -> Reply:
        """Count the question."""
        await super().ask(question)
        return Reply(text="Here an answer would stand.")


def dry_lines(plan: Plan, graph: RuleGraph, out: Path | None) -> Iterator[str]:
    """What the run would take; a ledger that is there is looked at, and nothing is written."""
    parts = plan.parts
    for name in ("learn", "gate", "final"):
        cases: tuple[Case, ...] = getattr(parts, name)
        kinds = [case.kind for case in cases]
        told = f"{kinds.count('risk')} risk and {kinds.count('benign')} benign cases"
        yield f"{name}: {told}, {len({case.source for case in cases})} sources"
    yield from asyncio.run(_counted(plan, graph, out))
    yield (
        "That is every case once, under the rules that there are. On top come a proposal for each case that turns out "
        f"badly, and for each of up to {plan.most} rules per cycle the cases that it bears on."
    )


async def _counted(plan: Plan, graph: RuleGraph, out: Path | None) -> list[str]:
    path = out / LEDGER if out is not None else None
    with Ledger(path if path is not None and path.is_file() else ":memory:") as ledger:
        dry: list[DryBackend] = []

        def counting(backend: object, kind: type[DryBackend] = DryBackend) -> DryBackend:
            dry.append(kind(backend))  # type: ignore[arg-type] # a backend, whoever made it
            return dry[-1]

        bound = bound_judge(plan.rubric, plan.how, ledger, counting)
        candidate = candidate_of(plan, bound.backend)
        try:
            way = bound.engine.to(counting(candidate, DryCandidate)) if candidate is not None else None
            practice = practice_of(plan, bound, way, graph)
            find = practice.finder(practice.guiding(graph))
            for case in (*plan.parts.learn, *plan.parts.gate, *plan.parts.final):
                await practice.attempt(case, find(case))
        finally:
            await bound.backend.aclose()
            if candidate is not None:
                await candidate.aclose()
    return [one.line() for one in dry if one.questions] or ["dry run: nothing would be asked"]
