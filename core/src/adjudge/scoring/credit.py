"""From a level's score to credit between 0 and 1, the sign of the weight counted in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from adjudge.errors import ScoringError
from adjudge.interfaces import Scoring
from adjudge.rubric import Criterion, Rubric


def credit(criterion: Criterion, score: float) -> float:
    """How far a score goes from the criterion's worst level (0) to its best one (1).

    Raises:
        ScoringError: The levels of the criterion have no scores.
    """
    worst, best = criterion.worst, criterion.best
    if worst is None or best is None:
        raise ScoringError(f"criterion {criterion.id!r} is judged in labels without scores, so it has no credit")
    return (score - worst) / (best - worst) if best != worst else 1.0


def credits_of(rubric: Rubric, scores: Mapping[str, float]) -> dict[str, float]:
    """Credit of each criterion that takes part, in the rubric's order."""
    return {c.id: credit(c, scores[c.id]) for c in rubric.criteria if c.id in scores}


def weighted_mean(parts: Iterable[tuple[float, float]]) -> float | None:
    """Mean of (weight, value) pairs; None if there are none."""
    pairs = list(parts)
    total = math.fsum(weight for weight, _ in pairs)
    return math.fsum(weight * value for weight, value in pairs) / total if pairs else None


def factory(name: str, kind: Callable[..., Scoring]) -> Callable[..., Scoring]:
    """The `build` of a scoring whose parameters are the fields of a dataclass.

    Args:
        name: Name of the scoring, for the message.
        kind: The dataclass.

    Returns:
        A function that raises `ScoringError` for a parameter that the scoring does not know.
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type] # a dataclass, as said

    def build(**params: Any) -> Scoring:
        strangers = sorted(set(params) - set(known))
        if strangers:
            names = f"known: {', '.join(known)}" if known else "it takes none"
            raise ScoringError(f"scoring {name!r} has no parameter {strangers[0]!r}; {names}")
        return kind(**params)

    return build


def check_number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> None:
    """Refuse a parameter that is no finite number between `low` and `high`.

    Raises:
        ScoringError: It is not; the message names the parameter.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not low <= value <= high:  # type: ignore[operator] # a number, as just tested
        raise ScoringError(f"parameter {name!r} must be a number from {low:g} to {high:g}, not {value!r}")


def check_flag(name: str, value: object) -> None:
    """Refuse a parameter that is neither true nor false.

    Raises:
        ScoringError: It is not; the message names the parameter.
    """
    if not isinstance(value, bool):
        raise ScoringError(f"parameter {name!r} must be true or false, not {value!r}")
