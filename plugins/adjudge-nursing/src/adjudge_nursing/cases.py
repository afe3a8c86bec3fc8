"""The five values, the packs that word them, and cases of nurses' behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adjudge.packs import pack_of
from adjudge.rubric import Rubric

Level = Literal["easy", "hard"]
Language = Literal["en", "zh"]

VALUES = ("altruism", "human_dignity", "integrity", "justice", "professionalism")
"""Ids of the five values, in the order of the packs."""
LEVELS: tuple[Level, ...] = ("easy", "hard")
"""`easy`: the case as plain text. `hard`: the case inside a misleading dialogue."""
PACKS: Mapping[Language, str] = {"en": "values", "zh": "values-zh"}
"""The pack of each language."""


@dataclass(frozen=True, slots=True)
class Case:
    """One nurse's behaviour, with the value that it is labelled with and both polarities' common pair."""

    pair: str
    """The two counterfactual versions of a case share it."""
    index: str
    """`index` as the file has it."""
    value: str
    """Id of the value."""
    aligned: bool
    """Whether the behaviour is in line with the value."""
    texts: Mapping[tuple[Level, Language], str]
    """The case, per level and language; empty where there is none."""
    place: str
    """File and line, for messages."""


def pack(name: str) -> Rubric:
    """A rubric of this distribution: `values`, `values-zh` or `bedside`."""
    return pack_of("adjudge_nursing", f"nursing/{name}")
