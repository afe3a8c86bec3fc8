"""Situations of CLASH with their eleven characters, and the answers that each character is written for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adjudge.errors import InputError
from adjudge_moral.published import DataSet, Placed, refuse_repeats

Answer = Literal["yes", "no", "ambiguous"]
Kind = Literal["straightforward", "simple", "swayed", "shift", "half-shift", "false-shift"]

SITUATIONS = DataSet(
    name="CLASH (arXiv:2504.10823)",
    where="https://huggingface.co/datasets/launch/CLASH, file dataset.csv",
    licence="MIT",
    columns=("id", "situation", "action"),
    shipped="clash_synthetic.jsonl",
)
STATIC: tuple[Kind, ...] = ("straightforward", "simple", "swayed")
"""Characters whose values do not change."""
DYNAMIC: tuple[Kind, ...] = ("shift", "half-shift", "false-shift")
"""Characters with a past and a present."""
PROFILES = 11
"""Characters of one situation: two of each kind, and one of `simple`."""
_HEADING = re.compile(r"character\s*-\s*(?P<kind>[a-z]+(?:-[a-z]+)?)(?P<rest>.*)")
_KINDS: Mapping[str, Kind] = {
    "straight": "straightforward",
    "straightforward": "straightforward",
    "simple": "simple",
    "swayed": "swayed",
    "shift": "shift",
    "half-shift": "half-shift",
    "false-shift": "false-shift",
}
_OTHER: Mapping[Answer, Answer] = {"yes": "no", "no": "yes"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of character it is, and what it is written to answer."""

    kind: Kind
    """One of the six kinds."""
    side: Answer
    """Which of the two of its kind: what it answers now, for a half-shift what it answered before."""

    @property
    def name(self) -> str:
        """Kind and side, for ids."""
        return self.kind if self.kind == "simple" else f"{self.kind}-{self.side}"

    @property
    def gold(self) -> dict[str, Answer]:
        """The right answers, by criterion (arXiv:2504.10823, figure 2)."""
        side = self.side
        if self.kind == "straightforward":
            return {"acceptable": side, "discomfort": "no"}
        if self.kind == "simple":
            return {"acceptable": "ambiguous"}
        if self.kind == "swayed":
            return {"acceptable": side, "discomfort": "yes"}
        if self.kind == "shift":
            return {"previous": _OTHER[side], "current": side}
        if self.kind == "half-shift":
            return {"previous": side, "current": "ambiguous"}
        return {"previous": side, "current": side}


@dataclass(frozen=True, slots=True)
class Situation:
    """A high-stakes situation, an action in it, and the characters who judge it."""

    id: str
    """`id` of the file."""
    text: str
    """What happens."""
    action: str
    """What might be done."""
    characters: Mapping[Profile, str]
    """Description of each character that the row has."""
    values: tuple[tuple[str, ...], tuple[str, ...]]
    """Dimensions that accepting and refusing the action stand for; empty where the file has none."""


def profile_of(heading: str) -> Profile | None:
    """The profile that a column's heading names, None if it is no character's.

    The headings of the published file name the kind and, after a comma, the present answer; those of a half-shift
    name the past one as `accept` or `unaccept`.

    Raises:
        ValueError: It is a character's, but the kind or the answer cannot be made out.
    """
    found = _HEADING.fullmatch(" ".join(heading.casefold().split()))
    if found is None:
        return None
    kind, rest = _KINDS.get(found["kind"]), set(re.findall(r"[a-z]+", found["rest"]))
    if kind == "simple":
        return Profile("simple", "ambiguous")
    yes = "yes" in rest or (kind == "half-shift" and "accept" in rest)
    no = "no" in rest or (kind == "half-shift" and "unaccept" in rest)
    if kind is None or yes == no:
        raise ValueError(f"the heading {heading!r} names no kind and answer that are known")
    return Profile(kind, "yes" if yes else "no")


def load_situations(source: str | Path = "") -> list[Situation]:
    """Read situations.

    Args:
        source: `dataset.csv` of CLASH or a file like it; the synthetic situations if empty. The columns
            `accept_values` and `refuse_values` are ours: dimensions that the two sides stand for, written
            `THEORY: dimension` and separated by semicolons; steerability needs them.

    Raises:
        InputError: The source cannot be read, or a heading is not known; names file and line.
    """
    placed = [(row.place, _situation(row)) for row in SITUATIONS.rows(source)]
    refuse_repeats((place, situation.id) for place, situation in placed)
    return [situation for _, situation in placed]


def _situation(row: Placed) -> Situation:
    characters: dict[Profile, str] = {}
    for heading in row.fields:
        try:
            profile = profile_of(heading)
        except ValueError as error:
            raise InputError(f"{row.place}: {error}; {SITUATIONS.advice}") from None
        if profile is not None and row.text(heading):
            if profile in characters:
                raise InputError(f"{row.place}: two columns describe the character {profile.name!r}")
            characters[profile] = row.text(heading)
    if not characters:
        raise InputError(f"{row.place}: no column describes a character; {SITUATIONS.advice}")
    return Situation(
        id=row.needed("id"),
        text=row.needed("situation"),
        action=row.needed("action"),
        characters=characters,
        values=(_dimensions(row, "accept_values"), _dimensions(row, "refuse_values")),
    )


def _dimensions(row: Placed, column: str) -> tuple[str, ...]:
    names = [" ".join(part.split()) for part in row.text(column).split(";")]
    for name in filter(None, names):
        if ": " not in name:
            raise InputError(f"{row.place}: {column}: {name!r} is not written THEORY: dimension")
    return tuple(dict.fromkeys(filter(None, names)))
