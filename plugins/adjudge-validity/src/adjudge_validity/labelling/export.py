"""Labels files as the labels that commands read, and as plain tables for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge.report.export import write_files
from adjudge.submission import Label
from adjudge_validity.guarding import guard
from adjudge_validity.labelling.acts import Done, Labels, read_labels
from adjudge_validity.labelling.log import read_chain, refuse_broken
from adjudge_validity.labelling.standing import Given, given, opinions, outcome, signatures
from adjudge_validity.labels import FileLabel

COLUMNS = (
    "submission",
    "criterion",
    "level",
    "rater",
    "probability",
    "drawn",
    "blind",
    "rubric_hash",
    "time",
    "kind",
    "machine",
    "reason",
    "stands",
    "edited_by",
    "signed_by",
)
"""Columns of an export; those that `adjudge_validity.labels.read_labels` reads come first."""


def read_file(path: Path) -> Labels:
    """Read a labels file; a last line that was cut off while it was written is passed over.

    Raises:
        InputError: It cannot be read, is no labels file, or a line was changed.
    """
    chain = read_chain(path)
    refuse_broken(path, chain, "labels of a file that was changed are not used; take the file as it was")
    return read_labels(chain, str(path))


def file_labels(path: Path) -> list[FileLabel]:
    """The labels in force of a labels file.

    Raises:
        InputError: It cannot be read, is no labels file, or a line was changed.
    """
    return labels_in(read_file(path), path)


def labels_in(labels: Labels, path: Path) -> list[FileLabel]:
    """The labels in force of a labels file that was read from `path`."""
    return [_file_label(one, path) for one in given(labels)]


def _file_label(one: Given, path: Path) -> FileLabel:
    act = one.done.act
    return FileLabel(
        act.submission,
        Label(criterion=act.criterion, level=act.level, rater=act.rater),
        f"{path}:{one.done.line}",
        one.probability,
        drawn=one.drawn,
        blind=act.blind,
        rubric_hash="" if act.rubric is None else act.rubric.hash,
    )


def export_labels(sources: Sequence[Path], out: Path) -> int:
    """Write what stands in several labels files as one table, `.csv` or `.jsonl`.

    A row is what a rater holds of a criterion, without a level where they cannot tell; or their signature. Chances of
    being drawn are kept if all files hold the same draw; those of different draws cannot be put together.

    Returns:
        How many rows were written.

    Raises:
        InputError: A file cannot be read or was changed, two files hold a label of one rater on one criterion of a
            submission, or `out` is there already or is of another kind.
    """
    if out.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{out}: labels are written as .csv or .jsonl")
    if out.exists():
        raise InputError(f"{out}: is there already; name another")
    files = {path: read_file(path) for path in sources}
    _refuse_twice(files)
    rows = _rows(list(files.values()))
    write_files(out.parent, {out.name: (_csv(rows) if out.suffix == ".csv" else _lines(rows)).encode()})
    return len(rows)


def _rows(files: Sequence[Labels]) -> list[dict[str, Any]]:
    done = [one for labels in files for one in labels.done]
    chances = _chances(files, done)
    of_verdict: defaultdict[tuple[str, str], list[Done]] = defaultdict(list)
    for one in done:
        of_verdict[one.act.submission, one.act.criterion].append(one)
    return [
        _row(one, chances.get(one.hash), of_verdict[one.act.submission, one.act.criterion])
        for one in (*opinions(done).values(), *signatures(done).values())
    ]


def _chances(files: Sequence[Labels], done: Sequence[Done]) -> dict[str, Given]:
    """Hash of a line to its chance; empty if the files hold different draws."""
    if len({_design(labels) for labels in files}) > 1:
        return {}
    return {one.done.hash: one for one in given(Labels(files[0].draw, done))}


def _design(labels: Labels) -> tuple[str, str, int, int]:
    draw = labels.draw
    return draw.source, draw.drawn, draw.size, draw.seed


def _refuse_twice(files: dict[Path, Labels]) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for path, labels in files.items():
        for key, one in opinions(labels.done).items():
            place = f"{path}:{one.line}"
            if key in seen:
                submission, criterion, rater = key
                raise InputError(
                    f"{place}: the label of {submission!r} on {criterion!r} by {rater!r} stands at {seen[key]} already;"
                    " leave one file out"
                )
            seen[key] = place


def _row(one: Done, chance: Given | None, of_verdict: Sequence[Done]) -> dict[str, Any]:
    act = one.act
    row: dict[str, Any] = {
        "submission": act.submission,
        "criterion": act.criterion,
        "level": None if act.kind == "sign-off" else act.level,
        "rater": act.rater,
        "probability": None if chance is None else chance.probability,
        "drawn": None if chance is None else chance.drawn,
        "blind": act.blind,
        "rubric_hash": None if act.rubric is None else act.rubric.hash,
        "time": act.time,
        "kind": act.kind,
        "machine": None if act.machine is None else act.machine.level,
        "reason": act.reason or None,
    }
    stands = None if act.machine is None or act.kind == "label" else outcome(of_verdict, act.machine)
    row["stands"], row["edited_by"], row["signed_by"] = (
        (None, None, None) if stands is None else (stands.level, stands.edited_by or None, stands.signed_by or None)
    )
    return row


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow([guard(row[name]) if isinstance(row[name], str) else row[name] for name in COLUMNS])
    return text.getvalue()
