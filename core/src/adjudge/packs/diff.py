"""What a new version of a rubric costs: which criteria must be judged again, and which are only scored again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

    from adjudge.rubric import Rubric

JUDGE_SEES = ("text", "scale", "examples", "evidence")
"""Fields of a criterion that reach the judge."""
JUDGE_SEES_OF_RUBRIC = ("instructions", "role", "template")
"""Fields of a rubric that reach the judge with every criterion."""
SCORE_READS = ("weight", "importance", "dimension", "group", "depends_on", "options")
"""Fields of a criterion that only the score depends on."""
SCORE_READS_OF_RUBRIC = ("scoring", "groups")
"""Fields of a rubric that only the score depends on."""


@dataclass(frozen=True, slots=True)
class RubricDiff:
    """Criteria of two versions by what has to be done; ids in the order of the newer version."""

    new: tuple[str, ...]
    """Only in the newer version: to be judged."""
    removed: tuple[str, ...]
    """Only in the older version, in its order."""
    rejudge: tuple[str, ...]
    """The judge would see something else: to be judged again."""
    rescore: tuple[str, ...]
    """The verdicts stand and the score changes."""
    unchanged: tuple[str, ...]
    """Verdicts and share in the score stand."""
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that differ, by criterion; those of the rubric that concern all criteria under the empty name."""
    same_version: bool = False
    """The rubrics differ and the version does not: it should have been raised."""

    @property
    def to_judge(self) -> tuple[str, ...]:
        """Criteria that a judge must be asked about."""
        return self.new + self.rejudge


def diff_rubrics(old: Rubric, new: Rubric) -> RubricDiff:
    """Compare two versions of a rubric, criterion by criterion (matched by id).

    Meant for judges that ask one criterion at a time. A judge that asks several in one prompt asks all of them again
    when one of them changed.
    """
    before = {criterion.id: criterion for criterion in old.criteria}
    after = {criterion.id: criterion for criterion in new.criteria}
    changed = {name: _differing(before[name], after[name]) for name in after if name in before}
    of_rubric = _differing(old, new, {*JUDGE_SEES_OF_RUBRIC, *SCORE_READS_OF_RUBRIC})
    kinds = {name: _kind({*fields}, {*of_rubric}) for name, fields in changed.items()}
    return RubricDiff(
        new=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        rejudge=_of_kind(kinds, "rejudge"),
        rescore=_of_kind(kinds, "rescore"),
        unchanged=_of_kind(kinds, "unchanged"),
        fields={name: fields for name, fields in {"": of_rubric, **changed}.items() if fields},
        same_version=old.version == new.version and old.hash != new.hash,
    )


def _differing(old: BaseModel, new: BaseModel, names: Iterable[str] | None = None) -> tuple[str, ...]:
    wanted = type(old).model_fields if names is None else names
    return tuple(sorted(name for name in wanted if getattr(old, name) != getattr(new, name)))


def _kind(fields: set[str], of_rubric: set[str]) -> str:
    if fields & {*JUDGE_SEES} or of_rubric & {*JUDGE_SEES_OF_RUBRIC}:
        return "rejudge"
    if fields & {*SCORE_READS} or of_rubric & {*SCORE_READS_OF_RUBRIC}:
        return "rescore"
    return "unchanged"


def _of_kind(kinds: dict[str, str], kind: str) -> tuple[str, ...]:
    return tuple(name for name, found in kinds.items() if found == kind)
