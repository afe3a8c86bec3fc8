"""Tasks: checks the parameters that a user gives to one, draws samples, turns a rubric's golden tests into items."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from adjudge.errors import InputError, UnknownNameError
from adjudge.interfaces import Item, Parameter, TaskSpec
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission

T = TypeVar("T")

_TRUE, _FALSE = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}


def parameters_of(task: TaskSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a task, typed and checked.

    Args:
        task: The task.
        given: Values by name, as text from the command line or already typed.

    Raises:
        UnknownNameError: The task has no such parameter.
        InputError: A value is of the wrong type or not allowed.
    """
    known = {parameter.name: parameter for parameter in task.parameters}
    for name in given:
        if name not in known:
            raise UnknownNameError(f"parameter of the task {task.name!r}", name, known)
    return {name: _typed(task, parameter, given.get(name)) for name, parameter in known.items()}


def _typed(task: TaskSpec, parameter: Parameter, value: Any) -> Any:
    if value is None:
        return parameter.default
    typed = _convert(value, parameter.default)
    if typed is None:
        kind = type(parameter.default).__name__
        raise InputError(f"task {task.name!r}: {parameter.name}={value!r} is no {kind} ({parameter.summary})")
    if parameter.choices and typed not in parameter.choices:
        allowed = ", ".join(map(str, parameter.choices))
        raise InputError(f"task {task.name!r}: {parameter.name}={value!r} must be one of {allowed}")
    return typed


def _convert(value: Any, default: Any) -> Any:
    """The value in the type of the default; None if it does not fit."""
    if default is None or isinstance(default, str):
        return str(value)
    if isinstance(default, bool):
        word = str(value).casefold()
        return word in _TRUE if word in _TRUE | _FALSE else None
    try:
        typed = type(default)(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # A number that is none, or that lost its fraction on the way, is not what was meant.
    lost = isinstance(typed, float) and not math.isfinite(typed)
    return None if lost or (isinstance(value, float) and typed != value) else typed


def sampled(items: Sequence[T], size: int, seed: int, parameter: str = "sample") -> list[T]:
    """A random sample, in the order of the items.

    Args:
        items: What to draw from.
        size: How many; 0 for all.
        seed: Draws them.
        parameter: What the task calls the size, for the message.

    Raises:
        InputError: There are fewer.
    """
    if not size:
        return list(items)
    if not 0 < size <= len(items):
        raise InputError(f"{parameter}={size}: there are {len(items)}; ask for 1 to {len(items)}, or 0 for all")
    places = random.Random(seed).sample(range(len(items)), size)  # noqa: S311 - a reproducible choice, no secret
    return [items[place] for place in sorted(places)]


def golden_items(rubric: Rubric) -> list[Submission]:
    """The golden tests of a rubric as submissions, the expected levels as labels.

    Each carries the part of the rubric that its test speaks about, so that nothing else is asked.

    Raises:
        InputError: The rubric has none.
    """
    if not rubric.tests:
        raise InputError(f"the rubric {rubric.id!r} has no golden tests; add some under `tests:`")
    return [
        Submission(
            id=test.id,
            input=test.input,
            output=test.output,
            reference=test.reference,
            context=test.context,
            labels=tuple(Label(criterion=name, level=level, rater="golden") for name, level in test.expect.items()),
            rubric=_only(rubric, set(test.expect)),
            metadata={"synthetic": test.synthetic},
        )
        for test in rubric.tests
    ]


def unknown_labels(items: Sequence[Item], rubric: Rubric | None) -> list[str]:
    """Human labels that name no criterion or no level, one line each; they would say nothing without a word."""
    found: dict[str, None] = {}
    for item in items:
        own = (item.rubric if isinstance(item, Submission) else None) or rubric
        levels = (
            {criterion.id: {level.id for level in criterion.scale.levels} for criterion in own.criteria} if own else {}
        )
        for label in item.labels if isinstance(item, Submission) and own else ():
            if label.criterion not in levels:
                found[_unknown("criterion", label.criterion, levels)] = None
            elif label.level is not None and label.level not in levels[label.criterion]:
                found[_unknown(f"level of {label.criterion}", label.level, levels[label.criterion])] = None
    return list(found)


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"human labels name {name!r}, which is no {kind}{f'; did you mean {near[0]!r}?' if near else ''}"


def _only(rubric: Rubric, wanted: set[str]) -> Rubric | None:
    """The rubric with these criteria and what they depend on; None if that is all of it."""
    needed: set[str] = set()
    ahead = list(wanted)
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead += [dependency.criterion for dependency in rubric.criterion(name).depends_on]
    kept = tuple(criterion for criterion in rubric.criteria if criterion.id in needed)
    return None if len(kept) == len(rubric.criteria) else rubric.model_copy(update={"criteria": kept, "tests": ()})
