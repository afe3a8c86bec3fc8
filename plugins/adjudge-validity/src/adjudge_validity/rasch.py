"""Many-facet Rasch model: how severe each rater is and how hard each criterion, on one scale.

Rating scale model of Andrich (1978) with facets (Linacre 1989): the log-odds of level k against k - 1 are
ability(submission) - difficulty(criterion) - severity(rater) - threshold(k). Abilities are normal and integrated out
(marginal maximum likelihood), so severities are not shrunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from adjudge.errors import InputError
from adjudge_validity.tables import Array

NODES = 31
LARGEST = 8.0
"""Bound of every parameter, in logits; one that reaches it cannot be told from these data."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One level that one rater gave."""

    submission: str
    rater: str
    criterion: str
    step: int
    """Place of the level, from 0."""


@dataclass(frozen=True, kw_only=True)
class Facet:
    """One rater or criterion."""

    value: float
    """Severity or difficulty, in logits; above 0 is more severe or harder than the mean."""
    error: float | None
    """Standard error; None where the data do not tell."""
    infit: float
    """Weighted mean square of the residuals: 1 as expected, above it noisier, below it too regular."""
    outfit: float
    """Plain mean square of standardised residuals; feels outliers."""
    n: int
    """Levels."""


@dataclass(frozen=True, kw_only=True)
class Rasch:
    """The fitted model."""

    raters: Mapping[str, Facet]
    """Severities; they sum to 0."""
    criteria: Mapping[str, Facet]
    """Difficulties, against a mean ability of 0."""
    thresholds: tuple[float, ...]
    """Of each step; they sum to 0."""
    spread: float
    """Standard deviation of abilities, in logits."""
    ability: Mapping[str, float]
    """Submission to expected ability."""
    converged: bool
    """Whether the optimiser said so and no parameter stands at its bound."""


def fit_rasch(ratings: Sequence[Rated], steps: int) -> Rasch:
    """Fit the model.

    Args:
        ratings: Levels by submission, rater and criterion; raters need not see everything, but must overlap.
        steps: Number of levels of the scale, at least 2.

    Raises:
        InputError: There are fewer than 2 submissions or raters.
    """
    data = _Data(ratings, steps)
    if len(data.submissions) < 2 or len(data.raters) < 2:  # noqa: PLR2004 - a comparison needs two
        raise InputError("a Rasch model needs at least 2 submissions and 2 raters")
    start = np.zeros(data.size)
    found = optimize.minimize(
        data.loss, start, jac=True, method="L-BFGS-B", bounds=[(-LARGEST, LARGEST)] * data.size, options={"ftol": 1e-12}
    )
    inside = bool(np.all(np.abs(found.x) < LARGEST - 1e-6))
    return data.read(np.asarray(found.x, np.float64), converged=bool(found.success) and inside)


