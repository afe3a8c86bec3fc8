"""One thing that a submission is judged on, with its sources, examples and dependencies."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from adjudge.scale import BINARY, ScaleField
from adjudge.values import Frozen, Id, content_hash

Evidence = Literal["input", "output", "reference", "context"]
"""A part of a submission."""


class Source(Frozen):
    """Where a criterion comes from: a law, a guideline, a paper."""

    norm: str
    """Name of the norm, for example `NEWS2` or `WpHG`."""
    clause: str = ""
    """Section, paragraph or page."""
    jurisdiction: str = ""
    """Where it holds, for example `UK` or `EU`; empty if everywhere."""
    in_force_from: dt.date | None = None
    """First day on which it holds."""
    in_force_to: dt.date | None = None
    """Last day on which it holds; lint warns when that day has passed."""
    url: str = ""
    """Where to read it."""


class Example(Frozen):
    """A judged example shown to the judge with its criterion."""

    output: str
    """The text that was judged."""
    level: Id
    """The level that it deserves."""
    explanation: str = ""
    """Why."""


class Dependency(Frozen):
    """A criterion counts only if another one was judged at one of these levels."""

    criterion: Id
    """Id of the other criterion."""
    levels: tuple[Id, ...] = ()
    """Levels that satisfy it; the highest level alone if empty."""
    otherwise: Literal["worst", "exclude"] = "worst"
    """When it is not satisfied: the criterion counts as its worst level, or leaves the score."""


class Criterion(Frozen):
    """One thing that a submission is judged on."""

    id: Id
    """Stable name, unique in the rubric."""
    text: Annotated[str, Field(min_length=1)]
    """What is asked of the submission; shown to the judge."""
    scale: ScaleField = BINARY
    """`binary`, a range such as `1-5`, a name from the rubric's `scales`, or a scale written out."""
    weight: float = 1.0
    """Share in the score; negative for a thing that should not appear."""
    dimension: str = ""
    """Group of criteria reported together."""
    group: Id | None = None
    """Inner node of a rubric tree that this leaf hangs from (scoring `tree`)."""
    importance: Literal["must", "should", "may"] = "should"
    """`must` gates the score, `should` carries it, `may` is only reported (scoring `gated`)."""
    depends_on: tuple[Dependency, ...] = ()
    """Criteria that must hold for this one to be asked."""
    sources: tuple[Source, ...] = ()
    """Norms that the criterion rests on."""
    evidence: tuple[Evidence, ...] = ("input", "output")
    """Parts of the submission that the judge sees."""
    values: tuple[str, ...] = ()
    """Values of the charter that the criterion serves."""
    examples: tuple[Example, ...] = ()
    """Judged examples, shown to the judge."""
    tags: tuple[str, ...] = ()
    """Free words to select by."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """What a scoring or judge reads from the criterion: `reference` of `log_sigmoid`, `check` of `rules`, …"""
    feedback: str = ""
    """One line of formative feedback for a submission below the highest level."""

    @model_validator(mode="after")
    def _references_fit_the_scale(self) -> Self:
        for example in self.examples:
            if example.level not in self.scale:
                raise ValueError(f"an example has the level {example.level!r}, which is not in the scale")
        if self.weight == 0:
            raise ValueError(
                "a weight of 0 has no effect; remove the criterion, or use scoring: gated with importance: may"
            )
        return self

    @cached_property
    def worst(self) -> float | None:
        """Score of the level that is worst for the submission, the sign of the weight counted in."""
        return None if self.scale.range is None else self.scale.range[0 if self.weight > 0 else 1]

    @cached_property
    def best(self) -> float | None:
        """Score of the level that is best for the submission, the sign of the weight counted in."""
        return None if self.scale.range is None else self.scale.range[1 if self.weight > 0 else 0]

    @cached_property
    def hash(self) -> str:
        """Content hash; a change means that the criterion must be judged again."""
        return content_hash(self)
