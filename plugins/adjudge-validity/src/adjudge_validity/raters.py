"""Judges and people as raters of the same submissions: what `adjudge raters` puts together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adjudge.errors import InputError
from adjudge.metrics import Estimate
from adjudge.scale import Scale
from adjudge_validity.alt_test import AltTest, alt_test
from adjudge_validity.panel import DawidSkene, dawid_skene, effective_votes
from adjudge_validity.rasch import Rasch, Rated, fit_rasch
from adjudge_validity.ratings import Rating, Ratings

Given: TypeAlias = dict[str, dict[str, str]]
"""Rater to submission to level."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One criterion, over all judges and people."""

    criterion: str
    """Its id."""
    alt_tests: Mapping[str, AltTest | str]
    """Judge to its test, or why there is none."""
    dawid_skene: DawidSkene
    """True levels and each rater's errors, from all votes."""
    votes: Estimate
    """How many independent votes the judges are worth together, by their errors against people's consensus."""


def standings(runs: Mapping[str, Ratings], epsilon: float) -> list[Standing]:
    """Every criterion of the first run that has levels from people.

    Args:
        runs: Judge to its ratings.
        epsilon: How much worse than a person a judge may be.
    """
    first = next(iter(runs.values()))
    names = [name for name in first.criteria if any(row.levels for row in first.of(name))]
    return [_standing(name, {judge: rated.of(name) for judge, rated in runs.items()}, epsilon) for name in names]


def _standing(name: str, runs: Mapping[str, Sequence[Rating]], epsilon: float) -> Standing:
    judges = _judges(runs)
    people = _people(runs)
    scale = _scale([row for rows in runs.values() for row in rows])
    tests: dict[str, AltTest | str] = {}
    for judge, given in judges.items():
        try:
            tests[judge] = alt_test(given, people, epsilon=epsilon)
        except InputError as error:
            tests[judge] = str(error)
    consensus = {row.submission: row.consensus for rows in runs.values() for row in rows if row.consensus is not None}
    errors = {
        judge: {one: float(level != consensus[one]) for one, level in given.items() if one in consensus}
        for judge, given in judges.items()
    }
    return Standing(
        criterion=name,
        alt_tests=tests,
        dawid_skene=dawid_skene({**judges, **people}, [level.id for level in scale.levels]),
        votes=effective_votes(errors),
    )


def severities(runs: Mapping[str, Ratings]) -> dict[str, Rasch]:
    """A Rasch model per ordered scale, over all criteria that share it; by their ids, joined by a comma.

    Raises:
        InputError: No criterion has an ordered scale, or raters and submissions are too few.
    """
    rows = [(judge, row) for judge, rated in runs.items() for row in rated.rows if row.scale is not None]
    by_scale: defaultdict[str, list[tuple[str, Rating]]] = defaultdict(list)
    for judge, row in rows:
        if row.scale is not None and row.scale.kind != "labels" and row.humans:
            by_scale[row.scale.hash].append((judge, row))
    if not by_scale:
        raise InputError("severity needs an ordered scale: no labelled criterion has one")
    return {", ".join(dict.fromkeys(row.criterion for _, row in part)): _rasch(part) for part in by_scale.values()}


def _rasch(part: Sequence[tuple[str, Rating]]) -> Rasch:
    scale = _scale([row for _, row in part])
    place = {level.id: index for index, level in enumerate(scale.levels)}
    found: dict[tuple[str, str, str], Rated] = {}
    for judge, row in part:
        given = [(f"rater {label.rater}", label.level) for label in row.humans] + [(judge, row.level)]
        for rater, level in given:
            if level is not None:
                key = (row.submission, rater, row.criterion)
                found[key] = Rated(*key, place[level])
    return fit_rasch(list(found.values()), len(scale.levels))


def _judges(runs: Mapping[str, Sequence[Rating]]) -> Given:
    return {judge: {row.submission: row.level for row in rows if row.level is not None} for judge, rows in runs.items()}


def _people(runs: Mapping[str, Sequence[Rating]]) -> Given:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for rows in runs.values():
        for row in rows:
            for label in row.humans:
                if label.level is not None:
                    found[f"rater {label.rater}"][row.submission] = label.level
    return dict(found)


def _scale(rows: Sequence[Rating]) -> Scale:
    """The one scale of these ratings.

    Raises:
        InputError: There are several.
    """
    scales = {row.scale.hash: row.scale for row in rows if row.scale is not None}
    if len(scales) != 1:
        raise InputError(
            f"criterion {rows[0].criterion!r} has {len(scales)} scales over these runs; compare one by one"
        )
    return next(iter(scales.values()))
