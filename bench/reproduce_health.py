"""HealthBench: scoring by hand, what is known of the files, and every consensus criterion by its id."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence

from published import Row, holds, number
from tables import data_set

from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.scoring import clipped_mean, score
from adjudge.verdict import Score, Verdict
from adjudge_health.conversations import THEMES, consensus_parts, load_conversations

MIRROR = {"conversations": 1329, "criteria": 10_084, "negative": 3_551}
"""Counts of the mirror of the rubrics, whole."""
CONSENSUS = 34
"""Consensus criteria in the paper (arXiv:2505.08775)."""


def rows() -> Iterator[Row]:
    half = _scored([7, 5, -8], [True, False, True])
    yield number("HealthBench, points 7 5 -8, met, not met, met", (7 - 8) / 12, half, 1e-12, ".4f")
    values = [_scored([10, -5], met) for met in ([True, False], [False, True])]
    yield number("HealthBench, mean of 1 and -0.5", 0.25, _mean(values), 1e-12)
    yield number("HealthBench, mean of -0.5 and -0.5, clipped", 0.0, _mean([values[1], values[1]]), 1e-12)
    yield from _counts()
    yield from _shared()
    yield from _consensus()


def _scored(points: Sequence[float], met: Sequence[bool]) -> float | None:
    criteria = [Criterion(id=f"c{place}", text="x", weight=weight) for place, weight in enumerate(points)]
    rubric = Rubric(
        id="bench/points", version="1", draft=True, criteria=tuple(criteria), scoring=ScoringChoice(name="points")
    )
    verdicts = [
        Verdict(submission="s", criterion=c.id, status="scored", level="met" if flag else "unmet", score=float(flag))
        for c, flag in zip(criteria, met, strict=True)
    ]
    return score(rubric, verdicts).value


def _mean(values: Sequence[float | None]) -> float | None:
    scores = [
        Score(submission=str(n), rubric="r", scoring="points", value=v, bounds=None, coverage=1, criteria={})
        for n, v in enumerate(values)
    ]
    found = clipped_mean(scores)["value"]
    assert found is None or isinstance(found, float)
    return found


def _counts() -> Iterator[Row]:
    folder = data_set("healthbench_rubrics")
    if folder is None:
        return
    conversations = load_conversations(folder / "healthbench_rubrics.jsonl.gz")
    points = [item.points for one in conversations for item in one.items]
    found = {"conversations": len(conversations), "criteria": len(points), "negative": sum(p < 0 for p in points)}
    part = "" if found == MIRROR else f"{found['conversations']:,} of {MIRROR['conversations']:,} are here"
    agrees = all(found[name] <= count for name, count in MIRROR.items())
    yield holds("HealthBench, mirror of the rubrics", str(MIRROR), found, agrees=agrees, note=part)
    within = all(-10 <= p <= 10 and p == int(p) for p in points)
    yield holds("HealthBench, points", "whole, -10 to 10", f"{min(points):g} to {max(points):g}", agrees=within)


def _shared() -> Iterator[Row]:
    sample, mirror = data_set("healthbench_sample"), data_set("healthbench_rubrics")
    if sample is None or mirror is None:
        return
    points = {
        one.id: sorted((i.points, i.text) for i in one.items)
        for one in load_conversations(mirror / "healthbench_rubrics.jsonl.gz")
    }
    both = [one for one in load_conversations(sample / "sample_oss_eval.jsonl.gz") if one.id in points]
    same = sum(points[one.id] == sorted((i.points, i.text) for i in one.items) for one in both)
    claim = "points and criteria agree"
    found = f"{same} of {len(both)}"
    yield holds("HealthBench, conversations in sample and mirror", claim, found, agrees=0 < same == len(both))


def _consensus() -> Iterator[Row]:
    folder = data_set("healthbench_consensus_criteria")
    if folder is None:
        return
    listed = json.loads(gzip.decompress((folder / "hb_consensus_criteria.json.gz").read_bytes()))
    parts = [consensus_parts(name) for name in listed]
    themes = {theme for theme, *_ in parts}
    yield holds("HealthBench, themes of the consensus criteria", "7", len(themes), agrees=themes == set(THEMES))
    told = all(all(part) for part in parts) and len(set(parts)) == len(listed)
    note = f"the list has {len(listed)}, the paper {CONSENSUS}"
    claim = "theme, category, behaviour"
    yield holds("HealthBench, ids of the consensus criteria", claim, f"{len(set(parts))} told", agrees=told, note=note)
