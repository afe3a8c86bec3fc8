"""Maps from a judge's probabilities to better ones, each learned from few labels.

A map works on an array of shape (n, k) over the levels of one criterion, from the lowest to the highest, and gives one
of the same shape whose rows sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from scipy import optimize, special

from adjudge_validity.tables import Array

Parameters: TypeAlias = dict[str, Any]
"""JSON values."""
SMALLEST = 1e-6
PRIOR = 1.0
"""Weight of the prior that a map changes nothing, in observations."""


def _logs(given: Array) -> Array:
    return np.asarray(np.log(np.clip(given, SMALLEST, None)))


def _least(loss: Callable[[Array], float], start: Sequence[float]) -> list[float]:
    found = optimize.minimize(loss, np.array(start, float), method="L-BFGS-B", bounds=[(-30, 30)] * len(start))
    return [float(x) for x in found.x]


def _penalty(away: Array) -> float:
    return PRIOR / 2 * float((away**2).sum())


def _loss(shares: Array, truth: Array) -> float:
    """Negative log-likelihood of labels, given as weights over levels, shape (n, k)."""
    return -float((truth * _logs(shares)).sum())


def fit_temperature(given: Array, truth: Array) -> Parameters:
    """One number: log-probabilities are divided by it (Guo et al. 2017); the order of the levels stays."""
    (log_t,) = _least(lambda x: _loss(_tempered(given, float(np.exp(x[0]))), truth) + _penalty(x), [0.0])
    return {"temperature": float(np.exp(log_t))}


def _tempered(given: Array, temperature: float) -> Array:
    return np.asarray(special.softmax(_logs(given) / temperature, axis=1))


def fit_platt(given: Array, truth: Array) -> Parameters:
    """A slope and an offset per level on log-probabilities; with two levels this is Platt's (1999) sigmoid."""
    k = given.shape[1]

    def loss(x: Array) -> float:
        return _loss(_sloped(given, x[0], x[1:]), truth) + _penalty(x - np.eye(k)[0])

    slope, *offsets = _least(loss, [1.0, *[0.0] * (k - 1)])
    return {"slope": slope, "offsets": offsets}


def _sloped(given: Array, slope: float, offsets: Any) -> Array:
    return np.asarray(special.softmax(slope * _logs(given) + np.concatenate([[0.0], offsets]), axis=1))


def fit_ordinal(given: Array, truth: Array) -> Parameters:
    """Proportional odds: the log-odds of reaching each level are linear in the judge's mean level (McCullagh 1980)."""
    k = given.shape[1]
    spread = np.clip(truth.sum(0)[::-1].cumsum()[::-1][1:] / truth.sum(), 0.02, 0.98)
    start = special.logit(spread)
    steps = np.log(np.maximum(-np.diff(start), 1e-2))

    def loss(x: Array) -> float:
        return _loss(_reached(given, float(np.exp(x[0])), _falling(x[1:])), truth) + _penalty(x[:1])

    log_slope, *cuts = _least(loss, [0.0, float(start[0]) - (k - 1) / 2 + 0.5, *steps.tolist()])
    return {"slope": float(np.exp(log_slope)), "cuts": _falling(np.array(cuts)).tolist()}


def _falling(x: Array) -> Array:
    """A first value and the logs of what each next one is lower by."""
    return np.asarray(x[0] - np.concatenate([[0.0], np.exp(x[1:]).cumsum()]))


def _reached(given: Array, slope: float, cuts: Any) -> Array:
    mean = given @ np.arange(given.shape[1])
    return _from_reached(special.expit(slope * mean[:, None] + np.asarray(cuts)[None, :]))


def _from_reached(reached: Array) -> Array:
    """Probabilities of levels from those of reaching each but the lowest, made to fall."""
    falling = np.minimum.accumulate(np.clip(reached, 0, 1), axis=1)
    n = len(reached)
    edges = np.concatenate([np.ones((n, 1)), falling, np.zeros((n, 1))], axis=1)
    return np.asarray(-np.diff(edges, axis=1))


def fit_isotonic(given: Array, truth: Array) -> Parameters:
    """For each level the chance of reaching it, as a rising step function of the judge's own, joined by lines.

    Zadrozny and Elkan 2002; ends are kept off 0 and 1 by one pseudo-observation of each kind.
    """
    chances, weights = _reaching(given), truth.sum(1)
    hits = _reaching(truth) / np.maximum(weights[:, None], SMALLEST)
    curves = [_curve(chances[:, j], hits[:, j], weights) for j in range(chances.shape[1])]
    return {"curves": curves}


def _reaching(shares: Array) -> Array:
    return np.asarray(shares[:, ::-1].cumsum(1)[:, ::-1][:, 1:])


def _curve(x: Array, y: Array, weight: Array) -> list[list[float]]:
    """Corners of the fitted curve, as [judge's chance, chance]."""
    at, inverse = np.unique(x, return_inverse=True)
    total = np.bincount(inverse, weight, len(at))
    mean = np.bincount(inverse, weight * y, len(at)) / np.maximum(total, SMALLEST)
    fitted = optimize.isotonic_regression(mean, weights=np.maximum(total, SMALLEST)).x
    n = float(weight.sum())
    return [[float(a), float((b * n + 1) / (n + 2))] for a, b in zip(at, fitted, strict=True)]


def _isotonic(given: Array, curves: Sequence[Sequence[Sequence[float]]]) -> Array:
    chances = _reaching(given)
    columns = [np.interp(chances[:, j], [a for a, _ in c], [b for _, b in c]) for j, c in enumerate(curves)]
    return _from_reached(np.stack(columns, axis=1))


FITS: dict[str, Callable[[Array, Array], Parameters]] = {
    "temperature": fit_temperature,
    "platt": fit_platt,
    "ordinal": fit_ordinal,
    "isotonic": fit_isotonic,
}
"""Name of a map to the function that learns its parameters from (judge's probabilities, labels as weights)."""
UNORDERED = ("temperature", "platt")
"""Those that need no order of the levels."""


def apply(method: str, parameters: Parameters, given: Array) -> Array:
    """Map probabilities.

    Args:
        method: A name in `FITS`.
        parameters: What the fit gave.
        given: Shape (n, k); rows sum to 1.

    Raises:
        KeyError: No such method, or parameters of another one.
    """
    maps: dict[str, Callable[[], Array]] = {
        "temperature": lambda: _tempered(given, parameters["temperature"]),
        "platt": lambda: _sloped(given, parameters["slope"], parameters["offsets"]),
        "ordinal": lambda: _reached(given, parameters["slope"], parameters["cuts"]),
        "isotonic": lambda: _isotonic(given, parameters["curves"]),
    }
    return maps[method]()
