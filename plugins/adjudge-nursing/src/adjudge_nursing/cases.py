"""The five values, the packs that word them, and cases of nurses' behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

from adjudge.packs import parse_pack
from adjudge.rubric import Frozen, Rubric

Level = Literal["easy", "hard"]
Language = Literal["en", "zh"]
F = TypeVar("F", bound=Frozen)

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


@cache
def pack(name: str) -> Rubric:
    """A rubric of this distribution: `values`, `values-zh` or `bedside`."""
    file = files("adjudge_nursing") / "packs" / "nursing" / f"{name}.yaml"
    return parse_pack(file.read_bytes(), f"nursing/{name}").rubric


def with_criteria(rubric: Rubric, ids: Iterable[str]) -> Rubric:
    """The rubric with these criteria alone, in its own order, and without its golden tests."""
    wanted = set(ids)
    return changed(rubric, criteria=[c for c in rubric.criteria if c.id in wanted], tests=())


def changed(value: F, **fields: Any) -> F:
    """A value with other fields, checked again; unlike `model_copy`, it takes over no cached hash."""
    return type(value).model_validate({name: getattr(value, name) for name in type(value).model_fields} | fields)
