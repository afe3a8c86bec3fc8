"""The difference of two means of independent samples, each clustered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from scipy import stats

from adjudge.metrics import Estimate, clustered_error, few, undefined

Clustered: TypeAlias = tuple[float, str]
"""A value and the cluster that it comes from."""


def difference(first: Sequence[Clustered], second: Sequence[Clustered], level: float = 0.95) -> Estimate:
    """Mean of the first less mean of the second, with Welch's interval on clustered errors (Welch 1947).

    Args:
        first: Values with clusters.
        second: Values with clusters, independent of the first.
        level: Confidence, between 0 and 1.

    Returns:
        An estimate whose `clusters` is the fewer of the two.
    """
    n = len(first) + len(second)
    if not first or not second:
        return undefined("no observations on one side", n)
    value = _mean(first) - _mean(second)
    counts = [len({cluster for _, cluster in side}) for side in (first, second)]
    found = Estimate(value=value, n=n, clusters=min(counts), note=few(min(counts)))
    errors = [clustered_error([x for x, _ in side], [c for _, c in side]) for side in (first, second)]
    squares = [error**2 for error in errors if error is not None]
    if len(squares) < len(errors):
        return replace(found, note="no interval: fewer than 2 clusters on one side")
    half = math.sqrt(math.fsum(squares)) * _quantile(squares, counts, level)
    return replace(found, low=value - half, high=value + half, method=f"welch {level:.0%}")


def _quantile(squares: Sequence[float], counts: Sequence[int], level: float) -> float:
    """Of Student's t with the degrees of freedom of Welch and Satterthwaite."""
    whole = math.fsum(squares)
    parts = math.fsum(square**2 / (count - 1) for square, count in zip(squares, counts, strict=True))
    return float(stats.t.ppf((1 + level) / 2, whole**2 / parts)) if parts else 0.0


def _mean(values: Sequence[Clustered]) -> float:
    return math.fsum(value for value, _ in values) / len(values)
