"""Which submissions to label next, with chances that keep the estimate valid."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import InputError
from adjudge.report import RunRecord
from adjudge.verdict import Verdict

SHARE_AT_RANDOM = 0.5
"""Part of the draw that does not look at the judge, so that no chance is small and no weight large."""

DIGITS = 6
"""Digits of a chance that are kept: nobody can tell more, and a table stays readable."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One submission to label."""

    submission: str
    """Its id."""
    criteria: tuple[str, ...]
    """What to label."""
    probability: float
    """The chance with which it was drawn."""


def draw(record: RunRecord, size: int, *, seed: int = 0) -> list[Draw]:
    """Draw `size` submissions, the ones that the judge is unsure of with a higher chance.

    The chances are those of active inference (Zrnic and Candès 2024, arXiv:2403.03208), which draws each submission on
    its own; here their number is fixed (see `pivotal`).

    Args:
        record: The run; submissions that the judge gave no level on any criterion take part like the unsurest.
        size: How many to draw.
        seed: The same seed draws the same.

    Raises:
        InputError: The run holds fewer submissions than asked for.
    """
    if not 1 <= size <= len(record.items):
        raise InputError(f"{size} to draw of {len(record.items)} submissions: ask for 1 to {len(record.items)}")
    chances = inclusion([_doubt(result.verdicts) for result in record.results], size)
    drawn = pivotal(chances, random.Random(seed))  # noqa: S311 - sampling, not secrets
    return [_draw_of(record, place, chances[place]) for place in drawn]


def _draw_of(record: RunRecord, place: int, chance: float) -> Draw:
    item = record.items[place]
    return Draw(item.id, tuple(record.criteria_of(item)), float(f"{chance:.{DIGITS}g}"))


def pivotal(chances: Sequence[float], toss: random.Random) -> list[int]:
    """Draw as many places as the chances sum to, each with its chance (pivotal method, Deville and Tillé 1998).

    In a random order, two at a time settle one of them: they put their chances together, and one is out if that is 1
    or less, else one is in; the other goes on with what is left.

    Args:
        chances: Above 0 and up to 1, one per place; their sum is a whole number.
        toss: Where chance comes from.

    Returns:
        The places, in rising order.
    """
    drawn = [place for place, chance in enumerate(chances) if chance >= 1]
    waiting = [place for place, chance in enumerate(chances) if chance < 1]
    toss.shuffle(waiting)
    held, left = -1, 0.0
    for place in waiting:
        both = left + chances[place]
        if both <= 1:
            held = place if toss.random() * both < chances[place] else held
            left = both
        elif toss.random() * (2 - both) < 1 - chances[place]:
            drawn.append(held)
            held, left = place, both - 1
        else:
            drawn.append(place)
            left = both - 1
    return sorted([*drawn, held] if left > 0.5 else drawn)  # noqa: PLR2004 - 0 or 1, but for rounding


def inclusion(doubts: Sequence[float], size: int) -> list[float]:
    """Chances that sum to `size`: half in equal parts, half by doubt; none above 1.

    Args:
        doubts: 0 (sure) or more, one per submission.
        size: Sum of the chances.
    """
    even = 1 / len(doubts)
    whole = sum(doubts)
    shares = [SHARE_AT_RANDOM * even + (1 - SHARE_AT_RANDOM) * (x / whole if whole else even) for x in doubts]
    full: set[int] = set()
    while True:
        left = sum(share for i, share in enumerate(shares) if i not in full)
        scale = (size - len(full)) / left if left else 0.0
        more = {i for i, share in enumerate(shares) if i not in full and share * scale > 1}
        if not more:
            return [1.0 if i in full else share * scale for i, share in enumerate(shares)]
        full |= more


def _doubt(verdicts: Sequence[Verdict]) -> float:
    """The largest chance, over criteria, that the judge's level is wrong by its own account."""
    known = [1 - max(verdict.distribution.values()) for verdict in verdicts if verdict.distribution]
    scored = any(verdict.status == "scored" for verdict in verdicts)
    return max(known, default=0.0) if scored else 1.0


def rows(drawn: Sequence[Draw]) -> list[dict[str, Any]]:
    """The draw as rows to fill in, one per submission and criterion, in the columns that `read_labels` reads."""
    return [
        {"submission": one.submission, "criterion": name, "level": "", "rater": "", "probability": one.probability}
        for one in drawn
        for name in one.criteria
    ]
