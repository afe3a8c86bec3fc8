"""A learning curve on real labels: rules learned on one half of the Financial PhraseBank, measured on the other.

    python bench/metacog_phrasebank.py [--seed 0]
    python bench/metacog_phrasebank.py --model PATH.gguf|default [--n 400] [--threads 1] [--ledger FILE]

No language model is needed: words that tell where people differ from the judge are proposed as rules, the gate proves
them, and the judge `rule-votes` counts them. Judges without rules are one that always says the commonest label and the
rule table of adjudge-finance; with `--model`, that model's log-probabilities of the labels. Each is shown beside the
same judge with all proposed rules and no gate (flat), and with as many random rules as passed the gate. A model is
asked once for each sentence; a run that was stopped goes on from its ledger. The gate proves nothing on few sentences:
a model's curve wants thousands (`--n 3000` takes all). The data are read from ADJUDGE_DATA (Malo et al. 2014;
CC BY-NC-SA 3.0).
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tables import data_set

from adjudge.api import installed
from adjudge.assembly import NoBackend
from adjudge.engine import Engine, run_each
from adjudge.interfaces import Ask, Backend, Item, Judge
from adjudge.judges.isolated import IsolatedJudge
from adjudge.ledger import Ledger
from adjudge.metrics import Estimate, clustered_rate, paired_difference
from adjudge.plugins import build_backend
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge.verdict import Verdict
from adjudge_finance.judges import SPECS
from adjudge_finance.phrasebank import load_sentences
from adjudge_finance.rubrics import pack
from adjudge_metacog.cases import Case, Parts, parted
from adjudge_metacog.changes import Author
from adjudge_metacog.comparing import LexicalComparer
from adjudge_metacog.cycle import Cycle, Jobs
from adjudge_metacog.filing import Filing, Notebook
from adjudge_metacog.gate import Gate
from adjudge_metacog.graph import RuleGraph
from adjudge_metacog.nodes import Rule
from adjudge_metacog.practice import Attempt
from adjudge_metacog.proposing import PhraseTemplate
from adjudge_metacog.splits import place_of
from adjudge_metacog.voting import Vote, Voting, vote_of

SHARES = {"learn": 0.2, "gate": 0.3, "final": 0.5}
"""One half to learn from and to prove on, the other to measure on."""
FRACTIONS = (0.25, 0.5, 1.0)
"""How much of the first half is used."""
CYCLES = 2
MOST = 40
DRAWS = 20
"""Draws of random rules."""


@dataclass(frozen=True)
class Constant:
    """Always says the same level."""

    level: str

    @property
    def name(self) -> str:
        return f"always {self.level}"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        del ask
        scales = ((criterion, criterion.scale.level(self.level)) for criterion in rubric.criteria)
        return [
            Verdict(submission=item.id, criterion=c.id, status="scored", level=level.id, score=level.score)
            for c, level in scales
        ]


@dataclass(frozen=True)
class Arm:
    """What a judge says of the final half under some rules."""

    rules: int
    good: Sequence[float | None]


def cases_of(folder: Path, criterion: str, n: int | None, seed: int) -> list[Case]:
    """The sentences with their majority labels; of one with two majorities the first."""
    seen = {one.text: one for one in reversed(load_sentences(folder))}
    cases = [
        Case(
            submission=Submission(
                id=f"s{one.number}", output=text, labels=(Label(criterion=criterion, level=one.sentiment),)
            ),
            source=text,
        )
        for text, one in seen.items()
    ]
    return sorted(cases, key=lambda case: place_of(f"sample {case.source}", seed))[:n]


def fraction_of(parts: Parts, share: float, seed: int) -> Parts:
    """The parts with less to learn from and to prove on; a smaller share lies within a larger one."""

    def some(cases: Sequence[Case]) -> tuple[Case, ...]:
        return tuple(case for case in cases if place_of(f"fraction {case.source}", seed) < share)

    return replace(parts, learn=some(parts.learn), gate=some(parts.gate))


def random_rules(parts: Parts, criterion: str, like: Sequence[Rule], draw: random.Random) -> list[Rule]:
    """As many rules as there are, each as strong as one of them, for words and levels drawn at random."""
    runs = sorted(PhraseTemplate.learned(parts.learn, criterion).counts)
    levels = sorted({str(case.gold(criterion)) for case in parts.learn})
    found = []
    for number, rule in enumerate(like):
        vote = vote_of(rule.text)
        assert vote is not None
        said = Vote((draw.choice(runs),), draw.choice(levels), vote.hits, vote.of)
        found.append(Rule(kind="rule", id=f"random-{number}", text=said.text))
    return found


class Curve:
    """One judge, with and without rules."""

    def __init__(self, judge: Judge, backend: Backend, rubric: Rubric, ledger: Ledger, seed: int) -> None:
        self.engine = Engine(backend, ledger)
        self.criterion = rubric.criteria[0].id
        self.practice = Voting(ask=self.engine, judge=judge, rubric=rubric, criterion=self.criterion)
        self.seed = seed
        self.unscored = 0
        """Sentences to measure on of which the judge without rules says nothing; they are in no figure."""

    async def run(self, jobs: Jobs) -> None:
        await run_each(self.engine, range(len(jobs)), lambda place: jobs[place]())

    def cycle(self, parts: Parts) -> Cycle:
        proposer = PhraseTemplate.learned(parts.learn, self.criterion)
        filing = Filing(self.practice, proposer, LexicalComparer(), Author("bench"), Notebook(RuleGraph()))
        return Cycle(filing, Gate(refusals=0.05), most=MOST, run=self.run)

    async def arms(self, parts: Parts) -> dict[str, Arm]:
        """No rules, the gated ones, all that were proposed, and random ones."""
        cycle = self.cycle(parts)
        for _ in range(CYCLES):
            await cycle.turn(parts)
        gated, flat = cycle.graph.active, list(cycle.graph.rules)
        draw = random.Random(self.seed)
        found = {name: await self.measured(cycle, parts, rules) for name, rules in (("none", []), ("gated", gated))}
        found["flat"] = await self.measured(cycle, parts, flat)
        drawn = [
            await self.measured(cycle, parts, random_rules(parts, self.criterion, gated, draw)) for _ in range(DRAWS)
        ]
        found["random"] = Arm(len(gated), [mean(values) for values in zip(*(arm.good for arm in drawn), strict=True)])
        return found

    async def measured(self, cycle: Cycle, parts: Parts, rules: Sequence[Rule]) -> Arm:
        attempts: Sequence[Attempt] = await cycle.attempts(parts.final, self.practice.finder(rules))
        return Arm(len(rules), [None if one.good is None else float(one.good) for one in attempts])

    async def rows(self, parts: Parts, name: str) -> Iterator[list[str]]:
        """One row per fraction."""
        found: list[list[str]] = []
        for share in FRACTIONS:
            used = fraction_of(parts, share, self.seed)
            arms = await self.arms(used)
            units = [case.source for case in used.final]
            none = arms["none"]
            self.unscored = sum(value is None for value in none.good)
            before = clustered_rate([bool(value) for value in none.good if value is not None])
            changes = [paired_difference(arms[arm].good, none.good, units) for arm in ("gated", "flat", "random")]
            over = [paired_difference(arms["gated"].good, arms[arm].good, units) for arm in ("flat", "random")]
            sizes = f"{len(used.learn)} + {len(used.gate)}"
            rules = f"{arms['gated'].rules} of {arms['flat'].rules}"
            found.append([name, sizes, rules, f"{before:.3f}", *(_short(one) for one in (*changes, *over))])
        return iter(found)


def mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _short(value: Estimate) -> str:
    if value.value is None or value.low is None or value.high is None:
        return str(value)
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


HEAD = (
    "judge without rules | learned + proved on | rules passed of proposed | agreement | gain, gated | gain, flat | "
    "gain, random | gated - flat | gated - random"
)


async def report(given: argparse.Namespace, folder: Path) -> None:
    rubric = pack("investor-sentiment")
    criterion = rubric.criteria[0].id
    cases = cases_of(folder, criterion, given.n if given.model else None, given.seed)
    parts = parted(cases, seed=given.seed, shares=SHARES)
    print(f"{len(parts.final)} sentences to measure on, seed {given.seed}\n\n| {HEAD} |\n{'|---' * 9}|")
    left_out = []
    for judge, backend in judges(given, cases, criterion):
        given.ledger.parent.mkdir(parents=True, exist_ok=True)
        with Ledger(given.ledger if given.model else ":memory:") as ledger:
            name = judge.name if isinstance(backend, NoBackend) else f"{backend.name}, label"
            curve = Curve(judge, backend, rubric, ledger, given.seed)
            for row in await curve.rows(parts, name):
                print(f"| {' | '.join(row)} |", flush=True)
            left_out.append(f"{name}: {curve.unscored} of {len(parts.final)} sentences unscored, in no figure")
            if given.model:
                left_out.append(
                    f"{ledger.counts()[0]} replies in {given.ledger}, one for each sentence that was asked about"
                )
        await backend.aclose()
    print("\n" + "\n".join(left_out))


def judges(given: argparse.Namespace, cases: Sequence[Case], criterion: str) -> Iterator[tuple[Judge, Backend]]:
    """Those without rules, each with whom it asks."""
    if given.model:
        options: dict[str, Any] = {"threads": given.threads} if given.threads else {}
        model = None if given.model == "default" else given.model
        yield IsolatedJudge(), build_backend(installed(), "local" if model is None else f"local:{model}", options)
        return
    commonest = Counter(case.gold(criterion) for case in cases).most_common(1)[0][0]
    yield Constant(str(commonest)), NoBackend()
    yield next(spec for spec in SPECS if spec.name == "phrase-structure").build(), NoBackend()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="", help="path of a GGUF file, or `default` for the small local model")
    parser.add_argument("--n", type=int, default=400, help="sentences for a model")
    parser.add_argument("--threads", type=int, default=0, help="of the local model; its own choice if 0")
    parser.add_argument("--ledger", type=Path, default=Path("adjudge-metacog-phrasebank/ledger.sqlite"))
    given = parser.parse_args()
    folder = data_set("financial_phrasebank")
    if folder is not None:
        asyncio.run(report(given, folder))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
