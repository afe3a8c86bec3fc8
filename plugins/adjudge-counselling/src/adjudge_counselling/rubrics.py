"""The packs of this distribution, whole and in part."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from adjudge.packs import parse_pack
from adjudge.rubric import Rubric


@cache
def pack(name: str) -> Rubric:
    """A rubric of this distribution, for example `psyeval` or `crisis-zh`."""
    file = files("adjudge_counselling") / "packs" / "counselling" / f"{name}.yaml"
    return parse_pack(file.read_bytes(), f"counselling/{name}").rubric


def with_criteria(rubric: Rubric, ids: Iterable[str], **changes: Any) -> Rubric:
    """The rubric with these criteria alone, in its own order, without its golden tests, and with these other fields."""
    wanted = set(ids)
    kept = [criterion for criterion in rubric.criteria if criterion.id in wanted]
    fields = {name: getattr(rubric, name) for name in type(rubric).model_fields}
    return Rubric.model_validate(fields | {"criteria": kept, "tests": ()} | changes)
