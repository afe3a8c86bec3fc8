"""Warnings about packs that load but will mislead: each has a rule name, a place and a way to mend it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from adjudge.errors import Problem
from adjudge.packs import licences
from adjudge.packs.findings import nearest, shown

if TYPE_CHECKING:
    from adjudge.packs.load import Pack
    from adjudge.packs.tree import Node
    from adjudge.rubric import Criterion, Rubric

Path = tuple[str | int, ...]
Warning_ = tuple[Path, str, str]
"""Where in the rubric, what, and the name of the rule."""

# Bidirectional controls, tag characters and variation selectors: a reader does not see them and a judge does.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e01ef]")
_DIVIDES_BY_WEIGHTS = frozenset({"weighted", "points"})
_IGNORES_WEIGHTS = frozenset({"mean"})


def lint(
    pack: Pack,
    today: dt.date,
    scorings: Collection[str] | None = None,
    templates: Collection[str] | None = None,
) -> list[Problem]:
    """Look a pack over.

    Args:
        pack: A pack that loads.
        today: The day by which a source has expired or not.
        scorings: Names of the scorings that are installed; not checked if None.
        templates: Names of the prompt templates that are installed; not checked if None.

    Returns:
        Warnings, in file order.
    """
    rubric = pack.rubric
    found = [warning for check in _CHECKS for warning in check(rubric)]
    found += _source_warnings(rubric, today)
    found += _unknown_names(rubric, scorings, templates)
    warnings = [Problem(pack.path, *pack.place(*path), message, rule) for path, message, rule in found]
    if pack.tree is not None:
        warnings += _hidden_characters(pack.tree, pack.path)
    return sorted(warnings, key=lambda problem: (problem.line, problem.column, problem.rule))


def _charter_values(rubric: Rubric) -> Iterator[Warning_]:
    if rubric.charter is None:
        return
    values = rubric.charter.values
    served = {value for criterion in rubric.criteria for value in criterion.values}
    for index, value in enumerate(values):
        if value not in served:
            message = f"no criterion serves the value {shown(value)}; add one with `values: [{value}]`"
            yield ("charter", "values", index), message, "value-without-criterion"
    for index, criterion in enumerate(rubric.criteria):
        if not criterion.values:
            message = f"{shown(criterion.id)} serves no value of the charter; add `values`"
            yield ("criteria", index), message, "criterion-without-value"
        for number, value in enumerate(criterion.values):
            if value not in values:
                message = f"the charter has no value {shown(value)}; {nearest(value, values)}"
                yield ("criteria", index, "values", number), message, "unknown-value"


def _agreement(rubric: Rubric) -> Iterator[Warning_]:
    if rubric.role and (rubric.charter is None or not rubric.charter.agreed_by.strip()):
        message = "a role's standard needs to say who agreed to it; fill in `charter.agreed_by`"
        yield ("role",), message, "role-without-agreement"


def _must_without_source(rubric: Rubric) -> Iterator[Warning_]:
    for index, criterion in enumerate(rubric.criteria):
        if criterion.importance == "must" and not criterion.sources:
            message = f"{shown(criterion.id)} is a must and names no source; add `sources`"
            yield ("criteria", index), message, "must-without-source"


def _same_text(rubric: Rubric) -> Iterator[Warning_]:
    first: dict[str, str] = {}
    for index, criterion in enumerate(rubric.criteria):
        text = " ".join(criterion.text.split()).casefold()
        if text in first:
            message = f"{shown(criterion.id)} asks the same as {shown(first[text])}; remove one"
            yield ("criteria", index, "text"), message, "same-text"
        first.setdefault(text, criterion.id)


def _idle_weights(rubric: Rubric) -> Iterator[Warning_]:
    """Weights whose size was written down and cannot change the score; the sign always can."""
    all_alike = len({abs(c.weight) for c in rubric.criteria}) == 1 and rubric.scoring.name in _DIVIDES_BY_WEIGHTS
    for index, criterion in enumerate(rubric.criteria):
        if abs(criterion.weight) == 1:
            continue
        why = _why_idle(criterion, rubric) or ("all weights are alike, so they cancel out" if all_alike else None)
        if why:
            message = f"the size of the weight of {shown(criterion.id)} has no effect: {why}; write 1 or -1"
            yield ("criteria", index, "weight"), message, "idle-weight"


def _why_idle(criterion: Criterion, rubric: Rubric) -> str | None:
    scores = {level.score for level in criterion.scale.levels}
    if None in scores:
        return "its levels have no scores"
    if len(scores) == 1:
        return "all its levels have the same score"
    if rubric.scoring.name == "gated" and criterion.importance == "may":
        return "a `may` is only reported"
    if rubric.scoring.name in _IGNORES_WEIGHTS:
        return f"the scoring {rubric.scoring.name!r} gives all criteria the same share"
    return None


def _golden_tests(rubric: Rubric) -> Iterator[Warning_]:
    if not rubric.tests:
        yield (), "no golden tests, so no judge can be checked on this rubric; add `tests`", "no-tests"
    expected: dict[str, set[str]] = {}
    place: dict[str, Path] = {}
    for index, test in enumerate(rubric.tests):
        for criterion, level in test.expect.items():
            expected.setdefault(criterion, set()).add(level)
            place.setdefault(criterion, ("tests", index, "expect", criterion))
    for criterion, levels in expected.items():
        if len(levels) == 1:
            message = f"the tests expect {shown(criterion)} at {shown(min(levels))} only; add one at another level"
            yield place[criterion], message, "one-level-tests"


def _licence_terms(rubric: Rubric) -> Iterator[Warning_]:
    if rubric.licence is None:
        return
    own = rubric.licence.spdx
    named = [(("licence", "spdx"), own)]
    named += [(("licence", "data_licences", i), data) for i, data in enumerate(rubric.licence.data_licences)]  # type: ignore[misc] # places may hold numbers too
    for path, expression in named:
        for name in licences.unknown(expression):
            if name not in {"NONE", "NOASSERTION"}:
                message = f"{shown(name)} is no SPDX identifier known here; {nearest(name, sorted(licences.KNOWN))}"
                yield path, message, "unknown-licence"
    for path, data in named[1:]:
        why = licences.conflict(own, data)
        if why:
            yield path, f"{why}; change `spdx` or leave the data out", "licence-conflict"


_CHECKS: tuple[Callable[[Rubric], Iterator[Warning_]], ...] = (
    _charter_values,
    _agreement,
    _must_without_source,
    _same_text,
    _idle_weights,
    _golden_tests,
    _licence_terms,
)


def _source_warnings(rubric: Rubric, today: dt.date) -> Iterator[Warning_]:
    for index, criterion in enumerate(rubric.criteria):
        for number, source in enumerate(criterion.sources):
            path: Path = ("criteria", index, "sources", number)
            begins, ends = source.in_force_from, source.in_force_to
            if begins and ends and ends < begins:
                message = f"{shown(source.norm)} ends on {ends}, before it begins; swap the dates"
                yield (*path, "in_force_to"), message, "source-dates"
            elif ends and ends < today:
                message = f"{shown(source.norm)} expired on {ends}; cite what replaced it"
                yield (*path, "in_force_to"), message, "expired-source"
            elif begins and begins > today:
                message = f"{shown(source.norm)} holds only from {begins}; cite what holds today"
                yield (*path, "in_force_from"), message, "source-not-in-force"


def _unknown_names(
    rubric: Rubric, scorings: Collection[str] | None, templates: Collection[str] | None
) -> Iterator[Warning_]:
    if scorings is not None and rubric.scoring.name not in scorings:
        message = f"no scoring {shown(rubric.scoring.name)} is installed; {nearest(rubric.scoring.name, scorings)}"
        yield ("scoring",), message, "unknown-scoring"
    if templates is not None and rubric.template not in templates:
        message = f"no prompt template {shown(rubric.template)} is installed; {nearest(rubric.template, templates)}"
        yield ("template",), message, "unknown-template"


def _hidden_characters(root: Node, file: str) -> Iterator[Problem]:
    ahead = [root]
    while ahead:
        node = ahead.pop()
        found = _HIDDEN.search(node.text)
        if found:
            message = f"the text holds the invisible character U+{ord(found.group()):04X}; remove it"
            yield Problem(file, *node.place, message, "hidden-character")
        ahead += node.items
        ahead += [child for _, child in node.entries.values()]
