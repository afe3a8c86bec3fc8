"""Comparisons: what the order of showing does to the winner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adjudge.interfaces import Item
from adjudge.submission import Comparison
from adjudge.verdict import Verdict
from adjudge_validity.audit.catalogue import POSITION
from adjudge_validity.audit.observation import Judged, Observation, about

OUTCOMES = {"first": 1.0, "tie": 0.5, "second": 0.0}
"""Worth of a comparison's level for its first side."""
SWAPPED = "swapped"
"""Name of the twin that shows the two the other way round."""
_MIRRORED = {"first": "second", "second": "first"}
_HALF = 0.5


def both_orders(judged: Judged, group_by: str) -> Iterator[Observation]:
    """Of a judge that asks in both orders by itself: whether the winner changes.

    The shift is the share of the one that is shown first, less a half.
    """
    item, verdicts = judged
    for name, verdict in verdicts.items():
        seen = about(item, POSITION, SWAPPED, name, group_by)
        for given, swapped in _orders(verdict):
            yield _seen(seen, (_top(given), _share(given)), (_top(swapped), _share(swapped)))


def turned(before: Judged, after: Judged, group_by: str) -> Iterator[Observation]:
    """Of any other judge: the same of its answers to the comparison and to its twin, which was turned round."""
    for name, verdict in before[1].items():
        other = after[1].get(name)
        if other is None or any(_orders(verdict)):
            continue
        seen = about(before[0], POSITION, SWAPPED, name, group_by)
        if verdict.level is None or other.level is None:
            yield replace(seen, scored=False)
        else:
            mirrored = _MIRRORED.get(other.level, other.level)
            yield _seen(seen, (verdict.level, _worth(verdict)), (mirrored, 1 - _worth(other)))


def _seen(blank: Observation, given: tuple[str, float], swapped: tuple[str, float]) -> Observation:
    """From winner and worth for the first side, in both orders; both in terms of the given one."""
    shown = (given[1] + 1 - swapped[1]) / 2
    return replace(blank, flip=given[0] != swapped[0], shift=shown - _HALF)


def _orders(verdict: Verdict) -> Iterator[tuple[Mapping[str, float], Mapping[str, float]]]:
    """What was said in each order, by the judge or, of a judge made of judges, by each member."""
    if verdict.orders is not None and len(verdict.orders) > 1:
        yield verdict.orders[0], verdict.orders[1]
    else:
        for member in verdict.members:
            yield from _orders(member)


def _worth(verdict: Verdict) -> float:
    return _share(verdict.distribution) if verdict.distribution else OUTCOMES.get(verdict.level or "", _HALF)


def _share(order: Mapping[str, float]) -> float:
    return sum(order.get(name, 0.0) * worth for name, worth in OUTCOMES.items())


def _top(order: Mapping[str, float]) -> str:
    return max(order, key=order.__getitem__)


def reversed_pair(item: Item) -> Item | None:
    """The comparison with its two sides the other way round; None of anything else."""
    if not isinstance(item, Comparison) or len(item.submissions) != 2:  # noqa: PLR2004 - a pair
        return None
    return item.model_copy(update={"submissions": item.submissions[::-1]})
