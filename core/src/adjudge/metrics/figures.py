"""Metrics for tasks: agreement of a judge with human labels, from items and results.

Each takes items and their results in the same order and gives named figures. A figure with a criterion in brackets,
as in `accuracy[helpful]`, is for that criterion alone. Intervals are clustered by `metadata["cluster"]` of the item,
and by the item where there is none. What was unscored is left out of a figure and counted in `coverage` beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeAlias

from adjudge.errors import InputError
from adjudge.metrics.agreement import accuracy, cohen_kappa, confusion, macro_f1, prevalence
from adjudge.metrics.bootstrap import cluster_bootstrap
from adjudge.metrics.estimate import clustered_mean, clustered_rate
from adjudge.metrics.rank import spearman
from adjudge.submission import Comparison, Label, Submission
from adjudge.verdict import Result, Verdict

Item: TypeAlias = Submission | Comparison
Figures: TypeAlias = dict[str, Any]

OVERALL = "overall"
"""Criterion of a label that is about the submission as a whole."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """One gold label and the verdict on it."""

    cluster: str
    gold: Any
    given: Any = None


def level_agreement(
    items: Sequence[Item],
    results: Sequence[Result],
    *,
    levels: Mapping[str, Sequence[str]] | Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> Figures:
    """Agreement of verdict levels with the majority of the raters' levels.

    Args:
        items: Items with gold labels; an item or criterion without one takes no part.
        results: Their results, in the same order.
        levels: Ids of the levels of every criterion, or per criterion; needed for macro-F1 in particular, as a label
            set from the data flatters. If not given: the scale of the item's own rubric, else what the data show.
        resamples: Bootstrap resamples for macro-F1 and kappa.
        seed: Seed of the bootstrap.

    Returns:
        Per criterion `accuracy`, `macro_f1`, `kappa`, `coverage`, `prevalence` and `confusion`; over all criteria
        `accuracy` and `coverage`; `gold_ties`, the labels left out since raters split evenly.

    Raises:
        InputError: A gold or given level is not in the label set.
    """
    pairs, ties = _level_pairs(items, results)
    found: Figures = {}
    for criterion, some in pairs.items():
        known = _levels_of(criterion, levels, items, results, some)
        found |= {f"{name}[{criterion}]": value for name, value in _agreement(some, known, resamples, seed).items()}
    every = [pair for some in pairs.values() for pair in some]
    return {**_rate(every), **found, "gold_ties": ties}


def score_correlation(
    items: Sequence[Item],
    results: Sequence[Result],
    *,
    use: str = "expected",
    resamples: int = 1000,
    seed: int = 0,
) -> Figures:
    """Spearman's correlation of the judge's scores with the mean of the raters' scores.

    Args:
        items: Items whose labels have a score; the criterion `overall` is compared with the score of the rubric.
        results: Their results, in the same order.
        use: `expected` takes the expected score where it is known; `level` takes the score of the level.
        resamples: Bootstrap resamples for the interval.
        seed: Seed of the bootstrap.

    Returns:
        Per criterion `spearman` with a clustered bootstrap interval, and `coverage`.
    """
    pairs: defaultdict[str, list[_Pair]] = defaultdict(list)
    for item, result in zip(items, results, strict=True):
        for criterion, labels in _by_criterion(item).items():
            scores = [label.score for label in labels if label.score is not None]
            if scores:
                given = _score(result, criterion, use)
                pairs[criterion].append(_Pair(item.cluster, fmean(scores), given))
    found: Figures = {}
    for criterion, some in pairs.items():
        scored = _scored(some)
        found[f"spearman[{criterion}]"] = cluster_bootstrap(
            lambda part: spearman([p.gold for p in part], [p.given for p in part]),
            scored,
            [p.cluster for p in scored],
            resamples=resamples,
            seed=seed,
        )
        found[f"coverage[{criterion}]"] = len(scored) / len(some)
    return found


def preference_agreement(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """Agreement of comparisons with human preferences, and what the order of presentation does.

    Args:
        items: Comparisons with labels `first`, `second`, `tie` or `incomparable`, on a criterion or on `overall`.
        results: Their results, in the same order; a label on `overall` is checked against the only verdict there is.

    Returns:
        `accuracy` (a tie where the raters saw none is wrong), `accuracy_decided` (over verdicts `first` and `second`),
        `coverage`, `order_consistency` (share of comparisons with the same winner in both orders),
        `first_shown` (how often the candidate shown first won; half is no bias), `tie_rate`, `gold_ties`, `confusion`.
    """
    pairs, ties = _level_pairs(items, results)
    every = [pair for some in pairs.values() for pair in some]
    scored = _scored(every)
    decided = [pair for pair in scored if pair.given in {"first", "second"}]
    outcomes = ("first", "second", "tie", "incomparable")
    return {
        **_rate(every),
        "accuracy_decided": _accuracy(decided),
        **_orders(items, results),
        "tie_rate": clustered_rate([p.given == "tie" for p in scored], [p.cluster for p in scored]),
        "gold_ties": ties,
        "confusion": confusion([p.gold for p in every], [p.given for p in every], outcomes),
    }


def _level_pairs(items: Sequence[Item], results: Sequence[Result]) -> tuple[dict[str, list[_Pair]], int]:
    """Gold and given level per criterion, and the number of labels on which the raters split evenly."""
    pairs: defaultdict[str, list[_Pair]] = defaultdict(list)
    ties = 0
    for item, result in zip(items, results, strict=True):
        for criterion, labels in _by_criterion(item).items():
            gold = _majority(label.level for label in labels if label.level is not None)
            if gold is None:
                ties += any(label.level is not None for label in labels)
                continue
            verdict = _verdict(result, criterion)
            pairs[criterion].append(_Pair(item.cluster, gold, None if verdict is None else verdict.level))
    return dict(pairs), ties


def _by_criterion(item: Item) -> dict[str, list[Label]]:
    found: defaultdict[str, list[Label]] = defaultdict(list)
    for label in item.labels:
        found[label.criterion].append(label)
    return found


def _majority(levels: Iterable[str]) -> str | None:
    """The most frequent level; None if there is none or the first two are level."""
    ranked = Counter(levels).most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _verdict(result: Result, criterion: str) -> Verdict | None:
    """The verdict on that criterion; on `overall`, the only one there is."""
    named = [verdict for verdict in result.verdicts if verdict.criterion == criterion]
    if not named and criterion == OVERALL and len(result.verdicts) == 1:
        return result.verdicts[0]
    return named[0] if named else None


def _score(result: Result, criterion: str, use: str) -> float | None:
    named = any(verdict.criterion == criterion for verdict in result.verdicts)
    if criterion == OVERALL and not named:
        return result.score.value
    verdict = _verdict(result, criterion)
    if verdict is None or verdict.status != "scored":
        return None
    return verdict.expected if use == "expected" and verdict.expected is not None else verdict.score


def _scored(pairs: Iterable[_Pair]) -> list[_Pair]:
    return [pair for pair in pairs if pair.given is not None]


def _levels_of(
    criterion: str,
    levels: Mapping[str, Sequence[str]] | Sequence[str],
    items: Sequence[Item],
    results: Sequence[Result],
    pairs: Sequence[_Pair],
) -> tuple[str, ...]:
    """The label set: as given, from the items' own rubrics, or from what the data show."""
    known = levels.get(criterion, ()) if isinstance(levels, Mapping) else levels
    seen = {x for p in pairs for x in (p.gold, p.given) if x is not None}
    if known and not seen <= set(known):
        stranger = min(seen - set(known))
        raise InputError(f"level {stranger!r} of {criterion!r} is not in its label set: {', '.join(known)}")
    if known:
        return tuple(known)
    found: dict[str, None] = {}
    for item, result in zip(items, results, strict=True):
        rubric = item.rubric if isinstance(item, Submission) else None
        own = [c for c in rubric.criteria if c.id == criterion] if rubric is not None else []
        found |= {level.id: None for c in own for level in c.scale.levels}
        verdict = _verdict(result, criterion)
        found |= dict.fromkeys((verdict.distribution or {}) if verdict is not None else {})
    return (*found, *sorted(seen - set(found)))


