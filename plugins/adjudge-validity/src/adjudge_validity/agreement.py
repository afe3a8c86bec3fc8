"""How far a judge agrees with people, beside how far people agree with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import Literal, TypeAlias

import numpy as np

from adjudge.metrics import (
    Estimate,
    clustered_mean,
    clustered_rate,
    kendall_tau_b,
    min_group_macro_f1,
    paired_difference,
    spearman,
    undefined,
)
from adjudge.metrics.bootstrap import cluster_bootstrap
from adjudge.scale import Scale
from adjudge_validity import tables
from adjudge_validity.ratings import Rating, Ratings
from adjudge_validity.resample import resampled
from adjudge_validity.tables import Array, Figure

Figures: TypeAlias = dict[str, Estimate]
Side: TypeAlias = Literal["judge–human", "judge–consensus", "human–human"]
Known: TypeAlias = tuple[float, float, str]
"""People's number, the judge's, and the cluster."""
SIDES: tuple[Side, ...] = ("judge–human", "judge–consensus", "human–human")
RATES = {"sensitivity": -1, "specificity": 0}

ALONE = "No submission has labels of two raters, so people cannot be compared with each other."
"""Why there are no figures between people."""

_SAME = "both sides use one and the same level only"
_CONSTANT = "one side is constant"
_WHY = {
    "kappa": _SAME,
    "qwk": _SAME,
    "alpha": _SAME,
    "spearman": _CONSTANT,
    "kendall": _CONSTANT,
    "smd": "both sides are constant",
    "icc": "no spread between submissions",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two levels (or numbers) of one criterion of one submission."""

    cluster: str
    human: str
    other: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Figures of one criterion, one dimension or all."""

    name: str
    """Criterion, dimension, or `all`."""
    kind: Literal["criterion", "dimension", "all"]
    """What it is."""
    sides: Mapping[Side, Figures] = field(default_factory=dict)
    """Figures by who is compared with whom."""
    unscored: int = 0
    """Labelled submissions that the judge gave no level."""
    split: int = 0
    """Submissions on which the raters split evenly, left out of the consensus."""
    note: str = ""
    """Why figures are missing."""


def agreement(ratings: Ratings, *, seed: int = 0, each: bool = True) -> list[Agreement]:
    """Figures per criterion, per dimension and over all.

    Args:
        ratings: Judge and people side by side.
        seed: Seed of the bootstrap.
        each: Per criterion too.
    """
    found = [_of(name, "criterion", ratings.of(name), seed) for name in ratings.criteria if each]
    for dimension, criteria in ratings.dimensions.items():
        found.append(_of(dimension, "dimension", ratings.of(*criteria), seed))
    with_scale = [row for row in ratings.rows if row.scale is not None]
    return [*found, _of("all", "all", with_scale, seed)] if any(row.humans for row in with_scale) else found


def has_pairs(found: Sequence[Agreement]) -> bool:
    """Whether any two people labelled the same."""
    return any(figure.n for one in found for figure in one.sides.get("human–human", {}).values())


def _of(name: str, kind: Literal["criterion", "dimension", "all"], rows: Sequence[Rating], seed: int) -> Agreement:
    labelled = [row for row in rows if row.humans]
    scales = {row.scale.hash: row.scale for row in labelled if row.scale is not None}
    unscored = sum(row.value is None and row.level is None for row in labelled)
    split = sum(bool(row.levels) and row.consensus is None for row in labelled)
    found = Agreement(name=name, kind=kind, unscored=unscored, split=split)
    if not any(row.levels for row in labelled):
        return replace(found, sides={"judge–human": numeric_figures(labelled, seed)})
    if len(scales) > 1:
        sides = {side: {"exact": _exact(pairs(labelled, side))} for side in SIDES}
        return replace(found, sides=sides, note="the criteria have different scales: only equal levels can be counted")
    scale = next(iter(scales.values()))
    by_side = {side: level_figures(pairs(labelled, side), scale, side, seed) for side in SIDES}
    if any(row.group for row in labelled):
        by_side["judge–consensus"]["min_group_macro_f1"] = _worst_group(labelled, scale)
    return replace(found, sides=by_side)


def pairs(rows: Sequence[Rating], side: Side) -> list[Pair]:
    """Pairs of levels. Between people each rater meets each other one, weighted by 1 / (raters - 1)."""
    return [pair for row in rows for pair in _pairs(row, side)]


def _pairs(row: Rating, side: Side) -> Iterator[Pair]:
    if side == "human–human":
        for a, b in permutations(row.levels, 2):
            yield Pair(row.cluster, a, b, 1 / (len(row.levels) - 1))
    elif row.level is not None:
        humans = row.levels if side == "judge–human" else filter(None, [row.consensus])
        yield from (Pair(row.cluster, human, row.level) for human in humans)


def tabulated(given: Sequence[Pair], levels: Sequence[str]) -> Array:
    """One table per cluster, shape (clusters, k, k)."""
    place = {level: index for index, level in enumerate(levels)}
    clusters = {cluster: index for index, cluster in enumerate(dict.fromkeys(pair.cluster for pair in given))}
    parts = np.zeros((len(clusters), len(levels), len(levels)))
    for pair in given:
        parts[clusters[pair.cluster], place[pair.human], place[pair.other]] += pair.weight
    return parts


def level_figures(given: Sequence[Pair], scale: Scale, side: Side, seed: int = 0) -> Figures:
    """Every figure that the kind of scale allows, with intervals clustered by submission."""
    parts = tabulated(given, [level.id for level in scale.levels])
    n = len(given)
    found: Figures = {"exact": _exact(given)}
    for name, figure in _figures(scale, side).items():
        found[name] = resampled(figure, parts, n, _WHY.get(name, "no observations"), seed=seed)
    if scale.kind == "binary":
        found |= {name: _rate(given, scale.levels[place].id) for name, place in RATES.items()}
        found["prevalence"] = resampled(tables.prevalence, parts, n, "no observations", seed=seed)
    return found


def chance_corrected(scale: Scale, side: Side = "judge–human") -> dict[str, Figure]:
    """Figures of agreement beyond chance that the kind of scale allows."""
    ordinal = scale.kind == "ordinal"
    squared: dict[str, Figure] = {
        "qwk": partial(tables.kappa, squared=True),
        "ac2": partial(tables.gwet, squared=True),
    }
    found: dict[str, Figure] = {"kappa": tables.kappa, "ac1": tables.gwet}
    alpha = {"alpha": _alpha(ordinal=ordinal, symmetric=side == "human–human")}
    return {**found, **(squared if ordinal else {}), **alpha}


def _figures(scale: Scale, side: Side) -> dict[str, Figure]:
    found = {**chance_corrected(scale, side), "macro_f1": tables.macro_f1}
    ordered = scale.kind != "labels"
    if ordered:
        added = tables.sums_of(np.array([level.score for level in scale.levels], float))
        found |= {"spearman": tables.spearman, "kendall": tables.kendall, "icc": _after(added, tables.icc)}
    if ordered and side != "human–human":  # raters in no order have no bias against each other
        found |= {"bias": _after(added, tables.bias), "smd": _after(added, tables.smd)}
    return found


def _after(first: Figure, then: Figure) -> Figure:
    return lambda table: then(first(table))


def _alpha(*, ordinal: bool, symmetric: bool) -> Figure:
    return lambda table: tables.alpha(table if symmetric else table + np.swapaxes(table, -1, -2), ordinal=ordinal)


def _exact(given: Sequence[Pair]) -> Estimate:
    """Share of equal levels; what a submission's pairs hold in common is spread over its raters evenly."""
    same: defaultdict[str, float] = defaultdict(float)
    weight: defaultdict[str, float] = defaultdict(float)
    for pair in given:
        same[pair.cluster] += pair.weight * (pair.human == pair.other)
        weight[pair.cluster] += pair.weight
    observed = [(same[c] / weight[c], c) for c in same for _ in range(round(weight[c]))]
    shares, clusters = [share for share, _ in observed], [cluster for _, cluster in observed]
    if all(min(abs(share), abs(share - 1)) < 1e-9 for share in shares):  # noqa: PLR2004 - rounding
        return clustered_rate([share > 0.5 for share in shares], clusters)  # noqa: PLR2004 - 0 or 1
    found = clustered_mean(shares, clusters)
    return replace(found, low=found.low and max(0.0, found.low), high=found.high and min(1.0, found.high))


