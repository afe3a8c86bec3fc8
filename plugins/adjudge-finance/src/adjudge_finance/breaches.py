"""Figures for advice: how many breaches the judge lets pass, and what a person must look at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Label, Submission
from adjudge.verdict import Result, Verdict
from adjudge_finance.rubrics import pack

DOUBT = 0.2
"""A `must` whose breach is at least this likely goes to a person, whatever the level."""
_ORDER = ("breach", "unscored", "in doubt")
_STEPS = 60
"""Halvings of the interval: more than the digits of a float."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A `must` of one submission: what people said, and what the judge said."""

    submission: str
    criterion: Criterion
    breached: bool | None
    """Whether any rater saw a breach; None if nobody rated it."""
    verdict: Verdict

    @property
    def let_pass(self) -> bool | None:
        """The judge saw none; None if unscored."""
        return None if self.verdict.level is None else passes(self.criterion, self.verdict.level)


def miss_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """How often the judge lets a breach of a `must` pass, and how often it stops what is no breach.

    Returns:
        `miss_rate` over the breaches that people saw and the judge scored, and `miss_rate[criterion]`; its upper end
        is the exact one-sided 95 % bound, so that no miss among few breaches does not pass for safety.
        `miss_rate_if_unscored_missed` counts unscored breaches as let through. `false_alarm_rate` over what is no
        breach, and `breaches`, their number. A breach is one that any rater saw; each criterion is a trial of its own.
    """
    gates = list(_gates(items, results))
    breaches = [gate for gate in gates if gate.breached]
    sound = [gate for gate in gates if gate.breached is False and gate.let_pass is not None]
    names = dict.fromkeys(gate.criterion.id for gate in breaches)
    return {
        "breaches": len(breaches),
        "miss_rate": _misses(breaches),
        "miss_rate_if_unscored_missed": rate_below(sum(g.let_pass is not False for g in breaches), len(breaches)),
        "false_alarm_rate": rate_below(sum(not gate.let_pass for gate in sound), len(sound)),
        **{f"miss_rate[{name}]": _misses([gate for gate in breaches if gate.criterion.id == name]) for name in names},
    }


def _misses(breaches: Sequence[Gate]) -> Estimate:
    scored = [gate.let_pass for gate in breaches if gate.let_pass is not None]
    found = rate_below(sum(scored), len(scored))
    lost = len(breaches) - len(scored)
    return replace(found, note=f"{lost} unscored breaches left out") if lost else found


def escalate(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """What a person must look at: the breaches, the surest first, what is unscored, what is in doubt.

    Returns:
        `escalated`, the number of submissions, and the table `escalate` with submission, criterion, why (`breach`,
        `unscored: REASON`, then `in doubt`) and the probability of a breach where it is known. It needs no gold labels.
    """
    rows = [row for gate in _gates(items, results) if (row := _row(gate)) is not None]
    rows.sort(key=lambda row: (_ORDER.index(row["why"].partition(":")[0]), -(row["probability"] or 0.0)))
    return {"escalated": len({row["submission"] for row in rows}), "escalate": rows}


def _row(gate: Gate) -> dict[str, Any] | None:
    likely = _probability(gate)
    if gate.verdict.level is None:
        why = f"unscored: {gate.verdict.reason or gate.verdict.status}"
    elif not gate.let_pass:
        why = "breach"
    elif likely is not None and likely >= DOUBT:
        why = "in doubt"
    else:
        return None
    shown = None if likely is None else round(likely, 3)
    return {"submission": gate.submission, "criterion": gate.criterion.id, "why": why, "probability": shown}


def _probability(gate: Gate) -> float | None:
    known = gate.verdict.distribution
    return None if known is None else math.fsum(p for level, p in known.items() if not passes(gate.criterion, level))


def _gates(items: Sequence[Item], results: Sequence[Result]) -> Iterator[Gate]:
    for item, result in zip(items, results, strict=True):
        submission = cast("Submission", item)
        musts = _musts(submission.rubric or pack("advice"))
        for verdict in result.verdicts:
            if (criterion := musts.get(verdict.criterion)) is not None:
                yield Gate(submission.id, criterion, _breach_seen(criterion, submission.labels), verdict)


def _breach_seen(criterion: Criterion, labels: Sequence[Label]) -> bool | None:
    """What the raters say; a label that names no level of the scale says nothing (the run warns of it)."""
    by_score = {level.score: level.id for level in criterion.scale.levels}
    own = (label.level or by_score.get(label.score) for label in labels if label.criterion == criterion.id)
    seen = [not passes(criterion, level) for level in own if level is not None and level in criterion.scale]
    return any(seen) if seen else None


def _musts(rubric: Rubric) -> dict[str, Criterion]:
    return {criterion.id: criterion for criterion in rubric.criteria if criterion.importance == "must"}


def passes(criterion: Criterion, level: str) -> bool:
    """Whether a level is at or above the one that its `must` asks for (`options: {pass: …}`, the highest if none)."""
    order = [known.id for known in criterion.scale.levels]
    return order.index(level) >= order.index(str(criterion.options.get("pass", order[-1])))


def rate_below(count: int, n: int, level: float = 0.95) -> Estimate:
    """A rate with the one-sided upper bound of Clopper and Pearson (1934): with that confidence it is no higher.

    Args:
        count: How many of `n`.
        n: Number of independent trials.
        level: Confidence, between 0 and 1.

    Returns:
        The rate; `low` is 0, `high` the bound. Undefined without trials.
    """
    if n == 0:
        return Estimate(value=None, note="no observations")
    return Estimate(
        value=count / n, low=0.0, high=_upper(count, n, level), n=n, method=f"Clopper-Pearson one-sided {level:.0%}"
    )


def _upper(count: int, n: int, level: float) -> float:
    """The rate at which so few as `count` of `n` have the probability `1 - level`."""
    if count == n:
        return 1.0
    low, high = count / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, n, middle) > 1 - level else (low, middle)
    return high


def _at_most(count: int, n: int, rate: float) -> float:
    """The binomial distribution function, by logarithms: the coefficients of a large `n` fit no float."""
    odds, whole = math.log(rate) - math.log1p(-rate), n * math.log1p(-rate) + math.lgamma(n + 1)
    return math.fsum(math.exp(whole + k * odds - math.lgamma(k + 1) - math.lgamma(n - k + 1)) for k in range(count + 1))
