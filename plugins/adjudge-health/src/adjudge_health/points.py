"""Figures of HealthBench: the score as published, and tables by theme, axis and consensus criterion.

A judge that fails never counts as "not met", which would raise a score where points are negative: such a conversation
has no score, is counted, and bounds every figure with all that is unscored at its worst and at its best.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, accuracy, cluster_bootstrap, clustered_rate, cohen_kappa, confusion, macro_f1
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring import Points, clipped_mean
from adjudge.submission import Submission
from adjudge.verdict import Result, Score
from adjudge_health.conversations import consensus_parts, tag_value

Figures = dict[str, Any]
Pairs = Sequence[tuple[Submission, Score]]
_LEVELS = ("unmet", "met")


def healthbench_figures(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """The figures of a run over conversations with points.

    Args:
        items: Submissions that bring their rubric.
        results: Their results, in the same order.

    Returns:
        `score`, the mean clipped to 0..1, with a bootstrap interval clustered by conversation, and `score_deviation`,
        its bootstrap deviation as published; `score_at_least` and `score_at_most`; conversations `scored`, `unscored`
        and `undefined` (no positive point to be had); `criteria_coverage`; shares of criteria met; tables.
    """
    pairs = [(cast("Submission", item), result.score) for item, result in zip(items, results, strict=True)]
    found = clipped_mean([score for _, score in pairs])
    known = [(score.value, item.cluster) for item, score in pairs if score.value is not None]
    return {
        "score": cluster_bootstrap(_clipped, [value for value, _ in known], [cluster for _, cluster in known]),
        "score_deviation": found["deviation"],
        **_ends(found["bounds"]),
        "scored": found["n"],
        "unscored": found["unscored"],
        "undefined": found["undefined"],
        **_criteria(pairs),
        "by_theme": _table("theme", _by_tag(pairs, "theme")),
        "by_category": _table("category", _by_tag(pairs, "physician_agreed_category")),
        "by_axis": _table("axis", _by_axis(pairs)),
        "by_consensus": _by_consensus(pairs),
    }


def label_figures(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """Agreement of the judge with known levels, over all criteria of all answers; empty if none is known."""
    pairs = [
        (str(label.level), _level(result, label.criterion), item.cluster)
        for item, result in zip(items, results, strict=True)
        for label in item.labels
    ]
    if not pairs:
        return {}
    known = [(gold, given, cluster) for gold, given, cluster in pairs if given is not None]
    return {
        "label_coverage": len(known) / len(pairs),
        "label_accuracy": accuracy([a for a, _, _ in known], [b for _, b, _ in known], [c for *_, c in known]),
        "label_macro_f1": cluster_bootstrap(_macro_f1, known, [cluster for *_, cluster in known]),
        "label_kappa": cluster_bootstrap(_kappa, known, [cluster for *_, cluster in known]),
        "label_confusion": confusion([gold for gold, *_ in pairs], [given for _, given, _ in pairs], _LEVELS),
    }


def _level(result: Result, criterion: str) -> str | None:
    score = result.score.criteria.get(criterion)
    return None if score is None else _LEVELS[score > 0]


def _macro_f1(part: Sequence[tuple[str, str, str]]) -> Estimate:
    return macro_f1([gold for gold, _, _ in part], [given for _, given, _ in part], _LEVELS)


def _kappa(part: Sequence[tuple[str, str, str]]) -> Estimate:
    return cohen_kappa([gold for gold, _, _ in part], [given for _, given, _ in part])


def part_score(rubric: Rubric, score: Score, wanted: Callable[[Criterion], bool]) -> Score | None:
    """The points of some of the criteria alone, by the same rule as the whole (HealthBench, released code).

    Args:
        rubric: The rubric of the conversation.
        score: Its score, which knows every criterion's.
        wanted: Which criteria.

    Returns:
        The score of that part, without a value if one of its criteria is unscored; None if it has no criterion.
    """
    part = [criterion for criterion in rubric.criteria if wanted(criterion)]
    if not part:
        return None
    known = {criterion.id: score.criteria.get(criterion.id) for criterion in part}
    missing = [name for name, value in known.items() if value is None]
    low, high = (_filled(rubric, part, known, best=best) for best in (False, True))
    return Score(
        submission=score.submission,
        rubric=score.rubric,
        scoring=score.scoring,
        value=None if missing else low,
        bounds=None if low is None or high is None else (low, high),
        coverage=1 - len(missing) / len(part),
        criteria=known,
    )


def _filled(
    rubric: Rubric, part: Iterable[Criterion], known: Mapping[str, float | None], *, best: bool
) -> float | None:
    scores = {c.id: (c.best if best else c.worst) if known[c.id] is None else known[c.id] for c in part}
    return Points()(rubric, {name: value for name, value in scores.items() if value is not None})


def _clipped(values: Sequence[float]) -> float | None:
    return min(1.0, max(0.0, math.fsum(values) / len(values))) if values else None


def _ends(bounds: tuple[float, float] | None) -> Figures:
    low, high = bounds or (None, None)
    return {"score_at_least": low, "score_at_most": high}


def _by_tag(pairs: Pairs, name: str) -> dict[str, list[Score]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for item, score in pairs:
        tags = cast("Sequence[str]", item.metadata.get("tags") or ())
        found[tag_value(tags, name) or "none"].append(score)
    return dict(found)


def _by_axis(pairs: Pairs) -> dict[str, list[Score]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for item, score in pairs:
        rubric = _rubric(item)
        for axis in dict.fromkeys(criterion.dimension for criterion in rubric.criteria):
            part = part_score(rubric, score, lambda criterion, axis=axis: criterion.dimension == axis)  # type: ignore[misc] # axis is bound
            found[axis or "none"].extend([part] if part is not None else [])
    return dict(found)


def _rubric(item: Submission) -> Rubric:
    assert item.rubric is not None  # every conversation brings its criteria
    return item.rubric


def _table(name: str, parts: Mapping[str, Sequence[Score]]) -> list[dict[str, Any]]:
    """One row per part, with the clipped mean and its deviation."""
    return [{name: part, **_row(scores)} for part, scores in sorted(parts.items())]


def _row(scores: Sequence[Score]) -> dict[str, Any]:
    found = clipped_mean(scores)
    low, high = found["bounds"] or (None, None)
    return {
        "scored": found["n"],
        "unscored": found["unscored"],
        "undefined": found["undefined"],
        "score": found["value"],
        "deviation": found["deviation"],
        "at_least": low,
        "at_most": high,
    }


def _criteria(pairs: Pairs) -> Figures:
    """How many criteria are scored, and what share of the good and of the bad ones is met."""
    every = list(_judged(pairs))
    known = [(criterion, met, cluster) for criterion, met, cluster in every if met is not None]
    good, bad = ([(met, cluster) for c, met, cluster in known if (c.weight > 0) is sign] for sign in (True, False))
    return {
        "criteria_coverage": len(known) / len(every) if every else None,
        "met_with_points_for": clustered_rate([met for met, _ in good], [cluster for _, cluster in good]),
        "met_with_points_against": clustered_rate([met for met, _ in bad], [cluster for _, cluster in bad]),
    }


def _judged(pairs: Pairs) -> Iterator[tuple[Criterion, bool | None, str]]:
    """Every criterion, whether it is met (None if unscored), and its conversation."""
    for item, score in pairs:
        for criterion in _rubric(item).criteria:
            value = score.criteria.get(criterion.id)
            yield criterion, None if value is None else value > 0, item.cluster


def _by_consensus(pairs: Pairs) -> list[dict[str, Any]]:
    """One row per consensus criterion: how often it is met, over the conversations that have it."""
    found: defaultdict[str, list[tuple[bool | None, str]]] = defaultdict(list)
    for criterion, met, cluster in _judged(pairs):
        name = tag_value(criterion.tags, "cluster")
        if name:
            found[name].append((met, cluster))
    return [_consensus_row(name, part) for name, part in sorted(found.items())]


def _consensus_row(name: str, part: Sequence[tuple[bool | None, str]]) -> dict[str, Any]:
    theme, category, behaviour = consensus_parts(name)
    known = [(met, cluster) for met, cluster in part if met is not None]
    return {
        "theme": theme,
        "category": category,
        "behaviour": behaviour,
        "unscored": len(part) - len(known),
        "met": format(clustered_rate([met for met, _ in known], [cluster for _, cluster in known])),
    }
