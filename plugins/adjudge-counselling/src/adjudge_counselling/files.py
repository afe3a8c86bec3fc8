"""Rows of the user's data files, or of the synthetic ones shipped here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError


def rows(source: str | Path, shipped: str, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All rows of a file, each with its place; arguments and errors are those of `given_or_shipped` and `read_rows`."""
    with given_or_shipped(source, files("adjudge_counselling") / "data" / shipped, where) as path:
        yield from ((row.place, row.fields) for row in read_rows(path))


def need(place: str, row: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    """Refuse a row that lacks a column.

    Raises:
        InputError: Naming what is missing.
    """
    missing = [name for name in names if name not in row]
    if missing:
        raise InputError(f"{place}: has no {', '.join(missing)}; {what} has {', '.join(names)}")
