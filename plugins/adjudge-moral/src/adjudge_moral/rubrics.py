"""The packs of this distribution as rubrics, and parts of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from adjudge.packs import parse_pack
from adjudge.rubric import Frozen, Rubric

F = TypeVar("F", bound=Frozen)


@cache
def pack(name: str) -> Rubric:
    """A rubric of this distribution, for example `choice`."""
    file = files("adjudge_moral") / "packs" / "moral" / f"{name}.yaml"
    return parse_pack(file.read_bytes(), f"moral/{name}").rubric


def with_criteria(rubric: Rubric, ids: Iterable[str]) -> Rubric:
    """The rubric with these criteria alone, in its own order, and without its golden tests."""
    wanted = set(ids)
    return changed(rubric, criteria=[c for c in rubric.criteria if c.id in wanted], tests=())


def changed(value: F, **fields: Any) -> F:
    """A value with other fields, checked again."""
    return type(value).model_validate({name: getattr(value, name) for name in type(value).model_fields} | fields)
