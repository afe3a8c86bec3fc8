"""Figures for verdicts beside a crowd's: hard (its verdict), soft (its votes), by difficulty, and of comments.

What is unscored is in no figure, and `coverage` says how much that is; the accuracy is bounded by all of it wrong and
all of it right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, accuracy, cluster_bootstrap, clustered_mean, cohen_kappa, confusion, spearman
from adjudge.submission import Submission, as_text
from adjudge.verdict import Result, Verdict
from adjudge_aita.labels import LABELS, VERDICTS, WRONG, read_verdict
from adjudge_aita.soft import (
    Distribution,
    cross_entropy,
    entropy,
    js_distance,
    js_divergence,
    sequence_f1,
    shares,
    unigram_f1,
)

CRITERION = "verdict"
"""Id of the criterion on the crowd's verdict."""
BANDS: Mapping[str, tuple[float, float]] = {"easy": (0.0, 0.4), "divided": (0.4, 0.8), "hard": (0.8, math.inf)}
"""Posts by the entropy of the crowd's votes, in nats, from (included) and to (excluded)."""

Figures = dict[str, Any]
_FARTHEST = math.sqrt(math.log(2))
Figure = Callable[[Sequence["Judged"]], "Estimate | float | None"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One post with the crowd's verdict and the judge's."""

    gold: str | None
    """The crowd's verdict; None if its votes are even."""
    given: str | None
    """The judge's; None if unscored."""
    crowd: Distribution
    """Shares of the crowd's votes; empty if unknown."""
    judge: Distribution
    """The judge's distribution; empty if unscored."""
    samples: int
    """Answers that the judge's distribution was counted from; 0 if it comes from probabilities."""


def crowd_figures(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """Hard and soft agreement of a judge's verdicts with the crowd."""
    judged = [_judged(cast("Submission", item), result) for item, result in zip(items, results, strict=True)]
    return {**hard_figures(judged), **soft_figures(judged), **difficulty_figures(judged)}


def comment_figures(items: Sequence[Item], results: Sequence[Result]) -> Figures:
    """Hard agreement of the verdicts that are read from comments, and what they share with the top comments.

    A comment without a verdict, or with two, is unscored here; `unread` says how many of each there are.
    """
    submissions = [cast("Submission", item) for item in items]
    assert len(submissions) == len(results)
    texts = [as_text(submission.output) for submission in submissions]
    readings = [read_verdict(text) for text in texts]
    judged = [
        Judged(crowd_verdict(one), reading.label, crowd_votes(one), {}, 0)
        for one, reading in zip(submissions, readings, strict=True)
    ]
    reasons = Counter(r.reason if text else "no answer" for r, text in zip(readings, texts, strict=True) if r.reason)
    pairs = [(text, one.reference) for text, one in zip(texts, submissions, strict=True) if text and one.reference]
    return {
        **hard_figures(judged),
        "unread": [{"reason": reason, "comments": count} for reason, count in sorted(reasons.items())],
        "top_comment_rouge_1": clustered_mean([unigram_f1(*pair) for pair in pairs]).within(0, 1),
        "top_comment_rouge_l": clustered_mean([sequence_f1(*pair) for pair in pairs]).within(0, 1),
    }


def crowd_verdict(submission: Submission) -> str | None:
    """The crowd's verdict on a post; None if its votes are even."""
    verdicts = cast("Sequence[str]", submission.metadata.get("crowd") or ())
    return verdicts[0] if len(verdicts) == 1 else None


def crowd_votes(submission: Submission) -> dict[str, float]:
    """Shares of the crowd's votes on a post; empty if they are unknown."""
    votes = cast("Mapping[str, float]", submission.metadata.get("votes") or {})
    return shares({label: float(count) for label, count in votes.items()})


def judge_distribution(verdicts: Iterable[Verdict]) -> tuple[dict[str, float], int]:
    """The judge's distribution over labels: the mean of the probabilities of all repeats, or else their shares.

    Returns:
        The distribution, empty if nothing is scored; and the number of answers counted, 0 if probabilities are known.
    """
    scored = [v for v in verdicts if v.criterion == CRITERION and v.level is not None]
    known = [v.distribution for v in scored if v.distribution is not None]
    if known and len(known) == len(scored):
        return {label: fmean(one.get(label, 0.0) for one in known) for label in {x for one in known for x in one}}, 0
    return shares(Counter(str(v.level) for v in scored)), len(scored)


def _judged(item: Submission, result: Result) -> Judged:
    distribution, samples = judge_distribution(result.verdicts)
    votes = Counter(v.level for v in result.verdicts if v.criterion == CRITERION and v.level is not None)
    most = [label for label, count in votes.items() if count == max(votes.values())]
    given = most[0] if len(most) == 1 else None
    return Judged(crowd_verdict(item), given, crowd_votes(item), distribution, samples)


def hard_figures(judged: Sequence[Judged]) -> Figures:
    """Agreement with the crowd's verdict over posts that have one.

    Returns:
        `accuracy` with its bounds, `macro_f1` over the four labels that say who is in the wrong, `kappa`, both
        in two classes (is the author in the wrong; INFO on either side is left out), `coverage`, `crowd_ties`,
        `confusion`.
    """
    told = [one for one in judged if one.gold is not None]
    scored = [one for one in told if one.given is not None]
    two = [one for one in scored if one.gold in WRONG and one.given in WRONG]
    return {
        "accuracy": _accuracy(scored),
        "accuracy_if_unscored_wrong": _share(one.given == one.gold for one in told),
        "accuracy_if_unscored_right": _share(one.given in (None, one.gold) for one in told),
        "macro_f1": _interval(_macro_f1, scored),
        "kappa": _interval(_kappa, scored),
        "binary_accuracy": accuracy([str(_wrong(x.gold)) for x in two], [str(_wrong(x.given)) for x in two]),
        "binary_kappa": _interval(_kappa, [replace(x, gold=_wrong(x.gold), given=_wrong(x.given)) for x in two]),
        "binary_left_out": len(scored) - len(two),
        "coverage": _share(one.given is not None for one in told),
        "crowd_ties": len(judged) - len(told),
        "confusion": confusion([str(one.gold) for one in told], [one.given for one in told], LABELS),
    }


def soft_figures(judged: Sequence[Judged]) -> Figures:
    """Distance of the judge's distribution from the crowd's votes, over posts with votes; empty if there are none.

    Returns:
        `js_divergence` (0 to ln 2 nats), `js_distance` (its root), `cross_entropy` beside `crowd_entropy`, which it
        cannot go under; `entropy_spearman`, whether the judge is in doubt where the crowd is; `soft_coverage`; and
        `soft_samples`, the answers per post that the judge's distribution was counted from (0 if probabilities are
        known).
    """
    voted = [one for one in judged if one.crowd]
    if not voted:
        return {}
    both = [one for one in voted if one.judge]
    return {
        "js_divergence": _divergence(both),
        "js_distance": clustered_mean([js_distance(one.crowd, one.judge) for one in both]).within(
            0, math.sqrt(math.log(2))
        ),
        "cross_entropy": clustered_mean([cross_entropy(one.crowd, one.judge, LABELS) for one in both]).within(0),
        "crowd_entropy": clustered_mean([entropy(one.crowd) for one in both]).within(0),
        "entropy_spearman": _interval(_entropies, both),
        "soft_coverage": len(both) / len(voted),
        "soft_samples": fmean(one.samples for one in both) if both else None,
    }


def difficulty_figures(judged: Sequence[Judged]) -> Figures:
    """One row per band of the crowd's entropy: posts, coverage, accuracy, divergence; empty if there are no votes."""
    voted = [one for one in judged if one.crowd]
    return {"by_difficulty": [_band(name, *ends, voted) for name, ends in BANDS.items()]} if voted else {}


def _band(name: str, low: float, high: float, voted: Sequence[Judged]) -> dict[str, Any]:
    part = [one for one in voted if low <= entropy(one.crowd) < high]
    scored = [one for one in part if one.given is not None]
    return {
        "band": name,
        "crowd_entropy": f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} and over",
        "posts": len(part),
        "scored": len(scored),
        "accuracy": format(_accuracy([one for one in scored if one.gold is not None])),
        "js_divergence": format(_divergence([one for one in part if one.judge])),
    }


def _divergence(both: Sequence[Judged]) -> Estimate:
    return clustered_mean([js_divergence(one.crowd, one.judge) for one in both]).within(0, _FARTHEST**2)


def _accuracy(scored: Sequence[Judged]) -> Estimate:
    return accuracy([str(one.gold) for one in scored], [str(one.given) for one in scored])


def _macro_f1(scored: Sequence[Judged]) -> Estimate | None:
    """Mean F1 of the four labels that say who is in the wrong; an INFO on either side is a miss."""
    if not scored:
        return None
    hits = Counter(one.gold for one in scored if one.gold == one.given)
    sums = Counter(x for one in scored for x in (one.gold, one.given))
    absent = [label for label in VERDICTS if not sums[label]]
    value = fmean(2 * hits[label] / sums[label] if sums[label] else 0.0 for label in VERDICTS)
    note = f"never occurs and counts as 0: {', '.join(absent)}" if absent else ""
    return Estimate(value=value, n=len(scored), note=note)


def _kappa(scored: Sequence[Judged]) -> Estimate:
    return cohen_kappa([str(one.gold) for one in scored], [str(one.given) for one in scored])


def _entropies(both: Sequence[Judged]) -> Estimate:
    return spearman([entropy(one.crowd) for one in both], [entropy(one.judge) for one in both])


def _interval(figure: Figure, scored: Sequence[Judged]) -> Estimate:
    return cluster_bootstrap(figure, scored)


def _wrong(label: str | None) -> str:
    return "wrong" if label is not None and WRONG[label] else "right"


def _share(flags: Iterable[bool]) -> float | None:
    known = list(flags)
    return sum(known) / len(known) if known else None
