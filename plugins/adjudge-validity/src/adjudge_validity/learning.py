"""A learned read-out for one criterion of a run, and what it is worth on labels that it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjudge.errors import InputError
from adjudge.metrics import paired_difference
from adjudge_validity.calibration import LEAST, Learned, enough_clusters
from adjudge_validity.fitted import LEARNED
from adjudge_validity.learned import fit, folds, losses, recipes
from adjudge_validity.observations import Observations
from adjudge_validity.observing import observe
from adjudge_validity.ratings import Ratings
from adjudge_validity.stored import Stored
from adjudge_validity.tables import Array


def learn_read_out(rated: Ratings, target: str, *, seed: int = 0) -> Learned:
    """Learn to predict people's levels of a criterion from the judge's probabilities on all criteria.

    Args:
        rated: A run beside labels.
        target: The criterion.
        seed: Seed of the folds.

    Raises:
        InputError: Fewer than 10 submissions have labels and probabilities, or all of them are one cluster.
    """
    about, rows = observe(rated, target)
    names = [row.submission for row in about]
    if len(set(names)) < LEAST:
        raise InputError(
            f"criterion {target!r}: {len(set(names))} submissions have labels and probabilities, a read-out needs"
            f" {LEAST}; probabilities come with --read-out label"
        )
    enough_clusters(target, rows.clusters)
    among = recipes(raters=len(set(rows.raters)) > 1)
    anyone, known = np.empty_like(rows.truth), np.empty_like(rows.truth)
    for held in folds(rows.clusters, seed=seed):
        read_out, out = fit(rows.part(~held), among, seed=seed), rows.part(held)
        anyone[held], known[held] = read_out.of_anyone(out), read_out.probabilities(out)
    before = _by_submission(losses(rows.given[target], rows.truth), names)
    after = _by_submission(losses(anyone, rows.truth), names)
    clusters = dict(zip(names, rows.clusters, strict=True))
    return Learned(
        criterion=target,
        method=LEARNED,
        parameters=_stored(rated, rows, fit(rows, among, seed=seed)).parameters(),
        before=float(before.mean()),
        after=float(after.mean()),
        after_of_rater=float(_by_submission(losses(known, rows.truth), names).mean()),
        gain=paired_difference(before.tolist(), after.tolist(), [clusters[name] for name in dict.fromkeys(names)]),
        out_of_fold=anyone,
    )


def _stored(rated: Ratings, rows: Observations, read_out: Any) -> Stored:
    scales = {row.criterion: row.scale for row in rated.rows if row.scale is not None}
    levels = {name: tuple(level.id for level in scales[name].levels) for name in rows.given}
    return Stored(target=rows.target, levels=levels, ordered=rows.ordered, read_out=read_out)


def _by_submission(each: Array, names: Sequence[str]) -> Array:
    """Mean of each submission's labels, which weigh 1 together."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    at = [places[name] for name in names]
    return np.asarray(np.bincount(at, each) / np.bincount(at), np.float64)
