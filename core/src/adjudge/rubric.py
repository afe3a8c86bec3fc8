"""What is judged by: scales, criteria and rubrics, as frozen values.

A rubric is plain data. It can be written in YAML (`adjudge.packs`), built in Python, or travel with one submission.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=80)]
"""A short stable name: letters, digits, `_`, `.` and `-`."""

PackId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*(/[a-z0-9][a-z0-9_\-]*)?$", max_length=120)]
"""A rubric's id: `name` or `domain/name`."""

Evidence = Literal["input", "output", "reference", "context"]


class Frozen(BaseModel):
    """Base of all values: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, ser_json_inf_nan="constants")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with changes; what was derived from the old fields (cached properties) is left behind."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


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
                raise ValueError(f"two levels share the {'id' if name == 'id' else 'label'} {_first_repeat(values)!r}")
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

    def __contains__(self, level_id: object) -> bool:
        return level_id in self._by_id

    @cached_property
    def _by_id(self) -> dict[str, Level]:
        return {level.id: level for level in self.levels}

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


def _first_repeat(values: list[str]) -> str:
    return next(value for index, value in enumerate(values) if value in values[:index])


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
    options: dict[str, JsonValue] = {}
    """Parameters that a scoring reads from the criterion, for example `reference` of `log_sigmoid`."""
    feedback: str = ""
    """One line of formative feedback for a submission below the highest level."""

    @model_validator(mode="after")
    def _references_fit_the_scale(self) -> Self:
        for example in self.examples:
            if example.level not in self.scale:
                raise ValueError(f"an example has the level {example.level!r}, which is not in the scale")
        if self.weight == 0:
            raise ValueError("a weight of 0 has no effect; use importance: may")
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


class Group(Frozen):
    """An inner node of a rubric tree."""

    id: Id
    """Stable name, unique among groups."""
    text: str = ""
    """What the node stands for."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Share among its siblings."""
    group: Id | None = None
    """Parent node; none for a child of the root."""


class ScoringChoice(Frozen):
    """The named scoring of a rubric, with its parameters."""

    name: str
    """A scoring that is registered, for example `weighted`."""
    params: dict[str, JsonValue] = {}
    """Passed to the scoring."""
    use: Literal["level", "expected"] = "level"
    """Score the level, or the expected score over the distribution where it is known."""


def _scoring_from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Charter(Frozen):
    """Whose values the rubric holds and how they were agreed."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """Values that the criteria serve."""
    authors: Annotated[tuple[str, ...], Field(min_length=1)]
    """Who wrote the rubric."""
    agreed_by: str
    """Who agreed to it."""
    process: str = ""
    """How agreement was reached."""
    date: dt.date | None = None
    """When."""


class Licence(Frozen):
    """Terms of the rubric."""

    spdx: str
    """SPDX identifier, for example `Apache-2.0`."""
    data_licences: tuple[str, ...] = ()
    """SPDX identifiers of data that the rubric was made from."""
    use_limits: tuple[str, ...] = ()
    """What the rubric must not be used for."""


class Documentation(Frozen):
    """What a user must know before trusting the rubric."""

    label_origin: Literal["human", "model", "synthetic", "none"]
    """Who gave the levels of the golden tests and examples."""
    intended_use: str
    """What the rubric was made for."""
    sources: tuple[str, ...] = ()
    """What it was made from."""
    limits: str = ""
    """What it is not good for."""
    contact: str = ""
    """Where to send corrections."""


class Condition(Frozen):
    """A condition that an aligned system must or may fulfil, with its evidence."""

    id: Id
    """Stable name."""
    kind: Literal["necessary", "sufficient"]
    """Which of the two."""
    statement: str
    """The condition."""
    evidence: str = ""
    """What shows that it holds; empty if nothing does."""


class GoldenTest(Frozen):
    """A submission whose levels are known: the rubric's own test of a judge."""

    id: Id
    """Stable name, unique in the rubric."""
    input: str = ""
    """What was asked."""
    output: str
    """What is judged."""
    reference: str | None = None
    """A reference answer, if the criteria need one."""
    context: str | None = None
    """Further evidence, if the criteria need it."""
    expect: Annotated[dict[str, str], Field(min_length=1)]
    """The right level of each criterion, by id."""
    synthetic: bool = True
    """Written for the test, not taken from real data."""


