"""Registers the nursing packs and tasks with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import TaskSpec, hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The nursing packs."""
    return [files("adjudge_nursing") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The tasks `nurvalues` and `nursing-bedside`."""
    from adjudge_nursing.tasks import BEDSIDE, NURVALUES

    return [NURVALUES, BEDSIDE]
