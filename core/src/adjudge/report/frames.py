"""Runs as pandas frames: one row per verdict, per sample, per run; logs of inspect-ai and ledgers alike.

What has no value is missing, with its reason in a column of its own, and never 0. `eval_id`, `sample_id`, `id` and
`epoch` are those of `inspect_ai.analysis`, so frames of both can be joined. pandas is imported when a frame is made.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.report.runs import Row, Run, read_runs
from adjudge.report.summary import asked, summary
from adjudge.verdict import Result, Usage, Verdict, total

if TYPE_CHECKING:
    from pandas import DataFrame

_IDS = {"eval_id": "str", "sample_id": "str", "id": "str", "epoch": "int"}
_RUN = {"log": "str", "source": "str", "task": "str", "model": "str", "scorer": "str"}
_JUDGE = {
    "rubric": "str",
    "rubric_version": "str",
    "rubric_hash": "str",
    "judge": "str",
    "read_out": "str",
    "backend": "str",
}
_COUNTS = {"scored": "int", "unscored": "int", "skipped": "int", "coverage": "float"}
_USAGE = {"prompt_tokens": "int", "cached_tokens": "int", "completion_tokens": "int", "cost": "float"}

VERDICTS: Mapping[str, str] = {
    **_IDS,
    **_RUN,
    **_JUDGE,
    "criterion": "str",
    "dimension": "str",
    "status": "str",
    "level": "str",
    "score": "float",
    "expected": "float",
    "label_mass": "float",
    "reason": "str",
    "detail": "str",
    "explanation": "str",
    "quotes": "str",
    "distribution": "str",
    "orders": "str",
    "flags": "str",
    "fingerprint": "str",
    "repeat": "int",
    **_USAGE,
}
"""Columns of `verdicts` and their types; `quotes`, `distribution` and `orders` are JSON."""

SAMPLES: Mapping[str, str] = {
    **_IDS,
    **_RUN,
    **_JUDGE,
    "score": "float",
    "low": "float",
    "high": "float",
    **_COUNTS,
    "reason": "str",
    "note": "str",
    "error": "str",
    **_USAGE,
}
"""Columns of `samples`; `low` and `high` are the score with everything unscored at its worst and at its best."""

RUNS: Mapping[str, str] = {
    "eval_id": "str",
    **_RUN,
    "created": "str",
    "status": "str",
    "engine": "str",
    **_JUDGE,
    "samples": "int",
    "samples_scored": "int",
    "samples_unscored": "int",
    "mean": "float",
    "low": "float",
    "high": "float",
    **_COUNTS,
    "reason": "str",
    **_USAGE,
    "adjudge": "str",
}
"""Columns of `runs`; where the samples of a run differ in a column such as `rubric`, it is missing."""


def verdicts(*sources: Any) -> DataFrame:
    """One row per verdict: per run, sample, epoch, criterion and repeat.

    Args:
        sources: As for `adjudge.report.runs.read_runs`: run folders, ledgers, logs, folders of these, or logs that were
            read already.

    Returns:
        A frame with the columns `VERDICTS`. Scores of other scorers are verdicts too, on the criterion that is the key
        of their value, or the scorer's name; a sample without any score has no row here, and one in `samples`.

    Raises:
        InputError: A source is no run and no log, or pandas is not installed.
    """
    return verdicts_frame(read_runs(*sources))


def verdicts_frame(found: Sequence[Run]) -> DataFrame:
    """One row per verdict of runs that were read already.

    Raises:
        InputError: pandas is not installed.
    """
    return _frame(VERDICTS, (row for run in found for row in verdict_rows(run)))


def samples(*sources: Any) -> DataFrame:
    """One row per judged sample: per run, sample and epoch.

    Args:
        sources: As for `verdicts`.

    Returns:
        A frame with the columns `SAMPLES`. `reason` names why verdicts are unscored, `error` why there are none.

    Raises:
        InputError: As for `verdicts`.
    """
    return _frame(SAMPLES, (row for run in read_runs(*sources) for row in _sample_rows(run)))


def runs(*sources: Any) -> DataFrame:
    """One row per run and scorer.

    Args:
        sources: As for `verdicts`.

    Returns:
        A frame with the columns `RUNS`.

    Raises:
        InputError: As for `verdicts`.
    """
    return _frame(RUNS, map(run_row, read_runs(*sources)))


def _frame(columns: Mapping[str, str], rows: Iterator[dict[str, Any]]) -> DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError('frames need pandas: pip install "adjudge[parquet]"') from error
    kinds = {"str": "string", "int": "int64", "float": "float64"}
    table = list(rows)
    return pd.DataFrame(
        {name: pd.array([_cell(row[name], kind) for row in table], dtype=kinds[kind]) for name, kind in columns.items()}
    )


def _cell(value: Any, kind: str) -> Any:
    """A text that says nothing is missing; a number that is missing is NaN."""
    if kind == "str":
        return value or None
    return float("nan") if value is None else value


def _entries(run: Run) -> Iterator[tuple[Item, Result, Row]]:
    return zip(run.record.items, run.record.results, run.rows, strict=True)


def _about(run: Run, row: Row) -> dict[str, Any]:
    return {
        "eval_id": run.eval_id,
        **{name: getattr(row, name) for name in ("sample_id", "id", "epoch", *_JUDGE)},
        **_of_run(run),
    }


def _of_run(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in _RUN}


def verdict_rows(run: Run) -> Iterator[dict[str, Any]]:
    """The rows of `verdicts`, of one run."""
    for _, result, row in _entries(run):
        dimensions, about = dict(row.dimensions), _about(run, row)
        for verdict in result.verdicts:
            yield {**about, **_verdict_row(verdict), "dimension": dimensions.get(verdict.criterion)}


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    plain = (
        "criterion", "status", "level", "score", "expected", "label_mass", "reason", "detail", "explanation",
        "fingerprint", "repeat",
    )  # fmt: skip
    return {
        **{name: getattr(verdict, name) for name in plain},
        **({"judge": verdict.judge} if verdict.judge else {}),
        "quotes": _json([quote.model_dump(exclude_none=True) for quote in verdict.quotes]),
        "distribution": _json(verdict.distribution),
        "orders": _json(verdict.orders),
        "flags": " ".join(verdict.flags),
        **_usage(verdict.usage),
    }


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None


def _usage(usage: Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in _USAGE}


def _sample_rows(run: Run) -> Iterator[dict[str, Any]]:
    for _, result, row in _entries(run):
        score = result.score
        low, high = score.bounds or (None, None)
        yield {
            **_about(run, row),
            "score": score.value,
            "low": low,
            "high": high,
            **_counts(asked(result), score.coverage),
            "note": "" if row.error else score.note,
            "error": row.error,
            **_usage(total(verdict.usage for verdict in result.verdicts)),
        }


def _counts(found: Sequence[Verdict], coverage: float | None) -> dict[str, Any]:
    status = Counter(verdict.status for verdict in found)
    reasons = sorted({verdict.reason for verdict in found if verdict.reason is not None})
    return {
        **{name: status[name] for name in ("scored", "unscored", "skipped")},
        "coverage": coverage,
        "reason": " ".join(reasons),
    }


def run_row(run: Run) -> dict[str, Any]:
    """The row of `runs`."""
    figures = summary(run.record)
    low, high = figures.bounds or (None, None)
    return {
        "eval_id": run.eval_id,
        **_of_run(run),
        "created": run.record.created,
        "status": run.status,
        "engine": run.engine,
        **{name: _common([getattr(row, name) for row in run.rows]) for name in _JUDGE},
        "samples": figures.items,
        "samples_scored": figures.n_scored,
        "samples_unscored": figures.n_unscored,
        "mean": figures.mean,
        "low": low,
        "high": high,
        **{name: getattr(figures, name) for name in _COUNTS},
        "reason": " ".join(figures.reasons),
        **_usage(figures.usage),
        "adjudge": run.version,
    }


def _common(values: Sequence[str]) -> str | None:
    """What all say that say anything; None if they differ."""
    found = {value for value in values if value}
    return found.pop() if len(found) == 1 else None