def _agreement(pairs: Sequence[_Pair], levels: Sequence[str], resamples: int, seed: int) -> Figures:
    scored = _scored(pairs)
    clusters = [p.cluster for p in scored]
    statistics = {
        "macro_f1": lambda part: macro_f1([p.gold for p in part], [p.given for p in part], levels),
        "kappa": lambda part: cohen_kappa([p.gold for p in part], [p.given for p in part]),
    }
    return {
        **_rate(pairs),
        **{
            name: cluster_bootstrap(statistic, scored, clusters, resamples=resamples, seed=seed)
            for name, statistic in statistics.items()
        },
        "prevalence": [prevalence([p.gold for p in pairs], levels)],
        "confusion": confusion([p.gold for p in pairs], [p.given for p in pairs], levels),
    }


def _rate(pairs: Sequence[_Pair]) -> Figures:
    scored = _scored(pairs)
    return {"accuracy": _accuracy(scored), "coverage": len(scored) / len(pairs) if pairs else None}


def _accuracy(pairs: Sequence[_Pair]) -> Any:
    return accuracy([p.gold for p in pairs], [p.given for p in pairs], [p.cluster for p in pairs])


def _orders(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """What the order of presentation does, over verdicts with both orders."""
    same, shown, clusters = [], [], []
    for item, result in zip(items, results, strict=True):
        for verdict in result.verdicts:
            if verdict.orders is not None and len(verdict.orders) > 1:
                given, swapped = (max(order, key=lambda name: order[name]) for order in verdict.orders[:2])
                same.append(given == swapped)
                shown.append(fmean([_win(given, "first"), _win(swapped, "second")]))
                clusters.append(item.cluster)
    return {"order_consistency": clustered_rate(same, clusters), "first_shown": clustered_mean(shown, clusters)}


def _win(outcome: str, side: str) -> float:
    """1 for a win of that side, 0 for a loss, half for anything else."""
    return 0.5 if outcome not in {"first", "second"} else float(outcome == side)
