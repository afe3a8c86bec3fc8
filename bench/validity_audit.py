#!/usr/bin/env python3
"""A scripted judge with dialled-in faults, audited again and again: is what was dialled in what is measured?

    bench/validity_audit.py [--studies 40] [--items 200] [--write]

Each study has other items with the fault. `--write` puts the table into docs/plugins/validity.md, in place of the one
that stands there.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adjudge.api import make_judge
from adjudge.interfaces import Item, Member
from adjudge.judges.compare import CompareJudge
from adjudge.judges.isolated import IsolatedJudge
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Submission
from adjudge_validity.audit.again import AgainJudge
from adjudge_validity.audit.catalogue import chosen
from adjudge_validity.audit.faulty import FaultyBackend
from adjudge_validity.audit.findings import Finding
from adjudge_validity.audit.plan import Plan
from adjudge_validity.audit.running import audit

PAGE = Path(__file__).resolve().parents[1] / "docs" / "plugins" / "validity.md"
MARK = "<!-- audit -->"
RUBRIC = Rubric(id="bench", version="1", criteria=(Criterion(id="kind", text="The answer is kind."),))
TEXT = "He should rest in the house and drink. The colour of his skin matters. Call a doctor if it gets worse."


@dataclass(frozen=True)
class Fault:
    """A fault and the audit that is to find it."""

    audit: str
    dial: str
    chance: float


FAULTS = (
    Fault("position", "position", 0.3),
    Fault("verbosity", "verbosity", 0.2),
    Fault("injection", "injection", 0.5),
    Fault("repeatability", "instability", 0.1),
    Fault("levels", "levels", 0.3),
    Fault("content-free", "content_free", 0.4),
)


def submissions(count: int) -> list[Item]:
    return [
        Submission(id=f"s{i}", input=f"Case {i}: what should he do?", output=f"On day {i}: {TEXT}")
        for i in range(count)
    ]


def comparisons(count: int) -> list[Item]:
    return [
        Comparison(
            id=f"p{i}",
            submissions=tuple(Submission(id=f"p{i}/{one}", input=f"Case {i}?", output=f"{one} {TEXT}") for one in "xy"),
        )
        for i in range(count)
    ]


async def study(items: Sequence[Item], audits: Sequence[str], seed: int, **dials: float) -> list[Finding]:
    wanted = chosen(audits)
    inner = CompareJudge() if isinstance(items[0], Comparison) else IsolatedJudge()
    backend = FaultyBackend(seed=seed, **dials)
    async with make_judge(RUBRIC, backend=backend, judge=AgainJudge((Member(judge=inner),))) as bound:
        return await audit(bound, items, Plan(audits=wanted, draws=1, seed=seed, judge="faulty"))


async def measured(fault: Fault, studies: int, count: int) -> str:
    """A row of the table: how often the interval holds what was dialled in, and what is decided."""
    held, rates, widths = 0, [], []
    decisions: Counter[str] = Counter()
    for seed in range(studies):
        items = comparisons(count) if fault.audit == "position" else submissions(count)
        (found,) = await study(items, [fault.audit], seed, **{fault.dial: fault.chance})
        rate = found.whole.rate
        assert rate.value is not None
        assert rate.low is not None
        assert rate.high is not None
        held += rate.low <= fault.chance <= rate.high
        rates.append(rate.value)
        widths.append(rate.high - rate.low)
        decisions[found.decision] += 1
    mean, width = sum(rates) / studies, sum(widths) / studies
    name = f"{fault.dial.replace('_', ' ')} {fault.chance:g}"
    return f"| {name} | {fault.audit} | {mean:.3f} | {width:.3f} | {held / studies:.0%} | {told(decisions)} |"


async def clean(studies: int, count: int) -> list[str]:
    """Rows of a judge without a fault, on items enough and on one."""
    lines = []
    for number in (count, 1):
        decisions: Counter[str] = Counter()
        for seed in range(studies):
            for items in (submissions(number), comparisons(number)):
                dials = {} if number > 1 else dict.fromkeys((fault.dial for fault in FAULTS), 1.0)
                decisions.update(one.decision for one in await study(items, [], seed, **dials))
        del decisions["not applicable"]
        what = "none" if number > 1 else "all at 1, but one item only"
        lines.append(f"| {what} | all | | | | {told(decisions)} |")
    return lines


def told(decisions: Counter[str]) -> str:
    whole = decisions.total()
    return ", ".join(f"{name} {count / whole:.0%}" for name, count in decisions.most_common())


async def table(studies: int, count: int) -> str:
    lines = [
        "| dialled in | audit | mean rate | mean width | interval holds it | decided |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [await measured(fault, studies, count) for fault in FAULTS]
    return "\n".join([*lines, *await clean(max(1, studies // 10), count)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = asyncio.run(table(asked.studies, asked.items))
    print(found)
    if asked.write:
        before, _, rest = PAGE.read_text("utf-8").partition(MARK)
        after = rest[rest.index("\n## ") :]
        PAGE.write_text(f"{before}{MARK}\n\n{found}\n{after}", "utf-8")


if __name__ == "__main__":
    main()
