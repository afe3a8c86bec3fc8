"""Which column of a row holds what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from adjudge.dataset.source import ColumnError, brief
from adjudge.errors import InputError

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "sample_id", "idx", "key"),
    "input": ("input", "prompt", "question", "instruction"),
    "output": ("output", "response", "answer", "completion", "text"),
    "reference": ("reference", "expected", "gold", "target"),
    "context": ("context",),
    "labels": ("labels",),
    "rubric": ("rubric",),
    "metadata": ("metadata",),
    "outputs": ("outputs",),
    "output_1": ("output_1", "output_a", "response_1", "response_a"),
    "output_2": ("output_2", "output_b", "response_2", "response_b"),
    "label": ("label", "preference"),
    "submissions": ("submissions",),
}
"""Names that a field goes by, the field's own first."""

LABEL = "label:"
"""Prefix of a column that holds the label of one criterion."""

_NEAR = 0.8
"""How alike (`difflib`) a misspelt name is to the right one."""
_LONG = 5
"""Letters of a name that a slip leaves recognisable: one letter makes `old` of `gold`."""
_SHARED = ("id", "input", "reference", "context", "labels", "rubric", "metadata")
_FIELDS = {name: field for field, names in ALIASES.items() for name in names}


class Columns:
    """Finds the column of a field, by the user's mapping or by the known names."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        """Check the mapping.

        Args:
            mapping: Field (or `label:CRITERION`) to column; an empty column switches the field off.

        Raises:
            InputError: A field is unknown.
        """
        for field in mapping:
            if field not in ALIASES and not field.startswith(LABEL):
                known = ", ".join([*ALIASES, f"{LABEL}CRITERION"])
                raise InputError(f"--column {field}=…: no such field{_suggestion(field, ALIASES)}; known are {known}")
        self._mapping = dict(mapping)
        self._claimed = {column for column in mapping.values() if column}
        self._unseen = set(self._claimed)
        self._looked_at: set[str] = set()

    def see(self, fields: Mapping[str, Any]) -> None:
        """Note which mapped columns exist."""
        if self._unseen:
            self._unseen.difference_update(fields)

    def unseen(self) -> str | None:
        """What is wrong with the mapping, if a column of it stood in no row."""
        missing = [f"--column {field}={column}" for field, column in self._mapping.items() if column in self._unseen]
        return f"no row has the column of {', '.join(missing)}" if missing else None

    def maps(self, field: str) -> bool:
        """The user named a column for this field."""
        return bool(self._mapping.get(field))

    def find(self, fields: Mapping[str, Any], field: str) -> str | None:
        """The column of the row that holds this field, or None.

        Raises:
            ColumnError: Several could, and none of them has the field's own name.
        """
        if field in self._mapping:
            column = self._mapping[field]
            return column if column in fields else None
        found = [name for name in ALIASES[field] if name in fields and name not in self._claimed]
        if len(found) > 1 and found[0] != field and field != "id":
            names = " and ".join(map(brief, found))
            raise ColumnError(f"{names} could each be the {field}; say which with --column {field}=NAME")
        return found[0] if found else None

    def misspelt(self, row: Mapping[str, Any], unused: Collection[str], *, compared: bool) -> list[str]:
        """What to say of columns that look like a misspelt field, each told the first time that it stands in a row.

        Args:
            row: The row.
            unused: Its columns that hold no field.
            compared: It is a comparison.
        """
        new = [name for name in unused if name not in self._looked_at]
        self._looked_at.update(new)
        if not new:
            return []
        fields = (*_SHARED, "label" if compared else "output")
        lacking = {field for field in fields if field not in self._mapping and self.find(row, field) is None}
        # A header all in capitals is another's form: its OUTPUT was refused, and the user says what is what.
        near = {name: _meant(name, row[name]) for name in new if not name.isupper()}
        return [
            f"the column {brief(name)} is taken for metadata; if it is the {field}, name it so,"
            f" or say --column {field}={name}"
            for name, field in near.items()
            if field is not None and (field in lacking or field.startswith(LABEL))
        ]

    def label_columns(self, fields: Iterable[str]) -> dict[str, str]:
        """Criterion to the column that holds its label."""
        mapped = {
            field.removeprefix(LABEL): column
            for field, column in self._mapping.items()
            if field.startswith(LABEL) and column
        }
        named = {name.removeprefix(LABEL): name for name in fields if name.startswith(LABEL)}
        return {**named, **mapped}

    def refuse_misspelt(self, fields: Mapping[str, Any], field: str) -> None:
        """Refuse a row that lacks a field where one of its columns looks like it, unless the user spoke of the field.

        Raises:
            ColumnError: A column looks like the field, misspelt.
        """
        if field not in self._mapping and self.find(fields, field) is None and self._near(fields, field):
            raise self.missing(fields, field)

    def missing(self, fields: Mapping[str, Any], field: str) -> ColumnError:
        """The error for a row without this field."""
        names = list(fields)
        found = ", ".join(map(brief, names[:30])) or "none"
        if self.maps(field):
            column = self._mapping[field]
            return ColumnError(f"no column {brief(column)} for the {field}{_suggestion(column, names)}; found: {found}")
        near = self._near(fields, field) or "NAME"
        return ColumnError(f"no column for the {field}; found: {found}; name it with --column {field}={near}")

    def _near(self, fields: Mapping[str, Any], field: str) -> str | None:
        """The column that looks like the field, misspelt."""
        return next((name for name in fields if _meant(name, fields[name]) == field), None)


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _meant(column: str, value: Any) -> str | None:
    """The field (or `label:CRITERION`) whose name this column seems to be, misspelt."""
    prefix, colon, criterion = column.partition(":")
    if colon:
        return f"{LABEL}{criterion}" if criterion and column != LABEL + criterion and _slip(prefix, "label") else None
    if column in _FIELDS or (column.endswith("s") and column[:-1] in _FIELDS and not isinstance(value, str)):
        return None  # another field, or several of one
    name = misspelt_of(column, _FIELDS)
    return None if name is None else _FIELDS[name]


def misspelt_of(column: str, names: Collection[str]) -> str | None:
    """The name that a column seems to be, in capitals or with a slip of the keys; None if it is none of these."""
    near = get_close_matches(column.strip().lower(), names, n=3, cutoff=_NEAR)
    return next((name for name in near if _slip(column, name)), None)


def _slip(written: str, name: str) -> bool:
    """A name in capitals, or with letters swapped, dropped or added by a slip; another letter makes another word."""
    written = written.strip().lower()
    if len(name) < _LONG:
        return written == name
    apart = (Counter(written) - Counter(name)) + (Counter(name) - Counter(written))
    return apart.total() <= 1
