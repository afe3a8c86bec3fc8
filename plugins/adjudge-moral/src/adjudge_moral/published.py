"""Published data sets: where each is to be had, and its rows from a file or from the synthetic ones shipped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and where it stands."""

    place: str
    """File and line, for messages."""
    line: int
    """Line in the file."""
    fields: Mapping[str, Any]
    """Column to JSON value."""

    def text(self, column: str) -> str:
        """The text in a column, without space around it; empty if there is none.

        Raises:
            InputError: It is no text and no whole number.
        """
        value = self.fields.get(column)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or isinstance(value, str):
            return (value or "").strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise InputError(f"{self.place}: {column} is {value!r}, which is no text")

    def needed(self, column: str) -> str:
        """The text in a column.

        Raises:
            InputError: It is empty or no text.
        """
        text = self.text(column)
        if not text:
            raise InputError(f"{self.place}: {column} is empty; fill it in, or leave the row out")
        return text

    def parsed(self, column: str, parse: Callable[[Any], Any]) -> Any:
        """What a column holds, read by a function that raises ValueError.

        Raises:
            InputError: The function refuses it.
        """
        try:
            return parse(self.fields.get(column))
        except ValueError as error:
            raise InputError(f"{self.place}: {column}: {error}") from None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published data set, and the synthetic rows that stand in for it."""

    name: str
    """Its name, with the paper."""
    where: str
    """Address and file to download."""
    licence: str
    """Terms of the data."""
    columns: tuple[str, ...]
    """Columns that every row must have; others may be there."""
    shipped: str
    """File of synthetic rows in this package."""

    @property
    def advice(self) -> str:
        """What to download, from where, under which licence, and where to put it."""
        return f"{self.name} is to be had from {self.where} (licence: {self.licence}); pass it as -T source=PATH"

    def rows(self, source: str | Path = "") -> Iterator[Placed]:
        """All rows of a file, or the synthetic ones if no source is given.

        Args:
            source: CSV, TSV, JSON, JSONL or Parquet; all but Parquet may be compressed with gzip.

        Raises:
            InputError: There is no such file, or a row cannot be read or lacks a column; names file and line.
        """
        empty = True
        with given_or_shipped(source, files("adjudge_moral") / "data" / self.shipped, self.advice) as path:
            for row in read_rows(path):
                empty = False
                self._check(row.place, row.fields)
                yield Placed(row.place, row.line, row.fields)
        if empty:
            raise InputError(f"{path}: holds no row; {self.advice}")

    def _check(self, place: str, names: Iterable[str]) -> None:
        missing = [column for column in self.columns if column not in set(names)]
        if missing:
            wanted = ", ".join(self.columns)
            raise InputError(f"{place}: has no {', '.join(missing)}; a row of {self.name} has {wanted}")


def refuse_repeats(placed: Iterable[tuple[str, str]]) -> None:
    """Refuse an id that stands twice.

    Args:
        placed: Place and id of every row.

    Raises:
        InputError: With both places.
    """
    first: dict[str, str] = {}
    for place, name in placed:
        if name in first:
            raise InputError(f"{place}: the id {name!r} was first seen at {first[name]}; ids are unique")
        first[name] = place
