"""JSON without surprises: what `json` lets pass in silence is a problem of the row."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from adjudge.dataset.source import BadRow, Line, Row, RowError, Source, brief, decoded, not_utf8

MAX_DEPTH = 100
"""Deepest nesting of lists and objects."""
MAX_DIGITS = 1000
"""Longest integer, in digits; Python refuses to print integers of more than 4,300."""

_SPACE = re.compile(r"[ \t\r\n]*")
# Escapes that stand for a NUL or for half a character; a walk over the value decides.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class Decoder:
    """Decodes one value at a time and notes the first problem of each.

    Noting instead of raising lets a reader of an array go on after a bad element.
    """

    def __init__(self) -> None:
        self._problem: str | None = None
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._integer,
        )

    def at(self, text: str, start: int) -> tuple[Any, int, str | None]:
        """The value that begins at `start`, the offset after it, and its first problem or None.

        Raises:
            RowError: No value can be made out, so that its end is unknown.
        """
        self._problem = None
        try:
            value, end = self._decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            cut = " (the row is cut off, or one value runs over several lines)" if error.pos >= len(text) else ""
            place = f"column {error.colno}{f' of line {error.lineno}' if error.lineno > 1 else ''}"
            raise RowError(f"no JSON: {error.msg.lower()} at {place}{cut}") from None
        except RecursionError:
            raise RowError(f"nested deeper than {MAX_DEPTH} levels") from None
        raw = text[start:end]
        if raw.count("[") + raw.count("{") > MAX_DEPTH and _deeper(value, MAX_DEPTH):
            self._note(f"nested deeper than {MAX_DEPTH} levels")
        elif _SUSPECT.search(raw):
            self._problem = self._problem or text_problem(value)
        return value, end, self._problem

    def decode(self, text: str) -> Any:
        """The one value in the text.

        Raises:
            RowError: There is none, more than one, or one with a problem.
        """
        stripped = text.rstrip(" \t\r\n")
        value, end, problem = self.at(stripped, _after_space(stripped, 0))
        if problem is None and end < len(stripped):
            problem = (
                f"more follows after the JSON value: {brief(stripped[end:].lstrip()[:60])}; write one value per line"
            )
        if problem is not None:
            raise RowError(problem)
        return value

    def _note(self, problem: str) -> None:
        self._problem = self._problem or problem

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            repeated = next(key for index, key in enumerate(keys) if key in keys[:index])
            self._note(f"the key {brief(repeated)} stands twice in one object; keep one")
        return found

    def _constant(self, name: str) -> None:
        self._note(f"{name} is no JSON number; write null or leave the field out")

    def _float(self, digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            self._note(f"the number {brief(digits)} is too large")
        return number

    def _integer(self, digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            self._note(f"an integer of more than {MAX_DIGITS} digits; write it in quotes")
            return 0
        return int(digits)


def line_rows(source: Source) -> Iterator[Row | BadRow]:
    """Rows of a file with one JSON object per line; blank lines are passed over."""
    decoder = Decoder()
    for line in source.lines():
        if line.data is None or line.data.strip():
            yield _line_row(decoder, line)


def _line_row(decoder: Decoder, line: Line) -> Row | BadRow:
    try:
        value = decoder.decode(decoded(line))
    except RowError as error:
        return BadRow(line.number, str(error))
    if isinstance(value, dict):
        return Row(line.number, f"row-{line.number}", value)
    hint = "; a file that is one JSON array is named .json" if isinstance(value, list) else ""
    return BadRow(line.number, f"the row is {brief(value)}, not a JSON object{hint}")


def json_rows(source: Source) -> Iterator[Row | BadRow]:
    """Rows of a `.json` file: the elements of one array, or one object per line."""
    return _array_rows(source) if source.peek().startswith(b"[") else line_rows(source)


def _array_rows(source: Source) -> Iterator[Row | BadRow]:
    """Elements of the array; a syntax error ends the reading, since the next element cannot be found."""
    text = _array_text(source)
    decoder, number, line, counted = Decoder(), 0, 1, 0
    at = _after_space(text, _after_space(text, 0) + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        number, line, counted = number + 1, line + text.count("\n", counted, at), at
        try:
            value, end, problem = decoder.at(text, at)
        except RowError as error:
            raise source.error(f"element {number} of the array: {error}", line) from None
        if problem is None and not isinstance(value, dict):
            problem = f"it is {brief(value)}, not a JSON object"
        bad = BadRow(line, f"element {number} of the array: {problem}")
        yield bad if problem is not None else Row(line, f"row-{number}", value)
        at = _after_space(text, end)
        closed = text[at : at + 1] == "]"
        if not closed and text[at : at + 1] != ",":
            raise source.error(f"a comma or ] must follow element {number} of the array", line)
        at = _after_space(text, at + 1)
    if text[at if number else at + 1 :].strip():
        raise source.error("more follows after the array; a file holds one", line)


def _array_text(source: Source) -> str:
    data = source.whole()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise source.error(not_utf8(error), data.count(b"\n", 0, error.start) + 1) from None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def text_problem(value: Any) -> str | None:
    """What is wrong with a text somewhere in the value: a NUL or half a surrogate pair."""
    for text in _texts(value):
        if "\0" in text:
            return f"a NUL in {brief(text)}; take it out"
        if any("\ud800" <= character <= "\udfff" for character in text):
            return f"half a surrogate pair in {brief(text)}; write the whole character"
    return None


def _texts(value: Any) -> Iterator[str]:
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            ahead.extend(item.keys())
            ahead.extend(item.values())
        elif isinstance(item, list):
            ahead.extend(item)


def _deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
        if not inner:
            return False
    return True
