"""Text of others made safe to show: hidden characters made visible, long text cut, figures written out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from itertools import pairwise
from typing import Any

HIDDEN = re.compile(
    # Everything that a reader cannot see or that moves the text around it: control characters (line feed and tab
    # stay), soft hyphen, joiners, bidi controls, line separators, fillers, variation selectors, tags, surrogates.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|\r(?!\n)"
)
"""Characters that are shown by their code point."""


def visible(text: str) -> str:
    """Replace each hidden character by its code point, such as `⟨U+202E⟩`."""
    return HIDDEN.sub(lambda found: code_point(found[0]), text)


def code_point(character: str) -> str:
    """The code point of a character in angle brackets."""
    return f"⟨U+{ord(character):04X}⟩"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text that is shown in one way."""

    text: str
    """The stretch, hidden characters replaced."""
    cited_by: tuple[str, ...] = ()
    """Who quotes it; empty if nobody."""
    hidden: bool = False
    """It stands for a hidden character."""


def segments(text: str, quotes: Iterable[tuple[int, int, str]] = (), limit: int | None = None) -> tuple[Segment, ...]:
    """Cut text where a quote begins or ends and around hidden characters.

    Args:
        text: The text.
        quotes: Start, end (offsets in characters, end exclusive) and who quotes; they may overlap and those that do
            not lie in the text are ignored.
        limit: Most characters shown.

    Returns:
        Stretches whose texts, put together, are the text up to `limit` with hidden characters replaced.
    """
    end = len(text) if limit is None else min(limit, len(text))
    known = [(start, min(stop, end), by) for start, stop, by in quotes if 0 <= start < stop <= len(text)]
    cuts = sorted({0, end, *(cut for start, stop, _ in known for cut in (start, stop) if cut < end)})
    return tuple(
        piece
        for start, stop in pairwise(cuts)
        for piece in _split_hidden(text, start, stop, _citers(known, start, stop))
    )


def _citers(quotes: Sequence[tuple[int, int, str]], start: int, stop: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(by for first, last, by in quotes if first <= start and stop <= last))


def _split_hidden(text: str, start: int, stop: int, cited_by: tuple[str, ...]) -> Iterable[Segment]:
    for found in HIDDEN.finditer(text, start, stop):
        if found.start() > start:
            yield Segment(text[start : found.start()], cited_by)
        yield Segment(code_point(found[0]), cited_by, hidden=True)
        start = found.end()
    if start < stop:
        yield Segment(text[start:stop], cited_by)


def number(value: float | None) -> str:
    """A figure for people: whole numbers bare, others to three decimals, `undefined` for None and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "undefined"
    if isinstance(value, int):
        return f"{value:,}"
    if value.is_integer():
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.2g}"  # noqa: PLR2004 - three decimals


def percent(share: float | None) -> str:
    """A share in whole per cent; 0 % and 100 % only if it is exactly that, `undefined` for None."""
    if share is None:
        return "undefined"
    rounded = f"{100 * share:.0f}"
    if rounded == "0" and share > 0:
        return "< 1 %"
    if rounded == "100" and share < 1:
        return "> 99 %"
    return f"{rounded} %"


def figure(value: Any) -> str:
    """A metric in one line; a list is written out with commas.

    Args:
        value: A number, None, text, or an object with `value` and perhaps `low`, `high` and `n`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(figure, value)) or "none"
    if hasattr(value, "value"):
        return _estimate(value)
    return str(value)


def _estimate(value: Any) -> str:
    parts = []
    if getattr(value, "low", None) is not None and getattr(value, "high", None) is not None:
        name = getattr(value, "method", "") or "95 %"
        parts.append(f"{name} interval {number(value.low)} to {number(value.high)}")
    if getattr(value, "n", None) is not None:
        parts.append(f"n {number(value.n)}")
    if getattr(value, "clusters", None) is not None:
        parts.append(f"{number(value.clusters)} clusters")
    note = getattr(value, "note", "")
    return number(value.value) + (f" ({', '.join(parts)})" if parts else "") + (f"; {note}" if note else "")


def figure_name(name: str) -> str:
    """Name of a task's figure; its `coverage` is told from that of the run, which is over all verdicts."""
    return "coverage of these figures" if name == "coverage" else name


def is_table(value: Any) -> bool:
    """Whether a figure is a table: a list of rows."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of a table, in order of first appearance."""
    return list(dict.fromkeys(str(name) for row in rows for name in row))


def json_text(value: Any) -> str:
    """A value of provenance or metadata: text as it is, the rest as JSON."""
    if isinstance(value, str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
