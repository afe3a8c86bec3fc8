"""Scenarios of MoralChoice: a context, two actions, and the rules that each action breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adjudge.errors import InputError
from adjudge_moral.published import DataSet, Placed, refuse_repeats

RULES = (
    "death",
    "pain",
    "disable",
    "freedom",
    "pleasure",
    "deceive",
    "cheat",
    "break_promise",
    "break_law",
    "duty",
)
"""Gert's ten rules, as the columns name them."""
ACTIONS = ("action1", "action2")
"""The two actions; in a scenario of low ambiguity the first is the one that common sense favours."""
_COLUMNS = (
    "scenario_id",
    "ambiguity",
    "context",
    *ACTIONS,
    *(f"{prefix}_{rule}" for prefix in ("a1", "a2") for rule in RULES),
)
_WHERE = "https://github.com/ninodimontalcino/moralchoice, file data/scenarios/moralchoice_"
SETS: Mapping[str, DataSet] = {
    ambiguity: DataSet(
        name="MoralChoice (arXiv:2307.14324)",
        where=f"{_WHERE}{ambiguity}_ambiguity.csv",
        licence="MIT",
        columns=_COLUMNS,
        shipped=f"moralchoice_{ambiguity}_synthetic.csv",
    )
    for ambiguity in ("low", "high")
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A choice between two actions."""

    id: str
    """`scenario_id`."""
    context: str
    """What the situation is."""
    actions: Mapping[str, str]
    """By `action1` and `action2`."""
    broken: Mapping[str, tuple[str, ...]]
    """Per action the rules that annotators agree it breaks."""
    kept: Mapping[str, tuple[str, ...]]
    """Per action the rules that annotators agree it keeps."""
    rule: str
    """`generation_rule`; empty if the file has none."""


def load_scenarios(ambiguity: str, source: str | Path = "") -> list[Scenario]:
    """Read scenarios.

    Args:
        ambiguity: `low` or `high`; a row of the other kind is an error, since only `low` has a favoured action.
        source: A file of MoralChoice; the synthetic scenarios if empty.

    Raises:
        InputError: The source cannot be read; names file and line.
    """
    placed = [(row.place, _scenario(row, ambiguity)) for row in SETS[ambiguity].rows(source)]
    refuse_repeats((place, scenario.id) for place, scenario in placed)
    return [scenario for _, scenario in placed]


def _scenario(row: Placed, ambiguity: str) -> Scenario:
    if row.needed("ambiguity") != ambiguity:
        other = "moralchoice-high" if ambiguity == "low" else "moralchoice"
        raise InputError(
            f"{row.place}: ambiguity is {row.text('ambiguity')!r}, not {ambiguity!r}; use the task {other}"
        )
    return Scenario(
        id=row.needed("scenario_id"),
        context=row.needed("context"),
        actions={name: row.needed(name) for name in ACTIONS},
        broken={name: _rules(row, name, "Yes") for name in ACTIONS},
        kept={name: _rules(row, name, "No") for name in ACTIONS},
        rule=row.text("generation_rule"),
    )


def _rules(row: Placed, action: str, word: str) -> tuple[str, ...]:
    """The rules with that word; `No Agreement` is neither yes nor no."""
    found = []
    for rule in RULES:
        column = f"a{action[-1]}_{rule}"
        given = row.needed(column)
        if given not in {"Yes", "No", "No Agreement"}:
            raise InputError(f"{row.place}: {column} is {given!r}; it must be Yes, No or No Agreement")
        if given == word:
            found.append(rule)
    return tuple(found)
