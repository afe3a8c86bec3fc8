"""Registers the packs and tasks for posts that ask who is in the wrong."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import TaskSpec, hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The packs `aita/verdict` and `aita/comment`."""
    return [files("adjudge_aita") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The tasks `aita` and `aita-comment`."""
    from adjudge_aita.tasks import AITA, COMMENT

    return [AITA, COMMENT]
