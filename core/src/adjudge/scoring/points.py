"""The scoring `points`: points of met criteria over the points to be had (HealthBench, arXiv:2505.08775)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import ScoringError
from adjudge.rubric import Rubric
from adjudge.verdict import Score

RESAMPLES = 1000
"""Bootstrap resamples behind the deviation of the clipped mean, as published."""


@dataclass(frozen=True, slots=True)
class Points:
    """Sum of the points of met criteria over the sum of positive points; not clipped, so it can be negative.

    The weight is the number of points. An ordinal level earns its share of the points.
    """

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion that takes part has positive points."""
        part = [c for c in rubric.criteria if c.id in scores]
        total = math.fsum(c.weight for c in part if c.weight > 0)
        if total <= 0:
            return None
        return math.fsum(c.weight * _met(c.scale.range, scores[c.id]) for c in part) / total

    def note(self, rubric: Rubric, scores: Mapping[str, float]) -> str:
        """Why there is no value, if so."""
        positive = any(c.weight > 0 for c in rubric.criteria if c.id in scores)
        return "" if positive else "no positive point is to be had"


def _met(scale: tuple[float, float] | None, score: float) -> float:
    """How far the criterion is met, from 0 to 1, whatever the sign of its weight."""
    if scale is None:
        raise ScoringError("points need scales whose levels have scores")
    low, high = scale
    return (score - low) / (high - low) if high != low else 1.0


def clipped_mean(scores: Sequence[Score], resamples: int = RESAMPLES, seed: int = 0) -> Mapping[str, Any]:
    """The mean over submissions, clipped to 0..1, and its bootstrap deviation (HealthBench, arXiv:2505.08775).

    Args:
        scores: One score per submission.
        resamples: Resamples of the submissions.
        seed: The same seed gives the same deviation.

    Returns:
        `value` over the scored submissions and its `deviation` (of the clipped mean over the resamples); `bounds`,
        the clipped mean with every unscored submission at its worst and at its best; `n` scored, `unscored`, and
        `undefined` (nothing to be had, so in no mean).
    """
    values = [score.value for score in scores if score.value is not None]
    open_ends = [score.bounds for score in scores if score.value is None and score.bounds is not None]
    bounds = tuple(_clipped([*values, *(ends[side] for ends in open_ends)]) for side in (0, 1))
    undefined = sum(score.value is None and score.bounds is None for score in scores)
    return {
        "value": _clipped(values),
        "deviation": _deviation(values, resamples, seed),
        "bounds": None if None in bounds else bounds,
        "n": len(values),
        "unscored": len(open_ends),
        "undefined": undefined,
    }


def _clipped(values: Sequence[float]) -> float | None:
    return min(1.0, max(0.0, math.fsum(values) / len(values))) if values else None


def _deviation(values: Sequence[float], resamples: int, seed: int) -> float | None:
    """Deviation (population form) of the clipped mean over resamples."""
    if not values:
        return None
    draw = random.Random(seed)  # noqa: S311 - statistics, not secrets
    means = [_clipped(draw.choices(values, k=len(values))) or 0.0 for _ in range(resamples)]
    centre = math.fsum(means) / resamples
    return math.sqrt(math.fsum((mean - centre) ** 2 for mean in means) / resamples)
