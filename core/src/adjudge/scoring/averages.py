"""Scorings that average: `weighted`, `mean`, and `none` for what has no number."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adjudge.errors import ScoringError
from adjudge.rubric import Rubric
from adjudge.scoring.credit import check_flag, credits_of, weighted_mean


@dataclass(frozen=True, slots=True)
class Weighted:
    """Share of the weight that is earned, from 0 to 1 (MoReBench, arXiv:2510.16380; there times 100).

    A criterion earns the credit of its level times the size of its weight; one with a negative weight earns by not
    being met. Ordinal levels earn in proportion to their score.
    """

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion takes part."""
        earned = credits_of(rubric, scores)
        return weighted_mean((abs(rubric.criterion(name).weight), share) for name, share in earned.items())


@dataclass(frozen=True, slots=True)
class Mean:
    """Plain mean of the scores, in the units of the scale; the size of a weight does not count.

    A criterion with a negative weight is turned round within its scale, so that more is always better.
    """

    normalise: bool = False
    """Bring every scale to 0..1 first; needed where scales differ in range."""

    def __post_init__(self) -> None:
        check_flag("normalise", self.normalise)

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine; None if no criterion takes part.

        Raises:
            ScoringError: The scales differ in range and `normalise` is off.
        """
        ranges = {c.scale.range for c in rubric.criteria if c.scale.range is not None}
        if len(ranges) > 1 and not self.normalise:
            shown = ", ".join(f"{low:g} to {high:g}" for low, high in sorted(ranges))
            raise ScoringError(f"the scales of {rubric.id!r} differ in range ({shown}); set normalise: true")
        share = weighted_mean((1.0, value) for value in credits_of(rubric, scores).values())
        if share is None or self.normalise:
            return share
        low, high = next(iter(ranges))
        return low + share * (high - low)


@dataclass(frozen=True, slots=True)
class Unscored:
    """No number: for rubrics whose scales are labels without scores."""

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> None:
        """Always None."""

    def note(self, rubric: Rubric, scores: Mapping[str, float]) -> str:  # noqa: ARG002 - the protocol's
        """Why there is no value."""
        return "the scoring `none` gives no number"


def fulfilment(rubric: Rubric, scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """Share of criteria that earn anything, per dimension, unweighted (MoReBench, arXiv:2510.16380).

    Args:
        rubric: The rubric; criteria without a dimension are left out.
        scores: `Score.criteria`.

    Returns:
        From 0 to 1 per dimension; None where a criterion of it has no score.
    """
    earned: defaultdict[str, list[float | None]] = defaultdict(list)
    for criterion in rubric.criteria:
        score = scores.get(criterion.id)
        share = None if score is None else float(score != criterion.worst)
        earned[criterion.dimension].append(share)
    earned.pop("", None)
    return {name: None if None in shares else _mean(shares) for name, shares in earned.items()}


def _mean(shares: Sequence[float | None]) -> float:
    return math.fsum(share for share in shares if share is not None) / len(shares)


def hard_score(scores: Sequence[float], lengths: Sequence[int], per: int = 1000) -> float | None:
    """Mean score per 1,000 characters of mean length (MoReBench's length-corrected score, arXiv:2510.16380).

    Report it beside the plain mean: the two rank models differently.

    Args:
        scores: Scores, in any unit.
        lengths: Lengths of the judged texts in characters, in the same order.
        per: Number of characters that the score is for.

    Returns:
        The score in the unit of `scores`; None without scores, or if all texts are empty.

    Raises:
        ValueError: The sequences differ in length.
    """
    if len(scores) != len(lengths):
        raise ValueError(f"{len(scores)} scores, but {len(lengths)} lengths")
    return math.fsum(scores) / sum(lengths) * per if sum(lengths) else None
