"""Registers the packs, tasks and the judge of mentor with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import JudgeSpec, TaskSpec, hookimpl
from adjudge.interfaces import Judge


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The packs `mentor/…`."""
    return [files("adjudge_mentor") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The tasks `mentor`, `mentor-colours`, `mentor-agreement` and `mentor-assessments`."""
    from adjudge_mentor.tasks import TASKS

    return TASKS


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judge `refusal-words`."""
    summary = "whether an answer refuses, by its wording; no model, the floor for mentor's rubrics"
    return [JudgeSpec(name="refusal-words", build=_refusal_words, summary=summary, asks=False)]


def _refusal_words() -> Judge:
    from adjudge_mentor.refusal_words import build

    return build()
