"""Files of a run: verdicts and scores as JSON lines, Parquet and CSV. Whole files or none."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge.verdict import Result, Verdict

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet reads these as a formula

COLUMNS = (
    "submission",
    "criterion",
    "status",
    "level",
    "score",
    "expected",
    "label_mass",
    "reason",
    "detail",
    "explanation",
    "quotes",
    "distribution",
    "orders",
    "flags",
    "judge",
    "fingerprint",
    "repeat",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "cost",
)
"""Columns of the Parquet and CSV tables of verdicts."""

SCORES = "scores.jsonl"
"""A line for each submission, with its score."""


def write_verdicts(folder: Path, results: Sequence[Result], *, parquet: bool = False) -> tuple[Path, ...]:
    """Write `verdicts.jsonl` and `scores.jsonl`, and `verdicts.parquet` if asked for.

    Equal results give equal bytes in the JSON files.

    Args:
        folder: Where to; made if it is not there.
        results: What to write, in this order.
        parquet: Also write a table that pandas and others can read.

    Returns:
        The files written.

    Raises:
        InputError: The folder cannot be written, or pandas and pyarrow are not installed.
    """
    verdicts = [verdict for result in results for verdict in result.verdicts]
    files = {
        "verdicts.jsonl": _lines(verdict.model_dump(mode="json") for verdict in verdicts),
        SCORES: _lines(result.score.model_dump(mode="json") for result in results),
    }
    if parquet:
        files["verdicts.parquet"] = _parquet(verdicts)
    write_files(folder, files)
    return tuple(folder / name for name in files)


def write_csv(path: Path, results: Sequence[Result]) -> Path:
    """Write the verdicts as CSV (UTF-8, `COLUMNS`) that is safe to open in a spreadsheet.

    A text cell that a spreadsheet would take for a formula gets a `'` in front.

    Raises:
        InputError: The file cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for result in results:
        for verdict in result.verdicts:
            table.writerow([guard(cell) for cell in _row(verdict).values()])
    write_files(path.parent, {path.name: text.getvalue().encode()})
    return path


def guard(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files so that each is whole: all are written beside their places first, then moved there.

    Raises:
        InputError: The folder cannot be written; no file was changed unless the move itself failed.
    """
    waiting: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            waiting[name] = _write_beside(folder, name, content)
        for name, temporary in waiting.items():
            temporary.replace(folder / name)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{folder}: cannot write {', '.join(files)}: {reason}; choose another folder") from error
    finally:
        for temporary in waiting.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _write_beside(folder: Path, name: str, content: bytes) -> Path:
    temporary = folder / f".{name}.{os.getpid()}.part"
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _lines(rows: Any) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _row(verdict: Verdict) -> dict[str, Any]:
    values = verdict.model_dump(mode="json")
    values |= values.pop("usage")
    for name in ("distribution", "quotes", "orders"):
        values[name] = json.dumps(values[name], ensure_ascii=False) if values[name] else None
    values["flags"] = " ".join(verdict.flags)
    return {name: values[name] for name in COLUMNS}


def _parquet(verdicts: Sequence[Verdict]) -> bytes:
    try:
        import pandas as pd
        import pyarrow as pa  # noqa: F401 - pandas needs it and would tell so only in a long message
    except ImportError as error:
        raise InputError('Parquet needs pandas and pyarrow: pip install "adjudge[parquet]"') from error
    stream = io.BytesIO()
    frame = pd.DataFrame([_row(verdict) for verdict in verdicts], columns=list(COLUMNS))
    frame.to_parquet(stream, index=False)
    return stream.getvalue()
