"""Reads WritingBench: queries that each bring their own criteria, described in five bands from 1 to 10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.dataset import given_or_shipped, read_rows
from adjudge.errors import InputError
from adjudge.rubric import Criterion, Level, Rubric, Scale, ScoringChoice
from adjudge_finance.published import WRITINGBENCH
from adjudge_finance.rubrics import pack

DOMAIN = "Finance & Business"
"""The domain whose rows are read."""
BANDS = ("1-2", "3-4", "5-6", "7-8", "9-10")
"""Keys of a criterion, from the worst band."""


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to write."""

    index: str
    """Its index in the file."""
    kind: str
    """Kind of document, the file's `domain2`."""
    text: str
    """What is asked for, with its material."""
    rubric: Rubric
    """Its own criteria."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One text written for a query."""

    id: str
    """Unique in its file."""
    index: str
    """Of the query."""
    text: str
    """The text."""
    scores: tuple[float, ...] = ()
    """Gold score of each criterion of the query, if known."""


def load_queries(source: str | Path = "") -> list[Query]:
    """Read all queries of the domain.

    Args:
        source: A file with the columns `index`, `domain1`, `domain2`, `query` and `checklist` (JSONL, JSON, Parquet);
            the synthetic ones shipped here if empty. A query with an empty checklist is judged by `finance/writing`.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    found = [
        _query(place, row)
        for place, row in _rows(source, "writing_synthetic.jsonl")
        if row.get("domain1", DOMAIN) == DOMAIN
    ]
    if not found:
        raise InputError(f"{source}: holds no query of the domain {DOMAIN!r}")
    return found


def load_answers(source: str | Path = "") -> list[Answer]:
    """Read texts to judge.

    Args:
        source: A file with the columns `index` and `response` and perhaps `id` and `scores`; the synthetic ones
            shipped here if empty.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    return [_answer(place, row) for place, row in _rows(source, "writing_answers_synthetic.jsonl")]


def _rows(source: str | Path, shipped: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with given_or_shipped(source, files("adjudge_finance") / "data" / shipped, WRITINGBENCH.advice) as path:
        yield from ((row.place, row.fields) for row in read_rows(path))


def _text(place: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{place}: {name} must be a text; found {value!r:.60}")
    return value.strip()


def _query(place: str, row: Mapping[str, Any]) -> Query:
    index, kind = str(row.get("index", place)), str(row.get("domain2") or "")
    checklist = row.get("checklist") or []
    if not isinstance(checklist, list):
        raise InputError(f"{place}: checklist must be a list of criteria")
    rubric = _rubric(place, index, kind, checklist) if checklist else pack("writing")
    return Query(index, kind, _text(place, row, "query"), rubric)


def _rubric(place: str, index: str, kind: str, checklist: Sequence[Any]) -> Rubric:
    criteria = [_criterion(f"{place}, criterion {number}", number, kind, c) for number, c in enumerate(checklist, 1)]
    return Rubric(
        id="finance/writing-own",
        version=index,
        draft=True,
        instructions=pack("writing").instructions,
        criteria=tuple(criteria),
        scoring=ScoringChoice(name="mean"),
    )


def _criterion(place: str, number: int, kind: str, row: Any) -> Criterion:
    if not isinstance(row, Mapping):
        raise InputError(f"{place}: must have name, criteria_description and the bands {', '.join(BANDS)}")
    anchors = [_text(place, row, band) for band in BANDS]
    return Criterion(
        id=f"c{number}",
        text=f"{_text(place, row, 'name')}. {_text(place, row, 'criteria_description')}",
        dimension=kind,
        scale=Scale(kind="ordinal", levels=tuple(level for at, a in enumerate(anchors) for level in _band(at, a))),
    )


def _band(at: int, anchor: str) -> tuple[Level, Level]:
    """The two levels of a band; the description stands with the lower one only, since it may be long."""
    low, high = 2 * at + 1, 2 * at + 2
    upper = f"As {low}, at its upper end."
    return Level(id=str(low), score=low, anchor=anchor), Level(id=str(high), score=high, anchor=upper)


def _answer(place: str, row: Mapping[str, Any]) -> Answer:
    if row.get("index") is None:
        raise InputError(f"{place}: has no index of a query")
    scores = row.get("scores") or []
    if not isinstance(scores, list) or not all(isinstance(score, int | float) for score in scores):
        raise InputError(f"{place}: scores must be a list of numbers, one per criterion")
    index = str(row["index"])
    return Answer(str(row.get("id") or index), index, _text(place, row, "response"), tuple(map(float, scores)))
