"""Scales: the levels that a criterion can be judged at."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from adjudge.values import Frozen, Id, content_hash, first_repeat


class Level(Frozen):
    """One rung of a scale."""

    id: Id
    """Stable name, kept in verdicts and gold labels."""
    score: float | None = None
    """Worth of the level in the scale's own units; none for a label without order."""
    anchor: str = ""
    """What a submission at this level looks like; shown to the judge."""
    label: str = ""
    """The word that the judge answers with; the id if empty."""

    @property
    def word(self) -> str:
        """The word that stands for this level in prompts and replies."""
        return self.label or self.id


class Scale(Frozen):
    """The levels that a criterion can be judged at."""

    kind: Literal["binary", "ordinal", "labels"]
    """`binary`: met or not. `ordinal`: levels in order, each with a score. `labels`: no order, a score is optional."""
    levels: Annotated[tuple[Level, ...], Field(min_length=2, max_length=64)]
    """From the lowest to the highest for `binary` and `ordinal`."""

    @model_validator(mode="after")
    def _levels_fit_the_kind(self) -> Self:
        for name in ("id", "word"):
            values = [getattr(level, name).casefold() for level in self.levels]
            if len(set(values)) < len(values):
                raise ValueError(f"two levels share the {'id' if name == 'id' else 'label'} {first_repeat(values)!r}")
        if self.kind == "binary" and len(self.levels) != 2:  # noqa: PLR2004 - binary means two
            raise ValueError("a binary scale has exactly two levels, the unmet one first")
        if self.kind != "labels":
            scores = [level.score for level in self.levels]
            if any(score is None for score in scores):
                raise ValueError(f"every level of a scale of kind {self.kind} needs a score")
            if any(a >= b for a, b in pairwise(scores)):  # type: ignore[operator] # None is excluded above
                raise ValueError("levels must stand from the lowest score to the highest")
        return self

    def level(self, level_id: str) -> Level:
        """The level of that id.

        Raises:
            KeyError: The scale has no such level.
        """
        return self._by_id[level_id]

    def named(self, said: str) -> Level | None:
        """The level that a person means by its id or its word, in upper or lower case; None if there is none.

        Where one level's id is another's word, the id counts.
        """
        if said in self._by_id:
            return self._by_id[said]
        folded = said.strip().casefold()
        for name in ("id", "word"):
            for level in self.levels:
                if getattr(level, name).casefold() == folded:
                    return level
        return None

    def __contains__(self, level_id: object) -> bool:
        return level_id in self._by_id

    @cached_property
    def _by_id(self) -> dict[str, Level]:
        return {level.id: level for level in self.levels}

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """For what others derive from this scale again and again; a changed copy begins with none."""
        return {}

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that a judge may answer with, in level order."""
        return tuple(level.word for level in self.levels)

    @cached_property
    def hash(self) -> str:
        """Content hash."""
        return content_hash(self)

    @cached_property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest score; None if any level has none."""
        scores = [level.score for level in self.levels if level.score is not None]
        return (min(scores), max(scores)) if len(scores) == len(self.levels) else None


BINARY = Scale(
    kind="binary",
    levels=(Level(id="unmet", score=0, label="No"), Level(id="met", score=1, label="Yes")),
)
"""The default scale: the criterion is met (`Yes`) or unmet (`No`)."""


def _scale_from_short_form(value: Any) -> Any:
    """Accept `binary` and `1-5` beside a full scale."""
    if value == "binary":
        return BINARY
    if isinstance(value, str):
        low, dash, high = value.partition("-")
        if dash and low.isdecimal() and high.isdecimal() and int(low) < int(high) <= int(low) + 20:
            return {"kind": "ordinal", "levels": [{"id": str(n), "score": n} for n in range(int(low), int(high) + 1)]}
    return value


ScaleField = Annotated[Scale, BeforeValidator(_scale_from_short_form, json_schema_input_type=str | Scale)]
