"""Core's own plugin: built-ins register through the same hooks as everyone else's."""

from __future__ import annotations

from collections.abc import Sequence

from adjudge.hookspecs import hookimpl
from adjudge.interfaces import AnalysisSpec, JudgeSpec, ScoringSpec, SolverSpec


@hookimpl
def adjudge_judges() -> Sequence[JudgeSpec]:
    """`isolated`, `joint`, `compare`, and judges made of judges."""
    from adjudge.judges import SPECS

    return SPECS


@hookimpl
def adjudge_scorings() -> Sequence[ScoringSpec]:
    """The named scorings of core."""
    from adjudge.scoring import SPECS

    return SPECS


@hookimpl
def adjudge_solvers() -> Sequence[SolverSpec]:
    """Plain generation."""
    from adjudge.solvers import SPECS

    return SPECS


@hookimpl
def adjudge_analyses() -> Sequence[AnalysisSpec]:
    """The offline replay of a cascade."""
    from adjudge.judges.cascade import ANALYSES

    return ANALYSES
