"""What a run says of its submissions as a whole, corrected with human labels, criterion by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from adjudge.errors import InputError
from adjudge.metrics import Estimate, undefined
from adjudge_validity.corrected import Corrected, corrected_mean, detectable, rogan_gladen
from adjudge_validity.ratings import Rating, Ratings

Drawn = Literal["random", "active", "all", "unknown"]
"""How the labelled submissions were chosen."""
NOT_RANDOM = (
    "how the labelled submissions were chosen is unknown: unless they are a random sample of the run, no correction is"
    " valid; say so with --drawn"
)


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """One criterion (or `overall`), over all submissions of a run."""

    criterion: str
    """Its id."""
    judge: Estimate
    """What the judge alone says: its interval leaves its errors out."""
    labels: Estimate
    """What the labels alone say."""
    corrected: Estimate
    """What both say together (PPI++, or with inverse chances if drawn actively)."""
    rate: Estimate | None
    """Rogan–Gladen, for a binary criterion whose labels were drawn at random."""
    detectable: float | None
    """Smallest true difference from a fixed number that would be found in 4 of 5 such studies; None if unknown."""
    unscored: int
    """Submissions that the judge gave no level; they are left out, labels and all."""


def how_drawn(ratings: Ratings, said: Drawn | None) -> Drawn:
    """How labels were drawn.

    As said; else as all of them say; else all if nothing is unlabelled, active if they bring probabilities, or unknown.

    Raises:
        InputError: `active` is said and labels have no probability.
    """
    with_chance = any(row.probability is not None for row in ratings.rows)
    if said == "active" and not with_chance:
        raise InputError("--drawn active needs a column `probability` in the labels")
    told = {row.drawn for row in ratings.rows if row.humans}
    if said is None and len(told) == 1 and None not in told:
        return cast("Drawn", told.pop())
    if said is None and all(row.humans for row in ratings.of(*ratings.criteria)):
        return "all"
    return said or ("active" if with_chance else "unknown")


def estimates(ratings: Ratings, drawn: Drawn) -> list[Estimated]:
    """Every criterion that has labels.

    Raises:
        InputError: A criterion has labels of fewer than 2 submissions.
    """
    return [_estimated(name, ratings.of(name), drawn) for name in ratings.criteria if _numeric(ratings.of(name))]


def _numeric(rows: Sequence[Rating]) -> bool:
    return any(row.human is not None for row in rows)


def mean_of(ratings: Ratings, criterion: str, drawn: Drawn) -> Corrected:
    """The corrected mean of one criterion, by the cluster, for differences.

    Raises:
        InputError: Nobody labelled it, or too few did.
    """
    rows = [row for row in ratings.of(criterion) if row.value is not None]
    if not _numeric(rows):
        known = ", ".join(ratings.criteria)
        raise InputError(f"no label gives {criterion!r} a number; labelled: {known}")
    return _corrected(rows, drawn)


def _corrected(rows: Sequence[Rating], drawn: Drawn) -> Corrected:
    return corrected_mean(
        [row.value for row in rows if row.value is not None],
        [row.human for row in rows],
        [row.cluster for row in rows],
        probabilities=[row.probability for row in rows] if drawn == "active" else None,
        bounds=_bounds(rows),
    )


def _bounds(rows: Sequence[Rating]) -> tuple[float, float] | None:
    """Lowest and highest number of the scale; None if a row has none."""
    ranges = [None if row.scale is None else row.scale.range for row in rows]
    known = [one for one in ranges if one is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if len(known) == len(ranges) else None


def _alone(numbers: Sequence[float], rows: Sequence[Rating]) -> Estimate:
    """The mean of numbers, one a row, without any other side."""
    found = corrected_mean(numbers, numbers, [row.cluster for row in rows], bounds=_bounds(rows))
    return replace(found, method="clustered t").estimate()


def _estimated(name: str, rows: Sequence[Rating], drawn: Drawn) -> Estimated:
    scored = [row for row in rows if row.value is not None]
    labelled = [row for row in scored if row.human is not None]
    together = _corrected(scored, drawn)
    return Estimated(
        criterion=name,
        judge=_alone([row.value for row in scored if row.value is not None], scored),
        labels=_labels_alone(labelled, drawn),
        corrected=together.estimate(),
        rate=_rate(scored) if drawn != "active" and _is_binary(scored) else None,
        detectable=detectable(together.error, together.units) if together.unseen == () else None,
        unscored=len(rows) - len(scored),
    )


def _labels_alone(rows: Sequence[Rating], drawn: Drawn) -> Estimate:
    if drawn == "active":
        return undefined("labels drawn with unequal chances say nothing alone", len(rows))
    return _alone([row.human for row in rows if row.human is not None], rows)


def _is_binary(rows: Sequence[Rating]) -> bool:
    return all(row.scale is not None and row.scale.kind == "binary" for row in rows)


def _rate(rows: Sequence[Rating]) -> Estimate:
    """Rogan–Gladen on levels; where it is refused, the reason."""
    known = [(row.level, row.consensus, row.scale.levels[-1].id) for row in rows if row.scale is not None]
    human = [None if said is None else said == top for _, said, top in known]
    try:
        return rogan_gladen([level == top for level, _, top in known], human)
    except InputError as error:
        return undefined(str(error), sum(x is not None for x in human))
