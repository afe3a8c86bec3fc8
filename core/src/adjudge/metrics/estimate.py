"""A figure with its interval, and the intervals of means, rates and differences."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from adjudge.metrics._student import normal_quantile, t_quantile

FEW_CLUSTERS = 10
"""Below this many clusters an interval says in its note that it is not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure, how sure it is, and what it rests on. What is undefined says so and is never `nan`."""

    value: float | None
    """The figure; None if it is undefined, and then `note` says why."""
    low: float | None = None
    """Lower end of the interval; None if there is none."""
    high: float | None = None
    """Upper end of the interval."""
    n: int = 0
    """Number of observations."""
    clusters: int | None = None
    """Number of independent units that the observations come from, if they were told apart."""
    note: str = ""
    """Why there is no value or no interval, or why to distrust it."""
    method: str = ""
    """How the interval was made, for example `wilson 95%`."""

    def __format__(self, spec: str) -> str:
        """Render as `0.62 [0.55, 0.69] n=200`; the format of the numbers is `.2f` if none is given."""
        spec = spec or ".2f"
        if self.value is None:
            return f"undefined ({self.note or 'no data'}) n={self.n}"
        interval = ""
        if self.low is not None and self.high is not None:
            interval = f" [{self.low:{spec}}, {self.high:{spec}}]"
        return f"{self.value:{spec}}{interval} n={self.n}"

    def __str__(self) -> str:
        return format(self)

    def within(self, low: float, high: float = math.inf) -> Estimate:
        """The same estimate with the ends of its interval inside the range that the figure can have."""
        if self.low is None or self.high is None:
            return self
        return replace(self, low=max(low, self.low), high=min(high, self.high))


def undefined(why: str, n: int = 0) -> Estimate:
    """An estimate without a value, and the reason."""
    return Estimate(value=None, n=n, note=why)


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """A rate with the score interval of Wilson (1927), which stays inside 0 to 1 and is never empty.

    Args:
        successes: How many of `n` succeeded.
        n: Number of independent trials.
        level: Confidence, between 0 and 1.

    Raises:
        ValueError: There are fewer than 0 or more than `n` successes.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return undefined("no observations")
    low, high = _wilson_ends(successes / n, n, level)
    return Estimate(value=successes / n, low=low, high=high, n=n, method=f"wilson {level:.0%}")


def _wilson_ends(rate: float, n: float, level: float) -> tuple[float, float]:
    z = normal_quantile((1 + level) / 2)
    scale = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, level: float = 0.95
) -> Estimate:
    """A mean with an interval that knows which observations belong together.

    Standard error from the sums of residuals per cluster, with the factor G/(G-1) (cluster-robust, as in Miller 2024,
    arXiv:2411.00640), and Student's t with G-1 degrees of freedom for G clusters. An interval is not clipped to the
    range of the values.

    Args:
        values: The observations.
        clusters: The unit that each comes from, in the same order; each its own if None.
        level: Confidence, between 0 and 1.

    Raises:
        ValueError: `values` and `clusters` differ in length.
    """
    if not values:
        return undefined("no observations")
    sums = _residuals(values, clusters)
    mean, count = math.fsum(values) / len(values), len(sums)
    found = Estimate(value=mean, n=len(values), clusters=count if clusters is not None else None)
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return replace(found, note="no interval: fewer than 2 clusters")
    half = t_quantile((1 + level) / 2, count - 1) * _error(sums, len(values))
    return replace(
        found, low=mean - half, high=mean + half, note=few(count), method=f"clustered t {level:.0%}, {count - 1} df"
    )


def clustered_error(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> float | None:
    """The standard error that `clustered_mean` rests on; None over fewer than two clusters.

    Raises:
        ValueError: `values` and `clusters` differ in length.
    """
    sums = _residuals(values, clusters) if values else []
    return _error(sums, len(values)) if len(sums) > 1 else None


def _error(sums: Sequence[float], n: int) -> float:
    return math.sqrt(len(sums) / (len(sums) - 1) * math.fsum(s * s for s in sums)) / n


def _residuals(values: Sequence[float], clusters: Sequence[Hashable] | None) -> list[float]:
    """Sum of the deviations from the mean, per cluster."""
    mean = math.fsum(values) / len(values)
    units = range(len(values)) if clusters is None else clusters
    parts: defaultdict[Hashable, list[float]] = defaultdict(list)
    for value, unit in zip(values, units, strict=True):
        parts[unit].append(value - mean)
    return [math.fsum(part) for part in parts.values()]


def few(clusters: int) -> str:
    """The warning for an interval over few clusters, empty if there are enough."""
    return f"only {clusters} clusters: the interval is not to be trusted" if clusters < FEW_CLUSTERS else ""


def clustered_rate(
    successes: Sequence[bool], clusters: Sequence[Hashable] | None = None, level: float = 0.95
) -> Estimate:
    """A rate: Wilson's interval for independent trials, the clustered one otherwise.

    Where no cluster differs from another (all right, or all wrong) the clustered interval would have no width; it is
    then Wilson's with the number of clusters as the number of trials.

    Raises:
        ValueError: `successes` and `clusters` differ in length.
    """
    if clusters is None or len(set(clusters)) == len(successes) == len(clusters):
        found = wilson(sum(successes), len(successes), level)
        return replace(found, clusters=None if clusters is None else len(successes), note=found.note)
    found = clustered_mean([float(success) for success in successes], clusters, level)
    if found.value is None or found.low is None or found.high is None or found.clusters is None:
        return found
    if found.low == found.high:
        low, high = _wilson_ends(found.value, found.clusters, level)
        return replace(found, low=low, high=high, method=f"wilson {level:.0%} over clusters")
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def paired_difference(
    first: Sequence[float | None],
    second: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean of `first - second` over the same items, with a clustered interval.

    A pair with a missing side is left out, and the note says how many were.

    Raises:
        ValueError: The sequences differ in length.
    """
    units = range(len(first)) if clusters is None else clusters
    kept = [(a - b, c) for a, b, c in zip(first, second, units, strict=True) if a is not None and b is not None]
    found = clustered_mean(
        [difference for difference, _ in kept], None if clusters is None else [unit for _, unit in kept], level
    )
    lost = len(first) - len(kept)
    note = "; ".join(part for part in (found.note, f"{lost} pairs incomplete" if lost else "") if part)
    return replace(found, note=note, method=f"paired, {found.method}" if found.method else "")
