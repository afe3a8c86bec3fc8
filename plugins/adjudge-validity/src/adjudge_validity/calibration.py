"""Calibrations of single criteria: learned from a run and labels, judged by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adjudge.errors import InputError
from adjudge.metrics import Estimate, paired_difference
from adjudge_validity import maps
from adjudge_validity.learned import folds, losses
from adjudge_validity.maps import Parameters
from adjudge_validity.ratings import Rating
from adjudge_validity.tables import Array

LEAST = 10
"""Fewest labelled submissions that a map is learned from."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One map for one criterion, and what it is worth on labels that it did not see."""

    criterion: str
    """Its id."""
    method: str
    """Name of the map."""
    parameters: Parameters
    """Learned from all labels."""
    before: float
    """Log-loss of the judge's own probabilities."""
    after: float
    """Log-loss in cross-validation."""
    after_of_rater: float | None = None
    """The same, for a learned read-out that is told whose level it predicts."""
    gain: Estimate
    """Before less after, with a clustered interval."""
    out_of_fold: Array
    """Mapped probabilities in cross-validation, shape (n, k)."""


def learn(rows: Sequence[Rating], method: str, *, seed: int = 0) -> Learned:
    """Learn a map for one criterion.

    Cross-validation with 5 folds keeps clusters together. A submission's labels weigh 1 together.

    Args:
        rows: Ratings of one criterion.
        method: A name in `maps.FITS`, or `auto` for the one with the least log-loss in cross-validation.
        seed: Seed of the folds.

    Raises:
        InputError: Fewer than 10 submissions have labels and probabilities, or all of them are one cluster, or the map
            needs an order of levels.
    """
    known = [row for row in rows if row.levels and row.verdict is not None and row.verdict.distribution]
    name = rows[0].criterion if rows else "?"
    if len(known) < LEAST or known[0].scale is None:
        raise InputError(
            f"criterion {name!r}: {len(known)} submissions have labels and probabilities, a calibration needs {LEAST};"
            " probabilities come with --read-out label"
        )
    enough_clusters(name, [row.cluster for row in known])
    ordered = known[0].scale.kind != "labels"
    if method not in ("auto", *maps.UNORDERED) and not ordered:
        raise InputError(f"criterion {name!r}: the map {method!r} needs levels in order; use temperature or platt")
    methods = [one for one in maps.FITS if ordered or one in maps.UNORDERED] if method == "auto" else [method]
    tried = [_tried(name, known, one, seed) for one in methods]
    return min(tried, key=lambda one: one.after)


def enough_clusters(criterion: str, clusters: Sequence[str]) -> None:
    """Refuse labels that cross-validation cannot hold a part of out.

    Raises:
        InputError: All are one cluster.
    """
    if len(set(clusters)) == 1:
        raise InputError(
            f"criterion {criterion!r}: all labelled submissions are of the cluster {clusters[0]!r}, so nothing can be"
            ' held out; label others, or give them their own metadata["cluster"]'
        )


def _tried(name: str, known: Sequence[Rating], method: str, seed: int) -> Learned:
    given, truth = arrays(known)
    clusters = [row.cluster for row in known]
    out = np.empty_like(given)
    for held in folds(clusters, seed=seed):
        fitted = maps.FITS[method](given[~held], truth[~held])
        out[held] = maps.apply(method, fitted, given[held])
    before, after = losses(given, truth), losses(out, truth)
    return Learned(
        criterion=name,
        method=method,
        parameters=maps.FITS[method](given, truth),
        before=float(before.mean()),
        after=float(after.mean()),
        gain=paired_difference(before.tolist(), after.tolist(), clusters),
        out_of_fold=out,
    )


def arrays(known: Sequence[Rating]) -> tuple[Array, Array]:
    """The judge's probabilities and people's labels as shares, both of shape (n, k), levels in order."""
    scale = known[0].scale
    assert scale is not None
    levels = [level.id for level in scale.levels]
    given = [[(row.verdict.distribution or {})[x] for x in levels] for row in known if row.verdict is not None]
    truth = [[row.levels.count(x) / len(row.levels) for x in levels] for row in known]
    return np.array(given), np.array(truth)
