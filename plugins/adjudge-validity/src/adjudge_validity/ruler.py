"""The judge's ruler: are its steps from 1 to 2 and from 4 to 5 alike? Difference scaling of ordered stimuli.

Maximum likelihood difference scaling (Maloney and Yang 2003): a judge is shown two pairs of answers from a ladder of
known quality and says which pair differs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from adjudge.errors import InputError
from adjudge_validity.tables import Array

STEEPEST = 50.0
"""Bound of every coefficient, in units of the judge's noise."""


@dataclass(frozen=True, slots=True)
class Quadruple:
    """Which of the pairs (a, b) and (c, d) differs more; stimuli by their place on the ladder, from 0."""

    a: int
    b: int
    c: int
    d: int
    second: bool
    """The second pair was said to differ more."""


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """The inner scale."""

    psi: tuple[float, ...]
    """Place of each stimulus; the first is 0, the last is 1."""
    noise: float
    """Standard deviation of the judge's error, on the scale of `psi`."""
    n: int
    """Answers."""
    rises: bool
    """Whether every stimulus stands above the one before."""


def difference_scale(answers: Sequence[Quadruple], stimuli: int) -> Ruler:
    """Fit P(second) = Phi((psi_d - psi_c - psi_b + psi_a) / noise) by probit regression.

    Args:
        answers: What the judge said; the order changes nothing.
        stimuli: Steps of the ladder, at least 3.

    Raises:
        InputError: A place is not on the ladder, or the answers do not tell the first stimulus from the last.
    """
    places = {place for one in answers for place in (one.a, one.b, one.c, one.d)}
    if not answers or min(places) < 0 or max(places) >= stimuli:
        raise InputError(f"quadruples name stimuli outside of 0 to {stimuli - 1}, or there are none")
    columns = _columns(answers, stimuli)
    sign = np.array([1.0 if one.second else -1.0 for one in answers])

    def loss(x: Array) -> tuple[float, Array]:
        at = sign * (columns @ x)
        logs = stats.norm.logcdf(at)
        slope = np.exp(stats.norm.logpdf(at) - logs)
        return -float(logs.sum()), -np.asarray((sign * slope) @ columns)

    start = np.linspace(0, 1, stimuli)[1:]
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-STEEPEST, STEEPEST)] * len(start))
    if found.x[-1] <= 0:
        raise InputError("by these answers the last stimulus does not stand above the first: there is no scale")
    psi = (0.0, *(float(x) for x in found.x / found.x[-1]))
    return Ruler(psi=psi, noise=1 / float(found.x[-1]), n=len(answers), rises=bool((np.diff(psi) > 0).all()))


def _columns(answers: Sequence[Quadruple], stimuli: int) -> Array:
    """A row per answer, -1 and +1 for each stimulus in it; the first stimulus is fixed at 0 and has no column."""
    found = np.zeros((len(answers), stimuli))
    for row, one in zip(found, answers, strict=True):
        for place, sign in ((one.a, 1), (one.b, -1), (one.c, -1), (one.d, 1)):
            row[place] += sign
    return found[:, 1:]


def straightened(score: float, scores: Sequence[float], ruler: Ruler) -> float:
    """A score on the judge's scale, moved to where its inner scale has it; ends stay, order stays.

    Args:
        score: What the judge gave, or an expected score between levels.
        scores: The score that each stimulus stands for, rising, as many as the ruler has.
        ruler: The fitted scale; where it does not rise it is made to (isotonic regression).

    Raises:
        ValueError: `scores` and the ruler differ in length.
    """
    if len(scores) != len(ruler.psi):
        raise ValueError(f"{len(scores)} scores for a ruler of {len(ruler.psi)} stimuli")
    psi = np.clip(optimize.isotonic_regression(np.array(ruler.psi)).x, 0, 1)
    low, high = scores[0], scores[-1]
    return float(low + (high - low) * np.interp(score, scores, psi))
