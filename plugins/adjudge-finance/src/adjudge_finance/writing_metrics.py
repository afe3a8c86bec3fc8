"""Figures for texts that are judged by criteria of their query's own, from 1 to 10."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from adjudge.interfaces import Item
from adjudge.metrics import Estimate, cluster_bootstrap, clustered_mean, clustered_rate, spearman
from adjudge.submission import Submission
from adjudge.verdict import Result


def writing_figures(items: Sequence[Item], results: Sequence[Result]) -> dict[str, Any]:
    """The mean score of texts, in all and per kind of document, and agreement with gold scores where there are any.

    Returns:
        `score` (1 to 10) and `score[kind]` with intervals clustered by query, and `unscored`, the texts without a
        score. With gold: `spearman` over all criteria together, since no two queries share one, and `same_band`, the
        share of criteria judged in the right one of the five bands.
    """
    rows = [_Written.of(cast("Submission", item), result) for item, result in zip(items, results, strict=True)]
    scored = [row for row in rows if row.score is not None]
    kinds = sorted({row.kind for row in rows})
    parts = {f"score[{kind}]": [row for row in scored if row.kind == kind] for kind in kinds if len(kinds) > 1}
    found = {name: _mean_score(some) for name, some in ({"score": scored} | parts).items()}
    return {**found, "unscored": len(rows) - len(scored), **_gold_figures(rows)}


@dataclass(frozen=True, slots=True)
class _Written:
    """One judged text."""

    query: str
    kind: str
    score: float | None
    pairs: tuple[tuple[float, float], ...]
    """Gold score and the judge's expected score, of each criterion that has both."""

    @classmethod
    def of(cls, item: Submission, result: Result) -> _Written:
        gold = {label.criterion: label.score for label in item.labels}
        pairs = [(gold.get(v.criterion), v.score if v.expected is None else v.expected) for v in result.verdicts]
        known = tuple((a, b) for a, b in pairs if a is not None and b is not None)
        return cls(str(item.metadata["cluster"]), str(item.metadata["kind"]), result.score.value, known)


def _mean_score(rows: Sequence[_Written]) -> Estimate:
    return clustered_mean([row.score for row in rows if row.score is not None], [row.query for row in rows])


def _gold_figures(rows: Sequence[_Written]) -> dict[str, Any]:
    pairs = [(pair, row.query) for row in rows for pair in row.pairs]
    if not pairs:
        return {}
    both, queries = [pair for pair, _ in pairs], [query for _, query in pairs]
    return {
        "spearman": cluster_bootstrap(lambda some: spearman([a for a, _ in some], [b for _, b in some]), both, queries),
        "same_band": clustered_rate([_band_of(a) == _band_of(b) for a, b in both], queries),
    }


def _band_of(score: float) -> int:
    """Number of the band of a score from 1 to 10, from 0; what lies between two levels belongs to the nearer."""
    return (max(1, min(10, math.floor(score + 0.5))) - 1) // 2
