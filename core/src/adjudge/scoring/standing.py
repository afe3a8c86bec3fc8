"""Which criteria take part in a score: `depends_on` resolved from the levels of the others."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Literal, TypeAlias

from adjudge.rubric import Dependency, Rubric
from adjudge.scale import Scale

Standing: TypeAlias = Literal["due", "worst", "exclude", "unsure"]
"""`due`: takes part with its own level. `worst`, `exclude`: a criterion that it depends on does not hold, so it counts
as its worst level or leaves the score. `unsure`: that criterion is unscored."""


def standings(rubric: Rubric, levels: Mapping[str, str | None]) -> dict[str, Standing]:
    """How every criterion stands.

    A criterion that itself does not stand `due` satisfies nobody. If several dependencies fail, one that asks for the
    worst level decides.

    Args:
        rubric: The rubric.
        levels: Level of each criterion, None if unknown.
    """
    found: dict[str, Standing] = {}
    for criterion in chain.from_iterable(rubric.waves):
        failed: list[Dependency] = []
        unsure = False
        for dependency in criterion.depends_on:
            holds = _holds(rubric, dependency, levels.get(dependency.criterion), found[dependency.criterion])
            unsure = unsure or holds is None
            failed += [dependency] if holds is False else []
        if failed:
            found[criterion.id] = "worst" if any(d.otherwise == "worst" for d in failed) else "exclude"
        else:
            found[criterion.id] = "unsure" if unsure else "due"
    return found


def _holds(rubric: Rubric, dependency: Dependency, level: str | None, standing: Standing) -> bool | None:
    """Whether the dependency is satisfied; None if that cannot be told."""
    if standing in ("worst", "exclude"):
        return False
    if level is None:
        return None
    if level not in satisfying(dependency, rubric.criterion(dependency.criterion).scale):
        return False
    return True if standing == "due" else None


def satisfying(dependency: Dependency, scale: Scale) -> tuple[str, ...]:
    """The levels that satisfy a dependency: those it names, or the highest one."""
    return dependency.levels or (scale.levels[-1].id,)
