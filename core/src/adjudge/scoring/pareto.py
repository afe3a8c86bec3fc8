"""The scoring `pareto`: several submissions compared on all criteria at once, with nothing averaged away.

The idea of keeping criteria that contradict each other is from Embracing Contradiction, a position paper without an
algorithm; dominance, conflict table, gap and tolerance as defined here are adjudge's own choices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from adjudge.errors import ScoringError
from adjudge.metrics import kendall_tau_b
from adjudge.rubric import Rubric
from adjudge.scoring.credit import check_number, credit
from adjudge.verdict import Score

Vector = Mapping[str, float | None]
"""One submission's value on each criterion; more is better, None is unscored."""
PerCriterion = float | Mapping[str, float]
"""One number for every criterion, or one each (0 for those not named)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """How two criteria go together over the submissions."""

    first: str
    """One criterion."""
    second: str
    """The other one."""
    tau: float | None
    """Kendall's tau-b over the submissions scored on both; None if it is undefined."""
    n: int
    """Number of those submissions."""
    contradictory: bool
    """Tau is below minus the threshold."""
    note: str = ""
    """Why tau is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoReport:
    """Several submissions on several criteria."""

    front: tuple[str, ...]
    """Fully scored submissions that nobody dominates, in the given order."""
    dominated_by: Mapping[str, tuple[str, ...]]
    """For each submission, those that dominate it."""
    unplaced: tuple[str, ...]
    """Submissions with an unscored criterion: they compare with nothing."""
    conflicts: tuple[Conflict, ...]
    """Every pair of criteria."""
    ideal: Mapping[str, float | None]
    """The best value seen on each criterion; None if nobody has one."""
    gap: Mapping[str, float | None]
    """Euclidean distance of each submission to the ideal, in the units of the vectors."""
    acceptable: Mapping[str, bool | None]
    """Whether each submission is within the tolerance of the ideal on every criterion; None if that is not known."""
    transitive: bool
    """Whether dominance is transitive here; with a margin it need not be, and the front can then be empty."""
    note: str = ""
    """Says so if it is not."""


def pareto(
    vectors: Mapping[str, Vector],
    *,
    eps: PerCriterion = 0.0,
    tolerance: PerCriterion | None = None,
    threshold: float = 0.0,
) -> ParetoReport:
    """Compare submissions without a common currency.

    `a` dominates `b` if it is nowhere worse by more than `eps` and somewhere better by more than `eps`.

    Args:
        vectors: Value on each criterion, by submission; all with the same criteria.
        eps: Margin below which a difference does not count.
        tolerance: How far below the ideal is still acceptable; no verdict on that if None.
        threshold: Two criteria are contradictory if their tau-b is below minus this, from 0 to 1.

    Raises:
        ScoringError: The vectors differ in criteria, or a parameter is out of range.
    """
    names = _criteria(vectors)
    margin = _spread("eps", eps, names)
    check_number("threshold", threshold, 0, 1)
    whole = [s for s, v in vectors.items() if None not in v.values()]
    rows = {s: [vectors[s][name] or 0.0 for name in names] for s in whole}
    above = {s: tuple(o for o in whole if _dominates(rows[o], rows[s], margin)) for s in whole}
    ideal = {name: max((v for row in vectors.values() if (v := row[name]) is not None), default=None) for name in names}
    transitive = all(set(above[b]) <= set(above[a]) for a in whole for b in above[a])
    return ParetoReport(
        front=tuple(s for s in whole if not above[s]),
        dominated_by={s: above.get(s, ()) for s in vectors},
        unplaced=tuple(s for s in vectors if s not in rows),
        conflicts=tuple(_conflict(a, b, vectors, threshold) for a, b in combinations(names, 2)),
        ideal=ideal,
        gap={s: _gap(v, ideal) for s, v in vectors.items()},
        acceptable={s: _acceptable(v, ideal, tolerance) for s, v in vectors.items()},
        transitive=transitive,
        note="" if transitive else "with this margin dominance is not transitive: the front depends on it",
    )


def _criteria(vectors: Mapping[str, Vector]) -> tuple[str, ...]:
    names = tuple(next(iter(vectors.values()), {}))
    for submission, vector in vectors.items():
        if set(vector) != set(names):
            raise ScoringError(f"submission {submission!r} is not scored on the same criteria as the first one")
    return names


def _spread(parameter: str, value: PerCriterion, names: Sequence[str]) -> list[float]:
    """A parameter's value for each criterion."""
    given = value if isinstance(value, Mapping) else dict.fromkeys(names, value)
    for name, number in given.items():
        if name not in names:
            raise ScoringError(f"{parameter!r} names {name!r}, which is no criterion; known: {', '.join(names)}")
        check_number(f"{parameter} of {name}", number, 0)
    return [given.get(name, 0.0) for name in names]


