"""How what a run of the cycle learned is used: who judges in its figures, and the command that judges so."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudge_metacog.running import asks_somebody

if TYPE_CHECKING:
    from adjudge_metacog.running import Plan


def told_use(where: Mapping[str, Any]) -> Iterator[str]:
    """Whose figures a report shows, and how to judge as in those after."""
    counts = f"before under {_rules(where['rules before'])}, after under {_rules(where['rules after'])}"
    if where["candidate"]:
        yield f"Figures are of the answers of {where['candidate']}: {counts}."
    else:
        yield f"Figures are of the judge {where['judge in figures']}, not of {where['judge']} alone: {counts}."
    if where["use"]:
        yield f"To {'have requests answered' if where['candidate'] else 'judge'} as after:"
        yield f"\n    {where['use']}"


def _rules(count: int) -> str:
    return "no active rule" if count == 0 else "1 active rule" if count == 1 else f"{count:,} active rules"


def judge_in_figures(plan: Plan, judge: str) -> str:
    """Name of the judge that the figures are of; of answers, the one that judges them.

    Args:
        plan: What was done.
        judge: Name of the judge that was asked for.
    """
    return judge if plan.candidate else f"{_around(plan)}({judge})"


def command(plan: Plan, rules: Path) -> str:
    """What judges, or answers, as the run did under the rules that it learned.

    Args:
        plan: What was done.
        rules: File of the graph that was learned.
    """
    budget = [f"rules={plan.budget.rules}", f"characters={plan.budget.characters}", "embeddings=none"]
    if plan.candidate:
        words = ["adjudge", "run", "TASK", "--candidate", plan.candidate, "--solver", "guided"]
        return shlex.join([*words, *_each("-S", [f"graph={rules}", *budget])])
    member = {"judge": plan.how.judge or "isolated", **plan.how.options({})}
    around = _around(plan)
    options = [f"graph={rules}", *(budget if around == "reflective" else []), f"members={json.dumps([member])}"]
    words = ["adjudge", "judge", *plan.told, "--judge", around, *_each("-J", options)]
    return shlex.join([*words, *(_backend(plan) if asks_somebody(plan.how) else [])])


def _around(plan: Plan) -> str:
    """The judge that counts, or shows, what was learned."""
    return "rule-votes" if plan.learner == "phrases" else "reflective"


def _backend(plan: Plan) -> list[str]:
    options = [f"{name}={_value(value)}" for name, value in plan.how.backend_options.items()]
    return ["--backend", plan.how.backend, *_each("-B", options)]


def _value(value: Any) -> str:
    """As it is written on the command line."""
    return value if isinstance(value, str) else json.dumps(value)


def _each(option: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
