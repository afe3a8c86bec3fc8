"""What rules in the system message change: attack success and over-refusal of a candidate, without them and with them.

    python bench/mentor.py [--candidate local] [--judge refusal-words] [--backend local] [--graph rules.jsonl]
                           [--pairs 15] [--rules 3] [--seed 0] [-B threads=1] [--out FOLDER]

A candidate answers synthetic risk queries and their benign twins (docs/plugins/mentor.md), first as it is, then under
the rules of a graph that bear on each. A judge judges both. Two of five scenarios of each domain are unseen: without
`--graph`, the static trees are used less their rules for those, so that the change there is a generalisation; a graph
of your own should have learned from the others alone (same `--seed`). Intervals are clustered by scenario. With `--out`
every reply is kept: the same command again asks nothing. `--agreement` also measures the judge against the labels of
ninety synthetic answers. `--retrieval` asks nobody: it tells how often a rule of the query's own scenario is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.api import BoundJudge, installed, make_judge
from adjudge.engine import Engine, run_each
from adjudge.errors import AdjudgeError
from adjudge.interfaces import Solver
from adjudge.ledger import Ledger
from adjudge.metrics import Estimate, clustered_rate
from adjudge.plugins import build_backend
from adjudge.rubric import Rubric
from adjudge.solvers import GenerateSolver
from adjudge.submission import Submission
from adjudge.verdict import Result, Sampling
from adjudge_mentor.metrics import ALIGNMENT, COMPLIANCE, Handled, change_figures, handled
from adjudge_mentor.queries import DOMAINS, RiskQuery, load_queries, unseen_scenarios
from adjudge_mentor.recognition import assessment_agreement
from adjudge_mentor.rules import static_graph, tree_of
from adjudge_mentor.tasks import agreement_dataset, answers_dataset
from adjudge_metacog.applying import RULES, Guidance, GuidedSolver, load_guidance
from adjudge_metacog.embedding import embedder
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.retrieval import Budget
from adjudge_metacog.trees import graph_of

SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True)
class Run:
    """Answers under one regime, and what the judge says of them."""

    answers: Sequence[Submission]
    results: Sequence[Result]

    @property
    def handled(self) -> list[Handled]:
        return handled(self.answers, self.results)


def trees_without(scenarios: Collection[str]) -> RuleGraph:
    """The static trees less what they say of these scenarios."""
    trees = map(tree_of, DOMAINS)
    return graph_of(
        *(
            tree.model_copy(update={"scenarios": tuple(one for one in tree.scenarios if one.id not in scenarios)})
            for tree in trees
        )
    )


def deciding(item: Submission) -> Submission:
    """The request with the one criterion of its rubric that decides whether it was handled well."""
    assert item.rubric is not None
    criteria = [one for one in item.rubric.criteria if one.id in (ALIGNMENT, COMPLIANCE)]
    fields = {name: getattr(item.rubric, name) for name in Rubric.model_fields}
    return item.model_copy(
        update={"rubric": Rubric.model_validate({**fields, "criteria": criteria, "tests": (), "groups": ()})}
    )


async def answered(solver: Solver, items: Sequence[Submission], engine: Engine) -> list[Submission]:
    found: dict[int, Submission] = {}

    async def answer(place: int) -> None:
        found[place] = await solver.solve(items[place], engine)

    await run_each(engine, range(len(items)), answer)
    return [found[place] for place in range(len(items))]


async def compared(
    items: Sequence[Submission], guidance: Guidance, engine: Engine, judge: BoundJudge, *, max_tokens: int = 120
) -> tuple[Run, Run]:
    """The two runs of the candidate behind the engine: without rules and with them."""
    plain = GenerateSolver(SYSTEM, Sampling(max_tokens=max_tokens))
    answers = [await answered(solver, items, engine) for solver in (plain, GuidedSolver(plain, guidance))]
    first, second = [Run(some, await judge.many(some)) for some in answers]
    return first, second


def table(figures: Mapping[str, Estimate]) -> list[str]:
    """Before, after and change of each rate, in Markdown."""
    rows = ["| rate | without rules | with rules | change [95 %] |", "|---|---|---|---|"]
    names = [name.removesuffix("_change") for name in figures if name.endswith("_change")]
    for name in names:
        before, after, change = (figures[f"{name}_{part}"] for part in ("before", "after", "change"))
        rows.append(f"| {name.replace('_', ' ')} | {before} | {after} | {change} |")
    return rows


def notes(before: Run, after: Run) -> list[str]:
    """What the table rests on."""
    shown = [len(named) if isinstance(named := one.metadata.get(RULES), list) else 0 for one in after.answers]
    same = sum(a.output == b.output for a, b in zip(before.answers, after.answers, strict=True))
    scored = [sum(one.level is not None for one in run.handled) for run in (before, after)]
    count = len(after.answers)
    return [
        f"{count} requests; rules shown for {sum(n > 0 for n in shown)} of them, {sum(shown) / count:.1f} on average",
        f"{same} answers are the same with rules; scored: {scored[0]} without, {scored[1]} with rules",
    ]


async def agreement(judge: BoundJudge) -> list[str]:
    """The judge against the author's labels of given answers."""
    items = [deciding(item) for item in agreement_dataset()]
    results = await judge.many(items)
    kept = [
        item.model_copy(update={"labels": tuple(one for one in item.labels if one.criterion != "handling")})
        for item in items
    ]
    found = assessment_agreement(kept, results)
    wanted = [f"{name}[{criterion}]" for criterion in (ALIGNMENT, COMPLIANCE) for name in ("accuracy", "kappa")]
    wanted += ["recall[misaligned]", "recall[refused]"]
    return ["", "the judge against 90 labelled answers:", *(f"  {name}: {found[name]}" for name in wanted)]


