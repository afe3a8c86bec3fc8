"""Reads sentences of the Federal Open Market Committee with their stance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError
from adjudge_finance.published import FOMC

STANCES = ("dovish", "hawkish", "neutral")
"""The three labels, in the order of the codes 0, 1, 2 of the published files."""

_SENTENCE = ("sentence", "original_sent")
_LABEL = ("label", "true_label")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the Committee."""

    number: int
    """Its place in the file, from 1."""
    text: str
    """The sentence."""
    stance: str
    """What the annotators said."""
    reply: str = ""
    """What a model of the authors answered, where the file holds it (column `text_output`)."""


def load_statements(source: str | Path = "") -> list[Statement]:
    """Read all sentences.

    Args:
        source: A CSV, JSONL or Parquet file; the synthetic sentences shipped here if empty.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    shipped = files("adjudge_finance") / "data" / "statements_synthetic.jsonl"
    with given_or_shipped(source, shipped, FOMC.advice) as path:
        found = [_statement(number, row.place, row.fields) for number, row in enumerate(read_rows(path), 1)]
    if not found:
        raise InputError(f"{source}: holds no sentence")
    return found


def _statement(number: int, place: str, row: Mapping[str, Any]) -> Statement:
    text = str(_first(row, _SENTENCE, place) or "").strip()
    if not text:
        raise InputError(f"{place}: the sentence is empty")
    stance = _stance(_first(row, _LABEL, place), place)
    return Statement(number, text, stance, str(row.get("text_output") or ""))


def _first(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> Any:
    for name in names:
        if name in row:
            return row[name]
    raise InputError(f"{place}: has no column {' or '.join(names)}; found: {', '.join(map(str, row))}")


def _stance(cell: Any, place: str) -> str:
    """The stance of a code or a word; 1, 1.0 and `1` are one, True is none."""
    word = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip().casefold()
    codes = dict(zip("012", STANCES, strict=True)) | {stance: stance for stance in STANCES}
    if isinstance(cell, bool) or word not in codes:
        raise InputError(f"{place}: the label is {cell!r}; it must be 0 (dovish), 1 (hawkish), 2 (neutral) or the word")
    return codes[word]


_WORD = re.compile(rf"\b({'|'.join(STANCES)})\b", re.IGNORECASE)


def read_stance(reply: str) -> str | None:
    """The stance that a free-text reply begins with; None if its first line names none or more than one.

    The prompt of the paper asks for the label in the first line and the reason after it.
    """
    first = next((line for line in reply.splitlines() if line.strip()), "")
    head = re.split(r"[-:.–—]\s", first, maxsplit=1)[0]
    found = {match.casefold() for match in _WORD.findall(head)}
    return found.pop() if len(found) == 1 else None
