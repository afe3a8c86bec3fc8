"""From pairs of one rule to its vector: directions from one split, the setting from a second, figures from a third."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adjudge.metrics import Estimate, paired_difference
from adjudge_steering.choosing import CAP, STRENGTHS, Trial, best, layers_to_try
from adjudge_steering.directions import METHODS, Method, direction
from adjudge_steering.hooks import steered
from adjudge_steering.measures import choices, perplexity, plain, replies, states
from adjudge_steering.pairs import Pair, parted
from adjudge_steering.vectors import About, Figure, Vector, Vectors
from adjudge_steering.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """What is tried."""

    methods: tuple[Method, ...] = METHODS
    """Ways to make a direction."""
    layers: tuple[int, ...] = ()
    """Blocks; `layers_to_try` of the model if empty."""
    strengths: tuple[float, ...] = STRENGTHS
    """Strengths, the smallest first."""
    cap: float = CAP
    """Largest perplexity, over that without steering."""


@dataclass(frozen=True)
class Fitted:
    """What came of one rule."""

    vector: Vector
    """What is known of it."""
    unit: Array
    """Its direction, of length 1."""
    trials: tuple[Trial, ...]
    """Everything that was tried."""
    before: float
    """Mean probability of the reply that follows the rule without steering, on the final pairs."""
    after: float
    """The same with steering."""
    gain: Estimate
    """The difference, with its interval over sources."""


@dataclass(frozen=True)
class Directions:
    """Directions of one rule at several blocks."""

    units: Mapping[tuple[Method, int], Array]
    """By method and block."""
    scales: Mapping[int, float]
    """Mean length of the states, by block."""

    def addition(self, method: Method, layer: int, strength: float) -> dict[int, Array]:
        """What to add to which block."""
        return {layer: self.units[method, layer] * (strength * self.scales[layer])}


def directions_of(
    weights: Weights, pairs: Sequence[Pair], layers: Sequence[int], methods: Sequence[Method]
) -> Directions:
    """Directions from the states of pairs."""
    import numpy as np

    follows, breaks = replies(weights, pairs)
    there, here = states(weights, follows, layers), states(weights, breaks, layers)
    units = {(method, layer): direction(there[layer], here[layer], method) for method in methods for layer in layers}
    lengths = {layer: np.linalg.norm(np.concatenate([there[layer], here[layer]]), axis=1) for layer in layers}
    return Directions(units, {layer: float(values.mean()) for layer, values in lengths.items()})


def fit(weights: Weights, pairs: Sequence[Pair], neutral: Sequence[str], grid: Grid | None = None) -> Fitted:
    """Find the vector of one rule.

    Args:
        weights: The model.
        pairs: Pairs of one rule.
        neutral: Texts about no rule; the first half limits the choice, the second gives the final figure.
        grid: What to try.

    Raises:
        InputError: There are too few pairs, or their states do not differ.
    """
    grid = grid or Grid()
    layers = grid.layers or tuple(layers_to_try(len(weights.blocks)))
    splits = parted(pairs)
    made = directions_of(weights, splits["fit"], layers, grid.methods)
    half = len(neutral) // 2
    base, trials = _tried(weights, splits["choose"], neutral[:half], made, grid)
    chosen = best(trials, base, grid.cap)
    # Without one that helps, the vector stands there with strength 0, and says so.
    setting = chosen or min(trials, key=lambda trial: (-trial.choice, trial.strength))
    strength = chosen.strength if chosen else 0.0
    added = made.addition(setting.method, setting.layer, strength)
    first, second = _final(weights, splits["final"], added)
    gain = paired_difference(second, first, [pair.group for pair in splits["final"]])
    vector = Vector(
        rule=pairs[0].rule,
        method=setting.method,
        layer=setting.layer,
        strength=strength,
        scale=made.scales[setting.layer],
        fitted=len(splits["fit"]),
        choice=Figure(value=gain.value, low=gain.low, high=gain.high, n=gain.n),
        perplexity=_ratio(weights, neutral[half:], added),
    )
    unit = made.units[setting.method, setting.layer]
    return Fitted(vector, unit, tuple(trials), sum(first) / len(first), sum(second) / len(second), gain)


def together(weights: Weights, fitted: Sequence[Fitted]) -> Vectors:
    """Vectors of several rules, ready to be saved."""
    about = About(
        model=weights.name,
        fingerprint=weights.fingerprint,
        layers=len(weights.blocks),
        width=weights.width,
        vectors=tuple(one.vector for one in fitted),
    )
    return Vectors(about, {one.vector.rule: one.unit for one in fitted})


def _tried(
    weights: Weights, pairs: Sequence[Pair], neutral: Sequence[str], made: Directions, grid: Grid
) -> tuple[float, list[Trial]]:
    """Mean probability without steering, and all trials."""
    follows, breaks = replies(weights, pairs)
    texts = plain(weights, neutral)
    untouched = perplexity(weights, texts)

    def mean_choice() -> float:
        return sum(choices(weights, follows, breaks)) / len(follows)

    def along(method: Method, layer: int) -> Iterator[Trial]:
        for strength in grid.strengths:
            with steered(weights, made.addition(method, layer, strength)):
                ratio = perplexity(weights, texts) / untouched
                yield Trial(method, layer, strength, mean_choice(), ratio)
            if ratio > grid.cap:
                return  # a stronger push only tears the language further

    return mean_choice(), [trial for method, layer in made.units for trial in along(method, layer)]


def _final(weights: Weights, pairs: Sequence[Pair], added: Mapping[int, Array]) -> tuple[list[float], list[float]]:
    follows, breaks = replies(weights, pairs)
    before = choices(weights, follows, breaks)
    with steered(weights, added):
        return before, choices(weights, follows, breaks)


def _ratio(weights: Weights, neutral: Sequence[str], added: Mapping[int, Array]) -> float:
    texts = plain(weights, neutral)
    before = perplexity(weights, texts)
    with steered(weights, added):
        return perplexity(weights, texts) / before