class Rubric(Frozen):
    """A set of criteria, how they are scored, and whose standard they are."""

    id: PackId
    """Stable name: `name` or `domain/name`."""
    version: str
    """Version of the wording; a changed rubric is a new version."""
    title: str = ""
    """One line for tables and reports."""
    draft: bool = False
    """A draft needs no charter, licence, documentation and role."""
    role: str | None = None
    """Whose standard it is, for example `registered nurse`."""
    charter: Charter | None = None
    """Values, authors, agreement."""
    licence: Licence | None = None
    """Terms."""
    documentation: Documentation | None = None
    """Origin of labels, intended use, limits."""
    languages: tuple[str, ...] = ("en",)
    """BCP 47 tags of the languages that it was written for."""
    goal_level: Literal["instruction", "preference", "value"] | None = None
    """What the rubric aims at."""
    direction: Literal["ai-to-human", "human-to-ai"] = "ai-to-human"
    """Which side is asked to adapt."""
    conditions: tuple[Condition, ...] = ()
    """Necessary and sufficient conditions, with their evidence."""
    instructions: str = ""
    """Told to the judge before anything else."""
    template: str = "default"
    """Named prompt template."""
    scales: dict[str, ScaleField] = {}
    """Scales that criteria refer to by name."""
    groups: tuple[Group, ...] = ()
    """Inner nodes of a rubric tree."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    """What is judged, in the order of the report."""
    scoring: Annotated[
        ScoringChoice, BeforeValidator(_scoring_from_name, json_schema_input_type=str | ScoringChoice)
    ] = ScoringChoice(name="weighted")
    """How verdicts become a score."""
    tests: tuple[GoldenTest, ...] = ()
    """Golden tests."""

    @model_validator(mode="before")
    @classmethod
    def _named_scales(cls, data: Any) -> Any:
        """Put the scale in place of its name."""
        if not isinstance(data, dict) or not isinstance(data.get("scales"), dict):
            return data
        scales, criteria = data["scales"], data.get("criteria")
        if not isinstance(criteria, list | tuple):
            return data
        named = [
            {**item, "scale": scales[item["scale"]]}
            if isinstance(item, dict) and isinstance(item.get("scale"), str) and item["scale"] in scales
            else item
            for item in criteria
        ]
        return {**data, "criteria": named}

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        by_id = {criterion.id: criterion for criterion in self.criteria}
        for kind, names in (
            ("criteria", [criterion.id for criterion in self.criteria]),
            ("groups", [group.id for group in self.groups]),
            ("tests", [test.id for test in self.tests]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {kind} share the id {_first_repeat(names)!r}; ids are unique")
        self._check_groups()
        self._check_dependencies(by_id)
        for test in self.tests:
            for criterion_id, level in test.expect.items():
                if criterion_id not in by_id:
                    raise ValueError(f"test {test.id!r} expects a level of {criterion_id!r}, which is no criterion")
                if level not in by_id[criterion_id].scale:
                    raise ValueError(f"test {test.id!r} expects {level!r}, which is no level of {criterion_id!r}")
        return self

    def _check_groups(self) -> None:
        parents = {group.id: group.group for group in self.groups}
        for owner, parent in [*parents.items(), *((c.id, c.group) for c in self.criteria)]:
            if parent is not None and parent not in parents:
                raise ValueError(f"{owner!r} hangs from the group {parent!r}, which does not exist")
        _refuse_cycle({group: [] if parent is None else [parent] for group, parent in parents.items()}, "groups")

    def _check_dependencies(self, by_id: dict[str, Criterion]) -> None:
        for criterion in self.criteria:
            for dependency in criterion.depends_on:
                other = by_id.get(dependency.criterion)
                if other is None:
                    raise ValueError(f"{criterion.id!r} depends on {dependency.criterion!r}, which does not exist")
                for level in dependency.levels:
                    if level not in other.scale:
                        raise ValueError(f"{criterion.id!r} depends on {level!r}, which is no level of {other.id!r}")
        _refuse_cycle({c.id: [d.criterion for d in c.depends_on] for c in self.criteria}, "depends_on")

    def criterion(self, criterion_id: str) -> Criterion:
        """The criterion of that id.

        Raises:
            KeyError: The rubric has no such criterion.
        """
        return self._by_id[criterion_id]

    @cached_property
    def waves(self) -> tuple[tuple[Criterion, ...], ...]:
        """The criteria in the order in which they can be asked: each wave depends only on those before it."""
        needs = {c.id: [dependency.criterion for dependency in c.depends_on] for c in self.criteria}
        depth: dict[str, int] = {}
        for name in TopologicalSorter(needs).static_order():
            depth[name] = 1 + max((depth[need] for need in needs[name]), default=-1)
        waves: list[list[Criterion]] = [[] for _ in range(max(depth.values()) + 1)]
        for criterion in self.criteria:
            waves[depth[criterion.id]].append(criterion)
        return tuple(map(tuple, waves))

    @cached_property
    def _by_id(self) -> dict[str, Criterion]:
        return {criterion.id: criterion for criterion in self.criteria}

    @cached_property
    def hash(self) -> str:
        """Content hash of the whole rubric, shown in reports."""
        return content_hash(self)


def _refuse_cycle(needs: Mapping[str, Sequence[str]], where: str) -> None:
    """Raise ValueError if anything needs itself, directly or not."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        raise ValueError(f"{where} go round in a circle through {error.args[1][0]!r}") from None


def content_hash(value: BaseModel) -> str:
    """SHA-256 over the canonical JSON of a value (keys sorted, UTF-8), as 64 hexadecimal digits."""
    canonical = json.dumps(value.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
