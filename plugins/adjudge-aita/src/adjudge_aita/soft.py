"""How far two distributions over labels are apart, in nats, and how much two texts share; pure functions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

Distribution = Mapping[str, float]
"""Probability of each label; a label that is not named has none."""

FLOOR = 0.01
"""Share of the uniform distribution that is mixed into a judge's before its logarithm is taken."""
_WORD = re.compile(r"\w+(?:['’]\w+)*")


def shares(votes: Mapping[str, float]) -> dict[str, float]:
    """Votes as shares that sum to 1; empty if nobody voted.

    Raises:
        ValueError: A number of votes is negative or not finite.
    """
    if any(not math.isfinite(count) or count < 0 for count in votes.values()):
        raise ValueError("votes are numbers of 0 or more")
    total = math.fsum(votes.values())
    return {label: count / total for label, count in votes.items()} if total > 0 else {}


def entropy(p: Distribution) -> float:
    """Shannon entropy: 0 where all agree, ln(n) where n labels are even."""
    return -math.fsum(x * math.log(x) for x in p.values() if x > 0) + 0.0


def js_divergence(p: Distribution, q: Distribution) -> float:
    """Jensen-Shannon divergence (Lin 1991): 0 for equal distributions, ln 2 for disjoint ones."""
    labels = sorted({*p, *q})
    middle = {label: (p.get(label, 0.0) + q.get(label, 0.0)) / 2 for label in labels}
    return min(math.log(2), max(0.0, entropy(middle) - (entropy(p) + entropy(q)) / 2))


def js_distance(p: Distribution, q: Distribution) -> float:
    """Square root of the divergence, which is a metric (Endres and Schindelin 2003)."""
    return math.sqrt(js_divergence(p, q))


def cross_entropy(crowd: Distribution, judge: Distribution, labels: Sequence[str], floor: float = FLOOR) -> float:
    """Mean surprise of the crowd's votes under the judge's distribution.

    Args:
        crowd: Shares of the votes.
        judge: The judge's distribution.
        labels: All labels that the judge could give.
        floor: Share of the uniform distribution mixed into the judge's, so that a label that it ruled out costs much
            but not everything.

    Returns:
        At most `-ln(floor / len(labels))`; the entropy of the crowd's votes if the two agree and `floor` is 0.
    """
    return -math.fsum(
        share * math.log((1 - floor) * judge.get(label, 0.0) + floor / len(labels))
        for label, share in crowd.items()
        if share > 0
    )


def unigram_f1(text: str, reference: str) -> float:
    """Overlap of words, case aside: the F1 of ROUGE-1 (Lin 2004), without stemming."""
    first, second = words(text), words(reference)
    return _f1(sum((Counter(first) & Counter(second)).values()), len(first), len(second))


def sequence_f1(text: str, reference: str) -> float:
    """Longest common subsequence of words: the F1 of ROUGE-L (Lin 2004) over the whole text, without stemming."""
    first, second = words(text), words(reference)
    return _f1(_common(first, second), len(first), len(second))


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return _WORD.findall(text.casefold())


def _f1(shared: int, first: int, second: int) -> float:
    return 2 * shared / (first + second) if first + second else 0.0


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, one row of the table at a time."""
    row = [0] * (len(second) + 1)
    for word in first:
        above_left = 0
        for place, other in enumerate(second, 1):
            above_left, row[place] = row[place], above_left + 1 if word == other else max(row[place], row[place - 1])
    return row[-1]
