"""Rows of a file in any of the formats that adjudge reads, each with its place for messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from adjudge.dataset.source import BadRow, Format, Row, Source
from adjudge.dataset.strict_json import json_rows, line_rows
from adjudge.dataset.tables import csv_rows, parquet_rows

_ROWS: Mapping[Format, Callable[[Source], Iterator[Row | BadRow]]] = {
    "csv": csv_rows,
    "tsv": csv_rows,
    "json": json_rows,
    "jsonl": line_rows,
    "parquet": parquet_rows,
}


def rows_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The place (`file:line`) and the fields of every row.

    Raises:
        InputError: The file or one of its rows cannot be read.
    """
    with Source(path) as source:
        for row in _ROWS[source.format](source):
            if isinstance(row, BadRow):
                raise source.error(row.problem, row.line)
            yield f"{source.shown}:{row.line}", row.fields


def shipped(name: str) -> AbstractContextManager[Path]:
    """A data file of this distribution, as a file on disk while the context lasts."""
    return as_file(files("adjudge_health") / "data" / name)
