"""The scoring `total`: the weighted sum of the levels' scores, checked to reach what it claims to be out of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from adjudge.errors import ScoringError
from adjudge.interfaces import Scoring, ScoringSpec
from adjudge.rubric import Rubric
from adjudge.scoring.credit import check_number, factory

_SLACK = 1e-6


def reachable(rubric: Rubric) -> float:
    """The highest total: every criterion at its best level.

    Raises:
        ScoringError: The levels of a criterion have no scores.
    """
    return math.fsum(c.weight * best for c in rubric.criteria for best in [_known(rubric, c.id, c.best)])


def unreachable(found: float, out_of: float) -> str:
    """What is wrong with a sum whose highest value is not what it is out of; empty if nothing is."""
    if math.isclose(found, out_of, rel_tol=0, abs_tol=_SLACK):
        return ""
    return f"the maximum reachable is {found:.2f}, not {out_of:g}"


def _known(rubric: Rubric, criterion: str, score: float | None) -> float:
    if score is None:
        raise ScoringError(f"criterion {criterion!r} of {rubric.id!r} has labels without scores, so it has no total")
    return score


@dataclass(frozen=True, slots=True)
class Total:
    """Sum of weight times score in the scale's own units (PsyEval, arXiv:2505.23229).

    The weights of a whole pack must make `out_of` the highest total. A part of a rubric has a lower one, which the
    score's note tells.
    """

    out_of: float = 100
    """The highest total."""

    def __post_init__(self) -> None:
        check_number("out_of", self.out_of, low=_SLACK)

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric whose highest total is something else.

        Raises:
            ScoringError: With the total that is reached.
        """
        wrong = unreachable(reachable(rubric), self.out_of)
        if wrong:
            raise ScoringError(f"{wrong}: change the weights of {rubric.id!r}, its scales or out_of")

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion takes part."""
        return math.fsum(rubric.criterion(name).weight * score for name, score in scores.items()) if scores else None

    def note(self, rubric: Rubric, scores: Mapping[str, float]) -> str:
        """What a total over a part of the rubric is out of."""
        part = [c for c in rubric.criteria if c.id in scores and c.best is not None]
        return unreachable(math.fsum(c.weight * c.best for c in part if c.best is not None), self.out_of)


def _build(**params: object) -> Scoring:
    return factory("total", Total)(**params)


SPEC = ScoringSpec(
    name="total",
    summary="sum of weight times score, out of out_of=100, which the weights must make reachable (PsyEval)",
    build=_build,
)
"""What the plugin registers."""
