"""Registers the health pack and tasks with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from adjudge import TaskSpec, hookimpl


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The pack `health/medical-safety`."""
    return [files("adjudge_health") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The tasks of HealthBench and of medical safety."""
    from adjudge_health.healthbench import HEALTHBENCH, HEALTHBENCH_ANSWERS
    from adjudge_health.medsafety import MEDSAFETY, MEDSAFETY_ANSWERS

    return [HEALTHBENCH, HEALTHBENCH_ANSWERS, MEDSAFETY, MEDSAFETY_ANSWERS]
