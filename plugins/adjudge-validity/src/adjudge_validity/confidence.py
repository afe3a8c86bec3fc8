"""How far a judge's probabilities can be believed, and from which confidence on its level can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from adjudge.errors import InputError
from adjudge.metrics import Estimate, undefined

SMALLEST = 1e-12
BINS = 10

Distribution = Mapping[str, float]
"""Level to probability; sums to 1."""


def brier(given: Sequence[Distribution], truth: Sequence[str]) -> Estimate:
    """Mean squared distance of the probabilities from what was right, over all levels, from 0 to 2 (Brier 1950).

    Raises:
        ValueError: The sequences differ in length.
    """
    losses = [
        math.fsum((p - (level == right)) ** 2 for level, p in shares.items())
        for shares, right in zip(given, truth, strict=True)
    ]
    return Estimate(value=math.fsum(losses) / len(losses), n=len(losses)) if losses else undefined("no observations")


def log_loss(given: Sequence[Distribution], truth: Sequence[str]) -> Estimate:
    """Mean negative log-probability of what was right; a probability under 1e-12 counts as that.

    Raises:
        ValueError: The sequences differ in length.
    """
    losses = [-math.log(max(shares.get(right, 0.0), SMALLEST)) for shares, right in zip(given, truth, strict=True)]
    return Estimate(value=math.fsum(losses) / len(losses), n=len(losses)) if losses else undefined("no observations")


def entropy(shares: Distribution) -> float:
    """Of votes or probabilities, as a share of the most there can be: 0 for one level, 1 for all alike."""
    parts = [p for p in shares.values() if p > 0]
    return max(0.0, -math.fsum(p * math.log(p) for p in parts) / math.log(len(shares))) if len(shares) > 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Verdicts of like confidence."""

    low: float
    """Confidence from here…"""
    high: float
    """…to here; the upper end belongs to it."""
    n: int
    """Verdicts."""
    confidence: float
    """Mean confidence."""
    right: Estimate
    """Share right, with Wilson's interval."""


def reliability(confidence: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Share right by confidence, in bins of equal width over 0 to 1; empty bins are left out.

    Raises:
        ValueError: The sequences differ in length, or a confidence is not from 0 to 1.
    """
    from adjudge.metrics import wilson

    parts: dict[int, list[tuple[float, bool]]] = {}
    for sure, hit in zip(confidence, right, strict=True):
        if not 0 <= sure <= 1:
            raise ValueError(f"confidence {sure}: it lies from 0 to 1")
        parts.setdefault(max(0, math.ceil(sure * bins) - 1), []).append((sure, hit))
    return [
        Bin(
            low=place / bins,
            high=(place + 1) / bins,
            n=len(part),
            confidence=math.fsum(sure for sure, _ in part) / len(part),
            right=wilson(sum(hit for _, hit in part), len(part)),
        )
        for place, part in sorted(parts.items())
    ]


def calibration_error(curve: Sequence[Bin]) -> Estimate:
    """Expected calibration error: distance of confidence from share right, in the mean over verdicts (Naeini 2015).

    It depends on the bins: show them beside it.
    """
    n = sum(one.n for one in curve)
    if not n:
        return undefined("no observations")
    gaps = [one.n * abs(one.confidence - (one.right.value or 0.0)) for one in curve]
    return Estimate(value=math.fsum(gaps) / n, n=n, note=f"{len(curve)} bins with verdicts")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is left if verdicts under a confidence are abstained from."""

    threshold: float
    """Least confidence that is kept."""
    coverage: float
    """Share of all verdicts that is kept."""
    accuracy: float
    """Share right among them."""
    n: int
    """Verdicts kept."""


def abstention(confidence: Sequence[float], right: Sequence[bool]) -> list[Kept]:
    """Accuracy by coverage, from the most confident verdicts to all; equal confidences are kept together.

    Raises:
        ValueError: The sequences differ in length.
    """
    ranked = sorted(zip(confidence, right, strict=True), key=lambda one: -one[0])
    found, hits = [], 0
    for place, (sure, hit) in enumerate(ranked, start=1):
        hits += hit
        if place == len(ranked) or ranked[place][0] != sure:
            found.append(Kept(threshold=sure, coverage=place / len(ranked), accuracy=hits / place, n=place))
    return found


def trusted_threshold(
    confidence: Sequence[float], right: Sequence[bool], *, accuracy: float, risk: float = 0.1
) -> Kept:
    """The least confidence from which on the judge agrees with people at least so often, surely.

    Fixed sequence testing from the most confident verdicts down, with the exact binomial bound at each threshold (Jung,
    Brahman and Choi 2024, arXiv:2407.18370): with probability at least 1 - risk over the labels, the agreement above
    the threshold is `accuracy` or more, on new submissions like these. The labels must not be those that the
    confidence was fitted on.

    Args:
        confidence: Of each verdict.
        right: Whether people agree with it, in the same order.
        accuracy: Agreement to guarantee, between 0 and 1.
        risk: Chance that the guarantee fails.

    Raises:
        ValueError: The sequences differ in length.
        InputError: No threshold can be guaranteed with these labels.
    """
    found: Kept | None = None
    for kept in abstention(confidence, right):
        if kept.n < math.log(risk) / math.log(accuracy):
            continue  # so few could not pass if all were right, which is known before any label is seen
        hits = round(kept.accuracy * kept.n)
        if _lower(hits, kept.n, risk) < accuracy:
            break
        found = kept
    if found is None:
        raise InputError(
            f"no confidence guarantees an agreement of {accuracy:g}: label more submissions, ask for less, or use"
            " another judge"
        )
    return found


def _lower(hits: int, n: int, risk: float) -> float:
    """One-sided lower bound of a rate (Clopper and Pearson 1934)."""
    return float(stats.beta.ppf(risk, hits, n - hits + 1)) if hits else 0.0
