"""The task `example-courtesy`: eight synthetic replies with gold labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from adjudge import Label, Parameter, Submission, TaskSpec
from adjudge.errors import InputError
from adjudge.metrics import level_agreement


def courtesy_dataset(*, source: str = "") -> Iterator[Submission]:
    """Replies as submissions.

    Args:
        source: A JSONL file with `id`, `input`, `output` and `labels`; the shipped replies if empty.

    Raises:
        InputError: The file is not there.
    """
    file = Path(source) if source else files("adjudge_example") / "data" / "courtesy.jsonl"
    if not file.is_file():
        raise InputError(
            f"{source}: no such file; copy courtesy.jsonl from the source of adjudge-example (licence Apache-2.0), "
            "put it anywhere, and name it with -T source=PATH"
        )
    return (_submission(row) for row in _rows(file))


def _rows(file: Traversable) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def _submission(row: dict[str, Any]) -> Submission:
    labels = tuple(Label(criterion=name, level=level) for name, level in row["labels"].items())
    return Submission(
        id=row["id"], input=row["input"], output=row["output"], labels=labels, metadata={"synthetic": True}
    )


COURTESY = TaskSpec(
    name="example-courtesy",
    summary="does a judge see whether a reply is courteous (eight synthetic replies)",
    kind="meta",
    dataset=courtesy_dataset,
    rubric="example/courtesy",
    metrics=(level_agreement,),
    parameters=(Parameter(name="source", summary="a JSONL file; the shipped replies if empty", default=""),),
)