def _rate(given: Sequence[Pair], level: str) -> Estimate:
    """Share of people's labels of that level that the other side gives too."""
    of_level = [pair for pair in given if pair.human == level]
    if not of_level:
        return undefined(f"no human label is {level!r}", len(given))
    return clustered_rate([pair.other == level for pair in of_level], [pair.cluster for pair in of_level])


def _worst_group(rows: Sequence[Rating], scale: Scale) -> Estimate:
    known = [(row.level, row.consensus, row.group) for row in rows if row.consensus is not None]
    levels = [level.id for level in scale.levels]
    return min_group_macro_f1([a for a, _, _ in known], [b for _, b, _ in known if b], [c for *_, c in known], levels)


def numeric_figures(rows: Sequence[Rating], seed: int = 0) -> Figures:
    """Figures of numbers without levels: the judge's number against the mean of the raters'."""
    known = [(row.human, row.value, row.cluster) for row in rows if row.human is not None and row.value is not None]
    clusters = [cluster for *_, cluster in known]
    where = {cluster: index for index, cluster in enumerate(dict.fromkeys(clusters))}
    parts = np.zeros((len(where), 6))
    for human, judge, cluster in known:
        parts[where[cluster]] += tables.sums(human, judge)
    found: Figures = {}
    for name, figure in {"icc": tables.icc, "smd": tables.smd}.items():
        found[name] = resampled(figure, parts, len(known), _WHY[name], seed=seed)
    found["bias"] = paired_difference([judge for _, judge, _ in known], [human for human, *_ in known], clusters)
    for name, rank in {"spearman": spearman, "kendall": kendall_tau_b}.items():
        found[name] = cluster_bootstrap(_ranked(rank), known, clusters, seed=seed, resamples=300)
    return found


def _ranked(rank: Callable[[list[float], list[float]], Estimate]) -> Callable[[Sequence[Known]], Estimate]:
    return lambda known: rank([human for human, *_ in known], [judge for _, judge, _ in known])
