"""Intervals for statistics that are no mean: resample whole clusters."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Literal, TypeVar

from adjudge.metrics.estimate import Estimate, few, undefined

T = TypeVar("T")
Statistic = Callable[[Sequence[T]], "Estimate | float | None"]
"""A figure of a list of observations; None where it is undefined."""


def cluster_bootstrap(
    statistic: Statistic[T],
    data: Sequence[T],
    clusters: Sequence[Hashable] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "percentile",
) -> Estimate:
    """A statistic with a bootstrap interval over clusters (Efron and Tibshirani 1993, chapters 13 and 14).

    Args:
        statistic: Computes the figure from a list of observations.
        data: The observations, for example pairs of gold and given label.
        clusters: The unit that each comes from, in the same order; each its own if None.
        resamples: How often to draw as many clusters as there are, with replacement.
        seed: The same seed gives the same interval.
        level: Confidence, between 0 and 1.
        method: `bca` corrects for bias and skew with a jackknife over clusters.

    Returns:
        The estimate; resamples on which the statistic is undefined are left out and counted in the note.

    Raises:
        ValueError: `data` and `clusters` differ in length.
    """
    whole = _figure(statistic, data)
    groups = _grouped(data, clusters)
    found = replace(whole, clusters=len(groups) if clusters is not None else None)
    if whole.value is None:
        return found
    if len(groups) < 2:  # noqa: PLR2004 - a spread needs two
        return replace(found, note=_join(found.note, "no interval: fewer than 2 clusters"))
    draw = random.Random(seed)  # noqa: S311 - statistics, not secrets
    drawn = [_value(statistic, draw.choices(groups, k=len(groups))) for _ in range(resamples)]
    found = replace(found, note=_join(found.note, few(len(groups))))
    left_out = _jackknife(statistic, groups) if method == "bca" else []
    return bootstrap_interval(found, drawn, left_out, level=level, seed=seed, method=method)


def bootstrap_interval(
    found: Estimate,
    drawn: Sequence[float | None],
    left_out: Sequence[float] = (),
    *,
    seed: int,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "percentile",
) -> Estimate:
    """Read the interval of a statistic off its resamples, for those who draw them in their own way.

    Args:
        found: The statistic on all data; it must have a value.
        drawn: The statistic on each resample; None where it is undefined there.
        left_out: The statistic without each cluster in turn, where it is defined; for `bca`.
        seed: What the resamples were drawn with, to be told.
        level: Confidence, between 0 and 1.
        method: How to read.

    Returns:
        The estimate with its interval; undefined resamples are left out and counted in the note.

    Raises:
        ValueError: `found` has no value.
    """
    if found.value is None:
        raise ValueError("an undefined statistic has no interval")
    values = sorted(value for value in drawn if value is not None)
    if not values:
        return replace(found, note=_join(found.note, "no interval: undefined on every resample"))
    low, high = (1 - level) / 2, (1 + level) / 2
    if method == "bca":
        low, high = _bca_levels(found.value, values, left_out, (low, high))
    lost = f"undefined on {len(drawn) - len(values)} of {len(drawn)} resamples" if len(values) < len(drawn) else ""
    return replace(
        found,
        low=_quantile(values, low),
        high=_quantile(values, high),
        note=_join(found.note, lost),
        method=f"cluster bootstrap ({method}) {level:.0%}, {len(drawn)} resamples, seed {seed}",
    )


def _figure(statistic: Statistic[T], data: Sequence[T]) -> Estimate:
    found = statistic(data)
    if isinstance(found, Estimate):
        return found
    return undefined("undefined on these data", len(data)) if found is None else Estimate(value=found, n=len(data))


def _value(statistic: Statistic[T], groups: Sequence[Sequence[T]]) -> float | None:
    found = statistic([item for group in groups for item in group])
    return found.value if isinstance(found, Estimate) else found


def _grouped(data: Sequence[T], clusters: Sequence[Hashable] | None) -> list[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item, unit in zip(data, range(len(data)) if clusters is None else clusters, strict=True):
        groups.setdefault(unit, []).append(item)
    return list(groups.values())


def _jackknife(statistic: Statistic[T], groups: Sequence[Sequence[T]]) -> list[float]:
    """The statistic without each cluster in turn, where it is defined."""
    found = [_value(statistic, [*groups[:i], *groups[i + 1 :]]) for i in range(len(groups))]
    return [value for value in found if value is not None]


def _bca_levels(
    whole: float, drawn: Sequence[float], left_out: Sequence[float], levels: tuple[float, float]
) -> tuple[float, float]:
    """The two percentiles to read, corrected for bias and acceleration."""
    normal = NormalDist()
    below = (sum(x < whole for x in drawn) + sum(x == whole for x in drawn) / 2) / len(drawn)
    if not 0 < below < 1 or not left_out:
        return levels
    bias, centre = normal.inv_cdf(below), math.fsum(left_out) / len(left_out)
    squares = math.fsum((centre - x) ** 2 for x in left_out)
    scale = 6 * squares**1.5
    skew = math.fsum((centre - x) ** 3 for x in left_out) / scale if scale else 0.0
    shifted = [bias + normal.inv_cdf(p) for p in levels]
    if any(skew * z >= 1 for z in shifted):  # the correction has no meaning there
        return levels
    low, high = (normal.cdf(bias + z / (1 - skew * z)) for z in shifted)
    return low, high


def _quantile(ordered: Sequence[float], p: float) -> float:
    """Linear interpolation between order statistics."""
    place = p * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 2) if len(ordered) > 1 else 0
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
