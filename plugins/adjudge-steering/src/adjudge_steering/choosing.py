"""Chooses method, layer and strength: the largest gain on held-out pairs among what leaves perplexity within a cap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adjudge_steering.directions import Method

CAP = 1.1
"""Largest perplexity on neutral texts, over that without steering."""
STRENGTHS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
"""Strengths that are tried, as shares of the mean length of a layer's states, the smallest first."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting, as measured on the pairs that choose."""

    method: Method
    """How the direction was made."""
    layer: int
    """Where it is added."""
    strength: float
    """How much."""
    choice: float
    """Mean probability of the reply that follows the rule."""
    perplexity: float
    """Over that without steering."""


def layers_to_try(count: int, most: int = 6) -> list[int]:
    """Blocks from a fifth to four fifths of the depth, evenly spread; neither the first nor the last are steered well.

    Args:
        count: Blocks of the model.
        most: Blocks to try.
    """
    low, high = round(0.2 * count), max(round(0.2 * count), round(0.8 * count) - 1)
    span = high - low
    steps = min(most, span + 1)
    places = [low + round(step * span / max(1, steps - 1)) for step in range(steps)]
    return sorted({min(place, count - 1) for place in places})


def best(trials: Sequence[Trial], choice: float, cap: float = CAP) -> Trial | None:
    """The trial with the largest gain within the cap, of equal ones the weakest.

    Args:
        trials: What was measured.
        choice: Mean probability without steering.
        cap: Largest perplexity, over that without steering.

    Returns:
        None if none gains anything within the cap.
    """
    able = [trial for trial in trials if trial.perplexity <= cap and trial.choice > choice]
    return min(able, key=lambda trial: (-trial.choice, trial.strength, trial.layer, trial.method), default=None)
