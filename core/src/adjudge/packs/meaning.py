"""Checks what a pack means: names that refer to something refer to what exists, and scales make sense.

The model checks the same again and stops at the first problem; here every one is found, with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from adjudge.checks import CHECK, faults
from adjudge.packs.findings import Findings, Place, nearest, shown
from adjudge.packs.tree import Node
from adjudge.rubric import Rubric
from adjudge.scale import BINARY, Scale, ScaleField

Path = tuple[str | int, ...]
Finding = tuple[Path, str, str]

_SCALE: TypeAdapter[Scale] = TypeAdapter(ScaleField)
_SHORT_FORMS = "write binary, a range such as 1-5, a name from `scales`, or a scale with kind and levels"


def build_rubric(value: Any, tree: Node, findings: Findings) -> Rubric:
    """Make the rubric, or refuse it with the place of everything that does not hold.

    Args:
        value: A value of the right shape.
        tree: Where each part of it stands.
        findings: Takes the problems.

    Raises:
        PackError: Something does not hold.
    """
    found = list(_findings(value))
    for path, message, rule in found:
        findings.add(_place(tree, path, rule), message, rule)
    try:
        rubric = Rubric.model_validate(value)
    except ValidationError as error:
        _add_model_errors(error, [path for path, _, _ in found], tree, findings)
        findings.raise_if_any()
        raise
    findings.raise_if_any()
    return rubric


def _place(tree: Node, path: Path, rule: str) -> Place:
    """Where a finding is shown: at the name of a field that is not known, else at the value."""
    if rule == "unknown-field":
        entries = tree.find(path[:-1]).entries
        if path[-1] in entries:
            return entries[str(path[-1])][0]
    return tree.find(path).place


def _add_model_errors(error: ValidationError, known: list[Path], tree: Node, findings: Findings) -> None:
    """Add what the model found, unless one of our own findings inside the same part says it better."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    # The shape is right, so what is no value error (a list too short) only follows from one.
    for detail in [each for each in details if each["type"] == "value_error"] or details:
        path = detail["loc"]
        if any(own[: len(path)] == path or path[: len(own)] == own for own in known) or _is_told_of(path, tree):
            continue
        message = detail["msg"].removeprefix("Value error, ")
        where = f"`{shown(str(path[-1]))[1:-1]}`: " if path and isinstance(path[-1], str) else ""
        findings.add(tree.find(path).place, where + message, "bad-value")


def _is_told_of(path: Path, tree: Node) -> bool:
    """Whether the error lies in a scale that a criterion names: it is told where the scale stands."""
    return path[2:3] == ("scale",) and tree.find(path[:3]).kind == "scalar"


def _findings(pack: dict[str, Any]) -> Iterator[Finding]:
    scales = pack.get("scales", {})
    criteria = pack["criteria"]
    levels: dict[str, Scale | None] = {}
    for index, criterion in enumerate(criteria):
        scale = _scale(criterion.get("scale"), scales)
        levels.setdefault(criterion["id"], scale)
        yield from _criterion_findings(criterion, scale, scales, ("criteria", index))
    for name, scale in scales.items():
        yield from _scale_findings(scale, {}, ("scales", name))
    for kind in ("criteria", "groups", "tests"):
        yield from _repeated_ids(pack.get(kind, ()), (kind,))
    yield from _group_findings(pack)
    yield from _dependency_findings(criteria, levels)
    yield from _test_findings(pack.get("tests", ()), levels)


def _scale(value: Any, scales: Mapping[str, Any]) -> Scale | None:
    """The scale that a criterion means; None if it cannot be told."""
    if value is None:
        return BINARY
    try:
        return _SCALE.validate_python(scales.get(value, value) if isinstance(value, str) else value)
    except ValidationError:
        return None


