"""How much the members of a panel know, and how many votes they are worth together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from adjudge.metrics import Estimate, undefined
from adjudge_validity.tables import Array

ROUNDS, CLOSE = 200, 1e-8
PSEUDO_COUNT = 0.01


@dataclass(frozen=True, kw_only=True)
class DawidSkene:
    """What the labels of several raters say about the truth and about each other."""

    posterior: Mapping[str, Mapping[str, float]]
    """Submission to level to probability."""
    confusion: Mapping[str, Array]
    """Rater to (k, k): row the true level, column the one given; rows sum to 1."""
    prevalence: Mapping[str, float]
    """Level to share."""
    weights: Mapping[str, float]
    """Rater to log-odds of its mean accuracy over levels, against guessing; 0 for one who guesses, cut at 0."""


def dawid_skene(votes: Mapping[str, Mapping[str, str]], levels: Sequence[str]) -> DawidSkene:
    """Estimate true levels and each rater's errors together, by EM from the majority (Dawid and Skene 1979).

    Raters are taken to err independently given the true level; where they do not, it is too sure of itself (see
    `effective_votes`).

    Args:
        votes: Rater to submission to level.
        levels: All levels, from the scale.

    Raises:
        ValueError: There are no votes.
    """
    submissions = list(dict.fromkeys(name for given in votes.values() for name in given))
    if not submissions:
        raise ValueError("no votes")
    one_hot = _one_hot(votes, submissions, levels)
    posterior = one_hot.sum(0) / one_hot.sum((0, 2))[:, None]
    for _ in range(ROUNDS):
        prior, confusion = _maximised(posterior, one_hot)
        log = np.log(prior) + np.einsum("rnj,rij->ni", one_hot, np.log(confusion))
        new = np.exp(log - log.max(1, keepdims=True))
        new /= new.sum(1, keepdims=True)
        moved = float(np.abs(new - posterior).max())
        posterior = new
        if moved < CLOSE:
            break
    return DawidSkene(
        posterior={
            name: dict(zip(levels, row, strict=True)) for name, row in zip(submissions, posterior.tolist(), strict=True)
        },
        confusion=dict(zip(votes, confusion, strict=True)),
        prevalence=dict(zip(levels, prior.tolist(), strict=True)),
        weights={rater: _weight(table) for rater, table in zip(votes, confusion, strict=True)},
    )


def _one_hot(votes: Mapping[str, Mapping[str, str]], submissions: Sequence[str], levels: Sequence[str]) -> Array:
    """Shape (raters, submissions, k); all 0 where a rater did not vote."""
    place = {level: index for index, level in enumerate(levels)}
    row = {name: index for index, name in enumerate(submissions)}
    found = np.zeros((len(votes), len(submissions), len(levels)))
    for rater, given in enumerate(votes.values()):
        for name, level in given.items():
            found[rater, row[name], place[level]] = 1
    return found


def _maximised(posterior: Array, one_hot: Array) -> tuple[Array, Array]:
    """Shares of the levels and each rater's confusion, with a little of everything so that nothing is impossible."""
    prior = posterior.sum(0) + PSEUDO_COUNT
    counts = np.einsum("ni,rnj->rij", posterior, one_hot) + PSEUDO_COUNT
    return prior / prior.sum(), counts / counts.sum(-1, keepdims=True)


def _weight(confusion: Array) -> float:
    right, k = float(np.trace(confusion)) / len(confusion), len(confusion)
    return max(0.0, math.log(right * (k - 1) / max(1 - right, 1e-9)))


def effective_votes(errors: Mapping[str, Mapping[str, float]]) -> Estimate:
    """How many independent votes a panel is worth: members / (1 + (members - 1) x mean correlation of their errors).

    Kish's design effect. Below 0 a correlation counts as none: a panel is worth at most its members.

    Args:
        errors: Member to submission to error, for example 1 for a wrong level and 0 for a right one, or the judge's
            number less people's.

    Returns:
        The number; pairs of members of whom one never errs have no correlation and are left out.
    """
    members = len(errors)
    if members == 1:
        return Estimate(value=1.0, n=members)
    known = [r for a, b in combinations(errors.values(), 2) if (r := _correlation(a, b)) is not None]
    if not known:
        return undefined("no two members both err sometimes on the same submissions", members)
    mean = max(0.0, sum(known) / len(known))
    lost = math.comb(members, 2) - len(known)
    note = f"mean correlation of errors {mean:.2f}" + (f"; {lost} pairs without one left out" if lost else "")
    return Estimate(value=members / (1 + (members - 1) * mean), n=members, note=note)


def _correlation(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    both = [(first[name], second[name]) for name in first if name in second]
    if len(both) < 2 or any(len(set(side)) == 1 for side in zip(*both, strict=True)):  # noqa: PLR2004 - a spread
        return None
    return float(np.corrcoef(np.array(both).T)[0, 1])
