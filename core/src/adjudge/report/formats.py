"""Runs as JSON, CSV and Parquet, for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeAlias

from adjudge.errors import InputError
from adjudge.report.export import guard
from adjudge.report.frames import VERDICTS, run_row, verdict_rows, verdicts_frame
from adjudge.report.runs import Run

Format: TypeAlias = Literal["html", "json", "csv", "parquet"]
"""`html` to read; `json` holds runs, figures, scores and verdicts; `csv` and `parquet` one row per verdict."""
FORMATS: tuple[Format, ...] = ("html", "json", "csv", "parquet")


def packed(runs: Sequence[Run], form: Format) -> bytes:
    """The runs in one of the formats that are not HTML.

    Raises:
        InputError: Parquet needs pandas and pyarrow, which are not installed.
    """
    make = {"json": _json, "csv": _csv, "parquet": _parquet}
    return make[form](runs)


def _csv(runs: Sequence[Run]) -> bytes:
    """One row per verdict, with the columns of `frames.verdicts`; no cell is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(VERDICTS)
    for run in runs:
        for row in verdict_rows(run):
            table.writerow([guard(row[name]) for name in VERDICTS])
    return text.getvalue().encode("utf-8", "replace")


def _parquet(runs: Sequence[Run]) -> bytes:
    try:
        import pyarrow as pa  # noqa: F401 - pandas needs it and would tell so only in a long message
    except ImportError as error:
        raise InputError('Parquet needs pandas and pyarrow: pip install "adjudge[parquet]"') from error
    stream = io.BytesIO()
    verdicts_frame(runs).to_parquet(stream, index=False)
    return stream.getvalue()


def _json(runs: Sequence[Run]) -> bytes:
    value = {"runs": [_run(run) for run in runs]}
    return (json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8", "replace")


def _run(run: Run) -> dict[str, Any]:
    record = run.record
    return {
        "title": record.title,
        "run": run_row(run),
        "provenance": record.provenance,
        "warnings": record.warnings,
        "figures": record.figures,
        "audits": record.audits,
        "scores": [result.score.model_dump(mode="json") for result in record.results],
        "verdicts": [verdict.model_dump(mode="json") for result in record.results for verdict in result.verdicts],
    }


def plain(value: Any) -> Any:
    """JSON values; a figure with its interval is a table, and a number that is none is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124 - NaN
        return None
    return value
