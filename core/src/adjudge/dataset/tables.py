"""Rows of CSV, TSV and Parquet files."""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adjudge.dataset.source import MAX_ROW, BadRow, Line, Row, RowError, Source, brief, decoded
from adjudge.dataset.strict_json import text_problem

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}
_MEND = {
    ",": "name it .csv",
    "\t": "name it .tsv",
    ";": "save it with commas as .csv, or with tabs as .tsv",
}


class _Text:
    """The lines of a file as text for `csv`; remembers what was wrong with them."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.number = 0
        """Number of the line handed out last."""
        self.problem: str | None = None
        """First problem since the reader last cleared it."""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number = line.number
            try:
                text = decoded(line)
            except RowError as error:
                self.problem = self.problem or str(error)
                text = (line.data or b"\n").decode(errors="replace").replace("\0", "\ufffd")
            yield text


def csv_rows(source: Source) -> Iterator[Row | BadRow]:
    """Rows below the header of a CSV or TSV file; blank lines are passed over.

    Raises:
        InputError: The header cannot be read, or another character separates the columns.
    """
    # The limit belongs to the whole process; raising it is harmless, putting it back would not be safe with threads.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
    delimiter = "\t" if source.format == "tsv" else ","
    text = _Text(source.lines())
    records = _records(csv.reader(iter(text), delimiter=delimiter, strict=True), text)
    header: list[str] | None = None
    for line, record in records:
        if isinstance(record, str) and header is None:
            raise source.error(f"the header cannot be read: {record}", line)
        if isinstance(record, str):
            yield BadRow(line, record)
        elif header is None:
            header = _header(source, line, record, delimiter)
        elif len(record) != len(header):
            yield BadRow(line, _wrong_length(record, header, line, text.number))
        else:
            yield Row(line, f"row-{line}", dict(zip(header, record, strict=True)), cells=True)


def _records(reader: Iterator[list[str]], text: _Text) -> Iterator[tuple[int, list[str] | str]]:
    """Each record that is not blank, or what is wrong with it, with the number of its first line."""
    while True:
        line, text.problem = text.number + 1, None
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, text.problem or _csv_problem(str(error), line, text.number)
            continue
        if text.problem is not None:
            yield line, text.problem
        elif record:
            yield line, record


def _csv_problem(problem: str, first: int, last: int) -> str:
    if "new-line character" in problem:
        return "a carriage return alone does not end a line; convert the line ends to LF"
    if "unexpected end of data" in problem or "field limit" in problem:
        return f"a quote that is opened here is never closed (read to line {last}); close it, or double quotes in text"
    span = f" (the row runs to line {last})" if last > first else ""
    return f"{problem}{span}; put text that holds a quote in quotes and double the quote"


def _wrong_length(record: list[str], header: list[str], first: int, last: int) -> str:
    span = f", running to line {last}" if last > first else ""
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    return f"{fields} where the header has {len(header)}{span}; put text that holds the separator in quotes"


def _header(source: Source, line: int, names: list[str], delimiter: str) -> list[str]:
    if len(names) == 1:
        other = next((mark for mark in _DELIMITERS if mark != delimiter and mark in names[0]), None)
        if other is not None:
            wanted, found = _DELIMITERS[delimiter], _DELIMITERS[other]
            raise source.error(f"the columns are separated by {found}, not {wanted}; {_MEND[other]}", line)
    named = [name.strip() or f"column {place}" for place, name in enumerate(names, start=1)]
    twice = [name for name, count in Counter(named).items() if count > 1]
    if twice:
        raise source.error(f"two columns are named {brief(twice[0])}; names are unique", line)
    return named


def parquet_rows(source: Source) -> Iterator[Row | BadRow]:
    """Rows of a Parquet file, batch by batch; numbered from 1 in place of lines.

    Raises:
        InputError: pyarrow is not installed, or the file is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise source.error('Parquet needs pyarrow: pip install "adjudge[parquet]"') from None
    number = 0
    try:
        for batch in pq.ParquetFile(source.file).iter_batches(batch_size=1024):
            for fields in batch.to_pylist():
                number += 1
                yield _parquet_row(number, fields)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise source.error(f"no readable Parquet file ({what}); write it again") from None


def _parquet_row(number: int, fields: dict[str, Any]) -> Row | BadRow:
    try:
        values = {name: _plain(value) for name, value in fields.items()}
    except RowError as error:
        return BadRow(number, str(error))
    problem = text_problem(values)
    return Row(number, f"row-{number}", values) if problem is None else BadRow(number, problem)


def _plain(value: Any) -> Any:
    """The JSON value for a Parquet value; NaN stands for a missing one, as pandas writes it."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise RowError("an infinite number; leave it empty")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise RowError(f"a value of type {type(value).__name__}; store it as text or a number")
