"""Checks the shape of a pack against its JSON Schema and says in plain words what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from adjudge.packs.findings import Findings, Place, nearest, shown
from adjudge.packs.schema import PUBLISHED, committed
from adjudge.packs.tree import Node

_KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of fields",
    "null": "nothing",
}
_HOW = {
    "number": "write it as in JSON, for example 2 or -0.5, without quotes",
    "boolean": "write true or false, without quotes",
    "array": "begin each item with `- `",
    "object": "write `field: value` on indented lines below it",
    "string": "write it as one text, in quotes if need be",
}


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(committed("rubric"), format_checker=FormatChecker(formats=("date",)))


def check_shape(value: Any, tree: Node, findings: Findings) -> None:
    """Note everything in which a pack differs from the rubric's schema.

    Args:
        value: The typed value of the whole file.
        tree: Where each part of it stands.
        findings: Takes the problems.

    Raises:
        PackError: There are too many of them.
    """
    for error in _validator().iter_errors(value):
        for leaf in _leaves(error):
            for place, message, rule in _explain(leaf, tree):
                findings.add(place, message, rule)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Look into alternatives: of those that take this kind of value, the first one's errors are the useful ones."""
    if error.validator != "anyOf":
        yield error
        return
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [errors for errors in branches.values() if not any(map(_is_other_kind, errors))]
    if not fitting:
        yield error
    for inner in fitting[0] if fitting else ():
        yield from _leaves(inner)


def _is_other_kind(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


Finding = tuple[Place, str, str]


def _explain(error: ValidationError, tree: Node) -> Iterator[Finding]:
    node = tree.find(error.absolute_path)
    if error.validator == "additionalProperties":
        yield from _unknown_fields(error, node)
    elif error.validator == "required":
        yield node.place, _missing_field(error), "missing-field"
    elif error.validator in {"type", "anyOf"}:
        yield node.place, _wrong_kind(error), "wrong-kind"
    else:
        say = _MESSAGES.get(str(error.validator), _as_it_is)
        yield node.place, say(error), "bad-value"


def _unknown_fields(error: ValidationError, node: Node) -> Iterator[Finding]:
    schema: Mapping[str, Any] = error.schema  # type: ignore[assignment] # a boolean schema has no additionalProperties
    known: Mapping[str, Any] = schema.get("properties", {})
    for name, (place, _) in node.entries.items():
        if name not in known:
            yield place, f"unknown field {shown(name)}; {nearest(name, known)}", "unknown-field"


def _missing_field(error: ValidationError) -> str:
    # jsonschema reports one missing field per error and names it only in its message.
    name = next(name for name in _asked(error) if error.message.startswith(repr(name)))
    if name in PUBLISHED and not error.absolute_path:
        about = committed("rubric")["properties"][name]["description"]
        return f"a published pack needs `{name}` ({about.rstrip('.').lower()}); add it, or `draft: true`"
    where = _name(error) if error.absolute_path else "the pack"
    return f"{where} needs the field `{name}`; add `{name}: …`"


def _wrong_kind(error: ValidationError) -> str:
    choices = [choice["type"] for choice in _branches(error) if choice.get("type") != "null"]
    wanted = " or ".join(dict.fromkeys(_KINDS[choice] for choice in choices)) or "something else"
    if error.instance is None:
        return f"{_name(error)} has no value; write {wanted}, or remove the line"
    found = shown(error.instance) if isinstance(error.instance, str | int | float) else _kind_of(error.instance)
    return f"{_name(error)} must be {wanted}, not {found}; {_HOW.get(choices[0] if choices else '', 'change it')}"


def _branches(error: ValidationError) -> list[dict[str, Any]]:
    """The schemas that were open to the value, references followed."""
    if error.validator == "type":
        return [{"type": _asked(error)}]
    definitions = committed("rubric")["$defs"]
    return [definitions[c["$ref"].rpartition("/")[2]] if "$ref" in c else c for c in _asked(error)]


def _asked(error: ValidationError) -> Any:
    """What the schema's keyword asks for."""
    return error.validator_value


def _kind_of(value: object) -> str:
    return "a list" if isinstance(value, list) else "a group of fields"


def _name(error: ValidationError) -> str:
    """The field that an error is about, as a reader would say it."""
    path = list(error.absolute_path)
    if not path:
        return "the pack"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{path[-2] if len(path) > 1 else ''}`"
    return f"`{shown(path[-1])[1:-1]}`"


def _as_it_is(error: ValidationError) -> str:
    return f"{_name(error)}: {error.message[:200]}"


def _enum(error: ValidationError) -> str:
    choices = [str(choice) for choice in _asked(error)]
    return f"{_name(error)} must be one of {', '.join(choices)}, not {shown(error.instance)}"


def _pattern(error: ValidationError) -> str:
    form = (
        "write `name` or `domain/name` in small letters, digits, `_` and `-`"
        if list(error.absolute_path) == ["id"]
        else "use letters, digits, `_`, `.` and `-`, beginning with a letter or digit"
    )
    return f"{_name(error)} cannot be {shown(error.instance)}; {form}"


_MESSAGES: Mapping[str, Callable[[ValidationError], str]] = {
    "enum": _enum,
    "pattern": _pattern,
    "format": lambda error: f"{_name(error)} must be a day such as 2026-01-31, not {shown(error.instance)}",
    "minLength": lambda error: f"{_name(error)} is empty; write something",
    "maxLength": lambda error: f"{_name(error)} is longer than {error.validator_value} characters; shorten it",
    "minItems": lambda error: f"{_name(error)} needs {error.validator_value} or more items",
    "maxItems": lambda error: f"{_name(error)} has more than {error.validator_value} items",
    "minProperties": lambda error: f"{_name(error)} is empty; name at least one",
    "exclusiveMinimum": lambda error: f"{_name(error)} must be greater than {error.validator_value}",
}
