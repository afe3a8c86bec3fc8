"""Observations for a learned read-out, from the ratings of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from adjudge.errors import InputError
from adjudge.scale import Scale
from adjudge_validity.observations import Observations
from adjudge_validity.ratings import Rating, Ratings
from adjudge_validity.tables import Array


def observe(rated: Ratings, target: str) -> tuple[list[Rating], Observations]:
    """One row per label on a criterion, with the judge's probabilities on all criteria of that submission.

    Args:
        rated: A run beside labels.
        target: Criterion to predict.

    Returns:
        The rating that each row is about, and the rows; none if there are no labels with probabilities.

    Raises:
        InputError: Submissions have scales of their own under one criterion's name.
    """
    scales = _scales(rated)
    said: defaultdict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for row in rated.rows:
        if row.verdict is not None and row.verdict.distribution:
            said[row.submission][row.criterion] = row.verdict.distribution
    rows = [(row, label) for row in rated.of(target) if target in said[row.submission] for label in row.humans]
    kept = [(row, label) for row, label in rows if label.level is not None]
    levels = [level.id for level in scales[target].levels] if target in scales else []
    return [row for row, _ in kept], Observations(
        given=given(scales, [said[row.submission] for row, _ in kept]),
        ordered=frozenset(name for name, scale in scales.items() if scale.kind != "labels"),
        extra=np.zeros((len(kept), 0)),
        raters=[label.rater for _, label in kept],
        clusters=[row.cluster for row, _ in kept],
        truth=np.array([[label.level == level for level in levels] for _, label in kept], float),
        target=target,
    )


def _scales(rated: Ratings) -> dict[str, Scale]:
    """Of the criteria on which the judge gave probabilities."""
    scales: dict[str, Scale] = {}
    for row in rated.rows:
        if row.scale is None or row.verdict is None or not row.verdict.distribution:
            continue
        if scales.setdefault(row.criterion, row.scale) != row.scale:
            raise InputError(
                f"criterion {row.criterion!r} has another scale in {row.submission!r}; learn from one rubric"
            )
    return scales


def given(scales: Mapping[str, Scale], said: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Array]:
    """The judge's probabilities as arrays, `nan` where it gave none."""
    return {
        name: np.array(
            [[one.get(name, {}).get(level.id, np.nan) for level in scale.levels] for one in said], float
        ).reshape(len(said), len(scale.levels))
        for name, scale in scales.items()
    }
