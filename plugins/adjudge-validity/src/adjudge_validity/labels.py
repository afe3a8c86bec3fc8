"""Human labels from a file: one row per submission, criterion and rater."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.dataset.columns import misspelt_of
from adjudge.dataset.rows import READERS
from adjudge.dataset.source import BadRow, Row, Source, brief
from adjudge.errors import InputError
from adjudge.submission import Label
from adjudge_validity.guarding import free

_COLUMNS = {
    "submission": ("submission", "id"),
    "id": ("submission", "id"),
    "criterion": ("criterion",),
    "level": ("level",),
    "score": ("score",),
    "rater": ("rater",),
    "probability": ("probability",),
    "drawn": ("drawn",),
    "blind": ("blind",),
    "rubric_hash": ("rubric_hash",),
    "kind": ("kind",),
}
"""Column to those that say the same."""
_log = logging.getLogger(__name__)
_BEGIN = b'{"kind": "draw", '
_DRAWN = ("random", "active", "all")
_NO_LABELS = ("cannot-tell", "sign-off")
"""Kinds of rows in an export of `adjudge label` that give no level."""
_NEEDED = "a row needs submission, criterion, and level or score; rater and probability are optional"


@dataclass(frozen=True, slots=True)
class FileLabel:
    """A human label and where it stands."""

    submission: str
    """Id of the submission."""
    label: Label
    """What the rater said."""
    place: str
    """`file:line`, for messages."""
    probability: float | None = None
    """Chance with which this submission was drawn for labelling, above 0 to 1, if the file says so."""
    drawn: str | None = None
    """How it was drawn (`random`, `active` or `all`), if the file says so."""
    blind: bool = True
    """Whether the rater did not see the judge's verdict, as far as the file says."""
    rubric_hash: str = ""
    """Content hash of the rubric that it was given by, if the file says so."""


class Table(list[FileLabel]):
    """The labels of one file."""

    note: str = ""
    """What is to be known of rows without a level; empty if every row has one."""


def read_labels(path: Path) -> list[FileLabel]:
    """Read labels from CSV, TSV, JSON, JSONL or Parquet.

    Columns: `submission` (or `id`), `criterion`, `level` and/or `score`, and optionally `rater`, `probability`,
    `drawn`, `blind` and `rubric_hash`. A file that `adjudge label` wrote gives its labels in force. A column that looks
    like a misspelt one of these is logged as a warning, once per file. A row whose level and score are left blank is
    not labelled yet: it is passed over and counted; one that is blank altogether is no row.

    Returns:
        The labels; of a table that is not filled in a `Table`, whose note says how far it is.

    Raises:
        InputError: The file or a row cannot be read, a rater labels one criterion of a submission twice, or a file that
            `adjudge label` wrote was changed.
    """
    if is_sealed(path):
        from adjudge_validity.labelling.export import file_labels

        labels = file_labels(path)
        if not labels:
            raise InputError(f"{path}: holds no labels yet; adjudge label goes on with it")
        return labels
    found: dict[tuple[str, str, str], FileLabel] = {}
    blank = 0
    with Source(path) as source:
        for row in _rows(source):
            if _is_blank(row):
                blank += 1
                continue
            one = _label(source, row)
            key = (one.submission, one.label.criterion, one.label.rater)
            if key in found:
                raise source.error(
                    f"{_of(one)} stands at {found[key].place} already; leave one out, or name two raters", row.line
                )
            found[key] = one
    if not found:
        raise InputError(f"{path}: holds no labels; {f'none of {blank:,} rows has a level yet' if blank else _NEEDED}")
    labels = Table(found.values())
    if blank:
        labels.note = f"{blank:,} of {blank + len(found):,} rows have no level yet"
    return labels


def _filled(value: object) -> bool:
    return value is not None and str(value).strip() != ""


def _is_blank(row: Row) -> bool:
    """Whether a row names what to label, and its level is still to come."""
    said = [row.fields[name] for name in ("level", "score") if name in row.fields]
    named = _filled(row.fields.get("submission", row.fields.get("id"))) and _filled(row.fields.get("criterion"))
    return bool(said) and named and not any(map(_filled, said))


def _rows(source: Source) -> Iterator[Row]:
    """The rows in which something about a label stands; columns that look misspelt are logged.

    Raises:
        InputError: A row cannot be read.
    """
    looked_at: set[str] = set()
    for row in READERS[source.format](source):
        if isinstance(row, BadRow):
            raise source.error(row.problem, row.line)
        for doubt in _misspelt(row, looked_at):
            _log.warning("warning: %s:%d: %s", source.shown, row.line, doubt)
        if row.fields.get("kind") not in _NO_LABELS and any(map(_filled, row.fields.values())):
            yield row


def is_sealed(path: Path) -> bool:
    """Whether `adjudge label` wrote the file, in lines that are chained by hashes."""
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGIN)) == _BEGIN


def _misspelt(row: Row, looked_at: set[str]) -> Iterator[str]:
    """What to say of columns that look like a misspelt one, each told the first time that it stands in a row."""
    new = [name for name in row.fields if name not in looked_at]
    looked_at.update(new)
    for name in new:
        meant = None if name in _COLUMNS else misspelt_of(name, _COLUMNS)
        if meant is not None and not any(same in row.fields for same in _COLUMNS[meant]):
            yield f"the column {brief(name)} is not read; if it is the {meant}, name it so"


def _label(source: Source, row: Row) -> FileLabel:
    fields = {name: _freed(row, value) for name, value in row.fields.items() if _filled(value)}
    submission = fields.get("submission", fields.get("id"))
    missing = [name for name in ("criterion",) if name not in fields]
    if submission is None or missing or not {"level", "score"} & fields.keys():
        raise source.error(_NEEDED, row.line)
    label = Label(
        criterion=str(fields["criterion"]),
        level=None if "level" not in fields else str(fields["level"]),
        score=_number(source, row, "score", fields.get("score")),
        rater=str(fields.get("rater", "")),
    )
    probability = _number(source, row, "probability", fields.get("probability"))
    if probability is not None and not 0 < probability <= 1:
        raise source.error(f"probability {probability:g}: it lies above 0 and up to 1", row.line)
    return FileLabel(
        str(submission),
        label,
        f"{source.shown}:{row.line}",
        probability,
        drawn=_one_of(source, row, "drawn", _DRAWN, fields),
        blind=_one_of(source, row, "blind", ("true", "false"), fields) != "false",
        rubric_hash=str(fields.get("rubric_hash", "")),
    )


def _freed(row: Row, value: Any) -> Any:
    return free(value) if row.cells and isinstance(value, str) else value


def _one_of(source: Source, row: Row, name: str, known: Sequence[str], fields: Mapping[str, Any]) -> str | None:
    value = str(fields[name]) if name in fields else None
    value = value.lower() if value is not None else None
    if value is not None and value not in known:
        raise source.error(f"{name} {brief(fields[name])}: it is {', '.join(known[:-1])} or {known[-1]}", row.line)
    return value


def _number(source: Source, row: Row, name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise source.error(f"{name} {brief(value)} is no number", row.line)
    return number


def _of(one: FileLabel) -> str:
    rater = f" by {one.label.rater!r}" if one.label.rater else ""
    return f"the label of {one.submission!r} on {one.label.criterion!r}{rater}"