def _criterion_findings(
    criterion: dict[str, Any], scale: Scale | None, scales: Mapping[str, Any], path: Path
) -> Iterator[Finding]:
    if "scale" in criterion:
        yield from _scale_findings(criterion["scale"], scales, (*path, "scale"))
    if criterion.get("weight") == 0:
        yield (
            (*path, "weight"),
            "a weight of 0 has no effect; remove the criterion, or use `scoring: gated` with `importance: may`",
            "bad-value",
        )
    options = criterion.get("options") or {}
    if options.get(CHECK) is not None:
        for place, message, rule in faults(options[CHECK], scale):
            yield (*path, "options", CHECK, *place), message, rule
    for index, example in enumerate(criterion.get("examples", ())):
        yield from _level_finding(example["level"], criterion["id"], scale, (*path, "examples", index, "level"))


def _scale_findings(scale: Any, scales: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    if isinstance(scale, str):
        if scale not in scales and _scale(scale, {}) is None:
            hint = f" ({nearest(scale, scales)})" if scales else ""
            yield path, f"no scale {shown(scale)}; {_SHORT_FORMS}{hint}", "unknown-scale"
    else:
        yield from _repeated_ids(scale["levels"], (*path, "levels"))


def _repeated_ids(items: Any, path: Path) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        key = item["id"].casefold() if path[-1] == "levels" else item["id"]
        if key in seen:
            message = f"item {seen[key] + 1} of `{path[-1]}` has the id {shown(item['id'])} already; ids are unique"
            yield (*path, index, "id"), message, "repeated-id"
        seen.setdefault(key, index)


def _level_finding(level: str, criterion: str, scale: Scale | None, path: Path) -> Iterator[Finding]:
    if scale is not None and level not in scale:
        known = [each.id for each in scale.levels]
        yield path, f"{shown(level)} is no level of {shown(criterion)}; {nearest(level, known)}", "unknown-level"


def _group_findings(pack: dict[str, Any]) -> Iterator[Finding]:
    groups = {group["id"]: index for index, group in enumerate(pack.get("groups", ()))}
    for kind in ("groups", "criteria"):
        for index, item in enumerate(pack.get(kind, ())):
            parent = item.get("group")
            if parent is not None and parent not in groups:
                message = f"no group {shown(parent)}; {nearest(parent, groups)}"
                yield (kind, index, "group"), message, "unknown-group"
    parents = {group["id"]: [group["group"]] for group in pack.get("groups", ()) if group.get("group") is not None}
    for name in _on_a_circle(parents):
        yield ("groups", groups.get(name, 0), "group"), "groups go round in a circle through this one", "circle"


def _dependency_findings(criteria: list[dict[str, Any]], levels: Mapping[str, Scale | None]) -> Iterator[Finding]:
    index_of = {criterion["id"]: index for index, criterion in enumerate(criteria)}
    for index, criterion in enumerate(criteria):
        for place, dependency in enumerate(criterion.get("depends_on", ())):
            other, path = dependency["criterion"], ("criteria", index, "depends_on", place)
            if other not in levels:
                message = f"no criterion {shown(other)}; {nearest(other, levels)}"
                yield (*path, "criterion"), message, "unknown-criterion"
                continue
            for number, level in enumerate(dependency.get("levels", ())):
                yield from _level_finding(level, other, levels[other], (*path, "levels", number))
    graph = {c["id"]: [d["criterion"] for d in c.get("depends_on", ())] for c in criteria}
    for name in _on_a_circle(graph):
        yield ("criteria", index_of.get(name, 0), "depends_on"), "depends_on goes round in a circle", "circle"


def _on_a_circle(graph: Mapping[str, list[str]]) -> list[str]:
    """One node that can be reached from itself, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [error.args[1][0]]
    return []


def _test_findings(tests: Any, levels: Mapping[str, Scale | None]) -> Iterator[Finding]:
    for index, test in enumerate(tests):
        for criterion, level in test["expect"].items():
            path = ("tests", index, "expect", criterion)
            if criterion in levels:
                yield from _level_finding(level, criterion, levels[criterion], path)
            else:
                yield path, f"no criterion {shown(criterion)}; {nearest(criterion, levels)}", "unknown-criterion"
