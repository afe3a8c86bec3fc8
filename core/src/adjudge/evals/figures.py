"""Metrics of a log: figures over verdicts and over samples, every failure counted and none of them a number."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from logging import getLogger
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, metric

from adjudge.evals.scores import CRITERION, DIMENSION, Judged, judged_of
from adjudge.evals.settings import Asked
from adjudge.evals.submissions import item_of_sample
from adjudge.interfaces import Item
from adjudge.metrics import Estimate, clustered_error, clustered_mean
from adjudge.submission import Submission, cluster_of
from adjudge.verdict import Result

_log = getLogger(__name__)


@metric
def clustered_stderr() -> Metric:
    """Standard error of the mean, by clusters where samples name one; undefined (nan) over fewer than two clusters."""

    def compute(scores: list[SampleScore]) -> float:
        found = clustered_error([score.score.as_float() for score in scores], [_cluster(score) for score in scores])
        return float("nan") if found is None else found

    return compute


def _cluster(score: SampleScore) -> Hashable:
    return cluster_of(score.sample_metadata or {}, str(score.sample_id))


@metric
def parts() -> Metric:
    """Means per dimension, and per criterion if all samples are judged by one rubric; epochs reduced first.

    Means of dimensions come with the ends of their clustered 95 % interval (`low`, `high`).
    """

    def compute(scores: list[SampleScore]) -> dict[str, float]:
        judged = [(score, one) for score in scores if (one := judged_of(score.score.metadata)) is not None]
        return _parts(judged)

    return compute


@metric(scores="unreduced")
def figures() -> Metric:
    """Verdicts scored and unscored, parts that lack some, and the task's own metrics, over all samples and epochs.

    The task's metrics are computed in each epoch, and averaged over the epochs in which they are defined.
    """

    def compute(scores: list[SampleScore]) -> dict[str, float]:
        judged = [(score, one) for score in scores if (one := judged_of(score.score.metadata)) is not None]
        if not judged:
            return {}
        return {**_coverage(judged), **_parts_covered(judged), **_domain(judged)}

    return compute


_Row = tuple[SampleScore, Judged]


def _coverage(rows: Sequence[_Row]) -> dict[str, float]:
    """Scored share of the verdicts that were due, and how many are unscored for which reason."""
    due = [verdict for _, one in rows for verdict in one.verdicts if verdict.status != "skipped"]
    reasons = Counter(verdict.reason for verdict in due if verdict.status == "unscored")
    silent = sum(all(verdict.status == "unscored" for verdict in one.verdicts) for _, one in rows)
    return {
        "verdicts": float(len(due)),
        "verdict_coverage": 1 - reasons.total() / len(due) if due else 0.0,
        "unscored_verdicts": float(reasons.total()),
        "unscored_samples": float(silent),
        **{f"unscored ({reason})": float(count) for reason, count in sorted(reasons.items(), key=str)},
    }


def _prefixes(rows: Sequence[_Row]) -> tuple[str, ...]:
    """Criteria are told apart by id only where all samples share one rubric."""
    return (DIMENSION, CRITERION) if len({one.rubric.hash for _, one in rows}) == 1 else (DIMENSION,)


def _parts(rows: Sequence[_Row]) -> dict[str, float]:
    """Means over the numbers of each sample's score."""
    prefixes = _prefixes(rows)
    values: defaultdict[str, list[tuple[float, Hashable]]] = defaultdict(list)
    for score, _ in rows:
        for name, value in _numbers(score, prefixes):
            values[name].append((value, _cluster(score)))
    return {name: figure for part, found in values.items() for name, figure in _flat(part, _mean(part, found))}


def _mean(part: str, found: Sequence[tuple[float, Hashable]]) -> Estimate | float:
    """The mean; with its interval for a dimension only, since inspect's display grows with every figure."""
    values = [value for value, _ in found]
    if part.startswith(CRITERION):
        return math.fsum(values) / len(values)
    return clustered_mean(values, [unit for _, unit in found])


def _numbers(score: SampleScore, prefixes: tuple[str, ...]) -> Iterable[tuple[str, float]]:
    table = score.score.value if isinstance(score.score.value, dict) else {}
    for name, value in table.items():
        if name.startswith(prefixes) and isinstance(value, int | float) and not math.isnan(value):
            yield name, float(value)


def _parts_covered(rows: Sequence[_Row]) -> dict[str, float]:
    """Scored share of what was due, per dimension and criterion, where that is not all of it."""
    prefixes = _prefixes(rows)
    known: defaultdict[str, list[bool]] = defaultdict(list)
    for _, one in rows:
        for name, value in _due(one.result, prefixes):
            known[f"{name} coverage"].append(value is not None)
    return {name: sum(found) / len(found) for name, found in known.items() if not all(found)}


def _due(result: Result, prefixes: tuple[str, ...]) -> Iterable[tuple[str, float | None]]:
    yield from ((f"{DIMENSION}{name}", value) for name, value in result.score.dimensions.items())
    if CRITERION in prefixes:
        skipped = {verdict.criterion for verdict in result.verdicts if verdict.status == "skipped"}
        yield from ((f"{CRITERION}{k}", v) for k, v in result.score.criteria.items() if k not in skipped)


def _flat(name: str, figure: object) -> Iterable[tuple[str, float]]:
    """A figure as numbers: an estimate with its interval, a number, nothing for a table or what is undefined.

    Square brackets become round ones: inspect's display takes the former for markup and leaves them out.
    """
    name = name.replace("[", " (").replace("]", ")")
    if isinstance(figure, Estimate):
        if figure.value is not None:
            yield name, figure.value
        if figure.value is not None and figure.low is not None and figure.high is not None:
            yield f"{name} low", figure.low
            yield f"{name} high", figure.high
    elif isinstance(figure, int | float):
        yield name, float(figure)


def _domain(rows: Sequence[_Row]) -> dict[str, float]:
    """The task's metrics: per epoch, then averaged."""
    named = {one.task for _, one in rows}
    if len(named) != 1 or not (task := named.pop()):
        return {}
    epochs: defaultdict[int, list[tuple[Item, Result]]] = defaultdict(list)
    for score, one in rows:
        item = item_of_sample(score.sample_id, score.sample_metadata)
        epochs[one.epoch].append((item or Submission(id=str(score.sample_id)), one.result))
    found: defaultdict[str, list[float]] = defaultdict(list)
    for pairs in epochs.values():
        for name, figure in _of_task(task, pairs).items():
            for part, number in _flat(name, figure):
                found[part].append(number)
    return {name: sum(values) / len(values) for name, values in found.items()}


def _of_task(task: str, pairs: Sequence[tuple[Item, Result]]) -> Mapping[str, Any]:
    """What the task's metrics say; one that fails is told in the log and leaves the others."""
    items, results = [item for item, _ in pairs], [result for _, result in pairs]
    found: dict[str, Any] = {}
    for compute in Asked(task=task).metrics:
        try:
            found |= compute(items, results)
        except Exception as error:  # noqa: BLE001 - a plugin's code; the log must not be lost for it
            name = getattr(compute, "__name__", repr(compute))
            _log.warning("the metric %s of the task %s failed: %s: %s", name, task, type(error).__name__, error)
    return found
