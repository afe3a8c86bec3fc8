"""Rows of the user's data files, with messages that say what to get and where to put it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from adjudge.dataset.source import BadRow, Format, Row, Source
from adjudge.dataset.strict_json import json_rows, line_rows
from adjudge.dataset.tables import csv_rows, parquet_rows
from adjudge.errors import InputError

_ROWS: Mapping[Format, Callable[[Source], Iterator[Row | BadRow]]] = {
    "csv": csv_rows,
    "tsv": csv_rows,
    "json": json_rows,
    "jsonl": line_rows,
    "parquet": parquet_rows,
}


@contextmanager
def given_or_shipped(source: str | Path, shipped: str) -> Iterator[Path]:
    """The path of the source, or of the synthetic file of that name in the package if the source is empty."""
    if source:
        yield Path(source)
    else:
        with as_file(files("adjudge_counselling") / "data" / shipped) as path:
            yield path


def rows(path: Path, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    """All rows of a CSV, TSV, JSON, JSONL or Parquet file (`.gz` too), each with its place, `file:line`.

    Args:
        path: The file.
        where: What to download, from where, under which licence, and where to put it.

    Raises:
        InputError: The file is not there, or a row cannot be read.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; {where}")
    with Source(path) as source:
        return [(f"{source.shown}:{row.line}", _fields(source, row)) for row in _ROWS[source.format](source)]


def _fields(source: Source, row: Row | BadRow) -> Mapping[str, Any]:
    if isinstance(row, BadRow):
        raise source.error(row.problem, row.line)
    return row.fields


def need(place: str, row: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    """Refuse a row that lacks a column.

    Raises:
        InputError: Naming what is missing.
    """
    missing = [name for name in names if name not in row]
    if missing:
        raise InputError(f"{place}: has no {', '.join(missing)}; {what} has {', '.join(names)}")
