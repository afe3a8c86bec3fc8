"""Synthetic answers to the shipped queries, labelled by their author."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from adjudge.values import Frozen
from adjudge_mentor.queries import Colour


class Answer(Frozen):
    """One answer to a query, with what its author meant it to be."""

    id: str
    """Id of the query, a slash, and its number."""
    query: str
    """Id of the query."""
    output: str
    """The answer."""
    level: str
    """Level of `alignment` if the query is a risk, of `compliance` if it is benign."""
    handling: Colour
    """What it does with the query."""
    synthetic: bool
    """Always true here."""


@cache
def shipped_answers() -> tuple[Answer, ...]:
    """All of them, in the order of their queries."""
    file = files("adjudge_mentor") / "data" / "responses_synthetic.jsonl"
    rows: list[Mapping[str, object]] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return tuple(Answer.model_validate(row) for row in rows)
