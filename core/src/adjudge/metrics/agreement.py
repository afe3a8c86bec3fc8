"""Agreement of two sets of labels, given in the same order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

from adjudge.metrics.estimate import Estimate, clustered_rate, undefined

_SAME = "no agreement beyond chance can be told: both sides use one and the same label only"


def accuracy(gold: Sequence[str], given: Sequence[str], clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Share of equal labels; Wilson's interval, or the clustered one if clusters are given.

    Raises:
        ValueError: The sequences differ in length.
    """
    return clustered_rate([a == b for a, b in zip(gold, given, strict=True)], clusters)


def macro_f1(gold: Sequence[str], given: Sequence[str], labels: Sequence[str]) -> Estimate:
    """Plain mean of the F1 of each label.

    Args:
        gold: The right labels.
        given: The labels to check.
        labels: The label set; a label of it that occurs on neither side counts as 0, and the note names it.

    Raises:
        ValueError: The sequences differ in length, or a label is not in `labels`.
    """
    _check(gold, given, labels)
    if not gold:
        return undefined("no observations")
    hits, right, said = Counter(a for a, b in zip(gold, given, strict=True) if a == b), Counter(gold), Counter(given)
    scores = [2 * hits[x] / (right[x] + said[x]) if right[x] + said[x] else 0.0 for x in labels]
    absent = [x for x in labels if not right[x] + said[x]]
    note = f"never occurs and counts as 0: {', '.join(absent)}" if absent else ""
    return Estimate(value=sum(scores) / len(labels), n=len(gold), note=note)


def cohen_kappa(gold: Sequence[str], given: Sequence[str]) -> Estimate:
    """Cohen's kappa (1960); undefined where chance alone would agree always. Show `prevalence` beside it.

    Raises:
        ValueError: The sequences differ in length.
    """
    n = len(gold)
    agreed = sum(a == b for a, b in zip(gold, given, strict=True))
    if n == 0:
        return undefined("no observations")
    right, said = Counter(gold), Counter(given)
    chance = sum(right[x] * said[x] for x in right)
    return undefined(_SAME, n) if chance == n * n else Estimate(value=(agreed * n - chance) / (n * n - chance), n=n)


def quadratic_weighted_kappa(gold: Sequence[str], given: Sequence[str], levels: Sequence[str]) -> Estimate:
    """Kappa with squared distance between the places of the levels (Cohen 1968).

    Args:
        gold: The right levels.
        given: The levels to check.
        levels: All levels in order, from the scale and not from the data.

    Raises:
        ValueError: The sequences differ in length, or a level is not in `levels`.
    """
    _check(gold, given, levels)
    if not gold:
        return undefined("no observations")
    place = {level: index for index, level in enumerate(levels)}
    right, said = Counter(place[x] for x in gold), Counter(place[x] for x in given)
    seen = sum((place[a] - place[b]) ** 2 for a, b in zip(gold, given, strict=True))
    chance = sum((i - j) ** 2 * right[i] * said[j] for i in right for j in said)
    return undefined(_SAME, len(gold)) if chance == 0 else Estimate(value=1 - seen * len(gold) / chance, n=len(gold))


def confusion(gold: Sequence[str], given: Sequence[str | None], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Counts as table rows, one per gold label: `gold`, a column per label, and `unscored` for a missing one.

    Raises:
        ValueError: The sequences differ in length, or a label is not in `labels`.
    """
    _check(gold, [x for x in given if x is not None], labels, equal_length=False)
    counts = Counter(zip(gold, given, strict=True))
    return [{"gold": x, **{y: counts[x, y] for y in labels}, "unscored": counts[x, None]} for x in labels]


def prevalence(labels_seen: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """Share of each label of the set; empty if there are no observations.

    Raises:
        ValueError: A label is not in `labels`.
    """
    _check(labels_seen, labels_seen, labels)
    counts = Counter(labels_seen)
    return {x: counts[x] / len(labels_seen) for x in labels} if labels_seen else {}


def min_group_macro_f1(
    verdicts: Sequence[str | None],
    gold: Sequence[str],
    groups: Sequence[Hashable],
    labels: Sequence[str] = ("no", "yes"),
) -> Estimate:
    """The macro-F1 of the worst group, by which MoReBench selects a judge (arXiv:2510.16380).

    An observation may count in several groups: repeat it. An unscored verdict is left out of its group's figure, and
    the note says how many were; a group without any scored verdict makes the whole undefined.

    Raises:
        ValueError: The sequences differ in length, or a label is not in `labels`.
    """
    parts: defaultdict[Hashable, list[tuple[str, str]]] = defaultdict(list)
    for verdict, right, group in zip(verdicts, gold, groups, strict=True):
        parts[group].extend([(right, verdict)] if verdict is not None else [])
    if not parts or not all(parts.values()):
        empty = [str(group) for group, part in parts.items() if not part]
        return undefined(f"no scored verdict in {', '.join(empty)}" if empty else "no observations")
    by_group = {group: macro_f1([a for a, _ in part], [b for _, b in part], labels) for group, part in parts.items()}
    worst = min(by_group, key=lambda group: by_group[group].value or 0.0)
    lost = sum(verdict is None for verdict in verdicts)
    note = f"worst of {len(by_group)} groups: {worst}" + (f"; {lost} unscored left out" if lost else "")
    return replace(by_group[worst], note=note)


def _check(gold: Sequence[str], given: Sequence[str], labels: Sequence[str], *, equal_length: bool = True) -> None:
    if equal_length and len(gold) != len(given):
        raise ValueError(f"{len(gold)} gold labels, but {len(given)} given ones")
    strangers = {*gold, *given} - set(labels)
    if strangers:
        raise ValueError(f"{min(strangers)!r} is not in the label set {', '.join(labels)}")
