"""Several verdicts on one criterion, reduced to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from statistics import fmean

from adjudge.rubric import Criterion
from adjudge.verdict import Verdict


def reduce_repeats(criterion: Criterion, verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that stands for several of one criterion.

    The most frequent level wins. If two are equally frequent, the middle one of all repeats counts on a `binary` or
    `ordinal` scale (of two middle ones the worse for the submission: doubt earns nothing), and a scale without order
    leaves the criterion unscored (`no_quorum`). Unscored repeats do not vote; if all are unscored, the first stands.

    Args:
        criterion: The criterion that they are on.
        verdicts: At least one.

    Returns:
        A verdict with the usage of all, and the mean expected score and distribution where every voter has one. Where
        none has a distribution, it is the shares of the votes.
    """
    if len(verdicts) == 1:
        return verdicts[0]
    usage = reduce(add, (verdict.usage for verdict in verdicts))
    voters = [verdict for verdict in verdicts if verdict.level is not None]
    if not voters:
        return verdicts[0].model_copy(update={"usage": usage})
    level = _winner(criterion, [verdict.level for verdict in voters if verdict.level is not None])
    if level is None:
        return Verdict(
            submission=voters[0].submission,
            criterion=criterion.id,
            status="unscored",
            reason="no_quorum",
            detail="repeats are split evenly over levels without order",
            judge=voters[0].judge,
            usage=usage,
        )
    chosen = next((verdict for verdict in voters if verdict.level == level), voters[0])
    return chosen.model_copy(
        update={
            "level": level,
            "score": criterion.scale.level(level).score if level in criterion.scale else chosen.score,
            "expected": _mean([verdict.expected for verdict in voters]),
            "distribution": _mixture([verdict.distribution for verdict in voters]) or _shares(voters),
            "repeat": 0,
            "usage": usage,
        }
    )


def _winner(criterion: Criterion, levels: Sequence[str]) -> str | None:
    ranked = Counter(levels).most_common()
    if len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
        return ranked[0][0]
    order = {level.id: place for place, level in enumerate(criterion.scale.levels)}
    if criterion.scale.kind == "labels" or not set(levels) <= set(order):
        return None
    ordered = sorted(levels, key=order.__getitem__, reverse=criterion.weight < 0)
    return ordered[(len(ordered) - 1) // 2]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _mixture(parts: Sequence[dict[str, float] | None]) -> dict[str, float] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return {level: fmean(part.get(level, 0.0) for part in known) for part in known for level in part}


def _shares(voters: Sequence[Verdict]) -> dict[str, float] | None:
    """Share of the votes per level; None if a voter knows more than its level."""
    if any(verdict.distribution is not None for verdict in voters):
        return None
    votes = Counter(verdict.level for verdict in voters if verdict.level is not None)
    return {level: count / len(voters) for level, count in sorted(votes.items())}
