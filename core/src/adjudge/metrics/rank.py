"""Rank correlation of two sequences of numbers, given in the same order."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby

from adjudge.metrics.estimate import Estimate, undefined


def spearman(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Spearman's rho: the correlation of mid-ranks; undefined where one side is constant.

    Raises:
        ValueError: The sequences differ in length.
    """
    if (why := _no_ranks(first, second)) is not None:
        return why
    a, b = _mid_ranks(first), _mid_ranks(second)
    middle = (len(a) + 1) / 2
    joint = math.fsum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread = math.sqrt(math.fsum((x - middle) ** 2 for x in a) * math.fsum((y - middle) ** 2 for y in b))
    return Estimate(value=max(-1.0, min(1.0, joint / spread)), n=len(a))


def kendall_tau_b(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Kendall's tau-b, which allows for ties on both sides; undefined where one side is constant.

    Raises:
        ValueError: The sequences differ in length.
    """
    if (why := _no_ranks(first, second)) is not None:
        return why
    pairs = sorted(zip(first, second, strict=True))
    total = math.comb(len(pairs), 2)
    tied_a, tied_b, tied_both = _tied_pairs(first), _tied_pairs(second), _tied_pairs(pairs)
    discordant = _inversions(b for _, b in pairs)
    concordant = total - tied_a - tied_b + tied_both - discordant
    return Estimate(value=(concordant - discordant) / math.sqrt((total - tied_a) * (total - tied_b)), n=len(pairs))


def _no_ranks(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """The reason why the two have no rank correlation, or None."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} numbers on one side, {len(second)} on the other")
    if len(first) < 2:  # noqa: PLR2004 - a rank needs a neighbour
        return undefined("fewer than 2 observations", len(first))
    if min(first) == max(first) or min(second) == max(second):
        return undefined("one side is constant", len(first))
    return None


def _mid_ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    ranks, before = [0.0] * len(values), 0
    for _, tied in groupby(sorted(range(len(values)), key=values.__getitem__), key=values.__getitem__):
        places = list(tied)
        for place in places:
            ranks[place] = before + (len(places) + 1) / 2
        before += len(places)
    return ranks


def _tied_pairs(values: Iterable[Hashable]) -> int:
    return sum(math.comb(count, 2) for count in Counter(values).values())


def _inversions(values: Iterable[float]) -> int:
    """Number of pairs whose later value is strictly smaller."""
    seen: list[float] = []
    count = 0
    for value in values:
        count += len(seen) - bisect_right(seen, value)
        insort(seen, value)
    return count
