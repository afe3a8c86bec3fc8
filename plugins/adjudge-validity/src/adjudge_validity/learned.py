"""A learned read-out: one rater's level of one criterion from what the judge said on all criteria.

After LLM-Rubric (Hashemi et al. 2024, ACL, section 3): weights that all raters share, and weights of each rater.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from adjudge_validity import network
from adjudge_validity.network import Network
from adjudge_validity.observations import Features, Observations
from adjudge_validity.tables import Array

FOLDS = 5
MEMBERS = 5
"""How many of the best recipes a read-out is the mean of."""
FLAT = 1e-9
"""A feature that varies less than this says nothing."""
CUT = 1e-6
"""Probabilities are cut here before logs."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a read-out is built; the numbers are precisions of priors, infinite for what is left out.

    Features are standardised and divided by the root of their number, so that one precision suits few and many.
    """

    features: Features = "expected"
    """What is taken from each distribution."""
    shared: float = 3.0
    """Of the weights of the judge's distributions, alike for all raters."""
    extra: float = math.inf
    """Of the weights of further features."""
    offsets: float = math.inf
    """Of each rater's severity."""
    slopes: float = math.inf
    """Of each rater's own weights of the judge's distributions."""
    hidden: int = 0
    """Hidden units, over everything above."""


def recipes(*, raters: bool, extra: bool = False) -> tuple[Recipe, ...]:
    """What is chosen among.

    Args:
        raters: Whether raters may differ.
        extra: Whether there are further features.
    """
    kinds: tuple[Features, ...] = ("logs",) if extra else ("expected", "logs")
    slopes, offsets = ((6.0, 20.0, math.inf), 2.0) if raters else ((math.inf,), math.inf)
    further = (0.1, 0.3, 1.0) if extra else (math.inf,)
    steps = (3.0, 10.0) if raters or extra else (3.0, 10.0, 30.0, 100.0)
    plain = [
        Recipe(features=kind, shared=shared, extra=more, offsets=offsets, slopes=slope)
        for kind, shared, more, slope in product(kinds, steps, further, slopes)
    ]
    return (*plain, Recipe(features="logs", shared=1.0, extra=further[-1], offsets=offsets, hidden=4))


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One recipe, fitted to observations."""

    recipe: Recipe
    """How it is built."""
    raters: tuple[str, ...]
    """Raters with parameters of their own."""
    mean: Array
    """Of each feature, then of each further one."""
    scale: Array
    """Standard deviations, in the same order."""
    network: Network
    """From the design to levels."""

    def probabilities(self, rows: Observations) -> Array:
        """Of each level, shape (n, k); a rater who is not known is taken as the typical one."""
        return self.network.probabilities(_design(self.recipe, self.raters, self.mean, self.scale, rows))


@dataclass(frozen=True)
class ReadOut:
    """The mean of several recipes, which is steadier than any one of them."""

    members: tuple[Fitted, ...]
    """With one vote each."""

    def probabilities(self, rows: Observations) -> Array:
        """Of each level, shape (n, k)."""
        return np.asarray(np.mean([member.probabilities(rows) for member in self.members], axis=0))

    def of_anyone(self, rows: Observations) -> Array:
        """The same for any one of the raters: the mean over them."""
        each = [self.probabilities(replace(rows, raters=[name] * len(rows))) for name in self.raters or ("",)]
        return np.asarray(np.mean(each, axis=0))

    @property
    def raters(self) -> tuple[str, ...]:
        """Raters with parameters of their own; none if all are taken as alike."""
        return self.members[0].raters


def fit(rows: Observations, among: Sequence[Recipe], *, seed: int = 0) -> ReadOut:
    """Learn from all rows by the recipes that do best in cross-validation within them."""
    with threadpool_limits(1):  # many small fits: threads would only wait for each other
        return ReadOut(tuple(_fit(rows, recipe, seed) for recipe in choose(rows, among, seed=seed)))


def _fit(rows: Observations, recipe: Recipe, seed: int) -> Fitted:
    made = np.concatenate([rows.features(recipe.features), rows.extra], axis=1)
    known = np.isfinite(made)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, made, 0).sum(0) / count
    spread = np.sqrt(np.where(known, (made - mean) ** 2, 0).sum(0) / count)
    scale = np.where(spread > FLAT, spread, 1.0)
    raters = tuple(sorted(set(rows.raters))) if math.isfinite(recipe.offsets) else ()
    design = _design(recipe, raters, mean, scale, rows)
    ordered = rows.target in rows.ordered
    found = network.fit(design, rows.truth, ordered=ordered, hidden=recipe.hidden, seed=seed)
    return Fitted(recipe=recipe, raters=raters, mean=mean, scale=scale, network=found)


def _design(recipe: Recipe, raters: Sequence[str], mean: Array, scale: Array, rows: Observations) -> Array:
    """Inputs of the network: shared and further features, then raters' severities and own weights.

    A column is scaled by the standard deviation of its weight's prior. What the judge did not say counts as the mean.
    """
    given = rows.features(recipe.features)
    whole = np.nan_to_num((np.concatenate([given, rows.extra], axis=1) - mean) / scale)
    said, more = np.split(whole, [given.shape[1]], axis=1)
    said = said / math.sqrt(max(1, said.shape[1]))
    who = np.array([[rater == name for name in raters] for rater in rows.raters], float).reshape(len(rows), -1)
    parts = [(said, recipe.shared), (more / math.sqrt(max(1, more.shape[1])), recipe.extra), (who, recipe.offsets)]
    if math.isfinite(recipe.slopes):
        parts.append(((who[:, :, None] * said[:, None, :]).reshape(len(rows), -1), recipe.slopes))
    return np.concatenate(
        [part / math.sqrt(precision) for part, precision in parts if math.isfinite(precision)], axis=1
    )


def folds(clusters: Sequence[str], *, seed: int = 0, number: int = FOLDS) -> Iterator[Any]:
    """Masks of what is held out; a cluster is never split. There are none if all is one cluster."""
    names = sorted(set(clusters))
    random.Random(seed).shuffle(names)  # noqa: S311 - statistics, not secrets
    fold = {name: place % number for place, name in enumerate(names)}
    places = np.array([fold[name] for name in clusters])
    return (places == one for one in range(number) if 0 < (places == one).sum() < len(places))


def choose(rows: Observations, among: Sequence[Recipe], *, seed: int = 0) -> list[Recipe]:
    """The recipes with the least log-loss in cross-validation within these rows, the best one first."""
    if len(among) <= MEMBERS:
        return list(among)
    held = list(folds(rows.clusters, seed=seed))

    def lost(recipe: Recipe) -> float:
        parts = ((rows.part(mask), _fit(rows.part(~mask), recipe, seed)) for mask in held)
        return math.fsum(float(losses(one.probabilities(out), out.truth).sum()) for out, one in parts)

    return sorted(among, key=lost)[:MEMBERS]


def losses(shares: Array, truth: Array) -> Array:
    """Log-loss of each row."""
    return np.asarray(-(truth * np.log(np.clip(shares, CUT, None))).sum(1))


def cross_validated(rows: Observations, among: Sequence[Recipe], *, seed: int = 0, number: int = FOLDS) -> Array:
    """Nested cross-validation: what each row gets from a read-out whose every choice was made without its cluster.

    Returns:
        Probabilities, shape (n, k); `nan` if all is one cluster.
    """
    out = np.full_like(rows.truth, np.nan)
    for held in folds(rows.clusters, seed=seed, number=number):
        out[held] = fit(rows.part(~held), among, seed=seed).probabilities(rows.part(held))
    return out
