"""Texts, conversations and labels from the forms that files hold them in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from adjudge.dataset.source import RowError, brief
from adjudge.submission import Label, Message, Text

_ROLES = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "developer": "system",
    "human": "user",
    "gpt": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
}
_KINDS = ("text", "thinking", "tool_call", "tool_result")
_IGNORED = {"id", "name", "tool_call_id"}
_TEXT_PARTS = {"text", "input_text", "output_text"}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_NOT_A_LEVEL = {"nan", "inf", "-inf", "infinity", "-infinity"}

_PREFERENCES = {
    "1": "first",
    "first": "first",
    "a": "first",
    "2": "second",
    "second": "second",
    "b": "second",
    "tie": "tie",
    "incomparable": "incomparable",
}


def plain(value: Any, field: str) -> str | None:
    """A text that is no conversation; None if there is none.

    Raises:
        RowError: It is neither text nor an integer.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowError(f"the {field} is {brief(value)}; write text, in quotes")


def context(value: Any) -> str | None:
    """Further evidence: a text, or a list of texts that are joined by blank lines.

    Raises:
        RowError: It is neither.
    """
    if isinstance(value, list):
        return "\n\n".join(plain(item, "context") or "" for item in value)
    return plain(value, "context")


def text(value: Any, field: str) -> Text | None:
    """A text or a conversation; None if there is none.

    Raises:
        RowError: It is neither, or a part of a message is of an unknown kind.
    """
    if isinstance(value, dict) and "role" in value:
        return tuple(_messages(value, f"the {field}"))
    if isinstance(value, list):
        places = ((item, f"message {place} of the {field}") for place, item in enumerate(value, start=1))
        return tuple(message for item, place in places for message in _messages(item, place))
    return plain(value, field)


def _messages(item: Any, place: str) -> Iterable[Message]:
    """One message of a file is several of ours if it holds thoughts or tool calls."""
    if not isinstance(item, dict):
        raise RowError(f"{place} is {brief(item)}; write an object with role and content")
    given = {key: value for key, value in item.items() if value is not None and key not in _IGNORED}
    role = _ROLES.get(str(given.pop("role", None)).lower())
    if role is None:
        raise RowError(f"{place} has the role {brief(item.get('role'))}; known are {', '.join(_ROLES)}")
    kind = given.pop("kind", "text")
    if kind not in _KINDS:
        raise RowError(f"{place} has the kind {brief(kind)}; known are {', '.join(_KINDS)}")
    calls = given.pop("tool_calls", None) or []
    parts = list(_parts(given.pop("content", None), kind, place, required=not calls))
    parts += [(_call(call, place), "tool_call") for call in calls]
    if given:
        raise RowError(f"{place} has {brief(next(iter(given)))}, which adjudge does not know; take it out")
    return [Message.model_validate({"role": role, "content": content, "kind": kind}) for content, kind in parts]


def _parts(content: Any, kind: str, place: str, *, required: bool) -> Iterable[tuple[str, str]]:
    """The message's texts with their kinds; neighbouring text parts are joined by a line feed."""
    if isinstance(content, str):
        return [(content, kind)]
    if content is None and not required:
        return []
    if not isinstance(content, list):
        raise RowError(f"{place} has the content {brief(content)}; write text or a list of parts")
    parts: list[tuple[str, str]] = []
    for found, part_kind in (_part(part, kind, place) for part in content):
        if parts and parts[-1][1] == part_kind:
            parts[-1] = (f"{parts[-1][0]}\n{found}", part_kind)
        else:
            parts.append((found, part_kind))
    return parts or [("", kind)]


def _part(part: Any, kind: str, place: str) -> tuple[str, str]:
    if isinstance(part, str):
        return part, kind
    given = part if isinstance(part, dict) else {}
    name = given.get("type", "text")
    if name in _TEXT_PARTS and isinstance(given.get("text"), str):
        return given["text"], kind
    if name == "thinking" and isinstance(given.get("thinking"), str):
        return given["thinking"], "thinking"
    raise RowError(f"{place} has a part that is no text ({brief(part)}); only text is judged, take it out")


def _call(call: Any, place: str) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowError(f"{place} has a tool call without a function name: {brief(call)}")
    return f"{function['name']}({function.get('arguments', '')})"


def labels(value: Any, *, preference: bool) -> list[Label]:
    """Labels from a list of label objects, or from a mapping of criterion to level or number.

    Args:
        value: What the file holds; None for nothing.
        preference: The item is a comparison, so that a level is one of its four verdicts.

    Raises:
        RowError: A label is malformed.
    """
    if value is None:
        return []
    if isinstance(value, dict) and isinstance(value.get("criterion"), str) and len(value) > 1:
        return [_label(value, preference)]
    if isinstance(value, dict):
        return [label for criterion, given in value.items() for label in short_labels(criterion, given, preference)]
    if isinstance(value, list):
        return [_label(item, preference) for item in value]
    raise RowError(f"the labels are {brief(value)}; write a list of labels, or criterion and level as an object")


def _label(item: Any, preference: bool) -> Label:
    known = {"criterion", "level", "score", "rater"}
    if not isinstance(item, dict) or not known.issuperset(item) or not isinstance(item.get("criterion"), str):
        raise RowError(f"the label {brief(item)} must be an object with criterion, level or score, and rater")
    level, score, rater = item.get("level"), item.get("score"), plain(item.get("rater"), "rater")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise RowError(f"the label of {brief(item['criterion'])} has the score {brief(score)}; write a number")
    if level is None and score is None:
        raise RowError(f"the label of {brief(item['criterion'])} has neither a level nor a score")
    if level is not None:
        level = _preference(level) if preference else plain(level, "level")
    return Label(criterion=item["criterion"], level=level, score=_float(score), rater=rater or "")


def short_labels(criterion: str, value: Any, preference: bool, *, cell: bool = False) -> list[Label]:
    """Labels of one criterion from a level, a number, or a list of one per rater (raters `1`, `2`, …).

    Args:
        criterion: Id of the criterion.
        value: What the file holds; None for no label.
        preference: The item is a comparison.
        cell: The value is text that stands for a number if it reads as one.

    Raises:
        RowError: It is none of these.
    """
    if isinstance(value, list):
        pairs = [(item, str(rater)) for rater, item in enumerate(value, start=1)]
    else:
        pairs = [(value, "")]
    return [
        _short_label(criterion, item, rater, preference, cell=cell)
        for item, rater in pairs
        if item is not None and item != ""
    ]


def _short_label(criterion: str, value: Any, rater: str, preference: bool, *, cell: bool) -> Label:
    if preference:
        return Label(criterion=criterion, level=_preference(value), rater=rater)
    if cell and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float):
        return Label(criterion=criterion, score=_float(value), rater=rater)
    if isinstance(value, str) and value.strip().lower() not in _NOT_A_LEVEL:
        return Label(criterion=criterion, level=value, rater=rater)
    raise RowError(f"the label of {brief(criterion)} is {brief(value)}; write a level, a number, or nothing")


def _float(value: float | None) -> float | None:
    """A finite float."""
    if value is None:
        return None
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        raise RowError("the number of a label is too large")
    return number


def _preference(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of integers with gaps comes out of pandas as floats
    known = _PREFERENCES.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if known is None or isinstance(value, bool):
        raise RowError(
            f"the preference is {brief(value)}; write 1 or first or A, 2 or second or B, tie, or incomparable"
        )
    return known
