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
    """Draw about `size` submissions, the ones that the judge is unsure of with a higher chance.

    Each is drawn on its own with its chance (Poisson sampling), as the weights of active inference want it (Zrnic and
    Candès 2024, arXiv:2403.03208); so the number drawn varies a little.

    Args:
        record: The run; submissions that the judge gave no level on any criterion take part like the unsurest.
        size: How many to draw in the mean.
        seed: The same seed draws the same.

    Raises:
        InputError: The run holds fewer submissions than asked for.
    """
    if not 1 <= size <= len(record.items):
        raise InputError(f"{size} to draw of {len(record.items)} submissions: ask for 1 to {len(record.items)}")
    doubts = [_doubt(result.verdicts) for result in record.results]
    chances = inclusion(doubts, size)
    toss = random.Random(seed)  # noqa: S311 - sampling, not secrets
    return [
        Draw(item.id, tuple(record.criteria_of(item)), chance)
        for item, chance in zip(record.items, chances, strict=True)
        if toss.random() < chance
    ]


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
