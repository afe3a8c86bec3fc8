"""The scoring `log_sigmoid`: a soft AND, in which good criteria cannot buy back a very bad one.

After Transforming and Combining Rewards (arXiv:2402.00742): u = log sigmoid(r - r_ref), summed over criteria, is the
log-probability of being good in every one of them if they are independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adjudge.errors import ScoringError
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.credit import check_flag, check_number, credit


def log_sigmoid(x: float) -> float:
    """log(1 / (1 + exp(-x))), without overflow at either end."""
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


def soft_and(terms: Iterable[tuple[float, float]]) -> float:
    """Weighted sum of log sigmoid(x) over (weight, x) pairs; its exponential is the soft AND, from 0 to 1."""
    return math.fsum(weight * log_sigmoid(x) for weight, x in terms)


@dataclass(frozen=True, slots=True)
class LogSigmoid:
    """Sum of weight times log sigmoid(r - r_ref), in nats and at most 0; or its exponential.

    A level's score is first brought to a logit-like scale: r runs from -tau at the worst level to +tau at the best.
    A criterion can set in its options `reference`, what is good enough (a level's id, or a number in the units of the
    scale; the middle of the scale if not given), and its own `tau`.
    """

    form: str = "log"
    """`log`: the sum, in nats. `and`: its exponential, from 0 to 1."""
    tau: float = 2.0
    """How far the ends of a scale lie from its middle, in nats; larger is harsher."""
    weights: bool = True
    """Multiply each term by the size of its weight; the paper's own form does not."""

    def __post_init__(self) -> None:
        if self.form not in ("log", "and"):
            raise ScoringError(f"parameter 'form' must be log or and, not {self.form!r}")
        check_number("tau", self.tau, 1e-9, 1e6)
        check_flag("weights", self.weights)

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion takes part."""
        part = [c for c in rubric.criteria if c.id in scores]
        if not part:
            return None
        total = soft_and((abs(c.weight) if self.weights else 1.0, self._distance(c, scores[c.id])) for c in part)
        return math.exp(total) if self.form == "and" else total

    def _distance(self, criterion: Criterion, score: float) -> float:
        """How far r is above r_ref; positive is better than good enough."""
        tau = criterion.options.get("tau", self.tau)
        check_number(f"{criterion.id}: tau", tau, 1e-9, 1e6)
        assert isinstance(tau, int | float)
        reference = _reference(criterion)
        middle = 0.5 if reference is None else credit(criterion, reference)
        return 2 * tau * (credit(criterion, score) - middle)


def _reference(criterion: Criterion) -> float | None:
    """What is good enough, in the units of the scale."""
    given = criterion.options.get("reference")
    if isinstance(given, str) and given in criterion.scale:
        return criterion.scale.level(given).score
    if given is None or (isinstance(given, int | float) and not isinstance(given, bool)):
        return given
    raise ScoringError(f"criterion {criterion.id!r}: option `reference` is {given!r}, neither a level nor a number")
