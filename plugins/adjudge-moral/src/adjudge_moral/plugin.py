"""Registers the moral packs, tasks, solver and judge with adjudge."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from adjudge import JudgeSpec, SolverSpec, TaskSpec, hookimpl
from adjudge.interfaces import Judge, Solver


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The moral packs."""
    return [files("adjudge_moral") / "packs"]


@hookimpl
def adjudge_tasks() -> Sequence[TaskSpec]:
    """The tasks of MoReBench, CLASH, DailyDilemmas and MoralChoice."""
    from adjudge_moral.clash.tasks import CLASH, CLASH_STEERING
    from adjudge_moral.daily_dilemmas.tasks import DAILY_DILEMMAS
    from adjudge_moral.moralchoice.tasks import MORALCHOICE, MORALCHOICE_HIGH
    from adjudge_moral.morebench.tasks import MOREBENCH, MOREBENCH_JUDGE, MOREBENCH_RESPONSES

    morebench = [MOREBENCH, MOREBENCH_RESPONSES, MOREBENCH_JUDGE]
    return [*morebench, CLASH, CLASH_STEERING, DAILY_DILEMMAS, MORALCHOICE, MORALCHOICE_HIGH]


@hookimpl
def adjudge_solvers() -> Sequence[SolverSpec]:
    """The solver that keeps a candidate's answer or its thinking trace."""
    summary = "the candidate's answer, or its trace in <think> tags, as the task asks (decoding parameters)"
    return [SolverSpec(name="response-or-trace", build=_solver, summary=summary)]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judge that asks for yes or no in free text."""
    summary = "yes or no in free text, as MoReBench asks (reading=strict or official-morebench)"
    return [JudgeSpec(name="yes-no", build=_yes_no, summary=summary)]


def _solver(**options: Any) -> Solver:
    from adjudge_moral.morebench.solver import build

    return build(**options)


def _yes_no(**options: Any) -> Judge:
    from adjudge_moral.morebench.yes_no import build

    return build(**options)
