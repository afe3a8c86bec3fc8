"""Rows of a data file in any format, for data sets with columns of their own, and the file that stands in for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from adjudge.dataset.source import BadRow, Format, Row, Source
from adjudge.dataset.strict_json import json_rows, line_rows
from adjudge.dataset.tables import csv_rows, parquet_rows
from adjudge.errors import InputError

READERS: Mapping[Format, Callable[[Source], Iterator[Row | BadRow]]] = {
    "jsonl": line_rows,
    "json": json_rows,
    "csv": csv_rows,
    "tsv": csv_rows,
    "parquet": parquet_rows,
}
"""How to read each format."""


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row and where it stands."""

    place: str
    """`file:line`, for messages."""
    line: int
    """Where it begins, from 1; its number in a Parquet file."""
    name: str
    """An id for a row that has none of its own."""
    fields: Mapping[str, Any]
    """Column to JSON value; in CSV and TSV every value is text."""


def read_rows(path: str | Path) -> Iterator[PlacedRow]:
    """The rows of a CSV, TSV, JSON, JSONL or Parquet file; all but Parquet may be compressed with gzip.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    with Source(Path(path)) as source:
        for row in READERS[source.format](source):
            if isinstance(row, BadRow):
                raise source.error(row.problem, row.line)
            yield PlacedRow(f"{source.shown}:{row.line}", row.line, row.name, row.fields)


@contextmanager
def given_or_shipped(source: str | Path, shipped: Traversable, where: str) -> Iterator[Path]:
    """The file that the user named, or the one that a distribution ships if the user named none.

    Args:
        source: The user's file, or an empty text.
        shipped: For example `files("adjudge_letters") / "data" / "letters.jsonl"`; a file on disk while the context
            lasts.
        where: What to get, from where, under which licence, and where to put it.

    Raises:
        InputError: There is no such file; goes on with `where`.
    """
    if not str(source):
        with as_file(shipped) as path:
            yield path
    elif Path(source).exists():
        yield Path(source)
    else:
        raise InputError(f"{source}: no such file; {where}")
