"""Checks that need no model: declared in a criterion's `options["check"]` as data, pure functions of the submission.

    options:
      check: {kind: regex, pattern: "ISBN [0-9-]{13,17}"}

A check is met or not; `negate: true` turns it round. On a scale of more than two levels, or of labels, `levels: [not
met, met]` says which levels stand for that. A pattern is matched by RE2, in time linear in the text, whatever a pack
brings; no check runs code of a pack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic import ValidationError

from adjudge.checks.kinds import KINDS, Check, JsonSchema, NotInstalledError, Regex
from adjudge.checks.text import answer_text
from adjudge.criterion import Criterion
from adjudge.errors import UnsupportedError
from adjudge.scale import Scale
from adjudge.submission import Submission

CHECK = "check"
"""Key in `Criterion.options`."""

Fault: TypeAlias = tuple[tuple[str | int, ...], str, str]
"""Where inside the declaration, what is wrong and how to mend it, and the name of the rule, as of a pack's faults."""
_BAD = "bad-check"


def check_of(criterion: Criterion) -> Check | None:
    """The check that a criterion declares, None if it has none.

    Raises:
        UnsupportedError: It is malformed, names a level that the scale lacks, or needs what is not installed; the text
            names every fault.
    """
    declared = criterion.options.get(CHECK)
    if declared is None:
        return None
    found = [message for _, message, _ in faults(declared, criterion.scale)]
    if found:
        raise UnsupportedError(f"criterion {criterion.id!r}: check: {'; '.join(found)}")
    check = _typed(declared)
    try:
        _compiled(check)
    except NotInstalledError as error:
        raise UnsupportedError(f"criterion {criterion.id!r}: {error}") from error
    return check


def faults(declared: Any, scale: Scale | None) -> Iterator[Fault]:
    """Everything that is wrong with what a criterion declares as its check.

    Args:
        declared: The value of `options.check`.
        scale: The criterion's scale; its levels are not looked at if None.
    """
    kinds = ", ".join(KINDS)
    if not isinstance(declared, Mapping) or "kind" not in declared:
        yield (), f"a check needs the field `kind`, one of {kinds}", "missing-field"
    elif str(declared["kind"]) not in KINDS:
        yield ("kind",), f"no kind of check {declared['kind']!r}; {_near(str(declared['kind']), KINDS)}", _BAD
    else:
        try:
            check = _typed(declared)
        except ValidationError as error:
            yield from _form_faults(error, declared["kind"])
        else:
            yield from _meaning_faults(check, scale)


def _typed(declared: Any) -> Check:
    return KINDS[declared["kind"]].model_validate(dict(declared))


def _form_faults(error: ValidationError, kind: str) -> Iterator[Fault]:
    fields = KINDS[kind].model_fields
    told: set[object] = set()
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        path, name = detail["loc"], detail["loc"][0]
        if name in told:  # a value that may be of several types is told of once for each
            continue
        told.add(name)
        if detail["type"] == "extra_forbidden":
            yield path, f"the check {kind!r} has no field {name!r}; {_near(str(name), fields)}", "unknown-field"
        elif detail["type"] == "missing":
            yield (), f"the check {kind!r} needs the field `{name}`; add `{name}: …`", "missing-field"
        else:
            yield path, f"`{name}`: {detail['msg']}", _BAD


def _meaning_faults(check: Check, scale: Scale | None) -> Iterator[Fault]:
    if scale is not None:
        levels = [level.id for level in scale.levels]
        for place, level in enumerate(check.levels or ()):
            if level not in scale:
                yield ("levels", place), f"the level {level!r} is not in its scale; {_near(level, levels)}", _BAD
        if check.levels is None and scale.kind == "labels":
            yield (), "a check on labels needs levels: [not met, met]", _BAD
    try:
        _compiled(check)
    except NotInstalledError:
        return
    except UnsupportedError as error:
        yield ("pattern" if isinstance(check, Regex) else "of",), str(error), _BAD


def _compiled(check: Check) -> None:
    """Raise `UnsupportedError` if its pattern or schema cannot be."""
    if isinstance(check, Regex):
        check.compiled()
    elif isinstance(check, JsonSchema):
        check.validator()


def _near(name: str, known: Collection[str]) -> str:
    found = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"there is {', '.join(known)}"


def level_found(criterion: Criterion, check: Check, submission: Submission) -> tuple[str, str]:
    """Id of the level that a check gives, and why.

    Raises:
        MissingReferenceError: It compares with a reference that the submission lacks.
    """
    holds, why = check.find(answer_text(submission.output), submission.reference)
    levels = check.levels or (criterion.scale.levels[0].id, criterion.scale.levels[-1].id)
    return levels[holds != check.negate], why
