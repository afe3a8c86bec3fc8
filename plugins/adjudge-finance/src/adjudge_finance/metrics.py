"""Figures for labels by band of agreement: accuracy, macro-F1, and what always naming the commonest label earns.

An unscored verdict is never counted as wrong in silence: each figure is over what was scored, with its coverage, and
accuracy also with all that is unscored wrong, and right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from adjudge.interfaces import Item, Metric
from adjudge.metrics import Estimate, accuracy, cluster_bootstrap, confusion, macro_f1
from adjudge.submission import Submission
from adjudge.verdict import Result
from adjudge_finance.phrasebank import BANDS


@dataclass(frozen=True, slots=True)
class Labelled:
    """One sentence with its gold label and the judge's."""

    cluster: str
    """The same for a sentence that stands twice."""
    band: str
    """How far the annotators agreed; empty if that is not known."""
    gold: str
    """Gold label."""
    given: str | None
    """The judge's; None if unscored."""


def labelled(items: Sequence[Item], results: Sequence[Result]) -> list[Labelled]:
    """Gold and given label of every item, in order; an item has one label."""
    return [_labelled(cast("Submission", item), result) for item, result in zip(items, results, strict=True)]


def _labelled(item: Submission, result: Result) -> Labelled:
    (label,) = item.labels
    assert label.level is not None  # the loaders give every sentence a level
    about = item.cluster, str(item.metadata.get("band", ""))
    return Labelled(*about, label.level, result.verdict(label.criterion).level)


def band_figures(labels: Sequence[str]) -> Metric:
    """A metric over items with one label each.

    Args:
        labels: The label set; a label that never occurs counts as 0 in macro-F1.

    Returns:
        A metric that gives, over all items and, as `name[band]`, per band where there are several: `accuracy` and
        `macro_f1` with intervals clustered by sentence, `majority` (the accuracy of always naming the commonest gold
        label of that part) and `coverage`; over all items also the accuracy if what is unscored were wrong and right,
        and the confusion table.
    """

    def figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
        pairs = labelled(items, results)
        bands = sorted({pair.band for pair in pairs}, key=_place)
        parts = {band: [pair for pair in pairs if pair.band == band] for band in bands if len(bands) > 1}
        n, right = len(pairs), sum(pair.given == pair.gold for pair in pairs)
        lost = sum(pair.given is None for pair in pairs)
        return {
            **part_figures(pairs, labels),
            "accuracy_if_unscored_wrong": right / n if n else None,
            "accuracy_if_unscored_right": (right + lost) / n if n else None,
            **{f"{name}[{band}]": f for band, some in parts.items() for name, f in part_figures(some, labels).items()},
            "confusion": confusion([p.gold for p in pairs], [p.given for p in pairs], labels),
        }

    return figures


def _place(band: str) -> tuple[int, str]:
    """Bands from the surest, then whatever else there is."""
    return (BANDS.index(band) if band in BANDS else len(BANDS)), band


def part_figures(pairs: Sequence[Labelled], labels: Sequence[str]) -> dict[str, Any]:
    """`accuracy`, `macro_f1`, `majority` and `coverage` of these pairs."""
    scored = [pair for pair in pairs if pair.given is not None]
    clusters = [pair.cluster for pair in scored]
    return {
        "accuracy": accuracy([p.gold for p in scored], [str(p.given) for p in scored], clusters),
        "macro_f1": cluster_bootstrap(
            lambda some: macro_f1([p.gold for p in some], [str(p.given) for p in some], labels), scored, clusters
        ),
        "majority": majority([pair.gold for pair in pairs], [pair.cluster for pair in pairs]),
        "coverage": len(scored) / len(pairs) if pairs else None,
    }


def majority(gold: Sequence[str], clusters: Sequence[str] | None = None) -> Estimate:
    """Accuracy of always naming the commonest gold label; of two that are even, the one that comes first."""
    commonest = Counter(gold).most_common(1)[0][0] if gold else ""
    return accuracy(gold, [commonest] * len(gold), clusters)
