"""Submissions and comparisons from rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from adjudge.dataset import parts
from adjudge.dataset.columns import Columns
from adjudge.dataset.source import Row, RowError, brief
from adjudge.dataset.strict_json import Decoder
from adjudge.interfaces import Item
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Label, Submission, Text

_SHARED = ("input", "reference", "context", "rubric")


class Builder:
    """Makes items from rows."""

    def __init__(self, columns: Columns, *, needs_output: bool = True) -> None:
        self._columns = columns
        self._json = Decoder()
        self.needs_output = needs_output
        """Whether a row without an output is refused."""

    def item(self, row: Row) -> Item:
        """The submission or comparison that the row holds.

        Raises:
            RowError: It holds neither.
        """
        self._columns.see(row.fields)
        try:
            return _Reading(self, self._columns, row).item()
        except ValidationError as error:
            raise RowError(_first(error)) from None

    def cell(self, value: str) -> Any:
        """The JSON value in a cell.

        Raises:
            RowError: There is none.
        """
        return self._json.decode(value)


class _Reading:
    """One row on its way to an item; what is not used goes to the metadata."""

    def __init__(self, builder: Builder, columns: Columns, row: Row) -> None:
        self._builder, self._columns, self._row = builder, columns, row
        self._used: set[str] = set()

    def item(self) -> Item:
        """The row as a comparison if it holds several outputs, as a submission otherwise."""
        fields = self._row.fields
        if not self._columns.maps("output") and "output" not in fields:
            if self._columns.find(fields, "submissions"):
                return self._comparison_of_rows(self._json("submissions"))
            if self._columns.find(fields, "outputs"):
                return self._comparison(self._json("outputs"))
            if self._columns.find(fields, "output_1") or self._columns.find(fields, "output_2"):
                return self._comparison([self._needed("output_1"), self._needed("output_2")])
        return self.submission()

    def submission(self) -> Submission:
        """The row as one submission."""
        if self._columns.maps("label"):
            raise RowError("label is a preference between two outputs; use --column label:CRITERION=NAME")
        return Submission(
            id=self._id(),
            output=self._text("output", self._output()),
            input=self._input(),
            reference=self._optional("reference"),
            context=parts.context(self._blank_is_none("context")),
            labels=tuple(self._labels(preference=False)),
            rubric=self._rubric(),
            metadata=self._metadata(),
        )

    def _output(self) -> Any:
        """What is judged; empty, if that is allowed, where a candidate has yet to answer."""
        if self._builder.needs_output:
            return self._needed("output")
        if (value := self._value("output")) is None:
            self._columns.refuse_misspelt(self._row.fields, "output")
            return ""
        return value

    def _comparison(self, outputs: Any) -> Comparison:
        """A comparison of outputs that share everything else."""
        if not isinstance(outputs, list) or len(outputs) < 2:  # noqa: PLR2004 - a comparison is of two at least
            raise RowError(f"the outputs are {brief(outputs)}; write a list of at least two")
        name = self._id()
        shared = {
            "input": self._input(),
            "reference": self._optional("reference"),
            "context": parts.context(self._blank_is_none("context")),
            "rubric": self._rubric(),
        }
        texts = [self._text("output", output) for output in outputs]
        submissions = [Submission(id=f"{name}/{n}", output=text, **shared) for n, text in enumerate(texts, start=1)]
        return self._compared(name, submissions)

    def _comparison_of_rows(self, rows: Any) -> Comparison:
        """A comparison of submissions that are written out; what they lack is taken from the row."""
        if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(row, dict) for row in rows):  # noqa: PLR2004 - as above
            raise RowError(f"the submissions are {brief(rows)}; write a list of at least two objects")
        name, alone = self._id(), Columns({})
        shared = {field: value for field in _SHARED if (value := self._value(field)) is not None}
        submissions = []
        for number, fields in enumerate(rows, start=1):
            lacking = {field: value for field, value in shared.items() if alone.find(fields, field) is None}
            row = Row(self._row.line, f"{name}/{number}", {**lacking, **fields})
            submissions.append(_Reading(self._builder, alone, row).submission())
        return self._compared(name, submissions)

    def _compared(self, name: str, submissions: list[Submission]) -> Comparison:
        labels = self._labels(preference=True)
        labels += parts.short_labels("overall", self._blank_is_none("label"), preference=True)
        return Comparison(id=name, submissions=tuple(submissions), labels=tuple(labels), metadata=self._metadata())

    def _value(self, field: str) -> Any:
        column = self._columns.find(self._row.fields, field)
        if column is None:
            return None
        self._used.add(column)
        return self._row.fields[column]

    def _needed(self, field: str) -> Any:
        value = self._value(field)
        if value is None:
            column = self._columns.find(self._row.fields, field)
            if column is None:
                raise self._columns.missing(self._row.fields, field)
            raise RowError(f"the {field} is null; write text, or leave the row out")
        return value

    def _blank_is_none(self, field: str) -> Any:
        """The value; an empty cell of a table stands for none."""
        value = self._value(field)
        return None if self._row.cells and value == "" else value

    def _json(self, field: str) -> Any:
        """The value of a field that is no text; in a table it is written as JSON."""
        value = self._blank_is_none(field)
        if not self._row.cells or value is None:
            return value
        try:
            return self._builder.cell(value)
        except RowError as error:
            raise RowError(f"the cell of the {field} must hold JSON: {error}") from None

    def _id(self) -> str:
        value = self._value("id")
        return parts.plain(value, "id") or self._row.name

    def _optional(self, field: str) -> str | None:
        return parts.plain(self._blank_is_none(field), field)

    def _text(self, field: str, value: Any) -> Text:
        found = parts.text(value, field)
        if found is None:
            raise RowError(f"the {field} is null; write text, or leave the row out")
        return found

    def _input(self) -> Text:
        """The input; an `instruction` beside an `input` is put before it, as instruction-tuning files mean it."""
        given = parts.text(self._value("input"), "input")
        found = "" if given is None else given
        fields = self._row.fields
        if self._columns.maps("input") or not isinstance(found, str) or not {"input", "instruction"} <= fields.keys():
            return found
        self._used.add("instruction")
        instruction = parts.plain(fields["instruction"], "instruction")
        return "\n\n".join(part for part in (instruction, found) if part)

    def _labels(self, *, preference: bool) -> list[Label]:
        found = parts.labels(self._json("labels"), preference=preference)
        for criterion, column in self._columns.label_columns(self._row.fields).items():
            if column in self._row.fields:
                self._used.add(column)
                value = self._row.fields[column]
                found += parts.short_labels(criterion, value, preference=preference, cell=self._row.cells)
        return found

    def _rubric(self) -> Rubric | None:
        value = self._json("rubric")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise RowError(f"the rubric is {brief(value)}; write it out as an object, or give its id with --rubric")
        try:
            return Rubric.model_validate(value)
        except ValidationError as error:
            raise RowError(f"the rubric is malformed: {_first(error)}") from None

    def _metadata(self) -> dict[str, Any]:
        """The row's own metadata and all columns that nothing else has used."""
        own = self._own_metadata()
        rest: Mapping[str, Any] = {name: value for name, value in self._row.fields.items() if name not in self._used}
        if clash := own.keys() & rest.keys():
            raise RowError(f"{brief(min(clash))} stands both in the row and in its metadata; rename one")
        return {**own, **rest}

    def _own_metadata(self) -> dict[str, Any]:
        if self._row.cells and not str(self._value("metadata") or "").lstrip().startswith("{"):
            value = self._blank_is_none("metadata")
        else:
            value = self._json("metadata")
        if value is None or isinstance(value, dict):
            return value or {}
        return {"metadata": value}


def _first(error: ValidationError) -> str:
    """The first finding with its place, in one line."""
    found = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, found["loc"]))
    message = found["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