def _dominates(a: Sequence[float], b: Sequence[float], margin: Sequence[float]) -> bool:
    gains = list(zip(a, b, margin, strict=True))
    return all(x >= y - eps for x, y, eps in gains) and any(x > y + eps for x, y, eps in gains)


def _conflict(a: str, b: str, vectors: Mapping[str, Vector], threshold: float) -> Conflict:
    pairs = [(x, y) for v in vectors.values() if (x := v[a]) is not None and (y := v[b]) is not None]
    tau = kendall_tau_b([x for x, _ in pairs], [y for _, y in pairs])
    contradictory = tau.value is not None and tau.value < -threshold
    return Conflict(first=a, second=b, tau=tau.value, n=len(pairs), contradictory=contradictory, note=tau.note)


def _gap(vector: Vector, ideal: Vector) -> float | None:
    missing = [best - value for name, best in ideal.items() if best is not None and (value := vector[name]) is not None]
    return math.hypot(*missing) if len(missing) == len(ideal) else None


def _acceptable(vector: Vector, ideal: Vector, tolerance: PerCriterion | None) -> bool | None:
    if tolerance is None:
        return None
    slack = dict(zip(ideal, _spread("tolerance", tolerance, tuple(ideal)), strict=True))
    verdicts = [
        None if (value := vector[name]) is None or best is None else value >= best - slack[name]
        for name, best in ideal.items()
    ]
    return False if False in verdicts else None if None in verdicts else True


def vectors_of(rubric: Rubric, scores: Sequence[Score]) -> dict[str, dict[str, float | None]]:
    """Credit from 0 to 1 on every criterion whose levels have scores, by submission; more is better.

    A criterion that was left out of a submission's score has None there.
    """
    names = [c for c in rubric.criteria if c.scale.range is not None]
    return {
        score.submission: {c.id: None if (s := score.criteria.get(c.id)) is None else credit(c, s) for c in names}
        for score in scores
    }


@dataclass(frozen=True, slots=True)
class Pareto:
    """Keeps all criteria apart: no number for one submission, a report for several."""

    eps: PerCriterion = 0.0
    """Margin below which a difference does not count, in credit from 0 to 1."""
    tolerance: PerCriterion | None = None
    """How far below the best a submission may stay on each criterion, in credit from 0 to 1."""
    threshold: float = 0.0
    """Criteria are contradictory if their tau-b is below minus this."""

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> None:
        """Always None: one submission alone has no place."""

    def note(self, rubric: Rubric, scores: Mapping[str, float]) -> str:  # noqa: ARG002 - the protocol's
        """Why there is no value."""
        return "the scoring `pareto` compares submissions and gives no number for one"

    def compare(self, rubric: Rubric, scores: Sequence[Score]) -> ParetoReport:
        """The report over the scores of several submissions under one rubric.

        Raises:
            ScoringError: A parameter is out of range or names no criterion.
        """
        vectors = vectors_of(rubric, scores)
        return pareto(vectors, eps=self.eps, tolerance=self.tolerance, threshold=self.threshold)
