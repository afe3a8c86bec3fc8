"""What a comparison in both orders says about a choice between two actions."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, clustered_mean, clustered_rate
from adjudge.submission import Comparison
from adjudge.verdict import Result, Verdict

OVERALL = "overall"
SIDES = ("first", "second")
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """A judge's choice between the two actions of one comparison."""

    item: Comparison
    level: str | None
    """`first`, `second`, `tie` (the two orders cancel out), None if unscored."""
    first: float | None
    """Probability of the first action, averaged over both orders; None if unscored."""
    orders: tuple[str, ...]
    """Which of the two was taken in each order asked: `first` or `second`, in terms of the given order; empty if
    unscored or if the judge does not ask in two orders."""

    @property
    def decided(self) -> bool:
        """Whether one of the two was chosen."""
        return self.level in SIDES

    @property
    def cluster(self) -> str:
        """The situation."""
        return self.item.cluster


def choice_of(item: Item, result: Result) -> Choice:
    """The choice that a result holds."""
    assert isinstance(item, Comparison)  # the loaders of choices give comparisons only
    verdict = next((v for v in result.verdicts if v.criterion == OVERALL), None)
    if verdict is None or verdict.level not in (*SIDES, "tie"):
        return Choice(item, None, None, ())
    return Choice(item, verdict.level, _probability(verdict), _orders(verdict))


def choices_of(items: Sequence[Item], results: Sequence[Result]) -> list[Choice]:
    """The choice of every item, in order."""
    return [choice_of(item, result) for item, result in zip(items, results, strict=True)]


def _probability(verdict: Verdict) -> float:
    """Probability of the first action against the second, a tie split between them."""
    given = verdict.distribution or {str(verdict.level): 1.0}
    return given.get("first", 0.0) + _HALF * given.get("tie", 0.0)


def _orders(verdict: Verdict) -> tuple[str, ...]:
    return tuple(max(order, key=order.__getitem__) for order in verdict.orders or ())


def order_figures(choices: Sequence[Choice]) -> dict[str, Any]:
    """How much the order of the two actions decides.

    Returns:
        `coverage`; `order_consistency`, the share of choices that are the same in both orders; `first_shown`, how often
        the action shown first was taken (half without bias).
    """
    asked = [one for one in choices if len(one.orders) == len(SIDES)]
    units = [one.cluster for one in asked]
    # In the second order the second action is shown first.
    shown = [one.orders[0] == "first" for one in asked], [one.orders[1] == "second" for one in asked]
    return {
        "coverage": sum(one.level is not None for one in choices) / len(choices) if choices else None,
        "order_consistency": clustered_rate([len(set(one.orders)) == 1 for one in asked], units),
        "first_shown": clustered_rate([*shown[0], *shown[1]], [*units, *units]),
    }


def uncertainty(choices: Sequence[Choice]) -> Estimate:
    """Mean entropy of the choice in bits, from 0 (sure) to 1, over the probability averaged over both orders."""
    known = [(one.first, one.cluster) for one in choices if one.first is not None]
    return clustered_mean([_entropy(p) for p, _ in known], [unit for _, unit in known])


def _entropy(p: float) -> float:
    return -math.fsum(q * math.log2(q) for q in (p, 1 - p) if 0 < q < 1)


def drawn_orders(names: Sequence[str], count: int, seed: int) -> list[list[str]]:
    """In which order to give two names, for each of so many pairs; half of them (or nearly) one way, half the other.

    Args:
        names: The two names.
        count: Number of pairs.
        seed: Draws which pairs are turned round.
    """
    turned = [place % 2 == 1 for place in range(count)]
    random.Random(seed).shuffle(turned)  # noqa: S311 - a reproducible choice, no secret
    return [list(reversed(names)) if each else list(names) for each in turned]


def label_of(order: Sequence[str], favoured: str) -> str:
    """The level of a preference for one of the names, in the order in which they are given."""
    return SIDES[list(order).index(favoured)]
