"""The kinds of check: what each takes, and when it holds. No check runs code of a pack.

A pattern is matched by RE2, in time linear in the text, whatever a pack brings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from adjudge.checks.text import folded, last_number, numbers, strict_json, words
from adjudge.errors import UnsupportedError
from adjudge.values import Frozen

RE2_HINT = "the check 'regex' needs google-re2: pip install \"adjudge[re2]\""


class MissingReferenceError(Exception):
    """The submission has no reference to compare with."""


class NotInstalledError(UnsupportedError):
    """A check needs what is not installed on this machine; its declaration may be all right."""


class CheckBase(Frozen):
    """What every check takes."""

    negate: bool = False
    """Met if the check is not."""
    levels: tuple[str, str] | None = None
    """Levels for not met and met; the lowest and the highest if None."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether it holds, and why."""
        raise NotImplementedError("say what holds: override find")


def _wanted(value: Any, reference: str | None) -> Any:
    if value is not None:
        return value
    if reference is None:
        raise MissingReferenceError
    return reference


class Exact(CheckBase):
    """The whole text is one of these."""

    kind: Literal["exact"]
    value: str | tuple[str, ...] | None = None
    """The submission's reference if None."""
    ignore_case: bool = False
    """Compare without case."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether the text is one of the values."""
        values = _as_tuple(_wanted(self.value, reference))
        given = folded(text, ignore_case=self.ignore_case)
        same = any(given == folded(value, ignore_case=self.ignore_case) for value in values)
        return same, f"the text is {'' if same else 'not '}{' or '.join(map(_short, values))}"


class Contains(CheckBase):
    """These pieces stand in the text."""

    kind: Literal["contains"]
    value: str | tuple[str, ...] | None = None
    """The submission's reference if None."""
    need: Literal["all", "any"] = "all"
    """How many of them."""
    ignore_case: bool = False
    """Compare without case."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether all or any of the pieces are there."""
        values = _as_tuple(_wanted(self.value, reference))
        given = folded(text, ignore_case=self.ignore_case)
        missing = [value for value in values if folded(value, ignore_case=self.ignore_case) not in given]
        holds = not missing if self.need == "all" else len(missing) < len(values)
        return holds, f"missing: {', '.join(map(_short, missing))}" if missing else "all pieces are there"


class Regex(CheckBase):
    """A pattern in the syntax of RE2 matches somewhere, or the whole text."""

    kind: Literal["regex"]
    pattern: str
    """RE2 syntax: no look-around, no back-references, linear time."""
    whole: bool = False
    """Match the whole text."""
    ignore_case: bool = False
    """Match without case."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether the pattern matches."""
        del reference
        compiled = self.compiled()
        match = compiled.fullmatch(text) if self.whole else compiled.search(text)
        return bool(match), f"matched {_short(match.group(0))}" if match else "the pattern does not match"

    def compiled(self) -> Any:
        """The pattern, compiled by RE2.

        Raises:
            UnsupportedError: RE2 is not installed, or does not take the pattern.
        """
        try:
            import re2
        except ImportError as error:
            raise NotInstalledError(RE2_HINT) from error
        options = re2.Options()
        options.log_errors, options.case_sensitive = False, not self.ignore_case
        try:
            return re2.compile(self.pattern, options)
        except re2.error as error:
            raise UnsupportedError(f"the pattern {_short(self.pattern)} is not RE2 syntax: {_said(error)}") from error


class Numeric(CheckBase):
    """A number in the text is near a value."""

    kind: Literal["numeric"]
    value: float | None = None
    """The number in the submission's reference if None."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """Largest difference."""
    relative: bool = False
    """The tolerance is a share of the value."""
    which: Literal["last", "first", "any", "only"] = "last"
    """Which number of the text counts; `only`: the text must hold no other."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether the number is near enough; a text without a number is not."""
        value = self.value if self.value is not None else last_number(_wanted(None, reference))
        if value is None:
            raise MissingReferenceError
        found = list(numbers(text))
        chosen = {"last": found[-1:], "first": found[:1], "any": found}.get(self.which, found)
        if not chosen or (self.which == "only" and len(found) != 1):
            return False, f"{len(found)} numbers in the text"
        room = self.tolerance * (abs(value) if self.relative else 1.0)
        # A few units in the last place, since 0.1 + 0.2 is meant to be 0.3.
        near = [number for number in chosen if abs(number - value) <= room + 1e-12 * max(1.0, abs(value))]
        return bool(near), f"{(near or chosen)[0]:g} against {value:g} ± {room:g}"


class JsonSchema(CheckBase):
    """The whole text is JSON of a schema (draft 2020-12); references outside it and patterns are refused."""

    kind: Literal["json_schema"]
    # No field may be called `schema`: pydantic has a method of that name.
    of: dict[str, JsonValue]
    """The schema."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether the text is JSON, without NaN and repeated keys, and fits."""
        del reference
        try:
            value = strict_json(text)
        except (ValueError, RecursionError) as error:
            return False, f"not JSON: {_said(error)}"
        problem = next(iter(self.validator().iter_errors(value)), None)
        return problem is None, "fits the schema" if problem is None else _said(problem.message)

    def validator(self) -> Any:
        """The compiled schema.

        Raises:
            UnsupportedError: It is no schema, refers to something outside itself, or holds a pattern.
        """
        from jsonschema import Draft202012Validator, SchemaError
        from referencing import Registry

        for name, value in _keywords(self.of):
            if name == "patternProperties" or (name in ("pattern", "format") and isinstance(value, str)):
                raise UnsupportedError(f"a schema of a check has no {name!r}; use the check 'regex' beside it")
            if name in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
                raise UnsupportedError(f"a schema of a check refers only to itself, not to {_short(str(value))}")
        try:
            Draft202012Validator.check_schema(self.of)
        except SchemaError as error:
            raise UnsupportedError(f"not a JSON schema: {_said(error.message)}") from error
        return Draft202012Validator(self.of, registry=Registry())


class Length(CheckBase):
    """The text has so many words or characters; a CJK character counts as a word."""

    kind: Literal["length"]
    unit: Literal["words", "characters"] = "words"
    """What is counted."""
    min: Annotated[int, Field(ge=0)] = 0
    """Least number."""
    max: Annotated[int, Field(ge=0)] | None = None
    """Largest number."""

    def find(self, text: str, reference: str | None) -> tuple[bool, str]:
        """Whether the length lies between the two."""
        del reference
        count = words(text) if self.unit == "words" else len(unicodedata.normalize("NFC", text))
        holds = self.min <= count and (self.max is None or count <= self.max)
        return holds, f"{count} {self.unit}, {self.min} to {'any number' if self.max is None else self.max} wanted"


Check = Exact | Contains | Regex | Numeric | JsonSchema | Length
KINDS: dict[str, type[Check]] = {
    "contains": Contains,
    "exact": Exact,
    "json_schema": JsonSchema,
    "length": Length,
    "numeric": Numeric,
    "regex": Regex,
}
"""What a declaration may name as its `kind`."""


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every key in a schema, however deep; names of properties too, which is more than needed and safe."""
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            yield from value.items()
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value


def _as_tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


_SHOWN = 60


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _said(error: object) -> str:
    return " ".join(str(error).split())[:200]