class _Data:
    """The ratings as arrays, and the marginal likelihood.

    Parameters, in this order: severities but the last, difficulties, thresholds but the last, log of the spread.
    """

    def __init__(self, ratings: Sequence[Rated], steps: int) -> None:
        self.submissions, self._item = _places([one.submission for one in ratings])
        self.raters, self._rater = _places([one.rater for one in ratings])
        self.criteria, self._criterion = _places([one.criterion for one in ratings])
        self._step = np.array([one.step for one in ratings], dtype=np.intp)
        self._steps = steps
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        self._nodes, self._log_weights = nodes, np.log(weights / weights.sum())
        self._cuts = np.cumsum([len(self.raters) - 1, len(self.criteria), steps - 2])
        self.size = int(self._cuts[-1]) + 1

    def _parts(self, parameters: Array) -> tuple[Array, Array, Array, float]:
        severity, difficulty, threshold, log_spread = np.split(parameters, self._cuts)
        return _summing_to_0(severity), difficulty, _summing_to_0(threshold), float(np.exp(log_spread[0]))

    def _chances(self, at: Array, threshold: Array) -> Array:
        """Probability of each level at log-odds `at`, shape (…, steps)."""
        reached = np.concatenate([[0.0], -threshold.cumsum()])
        return np.asarray(special.softmax(at[..., None] * np.arange(self._steps) + reached, axis=-1))

    def _posterior(self, parameters: Array) -> tuple[Array, Array, float]:
        """Chances (ratings, nodes, steps), posterior of the nodes (submissions, nodes), log-likelihood."""
        severity, difficulty, threshold, spread = self._parts(parameters)
        at = spread * self._nodes[None, :] - (difficulty[self._criterion] + severity[self._rater])[:, None]
        chances = self._chances(at, threshold)
        logs = np.log(np.maximum(chances[np.arange(len(self._step)), :, self._step], 1e-300))
        by_item = np.zeros((len(self.submissions), NODES))
        np.add.at(by_item, self._item, logs)
        joint = by_item + self._log_weights
        whole = special.logsumexp(joint, axis=1)
        return chances, np.exp(joint - whole[:, None]), float(whole.sum())

    def loss(self, parameters: Array) -> tuple[float, Array]:
        """Negative log-likelihood and its gradient (Fisher's identity)."""
        chances, posterior, likelihood = self._posterior(parameters)
        spread = self._parts(parameters)[3]
        weight = posterior[self._item]
        above = 1 - chances.cumsum(-1)[..., :-1]
        reached = (self._step[:, None] > np.arange(self._steps - 1)).astype(np.float64)
        steps = np.einsum("rq,rqk->rk", weight, reached[:, None, :] - above)
        residual = reached.sum(-1)[:, None] - above.sum(-1)
        pull = (weight * residual).sum(1)
        severity = _free(np.asarray(np.bincount(self._rater, -pull, len(self.raters)), np.float64))
        difficulty = np.bincount(self._criterion, -pull, len(self.criteria))
        threshold = _free(-steps.sum(0))
        log_spread = spread * float((weight * residual * self._nodes).sum())
        return -likelihood, -np.concatenate([severity, difficulty, threshold, [log_spread]])

    def read(self, parameters: Array, *, converged: bool) -> Rasch:
        """The model at these parameters, with errors and fit."""
        severity, difficulty, threshold, spread = self._parts(parameters)
        ability = spread * (self._posterior(parameters)[1] * self._nodes).sum(1)
        errors = self._errors(parameters)
        fit = self._fit(parameters)
        return Rasch(
            raters=self._facets(self.raters, self._rater, severity, errors[0], fit),
            criteria=self._facets(self.criteria, self._criterion, difficulty, errors[1], fit),
            thresholds=tuple(threshold.tolist()),
            spread=spread,
            ability=dict(zip(self.submissions, ability.tolist(), strict=True)),
            converged=converged,
        )

    def _errors(self, parameters: Array) -> tuple[Array, Array]:
        """Standard errors of severities and difficulties from the curvature; `nan` where there is none."""
        step = 1e-4
        slopes = [self.loss(parameters + step * e)[1] - self.loss(parameters - step * e)[1] for e in np.eye(self.size)]
        curvature = np.array(slopes) / (2 * step)
        covariance = np.linalg.pinv((curvature + curvature.T) / 2)
        raters, criteria = len(self.raters) - 1, len(self.criteria)
        spread_out = np.vstack([np.eye(raters), -np.ones((1, raters))])
        severity = np.diag(spread_out @ covariance[:raters, :raters] @ spread_out.T)
        difficulty = np.diag(covariance)[raters : raters + criteria]
        return _root(severity), _root(difficulty)

    def _fit(self, parameters: Array) -> tuple[Array, Array, Array]:
        """Of each rating its squared residual, the variance to be expected, and the ratio of both.

        In the mean over the posterior of the ability; at its middle residuals would look too small.
        """
        chances, posterior, _ = self._posterior(parameters)
        weight, places = posterior[self._item], np.arange(self._steps)
        expected = chances @ places
        variance = chances @ places**2 - expected**2
        squared = (self._step[:, None] - expected) ** 2
        ratio = squared / np.maximum(variance, 1e-12)
        return (weight * squared).sum(1), (weight * variance).sum(1), (weight * ratio).sum(1)

    def _facets(
        self, names: Sequence[str], of: NDArray[np.intp], values: Array, errors: Array, fit: tuple[Array, Array, Array]
    ) -> dict[str, Facet]:
        squared, variance, ratio = fit
        count = np.bincount(of, minlength=len(names))
        infit = np.bincount(of, squared, len(names)) / np.maximum(np.bincount(of, variance, len(names)), 1e-12)
        outfit = np.bincount(of, ratio, len(names)) / count
        rows = zip(
            names, values.tolist(), errors.tolist(), infit.tolist(), outfit.tolist(), count.tolist(), strict=True
        )
        return {
            name: Facet(value=value, error=error if np.isfinite(error) else None, infit=inner, outfit=outer, n=n)
            for name, value, error, inner, outer, n in rows
        }


def _places(names: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    known = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return list(known), np.array([known[name] for name in names], dtype=np.intp)


def _summing_to_0(free: Array) -> Array:
    return np.concatenate([free, [-free.sum()]])


def _free(gradient: Array) -> Array:
    """Gradient in the free parameters of what sums to 0."""
    return np.asarray(gradient[:-1] - gradient[-1])


def _root(variance: Array) -> Array:
    return np.asarray(np.sqrt(np.where(variance > 0, variance, np.nan)))
