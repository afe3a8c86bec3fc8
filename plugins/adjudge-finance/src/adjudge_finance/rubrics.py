"""The packs of this distribution, and parts of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from adjudge.packs import parse_pack
from adjudge.rubric import Rubric


@cache
def pack(name: str) -> Rubric:
    """A rubric of this distribution: `investor-sentiment`, `policy-stance`, `advice` or `writing`."""
    file = files("adjudge_finance") / "packs" / "finance" / f"{name}.yaml"
    return parse_pack(file.read_bytes(), f"finance/{name}").rubric


def with_criteria(rubric: Rubric, ids: Iterable[str]) -> Rubric:
    """The rubric with these criteria alone, in its own order, and without its golden tests."""
    wanted = set(ids)
    kept = tuple(criterion for criterion in rubric.criteria if criterion.id in wanted)
    return rubric.model_copy(update={"criteria": kept, "tests": ()})
