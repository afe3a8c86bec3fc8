"""Amendments to a rubric: a sentence more in a criterion or an anchor, or a new criterion; as values and as a diff.

The file of the pack is never written. What is proposed comes out as a diff that leaves every other line as it is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from adjudge.errors import InputError, UnsupportedError
from adjudge.packs import load_pack
from adjudge.packs.load import parse_pack
from adjudge.rubric import Criterion, Rubric
from adjudge.values import Frozen, Id

Sentence = Annotated[str, Field(min_length=3, max_length=400, pattern=r"^\S[^\n]*\S$")]


class Amendment(Frozen):
    """One change to a criterion."""

    change: Literal["text", "anchor", "criterion"]
    """A sentence more in its text, a sentence more in the anchor of a level, or a new criterion beside it."""
    sentence: Sentence
    """The sentence; of a new criterion its text."""
    level: str = ""
    """Whose anchor."""
    id: Id | None = None
    """Of a new criterion."""

    def __str__(self) -> str:
        where = {"text": "text", "anchor": f"anchor of {self.level}", "criterion": f"new criterion {self.id}"}
        return f"{where[self.change]}: {self.sentence}"


def refusal(amendment: Amendment, rubric: Rubric, criterion: Criterion) -> str:
    """Why an amendment cannot be made; empty if it can."""
    if amendment.change == "anchor" and amendment.level not in criterion.scale:
        return f"{amendment.level!r} is no level of {criterion.id!r}"
    if amendment.change == "anchor" and criterion.scale.kind == "binary":
        return f"{criterion.id!r} is met or not, without anchors"
    if amendment.change == "anchor" and criterion.scale in rubric.scales.values():
        return f"the scale of {criterion.id!r} is shared, and other criteria would change with it"
    if amendment.change == "criterion" and (amendment.id is None or amendment.id in {c.id for c in rubric.criteria}):
        return f"{amendment.id!r} is no new id"
    return ""


def amended(rubric: Rubric, criterion: str, amendments: Iterable[Amendment]) -> Rubric:
    """The rubric with amendments to one criterion, and a version of its own.

    Raises:
        UnsupportedError: One cannot be made.
    """
    found = rubric
    for amendment in amendments:
        if why := refusal(amendment, found, found.criterion(criterion)):
            raise UnsupportedError(why)
        found = _with(found, criterion, amendment)
    return found if found is rubric else found.model_copy(update={"version": raised(rubric.version)})


def _with(rubric: Rubric, criterion: str, amendment: Amendment) -> Rubric:
    if amendment.change == "criterion":
        assert amendment.id is not None
        new = Criterion(id=amendment.id, text=amendment.sentence, values=rubric.criterion(criterion).values)
        return rubric.model_copy(update={"criteria": (*rubric.criteria, new)})
    changed = tuple(_changed(one, amendment) if one.id == criterion else one for one in rubric.criteria)
    return rubric.model_copy(update={"criteria": changed})


def _changed(criterion: Criterion, amendment: Amendment) -> Criterion:
    if amendment.change == "text":
        return criterion.model_copy(update={"text": _joined(criterion.text, amendment.sentence)})
    levels = tuple(
        level.model_copy(update={"anchor": _joined(level.anchor, amendment.sentence)})
        if level.id == amendment.level
        else level
        for level in criterion.scale.levels
    )
    return criterion.model_copy(update={"scale": criterion.scale.model_copy(update={"levels": levels})})


def _joined(text: str, sentence: str) -> str:
    return f"{text.strip()} {sentence}".strip()


def raised(version: str) -> str:
    """The version after this one: its last number one higher."""
    numbers = list(re.finditer(r"\d+", version))
    if not numbers:
        return f"{version}.1"
    last = numbers[-1]
    return f"{version[: last.start()]}{int(last[0]) + 1}{version[last.end() :]}"


def diff(path: str, criterion: str, amendments: Sequence[Amendment], notes: Iterable[str] = ()) -> str:
    """A unified diff of the pack's file, for `patch -p0`, that makes the amendments.

    Args:
        path: The file.
        criterion: The criterion that is amended.
        amendments: What to change; none gives an empty diff.
        notes: Lines that stand before it, for the reader; `patch` passes them over.

    Raises:
        PackError: The file is no pack.
        UnsupportedError: The file is written in a way that cannot be amended line by line.
    """
    before = _read(path)
    wanted = amended(load_pack(path).rubric, criterion, amendments)
    after = before
    for amendment in amendments:
        after = _edited(after, criterion, amendment)
    after = _with_scalar(after, ("version",), wanted.version) if amendments else after
    if amendments and parse_pack(after.encode(), path).rubric != wanted:
        raise UnsupportedError(f"{path}: cannot be amended line by line; write criterion {criterion!r} in block style")
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, path)
    return "".join([*(f"# {note}\n" for note in notes), *lines])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - line ends stay as they are
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _edited(text: str, criterion: str, amendment: Amendment) -> str:
    root = yaml.compose(text, yaml.SafeLoader)  # checked as a strict pack before; only the places are used
    place = next(n for n, item in enumerate(_at(root, ("criteria",)).value) if _at(item, ("id",)).value == criterion)
    if amendment.change == "criterion":
        return _appended(
            text, _at(root, ("criteria",)), amendment, _scalar_list(_at(root, ("criteria", place)), "values")
        )
    where: tuple[str | int, ...] = ("criteria", place, "text")
    if amendment.change == "anchor":
        levels = _at(root, ("criteria", place, "scale", "levels")).value
        level = next(n for n, item in enumerate(levels) if _at(item, ("id",)).value == amendment.level)
        where = ("criteria", place, "scale", "levels", level, "anchor")
    return _with_scalar(text, where, _joined(_at(root, where).value, amendment.sentence))


def _at(node: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        found = (
            [value for key, value in node.value if key.value == step] if isinstance(step, str) else [node.value[step]]
        )
        if not found:
            raise UnsupportedError(f"line {node.start_mark.line + 1}: has no {step!r} that could be amended; write one")
        node = found[0]
    return node


def _scalar_list(node: Any, name: str) -> list[str]:
    return next(([one.value for one in value.value] for key, value in node.value if key.value == name), [])


def _with_scalar(text: str, path: Iterable[str | int], value: str) -> str:
    """The text with another scalar at a path, in double quotes."""
    node = _at(yaml.compose(text, yaml.SafeLoader), path)
    start, end = node.start_mark.index, node.end_mark.index
    rest = text[start:end]
    tail = rest[len(rest.rstrip()) :]
    return text[:start] + json.dumps(value, ensure_ascii=False) + tail + text[end:]


def _appended(text: str, criteria: Any, amendment: Amendment, values: Sequence[str]) -> str:
    """The text with a new criterion after the last one."""
    if criteria.flow_style:
        raise UnsupportedError("the criteria stand in brackets; write them as a list with dashes")
    indent, end = " " * criteria.start_mark.column, len(text[: criteria.end_mark.index].rstrip())
    break_ = "\r\n" if "\r\n" in text else "\n"
    return text[:end] + break_ + break_.join(_block(indent, amendment, values)) + text[end:]


def _block(indent: str, amendment: Amendment, values: Sequence[str]) -> Iterator[str]:
    yield f"{indent}- id: {amendment.id}"
    yield f"{indent}  text: {json.dumps(amendment.sentence, ensure_ascii=False)}"
    if values:
        yield f"{indent}  values: {json.dumps(list(values), ensure_ascii=False)}"
