"""Registers with adjudge rule graphs, elicitation, the reflective judge, and answering under rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adjudge import BackendSpec, JudgeSpec, SolverSpec, hookimpl

if TYPE_CHECKING:
    import click

    from adjudge_metacog.applying import GuidedSolver
    from adjudge_metacog.guided_backend import GuidedBackend
    from adjudge_metacog.reflective import ReflectiveJudge


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The commands `graph` and `elicit`."""
    from adjudge_metacog.commands import graph
    from adjudge_metacog.elicit.commands import elicit

    return [graph, elicit]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judge `reflective`."""
    summary = "a judge with learned rules beside each criterion (graph=rules.jsonl, rules=5, characters=2000, domain=)"
    return [JudgeSpec(name="reflective", summary=summary, build=build_reflective, members=("members",))]


def build_reflective(
    members: Any = (), graph: str = "", rules: int = 5, characters: int = 2000, domain: str = ""
) -> ReflectiveJudge:
    """Make the judge `reflective`; see `adjudge_metacog.reflective.build`."""
    from adjudge_metacog.reflective import build

    return build(members, graph, rules, characters, domain)


@hookimpl
def adjudge_solvers() -> Sequence[SolverSpec]:
    """The solver `guided`."""
    summary = "a solver under learned rules (graph=rules.jsonl, rules=5, characters=2000, domain=, inner=generate)"
    return [SolverSpec(name="guided", summary=summary, build=build_guided_solver)]


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `guided`."""
    summary = "a backend under learned rules: guided:NAME:MODEL (graph=rules.jsonl, rules=5, characters=2000)"
    return [BackendSpec(name="guided", summary=summary, build=build_guided_backend)]


def build_guided_solver(**options: Any) -> GuidedSolver:
    """Make the solver `guided`; see `adjudge_metacog.applying.build_solver`."""
    from adjudge_metacog.applying import build_solver

    return build_solver(**options)


def build_guided_backend(model: str | None = None, **options: Any) -> GuidedBackend:
    """Make the backend `guided`; see `adjudge_metacog.guided_backend.build`."""
    from adjudge_metacog.guided_backend import build

    return build(model, **options)
