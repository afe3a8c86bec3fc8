"""Texts, conversations and labels from the forms that files hold them in."""

from __future__ import annotations

import re
from typing import Any

from adjudge.dataset.source import RowError, brief
from adjudge.errors import InputError
from adjudge.submission import Label, Text
from adjudge.transcript import read_messages

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
        RowError: It is neither, or something in a message is of an unknown kind.
    """
    if not isinstance(value, list) and not (isinstance(value, dict) and {"role", "from"} & value.keys()):
        return plain(value, field)
    try:
        return read_messages(value, f"the {field}")
    except InputError as error:
        raise RowError(str(error)) from None


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
