"""What follows from the replies to questions: verdicts and scores, as frozen values.

What is asked and what comes back (`adjudge.question`) can be had from here too.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from adjudge.question import (
    NO_USAGE,
    Failure,
    JsonObject,
    Prompt,
    Question,
    Reason,
    Reply,
    Sampling,
    Usage,
    total,
)
from adjudge.values import Frozen

__all__ = [
    "NO_USAGE",
    "Failure",
    "JsonObject",
    "Prompt",
    "Question",
    "Quote",
    "Reason",
    "Reply",
    "Result",
    "Sampling",
    "Score",
    "Usage",
    "Verdict",
    "total",
]


class Quote(Frozen):
    """A passage that the judge cites."""

    text: str
    """The passage."""
    start: int | None = None
    """Offset in characters in the submission's output; None if the passage is not there."""
    end: int | None = None
    """Offset just after it."""
    message: int | None = None
    """Number (from 1) of the message of the output in which it begins; None if the output is plain text."""


class Verdict(Frozen):
    """The level of one criterion for one submission, or a typed failure."""

    submission: str
    """Id of the submission or comparison."""
    criterion: str
    """Id of the criterion."""
    status: Literal["scored", "unscored", "skipped"]
    """`skipped`: not asked, since a criterion that it depends on was not met, or (flag `decided`) since the outcome no
    longer depended on it."""
    level: str | None = None
    """Id of the level; None unless scored."""
    score: float | None = None
    """Score of that level in the scale's units."""
    expected: float | None = None
    """Expected score over the distribution, if both are known."""
    distribution: dict[str, float] | None = None
    """Probability of each level, if known; sums to 1."""
    label_mass: float | None = None
    """Probability that the labels had before any constraint; low means that the judge wanted to say something else."""
    explanation: str = ""
    """Why, in the judge's words."""
    quotes: tuple[Quote, ...] = ()
    """Passages cited, string-verified."""
    reason: Reason | None = None
    """Why it is unscored."""
    detail: str = ""
    """More about the failure, or how the reply was repaired."""
    orders: tuple[dict[str, float], ...] | None = None
    """For a comparison: probabilities of `first`, `second`, `tie` in each order asked, in terms of the given order."""
    flags: tuple[str, ...] = ()
    """Things to look at, for example `hidden-unicode` or `order-inconsistent`."""
    judge: str = ""
    """Judge and backend that gave it."""
    fingerprint: str = ""
    """Identity of the question that it answers."""
    repeat: int = 0
    """Which repeat."""
    usage: Usage = Usage()
    """Tokens and cost of the replies that it rests on."""
    members: tuple[Verdict, ...] = ()
    """For a judge made of judges: what each of them said, repeats side by side."""

    @model_validator(mode="after")
    def _level_iff_scored(self) -> Self:
        if (self.level is not None) != (self.status == "scored"):
            raise ValueError("a verdict has a level if and only if it is scored")
        if (self.reason is not None) != (self.status == "unscored"):
            raise ValueError("a verdict has a reason if and only if it is unscored")
        return self


class Score(Frozen):
    """The verdicts of one submission under one rubric, combined. Never a plain number when a verdict is missing."""

    submission: str
    """Id of the submission or comparison."""
    rubric: str
    """Id and version of the rubric."""
    scoring: str
    """Name of the scoring."""
    value: float | None
    """The score; None if a verdict that it needs is unscored or the scoring is undefined here."""
    bounds: tuple[float, float] | None
    """The score with all unscored criteria at their worst, and at their best."""
    coverage: Annotated[float, Field(ge=0, le=1)]
    """Scored share of the criteria that were due (skipped ones are not due)."""
    criteria: dict[str, float | None]
    """Score of each criterion's level, in its scale's units."""
    dimensions: dict[str, float | None] = Field(default_factory=dict)
    """Share of the best reachable, per dimension, from 0 to 1."""
    note: str = ""
    """Why there is no value, or what capped it."""
    undefined: bool = False
    """Whether there is no value however the unscored verdicts turn out, so that none of them is missed for it."""


class Result(Frozen):
    """A judged submission: its verdicts and its score."""

    submission: str
    """Id of the submission or comparison."""
    verdicts: tuple[Verdict, ...]
    """One per criterion, in the rubric's order."""
    score: Score
    """The verdicts combined."""

    @property
    def usage(self) -> Usage:
        """Sum over the verdicts."""
        return total(verdict.usage for verdict in self.verdicts)

    def verdict(self, criterion: str) -> Verdict:
        """The verdict on that criterion.

        Raises:
            KeyError: There is none.
        """
        for verdict in self.verdicts:
            if verdict.criterion == criterion:
                return verdict
        raise KeyError(criterion)
