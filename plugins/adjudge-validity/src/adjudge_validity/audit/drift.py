"""Drift: how far a judge's verdicts on frozen submissions moved from one version, or one judge, to another.

After *Value Drifts*, which compares distributions of stances per topic between checkpoints of a model; the total and
the time of a drift are our own forms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.metrics import Estimate, clustered_rate, few, paired_difference, undefined
from adjudge.metrics.estimate import FEW_CLUSTERS
from adjudge.report import RunRecord
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Submission, as_text
from adjudge.verdict import Result, Verdict
from adjudge_validity.tables import Array

REACHED = 0.95
"""Share of the final change at which a drift counts as done."""
RESAMPLES = 1000
_DOUBT, _ROUNDING = 0.05, 1e-12
_HASHED = "sha256:"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How the verdicts on one criterion moved."""

    criterion: str
    """Id."""
    group: str
    """Value of the metadata field that groups are made by; empty for all."""
    levels: Mapping[str, Estimate]
    """By how much the mean probability of each level rose."""
    total: Estimate
    """Half the sum of the changes' sizes: the share of probability that moved, from 0 to 1."""
    flips: Estimate
    """Share of submissions whose level changed; what cancels in the mean does not cancel here."""
    unscored: int
    """Submissions without a level on one side or both, left out."""


@dataclass(frozen=True, slots=True)
class _Pair:
    group: str
    cluster: str
    before: Verdict
    after: Verdict
    levels: tuple[str, ...]


def drift(first: RunRecord, then: RunRecord, *, group_by: str = "", seed: int = 0) -> list[Drift]:
    """How far verdicts moved from the first run to the other, per criterion and, if asked for, per group.

    Args:
        first: A run over submissions.
        then: Another judge's or version's run over the same submissions.
        group_by: Metadata field, for example a topic.
        seed: Seed of the bootstrap.

    Raises:
        InputError: The runs share no submission or criterion, or a submission is not the same in both.
    """
    pairs: defaultdict[str, list[_Pair]] = defaultdict(list)
    for name, pair in _pairs(first, then, group_by):
        pairs[name].append(pair)
    if not pairs:
        raise InputError("these runs share no submission and criterion; drift needs the same submissions in both")
    found = []
    for name, some in pairs.items():
        found.append(_drift(name, "", some, seed))
        groups = sorted({pair.group for pair in some}) if group_by else []
        found += [_drift(name, group, [pair for pair in some if pair.group == group], seed) for group in groups]
    return found


def _pairs(first: RunRecord, then: RunRecord, group_by: str) -> Iterator[tuple[str, _Pair]]:
    later = {item.id: (item, result) for item, result in zip(then.items, then.results, strict=True)}
    for item, result in zip(first.items, first.results, strict=True):
        if item.id not in later:
            continue
        other, after = later[item.id]
        _check_same(item, other)
        if group_by and group_by not in item.metadata:
            raise InputError(f"{item.id!r} has no metadata field {group_by!r}; --group-by needs it everywhere")
        group = str(item.metadata[group_by]) if group_by else ""
        criteria = then.criteria_of(other)
        for name, criterion in first.criteria_of(item).items():
            verdicts = [_of(result, name), _of(after, name)]
            if name in criteria and all(verdicts):
                one, two = (reduce_repeats(criterion, some) for some in verdicts)
                levels = tuple(dict.fromkeys(x.id for c in (criterion, criteria[name]) for x in c.scale.levels))
                yield name, _Pair(group, item.cluster, one, two, levels)


def _of(result: Result, criterion: str) -> list[Verdict]:
    return [verdict for verdict in result.verdicts if verdict.criterion == criterion and verdict.status != "skipped"]


def _check_same(item: Item, other: Item) -> None:
    if not isinstance(item, Submission) or not isinstance(other, Submission):
        raise InputError(f"{item.id!r} is a comparison; drift takes runs of judges that give levels")
    texts = [as_text(item.output), as_text(other.output)]
    if texts[0] != texts[1] and not any(text.startswith(_HASHED) for text in texts):
        raise InputError(f"{item.id!r} is not the same submission in both runs; drift needs frozen submissions")


