"""Means and rates of a whole run, corrected for the judge's errors with labels of a part of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adjudge.errors import InputError
from adjudge.metrics import Estimate, few
from adjudge_validity.tables import Array
from adjudge_validity.unseen import ALIKE, NO_BOUNDS, Unseen, around, unseen_of

Mask: TypeAlias = NDArray[np.bool_]

_NO_ERROR = 1e-12
LEAST_LABELS = 10
"""Below this many labels an interval says that it is not to be trusted."""


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """An estimate, and what each cluster adds to its error, so that differences of two know what they share."""

    value: float
    """The figure."""
    influence: Mapping[Hashable, float] = field(repr=False)
    """Cluster to its part of the error of the figure; they sum to about 0."""
    n: int
    """Number of labels."""
    units: int
    """Clusters that have labels; the degrees of freedom are one less."""
    method: str
    """How it was made."""
    span: float | None = None
    """Width of the scale; None if unknown."""
    unseen: tuple[Unseen, ...] | None = ()
    """What labels that do not vary leave open; None if no scale bounds it, and then there is no interval."""

    @property
    def error(self) -> float:
        """Standard error, clustered, with the factor G / (G - 1)."""
        count = len(self.influence)
        return math.sqrt(count / (count - 1) * math.fsum(part**2 for part in self.influence.values()))

    def estimate(self, level: float = 0.95) -> Estimate:
        """The figure with its interval: Student's t, and what labels that do not vary leave open.

        The parts go together as independent ones do (MOVER, Zou and Donner 2008).
        """
        found = Estimate(value=self.value, n=self.n, clusters=self.units)
        if self.unseen is None:
            return replace(found, note=_told(NO_BOUNDS, few(self.units)))
        half = float(stats.t.ppf((1 + level) / 2, self.units - 1)) * self.error
        reaches = [one.reach(level) for one in self.unseen]
        how = ", wilson on what is unseen" if reaches else ""
        return replace(
            found,
            low=self.value - math.hypot(half, *(down for down, _ in reaches)),
            high=self.value + math.hypot(half, *(up for _, up in reaches)),
            note=_told(ALIKE if reaches else "", few(self.units)),
            method=f"{self.method} {level:.0%}, {self.units - 1} df{how}",
        )

    def less(self, other: Corrected) -> Corrected:
        """The difference of two; clusters with the same name are the same unit (a paired design)."""
        clusters = {*self.influence, *other.influence}
        parts = {c: self.influence.get(c, 0.0) - other.influence.get(c, 0.0) for c in clusters}
        found = Corrected(
            value=self.value - other.value,
            influence=parts,
            n=self.n + other.n,
            units=min(self.units, other.units),
            method=f"difference of {self.method}",
            span=None if self.span is None or other.span is None else max(self.span, other.span),
        )
        return replace(found, unseen=_left_open(found, self.unseen, other.unseen))


def _left_open(
    found: Corrected, one: tuple[Unseen, ...] | None, other: tuple[Unseen, ...] | None
) -> tuple[Unseen, ...] | None:
    """What a difference leaves open: what both sides do, or that no label differs between them."""
    if one is None or other is None:
        return None
    both = (*one, *(part.turned() for part in other))
    if both or found.error > _NO_ERROR:
        return both
    return None if found.span is None else (Unseen(found.span, found.span, found.units),)


def _told(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def corrected_mean(
    judged: Sequence[float],
    human: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    *,
    probabilities: Sequence[float | None] | None = None,
    power: float | None = None,
    bounds: tuple[float, float] | None = None,
) -> Corrected:
    """The mean that people would give, by prediction-powered inference with a tuned power (PPI++).

    Angelopoulos, Duchi and Zrnic 2023 (arXiv:2311.01453), for a mean; with unequal chances of being labelled, each
    label weighs the inverse of its chance (Zrnic and Candès 2024, arXiv:2403.03208).

    Args:
        judged: The judge's number of every item.
        human: People's number, in the same order; None where nobody was asked.
        clusters: The unit that each item comes from; each its own if None.
        probabilities: Chance of each item to be drawn for labelling; drawn with equal chances if None.
        power: How much to trust the judge, 0 (labels alone) to 1; the best for this sample if None.
        bounds: Lowest and highest number of the scale. Labels that do not vary have an interval only with it.

    Raises:
        InputError: Fewer than 2 labelled clusters, or a labelled item without its probability.
    """
    f = np.asarray(judged, float)
    known = np.array([x is not None for x in human])
    y = np.array([0.0 if x is None else x for x in human])
    units = list(range(len(f))) if clusters is None else list(clusters)
    labelled = len({unit for unit, there in zip(units, known, strict=True) if there})
    if labelled < 2:  # noqa: PLR2004 - a spread needs two
        raise InputError(f"{labelled} labelled submissions: an estimate needs at least 2, and better 50")
    if probabilities is None:
        value, parts, tuned = _uniform(f, y, known, power)
    else:
        value, parts, tuned = _weighted(f, y, known, _chances(probabilities, known), power)
    seen = labelled if probabilities is None else _worth(labelled, len(set(units)), probabilities)
    found = Corrected(
        value=value,
        influence=_summed(parts, units),
        n=int(known.sum()),
        units=labelled,
        span=None if bounds is None else bounds[1] - bounds[0],
        unseen=unseen_of(f[known], y[known], tuned, seen, bounds, weighted=probabilities is not None),
        method=f"{'ppi++' if probabilities is None else 'active'} (power {tuned:.2f})",
    )
    if found.unseen == () and found.error <= _NO_ERROR:  # labels vary within clusters, and all clusters are alike
        return replace(found, unseen=around(value, seen, bounds))
    return found


def _uniform(f: Array, y: Array, known: Mask, power: float | None) -> tuple[float, Array, float]:
    n, rest = int(known.sum()), int((~known).sum())
    if rest == 0:
        return float(y.mean()), (y - y.mean()) / n, 0.0
    tuned = _best_power(f, y, known, n / rest) if power is None else power
    gap, others = (y - tuned * f)[known], f[~known]
    parts = np.empty_like(f)
    parts[known] = (gap - gap.mean()) / n
    parts[~known] = tuned * (others - others.mean()) / rest
    return float(gap.mean() + tuned * others.mean()), parts, tuned


def _best_power(f: Array, y: Array, known: Mask, ratio: float) -> float:
    """The power with the least variance, between 0 and 1."""
    covariance = float(np.mean((y[known] - y[known].mean()) * (f[known] - f[known].mean())))
    variance = float(f.var(ddof=1))
    return min(1.0, max(0.0, covariance / ((1 + ratio) * variance))) if variance > 0 else 0.0


def _weighted(f: Array, y: Array, known: Mask, chances: Array, power: float | None) -> tuple[float, Array, float]:
    inverse = np.where(known, 1 / chances, 0.0)
    tuned = _best_weighted_power(f, y, inverse) if power is None else power
    value = tuned * f + inverse * (y - tuned * f)
    return float(value.mean()), (value - value.mean()) / len(f), tuned


def _best_weighted_power(f: Array, y: Array, inverse: Array) -> float:
    """The power with the least variance: the slope of what labels say on what the judge adds."""
    labels, judge = inverse * y, (inverse - 1) * f
    spread = float(judge.var())
    slope = float(np.mean((labels - labels.mean()) * (judge - judge.mean()))) / spread if spread > 0 else 0.0
    return min(1.0, max(0.0, slope))


def _chances(probabilities: Sequence[float | None], known: Mask) -> Array:
    missing = [i for i, p in enumerate(probabilities) if p is None and known[i]]
    if missing:
        raise InputError(
            f"{len(missing)} labelled submissions have no probability; give it for every label or for none"
        )
    return np.array([1.0 if p is None else p for p in probabilities])


def _worth(labelled: int, whole: int, probabilities: Sequence[float | None]) -> int:
    """How many units drawn evenly see as much of what is seldom drawn: all of `whole` at the least chance."""
    least = min(p for p in probabilities if p is not None)
    return max(1, min(labelled, int(whole * least)))


def _summed(parts: Array, units: Sequence[Hashable]) -> dict[Hashable, float]:
    sums: defaultdict[Hashable, float] = defaultdict(float)
    for part, unit in zip(parts.tolist(), units, strict=True):
        sums[unit] += part
    return dict(sums)


def rogan_gladen(judged: Sequence[bool], human: Sequence[bool | None], level: float = 0.95) -> Estimate:
    """The rate that people would find, from the judge's rate, sensitivity and specificity.

    theta = (p + q0 - 1) / (q0 + q1 - 1) with the variance of both samples, and the interval around adjusted rates (Lee
    et al. 2025, arXiv:2511.21140). Items are taken as independent.

    Args:
        judged: The judge's verdict on every item.
        human: People's, in the same order; None where nobody was asked.
        level: Confidence, between 0 and 1.

    Raises:
        InputError: Labels of only one kind, or the judge is no better than chance: its sensitivity and specificity
            sum to 1 or less, and no correction is possible.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    pairs = [(f, y) for f, y in zip(judged, human, strict=True) if y is not None]
    said_of_met = [f for f, y in pairs if y]
    said_of_unmet = [not f for f, y in pairs if not y]
    if not said_of_met or not said_of_unmet:
        raise InputError("all labels are of one kind: sensitivity or specificity is unknown; label more submissions")
    plain = [sum(x) / len(x) for x in (judged, said_of_unmet, said_of_met)]
    if plain[1] + plain[2] <= 1:
        raise InputError(
            f"sensitivity {plain[2]:.2f} and specificity {plain[1]:.2f} sum to 1 or less: the judge is no better than"
            " chance, and its rate cannot be corrected"
        )
    theta = (plain[0] + plain[1] - 1) / (plain[1] + plain[2] - 1)
    middle, half = _adjusted(judged, said_of_unmet, said_of_met, z)
    return Estimate(
        value=min(1.0, max(0.0, theta)),
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
        n=len(pairs),
        note="" if len(pairs) >= LEAST_LABELS else f"only {len(pairs)} labels: the interval is not to be trusted",
        method=f"rogan–gladen {level:.0%}",
    )


