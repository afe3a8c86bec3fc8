"""Registers with adjudge rule graphs, elicitation, the reflective judge, and answering under rules."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from adjudge import BackendSpec, JudgeSpec, SolverSpec, hookimpl

if TYPE_CHECKING:
    import click

    from adjudge_metacog.applying import GuidedSolver
    from adjudge_metacog.assessing import SelfAssessmentJudge
    from adjudge_metacog.guided_backend import GuidedBackend
    from adjudge_metacog.reflective import ReflectiveJudge
    from adjudge_metacog.voting import RuleVotesJudge


@hookimpl
def adjudge_commands() -> Sequence[click.Command]:
    """The commands `graph`, `reflect`, `grow` and `elicit`."""
    from adjudge_metacog.commands import graph
    from adjudge_metacog.elicit.commands import elicit
    from adjudge_metacog.grow_command import grow
    from adjudge_metacog.reflect_command import reflect

    return [graph, reflect, grow, elicit]


@hookimpl
def adjudge_rubric_packs() -> Sequence[Traversable]:
    """The pack `metacog/self-assessment`."""
    return [files("adjudge_metacog") / "packs"]


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """The judges `reflective`, `rule-votes` and `self-assessment`."""
    summary = (
        "a judge with learned rules beside each criterion "
        "(graph=rules.jsonl, rules=5, characters=2000, domain=, embeddings=auto)"
    )
    votes = "a judge and the votes of learned rules that quote words, counted without a model (graph=rules.jsonl)"
    thinks = "the pack metacog/self-assessment in one structured reply, whole or unscored (max_tokens=1600)"
    return [
        JudgeSpec(name="reflective", summary=summary, build=build_reflective, members=("members",)),
        JudgeSpec(name="rule-votes", summary=votes, build=build_rule_votes, members=("members",)),
        JudgeSpec(name="self-assessment", summary=thinks, build=build_self_assessment),
    ]


def build_reflective(
    members: Any = (),
    graph: str = "",
    rules: int = 5,
    characters: int = 2000,
    domain: str = "",
    *,
    embeddings: str = "auto",
) -> ReflectiveJudge:
    """Make the judge `reflective`; see `adjudge_metacog.reflective.build`."""
    from adjudge_metacog.reflective import build

    return build(members, graph, rules, characters, domain, embeddings=embeddings)


def build_self_assessment(max_tokens: int = 1600) -> SelfAssessmentJudge:
    """Make the judge `self-assessment`; see `adjudge_metacog.assessing.build`."""
    from adjudge_metacog.assessing import build

    return build(max_tokens)


def build_rule_votes(members: Any = (), graph: str = "") -> RuleVotesJudge:
    """Make the judge `rule-votes`; see `adjudge_metacog.voting.build`."""
    from adjudge_metacog.voting import build

    return build(members, graph)


@hookimpl
def adjudge_solvers() -> Sequence[SolverSpec]:
    """The solver `guided`."""
    summary = (
        "a solver under learned rules "
        "(graph=rules.jsonl, rules=5, characters=2000, domain=, inner=generate, embeddings=auto)"
    )
    return [SolverSpec(name="guided", summary=summary, build=build_guided_solver)]


@hookimpl
def adjudge_backends() -> Sequence[BackendSpec]:
    """The backend `guided`."""
    summary = (
        "a backend under learned rules: guided:NAME:MODEL "
        "(graph=rules.jsonl, rules=5, characters=2000, domain=, scenario=, tags=, embeddings=auto)"
    )
    return [BackendSpec(name="guided", summary=summary, build=build_guided_backend)]


def build_guided_solver(**options: Any) -> GuidedSolver:
    """Make the solver `guided`; see `adjudge_metacog.applying.build_solver`."""
    from adjudge_metacog.applying import build_solver

    return build_solver(**options)


def build_guided_backend(model: str | None = None, **options: Any) -> GuidedBackend:
    """Make the backend `guided`; see `adjudge_metacog.guided_backend.build`."""
    from adjudge_metacog.guided_backend import build

    return build(model, **options)
