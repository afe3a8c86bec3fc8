"""Dilemmas of everyday life with two actions each, and the values that each action upholds under five theories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge_moral.literals import parse_list
from adjudge_moral.published import DataSet, Placed

THEORIES: Mapping[str, str] = {
    "WVS": "wvs",
    "MFT": "mft",
    "Virtue": "virtue",
    "Emotion": "emotion",
    "Maslow": "maslow",
}
"""World Values Survey, Moral Foundations, Aristotle's virtues, Plutchik's emotions, Maslow's needs: their columns."""
ACTIONS = ("to_do", "not_to_do")
"""The two actions of a dilemma."""
_WHERE = "https://github.com/kellycyy/daily_dilemmas, folder data, file "
DILEMMAS = DataSet(
    name="DailyDilemmas (arXiv:2410.02683)",
    where=f"{_WHERE}dilemmas_with_detail_by_action.csv",
    licence="CC BY 4.0",
    columns=("idx", "dilemma_situation", "action_type", "action", "values_names", *THEORIES.values()),
    shipped="daily_dilemmas_synthetic.jsonl",
)
VALUES = DataSet(
    name="the value table of DailyDilemmas (arXiv:2410.02683)",
    where=f"{_WHERE}values.csv",
    licence="CC BY 4.0",
    columns=("value", *THEORIES),
    shipped="",
)


@dataclass(frozen=True, slots=True)
class Action:
    """One of the two things that can be done, and what it stands for."""

    text: str
    """The action."""
    values: tuple[str, ...]
    """Names of the values that it upholds."""
    dimensions: Mapping[str, tuple[str, ...]]
    """Per theory the dimension of each value that has one, in the order of the values."""


@dataclass(frozen=True, slots=True)
class Dilemma:
    """A dilemma and its two actions."""

    id: str
    """`idx`."""
    situation: str
    """What the dilemma is."""
    topic: str
    """`topic_group`; empty if the file has none."""
    actions: Mapping[str, Action]
    """By `to_do` and `not_to_do`."""


def load_dilemmas(source: str | Path = "") -> list[Dilemma]:
    """Read dilemmas from the file with one row an action.

    Args:
        source: `dilemmas_with_detail_by_action.csv` or a file like it; the synthetic dilemmas if empty.

    Raises:
        InputError: The source cannot be read, or a dilemma lacks one of its actions; names file and line.
    """
    rows: defaultdict[str, dict[str, Placed]] = defaultdict(dict)
    for row in DILEMMAS.rows(source):
        name, kind = row.needed("idx"), row.needed("action_type")
        if kind not in ACTIONS:
            raise InputError(f"{row.place}: action_type is {kind!r}; it must be {' or '.join(ACTIONS)}")
        if kind in rows[name]:
            raise InputError(f"{row.place}: the action {kind} of {name!r} was first seen at {rows[name][kind].place}")
        rows[name][kind] = row
    return [_dilemma(name, pair) for name, pair in rows.items()]


def _dilemma(name: str, rows: Mapping[str, Placed]) -> Dilemma:
    first = next(iter(rows.values()))
    lacking = [kind for kind in ACTIONS if kind not in rows]
    if lacking:
        raise InputError(f"{first.place}: the dilemma {name!r} has no action {lacking[0]}; a dilemma has both")
    situations = {row.needed("dilemma_situation") for row in rows.values()}
    if len(situations) > 1:
        raise InputError(f"{first.place}: the two actions of {name!r} belong to different situations")
    return Dilemma(
        id=name,
        situation=situations.pop(),
        topic=first.text("topic_group"),
        actions={kind: _action(rows[kind]) for kind in ACTIONS},
    )


def _action(row: Placed) -> Action:
    values = [str(value).strip() for value in row.parsed("values_names", parse_list)]
    dimensions = {}
    for theory, column in THEORIES.items():
        found: list[Any] = row.parsed(column, parse_list)
        if len(found) != len(values):
            raise InputError(f"{row.place}: {column} has {len(found)} entries for {len(values)} values")
        dimensions[theory] = tuple(str(dimension).strip() for dimension in found if dimension)
    return Action(text=row.needed("action"), values=tuple(values), dimensions=dimensions)


def theory_counts(source: str | Path) -> dict[str, Counter[str]]:
    """How many values of the value table fall on each dimension of each theory; `none` counts those on no dimension.

    Args:
        source: `values.csv` of DailyDilemmas.

    Raises:
        InputError: It cannot be read.
    """
    rows = list(VALUES.rows(source or "values.csv"))
    return {theory: Counter(row.text(theory) or "none" for row in rows) for theory in THEORIES}
