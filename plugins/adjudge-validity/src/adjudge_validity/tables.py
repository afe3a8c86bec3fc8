"""Figures of agreement as functions of tables: rows are people's levels, columns the judge's.

A table is an array of shape (…, k, k) of counts or weights, so that a thousand resamples are one call. Where a figure
is undefined it is `nan` in here, and words everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Figure: TypeAlias = Callable[[Array], Array]
"""From tables (…, k, k) to figures (…)."""


def _total(table: Array) -> Array:
    return np.asarray(table.sum((-2, -1)))


def _ratio(above: Array, below: Array) -> Array:
    """`nan` where there is nothing to divide by, however small rounding makes it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(below) > 1e-12, above / below, np.nan)  # noqa: PLR2004 - rounding


def _margins(table: Array) -> tuple[Array, Array]:
    return table.sum(-1), table.sum(-2)


def apart(k: int, *, squared: bool) -> Array:
    """How far two of `k` levels are from each other: 0 or 1, or the square of the steps between them."""
    steps = np.subtract.outer(np.arange(k), np.arange(k)).astype(np.float64)
    return np.asarray(steps**2 if squared else steps != 0, np.float64)


def exact(table: Array) -> Array:
    """Share of equal levels."""
    return _ratio(np.trace(table, axis1=-2, axis2=-1), _total(table))


def kappa(table: Array, *, squared: bool = False) -> Array:
    """Cohen's kappa (1960), or with squared distances (1968)."""
    distance = apart(table.shape[-1], squared=squared)
    rows, columns = _margins(table)
    chance = np.einsum("...i,ij,...j->...", rows, distance, columns)
    return 1 - _ratio((table * distance).sum((-2, -1)) * _total(table), chance)


def alpha(coincidences: Array, *, ordinal: bool = False) -> Array:
    """Krippendorff's alpha from coincidences (Content Analysis, 4th edition, chapter 12), nominal or ordinal.

    Args:
        coincidences: Symmetric; each rater of a unit with each other, over the number of raters less 1.
        ordinal: Distances are squares of the ranks that lie between two levels.
    """
    margin = coincidences.sum(-1)
    n = margin.sum(-1)
    if ordinal:
        middle = margin.cumsum(-1) - margin / 2
        distance = (middle[..., :, None] - middle[..., None, :]) ** 2
    else:
        distance = np.broadcast_to(apart(margin.shape[-1], squared=False), coincidences.shape)
    seen = (coincidences * distance).sum((-2, -1))
    chance = np.einsum("...i,...ij,...j->...", margin, distance, margin)
    return 1 - _ratio((n - 1) * seen, chance)


def gwet(table: Array, *, squared: bool = False) -> Array:
    """Gwet's AC1 (2008), or AC2 with quadratic weights."""
    k = table.shape[-1]
    distance = apart(k, squared=squared)
    weights = 1 - distance / distance.max()
    share = _ratio(sum(_margins(table)), 2 * _total(table)[..., None])  # type: ignore[arg-type] # two arrays
    chance = weights.sum() / (k * (k - 1)) * (share * (1 - share)).sum(-1)
    seen = _ratio((table * weights).sum((-2, -1)), _total(table))
    return _ratio(seen - chance, 1 - chance)


def macro_f1(table: Array) -> Array:
    """Plain mean of the F1 of each level; one that occurs on neither side counts as 0."""
    rows, columns = _margins(table)
    both = rows + columns
    f1 = np.where(both > 0, 2 * np.diagonal(table, axis1=-2, axis2=-1) / np.maximum(both, 1e-300), 0.0)
    return np.where(_total(table) > 0, f1.mean(-1), np.nan)


def sensitivity(table: Array) -> Array:
    """Of what people put at the top level, the share that the judge puts there."""
    return _ratio(table[..., -1, -1], table[..., -1, :].sum(-1))


def specificity(table: Array) -> Array:
    """Of what people put at the bottom level, the share that the judge puts there."""
    return _ratio(table[..., 0, 0], table[..., 0, :].sum(-1))


def prevalence(table: Array) -> Array:
    """Share of people's labels at the top level."""
    return _ratio(table[..., -1, :].sum(-1), _total(table))


def spearman(table: Array) -> Array:
    """Spearman's rho: the correlation of mid-ranks."""
    rows, columns = _margins(table)
    n = _total(table)[..., None]
    x, y = (side.cumsum(-1) - side / 2 - n / 2 for side in (rows, columns))
    joint = np.einsum("...i,...ij,...j->...", x, table, y)
    return _ratio(joint, np.sqrt((rows * x**2).sum(-1) * (columns * y**2).sum(-1)))


def kendall(table: Array) -> Array:
    """Kendall's tau-b."""
    below = table[..., ::-1, :].cumsum(-2)[..., ::-1, :] - table
    agree = below[..., ::-1].cumsum(-1)[..., ::-1] - below
    disagree = below.cumsum(-1) - below
    rows, columns = _margins(table)
    n = _total(table)
    untied = [(n**2 - (side**2).sum(-1)) / 2 for side in (rows, columns)]
    return _ratio((table * (agree - disagree)).sum((-2, -1)), np.sqrt(untied[0] * untied[1]))


def sums(human: Any, judge: Any, weight: Any = 1.0) -> Array:
    """Weight, sums, sums of squares and of products of two sequences of numbers, as rows (n, 6) that add up."""
    x, y = np.asarray(human, float), np.asarray(judge, float)
    return np.asarray(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1) * np.asarray(weight, float)[..., None])


def sums_of(scores: Array) -> Figure:
    """From tables to `sums`, with the score of each level."""
    grid = sums(*np.meshgrid(scores, scores, indexing="ij"))
    return lambda table: np.einsum("...ij,ijs->...s", table, grid)


def _moments(added: Array) -> tuple[Array, ...]:
    """n, both means, both variances and the covariance (with n - 1)."""
    n, x, y, xx, yy, xy = np.moveaxis(added, -1, 0)
    mx, my = _ratio(x, n), _ratio(y, n)
    spread = (_ratio(part - n * a * b, n - 1) for part, a, b in ((xx, mx, mx), (yy, my, my), (xy, mx, my)))
    return (n, mx, my, *spread)


def bias(added: Array) -> Array:
    """Mean of the judge's numbers less that of people's, in the scale's units."""
    _, human, judge, *_ = _moments(added)
    return judge - human


def smd(added: Array) -> Array:
    """Bias in units of the root mean square of both standard deviations (Williamson, Xi and Breyer 2012)."""
    _, human, judge, human_variance, judge_variance, _ = _moments(added)
    return _ratio(judge - human, np.sqrt(np.maximum((human_variance + judge_variance) / 2, 0)))


def icc(added: Array) -> Array:
    """ICC(A,1): two-way, absolute agreement, one rating (McGraw and Wong 1996, case 2), of two raters."""
    n, human, judge, human_variance, judge_variance, covariance = _moments(added)
    rows = (human_variance + judge_variance + 2 * covariance) / 2
    errors = (human_variance + judge_variance - 2 * covariance) / 2
    columns = n * (judge - human) ** 2 / 2
    return _ratio(rows - errors, rows + errors + 2 / n * (columns - errors))
