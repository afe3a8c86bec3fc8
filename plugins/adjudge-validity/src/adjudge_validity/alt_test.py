"""May the judge stand in for a person? The alternative annotator test.

Calderon, Reichart and Dror 2025 (arXiv:2501.10970). Each person in turn is left out: does the judge agree with the
others at least about as well as that person does?
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy import stats

from adjudge.errors import InputError

EPSILON = {"expert": 0.2, "skilled": 0.15, "crowd": 0.1}
"""How much worse the judge may be for its lower price, by whom it would stand in for (section 3 of the paper)."""
LEAST_RATERS, LEAST_ITEMS = 3, 30
FALSE_DISCOVERIES = 0.05
HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """The judge against one person."""

    rater: str
    """Who."""
    n: int
    """Submissions that this person and at least one other labelled and the judge gave a level."""
    judge_advantage: float
    """Share on which the judge agrees with the others at least as well as this person."""
    rater_advantage: float
    """Share on which this person agrees with the others at least as well as the judge."""
    p: float
    """One-sided p-value that the judge is worse by epsilon or more, before correction."""
    beaten: bool
    """Rejected, with false discoveries controlled over all persons (Benjamini and Yekutieli)."""


@dataclass(frozen=True, kw_only=True)
class AltTest:
    """The outcome."""

    passed: bool
    """The judge beats at least half of the persons."""
    winning_rate: float
    """Share of persons beaten."""
    advantage: float
    """Mean of `judge_advantage` over persons; compares judges."""
    epsilon: float
    """The allowance."""
    raters: tuple[LeftOut, ...]
    """Person by person."""
    warnings: tuple[str, ...] = ()
    """Why to distrust it."""


def alt_test(
    judge: Mapping[str, float | str],
    people: Mapping[str, Mapping[str, float | str]],
    *,
    epsilon: float = EPSILON["skilled"],
) -> AltTest:
    """Run the test.

    Levels (text) agree if they are equal; numbers agree by how close they are (root mean square distance).

    Args:
        judge: Submission to the judge's level or number.
        people: Rater to submission to level or number.
        epsilon: How much worse the judge may be, from 0 to 1.

    Raises:
        InputError: Fewer than 3 persons have labels that can be compared.
    """
    shares = {rater: _compared(judge, rater, people) for rater in people}
    known = {rater: rows for rater, rows in shares.items() if len(rows) > 1}
    if len(known) < LEAST_RATERS:
        raise InputError(f"{len(known)} raters whose labels overlap: the test needs at least {LEAST_RATERS}")
    ps = [_p_value([mine - its for its, mine in rows], epsilon) for rows in known.values()]
    corrected = stats.false_discovery_control(ps, method="by")
    found = tuple(
        LeftOut(
            rater=rater,
            n=len(rows),
            judge_advantage=fmean(its for its, _ in rows),
            rater_advantage=fmean(mine for _, mine in rows),
            p=p,
            beaten=bool(q < FALSE_DISCOVERIES),
        )
        for (rater, rows), p, q in zip(known.items(), ps, corrected, strict=True)
    )
    rate = fmean(one.beaten for one in found)
    few = [one.rater for one in found if one.n < LEAST_ITEMS]
    return AltTest(
        passed=rate >= HALF,
        winning_rate=rate,
        advantage=fmean(one.judge_advantage for one in found),
        epsilon=epsilon,
        raters=found,
        warnings=(f"fewer than {LEAST_ITEMS} submissions of {', '.join(few)}",) if few else (),
    )


def _compared(
    judge: Mapping[str, float | str], left_out: str, people: Mapping[str, Mapping[str, float | str]]
) -> list[tuple[float, float]]:
    """Per submission, whether the judge (the person) agrees with the others at least as well as the other one."""
    rows = []
    for submission, own in people[left_out].items():
        others = [given[submission] for name, given in people.items() if name != left_out and submission in given]
        if others and submission in judge:
            its, mine = _closeness(judge[submission], others), _closeness(own, others)
            rows.append((float(its >= mine), float(mine >= its)))
    return rows


def _closeness(one: float | str, others: Sequence[float | str]) -> float:
    if isinstance(one, str):
        return fmean(other == one for other in others)
    return -math.sqrt(fmean((float(other) - one) ** 2 for other in others))


def _p_value(losses: Sequence[float], epsilon: float) -> float:
    """Of the hypothesis that the mean loss is epsilon or more: t-test, or signed ranks under 30 submissions."""
    if len(set(losses)) == 1:
        return 0.0 if losses[0] < epsilon else 1.0
    if len(losses) < LEAST_ITEMS:
        return float(stats.wilcoxon(np.array(losses) - epsilon, alternative="less").pvalue)
    return float(stats.ttest_1samp(losses, epsilon, alternative="less").pvalue)
