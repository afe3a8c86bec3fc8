"""Counting votes on one criterion: the rules of a panel, and how far voters disagree. Pure functions.

A level is better or worse *for the submission*: on a criterion of negative weight the highest level is the worst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adjudge.rubric import Criterion
from adjudge.verdict import Verdict

Rule = Literal["majority", "weighted", "unanimous", "minority-veto", "mean"]
"""How votes become a level."""

TIE, VETO = "panel-tie", "panel-veto"
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter says."""

    level: str
    """Id of the level, or a preference."""
    weight: float = 1.0
    """Weight of the voter."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the votes come to."""

    level: str | None
    """None if they are split over levels of which none is worse."""
    flags: tuple[str, ...] = ()
    """`panel-tie`: decided toward the worse side; `panel-veto`: a minority decided."""


def worst_first(criterion: Criterion) -> tuple[str, ...] | None:
    """Ids of the levels from the worst for the submission to the best; None if levels have no scores."""
    if criterion.scale.range is None:
        return None
    ranked = sorted(criterion.scale.levels, key=lambda level: level.score or 0.0, reverse=criterion.weight < 0)
    return tuple(level.id for level in ranked)


def shares(votes: Sequence[Vote]) -> dict[str, float]:
    """Share of the weight that each level has; sums to 1, in the order of the levels' names."""
    total = math.fsum(vote.weight for vote in votes)
    names = sorted({vote.level for vote in votes})
    return {name: math.fsum(vote.weight for vote in votes if vote.level == name) / total for name in names}


def plurality(votes: Sequence[Vote], order: Sequence[str] | None, otherwise: str | None = None) -> Outcome:
    """The level with most weight. A tie goes to the worst of the tied levels, or to `otherwise` without an order."""
    held = shares(votes)
    most = max(held.values())
    tied = [level for level, share in held.items() if math.isclose(share, most, abs_tol=10**-_DIGITS)]
    if len(tied) == 1:
        return Outcome(tied[0])
    return Outcome(min(tied, key=order.index) if order is not None else otherwise, (TIE,))


def from_the_bottom(votes: Sequence[Vote], order: Sequence[str], share: float) -> Outcome:
    """The best level such that fewer than that share of the voters put it lower.

    With a share of almost 0 one voter decides: the worst level that anyone gave.
    """
    ranked = sorted((vote.level for vote in votes), key=order.index)
    level = ranked[max(1, math.ceil(round(share * len(ranked), _DIGITS))) - 1]
    return Outcome(level, () if level == plurality(votes, order).level else (VETO,))


def nearest_to_mean(votes: Sequence[Vote], criterion: Criterion, order: Sequence[str]) -> Outcome:
    """The level whose score is nearest to the weighted mean score; of two equally near ones the worse."""
    scores: Mapping[str, float] = {level.id: level.score or 0.0 for level in criterion.scale.levels}
    mean = math.fsum(share * scores[level] for level, share in shares(votes).items())
    gaps = {level: round(abs(scores[level] - mean), _DIGITS) for level in order}
    near = [level for level in order if gaps[level] == min(gaps.values())]
    return Outcome(near[0], (TIE,) if len(near) > 1 else ())


def decide(rule: Rule, votes: Sequence[Vote], criterion: Criterion, veto: float) -> Outcome:
    """The level that votes on a criterion come to.

    `unanimous` gives a level only as far as every voter goes, so the harmful reading of a single voter stands, on a
    criterion of either sign. `minority-veto` needs a share of the voters for that (after arXiv:2510.11822: judges agree
    too readily, and a majority does not mend it). Both, and `mean`, need levels with scores; without them `unanimous`
    is all or nothing.

    Args:
        rule: The rule.
        votes: At least one.
        criterion: The criterion.
        veto: Share of the voters that can hold a level down.
    """
    order = worst_first(criterion)
    if rule == "weighted":
        return plurality(votes, order)
    even = [Vote(vote.level) for vote in votes]
    if rule == "majority":
        return plurality(even, order)
    if order is None:
        agreed = {vote.level for vote in votes}
        return Outcome(votes[0].level if len(agreed) == 1 else None)
    if rule == "mean":
        return nearest_to_mean(votes, criterion, order)
    return from_the_bottom(even, order, veto if rule == "minority-veto" else 0.0)


def prefer(rule: Rule, votes: Sequence[Vote]) -> Outcome:
    """The preference that votes on two submissions come to: neither side is the worse one, so a split is a tie."""
    if rule == "unanimous":
        agreed = {vote.level for vote in votes}
        return Outcome(votes[0].level if len(agreed) == 1 else "tie")
    return plurality(votes if rule == "weighted" else [Vote(vote.level) for vote in votes], None, "tie")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How far voters differ."""

    voters: int
    """Scored verdicts."""
    shares: dict[str, float]
    """Share of the voters per level."""
    agreement: float | None
    """The largest share; None without voters."""
    entropy: float | None
    """Shannon entropy of the shares in bits: 0 if all agree; None without voters."""


def disagreement(verdicts: Iterable[Verdict]) -> Disagreement:
    """How far verdicts on one criterion differ: its repeats, or the `members` of a panel's verdict.

    Unscored verdicts do not vote.
    """
    votes = [Vote(verdict.level) for verdict in verdicts if verdict.level is not None]
    if not votes:
        return Disagreement(0, {}, None, None)
    held = shares(votes)
    entropy = -math.fsum(share * math.log2(share) for share in held.values())
    return Disagreement(len(votes), held, max(held.values()), abs(entropy))