def _drift(name: str, group: str, pairs: Sequence[_Pair], seed: int) -> Drift:
    scored = [pair for pair in pairs if pair.before.level is not None and pair.after.level is not None]
    clusters = [pair.cluster for pair in scored]
    levels = pairs[0].levels
    shares = [_shares(pair) for pair in scored]
    flips = [pair.before.level != pair.after.level for pair in scored]
    return Drift(
        criterion=name,
        group=group,
        levels={
            level: paired_difference(
                [after.get(level, 0.0) for _, after in shares],
                [before.get(level, 0.0) for before, _ in shares],
                clusters,
            )
            for level in levels
        },
        total=_total(shares, clusters, levels, seed),
        flips=clustered_rate(flips, clusters) if flips else undefined("no observations"),
        unscored=len(pairs) - len(scored),
    )


def _shares(pair: _Pair) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Probabilities of levels where both judges tell them, else the levels themselves."""
    before, after = pair.before, pair.after
    if before.distribution is not None and after.distribution is not None:
        return before.distribution, after.distribution
    return {str(before.level): 1.0}, {str(after.level): 1.0}


def total_change(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Half the sum of the sizes of all changes: the distance in total variation, from 0 to 1."""
    return sum(abs(after.get(level, 0.0) - before.get(level, 0.0)) for level in {*before, *after}) / 2


def _total(
    shares: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    clusters: Sequence[str],
    levels: Sequence[str],
    seed: int,
) -> Estimate:
    """The total with a basic bootstrap interval over clusters, which takes off what noise adds to a size.

    It reaches down to 0 unless fewer than 5 in 100 random swaps of the two judges, cluster by cluster, move as much.
    """
    if not shares:
        return undefined("no observations")
    place = {cluster: index for index, cluster in enumerate(dict.fromkeys(clusters))}
    parts = np.zeros((len(place), len(levels) + 1))
    for (before, after), cluster in zip(shares, clusters, strict=True):
        parts[place[cluster]] += [*(after.get(x, 0.0) - before.get(x, 0.0) for x in levels), 1.0]
    count = len(place)
    value = float(_sizes(parts.sum(0)))
    found = Estimate(value=value, n=len(shares), clusters=count, note=few(count))
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return replace(found, note="no interval: fewer than 2 clusters")
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    low, high = np.quantile(_sizes(weights @ parts), (0.025, 0.975))
    by_chance = float(np.mean(_swapped(parts, rng) >= value - _ROUNDING)) >= _DOUBT
    ends = (0.0 if by_chance else max(0.0, 2 * value - high), min(1.0, max(value, 2 * value - low)))
    return replace(found, low=float(ends[0]), high=float(ends[1]), method=f"basic bootstrap 95%, seed {seed}")


def _swapped(parts: Array, rng: np.random.Generator) -> Array:
    """Totals where chance says of each cluster which judge came first."""
    signs = rng.choice((-1.0, 1.0), size=(RESAMPLES, len(parts)))
    return np.asarray(np.abs(signs @ parts[:, :-1]).sum(-1) / 2 / parts[:, -1].sum())


def _sizes(sums: Array) -> Array:
    """Totals from sums of changes per level and, last, the number of observations."""
    return np.asarray(np.abs(sums[..., :-1]).sum(-1) / 2 / sums[..., -1])


def drift_time(series: Sequence[float], share: float = REACHED) -> int | None:
    """The first place at which that share of the final change is reached; None if nothing changed in the end.

    Args:
        series: A figure at each version, in order.
        share: From 0 to 1.
    """
    if not series or series[-1] == series[0]:
        return None
    final = series[-1] - series[0]
    return next(place for place, value in enumerate(series) if (value - series[0]) / final >= share - 1e-12)


def path(records: Sequence[RunRecord], *, seed: int = 0) -> dict[str, list[float | None]]:
    """Total change of each criterion from the first run to each run, the first one included."""
    found: defaultdict[str, list[float | None]] = defaultdict(list)
    for record in records:
        for one in drift(records[0], record, seed=seed):
            found[one.criterion].append(one.total.value)
    return dict(found)


def moved(found: Sequence[Drift], most: float) -> bool:
    """Whether a criterion surely moved by more than that share; fewer than 10 clusters never say so."""
    return any(
        one.total.low is not None and one.total.low > most and (one.total.clusters or 0) >= FEW_CLUSTERS
        for one in found
        if not one.group
    )
