"""Which file a report may be written over: one that is a report itself, and nothing else."""

from __future__ import annotations

import csv
from pathlib import Path

from adjudge.errors import InputError
from adjudge.report.frames import VERDICTS

GENERATOR = '<meta name="generator" content="adjudge">'
"""Stands in the head of every page."""
RUNS = '{\n "runs": ['
"""How every report in JSON begins."""
_START = 4096


def check_target(path: Path) -> None:
    """Refuse a file that is there and is no report: a log, labels, a table of somebody's own.

    Raises:
        InputError: It is none, or cannot be read.
    """
    try:
        free = not path.is_file() or _is_report(path)
    except OSError as error:
        raise InputError(f"{path}: is there and cannot be read ({error.strerror or error})") from error
    if not free:
        raise InputError(
            f"{path}: is there and is no report of adjudge, so it is kept; name another file or folder with --out"
        )


def _is_report(path: Path) -> bool:
    if path.suffix == ".parquet":
        return _columns(path) == [*VERDICTS]
    with path.open("rb") as stream:
        start = stream.read(_START).decode("utf-8", "replace")
    if path.suffix == ".csv":
        return next(csv.reader(start.splitlines()), None) == [*VERDICTS]
    return start.startswith(RUNS) if path.suffix == ".json" else GENERATOR in start


def _columns(path: Path) -> list[str]:
    """Those of a file of Parquet; none if it is no such file."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        return list(read_schema(path).names)
    except ArrowException:
        return []