def retrieved(rules: int) -> list[str]:
    """How often the rules shown hold one of the query's own scenario, with less and less said of the case."""
    graph, budget = static_graph(), Budget(rules=rules)
    ways = {"by words": Guidance(graph, budget), "by meaning": Guidance(graph, budget, embedder=embedder("use"))}
    queries = [query for query in load_queries() if query.kind == "risk"]
    rows = ["| of the case is known | " + " | ".join(ways) + " |", "|---" * (1 + len(ways)) + "|"]
    for known in (("domain", "scenario"), ("domain",), ()):
        shares = [
            str(clustered_rate([_own(way, query, known) for query in queries], [query.scenario for query in queries]))
            for way in ways.values()
        ]
        rows.append(f"| {', '.join(('text', *known))} | {' | '.join(shares)} |")
    return rows


def _own(guidance: Guidance, query: RiskQuery, known: Sequence[str]) -> bool:
    found = guidance.find(query.query, {name: getattr(query, name) for name in known})
    return any(query.scenario in each.rule.scope.scenarios for each in found)


def typed(pairs: Sequence[str]) -> dict[str, Any]:
    """Options as `name=value`, whole numbers as numbers."""
    split = [pair.partition("=") for pair in pairs]
    return {name: int(value) if value.lstrip("-").isdigit() else value for name, _, value in split}


async def run(asked: argparse.Namespace) -> list[str]:
    items = [deciding(item) for item in answers_dataset(pairs=asked.pairs, seed=asked.seed)]
    unseen = unseen_scenarios(load_queries(), asked.seed)
    budget = Budget(rules=asked.rules)
    graph = load_guidance(asked.graph, 0, 0, "", "the bench").graph if asked.graph else trees_without(unseen)
    guidance = Guidance(graph, budget)
    candidate = build_backend(installed(), asked.candidate, typed(asked.option))
    same = asked.backend == asked.candidate or asked.judge == "refusal-words"
    judging = candidate if same else build_backend(installed(), asked.backend, typed(asked.option))
    try:
        with Ledger(asked.out / "ledger.sqlite" if asked.out else ":memory:") as ledger:
            judge, engine = (
                make_judge(None, backend=judging, judge=asked.judge, ledger=ledger),
                Engine(candidate, ledger),
            )
            before, after = await compared(items, guidance, engine, judge, max_tokens=asked.max_tokens)
            measured = await agreement(judge) if asked.agreement else []
            tallies = (engine.tally, judge.engine.tally)
            asked_now, served = sum(one.asked for one in tallies), sum(one.served for one in tallies)
    finally:
        await candidate.aclose()
        await judging.aclose()
    judged_by = asked.judge if asked.judge == "refusal-words" else f"{asked.judge} over {judging.name}"
    rules = f"{len(graph.active)} active rules of {asked.graph or 'the static trees, less the unseen scenarios'}"
    figures = change_figures(before.handled, after.handled, unseen)
    head = [f"candidate {candidate.name}, judge {judged_by}, at most {asked.rules} of {rules}, seed {asked.seed}", ""]
    told = f"{asked_now} questions asked now, {served} answered from the ledger"
    return [*head, *table(figures), "", *notes(before, after), told, *measured]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidate", default="local", help="who answers: backend, or backend:model")
    parser.add_argument(
        "--judge", default="refusal-words", help="isolated, panel, … or refusal-words, which asks nobody"
    )
    parser.add_argument("--backend", default="local", help="whom the judge asks")
    parser.add_argument("--graph", default="", help="rule graph, or rule tree in YAML; the static trees if empty")
    parser.add_argument("--pairs", type=int, default=15, help="pairs of risk query and twin; 0 for all 120")
    parser.add_argument("--rules", type=int, default=3, help="most rules per answer")
    parser.add_argument("--max-tokens", type=int, default=120, help="longest answer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-B", dest="option", action="append", default=[], help="option of the backends: name=value")
    parser.add_argument("--agreement", action="store_true", help="measure the judge on labelled answers too")
    parser.add_argument("--out", type=Path, help="folder that keeps every reply")
    parser.add_argument("--retrieval", action="store_true", help="only tell how well rules are found")
    asked = parser.parse_args()
    if asked.retrieval:
        print("\n".join(retrieved(asked.rules)))
        return 0
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
    try:
        print("\n".join(asyncio.run(run(asked))))
    except AdjudgeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
