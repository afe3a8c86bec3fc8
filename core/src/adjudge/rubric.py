"""What is judged by: scales, criteria and rubrics, as frozen values.

A rubric is plain data. It can be written in YAML (`adjudge.packs`), built in Python, or travel with one submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from adjudge.charter import Charter, Condition, Documentation, Licence
from adjudge.criterion import Criterion, Dependency, Evidence, Example, Source
from adjudge.errors import UnknownNameError
from adjudge.scale import BINARY, Level, Scale, ScaleField
from adjudge.values import Frozen, Id, PackId, content_hash, first_repeat

__all__ = [
    "BINARY",
    "Charter",
    "Condition",
    "Criterion",
    "Dependency",
    "Documentation",
    "Evidence",
    "Example",
    "Frozen",
    "GoldenTest",
    "Group",
    "Level",
    "Licence",
    "Rubric",
    "Scale",
    "ScoringChoice",
    "Source",
]


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
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Passed to the scoring."""
    use: Literal["level", "expected"] = "level"
    """Score the level, or the expected score over the distribution where it is known."""


def _scoring_from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


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
    scales: dict[str, ScaleField] = Field(default_factory=dict)
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
                raise ValueError(f"two {kind} share the id {first_repeat(names)!r}; ids are unique")
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

    def with_criteria(self, ids: Iterable[str]) -> Rubric:
        """The rubric with these criteria alone, in its own order, and without its golden tests.

        Raises:
            UnknownNameError: The rubric has no such criterion.
            ValueError: None is left, or one depends on a criterion that is left out.
        """
        wanted = dict.fromkeys(ids)
        for name in wanted:
            if name not in self._by_id:
                raise UnknownNameError(f"criterion of {self.id!r}", name, self._by_id)
        kept = tuple(criterion for criterion in self.criteria if criterion.id in wanted)
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Rubric.model_validate({**fields, "criteria": kept, "tests": ()})

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """For what others derive from this rubric again and again; a changed copy begins with none."""
        return {}

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
