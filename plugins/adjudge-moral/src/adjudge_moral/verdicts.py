"""From the verdicts of a result to one level per criterion."""

from __future__ import annotations

from collections import Counter

from adjudge.verdict import Result


def level_of(result: Result, criterion: str) -> str | None:
    """The level that most scored repeats agree on; None if none is scored or two levels are even."""
    levels = [v.level for v in result.verdicts if v.criterion == criterion and v.level is not None]
    votes = Counter(levels).most_common(2)
    if not votes or (len(votes) > 1 and votes[0][1] == votes[1][1]):
        return None
    return votes[0][0]
