"""Fairness of verdicts between groups: the figure of each notion, and which notions cannot hold together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from adjudge.errors import InputError
from adjudge.metrics import Estimate, clustered_rate, undefined
from adjudge_validity.ratings import Rating, Ratings
from adjudge_validity.resample import resampled
from adjudge_validity.tables import Array

Figure: TypeAlias = Callable[[Array], Array]
"""From sums of shape (…, 2, 2) [people's level, judge's level], unmet first, to figures of shape (…)."""


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """One group's figures on one criterion."""

    group: str
    """Value of the metadata field."""
    figures: Mapping[str, Estimate]
    """`base rate`, `miss rate`, and one per notion."""
    less_first: Mapping[str, Estimate]
    """Per notion, this group's figure less the first group's; empty for the first."""
    implied: float | None
    """False-alarm rate that the group's base rate, predictive value and miss rate imply; equal to its own."""
    forced: float | None
    """False-alarm rate that the group would have, had it the first group's predictive value and miss rate."""


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """All groups on one criterion."""

    criterion: str
    """Id."""
    groups: tuple[GroupFigures, ...]
    """In the order of the file; differences are to the first."""
    unscored: int
    """Labelled submissions that the judge gave no level, or on which raters split evenly; left out."""

    @property
    def conflict(self) -> str:
        """Which notions cannot hold together here; empty if nothing can be told."""
        return _conflict(self.groups)


def implied_false_alarms(base_rate: float, predictive_value: float, miss_rate: float) -> float:
    """The false-alarm rate that follows from the other three (Chouldechova 2017, arXiv:1703.00056).

    FPR = p / (1 - p) * (1 - PPV) / PPV * (1 - FNR): with equal predictive value and miss rate, groups whose base rates
    differ cannot have equal false-alarm rates.

    Args:
        base_rate: p, between 0 and 1, both excluded.
        predictive_value: PPV, above 0.
        miss_rate: FNR.

    Raises:
        ValueError: The base rate or predictive value leave it undefined.
    """
    if not 0 < base_rate < 1 or not 0 < predictive_value <= 1:
        raise ValueError(f"undefined at a base rate of {base_rate} and a predictive value of {predictive_value}")
    return base_rate / (1 - base_rate) * (1 - predictive_value) / predictive_value * (1 - miss_rate)


def fairness(ratings: Ratings, *, met_from: Mapping[str, str] | None = None, seed: int = 0) -> list[Fairness]:
    """Figures per criterion and group, for binary criteria and those that are cut in two.

    Args:
        ratings: Judge and people side by side, with groups.
        met_from: For other scales: criterion id to the lowest level that counts as met.
        seed: Seed of the bootstrap.

    Raises:
        InputError: No criterion has labels and two levels, or there is one group only.
    """
    found = []
    for name in ratings.criteria:
        rows = [row for row in ratings.of(name) if row.humans and row.scale is not None]
        met = _met_levels(name, rows, met_from or {})
        if met:
            found.append(_fairness(name, rows, met, seed))
    if not found:
        raise InputError("no binary criterion has labels; cut another in two with --met-from CRITERION=LEVEL")
    if all(len(one.groups) < 2 for one in found):  # noqa: PLR2004 - to compare takes two
        raise InputError("there is one group only; fairness compares at least two")
    return found


def _met_levels(name: str, rows: Sequence[Rating], met_from: Mapping[str, str]) -> frozenset[str]:
    scale = rows[0].scale if rows else None
    if scale is None:
        return frozenset()
    levels = [level.id for level in scale.levels]
    if name not in met_from:
        return frozenset(levels[1:]) if scale.kind == "binary" else frozenset()
    if met_from[name] not in levels[1:] or scale.kind == "labels":
        raise InputError(
            f"--met-from {name}={met_from[name]}: a level above the lowest is wanted: {', '.join(levels[1:])}"
        )
    return frozenset(levels[levels.index(met_from[name]) :])


def _fairness(name: str, rows: Sequence[Rating], met: frozenset[str], seed: int) -> Fairness:
    known = [row for row in rows if row.level is not None and row.consensus is not None]
    groups = list(dict.fromkeys(row.group for row in known))
    first = [row for row in known if groups and row.group == groups[0]]
    figures = [
        _group(group, [row for row in known if row.group == group], first if group != groups[0] else [], met, seed)
        for group in groups
    ]
    return Fairness(criterion=name, groups=tuple(figures), unscored=len(rows) - len(known))


def _group(name: str, own: Sequence[Rating], first: Sequence[Rating], met: frozenset[str], seed: int) -> GroupFigures:
    parts, chances = _counted(own, first, met)
    figures = {label: _rate(own, met, share) for label, share in SHARES.items()}
    figures["calibration"] = resampled(_gap, chances[:, 0], len(own), _NO_CHANCES, seed=seed)
    apart: dict[str, Estimate] = {}
    if first:
        both = len(own) + len(first)
        for notion in _BY_COUNTS:
            less = _less(SHARES[notion].of, inner=2)
            apart[notion] = resampled(less, parts, both, "undefined in one group", seed=seed)
        apart["calibration"] = resampled(_less(_gap, inner=1), chances, both, _NO_CHANCES, seed=seed)
    sums = parts.sum(0)
    implied, forced = _implied(sums[0], sums[0]), _implied(sums[0], sums[1] if first else sums[0])
    return GroupFigures(group=name, figures=figures, less_first=apart, implied=implied, forced=forced)