def _adjusted(
    judged: Sequence[bool], of_unmet: Sequence[bool], of_met: Sequence[bool], z: float
) -> tuple[float, float]:
    """Middle and half width, from rates with pseudo-counts so that a rate of 0 or 1 has a spread too."""
    n, m0, m1 = len(judged) + z**2, len(of_unmet) + 2, len(of_met) + 2
    p, q0, q1 = (sum(judged) + z**2 / 2) / n, (sum(of_unmet) + 1) / m0, (sum(of_met) + 1) / m1
    power = max(q0 + q1 - 1, 1e-3)
    theta = min(1.0, max(0.0, (p + q0 - 1) / power))
    spread0, spread1 = q0 * (1 - q0) / m0, q1 * (1 - q1) / m1
    shift = 2 * z**2 * (theta * spread1 - (1 - theta) * spread0)
    variance = (p * (1 - p) / n + (1 - theta) ** 2 * spread0 + theta**2 * spread1) / power**2
    return theta + shift, z * math.sqrt(variance)


def detectable(error: float, units: int, *, power: float = 0.8, level: float = 0.95) -> float:
    """The smallest true difference that a two-sided test at this standard error finds with the asked-for power."""
    return float(stats.t.ppf((1 + level) / 2, units - 1) + stats.norm.ppf(power)) * error


def labels_needed(half_width: float, estimate: Corrected, level: float = 0.95) -> int:
    """About how many labelled clusters give an interval that reaches `half_width` to each side.

    The error is taken to shrink with the root of the number of labels, which is right while labels are few among what
    was judged.

    Raises:
        ValueError: `half_width` is not above 0.
        InputError: The labels do not vary, so their error is unknown.
    """
    if half_width <= 0:
        raise ValueError(f"half width {half_width}: it must be above 0")
    if estimate.unseen != ():
        raise InputError("the labels do not vary, so it is unknown how many are needed; label more submissions")
    z = float(stats.norm.ppf((1 + level) / 2))
    return math.ceil(estimate.units * (z * estimate.error / half_width) ** 2)
