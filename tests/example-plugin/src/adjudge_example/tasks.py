"""The task `example-courtesy`: eight synthetic replies with gold labels."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from adjudge import Parameter, TaskSpec
from adjudge.dataset import given_or_shipped, read_items
from adjudge.interfaces import Item
from adjudge.metrics import level_agreement

WHERE = (
    "copy courtesy.jsonl from the source of adjudge-example (licence Apache-2.0), put it anywhere, and name it with "
    "-T source=PATH"
)


def courtesy_dataset(*, source: str = "") -> Sequence[Item]:
    """Replies as submissions.

    Args:
        source: A file with `id`, `input`, `output` and `labels`; the shipped replies if empty.

    Raises:
        InputError: The file is not there, or cannot be read.
    """
    with given_or_shipped(source, files("adjudge_example") / "data" / "courtesy.jsonl", WHERE) as path:
        return read_items(path).items


COURTESY = TaskSpec(
    name="example-courtesy",
    summary="does a judge see whether a reply is courteous (eight synthetic replies)",
    kind="meta",
    dataset=courtesy_dataset,
    rubric="example/courtesy",
    metrics=(level_agreement,),
    parameters=(Parameter(name="source", summary="a file of replies; the shipped replies if empty", default=""),),
)