def _rate(rows: Sequence[Rating], met: frozenset[str], share: Share) -> Estimate:
    known = [(row.consensus in met, row.level in met, row.cluster) for row in rows]
    hits = [(bool(share.hits[human][judge]), cluster) for human, judge, cluster in known if share.among[human][judge]]
    if not hits:
        return undefined("no observations")
    return clustered_rate([hit for hit, _ in hits], [cluster for _, cluster in hits])


def _counted(own: Sequence[Rating], first: Sequence[Rating], met: frozenset[str]) -> tuple[Array, Array]:
    """Per cluster, of the group and of the first one: counts by people and judge; sums of probability, met, number."""
    place = {cluster: index for index, cluster in enumerate(dict.fromkeys(row.cluster for row in (*own, *first)))}
    parts, chances = np.zeros((len(place), 2, 2, 2)), np.zeros((len(place), 2, 3))
    for side, rows in enumerate((own, first)):
        for row in rows:
            at, human = place[row.cluster], row.consensus in met
            parts[at, side, int(human), int(row.level in met)] += 1
            shares = row.verdict.distribution if row.verdict is not None else None
            if shares is not None:
                chances[at, side] += [math.fsum(shares.get(level, 0.0) for level in met), float(human), 1.0]
    return parts, chances


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, np.divide(above, below), np.nan)


@dataclass(frozen=True)
class Share:
    """A share of some cells of a table [people's level][judge's level], unmet first."""

    among: tuple[tuple[int, int], tuple[int, int]]
    """1 for the cells that count."""
    hits: tuple[tuple[int, int], tuple[int, int]]
    """1 for the cells that are a hit."""

    def of(self, tables: Array) -> Array:
        """From tables of shape (…, 2, 2) to shares of shape (…); nan where nothing counts."""
        counted = tables * np.array(self.among)
        return _ratio((counted * np.array(self.hits)).sum((-1, -2)), counted.sum((-1, -2)))


_ALL, _PEOPLE_MET, _PEOPLE_UNMET = ((1, 1), (1, 1)), ((0, 0), (1, 1)), ((1, 1), (0, 0))
_JUDGED_MET, _JUDGED_UNMET = ((0, 1), (0, 1)), ((1, 0), (1, 0))
_NO_CHANCES = "the judge tells no probabilities"
_BY_COUNTS = ("demographic parity", "equal opportunity", "equal false alarms", "predictive parity")
"""Notions whose figures are shares."""
SHARES: Mapping[str, Share] = {
    "base rate": Share(_ALL, _PEOPLE_MET),
    "miss rate": Share(_PEOPLE_MET, _JUDGED_UNMET),
    "demographic parity": Share(_ALL, _JUDGED_MET),
    "equal opportunity": Share(_PEOPLE_MET, _JUDGED_MET),
    "equal false alarms": Share(_PEOPLE_UNMET, _JUDGED_MET),
    "predictive parity": Share(_JUDGED_MET, _PEOPLE_MET),
}
"""Figures of a table by name."""


def _gap(sums: Array) -> Array:
    return _ratio(sums[..., 0] - sums[..., 1], sums[..., 2])


def _less(figure: Figure, inner: int) -> Figure:
    """The figure of the first part less that of the second; `inner` axes belong to the figure."""
    axis = -1 - inner
    return lambda parts: figure(np.take(parts, 0, axis)) - figure(np.take(parts, 1, axis))


def _implied(own: Array, other: Array) -> float | None:
    """What the base rate of one table and the predictive value and miss rate of the other imply; None if undefined."""
    base = float(SHARES["base rate"].of(own))
    value, miss = (float(SHARES[name].of(other)) for name in ("predictive parity", "miss rate"))
    if math.isnan(miss) or math.isnan(value) or not 0 < base < 1 or not value:
        return None
    return implied_false_alarms(base, value, miss)


def _conflict(groups: Sequence[GroupFigures]) -> str:
    if len(groups) < 2 or groups[0].forced is None:  # noqa: PLR2004 - to compare takes two
        return ""
    first, rates = groups[0], [one.figures["base rate"].value for one in groups]
    apart = [
        one for one, rate in zip(groups[1:], rates[1:], strict=True) if one.forced is not None and rate != rates[0]
    ]
    if not apart or first.forced == 0:
        return ""
    told = "; ".join(f"{one.group}: {one.forced:.3f}" for one in apart)
    return (
        "base rates differ: with equal predictive parity and equal opportunity, false alarms could not be equal"
        f" ({first.group}: {first.forced:.3f}; {told})"
    )
