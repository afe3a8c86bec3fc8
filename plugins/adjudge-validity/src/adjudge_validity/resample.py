"""Bootstrap over clusters of figures whose parts add up, a thousand resamples in one product of matrices."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from adjudge.metrics import Estimate, bootstrap_interval, few, undefined
from adjudge_validity.tables import Array, Figure

RESAMPLES = 1000
MOST_KEPT = 5_000_000
"""Most draws that are kept for the next figure; they are the same for all figures of as many clusters."""
NO_SPREAD = "no interval: the same on every resample"


def resampled(
    figure: Figure, parts: Array, n: int, why: str, *, seed: int = 0, resamples: int = RESAMPLES, level: float = 0.95
) -> Estimate:
    """A figure with a BCa interval (Efron and Tibshirani 1993, chapter 14).

    Args:
        figure: From sums of parts, shape (…, *part), to figures (…); `nan` where undefined.
        parts: What each cluster adds, shape (clusters, *part).
        n: Number of observations.
        why: What to say where the figure is undefined.
        seed: The same seed gives the same interval, and the same clusters for every figure.
        resamples: How often to draw.
        level: Confidence, between 0 and 1.
    """
    count = len(parts)
    whole = float(figure(parts.sum(0))) if count else math.nan
    if math.isnan(whole):
        return replace(undefined(why if count else "no observations", n), clusters=count)
    found = Estimate(value=whole, n=n, clusters=count, note=few(count))
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return replace(found, note="no interval: fewer than 2 clusters")
    weights = (_kept_weights if count * resamples <= MOST_KEPT else _weights)(count, seed, resamples)
    drawn = figure(np.asarray(np.tensordot(weights, parts, 1), np.float64))
    left_out = figure(parts.sum(0) - parts)
    interval = bootstrap_interval(
        found, _defined(drawn), [x for x in _defined(left_out) if x is not None], seed=seed, level=level, method="bca"
    )
    if interval.low == interval.high:  # as where both sides always agree: no width is not the same as no doubt
        return replace(found, note=f"{found.note}; {NO_SPREAD}".removeprefix("; "))
    return interval


def _weights(count: int, seed: int, resamples: int) -> Array:
    """How often each cluster is drawn, shape (resamples, clusters)."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


_kept_weights = lru_cache(maxsize=2)(_weights)


def _defined(figures: Array) -> list[float | None]:
    return [None if math.isnan(x) else x for x in figures.tolist()]
