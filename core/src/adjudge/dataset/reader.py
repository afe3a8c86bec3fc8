"""Reading a data file: every row becomes an item or a reported problem."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adjudge.dataset.columns import Columns
from adjudge.dataset.items import Builder
from adjudge.dataset.rows import READERS
from adjudge.dataset.source import BadRow, ColumnError, Format, Row, RowError, Source, brief
from adjudge.errors import InputError
from adjudge.interfaces import Item
from adjudge.submission import Submission

_SHOWN = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a data file holds."""

    items: tuple[Item, ...]
    """All submissions or all comparisons, in file order; at least one."""
    sha256: str
    """SHA-256 of the file as it lies on disk, as 64 hexadecimal digits."""
    bad_rows: tuple[str, ...]
    """Rows left out, each as `file:line: what and how to mend it`."""
    path: str
    """The file, as it was named."""
    format: Format
    """Its format, compression aside."""
    lines: Mapping[str, int]
    """Id of an item to the line where its row begins, from 1; its number in a Parquet file."""


def read_items(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    skip_bad_rows: bool = False,
    limit: int | None = None,
    needs_output: bool = True,
) -> Dataset:
    """Read submissions or comparisons from a JSONL, JSON, CSV, TSV or Parquet file.

    Args:
        path: The file; its suffix tells the format, and `.gz` after it that it is compressed.
        columns: Field (or `label:CRITERION`) to the column that holds it; an empty column switches a field off.
        skip_bad_rows: Leave out rows that cannot be read and name them in `bad_rows`, rather than refuse the file.
        limit: Read so many items and no more; all if None. The hash is of the whole file in any case.
        needs_output: Refuse a row without an output; if not, its output is empty, for a candidate to write, unless a
            column looks like it, misspelt.

    A column that looks like a misspelt field is kept as metadata and logged as a warning, once per file.

    Returns:
        The items, the file's hash and the rows left out.

    Raises:
        InputError: The file cannot be read, a row is bad, or none is good; the text names the places.
    """
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: read at least one item")
    asked = Columns(columns or {})
    with Source(Path(path)) as source:
        intake = _Intake(source, asked, Builder(asked, needs_output=needs_output))
        for row in READERS[source.format](source):
            intake.take(row)
            if len(intake.items) == limit:
                break
        intake.refuse(skip_bad_rows=skip_bad_rows)
        if (unseen := asked.unseen()) is not None:
            raise source.error(unseen)
        bad = tuple(intake.bad)
        return Dataset(tuple(intake.items), source.finish(), bad, str(path), source.format, intake.lines)


class _Intake:
    """Items and problems found so far."""

    def __init__(self, source: Source, columns: Columns, builder: Builder) -> None:
        self._source, self._columns, self._builder = source, columns, builder
        self.items: list[Item] = []
        self.bad: list[str] = []
        self.lines: dict[str, int] = {}
        self._columns_missing: str | None = None

    def take(self, row: Row | BadRow) -> None:
        """Add the row's item, or what is wrong with it.

        Raises:
            InputError: Submissions and comparisons stand in one file.
        """
        try:
            if isinstance(row, BadRow):
                raise RowError(row.problem)  # noqa: TRY301 - one place notes all problems
            item = self._builder.item(row)
            self._check_id(item.id, row.line)
        except RowError as error:
            if not self.bad and isinstance(error, ColumnError):
                self._columns_missing = str(error)
            self.bad.append(f"{self._source.shown}:{row.line}: {error}")
            return
        self._check_kind(item, row.line)
        self.lines[item.id] = row.line
        self.items.append(item)
        self._warn(row, item)

    def _warn(self, row: Row, item: Item) -> None:
        """Say which columns look like a misspelt field."""
        unused = [name for name in row.fields if name in item.metadata]
        for doubt in self._columns.misspelt(row.fields, unused, compared=not isinstance(item, Submission)):
            _log.warning("warning: %s:%d: %s", self._source.shown, row.line, doubt)

    def refuse(self, *, skip_bad_rows: bool) -> None:
        """Raise InputError if the file cannot be used as it is."""
        if not self.items and not self.bad:
            raise self._source.error("the file holds no rows; check that it was written")
        if not self.items and self._columns_missing is not None:
            raise self._source.error(self._columns_missing)
        if self.bad and (not skip_bad_rows or not self.items):
            raise InputError("\n".join([*self.bad[:_SHOWN], self._total(skip_bad_rows)]))

    def _total(self, skip_bad_rows: bool) -> str:
        rows = "1 bad row" if len(self.bad) == 1 else f"{len(self.bad):,} bad rows"
        first = f", the first {_SHOWN} shown" if len(self.bad) > _SHOWN else ""
        if not self.items:
            return f"{self._source.shown}: {rows}{first}, and not one that can be read"
        hint = "" if skip_bad_rows else "; --skip-bad-rows leaves them out"
        return f"{self._source.shown}: {rows}{first}{hint}"

    def _check_id(self, name: str, line: int) -> None:
        if name in self.lines:
            first = self.lines[name]
            raise RowError(f"the id {brief(name)} stands in line {first} and again in line {line}; ids are unique")

    def _check_kind(self, item: Item, line: int) -> None:
        if self.items and type(item) is not type(self.items[0]):
            first, second = ("submission", "comparison")[:: 1 if isinstance(self.items[0], Submission) else -1]
            begun = self.lines[self.items[0].id]
            raise self._source.error(
                f"a {second}, but line {begun} holds a {first}; put submissions and comparisons in two files", line
            )
